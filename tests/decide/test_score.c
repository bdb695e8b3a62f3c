/*
 * test_score.c: a score is a function of the events. Random histories, with caps, decay and points taken away, against a second computation that
 * shares nothing with the first; what `nurturectl score` says of them; and whether what it foresees comes true.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "../handoff/with_decide.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include "../../daemon/decide/decide.h"
#include "../../daemon/decide/person.h"

/* Monday 2026-11-23 10:00 in Berlin */
#define START (INT64_C(1795424400) * US_SECOND)
#define HALF_LIFE (30 * US_DAY)
#define EVENTS 60
#define HISTORIES 40

static char who[] = "eva@example.com";

/* The rules of tests/decide/conf/nurture.yaml, by hand. */
static const struct {
	const char *on, *path;	/* path: only of that page */
	double points, cap;
	int64_t within;
} rules[] = {
	{ "click", NULL, 5, 15, 7 * US_DAY },
	{ "page_view", "/pricing", 15, 30, 7 * US_DAY },
	{ "webinar", NULL, 40, 0, 0 },
	{ "reply", NULL, 20, 0, 0 },
	{ "refund", NULL, -25, 50, 7 * US_DAY },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

/* What happened, as the test remembers it. */
struct memory {
	size_t rule;
	int64_t at;
	double points;		/* as the test grants them */
};

static struct memory memory[EVENTS + 1];
static size_t remembered;

static void remember(size_t rule, int64_t at)
{
	double within = 0, points = rules[rule].points;
	size_t i;

	for (i = 0; i < remembered; i++)
		if (memory[i].rule == rule && at - memory[i].at < rules[rule].within)
			within += memory[i].points;
	if (rules[rule].within && points > 0 && within + points > rules[rule].cap)
		points = rules[rule].cap - within;
	if (rules[rule].within && points < 0 && within + points < -rules[rule].cap)
		points = -rules[rule].cap - within;
	memory[remembered++] = (struct memory){ .rule = rule, .at = at, .points = points };
}

static double interest_at(int64_t now)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < remembered; i++)
		sum += memory[i].points * pow(0.5, (double)(now - memory[i].at) / (double)HALF_LIFE);
	return sum;
}

/* --- the daemon's side --------------------------------------------------------------------------------------------- */

struct happening {
	const char *name, *subject;
};

static int happen(struct world *w, struct db *db, void *arg, struct err *err)
{
	const struct happening *h = arg;
	struct person p;

	decide_arena(w->decide);
	if (person_find(w->decide, db, who, clock_now(), &p, err) != 1)
		return err_set(err, "nobody is there");
	return person_happen(&p, h->name, h->subject, "{}", NULL, err) || person_settle(&p, err) ? -1 : 0;
}

static int come(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct address address;
	struct person p;

	decide_arena(w->decide);
	if (address_parse(who, &address, err))
		return -1;
	person_create(w->decide, db, &address, clock_now(), &p);
	return person_settle(&p, err);
}

static int let_time_pass(struct world *w, struct db *db, void *arg, struct err *err)
{
	size_t done;

	do {
		if (on_time(w->decide, db, 100, &done, err))
			return -1;
	} while (done);
	return 0;
}

static int read_score(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = look_score(decide_plan(w->decide), db, who, true, &out, err);

	*(json_t **)arg = rc == 1 ? json_loadb(out.data, out.len, 0, NULL) : NULL;
	buf_clear(&out);
	return rc == 1 ? 0 : err_set(err, "%s", rc ? err->text : "nobody is there");
}

static json_t *score(struct world *w)
{
	json_t *json;

	world_read(w, read_score, &json);
	assert_non_null(json);
	return json;
}

static const json_t *check_of(const json_t *json)
{
	return json_object_get(json, "check");
}

