/*
 * person.c: loading one prospect, what expressions may ask about them, and which rules what happens concerns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/flat_json.h"
#include "base/id.h"

#include "decide.h"
#include "person.h"

double person_interest(const struct person *p)
{
	return decay_value(p->row.interest, p->row.interest_at, p->plan->half_life, p->now);
}

double person_score(const struct person *p)
{
	return p->row.fit + person_interest(p);
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

static void person_empty(const struct plan *plan, struct db *db, struct arena *arena, int64_t now, struct person *p)
{
	int unit;

	memset(p, 0, sizeof(*p));
	p->db = db;
	p->plan = plan;
	p->arena = arena;
	p->now = now;
	for (unit = 0; unit < UNITS; unit++)
		p->wake[unit] = TIME_NEVER;
	p->cause = "";
	p->bucket = -1;
}

uint16_t person_bucket(struct person *p)
{
	if (p->bucket < 0)
		p->bucket = address_bucket(p->row.key);
	return (uint16_t)p->bucket;
}

static void person_begin(struct decide *d, struct db *db, int64_t now, struct person *p)
{
	person_empty(d->working, db, d->arena, now, p);
	p->d = d;
}

static void person_loaded(struct person *p)
{
	if (p->now < p->row.changed)	/* the clock stepped back: nothing happens before what has happened */
		p->now = p->row.changed;
	person_read_fields(p);
	/* the config that named them has been replaced */
	if ((*p->row.stage && plan_stage(p->plan, p->row.stage) < 0) || (*p->row.list && plan_list(p->plan, p->row.list) < 0))
		person_mark_all(p);
}

int person_load(struct decide *d, struct db *db, int64_t id, int64_t now, struct person *p, struct err *err)
{
	int found;

	person_begin(d, db, now, p);
	found = prospects_find(db, id, p->arena, &p->row, err);
	if (found == 1)
		person_loaded(p);
	return found;
}

int person_find(struct decide *d, struct db *db, const char *address_key, int64_t now, struct person *p, struct err *err)
{
	int found;

	person_begin(d, db, now, p);
	found = prospects_find_address(db, address_key, p->arena, &p->row, err);
	if (found == 1)
		person_loaded(p);
	return found;
}

void person_look(const struct plan *plan, struct db *db, struct arena *arena, const struct prospect *row, int64_t now, struct person *p)
{
	person_empty(plan, db, arena, now, p);
	p->row = *row;
	person_loaded(p);
}

void person_create(struct decide *d, struct db *db, const struct address *address, int64_t now, struct person *p)
{
	person_begin(d, db, now, p);
	p->row = (struct prospect){
		.id = id_new(address->bucket, now),
		.address = arena_strdup(p->arena, address->text),
		.key = arena_strdup(p->arena, address->key),
		.fields = "{}", .stage = "", .list = "", .form = "", .language = "", .timezone = "", .intent = "", .tags = "", .moved_list = "", .topics = "",
		.interest_at = now, .created = now, .changed = now,
	};
	person_read_fields(p);
	person_mark_all(p);
	p->fresh = p->nowhere = true;
}

/* --- what expressions ask --------------------------------------------------------------------------------------- */

static struct value text_or_nil(const char *s)
{
	return s && *s ? value_text(s) : value_nil;
}

static const char *intent_now(const struct person *p)
{
	return p->row.intent && *p->row.intent && p->now < p->row.intent_at + INTENT_LASTS ? p->row.intent : "";
}

static struct value ask_symbol(void *ctx, int symbol)
{
	struct person *p = ctx;
	const struct plan *plan = p->plan;
	struct address parsed;

	if (symbol >= 0 && (size_t)symbol < plan->field_count)
		return person_has_field(p, (size_t)symbol) ? p->fields[symbol] : value_nil;
	if (symbol == plan->symbol_interest)
		return value_real(person_interest(p));
	if (symbol == plan->symbol_score)
		return value_real(person_score(p));
	if (symbol == plan->symbol_fit)
		return value_real(p->row.fit);
	if (symbol == plan->symbol_stage)
		return text_or_nil(p->row.stage);
	if (symbol == plan->symbol_list)
		return text_or_nil(p->row.list);
	if (symbol == plan->symbol_intent)
		return text_or_nil(intent_now(p));
	if (symbol == plan->symbol_email)
		return value_text(p->row.address);
	if (symbol == plan->symbol_email_kind)
		return address_parse(p->row.address, &parsed, NULL) ? value_nil : value_text(address_kind(&parsed));
	if (symbol == plan->symbol_language)
		return text_or_nil(p->row.language);
	if (symbol == plan->symbol_form)
		return text_or_nil(p->row.form);
	if (symbol == plan->symbol_tags)
		return person_tags(p, p->arena);
	if (symbol == plan->symbol_grade)
		return text_or_nil(person_grade(p));
	return value_nil;
}

