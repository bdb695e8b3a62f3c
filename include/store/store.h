/*
 * store.h: the store thread: the one writer. Jobs go in from the loop, run grouped in one transaction, and come back as completions.
 *
 * The thread takes all jobs that wait (STORE_FIRST ones first; while any such wait at most 128 a transaction, else 512), BEGIN
 * IMMEDIATE, runs each and COMMIT. A second thread syncs the log, and only then are the completions posted to the loop; meanwhile the next batch runs.
 * A job that fails rolls back alone: if it had written something, the whole batch is run again with a savepoint around each. When the
 * commit fails, every job of the batch gets STORE_FAILED. WAL checkpoints are made by this thread when nothing has come for a while or the
 * WAL passes a bound; a third thread waits for the disk behind them.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;
struct loop;
struct store;

enum store_result {
	STORE_COMMITTED,	/* run returned 0 and the transaction is on disk */
	STORE_REFUSED,		/* run returned -1: its savepoint was rolled back, err says why */
	STORE_FAILED,		/* the transaction failed: disk full, I/O, lost lease: err says why; nothing of it happened */
};

enum store_priority { STORE_FIRST, STORE_NORMAL };

/*
 * Embedded in the caller's struct. The memory belongs to the store from store_submit() until done, then to done.
 * run: store thread, inside a transaction; may be run again from the start (no side effects but through db and its own result fields).
 * done: loop thread; NULL when nobody waits.
 */
struct store_job {
	int (*run)(struct store_job *job, struct db *db, struct err *err);
	void (*done)(struct store_job *job, enum store_result result, const struct err *err);
	struct store_job *next;		/* the store's */
	enum store_result result;	/* the store's */
	struct err err;			/* the store's */
};

struct store_options {
	const char *state;		/* folder; created 0750; nurtured.db and the lock file lie in it */
	const char *owner;		/* name of this daemon in leases */
	size_t queue_limit;		/* jobs that may wait; 0: 20,000 */
	int64_t min_free;		/* bytes that must be free on the disk (statvfs, once a second); 0: 64 MiB */
};

/* Opens, locks (flock; a second daemon is refused with its pid), migrates, recovers claims, takes all leases, starts the thread. */
int store_start(struct loop *loop, const struct store_options *options, struct store **out, struct err *err) MUSTCHECK;
/* Runs what is queued, checkpoints, stops the thread, delivers the last completions, closes. Loop thread. */
void store_stop(struct store **store);

/* Loop thread. -1 when the queue is full, the disk is, or the store is stopping: the caller answers 503 and keeps the job. */
int store_submit(struct store *store, struct store_job *job, enum store_priority priority) MUSTCHECK;

/* Any thread: can a commit be made at this time? (disk, errors, lease) For /readyz. */
bool store_ready(struct store *store, struct err *why);

struct store_counts {
	uint64_t commits, jobs, refused, failed;
	uint64_t waiting;		/* jobs in the queue now */
	uint64_t commit_us, commit_us_max;	/* time spent in COMMIT, all and the longest */
	uint64_t syncs, sync_us, sync_us_max;	/* of the log, by a thread of its own; one covers all commits before it */
	uint64_t wal_bytes, db_bytes, disk_free;
	uint64_t statements;		/* executed since the start */
	int64_t last_turn;		/* clock_steady() of the thread's last sign of life, for the watchdog */
};
void store_counts(struct store *store, struct store_counts *out);

/*
 * The reader thread: its own read-only connection, for reports and look-ups by people. Same job form; run must not write.
 * Loop thread.
 */
int store_read(struct store *store, struct store_job *job) MUSTCHECK;

/* Hint that came out of committed jobs, delivered on the loop after each commit that set any; see db_hint(). */
enum store_hint { HINT_TIME = 1, HINT_SEND = 2, HINT_ALERT = 4, HINT_HITS = 8 };
void store_on_hints(struct store *store, void (*fn)(void *arg, unsigned hints), void *arg);

/* --- in memory: for simulation and tests ------------------------------------------------------------------------ */

/*
 * A store that no disk holds: one connection to an SQLite database in memory, used by the thread that calls; no thread of its own, no loop, no
 * lock. Schema, keys, leases and queue are as in any other. store_submit() and store_read() run the job and its completion before they return.
 *
 * copy_of: NULL, or the file of a database (at most 16 GiB), which is copied into it and brought to this program's schema; the file stays as it
 * is. One that a daemon has open is refused: db_save() makes a copy that may be taken. store_stop() closes it.
 */
int store_open_memory(const char *copy_of, struct store **out, struct err *err) MUSTCHECK;

/*
 * Runs one job of a store in memory in a transaction of its own; then what waits for its commit, its completion and the hints. The job may be
 * gone when it returns, if its `done` frees it. err (may be NULL) as the completion gets it.
 */
enum store_result store_run(struct store *store, struct store_job *job, struct err *err);

#endif
