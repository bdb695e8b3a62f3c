/*
 * test_claims.c: the claims of a transaction in one row: what that says after a crash of those that ended, came back, or were written about meanwhile;
 * what becomes of it when a job fails; that nothing of somebody stays in it; and one that cannot be read.
 */
#include <sqlite3.h>

#include "store/db.h"
#include "store/erase.h"

#include "with_store.h"

#include "../../daemon/store/inside.h"

#define NOW (INT64_C(1800000000) * US_SECOND)
#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define BOB (EVE + 1)
#define ID(n) (EVE + 10 + (n))

static struct delivery make(int n, enum delivery_state state)
{
	return (struct delivery){ .id = ID(n), .prospect = EVE, .kind = DELIVERY_STEP, .state = state, .enrolment = 3, .sequence = "ebook", .step = "deliver",
		.template = "ebook-delivery", .arm = "b", .address = "eve@example.com", .download = "a.pdf", .ref = 4, .attempt = 2, .planned = 5, .done = 6,
		.code = 250, .reply = "2.0.0 Ok", .relay_id = "4Xk" };
}

static int put(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, arg, err);
}

static int claim(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return sending_insert(db, arg, err);
}

static int claim_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return claim(w, db, arg, err) < 0 ? -1 : err_set(err, "and something else fails");
}

static int dot(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;

	return sending_dot(db, d->id, err) == 1 ? 0 : -1;
}

/* As all do that end one: the claim goes, then its row says what became of it. */
static int end(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;

	return sending_end(db, d->id, err) == 1 ? deliveries_put(db, d, err) : err_set(err, "it is not claimed");
}

static int end_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return end(w, db, arg, err) < 0 ? -1 : err_set(err, "and something else fails");
}

static int end_alone(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;

	return sending_end(db, d->id, err) == 1 ? 0 : -1;
}

static int end_and_claim(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery d = *(struct delivery *)arg;

	d.state = DELIVERY_DEFERRED;
	return end(w, db, &d, err) || sending_insert(db, &d, err) ? -1 : 0;
}

static void do_together(struct with_store *w, const job_fn *fns, struct delivery *d, size_t count)
{
	struct waited_job jobs[8] = { { .fn = NULL } };
	size_t i;

	for (i = 0; i < count; i++)
		jobs[i] = (struct waited_job){ .fn = fns[i], .arg = &d[i] };
	run_jobs(w, jobs, count, STORE_NORMAL);
}

struct claims_of { struct delivery *mails; size_t count; };

static int claim_all(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct claims_of *c = arg;
	int rc = 0;
	size_t i;

	for (i = 0; i < c->count && rc == 0; i++)
		rc = sending_insert(db, &c->mails[i], err);
	return rc;
}

/* In one transaction, for sure. */
static void claim_together(struct with_store *w, struct delivery *d, size_t count)
{
	do_job(w, claim_all, &(struct claims_of){ d, count });
}

/* "1. 2d ": those under way, a '.' or a 'd' for its dot. */
static int list(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery *rows, one;
	struct buf *said = arg;
	size_t count, i;

	if (sending_of(db, EVE, w->arena, &rows, &count, err) < 0)
		return -1;
	buf_reset(said);
	for (i = 0; i < count; i++) {
		buf_printf(said, "%d%s ", (int)(rows[i].id - ID(0)), rows[i].state == DELIVERY_DOT ? "d" : ".");
		assert_int_equal(sending_find(db, rows[i].id, w->arena, &one, err), 1);
		assert_int_equal(one.state, rows[i].state);
		assert_string_equal(one.address, "eve@example.com");
	}
	return 0;
}

/* The writer knows them, and a reader finds the same in the tables. */
static void assert_under_way(struct with_store *w, const char *expected)
{
	struct buf known = BUF_INIT, found = BUF_INIT;

	do_job(w, list, &known);
	assert_int_equal(read_job(w, list, &found, NULL), STORE_COMMITTED);
	assert_string_equal(buf_cstr(&known), expected);
	assert_string_equal(buf_cstr(&found), expected);
	buf_clear(&known);
	buf_clear(&found);
}

static void assert_left(struct with_store *w, const char *expected)
{
	assert_under_way(w, expected);
	/* kill -9: nothing more is written */
	close_store(w);
	open_store(w);
	assert_under_way(w, expected);
}

static int64_t rows_of(struct with_store *w)
{
	return ask_file(w, "SELECT COUNT(*) FROM sending");
}

static int setup(void **state)
{
	clock_set(NOW);
	return setup_store(state);
}

static int teardown(void **state)
{
	clock_set(0);
	return teardown_store(state);
}

/* --- ends ---------------------------------------------------------------------------------------------------------- */

