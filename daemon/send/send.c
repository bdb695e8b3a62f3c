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
#include "posts.h"
#include "record.h"
#include "work.h"

#define DRAIN_TIME (20 * US_SECOND)
#define STOP_TIME (25 * US_SECOND)
#define LOOK_FIRST (20 * 1000)		/* rows seem due and a claim brought none: look again */
#define LOOK_MOST US_SECOND
#define SPARE_BODIES 128
#define SPARE_WORKS 128
#define AHEAD_TURN 8			/* messages composed ahead at once; then whatever else the loop has to see to */
#define BODY_START 32768

METRIC(sent, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"sent\"", "Messages tried at the relay, by outcome.");
METRIC(deferred, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"deferred\"", "Messages tried at the relay, by outcome.");
METRIC(failed, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"failed\"", "Messages tried at the relay, by outcome.");
METRIC(unknown, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"unknown\"", "Messages tried at the relay, by outcome.");
METRIC(skipped, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"skipped\"", "Messages tried at the relay, by outcome.");
METRIC(withdrawn, COUNTER, "nurtured_smtp_attempts_total", "outcome=\"withdrawn\"", "Messages tried at the relay, by outcome.");
METRIC(under_way, GAUGE, "nurtured_send_under_way", "", "Mails on a connection to a relay.");

struct send {
	struct loop *loop;
	struct decide *decide;
	struct posts posts;		/* the relays */
	struct compose *compose, *compose_before;	/* of the plan in force, and of the one that earlier claims came with */
	struct records *records;
	struct work *works;		/* all */
	struct work *spare_works;	/* that serve again, by their `next` */
	size_t spare_work_count;
	size_t count, taken, unrecorded;
	struct buf spare[SPARE_BODIES];
	size_t spares;
	bool due;			/* rows may be due that we did not claim */
	bool claiming;
	bool draining;
	int64_t look_after;
	int64_t awaited_again;		/* not before that for awaited ones alone: there were none that may go */
	struct timer *look;		/* claims again */
	struct timer *cut;		/* the drain's end */
	struct timer *sweep;		/* frees relays that wound down */
	struct event *ahead;		/* composes what connections take next */
	struct send_counts counts;
};

struct claim {
	struct store_job job;
	struct send *send;
	size_t max;
	bool awaited;			/* of mails alone that somebody waits for */
	struct mail_batch *batch;
};

static void claim_more(struct send *s);

/* --- works -------------------------------------------------------------------------------------------------------- */

static struct work *work_new(struct send *s, struct mail *mail)
{
	struct work *w = s->spare_works;

	if (w) {
		s->spare_works = w->next;
		s->spare_work_count--;
	} else {
		w = xmalloc(sizeof(*w));
	}
	memset(w, 0, sizeof(*w));
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
	if (s->spare_work_count >= SPARE_WORKS) {
		free(w);
		return;
	}
	w->next = s->spare_works;
	s->spare_works = w;
	s->spare_work_count++;
}

static void free_spares(struct send *s)
{
	struct work *w;

	while (s->spares > 0)
		buf_clear(&s->spare[--s->spares]);
	while ((w = s->spare_works)) {
		s->spare_works = w->next;
		free(w);
	}
}

/* A body's memory serves again: a message is 12 KB or so, and there are thousands a second. */
static void body_take(struct send *s, struct work *w)
{
	if (s->spares > 0)
		w->envelope.body = s->spare[--s->spares];
	buf_reserve(&w->envelope.body, BODY_START);
}

static void body_give(struct send *s, struct work *w)
{
	w->composed = false;
	buf_reset(&w->envelope.body);
	if (s->spares < SPARE_BODIES && w->envelope.body.cap <= 4 * BODY_START)
		s->spare[s->spares++] = w->envelope.body;
	else
		buf_clear(&w->envelope.body);
	w->envelope.body = (struct buf)BUF_INIT;
}

/* The mail's memory is its batch's: it goes with the last of them. */
static void mail_done(struct send *s, struct work *w)
{
	struct mail_batch *batch = w->mail->batch;

	if (w->composed)
		body_give(s, w);
	w->mail = NULL;
	if (--batch->open == 0)
		mail_batch_free(&batch);
}

