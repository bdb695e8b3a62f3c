/*
 * shape.c: see shape.h. The rate of a group is pace.c's, the budget of a day budget.c's, who belongs to what shape_group.c's; here is what may pass, and
 * what is paused.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"

#include "shape_parts.h"

#define SLACK US_SECOND			/* who would wait for less goes at once */
#define TRICKLE (INT64_C(60) * 1000 * 1000 * 1000)	/* nanoseconds */
#define PROBE_MOST (15 * US_MINUTE)	/* a probe of which nothing is heard */
#define REST_FIRST (15 * US_MINUTE)
#define REST_MOST US_HOUR
#define STREAK 5
#define RING_PART 5			/* one in so many of the last RING */
#define RATE_LEAST 100			/* mails before a rate means anything */
#define BATCH_GAP 64			/* when nobody came for such a part of the spread, the next begin another batch */
#define BATCH_NOTED 16			/* a restart need not know of fewer */
#define NOTED_AHEAD (2 * US_MINUTE)
#define MX_PATIENCE (5 * US_SECOND)
#define MX_WAIT "asks DNS whose mail server takes it"
#define FLUSH_AFTER US_SECOND
#define FLUSH_MANY 256

METRIC(throttled, COUNTER, "nurtured_throttled_total", "", "Mails that had to wait for a rate, a budget or a spread.");
METRIC(paused, GAUGE, "nurtured_paused", "", "Sequences and senders that are paused because their mail goes wrong.");
METRIC(slowed, GAUGE, "nurtured_groups_slowed", "", "Groups of recipients that are mailed slower than configured, as they asked.");

struct shape *shape_new(void)
{
	return xcalloc(1, sizeof(struct shape));
}

