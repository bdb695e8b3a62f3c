/*
 * test_population.c: many people: what they add up to adds up; the same again for the same seed; people of a database go on where they were.
 */
#include "with_plan.h"

#include <jansson.h>

#include "simulate/population.h"

static struct plan *plan;
static struct personas personas;
static char folder[] = "/tmp/test_population.XXXXXX";

static int setup(void **state)
{
	struct plan_errors errors = { 0 };

	plan = load_plan();
	if (!mkdtemp(folder))
		return -1;
	if (personas_load(PERSONAS, plan, &personas, &errors))
		fail_msg("%s", buf_cstr(&errors.text));
	return 0;
}

static int teardown(void **state)
{
	personas_clear(&personas);
	plan_unref(&plan);
	return rmdir(folder);
}

static int64_t start(void)
{
	return zone_instant(zone_find("Europe/Berlin"), 2026, 3, 2, 0, 0, 0);
}

static struct population_options options_of(int64_t people, uint64_t seed)
{
	return (struct population_options){ .plan = plan, .personas = &personas, .people = people, .over = US_DAY, .start = start(), .days = 30,
			.seed = seed, .read_reply = read_reply };
}

static void make(const struct population_options *options, struct buf *out)
{
	struct err err = { "" };

	buf_reset(out);
	if (population_make(options, out, &err))
		fail_msg("%s", err.text);
}

static json_t *make_json(struct population_options options)
{
	struct buf out = BUF_INIT;
	json_error_t error;
	json_t *json;

	options.json = true;
	make(&options, &out);
	json = json_loads(out.data, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%d:%d: %s", error.line, error.column, error.text);
	buf_clear(&out);
	return json;
}

static int64_t sum(const json_t *object)
{
	const char *name;
	int64_t all = 0;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, name, v)
		all += json_integer_value(v);
	return all;
}

static int64_t number(const json_t *json, const char *path, const char *name)
{
	return json_integer_value(json_object_get(*path ? json_object_get(json, path) : json, name));
}

/* A number, or one by whom. */
static int64_t value(const json_t *json, const char *by)
{
	return json_integer_value(json_is_object(json) ? json_object_get(json, by) : json);
}

static int64_t sum_of_days(const json_t *json, const char *name, const char *by)
{
	int64_t all = 0;
	json_t *day;
	size_t i;

	json_array_foreach(json_object_get(json, "days"), i, day)
		all += value(json_object_get(day, name), by);
	return all;
}

static int64_t by_whom(const json_t *json, const char *name, const char *by)
{
	return value(json_object_get(json_object_get(json, "all"), name), by);
}

static void test_it_adds_up(void **state)
{
	json_t *json = make_json(options_of(500, 1)), *all = json_object_get(json, "all"), *v;
	int64_t mails = number(json, "all", "mails") + number(json, "all", "confirmations"), by_domain = 0, entered = 0, ended = 0, open = 0;
	static const char *const whom[] = { "human", "unknown", "machine" };
	const char *name;
	size_t i;

	assert_int_equal(number(json, "all", "came"), 500);
	json_object_foreach(all, name, v)
		for (i = 0; i < 3; i++)
			assert_int_equal(value(v, whom[i]), sum_of_days(json, name, whom[i]));
	assert_int_equal(sum(json_object_get(json, "mails")), mails);
	json_array_foreach(json_object_get(json, "domains"), i, v)
		by_domain += number(v, "", "mails");
	assert_int_equal(by_domain, mails);
	assert_int_equal(sum(json_object_get(json, "held")),
			number(json, "all", "held_by_cap") + number(json, "all", "held_by_quiet_hours") + number(json, "all", "held_otherwise"));
	json_array_foreach(json_object_get(json, "sequences"), i, v) {
		entered += number(v, "", "entered") + number(v, "", "held_out");
		ended += sum(json_object_get(v, "ended"));
		open += number(v, "", "under_way") + number(v, "", "paused") + number(v, "", "watched");
	}
	assert_int_equal(entered, ended + open);
	assert_true(entered > 400 && number(json, "all", "hot_leads") > 20 && number(json, "all", "held_by_cap") > 20);
	json_decref(json);
}

