/*
 * relay.c: see relay.h.
 *
 * Whatever may open or free connections happens in turn(), never inside a connection's call: hooks only take notes and ask for a turn.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "connection.h"
#include "speed.h"
#include "relay.h"

#define OPENING_MAX 16		/* at once, where one is open; */
#define OPENING_FEW 4		/* where none is, or with TLS, whose handshake takes a millisecond or two of the loop */
#define ROOM_TIME US_MINUTE	/* that long it is not asked for more connections than it let in */
#define STOCK_PER_CONNECTION 8
#define RATE_GUESS 10.0		/* a second: where there is no limit, and it was given none yet */
#define STOCK_SECONDS 2		/* of what its pace lets through */
#define OFFER_HOLDS (10 * US_MINUTE)	/* then it may have learnt something */

struct relay {
	struct loop *loop;
	const struct relay_config *config;
	struct relay_times times;
	struct relay_owner owner;
	struct transfer_pool *pool;
	struct connection *connections, *dead;
	int room;			/* connections that it had open when it refused another, */
	int64_t room_until;		/* and until when that holds */
	struct breaker breaker;
	struct speed speed;
	enum breaker_state told;	/* state that the owner knows */
	bool slower;			/* and that it does not know yet */
	struct timer *turn;
	struct timer *pause;		/* until the breaker lets something through */
	struct timer *gap;		/* until the pace lets the next one through */
	size_t waiting;			/* messages the owner has for us, as far as we know */
	bool draining;
	struct send_said said[SEND_SAID];
	struct relay_counts counts;
};

const struct relay_times relay_times_default = {
	.connect = 30 * US_SECOND,
	.greet = 300 * US_SECOND,
	.idle = 20 * US_SECOND,
	.life = 300 * US_SECOND,
	.scale = US_MINUTE,
};

/* --- the breaker ---------------------------------------------------------------------------------------------------- */

/* Takes note of a change of state and has the owner told at the next turn. */
static void look(struct relay *r, int64_t now)
{
	enum breaker_state state = breaker_look(&r->breaker, now);

	if (state == r->told)
		return;
	if (state == BREAKER_OPEN)
		timer_set(r->pause, relay_pause(r));
	timer_set(r->turn, 0);
}

static void gap_cb(void *arg)
{
	struct relay *r = arg;

	timer_set(r->turn, 0);
}

static void pause_cb(void *arg)
{
	look(arg, clock_steady());
}

int64_t relay_pause(struct relay *r)
{
	int64_t left;

	if (breaker_look(&r->breaker, clock_steady()) != BREAKER_OPEN)
		return 0;
	left = r->breaker.until - clock_steady();
	return left > 0 ? left : 1;
}

/* No more than goes out in a moment: what waits is better off in the store, where it may be claimed for another relay. */
static size_t paced(struct relay *r, size_t most, int64_t now)
{
	double rate = speed_rate(&r->speed, now);
	size_t stock = 1 + (size_t)(rate * STOCK_SECONDS);

	return rate > 0 && stock < most ? stock : most;
}

/* It is asked four times a mail. Where neither a pause nor a rate can end, the time, which costs more than the rest, does not matter. */
size_t relay_appetite(struct relay *r)
{
	size_t most = (size_t)r->config->connections * STOCK_PER_CONNECTION;
	int64_t now;

	if (r->draining)
		return 0;
	if (r->breaker.state == BREAKER_CLOSED && r->speed.rate <= 0)
		return most;
	now = clock_steady();
	switch (breaker_look(&r->breaker, now)) {
	case BREAKER_OPEN:
		return 0;
	case BREAKER_HALF_OPEN:
		return 1;
	case BREAKER_CLOSED:
		break;
	}
	return paced(r, most, now);
}

double relay_rate(struct relay *r)
{
	double rate = speed_rate(&r->speed, clock_steady());

	if (rate > 0)
		return rate;
	return r->speed.seen > RATE_GUESS ? r->speed.seen : RATE_GUESS;
}

unsigned relay_lacks(const struct relay *r, unsigned can)
{
	return r->counts.can_at && clock_steady() - r->counts.can_at < OFFER_HOLDS ? can & ~r->counts.can : 0;
}

