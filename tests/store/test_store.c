/*
 * test_store.c: jobs: one commit for many, a job that fails alone, a commit that fails for all, limits, order, stopping.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <sqlite3.h>

#include "base/metrics.h"

#include "with_store.h"

/* --- the engine's writes, so that a test can make them fail ------------------------------------------------------ */

static _Atomic int write_error;		/* errno; 0: let it through */
static _Atomic long syncs;
static ssize_t (*real_pwrite)(int fd, const void *data, size_t n, off_t at);

static ssize_t test_pwrite(int fd, const void *data, size_t n, off_t at)
{
	if (write_error) {
		errno = write_error;
		return -1;
	}
	return real_pwrite(fd, data, n, at);
}

static void catch_writes(void)
{
	sqlite3_vfs *vfs;
	const char *name;

	sqlite3_initialize();
	vfs = sqlite3_vfs_find("unix");
	name = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))vfs->xGetSystemCall(vfs, name);
	vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)test_pwrite);
}

/*
 * Stands in for libc's. What the log is when a sync begins is what a power cut would leave of it: kept, when a test asks for it.
 */
static pthread_mutex_t disk_mutex = PTHREAD_MUTEX_INITIALIZER;
static char *on_disk;
static size_t on_disk_len;
static bool keep_log;
static _Atomic int sync_error;

static void keep_what_is_there(int fd)
{
	char path[64], name[200] = "";
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, name, sizeof(name) - 1) < 4 || strcmp(name + strlen(name) - 4, "-wal") != 0 || fstat(fd, &st) < 0)
		return;
	pthread_mutex_lock(&disk_mutex);
	on_disk = xrealloc(on_disk, (size_t)st.st_size + 1);
	on_disk_len = (size_t)pread(fd, on_disk, (size_t)st.st_size, 0);
	pthread_mutex_unlock(&disk_mutex);
}

int fdatasync(int fd)
{
	syncs++;
	if (sync_error) {
		errno = sync_error;
		return -1;
	}
	if (keep_log)
		keep_what_is_there(fd);
	return fsync(fd);
}

/* --- jobs -------------------------------------------------------------------------------------------------------- */

static int set_value(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return settings_set(db, arg, "x", 1, err);
}

static int set_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	if (settings_set(db, arg, "x", 1, err) < 0)
		return -1;
	return err_set(err, "no %s today", (const char *)arg);
}

static int is_set(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct slice value;
	int got = settings_get(db, arg, w->arena, &value, err);

	return got == 1 ? 0 : got == 0 ? err_set(err, "not there") : -1;
}

static bool has(struct with_store *w, const char *name)
{
	char copy[20];

	snprintf(copy, sizeof(copy), "%s", name);
	return run_job(w, is_set, copy, NULL) == STORE_COMMITTED;
}

static struct store_counts counts_of(struct with_store *w)
{
	struct store_counts counts;

	store_counts(w->store, &counts);
	return counts;
}

/* --- a store thread that is held in a job ------------------------------------------------------------------------ */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int wait_at_gate(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return 0;
}

static void submit(struct with_store *w, struct waited_job *job, size_t *pending, enum store_priority priority)
{
	job->job = (struct store_job){ .run = waited_run, .done = waited_done };
	job->w = w;
	job->pending = pending;
	assert_int_equal(store_submit(w->store, &job->job, priority), 0);
}

/* Submits the jobs while the thread is held, so that they share a transaction. */
static void run_together(struct with_store *w, struct waited_job *jobs, size_t count)
{
	struct waited_job held = { .fn = wait_at_gate };
	size_t pending = count + 1;

	pthread_mutex_lock(&gate);
	submit(w, &held, &pending, STORE_NORMAL);
	while (counts_of(w).waiting)
		usleep(100);
	for (size_t i = 0; i < count; i++)
		submit(w, &jobs[i], &pending, STORE_NORMAL);
	pthread_mutex_unlock(&gate);
	loop_run(w->loop);
	assert_int_equal(pending, 0);
}

/* --- cases ------------------------------------------------------------------------------------------------------- */

static void what_waits_is_committed_together(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[300];
	char names[300][20];
	uint64_t commits;

	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		jobs[i] = (struct waited_job){ .fn = set_value, .arg = names[i] };
	}
	commits = counts_of(w).commits;
	run_jobs(w, jobs, 300, STORE_NORMAL);
	for (int i = 0; i < 300; i++)
		assert_int_equal(jobs[i].result, STORE_COMMITTED);
	commits = counts_of(w).commits - commits;
	assert_true(commits < 100);
	assert_int_equal(counts_of(w).jobs, 300);
	assert_int_equal(counts_of(w).waiting, 0);
	assert_true(has(w, "n0") && has(w, "n299"));
}

