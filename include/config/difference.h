/*
 * difference.h: what two plans say differently, thing by thing: what a reload would change. Pure; any thread.
 */
#ifndef CONFIG_DIFFERENCE_H
#define CONFIG_DIFFERENCE_H

#include "base/mem.h"
#include "config/plan.h"

enum difference_change { DIFFERENCE_ADDED, DIFFERENCE_REMOVED, DIFFERENCE_CHANGED };
extern const char *const difference_words[];	/* by enum difference_change: added removed changed */

/* One thing that is said of something, of what has changed: `when`, `points`, `step nudge`. */
struct difference_aspect {
	const char *name;
	const char *was, *is;	/* NULL: it was not, or is no more; both "" where only that they differ can be told (texts, secrets) */
};

struct difference {
	const char *kind;	/* "field", "stage", "list", "score", "quiet", "sales", "form", "mail", "sequence", "operator", ... */
	const char *name;	/* "" where there is only one such */
	enum difference_change change;
	const struct difference_aspect *aspects;	/* of what has changed */
	size_t count;
};

/* In the order of the kinds as plan.h has them. All of it in the arena. */
size_t plan_compare(const struct plan *was, const struct plan *is, struct arena *arena, const struct difference **out);

/* Can the new one come into force without a restart? NULL, or the keys that stand in the way. */
const char *plan_needs_restart(const struct plan *was, const struct plan *is);

#endif
