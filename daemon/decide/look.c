/*
 * look.c: one person as JSON, for people who look in. Reader thread.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "store/visitors.h"

#include "look.h"

#define MAILS_SHOWN 50
#define EVENTS_SHOWN 50

static const char *const consent_names[] = { "none", "pending", "given", "withdrawn" };
const char *look_state(const struct enrolment *e)
{
	switch (e->state) {
	case ENROLMENT_ACTIVE:
		return "active";
	case ENROLMENT_PAUSED:
		return "paused";
	case ENROLMENT_WATCHED:		/* for those who got their mails it is over; that their goal is still counted is nobody's news */
		return e->heldout ? "held out" : "ended";
	case ENROLMENT_ENDED:
		break;
	}
	return "ended";
}

/* --- one person ---------------------------------------------------------------------------------------------------- */

static int find(struct db *db, const char *what, struct arena *arena, struct prospect *row, struct err *err)
{
	struct address address;
	int64_t id;

	if (!id_parse("pro", what, &id))
		return prospects_find(db, id, arena, row, err);
	if (address_parse(what, &address, err))
		return -1;
	return prospects_find_address(db, address.key, arena, row, err);
}

int look_begin(const struct plan *plan, struct db *db, const char *id_or_address, struct look *l, struct err *err)
{
	struct prospect row;
	int found;

	l->arena = arena_new(0);
	found = find(db, id_or_address, l->arena, &row, err);
	if (found == 1)
		person_look(plan, db, l->arena, &row, clock_now(), &l->person);
	else
		arena_free(&l->arena);
	return found;
}

void look_end(struct look *l)
{
	arena_free(&l->arena);
}

static json_t *tags_json(struct person *p, struct arena *arena)
{
	struct value tags = person_tags(p, arena);
	json_t *list = json_array();
	size_t i;

	for (i = 0; tags.type == VALUE_LIST && i < tags.list->count; i++)
		json_array_append_new(list, json_stringn(tags.list->items[i].text.data, tags.list->items[i].text.len));
	return list;
}

json_t *look_head(struct look *l)
{
	struct person *p = &l->person;
	const struct prospect *row = &p->row;
	json_t *json = json_object(), *fields = json_loads(row->fields, 0, NULL);

	json_object_set_new(json, "id", answer_id("pro", row->id));
	json_object_set_new(json, "email", answer_text(row->address));
	json_object_set_new(json, "name", answer_text(values_display_name(p, l->arena)));
	json_object_set_new(json, "fields", fields ? fields : json_object());
	json_object_set_new(json, "tags", tags_json(p, l->arena));
	json_object_set_new(json, "stage", answer_text(row->stage));
	json_object_set_new(json, "list", answer_text(row->list));
	json_object_set_new(json, "form", answer_text(row->form));
	json_object_set_new(json, "consent", json_string(consent_names[row->consent]));
	json_object_set_new(json, "consent_since", answer_time(row->consent_at));
	json_object_set_new(json, "consent_until", answer_time(row->consent_until));
	json_object_set_new(json, "topics", answer_text(*row->topics ? row->topics : "all"));
	json_object_set_new(json, "paused_until", answer_time(row->paused_until));
	json_object_set_new(json, "fit", answer_points(row->fit));
	json_object_set_new(json, "interest", answer_points(person_interest(p)));
	json_object_set_new(json, "score", answer_points(person_score(p)));
	json_object_set_new(json, "intent", answer_text(row->intent));
	json_object_set_new(json, "hot", json_boolean(row->hot));
	json_object_set_new(json, "hot_at", answer_time(row->hot_at));
	json_object_set_new(json, "next_look", answer_time(row->recheck));
	json_object_set_new(json, "created", answer_time(row->created));
	json_object_set_new(json, "changed", answer_time(row->changed));
	return json;
}

/* --- expressions --------------------------------------------------------------------------------------------------- */