static void claims_are_one_row_which_goes_with_the_last_of_them(void **state)
{
	struct with_store *w = *state;
	struct delivery d[3] = { make(1, DELIVERY_SENT), make(2, DELIVERY_UNKNOWN), make(3, DELIVERY_FAILED) };
	int64_t size;

	claim_together(w, d, 3);
	assert_int_equal(rows_of(w), 1);
	assert_under_way(w, "1. 2. 3. ");
	size = ask_file(w, "SELECT length(claims) FROM sending");
	do_job(w, end, &d[0]);
	assert_under_way(w, "2. 3. ");
	do_job(w, end, &d[1]);
	assert_under_way(w, "3. ");
	/* their rows in `delivery` say it */
	assert_int_equal(ask_file(w, "SELECT length(claims) FROM sending"), size);
	do_job(w, end, &d[2]);
	assert_under_way(w, "");
	assert_int_equal(rows_of(w), 0);
}

static void what_has_ended_stays_so_after_a_crash(void **state)
{
	struct with_store *w = *state;
	struct delivery d[4] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT), make(3, DELIVERY_SUPPRESSED), make(4, DELIVERY_FAILED) };

	claim_together(w, d, 4);
	do_job(w, dot, &d[0]);
	do_job(w, dot, &d[3]);
	do_job(w, end, &d[0]);
	do_job(w, end, &d[2]);
	assert_left(w, "2. 4d ");
	/* out of the row, too, which was read anyway */
	assert_int_equal(ask_file(w, "SELECT length(claims) FROM sending") < 500, 1);
	do_job(w, end, &d[1]);
	do_job(w, end, &d[3]);
	assert_left(w, "");
	assert_int_equal(rows_of(w), 0);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM dot"), 0);
}

/* All of them ended, and before that could be written the process was killed: not possible, as it is the same transaction; but a row may be left. */
static void a_row_of_which_all_have_ended_goes_at_the_start(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT) };
	sqlite3 *db;

	claim_together(w, d, 2);
	do_job(w, end, &d[0]);
	close_store(w);
	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE kept AS SELECT * FROM sending", NULL, NULL, NULL), SQLITE_OK);
	open_store(w);
	do_job(w, end, &d[1]);
	close_store(w);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO sending SELECT * FROM kept; DROP TABLE kept", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(rows_of(w), 1);
	open_store(w);
	assert_under_way(w, "");
	assert_int_equal(rows_of(w), 0);
}

static void go_back(struct with_store *w, enum delivery_state as)
{
	struct delivery d[3] = { make(1, as), make(2, DELIVERY_SENT), make(3, as) };

	/* one of them was planned before, too */
	do_job(w, put, &d[2]);
	claim_together(w, d, 3);
	do_job(w, end, &d[0]);
	do_job(w, end, &d[2]);
	assert_left(w, "2. ");
	/* and may be claimed once more, in another row */
	do_job(w, claim, &d[0]);
	assert_left(w, "1. 2. ");
	assert_int_equal(rows_of(w), 2);
	d[0].state = DELIVERY_SENT;
	do_job(w, end, &d[0]);
	assert_left(w, "2. ");
	do_job(w, end, &d[1]);
	assert_left(w, "");
}

/* What goes back to the queue has a row in `delivery` that does not say that it was claimed and is no more. */
static void what_went_back_is_not_under_way_after_a_crash(void **state)
{
	go_back(*state, DELIVERY_PLANNED);
}

static void what_was_deferred_is_not_under_way_after_a_crash(void **state)
{
	go_back(*state, DELIVERY_DEFERRED);
}

static void an_end_that_nothing_tells_is_one_all_the_same(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT) };

	claim_together(w, d, 2);
	do_job(w, end_alone, &d[0]);
	assert_left(w, "2. ");
}

/* In doubt, and sent once more by hand, while the row that it was claimed with is still there for another mail. */
static void what_is_sent_once_more_is_claimed_once(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_UNKNOWN), make(2, DELIVERY_SENT) };

	claim_together(w, d, 2);
	do_job(w, dot, &d[0]);
	do_job(w, end, &d[0]);
	d[0].state = DELIVERY_DEFERRED;
	do_job(w, put, &d[0]);
	assert_left(w, "2. ");
	do_job(w, claim, &d[0]);
	assert_left(w, "1. 2. ");
	/* and all of it in one transaction */
	d[0].state = DELIVERY_UNKNOWN;
	do_together(w, (const job_fn[]){ end, put }, (struct delivery[]){ d[0], make(1, DELIVERY_DEFERRED) }, 2);
	assert_left(w, "2. ");
	do_job(w, claim, &d[0]);
	do_job(w, end_and_claim, &d[0]);
	assert_left(w, "1. 2. ");
	do_job(w, end_and_claim, &d[1]);
	assert_left(w, "1. 2. ");
	do_job(w, end, &d[0]);
	do_job(w, end, &d[1]);
	assert_left(w, "");
	assert_int_equal(rows_of(w), 0);
}

