/*
 * send.c: see send.h.
 *
 * A mail's way: claim (a store job) -> stock -> taken by a connection, composed, its dot recorded -> ended -> its outcome recorded. The stock is
 * small, some mails a connection: enough to bridge a claim's round trip to the disk, few enough to be given back.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/random.h"
#include "decide/facts.h"
#include "send/send.h"
#include "store/store.h"

#include "compose.h"
#include "outcome.h"
#include "record.h"
#include "relay.h"
#include "work.h"

#define CLAIM_MAX 256			/* rows of one claim: a sign-up may wait behind it */
#define DRAIN_TIME (20 * US_SECOND)
#define STOP_TIME (25 * US_SECOND)
#define LOOK_FIRST (20 * 1000)		/* rows seem due and a claim brought none: look again */
#define LOOK_MOST US_SECOND
#define SPARE_BODIES 128
#define BODY_START 32768

METRIC(sent, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"sent\"", "Messages tried at the relay, by outcome.");
METRIC(deferred, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"deferred\"", "Messages tried at the relay, by outcome.");
METRIC(failed, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"failed\"", "Messages tried at the relay, by outcome.");
METRIC(unknown, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"unknown\"", "Messages tried at the relay, by outcome.");
METRIC(skipped, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"skipped\"", "Messages tried at the relay, by outcome.");
METRIC(withdrawn, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"withdrawn\"", "Messages tried at the relay, by outcome.");
METRIC(stock, GAUGE, "nurtured_send_stock", "", "Mails claimed and waiting for a connection.");
METRIC(under_way, GAUGE, "nurtured_send_under_way", "", "Mails on a connection to the relay.");
METRIC(breaker, GAUGE, "nurtured_relay_breaker_open", "", "1 while the relay is not tried.");

/* A relay and the plan that its configuration lies in. */
struct post {
	struct post *next;
	struct relay *relay;
	struct plan *plan;
};

struct send {
	struct loop *loop;
	struct decide *decide;
	struct post *post;		/* the one that is used */
	struct post *old;		/* winding down */
	struct compose *compose, *compose_before;	/* of the plan in force, and of the one that earlier claims came with */
	struct records *records;
	struct work *works;		/* all */
	size_t count, taken, unrecorded, in_stock;
	struct work *stock, **stock_end;
	struct buf spare[SPARE_BODIES];
	size_t spares;
	bool due;			/* rows may be due that we did not claim */
	bool claiming;
	bool draining;
	int64_t look_after;
	struct timer *look;		/* claims again */
	struct timer *cut;		/* the drain's end */
	struct timer *sweep;		/* frees relays that wound down */
	struct send_counts counts;
};

struct claim {
	struct store_job job;
	struct send *send;
	size_t max;
	struct mail_batch *batch;
};

static void claim_more(struct send *s);

/* --- works -------------------------------------------------------------------------------------------------------- */

static void stock_put(struct send *s, struct work *w)
{
	w->next_stock = NULL;
	*s->stock_end = w;
	s->stock_end = &w->next_stock;
	s->in_stock++;
	metric_add(&metric_stock, 1);
}

static struct work *stock_get(struct send *s)
{
	struct work *w = s->stock;

	if (!w)
		return NULL;
	s->stock = w->next_stock;
	if (!s->stock)
		s->stock_end = &s->stock;
	s->in_stock--;
	metric_add(&metric_stock, -1);
	return w;
}

static void stock_remove(struct send *s, struct work *w)
{
	struct work **at = &s->stock;

	while (*at != w)
		at = &(*at)->next_stock;
	*at = w->next_stock;
	if (s->stock_end == &w->next_stock)
		s->stock_end = at;
	s->in_stock--;
	metric_add(&metric_stock, -1);
}

static struct work *work_new(struct send *s, struct mail *mail)
{
	struct work *w = xcalloc(1, sizeof(*w));

	w->envelope.owner = w;
	w->mail = mail;
	w->delivery = mail->delivery;
	w->next = s->works;
	if (s->works)
		s->works->prev = w;
	s->works = w;
	s->count++;
	return w;
}

