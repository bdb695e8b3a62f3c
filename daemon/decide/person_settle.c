/*
 * person_settle.c: what a fact changed is followed to its end: fit, stage, list, hot, sequences; then the next instant at which time alone
 * changes something is put into the queue, and the row is written.
 *
 * Settling follows the graph of names: an event marks the rules that name it, a changed symbol those that name the symbol, and only
 * marked kinds are asked. Stages and lists are ladders of few rungs and are walked as a whole when one rung is marked.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

/* A stage may change a list, a list an entry's rule, a field a stage: rounds until nothing is marked, and no further. */
#define ROUNDS 8

/* Kinds of rules that are asked anew say anew when they want to be asked again. */
static void forget_wakes(struct person *p, unsigned units)
{
	int unit;

	for (unit = 0; unit < UNITS; unit++)
		if (units & 1u << unit)
			p->wake[unit] = TIME_NEVER;
}

/*
 * Fit is the sum of the rules that hold; which ones did is not kept, so that when one is marked all are asked: fit rules look at
 * fields, and a sum of few.
 */
static int sum_fit(struct person *p, double *out, struct err *err)
{
	double fit = 0;
	bool holds;
	size_t i;

	forget_wakes(p, 1u << UNIT_FIT);
	for (i = 0; i < p->plan->fit_count; i++) {
		if (person_holds(p, p->plan->fit[i].when, UNIT_FIT, &holds, err))
			return -1;
		if (holds)
			fit += p->plan->fit[i].points;
	}
	*out = fit;
	return 0;
}

static int settle_fit(struct person *p, struct err *err)
{
	double fit;

	if (!p->fit)
		return 0;
	p->fit = false;
	if (sum_fit(p, &fit, err))
		return -1;
	if (fit == p->row.fit)
		return 0;
	p->row.fit = fit;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_fit);
	person_mark_symbol(p, p->plan->symbol_score);
	person_mark_symbol(p, p->plan->symbol_grade);
	return 0;
}

/* --- stage and list ---------------------------------------------------------------------------------------------- */

static int choose_stage(struct person *p, int *out, struct err *err)
{
	int now = plan_stage(p->plan, p->row.stage), i;
	bool holds;

	forget_wakes(p, 1u << UNIT_STAGE);
	if (now < 0)
		now = 0;
	for (i = (int)p->plan->stage_count - 1; i > now; i--) {
		if (!p->plan->stages[i].when)
			continue;
		if (person_holds(p, p->plan->stages[i].when, UNIT_STAGE, &holds, err))
			return -1;
		if (holds)
			return *out = i, 0;
	}
	/* none higher: the one reached is kept until its `until` holds; one without it, while its `when` does */
	if (p->plan->stages[now].until) {
		if (person_holds(p, p->plan->stages[now].until, UNIT_STAGE, &holds, err))
			return -1;
		if (!holds)
			return *out = now, 0;
	}
	for (i = now; i > 0; i--) {
		if (person_holds(p, p->plan->stages[i].when, UNIT_STAGE, &holds, err))
			return -1;
		if (holds)
			break;
	}
	*out = i < 0 ? 0 : i;
	return 0;
}

/* What a change of stage or list is as an event: entries may be `on` it, and expressions see from and to. */
static int moved(struct person *p, const char *event, const char *kind, const char *from, const char *to, struct err *err)
{
	struct event_at_hand *at_hand = p->event;
	const char *cause = p->cause;
	struct buf data = BUF_INIT;
	int rc;

	if (!*from)	/* the first stage and list are no move */
		return 0;
	log_info(kind, L_ID("prospect", "pro", p->row.id), L_STR("from", from), L_STR("to", to), L_STR("cause", cause));
	if (person_journal(p, kind, to, cause, err))
		return -1;
	buf_str(&data, "{\"from\":");
	text_json(&data, from, strlen(from));
	buf_str(&data, ",\"to\":");
	text_json(&data, to, strlen(to));
	buf_char(&data, '}');
	rc = person_happen(p, event, to, arena_strdup(p->arena, buf_cstr(&data)), NULL, err);
	buf_clear(&data);
	p->event = at_hand;
	p->cause = cause;
	return rc;
}

