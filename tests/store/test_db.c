/*
 * test_db.c: every statement of the program: that it prepares, names its bucket, stays in the shared dialect, and reads along a key.
 */
#include <ctype.h>
#include <glob.h>

#include "store/holds.h"
#include "store/visitors.h"
#include "store/erase.h"
#include "store/export.h"

#include "with_store.h"

#include "../../daemon/store/inside.h"

/* One function of each file, so that the linker brings all of them, and their statements. */
static void *const files[] = {
	(void *)alarms_raise, (void *)alerts_find, (void *)consents_find, (void *)deliveries_find, (void *)domain_days_add, (void *)enrolments_find, (void *)erase_person, (void *)events_insert, (void *)export_person,
	(void *)held_by_reason, (void *)hits_of_delivery, (void *)holds_find, (void *)inbound_take, (void *)journal_add, (void *)leads_find, (void *)mailboxes_get, (void *)mx_hosts_find, (void *)once_take, (void *)packs_add,
	(void *)prospects_find, (void *)queue_add, (void *)settings_get, (void *)suppressions_find, (void *)terms_insert, (void *)touches_find,
	(void *)trials_of, (void *)turns_count, (void *)versions_find, (void *)visitors_find,
};

static struct statement *const *all;
static size_t count;

static size_t occurrences(const char *file, const char *needle)
{
	struct buf text = BUF_INIT;
	FILE *f = fopen(file, "re");
	char block[4096];
	size_t n, found = 0;

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&text, block, n);
	fclose(f);
	for (const char *p = buf_cstr(&text); (p = strstr(p, needle)); p++)
		found++;
	buf_clear(&text);
	return found;
}