static void work_free(struct send *s, struct work *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		s->works = w->next;
	if (w->next)
		w->next->prev = w->prev;
	s->count--;
	free(w);
}

/* The mail's memory is its batch's: it goes with the last of them. */
static void mail_done(struct work *w)
{
	struct mail_batch *batch = w->mail->batch;

	w->mail = NULL;
	if (--batch->open == 0)
		mail_batch_free(&batch);
}

/* A body's memory serves again: a message is 12 KB or so, and there are thousands a second. */
static void body_take(struct send *s, struct work *w)
{
	if (s->spares > 0)
		w->envelope.body = s->spare[--s->spares];
	else
		buf_reserve(&w->envelope.body, BODY_START);
}

static void body_give(struct send *s, struct work *w)
{
	if (s->spares < SPARE_BODIES && w->envelope.body.cap <= 4 * BODY_START)
		s->spare[s->spares++] = w->envelope.body;
	else
		buf_clear(&w->envelope.body);
	w->envelope.body = (struct buf)BUF_INIT;
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void count_outcome(struct send *s, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_SENT:
		s->counts.sent++;
		metric_add(&metric_sent, 1);
		return;
	case OUTCOME_DEFERRED:
		s->counts.deferred++;
		metric_add(&metric_deferred, 1);
		return;
	case OUTCOME_FAILED:
		s->counts.failed++;
		metric_add(&metric_failed, 1);
		return;
	case OUTCOME_UNKNOWN:
		s->counts.unknown++;
		metric_add(&metric_unknown, 1);
		return;
	case OUTCOME_SKIPPED:
		s->counts.skipped++;
		metric_add(&metric_skipped, 1);
		return;
	case OUTCOME_WITHDRAWN:
		s->counts.withdrawn++;
		metric_add(&metric_withdrawn, 1);
		return;
	}
}

/* The outcome is known. If its dot is being recorded at this moment, the outcome goes behind it: see dot_done(). */
static void finish(struct send *s, struct work *w, enum outcome outcome, const char *reply)
{
	w->outcome.delivery = w->delivery;
	w->outcome.outcome = outcome;
	w->outcome.at = clock_now();
	if (reply != w->reply)
		snprintf(w->reply, sizeof(w->reply), "%s", reply);
	w->outcome.reply = w->reply;
	w->outcome.relay_id = w->relay_id;
	w->state = WORK_ENDED;
	s->unrecorded++;
	count_outcome(s, outcome);
	mail_done(w);
	if (w->record == RECORD_NONE)
		records_add(s->records, w, RECORD_OUTCOME);
}

/* Never tried: back to where it was claimed from. */
static void give_back(struct send *s, struct work *w, int64_t at)
{
	w->outcome.retry_at = at;
	w->state = WORK_ENDED;
	s->unrecorded++;
	mail_done(w);
	records_add(s->records, w, RECORD_RELEASE);
}

static void give_back_stock(struct send *s, int64_t at)
{
	struct work *w;

	while ((w = stock_get(s)))
		give_back(s, w, at);
}

static void recorded(void *ctx, struct work *w)
{
	struct send *s = ctx;

	s->unrecorded--;
	work_free(s, w);
	claim_more(s);
}

static void dot_done(void *ctx, struct work *w, bool failed)
{
	struct send *s = ctx;

	if (w->state == WORK_ENDED) {
		records_add(s->records, w, RECORD_OUTCOME);
		return;
	}
	if (w->may_out) {
		relay_granted(&w->envelope);
		return;
	}
	w->store_failed = failed;
	w->withdrawn = !failed;
	relay_forbid(&w->envelope);
}

/* --- what the relay asks ------------------------------------------------------------------------------------------- */

/* The compose of the plan that this mail was claimed under. A reload leaves claims of the plan before it; of older ones there are none to speak of. */
static struct compose *compose_for(struct send *s, struct plan *plan, struct err *err)
{
	struct compose *swap = s->compose_before;

