/*
 * sequence.c: one person's way through sequences: entering, walking the steps that take no time, coming to rest in the queue, leaving.
 *
 * An enrolment at rest has exactly one row in the queue, which names the step that is next; `wait` steps are the due time of that row. So the
 * claim of a mail needs no write to the enrolment.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"

#include "decide.h"
#include "person.h"

/* Steps without time in one go; config refuses loops without a wait, this stops what slipped through. */
#define WALK 200

/* Among how many of a person's latest mails one that is still to be tried again is looked for. */
#define RECENT 50

static int leave_queue(struct db *db, struct enrolment *e, struct err *err)
{
	if (e->due && queue_remove(db, (enum lane)e->lane, e->due, e->queue_id, err) < 0)
		return -1;
	e->due = 0;
	e->queue_id = 0;
	return 0;
}

static int rest(struct db *db, struct enrolment *e, const struct step *step, int64_t due, const char *why, struct err *err)
{
	if (leave_queue(db, e, err))
		return -1;
	e->lane = step->kind == STEP_SEND ? LANE_SEND : LANE_TIME;
	e->due = due;
	e->queue_id = id_new(id_bucket(e->prospect), clock_now());	/* not `due`: ids only grow */
	e->step = step->name;
	e->why = why;
	if (queue_add(db, &(struct queue_row){ .id = e->queue_id, .lane = (enum lane)e->lane, .due = due, .kind = QUEUE_STEP,
			.prospect = e->prospect, .ref = e->id, .name = step->name }, err))
		return -1;
	CRASH_POINT("plan.before_commit");
	return enrolments_update(db, e, err);
}

static const char gave_way[] = "gave way to ";

