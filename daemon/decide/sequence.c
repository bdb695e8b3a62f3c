/*
 * sequence.c: one person's way through a sequence: walking the steps that take no time, coming to rest in the queue, pausing, ending.
 * Entering is in sequence_enter.c, what makes them leave in sequence_leave.c, which version they go through in version.c.
 *
 * An enrolment at rest has exactly one row in the queue, which names the step that is next; `wait` steps are the due time of that row. So the
 * claim of a mail needs no write to the enrolment.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/random.h"

#include "calendar.h"
#include "decide.h"
#include "person.h"

/* Steps without time in one go; config refuses loops without a wait, this stops what slipped through. */
#define WALK 200

/* Among how many of a person's latest mails one that is still to be tried again is looked for. */
#define RECENT 50

bool sequence_sends(const struct step *step)
{
	return step->kind == STEP_SEND || step->kind == STEP_TEST;
}

static int leave_queue(struct db *db, struct enrolment *e, struct err *err)
{
	if (e->due && queue_remove(db, (enum lane)e->lane, e->due, e->queue_id, err) < 0)
		return -1;
	e->due = 0;
	e->queue_id = 0;
	return 0;
}

int sequence_rest(struct db *db, struct enrolment *e, const struct step *step, int64_t due, const char *why, struct err *err)
{
	if (leave_queue(db, e, err))
		return -1;
	if (strcmp(e->step, step->name) != 0)
		e->allowed = 0;
	e->lane = !sequence_sends(step) ? LANE_TIME : step->awaited ? LANE_SEND_FIRST : LANE_SEND;
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

const char sequence_gave_way[] = "gave way to ";

/* Whoever gave way to what has now ended goes on; of several, sequence_resume() lets the one of the highest priority. */
static int resume_waiting(struct decide *d, struct db *db, int64_t prospect, const char *ended, int64_t now, struct err *err)
{
	struct enrolment *open, e;
	size_t count, i;

	if (enrolments_open(db, prospect, d->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (open[i].state != ENROLMENT_PAUSED || strncmp(open[i].why, sequence_gave_way, strlen(sequence_gave_way)) != 0 ||
				strcmp(open[i].why + strlen(sequence_gave_way), ended) != 0)
			continue;
		/* read anew: resuming another may have ended this one */
		if (enrolments_find(db, prospect, open[i].id, d->arena, &e, err) < 0 ||
				(e.state == ENROLMENT_PAUSED && sequence_resume(d, db, &e, now, err)))
			return -1;
	}
	return 0;
}

/* Of a sequence with a holdout everybody is watched as long as those who get nothing, however their way ends: or the two could not be compared. */
static bool is_watched_on(const struct sequence *s, const struct enrolment *e, const char *why, int64_t now)
{
	return s && s->holdout > 0 && e->state != ENROLMENT_WATCHED && strcmp(why, "goal") != 0 && now < e->entered + s->holdout_for;
}

static int watch_on(struct db *db, struct enrolment *e, int64_t until, struct err *err)
{
	e->state = ENROLMENT_WATCHED;
	e->lane = LANE_TIME;
	e->due = until;
	e->queue_id = id_new(id_bucket(e->prospect), clock_now());
	return queue_add(db, &(struct queue_row){ .id = e->queue_id, .lane = LANE_TIME, .due = e->due, .kind = QUEUE_STEP, .prospect = e->prospect,
			.ref = e->id, .name = e->step }, err);
}

int sequence_end(struct decide *d, struct db *db, struct enrolment *e, const char *why, int64_t now, struct err *err)
{
	bool told = e->state == ENROLMENT_WATCHED && !e->heldout && strcmp(why, e->why) == 0;
	const struct sequence *s;

	if (leave_queue(db, e, err) || version_of(d, db, e, &s, err))
		return -1;
	e->why = why;
	if (is_watched_on(s, e, why, now)) {
		if (watch_on(db, e, e->entered + s->holdout_for, err))
			return -1;
	} else {
		e->state = ENROLMENT_ENDED;
		e->ended = now;
	}
	if (enrolments_update(db, e, err))
		return -1;
	if (told)
		return 0;
	log_info("enrolment.ended", L_ID("prospect", "pro", e->prospect), L_STR("sequence", e->sequence), L_STR("step", e->step), L_STR("why", why));
	if (journal_add(db, e->prospect, now, "end", e->sequence, why, err))
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
	const struct sequence *s;
	int wait;

	if (leave_queue(db, e, err) || version_of(d, db, e, &s, err))
		return -1;
	/* the time for which a wait_until waited may be past by then: it is asked again */
	wait = s ? plan_step(s, e->why) : -1;
	if (wait >= 0 && s->steps[wait].kind == STEP_WAIT_UNTIL) {
		e->step = s->steps[wait].name;
		due = 0;
	}
	e->queue_id = due;	/* kept for sequence_resume(): when it would have gone on */
	e->state = ENROLMENT_PAUSED;
	e->why = why;
	return enrolments_update(db, e, err);
}

static bool names(const struct sequence *s, const char *name)
{
	size_t i;

	for (i = 0; s->beside && s->beside[i]; i++)
		if (strcmp(s->beside[i], name) == 0)
			return true;
	return false;
}

bool sequence_is_beside(const struct sequence *a, const struct sequence *b)
{
	return a->beside_any || b->beside_any || names(a, b->name) || names(b, a->name);
}

int sequence_first(const struct plan *plan, struct db *db, struct arena *arena, int64_t prospect, const struct sequence *s, int64_t self,
		const struct sequence **first, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	*first = NULL;
	if (enrolments_open(db, prospect, arena, &open, &count, err))
		return -1;
	for (i = 0; i < count && !*first; i++) {
		const struct sequence *other = plan_sequence(plan, open[i].sequence);

		if (open[i].id != self && open[i].state == ENROLMENT_ACTIVE && other && !sequence_is_beside(s, other) && other->priority >= s->priority)
			*first = other;
	}
	return 0;
}

int sequence_make_way(struct decide *d, struct db *db, int64_t prospect, const struct sequence *s, int64_t self, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	if (enrolments_open(db, prospect, d->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *other = plan_sequence(d->working, open[i].sequence);

		if (open[i].id != self && open[i].state == ENROLMENT_ACTIVE && (!other || !sequence_is_beside(s, other)) &&
				sequence_pause(d, db, &open[i], arena_printf(d->arena, "%s%s", sequence_gave_way, s->name), err))
			return -1;
	}
	return 0;
}

/* One sequence at a time, here too: 1 the way is free, 0 it gives way to another that is under way, -1. */
static int take_turn(struct decide *d, struct db *db, struct enrolment *e, const struct sequence *s, struct err *err)
{
	const struct sequence *first;

	if (sequence_first(d->working, db, d->arena, e->prospect, s, e->id, &first, err))
		return -1;
	if (!first)
		return sequence_make_way(d, db, e->prospect, s, e->id, err) ? -1 : 1;
	e->why = arena_printf(d->arena, "%s%s", sequence_gave_way, first->name);
	return enrolments_update(db, e, err) ? -1 : 0;
}

int sequence_mail_on_its_way(struct decide *d, struct db *db, const struct enrolment *e, struct err *err)
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

/* Its mail was on its way when it was paused: what becomes of that moves it on. */
static int resume_behind_mail(struct db *db, struct enrolment *e, struct err *err)
{
	e->due = 0;
	e->queue_id = 0;
	e->state = ENROLMENT_ACTIVE;
	e->why = "goes on";
	return enrolments_update(db, e, err);
}

int sequence_resume(struct decide *d, struct db *db, struct enrolment *e, int64_t at, struct err *err)
{
	const char *before = e->version;
	const struct sequence *s;
	int step, rc;

	if (version_of(d, db, e, &s, err))
		return -1;
	if (!s)
		return sequence_end(d, db, e, "the sequence is gone", at, err);
	rc = take_turn(d, db, e, s, err);
	if (rc <= 0)
		return rc;
	rc = sequence_mail_on_its_way(d, db, e, err);
	if (rc)
		return rc < 0 ? -1 : resume_behind_mail(db, e, err);
	rc = version_step(d, db, e, e->step, at, &s, &step, err);
	if (rc <= 0)
		return rc;
	/* the rest of its wait; of a version that begins anew there is none */
	if (e->queue_id > at && (s->on_change != CHANGE_RESTART || strcmp(before, e->version) == 0))
		at = e->queue_id;
	e->due = 0;
	e->queue_id = 0;
	e->state = ENROLMENT_ACTIVE;
	return sequence_rest(db, e, &s->steps[step], at, "goes on", err);
}

int sequence_hold(struct decide *d, struct db *db, struct enrolment *e, const char *name, int64_t until, const char *why, struct err *err)
{
	const struct sequence *s;
	int step, rc;

	e->due = 0;
	rc = version_step(d, db, e, name, clock_now(), &s, &step, err);
	return rc <= 0 ? rc : sequence_rest(db, e, &s->steps[step], until, why, err);
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
	/* what follows from the steps that are taken now, such as a move to another list, follows from where they stood */
	storage->cause = arena_printf(d->arena, "%s: %s", e->sequence, e->step);
	return found < 0 ? -1 : 0;
}

/* --- steps that take no time ------------------------------------------------------------------------------------- */

#define NOTE_MAX 300

/* Which way a question led, and what the question was. */
static int note_branch(struct person *p, const struct sequence *s, const struct step *at, const char *answer, int to, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc;

	if (at->when) {
		expression_print(at->when, &text);
		if (text.len > NOTE_MAX) {
			text.len = NOTE_MAX;
			buf_str(&text, "...");
		}
		buf_char(&text, ' ');
	}
	buf_printf(&text, "%s: %s", answer, to < s->step_count ? s->steps[to].name : "the end");
	rc = person_journal(p, "branch", at->name, buf_cstr(&text), err);
	buf_clear(&text);
	return rc;
}

/* By share, and the same again for the same person, entry and step. */
static int choose_branch(struct person *p, const struct sequence *s, const struct enrolment *e, const struct step *at, int *to, struct err *err)
{
	double place = random_of(arena_printf(p->arena, "%s/%s/%s/%lld", p->row.key, s->name, at->name, (long long)(e->entered / 1000)));
	int64_t all = 0, passed = 0;
	size_t i;

	for (i = 0; i < at->branch_count; i++)
		all += at->shares[i];
	for (i = 0; i + 1 < at->branch_count; i++) {
		passed += at->shares[i];
		if (place * (double)all < (double)passed)
			break;
	}
	*to = at->branches[i];
	return note_branch(p, s, at, "by share", *to, err);
}

static int give_tags(struct person *p, const struct step *at, struct err *err)
{
	size_t i;

	for (i = 0; at->untags && at->untags[i]; i++)
		if (person_tag(p, at->untags[i], false, err))
			return -1;
	for (i = 0; at->tags && at->tags[i]; i++)
		if (person_tag(p, at->tags[i], true, err))
			return -1;
	return 0;
}

/* A branch, or something done on the way: *step is where it goes on. */
static int take_step(struct person *p, const struct sequence *s, struct enrolment *e, int *step, struct err *err)
{
	const struct step *at = &s->steps[*step];
	const char *cause = p->cause;
	bool holds;
	int rc = 0;

	p->cause = arena_printf(p->arena, "%s: %s", s->name, at->name);
	*step = at->next;
	switch (at->kind) {
	case STEP_IF:
		rc = person_holds(p, at->when, UNIT_NONE, &holds, err);
		if (rc)
			break;
		*step = holds ? at->then_step : at->else_step;
		rc = note_branch(p, s, at, holds ? "holds" : "does not hold", *step, err);
		break;
	case STEP_SPLIT:
		rc = choose_branch(p, s, e, at, step, err);
		break;
	case STEP_SET:
		rc = person_set_field(p, at->field, at->value, true, err);
		break;
	case STEP_TAG:
		rc = give_tags(p, at, err);
		break;
	case STEP_MOVE:
		person_move(p, at->list, at->hold ? p->now + at->hold : 0);
		rc = person_journal(p, "move", at->list, NULL, err);
		break;
	case STEP_ALERT:
	case STEP_WEBHOOK:
		rc = alert_of_step(p, s, at, err);
		break;
	case STEP_GO:
		*step = at->then_step;
		break;
	case STEP_SEND:
	case STEP_TEST:
	case STEP_WAIT:
	case STEP_WAIT_UNTIL:
	case STEP_WAIT_FOR:
	case STEP_END:
	case STEP_KINDS:
		break;
	}
	p->cause = cause;
	return rc;
}

/* --- steps that take time ---------------------------------------------------------------------------------------- */

int sequence_until(struct person *p, const struct step *at, int64_t *out, struct err *err)
{
	struct calendar calendar = calendar_of_person(p);

	if (at->kind == STEP_WAIT)
		*out = calendar_business_days(&calendar, p->now, at->business_days);
	else
		*out = calendar_moment(&calendar, &at->until, at->until.field >= 0 ? p->fields[at->until.field] : value_nil, p->now);
	return p->failed ? err_set(err, "%s", p->err.text) : 0;
}

/* 1 it rests, 0 it goes on at *step, -1. */
static int wait_until(struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int *step, struct err *err)
{
	const struct step *at = &s->steps[*step];
	bool dated = at->until.field >= 0 || at->until.year;
	int64_t due;

	if (sequence_until(p, at, &due, err))
		return -1;
	if (dated && due <= p->now) {
		*step = at->else_step;
		return note_branch(p, s, at, due ? "is past" : "is empty", *step, err);
	}
	*step = at->next;
	if (due <= p->now || at->next >= s->step_count)
		return 0;
	return sequence_rest(db, e, &s->steps[at->next], due, at->name, err) ? -1 : 1;
}

/* 1 it rests, 0 it goes on at *step, -1. */
static int wait_for(struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int *step, struct err *err)
{
	const struct step *at = &s->steps[*step];
	bool holds;

	if (person_holds(p, at->when, UNIT_NONE, &holds, err))
		return -1;
	if (holds) {
		*step = at->then_step;
		return note_branch(p, s, at, "holds", *step, err);
	}
	p->enrolments = true;	/* its own time to change is looked for when the person is settled */
	return sequence_rest(db, e, at, p->now + at->wait, at->name, err) ? -1 : 1;
}

int sequence_waited(struct person *p, const struct sequence *s, const struct step *at, bool held, struct err *err)
{
	return note_branch(p, s, at, held ? "holds" : "did not come to hold in time", held ? at->then_step : at->else_step, err);
}

/* 1 it rests or has ended, 0 it goes on at *step, -1. `p` may be NULL for steps that need nobody: see needs_person(). */
static int one_step(struct decide *d, struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int *step, int64_t now,
		struct err *err)
{
	const struct step *at = &s->steps[*step];
	int64_t due;

	switch (at->kind) {
	case STEP_SEND:
	case STEP_TEST:
		return sequence_rest(db, e, at, now, "", err) ? -1 : 1;
	case STEP_WAIT:
		*step = at->next;
		if (at->next >= s->step_count)	/* nothing follows: it has nothing to wait for */
			return 0;
		due = now + at->wait;
		if (at->business_days && sequence_until(p, at, &due, err))
			return -1;
		/* a wait that leads to another wait or a branch is walked when its time has come */
		return sequence_rest(db, e, &s->steps[at->next], due, at->name, err) ? -1 : 1;
	case STEP_WAIT_UNTIL:
		return wait_until(db, p, s, e, step, err);
	case STEP_WAIT_FOR:
		return wait_for(db, p, s, e, step, err);
	case STEP_END:
		return sequence_end(d, db, e, at->reason && *at->reason ? at->reason : "done", now, err) ? -1 : 1;
	case STEP_IF:
	case STEP_SPLIT:
	case STEP_SET:
	case STEP_TAG:
	case STEP_MOVE:
	case STEP_ALERT:
	case STEP_WEBHOOK:
	case STEP_GO:
	case STEP_KINDS:
		break;
	}
	return take_step(p, s, e, step, err);
}

static bool needs_person(const struct step *at)
{
	return at->kind != STEP_SEND && at->kind != STEP_TEST && at->kind != STEP_END && (at->kind != STEP_WAIT || at->business_days);
}

int sequence_go(struct decide *d, struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int step, int64_t now, struct err *err)
{
	struct person storage, *given = p;
	int walked, rc = 0;

	for (walked = 0; walked < WALK && !rc; walked++) {
		if (step < 0 || step >= s->step_count)
			rc = sequence_end(d, db, e, "done", now, err) ? -1 : 1;
		else if (needs_person(&s->steps[step]) && need_person(d, db, &p, &storage, e, now, err))
			rc = -1;
		else
			rc = one_step(d, db, p, s, e, &step, now, err);
	}
	if (!rc)
		rc = sequence_end(d, db, e, "went round without a wait", now, err);
	if (rc >= 0 && p && p != given)	/* loaded here: nobody else settles it */
		rc = person_settle(p, err);
	return rc < 0 ? -1 : 0;
}
