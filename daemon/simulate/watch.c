/*
 * watch.c: what decide did with the people, told from its rows: the journal, and what has changed of the person, their enrolments and their points.
 *
 * It reads everything about everybody who is there after each transaction: for a timeline of one person, not for a population.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define JOURNAL_MAX 1000
#define EVENTS_MAX 50

/* An enrolment as it was told last. */
struct stand {
	int64_t id;
	enum enrolment_state state;
	int64_t due;
	int lane;
	char step[80];
	char why[200];
};

/* A person as they were told last. */
struct view {
	uint32_t person;
	int64_t prospect;
	int64_t journal, event;		/* ids of the newest that were told */
	double fit;
	char stage[80], list[80];
	struct stand *stands;
	size_t count, cap;
};

struct watch {
	struct view *views;
	size_t count, cap;
};

/* One look at one person. */
struct look {
	struct simulation *s;
	struct db *db;
	struct view *view;
	struct prospect row;
	struct enrolment *open;
	size_t open_count;
};

struct watch *watch_new(void)
{
	return xcalloc(1, sizeof(struct watch));
}

void watch_free(struct watch **watch)
{
	size_t i;

	if (!*watch)
		return;
	for (i = 0; i < (*watch)->count; i++)
		free((*watch)->views[i].stands);
	free((*watch)->views);
	free(*watch);
	*watch = NULL;
}

static void tell(struct look *l, struct thing thing)
{
	thing.person = l->view->person;
	thing.prospect = l->view->prospect;
	engine_tell(l->s, &thing);
}

