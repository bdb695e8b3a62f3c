/*
 * store.c: see store.h: the store thread, and starting and stopping the whole.
 *
 * The thread takes what waits, runs it in one transaction, commits, and hands the batch to the syncer. What the
 * engine may cure by itself is tried again; everything else fails the batch, and each following second
 * shows by a small commit whether the trouble is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/random.h"

#include "inside.h"

#define QUEUE_LIMIT 20000
#define MIN_FREE (INT64_C(64) << 20)
#define BATCH_FIRST 128		/* jobs of a transaction while some wait that come first */
#define BATCH_REST 16		/* of these, what others are sure to get */
#define BATCH 512
#define TRIES 10
#define TURN US_SECOND		/* the thread wakes at least that often */
#define CHECKPOINT_IDLE (UINT64_C(4) << 20)	/* of log, when nothing has come for IDLE */
#define IDLE (50 * INT64_C(1000))
#define CHECKPOINT_BUSY (UINT64_C(8) << 20)	/* of log, whatever waits */
#define CHECKPOINT_REST (UINT64_C(1) << 20)	/* what is left behind it is small enough to wait for */

struct store {
	struct loop *loop;
	char *state, *file, *lock_file;
	int lock_fd;
	struct db *db;
	struct reader *reader;
	struct outlet *outlet;
	struct syncer *syncer;
	struct settler *settler;
	bool moving;			/* store thread: a checkpoint has moved the log, all but what came since */
	struct disk *disk;
	pthread_t thread;
	bool running;
	size_t limit;
	int64_t looked;			/* store thread: when it last looked after the disk */

	pthread_mutex_t mutex;		/* for what follows */
	pthread_cond_t wake;
	struct job_list first, normal;
	bool sleeping, stopping;
	bool failing;			/* the last commit failed */
	bool refusing;			/* ... and submitting would be in vain */
	bool hopeless;			/* ... for ever: lease lost, file damaged */
	struct err why;
	struct store_counts counts;
};

struct db *store_db(struct store *store)
{
	return store->db;
}

struct outlet *store_outlet(struct store *store)
{
	return store->outlet;
}

/* --- one batch ------------------------------------------------------------------------------------------ */

/* Runs the jobs, inside the transaction. 1: one of them has to be undone, and that takes savepoints. */
static int run_jobs(struct store *s, struct job_list *jobs, bool savepoints, struct err *err)
{
	for (struct store_job *job = jobs->first; job; job = job->next) {
		enum job_end end;

		job->err.text[0] = '\0';
		end = db_run_job(s->db, job, savepoints);
		if (s->db->trouble > TROUBLE_STATEMENT) {
			if (job->err.text[0])
				*err = job->err;
			return -1;
		}
		if (end == JOB_SPOILT)
			return 1;
		job->result = end == JOB_KEPT ? STORE_COMMITTED : STORE_REFUSED;
	}
	return 0;
}

/* One try: 0 on disk, -1 nothing happened, 1 nothing happened and the next try needs savepoints. */
static int try_batch(struct store *s, struct job_list *jobs, bool savepoints, struct err *err)
{
	int64_t start;
	int rc = -1;

	if (db_begin(s->db, err) < 0)
		goto failed;
	/* on an engine with one writer this check holds until the commit */
	if (!s->db->driver->shares && db_epoch(s->db, 0, err) < 0)
		goto failed;
	rc = run_jobs(s, jobs, savepoints, err);
	if (rc != 0)
		goto failed;
	rc = -1;
	CRASH_POINT("store.before_commit");
	start = clock_steady();
	if (db_commit(s->db, err) < 0)
		goto failed;
	CRASH_POINT("store.after_commit");
	start = clock_steady() - start;
	pthread_mutex_lock(&s->mutex);
	s->counts.commits++;
	s->counts.commit_us += (uint64_t)start;
	if (s->counts.commit_us_max < (uint64_t)start)
		s->counts.commit_us_max = (uint64_t)start;
	pthread_mutex_unlock(&s->mutex);
	return 0;
failed:
	db_rollback(s->db);
	return rc;
}

