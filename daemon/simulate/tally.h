/*
 * tally.h: what a population adds up to, counted as it happens, and printed.
 */
#ifndef SIMULATE_TALLY_H
#define SIMULATE_TALLY_H

#include "base/zone.h"
#include "simulate/thing.h"
#include "store/rows.h"

/* By day. */
enum sum {
	SUM_CAME, SUM_MAILS, SUM_CONFIRMATIONS, SUM_HELD_CAP, SUM_HELD_QUIET, SUM_HELD_OTHER, SUM_REPLIED, SUM_UNSUBSCRIBED, SUM_COMPLAINED, SUM_BOUNCED, SUM_HOT,
	SUM_OPENED,				/* by whom: one for each verdict */
	SUM_CLICKED = SUM_OPENED + VERDICTS,
	SUMS = SUM_CLICKED + VERDICTS
};

struct tally;

/* The days are the zone's, from the one of `start`. */
struct tally *tally_new(const struct zone *zone, int64_t start, int days);
void tally_free(struct tally **tally);

void tally_thing(struct tally *t, const struct thing *thing);
void tally_hit(struct tally *t, const struct hit *h);
void tally_journal(struct tally *t, const struct journal_row *row);
/* How many stand where at the end. */
void tally_enrolments(struct tally *t, const char *sequence, enum enrolment_state state, int64_t count);

void tally_text(const struct tally *t, struct buf *out);
void tally_json(const struct tally *t, struct buf *out);	/* members of an object, without its braces */

#endif
