/*
 * on_unsubscribe.c: no more mail: because they said so, or because their address or their mailbox provider did.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "person.h"

METRIC(unsubscribed, COUNTER, "nurtured_suppressions_total", "reason=\"unsubscribe\"", "Addresses suppressed, by reason.");
METRIC(bounced, COUNTER, "nurtured_suppressions_total", "reason=\"hard_bounce\"", "Addresses suppressed, by reason.");
METRIC(softly, COUNTER, "nurtured_suppressions_total", "reason=\"soft_bounces\"", "Addresses suppressed, by reason.");
METRIC(complained, COUNTER, "nurtured_suppressions_total", "reason=\"complaint\"", "Addresses suppressed, by reason.");
METRIC(erased, COUNTER, "nurtured_suppressions_total", "reason=\"erased\"", "Addresses suppressed, by reason.");
METRIC(by_hand, COUNTER, "nurtured_suppressions_total", "reason=\"manual\"", "Addresses suppressed, by reason.");

bool suppression_yields(const char *reason)
{
	return strcmp(reason, "unsubscribe") == 0 || strcmp(reason, "erased") == 0;
}

static void count(struct db *db, const char *reason)
{
	if (strcmp(reason, "unsubscribe") == 0)
		db_count(db, &metric_unsubscribed, 1);
	else if (strcmp(reason, "hard_bounce") == 0)
		db_count(db, &metric_bounced, 1);
	else if (strcmp(reason, "soft_bounces") == 0)
		db_count(db, &metric_softly, 1);
	else if (strcmp(reason, "complaint") == 0)
		db_count(db, &metric_complained, 1);
	else if (strcmp(reason, "erased") == 0)
		db_count(db, &metric_erased, 1);
	else
		db_count(db, &metric_by_hand, 1);
}

static int suppress(struct decide *d, struct db *db, const char *key, uint16_t bucket, const char *reason, const char *source, int64_t at, struct err *err)
{
	struct suppression before;
	uint8_t hash[32];
	int found;

	/* the first reason stays, but for one that a confirmation lifts: what came after must outlive that */
	found = suppression_yields(reason) ? 0 : suppressions_find(db, key, d->arena, &before, err);
	if (found < 0 || (found && suppression_yields(before.reason) && suppressions_remove(db, key, err) < 0))
		return -1;
	suppressions_hash(db, key, hash);
	if (suppressions_add(db, &(struct suppression){ .bucket = bucket, .hash = hash, .reason = reason, .at = at, .source = source }, err))
		return -1;
	count(db, reason);
	return 0;
}

static int suppress_person(struct person *p, const char *reason, const char *source, int64_t since, struct err *err)
{
	if (suppress(p->d, p->db, p->row.key, person_bucket(p), reason, source, since, err) ||
			person_journal(p, "suppress", reason, source, err))
		return -1;
	log_info("suppressed", L_ID("prospect", "pro", p->row.id), L_STR("reason", reason), L_STR("source", source));
	return person_stop(p, reason, err);
}

int person_suppress(struct person *p, const char *reason, const char *source, struct err *err)
{
	return suppress_person(p, reason, source, p->now, err);
}

/* A row of the ledger that ends something. */
static int note(struct person *p, struct consent c, struct err *err)
{
	const struct form *form = plan_form(p->plan, p->row.form);

	c.id = id_new(id_bucket(p->row.id), p->now);
	c.prospect = p->row.id;
	c.purpose = form ? form->consent_purpose : "";
	c.form = p->row.form;
	c.page = "";
	c.at = p->now;
	return consents_add(p->db, &c, err);
}

/* Where it came from, for the row's data. */
static const char *source_json(struct person *p, const char *by, int64_t delivery)
{
	json_t *json = json_pack("{s:s, s:o}", "by", by, "mail", answer_id("del", delivery));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	const char *out = arena_strdup(p->arena, text ? text : "{}");

	free(text);
	json_decref(json);
	return out;
}

