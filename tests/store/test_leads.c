/*
 * test_leads.c: leads, and what sales said of them.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define BOB (INT64_C(1) << 22 | INT64_C(900) << 12)

static const struct lead rows[] = {
	{ .id = EVE + 1, .prospect = EVE, .state = "new", .owner = "ana", .reason = "score 82", .at = 100 },
	{ .id = EVE + 2, .prospect = EVE, .state = "new", .owner = "ben", .reason = "intent pricing", .at = 300 },
	{ .id = BOB + 1, .prospect = BOB, .state = "won", .owner = "cleo", .reason = "r", .at = 200, .answered = 250, .answer = "good",
		.amount = 1200.5 },
};

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (leads_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static int look(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct lead l, *all;
	size_t count;

	assert_int_equal(leads_find(db, BOB + 1, w->arena, &l, err), 1);
	assert_int_equal(l.prospect, BOB);
	assert_string_equal(l.state, "won");
	assert_string_equal(l.owner, "cleo");
	assert_string_equal(l.reason, "r");
	assert_int_equal(l.at, 200);
	assert_int_equal(l.answered, 250);
	assert_string_equal(l.answer, "good");
	assert_true(l.amount == 1200.5);
	assert_int_equal(leads_find(db, BOB + 2, w->arena, &l, err), 0);
	assert_int_equal(leads_last(db, EVE, w->arena, &l, err), 1);
	assert_int_equal(l.id, EVE + 2);
	assert_int_equal(leads_last(db, EVE + 7, w->arena, &l, err), 0);
	assert_int_equal(leads_latest(db, 2, w->arena, &all, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(all[0].id, EVE + 2);
	assert_int_equal(all[1].id, BOB + 1);
	return 0;
}

static int answer(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct lead l = { .id = EVE + 2, .state = "rejected", .answered = 400, .answer = "no budget", .amount = 0 };

	if (leads_answer(db, &l, err) < 0)
		return -1;
	assert_int_equal(leads_find(db, EVE + 2, w->arena, &l, err), 1);
	assert_string_equal(l.state, "rejected");
	assert_string_equal(l.answer, "no budget");
	assert_int_equal(l.answered, 400);
	assert_string_equal(l.owner, "ben");
	assert_int_equal(leads_find(db, EVE + 1, w->arena, &l, err), 1);
	assert_string_equal(l.state, "new");
	return 0;
}

static int answer_nobody(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return leads_answer(db, &(struct lead){ .id = EVE + 77, .state = "won" }, err);
}

static void leads_come_back_as_they_were(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, look, NULL);
	assert_int_equal(read_job(*state, look, NULL, NULL), STORE_COMMITTED);
}

static void an_answer_concerns_one_lead(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, answer, NULL);
	assert_int_equal(run_job(*state, answer_nobody, NULL, NULL), STORE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(leads_come_back_as_they_were, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_answer_concerns_one_lead, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("leads", tests, NULL, NULL);
}
