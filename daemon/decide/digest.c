/*
 * digest.c: hits that are recorded take effect, when the store has nothing better to do: some at a time, the oldest first. Loop thread.
 *
 * Mostly that is at once. When more come than it can work on, answering goes before effects: it works a quarter of the time, so that a flood costs
 * neither answers nor sign-ups, until the oldest has waited for LAG; then it goes as fast as it can. When too many wait on disk, no more are taken in
 * there, and those that come are worked on before they are answered (ingest/book.h).
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"

#define TURN 512			/* hits: some 10 ms of the store; of fewer each writes more pages of its own */
#define LAST 1024			/* ... of the turn with which it ends */
#define LAG (10 * US_SECOND)
#define REST 3				/* times as long as the turn took, in a flood */
#define WAIT_MAX 2000000		/* hits on disk; some 100 MB */

METRIC(packed, GAUGE, "nurtured_hits_packed", "", "Opens and clicks that are recorded and have not taken effect yet.");

struct digest_job {
	struct store_job job;
	struct decide *d;
	size_t max;
	bool drop;
	int64_t took;
	struct digested done;
};

bool decide_takes_hits(const struct decide *d)
{
	return packs_waiting(d->store) < WAIT_MAX;
}

static int run(struct store_job *job, struct db *db, struct err *err)
{
	struct digest_job *j = (struct digest_job *)job;
	int64_t start = clock_steady();
	int rc = on_digest(j->d, db, j->max, j->drop, &j->done, err);

	j->took = clock_steady() - start;
	return rc;
}

/* How long until the next turn. */
static int64_t rest(struct decide *d, const struct digest_job *j, int64_t left)
{
	bool grew = left > d->digest.left;

	d->digest.left = left;
	if (left <= TURN || !grew || clock_now() - j->done.oldest > LAG)
		return 0;
	return REST * j->took;
}

/* What is refused again and again would hold up all others: it goes alone, and then without effect. */
static void refused(struct decide *d, const struct digest_job *j, const struct err *err)
{
	log_error("digest.refused", L_INT("hits", (int64_t)j->max), L_STR("error", err->text));
	if (j->max > 1)
		d->digest.single = j->max;
	else
		d->digest.drop = true;
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct digest_job *j = (struct digest_job *)job;
	struct decide *d = j->d;
	int64_t left = packs_waiting(d->store), again = 0;

	d->digest.running = false;
	metric_set(&metric_packed, left);
	if (result == STORE_COMMITTED) {
		d->digest.drop = false;
		d->digest.single -= d->digest.single > 0;
		again = rest(d, j, left);
	} else if (result == STORE_REFUSED) {
		refused(d, j, err);
		/* not even dropped: a person has to look, and the store has more to do than to try at once */
		again = j->drop ? US_SECOND : 0;
	} else {
		again = US_SECOND;
	}
	if (left && !d->stopping)
		timer_set(d->digest.timer, again);
	free(j);
}

static void begin(struct decide *d, size_t max)
{
	struct digest_job *j = xcalloc(1, sizeof(*j));

	*j = (struct digest_job){ .job = { .run = run, .done = done }, .d = d, .max = max, .drop = d->digest.drop };
	d->digest.running = store_submit(d->store, &j->job, STORE_NORMAL) == 0;
	if (d->digest.running)
		return;
	free(j);
	timer_set(d->digest.timer, US_SECOND);
}

static void turn(void *arg)
{
	struct decide *d = arg;

	if (d->stopping || d->digest.running || !packs_waiting(d->store))
		return;
	begin(d, d->digest.single ? 1 : TURN);
}

void digest_due(struct decide *d)
{
	metric_set(&metric_packed, packs_waiting(d->store));
	if (!timer_is_set(d->digest.timer))
		turn(d);
}

void digest_start(struct decide *d)
{
	d->digest.timer = timer_new(d->loop, turn, d);
	timer_set(d->digest.timer, 0);
}

/* Whatever is left after it stays where it is, and the next start goes on. */
void digest_stop(struct decide *d)
{
	timer_stop(d->digest.timer);
	if (!d->digest.single)
		begin(d, LAST);
	timer_stop(d->digest.timer);
}

void digest_free(struct decide *d)
{
	timer_free(&d->digest.timer);
}

int digest_here(struct decide *d, struct err *err)
{
	struct digest_job j = { .job = { .run = run }, .d = d, .max = TURN };

	do {
		if (store_run(d->store, &j.job, err) != STORE_COMMITTED)
			return -1;
	} while (j.done.hits);
	return 0;
}
