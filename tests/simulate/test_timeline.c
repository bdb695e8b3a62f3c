/*
 * test_timeline.c: people's lives in the programme of tests/simulate/conf, as they are kept beside their personas. `GOLDEN=write
 * build/tests/simulate/test_timeline` writes them anew. And that they are the same whatever the machine.
 */
#include "with_plan.h"

#include <glob.h>
#include <time.h>

#include <jansson.h>

#include "simulate/timeline.h"

static struct plan *plan;

static int setup(void **state)
{
	plan = load_plan();
	return 0;
}

static int teardown(void **state)
{
	plan_unref(&plan);
	return 0;
}

static struct persona *persona_of(const char *file)
{
	struct plan_errors errors = { 0 };
	struct persona *p = persona_load(file, plan, &errors);

	if (!p)
		fail_msg("%s", buf_cstr(&errors.text));
	return p;
}

static void make(const struct timeline_options *options, struct buf *out)
{
	struct err err = { "" };

	buf_reset(out);
	if (timeline_make(options, out, &err))
		fail_msg("%s: %s", options->persona->name, err.text);
}

static int check_file(const char *file)
{
	struct persona *p = persona_of(file);
	char *golden = xasprintf("%.*s.txt", (int)(strlen(file) - strlen(".yaml")), file);
	const char *write = getenv("GOLDEN");
	struct buf out = BUF_INIT, diff = BUF_INIT;
	struct err err = { "" };
	int same = 1;

	make(&(struct timeline_options){ .plan = plan, .persona = p, .seed = 1, .read_reply = read_reply }, &out);
	if (write && strcmp(write, "write") == 0)
		assert_int_equal(golden_write(golden, (struct slice){ out.data, out.len }, &err), 0);
	else
		same = golden_compare(golden, (struct slice){ out.data, out.len }, &diff, &err);
	if (same != 1)
		print_error("%s%s\n", buf_cstr(&diff), err.text);
	buf_clear(&out);
	buf_clear(&diff);
	free(golden);
	persona_free(&p);
	return same != 1;
}

static void test_lives_are_as_they_were_kept(void **state)
{
	int bad = 0;
	glob_t found;

	assert_int_equal(glob(PERSONAS "/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 8);
	for (size_t i = 0; i < found.gl_pathc; i++)
		bad += check_file(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(bad, 0);
}

static void test_same_everywhere(void **state)
{
	struct persona *p = persona_of(PERSONAS "/by-chance.yaml");
	struct timeline_options options = { .plan = plan, .persona = p, .seed = 7, .read_reply = read_reply };
	struct buf first = BUF_INIT, again = BUF_INIT;

	setenv("TZ", "Pacific/Auckland", 1);
	tzset();
	make(&options, &first);
	setenv("TZ", "America/Los_Angeles", 1);
	tzset();
	make(&options, &again);
	assert_string_equal(first.data, again.data);
	options.seed = 8;
	make(&options, &again);
	assert_string_not_equal(first.data, again.data);
	unsetenv("TZ");
	tzset();
	buf_clear(&first);
	buf_clear(&again);
	persona_free(&p);
}

static void test_as_json(void **state)
{
	struct persona *p = persona_of(PERSONAS "/reader.yaml");
	struct timeline_options options = { .plan = plan, .persona = p, .seed = 1, .json = true, .read_reply = read_reply };
	struct buf out = BUF_INIT;
	json_error_t error;
	json_t *json, *thing;
	size_t i, mails = 0;

	make(&options, &out);
	json = json_loads(out.data, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%d:%d: %s", error.line, error.column, error.text);
	json_array_foreach(json_object_get(json, "things"), i, thing) {
		assert_true(json_is_string(json_object_get(thing, "at")) && json_is_integer(json_object_get(thing, "day")));
		mails += strcmp(json_string_value(json_object_get(thing, "what")), "mail") == 0;
	}
	assert_int_equal(json_integer_value(json_object_get(json, "mails")), mails);
	assert_true(mails > 3);
	assert_string_equal(json_string_value(json_object_get(json, "stage")), "decision");
	assert_int_equal(json_array_size(json_object_get(json, "enrolments")), 2);
	json_decref(json);
	buf_clear(&out);
	persona_free(&p);
}

static void test_when_it_begins(void **state)
{
	struct persona *p = load_persona(plan, "persona: E\nemail: e@x.example\ntimezone: America/New_York\nstarts: 2026-03-02 09:30\n");
	struct timeline_options options = { .plan = plan, .persona = p, .from_minute = -1 };
	const struct zone *utc = zone_find("UTC");

	assert_true(timeline_start(&options) == zone_instant(utc, 2026, 3, 2, 14, 30, 0));
	options.dated = true;
	options.from = (struct persona_date){ 2026, 7, 1 };
	assert_true(timeline_start(&options) == zone_instant(utc, 2026, 7, 1, 13, 30, 0));
	options.from_minute = 0;
	assert_true(timeline_start(&options) == zone_instant(utc, 2026, 7, 1, 4, 0, 0));
	persona_free(&p);
	p = load_persona(plan, "persona: E\nemail: e@x.example\ntimezone: UTC\n");
	options = (struct timeline_options){ .plan = plan, .persona = p, .from_minute = -1 };
	clock_set(zone_instant(utc, 2026, 5, 5, 23, 59, 0));
	assert_true(timeline_start(&options) == zone_instant(utc, 2026, 5, 5, 9, 0, 0));
	clock_set(0);
	persona_free(&p);
}

static void test_a_sequence_that_is_never_entered(void **state)
{
	struct persona *p = persona_of(PERSONAS "/silent.yaml");
	struct timeline_options options = { .plan = plan, .persona = p, .seed = 1, .days = 2, .sequence = "trial" };
	struct buf out = BUF_INIT;

	make(&options, &out);
	assert_non_null(strstr(out.data, "trial        never entered\n"));
	options.sequence = "guide";
	make(&options, &out);
	assert_null(strstr(out.data, "never entered"));
	buf_clear(&out);
	persona_free(&p);
}

static void test_by_hand(void **state)
{
	struct persona *p = load_persona(plan, "persona: K\nemail: k@x.example\nstarts: 2026-03-02 09:30\nbehaviour:\n  - opens the first\n");
	struct timeline_options options = { .plan = plan, .persona = p, .seed = 1, .days = 40, .sequence = "letters" };
	struct buf out = BUF_INIT;

	make(&options, &out);
	assert_non_null(strstr(out.data, "enters       letters: by hand\n"));
	assert_non_null(strstr(out.data, "mail         story: \"How others did it\"\n"));
	assert_non_null(strstr(out.data, "ends         letters: done\n"));
	persona_free(&p);
	/* nobody who has not consented is put in */
	p = load_persona(plan, "persona: K\nemail: k@x.example\nform: guide\nstarts: 2026-03-02 09:30\nbehaviour: [confirms never]\n");
	options.persona = p;
	make(&options, &out);
	assert_non_null(strstr(out.data, "not entered  letters: "));
	assert_non_null(strstr(out.data, "letters      never entered\n"));
	buf_clear(&out);
	persona_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives_are_as_they_were_kept),
		cmocka_unit_test(test_same_everywhere),
		cmocka_unit_test(test_as_json),
		cmocka_unit_test(test_when_it_begins),
		cmocka_unit_test(test_a_sequence_that_is_never_entered),
		cmocka_unit_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
