/* test_trials.c: tests of mails: trials of a person, the sums of a day over all people, the end; and versions of sequences. */
#include "with_store.h"

#include "base/address.h"

static int64_t someone(uint16_t bucket)
{
	return id_new(bucket, clock_now());
}

struct story {
	int64_t people[3];
	struct arm_day *days;
	struct trial *trials;
	size_t day_count, trial_count;
};

static struct trial trial_of(int64_t prospect, const char *arm, int64_t at)
{
	return (struct trial){ .prospect = prospect, .enrolment = prospect + 1, .step = "opener", .test = "ebook/opener/1", .arm = arm,
		.template = "three-mistakes", .event = "click", .at = at, .until = at + 3 * US_DAY };
}

static int put(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct story *s = arg;
	static const char *const arms[] = { "a", "b", "a" };

	for (int i = 0; i < 3; i++) {
		struct trial t = trial_of(s->people[i], arms[i], 10 * US_DAY + i);

		/* the second time counts nothing new: what a batch runs again must not */
		if (trials_insert(db, &t, err) || trials_insert(db, &t, err) || arm_days_add(db, &t, 1, 0, err))
			return -1;
	}
	return 0;
}

static int win(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct story *s = arg;
	struct trial t = trial_of(s->people[0], "a", 10 * US_DAY);

	return trials_win(db, &t, err) || arm_days_add(db, &t, 0, 1, err);
}

static int read_all(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct story *s = arg;

	return arm_days_of(db, "ebook/opener/1", w->arena, &s->days, &s->day_count, err) ||
		trials_open(db, s->people[0], 11 * US_DAY, w->arena, &s->trials, &s->trial_count, err);
}

static void trials_add_up_by_arm_and_day(void **state)
{
	struct with_store *w = *state;
	struct story s = { .people = { someone(1), someone(500), someone(17) } };

	do_job(w, put, &s);
	do_job(w, read_all, &s);
	assert_int_equal(s.trial_count, 1);
	assert_string_equal(s.trials[0].template, "three-mistakes");
	assert_int_equal(s.trials[0].until, 13 * US_DAY);
	do_job(w, win, &s);
	do_job(w, read_all, &s);
	assert_int_equal(s.trial_count, 0);
	/* buckets 1 and 17 share a shard, and are one sum all the same */
	assert_int_equal(s.day_count, 2);
	assert_string_equal(s.days[0].arm, "a");
	assert_int_equal(s.days[0].day, 10);
	assert_int_equal(s.days[0].shown, 2);
	assert_int_equal(s.days[0].won, 1);
	assert_int_equal(s.days[1].shown, 1);
	assert_int_equal(s.days[1].won, 0);
}

static int end(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct test_end found = { 0 };
	int none = test_ends_find(db, "t", w->arena, &found, err);

	assert_int_equal(none, 0);
	assert_int_equal(test_ends_put(db, "t", &(struct test_end){ .arm = "b", .at = 5, .why = "sure" }, err), 0);
	/* the first word stands */
	assert_int_equal(test_ends_put(db, "t", &(struct test_end){ .arm = "a", .at = 6, .why = "late" }, err), 0);
	assert_int_equal(test_ends_find(db, "t", w->arena, &found, err), 1);
	assert_string_equal(found.arm, "b");
	assert_int_equal(found.at, 5);
	return 0;
}

static void a_test_ends_once(void **state)
{
	do_job(*state, end, NULL);
}

static int keep(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct sequence_version v = { .sequence = "ebook", .version = "0123456789ab", .since = 7, .source = "sequence: ebook\n" }, found;

	assert_int_equal(versions_put(db, &v, err), 0);
	v.since = 9;
	assert_int_equal(versions_put(db, &v, err), 0);
	assert_int_equal(versions_find(db, "ebook", "0123456789ab", w->arena, &found, err), 1);
	assert_int_equal(found.since, 7);
	assert_string_equal(found.source, "sequence: ebook\n");
	assert_int_equal(versions_find(db, "ebook", "ffffffffffff", w->arena, &found, err), 0);
	return 0;
}

static void versions_are_kept_as_they_were_written(void **state)
{
	do_job(*state, keep, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trials_add_up_by_arm_and_day, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_test_ends_once, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(versions_are_kept_as_they_were_written, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("trials", tests, NULL, NULL);
}
