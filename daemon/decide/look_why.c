/*
 * look_why.c: why a person got what they got, was held back, and is where they are: from what was recorded at the time (journal, mails,
 * enrolments, trials); and what comes next, from where they stand and what the rules say at present. Reader thread.
 */
#include <string.h>

#include "base/clock.h"
#include "config/words.h"

#include "look.h"

#define JOURNAL_READ 2000
#define JOURNAL_SHOWN 100
#define MAILS 50
#define HELD 20
#define AHEAD 8

/* What was read of them once, for all parts of the answer. */
struct why {
	struct look look;
	struct journal_row *journal;	/* newest first */
	size_t journal_count;
	struct enrolment *enrolments;
	size_t enrolment_count;
	struct delivery *mails;		/* newest first */
	size_t mail_count;
	struct delivery *claimed;
	size_t claimed_count;
};

static int read_all(struct why *w, struct err *err)
{
	struct person *p = &w->look.person;
	struct arena *arena = w->look.arena;

	return journal_of(p->db, p->row.id, JOURNAL_READ, arena, &w->journal, &w->journal_count, err) ||
		enrolments_all(p->db, p->row.id, arena, &w->enrolments, &w->enrolment_count, err) ||
		deliveries_of(p->db, p->row.id, MAILS, arena, &w->mails, &w->mail_count, err) ||
		sending_of(p->db, p->row.id, arena, &w->claimed, &w->claimed_count, err) ? -1 : 0;
}

/* --- what was recorded --------------------------------------------------------------------------------------------- */

/* The newest row of that kind about `what` (NULL: anything), not after `by`; NULL: none. */
static const struct journal_row *recorded(const struct why *w, const char *kind, const char *what, int64_t by)
{
	size_t i;

	for (i = 0; i < w->journal_count; i++)
		if (w->journal[i].at <= by && strcmp(w->journal[i].kind, kind) == 0 && (!what || strcmp(w->journal[i].what, what) == 0))
			return &w->journal[i];
	return NULL;
}

static const struct enrolment *enrolment_of(const struct why *w, int64_t id)
{
	size_t i;

	for (i = 0; i < w->enrolment_count; i++)
		if (w->enrolments[i].id == id)
			return &w->enrolments[i];
	return NULL;
}

/* Why they came into it. */
static json_t *because(const struct why *w, const struct enrolment *e)
{
	const struct journal_row *row = e ? recorded(w, "enrol", e->sequence, e->entered) : NULL;

	return row && row->at == e->entered ? answer_text(row->why) : json_null();
}

static json_t *journal_json(const void *row)
{
	const struct journal_row *j = row;

	return json_pack("{s:o, s:o, s:o, s:o}",
		"at", answer_time(j->at),
		"kind", answer_text(j->kind),
		"what", answer_text(j->what),
		"why", answer_text(j->why));
}

/* --- what they got ------------------------------------------------------------------------------------------------- */

static const char *const mail_kinds[] = { [DELIVERY_STEP] = "step", [DELIVERY_CONFIRM] = "confirmation", [DELIVERY_FORWARD] = "forwarded reply",
	[DELIVERY_AGAIN] = "step, sent again" };

static json_t *mail_json(const struct why *w, const struct delivery *d)
{
	const struct enrolment *e = d->kind == DELIVERY_STEP ? enrolment_of(w, d->enrolment) : NULL;

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:o, s:i}",
		"delivery", answer_id("del", d->id),
		"kind", mail_kinds[d->kind],
		"template", answer_text(d->template),
		"arm", *d->arm ? answer_text(d->arm) : json_null(),
		"sequence", answer_text(d->sequence),
		"step", answer_text(d->step),
		"state", delivery_state_names[d->state],
		"to", answer_text(d->address),
		"planned", answer_time(d->planned),
		"done", answer_time(d->done),
		"because", because(w, e),
		"code", d->code,
		"reply", answer_text(d->reply),
		"attempts", d->attempt);
}

