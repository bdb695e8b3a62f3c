/*
 * look_sequences.c: see decide/sequences.h.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/words.h"
#include "decide/sequences.h"

#include "decide.h"
#include "goal_rate.h"
#include "look.h"
#include "trial.h"

#define VERSIONS_SHOWN 20

/* Takes the text. */
static json_t *words_json(struct buf *text)
{
	json_t *json = answer_text(buf_cstr(text));

	buf_clear(text);
	return json;
}

static json_t *entry_json(const struct sequence *s)
{
	struct buf text = BUF_INIT;

	words_entry(&text, s);
	return words_json(&text);
}

/* --- all of them --------------------------------------------------------------------------------------------------- */

static json_t *row_named(json_t *list, const char *sequence)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(row, "sequence")), sequence) == 0)
			return row;
	}
	return NULL;
}

static json_t *new_row(const char *sequence, const struct sequence *s)
{
	return json_pack("{s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o}",
		"sequence", answer_text(sequence),
		"active", 0,
		"paused", 0,
		"watched", 0,
		"list", s && s->list ? answer_text(s->list) : json_null(),
		"priority", s ? json_integer(s->priority) : json_null(),
		"version", s ? answer_text(s->version) : json_string("gone from the config"),
		"enter", s ? entry_json(s) : json_null());
}

static void add_census(void *ctx, const char *sequence, enum enrolment_state state, int64_t count)
{
	static const char *const names[] = {
		[ENROLMENT_ACTIVE] = "active", [ENROLMENT_PAUSED] = "paused", [ENROLMENT_ENDED] = "ended", [ENROLMENT_WATCHED] = "watched",
	};
	json_t *list = ctx, *row = row_named(list, sequence);

	if (!row) {
		row = new_row(sequence, NULL);
		json_array_append_new(list, row);
	}
	json_object_set_new(row, names[state], json_integer(count));
}

int look_sequences(const struct plan *plan, struct db *db, struct buf *out, struct err *err)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < plan->sequence_count; i++)
		json_array_append_new(list, new_row(plan->sequences[i].name, &plan->sequences[i]));
	if (enrolments_census(db, add_census, list, err) < 0) {
		json_decref(list);
		return -1;
	}
	return answer_give(out, list, err);
}

/* --- one: counting ------------------------------------------------------------------------------------------------- */

/* How many stand at a step of a version, or ended for a reason. */
struct pile {
	const char *what, *version;
	int64_t active, paused, ended;
};

struct piles {
	struct pile *all;
	size_t count, cap;
};

struct sequence_look {
	struct plan *plan;
	const struct sequence *sequence;
	struct arena *arena;
	int64_t now;
	int bucket;			/* the next; BUCKETS: all were read */
	struct piles steps, reasons;
	int64_t entered, held_out, watched;
	struct goal_curve *treated, *untreated;
	json_t *versions, *tests, *hits;	/* read with the last slice */
};

static struct pile *pile_of(struct sequence_look *l, struct piles *p, const char *what, const char *version)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (strcmp(p->all[i].what, what) == 0 && strcmp(p->all[i].version, version) == 0)
			return &p->all[i];
	p->all = xgrow(p->all, &p->cap, p->count + 1, sizeof(*p->all));
	p->all[p->count] = (struct pile){ .what = arena_strdup(l->arena, what), .version = arena_strdup(l->arena, version) };
	return &p->all[p->count++];
}

/* Left for a reason that keeps them from the goal, whatever the sequence does. */
static bool is_lost(const char *why)
{
	static const char *const reasons[] = { "exit", "no consent", "consent was withdrawn", "unsubscribe", "complaint", "hard_bounce", "soft_bounces", "manual" };
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (strcmp(why, reasons[i]) == 0)
			return true;
	return text_starts_with(why, "moved to list ") || text_starts_with(why, "suppressed: ");
}

static void count_goal(struct sequence_look *l, const struct enrolment *e)
{
	struct goal_curve *c = e->heldout ? l->untreated : l->treated;

	if (e->state != ENROLMENT_ENDED)	/* watched on, too */
		goal_not_reached(c, e->entered, l->now);
	else if (strcmp(e->why, "goal") == 0)
		goal_reached(c, e->entered, e->ended);
	else if (is_lost(e->why))
		goal_never(c);
	else
		goal_not_reached(c, e->entered, e->ended);
}

static void count_one(void *ctx, const struct enrolment *e)
{
	struct sequence_look *l = ctx;

	if (l->sequence->holdout > 0 || e->heldout)
		count_goal(l, e);
	if (e->heldout) {
		l->held_out++;
		l->watched += e->state == ENROLMENT_WATCHED;
		return;
	}
	l->entered++;
	if (enrolment_is_over(e))
		pile_of(l, &l->reasons, e->why, "")->ended++;
	else if (e->state == ENROLMENT_PAUSED)
		pile_of(l, &l->steps, e->step, e->version)->paused++;
	else
		pile_of(l, &l->steps, e->step, e->version)->active++;
}

