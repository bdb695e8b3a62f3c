/*
 * outcome.h: what becomes of a message after an attempt: the one place of that policy. Pure.
 *
 * Whose fault a failure is (enum fault) decides everything: the relay's costs the message nothing, the operator's stops all sending over that relay, the
 * sender identity's holds its mails, only the prospect's may suppress an address. Loop thread: it matches patterns.
 */
#ifndef SEND_OUTCOME_H
#define SEND_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/facts.h"

#include "dialogue.h"

struct judgement {
	enum outcome outcome;
	enum fault fault;
	bool hard_bounce;	/* OUTCOME_FAILED: the address is to blame for good */
	bool counted;		/* OUTCOME_DEFERRED: uses up one try of the schedule */
	bool disagrees;		/* the enhanced code is of another class than the basic one, which counted */
	const char *reason;	/* sisimai's word (base/reason.h); "" if nothing went wrong */
	struct slow slow;	/* what the words advise */
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