/* As much of a text as there is room for. */
static void copy_text(char *out, size_t size, const char *s)
{
	size_t n = strnlen(s, size - 1);

	memcpy(out, s, n);
	out[n] = '\0';
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
		copy_text(w->reply, sizeof(w->reply), reply);
	w->outcome.reply = w->reply;
	w->outcome.relay_id = w->relay_id;
	w->state = WORK_ENDED;
	s->unrecorded++;
	count_outcome(s, outcome);
	mail_done(s, w);
	if (w->record == RECORD_NONE)
		records_add(s->records, w, RECORD_OUTCOME);
}

/* Never tried: back to where it was claimed from. */
static void give_back(struct send *s, struct work *w, int64_t at)
{
	w->outcome.retry_at = at;
	w->state = WORK_ENDED;
	s->unrecorded++;
	mail_done(s, w);
	records_add(s->records, w, RECORD_RELEASE);
}

static void give_back_stock(struct send *s, struct post *post, int64_t at)
{
	struct work *w;

	while ((w = stock_get(&post->stock)))
		give_back(s, w, at);
}

static struct errand errand_of(const struct work *w)
{
	return (struct errand){ .delivery = w->delivery, .only = w->mail->sender ? w->mail->sender->relay : NULL,
		.needs = address_has_letters(w->mail->address) ? CAN_UTF8 : 0 };
}

/* The same words, whether one relay said it or none is left to ask. */
static void no_way(struct send *s, struct work *w)
{
	w->outcome = (struct mail_outcome){ .fault = FAULT_PROSPECT, .reason = "contenterror", .code = 553, .counted = true };
	finish(s, w, OUTCOME_FAILED, NO_UTF8_REPLY);
}

/* Into the stock of a relay, or back until one has time for it. */
static void assign(struct send *s, struct work *w)
{
	struct errand errand = errand_of(w);
	struct post *post = s->draining ? NULL : posts_choose(&s->posts, &errand);

	if (!post && !s->draining && posts_none_can(&s->posts, &errand)) {
		no_way(s, w);
	} else if (!post) {
		give_back(s, w, clock_now() + posts_pause(&s->posts, &errand));
	} else if (posts_full(post) && !w->mail->awaited) {
		give_back(s, w, posts_slot(post));
	} else {
		w->post = post;
		stock_put(&post->stock, w);
	}
}

static void wake_all(struct send *s)
{
	struct post *post;

	for (post = s->posts.first; post; post = post->next)
		if (post->stock.count > 0)
			relay_wake(post->relay, post->stock.count);
}

/* The relay does not take them now: another does, perhaps. */
static void assign_anew(struct send *s, struct post *post)
{
	size_t n = post->stock.count;

	while (n-- > 0)
		assign(s, stock_get(&post->stock));
	wake_all(s);
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
	enum template_result result;

	if (!c)
		return TEMPLATE_FAILED;
	body_take(s, w);
	w->composed = true;
	result = compose_mail(c, w->mail, clock_now(), &w->envelope, err);
	w->bytes = (int64_t)w->envelope.body.len;
	return result;
}

/* It cannot be composed. */
static void skip(struct send *s, struct work *w, enum template_result result, const struct err *err)
{
	w->outcome.abort_step = result == TEMPLATE_ABORTED;
	finish(s, w, OUTCOME_SKIPPED, err->text);
}

/* As many as the relay has connections: each finds its next message ready, and no body waits while one is composed. */
static size_t compose_ahead(struct send *s, struct post *post, size_t most)
{
	struct work *w = post->stock.first, *next;
	enum template_result result;
	size_t n = 0, i;
	struct err err;

	for (i = 0; w && n < most && i < (size_t)post->config->connections; i++, w = next) {
		next = w->next_stock;
		if (w->composed)
			continue;
		n++;
		result = compose_work(s, w, &err);
		if (result == TEMPLATE_DONE)
			continue;
		stock_remove(&post->stock, w);
		skip(s, w, result, &err);
	}
	return n;
}

