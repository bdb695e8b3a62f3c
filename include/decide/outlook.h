/*
 * outlook.h: what would change, and for how many people, if another plan came into force: differences by name, who goes on where in sequences
 * that have changed, and who would change stage or list or become hot.
 *
 * Made in slices, so that other look-ups have their turn between them: people and enrolments are counted over some time, not at one instant.
 * Up to `most` people are all evaluated under both plans; of more a sample of whole buckets, scaled up.
 */
#ifndef DECIDE_OUTLOOK_H
#define DECIDE_OUTLOOK_H

#include <stdint.h>

#include "base/err.h"

struct db;
struct json_t;
struct outlook;
struct plan;

#define OUTLOOK_PEOPLE 50000

/* Takes references to both plans. */
struct outlook *outlook_new(struct plan *now, struct plan *next, int64_t most);
void outlook_free(struct outlook **outlook);
/* Reader thread: goes on for about so long. 1 there is more to do, 0 it is complete, -1. */
int outlook_go_on(struct outlook *o, struct db *db, int64_t us, struct err *err) MUSTCHECK;
/* When it is complete: as JSON, see nurturectl(1). */
struct json_t *outlook_json(const struct outlook *o);

#endif