struct sequence_look *sequence_look_new(struct plan *plan, const char *name)
{
	const struct sequence *s = plan_sequence(plan, name);
	struct sequence_look *l;

	if (!s)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->plan = plan_ref(plan);
	l->sequence = s;
	l->arena = arena_new(0);
	l->now = clock_now();
	l->treated = xcalloc(1, sizeof(*l->treated));
	l->untreated = xcalloc(1, sizeof(*l->untreated));
	return l;
}

void sequence_look_free(struct sequence_look **look)
{
	struct sequence_look *l = *look;

	if (!l)
		return;
	plan_unref(&l->plan);
	arena_free(&l->arena);
	free(l->steps.all);
	free(l->reasons.all);
	free(l->treated);
	free(l->untreated);
	json_decref(l->versions);
	json_decref(l->tests);
	json_decref(l->hits);
	free(l);
	*look = NULL;
}

/* --- one: versions and tests ---------------------------------------------------------------------------------------- */

static int read_versions(struct sequence_look *l, struct db *db, struct err *err)
{
	struct sequence_version *rows;
	size_t count, i;

	if (versions_of(db, l->sequence->name, VERSIONS_SHOWN, l->arena, &rows, &count, err))
		return -1;
	l->versions = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(l->versions, json_pack("{s:o, s:o, s:b}",
			"version", answer_text(rows[i].version),
			"since", answer_time(rows[i].since),
			"in_force", strcmp(rows[i].version, l->sequence->version) == 0));
	return 0;
}

static double rounded(double share)
{
	return round(share * 1e4) / 1e4;
}

static json_t *arm_json(const struct arm *arm, const struct arm_sum *sum)
{
	struct goal_rate r = goal_share(sum->won, sum->shown);

	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:f, s:f, s:f}",
		"arm", answer_text(arm->name),
		"mail", answer_text(arm->mail->name),
		"sent", (json_int_t)sum->all,
		"known", (json_int_t)sum->shown,
		"won", (json_int_t)sum->won,
		"rate", rounded(r.rate),
		"low", rounded(r.low),
		"high", rounded(r.high));
}

static json_t *end_json(const struct test_end *end)
{
	return json_pack("{s:o, s:o, s:o}", "arm", answer_text(end->arm), "at", answer_time(end->at), "why", answer_text(end->why));
}

static int read_test(struct sequence_look *l, struct db *db, const struct step *step, struct err *err)
{
	struct arm_sum sums[TRIAL_ARMS];
	struct test_end end;
	json_t *arms = json_array();
	size_t best, i;
	double sure;
	int found = test_ends_find(db, step->test_id, l->arena, &end, err);

	if (found < 0 || trial_sums(db, step, l->now, l->arena, sums, err)) {
		json_decref(arms);
		return -1;
	}
	for (i = 0; i < step->arm_count; i++)
		json_array_append_new(arms, arm_json(&step->arms[i], &sums[i]));
	sure = trial_best(sums, step->arm_count, &best);
	json_array_append_new(l->tests, json_pack("{s:o, s:o, s:f, s:s, s:I, s:f, s:o, s:o, s:f, s:o}",
		"step", answer_text(step->name),
		"by", answer_text(step->by),
		"within_seconds", (double)step->within / 1e6,
		"method", step->method == TEST_FIXED ? "fixed" : "thompson",
		"size", (json_int_t)step->size,
		"sure_wanted", step->sure,
		"arms", arms,
		"best", answer_text(step->arms[best].name),
		"best_by", rounded(sure),
		"ended", found ? end_json(&end) : json_null()));
	return 0;
}

static int read_tests(struct sequence_look *l, struct db *db, struct err *err)
{
	int i;

	l->tests = json_array();
	for (i = 0; i < l->sequence->step_count; i++)
		if (l->sequence->steps[i].kind == STEP_TEST && read_test(l, db, &l->sequence->steps[i], err))
			return -1;
	return 0;
}

int sequence_look_go_on(struct sequence_look *l, struct db *db, int64_t us, struct err *err)
{
	int64_t end = clock_steady() + us;

	while (l->bucket < BUCKETS && clock_steady() < end)
		if (enrolments_each(db, (uint16_t)l->bucket++, l->sequence->name, count_one, l, err))
			return -1;
	if (l->bucket < BUCKETS)
		return 1;
	return read_versions(l, db, err) || read_tests(l, db, err) || look_hit_sums(db, l->sequence->name, &l->hits, err) ? -1 : 0;
}

/* --- one: as JSON --------------------------------------------------------------------------------------------------- */