static double number(const json_t *json, const char *name)
{
	return json_number_value(json_object_get(json, name));
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	clock_set(START);
	world_init(w);
	world_up(w, "[]", "");
	remembered = 0;
	world_run(w, come, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	world_down(w);
	world_clear(w);
	free(w);
	clock_set(0);
	return 0;
}

/* --- tests --------------------------------------------------------------------------------------------------------- */

static void live(struct world *w, int events)
{
	static const char *const pages[] = { "/pricing", "/blog", "/compare/us" };
	struct happening h;
	size_t rule;

	while (events--) {
		/* minutes, hours or days: within the windows of the caps, and beyond */
		clock_set(clock_now() + (int64_t)(random_u64() % (uint64_t)(random_unit() < 0.3 ? 9 * US_DAY : 5 * US_HOUR)));
		rule = random_u64() % RULES;
		h = (struct happening){ rules[rule].on, "" };
		if (rules[rule].path)
			h.subject = pages[random_u64() % 3];
		world_run(w, happen, &h);
		if (!rules[rule].path || strcmp(rules[rule].path, h.subject) == 0)
			remember(rule, clock_now());
	}
}

static void the_stored_score_is_the_sum_of_the_events(void **state)
{
	uint64_t seed;

	for (seed = 1; seed <= HISTORIES; seed++) {
		json_t *json;
		const json_t *check;

		random_seed(seed);
		live(*state, EVENTS / 2);
		json = score(*state);
		check = check_of(json);
		if (fabs(number(check, "stored") - interest_at(clock_now())) > 1e-7 || !json_is_true(json_object_get(check, "agrees")) ||
				number(check, "differs_by") != 0)
			fail_msg("seed %d: %.6f by hand, %s", (int)seed, interest_at(clock_now()), json_dumps(check, 0));
		json_decref(json);
		tear_down(state);
		set_up(state);
	}
}

static int spoil(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct person p;

	decide_arena(w->decide);
	if (person_find(w->decide, db, who, clock_now(), &p, err) != 1)
		return -1;
	p.row.interest = person_interest(&p) + 1.5;
	p.row.interest_at = p.now;
	p.row.fit = 7;
	return prospects_update(db, &p.row, err);
}

static void a_score_that_is_not_the_sum_is_told_with_the_difference(void **state)
{
	json_t *json;
	const json_t *check;

	random_seed(7);
	live(*state, 20);
	world_run(*state, spoil, NULL);
	json = score(*state);
	check = check_of(json);
	assert_true(json_is_false(json_object_get(check, "agrees")));
	assert_true(fabs(number(check, "differs_by") - 1.5) < 1e-6);
	assert_true(number(check, "fit_stored") == 7 && number(check, "fit_recomputed") == 0);
	json_decref(json);
}

static int forget_a_term(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct prospect row;
	struct arena *arena = arena_new(0);
	int rc = prospects_find_address(db, who, arena, &row, err);

	if (rc == 1)
		rc = terms_insert(db, &(struct score_term){ .prospect = row.id, .rule = "webinar", .at = clock_now(), .event = 1, .points = 3 }, err) ||
			terms_insert(db, &(struct score_term){ .prospect = row.id, .rule = "of old", .at = clock_now(), .event = 1, .points = 2 }, err);
	arena_free(&arena);
	return rc ? -1 : 0;
}

static const json_t *rule_of(const json_t *json, const char *list, const char *name)
{
	const json_t *rows = json_object_get(json, list), *row;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		if (strcmp(json_string_value(json_object_get(row, "rule")), name) == 0)
			return row;
	}
	fail_msg("no rule %s in %s", name, list);
	return NULL;
}