static void note_error(struct relay *r, const struct dialogue_end *end)
{
	if (end->reply.code)
		snprintf(r->counts.last_error, sizeof(r->counts.last_error), "%s: %d %.200s", stage_names[end->stage],
			end->reply.code, end->reply.text);
	else
		snprintf(r->counts.last_error, sizeof(r->counts.last_error), "%s: %.200s", stage_names[end->stage], end->reply.text);
}

/* In the place of the same of before, or of what was said longest ago. */
static void note_said(struct relay *r, const struct dialogue_end *end)
{
	const char *stage = stage_names[end->stage];
	struct send_said *s = r->said, *oldest = r->said;
	size_t n = strnlen(end->reply.text, sizeof(s->text) - 1);

	for (; s < r->said + SEND_SAID && (s->stage != stage || s->code != end->reply.code); s++)
		if (s->at < oldest->at)
			oldest = s;
	if (s == r->said + SEND_SAID) {
		s = oldest;
		*s = (struct send_said){ .stage = stage, .code = end->reply.code };
	}
	s->at = clock_now();
	s->times++;
	memcpy(s->text, end->reply.text, n);
	s->text[n] = '\0';
}

static void log_refusal(const struct relay *r, const struct dialogue_end *end)
{
	log_error("relay.refuses_us", L_STR("relay", r->config->name), L_STR("stage", stage_names[end->stage]),
		L_INT("code", end->reply.code), L_STR("reply", end->reply.text), L_STR("do", "check user, password and certificate of this relay"));
}

static int64_t least_pause(const struct slow *slow)
{
	return slow->scope == SLOW_RELAY && slow->way == SLOW_PAUSE ? slow->span : 0;
}

/* The relay wants less. */
static void slow_down(struct relay *r, struct slow slow)
{
	int64_t now;

	if (slow.scope != SLOW_RELAY || slow.way != SLOW_HALVE)
		return;
	now = clock_steady();
	if (!speed_halve(&r->speed, slow.span, now))
		return;
	r->slower = true;
	timer_set(r->turn, 0);
	log_warn("relay.slower", L_STR("relay", r->config->name), L_INT("per_minute", (int64_t)(60 * speed_rate(&r->speed, now))),
		L_INT("for_s", slow.span / US_SECOND));
}

/* One connection that breaks is one fault, however many messages were on it. */
static void tell_breaker(struct relay *r, struct connection *c, const struct dialogue_end *end, const struct judgement *j)
{
	enum fault fault = j->fault;
	bool answered = end->trouble == TROUBLE_NONE && end->reply.code != 421;
	int64_t now = clock_steady();

	if (!answered && (fault == FAULT_NONE || c->blamed))
		return;
	if (!answered)
		c->blamed = true;
	breaker_report(&r->breaker, fault, least_pause(&j->slow), now);
	if (fault == FAULT_OPERATOR)
		log_refusal(r, end);
	look(r, now);
}

/* --- hooks of connections -------------------------------------------------------------------------------------------- */

static struct envelope *take_hook(struct connection *c)
{
	struct relay *r = c->relay;
	struct envelope *e;
	int64_t now, wait;

	if (r->draining)
		return NULL;
	now = clock_steady();
	switch (breaker_look(&r->breaker, now)) {
	case BREAKER_OPEN:
		return NULL;
	case BREAKER_HALF_OPEN:
		if (r->counts.under_way > 0)
			return NULL;
		break;
	case BREAKER_CLOSED:
		break;
	}
	if (r->waiting == 0)
		return NULL;
	wait = speed_take(&r->speed, now);
	if (wait > 0) {
		timer_set(r->gap, wait);
		return NULL;
	}
	e = r->owner.take(r->owner.ctx, r);
	if (!e) {
		r->waiting = 0;
		return NULL;
	}
	r->waiting--;
	r->counts.under_way++;
	return e;
}

static void dot_hook(struct connection *c, struct envelope *e)
{
	c->relay->owner.dot(c->relay->owner.ctx, e);
}

