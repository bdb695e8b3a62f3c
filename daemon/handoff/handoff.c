/*
 * handoff.c: see handoff.h. An alert's way: claim (a store job) -> request -> outcome (a store job).
 *
 * Each alert under way is a `handover`; at most IN_FLIGHT_MAX exist. What an attempt means is retry.c's
 * to say. An outcome that the store does not take now (its queue or the disk is full) is offered again
 * until it is taken: the receiver has the alert, so the row must say so. The handoff itself outlives
 * handoff_stop() until the store has given back every job.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/transfer.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "handoff/handoff.h"
#include "store/store.h"

#include "request.h"
#include "retry.h"

#define IN_FLIGHT_MAX 8
#define PAUSE_FIRST US_SECOND
#define PAUSE_MAX (60 * US_SECOND)
#define REFUSED_MAX 5	/* a refused outcome is wrong, not late; the next start has the alert again */

METRIC(in_flight, GAUGE, "nurtured_webhook_in_flight", "", "Alerts that are being handed over now.");

struct handoff {
	struct loop *loop;
	struct decide *decide;
	struct transfer_pool *pool;
	struct timer *retry;		/* of a claim that the store did not take */
	struct handover *first;
	size_t in_flight;
	bool claiming;
	bool more;			/* rows may be due that were not claimed yet */
	bool drained;
	bool stopped;			/* only jobs keep it */
	size_t jobs;			/* in the store */
};

struct claim {
	struct store_job job;
	struct handoff *handoff;
	struct decide *decide;
	size_t max;
	struct alert_batch *batch;
};

struct handover {
	struct store_job job;
	struct handoff *handoff;
	struct decide *decide;
	struct handover *prev, *next;
	struct plan *plan;		/* the target and the list of private addresses are in it */
	struct request *request;
	struct timer *retry;
	int64_t pause;
	int refused;
	bool in_store;			/* job is under way */
	int attempt;
	struct alert_outcome fact;	/* at is 0 until there is an outcome */
	struct err error;
};

static void pump(struct handoff *h);
static void record(struct handover *o);

static void free_when_over(struct handoff *h)
{
	if (!h->stopped || h->jobs)
		return;
	free(h);
}

/* --- one alert under way ---------------------------------------------------------------------------- */

static struct handover *handover_new(struct handoff *h, const struct alert_work *work)
{
	struct handover *o = xcalloc(1, sizeof(*o));

	o->handoff = h;
	o->decide = h->decide;
	o->plan = plan_ref(decide_plan(h->decide));
	o->attempt = work->attempt;
	o->fact.alert = work->alert;
	o->fact.error = o->error.text;
	o->pause = PAUSE_FIRST;
	o->next = h->first;
	if (h->first)
		h->first->prev = o;
	h->first = o;
	metric_set(&metric_in_flight, (int64_t)++h->in_flight);
	return o;
}

static void handover_free(struct handover **handover)
{
	struct handover *o = *handover;
	struct handoff *h = o->handoff;

	if (o->prev)
		o->prev->next = o->next;
	else
		h->first = o->next;
	if (o->next)
		o->next->prev = o->prev;
	metric_set(&metric_in_flight, (int64_t)--h->in_flight);
	request_free(&o->request);
	timer_free(&o->retry);
	plan_unref(&o->plan);
	free(o);
	*handover = NULL;
}

/* Deaths are counted and logged where they are decided: on_alert_outcome(). */
static void report(const struct handover *o)
{
	const struct alert_outcome *f = &o->fact;

	if (f->delivered)
		log_info("alert.delivered", L_ID("alert", "alr", f->alert), L_INT("attempt", o->attempt + 1),
			L_INT("code", f->code));
	else if (!f->dead)
		log_warn("alert.again", L_ID("alert", "alr", f->alert), L_INT("attempt", o->attempt + 1),
			L_STR("error", f->error), L_INT("seconds", (f->retry_at - f->at) / US_SECOND));
}

/* --- its outcome ------------------------------------------------------------------------------------ */

static int outcome_run(struct store_job *job, struct db *db, struct err *err)
{
	struct handover *o = (struct handover *)job;

	return on_alert_outcome(o->decide, db, &o->fact, err);
}

static void record_cb(void *arg)
{
	record(arg);
}

static void record_later(struct handover *o)
{
	if (!o->retry)
		o->retry = timer_new(o->handoff->loop, record_cb, o);
	timer_set(o->retry, o->pause);
	o->pause = o->pause * 2 > PAUSE_MAX ? PAUSE_MAX : o->pause * 2;
}

static void outcome_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct handover *o = (struct handover *)job;
	struct handoff *h = o->handoff;

	h->jobs--;
	o->in_store = false;
	if (result == STORE_COMMITTED) {
		report(o);
	} else {
		log_error("alert.not_recorded", L_ID("alert", "alr", o->fact.alert),
			L_STR("error", err->text));
		o->refused += result == STORE_REFUSED;
		if (!h->stopped && o->refused < REFUSED_MAX) {
			record_later(o);
			return;
		}
	}
	handover_free(&o);
	if (h->stopped)
		free_when_over(h);
	else
		pump(h);
}

static bool submit(struct handover *o)
{
	o->job = (struct store_job){ .run = outcome_run, .done = outcome_done };
	if (store_submit(decide_store(o->decide), &o->job, STORE_NORMAL) < 0)
		return false;
	o->in_store = true;
	o->handoff->jobs++;
	if (o->retry)
		timer_stop(o->retry);
	return true;
}