/* A report of a bounce that was faster than the relay's reply: the mail has not ended, or nobody would go on with its sequence. */
static void what_is_written_of_a_mail_under_way_does_not_end_it(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_FAILED), make(2, DELIVERY_SENT) };

	claim_together(w, d, 2);
	do_job(w, dot, &d[0]);
	do_job(w, put, &d[0]);
	do_job(w, dot, &d[1]);
	assert_left(w, "1d 2d ");
	do_job(w, put, &d[0]);
	assert_left(w, "1d 2d ");
	d[0].state = DELIVERY_SENT;
	do_job(w, end, &d[0]);
	assert_left(w, "2d ");
	do_job(w, end, &d[1]);
	assert_left(w, "");
}

/* --- what fails ----------------------------------------------------------------------------------------------------- */

static void what_a_job_did_before_it_failed_is_taken_back(void **state)
{
	static const job_fn claims[] = { claim, claim_and_fail, claim, claim_and_fail }, ends[] = { end_and_fail, end, end_and_fail, put };
	struct with_store *w = *state;
	struct delivery d[4] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT), make(3, DELIVERY_SENT), make(4, DELIVERY_SENT) };

	do_together(w, claims, d, 4);
	assert_left(w, "1. 3. ");
	do_job(w, claim, &d[1]);
	do_together(w, ends, d, 4);
	assert_left(w, "1. 3. ");
	assert_int_equal(run_job(w, end_and_fail, &d[0], NULL), STORE_REFUSED);
	assert_left(w, "1. 3. ");
	do_together(w, (const job_fn[]){ end, end_and_fail }, (struct delivery[]){ d[0], d[2] }, 2);
	assert_left(w, "3. ");
	do_job(w, end, &d[2]);
	assert_left(w, "");
	assert_int_equal(rows_of(w), 0);
}

static int end_and_claim_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return end_and_claim(w, db, arg, err) < 0 ? -1 : err_set(err, "and something else fails");
}

static void so_is_a_claim_that_took_the_place_of_another(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT) };

	claim_together(w, d, 2);
	do_job(w, dot, &d[0]);
	assert_int_equal(run_job(w, end_and_claim_and_fail, &d[0], NULL), STORE_REFUSED);
	assert_left(w, "1d 2. ");
	claim_together(w, (struct delivery[]){ make(3, DELIVERY_SENT), make(4, DELIVERY_SENT) }, 2);
	assert_left(w, "1d 2. 3. 4. ");
}

static void a_mail_is_claimed_once(void **state)
{
	struct with_store *w = *state;
	struct delivery d = make(1, DELIVERY_PLANNED);
	struct err err;

	do_job(w, claim, &d);
	assert_int_equal(run_job(w, claim, &d, &err), STORE_REFUSED);
	assert_string_equal(err.text, "the mail is claimed already");
	assert_left(w, "1. ");
}

static int claim_named(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery d = make(1, DELIVERY_PLANNED);

	d.step = arg;
	return sending_insert(db, &d, err);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	struct with_store *w = *state;
	char *name = xcalloc(70000, 1);
	struct err err;

	memset(name, 'x', 65536);
	assert_int_equal(run_job(w, claim_named, name, &err), STORE_REFUSED);
	assert_string_equal(err.text, "a mail has a name of more than 65535 bytes");
	name[65535] = '\0';
	do_job(w, claim_named, name);
	assert_left(w, "1. ");
	free(name);
}

/* --- erasure -------------------------------------------------------------------------------------------------------- */

static int erase(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return erase_person(db, &(struct prospect){ .id = EVE, .key = "eve@example.com" }, err);
}

/* Whether that is anywhere in the file. */
static bool is_in_file(struct with_store *w, const char *words)
{
	char *data = xmalloc(32 << 20);
	FILE *f = fopen(file_of(w), "re");
	size_t len;
	bool found;

	assert_non_null(f);
	len = fread(data, 1, 32 << 20, f);
	fclose(f);
	found = memmem(data, len, words, strlen(words)) != NULL;
	free(data);
	return found;
}

