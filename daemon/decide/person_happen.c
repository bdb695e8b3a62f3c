/*
 * person_happen.c: an event happens: it is kept, earns its points within the caps, and marks the rules that name it.
 */
#include <string.h>

#include "base/id.h"

#include "decide.h"
#include "person.h"

/* The points that the cap of the rule's window still leaves. */
static int points_left(struct person *p, const struct score_rule *rule, double *points_out, struct err *err)
{
	double sum = 0;

	if (rule->at_most.within && terms_sum(p->db, p->row.id, rule->name, p->now - rule->at_most.within + 1, &sum, err))
		return -1;
	*points_out = score_grant(rule, sum);
	return 0;
}

static int grant_interest(struct person *p, int64_t event, struct rule_set set, double *total, struct err *err)
{
	double points;
	bool holds;
	size_t i;

	*total = 0;
	for (i = 0; i < set.count; i++) {
		const struct rule *rule = &p->plan->rules[set.rules[i]];
		const struct score_rule *score;

		if (rule->kind != RULE_INTEREST)
			continue;
		score = &p->plan->interest[rule->index];
		if (strcmp(score->on, p->event->name) != 0)	/* another event of which its `when` asks */
			continue;
		if (score->when) {
			struct expression_env env = person_env(p);

			holds = expression_holds(score->when, &env, NULL);
			if (p->failed)
				return err_set(err, "%s", p->err.text);
			if (!holds)
				continue;
		}
		if (points_left(p, score, &points, err))
			return -1;
		if (points == 0)
			continue;
		if (terms_insert(p->db, &(struct score_term){ .prospect = p->row.id, .rule = score->name, .at = p->now, .event = event,
				.points = points }, err))
			return -1;
		*total += points;
	}
	return 0;
}

int person_happen(struct person *p, const char *name, const char *subject, const char *data, int64_t *event_out, struct err *err)
{
	struct event_at_hand event = { .name = name, .subject = subject ? subject : "", .data = data ? data : "{}" };
	int64_t id = id_new(id_bucket(p->row.id), p->now);
	struct rule_set set = plan_rules_of(p->plan, name);
	double points;

	/* stays for the entries that are checked in person_settle() */
	p->event = arena_alloc(p->arena, sizeof(event));
	*p->event = event;
	if (set.count == 0) {
		points = 0;
	} else if (grant_interest(p, id, set, &points, err)) {
		return -1;
	}
	if (events_insert(p->db, &(struct event_row){ .id = id, .prospect = p->row.id, .at = p->now, .name = name, .subject = event.subject,
			.data = event.data, .points = points }, err))
		return -1;
	p->cause = arena_printf(p->arena, "%s%s%s", name, *event.subject ? " " : "", event.subject);
	p->changed = true;
	if (points != 0) {
		p->row.interest = person_interest(p) + points;
		p->row.interest_at = p->now;
		person_mark_symbol(p, p->plan->symbol_interest);
		person_mark_symbol(p, p->plan->symbol_score);
		person_mark_symbol(p, p->plan->symbol_grade);
	}
	person_mark_event(p, name);
	if (event_out)
		*event_out = id;
	if (!p->trials && !p->d->finishing)
		return 0;
	/* versions that some still finish ask for what they ask, which the plan in force need not name */
	p->enrolments = p->enrolments || p->d->finishing;
	p->trials = false;
	return trials_happen(p, name, event.subject, p->happened ? p->happened : p->now, err);
}