json_t *look_source(const struct expression *e)
{
	struct buf text = BUF_INIT;
	json_t *json;

	if (!e)
		return json_null();
	expression_print(e, &text);
	json = answer_text(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

json_t *look_explain(struct look *l, const struct expression *e)
{
	struct expression_env env = person_env(&l->person);
	json_t *lines = json_array();
	struct buf text = BUF_INIT;
	char *line, *rest;

	expression_explain(e, &env, &text);
	for (rest = text.data; (line = strsep(&rest, "\n"));)
		if (*line)
			json_array_append_new(lines, answer_text(line));
	buf_clear(&text);
	return lines;
}

static json_t *touch_json(int64_t at, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	if (json)
		json_object_set_new(json, "at", answer_time(at));
	return json ? json : json_null();
}

static int add_touches(struct look *l, json_t *json, struct err *err)
{
	struct touches t;
	int found = touches_find(l->person.db, l->person.row.id, l->arena, &t, err);

	if (found < 0)
		return -1;
	json_object_set_new(json, "first_touch", found ? touch_json(t.first_at, t.first) : json_null());
	json_object_set_new(json, "last_touch", found ? touch_json(t.last_at, t.last) : json_null());
	return 0;
}

static json_t *value_json(struct value v)
{
	struct buf text = BUF_INIT;
	json_t *json;

	value_to_json(&text, v);
	json = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
	buf_clear(&text);
	return json ? json : json_null();
}

static json_t *value_source(struct value v)
{
	struct buf text = BUF_INIT;
	json_t *json;

	value_to_source(&text, v);
	json = answer_text(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

int look_eval(const struct plan *plan, struct db *db, const struct expression *e, const char *id_or_address, bool explain, struct buf *out,
		struct err *err)
{
	struct look l;
	struct expression_env env;
	int64_t until = TIME_NEVER;
	struct value v;
	json_t *json;
	int rc = look_begin(plan, db, id_or_address, &l, err);

	if (rc <= 0)
		return rc;
	env = person_env(&l.person);
	v = expression_eval(e, &env, &until);
	json = json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}",
		"email", answer_text(l.person.row.address),
		"expression", look_source(e),
		"value", value_json(v),
		"source", value_source(v),
		"type", value_type_name(v.type),
		"until", answer_time(until));
	if (explain)
		json_object_set_new(json, "parts", look_explain(&l, e));
	if (l.person.failed) {
		json_decref(json);
		rc = err_set(err, "%s", l.person.err.text);
	} else {
		rc = answer_give(out, json, err);
	}
	look_end(&l);
	return rc;
}

/* --- all that is known --------------------------------------------------------------------------------------------- */

int look_add_suppression(struct look *l, json_t *json, struct err *err)
{
	struct suppression s;
	int found = suppressions_find(l->person.db, l->person.row.key, l->arena, &s, err);

	if (found < 0)
		return -1;
	json_object_set_new(json, "suppressed", !found ? json_null() : json_pack("{s:o, s:o, s:o}",
		"reason", answer_text(s.reason),
		"at", answer_time(s.at),
		"source", answer_text(s.source)));
	return 0;
}

static json_t *term_json(const void *row)
{
	const struct term_sum *t = row;

	return json_pack("{s:o, s:o, s:I}", "rule", answer_text(t->rule), "points", answer_points(t->points), "count", (json_int_t)t->count);
}

static int add_terms(struct look *l, json_t *json, struct err *err)
{
	struct term_sum *terms;
	size_t count;

	if (terms_by_rule(l->person.db, l->person.row.id, l->person.now, l->person.plan->half_life, l->arena, &terms, &count, err))
		return -1;
	json_object_set_new(json, "terms", answer_rows(terms, count, sizeof(*terms), term_json));
	return 0;
}

static json_t *enrolment_json(const void *row)
{
	const struct enrolment *e = row;

	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}",
		"id", answer_id("enr", e->id),
		"sequence", answer_text(e->sequence),
		"step", answer_text(e->step),
		"state", look_state(e),
		"why", answer_text(e->why),
		"entered", answer_time(e->entered),
		"ended", answer_time(e->ended),
		"due", answer_time(e->state == ENROLMENT_ACTIVE ? e->due : 0));
}

static int add_enrolments(struct look *l, json_t *json, struct err *err)
{
	struct enrolment *all;
	size_t count;

	if (enrolments_all(l->person.db, l->person.row.id, l->arena, &all, &count, err))
		return -1;
	json_object_set_new(json, "enrolments", answer_rows(all, count, sizeof(*all), enrolment_json));
	return 0;
}

