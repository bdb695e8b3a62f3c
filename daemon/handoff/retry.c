/*
 * retry.c: see retry.h.
 */
#include "base/clock.h"

#include "retry.h"

#define JITTER 0.1
#define ASKED_MAX US_DAY

/* delays[n]: between attempt n and the next */
static const int64_t delays[RETRY_ATTEMPTS - 1] = {
	5 * US_SECOND, 5 * US_MINUTE, 30 * US_MINUTE, 2 * US_HOUR, 5 * US_HOUR,
	10 * US_HOUR, 14 * US_HOUR, 20 * US_HOUR, 24 * US_HOUR,
};

enum retry_verdict retry_decide(const struct attempt *attempt, int64_t *again_at)
{
	int64_t delay, asked = attempt->retry_after;

	if (attempt->code >= 200 && attempt->code <= 299)
		return RETRY_DELIVERED;
	if (attempt->code == 410 || attempt->number >= RETRY_ATTEMPTS - 1)
		return RETRY_DEAD;
	delay = delays[attempt->number < 0 ? 0 : attempt->number];
	if (asked > ASKED_MAX)
		asked = ASKED_MAX;
	if (asked > delay)
		delay = asked;
	*again_at = attempt->at + delay + (int64_t)((double)delay * JITTER * attempt->chance);
	return RETRY_AGAIN;
}
