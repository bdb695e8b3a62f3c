/*
 * on_time.c: what falls due by itself: a wait is over, a held hit takes effect, a score or a window has run down.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

#include "decide.h"
#include "person.h"

/* It stood at this wait_for, and its time is up. */
static int give_up(struct person *p, const struct sequence *s, const struct enrolment *e, int *step, struct err *err)
{
	const struct step *at = &s->steps[*step];

	if (at->kind != STEP_WAIT_FOR || strcmp(e->why, e->step) != 0 || strcmp(e->why, at->name) != 0)
		return 0;
	p->cause = "waited long enough";
	*step = at->else_step;
	return sequence_waited(p, s, at, false, err);
}

static int step_due(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	struct person p;
	int step, found, left;

	found = enrolments_find(db, row->prospect, row->ref, d->arena, &e, err);
	/* a fact earlier in this batch may have moved it on, to a row of its own */
	if (found <= 0 || e.queue_id != row->id || (e.state != ENROLMENT_ACTIVE && e.state != ENROLMENT_WATCHED))
		return found < 0 ? -1 : 0;
	e.due = 0;
	if (e.state == ENROLMENT_WATCHED)
		return sequence_end(d, db, &e, e.heldout ? "watched long enough" : e.why, now, err);
	found = person_load(d, db, row->prospect, now, &p, err);
	if (found <= 0)
		return found;
	found = version_step(d, db, &e, row->name, now, &s, &step, err);
	if (found <= 0)
		return found;
	left = sequence_check_leave(&p, s, &e, err);
	if (left < 0)
		return -1;
	if (!left) {
		p.cause = "the wait is over";
		if (give_up(&p, s, &e, &step, err) || sequence_go(d, db, &p, s, &e, step, now, err))
			return -1;
	}
	return person_settle(&p, err);
}

static int hit_settles(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	struct judged judged = { 0 };
	struct delivery mail;
	struct person p;
	int found;

	found = deliveries_find(db, row->ref, d->arena, &mail, err);
	if (found == 1)
		found = person_load(d, db, mail.prospect, now, &p, err);
	if (found <= 0)
		return found;
	p.by = BY_CLICK;
	hot_ask(&p);
	return judge_mail(&p, &mail, true, &judged, err) || person_settle(&p, err) ? -1 : 0;
}

static int recheck(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	struct person p;
	int found = person_load(d, db, row->ref, now, &p, err);

	if (found <= 0)
		return found;
	p.cause = "time";
	p.by = BY_TIME;
	return person_settle(&p, err);	/* its recheck is due, so it asks everything that time changes */
}

int on_time(struct decide *d, struct db *db, size_t max, size_t *done_out, struct err *err)
{
	struct arena *rows_arena = arena_new(0);
	struct queue_row *rows;
	int64_t now = clock_now();
	size_t i;
	int rc = queue_take(db, LANE_TIME, now, max, rows_arena, &rows, done_out, err);

	hit_sums_begin(d);
	for (i = 0; !rc && i < *done_out; i++) {
		decide_arena(d);
		switch (rows[i].kind) {
		case QUEUE_STEP:
			rc = step_due(d, db, &rows[i], now, err);
			break;
		case QUEUE_SETTLE:
			rc = hit_settles(d, db, &rows[i], now, err);
			break;
		case QUEUE_RECHECK:
			rc = recheck(d, db, &rows[i], now, err);
			break;
		case QUEUE_MAIL:
		case QUEUE_ALERT:	/* of other lanes */
			break;
		}
	}
	rc = hit_sums_end(d, db, rc, err);
	arena_free(&rows_arena);
	return rc;
}