/* The state that store_ready() and store_submit() go by. */
static void set_health(struct store *s, enum trouble trouble, const struct err *why)
{
	bool was;

	pthread_mutex_lock(&s->mutex);
	was = s->failing;
	s->failing = trouble > TROUBLE_STATEMENT;
	s->refusing = trouble == TROUBLE_FULL || trouble >= TROUBLE_LEASE;
	s->hopeless |= trouble >= TROUBLE_LEASE;
	if (s->failing)
		s->why = *why;
	pthread_mutex_unlock(&s->mutex);
	if (was && trouble == TROUBLE_NONE)
		log_info("store.healed", L_STR("file", s->file));
	else if (!was && trouble > TROUBLE_STATEMENT)
		log_error("store.failed", L_STR("file", s->file), L_STR("why", why->text));
}

/* Runs the jobs, together or not at all; their results are set. */
static int commit_batch(struct store *s, struct job_list *jobs)
{
	struct err err = { "the database failed" };
	int rc = try_batch(s, jobs, false, &err);

	for (int i = 1; i < TRIES && rc != 0; i++) {
		bool savepoints = rc == 1;

		if (!savepoints && s->db->trouble != TROUBLE_RETRY)
			break;
		if (!savepoints)
			usleep((useconds_t)(random_u64() % (2000u << i)));
		rc = try_batch(s, jobs, savepoints, &err);
	}
	if (rc == 0) {
		set_health(s, TROUBLE_NONE, NULL);
		return 0;
	}
	/* a statement that fails outside the jobs is no less than a failed disk */
	if (s->db->trouble <= TROUBLE_RETRY)
		db_note(s->db, TROUBLE_IO);
	if (s->db->trouble == TROUBLE_FULL)
		disk_release(s->disk);
	set_health(s, s->db->trouble, &err);
	for (struct store_job *job = jobs->first; job; job = job->next) {
		job->result = STORE_FAILED;
		job->err = err;
	}
	return -1;
}

static void count_results(struct store *s, const struct job_list *jobs)
{
	uint64_t refused = 0, failed = 0;

	for (const struct store_job *job = jobs->first; job; job = job->next) {
		refused += job->result == STORE_REFUSED;
		failed += job->result == STORE_FAILED;
	}
	pthread_mutex_lock(&s->mutex);
	s->counts.jobs += jobs->count;
	s->counts.refused += refused;
	s->counts.failed += failed;
	pthread_mutex_unlock(&s->mutex);
}

/* 1: see settler_ask(). */
static int checkpoint(struct store *s, enum checkpoint how)
{
	struct err err;
	int rc = s->db->driver->checkpoint(s->db->connection, how, &err);

	if (rc < 0)
		log_warn("store.checkpoint", L_STR("file", s->file), L_STR("why", err.text));
	return rc;
}

/* The log is cut, which takes as long as it takes. */
static void cut_log(struct store *s)
{
	if (s->settler)
		settler_wait(s->settler);
	s->moving = false;
	checkpoint(s, CHECKPOINT_CUT);
}

/*
 * What was erased still lies in the log, and in the file until the log is moved there. A reader may stand in the way of that: it is tried again
 * until the log is cut.
 */
static void scrub(struct store *s)
{
	uint64_t unmoved;

	if (!s->db->scrub)
		return;
	CRASH_POINT("erase.after_commit");
	cut_log(s);
	s->db->scrub = s->db->driver->log_bytes(s->db->connection, &unmoved) > 0;
}

static void run_batch(struct store *s, struct job_list *jobs)
{
	struct db *db = s->db;
	uint64_t writes = db->writes;
	int rc = commit_batch(s, jobs);
	struct batch *batch;

	if (rc == 0)
		scrub(s);
	count_results(s, jobs);
	batch = batch_new(jobs, db->after, rc == 0 ? db->after_count : 0, rc == 0 ? db->hints : 0);
	batch->wrote = rc == 0 && db->writes != writes;
	syncer_put(s->syncer, batch);
}

