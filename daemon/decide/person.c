/*
 * person.c: loading one prospect, answering what expressions ask about them, and settling what a fact changed.
 *
 * Settling follows the graph of names: an event marks the rules that name it, a changed symbol marks the rules that name the symbol,
 * and only marked rules are evaluated. Stages and lists are ladders of few rungs and are walked as a whole when one rung is marked.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

/* A stage may change a list, a list an entry's rule, a field a stage: rounds until nothing is marked, and no further. */
#define ROUNDS 8

double decay_value(double value, int64_t at, int64_t half_life, int64_t now)
{
	if (value == 0 || now <= at || half_life <= 0)
		return value;
	return value * exp2(-(double)(now - at) / (double)half_life);
}

int64_t decay_crosses(double value, int64_t at, int64_t half_life, double threshold)
{
	double after;

	if (half_life <= 0 || threshold == 0 || value / threshold <= 1.0)
		return TIME_NEVER;
	after = (double)half_life * log2(value / threshold);
	if (after > 4e18 - (double)at)
		return TIME_NEVER;
	/* a millisecond more, so that at that instant the value is below whatever the rounding */
	return at + (int64_t)after + 1000;
}

double person_interest(const struct person *p)
{
	return decay_value(p->row.interest, p->row.interest_at, p->plan->half_life, p->now);
}

double person_score(const struct person *p)
{
	return p->row.fit + person_interest(p);
}