static json_t *mails_json(const struct why *w)
{
	json_t *list = json_array();
	size_t i;

	for (i = w->claimed_count; i > 0; i--)
		json_array_append_new(list, mail_json(w, &w->claimed[i - 1]));
	for (i = 0; i < w->mail_count; i++)
		json_array_append_new(list, mail_json(w, &w->mails[i]));
	return list;
}

/* What they did with the mails, by the events that took effect. */
static int add_answers(struct why *w, json_t *json, struct err *err)
{
	static const char *const names[] = { "open", "click", "reply", NULL };
	struct event_row *events;
	json_t *list = json_array();
	size_t count, i;

	if (events_latest(w->look.person.db, w->look.person.row.id, names, MAILS, w->look.arena, &events, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}",
			"at", answer_time(events[i].at),
			"what", answer_text(events[i].name),
			"mail", answer_text(events[i].subject)));
	json_object_set_new(json, "answers", list);
	return 0;
}

/* --- what was held back -------------------------------------------------------------------------------------------- */

/* When the step's mail went out after all; 0: it has not. */
static int64_t went_out(const struct why *w, const char *step, int64_t after)
{
	int64_t at = 0;
	size_t i;

	for (i = 0; i < w->mail_count; i++)	/* newest first: the last that fits is the first after it */
		if (w->mails[i].planned >= after && strcmp(w->mails[i].step, step) == 0 && w->mails[i].state == DELIVERY_SENT)
			at = w->mails[i].done;
	return at;
}

/* Until when it is still held, by the row of the one that waits; 0: it is not. */
static int64_t held_until(const struct why *w, const struct journal_row *row)
{
	size_t i;

	for (i = 0; i < w->enrolment_count; i++) {
		const struct enrolment *e = &w->enrolments[i];

		if (e->state == ENROLMENT_ACTIVE && strcmp(e->step, row->what) == 0 && strcmp(e->why, row->why) == 0)
			return e->due;
	}
	return 0;
}

static json_t *held_json(const struct why *w)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->journal_count && json_array_size(list) < HELD; i++) {
		const struct journal_row *row = &w->journal[i];
		bool late = strcmp(row->kind, "late") == 0 || strcmp(row->kind, "skip") == 0;	/* dropped */
		int64_t until = late ? 0 : held_until(w, row);

		if (!late && strcmp(row->kind, "hold") != 0)
			continue;
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}",
			"at", answer_time(row->at),
			"what", answer_text(row->what),
			"why", answer_text(row->why),
			"until", answer_time(until),
			"went_out", answer_time(until || late ? 0 : went_out(w, row->what, row->at)),
			"dropped", late));
	}
	return list;
}

/* --- what comes next ----------------------------------------------------------------------------------------------- */

/* The sequence as they go through it: the one in force, or (*old) the version that they finish. NULL: it is gone, or not known here. */
static const struct sequence *sequence_of(const struct why *w, const struct enrolment *e, bool *old)
{
	const struct plan *plan = w->look.person.plan;
	const struct sequence *s = plan_sequence(plan, e->sequence);

	*old = s && s->on_change == CHANGE_FINISH && *e->version && strcmp(e->version, s->version) != 0;
	return *old ? plan_known_sequence(plan, e->sequence, e->version) : s;
}

