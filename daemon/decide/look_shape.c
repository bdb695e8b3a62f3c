/*
 * look_shape.c: how fast whom is mailed, what is paused, what became of the mail to each domain; and the end of a pause by hand.
 */
#include <string.h>

#include <jansson.h>

#include "base/address.h"
#include "base/answer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "decide.h"
#include "shape_parts.h"

#define DAYS 30
#define DOMAINS_MOST 50		/* are listed, those with most mail */
#define DOMAINS_COUNTED 20000	/* for their groups */
#define GROUPS_SHOWN 64
#define NS_MINUTE 60e9

struct looking {
	json_t *list;
	const struct shape *shape;
	int64_t now;
};

static json_t *rate_json(int64_t interval)
{
	return interval ? json_real((double)(int64_t)(NS_MINUTE / (double)interval * 100 + 0.5) / 100) : json_null();
}

static json_t *pace_json(const char *name, const struct pace *p, int64_t now)
{
	int64_t interval = pace_interval(p, now), last = p->places[PACE_OTHERS].last;
	bool slowed = p->slow_until && interval != p->interval;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "group", answer_text(name), "per_minute", rate_json(p->interval), "now_per_minute",
			slowed && !interval ? json_integer(0) : rate_json(interval), "backed_off_until", answer_time(slowed ? p->slow_until : 0),
			"last_place", answer_time(last > now ? last : 0));
}

static void add_group(struct shape_named *n, void *arg)
{
	struct looking *l = arg;
	const struct pace *p = &((const struct shape_group_state *)n)->pace;

	if (pace_waits(p, PACE_OTHERS, l->now) || pace_waits(p, PACE_FIRST, l->now) || pace_interval(p, l->now) != p->interval)
		json_array_append_new(l->list, pace_json(n->name, p, l->now));
}

static json_t *day_json(int64_t allowance)
{
	return allowance == INT64_MAX ? json_null() : json_integer(allowance);
}

static void add_sender(struct shape_named *n, void *arg)
{
	struct looking *l = arg;
	const struct shape_sender_state *sender = (const struct shape_sender_state *)n;
	const struct budget *b = &sender->budget;
	const struct tally *t = &sender->watched.tally;

	json_array_append_new(l->list, json_pack("{s:o, s:o, s:I, s:b, s:I, s:I, s:I}", "sender", answer_text(n->name), "today_at_most",
			b->on ? day_json(budget_limit(b, b->day)) : json_null(), "today", (json_int_t)b->passed, "warm_up", b->on && b->warm_up && b->allowance,
			"of_latest", (json_int_t)tally_sent(t), "hard", (json_int_t)tally_hard(t), "complaints", (json_int_t)tally_complaints(t)));
}

static void add_rest(const struct shape_watched *w, const char *what, struct looking *l)
{
	if (w->rest.since)
		json_array_append_new(l->list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "what", what, "name", answer_text(w->named.name), "since",
				answer_time(w->rest.since), "tried_again", answer_time(w->rest.until), "why", answer_text(w->rest.why)));
}

static void add_paused_sender(struct shape_named *n, void *arg)
{
	add_rest((const struct shape_watched *)n, "sender", arg);
}

static void add_paused_flow(struct shape_named *n, void *arg)
{
	add_rest((const struct shape_watched *)n, "sequence", arg);
}

static json_t *listed(const struct shape *s, const struct shape_table *t, void (*fn)(struct shape_named *n, void *arg), int64_t now)
{
	struct looking l = { .list = json_array(), .shape = s, .now = now };

	shape_each(t, fn, &l);
	return l.list;
}

static json_t *hits_json(const int64_t hits[VERDICTS])
{
	return json_pack("{s:I, s:I, s:I}", "human", (json_int_t)hits[VERDICT_HUMAN], "machine", (json_int_t)hits[VERDICT_MACHINE], "unknown",
			(json_int_t)hits[VERDICT_UNKNOWN]);
}

static json_t *counts_json(const struct domain_day *d, const char *name, json_t *value)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", name, value, "sent", (json_int_t)d->sent, "deferred", (json_int_t)d->deferred,
			"hard", (json_int_t)d->hard, "soft", (json_int_t)d->soft, "complaints", (json_int_t)d->complaint, "opens", hits_json(d->opens),
			"clicks", hits_json(d->clicks));
}

