/*
 * outlet.c: the way back to the loop: completions of batches, in the order of their commits.
 *
 * Both threads put batches in; one post to the loop is under way at most. The outlet lives until both
 * the store has closed it and that post has run, so a store may be stopped while a post still waits in
 * the loop.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

struct outlet {
	struct loop *loop;
	void (*on_hints)(void *arg, unsigned hints);	/* loop thread */
	void *on_hints_arg;
	pthread_mutex_t mutex;
	struct batch *first, *last;
	bool posted;
	bool closed;			/* loop thread */
};

void job_list_add(struct job_list *list, struct store_job *job)
{
	job->next = NULL;
	if (list->last)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
	list->count++;
}

struct store_job *job_list_take(struct job_list *list)
{
	struct store_job *job = list->first;

	if (!job)
		return NULL;
	list->first = job->next;
	if (!list->first)
		list->last = NULL;
	list->count--;
	return job;
}

struct outlet *outlet_new(struct loop *loop)
{
	struct outlet *o = xcalloc(1, sizeof(*o));

	o->loop = loop;
	pthread_mutex_init(&o->mutex, NULL);
	return o;
}

void outlet_on_hints(struct outlet *outlet, void (*fn)(void *arg, unsigned hints), void *arg)
{
	outlet->on_hints = fn;
	outlet->on_hints_arg = arg;
}

static void deliver_batch(struct outlet *o, struct batch *batch)
{
	struct store_job *job;

	for (size_t i = 0; i < batch->after_count; i++)
		batch->after[i].fn(batch->after[i].arg);
	while ((job = job_list_take(&batch->done))) {
		/* done may free it */
		if (job->done)
			job->done(job, job->result, &job->err);
	}
	if (batch->hints && o->on_hints)
		o->on_hints(o->on_hints_arg, batch->hints);
	free(batch->after);
	free(batch);
}

static void deliver(struct outlet *o)
{
	struct batch *batch;

	do {
		pthread_mutex_lock(&o->mutex);
		batch = o->first;
		if (batch)
			o->first = batch->next;
		if (!o->first)
			o->last = NULL;
		pthread_mutex_unlock(&o->mutex);
		if (batch)
			deliver_batch(o, batch);
	} while (batch);
}

static void outlet_free(struct outlet *o)
{
	pthread_mutex_destroy(&o->mutex);
	free(o);
}

static void posted_cb(void *arg)
{
	struct outlet *o = arg;

	pthread_mutex_lock(&o->mutex);
	o->posted = false;
	pthread_mutex_unlock(&o->mutex);
	if (o->closed)
		outlet_free(o);
	else
		deliver(o);
}

void outlet_close(struct outlet **outlet)
{
	struct outlet *o = *outlet;

	if (!o)
		return;
	*outlet = NULL;
	deliver(o);
	o->closed = true;
	if (!o->posted)		/* the threads have ended: nobody else looks */
		outlet_free(o);
}

struct batch *batch_new(struct job_list *done, const struct after *after, size_t after_count, unsigned hints)
{
	struct batch *batch = xcalloc(1, sizeof(*batch));

	batch->done = *done;
	*done = (struct job_list){ 0 };
	batch->hints = hints;
	if (after_count) {
		batch->after = xcalloc(after_count, sizeof(*after));
		memcpy(batch->after, after, after_count * sizeof(*after));
		batch->after_count = after_count;
	}
	return batch;
}

void outlet_put(struct outlet *outlet, struct batch *batch)
{
	bool post;

	batch->next = NULL;
	pthread_mutex_lock(&outlet->mutex);
	if (outlet->last)
		outlet->last->next = batch;
	else
		outlet->first = batch;
	outlet->last = batch;
	post = outlet->loop && !outlet->posted;
	outlet->posted |= post;
	pthread_mutex_unlock(&outlet->mutex);
	if (!outlet->loop)
		deliver(outlet);
	if (post)
		loop_post(outlet->loop, posted_cb, outlet);
}