/* Kinds of rules that are asked anew say anew when they want to be asked again. */
static void forget_wakes(struct person *p, unsigned units)
{
	int unit;

	for (unit = 0; unit < UNITS; unit++)
		if (units & 1u << unit)
			p->wake[unit] = TIME_NEVER;
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

static struct value field_value(const struct field *field, const json_t *v, struct arena *arena)
{
	if (json_is_string(v) && json_string_length(v) > 0)
		return value_text(arena_strndup(arena, json_string_value(v), json_string_length(v)));
	if (json_is_integer(v))
		return field->type == VALUE_TIME ? value_time(json_integer_value(v)) : value_int(json_integer_value(v));
	if (json_is_real(v))
		return value_real(json_real_value(v));
	if (json_is_boolean(v))
		return value_bool(json_is_true(v));
	return value_text(field->default_text);
}

static void read_fields(struct person *p)
{
	json_t *json = NULL;
	size_t i;

	if (p->row.fields && strcmp(p->row.fields, "{}") != 0)
		json = json_loads(p->row.fields, 0, NULL);
	p->fields = arena_calloc(p->arena, p->plan->field_count + 1, sizeof(*p->fields));
	for (i = 0; i < p->plan->field_count; i++) {
		const struct field *field = &p->plan->fields[i];

		p->fields[i] = field_value(field, json ? json_object_get(json, field->name) : NULL, p->arena);
	}
	json_decref(json);
}

static void person_begin(struct decide *d, struct db *db, int64_t now, struct person *p)
{
	memset(p, 0, sizeof(*p));
	p->d = d;
	p->db = db;
	p->plan = d->working;
	p->arena = d->arena;
	p->now = now;
	forget_wakes(p, ~0u);
	p->cause = "";
}

static void person_loaded(struct person *p)
{
	if (p->now < p->row.changed)	/* the clock stepped back: nothing happens before what has happened */
		p->now = p->row.changed;
	read_fields(p);
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

void person_create(struct decide *d, struct db *db, const struct address *address, int64_t now, struct person *p)
{
	person_begin(d, db, now, p);
	p->row = (struct prospect){
		.id = id_new(address->bucket, now),
		.address = arena_strdup(p->arena, address->text),
		.key = arena_strdup(p->arena, address->key),
		.fields = "{}", .stage = "", .list = "", .form = "", .language = "", .timezone = "", .intent = "",
		.interest_at = now, .created = now, .changed = now,
	};
	read_fields(p);
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
		return p->fields[symbol];
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
	return value_nil;
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
	if (!event->is_parsed) {
		json_t *json = json_loads(event->data && *event->data ? event->data : "{}", 0, NULL);

		event->parsed = json ? value_from_json(p->arena, json) : value_nil;
		event->is_parsed = true;
		json_decref(json);
	}
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

	if (symbol == p->plan->symbol_score)
		threshold -= p->row.fit;
	return decay_crosses(p->row.interest, p->row.interest_at, p->plan->half_life, threshold);
}

struct expression_env person_env(struct person *p)
{
	return (struct expression_env){
		.now = p->now, .ctx = p, .symbol = ask_symbol, .event = ask_event, .history = ask_history, .falls = ask_falls,
	};
}

static bool names_intent(const struct person *p, const struct expression *e)
{
	const struct expression_uses *uses = expression_uses(e);
	size_t i;

	for (i = 0; i < uses->symbol_count; i++)
		if (uses->symbols[i] == p->plan->symbol_intent)
			return true;
	return false;
}

int person_holds(struct person *p, const struct expression *e, int unit, bool *out, struct err *err)
{
	struct expression_env env = person_env(p);
	int64_t until = TIME_NEVER;

	*out = expression_holds(e, &env, &until);
	if (p->failed)
		return err_set(err, "%s", p->err.text);
	/* an intent ends by itself: the engine knows names, not how long what they stand for lasts */
	if (*intent_now(p) && names_intent(p, e) && p->row.intent_at + INTENT_LASTS < until)
		until = p->row.intent_at + INTENT_LASTS;
	if (until > p->now && until < p->wake[unit])
		p->wake[unit] = until;
	return 0;
}

/* --- marks ------------------------------------------------------------------------------------------------------- */

static void mark_entry(struct person *p, int number)
{
	if (!p->enter)
		p->enter = arena_alloc(p->arena, p->plan->rule_count * sizeof(*p->enter));
	if (p->enter_count < p->plan->rule_count)
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

/* What a form or a step says, as the field's type has it; 0 or -1. */
static int typed(struct person *p, const struct field *field, const char *text, struct value *out)
{
	double number;
	int64_t us;

	switch (field->type) {
	case VALUE_REAL:
	case VALUE_INT:
		if (text_double(text, &number))
			return -1;
		*out = value_real(number);
		return 0;
	case VALUE_BOOL:
		*out = value_bool(strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0 || strcmp(text, "on") == 0);
		return 0;
	case VALUE_TIME:
		if (text_time_parse(text, &us))
			return -1;
		*out = value_time(us);
		return 0;
	default:
		*out = value_text(arena_strdup(p->arena, text));
		return 0;
	}
}

static bool same(struct value a, struct value b)
{
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case VALUE_REAL:
		return a.real == b.real;
	case VALUE_BOOL:
		return a.boolean == b.boolean;
	case VALUE_TEXT:
		return a.text.len == b.text.len && memcmp(a.text.data, b.text.data, a.text.len) == 0;
	default:
		return a.integer == b.integer;
	}
}

/* Given, and not what the config says for those who gave nothing. */
static bool is_set(const struct person *p, size_t field)
{
	struct value v = p->fields[field];

	return v.type != VALUE_NIL && !(v.type == VALUE_TEXT && (v.text.len == 0 || v.text.data == p->plan->fields[field].default_text));
}

int person_set_field(struct person *p, int field, const char *value, bool overwrite, struct err *err)
{
	const struct field *f = &p->plan->fields[field];
	struct value v;

	if (!overwrite && is_set(p, (size_t)field))
		return 0;
	if (typed(p, f, value, &v))
		return err_set(err, "field %s: not a %s: %s", f->name, value_type_name(f->type), value);
	if (same(v, p->fields[field]))
		return 0;
	p->fields[field] = v;
	p->changed = p->fields_changed = true;
	person_mark_symbol(p, f->symbol);
	return 0;
}

/* The row's JSON anew. What it holds of fields that the config does not name any more stays. */
static void write_fields(struct person *p)
{
	struct buf text = BUF_INIT;
	size_t i;
	json_t *old = strcmp(p->row.fields, "{}") == 0 ? NULL : json_loads(p->row.fields, 0, NULL), *v;
	const char *name;
	char *kept;

	buf_char(&text, '{');
	for (i = 0; i < p->plan->field_count; i++) {
		json_object_del(old, p->plan->fields[i].name);
		if (!is_set(p, i))
			continue;
		if (text.len > 1)
			buf_char(&text, ',');
		text_json(&text, p->plan->fields[i].name, strlen(p->plan->fields[i].name));
		buf_char(&text, ':');
		if (p->fields[i].type == VALUE_TIME)
			buf_printf(&text, "%lld", (long long)p->fields[i].integer);
		else
			value_to_json(&text, p->fields[i]);
	}
	json_object_foreach(old, name, v) {
		kept = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		buf_char(&text, text.len > 1 ? ',' : ' ');
		text_json(&text, name, strlen(name));
		buf_printf(&text, ":%s", kept ? kept : "null");
		free(kept);
	}
	buf_char(&text, '}');
	p->row.fields = arena_strndup(p->arena, text.data, text.len);
	buf_clear(&text);
	json_decref(old);
	p->fields_changed = false;
}

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

/* --- score ------------------------------------------------------------------------------------------------------- */

/* The points that the cap of the rule's window still leaves. */
static int points_left(struct person *p, const struct score_rule *rule, double *points_out, struct err *err)
{
	double sum, cap = (double)rule->at_most.count;

	*points_out = rule->points;
	if (!rule->at_most.within)
		return 0;
	if (terms_sum(p->db, p->row.id, rule->name, p->now - rule->at_most.within + 1, &sum, err))
		return -1;
	if (rule->points >= 0)
		*points_out = fmax(0, fmin(rule->points, cap - sum));
	else
		*points_out = fmin(0, fmax(rule->points, -cap - sum));
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
	}
	mark_set(p, set);
	if (event_out)
		*event_out = id;
	return 0;
}

/*
 * Fit is the sum of the rules that hold; which ones did is not kept, so that when one is marked all are asked: fit rules look at
 * fields, and a sum of few.
 */
static int settle_fit(struct person *p, struct err *err)
{
	double fit = 0;
	bool holds;
	size_t i;

	if (!p->fit)
		return 0;
	p->fit = false;
	forget_wakes(p, 1u << UNIT_FIT);
	for (i = 0; i < p->plan->fit_count; i++) {
		if (person_holds(p, p->plan->fit[i].when, UNIT_FIT, &holds, err))
			return -1;
		if (holds)
			fit += p->plan->fit[i].points;
	}
	if (fit == p->row.fit)
		return 0;
	p->row.fit = fit;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_fit);
	person_mark_symbol(p, p->plan->symbol_score);
	return 0;
}