static void each_commit_is_synced(void **state)
{
	struct with_store *w = *state;

	/* each another one: what changes nothing needs no sync */
	for (int i = 0; i < 5; i++) {
		long before = syncs;
		char name[2] = { (char)('a' + i), '\0' };

		do_job(w, set_value, name);
		assert_true(syncs > before);
	}
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char block[4096];
	size_t n;

	assert_true(in && out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* In the file, and in the log as far as a sync has begun behind it. */
static bool has_after_power_cut(struct with_store *w, const char *name)
{
	const char *file = arena_printf(w->arena, "%s/after.db", w->folder), *log = arena_printf(w->arena, "%s-wal", file);
	sqlite3 *db;
	sqlite3_stmt *find;
	bool found;
	FILE *out;

	copy_file(arena_printf(w->arena, "%s/nurtured.db", w->folder), file);
	out = fopen(log, "wb");
	assert_non_null(out);
	pthread_mutex_lock(&disk_mutex);
	assert_int_equal(fwrite(on_disk, 1, on_disk_len, out), on_disk_len);
	pthread_mutex_unlock(&disk_mutex);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT 1 FROM setting WHERE name = ?1", -1, &find, NULL), SQLITE_OK);
	sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
	found = sqlite3_step(find) == SQLITE_ROW;
	sqlite3_finalize(find);
	sqlite3_close(db);
	unlink(log);
	unlink(file);
	return found;
}

static void what_is_told_outlives_a_power_cut(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[20];
	char names[20][20];

	keep_log = true;
	for (int i = 0; i < 200; i++) {
		/* now one, now many that share a sync or come while one runs */
		int count = i % 3 == 0 ? 20 : 1;

		for (int k = 0; k < count; k++) {
			snprintf(names[k], sizeof(names[k]), "p%d.%d", i, k);
			jobs[k] = (struct waited_job){ .fn = set_value, .arg = names[k] };
		}
		run_jobs(w, jobs, (size_t)count, i % 2 ? STORE_FIRST : STORE_NORMAL);
		assert_true(has_after_power_cut(w, names[0]));
		assert_true(has_after_power_cut(w, names[count - 1]));
	}
	keep_log = false;
}

static void told_too_early(struct store_job *job, enum store_result result, const struct err *err)
{
	_exit(99);
}

static int run_in_child(struct store_job *job, struct db *db, struct err *err)
{
	sync_error = EIO;
	return settings_set(db, "x", "x", 1, err);
}

static void a_sync_that_fails_ends_the_process_before_anybody_is_told(void **state)
{
	struct with_store *w = *state;
	struct store_job job = { .run = run_in_child, .done = told_too_early };
	int status;
	pid_t pid;

	close_store(w);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		log_setup(LOG_ERROR, false);
		open_store(w);
		do_job(w, set_value, "before");		/* a log that is begun anew is synced by SQLite, in the commit */
		if (store_submit(w->store, &job, STORE_NORMAL) < 0)
			_exit(98);
		loop_run(w->loop);
		_exit(97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_IOERR);
	open_store(w);
	do_job(w, set_value, "as before");
}

static void a_job_that_fails_rolls_back_alone(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[] = {
		{ .fn = set_value, .arg = "before" }, { .fn = set_and_fail, .arg = "failed" }, { .fn = set_value, .arg = "after" },
	};

	run_jobs(w, jobs, 3, STORE_FIRST);
	assert_int_equal(jobs[0].result, STORE_COMMITTED);
	assert_int_equal(jobs[1].result, STORE_REFUSED);
	assert_string_equal(jobs[1].err.text, "no failed today");
	assert_int_equal(jobs[2].result, STORE_COMMITTED);
	assert_true(has(w, "before") && has(w, "after"));
	assert_false(has(w, "failed"));
	assert_true(counts_of(w).refused >= 1);
}

static int fail_at_once(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return err_set(err, "no");
}

/* Savepoints cost; they are used when a job has to be undone, and then all of its batch runs again. */
static void only_what_wrote_has_to_be_undone(void **state)
{
	struct with_store *w = *state;
	struct waited_job harmless[] = { { .fn = set_value, .arg = "a" }, { .fn = fail_at_once }, { .fn = set_value, .arg = "b" } };
	struct waited_job spoilt[] = { { .fn = set_value, .arg = "c" }, { .fn = set_and_fail, .arg = "d" }, { .fn = set_value, .arg = "e" },
			{ .fn = set_and_fail, .arg = "f" } };

	run_together(w, harmless, 3);
	assert_true(harmless[0].runs == 1 && harmless[1].runs == 1 && harmless[2].runs == 1);
	assert_int_equal(harmless[1].result, STORE_REFUSED);
	assert_true(has(w, "a") && has(w, "b"));
	run_together(w, spoilt, 4);
	assert_int_equal(spoilt[0].runs, 2);
	assert_int_equal(spoilt[1].runs, 2);
	assert_int_equal(spoilt[0].result, STORE_COMMITTED);
	assert_int_equal(spoilt[1].result, STORE_REFUSED);
	assert_int_equal(spoilt[2].result, STORE_COMMITTED);
	assert_int_equal(spoilt[3].result, STORE_REFUSED);
	assert_true(has(w, "c") && has(w, "e"));
	assert_false(has(w, "d") || has(w, "f"));
}

static int breaks_a_rule(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct event_row e = { .id = 1, .prospect = 1, .at = 1, .name = "x" };

	if (settings_set(db, "broken", "x", 1, err) < 0 || events_insert(db, &e, err) < 0)
		return -1;
	return events_insert(db, &e, err);
}

static void a_constraint_concerns_its_job_alone(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[] = { { .fn = breaks_a_rule }, { .fn = set_value, .arg = "after" } };

	run_jobs(w, jobs, 2, STORE_FIRST);
	assert_int_equal(jobs[0].result, STORE_REFUSED);
	assert_non_null(strstr(jobs[0].err.text, "UNIQUE"));
	assert_int_equal(jobs[1].result, STORE_COMMITTED);
	assert_false(has(w, "broken"));
	assert_true(store_ready(w->store, NULL));
}

/* Waits until the store says that it is ready (or not). */
static void wait_ready(struct with_store *w, bool ready)
{
	while (store_ready(w->store, NULL) != ready)
		usleep(1000);
}

static void a_commit_that_fails_fails_its_batch(void **state)
{
	static const int errors[] = { ENOSPC, EIO };
	struct with_store *w = *state;
	struct err why = { "" };

	for (size_t e = 0; e < 2; e++) {
		struct waited_job jobs[] = { { .fn = set_value, .arg = "a" }, { .fn = set_value, .arg = "b" },
				{ .fn = set_and_fail, .arg = "c" } };

		do_job(w, set_value, "earlier");
		write_error = errors[e];
		run_together(w, jobs, 3);
		for (int i = 0; i < 3; i++)
			assert_int_equal(jobs[i].result, STORE_FAILED);
		assert_true(jobs[0].err.text[0] != '\0');
		assert_false(store_ready(w->store, &why));
		assert_true(why.text[0] != '\0');
		write_error = 0;
		/* nobody does anything: it finds out by itself */
		wait_ready(w, true);
		assert_true(has(w, "earlier"));
		assert_false(has(w, "a"));
		assert_false(has(w, "b"));
	}
	assert_true(counts_of(w).failed >= 4);
	do_job(w, set_value, "a");
	assert_true(has(w, "a"));
}

static void a_full_disk_is_refused_at_the_door(void **state)
{
	struct with_store *w = *state;
	struct waited_job job = { .fn = set_value, .arg = "a" };
	struct store_job late = { 0 };

	write_error = ENOSPC;
	run_jobs(w, &job, 1, STORE_NORMAL);
	assert_int_equal(job.result, STORE_FAILED);
	assert_int_equal(store_submit(w->store, &late, STORE_FIRST), -1);
	write_error = 0;
	wait_ready(w, true);
	do_job(w, set_value, "a");
}

static void too_little_room_is_refused_at_the_door(void **state)
{
	struct with_store *w = *state;
	struct store_job job = { 0 };
	struct err why = { "" };

	close_store(w);
	w->options.min_free = INT64_MAX / 2;
	open_store(w);
	assert_int_equal(store_submit(w->store, &job, STORE_FIRST), -1);
	assert_false(store_ready(w->store, &why));
	assert_non_null(strstr(why.text, "full"));
}

/* --- order and limits --------------------------------------------------------------------------------------------- */

static int order[300], ordered;

static int note_order(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	order[ordered++] = *(int *)arg;
	return 0;
}

static void the_queue_is_bounded(void **state)
{
	struct with_store *w = *state;
	struct waited_job held = { .fn = wait_at_gate }, jobs[6], late = { .fn = wait_at_gate };
	size_t pending = 7;

	close_store(w);
	w->options.queue_limit = 6;
	open_store(w);
	pthread_mutex_lock(&gate);
	submit(w, &held, &pending, STORE_NORMAL);
	while (counts_of(w).waiting)
		usleep(100);
	for (int i = 0; i < 6; i++) {
		jobs[i] = (struct waited_job){ .fn = wait_at_gate };
		submit(w, &jobs[i], &pending, STORE_NORMAL);
	}
	assert_int_equal(store_submit(w->store, &late.job, STORE_FIRST), -1);
	pthread_mutex_unlock(&gate);
	loop_run(w->loop);
	assert_int_equal(pending, 0);
	assert_int_equal(late.runs, 0);
	do_job(w, set_value, "a");
}

static void those_that_come_first_run_first_and_do_not_starve_the_rest(void **state)
{
	struct with_store *w = *state;
	struct waited_job held = { .fn = wait_at_gate }, *jobs = xcalloc(300, sizeof(*jobs));
	static int ids[300];
	size_t pending = 301;
	int first_normal = -1;

	ordered = 0;
	pthread_mutex_lock(&gate);
	submit(w, &held, &pending, STORE_NORMAL);
	while (counts_of(w).waiting)
		usleep(100);
	/* 50 others, then 250 that come first */
	for (int i = 0; i < 300; i++) {
		ids[i] = i;
		jobs[i] = (struct waited_job){ .fn = note_order, .arg = &ids[i] };
		submit(w, &jobs[i], &pending, i < 50 ? STORE_NORMAL : STORE_FIRST);
	}
	pthread_mutex_unlock(&gate);
	loop_run(w->loop);
	assert_int_equal(ordered, 300);
	assert_int_equal(order[0], 50);
	for (int i = 0; i < 300 && first_normal < 0; i++)
		first_normal = order[i] < 50 ? i : -1;
	/* in the first transaction of 128, behind those that come first */
	assert_in_range(first_normal, 100, 127);
	free(jobs);
}

/* --- what happens after the commit ------------------------------------------------------------------------------- */

static int told;

static void tell(void *arg)
{
	told += *(int *)arg;
}

static int after_commit(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static int one = 1;

	db_after_commit(db, tell, &one);
	return 0;
}

static int after_commit_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static int ten = 10;

	db_after_commit(db, tell, &ten);
	db_hint(db, HINT_ALERT);
	return err_set(err, "no");
}

static unsigned hints_seen;

static void on_hints(void *arg, unsigned hints)
{
	hints_seen |= hints;
}

static void what_follows_a_commit_follows_no_rollback(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[] = { { .fn = after_commit }, { .fn = after_commit_and_fail }, { .fn = after_commit } };

	told = 0;
	hints_seen = 0;
	store_on_hints(w->store, on_hints, NULL);
	run_jobs(w, jobs, 3, STORE_NORMAL);
	loop_drain(w->loop);
	assert_int_equal(told, 2);
	assert_int_equal(hints_seen, 0);
}

METRIC(tried, COUNTER, "test_total", "", "For the test.");

static int count_and_write(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	db_count(db, &metric_tried, 1);
	return set_value(w, db, arg, err);
}

static int count_write_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return count_and_write(w, db, arg, err) < 0 ? -1 : err_set(err, "no");
}