	if (s->compose && compose_plan(s->compose) == plan)
		return s->compose;
	if (swap && compose_plan(swap) == plan) {
		s->compose_before = s->compose;
		s->compose = swap;
		return swap;
	}
	swap = compose_new(plan, decide_ring(s->decide), err);
	if (!swap)
		return NULL;
	compose_free(&s->compose_before);
	s->compose_before = s->compose;
	s->compose = swap;
	return swap;
}

static enum template_result compose_work(struct send *s, struct work *w, struct err *err)
{
	struct compose *c = compose_for(s, w->mail->batch->plan, err);

	if (!c)
		return TEMPLATE_FAILED;
	body_take(s, w);
	return compose_mail(c, w->mail, clock_now(), &w->envelope, err);
}

static struct envelope *take_cb(void *ctx, struct relay *relay)
{
	struct send *s = ctx;
	struct work *w;
	struct err err;
	enum template_result result;

	if (s->draining || relay != s->post->relay)
		return NULL;
	while ((w = stock_get(s))) {
		result = compose_work(s, w, &err);
		if (result == TEMPLATE_DONE)
			break;
		body_give(s, w);
		w->outcome.abort_step = result == TEMPLATE_ABORTED;
		finish(s, w, OUTCOME_SKIPPED, err.text);
	}
	claim_more(s);
	if (!w)
		return NULL;
	w->state = WORK_TAKEN;
	w->taken = clock_steady();
	s->taken++;
	metric_add(&metric_under_way, 1);
	return &w->envelope;
}

static void dot_cb(void *ctx, struct envelope *envelope)
{
	struct send *s = ctx;

	records_add(s->records, envelope->owner, RECORD_DOT);
}

/* Receivers repeat the address in their reply: its words are for debug, and in the delivery's row. */
static void log_attempt(const struct work *w, const struct relay *relay, const struct dialogue_end *end, enum outcome outcome)
{
	static const char *const names[] = { "sent", "deferred", "failed", "unknown", "skipped", "withdrawn" };

	if (!log_enabled(LOG_INFO))
		return;
	log_info("smtp.attempt", L_ID("delivery", "del", w->delivery), L_STR("outcome", names[outcome]),
		L_STR("relay", relay_config_of(relay)->name), L_STR("stage", stage_names[end->stage]),
		L_INT("code", end->reply.code), L_STR("status", end->reply.enhanced), L_STR("trouble", trouble_names[end->trouble]),
		L_INT("ms", (clock_steady() - w->taken) / 1000));
	log_debug("smtp.reply", L_ID("delivery", "del", w->delivery), L_STR("reply", end->reply.text));
}

/* What a person has to know of, whatever becomes of the mail. */
static void log_trouble(const struct work *w, const struct relay *relay, const struct dialogue_end *end, const struct judgement *j)
{
	const char *name = relay_config_of(relay)->name;

	if (j->disagrees)
		log_warn("smtp.codes_disagree", L_ID("delivery", "del", w->delivery), L_STR("relay", name), L_INT("code", end->reply.code),
			L_STR("status", end->reply.enhanced));
	if (strcmp(j->reason, "authfailure") == 0)
		log_error("smtp.not_authenticated", L_ID("delivery", "del", w->delivery), L_STR("relay", name), L_INT("code", end->reply.code),
			L_STR("status", end->reply.enhanced), L_STR("do", "check SPF, DKIM and DMARC of the domain in From"));
	if (j->fault == FAULT_MESSAGE && (strcmp(j->reason, "mesgtoobig") == 0 || strcmp(j->reason, "exceedlimit") == 0))
		log_error("smtp.too_large", L_ID("delivery", "del", w->delivery), L_STR("relay", name), L_INT("bytes", w->bytes),
			L_STR("do", "make the template smaller"));
}

/* When it is due again, or that it is given up. */
static enum outcome defer(struct send *s, struct work *w, struct relay *relay, struct judgement j)
{
	int64_t first = s->post->plan->operator.retry_first, after, pause = relay_pause(relay);

