/*
 * relay.h: one relay: its connections, its breaker, its pace. Loop thread.
 *
 * libcurl opens each connection (DNS, TCP, TLS with verification, STARTTLS, AUTH), the dialogue speaks on it. A connection asks its owner for messages when
 * it has room, tells it to commit the dot of each, and reports how each ended. The breaker says how many it may take at all, the pace how fast.
 */
#ifndef SEND_RELAY_H
#define SEND_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "config/plan.h"
#include "send/send.h"

#include "breaker.h"
#include "dialogue.h"
#include "outcome.h"

struct relay;

/* What a relay asks of whoever uses it. None of them may call back into the relay, but relay_wake() and relay_drain(). */
struct relay_owner {
	/* The next message, composed; NULL if there is none now. */
	struct envelope *(*take)(void *ctx, struct relay *relay);
	/* Commit that its dot may be out, then call relay_granted(). */
	void (*dot)(void *ctx, struct envelope *envelope);
	/* Its end: it is the owner's again, and neither relay_granted() nor relay_forbid() may be called for it any more. */
	void (*ended)(void *ctx, struct relay *relay, const struct dialogue_end *end, struct judgement judgement);
	/* The breaker opened (appetite is 0) or lets something through again; or it has become slower. */
	void (*changed)(void *ctx, struct relay *relay);
	void *ctx;
};

struct relay_times {
	struct dialogue_times dialogue;
	int64_t connect;	/* until TCP stands */
	int64_t greet;		/* for each reply until the login is done */
	int64_t idle;		/* a connection without work is given up */
	int64_t life;		/* no connection serves longer */
	int64_t scale;		/* of the breaker's pauses: operator.retry_first */
};
extern const struct relay_times relay_times_default;

/* The configuration is borrowed for life (hold its plan). */
struct relay *relay_new(struct loop *loop, const struct relay_config *config, const struct relay_times *times,
		const struct relay_owner *owner);
/* Cuts every connection; each message under way ends (TROUBLE_STOPPED) before this returns. Not from an owner's callback. */
void relay_free(struct relay **relay);

/* There may be something to take: `waiting` is how many. Connects as far as needed. Works at the next turn of the loop. */
void relay_wake(struct relay *relay, size_t waiting);
/* How many messages it should have in stock: 0 while the breaker is open, 1 while half open. */
size_t relay_appetite(struct relay *relay);
/* Messages a second that it may be given; where there is no limit, that it was given lately. */
double relay_rate(struct relay *relay);
/* When a breaker that is open lets the next one through, microseconds from now; 0 if it is not open. */
int64_t relay_pause(struct relay *relay);

/* Of these (enum capability) the ones that it did not offer when it was last connected to; 0 where that was too long ago to say. */
unsigned relay_lacks(const struct relay *relay, unsigned can);

/* The dot of a message that relay asked for is committed; or must not go out (also later, until its dot is out). */
void relay_granted(struct envelope *envelope);
void relay_forbid(struct envelope *envelope);

/* Takes nothing more; connections close as they become idle. */
void relay_drain(struct relay *relay);
/* Ends what is under way now: TROUBLE_STOPPED, what has had its dot in doubt. */
void relay_cut(struct relay *relay);
bool relay_busy(const struct relay *relay);	/* messages under way */

const struct relay_config *relay_config_of(const struct relay *relay);

struct relay_counts {
	int connected, connecting, under_way;
	uint64_t connects, failures, accepted, deferred, failed, unknown;
	enum breaker_state breaker;
	int64_t open_since;	/* clock_steady(); 0 when closed */
	enum fault fault;	/* that opened it */
	double rate;		/* messages a second that it may be given now; 0: no limit */
	int64_t slow_until, tried_again;	/* clock_steady(); 0 */
	unsigned can;		/* what it offered, */
	int64_t size_limit;
	int64_t can_at;		/* and when (clock_steady()); 0: it was not heard yet */
	const struct send_said *said;	/* the relay's: SEND_SAID of them */
	char last_error[256];
};
void relay_counts(struct relay *relay, struct relay_counts *out);

#endif