/* The second spoils the batch: the first runs twice. */
static void what_is_counted_is_counted_with_its_commit(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[] = {
		{ .fn = count_and_write, .arg = "a" }, { .fn = count_write_and_fail, .arg = "b" }, { .fn = count_and_write, .arg = "c" }
	};
	struct waited_job in_vain = { .fn = count_and_write, .arg = "d" };

	run_jobs(w, jobs, 3, STORE_NORMAL);
	assert_int_equal(atomic_load(&metric_tried.value), 2);
	write_error = EIO;
	run_jobs(w, &in_vain, 1, STORE_NORMAL);
	write_error = 0;
	assert_int_equal(in_vain.result, STORE_FAILED);
	assert_int_equal(atomic_load(&metric_tried.value), 2);
}

static void a_stop_runs_what_is_queued_and_delivers_it(void **state)
{
	struct with_store *w = *state;
	struct waited_job jobs[200];
	size_t pending = 200;
	char names[200][20];

	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		jobs[i] = (struct waited_job){ .fn = set_value, .arg = names[i] };
		submit(w, &jobs[i], &pending, STORE_NORMAL);
	}
	store_stop(&w->store);
	assert_int_equal(pending, 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(jobs[i].result, STORE_COMMITTED);
	loop_drain(w->loop);
	loop_free(&w->loop);
	open_store(w);
	assert_true(has(w, "n199"));
}

