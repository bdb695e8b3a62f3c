/*
 * test_enroll.c: a sequence filled by hand: who would enter and why others would not, a few at a time, looked at once more, and the same again
 * changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "small_site.h"

#include "base/log.h"
#include "decide/enroll.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)
#define PEOPLE 60

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

static int suppress(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct address address;
	struct manual_suppression fact = { .address = &address, .reason = "asked", .by = "test", .at = clock_now() };
	bool changed;

	return address_parse(address_of(*(int *)arg), &address, err) ? -1 : on_suppress(s->d, db, &fact, &changed, err);
}

static struct enroll_scan *scan(const char *where)
{
	struct expression_error error = { 0 };
	struct enroll_scan *s = enroll_scan_new(site.plan, "mailing", where, &error);

	if (!s)
		fail_msg("%s", error.text);
	return s;
}

struct looking {
	struct enroll_scan *scan;
	size_t max;
	int more;
};

static int look_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct looking *l = arg;

	l->more = enroll_scan_go_on(l->scan, db, 1, l->max, err);
	return l->more < 0 ? -1 : 0;
}

/* All of them, in as many slices as can be; nobody enters. */
static json_t *look(const char *where)
{
	struct looking l = { .scan = scan(where) };
	json_t *json;

	do {
		site_run(&site, look_fn, &l);
	} while (l.more);
	json = enroll_scan_json(l.scan);
	enroll_scan_free(&l.scan);
	return json;
}

struct entering {
	struct enrollment fact;
	struct enrollment_result result;
};

static int enter_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct entering *e = arg;

	return on_enroll_some(s->d, db, &e->fact, &e->result, err);
}

/* As the daemon does it; how many entered, and in how many parts. */
static size_t enter(const char *where, size_t max, size_t *parts)
{
	struct looking l = { .scan = scan(where), .max = max };
	size_t entered = 0;

	*parts = 0;
	do {
		struct entering e = { .fact = { .sequence = "mailing", .where = where, .by = "by hand: test", .at = clock_now() } };

		site_run(&site, look_fn, &l);
		e.fact.count = enroll_scan_take(l.scan, &e.fact.people);
		assert_true(e.fact.count <= max);
		if (!e.fact.count)
			continue;
		site_run(&site, enter_fn, &e);
		entered += e.result.entered;
		++*parts;
	} while (l.more);
	enroll_scan_free(&l.scan);
	return entered;
}

static int64_t count(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static int64_t left_out(const json_t *json, const char *why)
{
	const json_t *list = json_object_get(json, "left_out");
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "why")), why) == 0)
			return count(json_array_get(list, i), "count");
	return 0;
}

/* Sixty people, of whom every third is in DE; one of those is suppressed, one did not confirm, three are in something more important. */
static void open_site(void)
{
	int i;

	clock_set(START);
	site_init(&site);
	site_sequence(&site, "mailing", "enter: by hand\npriority: 5\nsteps:\n  - {send: a}\n  - {wait: 9 days}\n  - {send: b}\n");
	site_sequence(&site, "more", "enter: {on: asked}\npriority: 10\nsteps:\n  - {wait: 9 days}\n  - {send: c}\n");
	site_write(&site, "forms/careful.yaml", "form: careful\nfields: [email, country]\nconsent: {purpose: newsletter, words: \"Yes.\"}\n"
		"confirm: double\nlimits: {per_address: 100 per hour, per_ip: 1000 per hour}\n");
	site_open(&site);
	for (i = 0; i < PEOPLE; i++)
		site_signup(&site, address_of(i), i % 3 ? "FR" : "DE", "", "");
	i = 3;
	site_run(&site, suppress, &i);
	for (i = 6; i < 15; i += 3)
		site_track(&site, address_of(i), "asked", "{}");
}

