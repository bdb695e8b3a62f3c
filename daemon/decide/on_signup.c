/*
 * on_signup.c: somebody filled in a form, and perhaps confirmed it.
 *
 * With `confirm: double` a sign-up of somebody who has not consented yet is only kept, and a confirmation mail planned; it takes effect (as event
 * `signup`: score, sequences, download) when they confirm. What the form said goes into the consent ledger in both cases.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "person.h"
#include "shape.h"

METRIC(pending, COUNTER, "nurtured_signups_total", "result=\"pending\"", "Sign-ups by result.");
METRIC(accepted, COUNTER, "nurtured_signups_total", "result=\"accepted\"", "Sign-ups by result.");
METRIC(repeated, COUNTER, "nurtured_signups_total", "result=\"repeated\"", "Sign-ups by result.");
METRIC(confirmed, COUNTER, "nurtured_signups_total", "result=\"confirmed\"", "Sign-ups by result.");

static const char *signup_data(const struct signup *fact, struct arena *arena)
{
	json_t *json = json_object();
	const char *out;
	char *text;
	size_t i;

	json_object_set_new(json, "form", json_string(fact->form));
	if (*fact->page)
		json_object_set_new(json, "page", json_string(fact->page));
	for (i = 0; i < fact->field_count; i++)
		json_object_set_new(json, fact->fields[i].name, json_string(fact->fields[i].value));
	text = json_dumps(json, JSON_COMPACT);
	out = arena_strdup(arena, text ? text : "{}");
	free(text);
	json_decref(json);
	return out;
}

/* Confirmations, downloads that were asked for, replies to be forwarded, mails to look at: no crowd of other mails holds them up. */
static enum lane lane_of(const struct delivery *d)
{
	return d->kind != DELIVERY_STEP || *d->download ? LANE_SEND_FIRST : LANE_SEND;
}

int mail_plan(struct db *db, struct delivery *d, int64_t due, struct err *err)
{
	if (!d->id)
		d->id = id_new(id_bucket(d->prospect), d->planned);
	if (deliveries_put(db, d, err))
		return -1;
	return queue_add(db, &(struct queue_row){ .id = id_new(id_bucket(d->id), clock_now()), .lane = lane_of(d), .due = due, .kind = QUEUE_MAIL,
			.prospect = d->prospect, .ref = d->id, .name = "" }, err);
}

static int fill_fields(struct person *p, const struct form *form, const struct signup *fact, struct err *err)
{
	size_t i, k;

	for (i = 0; i < fact->field_count; i++) {
		for (k = 0; k < form->field_count; k++) {
			if (strcmp(p->plan->fields[form->fields[k]].name, fact->fields[i].name) != 0)
				continue;
			if (person_set_field(p, form->fields[k], fact->fields[i].value, form->trust_overwrite, err))
				return -1;
		}
	}
	if (*fact->language && !*p->row.language) {
		p->row.language = fact->language;
		person_mark_symbol(p, p->plan->symbol_language);
	}
	if (*fact->timezone && !*p->row.timezone)
		p->row.timezone = fact->timezone;
	p->changed = true;
	return 0;
}

/* form NULL: it is gone from the config since. */
static int take_effect(struct person *p, const char *name, const struct form *form, const char *data, struct err *err)
{
	bool consented = p->row.consent == CONSENT_GIVEN;

	person_consent(p, form && !form->confirm_double ? form->basis : BASIS_EXPRESS);
	p->row.form = name;
	person_mark_symbol(p, p->plan->symbol_form);
	return person_sign_up_topics(p, form, consented, err) || person_happen(p, "signup", name, data, NULL, err) ? -1 : 0;
}

static const struct mail_template *confirm_mail(const struct plan *plan, const struct form *form)
{
	return form->confirm_mail ? form->confirm_mail : plan_mail(plan, "confirm");
}

static int ask_to_confirm(struct person *p, const struct form *form, int64_t consent, struct err *err)
{
	struct delivery mail = {
		.prospect = p->row.id, .kind = DELIVERY_CONFIRM, .state = DELIVERY_PLANNED, .sequence = "", .step = "",
		.template = plan_mail_in(p->plan, confirm_mail(p->plan, form), p->row.language)->name, .address = p->row.address, .download = "", .ref = consent, .planned = p->now,
		.reply = "", .relay_id = "",
	};

	if (p->row.consent != CONSENT_GIVEN)
		p->row.consent = CONSENT_PENDING;
	p->row.form = form->name;
	p->changed = true;
	return mail_plan(p->db, &mail, p->now, err);
}

static int apply(struct person *p, const struct form *form, const struct signup *fact, struct signup_result *out, struct err *err)
{
	const char *data = signup_data(fact, p->arena);
	struct consent c = {
		.id = out->id, .prospect = p->row.id, .purpose = form->consent_purpose, .words = form->consent_words, .form = form->name,
		.page = fact->page, .ip = fact->ip, .agent = fact->agent, .data = data, .at = p->now, .basis = basis_names[form->basis],
		.version = form->consent_version, .actor = "prospect",
	};
	int64_t lasts = basis_lasts(form->basis);

	/* who unsubscribed must say themselves that they want mail again: anybody can post a form */
	out->must_confirm = (form->confirm_double && p->row.consent != CONSENT_GIVEN) ||
			(p->row.consent == CONSENT_WITHDRAWN && confirm_mail(p->plan, form));
	c.what = out->must_confirm ? "requested" : lasts ? "implied" : "granted";
	c.until = lasts ? p->now + lasts : 0;
	if (fill_fields(p, form, fact, err) || consents_add(p->db, &c, err))
		return -1;
	if (out->must_confirm ? ask_to_confirm(p, form, out->id, err) : take_effect(p, form->name, form, data, err))
		return -1;
	return visitor_join(p, fact->anonymous_id, err);
}

