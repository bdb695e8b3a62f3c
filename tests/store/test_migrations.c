/*
 * test_migrations.c: from nothing, from a part of the way, not from a newer schema, not from another program's file.
 */
#include <sqlite3.h>

#include "base/mem.h"
#include "store/erase.h"
#include "store/export.h"

#include "with_store.h"

#include "../../daemon/store/inside.h"

static void change(struct with_store *w, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void refused(struct with_store *w, const char *why)
{
	struct err err = { "" };

	w->loop = loop_new();
	assert_int_equal(store_start(w->loop, &w->options, &w->store, &err), -1);
	assert_null(w->store);
	if (!strstr(err.text, why))
		fail_msg("%s does not say %s", err.text, why);
	loop_drain(w->loop);
	loop_free(&w->loop);
}

static void an_empty_folder_gets_the_whole_schema(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	assert_int_equal(ask_file(w, "PRAGMA application_id"), 0x6e747264);
	assert_true(ask_file(w, "PRAGMA user_version") > 30);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM lease"), BUCKETS);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	/* all tables are strict; those about people have the bucket first in their key */
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0"
			" AND name NOT LIKE 'sqlite_%'"), 0);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM pragma_table_list AS t, pragma_table_info(t.name) AS c"
			" WHERE t.schema = 'main' AND c.pk = 1 AND c.name <> 'bucket'"
			" AND t.name NOT IN ('setting', 'mailbox', 'mailbox_mail', 'turn', 'link', 'arm_day', 'hit_day', 'domain_day', 'test_end', 'sequence_version', 'alarm', 'company_hold', 'mx_host', 'dot')"), 0);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	change(w, "PRAGMA user_version = 999");
	refused(w, "newer version");
	assert_int_equal(ask_file(w, "PRAGMA user_version"), 999);
}

static void a_file_of_another_program_is_refused(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	change(w, "PRAGMA application_id = 77");
	refused(w, "another program");
	unlink(file_of(w));
	change(w, "CREATE TABLE theirs (a)");
	refused(w, "another program");
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sqlite_schema"), 1);
}

static void what_is_no_database_is_refused(void **state)
{
	struct with_store *w = *state;
	FILE *f;

	close_store(w);
	f = fopen(file_of(w), "we");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", f);
	fclose(f);
	refused(w, "not a database");
}

/* The file as a program left it that knew the first `steps` steps; then what it had in it. */
static int64_t older(struct with_store *w, int steps, const char *rows)
{
	char path[300];
	struct db *db;
	struct err err;
	int64_t version = ask_file(w, "PRAGMA user_version");

	for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end; end++) {
		snprintf(path, sizeof(path), "%s%s", file_of(w), *end);
		unlink(path);
	}
	assert_int_equal(db_open(&driver_sqlite, file_of(w), DB_WRITER, &db, &err), 0);
	assert_int_equal(migrations_run(db, steps, &err), 0);
	db_close(&db);
	assert_int_equal(ask_file(w, "PRAGMA user_version"), steps);
	change(w, rows);
	return version;
}

/* An earlier version's file: the last steps not yet run. */
static void an_older_schema_goes_on_where_it_stood(void **state)
{
	struct with_store *w = *state;
	int64_t version;

	close_store(w);
	version = older(w, 44, "INSERT INTO turn VALUES ('ana', 3)");
	open_store(w);
	close_store(w);
	assert_int_equal(ask_file(w, "PRAGMA user_version"), version);
	assert_int_equal(ask_file(w, "SELECT taken FROM turn"), 3);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sequence_version"), 0);
}

/* What happened before there were counts is counted. */
static void the_events_of_an_older_schema_are_counted(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	older(w, 45, "INSERT INTO event VALUES (7, 70, 'click', 5, 1, 'a', '{}', 0), (7, 70, 'click', 9, 2, 'a', '{}', 0), (7, 70, 'click', 6, 3, 'b', '{}', 0)");
	open_store(w);
	close_store(w);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM event_count"), 2);
	assert_int_equal(ask_file(w, "SELECT events * 100 + newest FROM event_count WHERE bucket = 7 AND prospect = 70 AND name = 'click' AND subject = 'a'"), 209);
}

