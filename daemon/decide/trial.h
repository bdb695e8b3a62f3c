/*
 * trial.h: the arithmetic of tests of mails, apart from the store. Pure.
 */
#ifndef DECIDE_TRIAL_H
#define DECIDE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/plan.h"

#define TRIAL_ARMS 8

struct arm_sum {
	int64_t shown, won;	/* of those whose window is over */
	int64_t all;		/* sent at all */
};

/* The arm for one person: by lot, or the best in one draw. */
size_t trial_draw(const struct arm_sum *arms, size_t count, uint64_t *stream);
/* The arm that is most probably the best, and that probability. */
double trial_best(const struct arm_sum *arms, size_t count, size_t *best_out);
/* How many looks are due when so many people are known: 0 before the first. */
int trial_look(int64_t known, int64_t size, size_t count);
/* Whether the look-th look ends the test, and with which arm. */
bool trial_decide(const struct step *step, const struct arm_sum *arms, size_t count, int look, size_t *best_out, double *sure_out);

struct db;
struct arena;
/* What is known of a step's arms. Reader thread, too. */
int trial_sums(struct db *db, const struct step *step, int64_t now, struct arena *arena, struct arm_sum *out, struct err *err) MUSTCHECK;

#endif