static void test_same_seed_same_report(void **state)
{
	struct population_options options = options_of(300, 5);
	struct buf first = BUF_INIT, again = BUF_INIT;

	make(&options, &first);
	make(&options, &again);
	assert_string_equal(first.data, again.data);
	assert_non_null(strstr(first.data, "300 people who come, 30 days from Mon 2026-03-02 00:00, seed 5\n"));
	options.seed = 6;
	make(&options, &again);
	assert_string_not_equal(first.data, again.data);
	buf_clear(&first);
	buf_clear(&again);
}

/* --- people of a database --------------------------------------------------------------------------------------------------------- */

static int save(struct db *db, void *arg, struct err *err)
{
	return db_save(db, arg, err);
}

/* A hundred silent people, three days on their way, as a file. */
static void make_database(const char *file)
{
	struct persona *silent = load_persona(plan, "persona: S\nemail: s@gmail.com\nform: guide\nfields: {first_name: Sam}\n");
	struct simulation_options options = { .plan = plan, .seed = 1, .start = start() + 10 * US_HOUR };
	struct simulation *s;
	struct err err = { "" };
	char address[64];

	if (simulation_new(&options, &s, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "sam%d@%s", i, i % 4 ? "gmail.com" : "gmx.de");
		simulation_add(s, silent, address, options.start + i * US_MINUTE, NULL);
	}
	if (simulation_run(s, options.start + 3 * US_DAY, &err) || simulation_do(s, save, (void *)(uintptr_t)file, &err))
		fail_msg("%s", err.text);
	simulation_free(&s);
	persona_free(&silent);
}

static void test_people_of_a_database_go_on(void **state)
{
	static const char text[] = "persona: C\nemail: c@gmail.com\nbehaviour: [opens all, clicks 50%]\n";
	char *file = xasprintf("%s/people.db", folder);
	struct persona *clicker = load_persona(plan, text);
	struct personas one = { .all = &clicker, .count = 1 };
	struct population_options options = options_of(0, 1);
	json_t *json, *guide;

	make_database(file);
	options.personas = &one;
	options.database = file;
	options.start = start() + 10 * US_HOUR + 3 * US_DAY;
	json = make_json(options);
	guide = json_array_get(json_object_get(json, "sequences"), 0);
	/* they wait for a click on `tips`, which they have: it is too late for them to make one, and the nudge is what they get */
	assert_int_equal(number(json, "mails", "nudge"), 100);
	assert_int_equal(number(json, "mails", "tips"), 0);
	assert_int_equal(number(json, "mails", "story"), 100);
	assert_int_equal(by_whom(json, "opened", "human") + by_whom(json, "opened", "unknown"), 200);
	assert_true(by_whom(json, "clicked", "human") > 60 && by_whom(json, "clicked", "human") < 140);
	assert_int_equal(by_whom(json, "clicked", "unknown") + by_whom(json, "clicked", "machine") + by_whom(json, "opened", "machine"), 0);
	assert_int_equal(number(guide, "", "entered"), 0);
	assert_int_equal(number(guide, "ended", "done"), 100);
	assert_int_equal(json_array_size(json_object_get(json, "domains")), 2);
	json_decref(json);
	unlink(file);
	free(file);
	persona_free(&clicker);
}

static void test_no_database(void **state)
{
	struct population_options options = options_of(0, 1);
	struct buf out = BUF_INIT;
	struct err err = { "" };

	options.database = "/nowhere/people.db";
	assert_int_equal(population_make(&options, &out, &err), -1);
	assert_string_equal(err.text, "/nowhere/people.db: No such file or directory");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_adds_up),
		cmocka_unit_test(test_same_seed_same_report),
		cmocka_unit_test(test_people_of_a_database_go_on),
		cmocka_unit_test(test_no_database),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
