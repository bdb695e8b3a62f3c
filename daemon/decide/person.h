/*
 * person.h: one prospect while a fact is applied: the row, what expressions may ask about it, and what has changed.
 *
 * Lives in the arena of the transaction, store thread only (or, to be looked at, with person_look() in the reader thread). The order of use is person_load() or person_create(), then any number of
 * person_happen() and setters, then person_settle() once: it re-evaluates only the rules that name what happened or changed, and writes the row.
 */
#ifndef DECIDE_PERSON_H
#define DECIDE_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"
#include "decide/facts.h"
#include "store/rows.h"

/* How long the intent of a reply counts (design section 4). */
#define INTENT_LASTS (30 * US_DAY)

/* Who asked for the next recheck; kept in the row, so that it is known whether the earliest wish has been looked at anew. NONE asks for none. */
enum unit { UNIT_NONE, UNIT_FIT, UNIT_STAGE, UNIT_LIST, UNIT_HOT, UNIT_ENROLMENTS, UNITS };

/* Nobody becomes hot by an open, nor by clicks alone that may be a machine's (hot.c). */
enum person_by { BY_PERSON, BY_OPEN, BY_CLICK, BY_TIME };

struct event_at_hand {
	const char *name, *subject, *data;
	struct value parsed;		/* data as an object, once asked for */
	bool is_parsed;
};

struct entry_mark {
	int rule;
	struct event_at_hand *event;
};

struct person {
	struct decide *d;		/* NULL: they are only looked at, see person_look() */
	struct db *db;
	const struct plan *plan;
	struct arena *arena;
	struct prospect row;
	int64_t now;
	struct value *fields;		/* by place in plan->fields; defaults filled in */
	struct event_at_hand *event;	/* the one whose rules are being looked at, or NULL */
	struct err err;			/* first failure inside an expression's questions to the store */
	bool failed;
	int bucket;			/* of the address; -1: not asked for yet, see person_bucket() */

	bool changed, fields_changed;	/* the row, and the JSON in it, must be written */
	bool fresh;			/* there is no row yet */
	bool nowhere;			/* certain to be in no sequence */
	/* kinds of rules to look at again */
	bool fit, stage, list, hot, enrolments;
	bool trials;			/* something happened that may decide a test */
	enum person_by by;		/* what kind of fact it is: not all make hot */
	int64_t happened;		/* when, if it only takes effect now: a click that was held back; else 0 */
	struct entry_mark *enter;	/* entries, each with the event that may enter */
	size_t enter_count, enter_room;
	const char *cause;		/* what made it all happen, for the journal: "click evt_..." */
	int64_t wake[UNITS];		/* by kind: the earliest instant at which time alone changes something, of what was looked at */
};

/* 1 found, 0 none, -1. */
int person_load(struct decide *d, struct db *db, int64_t id, int64_t now, struct person *p, struct err *err) MUSTCHECK;
int person_find(struct decide *d, struct db *db, const char *address_key, int64_t now, struct person *p, struct err *err) MUSTCHECK;
/* The row is written by person_settle(). */
void person_create(struct decide *d, struct db *db, const struct address *address, int64_t now, struct person *p);

/*
 * To ask about them and to change nothing; reader thread too. Takes the row as it was found; its texts are borrowed for life, as plan, db
 * and arena are. What may be called then: person_env(), person_holds(), person_foresee(), what computes, and values.c.
 */
void person_look(const struct plan *plan, struct db *db, struct arena *arena, const struct prospect *row, int64_t now, struct person *p);

/* Of their address. */
uint16_t person_bucket(struct person *p);

/* For evaluating expressions about them at `now`. */
struct expression_env person_env(struct person *p);
/* The value of an expression, noting when time alone could change it (`wake`), with `unit` (enum unit) as who asked. -1 when the store failed. */
int person_holds(struct person *p, const struct expression *e, int unit, bool *out, struct err *err) MUSTCHECK;

/* Decayed to now. */
double person_interest(const struct person *p);
double person_score(const struct person *p);
/* When a value that halves every `half_life` crosses `threshold`; TIME_NEVER if it does not. Pure. */
int64_t decay_crosses(double value, int64_t at, int64_t half_life, double threshold);
double decay_value(double value, int64_t at, int64_t half_life, int64_t now);

/* person_load() has done the one; person_settle() does the other. */
void person_read_fields(struct person *p);
void person_write_fields(struct person *p);
/* Sets a declared field (index in plan->fields); `overwrite` false fills empty ones only. Marks what names it. */
int person_set_field(struct person *p, int field, const char *value, bool overwrite, struct err *err) MUSTCHECK;
/* Given, and not what the config says for those who gave nothing: mails say that, rules see nil. */
bool person_has_field(const struct person *p, size_t field);
void person_set_intent(struct person *p, const char *intent);
/* Tags: names in the row's text; expressions see a list. Giving one that they have, or taking one that they have not, does nothing. */
struct value person_tags(const struct person *p, struct arena *arena);
int person_tag(struct person *p, const char *name, bool give, struct err *err) MUSTCHECK;
/* "A1" to "D4", or NULL without a grid. */
const char *person_grade(const struct person *p);
/* On that list whatever the rules say, until then; 0: until the stage changes, which ends it in any case. */
void person_move(struct person *p, const char *list, int64_t until);
void person_mark_symbol(struct person *p, int symbol);
void person_mark_event(struct person *p, const char *name);

/* Does this topic's mail reach them? NULL: what nobody can leave alone. */
bool person_gets_topic(const struct person *p, const char *topic);
/* The topics that they want from now on: these (ends with NULL), `with_own`: and those that they have; each that changes goes into the journal. */
int person_set_topics(struct person *p, const char *const *names, bool with_own, const char *why, struct err *err) MUSTCHECK;
/* What a sign-up by that form (NULL: it is gone) subscribes to; consented: they had before it. */
int person_sign_up_topics(struct person *p, const struct form *form, bool consented, struct err *err) MUSTCHECK;
/* May they be mailed at all, as far as they said? Static text. */
bool person_consents(const struct person *p, const char **why_not);
void person_consent(struct person *p, enum basis basis);

/* Stores the event, grants its points, marks the rules that name it. *event_out (may be NULL) gets its id. */
int person_happen(struct person *p, const char *name, const char *subject, const char *data, int64_t *event_out, struct err *err) MUSTCHECK;

/* Evaluates what is marked: fit, stage, list, hot, goals, exits, waits, entries; schedules the next recheck; writes the row. */
int person_settle(struct person *p, struct err *err) MUSTCHECK;
/*
 * Where the rules have them at p->now: fit, stage, list and hot in the row, as settling would leave them but for what a move is itself as an
 * event; `wake` of those kinds as after settling. Nothing is written.
 */
int person_foresee(struct person *p, struct err *err) MUSTCHECK;
/* Of what was looked at: the first instant at which time alone may change something, and who asked for it; TIME_NEVER if none. */
int64_t person_wakes(const struct person *p, int *unit_out);
/* Marks everything that time can change: for a recheck that came due, and after a reload. */
void person_mark_all(struct person *p);

int person_journal(struct person *p, const char *kind, const char *what, const char *why, struct err *err) MUSTCHECK;

/* Everything to and about them stops: open enrolments end with `why`, claimed mail is withdrawn. */
int person_stop(struct person *p, const char *why, struct err *err) MUSTCHECK;

#endif