/* The schema before tags, versions and tests, with somebody in it. */
static void people_of_an_older_schema_stay(void **state)
{
	struct with_store *w = *state;
	int64_t version;

	close_store(w);
	version = older(w, 33, "INSERT INTO enrolment VALUES (7, 70, 71, 'ebook', 'nudge', 0, 5, 0, '', 9, 72, 0)");
	open_store(w);
	close_store(w);
	assert_int_equal(ask_file(w, "PRAGMA user_version"), version);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM enrolment WHERE id = 71 AND step = 'nudge' AND version = '' AND heldout = 0"), 1);
}

/* One took effect, one is held back: its row in the queue names the mail from now on. */
static void the_hits_of_an_older_schema_stay(void **state)
{
	struct with_store *w = *state;
	int64_t version;

	close_store(w);
	version = older(w, 48, "INSERT INTO hit VALUES (7, 1, 70, 80, 'o', 0, 500, 'Mozilla', '192.0.2.1', 2, 1), (7, 2, 70, 80, 'c', 3, 600, 'x', '', 0, 0);"
			"INSERT INTO queue VALUES (7, 0, 690, 5, 2, 70, 2, ''), (7, 0, 690, 6, 3, 70, 70, '')");
	open_store(w);
	close_store(w);
	assert_int_equal(ask_file(w, "PRAGMA user_version"), version);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM hit WHERE delivery = 80 AND at = 500 AND id = 1 AND traits = 7 AND times = 1 AND verdict = 2"
			" AND settled = 1"), 1);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM hit WHERE delivery = 80 AND at = 600 AND id = 2 AND traits = 6 AND place = 3 AND settled = 0"), 1);
	assert_int_equal(ask_file(w, "SELECT ref FROM queue WHERE id = 5"), 80);
	assert_int_equal(ask_file(w, "SELECT ref FROM queue WHERE id = 6"), 70);
}

/* Two hits of mail 6; and a row that cannot be read, which is no reason not to start. */
static void packed_hits_of_an_older_schema_stay(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	older(w, 79, "INSERT INTO hit_pack VALUES (7, 2, x'01" "0600000000000000" "02016f000000ff00" "0600000000000000" "04016f00000000'), (8, 5, x'02')");
	open_store(w);
	assert_int_equal(packs_waiting(w->store), 2);
	close_store(w);
	assert_int_equal(ask_file(w, "SELECT hits FROM hit_pack WHERE bucket = 0 AND id = 7"), 2);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM hit_damaged WHERE bucket = 0 AND id = 8 AND length(body) = 1"), 1);
}

static int states_left(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery *rows;
	size_t count;

	assert_int_equal(sending_of(db, 70, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].state, DELIVERY_SENDING);
	assert_string_equal(rows[0].address, "eve@b.example");
	assert_string_equal(rows[0].arm, "b");
	assert_int_equal(rows[0].attempt, 3);
	assert_int_equal(rows[0].claimed, 1);
	assert_int_equal(sending_of(db, 71, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].state, DELIVERY_DOT);
	return 0;
}

static int end_left(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery *rows;
	size_t count;

	assert_int_equal(sending_left(db, TIME_NEVER, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(rows[0].id, 5);
	assert_int_equal(rows[1].id, 6);
	assert_int_equal(rows[2].id, 7);
	return sending_end(db, 5, err) == 1 && sending_end(db, 7, err) == 1 ? 0 : -1;
}

/*
 * Mails that were on their way when an earlier version ended, a row each, with their dots in it or in `dot`: what may have gone out is told from what
 * has not; also where a bounce came before the relay's reply.
 */
static void mails_on_their_way_in_an_older_schema_keep_their_dots(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	older(w, 84, "INSERT INTO sending (bucket, id, prospect, kind, state, enrolment, sequence, step, template, address, download, ref, attempt, planned, done,"
		" code, reply, relay_id, epoch, claimed, arm) VALUES"
		" (0, 5, 70, 0, 1, 9, 's', 'a', 't', 'eve@b.example', '', 0, 3, 1, 0, 0, '', '', 0, 1, 'b'),"
		" (0, 6, 71, 0, 2, 9, 's', 'a', 't', 'a@b.example', '', 0, 0, 1, 0, 0, '', '', 0, 2, ''),"
		" (0, 7, 72, 0, 1, 9, 's', 'a', 't', 'a@b.example', '', 0, 0, 1, 0, 0, '', '', 0, 3, '');"
		"INSERT INTO delivery (bucket, id, prospect, kind, state, enrolment, sequence, step, template, address, download, ref, attempt, planned, done,"
		" code, reply, relay_id, arm) VALUES (0, 6, 71, 0, 5, 9, 's', 'a', 't', 'a@b.example', '', 0, 0, 1, 0, 0, 'bounced', '', '');"
		"INSERT INTO dot VALUES (1, x'0700000000000000" "0300000000000000')");
	open_store(w);
	assert_int_equal(read_job(w, states_left, NULL, NULL), STORE_COMMITTED);
	do_job(w, states_left, NULL);
	do_job(w, end_left, NULL);
	close_store(w);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sending"), 1);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sending WHERE instr(claims, CAST('eve@' AS BLOB))"), 0);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM dot"), 0);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'sending_before'"), 0);
}

