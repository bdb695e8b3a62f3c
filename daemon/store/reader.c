/*
 * reader.c: the reader thread: reports and look-ups by people, on a read-only connection of its own, so
 * that a long query never delays a sign-up. Each job sees one snapshot.
 */
#include <pthread.h>
#include <stdlib.h>

#include "inside.h"

#define WAITING_MAX 1000

struct reader {
	struct db *db;
	struct outlet *outlet;
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct job_list jobs;
	bool stopping;
};

static void run(struct reader *r, struct store_job *job)
{
	struct job_list done = { 0 };
	bool began;

	job->err.text[0] = '\0';
	job->result = STORE_FAILED;
	began = db_begin(r->db, &job->err) == 0;
	if (began && db_run_job(r->db, job, false) == JOB_KEPT)
		job->result = STORE_COMMITTED;
	else if (r->db->trouble <= TROUBLE_STATEMENT)
		job->result = STORE_REFUSED;
	if (began)
		db_rollback(r->db);	/* nothing was written: it only ends the snapshot */
	job_list_add(&done, job);
	outlet_put(r->outlet, batch_new(&done, NULL, 0, 0));
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	struct store_job *job;

	pthread_mutex_lock(&r->mutex);
	for (;;) {
		while (!r->jobs.count && !r->stopping)
			pthread_cond_wait(&r->wake, &r->mutex);
		job = job_list_take(&r->jobs);
		if (!job)
			break;
		pthread_mutex_unlock(&r->mutex);
		run(r, job);
		pthread_mutex_lock(&r->mutex);
	}
	pthread_mutex_unlock(&r->mutex);
	return NULL;
}

int reader_start(const char *where, struct outlet *outlet, struct reader **out, struct err *err)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->outlet = outlet;
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->wake, NULL);
	if (db_open(&driver_sqlite, where, DB_READER, &r->db, err) < 0)
		goto failed;
	if (suppressions_key(r->db, err) < 0)
		goto failed;
	if (pthread_create(&r->thread, NULL, reader_main, r) != 0) {
		err_set(err, "cannot start the reader thread");
		goto failed;
	}
	r->running = true;
	*out = r;
	return 0;
failed:
	reader_stop(&r);
	return -1;
}

void reader_stop(struct reader **reader)
{
	struct reader *r = *reader;

	if (!r)
		return;
	if (r->running) {
		pthread_mutex_lock(&r->mutex);
		r->stopping = true;
		pthread_cond_signal(&r->wake);
		pthread_mutex_unlock(&r->mutex);
		pthread_join(r->thread, NULL);
	}
	db_close(&r->db);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->mutex);
	free(r);
	*reader = NULL;
}

int reader_submit(struct reader *reader, struct store_job *job)
{
	int rc = -1;

	pthread_mutex_lock(&reader->mutex);
	if (!reader->stopping && reader->jobs.count < WAITING_MAX) {
		job_list_add(&reader->jobs, job);
		pthread_cond_signal(&reader->wake);
		rc = 0;
	}
	pthread_mutex_unlock(&reader->mutex);
	return rc;
}