#define PLAIN_MEMBERS 16

static bool is_among(const struct slice *names, size_t count, struct slice name)
{
	while (count-- > 0)
		if (names[count].len == name.len && memcmp(names[count].data, name.data, name.len) == 0)
			return true;
	return false;
}

/* False: it takes a whole parser, as where a name comes twice: there the last counts. */
static bool read_plain(const char *data, struct arena *arena, struct value *out)
{
	struct value_builder *b = value_build_object(arena);
	struct slice names[PLAIN_MEMBERS];
	struct flat_member m;
	size_t count = 0;
	int got;

	data = flat_json_begin(data);
	if (!data)
		return false;
	while ((got = flat_json_next(&data, &m)) == 1) {
		struct value v = value_nil;

		if (m.kind == FLAT_NUMBER || count == PLAIN_MEMBERS || is_among(names, count, m.name))
			return false;
		names[count++] = m.name;
		if (m.kind == FLAT_TEXT)
			v = value_text(arena_strndup(arena, m.text.data, m.text.len));
		else if (m.kind != FLAT_NULL)
			v = value_bool(m.kind == FLAT_TRUE);
		value_put_slice(b, slice_of(arena_strndup(arena, m.name.data, m.name.len)), v);
	}
	*out = value_built(b);
	return got == 0;
}

static void parse_event(struct event_at_hand *event, struct arena *arena)
{
	const char *data = event->data && *event->data ? event->data : "{}";
	json_t *json;

	event->is_parsed = true;
	if (read_plain(data, arena, &event->parsed))
		return;
	json = json_loads(data, 0, NULL);
	event->parsed = json ? value_from_json(arena, json) : value_nil;
	json_decref(json);
}

static struct value ask_event(void *ctx, struct slice name)
{
	struct person *p = ctx;
	struct event_at_hand *event = p->event;
	struct value v;

	if (!event)
		return value_nil;
	if (slice_is(name, "name"))
		return value_text(event->name);
	if (!event->is_parsed)
		parse_event(event, p->arena);
	v = value_get(event->parsed, name);
	/* what an event is about goes by its usual name too */
	if (v.type == VALUE_NIL && (slice_is(name, "path") || slice_is(name, "form") || slice_is(name, "template") || slice_is(name, "subject")))
		return text_or_nil(event->subject);
	return v;
}

static int tally(struct person *p, const struct history_call *call, const char *name, struct history_answer *answer, struct err *err)
{
	int64_t from = call->within ? p->now - call->within + 1 : 0, count, newest = 0, oldest = 0;

	if (events_tally(p->db, p->row.id, name, call->subject, call->glob, from, call->what == HISTORY_COUNT ? 0 : 1, &count, &newest,
			&oldest, err))
		return -1;
	if (!count)
		return 0;
	if (!answer->count || newest > answer->newest)
		answer->newest = newest;
	if (!answer->count || oldest < answer->oldest)
		answer->oldest = oldest;
	answer->count += count;
	return 0;
}

static struct history_answer ask_history(void *ctx, const struct history_call *call)
{
	struct person *p = ctx;
	struct history_answer answer = { 0 };
	char machine[80];

	if (p->failed)
		return answer;
	if (tally(p, call, call->event, &answer, &p->err))
		p->failed = true;
	if (call->machine && !p->failed) {
		snprintf(machine, sizeof(machine), "%s_machine", call->event);
		if (tally(p, call, machine, &answer, &p->err))
			p->failed = true;
	}
	return answer;
}

static int64_t ask_falls(void *ctx, int symbol, double threshold)
{
	struct person *p = ctx;
	int64_t at;

	if (symbol == p->plan->symbol_score)
		threshold -= p->row.fit;
	at = decay_crosses(p->row.interest, p->row.interest_at, p->plan->half_life, threshold);
	return at > p->now ? at : TIME_NEVER;	/* what it has passed since the row was written it does not pass again */
}

struct expression_env person_env(struct person *p)
{
	return (struct expression_env){
		.now = p->now, .ctx = p, .symbol = ask_symbol, .event = ask_event, .history = ask_history, .falls = ask_falls,
	};
}

