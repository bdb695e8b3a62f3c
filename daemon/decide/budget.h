/*
 * budget.h: how much goes out of one sender's domain in a day: a fixed number, or a warm-up that doubles it from day to day as long as the
 * mail is taken well. Days are those of the site's own zone (quiet.default_timezone). Pure: no clock, no store.
 */
#ifndef DECIDE_BUDGET_H
#define DECIDE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"

#include "pace.h"

/* Mails, hard bounces and complaints of the last 250 to 500 mails. */
struct tally {
	int64_t sent[2], hard[2], complaints[2];
};

void tally_add(struct tally *t, int64_t sent, int64_t hard, int64_t complaints);
int64_t tally_sent(const struct tally *t);
int64_t tally_hard(const struct tally *t);
int64_t tally_complaints(const struct tally *t);

#define BUDGET_DAYS 32			/* so far ahead are places given */

struct budget {
	bool on;
	int64_t per_day;		/* 0: no limit */
	bool warm_up;
	int64_t since, first;
	int64_t day;			/* of 1970, the site's: used[][0] */
	int64_t used[PACE_ROWS][BUDGET_DAYS];	/* places given */
	int64_t passed;			/* mails of this day */
	int64_t allowance;		/* of the warm-up, this day; 0: it has not begun */
	bool stepped;			/* back, today */
	int64_t noted;			/* of `passed`, what a restart knows; never less */
};

void budget_set(struct budget *b, const struct shape_sender *config);
/* It is now: the days move on, the warm-up grows or shrinks. True when a restart must know. */
bool budget_roll(struct budget *b, const struct quiet *quiet, const struct tally *tally, int64_t now);
int64_t budget_limit(const struct budget *b, int64_t day);	/* INT64_MAX: none */

/* As pace.h has them; a mail that passes without a place uses one of today. budget_spend(): true when a restart must know. */
bool budget_may(const struct budget *b, enum pace_row row, bool placed);
bool budget_spend(struct budget *b, enum pace_row row, bool placed);
int64_t budget_find(const struct budget *b, const struct quiet *quiet, enum pace_row row, int64_t from);
/* The day whose place it is; -1: too far ahead. */
int64_t budget_take(struct budget *b, const struct quiet *quiet, enum pace_row row, int64_t at);

#endif
