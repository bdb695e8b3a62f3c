/*
 * test_enrolments.c: the ways of one person through sequences.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)

static const struct enrolment rows[] = {
	{ .id = EVE + 1, .prospect = EVE, .sequence = "ebook", .step = "deliver", .state = ENROLMENT_ENDED, .entered = 100, .ended = 150,
		.why = "goal", .due = 1, .queue_id = 2, .lane = LANE_SEND },
	{ .id = EVE + 3, .prospect = EVE, .sequence = "ebook", .step = "nudge", .state = ENROLMENT_ACTIVE, .entered = 200 },
	{ .id = EVE + 2, .prospect = EVE, .sequence = "news", .step = "first", .state = ENROLMENT_PAUSED, .entered = 300, .why = "hot" },
	{ .id = EVE + 4, .prospect = EVE + 9, .sequence = "ebook", .step = "deliver", .state = ENROLMENT_ACTIVE, .entered = 400 },
};

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (enrolments_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static void assert_same(const struct enrolment *a, const struct enrolment *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->prospect, b->prospect);
	assert_string_equal(a->sequence, b->sequence);
	assert_string_equal(a->step, b->step);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->entered, b->entered);
	assert_int_equal(a->ended, b->ended);
	assert_string_equal(a->why, b->why ? b->why : "");
	assert_int_equal(a->due, b->due);
	assert_int_equal(a->queue_id, b->queue_id);
	assert_int_equal(a->lane, b->lane);
}

static int look(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct enrolment e, *all;
	size_t count;

	assert_int_equal(enrolments_find(db, EVE, EVE + 1, w->arena, &e, err), 1);
	assert_same(&e, &rows[0]);
	assert_int_equal(enrolments_find(db, EVE, EVE + 4, w->arena, &e, err), 0);
	assert_int_equal(enrolments_open(db, EVE, w->arena, &all, &count, err), 0);
	assert_int_equal(count, 2);
	assert_same(&all[0], &rows[2]);
	assert_same(&all[1], &rows[1]);
	assert_int_equal(enrolments_all(db, EVE, w->arena, &all, &count, err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(enrolments_last(db, EVE, "ebook", w->arena, &e, err), 1);
	assert_same(&e, &rows[1]);
	assert_int_equal(enrolments_last(db, EVE, "other", w->arena, &e, err), 0);
	return 0;
}

static int update(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct enrolment e = { .id = EVE + 3, .prospect = EVE, .sequence = "no", .step = "case", .state = ENROLMENT_ENDED, .entered = 1,
			.ended = 2, .why = "replied", .due = 3, .queue_id = 4, .lane = LANE_TIME }, found;

	if (enrolments_update(db, &e, err) < 0)
		return -1;
	e.sequence = "ebook";
	e.entered = 200;
	assert_int_equal(enrolments_find(db, EVE, EVE + 3, w->arena, &found, err), 1);
	assert_same(&found, &e);
	return 0;
}

static int update_nobody(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_update(db, &(struct enrolment){ .id = EVE + 77, .prospect = EVE }, err);
}

static void enrolments_come_back_as_they_were(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, look, NULL);
}

static void an_update_leaves_sequence_and_entry(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, update, NULL);
	assert_int_equal(run_job(*state, update_nobody, NULL, NULL), STORE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(enrolments_come_back_as_they_were, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_update_leaves_sequence_and_entry, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("enrolments", tests, NULL, NULL);
}