static void the_table_has_the_statements_of_all_files(void **state)
{
	size_t written = 0;
	glob_t found;

	assert_int_equal(glob("daemon/store/*.c", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		written += occurrences(found.gl_pathv[i], "\nSTATEMENT(");
	globfree(&found);
	assert_true(written > 80);
	assert_int_equal(written, count);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_non_null(files[i]);
}

static void every_statement_prepares(void **state)
{
	struct with_store *w = *state;
	struct db *db;
	struct err err;

	close_store(w);
	assert_int_equal(db_open(&driver_sqlite, file_of(w), DB_WRITER, &db, &err), 0);
	for (size_t i = 0; i < count; i++) {
		struct prepared *p = db->driver->prepare(db->connection, all[i]->sql, &err);

		if (!p)
			fail_msg("%s: %s", all[i]->name, err.text);
		db->driver->finalize(p);
	}
	db_close(&db);
}

static bool reads(const char *sql)
{
	return strncmp(sql, "SELECT ", 7) == 0;
}

static void statements_on_people_name_one_bucket(void **state)
{
	for (size_t i = 0; i < count; i++) {
		const char *sql = all[i]->sql, *where;
		bool inserts = strncmp(sql, "INSERT INTO ", 12) == 0;

		if (all[i]->kind != BUCKETED)
			continue;
		where = inserts ? strstr(sql, " VALUES (?1") : strstr(sql, " WHERE bucket = ?1");
		if (!where || (inserts && !strstr(sql, " (bucket, ")))
			fail_msg("%s does not name its bucket: %s", all[i]->name, sql);
	}
}

static void other_statements_write_to_tables_of_the_site_alone(void **state)
{
	static const char *const site[] = { "setting", "mailbox", "mailbox_mail", "turn", "link", "arm_day", "hit_day", "domain_day", "test_end", "sequence_version", "alarm", "company_hold", "mx_host", "dot", NULL };
	static const char *const verbs[] = { "INSERT INTO ", "UPDATE ", "DELETE FROM ", NULL };

	for (size_t i = 0; i < count; i++) {
		const char *sql = all[i]->sql, *table = NULL;
		bool allowed = false;

		if (all[i]->kind != SITE || reads(sql))
			continue;
		for (int v = 0; verbs[v]; v++) {
			if (strncmp(sql, verbs[v], strlen(verbs[v])) == 0)
				table = sql + strlen(verbs[v]);
		}
		assert_non_null(table);
		for (int t = 0; site[t]; t++)
			allowed |= strncmp(table, site[t], strlen(site[t])) == 0 && !isalnum((unsigned char)table[strlen(site[t])]) &&
					table[strlen(site[t])] != '_';
		if (!allowed)
			fail_msg("%s writes to people without a bucket: %s", all[i]->name, sql);
	}
}

static void statements_stay_in_the_shared_dialect(void **state)
{
	static const char *const banned[] = {
		"$", "rowid", "strftime", "datetime", "julianday", "unixepoch", "json", "LIKE", "GLOB", "MATCH", "MAX(", "MIN(",
		"greatest", "IFNULL", "::", "FOR UPDATE", "OR REPLACE", "OR IGNORE", "INDEXED BY", "last_insert", "changes()",
		"printf", "TRUE", "FALSE", "||", "GROUP_CONCAT", "COLLATE", "ILIKE", NULL,
	};

	for (size_t i = 0; i < count; i++) {
		const char *returning = strstr(all[i]->sql, "RETURNING");

		for (int b = 0; banned[b]; b++) {
			if (strcasestr(all[i]->sql, banned[b]))
				fail_msg("%s uses %s", all[i]->name, banned[b]);
		}
		/* SQLite 3.40 does not know the table there */
		if (returning && strchr(returning, '.'))
			fail_msg("%s names a table behind RETURNING", all[i]->name);
	}
}

/* What SQLite says of how it runs the statement. */
static void explain(struct db *db, const char *sql, struct buf *out)
{
	struct err err = { "" };
	struct prepared *p;

	buf_reset(out);
	buf_printf(out, "EXPLAIN QUERY PLAN %s", sql);
	p = db->driver->prepare(db->connection, buf_cstr(out), &err);
	assert_non_null(p);
	buf_reset(out);
	while (db->driver->step(db->connection, p, &err) == 1)
		buf_printf(out, "%s; ", db->driver->get_text(p, 3));
	db->driver->finalize(p);
}

static void statements_on_people_read_along_a_key(void **state)
{
	struct with_store *w = *state;
	struct buf plan = BUF_INIT;
	struct db *db;
	struct err err;

	close_store(w);
	assert_int_equal(db_open(&driver_sqlite, file_of(w), DB_WRITER, &db, &err), 0);
	for (size_t i = 0; i < count; i++) {
		if (all[i]->kind != BUCKETED || strncmp(all[i]->sql, "INSERT", 6) == 0)
			continue;
		explain(db, all[i]->sql, &plan);
		if (strstr(buf_cstr(&plan), "SCAN") || !strstr(buf_cstr(&plan), "SEARCH"))
			fail_msg("%s: %s", all[i]->name, buf_cstr(&plan));
		if (strstr(all[i]->name, "queue.c") && strstr(buf_cstr(&plan), "TEMP B-TREE"))
			fail_msg("%s sorts: %s", all[i]->name, buf_cstr(&plan));
		/* a range of due times, not the whole lane */
		if (strstr(all[i]->name, "queue.c:take") && !strstr(buf_cstr(&plan), "due<"))
			fail_msg("%s: %s", all[i]->name, buf_cstr(&plan));
	}
	buf_clear(&plan);
	db_close(&db);
}

/* A statement may be used again inside its own rows. */
static int nested(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const char *const names[] = { "a", "b", "c" };
	struct slice value;

	for (int i = 0; i < 3; i++) {
		if (settings_set(db, names[i], names[i], 1, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		struct query *outer, *inner;
		int got;

		if (!strstr(all[i]->name, "settings.c:get"))
			continue;
		outer = db_query(db, all[i]);
		query_text(outer, 1, "a");
		if (query_row(outer, err) != 1)
			return err_set(err, "no outer row");
		inner = db_query(db, all[i]);
		query_text(inner, 1, "b");
		got = query_row(inner, err);
		value = query_get_blob(inner, 0);
		if (got != 1 || value.len != 1 || value.data[0] != 'b')
			return err_set(err, "the inner row is wrong");
		query_done(inner);
		value = query_get_blob(outer, 0);
		if (value.len != 1 || value.data[0] != 'a')
			return err_set(err, "the outer row is wrong");
		/* left open: the end of the job ends it */
		return 0;
	}
	return err_set(err, "no such statement");
}

static void a_statement_may_run_inside_its_own_rows(void **state)
{
	do_job(*state, nested, NULL);
	do_job(*state, nested, NULL);
}

static int write_in_reader(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return settings_set(db, "a", "b", 1, err);
}

static int write_people_in_reader(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return journal_add(db, 1, 1, "stage", "a", "b", err);
}

static void the_reader_writes_nothing(void **state)
{
	struct err err;

	assert_int_not_equal(read_job(*state, write_in_reader, NULL, &err), STORE_COMMITTED);
	assert_non_null(strstr(err.text, "readonly"));
	assert_int_not_equal(read_job(*state, write_people_in_reader, NULL, &err), STORE_COMMITTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_statements_of_all_files),
		cmocka_unit_test_setup_teardown(every_statement_prepares, setup_store, teardown_store),
		cmocka_unit_test(statements_on_people_name_one_bucket),
		cmocka_unit_test(other_statements_write_to_tables_of_the_site_alone),
		cmocka_unit_test(statements_stay_in_the_shared_dialect),
		cmocka_unit_test_setup_teardown(statements_on_people_read_along_a_key, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_statement_may_run_inside_its_own_rows, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_reader_writes_nothing, setup_store, teardown_store),
	};

	all = db_statements(&count);
	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
