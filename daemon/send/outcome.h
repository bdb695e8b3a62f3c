/*
 * outcome.h: what becomes of a message after an attempt: the one place of that policy. Pure.
 *
 * Whose fault a failure is decides everything: the relay's costs the message nothing, the operator's stops all sending, only the prospect's may
 * suppress an address.
 */
#ifndef SEND_OUTCOME_H
#define SEND_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/facts.h"

#include "dialogue.h"

enum fault {
	FAULT_NONE,
	FAULT_RELAY,		/* feeds the breaker */
	FAULT_OPERATOR,		/* opens the breaker at once, alarm: login, certificate, sender refused */
	FAULT_QUOTA,		/* the relay says that we send too fast or too much: opens the breaker for a minute or more */
	FAULT_MESSAGE,		/* its content or policy: never the prospect's */
	FAULT_PROSPECT,		/* the address */
};
extern const char *const fault_names[];

struct judgement {
	enum outcome outcome;
	enum fault fault;
	bool hard_bounce;	/* OUTCOME_FAILED: the address is to blame for good */
	bool counted;		/* OUTCOME_DEFERRED: uses up one try of the schedule */
};

/* How an attempt ended. `reply` with code 0: there was none, `trouble` says what there was instead. */
struct judgement outcome_judge(const struct dialogue_end *end);

/*
 * How long until the next try after `counted` tries that counted, microseconds; -1: given up. 1, 5, 15, 30 min, 1, 2, 4, 4, 8, 8, 12 h, all in
 * proportion to `first` (operator.retry_first); `dice` in [0, 1) spreads it by a fifth either way.
 */
int64_t outcome_retry(int counted, int64_t first, double dice);
/* The same for what does not count: soon, but not at once. */
int64_t outcome_again(enum fault fault, int64_t first, double dice);

/* The id that the relay gave a message, out of its 250: "queued as ID" (Postfix), "Ok ID" (SES), "id=ID" (Exim). "" if it names none. */
void outcome_relay_id(const char *text, char *out, size_t size);

#endif
