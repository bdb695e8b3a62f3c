/*
 * sequence_leave.c: what makes a person leave a sequence (its goal, its exit, another list), and what they wait for in it.
 */
#include <string.h>

#include "decide.h"
#include "person.h"

int sequence_check_leave(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err)
{
	bool holds;

	if (s->goal) {
		if (person_holds(p, s->goal, UNIT_ENROLMENTS, &holds, err))
			return -1;
		if (holds)
			return trials_goal(p, e, err) || sequence_end(p->d, p->db, e, "goal", p->now, err) ? -1 : 1;
	}
	if (e->state == ENROLMENT_WATCHED)	/* whatever else happens, it is to be compared with the others */
		return 0;
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

/* It waits until a time that a field says, and the field may say another now. */
static int check_field(struct person *p, const struct sequence *s, struct enrolment *e, int step, struct err *err)
{
	const struct step *at = &s->steps[step];
	int64_t due;

	if (sequence_until(p, at, &due, err))
		return -1;
	if (due == e->due)
		return 0;
	return sequence_go(p->d, p->db, p, s, e, step, p->now, err);
}

/* Only at the wait itself: an enrolment whose `wait` leads to a wait_for is not there yet, its row's time says so. */
static int check_wait(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err)
{
	int step = plan_step(s, e->why);
	const struct step *at = step < 0 ? NULL : &s->steps[step];
	bool holds;

	if (!at)
		return 0;
	if (at->kind == STEP_WAIT_UNTIL && at->until.field >= 0)
		return check_field(p, s, e, step, err);
	if (at->kind != STEP_WAIT_FOR || strcmp(e->why, e->step) != 0)
		return 0;
	if (person_holds(p, at->when, UNIT_ENROLMENTS, &holds, err))
		return -1;
	if (!holds)
		return 0;
	if (sequence_waited(p, s, at, true, err))
		return -1;
	return sequence_go(p->d, p->db, p, s, e, at->then_step, p->now, err);
}

/* One enrolment: which version, whether it leaves, whether what it waits for has come. */
static int check_one(struct person *p, struct enrolment *e, struct err *err)
{
	const struct sequence *s;
	int left = version_adopt(p, e, &s, err);

	if (left <= 0)
		return left;
	left = sequence_check_leave(p, s, e, err);
	if (left)
		return left < 0 ? -1 : 0;
	return e->state == ENROLMENT_ACTIVE ? check_wait(p, s, e, err) : 0;
}

int sequence_check_open(struct person *p, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	if (p->nowhere)
		return 0;
	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		/* the end of one lets another go on */
		if (i && enrolments_find(p->db, p->row.id, open[i].id, p->arena, &open[i], err) < 0)
			return -1;
		if (open[i].state != ENROLMENT_ENDED && check_one(p, &open[i], err))
			return -1;
	}
	return trials_check_goals(p, err);
}
