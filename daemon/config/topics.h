/*
 * topics.h: what a prospect may subscribe to and leave; and the language of what is written without one.
 */
#ifndef CONFIG_TOPICS_H
#define CONFIG_TOPICS_H

#include "keys.h"

extern const struct key_table topic_table;

/* `topics` of nurture.yaml; list may be NULL. */
void topics_load(struct load *l, const struct yaml_node *list);
/* The name as the plan has it; NULL, with a complaint that names the nearest. */
const char *topics_find(struct load *l, const struct yaml_node *node);
/* Of the front matter of a mail; NULL: it has none, or one that is not there, which is complained about at its line. */
const char *topics_of_mail(struct load *l, const struct template *mail, const struct source *source);
/* What only the whole can tell: a topic without a mail, arms of a test that differ in theirs, a sequence whose mails are all of others. */
void topics_check(struct load *l);

#endif
