/*
 * test_once.c: a key is taken once, its answer is kept, and forgotten after a week.
 */
#include "with_store.h"

#define NOW (INT64_C(1800000000) * US_SECOND)

struct call {
	uint16_t bucket;
	const char *key, *answer;
	int64_t now;
	int expect;
	const char *expect_answer;
};

static int take(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct call *c = arg;
	const char *answer = NULL;
	int got = once_take(db, c->bucket, c->key, c->now, c->answer, w->arena, &answer, err);

	if (got < 0)
		return -1;
	assert_int_equal(got, c->expect);
	if (c->expect_answer)
		assert_string_equal(answer, c->expect_answer);
	return 0;
}

static int take_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return take(w, db, arg, err) < 0 ? -1 : err_set(err, "as told");
}

static void run_all(struct with_store *w, struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		do_job(w, take, &calls[i]);
}

static void a_key_is_taken_once(void **state)
{
	struct call calls[] = {
		{ 3, "form/free-ebook/k1", "con_1", NOW, 1, NULL },
		{ 3, "form/free-ebook/k1", "con_2", NOW + 5, 0, "con_1" },
		{ 3, "form/free-ebook/k2", "con_3", NOW + 6, 1, NULL },
		{ 4, "form/free-ebook/k1", "con_4", NOW + 7, 1, NULL },
		{ 3, "form/free-ebook/k1", "con_5", NOW + US_DAY, 0, "con_1" },
	};

	run_all(*state, calls, 5);
}

static void a_key_of_a_job_that_failed_is_not_taken(void **state)
{
	struct call first = { 3, "k", "a", NOW, 1, NULL }, second = { 3, "k", "b", NOW, 1, NULL };

	assert_int_equal(run_job(*state, take_and_fail, &first, NULL), STORE_REFUSED);
	do_job(*state, take, &second);
}

static void keys_are_remembered_over_a_start_and_forgotten_after_a_week(void **state)
{
	struct with_store *w = *state;
	struct call first[] = { { 3, "k", "a", NOW, 1, NULL }, { 3, "later", "b", NOW + US_DAY, 1, NULL } };
	struct call second[] = {
		{ 3, "k", "c", NOW + ONCE_KEEP - US_DAY, 0, "a" },
		{ 3, "k", "c", NOW + ONCE_KEEP + 1, 1, NULL },
		{ 3, "later", "d", NOW + ONCE_KEEP + 2, 0, "b" },
	};

	run_all(w, first, 2);
	close_store(w);
	open_store(w);
	run_all(w, second, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_is_taken_once, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_key_of_a_job_that_failed_is_not_taken, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(keys_are_remembered_over_a_start_and_forgotten_after_a_week, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("once", tests, NULL, NULL);
}