/* --- stage and list ---------------------------------------------------------------------------------------------- */

static int choose_stage(struct person *p, int *out, struct err *err)
{
	int now = plan_stage(p->plan, p->row.stage), i;
	bool holds;

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
	forget_wakes(p, 1u << UNIT_STAGE);
	if (choose_stage(p, &stage, err))
		return -1;
	to = p->plan->stages[stage].name;
	if (strcmp(from, to) == 0)
		return 0;
	p->row.stage = to;
	p->changed = true;
	person_mark_symbol(p, p->plan->symbol_stage);
	p->stage = true;	/* its own `until` is to be looked at, for its time */
	return moved(p, "stage_changed", "stage", from, to, err);
}

static int settle_list(struct person *p, struct err *err)
{
	const char *from = p->row.list, *to = "";
	bool holds = true;
	size_t i;

	if (!p->list)
		return 0;
	p->list = false;
	forget_wakes(p, 1u << UNIT_LIST);
	for (i = 0; i < p->plan->list_count; i++) {
		if (p->plan->lists[i].when && person_holds(p, p->plan->lists[i].when, UNIT_LIST, &holds, err))
			return -1;
		if (!p->plan->lists[i].when || holds) {
			to = p->plan->lists[i].name;
			break;
		}
	}
	if (strcmp(from, to) == 0)
		return 0;
	p->row.list = to;
	p->changed = true;
	p->enrolments = true;	/* a sequence belongs to a list */
	person_mark_symbol(p, p->plan->symbol_list);
	return moved(p, "list_changed", "list", from, to, err);
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
static int64_t earliest(const struct person *p, int *unit_out)
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
	int64_t due = earliest(p, &unit);

	if (p->row.recheck > p->now && p->row.recheck < due && asked != ALL_UNITS) {
		if (!(asked & 1u << p->row.recheck_rule))
			return 0;	/* still the earliest wish of all */
		person_mark_all(p);
		if (settle_rounds(p, &asked, err))
			return -1;
		due = earliest(p, &unit);
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
		write_fields(p);
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

int person_stop(struct person *p, const char *why, struct err *err)
{
	struct enrolment *open;
	struct delivery *claimed;
	size_t count, i;

	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (sequence_end(p->d, p->db, &open[i], why, p->now, err))
			return -1;
	}
	if (sending_of(p->db, p->row.id, p->arena, &claimed, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (claimed[i].kind == DELIVERY_STEP)
			decide_withdraw_after_commit(p->d, p->db, claimed[i].id);
	return 0;
}