/* Who goes through the version in force, or will when something happens to them: `move` knows steps by name. */
static bool is_here(const struct sequence_look *l, const struct pile *p)
{
	return !*p->version || strcmp(p->version, l->sequence->version) == 0;
}

static json_t *ways_json(const struct sequence *s, int step)
{
	struct step_way ways[STEP_WAYS_MAX];
	size_t count = step_ways(s, step, ways), i;
	json_t *list = json_array();

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "label", ways[i].label, "to", answer_text(words_target(s, ways[i].to))));
	return list;
}

static json_t *steps_json(const struct sequence_look *l)
{
	const struct sequence *s = l->sequence;
	json_t *list = json_array();
	int i;

	for (i = 0; i < s->step_count; i++) {
		int64_t active = 0, paused = 0;
		struct buf text = BUF_INIT;
		size_t k;

		for (k = 0; k < l->steps.count; k++) {
			const struct pile *p = &l->steps.all[k];

			if (!is_here(l, p) || strcmp(p->what, s->steps[i].name) != 0)
				continue;
			active += p->active;
			paused += p->paused;
		}
		words_step(&text, l->plan, &s->steps[i]);
		if (s->steps[i].kind == STEP_GO)
			buf_printf(&text, " to %s", words_target(s, s->steps[i].then_step));
		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I, s:o}",
			"step", answer_text(s->steps[i].name),
			"does", words_json(&text),
			"active", (json_int_t)active,
			"paused", (json_int_t)paused,
			"ways", ways_json(s, i)));
	}
	return list;
}

static json_t *elsewhere_json(const struct sequence_look *l)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < l->steps.count; i++) {
		const struct pile *p = &l->steps.all[i];

		if (is_here(l, p) && plan_step(l->sequence, p->what) >= 0)
			continue;
		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}",
			"step", answer_text(p->what),
			"version", answer_text(p->version),
			"active", (json_int_t)p->active,
			"paused", (json_int_t)p->paused));
	}
	return list;
}

static int by_count(const void *a, const void *b)
{
	const struct pile *x = a, *y = b;

	return x->ended != y->ended ? (x->ended < y->ended ? 1 : -1) : strcmp(x->what, y->what);
}

static json_t *reasons_json(const struct sequence_look *l)
{
	json_t *list = json_array();
	size_t i;

	if (l->reasons.count)
		qsort(l->reasons.all, l->reasons.count, sizeof(*l->reasons.all), by_count);
	for (i = 0; i < l->reasons.count; i++)
		json_array_append_new(list, json_pack("{s:o, s:I}", "why", answer_text(l->reasons.all[i].what), "count",
				(json_int_t)l->reasons.all[i].ended));
	return list;
}

static json_t *rate_json(struct goal_rate r, int64_t people)
{
	return json_pack("{s:I, s:f, s:f, s:f}", "people", (json_int_t)people, "rate", rounded(r.rate), "low", rounded(r.low), "high", rounded(r.high));
}

static json_t *holdout_json(const struct sequence_look *l)
{
	int day = goal_horizon(l->treated, l->untreated);
	struct goal_rate treated, untreated;
	json_t *json;

	if (l->sequence->holdout <= 0 && !l->held_out)
		return json_null();
	json = json_pack("{s:f, s:I, s:I}", "share", l->sequence->holdout, "people", (json_int_t)l->held_out, "watched", (json_int_t)l->watched);
	if (day < 0 || !l->sequence->goal)
		return json;
	treated = goal_rate_by(l->treated, day);
	untreated = goal_rate_by(l->untreated, day);
	json_object_set_new(json, "by_day", json_integer(day + 1));
	json_object_set_new(json, "treated", rate_json(treated, l->treated->people));
	json_object_set_new(json, "untreated", rate_json(untreated, l->untreated->people));
	json_object_set_new(json, "difference", rate_json(goal_difference(treated, untreated), l->treated->people + l->untreated->people));
	return json;
}

json_t *sequence_look_json(const struct sequence_look *l)
{
	const struct sequence *s = l->sequence;
	struct buf again = BUF_INIT;

	words_again(&again, s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:o, s:O, s:I, s:o, s:o, s:o, s:O, s:O, s:o}",
		"sequence", answer_text(s->name),
		"list", s->list ? answer_text(s->list) : json_null(),
		"enter", entry_json(s),
		"again", words_json(&again),
		"goal", look_source(s->goal),
		"exit", look_source(s->exit),
		"priority", s->priority,
		"on_change", words_on_change[s->on_change],
		"version", answer_text(s->version),
		"versions", l->versions,
		"entered", (json_int_t)l->entered,
		"steps", steps_json(l),
		"elsewhere", elsewhere_json(l),
		"ended", reasons_json(l),
		"tests", l->tests,
		"mails", l->hits,
		"holdout", holdout_json(l));
}
