/*
 * test_outlook.c: what `nurturectl plan` foretells of a reload, and that it comes true: people with histories of their own at all steps of a
 * sequence, a config that changes, and the same people after it has come into force and everybody was looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "small_site.h"

#include "base/log.h"
#include "base/random.h"
#include "decide/outlook.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)
#define PEOPLE 60

static const char story[] =
	"steps:\n  - w: {wait: 20 days}\n  - one: {send: a}\n  - x: {wait: 20 days}\n  - two: {send: b}\n"
	"  - y: {wait: 20 days}\n  - three: {send: c}\n";
static const char shorter[] =
	"steps:\n  - w: {wait: 20 days}\n  - one: {send: a}\n  - y: {wait: 20 days}\n  - three: {send: c}\n";

static struct site site;

static void sequence(const char *steps, const char *keys)
{
	char *whole = xasprintf("enter: {on: signup}\nagain: never\n%s%s", keys, steps);

	site_sequence(&site, "story", whole);
	free(whole);
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

/* --- people -------------------------------------------------------------------------------------------------------- */

static const char *address_of(int i)
{
	static char text[40];

	snprintf(text, sizeof(text), "person%d@example.com", i);
	return text;
}

/* Puts the enrolment to a step, as if its way had led there. */
static int put_at(struct site *s, struct db *db, void *arg, struct err *err)
{
	static const char *const steps[] = { "one", "two", "three" };
	struct arena *arena = arena_new(0);
	const int *i = arg;
	struct prospect row;
	struct address address;
	struct enrolment *e;
	size_t count;
	int rc = address_parse(address_of(*i), &address, err) || prospects_find_address(db, address.key, arena, &row, err) != 1 ||
		enrolments_open(db, row.id, arena, &e, &count, err);

	if (!rc && count == 1) {
		e->step = steps[*i % 3];
		rc = queue_remove(db, (enum lane)e->lane, e->due, e->queue_id, err) < 0 || enrolments_update(db, e, err) ||
			queue_add(db, &(struct queue_row){ .id = e->queue_id, .lane = LANE_SEND, .due = e->due, .kind = QUEUE_STEP, .prospect = row.id, .ref = e->id,
				.name = e->step }, err);
	}
	arena_free(&arena);
	return rc ? -1 : 0;
}

static void people_come(void)
{
	int i, k;

	random_seed(5);
	for (i = 0; i < PEOPLE; i++) {
		site_signup(&site, address_of(i), i % 2 ? "DE" : "FR", "", "");
		for (k = (int)(random_u64() % 9); k > 0; k--)
			site_track(&site, address_of(i), "visit", "{}");
		site_run(&site, put_at, &i);
	}
}

struct person_now {
	char stage[20], list[20], step[20], why[60];
	bool hot, ended;
};

static int read_people(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct person_now *all = arg;
	struct arena *arena = arena_new(0);
	struct address address;
	struct prospect row;
	struct enrolment e;
	int i, rc = 0;

	for (i = 0; i < PEOPLE && !rc; i++) {
		rc = address_parse(address_of(i), &address, err) || prospects_find_address(db, address.key, arena, &row, err) != 1 ||
			enrolments_last(db, row.id, "story", arena, &e, err) != 1;
		snprintf(all[i].stage, sizeof(all[i].stage), "%s", row.stage);
		snprintf(all[i].list, sizeof(all[i].list), "%s", row.list);
		snprintf(all[i].step, sizeof(all[i].step), "%s", e.step);
		snprintf(all[i].why, sizeof(all[i].why), "%s", e.why);
		all[i].hot = row.hot;
		all[i].ended = e.state == ENROLMENT_ENDED;
	}
	arena_free(&arena);
	return rc ? -1 : 0;
}

/* --- the outlook --------------------------------------------------------------------------------------------------- */

struct foretelling {
	struct plan *next;
	int64_t most;
	json_t *json;
};

