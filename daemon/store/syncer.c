/*
 * syncer.c: makes commits durable, and only then tells of them. The store thread commits into the log without waiting for the disk and goes on;
 * this thread syncs the log and hands the batches that it covers to the outlet, in their order. So one sync serves all commits that came while
 * the one before it ran, and a slow disk delays answers, not work.
 *
 * It is no less than a sync inside each commit: nobody hears of a batch before it is on disk, and what a power cut takes away is always the end
 * of the log, of which nobody has heard. What differs is a sync that fails: the transaction cannot be rolled back any more, later ones were built
 * on it, and the kernel may have dropped the pages. Then the process ends, as a database server does: the next one begins with what is there.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"

#include "inside.h"

struct syncer {
	const struct driver *driver;
	struct connection *connection;
	struct outlet *outlet;
	pthread_t thread;

	pthread_mutex_t mutex;		/* for what follows */
	pthread_cond_t wake;
	struct batch *first, *last;
	size_t jobs;			/* in these, and in those being synced */
	bool sleeping, stopping;
	uint64_t syncs, sync_us, sync_us_max;
};

static void sync_log(struct syncer *s)
{
	int64_t start = clock_steady(), took;
	struct err err;

	CRASH_POINT("store.before_sync");
	if (s->driver->sync(s->connection, &err) < 0) {
		log_error("store.not_synced", L_STR("why", err.text),
				L_STR("do", "the disk does not keep what is written to it: nurtured ends, and begins again with what is there"));
		_exit(EX_IOERR);
	}
	took = clock_steady() - start;
	pthread_mutex_lock(&s->mutex);
	s->syncs++;
	s->sync_us += (uint64_t)took;
	if (s->sync_us_max < (uint64_t)took)
		s->sync_us_max = (uint64_t)took;
	pthread_mutex_unlock(&s->mutex);
}

static bool take_batches(struct syncer *s, struct batch **out)
{
	pthread_mutex_lock(&s->mutex);
	while (!s->first && !s->stopping) {
		s->sleeping = true;
		pthread_cond_wait(&s->wake, &s->mutex);
		s->sleeping = false;
	}
	*out = s->first;
	s->first = s->last = NULL;
	pthread_mutex_unlock(&s->mutex);
	return *out;
}

static void hand_over(struct syncer *s, struct batch *batches)
{
	struct batch *batch;

	/* whoever is told may submit the next one at once, and there has to be room for it */
	pthread_mutex_lock(&s->mutex);
	for (batch = batches; batch; batch = batch->next)
		s->jobs -= batch->done.count;
	pthread_mutex_unlock(&s->mutex);
	while ((batch = batches)) {
		batches = batch->next;
		outlet_put(s->outlet, batch);
	}
}

static void *syncer_main(void *arg)
{
	struct syncer *s = arg;
	struct batch *batches;

	while (take_batches(s, &batches)) {
		bool wrote = false;

		for (const struct batch *b = batches; b; b = b->next)
			wrote |= b->wrote;
		if (wrote)
			sync_log(s);
		hand_over(s, batches);
	}
	return NULL;
}

int syncer_start(struct db *db, struct outlet *outlet, struct syncer **out, struct err *err)
{
	struct syncer *s = xcalloc(1, sizeof(*s));

	s->driver = db->driver;
	s->connection = db->connection;
	s->outlet = outlet;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (pthread_create(&s->thread, NULL, syncer_main, s) != 0) {
		free(s);
		return err_set(err, "cannot start the thread that syncs");
	}
	*out = s;
	return 0;
}

void syncer_stop(struct syncer **syncer)
{
	struct syncer *s = *syncer;

	if (!s)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mutex);
	free(s);
	*syncer = NULL;
}

void syncer_put(struct syncer *s, struct batch *batch)
{
	bool wake;

	pthread_mutex_lock(&s->mutex);
	if (s->last)
		s->last->next = batch;
	else
		s->first = batch;
	s->last = batch;
	s->jobs += batch->done.count;
	wake = s->sleeping;
	pthread_mutex_unlock(&s->mutex);
	if (wake)
		pthread_cond_signal(&s->wake);
}

size_t syncer_jobs(struct syncer *s)
{
	size_t jobs;

	pthread_mutex_lock(&s->mutex);
	jobs = s->jobs;
	pthread_mutex_unlock(&s->mutex);
	return jobs;
}

void syncer_counts(struct syncer *s, struct store_counts *out)
{
	pthread_mutex_lock(&s->mutex);
	out->syncs = s->syncs;
	out->sync_us = s->sync_us;
	out->sync_us_max = s->sync_us_max;
	pthread_mutex_unlock(&s->mutex);
}
