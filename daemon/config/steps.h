/*
 * steps.h: the steps of a sequence, from what was written.
 */
#ifndef CONFIG_STEPS_H
#define CONFIG_STEPS_H

#include "step_verbs.h"

/* Fills s->steps and the places of them; s->name and what else is known of the sequence is there already. */
void steps_load(struct load *l, const struct yaml_node *list, struct sequence *s, struct sequence_nodes *nodes);

/* The index of the step that a node names; `otherwise` if there is no node, or after a complaint. */
int steps_find(struct load *l, const struct sequence *s, const struct yaml_node *node, int otherwise);

/* step_tests.c: arms, what decides between them, and the id of a `test`. */
void step_tests_fill(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, const struct step_keys *keys,
		const struct yaml_node *map, struct step *step);

#endif