static void record(struct handover *o)
{
	if (!submit(o))
		record_later(o);
}

static void conclude(struct handover *o, enum retry_verdict verdict, const char *error)
{
	struct alert_outcome *f = &o->fact;

	f->at = clock_now();
	f->delivered = verdict == RETRY_DELIVERED;
	f->dead = verdict == RETRY_DEAD;
	err_set(&o->error, "%s", error);
	if (f->delivered)
		CRASH_POINT("outbox.after_2xx_before_commit");
	record(o);
}

static void judge(struct handover *o, int code, int64_t retry_after, const char *error)
{
	struct attempt attempt = {
		.number = o->attempt,
		.code = code,
		.retry_after = retry_after,
		.at = clock_now(),
		.chance = random_unit(),
	};

	o->fact.code = code;
	conclude(o, retry_decide(&attempt, &o->fact.retry_at), error);
}

static void answered_cb(void *arg, const struct request_answer *answer)
{
	struct handover *o = arg;

	judge(o, answer->code, answer->retry_after, answer->error);
	request_free(&o->request);
}

/* --- sending ---------------------------------------------------------------------------------------- */

static void start(struct handoff *h, const struct alert_work *work)
{
	struct handover *o = handover_new(h, work);
	const struct alert_target *target = plan_target(o->plan, work->url);
	char id[ID_TEXT];
	struct request_wish wish = {
		.url = work->url,
		.id = id_text("alr", work->alert, id),
		.body = work->body,
		.secret = target ? target->secret : NULL,
		.at = clock_now(),
		.allow_private = o->plan->operator.allow_private,
	};
	struct err err;

	/* whoever left the config gets no personal data any more; a replay mends it if that was a slip */
	if (!target)
		conclude(o, RETRY_DEAD, "its address is not among the alerts of sales.yaml and the webhooks of sequences any more");
	else if (request_start(h->pool, &wish, answered_cb, o, &o->request, &err) < 0)
		judge(o, 0, 0, err.text);
}

/* --- claiming --------------------------------------------------------------------------------------- */

static int claim_run(struct store_job *job, struct db *db, struct err *err)
{
	struct claim *c = (struct claim *)job;

	/* may be run again from the start */
	alert_batch_free(&c->batch);
	return on_claim_alerts(c->decide, db, c->max, &c->batch, err);
}

static void claim_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct claim *c = (struct claim *)job;
	struct handoff *h = c->handoff;
	size_t i, count = result == STORE_COMMITTED && c->batch ? c->batch->count : 0;

	h->jobs--;
	h->claiming = false;
	for (i = 0; i < count && !h->stopped; i++)
		start(h, &c->batch->alerts[i]);
	h->more = h->more || result != STORE_COMMITTED || count == c->max;
	alert_batch_free(&c->batch);
	free(c);
	if (h->stopped) {
		free_when_over(h);
	} else if (result != STORE_COMMITTED) {
		log_warn("alert.not_claimed", L_STR("error", err->text));
		timer_set(h->retry, PAUSE_FIRST);
	} else {
		pump(h);
	}
}

/* Claims if rows may be due and there is room for them. */
static void pump(struct handoff *h)
{
	struct claim *c;

	if (!h->more || h->claiming || h->drained || h->in_flight >= IN_FLIGHT_MAX)
		return;
	c = xcalloc(1, sizeof(*c));
	c->job = (struct store_job){ .run = claim_run, .done = claim_done };
	c->handoff = h;
	c->decide = h->decide;
	c->max = IN_FLIGHT_MAX - h->in_flight;
	if (store_submit(decide_store(h->decide), &c->job, STORE_NORMAL) < 0) {
		free(c);
		timer_set(h->retry, PAUSE_FIRST);
		return;
	}
	h->jobs++;
	h->claiming = true;
	h->more = false;
}

static void pump_cb(void *arg)
{
	pump(arg);
}

static void due_cb(void *arg)
{
	struct handoff *h = arg;

	h->more = true;
	pump(h);
}

/* --- the part --------------------------------------------------------------------------------------- */

int handoff_start(struct loop *loop, struct decide *decide, struct handoff **out, struct err *err)
{
	struct handoff *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	h->decide = decide;
	h->pool = transfer_pool_new(loop, IN_FLIGHT_MAX);
	h->retry = timer_new(loop, pump_cb, h);
	decide_on_due(decide, LANE_ALERT, due_cb, h);
	*out = h;
	return 0;
}

void handoff_drain(struct handoff *h)
{
	h->drained = true;
}

size_t handoff_busy(const struct handoff *h)
{
	return h->in_flight + h->claiming;
}

void handoff_stop(struct handoff **handoff)
{
	struct handoff *h = *handoff;
	struct handover *o, *next;

	if (!h)
		return;
	decide_on_due(h->decide, LANE_ALERT, NULL, NULL);
	h->stopped = true;
	for (o = h->first; o; o = next) {
		next = o->next;
		/* what the store has or takes comes back to outcome_done(); alerts_recover() has the rest */
		if (!o->in_store && !(o->fact.at && submit(o)))
			handover_free(&o);
	}
	transfer_pool_free(&h->pool);
	timer_free(&h->retry);
	free_when_over(h);
	*handoff = NULL;
}