static void ahead_soon(struct send *s)
{
	static const struct timeval at_once = { 0 };

	if (!event_pending(s->ahead, EV_TIMEOUT, NULL) && event_add(s->ahead, &at_once) < 0)
		abort();
}

static void ahead_cb(evutil_socket_t fd, short what, void *arg)
{
	struct send *s = arg;
	size_t left = AHEAD_TURN;
	struct post *post;

	for (post = s->posts.first; post && !s->draining; post = post->next)
		left -= compose_ahead(s, post, left);
	if (left == 0)
		ahead_soon(s);
}

static struct envelope *take_cb(void *ctx, struct relay *relay)
{
	struct send *s = ctx;
	struct post *post = posts_of(&s->posts, relay);
	enum template_result result;
	struct work *w;
	struct err err;

	if (s->draining || !post)
		return NULL;
	while ((w = stock_get(&post->stock)) && !w->composed) {
		result = compose_work(s, w, &err);
		if (result == TEMPLATE_DONE)
			break;
		skip(s, w, result, &err);
	}
	claim_more(s);
	if (!w)
		return NULL;
	if (post->stock.count > 0)
		ahead_soon(s);
	w->state = WORK_TAKEN;
	w->taken = clock_steady();
	s->taken++;
	post->taken++;
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

static bool is_relays(enum fault fault)
{
	return fault == FAULT_RELAY || fault == FAULT_OPERATOR || fault == FAULT_QUOTA;
}

/* When it is due again, or that it is given up. */
static enum outcome defer(struct send *s, struct work *w, struct judgement j)
{
	int64_t first = w->mail->batch->plan->operator.retry_first, pause, after;
	struct errand errand = errand_of(w);

