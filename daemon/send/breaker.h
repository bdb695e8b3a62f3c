/*
 * breaker.h: stops trying a relay that fails, and finds out when it is back. Pure: times are given (clock_steady()).
 *
 * Opens after 5 relay faults in a row or 10 among the last 20 attempts, for 30 s, 1, 2, 5, 10 min; at once for 5 min where the operator has to act; for
 * a minute and more where the relay names a quota. When the time is over one message goes out: if the relay takes it all is well, else the next, longer
 * pause. All pauses are in proportion to `scale` (operator.retry_first: a minute means as written).
 */
#ifndef SEND_BREAKER_H
#define SEND_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "outcome.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
extern const char *const breaker_state_names[];

struct breaker {
	enum breaker_state state;
	int64_t scale;
	int64_t until;		/* OPEN: when it becomes half open */
	int64_t since;		/* when it left CLOSED */
	int level;		/* which pause comes next */
	int in_row;
	uint32_t history;	/* last 20 attempts, 1 a relay fault */
	enum fault fault;	/* that opened it */
};

void breaker_init(struct breaker *b, int64_t scale);
/*
 * Was an attempt's fault the relay's? Anything that the relay answered with sense, a refusal too, says that it works. If it opens, then for `least` at
 * least (what a quota needs to fill again), which is not scaled.
 */
void breaker_report(struct breaker *b, enum fault fault, int64_t least, int64_t now);
/* Moves OPEN to HALF_OPEN when its time has come; the state. */
enum breaker_state breaker_look(struct breaker *b, int64_t now);

#endif