/* All or nothing: here the second of two steps cannot be run. */
static void a_step_that_fails_changes_nothing(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	older(w, 44, "CREATE TABLE event_count (a)");
	refused(w, "upgrading the schema");
	assert_int_equal(ask_file(w, "PRAGMA user_version"), 44);
	assert_int_equal(ask_file(w, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'sequence_version'"), 0);
}

/* Whatever table has a person in it, erasure knows it. */
/* The columns that a table has, each once, but those that say nothing of anybody. */
static void has_all_columns(sqlite3 *db, const struct export_rule *rule)
{
	char sql[200], *spaced = xasprintf(" %s ", rule->columns), sought[64];
	size_t found = 0, exported = 1, i;
	sqlite3_stmt *s;

	for (i = 0; rule->columns[i]; i++)
		exported += rule->columns[i] == ' ';
	snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s') WHERE name NOT IN ('bucket', 'salt', 'digest', 'chain')", rule->table);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	for (; sqlite3_step(s) == SQLITE_ROW; found++) {
		size_t n = (size_t)snprintf(sought, sizeof(sought), " %s", (const char *)sqlite3_column_text(s, 0));
		const char *at = spaced;

		while ((at = strstr(at, sought)) && at[n] != ' ' && at[n] != ':')
			at += n;
		if (!at)
			fail_msg("%s:%s is not exported", rule->table, sought);
	}
	assert_int_equal(found, exported);
	sqlite3_finalize(s);
	free(spaced);
}

/* What can be erased can be asked for, and nothing of it is left out. */
static void the_export_has_what_erasure_knows(void **state)
{
	const struct erase_rule *erased = erase_rules();
	const struct export_rule *exported = export_rules();
	struct with_store *w = *state;
	size_t i, k, n;
	sqlite3 *db;

	close_store(w);
	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	for (n = 0; exported[n].table; n++)
		has_all_columns(db, &exported[n]);
	for (i = 0; erased[i].table; i++) {
		for (k = 0; k < n && strcmp(exported[k].table, erased[i].table) != 0; k++)
			;
		if (k == n)
			fail_msg("%s is not exported", erased[i].table);
	}
	assert_int_equal(i, n);
	sqlite3_close(db);
}

static void erasure_knows_all_tables_about_people(void **state)
{
	static const char sql[] = "SELECT t.name FROM pragma_table_list AS t WHERE t.schema = 'main' AND t.type = 'table'"
		" AND (EXISTS (SELECT 1 FROM pragma_table_info(t.name) AS c WHERE c.name IN ('prospect', 'anonymous_id', 'address', 'delivery', 'inbound'))"
		"  OR t.name IN ('once', 'alarm', 'prospect'))";
	const struct erase_rule *rules = erase_rules();
	struct with_store *w = *state;
	sqlite3_stmt *s;
	sqlite3 *db;
	int tables = 0, i;

	close_store(w);
	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	for (; sqlite3_step(s) == SQLITE_ROW; tables++) {
		const char *table = (const char *)sqlite3_column_text(s, 0);

		/* the hash of a mail tells nothing of it, and keeps it from being taken again */
		for (i = 0; rules[i].table && strcmp(rules[i].table, table) != 0 && strcmp(table, "inbound_hash") != 0; i++)
			;
		if (!rules[i].table)
			fail_msg("erasure does not know of table %s", table);
	}
	assert_true(tables > 20);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_folder_gets_the_whole_schema, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_newer_schema_is_refused_and_left_alone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_file_of_another_program_is_refused, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_older_schema_goes_on_where_it_stood, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_events_of_an_older_schema_are_counted, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(people_of_an_older_schema_stay, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_hits_of_an_older_schema_stay, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(packed_hits_of_an_older_schema_stay, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(mails_on_their_way_in_an_older_schema_keep_their_dots, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(erasure_knows_all_tables_about_people, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_export_has_what_erasure_knows, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_step_that_fails_changes_nothing, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("migrations", tests, NULL, NULL);
}
