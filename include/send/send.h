/*
 * send.h: mail out through the relays: claims what is due, composes it, speaks SMTP, records what became of it. Loop thread.
 *
 * Each message's `dot` is committed before its final dot is written, at most two ahead on a connection; so after a crash at most two messages a
 * connection are in doubt, and decide keeps those as `unknown`. An outcome that the store cannot take is kept and offered again until it can.
 */
#ifndef SEND_SEND_H
#define SEND_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct decide;
struct loop;
struct relay_config;
struct send;

/* Becomes the listener of LANE_SEND and of withdrawals. curl_global_init() is the caller's. Uses the plan that decide has in force. */
int send_start(struct loop *loop, struct decide *decide, struct send **out, struct err *err) MUSTCHECK;

/* decide_reload() was called: new mails go out by the new plan; a relay that changed is replaced when its messages are done. -1: the old one goes on. */
int send_reload(struct send *s, struct err *err) MUSTCHECK;

/* Claims nothing more, gives back what was not begun, finishes what is under way; what has not ended after 20 s is cut. */
void send_drain(struct send *s);
/* Mails claimed and not recorded yet: 0 when a drained one is done. */
size_t send_busy(const struct send *s);
/* Drains if that was not done, running the loop (so not from inside a callback) until it is over or 25 s have passed; frees. Before decide_quiesce(). */
void send_stop(struct send **s);

struct send_counts {
	uint64_t sent, deferred, failed, unknown, skipped, withdrawn;	/* attempts ended, since the start */
	size_t stock;			/* claimed and waiting for a connection */
	size_t under_way;		/* on a connection */
	size_t unrecorded;		/* ended, their outcome not committed yet */
};
void send_counts(struct send *s, struct send_counts *out);

/* What a relay said, in place of what it said before at that stage with that code. */
struct send_said {
	int64_t at;
	const char *stage;		/* static; "" where there is none yet */
	int code;			/* 0: nothing came, and the text says what happened */
	uint64_t times;
	char text[240];
};
#define SEND_SAID 8

/* One relay of the plan. Its pointers are valid until the loop turns. */
struct send_relay {
	const char *name;
	const struct relay_config *config;
	int weight;
	bool backup;
	int connected, connecting;	/* connections */
	uint64_t connects, connect_failures;
	uint64_t sent, deferred, failed, unknown;	/* attempts ended, since it is used */
	size_t stock, under_way;
	double rate;			/* messages a second that it may be given now; 0: no limit */
	int64_t slow_until;		/* that it asked for; then twice as much; 0: it did not */
	unsigned can;			/* what it offered (enum capability) */
	int64_t size_limit;		/* of a message; 0: it names none */
	int64_t can_at;			/* when that was; 0: it was not reached yet */
	const struct send_said *said;	/* SEND_SAID of them, in no order */
	const char *breaker;		/* closed open half-open */
	const char *fault;		/* whose it was that opened it; "" when closed */
	int64_t open_for;		/* microseconds, 0 when closed */
	int64_t tried_again;		/* when the breaker lets a message through; 0 when closed */
	char last_error[256];		/* "" if none */
};
#define SEND_RELAYS_MOST 64
/* How many: no more than max. In the order of the plan. */
size_t send_relays(struct send *s, struct send_relay *out, size_t max);
/* The same as a JSON list: in short; as lines of the metrics, each with a label relay=. */
void send_report(struct send *s, struct buf *out);
void send_metrics(struct send *s, struct buf *out);
/* In full, of the relay of that name; "": of all. 1, 0: there is none of that name, -1. */
int send_describe(struct send *s, const char *name, struct buf *out);

#endif