static bool names(const struct expression *e, int symbol)
{
	const struct expression_uses *uses = expression_uses(e);
	size_t i;

	for (i = 0; i < uses->symbol_count; i++)
		if (uses->symbols[i] == symbol)
			return true;
	return false;
}

/* What ends by itself, although the engine knows it by name only: an intent, and a grade as the interest falls. */
static int64_t names_end(const struct person *p, const struct expression *e)
{
	int64_t until = TIME_NEVER, falls;
	double interest;
	int i;

	if (*intent_now(p) && names(e, p->plan->symbol_intent))
		until = p->row.intent_at + INTENT_LASTS;
	if (!p->plan->graded || !names(e, p->plan->symbol_grade))
		return until;
	interest = person_interest(p);
	for (i = 0; i < 3 && interest < p->plan->grade_interest[i]; i++)
		;
	if (i == 3)
		return until;
	falls = decay_crosses(p->row.interest, p->row.interest_at, p->plan->half_life, p->plan->grade_interest[i]);
	return falls < until ? falls : until;
}

int person_holds(struct person *p, const struct expression *e, int unit, bool *out, struct err *err)
{
	struct expression_env env = person_env(p);
	int64_t until = TIME_NEVER, ends;

	*out = expression_holds(e, &env, &until);
	if (p->failed)
		return err_set(err, "%s", p->err.text);
	ends = names_end(p, e);
	if (ends < until)
		until = ends;
	if (until > p->now && until < p->wake[unit])
		p->wake[unit] = until;
	return 0;
}

/* --- marks ------------------------------------------------------------------------------------------------------- */

static void mark_entry(struct person *p, int number)
{
	struct entry_mark *more;
	size_t i;

	for (i = 0; i < p->enter_count; i++)
		if (p->enter[i].rule == number && p->enter[i].event == p->event)
			return;
	if (p->enter_count == p->enter_room) {
		p->enter_room = p->enter_room ? 2 * p->enter_room : 8;
		more = arena_alloc(p->arena, p->enter_room * sizeof(*more));
		if (p->enter_count)
			memcpy(more, p->enter, p->enter_count * sizeof(*more));
		p->enter = more;
	}
	p->enter[p->enter_count++] = (struct entry_mark){ .rule = number, .event = p->event };
}

static void mark(struct person *p, int number)
{
	switch (p->plan->rules[number].kind) {
	case RULE_FIT:
		p->fit = true;
		break;
	case RULE_STAGE:
		p->stage = true;
		break;
	case RULE_LIST:
		p->list = true;
		break;
	case RULE_HOT:
		p->hot = true;
		break;
	case RULE_ENTER:
		mark_entry(p, number);
		break;
	case RULE_GOAL:
	case RULE_EXIT:
	case RULE_WAIT:
		p->enrolments = true;
		break;
	case RULE_TEST:
		p->trials = true;
		break;
	case RULE_INTEREST:	/* granted where the event happens, never again */
		break;
	}
}

static void mark_set(struct person *p, struct rule_set set)
{
	size_t i;

	for (i = 0; i < set.count; i++)
		mark(p, set.rules[i]);
}

void person_mark_symbol(struct person *p, int symbol)
{
	/* versions that some still finish ask for what they ask, which the plan in force need not name */
	p->enrolments = p->enrolments || (p->d && p->d->finishing);
	if (symbol >= 0)
		mark_set(p, p->plan->by_symbol[symbol]);
}

void person_mark_event(struct person *p, const char *name)
{
	mark_set(p, plan_rules_of(p->plan, name));
}

void person_mark_all(struct person *p)
{
	p->fit = p->stage = p->list = p->hot = p->enrolments = true;
}

/* --- changes ----------------------------------------------------------------------------------------------------- */

void person_set_intent(struct person *p, const char *intent)
{
	p->row.intent = arena_strdup(p->arena, intent);
	p->row.intent_at = p->now;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_intent);
}

int person_journal(struct person *p, const char *kind, const char *what, const char *why, struct err *err)
{
	return journal_add(p->db, p->row.id, p->now, kind, what, why && *why ? why : p->cause, err);
}

int person_stop(struct person *p, const char *why, struct err *err)
{
	struct enrolment *open;
	struct delivery *claimed;
	size_t count, i;

	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err) || sequence_end_all(p, open, count, why, err))
		return -1;
	if (sending_of(p->db, p->row.id, p->arena, &claimed, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (claimed[i].kind == DELIVERY_STEP)
			decide_withdraw_after_commit(p->d, p->db, claimed[i].id);
	return 0;
}
