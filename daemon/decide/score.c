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
	return 0;
}

int score_replay(struct person *p, const struct score_rule *rule, double *out, struct err *err)
{
	const struct expression_uses *uses = rule->when ? expression_uses(rule->when) : NULL;
	struct replay r = { .then = *p, .rule = rule, .arena = p->arena, .now = p->now };
	int rc;

	if (uses && (uses->symbol_count || uses->call_count))
		return 0;
	r.then.arena = arena_new(0);
	rc = events_each(p->db, p->row.id, rule->on, happens_again, &r, err);
	arena_free(&r.then.arena);
	*out = r.sum;
	return rc ? -1 : 1;
}