static json_t *delivery_json(const void *row)
{
	const struct delivery *d = row;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:i, s:o}",
		"id", answer_id("del", d->id),
		"template", answer_text(d->template),
		"sequence", answer_text(d->sequence),
		"step", answer_text(d->step),
		"to", answer_text(d->address),
		"state", delivery_state_names[d->state],
		"attempt", d->attempt,
		"planned", answer_time(d->planned),
		"done", answer_time(d->done),
		"code", d->code,
		"reply", answer_text(d->reply));
}

static int add_hits(struct look *l, json_t *row, int64_t delivery, struct err *err)
{
	int64_t opens[VERDICTS] = { 0 }, clicks[VERDICTS] = { 0 };
	struct hit *hits;
	size_t count, i;

	if (hits_of_delivery(l->person.db, delivery, 0, l->arena, &hits, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (hits[i].kind != 'u')
			(hits[i].kind == 'c' ? clicks : opens)[hits[i].verdict] += hits[i].times;
	json_object_set_new(row, "opens", look_verdicts(opens));
	json_object_set_new(row, "clicks", look_verdicts(clicks));
	return 0;
}

static int add_deliveries(struct look *l, json_t *json, struct err *err)
{
	struct delivery *all;
	json_t *rows;
	size_t count, i;

	if (deliveries_of(l->person.db, l->person.row.id, MAILS_SHOWN, l->arena, &all, &count, err))
		return -1;
	rows = answer_rows(all, count, sizeof(*all), delivery_json);
	json_object_set_new(json, "deliveries", rows);
	for (i = 0; i < count; i++)
		if (add_hits(l, json_array_get(rows, i), all[i].id, err))
			return -1;
	return 0;
}

static json_t *event_json(const void *row)
{
	const struct event_row *e = row;
	json_t *data = json_loads(e->data, 0, NULL);

	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
		"at", answer_time(e->at),
		"name", answer_text(e->name),
		"subject", answer_text(e->subject),
		"points", answer_points(e->points),
		"data", data ? data : json_object());
}

static int add_events(struct look *l, json_t *json, struct err *err)
{
	struct event_row *all;
	size_t count;

	if (events_latest(l->person.db, l->person.row.id, NULL, EVENTS_SHOWN, l->arena, &all, &count, err))
		return -1;
	json_object_set_new(json, "events", answer_rows(all, count, sizeof(*all), event_json));
	return 0;
}

static json_t *consent_json(const void *row)
{
	const struct consent *c = row;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"id", answer_id("con", c->id),
		"at", answer_time(c->at),
		"what", answer_text(c->what),
		"basis", answer_text(c->basis),
		"until", answer_time(c->until),
		"purpose", answer_text(c->purpose),
		"words", answer_text(c->words),
		"version", answer_text(c->version),
		"form", answer_text(c->form),
		"page", answer_text(c->page),
		"ip", answer_text(c->ip),
		"agent", answer_text(c->agent),
		"by", answer_text(c->actor));
}

static int add_consents(struct look *l, json_t *json, struct err *err)
{
	struct consent *all;
	size_t count;

	if (consents_of(l->person.db, l->person.row.id, l->arena, &all, &count, err))
		return -1;
	json_object_set_new(json, "consents", answer_rows(all, count, sizeof(*all), consent_json));
	return 0;
}

int look_add_lead(struct look *l, json_t *json, struct err *err)
{
	struct lead lead;
	int found = leads_last(l->person.db, l->person.row.id, l->arena, &lead, err);

	if (found < 0)
		return -1;
	json_object_set_new(json, "lead", !found ? json_null() : json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:f}",
		"id", answer_id("led", lead.id),
		"state", answer_text(lead.state),
		"owner", answer_text(lead.owner),
		"reason", answer_text(lead.reason),
		"at", answer_time(lead.at),
		"answer", answer_text(lead.answer),
		"amount", lead.amount));
	return 0;
}

int look_prospect(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err)
{
	static int (*const parts[])(struct look *l, json_t *json, struct err *err) = {
		add_touches,
		look_add_suppression, add_terms, add_enrolments, add_deliveries, add_events, add_consents, look_add_lead,
	};
	struct look l;
	json_t *json;
	size_t i;
	int rc = look_begin(plan, db, id_or_address, &l, err);

	if (rc <= 0)
		return rc;
	json = look_head(&l);
	for (i = 0; rc > 0 && i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i](&l, json, err))
			rc = -1;
	if (rc > 0)
		rc = answer_give(out, json, err);
	else
		json_decref(json);
	look_end(&l);
	return rc;
}
