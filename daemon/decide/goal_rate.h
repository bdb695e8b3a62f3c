/*
 * goal_rate.h: how many reach the goal of a sequence within so many days of coming into it; for those who get it and for those who are held out
 * of it. Pure.
 *
 * Not everybody is looked at equally long: some came in yesterday, and at those who came before there was a holdout nobody looked any more when
 * their way had ended. So nobody counts as one who did not reach the goal after nobody looked (Kaplan and Meier), and both are compared at a day up
 * to which enough of both were looked at. The error is Greenwood's.
 */
#ifndef DECIDE_GOAL_RATE_H
#define DECIDE_GOAL_RATE_H

#include <stdint.h>

#define GOAL_DAYS 1100

struct goal_curve {
	int64_t people;
	int64_t reached[GOAL_DAYS];	/* by the day after they came in */
	int64_t unseen[GOAL_DAYS];	/* not looked at after it: at the end of the sequence, or still under way */
};

struct goal_rate {
	double rate, low, high;		/* 95 % */
	double error;			/* standard error of the rate */
};

/* Times are the enrolment's; `seen_until` when they were last looked at, if they did not reach it. */
void goal_reached(struct goal_curve *c, int64_t entered, int64_t reached);
void goal_not_reached(struct goal_curve *c, int64_t entered, int64_t seen_until);
/* They have left for a reason that will not change: never reached. */
void goal_never(struct goal_curve *c);

/* The last day up to which a tenth of both, and ten of each, were looked at; -1: there are not so many yet. */
int goal_horizon(const struct goal_curve *a, const struct goal_curve *b);
struct goal_rate goal_rate_by(const struct goal_curve *c, int day);
/* a - b */
struct goal_rate goal_difference(struct goal_rate a, struct goal_rate b);
/* Of `won` in `shown`: Wilson's interval. */
struct goal_rate goal_share(int64_t won, int64_t shown);

#endif