static int foretell_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct foretelling *f = arg;
	struct outlook *o = outlook_new(s->plan, f->next, f->most);
	int more;

	do {
		more = outlook_go_on(o, db, 1, err);	/* in as many slices as can be */
	} while (more > 0);
	f->json = more < 0 ? NULL : outlook_json(o);
	outlook_free(&o);
	return more;
}

/* What the files as they are now would do. */
static json_t *foretell(int64_t most)
{
	struct foretelling f = { .next = site_load(&site), .most = most };

	site_run(&site, foretell_fn, &f);
	plan_unref(&f.next);
	assert_non_null(f.json);
	return f.json;
}

static int64_t moves(const json_t *json, const char *kind, const char *from, const char *to)
{
	const json_t *list = json_object_get(json_object_get(json, "people"), kind), *row;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		row = json_array_get(list, i);
		if (strcmp(json_string_value(json_object_get(row, "from")), from) == 0 && strcmp(json_string_value(json_object_get(row, "to")), to) == 0)
			return json_integer_value(json_object_get(row, "count"));
	}
	return 0;
}

/* Of the one sequence: how many at that step have that fate; `to` NULL: wherever it leads. */
static int64_t fated(const json_t *json, const char *step, const char *fate, const char *to)
{
	const json_t *people = json_object_get(json_array_get(json_object_get(json, "sequences"), 0), "people"), *row;
	int64_t count = 0;
	size_t i;

	for (i = 0; i < json_array_size(people); i++) {
		row = json_array_get(people, i);
		if (strcmp(json_string_value(json_object_get(row, "step")), step) == 0 && strcmp(json_string_value(json_object_get(row, "fate")), fate) == 0 &&
				(!to || strcmp(json_string_value(json_object_get(row, "to")), to) == 0))
			count += json_integer_value(json_object_get(row, "count"));
	}
	return count;
}

static void assert_foretold(const json_t *json, const struct person_now *before, const struct person_now *after)
{
	static const char *const stages[] = { "first", "second" }, *const lists[] = { "all", "ready" };
	int from, to, i, seen = 0;

	for (from = 0; from < 2; from++) {
		int moved_stage = 0, moved_list = 0, hot = 0;

		to = 1 - from;
		for (i = 0; i < PEOPLE; i++) {
			moved_stage += strcmp(before[i].stage, stages[from]) == 0 && strcmp(after[i].stage, stages[to]) == 0;
			moved_list += strcmp(before[i].list, lists[from]) == 0 && strcmp(after[i].list, lists[to]) == 0;
			hot += before[i].hot == from && after[i].hot == to;
		}
		assert_int_equal(moves(json, "stage", stages[from], stages[to]), moved_stage);
		assert_int_equal(moves(json, "list", lists[from], lists[to]), moved_list);
		assert_int_equal(moves(json, "hot", from ? "hot" : "not hot", to ? "hot" : "not hot"), hot);
		seen += moved_stage + moved_list + hot;
	}
	assert_true(seen > 0);
}

static const char sales[] = "hot: interest >= %d\ncooldown: 1 day\non_hot: go_on\nreplies_to: sales@example.com\nowners: []\nalerts: []\n";

static void rules(const char *second, const char *until, int hot)
{
	char *text = xasprintf("fields:\n  first_name: {type: text}\n  country: {type: text}\n"
		"stages:\n  - name: first\n  - name: second\n    when: %s\n    until: %s\n"
		"lists:\n  - {name: ready, when: stage == \"second\"}\n  - {name: all}\n"
		"score:\n  interest:\n    - {on: visit, points: 10}\n", second, until);

	site_write(&site, "nurture.yaml", text);
	free(text);
	text = xasprintf(sales, hot);
	site_write(&site, "sales.yaml", text);
	free(text);
}