static void the_log_is_cut_when_the_store_stops(void **state)
{
	struct with_store *w = *state;
	struct stat st;

	do_job(w, set_value, "a");
	assert_true(stat(arena_printf(w->arena, "%s-wal", file_of(w)), &st) == 0 && st.st_size > 0);
	close_store(w);
	assert_true(stat(arena_printf(w->arena, "%s-wal", file_of(w)), &st) < 0 || st.st_size == 0);
	open_store(w);
	assert_true(has(w, "a"));
}

static int set_much(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const char block[1 << 20];

	return settings_set(db, "much", block, sizeof(block), err);
}

static void the_log_is_moved_when_nothing_waits(void **state)
{
	struct with_store *w = *state;
	struct stat st;

	/* 40 MiB written, and never more than a few in the log */
	for (int i = 0; i < 40; i++)
		do_job(w, set_much, NULL);
	assert_int_equal(stat(arena_printf(w->arena, "%s-wal", file_of(w)), &st), 0);
	assert_true(st.st_size < 16 << 20);
	assert_true(counts_of(w).wal_bytes < 16 << 20);
}

static void a_second_daemon_is_refused_with_the_first_ones_process(void **state)
{
	struct with_store *w = *state;
	struct store *second = NULL;
	struct err err = { "" };
	char pid[30];

	assert_int_equal(store_start(w->loop, &w->options, &second, &err), -1);
	assert_null(second);
	snprintf(pid, sizeof(pid), "process %ld)", (long)getpid());
	assert_non_null(strstr(err.text, pid));
	do_job(w, set_value, "a");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
	struct with_store *w = *state;
	struct store_options options = { .state = "/proc/nurtured", .owner = "x" };
	struct store *second = NULL;
	struct err err = { "" };

	assert_int_equal(store_start(w->loop, &options, &second, &err), -1);
	assert_non_null(strstr(err.text, "/proc/nurtured"));
}

