/*
 * test_hits.c: opens and clicks until their verdict.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define MAIL (EVE + 50)

static const struct hit rows[] = {
	{ .id = EVE + 1, .prospect = EVE, .delivery = MAIL, .kind = 'o', .at = 100, .agent = "Mozilla", .ip = "192.0.2.1" },
	{ .id = EVE + 2, .prospect = EVE, .delivery = MAIL, .kind = 'c', .link = 3, .at = 300, .verdict = VERDICT_HUMAN, .reasons = 5 },
	{ .id = EVE + 3, .prospect = EVE, .delivery = MAIL, .kind = 'c', .link = 1, .at = 200 },
	{ .id = EVE + 4, .prospect = EVE, .delivery = MAIL + 1, .kind = 'o', .at = 200 },
};

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (hits_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static int find(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit h;

	assert_int_equal(hits_find(db, EVE + 1, w->arena, &h, err), 1);
	assert_int_equal(h.prospect, EVE);
	assert_int_equal(h.delivery, MAIL);
	assert_int_equal(h.kind, 'o');
	assert_int_equal(h.at, 100);
	assert_string_equal(h.agent, "Mozilla");
	assert_string_equal(h.ip, "192.0.2.1");
	assert_int_equal(h.verdict, VERDICT_UNKNOWN);
	assert_int_equal(hits_find(db, EVE + 2, w->arena, &h, err), 1);
	assert_int_equal(h.kind, 'c');
	assert_int_equal(h.link, 3);
	assert_int_equal(h.verdict, VERDICT_HUMAN);
	assert_int_equal(h.reasons, 5);
	assert_string_equal(h.agent, "");
	assert_int_equal(hits_find(db, EVE + 9, w->arena, &h, err), 0);
	return 0;
}

static int of_delivery(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit *hits;
	size_t count;

	assert_int_equal(hits_of_delivery(db, MAIL, 0, w->arena, &hits, &count, err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(hits[0].id, EVE + 1);
	assert_int_equal(hits[1].id, EVE + 3);
	assert_int_equal(hits[2].id, EVE + 2);
	assert_int_equal(hits_of_delivery(db, MAIL, 200, w->arena, &hits, &count, err), 0);
	assert_int_equal(count, 2);
	return 0;
}

static int set_verdict(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit h;

	if (hits_set_verdict(db, EVE + 3, VERDICT_MACHINE, 6, err) < 0)
		return -1;
	assert_int_equal(hits_find(db, EVE + 3, w->arena, &h, err), 1);
	assert_int_equal(h.verdict, VERDICT_MACHINE);
	assert_int_equal(h.reasons, 6);
	assert_int_equal(hits_find(db, EVE + 1, w->arena, &h, err), 1);
	assert_int_equal(h.verdict, VERDICT_UNKNOWN);
	return 0;
}

static void hits_come_back_as_they_were(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, find, NULL);
}

static void those_of_a_mail_come_in_order(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, of_delivery, NULL);
}

static void a_verdict_concerns_one_hit(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, set_verdict, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hits_come_back_as_they_were, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(those_of_a_mail_come_in_order, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_verdict_concerns_one_hit, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("hits", tests, NULL, NULL);
}
