/*
 * forget.c: what is older than `keep.events` goes: events, the points they gave, opens and clicks. One bucket a minute, so that it never holds
 * up anybody; each is visited every 17 hours. And whose mail servers take the mail of a domain that was not mailed for a month.
 *
 * The score stays what it was: what is years old has decayed to nothing.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include "decide.h"

#define EVERY US_MINUTE
#define HOSTS_KEPT (30 * US_DAY)
#define HOSTS_MOST 1000		/* go at once */

struct forget_job {
	struct store_job job;
	uint16_t bucket;
	int64_t now, keep;		/* keep: 0: for ever */
};

static int run_forget(struct store_job *job, struct db *db, struct err *err)
{
	struct forget_job *f = (struct forget_job *)job;

	if (on_forget_hosts(db, f->now, err))
		return -1;
	return f->keep > 0 ? on_forget(db, f->bucket, f->now - f->keep, err) : 0;
}

static void forget_done(struct store_job *job, enum store_result result, const struct err *err)
{
	if (result != STORE_COMMITTED)
		log_warn("forget.failed", L_STR("why", err->text));
	free(job);
}

int on_forget(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	return events_prune(db, bucket, before, err) || terms_prune(db, bucket, before, err) || hits_prune(db, bucket, before, err) ||
		packs_drop_damaged(db, bucket, before, err) || trials_prune(db, bucket, before, err) ? -1 : 0;
}

int on_forget_hosts(struct db *db, int64_t now, struct err *err)
{
	return mx_hosts_prune(db, now - HOSTS_KEPT, HOSTS_MOST, err);
}

static void forget_next(void *arg)
{
	struct decide *d = arg;
	struct forget_job *f;

	if (d->stopping)
		return;
	timer_set(d->forget, EVERY);
	f = xcalloc(1, sizeof(*f));
	*f = (struct forget_job){ .job = { .run = run_forget, .done = forget_done }, .bucket = d->forget_bucket, .now = clock_now(),
		.keep = d->plan->operator.keep_events };
	d->forget_bucket = (uint16_t)((d->forget_bucket + 1) % BUCKETS);
	if (store_submit(d->store, &f->job, STORE_NORMAL))
		free(f);
}

void forget_start(struct decide *d)
{
	d->forget_bucket = (uint16_t)(random_u64() % BUCKETS);
	d->forget = timer_new(d->loop, forget_next, d);
	timer_set(d->forget, EVERY);
}