static int settle_stage(struct person *p, struct err *err)
{
	const char *from = p->row.stage, *to;
	int stage;

	if (!p->stage || !p->plan->stage_count)
		return 0;
	p->stage = false;
	if (choose_stage(p, &stage, err))
		return -1;
	to = p->plan->stages[stage].name;
	if (strcmp(from, to) == 0)
		return 0;
	p->row.stage = to;
	p->changed = true;
	if (*p->row.moved_list)	/* a step put them elsewhere: it did not know of this */
		person_move(p, "", 0);
	person_mark_symbol(p, p->plan->symbol_stage);
	p->stage = true;	/* its own `until` is to be looked at, for its time */
	return moved(p, "stage_changed", "stage", from, to, err);
}

/* The list that a step moved them to, as long as that counts; NULL: the rules choose. */
static const char *moved_to(struct person *p)
{
	if (!*p->row.moved_list || plan_list(p->plan, p->row.moved_list) < 0)
		return NULL;
	if (p->row.moved_until && p->now >= p->row.moved_until)
		return NULL;
	if (p->row.moved_until)
		p->wake[UNIT_LIST] = p->row.moved_until;
	return p->row.moved_list;
}

static int choose_list(struct person *p, const char **out, struct err *err)
{
	bool holds = true;
	size_t i;

	forget_wakes(p, 1u << UNIT_LIST);
	*out = moved_to(p);
	for (i = 0; !*out && i < p->plan->list_count; i++) {
		if (p->plan->lists[i].when && person_holds(p, p->plan->lists[i].when, UNIT_LIST, &holds, err))
			return -1;
		if (!p->plan->lists[i].when || holds)
			*out = p->plan->lists[i].name;
	}
	if (!*out)
		*out = "";
	return 0;
}

static int settle_list(struct person *p, struct err *err)
{
	const char *from = p->row.list, *to;

	if (!p->list)
		return 0;
	p->list = false;
	if (choose_list(p, &to, err))
		return -1;
	if (*p->row.moved_list && strcmp(to, p->row.moved_list) != 0)
		person_move(p, "", 0);
	p->list = false;
	if (strcmp(from, to) == 0)
		return 0;
	p->row.list = to;
	p->changed = true;
	p->enrolments = true;	/* a sequence belongs to a list */
	person_mark_symbol(p, p->plan->symbol_list);
	return moved(p, "list_changed", "list", from, to, err);
}

/* --- foreseeing -------------------------------------------------------------------------------------------------- */

static int foresee_round(struct person *p, bool *moved_out, struct err *err)
{
	const struct prospect was = p->row;
	int stage = 0;

	if (sum_fit(p, &p->row.fit, err))
		return -1;
	if (p->plan->stage_count) {
		if (choose_stage(p, &stage, err))
			return -1;
		p->row.stage = p->plan->stages[stage].name;
		if (*was.stage && strcmp(p->row.stage, was.stage) != 0)
			p->row.moved_list = "";
	}
	if (choose_list(p, &p->row.list, err))
		return -1;
	forget_wakes(p, 1u << UNIT_HOT);
	if (p->plan->sales.hot && person_holds(p, p->plan->sales.hot, UNIT_HOT, &p->row.hot, err))
		return -1;
	*moved_out = p->row.fit != was.fit || strcmp(p->row.stage, was.stage) != 0 || strcmp(p->row.list, was.list) != 0;
	return 0;
}

int person_foresee(struct person *p, struct err *err)
{
	bool moves = true;
	int round;

	for (round = 0; round < ROUNDS && moves; round++)
		if (foresee_round(p, &moves, err))
			return -1;
	return 0;
}

/* --- settling ---------------------------------------------------------------------------------------------------- */