void shape_free(struct shape **s)
{
	if (!*s)
		return;
	shape_clear_groups(*s);
	shape_clear_table(&(*s)->senders, shape_free_named);
	shape_clear_table(&(*s)->flows, shape_free_named);
	shape_clear_table(&(*s)->counts, shape_free_named);
	shape_clear_mx(*s);
	shape_forget_changes(*s);
	free((*s)->changes);
	arena_free(&(*s)->arena);
	free(*s);
	*s = NULL;
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static void again_budget(struct shape_named *n, void *arg)
{
	struct shape_sender_state *sender = (struct shape_sender_state *)n;
	const struct shape *s = arg;
	size_t i;

	sender->budget.on = false;
	for (i = 0; !s->config.off && i < s->config.sender_count; i++)
		if (strcmp(s->config.senders[i].domain, n->name) == 0)
			budget_set(&sender->budget, &s->config.senders[i]);
}

static const char *const *copy_names(struct arena *arena, const char *const *names)
{
	const char **copy;
	size_t n = 0, i;

	while (names && names[n])
		n++;
	copy = arena_calloc(arena, n + 1, sizeof(*copy));
	for (i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, names[i]);
	return copy;
}

/* The plan may go while the shape stays. */
static void copy_config(struct shape *s, const struct shape_config *from)
{
	struct arena *arena = arena_new(0);
	struct shape_group *groups = arena_calloc(arena, from->group_count + 1, sizeof(*groups));
	struct shape_sender *senders = arena_calloc(arena, from->sender_count + 1, sizeof(*senders));
	size_t i;

	for (i = 0; i < from->group_count; i++) {
		groups[i] = from->groups[i];
		groups[i].name = arena_strdup(arena, groups[i].name);
		groups[i].domains = copy_names(arena, groups[i].domains);
		groups[i].mx = copy_names(arena, groups[i].mx);
	}
	for (i = 0; i < from->sender_count; i++) {
		senders[i] = from->senders[i];
		senders[i].domain = arena_strdup(arena, senders[i].domain);
	}
	arena_free(&s->arena);
	s->arena = arena;
	s->config = *from;
	s->config.groups = groups;
	s->config.senders = senders;
}

void shape_use(struct shape *s, const struct plan *plan)
{
	size_t i;

	copy_config(s, &plan->operator.shape);
	s->quiet = plan->quiet;
	shape_use_groups(s);
	shape_use_mx(s);
	for (i = 0; i < s->config.sender_count; i++)
		shape_named(&s->senders, s->config.senders[i].domain, sizeof(struct shape_sender_state));
	shape_each(&s->senders, again_budget, s);
}

/* --- what is paused ----------------------------------------------------------------------------------------------- */

static void count_paused(struct shape_named *n, void *arg)
{
	*(int64_t *)arg += ((const struct shape_watched *)n)->rest.since > 0;
}

void shape_note_paused(struct shape *s)
{
	int64_t count = 0;

	shape_each(&s->senders, count_paused, &count);
	shape_each(&s->flows, count_paused, &count);
	metric_set(&metric_paused, count);
	s->dirty = true;
}

static void pause_it(struct shape *s, struct db *db, struct shape_watched *w, const char *kind, const char *why, int64_t now)
{
	struct shape_rest *r = &w->rest;

	if (r->since && now < r->until)
		return;
	shape_save_watched(s, db, w);
	shape_save_rest(s, db, w);
	r->span = !r->since ? REST_FIRST : 2 * r->span < REST_MOST ? 2 * r->span : REST_MOST;
	if (!r->since)
		r->since = now;
	r->until = now + r->span;
	r->probe = 0;
	snprintf(r->why, sizeof(r->why), "%s", why);
	w->streak = 0;
	w->ring_count = 0;
	w->tally = (struct tally){ 0 };
	log_error("shape.paused", L_STR("what", kind), L_STR("name", w->named.name), L_STR("why", why));
	shape_note_paused(s);
}

static void go_on(struct shape *s, struct db *db, struct shape_watched *w, const char *kind, const char *by)
{
	if (!w->rest.since)
		return;
	shape_save_rest(s, db, w);
	w->rest = (struct shape_rest){ 0 };
	log_info("shape.goes_on", L_STR("what", kind), L_STR("name", w->named.name), L_STR("by", by));
	shape_note_paused(s);
}

/* Held; after a time one mail tries it. 1 it may go. */
static int may_go(struct shape *s, struct db *db, struct shape_watched *w, const struct shape_ask *ask, int64_t *until_out)
{
	struct shape_rest *r = &w->rest;

	if (!r->since)
		return 1;
	if (ask->now >= r->until && (!r->probe || ask->now > r->probe + PROBE_MOST)) {
		shape_save_rest(s, db, w);
		r->probe = ask->now;
		return 1;
	}
	/* they do not all ask again at one instant */
	*until_out = (ask->now < r->until ? r->until : ask->now + US_MINUTE) + (int64_t)((uint64_t)ask->id * 2654435761u % (uint64_t)r->span);
	return 0;
}

/* --- passing ------------------------------------------------------------------------------------------------------ */

/* The n-th of a batch: 0, 1/2, 1/4, 3/4, 1/8, ...: however many come, they are spread evenly. */
static int64_t place_of(uint32_t n, int64_t span)
{
	double at = 0, half = 0.5;

	for (; n; n >>= 1, half /= 2)
		at += n & 1 ? half : 0;
	return (int64_t)(at * (double)span);
}

bool shape_batch_is_over(const struct shape_batch *b, int64_t now)
{
	return now < b->last || now - b->last > b->span / BATCH_GAP;
}

/* One that would have had its place already has it a whole spread later: who comes late to a batch is spread, too. */
static int64_t spread_place(struct shape *s, struct shape_batch *b, const struct shape_ask *ask)
{
	int64_t at;

	if (b->span != ask->spread || shape_batch_is_over(b, ask->now))
		*b = (struct shape_batch){ .at = ask->now, .span = ask->spread };
	b->last = ask->now;
	at = b->at + place_of(b->count++, b->span);
	if (at < ask->now)
		at += (ask->now - at + b->span - 1) / b->span * b->span;
	if (b->count >= BATCH_NOTED && b->count > b->noted) {
		b->noted = b->count < UINT32_MAX / 2 ? 2 * b->count : UINT32_MAX;
		s->dirty = true;
	}
	return at;
}

struct limits {
	struct shape_group_state *group;	/* NULL: no limit */
	struct shape_sender_state *sender;
	enum pace_row row, budget_row;
	int64_t earliest;		/* by its spread */
	const char *by;			/* of what it waits for longest */
};

static bool may_now(const struct limits *l, const struct shape_ask *ask, bool placed)
{
	return l->earliest <= ask->now + SLACK && (!l->group || pace_may(&l->group->pace, ask->now, placed)) &&
		(!l->sender || budget_may(&l->sender->budget, l->budget_row, placed));
}

static bool waits_already(const struct limits *l, int64_t now)
{
	return l->group && pace_waits(&l->group->pace, l->row, now + SLACK);
}

/* The earliest instant on which all agree; -1: there is none in sight. */
static int64_t agree(struct shape *s, struct limits *l, const struct shape_ask *ask)
{
	int64_t at = ask->now > l->earliest ? ask->now : l->earliest, was;
	int turns = 0;

	do {
		was = at;
		if (l->group)
			at = pace_find(&l->group->pace, l->row, at, ask->now);
		if (at > was)
			l->by = l->group->named.name;
		if (at >= 0 && l->sender) {
			int64_t before = at;

			at = budget_find(&l->sender->budget, &s->quiet, l->budget_row, at);
			if (at > before)
				l->by = l->sender->watched.named.name;
		}
		if (at >= 0 && ask->calendar)
			at = calendar_open(ask->calendar, at);
	} while (at > was && ++turns < 100);
	return at;
}

static void take_share(struct shape *s, struct db *db, struct limits *l, const struct shape_ask *ask, bool placed)
{
	if (l->group) {
		shape_save_pace(s, db, l->group);
		pace_spend(&l->group->pace, ask->now);
	}
	if (!l->sender)
		return;
	if (budget_spend(&l->sender->budget, l->budget_row, placed))
		s->dirty = true;
	shape_note_spent(s, db, l->sender, &(struct shape_spent){ l->budget_row, l->sender->budget.day, !placed, 1 });
}

/* Some minutes ahead, so that it is seldom written; nobody needs it for what is soon over. */
static void note_place(struct shape *s, struct shape_group_state *g, enum pace_row row, int64_t at)
{
	if (at <= g->noted[row])
		return;
	g->noted[row] = at + NOTED_AHEAD;
	s->dirty = true;
}

static void take_day(struct shape *s, struct db *db, struct limits *l, int64_t at)
{
	int64_t day = budget_take(&l->sender->budget, &s->quiet, l->budget_row, at);

	if (day >= 0)
		shape_note_spent(s, db, l->sender, &(struct shape_spent){ l->budget_row, day, 1, 0 });
}

static int hold(struct shape *s, struct db *db, struct limits *l, const struct shape_ask *ask, struct arena *arena, int64_t *until_out, const char **why_out)
{
	int64_t at = agree(s, l, ask);

	db_count(db, &metric_throttled, 1);
	*until_out = at < 0 ? ask->now + PACE_AHEAD + (int64_t)((uint64_t)ask->id % (uint64_t)US_HOUR) : at;
	if (at >= 0 && l->group) {
		shape_save_place(s, db, l->group, l->row, at);
		pace_take(&l->group->pace, l->row, at, ask->now);
		note_place(s, l->group, l->row, at);
	}
	if (at >= 0 && l->sender)
		take_day(s, db, l, at);
	if (*until_out <= ask->now)
		*until_out = ask->now + SLACK;
	*why_out = arena_printf(arena, "%s%s", at < 0 ? "" : SHAPE_PLACED, l->by);
	if (at < 0)
		*why_out = arena_printf(arena, "waits for %s", l->by);
	return 0;
}

static int paused(const struct shape_watched *w, const char *kind, struct arena *arena, const char **why_out)
{
	*why_out = arena_printf(arena, "paused: %s %s: %s", kind, w->named.name, w->rest.why);
	return 0;
}

/* It counts, and is not held. */
static void count_awaited(struct shape *s, struct db *db, struct shape_sender_state *sender)
{
	sender->budget.passed++;
	shape_note_spent(s, db, sender, &(struct shape_spent){ PACE_FIRST, sender->budget.day, 0, 1 });
}

int shape_pass(struct shape *s, struct db *db, const struct shape_ask *ask, struct arena *arena, int64_t *until_out, const char **why_out)
{
	struct shape_watched *flow = ask->sequence ? (struct shape_watched *)shape_find(&s->flows, ask->sequence) : NULL;
	struct shape_sender_state *sender = (struct shape_sender_state *)shape_find(&s->senders, ask->sender);
	struct limits l = { .row = ask->awaited ? PACE_FIRST : PACE_OTHERS, .budget_row = ask->engaged ? PACE_FIRST : PACE_OTHERS, .by = "the spread" };
	bool placed = strncmp(ask->was, SHAPE_PLACED, strlen(SHAPE_PLACED)) == 0;

	/* what the relay refuses is of no use, whatever the config says of limits */
	if (s->config.off)
		return !sender || !sender->watched.rest.refused || may_go(s, db, &sender->watched, ask, until_out) || paused(&sender->watched, "sender", arena, why_out);
	if (flow && !may_go(s, db, flow, ask, until_out))
		return paused(flow, "sequence", arena, why_out);
	if (sender && !may_go(s, db, &sender->watched, ask, until_out))
		return paused(&sender->watched, "sender", arena, why_out);
	if (ask->unplaced && !ask->awaited && strcmp(ask->was, MX_WAIT) != 0) {
		*until_out = ask->now + MX_PATIENCE;
		*why_out = MX_WAIT;
		return 0;
	}
	l.group = shape_group_of(s, ask->domain);
	if (sender && sender->budget.on) {
		if (budget_roll(&sender->budget, &s->quiet, &sender->watched.tally, ask->now))
			s->dirty = true;
		if (ask->awaited)
			count_awaited(s, db, sender);
		else
			l.sender = sender;
	}
	if (ask->spread && !placed && !ask->awaited) {
		if (!flow)
			flow = (struct shape_watched *)shape_named(&s->flows, ask->sequence, sizeof(*flow));
		shape_save_batch(s, db, flow);
		l.earliest = spread_place(s, &flow->batch, ask);
	}
	if (may_now(&l, ask, placed) && (placed || !waits_already(&l, ask->now))) {
		take_share(s, db, &l, ask, placed);
		return 1;
	}
	return hold(s, db, &l, ask, arena, until_out, why_out);
}

/* --- what came of it ---------------------------------------------------------------------------------------------- */

static struct shape_watched *watch(struct shape_table *t, const char *name, size_t size)
{
	return (struct shape_watched *)shape_named(t, name, size);
}

static uint32_t word_of(const char *reason)
{
	uint32_t h = 2166136261u;

	for (; *reason; reason++)
		h = (h ^ (unsigned char)*reason) * 16777619u;
	return h ? h : 1;
}

/* The same reason five times running, or for a fifth of the last fifty. */
static bool goes_wrong(struct shape_watched *w, uint32_t reason)
{
	int same = 0, i;

	w->streak = reason && reason == w->last ? w->streak + 1 : reason ? 1 : 0;
	w->last = reason;
	w->ring[w->ring_count++ % RING] = reason;
	if (!reason)
		return false;
	if (w->streak >= STREAK)
		return true;
	if (w->ring_count < RING)
		return false;
	for (i = 0; i < RING; i++)
		same += w->ring[i] == reason;
	return same * RING_PART >= RING;
}

static void tell(struct shape *s, struct db *db, struct shape_watched *w, const char *kind, const struct mail_outcome *fact)
{
	bool sent = fact->outcome == OUTCOME_SENT, ours = fact->outcome == OUTCOME_FAILED && fact->fault == FAULT_MESSAGE;
	const char *reason = fact->reason && *fact->reason ? fact->reason : "refused";
	char why[160];

	if (sent && w->rest.probe)
		go_on(s, db, w, kind, "a mail went through");
	if (sent || ours)
		shape_save_watched(s, db, w);
	if (sent)
		tally_add(&w->tally, 1, 0, 0);
	if ((sent || ours) && goes_wrong(w, ours ? word_of(reason) : 0)) {
		snprintf(why, sizeof(why), "%s: %.120s", reason, fact->reply ? fact->reply : "");
		pause_it(s, db, w, kind, why, fact->at);
	} else if (ours && w->rest.probe) {
		pause_it(s, db, w, kind, reason, fact->at);
	}
}

static void check_rates(struct shape *s, struct db *db, struct shape_watched *w, const char *kind, int64_t at)
{
	int64_t n = tally_sent(&w->tally), hard = tally_hard(&w->tally), complaints = tally_complaints(&w->tally);
	char why[160];

	if (n < RATE_LEAST)
		return;
	if (hard * 10 > n)
		snprintf(why, sizeof(why), "%lld of the last %lld mails bounced", (long long)hard, (long long)n);
	else if (complaints > 1 && complaints * 1000 > 3 * n)
		snprintf(why, sizeof(why), "%lld complaints about the last %lld mails", (long long)complaints, (long long)n);
	else
		return;
	pause_it(s, db, w, kind, why, at);
}

static void bounced(struct shape *s, struct db *db, struct shape_watched *w, const char *kind, bool complaint, int64_t at)
{
	shape_save_watched(s, db, w);
	tally_add(&w->tally, 0, !complaint, complaint);
	check_rates(s, db, w, kind, at);
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : "";
}

static void count_slowed(struct shape_named *n, void *arg)
{
	const struct shape_group_state *g = (const struct shape_group_state *)n;

	*(int64_t *)arg += pace_interval(&g->pace, clock_now()) != g->pace.interval;
}

void shape_slow(struct shape *s, const char *address, const struct slow *slow, int64_t at)
{
	struct shape_group_state *g = slow->scope == SLOW_GROUP ? shape_group_of(s, domain_of(address)) : NULL;
	int64_t count = 0, interval;

	if (!g || s->config.off)
		return;
	interval = g->pace.interval ? g->pace.interval : INT64_C(50) * 1000 * 1000;
	pace_slow(&g->pace, slow->way == SLOW_PAUSE ? 0 : slow->way == SLOW_TRICKLE ? TRICKLE : 2 * interval, at + slow->span);
	log_warn("shape.slowed", L_STR("group", g->named.name), L_STR("how", slow_way_names[slow->way]), L_INT("seconds", slow->span / US_SECOND));
	shape_each(&s->groups, count_slowed, &count);
	metric_set(&metric_slowed, count);
	s->dirty = true;
}

void shape_add_count(struct shape *s, struct shape_count *c, const struct domain_day *add)
{
	int v;

	if (!c->queued) {	/* what comes in the second of midnight counts for the day before */
		c->sum = (struct domain_day){ .domain = c->named.name, .day = add->day, .shard = add->shard };
		c->queued = true;
		c->next = s->to_flush;
		s->to_flush = c;
		s->flush_count++;
	}
	c->sum.sent += add->sent;
	c->sum.deferred += add->deferred;
	c->sum.hard += add->hard;
	c->sum.soft += add->soft;
	c->sum.complaint += add->complaint;
	for (v = 0; v < VERDICTS; v++) {
		c->sum.opens[v] += add->opens[v];
		c->sum.clicks[v] += add->clicks[v];
	}
}

static void count_domain(struct shape *s, struct db *db, const char *address, int64_t id, int64_t at, struct domain_day add)
{
	struct shape_count *c = (struct shape_count *)shape_named(&s->counts, address_registrable(domain_of(address)), sizeof(*c));

	add.day = at / US_DAY;
	add.shard = (int)(id_bucket(id) % DOMAIN_SHARDS);
	shape_add_count(s, c, &add);
	shape_note_count(s, db, c, &add);
	if (!s->flush_at)
		s->flush_at = at + FLUSH_AFTER;
}

void shape_heard(struct shape *s, struct db *db, const struct delivery *mail, const char *sender, const struct mail_outcome *fact)
{
	struct shape_watched *w = watch(&s->senders, sender, sizeof(struct shape_sender_state));
	bool failed = fact->outcome == OUTCOME_FAILED;

	if (mail->kind == DELIVERY_TEST || mail->kind == DELIVERY_FORWARD)
		return;
	if (fact->outcome == OUTCOME_SENT || fact->outcome == OUTCOME_DEFERRED || failed)
		count_domain(s, db, mail->address, mail->id, fact->at, (struct domain_day){ .sent = fact->outcome == OUTCOME_SENT,
				.deferred = fact->outcome == OUTCOME_DEFERRED, .hard = failed && fact->hard_bounce, .soft = failed && !fact->hard_bounce });
	shape_slow(s, mail->address, &fact->slow, fact->at);
	if (fact->fault == FAULT_SENDER) {
		shape_save_rest(s, db, w);
		w->rest.refused = true;
		pause_it(s, db, w, "sender", fact->reply && *fact->reply ? fact->reply : "the relay refuses it", fact->at);
	}
	tell(s, db, w, "sender", fact);
	if (failed && fact->hard_bounce)
		bounced(s, db, w, "sender", false, fact->at);
	if (!*mail->sequence)
		return;
	w = watch(&s->flows, mail->sequence, sizeof(*w));
	tell(s, db, w, "sequence", fact);
	if (failed && fact->hard_bounce)
		bounced(s, db, w, "sequence", false, fact->at);
}

void shape_came_back(struct shape *s, struct db *db, const struct delivery *mail, const char *sender, bool complaint, int64_t at)
{
	count_domain(s, db, mail->address, mail->id, at, (struct domain_day){ .hard = !complaint, .complaint = complaint });
	bounced(s, db, watch(&s->senders, sender, sizeof(struct shape_sender_state)), "sender", complaint, at);
	if (*mail->sequence)
		bounced(s, db, watch(&s->flows, mail->sequence, sizeof(struct shape_watched)), "sequence", complaint, at);
}

void shape_hit(struct shape *s, struct db *db, const char *address, int64_t delivery, bool click, enum verdict verdict, int64_t mails, int64_t at)
{
	struct domain_day add = { .sent = 0 };

	(click ? add.clicks : add.opens)[verdict] = mails;
	count_domain(s, db, address, delivery, at, add);
}

bool shape_resume(struct shape *s, struct db *db, const char *name, int64_t now)
{
	struct shape_group_state *g = (struct shape_group_state *)shape_find(&s->groups, name);
	struct shape_watched *sender = (struct shape_watched *)shape_find(&s->senders, name), *flow = (struct shape_watched *)shape_find(&s->flows, name);
	bool found = (g && g->pace.slow_until && pace_interval(&g->pace, now) != g->pace.interval) || (sender && sender->rest.since) ||
		(flow && flow->rest.since);

	if (g && g->pace.slow_until) {
		pace_restore(&g->pace);
		memset(g->noted, 0, sizeof(g->noted));
		s->dirty = true;
	}
	if (sender)
		go_on(s, db, sender, "sender", "nurturectl");
	if (flow)
		go_on(s, db, flow, "sequence", "nurturectl");
	return found;
}