static int leave(struct person *p, const char *how, const char *source, struct err *err)
{
	p->row.consent = CONSENT_WITHDRAWN;
	p->changed = true;
	return person_suppress(p, "unsubscribe", source, err) || person_happen(p, "unsubscribe", how, "{}", NULL, err) ? -1 : 0;
}

int person_unsubscribe(struct person *p, const char *how, const char *source, const char *ip, const char *agent, struct err *err)
{
	struct consent c = { .what = "withdrawn", .words = how, .ip = ip, .agent = agent, .data = "{}", .actor = "prospect" };

	return note(p, c, err) || leave(p, how, source, err) ? -1 : 0;
}

/* Was what they are mailed for said by themselves, so that it is for them to take back? By the latest of what it rests on. */
static int was_express(struct person *p, bool *out, struct err *err)
{
	struct consent *all;
	size_t count, i;

	if (consents_of(p->db, p->row.id, p->arena, &all, &count, err))
		return -1;
	*out = false;
	for (i = 0; i < count; i++) {
		if (*all[i].basis)
			*out = strcmp(all[i].basis, basis_names[BASIS_EXPRESS]) == 0;
		else if (strcmp(all[i].what, "granted") == 0 || strcmp(all[i].what, "confirmed") == 0)
			*out = true;	/* of a time when nothing else was known */
	}
	return 0;
}

int person_refuse(struct person *p, const char *words, const char *by, int64_t delivery, const char *reason, struct err *err)
{
	struct consent c = { .what = "objected", .words = words, .ip = "", .agent = "", .data = source_json(p, by, delivery), .actor = "prospect" };
	bool left = p->row.consent == CONSENT_WITHDRAWN, express;

	if (was_express(p, &express, err))
		return -1;
	if (!reason && express)
		c.what = "withdrawn";
	if (note(p, c, err))
		return -1;
	if (reason) {
		p->row.consent = CONSENT_WITHDRAWN;
		p->changed = true;
		return person_suppress(p, reason, "a reply", err);
	}
	return left ? 0 : leave(p, "reply", "a reply that asks for it", err);
}

int person_complain(struct person *p, const char *by, const struct delivery *about, const char *source, struct err *err)
{
	struct consent c = { .what = "complained", .words = "", .ip = "", .agent = "", .data = source_json(p, by, about->id), .actor = "mailbox" };

	return note(p, c, err) || person_suppress(p, "complaint", source, err) ||
		person_happen(p, "complaint", mail_base(p->arena, about->template), "{}", NULL, err) ? -1 : 0;
}

/* Whoever tries the link of a test mail sees the pages that others would, and nothing happens. */
static void test_mail_left(const struct delivery *mail, bool repeated, struct unsubscribe_result *out)
{
	out->found = true;
	out->repeated = repeated;
	snprintf(out->address, sizeof(out->address), "%s", mail->address);
}

static void show_person(const struct prospect *row, struct unsubscribe_result *out)
{
	out->found = true;
	out->prospect = row->id;
	snprintf(out->address, sizeof(out->address), "%s", row->address);
	snprintf(out->language, sizeof(out->language), "%s", row->language);
}