/* --- housekeeping --------------------------------------------------------------------------------------- */

static uint64_t unmoved_log(struct store *s)
{
	uint64_t unmoved;

	s->db->driver->log_bytes(s->db->connection, &unmoved);
	return unmoved;
}

/*
 * Moves what is in the log, most of it without waiting for the disk; the rest, which came meanwhile, is little, and is waited for: then the log
 * begins anew.
 */
static void move_log(struct store *s)
{
	uint64_t unmoved = unmoved_log(s);

	if (settler_busy(s->settler))
		return;
	if (s->moving && unmoved <= CHECKPOINT_REST) {
		s->moving = false;
		checkpoint(s, CHECKPOINT_SETTLE);
		return;
	}
	s->moving = checkpoint(s, CHECKPOINT_MOVE) == 1;
	if (s->moving)
		settler_ask(s->settler);
}

/*
 * Between commits: a checkpoint holds up whoever comes, so it is made when nobody has come for a while, or when the log gets long. Not sooner: the
 * same pages are written again and again, and a checkpoint moves each once.
 */
static void checkpoint_if_due(struct store *s, bool idle)
{
	uint64_t unmoved, log;

	if (s->moving || unmoved_log(s) >= (idle ? CHECKPOINT_IDLE : CHECKPOINT_BUSY))
		move_log(s);
	log = s->db->driver->log_bytes(s->db->connection, &unmoved);
	pthread_mutex_lock(&s->mutex);
	s->counts.wal_bytes = log;
	pthread_mutex_unlock(&s->mutex);
}

/* Something to write: a commit without it would succeed on a full disk too. */
static int write_mark(struct store_job *job, struct db *db, struct err *err)
{
	int64_t now = clock_now();

	return settings_set(db, "last_trouble", &now, sizeof(now), err);
}

/* Once a second: the disk, and after trouble a small commit, to see whether it is over. */
static void look_after(struct store *s)
{
	struct store_job mark = { .run = write_mark };
	struct job_list trial = { 0 };
	struct stat st = { 0 };
	bool failing, hopeless;
	int64_t now = clock_steady();

	pthread_mutex_lock(&s->mutex);
	s->counts.last_turn = now;
	failing = s->failing;
	hopeless = s->hopeless;
	pthread_mutex_unlock(&s->mutex);
	if (now - s->looked < TURN)
		return;
	s->looked = now;
	disk_look(s->disk);
	if (failing && !hopeless && disk_has_room(s->disk)) {
		settler_wait(s->settler);
		checkpoint(s, CHECKPOINT_SETTLE);
		job_list_add(&trial, &mark);
		commit_batch(s, &trial);
	}
	if (stat(s->file, &st) == 0) {
		pthread_mutex_lock(&s->mutex);
		s->counts.db_bytes = (uint64_t)st.st_size;
		pthread_mutex_unlock(&s->mutex);
	}
}

/* --- the thread ----------------------------------------------------------------------------------------- */

/* Under the mutex: the jobs of the next transaction. */
static void take_jobs(struct store *s, struct job_list *out)
{
	size_t rest = s->normal.count < BATCH_REST ? s->normal.count : BATCH_REST;
	size_t room = BATCH;

	if (s->first.count) {
		while (s->first.count && out->count < BATCH_FIRST - rest)
			job_list_add(out, job_list_take(&s->first));
		room = BATCH_FIRST;
	}
	while (s->normal.count && out->count < room)
		job_list_add(out, job_list_take(&s->normal));
}

/* Waits for jobs, at most `wait` microseconds; false: the store stops, and there are none. */
static bool next_jobs(struct store *s, int64_t wait, struct job_list *out)
{
	struct timespec until;
	bool go_on;

	pthread_mutex_lock(&s->mutex);
	if (!s->first.count && !s->normal.count && !s->stopping) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += (wait % US_SECOND) * 1000;
		until.tv_sec += wait / US_SECOND + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		s->sleeping = true;
		pthread_cond_timedwait(&s->wake, &s->mutex, &until);
		s->sleeping = false;
	}
	take_jobs(s, out);
	go_on = out->count || !s->stopping;
	pthread_mutex_unlock(&s->mutex);
	return go_on;
}

