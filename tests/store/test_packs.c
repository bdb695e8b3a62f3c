/*
 * test_packs.c: hits that nothing follows from yet: each comes out once, as it went in, in the order in which they came, whatever is undone.
 */
#include "store/erase.h"

#include "../../daemon/store/inside.h"
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

static uint64_t statements(struct with_store *w)
{
	struct store_counts counts;

	store_counts(w->store, &counts);
	return counts.statements;
}

static int take_of_nobody(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct take *t = arg;

	return packs_take_of(db, (int64_t[]){ 7, 8, 9 }, 3, '\0', w->arena, &t->hits, &t->count, err);
}

static void a_look_for_those_of_a_mail_reads_no_others(void **state)
{
	struct with_store *w = *state;
	struct take t = { 0 };
	uint64_t before;

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	before = statements(w);
	assert_int_equal(run_job(w, take_of_nobody, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 0);
	assert_int_equal(statements(w) - before, 1);	/* the look at the lease */
}

/* --- what cannot be read --------------------------------------------------------------------------------------- */

STATEMENT(spoil_body, SITE, "UPDATE hit_pack SET body = CAST(x'' AS BLOB) WHERE id = ?1");
STATEMENT(spoil_form, SITE, "UPDATE hit_pack SET body = CAST(x'02' || substr(body, 2) AS BLOB) WHERE id = ?1");
STATEMENT(spoil_end, SITE, "UPDATE hit_pack SET body = substr(body, 1, length(body) - 1) WHERE id = ?1");
STATEMENT(spoil_more, SITE, "UPDATE hit_pack SET body = CAST(body || x'00' AS BLOB) WHERE id = ?1");
STATEMENT(spoil_all, SITE, "UPDATE hit_pack SET body = CAST(x'01' || zeroblob(length(body) - 1) AS BLOB) WHERE id = ?1");
STATEMENT(spoil_count, SITE, "UPDATE hit_pack SET hits = 1000000000000 WHERE id = ?1");

static struct statement *const spoilers[] = { &sql_spoil_body, &sql_spoil_form, &sql_spoil_end, &sql_spoil_more, &sql_spoil_all };

#define SPOILERS (sizeof(spoilers) / sizeof(spoilers[0]))

struct spoil { struct statement *how; int64_t id; };

static int spoil(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct spoil *s = arg;
	struct query *q = db_query(db, s->how);

	query_int(q, 1, s->id);
	return query_run(q, err) == 1 ? 0 : err_set(err, "there is no such row");
}

struct seen { int64_t damaged, alarms, theirs; };

static int look(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct seen *seen = arg;
	struct alarm *alarms;
	struct hit *hits;
	size_t count, found;

	if (packs_damaged(db, &seen->damaged, err) || alarms_since(db, 0, 10, w->arena, &alarms, &count, err) ||
			packs_look_of(db, (int64_t[]){ MAIL }, 1, w->arena, &hits, &found, err))
		return -1;
	seen->alarms = count ? alarms->times : 0;
	seen->theirs = (int64_t)found;
	return 0;
}

static struct seen see(struct with_store *w)
{
	struct seen seen = { 0 };

	assert_int_equal(read_job(w, look, &seen, NULL), STORE_COMMITTED);
	return seen;
}

static void a_damaged_row_is_set_aside_and_holds_up_nobody(void **state)
{
	struct with_store *w = *state;
	struct take t = { .max = 100 };
	size_t i;

	for (i = 0; i < SPOILERS; i++) {
		struct spoil s = { spoilers[i], (int64_t)(2 * i + 1) };

		assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
		assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
		assert_int_equal(run_job(w, spoil, &s, NULL), STORE_COMMITTED);
		assert_int_equal(see(w).theirs, 2);
		assert_int_equal(run_job(w, take_and_fail, &t, NULL), STORE_REFUSED);
		assert_int_equal(packs_waiting(w->store), 2 * ROWS);
		takes(w, 100, 0, ROWS);
		assert_int_equal(packs_waiting(w->store), 0);
		assert_int_equal(see(w).damaged, (i + 1) * ROWS);
		assert_int_equal(see(w).alarms, i + 1);
	}
}

static void a_look_for_those_of_a_mail_sets_damaged_rows_aside(void **state)
{
	struct with_store *w = *state;
	struct spoil s = { &sql_spoil_end, 1 };
	struct take t = { 0 };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, spoil, &s, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, take_clicks, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, 1);
	assert_int_equal(packs_waiting(w->store), ROWS - 1);
	assert_int_equal(see(w).damaged, ROWS);
}

