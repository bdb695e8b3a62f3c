/*
 * score.c: what a rule for interest grants; and what it grants when the events that are kept happen once more, for the check that the score is a
 * function of them.
 */
#include <math.h>
#include <string.h>

#include "decide.h"
#include "person.h"

double score_grant(const struct score_rule *rule, double sum)
{
	double cap = (double)rule->at_most.count;

	if (!rule->at_most.within)
		return rule->points;
	if (rule->points >= 0)
		return fmax(0, fmin(rule->points, cap - sum));
	return fmin(0, fmax(rule->points, -cap - sum));
}

struct grant {
	int64_t at;
	double points;
};

/* One rule over the events of its name, in their order. */
struct replay {
	struct person then;		/* the person at the event: only `now` and the event are as they were */
	const struct score_rule *rule;
	struct arena *arena;		/* of what outlives an event */
	struct grant *window;		/* those that the cap counts, a queue */
	size_t from, count, room;
	int64_t now;
	double sum;			/* of all, decayed to `now` */
	int (*granted)(struct replay *r, const struct event_row *row, double points, struct err *err);	/* NULL */
	struct granting *granting;	/* its own */
};

static double granted_within(struct replay *r, int64_t at)
{
	double sum = 0;
	size_t i;

	while (r->from < r->count && r->window[r->from].at <= at - r->rule->at_most.within)
		r->from++;
	for (i = r->from; i < r->count; i++)
		sum += r->window[i].points;
	return sum;
}

static void keep(struct replay *r, struct grant g)
{
	struct grant *more;

	if (r->count == r->room) {
		r->room = 2 * (r->count - r->from) + 16;
		more = arena_calloc(r->arena, r->room, sizeof(*more));
		if (r->count > r->from)
			memcpy(more, r->window + r->from, (r->count - r->from) * sizeof(*more));
		r->window = more;
		r->count -= r->from;
		r->from = 0;
	}
	r->window[r->count++] = g;
}

static int happens_again(void *arg, const struct event_row *row, struct err *err)
{
	struct replay *r = arg;
	struct event_at_hand event = { .name = row->name, .subject = row->subject, .data = row->data };
	struct expression_env env;
	double points;

	if (r->rule->when) {
		arena_reset(r->then.arena);
		r->then.now = row->at;
		r->then.event = &event;
		env = person_env(&r->then);
		if (!expression_holds(r->rule->when, &env, NULL))
			return 0;
	}
	points = score_grant(r->rule, granted_within(r, row->at));
	if (points == 0)
		return 0;
	if (r->rule->at_most.within)
		keep(r, (struct grant){ .at = row->at, .points = points });
	r->sum += decay_value(points, row->at, r->then.plan->half_life, r->now);
	return r->granted ? r->granted(r, row, points, err) : 0;
}

/* Its condition asks nothing but of the event: the same again at any time. */
static bool can_replay(const struct score_rule *rule)
{
	const struct expression_uses *uses = rule->when ? expression_uses(rule->when) : NULL;

	return !uses || (!uses->symbol_count && !uses->call_count);
}

int score_replay(struct person *p, const struct score_rule *rule, double *out, struct err *err)
{
	struct replay r = { .then = *p, .rule = rule, .arena = p->arena, .now = p->now };
	int rc;

	if (!can_replay(rule))
		return 0;
	r.then.arena = arena_new(0);
	rc = events_each(p->db, p->row.id, rule->on, happens_again, &r, err);
	arena_free(&r.then.arena);
	*out = r.sum;
	return rc ? -1 : 1;
}

/* --- once more, and written down -------------------------------------------------------------------------------------- */

struct granting {
	struct person *p;
	struct event_row *events;	/* of the name; `points` is what they are given now */
	double *grants;			/* by the rule at hand */
	size_t count;
};

static void add_interest(struct person *p, double points)
{
	if (points == 0)
		return;
	p->row.interest = person_interest(p) + points;
	p->row.interest_at = p->now;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_interest);
	person_mark_symbol(p, p->plan->symbol_score);
	person_mark_symbol(p, p->plan->symbol_grade);
}

int score_take_back(struct person *p, const struct event_row *event, struct err *err)
{
	double points;
	size_t i;

	for (i = 0; i < p->plan->interest_count; i++) {
		const struct score_rule *rule = &p->plan->interest[i];

		if (strcmp(rule->on, event->name) != 0 || can_replay(rule))
			continue;
		if (terms_remove_one(p->db, p->row.id, rule->name, event->at, event->id, p->now, p->plan->half_life, &points, err))
			return -1;
		add_interest(p, -points);
	}
	return 0;
}

static int note_grant(struct replay *r, const struct event_row *row, double points, struct err *err)
{
	struct granting *g = r->granting;
	size_t i;

	for (i = 0; i < g->count; i++)
		if (g->events[i].id == row->id)
			g->grants[i] = points;
	return 0;
}

