/*
 * with_store.h: a store in a folder of its own, and jobs that are waited for. Included by the tests of the store only.
 */
#ifndef TESTS_STORE_WITH_STORE_H
#define TESTS_STORE_WITH_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/rows.h"
#include "store/store.h"

struct with_store {
	char *folder;
	struct loop *loop;
	struct store *store;
	struct store_options options;
	struct arena *arena;
};

typedef int (*job_fn)(struct with_store *w, struct db *db, void *arg, struct err *err);

struct waited_job {
	struct store_job job;		/* first: cast back */
	struct with_store *w;
	job_fn fn;
	void *arg;
	size_t *pending;
	enum store_result result;
	struct err err;
	int runs;
};

static inline int waited_run(struct store_job *job, struct db *db, struct err *err)
{
	struct waited_job *j = (struct waited_job *)job;

	j->runs++;
	return j->fn(j->w, db, j->arg, err);
}

static inline void waited_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct waited_job *j = (struct waited_job *)job;

	j->result = result;
	j->err = *err;
	if (--*j->pending == 0)
		loop_stop(j->w->loop);
}

static inline void open_store(struct with_store *w)
{
	struct err err = { "" };

	w->loop = loop_new();
	if (store_start(w->loop, &w->options, &w->store, &err) < 0)
		fail_msg("store_start: %s", err.text);
}

static inline void close_store(struct with_store *w)
{
	store_stop(&w->store);
	loop_drain(w->loop);
	loop_free(&w->loop);
}

static inline struct with_store *with_store_new(void)
{
	struct with_store *w = xcalloc(1, sizeof(*w));

	w->folder = xstrdup("/tmp/store-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	w->options = (struct store_options){ .state = w->folder, .owner = "test", .min_free = 1 };
	w->arena = arena_new(0);
	return w;
}

static inline void with_store_free(struct with_store **with)
{
	struct with_store *w = *with;
	char *command;

	if (w->store)
		close_store(w);
	command = xasprintf("rm -rf '%s'", w->folder);
	assert_int_equal(system(command), 0);
	free(command);
	arena_free(&w->arena);
	free(w->folder);
	free(w);
	*with = NULL;
}

static inline char *file_of(const struct with_store *w)
{
	return arena_printf(w->arena, "%s/nurtured.db", w->folder);
}

/* The one number that the statement gives, by another connection to the file. */
static inline int64_t ask_file(struct with_store *w, const char *sql)
{
	sqlite3_stmt *s;
	int64_t value;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return value;
}

/* Submits all at once, in order, and waits for all. */
static inline void run_jobs(struct with_store *w, struct waited_job *jobs, size_t count, enum store_priority priority)
{
	size_t pending = count;

	for (size_t i = 0; i < count; i++) {
		jobs[i].job = (struct store_job){ .run = waited_run, .done = waited_done };
		jobs[i].w = w;
		jobs[i].pending = &pending;
		assert_int_equal(store_submit(w->store, &jobs[i].job, priority), 0);
	}
	if (count)
		loop_run(w->loop);
	assert_int_equal(pending, 0);
}

static inline enum store_result run_job(struct with_store *w, job_fn fn, void *arg, struct err *err)
{
	struct waited_job job = { .fn = fn, .arg = arg };

	run_jobs(w, &job, 1, STORE_NORMAL);
	if (err)
		*err = job.err;
	return job.result;
}

/* A job that must succeed. */
static inline void do_job(struct with_store *w, job_fn fn, void *arg)
{
	struct err err = { "" };

	if (run_job(w, fn, arg, &err) != STORE_COMMITTED)
		fail_msg("the job failed: %s", err.text);
}

static inline enum store_result read_job(struct with_store *w, job_fn fn, void *arg, struct err *err)
{
	size_t pending = 1;
	struct waited_job job = { .job = { .run = waited_run, .done = waited_done }, .w = w, .fn = fn, .arg = arg, .pending = &pending };

	assert_int_equal(store_read(w->store, &job.job), 0);
	loop_run(w->loop);
	if (err)
		*err = job.err;
	return job.result;
}

static inline int setup_store(void **state)
{
	struct with_store *w = with_store_new();

	log_setup(LOG_ERROR, false);
	open_store(w);
	*state = w;
	return 0;
}

static inline int teardown_store(void **state)
{
	with_store_free((struct with_store **)state);
	return 0;
}

#endif
