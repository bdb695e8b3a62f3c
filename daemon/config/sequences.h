/*
 * sequences.h: the table of a sequence's file and those of its steps, for the reference page.
 */
#ifndef CONFIG_SEQUENCES_H
#define CONFIG_SEQUENCES_H

#include "keys.h"

extern const struct key_table sequence_table;

struct verb {
	const char *name;
	enum step_kind kind;
	const struct key_table *table;
};
extern const struct verb step_verbs[];	/* ends with a NULL name */

#endif