static void a_damaged_row_is_no_reason_not_to_start(void **state)
{
	struct with_store *w = *state;
	struct spoil damage[] = { { &sql_spoil_form, 1 }, { &sql_spoil_count, 3 } };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, spoil, &damage[0], NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, spoil, &damage[1], NULL), STORE_COMMITTED);
	close_store(w);
	open_store(w);
	assert_int_equal(packs_waiting(w->store), ROWS);
	assert_int_equal(see(w).damaged, ROWS);		/* nobody knows how many the other had */
	assert_int_equal(see(w).alarms, 2);
	takes(w, 100, 0, ROWS);
}

/* --- several daemons ------------------------------------------------------------------------------------------- */

STATEMENT(rows_of, SITE, "SELECT COUNT(*), SUM(hits) FROM hit_pack WHERE bucket = ?1");

static int add_shared(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct driver *driver = db->driver;
	struct driver shared = *driver;
	int rc;

	shared.shares = true;
	db->driver = &shared;
	rc = packs_add(db, rows, ROWS, err);
	db->driver = driver;
	return rc;
}

static int count_rows(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct query *q = db_query(db, &sql_rows_of);
	int64_t *bucket = arg;
	int got;

	query_int(q, 1, *bucket);
	got = query_row(q, err);
	*bucket = got == 1 ? query_get_int(q, 0) * 100 + query_get_int(q, 1) : 0;
	query_done(q);
	return got < 0 ? -1 : 0;
}

static int64_t in_bucket(struct with_store *w, int64_t bucket)
{
	assert_int_equal(read_job(w, count_rows, &bucket, NULL), STORE_COMMITTED);
	return bucket;
}

/* Each works on the buckets that it holds; where one holds all, a row has hits of many. */
static void where_several_daemons_share_a_row_is_of_one_bucket(void **state)
{
	struct with_store *w = *state;
	struct take t = { .max = 100 };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(in_bucket(w, id_bucket(MAIL)), 104);
	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, add_shared, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(in_bucket(w, id_bucket(MAIL)), 103);
	assert_int_equal(in_bucket(w, id_bucket(INT64_MAX)), 101);
	assert_int_equal(run_job(w, take, &t, NULL), STORE_COMMITTED);
	assert_int_equal(t.count, ROWS);
	same(&t.hits[2], &rows[3]);
	same(&t.hits[3], &rows[1]);
}

static void a_mail_may_have_some_while_it_has(void **state)
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

#define MANY 256
#define OTHERS 100000

static int add_of_many_mails(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit *hits = arena_calloc(w->arena, MANY, sizeof(*hits));
	size_t i;

	for (i = 0; i < MANY; i++)
		hits[i] = (struct hit){ .delivery = MAIL + (int64_t)i * 7919, .kind = 'o', .at = 1, .times = 1 };
	return packs_add(db, hits, MANY, err);
}

static int count_of_others(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	size_t i;

	for (i = 0; i < OTHERS; i++)
		*(size_t *)arg += packs_may_have(db, MAIL + 1 + (int64_t)i * 7919);
	return 0;
}

/* One that is taken for one of them costs the reading of the row. */
static void few_others_pass_for_a_mail_that_has_some(void **state)
{
	struct with_store *w = *state;
	size_t passed = 0;

	assert_int_equal(run_job(w, add_of_many_mails, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, count_of_others, &passed, NULL), STORE_COMMITTED);
	assert_in_range(passed, 1, OTHERS * 4 / 100);
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

/* Whose hits a damaged row has nobody can tell. */
static void erasure_empties_what_was_set_aside(void **state)
{
	struct with_store *w = *state;
	struct spoil s = { &sql_spoil_end, 1 };

	assert_int_equal(run_job(w, add, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(run_job(w, spoil, &s, NULL), STORE_COMMITTED);
	takes(w, 100, 0, 0);
	assert_int_equal(see(w).damaged, ROWS);
	assert_int_equal(run_job(w, erase, NULL, NULL), STORE_COMMITTED);
	assert_int_equal(see(w).damaged, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(they_come_out_as_they_went_in, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(agents_are_told_apart, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_undone_did_not_happen, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(those_of_a_mail_are_taken_from_among_the_others, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_mail_may_have_some_while_it_has, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(few_others_pass_for_a_mail_that_has_some, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_restart_knows_what_waits, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(erasure_takes_theirs, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_look_for_those_of_a_mail_reads_no_others, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_set_aside_and_holds_up_nobody, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_look_for_those_of_a_mail_sets_damaged_rows_aside, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_no_reason_not_to_start, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(where_several_daemons_share_a_row_is_of_one_bucket, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(erasure_empties_what_was_set_aside, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("packs", tests, NULL, NULL);
}
