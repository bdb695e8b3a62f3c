/*
 * mails.h: mail templates by name while a plan is loaded.
 */
#ifndef CONFIG_MAILS_H
#define CONFIG_MAILS_H

#include "load.h"

/* NULL after a complaint at the node. */
const struct mail_template *mails_find(struct load *l, const struct yaml_node *node);
/* A subject that stands in YAML, compiled for the header; NULL after a complaint inside the node. */
const struct template *mails_subject(struct load *l, const struct yaml_node *node);
/* alerts/NAME.liquid, compiled (once); NULL after a complaint at the node. */
const struct template *mails_alert(struct load *l, const struct yaml_node *node, const char *name);
/* Names of all mails, NULL at the end; in the scratch arena. */
const char *const *mails_names(struct load *l);

#endif