static void nothing_of_somebody_who_was_erased_is_left_in_a_row(void **state)
{
	struct with_store *w = *state;
	struct delivery d[3] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT), make(3, DELIVERY_SENT) };

	d[1].prospect = BOB;
	d[1].address = "bob@example.net";
	claim_together(w, d, 3);
	do_job(w, end, &d[0]);
	do_job(w, end, &d[2]);
	assert_int_equal(ask_file(w, "SELECT instr(claims, CAST('eve@example.com' AS BLOB)) > 0 FROM sending"), 1);
	do_job(w, erase, NULL);
	assert_int_equal(ask_file(w, "SELECT instr(claims, CAST('eve@example.com' AS BLOB)) > 0 FROM sending"), 0);
	assert_int_equal(ask_file(w, "SELECT instr(claims, CAST('bob@example.net' AS BLOB)) > 0 FROM sending"), 1);
	close_store(w);
	assert_false(is_in_file(w, "eve@example.com"));
	assert_true(is_in_file(w, "bob@example.net"));
	open_store(w);
	do_job(w, end, &d[1]);
	assert_int_equal(rows_of(w), 0);
}

/* --- what cannot be read -------------------------------------------------------------------------------------------- */

static int alarms(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct alarm *rows;
	int64_t *times = arg;
	size_t count, i;

	if (alarms_since(db, 0, 10, w->arena, &rows, &count, err) < 0)
		return -1;
	*times = 0;
	for (i = 0; i < count; i++)
		if (strcmp(rows[i].kind, "sending") == 0 && strcmp(rows[i].what, "damaged") == 0)
			*times = rows[i].times;
	return 0;
}

static void change(struct with_store *w, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_damaged_row_is_told_at_each_start_and_goes_with_an_erasure(void **state)
{
	static const char *const spoilers[] = {
		"UPDATE sending SET claims = CAST(x'' AS BLOB)",
		"UPDATE sending SET claims = CAST(x'02' || substr(claims, 2) AS BLOB)",
		"UPDATE sending SET claims = substr(claims, 1, length(claims) - 1)",
		"UPDATE sending SET claims = CAST(claims || x'00' AS BLOB)",
		"UPDATE sending SET claims = CAST(x'0102000000' || zeroblob(length(claims) - 5) AS BLOB)",
	};
	struct with_store *w = *state;
	int64_t times, before = 0;
	size_t i;

	for (i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++) {
		struct delivery d[3] = { make(1, DELIVERY_SENT), make(2, DELIVERY_SENT), make(3 + (int)i, DELIVERY_SENT) };

		claim_together(w, d, 2);
		close_store(w);
		change(w, spoilers[i]);
		open_store(w);
		do_job(w, alarms, &times);
		assert_int_equal(times, before + 1);
		/* it holds up nobody */
		do_job(w, claim, &d[2]);
		assert_under_way(w, arena_printf(w->arena, "%d. ", 3 + (int)i));
		close_store(w);
		open_store(w);
		do_job(w, alarms, &times);
		assert_int_equal(times, before + 2);
		before = times;
		do_job(w, end, &d[2]);
		assert_int_equal(rows_of(w), 1);
		do_job(w, erase, NULL);
		assert_int_equal(rows_of(w), 0);
	}
}

/* --- several daemons ------------------------------------------------------------------------------------------------ */

static int claim_shared(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct driver *driver = db->driver;
	struct driver shared = *driver;
	int64_t ids[4] = { 1 << 12 | 7, 2 << 12 | 7, 1 << 12 | 8, 2 << 12 | 8 };
	int i, rc = 0;

	shared.shares = true;
	db->driver = &shared;
	for (i = 0; i < 4 && rc == 0; i++) {
		struct delivery d = make(0, DELIVERY_PLANNED);

		d.id = ids[i];
		rc = sending_insert(db, &d, err);
	}
	db->driver = driver;
	return rc;
}

/* Each works on the buckets that it holds; where one holds all, a row has mails of many. */
static void where_several_daemons_share_a_row_is_of_one_bucket(void **state)
{
	struct with_store *w = *state;

	do_job(w, claim_shared, NULL);
	assert_int_equal(rows_of(w), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(claims_are_one_row_which_goes_with_the_last_of_them, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_ended_stays_so_after_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(a_row_of_which_all_have_ended_goes_at_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(what_went_back_is_not_under_way_after_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_deferred_is_not_under_way_after_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(an_end_that_nothing_tells_is_one_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sent_once_more_is_claimed_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_of_a_mail_under_way_does_not_end_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_job_did_before_it_failed_is_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(so_is_a_claim_that_took_the_place_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mail_is_claimed_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_that_is_too_long_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_of_somebody_who_was_erased_is_left_in_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_row_is_told_at_each_start_and_goes_with_an_erasure, setup, teardown),
		cmocka_unit_test_setup_teardown(where_several_daemons_share_a_row_is_of_one_bucket, setup, teardown),
	};

	return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
