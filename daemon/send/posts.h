/*
 * posts.h: the relays in use, each with its stock, and which of them a mail goes over. Loop thread.
 *
 * Among the relays that can take something now, each gets its share by `weight`; those that are `backup` are asked only when none of the others works.
 * What failed for a relay's fault goes over another, as long as there is one that has not failed it too.
 */
#ifndef SEND_POSTS_H
#define SEND_POSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "config/plan.h"

#include "relay.h"
#include "stock.h"

struct post {
	struct post *next;
	struct relay *relay;
	const struct relay_config *config;	/* lies in the plan */
	struct plan *plan;			/* holds a reference */
	struct stock stock;
	size_t taken;				/* on its connections */
	unsigned bit;				/* of struct failed */
	double turn;				/* of the shares: who has least is next */
	int64_t slot;				/* posts_slot() has given away all before */
	bool retired;				/* of a plan before: ends what it has */
};

struct posts {
	struct loop *loop;
	struct relay_owner owner;
	struct post *first;			/* in the order of the plan */
	struct post *retired;
	struct failed *failed;
	size_t next_failed;
	int64_t failed_at;			/* clock_steady() of the latest */
	unsigned made;
};

void posts_init(struct posts *p, struct loop *loop, const struct relay_owner *owner);
void posts_clear(struct posts *p);		/* cuts what is under way */

/*
 * The relays of the plan: those that did not change go on, those that did or are gone retire. The caller empties the stock of these, and looks by
 * posts_sweep() for those that are done; not from a relay's callback.
 */
void posts_load(struct posts *p, struct plan *plan);
void posts_sweep(struct posts *p);

/* NULL: it is none of ours. */
struct post *posts_of(const struct posts *p, const struct relay *relay);

/* What a mail asks of a relay. */
struct errand {
	int64_t delivery;
	const char *only;		/* the name of the one that it must go over; NULL: any */
	unsigned needs;			/* enum capability */
};
/* Which one it goes over. NULL: none works, for posts_pause() from now. */
struct post *posts_choose(struct posts *p, const struct errand *errand);
/* Until the breaker of one of them lets something through; 0: one does. */
int64_t posts_pause(const struct posts *p, const struct errand *errand);
/* Each one that it may go over is known to lack what it needs. */
bool posts_none_can(const struct posts *p, const struct errand *errand);
/* It has more in stock than goes out in a moment. */
bool posts_full(const struct post *post);
/* When one that is full will be through with one mail more (clock_now()); each call is one mail. */
int64_t posts_slot(struct post *post);

/* It failed there, for that relay's fault. true: there is another for it at once, which posts_choose() will give. */
bool posts_failed(struct posts *p, const struct errand *errand, const struct post *post);

/* How many mails to claim at once, if any: about what the connections end in one turn of the store. */
size_t posts_wanted(const struct posts *p);
/* How many that somebody waits for, beyond that: a stock that is full of others, and slow to go, must not keep them. */
size_t posts_wanted_awaited(const struct posts *p);

void posts_drain(struct posts *p);
void posts_cut(struct posts *p);

#endif