static void count(struct relay_counts *counts, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_SENT:
		counts->accepted++;
		return;
	case OUTCOME_DEFERRED:
		counts->deferred++;
		return;
	case OUTCOME_FAILED:
		counts->failed++;
		return;
	case OUTCOME_UNKNOWN:
		counts->unknown++;
		return;
	case OUTCOME_SKIPPED: case OUTCOME_WITHDRAWN:
		return;
	}
}

static void ended_hook(struct connection *c, const struct dialogue_end *end)
{
	struct relay *r = c->relay;
	struct judgement j = outcome_judge(end);

	r->counts.under_way--;
	note_said(r, end);
	count(&r->counts, j.outcome);
	if (j.fault != FAULT_NONE && j.fault != FAULT_MESSAGE && j.fault != FAULT_PROSPECT)
		note_error(r, end);
	slow_down(r, j.slow);
	tell_breaker(r, c, end, &j);
	r->owner.ended(r->owner.ctx, r, end, j);
	if (r->draining)
		timer_set(r->turn, 0);
}

static void ready_hook(struct connection *c)
{
	struct relay *r = c->relay;

	r->counts.connecting--;
	r->counts.connected++;
	r->counts.connects++;
	r->counts.can = c->can;
	r->counts.size_limit = c->size_limit;
	r->counts.can_at = clock_steady();
	log_debug("relay.connected", L_STR("relay", r->config->name), L_INT("pipelining", !!(c->can & CAN_PIPELINE)),
		L_INT("dsn", !!(c->can & CAN_DSN)), L_INT("size", c->size_limit));
	timer_set(r->turn, 0);
}

/* It serves those that are open, and says at its door that another is too many: that is no trouble, but how many it takes. */
static bool has_no_room(const struct relay *r, const struct dialogue_end *why, const struct judgement *j)
{
	return r->counts.connected > 0 && j->fault == FAULT_RELAY && why->reply.code / 100 == 4;
}

static void failed_hook(struct connection *c, const struct dialogue_end *why)
{
	struct relay *r = c->relay;
	struct judgement j = outcome_judge(why);

	r->counts.failures++;
	note_said(r, why);
	note_error(r, why);
	log_warn("relay.no_connection", L_STR("relay", r->config->name), L_STR("stage", stage_names[why->stage]),
		L_INT("code", why->reply.code), L_STR("why", why->reply.text));
	/* a relay that says 554 at its door has answered, but it is no use: c->blamed keeps dead_hook() from counting twice */
	c->blamed = true;
	if (has_no_room(r, why, &j)) {
		r->room = r->counts.connected;
		r->room_until = clock_steady() + ROOM_TIME;
	} else {
		slow_down(r, j.slow);
		breaker_report(&r->breaker, j.fault, least_pause(&j.slow), clock_steady());
	}
	if (j.fault == FAULT_OPERATOR)
		log_refusal(r, why);
	look(r, clock_steady());
}

static void dead_hook(struct connection *c)
{
	struct relay *r = c->relay;

	if (c->ready_since) {
		r->counts.connected--;
		/* let in and thrown out before the first message */
		if (c->messages == 0 && !c->blamed && !c->dialogue.quitting && !r->draining) {
			breaker_report(&r->breaker, FAULT_RELAY, 0, clock_steady());
			look(r, clock_steady());
		}
	} else {
		r->counts.connecting--;
	}
	if (c->prev)
		c->prev->next = c->next;
	else
		r->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->prev = NULL;
	c->next = r->dead;
	r->dead = c;
	timer_set(r->turn, 0);
}

static const struct connection_hooks hooks = {
	.take = take_hook, .dot = dot_hook, .ended = ended_hook, .ready = ready_hook, .failed = failed_hook, .dead = dead_hook,
};

/* --- turns ---------------------------------------------------------------------------------------------------------- */

static void bury(struct relay *r)
{
	struct connection *c;

	while ((c = r->dead)) {
		r->dead = c->next;
		connection_free(&c);
	}
}

static void open_one(struct relay *r)
{
	struct connection *c = connection_new(r, r->loop, r->pool, r->config, &r->times, &hooks);

	c->next = r->connections;
	if (r->connections)
		r->connections->prev = c;
	r->connections = c;
	r->counts.connecting++;
}

