/*
 * test_packs.c: hits that nothing follows from yet: each comes out once, as it went in, in the order in which they came, whatever is undone.
 */
#include "store/erase.h"

#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define MAIL (EVE + 50)

static const struct hit rows[] = {
	{ .delivery = MAIL, .kind = 'o', .at = INT64_C(1700000000000000), .times = 1, .agent = "Mozilla", .ip = "192.0.2.1" },
	{ .delivery = INT64_MAX, .kind = 'c', .link = HIT_HONEYPOT, .at = INT64_C(1700000000000007), .times = 3000, .traits = HIT_HEAD | HIT_LANGUAGE,
		.agent = "", .ip = "2001:db8::1" },
	{ .delivery = MAIL, .kind = 'c', .link = 3, .at = INT64_C(1600000000000000), .times = 1, .agent = "Mozilla", .ip = "" },	/* the clock stepped back */
	{ .delivery = MAIL + 1, .kind = 'u', .at = INT64_C(1700000000000009), .times = INT64_MAX, .agent = "\xc3\xa4 \xff", .ip = "192.0.2.1" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void same(const struct hit *got, const struct hit *was)
{
	assert_int_equal(got->delivery, was->delivery);
	assert_int_equal(got->kind, was->kind);
	assert_int_equal(got->link, was->link);
	assert_int_equal(got->at, was->at);
	assert_int_equal(got->times, was->times);
	assert_int_equal(got->traits, was->traits);
	assert_string_equal(got->ip, was->ip);
	assert_string_equal(got->agent, was->agent);
}

static int add(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return packs_add(db, rows, ROWS, err);
}

struct take { size_t max, count; struct hit *hits; };

static int take(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct take *t = arg;

	return packs_take(db, t->max, w->arena, &t->hits, &t->count, err);
}

/* Takes up to max, which are these. */
static void takes(struct with_store *w, size_t max, size_t first, size_t count)
{
	struct take t = { .max = max };
	size_t i;

	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, count);
	for (i = 0; i < count; i++)
		same(&t.hits[i], &rows[(first + i) % ROWS]);
}

static void they_come_out_as_they_went_in(void **state)
{
	struct with_store *w = *state;

	takes(w, 10, 0, 0);
	assert_int_equal(packs_waiting(w->store), 0);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(packs_waiting(w->store), 2 * ROWS);
	takes(w, 3, 0, 3);		/* a part of the first row */
	takes(w, 4, 3, 1);		/* the rest of it: the second does not fit */
	assert_int_equal(packs_waiting(w->store), ROWS);
	takes(w, 100, 0, ROWS);
	takes(w, 100, 0, 0);
	assert_int_equal(packs_waiting(w->store), 0);
}

/* More agents than are named by their place, and a row of many. */
static int add_many(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit *hits = arena_calloc(w->arena, 500, sizeof(*hits));
	size_t i;

	for (i = 0; i < 500; i++)
		hits[i] = (struct hit){ .delivery = (int64_t)i, .kind = 'o', .at = (int64_t)(i * 1000), .times = 1, .ip = "",
			.agent = arena_printf(w->arena, "agent %zu", i % 100) };
	*(struct hit **)arg = hits;
	return packs_add(db, hits, 500, err);
}

static void agents_are_told_apart(void **state)
{
	struct with_store *w = *state;
	struct take t = { .max = 500 };
	struct hit *hits;
	size_t i;

	assert_int_equal(run_job(w, add_many, &hits, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 500);
	for (i = 0; i < 500; i++)
		same(&t.hits[i], &hits[i]);
}

static int add_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return packs_add(db, rows, ROWS, err) < 0 ? -1 : err_set(err, "on purpose");
}

static int take_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return take(w, db, arg, err) < 0 ? -1 : err_set(err, "on purpose");
}

static void what_is_undone_did_not_happen(void **state)
{
	struct with_store *w = *state;
	struct take t = { .max = 3 };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add_and_fail, NULL, NULL), STORE_REFUSED);
	assert_int_equal(run_job(w, take_and_fail, &t, NULL), STORE_REFUSED);
	assert_int_equal(packs_waiting(w->store), ROWS);
	takes(w, 1, 0, 1);
	assert_int_equal(packs_waiting(w->store), ROWS - 1);
	takes(w, 100, 1, ROWS - 1);
	assert_int_equal(packs_waiting(w->store), 0);
}

/* Fails where it may not. */
static int may_have(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return packs_may_have(db, *(int64_t *)arg) ? 0 : err_set(err, "no");
}

static bool has(struct with_store *w, int64_t mail)
{
	return run_job(w, may_have, &mail, NULL) == STORE_COMMITTED;
}

static int take_clicks(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const int64_t mails[] = { MAIL, 7 };
	struct take *t = arg;

	return packs_take_of(db, mails, 2, 'c', w->arena, &t->hits, &t->count, err);
}

static void those_of_a_mail_are_taken_from_among_the_others(void **state)
{
	struct with_store *w = *state;
	struct take t = { 0 };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, take_clicks, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 2);
	same(&t.hits[0], &rows[2]);
	same(&t.hits[1], &rows[2]);
	assert_int_equal(packs_waiting(w->store), 2 * ROWS - 2);
	t.max = 100;
	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 2 * ROWS - 2);
	same(&t.hits[0], &rows[0]);
	same(&t.hits[1], &rows[1]);
	same(&t.hits[2], &rows[3]);
	same(&t.hits[5], &rows[3]);
}

static void a_mark_stays_while_any_wait(void **state)
{
	struct with_store *w = *state;

	assert_false(has(w, MAIL));
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_true(has(w, MAIL));
	assert_true(has(w, MAIL + 1));
	assert_false(has(w, 7));
	takes(w, 100, 0, ROWS);
	assert_false(has(w, MAIL));
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, take_and_fail, &(struct take){ .max = 100 }, NULL), STORE_REFUSED);
	close_store(w);
	open_store(w);
	assert_true(has(w, MAIL));
}

static void a_restart_knows_what_waits(void **state)
{
	struct with_store *w = *state;

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	close_store(w);
	open_store(w);
	assert_int_equal(packs_waiting(w->store), ROWS);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	takes(w, 100, 0, 2 * ROWS);
}

static int put_mail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, &(struct delivery){ .id = MAIL, .prospect = EVE, .state = DELIVERY_SENT, .sequence = "", .step = "", .template = "t",
		.address = "eve@b.example", .download = "", .reply = "", .relay_id = "", .arm = "" }, err);
}

static int erase(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return erase_person(db, &(struct prospect){ .id = EVE, .address = "eve@b.example", .key = "eve@b.example" }, err);
}

static void erasure_takes_theirs(void **state)
{
	struct with_store *w = *state;
	struct take t = { .max = 100 };

	assert_int_equal(run_job(w, put_mail, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, erase, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 2);
	same(&t.hits[0], &rows[1]);
	same(&t.hits[1], &rows[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(they_come_out_as_they_went_in, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(agents_are_told_apart, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_undone_did_not_happen, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(those_of_a_mail_are_taken_from_among_the_others, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_mark_stays_while_any_wait, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_restart_knows_what_waits, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(erasure_takes_theirs, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("packs", tests, NULL, NULL);
}
