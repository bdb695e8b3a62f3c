/*
 * look.h: what the files that answer people's questions about one person share. Reader thread.
 */
#ifndef DECIDE_LOOK_H
#define DECIDE_LOOK_H

#include <jansson.h>

#include "base/answer.h"

#include "decide.h"
#include "person.h"

/* One person who is looked at. */
struct look {
	struct arena *arena;
	struct person person;	/* with plan, db and now; see person_look() */
};

/* By id or address. 1 found, and look_end() is owed; 0 nobody has it; -1. */
int look_begin(const struct plan *plan, struct db *db, const char *id_or_address, struct look *l, struct err *err) MUSTCHECK;
void look_end(struct look *l);

/* Who they are and where they stand: an object, to which the caller adds. */
json_t *look_head(struct look *l);

/* Members of it: `suppressed`, `lead`; null where there is none. */
int look_add_suppression(struct look *l, json_t *json, struct err *err) MUSTCHECK;
int look_add_lead(struct look *l, json_t *json, struct err *err) MUSTCHECK;

const char *look_state(const struct enrolment *e);	/* active paused ended, held out */

/* A list of lines, as expression_explain() writes them. */
json_t *look_explain(struct look *l, const struct expression *e);
/* An expression as its canonical text; null for none. */
json_t *look_source(const struct expression *e);

/* In look_hits.c: counts by verdict; and how many mails of a sequence (NULL: all) were opened and clicked by whom, a row a step and template. */
json_t *look_verdicts(const int64_t counts[VERDICTS]);
int look_hit_sums(struct db *db, const char *sequence, json_t **out, struct err *err) MUSTCHECK;

/* In look_score.c: what time alone will change of stage, list and hot, one row a change; NULL: failed. */
json_t *look_time(struct look *l, struct err *err);

#endif
