/*
 * test_page_cache.c: a database that grows, shrinks and is rolled back says what it should and is whole: no page that was behind the end of the file
 * comes back, and none stays in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../daemon/store/page_cache.h"

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return value;
}

/* So many rows, in an order in which pages split anywhere. */
static void fill(sqlite3 *db, int rows, char letter)
{
	char *sql = sqlite3_mprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d - 1)"
			" INSERT INTO t SELECT (i * 7919) %% %d, printf('%%.300c', '%c') FROM n", rows, rows, letter);

	run(db, sql);
	sqlite3_free(sql);
}

static void assert_rows(sqlite3 *db, int rows, char letter)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM t WHERE v = printf('%%.300c', '%c')", letter);

	assert_int_equal(ask(db, sql), rows);
	assert_int_equal(ask(db, "SELECT count(*) FROM t"), rows);
	assert_int_equal(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	sqlite3_free(sql);
}

/* The pages behind the end are out of the cache. */
static void assert_small(sqlite3 *db)
{
	int bytes, most;

	assert_int_equal(sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &bytes, &most, 0), SQLITE_OK);
	assert_true(bytes < 300000);
}

static void grow_and_shrink(const char *journal)
{
	char file[] = "/tmp/nurtured-page-cache-XXXXXX", sql[64];
	int fd = mkstemp(file);
	sqlite3 *db;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	run(db, "PRAGMA auto_vacuum=FULL");
	snprintf(sql, sizeof(sql), "PRAGMA journal_mode=%s", journal);
	run(db, sql);
	run(db, "CREATE TABLE t (k INTEGER, v TEXT, PRIMARY KEY (k)) WITHOUT ROWID");
	fill(db, 200, 'a');
	for (int round = 0; round < 3; round++) {
		/* grown and taken back: what is at these numbers next is something else */
		run(db, "BEGIN; DELETE FROM t");
		fill(db, 3000, 'b');
		run(db, "SAVEPOINT s; DELETE FROM t WHERE k % 2");
		run(db, "ROLLBACK TO s");
		assert_int_equal(ask(db, "SELECT count(*) FROM t"), 3000);
		run(db, "ROLLBACK");
		assert_rows(db, 200, 'a');
		run(db, "BEGIN; DELETE FROM t");
		fill(db, 2000, 'c');
		run(db, "COMMIT");
		assert_rows(db, 2000, 'c');
		/* the file gets short */
		run(db, "BEGIN; DELETE FROM t");
		fill(db, 200, 'a');
		run(db, "COMMIT");
		assert_small(db);
		assert_rows(db, 200, 'a');
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_rows(db, 200, 'a');
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(unlink(file), 0);
}

static void test_log(void **state)
{
	grow_and_shrink("WAL");
}

static void test_journal(void **state)
{
	grow_and_shrink("DELETE");
}

static void test_memory(void **state)
{
	grow_and_shrink("MEMORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_log), cmocka_unit_test(test_journal), cmocka_unit_test(test_memory) };

	page_cache_set_up();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
