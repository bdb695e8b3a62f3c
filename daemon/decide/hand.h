/*
 * hand.h: the enrolments of the mails that were claimed lately, in memory. Store thread.
 */
#ifndef DECIDE_HAND_H
#define DECIDE_HAND_H

#include <stdbool.h>
#include <stdint.h>

#include "store/rows.h"

struct decide;

struct in_hand {
	int64_t delivery, prospect;
	struct enrolment enrolment;	/* of a step's mail, as it was then; id 0: not kept */
	uint64_t moment;		/* db_moment() */
	uint16_t address_bucket;
};

struct hand *hand_new(void);
void hand_free(struct hand **hand);
/* `e` and `address_bucket` of a step's mail, whose gate has just passed; else NULL and anything. Copies. */
void hand_put(struct decide *d, struct db *db, const struct delivery *mail, const struct enrolment *e, uint16_t address_bucket);
/* NULL: not known here, the table may know it. Good until the next hand_put(). */
const struct in_hand *hand_find(struct decide *d, int64_t delivery);
/* Is its enrolment still as it is here, and nothing written since that would hold the mail back? */
bool hand_holds(struct db *db, const struct in_hand *in);

#endif