/*
 * 1: the key was taken before, and out->id is what was answered then. A key that is only the hash of what was posted does not hold for who
 * has withdrawn their consent since: they have filled in the form anew.
 */
static int was_answered(struct db *db, const struct signup *fact, const struct person *p, int known, struct arena *arena, struct signup_result *out,
		struct err *err)
{
	const char *answer = NULL, *key = fact->key;
	char id[ID_TEXT];
	int rc;

	if (!key)
		return 0;
	if (known && p->row.consent == CONSENT_WITHDRAWN && strstr(key, "/body:"))
		key = arena_printf(arena, "%s/after %lld", key, (long long)p->row.changed);
	rc = once_take(db, fact->address->bucket, key, fact->at, id_text("con", out->id, id), arena, &answer, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	out->repeated = true;
	db_count(db, &metric_repeated, 1);
	return id_parse("con", answer, &out->id) ? err_set(err, "a stored answer is damaged: %s", answer) : 1;
}

int on_signup(struct decide *d, struct db *db, const struct signup *fact, struct signup_result *out, struct err *err)
{
	const struct form *form = plan_form(d->working, fact->form);
	struct arena *arena = decide_arena(d);
	struct person p;
	int known, rc;

	CRASH_POINT("signup.after_parse");
	if (!form)
		return err_set(err, "no form named %s", fact->form);
	*out = (struct signup_result){ .id = id_new(fact->address->bucket, fact->at) };
	/* so that it is known when their mail is due: who awaits it waits for no DNS */
	if (shape_know(d->shape, db, fact->address->domain, fact->at, err) < 0)
		return -1;
	known = person_find(d, db, fact->address->key, fact->at, &p, err);
	if (known < 0)
		return -1;
	rc = was_answered(db, fact, &p, known, arena, out, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!known)
		person_create(d, db, fact->address, fact->at, &p);
	if (known && judge_form(&p, err))
		return -1;
	if (apply(&p, form, fact, out, err) || person_settle(&p, err))
		return -1;
	db_count(db, out->must_confirm ? &metric_pending : &metric_accepted, 1);
	return 0;
}

/* 1 this request was confirmed before. */
static int was_confirmed(struct db *db, const struct consent *request, struct arena *arena, struct err *err)
{
	struct consent *all;
	size_t count, i;

	if (consents_of(db, request->prospect, arena, &all, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (all[i].ref == request->id && strcmp(all[i].what, "confirmed") == 0)
			return 1;
	return 0;
}

/* Who confirms wants mail again, whatever they said before, and though they were erased; an address that bounced or complained stays suppressed. */
static int lift_suppression(struct person *p, struct err *err)
{
	struct suppression s;
	int found = suppressions_find_in(p->db, person_bucket(p), p->row.key, p->arena, &s, err);

	if (found < 0)
		return -1;
	if (!found || !suppression_yields(s.reason))
		return 0;
	return suppressions_remove(p->db, p->row.key, err) < 0 ? -1 : 0;
}

static void show_request(const struct consent *request, const struct prospect *row, struct confirmation_result *out)
{
	out->found = true;
	snprintf(out->form, sizeof(out->form), "%s", request->form);
	snprintf(out->language, sizeof(out->language), "%s", row->language);
}

int look_confirmation(struct db *db, int64_t consent, struct confirmation_result *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct consent request;
	struct prospect row;
	int rc = consents_find(db, consent, arena, &request, err);

	*out = (struct confirmation_result){ .found = false };
	if (rc == 1)
		rc = prospects_find(db, request.prospect, arena, &row, err);
	if (rc == 1) {
		show_request(&request, &row, out);
		rc = was_confirmed(db, &request, arena, err);
		out->repeated = rc == 1;
	}
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

int on_confirm(struct decide *d, struct db *db, const struct confirmation *fact, struct confirmation_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct consent request, confirmed;
	struct person p;
	int found = consents_find(db, fact->consent, arena, &request, err), before;

	*out = (struct confirmation_result){ .found = found == 1 };
	if (found <= 0)
		return found;
	found = person_load(d, db, request.prospect, fact->at, &p, err);
	if (found <= 0) {
		out->found = false;
		return found;
	}
	show_request(&request, &p.row, out);
	before = was_confirmed(db, &request, arena, err);
	if (before < 0)
		return -1;
	if (before) {
		out->repeated = true;
		return 0;
	}
	confirmed = request;
	confirmed.id = id_new(id_bucket(p.row.id), p.now);
	confirmed.what = "confirmed";
	confirmed.ref = request.id;
	confirmed.ip = fact->ip;
	confirmed.agent = fact->agent;
	confirmed.at = p.now;
	confirmed.basis = basis_names[BASIS_EXPRESS];
	confirmed.until = 0;
	confirmed.actor = "prospect";
	if (consents_add(db, &confirmed, err) || lift_suppression(&p, err) ||
			take_effect(&p, request.form, plan_form(p.plan, request.form), request.data, err) ||
			person_settle(&p, err))
		return -1;
	db_count(db, &metric_confirmed, 1);
	log_info("consent.confirmed", L_ID("prospect", "pro", p.row.id), L_STR("form", request.form));
	return 0;
}