static int slow_read(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t n;

	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return prospects_count(db, &n, err);
}

static void a_long_report_holds_up_no_commit(void **state)
{
	struct with_store *w = *state;
	size_t pending = 1;
	struct waited_job report = { .job = { .run = waited_run, .done = waited_done }, .w = w, .fn = slow_read, .pending = &pending };

	pthread_mutex_lock(&gate);
	assert_int_equal(store_read(w->store, &report.job), 0);
	do_job(w, set_value, "a");
	assert_int_equal(pending, 1);
	pthread_mutex_unlock(&gate);
	loop_run(w->loop);
	assert_int_equal(report.result, STORE_COMMITTED);
}

static void an_idle_store_runs_no_statement_and_shows_that_it_lives(void **state)
{
	struct with_store *w = *state;
	struct store_counts before = counts_of(w), now;

	do
		now = counts_of(w);
	while (now.last_turn == before.last_turn && usleep(1000) == 0);
	assert_int_equal(now.statements, before.statements);
	assert_int_equal(now.commits, before.commits);
	assert_true(now.db_bytes > 0 && now.disk_free > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_waits_is_committed_together, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(each_commit_is_synced, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_told_outlives_a_power_cut, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_sync_that_fails_ends_the_process_before_anybody_is_told, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_job_that_fails_rolls_back_alone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(only_what_wrote_has_to_be_undone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_constraint_concerns_its_job_alone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_commit_that_fails_fails_its_batch, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_full_disk_is_refused_at_the_door, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(too_little_room_is_refused_at_the_door, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(those_that_come_first_run_first_and_do_not_starve_the_rest, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_follows_a_commit_follows_no_rollback, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_is_counted_is_counted_with_its_commit, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_stop_runs_what_is_queued_and_delivers_it, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_log_is_cut_when_the_store_stops, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_log_is_moved_when_nothing_waits, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_second_daemon_is_refused_with_the_first_ones_process, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_an_error, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_long_report_holds_up_no_commit, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_idle_store_runs_no_statement_and_shows_that_it_lives, setup_store, teardown_store),
	};

	catch_writes();
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
