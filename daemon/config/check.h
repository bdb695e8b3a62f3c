/*
 * check.h: what only the whole plan can tell. Each check complains of all that it finds.
 *
 * Only what is certain is refused; what may be meant is let pass.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "load.h"

/* check_ways.c: steps that nothing leads to, loops that never wait, answers to no mail, moves that end the sequence. */
void check_ways(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes);

/* check_truth.c */
enum truth { SOMETIMES, ALWAYS, NEVER };
/* Where the symbol `fixed` has its value number `value`; -1: where everything may be anything. */
enum truth check_truth_of(const struct plan *plan, const struct expression *e, int fixed, int value);
/* Complains of what never holds, and of what always does; `always` is what follows then, NULL: then it may. */
void check_truth(struct load *l, const struct expression *e, const struct yaml_node *node, const char *what, const char *always);
/* Goal, exit, and the questions of the steps. */
void check_truth_of_steps(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes);

/* check_mails.c: mails that cannot be stopped; `said` is by mail: one complaint each, where it is sent first. */
void check_mails(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, bool *said);
/* Mails that a condition names, and nobody wrote. */
void check_mails_named(struct load *l, const struct yaml_node *node, const struct expression *e);

#endif