	after = j.counted ? outcome_retry(w->mail->attempt, first, random_unit()) : outcome_again(j.fault, first, random_unit());
	if (after < 0)
		return OUTCOME_FAILED;
	if (is_relays(j.fault) && posts_failed(&s->posts, &errand, w->post))
		after = 0;
	/* nothing is claimed while the breakers are open: spread what waits over the time behind it */
	pause = posts_pause(&s->posts, &errand);
	if (after < pause)
		after = pause + (int64_t)(random_unit() * (double)first / 10);
	w->outcome.retry_at = clock_now() + after;
	return OUTCOME_DEFERRED;
}

/* It was not said to the relay, as that does not offer what it needs: another may. */
static bool goes_elsewhere(struct send *s, const struct work *w, const struct dialogue_end *end)
{
	struct errand errand = errand_of(w);

	return errand.needs && end->untouched && end->reply.code == 553 && !posts_none_can(&s->posts, &errand);
}

/* The relay refuses who they are from: those that wait for it need not be refused, too. */
static void give_back_sender(struct send *s, const struct sender_config *sender, int64_t at)
{
	struct post *post;
	struct work *w, *next;

	for (post = s->posts.first; post; post = post->next)
		for (w = post->stock.first; w; w = next) {
			next = w->next_stock;
			if (!sender || !w->mail->sender || strcmp(w->mail->sender->name, sender->name) != 0)
				continue;
			stock_remove(&post->stock, w);
			give_back(s, w, at);
		}
}

static void ended_cb(void *ctx, struct relay *relay, const struct dialogue_end *end, struct judgement j)
{
	struct send *s = ctx;
	struct work *w = end->envelope->owner;
	enum outcome outcome = j.outcome;

	s->taken--;
	w->post->taken--;
	metric_add(&metric_under_way, -1);
	copy_text(w->relay, sizeof(w->relay), relay_config_of(relay)->name);
	body_give(s, w);
	if (outcome == OUTCOME_WITHDRAWN && w->store_failed) {
		outcome = OUTCOME_DEFERRED;
		j = (struct judgement){ .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY, .reason = "" };
	}
	if (outcome == OUTCOME_FAILED && goes_elsewhere(s, w, end)) {
		outcome = OUTCOME_DEFERRED;
		j = (struct judgement){ .outcome = OUTCOME_DEFERRED, .fault = FAULT_NONE, .reason = "" };
	}
	w->outcome.code = end->reply.code;
	w->outcome.fault = j.fault;
	w->outcome.reason = j.reason;
	w->outcome.slow = j.slow;
	w->outcome.relay = w->relay;
	w->outcome.hard_bounce = j.hard_bounce;
	w->outcome.counted = j.counted;
	copy_text(w->reply, sizeof(w->reply), end->reply.text);
	if (outcome == OUTCOME_SENT)
		outcome_relay_id(end->reply.text, w->relay_id, sizeof(w->relay_id));
	if (outcome == OUTCOME_DEFERRED)
		outcome = defer(s, w, j);
	if (outcome == OUTCOME_FAILED && j.outcome == OUTCOME_DEFERRED)
		snprintf(w->reply, sizeof(w->reply), "given up after 48 hours: %.*s", (int)sizeof(w->reply) - 40, end->reply.text);
	log_attempt(w, relay, end, outcome);
	if (j.outcome != OUTCOME_SENT)
		log_trouble(w, relay, end, &j);
	if (j.fault == FAULT_SENDER)
		give_back_sender(s, w->mail->sender, w->outcome.retry_at);
	finish(s, w, outcome, w->reply);
	if (s->posts.retired)
		timer_set(s->sweep, 0);
}

static void changed_cb(void *ctx, struct relay *relay)
{
	struct send *s = ctx;
	struct post *post = posts_of(&s->posts, relay);

	if (post && (relay_pause(relay) > 0 || posts_full(post)))
		assign_anew(s, post);
	claim_more(s);
}

/* --- claims ------------------------------------------------------------------------------------------------------- */

static int claim_run(struct store_job *job, struct db *db, struct err *err)
{
	struct claim *c = (struct claim *)job;

	mail_batch_free(&c->batch);	/* of a run before: the transaction was begun again */
	return c->awaited ? on_claim_awaited(c->send->decide, db, c->max, &c->batch, err) : on_claim(c->send->decide, db, c->max, &c->batch, err);
}

/* Nothing came although something seems due: whatever holds it may have been a matter of moments. */
static void look_later(struct send *s)
{
	timer_set(s->look, s->look_after);
	s->look_after = s->look_after * 2 > LOOK_MOST ? LOOK_MOST : s->look_after * 2;
}

static void claim_take(struct send *s, struct mail_batch *batch)
{
	size_t count = batch->count, i;	/* the last one given back takes the batch with it */

	s->look_after = LOOK_FIRST;
	s->due = true;
	for (i = 0; i < count; i++) {
		struct work *w = work_new(s, &batch->mails[i]);

		w->mail->user = w;
		assign(s, w);
	}
	wake_all(s);
	ahead_soon(s);
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
		if (c->awaited)
			s->awaited_again = clock_now() + LOOK_FIRST;
		if (more || c->awaited)
			s->due = true;
		else if (queue_next_mail(decide_store(s->decide)) <= clock_now())
			look_later(s);
	}
	free(c);
	claim_more(s);
}

static size_t wanted_awaited(struct send *s)
{
	int64_t now = clock_now();

	return now >= s->awaited_again && queue_next_due(decide_store(s->decide), LANE_SEND_FIRST) <= now ? posts_wanted_awaited(&s->posts) : 0;
}