static int put_terms(struct granting *g, const struct score_rule *rule, struct err *err)
{
	size_t i;

	for (i = 0; i < g->count; i++) {
		struct event_row *e = &g->events[i];

		if (g->grants[i] != 0 && terms_insert(g->p->db, &(struct score_term){ .prospect = g->p->row.id, .rule = rule->name, .at = e->at,
				.event = e->id, .points = g->grants[i] }, err))
			return -1;
		e->points += g->grants[i];
	}
	return 0;
}

static int replay_rule(struct granting *g, const struct score_rule *rule, struct err *err)
{
	struct person *p = g->p;
	struct replay r = { .then = *p, .rule = rule, .arena = p->arena, .now = p->now, .granted = note_grant, .granting = g };
	double was;
	int rc;

	g->grants = arena_calloc(p->arena, g->count + 1, sizeof(*g->grants));
	if (terms_remove(p->db, p->row.id, rule->name, p->now, p->plan->half_life, &was, err))
		return -1;
	r.then.arena = arena_new(0);
	rc = events_each(p->db, p->row.id, rule->on, happens_again, &r, err);
	arena_free(&r.then.arena);
	if (rc || put_terms(g, rule, err))
		return -1;
	add_interest(p, r.sum - was);
	return 0;
}

/* Those that have a term keep it; for those that have none, which are new, the condition is asked as things are now. */
static int grant_new(struct granting *g, const struct score_rule *rule, struct err *err)
{
	struct person *p = g->p;
	struct event_at_hand *at_hand = p->event;
	double points, sum;
	size_t i;
	int found;

	for (i = 0; i < g->count; i++) {
		struct event_row *e = &g->events[i];
		struct event_at_hand event = { .name = e->name, .subject = e->subject, .data = e->data };
		struct expression_env env;

		found = terms_find(p->db, p->row.id, rule->name, e->at, e->id, &points, err);
		if (found < 0)
			return -1;
		if (found) {
			e->points += points;
			continue;
		}
		p->event = &event;
		env = person_env(p);
		found = expression_holds(rule->when, &env, NULL);
		p->event = at_hand;
		if (p->failed)
			return err_set(err, "%s", p->err.text);
		if (!found)
			continue;
		sum = 0;
		if (rule->at_most.within && terms_sum(p->db, p->row.id, rule->name, e->at - rule->at_most.within + 1, &sum, err))
			return -1;
		points = score_grant(rule, sum);
		if (points == 0)
			continue;
		if (terms_insert(p->db, &(struct score_term){ .prospect = p->row.id, .rule = rule->name, .at = e->at, .event = e->id,
				.points = points }, err))
			return -1;
		e->points += points;
		add_interest(p, decay_value(points, e->at, p->plan->half_life, p->now));
	}
	return 0;
}

struct event_list {
	struct arena *arena;
	struct event_row *rows;
	size_t count, room;
};

static int list_event(void *arg, const struct event_row *row, struct err *err)
{
	struct event_list *l = arg;
	struct event_row *more;

	if (l->count == l->room) {
		l->room = 2 * l->room + 16;
		more = arena_calloc(l->arena, l->room, sizeof(*more));
		if (l->count)
			memcpy(more, l->rows, l->count * sizeof(*more));
		l->rows = more;
	}
	l->rows[l->count] = *row;
	l->rows[l->count].name = arena_strdup(l->arena, row->name);
	l->rows[l->count].subject = arena_strdup(l->arena, row->subject);
	l->rows[l->count].data = arena_strdup(l->arena, row->data);
	l->count++;
	return 0;
}

int score_grant_again(struct person *p, const char *name, struct err *err)
{
	struct event_list list = { .arena = p->arena };
	struct granting g = { .p = p };
	double *was;
	size_t i;

	if (plan_rules_of(p->plan, name).count == 0)
		return 0;
	if (events_each(p->db, p->row.id, name, list_event, &list, err))
		return -1;
	was = arena_calloc(p->arena, list.count + 1, sizeof(*was));
	for (i = 0; i < list.count; i++) {
		was[i] = list.rows[i].points;
		list.rows[i].points = 0;
	}
	g.events = list.rows;
	g.count = list.count;
	for (i = 0; i < p->plan->interest_count; i++) {
		const struct score_rule *rule = &p->plan->interest[i];

		if (strcmp(rule->on, name) == 0 && (can_replay(rule) ? replay_rule(&g, rule, err) : grant_new(&g, rule, err)))
			return -1;
	}
	for (i = 0; i < list.count; i++)
		if (list.rows[i].points != was[i] && events_set_points(p->db, &list.rows[i], err))
			return -1;
	return 0;
}