	after = j.counted ? outcome_retry(w->mail->attempt, first, random_unit()) : outcome_again(j.fault, first, random_unit());
	if (after < 0)
		return OUTCOME_FAILED;
	/* nothing is claimed while the breaker is open: spread what waits over the time behind it */
	if (after < pause)
		after = pause + (int64_t)(random_unit() * (double)first / 10);
	w->outcome.retry_at = clock_now() + after;
	return OUTCOME_DEFERRED;
}

static void ended_cb(void *ctx, struct relay *relay, const struct dialogue_end *end, struct judgement j)
{
	struct send *s = ctx;
	struct work *w = end->envelope->owner;
	enum outcome outcome = j.outcome;

	s->taken--;
	metric_add(&metric_under_way, -1);
	w->bytes = (int64_t)w->envelope.body.len;
	snprintf(w->relay, sizeof(w->relay), "%s", relay_config_of(relay)->name);
	body_give(s, w);
	if (outcome == OUTCOME_WITHDRAWN && w->store_failed) {
		outcome = OUTCOME_DEFERRED;
		j = (struct judgement){ .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY, .reason = "" };
	}
	w->outcome.code = end->reply.code;
	w->outcome.fault = j.fault;
	w->outcome.reason = j.reason;
	w->outcome.slow = j.slow;
	w->outcome.relay = w->relay;
	w->outcome.hard_bounce = j.hard_bounce;
	w->outcome.counted = j.counted;
	snprintf(w->reply, sizeof(w->reply), "%.*s", (int)sizeof(w->reply) - 1, end->reply.text);
	if (outcome == OUTCOME_SENT)
		outcome_relay_id(end->reply.text, w->relay_id, sizeof(w->relay_id));
	if (outcome == OUTCOME_DEFERRED)
		outcome = defer(s, w, relay, j);
	if (outcome == OUTCOME_FAILED && j.outcome == OUTCOME_DEFERRED)
		snprintf(w->reply, sizeof(w->reply), "given up after 48 hours: %.*s", (int)sizeof(w->reply) - 40, end->reply.text);
	log_attempt(w, relay, end, outcome);
	if (j.outcome != OUTCOME_SENT)
		log_trouble(w, relay, end, &j);
	finish(s, w, outcome, w->reply);
	if (s->old)
		timer_set(s->sweep, 0);
}

static void changed_cb(void *ctx, struct relay *relay)
{
	struct send *s = ctx;
	int64_t pause = relay_pause(relay);

	if (relay != s->post->relay)
		return;
	metric_set(&metric_breaker, pause > 0);
	if (pause > 0)
		give_back_stock(s, clock_now() + pause);
	else
		claim_more(s);
}

/* --- claims ------------------------------------------------------------------------------------------------------- */

static int claim_run(struct store_job *job, struct db *db, struct err *err)
{
	struct claim *c = (struct claim *)job;

	mail_batch_free(&c->batch);	/* of a run before: the transaction was begun again */
	return on_claim(c->send->decide, db, c->max, &c->batch, err);
}

/* Nothing came although something seems due: whatever holds it may have been a matter of moments. */
static void look_later(struct send *s)
{
	timer_set(s->look, s->look_after);
	s->look_after = s->look_after * 2 > LOOK_MOST ? LOOK_MOST : s->look_after * 2;
}

static void claim_take(struct send *s, struct mail_batch *batch)
{
	size_t i;

	s->look_after = LOOK_FIRST;
	s->due = true;
	for (i = 0; i < batch->count; i++) {
		struct work *w = work_new(s, &batch->mails[i]);

		w->mail->user = w;
		stock_put(s, w);
	}
	if (s->draining || relay_appetite(s->post->relay) == 0)
		give_back_stock(s, clock_now() + relay_pause(s->post->relay));
	else
		relay_wake(s->post->relay, s->in_stock);
}

