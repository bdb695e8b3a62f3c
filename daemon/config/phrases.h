/*
 * phrases.h: the small English of a persona's behaviour; the grammar stands in config/persona.h.
 */
#ifndef CONFIG_PHRASES_H
#define CONFIG_PHRASES_H

#include <stdbool.h>

#include "config/persona.h"

#include "load.h"

#define HABITS_MAX 100

/* What the phrases come to, while a persona is read. */
struct phrases {
	struct load *load;
	struct habit *habits;		/* room for HABITS_MAX */
	size_t count;
	bool confirm_said, confirms;
	int64_t confirm_delay;
};

/* All phrases of one text. `data`, or NULL, is the mapping that belongs to the last of them. Complains at its places. */
void phrases_read(struct phrases *p, const struct yaml_node *node, const struct yaml_node *data);

/* A mapping as a JSON object, in the plan's arena: numbers, true, false and null where they are bare; else texts. */
const char *phrases_data(struct load *l, const struct yaml_node *map);

/* "2026-06-02", and nothing behind it. */
bool phrases_is_date(const char *text, struct persona_date *out);

#endif