static json_t *step_json(const struct why *w, const struct step *step)
{
	struct buf text = BUF_INIT;
	json_t *json;

	words_step(&text, w->look.person.plan, step);
	json = answer_text(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

static bool holds(struct why *w, const struct expression *e)
{
	struct expression_env env = person_env(&w->look.person);

	return expression_holds(e, &env, NULL);
}

/* Where a step leads as things are; -1 where that is not known yet. */
static int leads_to(struct why *w, const struct step *step)
{
	switch (step->kind) {
	case STEP_IF:
		return holds(w, step->when) ? step->then_step : step->else_step;
	case STEP_GO:
		return step->then_step;
	case STEP_WAIT_FOR:
	case STEP_SPLIT:
	case STEP_END:
	case STEP_KINDS:
		return -1;
	case STEP_WAIT_UNTIL:
	case STEP_WAIT:
	case STEP_SEND:
	case STEP_TEST:
	case STEP_SET:
	case STEP_TAG:
	case STEP_MOVE:
	case STEP_ALERT:
	case STEP_WEBHOOK:
		break;
	}
	return step->next;
}

/* Where it may lead, if that is more than one step. */
static json_t *ways_json(const struct sequence *s, int step)
{
	const struct step *at = &s->steps[step];
	struct step_way ways[STEP_WAYS_MAX];
	size_t count = step_ways(s, step, ways), i;
	json_t *list = json_array();

	if (at->kind == STEP_TEST || (at->kind == STEP_WAIT_FOR && !at->wait))
		return list;	/* all arms lead on; and who waits for ever leads nowhere else */
	for (i = 0; count > 1 && i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "label", ways[i].label, "to", answer_text(words_target(s, ways[i].to))));
	return list;
}

/* The way from the step at which they rest, as far as it is known: to the next mail after it, or where something has to happen first. */
static json_t *ahead_json(struct why *w, const struct sequence *s, int step)
{
	json_t *list = json_array();
	int i, to;

	for (i = 0; i < AHEAD && step >= 0; i++, step = to) {
		const struct step *at;
		json_t *row;

		if (step >= s->step_count) {
			json_array_append_new(list, json_pack("{s:s, s:s}", "step", "", "does", "end: done"));
			break;
		}
		at = &s->steps[step];
		to = leads_to(w, at);
		row = json_pack("{s:o, s:o, s:o}", "step", answer_text(at->name), "does", step_json(w, at), "ways", ways_json(s, step));
		if (at->kind == STEP_IF) {
			json_object_set_new(row, "holds", json_boolean(holds(w, at->when)));
			json_object_set_new(row, "parts", look_explain(&w->look, at->when));
		}
		json_array_append_new(list, row);
		if (i && sequence_sends(at))
			break;
	}
	return list;
}

static json_t *change_json(struct why *w, const char *what, const struct expression *when, const char *then)
{
	return json_pack("{s:s, s:o, s:b, s:o, s:s}",
		"what", what,
		"when", look_source(when),
		"holds", holds(w, when),
		"parts", look_explain(&w->look, when),
		"then", then);
}

/* What would end it, or let it go on at once. */
static json_t *changes_json(struct why *w, const struct sequence *s, const struct step *waits)
{
	json_t *list = json_array();

	if (waits && waits->kind == STEP_WAIT_FOR)
		json_array_append_new(list, change_json(w, "wait", waits->when, "goes on at once"));
	if (s->goal)
		json_array_append_new(list, change_json(w, "goal", s->goal, "ends as converted"));
	if (s->exit)
		json_array_append_new(list, change_json(w, "exit", s->exit, "ends"));
	if (s->list)
		json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:s}",
			"what", "list",
			"when", json_sprintf("list is not %s", s->list),
			"holds", strcmp(s->list, w->look.person.row.list) != 0,
			"then", "ends"));
	return list;
}

/* Is a mail of it under way, or put off by the relay? */
static const struct delivery *under_way(const struct why *w, const struct enrolment *e)
{
	size_t i;

	for (i = 0; i < w->claimed_count; i++)
		if (w->claimed[i].enrolment == e->id)
			return &w->claimed[i];
	for (i = 0; i < w->mail_count; i++)
		if (w->mails[i].enrolment == e->id && (w->mails[i].state == DELIVERY_PLANNED || w->mails[i].state == DELIVERY_DEFERRED))
			return &w->mails[i];
	return NULL;
}

