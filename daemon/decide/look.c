/*
 * look.c: one person as JSON, for people who look in; and why things happened to them, from recorded reasons only. Reader thread.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

static const char *const consent_names[] = { "none", "pending", "given", "withdrawn" };
static const char *const enrolment_names[] = { "active", "paused", "ended" };

static json_t *json_time(int64_t us)
{
	struct buf text = BUF_INIT;
	json_t *json;

	if (!us || us >= INT64_MAX / 2)
		return json_null();
	text_time(&text, us);
	json = json_string(buf_cstr(&text));
	buf_clear(&text);
	return json;
}

static json_t *json_id(const char *prefix, int64_t id)
{
	char text[ID_TEXT];

	return id ? json_string(id_text(prefix, id, text)) : json_null();
}

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

static json_t *person_json(const struct plan *plan, const struct prospect *row)
{
	double interest = decay_value(row->interest, row->interest_at, plan->half_life, clock_now());
	json_t *json = json_object(), *fields = json_loads(row->fields, 0, NULL);

	json_object_set_new(json, "id", json_id("pro", row->id));
	json_object_set_new(json, "email", json_string(row->address));
	json_object_set_new(json, "fields", fields ? fields : json_object());
	json_object_set_new(json, "stage", json_string(row->stage));
	json_object_set_new(json, "list", json_string(row->list));
	json_object_set_new(json, "form", json_string(row->form));
	json_object_set_new(json, "consent", json_string(consent_names[row->consent]));
	json_object_set_new(json, "fit", json_real(row->fit));
	json_object_set_new(json, "interest", json_real(round(interest * 100) / 100));
	json_object_set_new(json, "score", json_real(round((row->fit + interest) * 100) / 100));
	json_object_set_new(json, "intent", json_string(row->intent));
	json_object_set_new(json, "hot", json_boolean(row->hot));
	json_object_set_new(json, "hot_at", json_time(row->hot_at));
	json_object_set_new(json, "next_look", json_time(row->recheck));
	json_object_set_new(json, "created", json_time(row->created));
	json_object_set_new(json, "changed", json_time(row->changed));
	return json;
}

static int add_suppression(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct suppression s;
	int found = suppressions_find(db, row->key, arena, &s, err);

	if (found < 0)
		return -1;
	if (found)
		json_object_set_new(json, "suppressed", json_pack("{s:s,s:o,s:s}", "reason", s.reason, "at", json_time(s.at), "source", s.source));
	else
		json_object_set_new(json, "suppressed", json_null());
	return 0;
}

static int add_terms(struct db *db, const struct plan *plan, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct term_sum *terms;
	json_t *list = json_array();
	size_t count, i;

	if (terms_by_rule(db, row->id, clock_now(), plan->half_life, arena, &terms, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s,s:f,s:I}", "rule", terms[i].rule, "points", terms[i].points, "count",
				(json_int_t)terms[i].count));
	json_object_set_new(json, "terms", list);
	return 0;
}

static int add_enrolments(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct enrolment *all;
	json_t *list = json_array();
	size_t count, i;

	if (enrolments_all(db, row->id, arena, &all, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "id", json_id("enr", all[i].id), "sequence", all[i].sequence,
				"step", all[i].step, "state", enrolment_names[all[i].state], "why", all[i].why, "entered", json_time(all[i].entered),
				"ended", json_time(all[i].ended), "due", json_time(all[i].state == ENROLMENT_ACTIVE ? all[i].due : 0)));
	json_object_set_new(json, "enrolments", list);
	return 0;
}

static int add_deliveries(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct delivery *all;
	json_t *list = json_array();
	size_t count, i;

	if (deliveries_of(db, row->id, 50, arena, &all, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:i,s:o,s:o,s:i,s:s}", "id", json_id("del", all[i].id), "template",
				all[i].template, "sequence", all[i].sequence, "step", all[i].step, "to", all[i].address, "state",
				delivery_state_names[all[i].state], "attempt", all[i].attempt, "planned", json_time(all[i].planned), "done",
				json_time(all[i].done), "code", all[i].code, "reply", all[i].reply));
	json_object_set_new(json, "deliveries", list);
	return 0;
}

static int add_events(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct event_row *all;
	json_t *list = json_array();
	size_t count, i;

	if (events_latest(db, row->id, NULL, 50, arena, &all, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++) {
		json_t *data = json_loads(all[i].data, 0, NULL);

		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:f,s:o}", "at", json_time(all[i].at), "name", all[i].name, "subject",
				all[i].subject, "points", all[i].points, "data", data ? data : json_object()));
	}
	json_object_set_new(json, "events", list);
	return 0;
}

static int add_consents(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct consent *all;
	json_t *list = json_array();
	size_t count, i;

	if (consents_of(db, row->id, arena, &all, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}", "at", json_time(all[i].at), "what", all[i].what, "purpose",
				all[i].purpose, "words", all[i].words, "form", all[i].form, "ip", all[i].ip));
	json_object_set_new(json, "consents", list);
	return 0;
}

static int add_lead(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct lead lead;
	int found = leads_last(db, row->id, arena, &lead, err);

	if (found < 0)
		return -1;
	json_object_set_new(json, "lead", !found ? json_null() : json_pack("{s:o,s:s,s:s,s:s,s:o,s:s,s:f}", "id", json_id("led", lead.id), "state",
			lead.state, "owner", lead.owner, "reason", lead.reason, "at", json_time(lead.at), "answer", lead.answer, "amount", lead.amount));
	return 0;
}

static int add_journal(struct db *db, const struct prospect *row, struct arena *arena, json_t *json, struct err *err)
{
	struct journal_row *all;
	json_t *list = json_array();
	size_t count, i;

	if (journal_of(db, row->id, 100, arena, &all, &count, err)) {
		json_decref(list);
		return -1;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:s}", "at", json_time(all[i].at), "kind", all[i].kind, "what", all[i].what, "why",
				all[i].why));
	json_object_set_new(json, "journal", list);
	return 0;
}

static int print(json_t *json, int rc, struct buf *out, struct err *err)
{
	char *text = rc ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

	json_decref(json);
	if (rc)
		return -1;
	if (!text)
		return err_set(err, "a stored text is not valid UTF-8");
	buf_str(out, text);
	free(text);
	return 1;
}

int look_prospect(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	int rc = find(db, id_or_address, arena, &row, err);

	if (rc == 1) {
		json_t *json = person_json(plan, &row);

		rc = print(json, add_suppression(db, &row, arena, json, err) || add_terms(db, plan, &row, arena, json, err) ||
				add_enrolments(db, &row, arena, json, err) || add_deliveries(db, &row, arena, json, err) ||
				add_events(db, &row, arena, json, err) || add_consents(db, &row, arena, json, err) ||
				add_lead(db, &row, arena, json, err), out, err);
	}
	arena_free(&arena);
	return rc;
}

int look_why(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	int rc = find(db, id_or_address, arena, &row, err);

	if (rc == 1) {
		json_t *json = person_json(plan, &row);

		rc = print(json, add_suppression(db, &row, arena, json, err) || add_terms(db, plan, &row, arena, json, err) ||
				add_enrolments(db, &row, arena, json, err) || add_lead(db, &row, arena, json, err) ||
				add_journal(db, &row, arena, json, err), out, err);
	}
	arena_free(&arena);
	return rc;
}
