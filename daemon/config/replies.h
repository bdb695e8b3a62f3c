/*
 * replies.h: the table of replies.yaml, for the reference page, and the loading of it.
 */
#ifndef CONFIG_REPLIES_H
#define CONFIG_REPLIES_H

#include "keys.h"

extern const struct key_table replies_table;

/* Before all that names an intent. Where there is no such file, what is built in. */
void replies_load(struct load *l);
void replies_load_shipped(struct load *l);

#endif
