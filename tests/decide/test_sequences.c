/*
 * test_sequences.c: what `nurturectl sequence list` and `sequence show` say: how many are where, how it ended, tests and holdout.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "small_site.h"

#include "base/log.h"
#include "decide/sequences.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)
#define PEOPLE 80

static const char story[] =
	"enter: {on: signup}\ngoal: did(\"bought\")\nholdout: 40%\nholdout_for: 60 days\nsteps:\n"
	"  - {wait: 20 days}\n"
	"  - try:\n      test: [a, b]\n      by: bought\n      within: 2 days\n"
	"  - back:\n      if: country == \"DE\"\n      then: again\n      else: last\n"
	"  - last: {send: c}\n  - {end: done}\n  - again: {wait: 9 days}\n  - {go: try}\n";

static struct site site;

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

static const char *address_of(int i)
{
	static char text[40];

	snprintf(text, sizeof(text), "person%d@example.com", i);
	return text;
}

static int show_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct sequence_look *look = sequence_look_new(s->plan, "story");
	int more;

	do {
		more = sequence_look_go_on(look, db, 1, err);
	} while (more > 0);
	*(json_t **)arg = more < 0 ? NULL : sequence_look_json(look);
	sequence_look_free(&look);
	return more;
}

static int list_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = look_sequences(s->plan, db, &out, err);

	*(json_t **)arg = rc == 1 ? json_loadb(out.data, out.len, 0, NULL) : NULL;
	buf_clear(&out);
	return rc == 1 ? 0 : -1;
}

static int64_t count(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

static const char *text(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void all_are_counted_where_they_are(void **state)
{
	json_t *json;
	const json_t *row, *holdout;
	int64_t out, bought;
	int i;

	clock_set(START);
	site_init(&site);
	site_sequence(&site, "story", story);
	site_sequence(&site, "empty", "enter: by hand\npriority: -1\nsteps:\n  - {send: c}\n");
	site_open(&site);
	for (i = 0; i < PEOPLE; i++)
		site_signup(&site, address_of(i), "DE", "", "");
	clock_set(START + 3 * US_DAY);
	for (i = 0; i < PEOPLE; i += 2)
		site_track(&site, address_of(i), "bought", "{}");

	site_run(&site, list_fn, &json);
	assert_int_equal(json_array_size(json), 2);
	row = json_array_get(json, 0);
	assert_string_equal(text(row, "sequence"), "story");
	assert_string_equal(text(row, "enter"), "on signup");
	assert_true(count(row, "active") > 0 && count(row, "watched") > 0);
	assert_string_equal(text(json_array_get(json, 1), "enter"), "by hand");
	assert_int_equal(count(json_array_get(json, 1), "active"), 0);
	json_decref(json);

	clock_set(START + 10 * US_DAY);
	site_run(&site, show_fn, &json);
	holdout = json_object_get(json, "holdout");
	out = count(holdout, "people");
	assert_int_equal(count(json, "entered") + out, PEOPLE);
	assert_true(out > PEOPLE / 5 && out < PEOPLE * 3 / 5);
	bought = count(json_array_get(json_object_get(json, "ended"), 0), "count");
	assert_string_equal(text(json_array_get(json_object_get(json, "ended"), 0), "why"), "goal");
	row = json_array_get(json_object_get(json, "steps"), 1);
	assert_string_equal(text(row, "step"), "try");
	assert_int_equal(count(row, "active") + bought, count(json, "entered"));
	assert_string_equal(text(json_array_get(json_object_get(json, "steps"), 6), "does"), "go to try");
	row = json_array_get(json_object_get(json_array_get(json_object_get(json, "steps"), 2), "ways"), 0);
	assert_string_equal(text(row, "label"), "then");
	assert_string_equal(text(row, "to"), "again");
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(json, "versions"), 0), "in_force")));

	/* half of both bought on the third day */
	assert_int_equal(count(holdout, "by_day"), 11);
	assert_true(json_number_value(json_object_get(json_object_get(holdout, "treated"), "rate")) > 0.3);
	assert_true(json_number_value(json_object_get(json_object_get(holdout, "difference"), "low")) < 0);
	assert_true(json_number_value(json_object_get(json_object_get(holdout, "difference"), "high")) > 0);
	assert_int_equal(count(holdout, "watched"), out - (PEOPLE / 2 - bought));

	row = json_array_get(json_object_get(json, "tests"), 0);
	assert_string_equal(text(row, "step"), "try");
	assert_int_equal(json_array_size(json_object_get(row, "arms")), 2);
	assert_true(json_is_null(json_object_get(row, "ended")));
	assert_int_equal(json_array_size(json_object_get(json, "elsewhere")), 0);
	json_decref(json);
	assert_null(sequence_look_new(site.plan, "stroy"));
}

/* After a change those who finish the old version are shown apart. */
static void another_version_is_shown_apart(void **state)
{
	json_t *json;
	const json_t *row;

	clock_set(START);
	site_init(&site);
	site_sequence(&site, "story", "enter: {on: signup}\non_change: finish\nsteps:\n  - {wait: 2 days}\n  - one: {send: a}\n");
	site_open(&site);
	site_signup(&site, address_of(0), "DE", "", "");
	clock_set(START + US_DAY);
	site_sequence(&site, "story", "enter: {on: signup}\non_change: finish\nsteps:\n  - {wait: 2 days}\n  - one: {send: b}\n");
	site_reload(&site);
	site_signup(&site, address_of(1), "DE", "", "");
	site_run(&site, show_fn, &json);
	row = json_array_get(json_object_get(json, "steps"), 1);
	assert_int_equal(count(row, "active"), 1);
	assert_string_equal(text(row, "does"), "mail b");
	row = json_array_get(json_object_get(json, "elsewhere"), 0);
	assert_int_equal(count(row, "active"), 1);
	assert_string_equal(text(row, "step"), "one");
	assert_int_equal(json_array_size(json_object_get(json, "versions")), 2);
	assert_true(json_is_null(json_object_get(json, "holdout")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(all_are_counted_where_they_are, close_site),
		cmocka_unit_test_teardown(another_version_is_shown_apart, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("sequences", tests, NULL, NULL);
}