/* A dot is answered within a second, or its relay is slow. */
static int connections_wanted(struct relay *r)
{
	int64_t now = clock_steady();
	double rate = speed_rate(&r->speed, now);
	int most = now < r->room_until && r->room < r->config->connections ? r->room : r->config->connections;

	if (breaker_look(&r->breaker, now) != BREAKER_CLOSED)
		return 1;
	return rate > 0 && rate + 1 < most ? (int)rate + 1 : most;
}

/* What those that are open cannot take by themselves is worth a connection. */
static void open_more(struct relay *r)
{
	int most = connections_wanted(r), opening = r->config->tls == TLS_NONE && r->counts.connected > 0 ? OPENING_MAX : OPENING_FEW;

	if (relay_appetite(r) == 0)
		return;
	while (r->waiting > (size_t)r->counts.connecting && r->counts.connecting < opening &&
	       r->counts.connecting + r->counts.connected < most)
		open_one(r);
}

static void turn_cb(void *arg)
{
	struct relay *r = arg;
	struct connection *c, *next;
	enum breaker_state state;

	bury(r);
	state = breaker_look(&r->breaker, clock_steady());
	if (state != r->told || r->slower) {
		r->told = state;
		r->slower = false;
		r->owner.changed(r->owner.ctx, r);
	}
	/* a pump may kill its own connection and no other: `next` stays true */
	for (c = r->connections; c; c = next) {
		next = c->next;
		if (r->draining)
			connection_quit_if_idle(c);
		else if (r->waiting > 0)
			connection_pump(c);
	}
	open_more(r);
}

void relay_wake(struct relay *r, size_t waiting)
{
	r->waiting = waiting;
	timer_set(r->turn, 0);
}

/* --- the owner's side ------------------------------------------------------------------------------------------------ */

void relay_granted(struct envelope *e)
{
	struct connection *c = e->connection;

	assert(c);
	dialogue_grant(&c->dialogue, e);
	connection_pump(c);
}

void relay_forbid(struct envelope *e)
{
	struct connection *c = e->connection;

	assert(c);
	dialogue_forbid(&c->dialogue, e);
	connection_pump(c);
}

struct relay *relay_new(struct loop *loop, const struct relay_config *config, const struct relay_times *times,
		const struct relay_owner *owner)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->config = config;
	r->times = *times;
	if (r->times.dialogue.dot == 0)
		r->times.dialogue = dialogue_times_default;
	r->owner = *owner;
	r->pool = transfer_pool_new(loop, 0);
	breaker_init(&r->breaker, times->scale);
	speed_init(&r->speed, config->rate, clock_steady());
	r->turn = timer_new(loop, turn_cb, r);
	r->pause = timer_new(loop, pause_cb, r);
	r->gap = timer_new(loop, gap_cb, r);
	return r;
}

void relay_drain(struct relay *r)
{
	r->draining = true;
	timer_set(r->turn, 0);
}

void relay_cut(struct relay *r)
{
	struct connection *c;

	r->draining = true;
	while ((c = r->connections)) {
		connection_quit_if_idle(c);	/* politeness: nobody waits for the answer */
		connection_cut(c);
	}
}

void relay_free(struct relay **relay)
{
	struct relay *r = *relay;

	if (!r)
		return;
	relay_cut(r);
	bury(r);
	transfer_pool_free(&r->pool);
	timer_free(&r->turn);
	timer_free(&r->pause);
	timer_free(&r->gap);
	free(r);
	*relay = NULL;
}

bool relay_busy(const struct relay *r)
{
	return r->counts.under_way > 0;
}

const struct relay_config *relay_config_of(const struct relay *r)
{
	return r->config;
}

void relay_counts(struct relay *r, struct relay_counts *out)
{
	*out = r->counts;
	out->breaker = breaker_look(&r->breaker, clock_steady());
	out->open_since = out->breaker == BREAKER_CLOSED ? 0 : r->breaker.since;
	out->fault = out->breaker == BREAKER_CLOSED ? FAULT_NONE : r->breaker.fault;
	out->rate = speed_rate(&r->speed, clock_steady());
	out->slow_until = r->speed.until;
	out->tried_again = out->breaker == BREAKER_OPEN ? r->breaker.until : 0;
	out->said = r->said;
}