static void keep(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* --- points -------------------------------------------------------------------------------------------------------------------- */

/* What has earned points since, in the order in which it happened: "click three-mistakes". */
static double granted(struct look *l, const struct event_row *events, size_t count, struct buf *names)
{
	double points = 0;
	size_t i;

	for (i = count; i-- > 0;) {
		if (events[i].id <= l->view->event || events[i].points == 0)
			continue;
		points += events[i].points;
		buf_printf(names, "%s%s%s%s", names->len ? ", " : "", events[i].name, *events[i].subject ? " " : "", events[i].subject);
	}
	return points;
}

static double interest_now(const struct look *l)
{
	int64_t passed = l->s->now - l->row.interest_at, half_life = l->s->plan->half_life;

	return passed > 0 && half_life > 0 ? l->row.interest * exp2(-(double)passed / (double)half_life) : l->row.interest;
}

static int look_at_points(struct look *l, struct err *err)
{
	struct buf names = BUF_INIT;
	struct event_row *events;
	size_t count, i;
	double points;

	if (events_latest(l->db, l->row.id, NULL, EVENTS_MAX, l->s->arena, &events, &count, err))
		return -1;
	points = granted(l, events, count, &names);
	if (names.len || l->row.fit != l->view->fit)
		tell(l, (struct thing){ .kind = THING_SCORE, .fit = l->row.fit, .points = points, .text = names.len ? buf_cstr(&names) : NULL,
				.interest = interest_now(l) });
	buf_clear(&names);
	l->view->fit = l->row.fit;
	for (i = 0; i < count; i++)
		if (events[i].id > l->view->event)
			l->view->event = events[i].id;
	return 0;
}

/* The first ones are no move, and in no journal. */
static void look_at_place(struct look *l)
{
	if (!*l->view->stage && *l->row.stage)
		tell(l, (struct thing){ .kind = THING_STAGE, .to = l->row.stage });
	if (!*l->view->list && *l->row.list)
		tell(l, (struct thing){ .kind = THING_LIST, .to = l->row.list });
}

/* --- the journal ---------------------------------------------------------------------------------------------------------------- */

static bool is_mail_lane(int lane)
{
	return lane == LANE_SEND || lane == LANE_SEND_FIRST;
}

static const struct enrolment *held_at(const struct look *l, const char *step)
{
	size_t i;

	for (i = 0; i < l->open_count; i++)
		if (l->open[i].state == ENROLMENT_ACTIVE && is_mail_lane(l->open[i].lane) && l->open[i].due > l->s->now && strcmp(l->open[i].step, step) == 0)
			return &l->open[i];
	return NULL;
}

static void tell_move(struct look *l, enum thing_kind kind, char *was, size_t size, const struct journal_row *row)
{
	tell(l, (struct thing){ .kind = kind, .from = was, .to = row->what, .why = row->why });
	keep(was, size, row->what);
}

/* A hold of a step at rest is told from its enrolment, which knows until when. */
static void tell_hold(struct look *l, const struct journal_row *row)
{
	if (held_at(l, row->what))
		return;
	tell(l, (struct thing){ .kind = THING_HELD, .step = row->what, .why = row->why });
}

/* Mails and alerts are told when they are dealt with, leads when they are seen, what sales says when they say it. */
static bool is_told_otherwise(const struct journal_row *row)
{
	static const char *const told[][2] = { { "mail", "" }, { "lead", "" }, { "hot", "lead" }, { "alert", "delivered" } };
	size_t i;

	for (i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (strcmp(row->kind, told[i][0]) == 0 && (!*told[i][1] || strcmp(row->what, told[i][1]) == 0))
			return true;
	return false;
}

static void tell_journal(struct look *l, const struct journal_row *row)
{
	struct view *v = l->view;

	if (strcmp(row->kind, "stage") == 0)
		tell_move(l, THING_STAGE, v->stage, sizeof(v->stage), row);
	else if (strcmp(row->kind, "list") == 0)
		tell_move(l, THING_LIST, v->list, sizeof(v->list), row);
	else if (strcmp(row->kind, "enrol") == 0)
		tell(l, (struct thing){ .kind = THING_ENTERS, .sequence = row->what, .why = row->why });
	else if (strcmp(row->kind, "end") == 0)
		tell(l, (struct thing){ .kind = THING_ENDS, .sequence = row->what, .why = row->why });
	else if (strcmp(row->kind, "hold") == 0)
		tell_hold(l, row);
	else if (strcmp(row->kind, "branch") == 0)
		tell(l, (struct thing){ .kind = THING_BRANCH, .step = row->what, .why = row->why });
	else if (strcmp(row->kind, "tag") == 0 || strcmp(row->kind, "untag") == 0)
		tell(l, (struct thing){ .kind = row->kind[0] == 't' ? THING_TAG : THING_UNTAG, .text = row->what, .why = row->why });
	else if (strcmp(row->kind, "move") == 0)
		tell(l, (struct thing){ .kind = THING_MOVE, .to = row->what, .why = row->why });
	else if (strcmp(row->kind, "suppress") == 0)
		tell(l, (struct thing){ .kind = THING_SUPPRESSED, .why = row->what });
	else if (!is_told_otherwise(row))
		tell(l, (struct thing){ .kind = THING_NOTE, .text = row->kind, .to = row->what, .why = row->why });
}

static int look_at_journal(struct look *l, struct err *err)
{
	struct journal_row *rows;
	size_t count, i;

	if (journal_after(l->db, l->row.id, l->view->journal, JOURNAL_MAX, l->s->arena, &rows, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		tell_journal(l, &rows[i]);
		l->view->journal = rows[i].id;
	}
	return 0;
}

/* --- enrolments ------------------------------------------------------------------------------------------------------------------ */

/* NULL: a step of that name is not in the plan (any more). */
static const struct step *step_of(const struct sequence *sequence, const char *name)
{
	int step = sequence ? plan_step(sequence, name) : -1;

	return step < 0 ? NULL : &sequence->steps[step];
}

static const char *print(struct look *l, const struct expression *e)
{
	struct buf text = BUF_INIT;
	const char *kept;

	expression_print(e, &text);
	kept = arena_strdup(l->s->arena, buf_cstr(&text));
	buf_clear(&text);
	return kept;
}

/* What a `go` at that place leads to, or the step itself; NULL: the end. */
static const char *behind_go(const struct sequence *sequence, int step)
{
	int hops;

	for (hops = 0; step >= 0 && step < sequence->step_count && hops < sequence->step_count; hops++) {
		if (sequence->steps[step].kind != STEP_GO)
			return sequence->steps[step].name;
		step = sequence->steps[step].then_step;
	}
	return NULL;
}


static const char *mail_of(const struct step *step)
{
	return step && step->kind == STEP_SEND ? step->mail->base : NULL;
}

static void tell_rest(struct look *l, const struct enrolment *e)
{
	const struct sequence *sequence = plan_sequence(l->s->plan, e->sequence);
	const struct step *at = step_of(sequence, e->step), *waited = step_of(sequence, e->why);
	struct thing thing = { .kind = THING_WAITS, .sequence = e->sequence, .step = e->step, .mail = mail_of(at),
			.until = e->due >= INT64_MAX / 2 ? TIME_NEVER : e->due };

	if (at && at->kind == STEP_WAIT_FOR && strcmp(e->why, e->step) == 0) {
		thing.why = print(l, at->when);
		thing.to = behind_go(sequence, at->else_step);
	} else if (at && at->kind == STEP_GO) {
		thing.step = behind_go(sequence, at->then_step);
	} else if (is_mail_lane(e->lane) && !waited && *e->why && strcmp(e->why, "goes on") != 0) {
		thing.kind = THING_HELD;
		thing.why = e->why;
	}
	tell(l, thing);
}

static bool same(const struct stand *stand, const struct enrolment *e)
{
	return stand->state == e->state && stand->due == e->due && stand->lane == e->lane && strcmp(stand->step, e->step) == 0;
}

static void tell_enrolment(struct look *l, const struct stand *was, const struct enrolment *e)
{
	if (e->state == ENROLMENT_PAUSED && (!was || was->state != ENROLMENT_PAUSED))
		tell(l, (struct thing){ .kind = THING_PAUSED, .sequence = e->sequence, .why = e->why });
	if (e->state == ENROLMENT_ACTIVE && was && was->state == ENROLMENT_PAUSED)
		tell(l, (struct thing){ .kind = THING_GOES_ON, .sequence = e->sequence });
	if (e->state == ENROLMENT_ACTIVE && e->due > l->s->now && (!was || !same(was, e)))
		tell_rest(l, e);
}

static struct stand *stand_of(struct view *v, const struct enrolment *e)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->stands[i].id == e->id)
			return &v->stands[i];
	return NULL;
}

static void look_at_enrolments(struct look *l)
{
	struct view *v = l->view;
	size_t i;

	for (i = 0; i < l->open_count; i++) {
		const struct enrolment *e = &l->open[i];
		struct stand *stand = stand_of(v, e);

		tell_enrolment(l, stand, e);
		if (!stand) {
			v->stands = xgrow(v->stands, &v->cap, v->count + 1, sizeof(*v->stands));
			stand = &v->stands[v->count++];
		}
		*stand = (struct stand){ .id = e->id, .state = e->state, .due = e->due, .lane = e->lane };
		keep(stand->step, sizeof(stand->step), e->step);
	}
}

/* --- looking --------------------------------------------------------------------------------------------------------------------- */

static int look(struct simulation *s, struct db *db, struct view *view, struct err *err)
{
	struct look l = { .s = s, .db = db, .view = view };
	int found = prospects_find(db, view->prospect, s->arena, &l.row, err);

	if (found <= 0)
		return found;
	if (enrolments_open(db, view->prospect, s->arena, &l.open, &l.open_count, err))
		return -1;
	if (look_at_points(&l, err))
		return -1;
	look_at_place(&l);
	if (look_at_journal(&l, err))
		return -1;
	look_at_enrolments(&l);
	keep(view->stage, sizeof(view->stage), l.row.stage);
	keep(view->list, sizeof(view->list), l.row.list);
	return 0;
}

static void meet(struct simulation *s)
{
	struct watch *w = s->watch;
	size_t i, k;

	for (i = 0; i < s->count; i++) {
		if (!s->people[i].prospect)
			continue;
		for (k = 0; k < w->count && w->views[k].person != i; k++)
			;
		if (k < w->count)
			continue;
		w->views = xgrow(w->views, &w->cap, w->count + 1, sizeof(*w->views));
		w->views[w->count++] = (struct view){ .person = (uint32_t)i, .prospect = s->people[i].prospect };
	}
}

int watch_look(struct simulation *s, struct db *db, struct err *err)
{
	size_t i;

	meet(s);
	for (i = 0; i < s->watch->count; i++)
		if (look(s, db, &s->watch->views[i], err))
			return -1;
	return 0;
}
