/*
 * sequences.h: the table of a sequence's file, and what one says.
 */
#ifndef CONFIG_SEQUENCES_H
#define CONFIG_SEQUENCES_H

#include "keys.h"

extern const struct key_table sequence_table;

/*
 * One sequence from its file's tree, which may be NULL. Its index is for the caller to set; l->plan is what names are looked up
 * in. *nodes belongs to the scratch arena.
 */
void sequences_read(struct load *l, const struct yaml_node *root, struct sequence *s, struct sequence_nodes *nodes);

/* sequence_version.c: the version of what a file says, in SEQUENCE_VERSION hex digits. Pure. */
const char *sequence_version(struct arena *arena, const struct yaml_node *root);

#endif