/* The step whose time it waits for, by what its row says; NULL: none, `why` says what holds it back. */
static const struct step *waits_at(const struct sequence *s, const struct enrolment *e)
{
	int step = plan_step(s, e->why);

	return step < 0 || e->state != ENROLMENT_ACTIVE ? NULL : &s->steps[step];
}

static void add_steps(struct why *w, const struct sequence *s, const struct enrolment *e, json_t *json)
{
	const struct step *waits = waits_at(s, e);
	int step = plan_step(s, e->step);

	json_object_set_new(json, "waits", waits ? step_json(w, waits) : json_null());
	json_object_set_new(json, "held", !waits && *e->why ? answer_text(e->why) : json_null());
	if (step < 0)
		return;
	json_object_set_new(json, "does", step_json(w, &s->steps[step]));
	if (e->state != ENROLMENT_WATCHED)
		json_object_set_new(json, "ahead", ahead_json(w, s, step));
	json_object_set_new(json, "changes", changes_json(w, s, waits));
}

static json_t *open_json(struct why *w, const struct enrolment *e)
{
	bool old;
	const struct sequence *s = sequence_of(w, e, &old);
	const struct delivery *mail = under_way(w, e);
	json_t *json = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
		"sequence", answer_text(e->sequence),
		"state", look_state(e),
		"entered", answer_time(e->entered),
		"because", because(w, e),
		"version", answer_text(e->version),
		"step", answer_text(e->step),
		"due", answer_time(e->state == ENROLMENT_ACTIVE || e->state == ENROLMENT_WATCHED ? e->due : 0),
		"mail", mail ? mail_json(w, mail) : json_null(),
		"old_version", old);

	if (s)
		add_steps(w, s, e, json);
	else if (!old)
		json_object_set_new(json, "held", answer_text("the sequence is gone from the config"));
	return json;
}

static json_t *past_json(const struct why *w, const struct enrolment *e)
{
	const struct journal_row *end = recorded(w, "end", e->sequence, e->ended ? e->ended : INT64_MAX);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
		"sequence", answer_text(e->sequence),
		"entered", answer_time(e->entered),
		"because", because(w, e),
		"step", answer_text(e->step),
		"ended", answer_time(end ? end->at : e->ended),
		"watched_until", answer_time(e->state == ENROLMENT_WATCHED ? e->due : 0),
		"why", answer_text(e->why),
		"held_out", e->heldout);
}

static void add_sequences(struct why *w, json_t *json)
{
	json_t *now = json_array(), *past = json_array();
	size_t i;

	for (i = w->enrolment_count; i > 0; i--) {
		const struct enrolment *e = &w->enrolments[i - 1];

		if (enrolment_is_over(e) && !(e->heldout && e->state == ENROLMENT_WATCHED))
			json_array_append_new(past, past_json(w, e));
		else
			json_array_append_new(now, open_json(w, e));
	}
	json_object_set_new(json, "sequences", now);
	json_object_set_new(json, "past", past);
}

/* --- where they are ------------------------------------------------------------------------------------------------ */

static json_t *place_json(const struct why *w, const char *kind, const char *now, json_t *rules)
{
	const struct journal_row *row = recorded(w, kind, now, INT64_MAX);

	return json_pack("{s:o, s:o, s:o, s:o}",
		"now", answer_text(now),
		"since", answer_time(row ? row->at : w->look.person.row.created),
		"because", row ? answer_text(row->why) : answer_text("they came"),
		"rules", rules);
}

static json_t *rule_json(struct why *w, const char *name, const struct expression *when, const struct expression *until)
{
	json_t *json = json_pack("{s:o, s:o, s:o}",
		"name", answer_text(name),
		"when", look_source(when),
		"holds", when ? json_boolean(holds(w, when)) : json_null());

	if (until) {
		json_object_set_new(json, "until", look_source(until));
		json_object_set_new(json, "until_holds", json_boolean(holds(w, until)));
	}
	return json;
}

