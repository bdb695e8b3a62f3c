/*
 * record.c: see record.h.
 */
#include <assert.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store.h"

#include "record.h"

#define JOB_MAX 64		/* as many rows as the store puts into a transaction while a sign-up waits */
#define AGAIN_FIRST (100 * 1000)
#define AGAIN_MOST (5 * US_SECOND)

struct queue {
	struct work *first, **last;
};

struct records {
	struct decide *decide;
	struct record_owner owner;
	struct event *flush;		/* end of this turn of the loop */
	struct timer *again;
	int64_t again_after;
	struct queue fresh;		/* of this turn */
	struct queue back;		/* thrown back: wait for the timer */
	size_t jobs;			/* that the store has */
	bool closed;			/* records_free() was called: the last job frees */
};

struct job {
	struct store_job job;
	struct records *records;
	size_t count;
	struct work *works[JOB_MAX];
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_put(struct queue *q, struct work *w)
{
	w->next_record = NULL;
	*q->last = w;
	q->last = &w->next_record;
}

static struct work *queue_get(struct queue *q)
{
	struct work *w = q->first;

	if (!w)
		return NULL;
	q->first = w->next_record;
	if (!q->first)
		q->last = &q->first;
	return w;
}

/* --- store thread ------------------------------------------------------------------------------------------------- */

static int run_one(struct decide *d, struct db *db, struct work *w, struct err *err)
{
	switch (w->record) {
	case RECORD_DOT:
		w->may_out = false;
		return on_dot(d, db, w->delivery, &w->may_out, err);
	case RECORD_OUTCOME:
		return on_outcome(d, db, &w->outcome, err);
	case RECORD_RELEASE:
		return on_release(d, db, &w->delivery, 1, w->outcome.retry_at, err);
	case RECORD_NONE:
		break;
	}
	return 0;
}

static int run(struct store_job *store_job, struct db *db, struct err *err)
{
	struct job *job = (struct job *)store_job;
	size_t i;

	for (i = 0; i < job->count; i++)
		if (run_one(job->records->decide, db, job->works[i], err) < 0)
			return -1;
	return 0;
}

/* --- loop thread -------------------------------------------------------------------------------------------------- */

static void throw_back(struct records *r, struct work *w)
{
	queue_put(&r->back, w);
	timer_set(r->again, r->again_after);
}

static void committed(struct records *r, struct work *w)
{
	enum record what = w->record;

	w->record = RECORD_NONE;
	if (what == RECORD_DOT) {
		CRASH_POINT("sending.after_commit");
		r->owner.dot_done(r->owner.ctx, w, false);
	} else {
		CRASH_POINT("sent.after_commit");
		r->owner.recorded(r->owner.ctx, w);
	}
}

/* A dot that cannot be committed now is not worth waiting for: the relay waits too. Nothing else may get lost. */
static void not_committed(struct records *r, struct work *w)
{
	if (w->record != RECORD_DOT) {
		throw_back(r, w);
		return;
	}
	w->record = RECORD_NONE;
	w->may_out = false;
	r->owner.dot_done(r->owner.ctx, w, true);
}

static void submit(struct records *r, struct job *job);

static void split(struct records *r, const struct job *job)
{
	struct job *one;
	size_t i;

	for (i = 0; i < job->count; i++) {
		one = xcalloc(1, sizeof(*one));
		one->works[one->count++] = job->works[i];
		submit(r, one);
	}
}

static void longer_pause(struct records *r)
{
	r->again_after = r->again_after * 2 > AGAIN_MOST ? AGAIN_MOST : r->again_after * 2;
}

static void done(struct store_job *store_job, enum store_result result, const struct err *err)
{
	struct job *job = (struct job *)store_job;
	struct records *r = job->records;
	size_t i;

	r->jobs--;
	if (r->closed) {
		if (r->jobs == 0)
			free(r);
		free(job);
		return;
	}
	switch (result) {
	case STORE_COMMITTED:
		r->again_after = AGAIN_FIRST;
		for (i = 0; i < job->count; i++)
			committed(r, job->works[i]);
		break;
	case STORE_REFUSED:
		if (job->count > 1) {
			split(r, job);
			break;
		}
		log_error("send.refused", L_ID("delivery", "del", job->works[0]->delivery), L_STR("why", err->text));
		longer_pause(r);
		not_committed(r, job->works[0]);
		break;
	case STORE_FAILED:
		log_warn("send.not_recorded", L_INT("count", (int64_t)job->count), L_STR("why", err->text));
		longer_pause(r);
		for (i = 0; i < job->count; i++)
			not_committed(r, job->works[i]);
		break;
	}
	free(job);
}

/* The store's queue may be full: then everything waits, dots too, for it will not be long. */
static void submit(struct records *r, struct job *job)
{
	size_t i;

	job->job.run = run;
	job->job.done = done;
	job->records = r;
	if (store_submit(decide_store(r->decide), &job->job, STORE_NORMAL) == 0) {
		r->jobs++;
		return;
	}
	for (i = 0; i < job->count; i++)
		throw_back(r, job->works[i]);
	free(job);
}

static void flush_queue(struct records *r, struct queue *q)
{
	struct job *job = NULL;
	struct work *w;

	while ((w = queue_get(q))) {
		if (!job)
			job = xcalloc(1, sizeof(*job));
		job->works[job->count++] = w;
		if (job->count < JOB_MAX)
			continue;
		submit(r, job);
		job = NULL;
	}
	if (job)
		submit(r, job);
}

static void flush_cb(evutil_socket_t fd, short what, void *arg)
{
	struct records *r = arg;

	flush_queue(r, &r->fresh);
}

static void again_cb(void *arg)
{
	struct records *r = arg;
	struct queue back = r->back;

	if (!back.first)
		return;
	queue_init(&r->back);
	flush_queue(r, &back);
}

void records_add(struct records *r, struct work *w, enum record what)
{
	assert(w->record == RECORD_NONE);
	w->record = what;
	/* active events run behind those that are active already: everything of this turn comes together */
	if (!r->fresh.first)
		event_active(r->flush, EV_TIMEOUT, 0);
	queue_put(&r->fresh, w);
}

struct records *records_new(struct loop *loop, struct decide *decide, const struct record_owner *owner)
{
	struct records *r = xcalloc(1, sizeof(*r));

	r->decide = decide;
	r->owner = *owner;
	r->again_after = AGAIN_FIRST;
	queue_init(&r->fresh);
	queue_init(&r->back);
	r->flush = event_new(loop_base(loop), -1, 0, flush_cb, r);
	if (!r->flush)
		abort();
	r->again = timer_new(loop, again_cb, r);
	return r;
}

void records_free(struct records **records)
{
	struct records *r = *records;

	if (!r)
		return;
	event_free(r->flush);
	timer_free(&r->again);
	r->closed = true;
	if (r->jobs == 0)
		free(r);
	*records = NULL;
}