/* Whoever gave way to what has now ended goes on; of several, sequence_resume() lets the one of the highest priority. */
static int resume_waiting(struct decide *d, struct db *db, int64_t prospect, const char *ended, int64_t now, struct err *err)
{
	struct enrolment *open, e;
	size_t count, i;

	if (enrolments_open(db, prospect, d->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (open[i].state != ENROLMENT_PAUSED || strncmp(open[i].why, gave_way, strlen(gave_way)) != 0 ||
				strcmp(open[i].why + strlen(gave_way), ended) != 0)
			continue;
		/* read anew: resuming another may have ended this one */
		if (enrolments_find(db, prospect, open[i].id, d->arena, &e, err) < 0 ||
				(e.state == ENROLMENT_PAUSED && sequence_resume(d, db, &e, now, err)))
			return -1;
	}
	return 0;
}

int sequence_end(struct decide *d, struct db *db, struct enrolment *e, const char *why, int64_t now, struct err *err)
{
	if (leave_queue(db, e, err))
		return -1;
	e->state = ENROLMENT_ENDED;
	e->ended = now;
	e->why = why;
	log_info("enrolment.ended", L_ID("prospect", "pro", e->prospect), L_STR("sequence", e->sequence), L_STR("step", e->step), L_STR("why", why));
	if (enrolments_update(db, e, err) ||
			journal_add(db, e->prospect, now, "end", e->sequence, why, err))
		return -1;
	return resume_waiting(d, db, e->prospect, e->sequence, now, err);
}

int sequence_end_all(struct person *p, struct enrolment *all, size_t count, const char *why, struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (all[i].state == ENROLMENT_PAUSED && sequence_end(p->d, p->db, &all[i], why, p->now, err))
			return -1;
	for (i = 0; i < count; i++)
		if (all[i].state == ENROLMENT_ACTIVE && sequence_end(p->d, p->db, &all[i], why, p->now, err))
			return -1;
	return 0;
}

int sequence_pause(struct decide *d, struct db *db, struct enrolment *e, const char *why, struct err *err)
{
	/* standing at a wait_for, it begins to wait anew when it goes on; so it does not wait for the old time */
	int64_t due = strcmp(e->why, e->step) == 0 ? 0 : e->due;

	if (leave_queue(db, e, err))
		return -1;
	e->queue_id = due;	/* kept for sequence_resume(): when it would have gone on */
	e->state = ENROLMENT_PAUSED;
	e->why = why;
	return enrolments_update(db, e, err);
}

/* One sequence at a time, here too: 1 the way is free, 0 it gives way to another that is under way, -1. */
static int take_turn(struct decide *d, struct db *db, struct enrolment *e, const struct sequence *s, struct err *err)
{
	struct enrolment *open;
	const char *why;
	size_t count, i;

	if (enrolments_open(db, e->prospect, d->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *other = plan_sequence(d->working, open[i].sequence);

		if (open[i].id == e->id || open[i].state != ENROLMENT_ACTIVE)
			continue;
		if (other && other->priority >= s->priority) {
			e->why = arena_printf(d->arena, "%s%s", gave_way, other->name);
			return enrolments_update(db, e, err) ? -1 : 0;
		}
		why = arena_printf(d->arena, "%s%s", gave_way, s->name);
		if (sequence_pause(d, db, &open[i], why, err))
			return -1;
	}
	return 1;
}

/* Is a mail of this enrolment claimed, or to be tried again? What becomes of it moves the enrolment on. */
static int mail_on_its_way(struct decide *d, struct db *db, const struct enrolment *e, struct err *err)
{
	struct delivery *some;
	size_t count, i;

	if (sending_of(db, e->prospect, d->arena, &some, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (some[i].enrolment == e->id)
			return 1;
	if (deliveries_of(db, e->prospect, RECENT, d->arena, &some, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (some[i].enrolment == e->id && (some[i].state == DELIVERY_PLANNED || some[i].state == DELIVERY_DEFERRED))
			return 1;
	return 0;
}

int sequence_resume(struct decide *d, struct db *db, struct enrolment *e, int64_t at, struct err *err)
{
	const struct sequence *s = plan_sequence(d->working, e->sequence);
	int step = s ? plan_step(s, e->step) : -1, rc;

	if (step < 0)
		return sequence_end(d, db, e, s ? "its step is gone from the sequence" : "the sequence is gone", at, err);
	rc = take_turn(d, db, e, s, err);
	if (rc <= 0)
		return rc;
	rc = mail_on_its_way(d, db, e, err);
	if (rc < 0)
		return -1;
	if (e->queue_id > at)
		at = e->queue_id;
	e->due = 0;
	e->queue_id = 0;
	e->state = ENROLMENT_ACTIVE;
	if (!rc)
		return rest(db, e, &s->steps[step], at, "goes on", err);
	e->why = "goes on";
	return enrolments_update(db, e, err);
}

int sequence_hold(struct decide *d, struct db *db, struct enrolment *e, const char *name, int64_t until, const char *why, struct err *err)
{
	const struct sequence *s = plan_sequence(d->working, e->sequence);
	int step = s ? plan_step(s, name) : -1;

	e->due = 0;
	if (step < 0)
		return sequence_end(d, db, e, s ? "its step is gone from the sequence" : "the sequence is gone", clock_now(), err);
	return rest(db, e, &s->steps[step], until, why, err);
}

/* Loads the person where the caller had no need of them before. */
static int need_person(struct decide *d, struct db *db, struct person **p, struct person *storage, const struct enrolment *e, int64_t now, struct err *err)
{
	int found;

	if (*p)
		return 0;
	found = person_load(d, db, e->prospect, now, storage, err);
	if (found == 0)
		return err_set(err, "enrolment without a prospect");
	*p = storage;
	return found < 0 ? -1 : 0;
}

int sequence_go(struct decide *d, struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int step, int64_t now, struct err *err)
{
	struct person storage, *given = p;
	bool holds;
	int walked, rc = 0;

	for (walked = 0; walked < WALK && !rc; walked++) {
		const struct step *at;

		if (step < 0 || step >= s->step_count) {
			rc = sequence_end(d, db, e, "done", now, err);
			break;
		}
		at = &s->steps[step];
		switch (at->kind) {
		case STEP_SEND:
			rc = rest(db, e, at, now, "", err);
			goto out;
		case STEP_WAIT:
			if (at->next >= s->step_count) {	/* nothing follows: it has nothing to wait for */
				step = at->next;
				continue;
			}
			/* a wait that leads to another wait or a branch is walked when its time has come */
			rc = rest(db, e, &s->steps[at->next], now + at->wait, at->name, err);
			goto out;
		case STEP_WAIT_FOR:
			if (need_person(d, db, &p, &storage, e, now, err) || person_holds(p, at->when, UNIT_NONE, &holds, err)) {
				rc = -1;
				goto out;
			}
			if (!holds) {
				rc = rest(db, e, at, at->wait ? now + at->wait : INT64_MAX / 2, at->name, err);
				p->enrolments = true;	/* its own time to change is looked for when the person is settled */
				goto out;
			}
			step = at->then_step;
			continue;
		case STEP_IF:
			if (need_person(d, db, &p, &storage, e, now, err) || person_holds(p, at->when, UNIT_NONE, &holds, err)) {
				rc = -1;
				goto out;
			}
			step = holds ? at->then_step : at->else_step;
			continue;
		case STEP_SET:
			if (need_person(d, db, &p, &storage, e, now, err) || person_set_field(p, at->field, at->value, true, err)) {
				rc = -1;
				goto out;
			}
			step = at->next;
			continue;
		case STEP_WAIT_UNTIL:
		case STEP_SPLIT:
		case STEP_TEST:
		case STEP_TAG:
		case STEP_MOVE:
		case STEP_ALERT:
		case STEP_WEBHOOK:
		case STEP_KINDS:
			step = at->next;
			continue;
		case STEP_GO:
			step = at->then_step;
			continue;
		case STEP_END:
			rc = sequence_end(d, db, e, at->reason && *at->reason ? at->reason : "done", now, err);
			goto out;
		}
	}
	if (!rc && walked == WALK)
		rc = sequence_end(d, db, e, "went round without a wait", now, err);
out:
	if (!rc && p && p != given)	/* loaded here: nobody else settles it */
		rc = person_settle(p, err);
	return rc;
}

/* --- leaving ----------------------------------------------------------------------------------------------------- */

int sequence_check_leave(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err)
{
	bool holds;

	if (s->goal) {
		if (person_holds(p, s->goal, UNIT_ENROLMENTS, &holds, err))
			return -1;
		if (holds)
			return sequence_end(p->d, p->db, e, "goal", p->now, err) ? -1 : 1;
	}
	if (s->exit) {
		if (person_holds(p, s->exit, UNIT_ENROLMENTS, &holds, err))
			return -1;
		if (holds)
			return sequence_end(p->d, p->db, e, "exit", p->now, err) ? -1 : 1;
	}
	if (s->list && *p->row.list && strcmp(s->list, p->row.list) != 0)
		return sequence_end(p->d, p->db, e, arena_printf(p->arena, "moved to list %s", p->row.list), p->now, err) ? -1 : 1;
	return 0;
}

static int check_wait(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err)
{
	int step = plan_step(s, e->step);
	bool holds;

	/* only at the wait itself: an enrolment whose `wait` leads to a wait_for is not there yet, its row's time says so */
	if (step < 0 || s->steps[step].kind != STEP_WAIT_FOR || strcmp(e->why, e->step) != 0)
		return 0;
	if (person_holds(p, s->steps[step].when, UNIT_ENROLMENTS, &holds, err))
		return -1;
	if (!holds)
		return 0;
	return sequence_go(p->d, p->db, p, s, e, s->steps[step].then_step, p->now, err);
}

int sequence_check_open(struct person *p, struct err *err)
{
	struct enrolment *open;
	size_t count, i;
	int left;

	if (p->nowhere)
		return 0;
	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *s = plan_sequence(p->plan, open[i].sequence);

		/* the end of one lets another go on */
		if (i && enrolments_find(p->db, p->row.id, open[i].id, p->arena, &open[i], err) < 0)
			return -1;
		if (open[i].state == ENROLMENT_ENDED)
			continue;
		if (!s) {
			if (sequence_end(p->d, p->db, &open[i], "the sequence is gone", p->now, err))
				return -1;
			continue;
		}
		left = sequence_check_leave(p, s, &open[i], err);
		if (left < 0)
			return -1;
		if (!left && open[i].state == ENROLMENT_ACTIVE && check_wait(p, s, &open[i], err))
			return -1;
	}
	return 0;
}

/* --- entering ---------------------------------------------------------------------------------------------------- */

/* 1 may enter again (or for the first time), 0 not. */
static int may_enter_again(struct person *p, const struct sequence *s, struct err *err)
{
	struct enrolment last;
	int found = enrolments_last(p->db, p->row.id, s->name, p->arena, &last, err);

	if (found < 0)
		return -1;
	if (!found)
		return 1;
	if (last.state != ENROLMENT_ENDED)
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
static int make_way(struct person *p, const struct sequence *s, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *other = plan_sequence(p->plan, open[i].sequence);

		if (open[i].state == ENROLMENT_ACTIVE && other && other->priority >= s->priority)
			return person_journal(p, "hold", s->name, arena_printf(p->arena, "does not enter: is in %s, whose priority is as high", other->name), err) ? -1 : 0;
	}
	for (i = 0; i < count; i++)
		if (open[i].state == ENROLMENT_ACTIVE &&
				sequence_pause(p->d, p->db, &open[i], arena_printf(p->arena, "%s%s", gave_way, s->name), err))
			return -1;
	return 1;
}

static int wants_to_enter(struct person *p, const struct sequence *s, struct event_at_hand *event, bool *out, struct err *err)
{
	struct event_at_hand *before = p->event;
	bool holds = true, left = false;
	int rc = 0;

	*out = false;
	if (!event || strcmp(event->name, s->enter_on) != 0 || p->row.consent != CONSENT_GIVEN)
		return 0;
	if (s->list && strcmp(s->list, p->row.list) != 0)
		return 0;
	p->event = event;
	if (s->enter_when)
		rc = person_holds(p, s->enter_when, UNIT_NONE, &holds, err);
	p->event = before;
	if (!rc && holds && s->goal)
		rc = person_holds(p, s->goal, UNIT_NONE, &left, err);
	if (!rc && holds && !left && s->exit)
		rc = person_holds(p, s->exit, UNIT_NONE, &left, err);
	*out = holds && !left;
	return rc;
}

static int enter(struct person *p, const struct sequence *s, struct event_at_hand *event, struct err *err)
{
	struct enrolment e;
	int may;
	bool wants;

	if (wants_to_enter(p, s, event, &wants, err))
		return -1;
	if (!wants)
		return 0;
	may = p->nowhere ? 1 : may_enter_again(p, s, err);
	if (may == 1 && !p->nowhere)
		may = make_way(p, s, err);
	if (may <= 0)
		return may;
	e = (struct enrolment){
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .sequence = s->name, .step = s->steps[0].name,
		.state = ENROLMENT_ACTIVE, .entered = p->now, .why = "",
	};
	log_info("enrolment.entered", L_ID("prospect", "pro", p->row.id), L_STR("sequence", s->name), L_STR("cause", p->cause));
	if (enrolments_insert(p->db, &e, err) || person_journal(p, "enrol", s->name, p->cause, err))
		return -1;
	p->enrolments = true;
	p->nowhere = false;
	return sequence_go(p->d, p->db, p, s, &e, 0, p->now, err);
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
