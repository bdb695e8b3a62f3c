/*
 * test_hits.c: opens and clicks until their verdict.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define MAIL (EVE + 50)

static const struct hit rows[] = {
	{ .id = EVE + 1, .prospect = EVE, .delivery = MAIL, .kind = 'o', .at = 100, .times = 1, .agent = "Mozilla", .ip = "192.0.2.1" },
	{ .id = EVE + 2, .prospect = EVE, .delivery = MAIL, .kind = 'c', .link = 3, .at = 300, .traits = HIT_ACCEPT | HIT_CROWD, .times = 7,
		.verdict = VERDICT_HUMAN, .reasons = 5, .settled = 400, .event = EVE + 9 },
	{ .id = EVE + 3, .prospect = EVE, .delivery = MAIL, .kind = 'c', .link = 1, .at = 200, .times = 1 },
	{ .id = EVE + 4, .prospect = EVE, .delivery = MAIL + 1, .kind = 'o', .at = 200, .times = 1 },
};

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (hits_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static int of_delivery(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit *hits;
	size_t count;
	int64_t all;

	assert_int_equal(hits_of_delivery(db, MAIL, 0, w->arena, &hits, &count, err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(hits[0].id, EVE + 1);
	assert_int_equal(hits[0].prospect, EVE);
	assert_int_equal(hits[0].delivery, MAIL);
	assert_int_equal(hits[0].kind, 'o');
	assert_int_equal(hits[0].at, 100);
	assert_string_equal(hits[0].agent, "Mozilla");
	assert_string_equal(hits[0].ip, "192.0.2.1");
	assert_int_equal(hits[0].verdict, VERDICT_UNKNOWN);
	assert_int_equal(hits[1].id, EVE + 3);
	assert_int_equal(hits[2].id, EVE + 2);
	assert_int_equal(hits[2].link, 3);
	assert_int_equal(hits[2].traits, HIT_ACCEPT | HIT_CROWD);
	assert_int_equal(hits[2].times, 7);
	assert_int_equal(hits[2].verdict, VERDICT_HUMAN);
	assert_int_equal(hits[2].reasons, 5);
	assert_int_equal(hits[2].settled, 400);
	assert_int_equal(hits[2].event, EVE + 9);
	assert_string_equal(hits[2].agent, "");
	assert_int_equal(hits_of_delivery(db, MAIL, 200, w->arena, &hits, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(hits_count(db, MAIL, &all, err), 0);
	assert_int_equal(all, 3);
	return 0;
}

static int update(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit new = rows[2], *hits;
	size_t count;

	new.traits = HIT_CAME_BACK;
	new.times = 3;
	new.verdict = VERDICT_MACHINE;
	new.reasons = 6;
	new.settled = 290;
	new.event = EVE + 8;
	if (hits_update(db, &new, err) < 0 || hits_of_delivery(db, MAIL, 0, w->arena, &hits, &count, err) < 0)
		return -1;
	assert_int_equal(hits[0].verdict, VERDICT_UNKNOWN);
	assert_int_equal(hits[1].traits, HIT_CAME_BACK);
	assert_int_equal(hits[1].times, 3);
	assert_int_equal(hits[1].verdict, VERDICT_MACHINE);
	assert_int_equal(hits[1].reasons, 6);
	assert_int_equal(hits[1].settled, 290);
	assert_int_equal(hits[1].event, EVE + 8);
	return 0;
}

static int pages(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t *mails;
	size_t count;

	assert_int_equal(hits_deliveries(db, 5, 0, 0, 1, w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(mails[0], MAIL);
	assert_int_equal(hits_deliveries(db, 5, MAIL, 0, 10, w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(mails[0], MAIL + 1);
	assert_int_equal(hits_deliveries(db, 5, 0, 250, 10, w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(hits_deliveries(db, 6, 0, 0, 10, w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 0);
	return 0;
}

static int sums(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const struct hit_sum added[] = {
		{ "ebook", "mistakes", "three-mistakes", 'c', VERDICT_HUMAN, 20000, MAIL, 1 },
		{ "ebook", "mistakes", "three-mistakes", 'c', VERDICT_HUMAN, 20001, MAIL, 2 },
		{ "ebook", "mistakes", "three-mistakes", 'c', VERDICT_HUMAN, 20001, MAIL, -1 },
		{ "ebook", "mistakes", "three-mistakes", 'o', VERDICT_MACHINE, 20000, MAIL, 1 },
		{ "other", "step", "mail", 'o', VERDICT_HUMAN, 20000, MAIL, 1 },
	};
	int64_t opened[VERDICTS] = { 0 }, clicked[VERDICTS] = { 0 };
	struct hit_sum *got;
	size_t count, i;

	for (i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
		if (hit_days_add(db, &added[i], err) < 0)
			return -1;
	}
	assert_int_equal(hit_days_of(db, "ebook", w->arena, &got, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(got[0].kind, 'c');
	assert_int_equal(got[0].verdict, VERDICT_HUMAN);
	assert_int_equal(got[0].mails, 2);
	assert_string_equal(got[0].template, "three-mistakes");
	assert_int_equal(got[1].kind, 'o');
	assert_int_equal(hit_days_of(db, NULL, w->arena, &got, &count, err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(hit_days_since(db, 20001, opened, clicked, err), 0);
	assert_int_equal(clicked[VERDICT_HUMAN], 1);
	assert_int_equal(opened[VERDICT_HUMAN] + opened[VERDICT_MACHINE], 0);
	assert_int_equal(hit_days_since(db, 20000, opened, clicked, err), 0);
	assert_int_equal(clicked[VERDICT_HUMAN], 2);
	assert_int_equal(opened[VERDICT_HUMAN], 1);
	assert_int_equal(opened[VERDICT_MACHINE], 1);
	return 0;
}

static void those_of_a_mail_come_back_in_order(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, of_delivery, NULL);
}

static void what_becomes_of_a_hit_concerns_it_alone(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, update, NULL);
}

static void mails_with_hits_come_in_pages(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, pages, NULL);
}

static void mails_are_counted_by_their_verdict(void **state)
{
	do_job(*state, sums, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_of_a_mail_come_back_in_order, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_becomes_of_a_hit_concerns_it_alone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(mails_with_hits_come_in_pages, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(mails_are_counted_by_their_verdict, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("hits", tests, NULL, NULL);
}
