/*
 * enroll.c: see decide/enroll.h.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/clock.h"
#include "decide/enroll.h"

#include "decide.h"
#include "person.h"

#define PAGE 200
#define SHOWN 10
#define REASONS_MAX 50

/* --- looking ------------------------------------------------------------------------------------------------------- */

/* Why so many would not enter. */
struct reason {
	char *why;
	int64_t count;
};

struct enroll_scan {
	struct plan *plan;
	const struct sequence *sequence;
	struct expression *where;
	char *text;
	struct arena *scratch;
	int64_t all;		/* people; -1: not yet counted */
	int bucket;		/* the next; BUCKETS: complete */
	int64_t after;		/* the last person of it that was looked at */
	int64_t looked_at, match, would_enter;
	struct reason *reasons;
	size_t reason_count, reason_cap;
	json_t *first, *first_out;
	int64_t *waiting;	/* to be taken */
	size_t waiting_count, waiting_cap;
};

struct enroll_scan *enroll_scan_new(struct plan *plan, const char *sequence, const char *where, struct expression_error *error)
{
	struct expression *e = expression_compile(plan->vocabulary, where, VALUE_BOOL, 0, error);
	struct enroll_scan *s;

	if (!e)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->plan = plan_ref(plan);
	s->sequence = plan_sequence(plan, sequence);
	s->where = e;
	s->text = xstrdup(where);
	s->scratch = arena_new(0);
	s->all = -1;
	s->first = json_array();
	s->first_out = json_array();
	return s;
}

void enroll_scan_free(struct enroll_scan **scan)
{
	struct enroll_scan *s = *scan;
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->reason_count; i++)
		free(s->reasons[i].why);
	free(s->reasons);
	free(s->waiting);
	json_decref(s->first);
	json_decref(s->first_out);
	expression_free(&s->where);
	arena_free(&s->scratch);
	free(s->text);
	plan_unref(&s->plan);
	free(s);
	*scan = NULL;
}

/* Reasons name lists and sequences: there are not many. */
static void count_reason(struct enroll_scan *s, const char *why)
{
	size_t i;

	for (i = 0; i < s->reason_count; i++) {
		if (strcmp(s->reasons[i].why, why) == 0) {
			s->reasons[i].count++;
			return;
		}
	}
	if (s->reason_count == REASONS_MAX)
		return count_reason(s, s->reasons[0].why);
	s->reasons = xgrow(s->reasons, &s->reason_cap, s->reason_count + 1, sizeof(*s->reasons));
	s->reasons[s->reason_count++] = (struct reason){ .why = xstrdup(why), .count = 1 };
}

static void show(json_t *list, const struct person *p, const char *why)
{
	if (json_array_size(list) < SHOWN)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}",
			"address", answer_text(p->row.address),
			"id", answer_id("pro", p->row.id),
			"why_not", why ? answer_text(why) : json_null()));
}

static void would_enter(struct enroll_scan *s, const struct person *p, bool wait)
{
	s->would_enter++;
	show(s->first, p, NULL);
	if (!wait)
		return;
	s->waiting = xgrow(s->waiting, &s->waiting_cap, s->waiting_count + 1, sizeof(*s->waiting));
	s->waiting[s->waiting_count++] = p->row.id;
}

static int look_at(struct enroll_scan *s, struct db *db, int64_t id, bool wait, struct err *err)
{
	struct prospect row;
	struct person p;
	const char *why;
	bool holds;
	int found;

	arena_reset(s->scratch);
	found = prospects_find(db, id, s->scratch, &row, err);
	if (found <= 0)
		return found;
	s->looked_at++;
	person_look(s->plan, db, s->scratch, &row, clock_now(), &p);
	if (person_holds(&p, s->where, UNIT_NONE, &holds, err))
		return -1;
	if (!holds)
		return 0;
	s->match++;
	if (sequence_may_enter(&p, s->sequence, &why, err))
		return -1;
	if (!why) {
		would_enter(s, &p, wait);
		return 0;
	}
	count_reason(s, why);
	show(s->first_out, &p, why);
	return 0;
}

/* The next some people of the bucket at hand. */
static int look_at_page(struct enroll_scan *s, struct db *db, size_t max, struct err *err)
{
	struct arena *arena = arena_new(0);
	int64_t *ids;
	size_t count = 0, i;
	int rc = prospects_page(db, (uint16_t)s->bucket, s->after, PAGE, arena, &ids, &count, err);

	for (i = 0; rc == 0 && i < count && (max == 0 || s->waiting_count < max); i++) {
		s->after = ids[i];
		rc = look_at(s, db, ids[i], max > 0, err);
	}
	if (i == count && count < PAGE) {
		s->after = 0;
		s->bucket++;
	}
	arena_free(&arena);
	return rc;
}

int enroll_scan_go_on(struct enroll_scan *s, struct db *db, int64_t us, size_t max, struct err *err)
{
	int64_t end = clock_steady() + us;

	if (s->all < 0 && prospects_count(db, &s->all, err))
		return -1;
	while (s->bucket < BUCKETS && clock_steady() < end && (max == 0 || s->waiting_count < max))
		if (look_at_page(s, db, max, err))
			return -1;
	return s->bucket < BUCKETS;
}

size_t enroll_scan_take(struct enroll_scan *s, const int64_t **people)
{
	size_t count = s->waiting_count;

	*people = s->waiting;
	s->waiting_count = 0;
	return count;
}

int64_t enroll_scan_looked_at(const struct enroll_scan *s)
{
	return s->looked_at;
}

int64_t enroll_scan_all(const struct enroll_scan *s)
{
	return s->all < 0 ? 0 : s->all;
}

static json_t *reason_json(const void *row)
{
	const struct reason *r = row;

	return json_pack("{s:I, s:o}", "count", (json_int_t)r->count, "why", answer_text(r->why));
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

json_t *enroll_scan_json(const struct enroll_scan *s)
{
	if (s->reason_count)
		qsort(s->reasons, s->reason_count, sizeof(*s->reasons), by_count);
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o, s:O, s:O}",
		"sequence", answer_text(s->sequence->name),
		"where", answer_text(s->text),
		"people", (json_int_t)s->looked_at,
		"match", (json_int_t)s->match,
		"would_enter", (json_int_t)s->would_enter,
		"left_out", answer_rows(s->reasons, s->reason_count, sizeof(*s->reasons), reason_json),
		"first", s->first,
		"first_left_out", s->first_out);
}

/* --- entering ------------------------------------------------------------------------------------------------------ */

int on_enroll_some(struct decide *d, struct db *db, const struct enrollment *fact, struct enrollment_result *out, struct err *err)
{
	struct enrolling one = { .sequence = fact->sequence, .by = fact->by, .at = fact->at };
	struct enrolling_result result;
	struct expression_error error;
	struct expression *where = expression_compile(d->working->vocabulary, fact->where, VALUE_BOOL, 0, &error);
	size_t i;
	int rc = 0;

	*out = (struct enrollment_result){ 0 };
	if (!where)	/* the config has changed since they were looked for */
		return err_set(err, "%s: %s", fact->where, error.text);
	one.where = where;
	for (i = 0; i < fact->count && !rc; i++) {
		one.prospect = fact->people[i];
		rc = on_enroll(d, db, &one, &result, err);
		out->entered += !rc && result.entered;
		out->left_out += !rc && !result.entered;
	}
	expression_free(&where);
	return rc;
}
