/*
 * words.h: what a plan says, in words for people: steps and the ways between them. Pure; any thread.
 */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/buf.h"
#include "config/plan.h"

/* What a step does, with its options: "mail three-mistakes, even in quiet hours", "wait 3 business days". */
void words_step(struct buf *out, const struct plan *plan, const struct step *step);

/* Where a step leads, and when. */
struct way {
	const char *label;	/* "" the only one; then else otherwise "in time"; a share: the number is in `share` */
	int share;		/* of `shares`; 0: none */
	int to;			/* index of a step; step_count: the end */
};

/* All ways of a step, in the order in which they are written; at most `max`. The number of them; 0 for `end`. */
size_t words_ways(const struct sequence *s, const struct step *step, struct way *out, size_t max);
/* "case" or "the end". */
const char *words_target(const struct sequence *s, int to);

/* How people get in, and out: "by signup, if event.form == ..."; "by hand". */
void words_entry(struct buf *out, const struct sequence *s);
/* "never", "always", "after 180 days" */
void words_again(struct buf *out, const struct sequence *s);

extern const char *const words_on_change[];	/* by enum on_change: move finish restart */

#endif
