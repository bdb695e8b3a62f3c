/*
 * test_events.c: what the history functions ask: how often, since when, which page; and the events of one person in order.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define BOB (EVE + 1)

static const struct event_row rows[] = {
	{ .id = 1, .prospect = EVE, .at = 100, .name = "page_view", .subject = "/pricing", .data = "{\"a\":1}", .points = 15 },
	{ .id = 2, .prospect = EVE, .at = 200, .name = "page_view", .subject = "/compare/us-and-them", .points = 0 },
	{ .id = 3, .prospect = EVE, .at = 200, .name = "page_view", .subject = "/compare", .points = 1.5 },
	{ .id = 4, .prospect = EVE, .at = 150, .name = "click", .subject = "three-mistakes" },
	{ .id = 5, .prospect = EVE, .at = 300, .name = "reply" },
	{ .id = 6, .prospect = BOB, .at = 400, .name = "page_view", .subject = "/pricing" },
};

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (events_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static const struct {
	const char *name, *subject;
	bool glob;
	int64_t from, limit, count, newest, oldest;
} tallies[] = {
	{ "page_view", NULL, false, 1, 0, 3, 200, 100 },
	{ "page_view", NULL, false, 0, 0, 3, 200, 0 },		/* of all times: no oldest */
	{ "page_view", NULL, false, 101, 0, 2, 200, 200 },
	{ "page_view", NULL, false, 100, 0, 3, 200, 100 },
	{ "page_view", NULL, false, 0, 2, 2, 200, 200 },
	{ "page_view", NULL, false, 201, 0, 0, 0, 0 },
	{ "page_view", "/pricing", false, 0, 0, 1, 100, 0 },
	{ "page_view", "/compare", false, 0, 0, 1, 200, 0 },
	{ "page_view", "/compare*", true, 0, 0, 2, 200, 0 },
	{ "page_view", "/compare*", false, 0, 0, 0, 0, 0 },
	{ "page_view", "/p*", true, 0, 1, 1, 100, 0 },
	{ "page_view", "*us*", true, 0, 0, 1, 200, 0 },
	{ "page_view", "*", true, 0, 0, 3, 200, 0 },
	{ "page_view", "/compare?us*", true, 0, 0, 1, 200, 0 },
	{ "page_view", "/compare*", true, 1, 0, 2, 200, 200 },
	{ "page_view", "/pricing", false, 101, 0, 0, 0, 0 },
	{ "page_view", "/pricing", false, 50, 1, 1, 100, 100 },
	{ "click", "three-mistakes", false, 0, 0, 1, 150, 0 },
	{ "open", NULL, false, 0, 0, 0, 0, 0 },
};

static int tally(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(tallies) / sizeof(tallies[0]); i++) {
		int64_t count, newest, oldest;

		if (events_tally(db, EVE, tallies[i].name, tallies[i].subject, tallies[i].glob, tallies[i].from, tallies[i].limit,
				&count, &newest, &oldest, err) < 0)
			return -1;
		if (count != tallies[i].count || newest != tallies[i].newest || oldest != tallies[i].oldest)
			return err_set(err, "row %zu: %d from %d to %d", i, (int)count, (int)oldest, (int)newest);
	}
	return 0;
}

static void assert_ids(const struct event_row *events, size_t count, const int *ids, size_t expected)
{
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(events[i].id, ids[i]);
}

static int latest(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const char *const names[] = { "page_view", "reply", NULL }, *const none[] = { NULL };
	struct event_row *events;
	size_t count;

	assert_int_equal(events_latest(db, EVE, NULL, 10, w->arena, &events, &count, err), 0);
	assert_ids(events, count, (const int[]){ 5, 3, 2, 4, 1 }, 5);
	assert_int_equal(events_latest(db, EVE, NULL, 2, w->arena, &events, &count, err), 0);
	assert_ids(events, count, (const int[]){ 5, 3 }, 2);
	assert_int_equal(events_latest(db, EVE, names, 3, w->arena, &events, &count, err), 0);
	assert_ids(events, count, (const int[]){ 5, 3, 2 }, 3);
	assert_int_equal(events_latest(db, EVE, names, 100, w->arena, &events, &count, err), 0);
	assert_ids(events, count, (const int[]){ 5, 3, 2, 1 }, 4);
	assert_int_equal(events_latest(db, EVE, none, 5, w->arena, &events, &count, err), 0);
	assert_int_equal(count, 0);
	return 0;
}

static int in_order(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct event_row *events;
	size_t count;

	assert_int_equal(events_all(db, EVE, w->arena, &events, &count, err), 0);
	assert_ids(events, count, (const int[]){ 1, 4, 2, 3, 5 }, 5);
	assert_int_equal(events[0].prospect, EVE);
	assert_int_equal(events[0].at, 100);
	assert_string_equal(events[0].name, "page_view");
	assert_string_equal(events[0].subject, "/pricing");
	assert_string_equal(events[0].data, "{\"a\":1}");
	assert_true(events[0].points == 15 && events[3].points == 1.5);
	assert_string_equal(events[1].data, "{}");
	assert_string_equal(events[4].subject, "");
	return 0;
}

static void tallies_count_one_persons_events_in_a_window(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, tally, NULL);
	assert_int_equal(read_job(*state, tally, NULL, NULL), STORE_COMMITTED);
}

static int prune(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t count, newest, oldest;

	assert_int_equal(events_prune(db, id_bucket(EVE), 200, err), 0);
	assert_int_equal(events_tally(db, EVE, "page_view", NULL, false, 0, 0, &count, &newest, &oldest, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(events_tally(db, EVE, "page_view", "/pricing", false, 0, 1, &count, &newest, &oldest, err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(events_tally(db, EVE, "page_view", "/c*", true, 0, 0, &count, &newest, &oldest, err), 0);
	assert_int_equal(count, 2);
	return 0;
}

static void what_is_forgotten_is_not_counted(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, prune, NULL);
}

static void the_latest_come_first(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, latest, NULL);
}

static void all_come_in_the_order_in_which_they_took_effect(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, in_order, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tallies_count_one_persons_events_in_a_window, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_counted, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_latest_come_first, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(all_come_in_the_order_in_which_they_took_effect, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