static void claim_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct claim *c = (struct claim *)job;
	struct send *s = c->send;

	s->claiming = false;
	if (result != STORE_COMMITTED) {
		log_warn("send.no_claim", L_STR("why", err->text));
		mail_batch_free(&c->batch);
		s->due = true;
		look_later(s);
	} else if (c->batch->count > 0) {
		CRASH_POINT("claim.after_commit");
		claim_take(s, c->batch);
	} else {
		bool more = c->batch->more;

		mail_batch_free(&c->batch);
		if (more)
			s->due = true;
		else if (queue_next_mail(decide_store(s->decide)) <= clock_now())
			look_later(s);
	}
	free(c);
	claim_more(s);
}

/* How many mails to claim: when half of the stock is gone, so that the next half comes before the rest is used up. */
static size_t wanted(struct send *s)
{
	size_t most = relay_appetite(s->post->relay), have = s->in_stock;

	if (most == 1)
		have += s->taken;
	if (have > most / 2)
		return 0;
	return most - have > CLAIM_MAX ? CLAIM_MAX : most - have;
}

static void claim_more(struct send *s)
{
	struct claim *c;
	size_t max;

	if (s->draining || s->claiming || !s->due || (max = wanted(s)) == 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->job.run = claim_run;
	c->job.done = claim_done;
	c->send = s;
	c->max = max;
	/* what becomes due from here on sets it again */
	s->due = false;
	if (store_submit(decide_store(s->decide), &c->job, STORE_NORMAL) < 0) {
		free(c);
		s->due = true;
		look_later(s);
		return;
	}
	s->claiming = true;
}

static void look_cb(void *arg)
{
	struct send *s = arg;

	s->due = true;
	claim_more(s);
}

static void due_cb(void *arg)
{
	look_cb(arg);
}

/* --- withdrawals -------------------------------------------------------------------------------------------------- */

/* Rare: a walk over the few hundred that are in hand. */
static void withdraw_cb(void *arg, int64_t delivery)
{
	struct send *s = arg;
	struct work *w;

	for (w = s->works; w && w->delivery != delivery; w = w->next)
		;
	if (!w || w->state == WORK_ENDED)
		return;
	w->withdrawn = true;
	if (w->state == WORK_TAKEN) {
		relay_forbid(&w->envelope);
		return;
	}
	stock_remove(s, w);
	finish(s, w, OUTCOME_WITHDRAWN, "withdrawn");
}

/* --- relays ------------------------------------------------------------------------------------------------------- */

static struct post *post_new(struct send *s, struct plan *plan)
{
	const struct relay_owner owner = { .take = take_cb, .dot = dot_cb, .ended = ended_cb, .changed = changed_cb, .ctx = s };
	struct relay_times times = relay_times_default;
	struct post *p = xcalloc(1, sizeof(*p));

	times.scale = plan->operator.retry_first;
	p->plan = plan_ref(plan);
	p->relay = relay_new(s->loop, &plan->operator.relays[0], &times, &owner);
	return p;
}

static void post_free(struct post **post)
{
	relay_free(&(*post)->relay);
	plan_unref(&(*post)->plan);
	free(*post);
	*post = NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_relay(const struct plan *a, const struct plan *b)
{
	const struct relay_config *x = &a->operator.relays[0], *y = &b->operator.relays[0];

	return same_text(x->name, y->name) && same_text(x->url, y->url) && x->tls == y->tls && same_text(x->user, y->user) &&
		same_text(x->password, y->password) && same_text(x->ca_file, y->ca_file) && same_text(x->ehlo, y->ehlo) &&
		x->connections == y->connections && a->operator.retry_first == b->operator.retry_first;
}

static void sweep_cb(void *arg)
{
	struct send *s = arg;
	struct post **at = &s->old, *p;

	while ((p = *at)) {
		if (relay_busy(p->relay)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		post_free(&p);
	}
}

int send_reload(struct send *s, struct err *err)
{
	struct plan *plan = decide_plan(s->decide);
	struct post *old = s->post;

	if (plan->operator.relay_count == 0)
		return err_set(err, "no relay is configured");
	if (same_relay(old->plan, plan))
		return 0;
	s->post = post_new(s, plan);
	relay_drain(old->relay);
	old->next = s->old;
	s->old = old;
	timer_set(s->sweep, 0);
	relay_wake(s->post->relay, s->in_stock);
	claim_more(s);
	return 0;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void cut_cb(void *arg)
{
	struct send *s = arg;
	struct post *p;

	if (s->taken > 0)
		log_warn("send.cut", L_INT("under_way", (int64_t)s->taken));
	relay_cut(s->post->relay);
	for (p = s->old; p; p = p->next)
		relay_cut(p->relay);
}

int send_start(struct loop *loop, struct decide *decide, struct send **out, struct err *err)
{
	const struct record_owner owner_of_records = { .dot_done = dot_done, .recorded = recorded };
	struct plan *plan = decide_plan(decide);
	struct record_owner owner = owner_of_records;
	struct send *s;

	if (plan->operator.relay_count == 0)
		return err_set(err, "no relay is configured");
	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->decide = decide;
	s->stock_end = &s->stock;
	s->look_after = LOOK_FIRST;
	owner.ctx = s;
	s->records = records_new(loop, decide, &owner);
	s->look = timer_new(loop, look_cb, s);
	s->cut = timer_new(loop, cut_cb, s);
	s->sweep = timer_new(loop, sweep_cb, s);
	s->post = post_new(s, plan);
	decide_on_due(decide, LANE_SEND, due_cb, s);
	decide_on_withdraw(decide, withdraw_cb, s);
	timer_set(s->look, 0);
	*out = s;
	return 0;
}

void send_drain(struct send *s)
{
	if (s->draining)
		return;
	s->draining = true;
	give_back_stock(s, clock_now());
	relay_drain(s->post->relay);
	timer_set(s->cut, DRAIN_TIME);
}

size_t send_busy(const struct send *s)
{
	return s->count + s->claiming;
}

static void stop_cb(void *arg)
{
	*(bool *)arg = true;
}

static void wait_until_done(struct send *s)
{
	bool over = false;
	struct timer *timer = timer_new(s->loop, stop_cb, &over);

	timer_set(timer, STOP_TIME);
	while (send_busy(s) > 0 && !over)
		event_base_loop(loop_base(s->loop), EVLOOP_ONCE);
	timer_free(&timer);
}

void send_stop(struct send **send)
{
	struct send *s = *send;
	struct post *p;
	bool clean;

	if (!s)
		return;
	send_drain(s);
	wait_until_done(s);
	decide_on_due(s->decide, LANE_SEND, NULL, NULL);
	decide_on_withdraw(s->decide, NULL, NULL);
	clean = send_busy(s) == 0;
	if (!clean)
		log_warn("send.left", L_INT("mails", (int64_t)s->count));
	while ((p = s->old)) {
		s->old = p->next;
		post_free(&p);
	}
	post_free(&s->post);
	compose_free(&s->compose);
	compose_free(&s->compose_before);
	records_free(&s->records);
	while (s->spares > 0)
		buf_clear(&s->spare[--s->spares]);
	timer_free(&s->look);
	timer_free(&s->cut);
	timer_free(&s->sweep);
	/* the store still has jobs that point into it: they are left what they need, the process ends */
	if (clean)
		free(s);
	*send = NULL;
}

void send_counts(struct send *s, struct send_counts *out)
{
	struct relay_counts relay;

	relay_counts(s->post->relay, &relay);
	*out = s->counts;
	out->stock = s->in_stock;
	out->under_way = s->taken;
	out->unrecorded = s->unrecorded;
	out->relay = relay_config_of(s->post->relay)->name;
	out->connected = relay.connected;
	out->connecting = relay.connecting;
	out->connects = relay.connects;
	out->connect_failures = relay.failures;
	out->breaker = breaker_state_names[relay.breaker];
	out->breaker_open_for = relay.open_since ? clock_steady() - relay.open_since : 0;
	snprintf(out->last_error, sizeof(out->last_error), "%s", relay.last_error);
}
