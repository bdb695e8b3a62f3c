/*
 * advice.c: what receivers mean by some of their texts (KumoMTA's shaping.toml), whether they say it at once or in a bounce. Pure.
 */
#include <string.h>

#include "base/clock.h"
#include "base/patterns.h"
#include "base/reason.h"
#include "decide/facts.h"

const char *const slow_scope_names[] = { "", "group", "relay" };
const char *const slow_way_names[] = { "halve", "trickle", "pause" };

static struct {
	struct pattern words;
	struct slow slow;
} advices[] = {
	{ PATTERN("\\[TSS?0?4\\]"), { SLOW_GROUP, SLOW_PAUSE, 2 * US_HOUR } },
	{ PATTERN("messages\\s+from\\s+\\S+\\s+temporarily\\s+deferred|rate\\s+limited\\s+due\\s+to\\s+ip\\s+reputation|"
		"weren.{1,3}t\\s+sent|server\\s+busy|\\bRP-00[1-3]\\b"), { SLOW_GROUP, SLOW_TRICKLE, 90 * US_MINUTE } },
	{ PATTERN("4\\.7\\.28\\b|unusual\\s+rate\\s+of"), { SLOW_GROUP, SLOW_HALVE, US_HOUR } },
};

struct slow advice_of(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (pattern_in(&advices[i].words, text))
			return advices[i].slow;
	return (struct slow){ .scope = SLOW_NOTHING };
}

struct slow advice_of_bounce(const char *reason, const char *text)
{
	struct slow slow = advice_of(text);
	const char *said = slow.scope ? NULL : reason_of_text(text);

	if (slow.scope == SLOW_NOTHING && (!strcmp(reason, "speeding") || !strcmp(reason, "toomanyconn") || (said && !strcmp(said, "speeding"))))
		slow = (struct slow){ SLOW_GROUP, SLOW_HALVE, 10 * US_MINUTE };
	return slow;
}