int on_unsubscribe(struct decide *d, struct db *db, const struct unsubscribe *fact, struct unsubscribe_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail = { .prospect = fact->prospect };
	struct person p;
	char id[ID_TEXT] = "";
	int found = fact->delivery ? deliveries_find(db, fact->delivery, arena, &mail, err) : 1;

	*out = (struct unsubscribe_result){ .found = false };
	if (found == 1 && mail.kind == DELIVERY_TEST) {
		test_mail_left(&mail, true, out);
		return 0;
	}
	if (found <= 0 || !mail.prospect)
		return found < 0 ? -1 : 0;
	found = person_load(d, db, mail.prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	show_person(&p.row, out);
	if (p.row.consent == CONSENT_WITHDRAWN) {
		out->repeated = true;
		return 0;
	}
	if (person_unsubscribe(&p, fact->how, fact->delivery ? id_text("del", mail.id, id) : "preferences", fact->ip, fact->agent, err) || person_settle(&p, err))
		return -1;
	CRASH_POINT("unsubscribe.before_commit");
	return 0;
}

int look_delivery(struct db *db, int64_t delivery, struct unsubscribe_result *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct delivery mail;
	struct prospect row;
	int found = deliveries_find(db, delivery, arena, &mail, err);

	*out = (struct unsubscribe_result){ .found = false };
	if (found == 1 && mail.kind == DELIVERY_TEST) {
		test_mail_left(&mail, false, out);
		found = 0;
	} else if (found == 1) {
		found = mail.prospect ? prospects_find(db, mail.prospect, arena, &row, err) : 0;
	}
	if (found == 1) {
		show_person(&row, out);
		out->repeated = row.consent == CONSENT_WITHDRAWN;
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

/* Does a new reason change what is there? found: of the row before. */
static bool is_news(int found, const struct suppression *before, const char *reason)
{
	return !found || (suppression_yields(before->reason) && !suppression_yields(reason));
}

int on_suppress(struct decide *d, struct db *db, const struct manual_suppression *fact, bool *changed_out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	int64_t since = fact->since ? fact->since : fact->at;
	struct suppression before;
	struct person p;
	int found = suppressions_find(db, fact->address->key, arena, &before, err);

	if (found < 0)
		return -1;
	*changed_out = fact->remove ? found == 1 : is_news(found, &before, fact->reason);
	if (!*changed_out)
		return 0;
	if (fact->remove)
		return suppressions_remove(db, fact->address->key, err) < 0 ? -1 : 0;
	found = person_find(d, db, fact->address->key, fact->at, &p, err);
	if (found < 0)
		return -1;
	if (!found)
		return suppress(d, db, fact->address->key, fact->address->bucket, fact->reason, fact->by, since, err);
	return suppress_person(&p, fact->reason, fact->by, since, err) || person_settle(&p, err) ? -1 : 0;
}

static int list_hash(struct db *db, struct arena *arena, const struct suppression_list *list, struct listed *row, struct err *err)
{
	struct suppression s = { .reason = row->reason, .source = row->source, .at = row->since ? row->since : list->at }, before;
	struct err why;
	uint8_t hash[32];
	int found;

	if (suppressions_parse(db, row->hash, &s.bucket, hash, &why) < 0) {
		row->end = LISTED_WRONG;
		snprintf(row->why, sizeof(row->why), "%s", why.text);
		return 0;
	}
	s.hash = hash;
	found = suppressions_find_hash(db, s.bucket, hash, arena, &before, err);
	row->end = found ? LISTED_KNOWN : LISTED_NEW;
	if (found < 0 || found || list->dry)
		return found < 0 ? -1 : 0;
	count(db, s.reason);
	return suppressions_add(db, &s, err);
}

static int list_address(struct decide *d, struct db *db, struct arena *arena, const struct suppression_list *list, struct listed *row, struct err *err)
{
	struct manual_suppression fact = { .address = row->address, .reason = row->reason, .by = row->source, .since = row->since, .at = list->at };
	struct suppression before;
	bool changed;
	int found;

	if (list->dry) {
		found = suppressions_find(db, row->address->key, arena, &before, err);
		changed = is_news(found, &before, row->reason);
	} else {
		found = on_suppress(d, db, &fact, &changed, err);
	}
	row->end = changed ? LISTED_NEW : LISTED_KNOWN;
	return found < 0 ? -1 : 0;
}

int on_suppress_all(struct decide *d, struct db *db, const struct suppression_list *list, struct err *err)
{
	struct arena *arena = arena_new(0);
	size_t i;
	int rc = 0;

	for (i = 0; i < list->count && rc == 0; i++) {
		struct listed *row = &list->rows[i];

		arena_reset(arena);
		rc = row->address ? list_address(d, db, arena, list, row, err) : list_hash(db, arena, list, row, err);
	}
	arena_free(&arena);
	return rc;
}
