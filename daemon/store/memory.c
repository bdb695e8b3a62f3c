/*
 * memory.c: a store in memory: see store.h. The same schema and statements on a connection of its own, without the threads, the lock, the
 * log and the disk around it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

#define COPY_MAX (INT64_C(16) << 30)

/* A daemon writes to it at this moment: it holds the lock beside it. */
static bool is_open(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *lock = xasprintf("%.*snurtured.lock", slash ? (int)(slash - file) + 1 : 0, file);
	int fd = strcmp(slash ? slash + 1 : file, "nurtured.db") == 0 ? open(lock, O_RDONLY | O_CLOEXEC) : -1;
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	free(lock);
	return held;
}

static int load_copy(struct db *db, const char *file, struct err *err)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return err_set(err, "%m");
	if (!S_ISREG(st.st_mode))
		return err_set(err, "no regular file");
	if (st.st_size > COPY_MAX)
		return err_set(err, "has %lld MiB; at most %lld MiB are taken into memory", (long long)st.st_size >> 20,
				(long long)COPY_MAX >> 20);
	if (is_open(file))
		return err_set(err, "a daemon has it open; take a copy");
	return db->driver->load(db->connection, file, err);
}

int store_open_memory(const char *copy_of, struct store **out, struct err *err)
{
	struct store *s = store_new(NULL);
	struct db *db;

	if (db_open(&driver_sqlite, NULL, DB_MEMORY, &db, err) < 0)
		goto failed;
	if (copy_of && load_copy(db, copy_of, err) < 0) {
		err_prefix(err, "%s", copy_of);
		db_close(&db);
		goto failed;
	}
	if (store_prepare(s, db, "memory", err) < 0) {
		if (copy_of)
			err_prefix(err, "%s", copy_of);
		goto failed;
	}
	*out = s;
	return 0;
failed:
	store_stop(&s);
	return -1;
}

static enum store_result run(struct db *db, struct store_job *job)
{
	enum job_end end = JOB_REFUSED;

	job->err.text[0] = '\0';
	if (db_begin(db, &job->err) == 0)
		end = db_run_job(db, job, false);
	if (end == JOB_KEPT && db->trouble <= TROUBLE_STATEMENT && db_commit(db, &job->err) == 0)
		return STORE_COMMITTED;
	db_rollback(db);
	return db->trouble <= TROUBLE_STATEMENT ? STORE_REFUSED : STORE_FAILED;
}

enum store_result store_run(struct store *store, struct store_job *job, struct err *err)
{
	struct db *db = store_db(store);
	struct job_list done = { 0 };
	enum store_result result = run(db, job);

	if (err)
		*err = job->err;
	job->result = result;
	job_list_add(&done, job);
	outlet_put(store_outlet(store), batch_new(&done, db->after, db->after_count, db->hints));
	return result;
}

int memory_submit(struct store *store, struct store_job *job)
{
	store_run(store, job, NULL);
	return 0;
}
