/*
 * thing.h: what happens in a simulation, as a line for a marketer or an object for a program. Pure.
 */
#ifndef SIMULATE_THING_H
#define SIMULATE_THING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/zone.h"

enum thing_kind {
	/* what people do */
	THING_SIGNS_UP,		/* text: form */
	THING_KNOWN,
	THING_CONFIRMS,		/* text: form */
	THING_OPENS, THING_CLICKS,	/* mail; clicks: text: the link's URL, or why there is nothing to click */
	THING_REPLIES,		/* mail; text: words; why: intent; until: the date they named */
	THING_AWAY,		/* mail; until: back on that day: an automatic reply */
	THING_VISITS,		/* text: path */
	THING_DOES,		/* text: event; to: subject; why: data */
	THING_PREFERS,		/* text: what they choose in the preference centre */
	THING_UNSUBSCRIBES, THING_COMPLAINS,	/* mail */
	THING_SALES,		/* text: what they say of the lead; why: their words */
	/* what is mailed */
	THING_MAIL,		/* mail, subject, sequence, step; text: arm of a test; from: owner, if it is theirs; to: address */
	THING_FORWARD,		/* to, subject: a reply, to those whom it concerns */
	THING_BOUNCES,		/* mail; why */
	THING_SKIPPED,		/* mail, sequence, step; why: not made, or not sent after all */
	THING_DOUBT,		/* mail, sequence, step: sent, perhaps */
	THING_DEFERRED,		/* mail, until */
	/* what is decided */
	THING_SCORE,		/* fit, interest, text: what granted points */
	THING_STAGE, THING_LIST,/* from, to, why */
	THING_TAG, THING_UNTAG,	/* text: tag; why */
	THING_MOVE,		/* to: list; why */
	THING_ENTERS,		/* sequence, why */
	THING_BRANCH,		/* step, why */
	THING_WAITS,		/* sequence, step: what comes then; until; why: what for; to: where to if it does not come */
	THING_HELD,		/* sequence, step, why, until */
	THING_PAUSED, THING_GOES_ON,	/* sequence, why */
	THING_ENDS,		/* sequence, why */
	THING_SUPPRESSED,	/* why */
	THING_HOT,		/* to: owner; why */
	THING_ALERT,		/* to: host; text: shape */
	THING_NOTE,		/* text: kind, which is its name; to: what; why: of the journal, where it is none of the above */
	THINGS
};

/* Texts are borrowed for the call; NULL where there is none. */
struct thing {
	enum thing_kind kind;
	int64_t at;
	size_t person;			/* number, by simulation_add() and order of appearance */
	int64_t prospect;		/* 0: not yet known */
	const char *sequence, *step, *mail, *subject, *from, *to, *text, *why;
	int64_t until;			/* 0: none; TIME_NEVER: no limit */
	double fit, interest, points;
};

/* "opens", "enters", ... */
const char *thing_name(enum thing_kind kind);

/* One line without its end, such as `  2  Wed 2026-03-04 09:30  mail         three-mistakes: "..."`: days since `start`, and times, by the zone's clock. */
void thing_line(const struct thing *thing, const struct zone *zone, int64_t start, struct buf *out);
/* One JSON object. */
void thing_json(const struct thing *thing, const struct zone *zone, int64_t start, struct buf *out);

/* "Wed 2026-03-04 09:30" */
void thing_time(int64_t at, const struct zone *zone, struct buf *out);
/* Calendar days from `start` to `at` by the zone's clock. */
int64_t thing_day(int64_t at, const struct zone *zone, int64_t start);

#endif