static void *store_main(void *arg)
{
	struct store *s = arg;
	struct job_list jobs = { 0 };

	while (next_jobs(s, unmoved_log(s) >= CHECKPOINT_IDLE ? IDLE : TURN, &jobs)) {
		bool idle = jobs.count == 0;

		if (!idle)
			run_batch(s, &jobs);
		scrub(s);
		look_after(s);
		checkpoint_if_due(s, idle);
	}
	return NULL;
}

/* --- starting and stopping ------------------------------------------------------------------------------ */

static int lock_state(struct store *s, struct err *err)
{
	char pid[24] = "";
	ssize_t n;

	s->lock_fd = open(s->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->lock_fd < 0)
		return err_set(err, "%s: %m", s->lock_file);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, "%s: %m", s->lock_file);
		n = read(s->lock_fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		return err_set(err, "%s: another daemon (process %s) uses this folder", s->lock_file, pid);
	}
	snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, pid, strlen(pid), 0) < 0)
		return err_set(err, "%s: %m", s->lock_file);
	return 0;
}

/* What waited for the commit of a transaction that is nobody's job. */
static void tell_after(struct store *s)
{
	struct job_list none = { 0 };

	if (s->db->after_count)
		outlet_put(s->outlet, batch_new(&none, s->db->after, s->db->after_count, 0));
}

/* What has to be true before the first job: leases ours, the key there, alerts back in their lane. */
static int take_over(struct store *s, struct err *err)
{
	if (db_begin(s->db, err) < 0)
		return -1;
	CRASH_POINT("lease.before_takeover");
	if (leases_take(s->db, err) < 0 || suppressions_key(s->db, err) < 0 || queue_heads_load(s->db,
			err) < 0 || packs_load(s->db, err) < 0 || claims_load(s->db, err) < 0 ||
			alerts_recover(s->db, clock_now(), err) < 0 || db_commit(s->db, err) < 0) {
		db_rollback(s->db);
		return -1;
	}
	CRASH_POINT("lease.after_takeover");
	tell_after(s);
	return 0;
}

static int prepare_database(struct store *s, struct err *err)
{
	if (migrations_run(s->db, MIGRATIONS_ALL, err) == 0 && take_over(s, err) == 0)
		return 0;
	if (s->db->trouble != TROUBLE_FULL || !s->disk)
		return -1;
	/* a daemon that was restarted on a full disk has its ballast still */
	disk_release(s->disk);
	return migrations_run(s->db, MIGRATIONS_ALL, err) < 0 ? -1 : take_over(s, err);
}

int store_prepare(struct store *s, struct db *db, const char *owner, struct err *err)
{
	s->db = db;
	db->leases = leases_new(owner);
	db->heads = queue_heads_new();
	db->marks = marks_new();
	db->once_pruned = xcalloc(BUCKETS, sizeof(int64_t));
	return prepare_database(s, err);
}

/* On a full disk SQLite cannot even lay the index of the log: it gets the ballast for that. */
static int open_database(struct store *s, struct db **out, struct err *err)
{
	if (db_open(&driver_sqlite, s->file, DB_WRITER, out, err) == 0)
		return 0;
	if (!disk_is_full(s->disk))
		return -1;
	disk_release(s->disk);
	return db_open(&driver_sqlite, s->file, DB_WRITER, out, err);
}

static int open_all(struct store *s, const struct store_options *options, struct err *err)
{
	struct db *db;

	if (mkdir(s->state, 0750) < 0 && errno != EEXIST)
		return err_set(err, "%s: %m", s->state);
	if (lock_state(s, err) < 0)
		return -1;
	s->disk = disk_new(s->state, options->min_free ? options->min_free : MIN_FREE);
	disk_look(s->disk);
	if (open_database(s, &db, err) < 0)
		return -1;
	if (store_prepare(s, db, options->owner, err) < 0)
		return err_prefix(err, "%s", s->file);
	/* whatever was erased before a crash, and still lies in the log */
	cut_log(s);
	if (settler_start(db, &s->settler, err) < 0 || syncer_start(db, s->outlet, &s->syncer, err) < 0)
		return err_prefix(err, "%s", s->file);
	if (reader_start(s->file, s->outlet, &s->reader, err) < 0)
		return err_prefix(err, "%s", s->file);
	if (pthread_create(&s->thread, NULL, store_main, s) != 0)
		return err_set(err, "cannot start the store thread");
	s->running = true;
	return 0;
}

