/*
 * retry.h: what follows from an attempt: the one place that decides. Pure; any thread.
 *
 * The plan of Standard Webhooks 1.0 ("Deliverability and reliability"): at once, then after 5 seconds, 5
 * minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours, each up to a tenth later by chance, so that what
 * failed together does not come back together.
 */
#ifndef HANDOFF_RETRY_H
#define HANDOFF_RETRY_H

#include <stdint.h>

#define RETRY_ATTEMPTS 10

struct attempt {
	int number;		/* attempts before this one */
	int code;		/* HTTP status; 0: there was no answer */
	int64_t retry_after;	/* what the receiver asked for, in microseconds; 0: nothing */
	int64_t at;		/* when it ended */
	double chance;		/* [0, 1) */
};

enum retry_verdict {
	RETRY_DELIVERED,	/* any 2xx */
	RETRY_AGAIN,
	RETRY_DEAD,		/* 410: the receiver wants no more; or the plan is at its end */
};

/* *again_at is set for RETRY_AGAIN: by the plan, or later if the receiver asked for it, by a day at most. */
enum retry_verdict retry_decide(const struct attempt *attempt, int64_t *again_at);

#endif