static void claim_more(struct send *s)
{
	struct claim *c;
	bool awaited = false;
	size_t max;

	if (s->draining || s->claiming || !s->due)
		return;
	max = posts_wanted(&s->posts);
	if (max == 0) {
		max = wanted_awaited(s);
		awaited = true;
	}
	if (max == 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->job.run = claim_run;
	c->job.done = claim_done;
	c->send = s;
	c->max = max;
	c->awaited = awaited;
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
	stock_remove(&w->post->stock, w);
	finish(s, w, OUTCOME_WITHDRAWN, "withdrawn");
}

/* --- relays ------------------------------------------------------------------------------------------------------- */

static void sweep_cb(void *arg)
{
	struct send *s = arg;

	posts_sweep(&s->posts);
}

int send_reload(struct send *s, struct err *err)
{
	struct plan *plan = decide_plan(s->decide);
	struct post *post;

	if (plan->operator.relay_count == 0)
		return err_set(err, "no relay is configured");
	posts_load(&s->posts, plan);
	for (post = s->posts.retired; post; post = post->next)
		assign_anew(s, post);
	timer_set(s->sweep, 0);
	claim_more(s);
	return 0;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void cut_cb(void *arg)
{
	struct send *s = arg;

	if (s->taken > 0)
		log_warn("send.cut", L_INT("under_way", (int64_t)s->taken));
	posts_cut(&s->posts);
}

int send_start(struct loop *loop, struct decide *decide, struct send **out, struct err *err)
{
	struct record_owner of_records = { .dot_done = dot_done, .recorded = recorded };
	struct relay_owner of_relays = { .take = take_cb, .dot = dot_cb, .ended = ended_cb, .changed = changed_cb };
	struct plan *plan = decide_plan(decide);
	struct send *s;

	if (plan->operator.relay_count == 0)
		return err_set(err, "no relay is configured");
	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->decide = decide;
	s->look_after = LOOK_FIRST;
	of_records.ctx = of_relays.ctx = s;
	s->records = records_new(loop, decide, &of_records);
	s->look = timer_new(loop, look_cb, s);
	s->cut = timer_new(loop, cut_cb, s);
	s->sweep = timer_new(loop, sweep_cb, s);
	s->ahead = event_new(loop_base(loop), -1, 0, ahead_cb, s);
	if (!s->ahead)
		abort();
	posts_init(&s->posts, loop, &of_relays);
	posts_load(&s->posts, plan);
	decide_on_due(decide, LANE_SEND, due_cb, s);
	decide_on_withdraw(decide, withdraw_cb, s);
	timer_set(s->look, 0);
	*out = s;
	return 0;
}

void send_drain(struct send *s)
{
	struct post *post;

	if (s->draining)
		return;
	s->draining = true;
	for (post = s->posts.first; post; post = post->next)
		give_back_stock(s, post, clock_now());
	posts_drain(&s->posts);
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
	posts_clear(&s->posts);
	compose_free(&s->compose);
	compose_free(&s->compose_before);
	records_free(&s->records);
	free_spares(s);
	timer_free(&s->look);
	timer_free(&s->cut);
	timer_free(&s->sweep);
	event_free(s->ahead);
	/* the store still has jobs that point into it: they are left what they need, the process ends */
	if (clean)
		free(s);
	*send = NULL;
}

void send_counts(struct send *s, struct send_counts *out)
{
	struct post *post;

	*out = s->counts;
	out->stock = 0;
	for (post = s->posts.first; post; post = post->next)
		out->stock += post->stock.count;
	out->under_way = s->taken;
	out->unrecorded = s->unrecorded;
}

/* Of one that ticks, one that people read; 0 stays. */
static int64_t on_the_wall(int64_t steady)
{
	return steady ? clock_now() + steady - clock_steady() : 0;
}

static void describe(const struct post *post, struct send_relay *out)
{
	struct relay_counts c;

	relay_counts(post->relay, &c);
	*out = (struct send_relay){
		.name = post->config->name, .config = post->config, .weight = post->config->weight, .backup = post->config->backup,
		.connected = c.connected, .connecting = c.connecting, .connects = c.connects, .connect_failures = c.failures,
		.sent = c.accepted, .deferred = c.deferred, .failed = c.failed, .unknown = c.unknown,
		.stock = post->stock.count, .under_way = post->taken, .rate = c.rate, .slow_until = on_the_wall(c.slow_until), .can = c.can,
		.size_limit = c.size_limit, .can_at = on_the_wall(c.can_at), .said = c.said, .tried_again = on_the_wall(c.tried_again), .breaker = breaker_state_names[c.breaker],
		.fault = fault_names[c.fault], .open_for = c.open_since ? clock_steady() - c.open_since : 0,
	};
	snprintf(out->last_error, sizeof(out->last_error), "%s", c.last_error);
}

size_t send_relays(struct send *s, struct send_relay *out, size_t max)
{
	struct post *post;
	size_t n = 0;

	for (post = s->posts.first; post && n < max; post = post->next)
		describe(post, &out[n++]);
	return n;
}