static json_t *domain_json(const void *row)
{
	const struct domain_day *d = row;

	return counts_json(d, "domain", answer_text(d->domain));
}

static json_t *of_day(const void *row)
{
	const struct domain_day *d = row;
	json_t *day = answer_time(d->day * US_DAY);

	return counts_json(d, "day", day);
}

struct by_group {
	struct domain_day sum;
	int64_t domains;
};

static void add_counts(struct domain_day *to, const struct domain_day *d)
{
	int v;

	to->sent += d->sent;
	to->deferred += d->deferred;
	to->hard += d->hard;
	to->soft += d->soft;
	to->complaint += d->complaint;
	for (v = 0; v < VERDICTS; v++) {
		to->opens[v] += d->opens[v];
		to->clicks[v] += d->clicks[v];
	}
}

/* Domains that are nobody's but their own count together. */
static void count_group(struct shape *s, struct by_group *groups, size_t *count, const struct domain_day *d)
{
	bool provider;
	const char *name = shape_group_name(s, d->domain, &provider);
	size_t i;

	if (!provider)
		name = "others";
	for (i = 0; i < *count && strcmp(groups[i].sum.domain, name) != 0; i++)
		;
	if (i == GROUPS_SHOWN)
		i--;
	else if (i == *count)
		groups[(*count)++].sum.domain = name;
	add_counts(&groups[i].sum, d);
	groups[i].domains++;
}

static json_t *group_json(const void *row)
{
	const struct by_group *g = row;
	json_t *json = counts_json(&g->sum, "group", answer_text(g->sum.domain));

	json_object_set_new(json, "domains", json_integer(g->domains));
	return json;
}

static json_t *by_group_json(struct shape *s, const struct domain_day *domains, size_t count, struct arena *arena)
{
	struct by_group *groups = arena_calloc(arena, GROUPS_SHOWN, sizeof(*groups));
	size_t n = 0, i;

	for (i = 0; i < count; i++)
		count_group(s, groups, &n, &domains[i]);
	return answer_rows(groups, n, sizeof(*groups), group_json);
}

static int look_all(struct shape *s, struct db *db, int64_t now, struct arena *arena, struct buf *out, struct err *err)
{
	struct domain_day *domains;
	json_t *rests, *flows;
	size_t count;

	if (domain_days_top(db, now / US_DAY - DAYS, DOMAINS_COUNTED, arena, &domains, &count, err))
		return -1;
	rests = listed(s, &s->senders, add_paused_sender, now);
	flows = listed(s, &s->flows, add_paused_flow, now);
	json_array_extend(rests, flows);
	json_decref(flows);
	return answer_give(out, json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "limits", !s->config.off, "paused", rests, "senders",
			listed(s, &s->senders, add_sender, now), "groups", listed(s, &s->groups, add_group, now), "by_group",
			by_group_json(s, domains, count, arena), "domains",
			answer_rows(domains, count < DOMAINS_MOST ? count : DOMAINS_MOST, sizeof(*domains), domain_json)), err);
}

int look_shape(struct decide *d, struct db *db, const char *domain, int64_t now, struct buf *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	const struct shape_group_state *g;
	struct domain_day *days;
	size_t count;

	if (shape_keep(d->shape, db, true, err))
		return -1;
	if (!*domain)
		return look_all(d->shape, db, now, arena, out, err);
	if (shape_know(d->shape, db, domain, now, err) < 0)
		return -1;
	g = shape_group_of(d->shape, domain);
	domain = address_registrable(domain);
	if (domain_days_of(db, domain, now / US_DAY - DAYS, arena, &days, &count, err))
		return -1;
	return answer_give(out, json_pack("{s:o, s:o, s:o}", "domain", answer_text(domain), "rate", g ? pace_json(g->named.name, &g->pace, now) : json_null(),
			"days", answer_rows(days, count, sizeof(*days), of_day)), err);
}

int on_resume(struct decide *d, struct db *db, const char *name, int64_t at, bool *found_out, struct err *err)
{
	decide_arena(d);
	*found_out = shape_resume(d->shape, db, name, at);
	return shape_keep(d->shape, db, false, err);
}