struct store *store_new(struct loop *loop)
{
	struct store *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	s->loop = loop;
	s->lock_fd = -1;
	s->outlet = outlet_new(loop);
	s->counts.last_turn = clock_steady();
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

int store_start(struct loop *loop, const struct store_options *options, struct store **out, struct err *err)
{
	struct store *s = store_new(loop);

	s->state = xstrdup(options->state);
	s->file = xasprintf("%s/nurtured.db", options->state);
	s->lock_file = xasprintf("%s/nurtured.lock", options->state);
	s->limit = options->queue_limit ? options->queue_limit : QUEUE_LIMIT;
	if (open_all(s, options, err) < 0) {
		store_stop(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void store_stop(struct store **store)
{
	struct store *s = *store;

	if (!s)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->mutex);
	if (s->running)
		pthread_join(s->thread, NULL);
	syncer_stop(&s->syncer);
	settler_stop(&s->settler);
	reader_stop(&s->reader);
	/* not when the lease is lost: the log is the other daemon's now */
	if (s->running && !s->hopeless)
		cut_log(s);
	outlet_close(&s->outlet);
	db_close(&s->db);
	disk_free(&s->disk);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mutex);
	free(s->state);
	free(s->file);
	free(s->lock_file);
	free(s);
	*store = NULL;
}

/* --- the loop's side ------------------------------------------------------------------------------------ */

int store_submit(struct store *store, struct store_job *job, enum store_priority priority)
{
	bool wake = false;
	int rc = -1;

	if (!store->loop)
		return memory_submit(store, job);
	pthread_mutex_lock(&store->mutex);
	if (!store->stopping && !store->refusing && disk_has_room(store->disk) &&
			store->first.count + store->normal.count + syncer_jobs(store->syncer) < store->limit) {
		job_list_add(priority == STORE_FIRST ? &store->first : &store->normal, job);
		wake = store->sleeping;
		rc = 0;
	}
	pthread_mutex_unlock(&store->mutex);
	if (wake)
		pthread_cond_signal(&store->wake);
	return rc;
}

bool store_ready(struct store *store, struct err *why)
{
	bool ready = true;

	pthread_mutex_lock(&store->mutex);
	if (store->stopping) {
		err_set(why, "the store is stopping");
		ready = false;
	} else if (store->failing || store->hopeless) {
		err_set(why, "%s", store->why.text);
		ready = false;
	} else if (store->disk && !disk_has_room(store->disk)) {
		err_set(why, "the disk of %s is nearly full: %lld MiB are free", store->state,
				(long long)disk_left(store->disk) >> 20);
		ready = false;
	}
	pthread_mutex_unlock(&store->mutex);
	return ready;
}

void store_counts(struct store *store, struct store_counts *out)
{
	pthread_mutex_lock(&store->mutex);
	*out = store->counts;
	out->waiting = store->first.count + store->normal.count;
	pthread_mutex_unlock(&store->mutex);
	if (store->syncer)
		syncer_counts(store->syncer, out);
	out->disk_free = store->disk ? (uint64_t)disk_left(store->disk) : 0;
	out->statements = atomic_load_explicit(&store->db->statements, memory_order_relaxed);
}

int store_read(struct store *store, struct store_job *job)
{
	return store->loop ? reader_submit(store->reader, job) : memory_submit(store, job);
}

void store_on_hints(struct store *store, void (*fn)(void *arg, unsigned hints), void *arg)
{
	outlet_on_hints(store->outlet, fn, arg);
}
