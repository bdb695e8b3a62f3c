/*
 * test_consents.c: the chain of consents: it verifies, and a row that was changed, moved, or taken out is named.
 */
#include <sqlite3.h>

#include "with_store.h"

#define BUCKET 77
#define ID(n) (INT64_C(1) << 22 | (int64_t)BUCKET << 12 | (n))

static int add_three(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (int i = 1; i <= 3; i++) {
		struct consent c = {
			.id = ID(i), .prospect = ID(100 + i % 2), .what = "granted", .purpose = "newsletter", .words = "Yes, send me the eBook.",
			.form = "free-ebook", .page = "https://www.example.com/", .ip = "192.0.2.1", .agent = "Mozilla", .data = "{}",
			.at = 1000 + i, .ref = i,
		};

		if (consents_add(db, &c, err) < 0)
			return -1;
	}
	return 0;
}

static int64_t counted[CONSENT_KINDS];

static int verify(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return consents_verify(db, BUCKET, counted, err);
}

static int read_all(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct consent c, *of;
	size_t count;

	assert_int_equal(consents_find(db, ID(2), w->arena, &c, err), 1);
	assert_int_equal(c.prospect, ID(100));
	assert_string_equal(c.what, "granted");
	assert_string_equal(c.purpose, "newsletter");
	assert_string_equal(c.words, "Yes, send me the eBook.");
	assert_string_equal(c.form, "free-ebook");
	assert_string_equal(c.page, "https://www.example.com/");
	assert_string_equal(c.ip, "192.0.2.1");
	assert_string_equal(c.agent, "Mozilla");
	assert_string_equal(c.data, "{}");
	assert_int_equal(c.at, 1002);
	assert_int_equal(c.ref, 2);
	assert_int_equal(consents_find(db, ID(9), w->arena, &c, err), 0);
	assert_int_equal(consents_of(db, ID(101), w->arena, &of, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(of[0].id, ID(1));
	assert_int_equal(of[1].id, ID(3));
	return 0;
}

static void what_was_agreed_to_is_found_again(void **state)
{
	do_job(*state, add_three, NULL);
	do_job(*state, read_all, NULL);
}

static void an_untouched_chain_verifies(void **state)
{
	struct with_store *w = *state;

	assert_int_equal(read_job(w, verify, NULL, NULL), STORE_COMMITTED);
	do_job(w, add_three, NULL);
	assert_int_equal(read_job(w, verify, NULL, NULL), STORE_COMMITTED);
	assert_string_equal(consent_kinds[1], "granted");
	assert_int_equal(counted[1], 3);
	close_store(w);
	open_store(w);
	assert_int_equal(read_job(w, verify, NULL, NULL), STORE_COMMITTED);
}

/* With the store closed, as somebody with access to the file would. */
static void tamper(struct with_store *w, const char *sql)
{
	sqlite3 *db;

	close_store(w);
	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
	open_store(w);
}

static void tampering_is_found(void **state)
{
	static const struct {
		const char *sql;
		int row;	/* the one that is named; 0: the end of the chain is */
	} cases[] = {
		{ "UPDATE consent SET words = 'Yes, sell my data.' WHERE place = 2", 2 },
		{ "UPDATE consent SET what = 'withdrawn' WHERE place = 1", 1 },
		{ "UPDATE consent SET at = at - 1 WHERE place = 3", 3 },
		{ "UPDATE consent SET ip = '', page = '192.0.2.1' || page WHERE place = 2", 2 },
		{ "UPDATE consent SET salt = x'00112233445566778899aabbccddeeff' WHERE place = 2", 2 },
		{ "UPDATE consent SET chain = x'00' WHERE place = 2", 2 },
		{ "UPDATE consent SET digest = zeroblob(32), salt = x'' WHERE place = 1", 1 },
		{ "DELETE FROM consent WHERE place = 2", 3 },
		{ "DELETE FROM consent WHERE place = 1", 2 },
		{ "DELETE FROM consent WHERE place = 2; UPDATE consent SET place = 2 WHERE place = 3", 3 },
		{ "UPDATE consent SET place = 5 - place WHERE place > 1", 3 },
		{ "DELETE FROM consent WHERE place = 3", 0 },
		{ "DELETE FROM consent", 0 },
		{ "DELETE FROM consent_tip", 0 },
		{ "UPDATE consent_tip SET chain = zeroblob(32)", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct with_store *w = with_store_new();
		char id[ID_TEXT];
		struct err err = { "" };

		open_store(w);
		do_job(w, add_three, NULL);
		tamper(w, cases[i].sql);
		if (read_job(w, verify, NULL, &err) == STORE_COMMITTED)
			fail_msg("not found: %s", cases[i].sql);
		if (!strstr(err.text, cases[i].row ? id_text("con", ID(cases[i].row), id) : "bucket 77"))
			fail_msg("%s: %s", cases[i].sql, err.text);
		with_store_free(&w);
	}
}

/* Erasure blanks the words and the salt; digest and chain stay. */
static void an_erased_row_leaves_the_chain_whole(void **state)
{
	struct with_store *w = *state;

	do_job(w, add_three, NULL);
	tamper(w, "UPDATE consent SET words = '', ip = '', agent = '', data = '', page = '', salt = x'' WHERE place = 2");
	assert_int_equal(read_job(w, verify, NULL, NULL), STORE_COMMITTED);
}

static int add_other(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct consent c = { .id = INT64_C(1) << 22 | INT64_C(78) << 12 | 1, .prospect = 1, .what = "granted" };

	return consents_add(db, &c, err);
}

static void each_bucket_has_a_chain_of_its_own(void **state)
{
	struct with_store *w = *state;

	do_job(w, add_three, NULL);
	do_job(w, add_other, NULL);
	tamper(w, "UPDATE consent SET what = 'x' WHERE bucket = 78");
	assert_int_equal(read_job(w, verify, NULL, NULL), STORE_COMMITTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_agreed_to_is_found_again, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_untouched_chain_verifies, setup_store, teardown_store),
		cmocka_unit_test(tampering_is_found),
		cmocka_unit_test_setup_teardown(an_erased_row_leaves_the_chain_whole, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(each_bucket_has_a_chain_of_its_own, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("consents", tests, NULL, NULL);
}