static void who_moves_is_foretold(void **state)
{
	static const struct {
		const char *second, *until;
		int hot;
	} changes[] = {
		{ "interest >= 30", "interest < 20", 50 },
		{ "interest >= 70", "interest < 65", 70 },
		{ "country == \"DE\"", "country != \"DE\"", 20 },
	};
	struct person_now before[PEOPLE], after[PEOPLE];
	size_t i;

	clock_set(START);
	site_init(&site);
	rules("interest >= 50", "interest < 40", 60);
	sequence(story, "");
	site_open(&site);
	people_come();
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		json_t *json;

		rules(changes[i].second, changes[i].until, changes[i].hot);
		site_run(&site, read_people, before);
		json = foretell(1000);
		assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "people"), "all")), PEOPLE);
		assert_true(json_is_false(json_object_get(json_object_get(json, "people"), "sample")));
		site_reload(&site);
		site_run(&site, read_people, after);
		assert_foretold(json, before, after);
		json_decref(json);
	}
}

/* Twice as many as are looked at: about as many, and it says so. */
static void a_sample_is_scaled_up(void **state)
{
	json_t *whole, *sample;
	const json_t *people;
	double all, about;

	clock_set(START);
	site_init(&site);
	rules("interest >= 50", "interest < 40", 60);
	sequence(story, "");
	site_open(&site);
	people_come();
	rules("interest >= 10", "interest < 5", 60);
	whole = foretell(1000);
	sample = foretell(PEOPLE / 2);
	people = json_object_get(sample, "people");
	assert_true(json_is_true(json_object_get(people, "sample")));
	assert_true(json_integer_value(json_object_get(people, "looked_at")) < PEOPLE);
	all = (double)moves(whole, "stage", "first", "second");
	about = (double)moves(sample, "stage", "first", "second");
	if (about < all * 0.6 || about > all * 1.4)
		fail_msg("%g, and by the sample %g", all, about);
	json_decref(whole);
	json_decref(sample);
}

/* `keys`: of the new version. Where each goes is foretold, and then found. */
static void change_sequence(const char *text, const char *keys, const char *fate, const char *to)
{
	struct person_now before[PEOPLE], after[PEOPLE];
	int i, ended = 0, moved = 0;
	json_t *json;

	clock_set(START);
	site_init(&site);
	rules("interest >= 500", "interest < 40", 600);
	sequence(story, "");
	site_open(&site);
	people_come();
	site_run(&site, read_people, before);
	sequence(text, keys);
	json = foretell(1000);
	site_reload(&site);
	site_run(&site, read_people, after);
	for (i = 0; i < PEOPLE; i++) {
		bool two = strcmp(before[i].step, "two") == 0;

		ended += two && after[i].ended;
		moved += two && !after[i].ended && to && strcmp(after[i].step, to) == 0;
	}
	assert_int_equal(fated(json, "two", fate, to), to ? moved : ended ? ended : PEOPLE / 3);
	assert_int_equal(fated(json, "two", fate, to), PEOPLE / 3);
	json_decref(json);
}

static void those_at_a_step_that_stays_go_on(void **state)
{
	change_sequence(story, "goal: did(\"bought\")\n", "go on", "two");
}

static void those_at_a_step_that_is_gone_end(void **state)
{
	change_sequence(shorter, "", "end", NULL);
}

static void or_go_where_their_fate_says(void **state)
{
	change_sequence(shorter, "gone: {two: three}\n", "go to", "three");
}

static void restart_begins_again(void **state)
{
	change_sequence(story, "on_change: restart\ngoal: did(\"bought\")\n", "restart", NULL);
}

static void finish_goes_on_as_it_was(void **state)
{
	change_sequence(shorter, "on_change: finish\n", "finish", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_moves_is_foretold, close_site),
		cmocka_unit_test_teardown(a_sample_is_scaled_up, close_site),
		cmocka_unit_test_teardown(those_at_a_step_that_stays_go_on, close_site),
		cmocka_unit_test_teardown(those_at_a_step_that_is_gone_end, close_site),
		cmocka_unit_test_teardown(or_go_where_their_fate_says, close_site),
		cmocka_unit_test_teardown(restart_begins_again, close_site),
		cmocka_unit_test_teardown(finish_goes_on_as_it_was, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("outlook", tests, NULL, NULL);
}