static void who_would_enter_is_told_and_why_others_would_not(void **state)
{
	json_t *json;

	open_site();
	json = look("country == \"DE\"");
	assert_int_equal(count(json, "people"), PEOPLE);
	assert_int_equal(count(json, "match"), 20);
	assert_int_equal(count(json, "would_enter"), 16);
	assert_int_equal(left_out(json, "suppressed: asked"), 1);
	assert_int_equal(left_out(json, "is in more, whose priority is as high"), 3);
	assert_int_equal(json_array_size(json_object_get(json, "first")), 10);
	assert_int_equal(json_array_size(json_object_get(json, "first_left_out")), 4);
	assert_non_null(json_string_value(json_object_get(json_array_get(json_object_get(json, "first_left_out"), 0), "why_not")));
	json_decref(json);
	json = look("did(\"nothing\")");
	assert_int_equal(count(json, "match") + count(json, "would_enter"), 0);
	json_decref(json);
}

static void they_enter_a_few_at_a_time_and_only_once(void **state)
{
	size_t parts;
	json_t *json;

	open_site();
	assert_int_equal(enter("country == \"DE\"", 5, &parts), 16);
	assert_true(parts >= 4);
	json = look("country == \"DE\"");
	assert_int_equal(count(json, "would_enter"), 0);
	assert_int_equal(left_out(json, "is or was in it"), 16);
	json_decref(json);
	assert_int_equal(enter("country == \"DE\"", 5, &parts), 0);
	assert_int_equal(enter("country == \"FR\"", 100, &parts), 40);
}

/* Between looking and entering they change: they are asked once more. */
static void who_does_not_match_any_more_is_left_out(void **state)
{
	struct looking l = { .max = 100 };
	struct entering e = { .fact = { .sequence = "mailing", .where = "country == \"DE\" and not did(\"bought\")", .by = "by hand", .at = START } };
	int i;

	open_site();
	l.scan = scan(e.fact.where);
	do {
		site_run(&site, look_fn, &l);
	} while (l.more);
	for (i = 15; i < 30; i += 3)
		site_track(&site, address_of(i), "bought", "{}");
	i = 30;
	site_run(&site, suppress, &i);
	e.fact.count = enroll_scan_take(l.scan, &e.fact.people);
	assert_int_equal(e.fact.count, 16);
	site_run(&site, enter_fn, &e);
	assert_int_equal(e.result.entered, 10);
	assert_int_equal(e.result.left_out, 6);
	enroll_scan_free(&l.scan);
}

static int64_t mailed;

static int claim(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct mail_batch *batch;
	int rc = on_claim(s->d, db, 1000, &batch, err);

	if (rc == 0) {
		mailed = (int64_t)batch->count;
		mail_batch_free(&batch);
	}
	return rc;
}

static void they_are_mailed(void **state)
{
	size_t parts;

	open_site();
	site_run(&site, claim, NULL);
	assert_int_equal(mailed, 0);
	assert_int_equal(enter("country == \"DE\"", 100, &parts), 16);
	site_run(&site, claim, NULL);
	assert_int_equal(mailed, 16);
}

static void a_wrong_condition_says_where(void **state)
{
	struct expression_error error = { 0 };

	open_site();
	assert_null(enroll_scan_new(site.plan, "mailing", "country = \"DE\"", &error));
	assert_int_equal(error.offset, 8);
	assert_null(enroll_scan_new(site.plan, "mailing", "event.x == 1", &error));
	assert_null(enroll_scan_new(site.plan, "mailing", "country", &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_would_enter_is_told_and_why_others_would_not, close_site),
		cmocka_unit_test_teardown(they_enter_a_few_at_a_time_and_only_once, close_site),
		cmocka_unit_test_teardown(who_does_not_match_any_more_is_left_out, close_site),
		cmocka_unit_test_teardown(they_are_mailed, close_site),
		cmocka_unit_test_teardown(a_wrong_condition_says_where, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("enroll", tests, NULL, NULL);
}
