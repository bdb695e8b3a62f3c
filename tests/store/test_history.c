/*
 * test_history.c: what history functions ask costs as much as lies in their window, or as many different things as there were, however long the
 * history is: counted in steps of SQLite's machine, not in time.
 */
#include <sqlite3.h>

#include "../../daemon/store/inside.h"

#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define EACH (10 * US_MINUTE)
#define PAGES 20		/* different ones */
#define WINDOW (US_DAY)

struct history {
	const char *name;
	int events;
	int64_t end;
};

/* Views of some pages, one each ten minutes, as long as it takes. */
static int fill(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct history *h = arg;
	char path[32];
	int i;

	for (i = 0; i < h->events; i++) {
		snprintf(path, sizeof(path), "/page/%d", i % PAGES);
		if (events_insert(db, &(struct event_row){ .id = i + 1, .prospect = EVE, .at = US_DAY + i * EACH, .name = h->name, .subject = path,
				.data = "{}" }, err) < 0)
			return -1;
	}
	h->end = US_DAY + i * EACH;
	return 0;
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

static const struct statement *statement(const char *name)
{
	size_t count;
	struct statement *const *all = db_statements(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	fail_msg("no statement %s", name);
	return NULL;
}

/* How a statement runs: up to `max` rows (0: all). */
struct cost {
	int steps, sorts, scans;
};

static struct cost run(sqlite3 *db, const char *name, const char *subject, int64_t from, int max)
{
	sqlite3_stmt *q;
	struct cost cost;
	int rows = 0;

	assert_int_equal(sqlite3_prepare_v2(db, statement(name)->sql, -1, &q, NULL), SQLITE_OK);
	sqlite3_bind_int64(q, 1, id_bucket(EVE));
	sqlite3_bind_int64(q, 2, EVE);
	sqlite3_bind_text(q, 3, "page_view", -1, SQLITE_STATIC);
	if (subject)
		sqlite3_bind_text(q, 4, subject, -1, SQLITE_STATIC);
	else
		sqlite3_bind_int64(q, 4, from);
	while ((max == 0 || rows < max) && sqlite3_step(q) == SQLITE_ROW)
		rows++;
	cost = (struct cost){
		.steps = sqlite3_stmt_status(q, SQLITE_STMTSTATUS_VM_STEP, 0),
		.sorts = sqlite3_stmt_status(q, SQLITE_STMTSTATUS_SORT, 0),
		.scans = sqlite3_stmt_status(q, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0),
	};
	sqlite3_finalize(q);
	return cost;
}

struct costs {
	struct cost window, latest, counted, counts;
};

static struct costs costs_of(int events)
{
	struct with_store *w = with_store_new();
	struct history h = { .name = "page_view", .events = events };
	struct costs c;
	sqlite3 *db;

	open_store(w);
	do_job(w, fill, &h);
	close_store(w);
	assert_int_equal(sqlite3_open_v2(file_of(w), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	c.window = run(db, "daemon/store/events.c:tally", NULL, h.end - WINDOW, 0);
	c.latest = run(db, "daemon/store/events.c:tally", NULL, 0, 1);
	c.counted = run(db, "daemon/store/events.c:counted", "/page/7", 0, 1);
	c.counts = run(db, "daemon/store/events.c:counted", "", 0, 0);
	sqlite3_close(db);
	with_store_free(&w);
	return c;
}

static void assert_as_cheap(const char *what, struct cost a, struct cost b)
{
	if (b.steps > a.steps || a.sorts || b.sorts || a.scans || b.scans)
		fail_msg("%s: %d steps, then %d; %d sorts, %d scans", what, a.steps, b.steps, b.sorts, b.scans);
}

static void a_long_history_costs_no_more_than_a_short_one(void **state)
{
	struct costs shorter = costs_of(200), longer = costs_of(20000);

	assert_as_cheap("times in a window", shorter.window, longer.window);
	assert_as_cheap("did, since", shorter.latest, longer.latest);
	assert_as_cheap("visited a page, ever", shorter.counted, longer.counted);
	assert_as_cheap("times, ever", shorter.counts, longer.counts);
	/* and they do something */
	assert_true(longer.window.steps > WINDOW / EACH && longer.counts.steps > PAGES);
}

static int tally_all(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const struct {
		const char *subject;
		bool glob;
		int64_t count;
	} rows[] = {
		{ NULL, false, 1000 }, { "/page/7", false, 50 }, { "/page/1*", true, 550 }, { "/page/?", true, 500 }, { "/page/99", false, 0 }, { "/z*", true, 0 },
	};
	const struct history *h = arg;
	int64_t count, newest, oldest;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(events_tally(db, EVE, h->name, rows[i].subject, rows[i].glob, 0, 0, &count, &newest, &oldest, err), 0);
		assert_int_equal(count, rows[i].count);
		assert_int_equal(newest > 0, count > 0);
	}
	return 0;
}

static int remove_newest(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct history *h = arg;

	h->events--;
	return events_remove(db, &(struct event_row){ .id = h->events + 1, .prospect = EVE, .at = US_DAY + h->events * EACH, .name = h->name, .subject = "/page/0" }, err);
}

static void counts_are_those_of_the_events(void **state)
{
	/* mails are not counted beside their events */
	struct history views = { .name = "page_view", .events = 1001 }, mails = { .name = "sent", .events = 1001 };

	do_job(*state, fill, &views);
	do_job(*state, remove_newest, &views);
	do_job(*state, tally_all, &views);
	do_job(*state, fill, &mails);
	do_job(*state, remove_newest, &mails);
	do_job(*state, tally_all, &mails);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_history_costs_no_more_than_a_short_one),
		cmocka_unit_test_setup_teardown(counts_are_those_of_the_events, setup_store, teardown_store),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
