/*
 * Dots and outcomes on a store that refuses, fails and is full: nothing may get lost, and one bad row may hold up no other. The store and decide's
 * side are this file's: each job's fate is as the case says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

#include "../../daemon/send/record.h"

#define WORKS 200

enum fate { WELL, FAIL_FIRST, FULL_FIRST };

static struct {
	struct loop *loop;
	struct records *records;
	struct work works[WORKS];
	enum fate fate;
	size_t jobs, largest;
	int64_t poison;			/* the store refuses whatever is about this delivery, for the first three times */
	int refusals;
	size_t recorded[WORKS], dots[WORKS], failed_dots;
	int64_t order[4 * WORKS];
	size_t steps;
} t;

/* --- the other side ---------------------------------------------------------------------------------------------------- */

static int touch(int64_t delivery, struct err *err)
{
	if (delivery == t.poison && t.refusals > 0) {
		t.refusals--;
		return err_set(err, "poison");
	}
	return 0;
}

int on_dot(struct decide *d, struct db *db, int64_t delivery, bool *may_out, struct err *err)
{
	*may_out = delivery % 2 == 0;
	return touch(delivery, err);
}

int on_outcome(struct decide *d, struct db *db, const struct mail_outcome *fact, struct err *err)
{
	return touch(fact->delivery, err);
}

int on_release(struct decide *d, struct db *db, const int64_t *deliveries, size_t count, int64_t at, struct err *err)
{
	return touch(deliveries[0], err);
}

struct store *decide_store(struct decide *d)
{
	return NULL;
}

static void complete(void *arg)
{
	struct store_job *job = arg;

	job->done(job, job->result, &job->err);
}

int store_submit(struct store *store, struct store_job *job, enum store_priority priority)
{
	size_t n = t.jobs++;

	if (n == 0 && t.fate == FULL_FIRST)
		return -1;
	if (n == 0 && t.fate == FAIL_FIRST) {
		job->result = STORE_FAILED;
		err_set(&job->err, "disk full");
	} else {
		job->result = job->run(job, NULL, &job->err) < 0 ? STORE_REFUSED : STORE_COMMITTED;
	}
	loop_post(t.loop, complete, job);
	return 0;
}

/* --- the rig -------------------------------------------------------------------------------------------------------------- */

static void dot_done(void *ctx, struct work *w, bool failed)
{
	t.dots[w - t.works]++;
	t.failed_dots += failed;
	if (failed)
		assert_false(w->may_out);
	t.order[t.steps++] = w->delivery;
}

static void recorded(void *ctx, struct work *w)
{
	t.recorded[w - t.works]++;
	t.order[t.steps++] = w->delivery;
}

static int set_up(void **state)
{
	const struct record_owner owner = { .dot_done = dot_done, .recorded = recorded };
	size_t i;

	memset(&t, 0, sizeof(t));
	t.loop = loop_new();
	t.records = records_new(t.loop, NULL, &owner);
	t.poison = -1;
	for (i = 0; i < WORKS; i++) {
		t.works[i].delivery = (int64_t)i;
		t.works[i].outcome.delivery = (int64_t)i;
	}
	return 0;
}

static int tear_down(void **state)
{
	records_free(&t.records);
	loop_free(&t.loop);
	return 0;
}

static void add(size_t n, enum record what)
{
	size_t i;

	for (i = 0; i < n; i++)
		records_add(t.records, &t.works[i], what);
}

static void run_steps(size_t n)
{
	while (t.steps < n)
		event_base_loop(loop_base(t.loop), EVLOOP_ONCE);
}

/* --- cases ------------------------------------------------------------------------------------------------------------------ */

static void a_turn_goes_in_few_jobs_and_in_order(void **state)
{
	size_t i;

	add(WORKS, RECORD_OUTCOME);
	assert_int_equal(t.jobs, 0);
	run_steps(WORKS);
	assert_int_equal(t.jobs, 4);
	for (i = 0; i < WORKS; i++)
		assert_int_equal(t.order[i], i);
}

static void what_a_failed_transaction_threw_back_comes_again(void **state)
{
	size_t i;

	t.fate = FAIL_FIRST;
	add(WORKS, RECORD_OUTCOME);
	run_steps(WORKS);
	for (i = 0; i < WORKS; i++)
		assert_int_equal(t.recorded[i], 1);
}

static void what_a_full_store_did_not_take_comes_again(void **state)
{
	size_t i;

	t.fate = FULL_FIRST;
	add(WORKS / 2, RECORD_OUTCOME);
	for (i = WORKS / 2; i < WORKS; i++)
		records_add(t.records, &t.works[i], RECORD_DOT);
	run_steps(WORKS);
	for (i = 0; i < WORKS; i++) {
		assert_int_equal(t.recorded[i], i < WORKS / 2);
		assert_int_equal(t.dots[i], i >= WORKS / 2);
		if (i >= WORKS / 2)
			assert_int_equal(t.works[i].may_out, i % 2 == 0);
	}
	assert_int_equal(t.failed_dots, 0);
}

static void a_dot_that_cannot_be_committed_is_denied(void **state)
{
	t.fate = FAIL_FIRST;
	add(2, RECORD_DOT);
	run_steps(2);
	assert_int_equal(t.failed_dots, 2);
}

static void one_bad_row_holds_up_no_other(void **state)
{
	size_t i;

	t.poison = 7;
	t.refusals = 3;
	add(30, RECORD_OUTCOME);
	run_steps(30);
	for (i = 0; i < 30; i++)
		assert_int_equal(t.recorded[i], 1);
	assert_int_equal(t.order[29], 7);
	assert_int_equal(t.refusals, 0);
}

static void a_release_is_not_lost_either(void **state)
{
	t.poison = 0;
	t.refusals = 2;
	add(1, RECORD_RELEASE);
	run_steps(1);
	assert_int_equal(t.recorded[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_turn_goes_in_few_jobs_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_failed_transaction_threw_back_comes_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_full_store_did_not_take_comes_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dot_that_cannot_be_committed_is_denied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_bad_row_holds_up_no_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_release_is_not_lost_either, set_up, tear_down),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
