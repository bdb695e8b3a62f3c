/*
 * sequence_enter.c: who gets into a sequence: by an event, or by hand; who is held out of it; and what gives way to it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/random.h"

#include "decide.h"
#include "person.h"

/* 1 may enter again (or for the first time), 0 not. */
static int may_enter_again(struct person *p, const struct sequence *s, struct err *err)
{
	struct enrolment last;
	int found = enrolments_last(p->db, p->row.id, s->name, p->arena, &last, err);

	if (found < 0)
		return -1;
	if (!found)
		return 1;
	if (last.state != ENROLMENT_ENDED && (last.state != ENROLMENT_WATCHED || last.heldout))
		return 0;
	switch (s->again) {
	case AGAIN_NEVER:
		return 0;
	case AGAIN_ALWAYS:	/* but not twice for what happens at one instant */
		return p->now > last.entered;
	case AGAIN_AFTER:
		return p->now >= last.entered + s->again_after;
	}
	return 0;
}

/* One sequence at a time: the higher priority goes on, the other gives way (or does not begin). 1 the way is free. */
static int way_is_free(struct person *p, const struct sequence *s, struct err *err)
{
	const struct sequence *first;

	if (sequence_first(p->plan, p->db, p->arena, p->row.id, s, 0, &first, err))
		return -1;
	if (!first)
		return 1;
	return person_journal(p, "hold", s->name, arena_printf(p->arena, "does not enter: is in %s, whose priority is as high", first->name), err) ? -1 : 0;
}

/* What keeps them out whatever happened: NULL if nothing does. */
static int closed_to(struct person *p, const struct sequence *s, const char **why, struct err *err)
{
	bool left = false;

	*why = NULL;
	if (!person_consents(p, why))
		return 0;
	if (!person_gets_topic(p, s->topic))
		*why = arena_printf(p->arena, "topic %s was left", s->topic);
	else if (s->list && strcmp(s->list, p->row.list) != 0)
		*why = arena_printf(p->arena, "is on list %s", p->row.list);
	if (*why)
		return 0;
	if (s->goal && person_holds(p, s->goal, UNIT_NONE, &left, err))
		return -1;
	if (left) {
		*why = "the goal is reached";
		return 0;
	}
	if (s->exit && person_holds(p, s->exit, UNIT_NONE, &left, err))
		return -1;
	if (left)
		*why = "the exit holds";
	return 0;
}

static int wants_to_enter(struct person *p, const struct sequence *s, struct event_at_hand *event, bool *out, struct err *err)
{
	struct event_at_hand *before = p->event;
	const char *why;
	bool holds = true;
	int rc = 0;

	*out = false;
	if (!event || strcmp(event->name, s->enter_on) != 0 || p->row.consent != CONSENT_GIVEN)
		return 0;
	p->event = event;
	if (s->enter_when)
		rc = person_holds(p, s->enter_when, UNIT_NONE, &holds, err);
	p->event = before;
	if (rc || !holds)
		return rc;
	rc = closed_to(p, s, &why, err);
	*out = !why;
	return rc;
}

/* By the address and the sequence alone: who is held out once is held out again. */
static bool is_held_out(struct person *p, const struct sequence *s)
{
	return s->holdout > 0 && random_of(arena_printf(p->arena, "%s/%s/holdout", p->row.key, s->name)) < s->holdout;
}

/* Held out: gets nothing, and its goal is looked for until the time is over. */
static int watch(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err)
{
	e->state = ENROLMENT_WATCHED;
	e->heldout = true;
	e->lane = LANE_TIME;
	e->due = p->now + s->holdout_for;
	e->queue_id = id_new(id_bucket(p->row.id), p->now);
	log_info("enrolment.held_out", L_ID("prospect", "pro", p->row.id), L_STR("sequence", s->name));
	return queue_add(p->db, &(struct queue_row){ .id = e->queue_id, .lane = LANE_TIME, .due = e->due, .kind = QUEUE_STEP, .prospect = p->row.id,
			.ref = e->id, .name = e->step }, err) || enrolments_insert(p->db, e, err) ||
			person_journal(p, "holdout", s->name, "one of those who get nothing, to be compared with the others", err) ? -1 : 0;
}

/* 1 they are in it now, 0 they are not, -1. */
static int begin(struct person *p, const struct sequence *s, struct err *err)
{
	struct enrolment e = {
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .sequence = s->name, .step = s->steps[0].name,
		.state = ENROLMENT_ACTIVE, .entered = p->now, .why = "", .version = s->version,
	};
	bool alone = p->nowhere;
	int may = alone ? 1 : way_is_free(p, s, err);

	/* the held out are those who would have entered: whoever is kept out by another sequence is none of them */
	if (may <= 0)
		return may;
	p->enrolments = true;
	p->nowhere = false;
	if (is_held_out(p, s))
		return watch(p, s, &e, err) ? -1 : 1;
	if (!alone && sequence_make_way(p->d, p->db, p->row.id, s, 0, err))
		return -1;
	log_info("enrolment.entered", L_ID("prospect", "pro", p->row.id), L_STR("sequence", s->name), L_STR("cause", p->cause));
	if (enrolments_insert(p->db, &e, err) || person_journal(p, "enrol", s->name, p->cause, err) ||
			sequence_go(p->d, p->db, p, s, &e, 0, p->now, err))
		return -1;
	return 1;
}

static int enter(struct person *p, const struct sequence *s, struct event_at_hand *event, struct err *err)
{
	int may;
	bool wants;

	if (wants_to_enter(p, s, event, &wants, err))
		return -1;
	if (!wants)
		return 0;
	may = p->nowhere ? 1 : may_enter_again(p, s, err);
	if (may == 1)
		may = begin(p, s, err);
	return may < 0 ? -1 : 0;
}

int sequence_may_enter(struct person *p, const struct sequence *s, const char **why_not, struct err *err)
{
	struct suppression suppressed;
	const struct sequence *first;
	int rc = suppressions_find_in(p->db, person_bucket(p), p->row.key, p->arena, &suppressed, err);

	*why_not = NULL;
	if (rc < 0)
		return -1;
	if (rc) {
		*why_not = arena_printf(p->arena, "suppressed: %s", suppressed.reason);
		return 0;
	}
	if (closed_to(p, s, why_not, err))
		return -1;
	if (*why_not)
		return 0;
	rc = may_enter_again(p, s, err);
	if (rc < 0 || sequence_first(p->plan, p->db, p->arena, p->row.id, s, 0, &first, err))
		return -1;
	if (!rc)
		*why_not = "is or was in it";
	else if (first)
		*why_not = arena_printf(p->arena, "is in %s, whose priority is as high", first->name);
	return 0;
}

int sequence_enter(struct person *p, const struct sequence *s, const char **why_not, struct err *err)
{
	if (sequence_may_enter(p, s, why_not, err))
		return -1;
	return *why_not ? 0 : begin(p, s, err);
}

int sequence_check_entries(struct person *p, struct err *err)
{
	size_t i, count = p->enter_count;
	struct entry_mark *marks = p->enter;

	/* those that entering marks are for the next round */
	p->enter = NULL;
	p->enter_count = p->enter_room = 0;
	for (i = 0; i < count; i++) {
		const struct rule *rule = &p->plan->rules[marks[i].rule];

		if (enter(p, &p->plan->sequences[rule->index], marks[i].event, err))
			return -1;
	}
	return 0;
}