static void rules_tell_what_they_gave_and_which_cap_is_reached(void **state)
{
	static const struct happening click = { "click", "three-mistakes" }, webinar = { "webinar", "" };
	struct happening h = click;
	json_t *json;
	const json_t *row;
	int i;

	for (i = 0; i < 4; i++)
		world_run(*state, happen, &h);
	h = webinar;
	world_run(*state, happen, &h);
	clock_set(START + HALF_LIFE / 6);
	json = score(*state);
	row = rule_of(json, "interest_rules", "click");
	assert_true(number(row, "given") == 15 && number(row, "count") == 3);
	assert_true(fabs(number(row, "now") - 15 * pow(0.5, 1 / 6.0)) < 0.006);
	assert_true(json_is_true(json_object_get(json_object_get(row, "cap"), "reached")));
	assert_true(number(json_object_get(row, "cap"), "used") == 15);
	assert_null(json_object_get(rule_of(json, "interest_rules", "webinar"), "cap"));
	assert_true(json_is_false(json_object_get(rule_of(json, "fit_rules", "unpaid"), "holds")));
	json_decref(json);
	clock_set(START + 7 * US_DAY);
	json = score(*state);
	row = rule_of(json, "interest_rules", "click");
	assert_true(json_is_false(json_object_get(json_object_get(row, "cap"), "reached")));
	json_decref(json);

	/* what a rule gave when it was another, and what one gave that is gone */
	world_run(*state, forget_a_term, NULL);
	json = score(*state);
	row = rule_of(check_of(json), "rules", "webinar");
	assert_true(fabs(number(row, "recorded") - number(row, "recomputed") - 3) < 0.006);
	row = rule_of(json, "interest_rules", "of old");
	assert_true(number(row, "given") == 2 && !json_object_get(row, "on"));
	json_decref(json);
}

struct place {
	char stage[32], list[32];
	bool hot;
};

static int read_place(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct place *place = arg;
	struct arena *arena = arena_new(0);
	struct prospect row;
	int rc = prospects_find_address(db, who, arena, &row, err);

	if (rc == 1) {
		snprintf(place->stage, sizeof(place->stage), "%s", row.stage);
		snprintf(place->list, sizeof(place->list), "%s", row.list);
		place->hot = row.hot;
	}
	arena_free(&arena);
	return rc == 1 ? 0 : -1;
}

static const char *word(const struct place *place, const char *what)
{
	if (strcmp(what, "stage") == 0)
		return place->stage;
	return strcmp(what, "list") == 0 ? place->list : place->hot ? "hot" : "not hot";
}

/* A second before nothing has changed yet, then it has. */
static void comes_true(struct world *w, const json_t *change)
{
	const char *what = json_string_value(json_object_get(change, "what"));
	struct place place;
	int64_t at;

	assert_int_equal(text_time_parse(json_string_value(json_object_get(change, "at")), &at), 0);
	if (clock_now() < at - US_SECOND) {
		clock_set(at - US_SECOND);
		world_run(w, let_time_pass, NULL);
		world_read(w, read_place, &place);
		assert_string_equal(word(&place, what), json_string_value(json_object_get(change, "from")));
	}
	clock_set(at + US_SECOND);
	world_run(w, let_time_pass, NULL);
	world_read(w, read_place, &place);
	assert_string_equal(word(&place, what), json_string_value(json_object_get(change, "to")));
}

static void what_time_changes_is_foreseen(void **state)
{
	size_t seen = 0, i;
	uint64_t seed;

	for (seed = 100; seed < 115; seed++) {
		json_t *json;
		const json_t *changes;

		random_seed(seed);
		live(*state, 12);
		json = score(*state);
		changes = json_object_get(json, "changes");
		for (i = 0; i < json_array_size(changes); i++)
			comes_true(*state, json_array_get(changes, i));
		seen += json_array_size(changes);
		json_decref(json);
		json = score(*state);
		assert_int_equal(json_array_size(json_object_get(json, "changes")), 0);
		json_decref(json);
		tear_down(state);
		set_up(state);
	}
	assert_true(seen > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_stored_score_is_the_sum_of_the_events, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_score_that_is_not_the_sum_is_told_with_the_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules_tell_what_they_gave_and_which_cap_is_reached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_time_changes_is_foreseen, set_up, tear_down),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
