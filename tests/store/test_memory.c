/*
 * test_memory.c: a store in memory: jobs, rollbacks, hints and completions at once; copies of files, and which files are none.
 */
#include <sqlite3.h>

#include "with_store.h"

#include "../../daemon/store/inside.h"

struct call {
	struct store_job job;		/* first: cast back */
	int (*fn)(struct db *db, void *arg, struct err *err);
	void *arg;
	enum store_result result;
	int done;
	char said[ERR_TEXT];
};

static int run_cb(struct store_job *job, struct db *db, struct err *err)
{
	struct call *c = (struct call *)job;

	return c->fn(db, c->arg, err);
}

static void done_cb(struct store_job *job, enum store_result result, const struct err *err)
{
	struct call *c = (struct call *)job;

	c->result = result;
	c->done++;
	snprintf(c->said, sizeof(c->said), "%s", err->text);
}

static enum store_result call(struct store *store, int (*fn)(struct db *db, void *arg, struct err *err), void *arg)
{
	struct call c = { .job = { .run = run_cb, .done = done_cb }, .fn = fn, .arg = arg };
	struct err err = { "" };
	enum store_result result = store_run(store, &c.job, &err);

	assert_int_equal(c.done, 1);
	assert_int_equal(c.result, result);
	assert_string_equal(c.said, err.text);
	return result;
}

static struct store *open_memory(const char *copy_of)
{
	struct store *store = NULL;
	struct err err = { "" };

	if (store_open_memory(copy_of, &store, &err) < 0)
		fail_msg("store_open_memory: %s", err.text);
	return store;
}

