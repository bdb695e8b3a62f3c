/*
 * mails.h: mail templates by name while a plan is loaded.
 */
#ifndef CONFIG_MAILS_H
#define CONFIG_MAILS_H

#include "load.h"

/* The mail of that name that is of no language, or NULL. */
const struct mail_template *mails_base(const struct plan *plan, const char *name);
/* The mail itself, never a version of it. NULL after a complaint at the node. */
const struct mail_template *mails_find(struct load *l, const struct yaml_node *node);
/* Names of all mails, NULL at the end; in the scratch arena. */
const char *const *mails_names(struct load *l);
/* What to say of a name that is that of no mail, or of a version of one; in the scratch arena. */
const char *mails_unknown(struct load *l, const char *name);

#endif