static int settle_round(struct person *p, struct err *err)
{
	if (settle_fit(p, err) || settle_stage(p, err) || settle_list(p, err))
		return -1;
	if (p->hot) {
		p->hot = false;
		forget_wakes(p, 1u << UNIT_HOT);
		if (hot_check(p, err))
			return -1;
	}
	if (p->enrolments) {
		p->enrolments = false;
		forget_wakes(p, 1u << UNIT_ENROLMENTS);
		if (sequence_check_open(p, err))
			return -1;
	}
	return p->enter_count ? sequence_check_entries(p, err) : 0;
}

static int schedule_recheck(struct person *p, int64_t due, int unit, struct err *err)
{
	if (due == TIME_NEVER)
		due = 0;
	if (due == p->row.recheck)
		return 0;
	if (p->row.recheck && queue_remove(p->db, LANE_TIME, p->row.recheck, p->row.recheck_id, err) < 0)
		return -1;
	p->row.recheck = due;
	p->row.recheck_rule = due ? unit : UNIT_NONE;
	p->row.recheck_id = due ? id_new(id_bucket(p->row.id), p->now) : 0;
	p->changed = true;
	if (!due)
		return 0;
	return queue_add(p->db, &(struct queue_row){ .id = p->row.recheck_id, .lane = LANE_TIME, .due = due, .kind = QUEUE_RECHECK,
			.prospect = p->row.id, .ref = p->row.id, .name = "" }, err);
}

/* Which kinds of rules were asked while settling, by unit. */
static int settle_rounds(struct person *p, unsigned *asked, struct err *err)
{
	int round;

	for (round = 0; round < ROUNDS && (p->fit || p->stage || p->list || p->hot || p->enrolments || p->enter_count); round++) {
		*asked |= (p->fit ? 1u << UNIT_FIT : 0) | (p->stage ? 1u << UNIT_STAGE : 0) | (p->list ? 1u << UNIT_LIST : 0) |
			(p->hot ? 1u << UNIT_HOT : 0) | (p->enrolments ? 1u << UNIT_ENROLMENTS : 0);
		if (settle_round(p, err))
			return -1;
	}
	return 0;
}

#define ALL_UNITS (1u << UNIT_FIT | 1u << UNIT_STAGE | 1u << UNIT_LIST | 1u << UNIT_HOT | 1u << UNIT_ENROLMENTS)

/*
 * One recheck a person, at the earliest instant that any kind of rule asked for. When the kind that asked for the earliest was
 * asked anew and now wants a later one, what the others wanted is not known any more, so all are asked.
 */
int64_t person_wakes(const struct person *p, int *unit_out)
{
	int64_t due = TIME_NEVER;
	int unit;

	*unit_out = UNIT_NONE;
	for (unit = UNIT_NONE + 1; unit < UNITS; unit++) {
		if (p->wake[unit] < due) {
			due = p->wake[unit];
			*unit_out = unit;
		}
	}
	return due;
}

static int settle_time(struct person *p, unsigned asked, struct err *err)
{
	int unit;
	int64_t due = person_wakes(p, &unit);

	if (p->row.recheck > p->now && p->row.recheck < due && asked != ALL_UNITS) {
		if (!(asked & 1u << p->row.recheck_rule))
			return 0;	/* still the earliest wish of all */
		person_mark_all(p);
		if (settle_rounds(p, &asked, err))
			return -1;
		due = person_wakes(p, &unit);
	}
	return schedule_recheck(p, due, unit, err);
}

int person_settle(struct person *p, struct err *err)
{
	unsigned asked = 0;

	if (p->row.recheck && p->row.recheck <= p->now)
		person_mark_all(p);
	if (settle_rounds(p, &asked, err))
		return -1;
	if (asked && settle_time(p, asked, err))
		return -1;
	if (p->fields_changed)
		person_write_fields(p);
	if (!p->changed && !p->fresh)
		return 0;
	CRASH_POINT("score.before_commit");
	p->changed = false;
	p->row.changed = p->now;
	if (!p->fresh)
		return prospects_update(p->db, &p->row, err);
	p->fresh = false;
	return prospects_insert(p->db, &p->row, err);
}