static void refused(const char *copy_of, const char *why)
{
	struct store *store = NULL;
	struct err err = { "" };

	assert_int_equal(store_open_memory(copy_of, &store, &err), -1);
	assert_null(store);
	if (!strstr(err.text, why) || !strstr(err.text, copy_of))
		fail_msg("%s does not say %s of %s", err.text, why, copy_of);
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static int taken_turns(struct db *db, void *arg, struct err *err)
{
	return turns_count(db, "ana", arg, err);
}

static int take_turn(struct db *db, void *arg, struct err *err)
{
	return turns_take(db, "ana", err);
}

static int take_turn_and_fail(struct db *db, void *arg, struct err *err)
{
	db_after_commit(db, (void (*)(void *))abort, NULL);
	db_hint(db, HINT_SEND);
	return turns_take(db, "ana", err) < 0 ? -1 : err_set(err, "no turn for ana");
}

static void a_job_is_kept_or_leaves_nothing(void **state)
{
	struct store *store = open_memory(NULL);
	int64_t turns = -1;

	assert_int_equal(call(store, take_turn, NULL), STORE_COMMITTED);
	assert_int_equal(call(store, take_turn_and_fail, NULL), STORE_REFUSED);
	assert_int_equal(call(store, taken_turns, &turns), STORE_COMMITTED);
	assert_int_equal(turns, 1);
	store_stop(&store);
	assert_null(store);
}

static int add_row(struct db *db, void *arg, struct err *err)
{
	const int64_t *due = arg;
	int64_t id = id_new(7, *due);

	return queue_add(db, &(struct queue_row){ .id = id, .lane = LANE_SEND, .due = *due, .kind = QUEUE_MAIL, .prospect = id, .ref = id, .name = "" }, err);
}

static void count_cb(void *arg)
{
	++*(int *)arg;
}

static int count_call(struct db *db, void *arg, struct err *err)
{
	db_after_commit(db, count_cb, arg);
	assert_int_equal(*(int *)arg, 0);	/* not before the commit */
	return 0;
}

static void hints_cb(void *arg, unsigned hints)
{
	*(unsigned *)arg |= hints;
}

static void what_waits_for_the_commit_comes_at_once(void **state)
{
	struct store *store = open_memory(NULL);
	int64_t due = clock_now() - US_SECOND;
	unsigned hints = 0;
	int calls = 0;

	store_on_hints(store, hints_cb, &hints);
	assert_int_equal(call(store, count_call, &calls), STORE_COMMITTED);
	assert_int_equal(calls, 1);
	assert_int_equal(hints, 0);
	assert_true(queue_next_due(store, LANE_SEND) == TIME_NEVER);
	assert_int_equal(call(store, add_row, &due), STORE_COMMITTED);
	assert_int_equal(hints, HINT_SEND);
	assert_true(queue_next_due(store, LANE_SEND) == due);
	store_stop(&store);
}

static int unlucky(struct db *db, void *arg, struct err *err)
{
	int64_t due = 5;

	return add_row(db, &due, err) < 0 ? -1 : err_set(err, "changed its mind");
}

static void a_rollback_takes_next_due_times_back_too(void **state)
{
	struct store *store = open_memory(NULL);
	int64_t due = 10;

	assert_int_equal(call(store, add_row, &due), STORE_COMMITTED);
	assert_int_equal(call(store, unlucky, NULL), STORE_REFUSED);
	/* never later than the truth; an earlier one costs a look */
	assert_true(queue_next_due(store, LANE_SEND) <= due);
	store_stop(&store);
}

static void submitting_and_reading_run_the_job(void **state)
{
	struct store *store = open_memory(NULL);
	struct call c = { .job = { .run = run_cb, .done = done_cb }, .fn = take_turn };
	int64_t turns = 0;
	struct err why;

	assert_int_equal(store_submit(store, &c.job, STORE_FIRST), 0);
	assert_int_equal(c.done, 1);
	c.fn = taken_turns;
	c.arg = &turns;
	assert_int_equal(store_read(store, &c.job), 0);
	assert_int_equal(c.done, 2);
	assert_int_equal(turns, 1);
	assert_true(store_ready(store, &why));
	store_stop(&store);
}

/* --- copies ------------------------------------------------------------------------------------------------------- */

static const int64_t later = INT64_C(4000000000000000);

static int fill(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t due = later;
	uint8_t hash[32];

	suppressions_hash(db, "eva@example.net", hash);
	memcpy(arg, hash, sizeof(hash));
	return turns_take(db, "ana", err) < 0 || add_row(db, &due, err) < 0 ? -1 : 0;
}

static int save(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return db_save(db, arg, err);
}

static int hash_eva(struct db *db, void *arg, struct err *err)
{
	suppressions_hash(db, "eva@example.net", arg);
	return 0;
}

static void a_copy_has_all_and_leaves_the_file_alone(void **state)
{
	struct with_store *w = *state;
	char *file = arena_printf(w->arena, "%s/a copy?.db", w->folder);
	uint8_t hash[32], again[32];
	struct stat before, after;
	struct err err = { "" };
	struct store *store;
	int64_t turns = 0;

	do_job(w, fill, hash);
	assert_int_equal(read_job(w, save, file, &err), STORE_COMMITTED);
	assert_int_equal(stat(file, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0640);
	store = open_memory(file);
	assert_int_equal(call(store, taken_turns, &turns), STORE_COMMITTED);
	assert_int_equal(turns, 1);
	assert_true(queue_next_due(store, LANE_SEND) == later);
	assert_int_equal(call(store, hash_eva, again), STORE_COMMITTED);
	assert_memory_equal(hash, again, sizeof(hash));
	assert_int_equal(call(store, take_turn, NULL), STORE_COMMITTED);
	store_stop(&store);
	assert_int_equal(stat(file, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_size, after.st_size);
	/* neither a log nor an index of one beside it */
	assert_int_equal(access(arena_printf(w->arena, "%s-wal", file), F_OK), -1);
	assert_int_equal(access(arena_printf(w->arena, "%s-shm", file), F_OK), -1);
}

static int save_here(struct db *db, void *arg, struct err *err)
{
	return db_save(db, arg, err);
}

static void a_store_in_memory_can_be_saved_and_comes_back(void **state)
{
	struct with_store *w = *state;
	char *file = arena_printf(w->arena, "%s/saved.db", w->folder);
	struct store *store = open_memory(NULL);
	int64_t turns = 0;

	assert_int_equal(call(store, take_turn, NULL), STORE_COMMITTED);
	assert_int_equal(call(store, save_here, file), STORE_COMMITTED);
	/* a file that is there stays as it is */
	assert_int_equal(call(store, save_here, file), STORE_REFUSED);
	store_stop(&store);
	store = open_memory(file);
	assert_int_equal(call(store, taken_turns, &turns), STORE_COMMITTED);
	assert_int_equal(turns, 1);
	store_stop(&store);
}

static void a_daemons_own_file_is_refused_while_it_runs(void **state)
{
	struct with_store *w = *state;
	struct store *store;

	refused(file_of(w), "a daemon has it open");
	close_store(w);
	store = open_memory(file_of(w));
	store_stop(&store);
}

static void change(const char *file, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* A file whose log was never moved into it: a daemon was killed, and its folder copied. */
static void a_file_with_a_log_is_read_with_it(void **state)
{
	struct with_store *w = *state;
	char *copy = arena_printf(w->arena, "%s/killed.db", w->folder), *command;
	struct store *store;
	uint8_t hash[32];
	int64_t turns = 0;

	do_job(w, fill, hash);
	command = xasprintf("cp %s %s && cp %s-wal %s-wal", file_of(w), copy, file_of(w), copy);
	assert_int_equal(system(command), 0);
	free(command);
	store = open_memory(copy);
	assert_int_equal(call(store, taken_turns, &turns), STORE_COMMITTED);
	assert_int_equal(turns, 1);
	store_stop(&store);
}

static void an_older_schema_is_brought_up_to_date(void **state)
{
	struct with_store *w = *state;
	char *file = arena_printf(w->arena, "%s/old.db", w->folder);
	struct store *store;
	int64_t turns = -1;

	/* of the first step alone */
	change(file, "PRAGMA application_id = 1853125220; CREATE TABLE lease (bucket INTEGER NOT NULL, owner TEXT NOT NULL,"
			" epoch INTEGER NOT NULL, until_us INTEGER NOT NULL, PRIMARY KEY (bucket)) STRICT, WITHOUT ROWID;"
			" PRAGMA user_version = 1");
	store = open_memory(file);
	assert_int_equal(call(store, take_turn, NULL), STORE_COMMITTED);
	assert_int_equal(call(store, taken_turns, &turns), STORE_COMMITTED);
	assert_int_equal(turns, 1);
	store_stop(&store);
}

static void what_is_no_copy_is_refused(void **state)
{
	struct with_store *w = *state;
	char *file = arena_printf(w->arena, "%s/other.db", w->folder);
	FILE *f;

	refused(file, "No such file");
	refused(w->folder, "no regular file");
	change(file, "CREATE TABLE theirs (a)");
	refused(file, "another program");
	change(file, "PRAGMA application_id = 1853125220; PRAGMA user_version = 999");
	refused(file, "newer version");
	f = fopen(file, "we");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", f);
	fclose(f);
	refused(file, "not a database");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_kept_or_leaves_nothing),
		cmocka_unit_test(what_waits_for_the_commit_comes_at_once),
		cmocka_unit_test(a_rollback_takes_next_due_times_back_too),
		cmocka_unit_test(submitting_and_reading_run_the_job),
		cmocka_unit_test_setup_teardown(a_copy_has_all_and_leaves_the_file_alone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_store_in_memory_can_be_saved_and_comes_back, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_daemons_own_file_is_refused_while_it_runs, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_file_with_a_log_is_read_with_it, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_older_schema_is_brought_up_to_date, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_no_copy_is_refused, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