static void add_places(struct why *w, json_t *json)
{
	const struct person *p = &w->look.person;
	json_t *stages = json_array(), *lists = json_array(), *list;
	size_t i;

	for (i = 0; i < p->plan->stage_count; i++)
		json_array_append_new(stages, rule_json(w, p->plan->stages[i].name, p->plan->stages[i].when, p->plan->stages[i].until));
	for (i = 0; i < p->plan->list_count; i++)
		json_array_append_new(lists, rule_json(w, p->plan->lists[i].name, p->plan->lists[i].when, NULL));
	json_object_set_new(json, "on_stage", place_json(w, "stage", p->row.stage, stages));
	list = place_json(w, "list", p->row.list, lists);
	if (*p->row.moved_list) {
		json_object_set_new(list, "moved_by_step", json_true());
		json_object_set_new(list, "moved_until", answer_time(p->row.moved_until));
	}
	json_object_set_new(json, "on_list", list);
}

static int add_hot(struct why *w, json_t *json, struct err *err)
{
	struct person *p = &w->look.person;
	const struct sales *sales = &p->plan->sales;
	const struct journal_row *row = recorded(w, "hot", "lead", INT64_MAX);
	int64_t cooldown = p->row.hot_at ? p->row.hot_at + sales->cooldown : 0;
	json_t *hot = json_pack("{s:b, s:o, s:o, s:o, s:o}",
		"now", p->row.hot,
		"rule", look_source(sales->hot),
		"became", answer_time(p->row.hot_at),
		"because", row ? answer_text(row->why) : json_null(),
		"cooldown_until", answer_time(cooldown > p->now ? cooldown : 0));

	json_object_set_new(json, "hot_rule", hot);
	if (sales->hot) {
		json_object_set_new(hot, "holds", json_boolean(holds(w, sales->hot)));
		json_object_set_new(hot, "parts", look_explain(&w->look, sales->hot));
	}
	return look_add_lead(&w->look, json, err);
}

/* --- tests --------------------------------------------------------------------------------------------------------- */

static json_t *trial_json(const void *row)
{
	const struct trial *t = row;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}",
		"step", answer_text(t->step),
		"arm", answer_text(t->arm),
		"decided_by", answer_text(t->event),
		"at", answer_time(t->at),
		"until", answer_time(t->until),
		"won", t->won);
}

static int add_trials(struct why *w, json_t *json, struct err *err)
{
	struct person *p = &w->look.person;
	struct trial *trials;
	size_t count;

	if (trials_of(p->db, p->row.id, w->look.arena, &trials, &count, err))
		return -1;
	json_object_set_new(json, "tests", answer_rows(trials, count, sizeof(*trials), trial_json));
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static int fill(struct why *w, json_t *json, struct err *err)
{
	struct person *p = &w->look.person;
	json_t *time;

	if (look_add_suppression(&w->look, json, err) || read_all(w, err))
		return -1;
	json_object_set_new(json, "mails", mails_json(w));
	if (add_answers(w, json, err))
		return -1;
	json_object_set_new(json, "held", held_json(w));
	add_sequences(w, json);
	add_places(w, json);
	if (add_hot(w, json, err) || add_trials(w, json, err))
		return -1;
	time = look_time(&w->look, err);
	if (!time)
		return -1;
	json_object_set_new(json, "changes", time);
	json_object_set_new(json, "journal", answer_rows(w->journal, w->journal_count < JOURNAL_SHOWN ? w->journal_count : JOURNAL_SHOWN,
			sizeof(*w->journal), journal_json));
	return p->failed ? err_set(err, "%s", p->err.text) : 0;
}

int look_why(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err)
{
	struct why w = { 0 };
	json_t *json;
	int rc = look_begin(plan, db, id_or_address, &w.look, err);

	if (rc <= 0)
		return rc;
	json = look_head(&w.look);
	rc = fill(&w, json, err) ? -1 : answer_give(out, json_incref(json), err);
	json_decref(json);
	look_end(&w.look);
	return rc;
}
