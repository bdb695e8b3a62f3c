/*
 * pace.h: how fast a group of recipients is mailed: a token bucket, and places in time that are given out ahead of it. Pure: no clock, no store.
 *
 * Two things are kept apart. The bucket (virtual scheduling, GCRA: a theoretical arrival time) decides alone whether a mail passes now, so that
 * the rate holds whatever happens: in any window of length t no more than rate * t + burst, and for who comes to a place of their own the second
 * (or half an interval) by which claims are late. The places spread out who has to wait: each is given to one mail only, at the rate that will
 * hold at that time; to find the next free one costs the same however many have been given.
 *
 * There are two rows of places. Who is in the first row (what somebody waits for) does not see those of the second: it may take the bucket's
 * token from a mail of the second row at its place, which then takes the next free one.
 */
#ifndef DECIDE_PACE_H
#define DECIDE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pace_row { PACE_FIRST, PACE_OTHERS, PACE_ROWS };

#define PACE_AHEAD (INT64_C(3) * 86400 * 1000000)	/* no places further ahead: who comes there asks again */

struct pace_places {
	int64_t base;			/* second since 1970 of the first */
	uint16_t *used;			/* by second: how many of its places are given */
	uint32_t *hop;			/* by second: how many to skip, they are full; 0: look here */
	size_t count, used_cap, hop_cap;
	int64_t last;			/* the latest place that was given */
	int64_t taken;			/* a process before this one gave away all before that; 0: none did */
};

struct pace {
	int64_t interval;		/* between two mails, nanoseconds; 0: no limit */
	int64_t burst;			/* at least 1 */
	int64_t spent;			/* theoretical arrival time of the next mail, nanoseconds */
	/* backed off: at `slow_interval` (0: nothing at all) until slow_until, then twice as fast with each hour, from `again` on */
	int64_t slow_interval, slow_until, again;
	struct pace_places places[PACE_ROWS];
};

void pace_init(struct pace *p, int64_t count, int64_t within, int64_t burst);	/* count 0: no limit */
void pace_clear(struct pace *p);
/* Another rate from now on; what was given out stays. */
void pace_set(struct pace *p, int64_t count, int64_t within, int64_t burst);
/* Slower: `interval` 0: nothing until then. A back-off that is harder, or lasts longer, stays. */
void pace_slow(struct pace *p, int64_t interval, int64_t until);
void pace_restore(struct pace *p);
/* Nanoseconds between two mails at that time; 0: nothing goes out (or no limit at all: p->interval is 0). */
int64_t pace_interval(const struct pace *p, int64_t at);

/* May one pass at `now`; `placed`: it comes to its place. Changes nothing. */
bool pace_may(const struct pace *p, int64_t now, bool placed);
/* It does. */
void pace_spend(struct pace *p, int64_t now);
/* Does somebody of that row wait for a place to come? */
bool pace_waits(const struct pace *p, enum pace_row row, int64_t now);
/* The first free place from `from` on, and not before the bucket has a token; -1: there is none within PACE_AHEAD of now. */
int64_t pace_find(struct pace *p, enum pace_row row, int64_t from, int64_t now);
/* What a process before this one gave away. */
void pace_recall(struct pace *p, enum pace_row row, int64_t until);
/* Gives away the place that was found. */
void pace_take(struct pace *p, enum pace_row row, int64_t at, int64_t now);

/* How it was before a place was given away, and that again: the latest that was given goes back first. */
struct pace_before {
	int64_t at, last;
	uint16_t used;
};
struct pace_before pace_before(const struct pace *p, enum pace_row row, int64_t at);
void pace_give_back(struct pace *p, enum pace_row row, const struct pace_before *before);

#endif
