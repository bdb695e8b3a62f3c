/*
 * words.h: what a plan says, in words for people: steps, and how people get in and out. Pure; any thread.
 */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/buf.h"
#include "config/plan.h"

/* What a step does, with its options: "mail three-mistakes, even in quiet hours", "wait 3 business days". */
void words_step(struct buf *out, const struct plan *plan, const struct step *step);

/* "case" or "the end". */
const char *words_target(const struct sequence *s, int to);

/* How people get in, and out: "by signup, if event.form == ..."; "by hand". */
void words_entry(struct buf *out, const struct sequence *s);
/* "never", "always", "after 180 days" */
void words_again(struct buf *out, const struct sequence *s);

extern const char *const words_on_change[];	/* by enum on_change: move finish restart */

#endif
