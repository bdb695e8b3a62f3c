/*
 * view.c: see view.h. The rows are the store's; what a person looks like is decide's.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "decide/sequences.h"
#include "store/rows.h"
#include "store/store.h"

#include "view.h"

#define LEADS_MAX 100

const char *const view_lanes[] = { [LANE_TIME] = "time", [LANE_SEND] = "send", [LANE_ALERT] = "alert",
	[LANE_SEND_FIRST] = "send first" };

/* --- counts ----------------------------------------------------------------------------------------- */

int view_count_deliveries(struct db *db, int state, int64_t *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct delivery *rows;
	size_t count = 0;
	int rc = deliveries_in_state(db, (enum delivery_state)state, VIEW_MAX, arena, &rows, &count, err);

	arena_free(&arena);
	*out = (int64_t)count;
	return rc < 0 ? -1 : 0;
}

int view_count_alerts(struct db *db, int state, int64_t *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct alert *rows;
	size_t count = 0;
	int rc = alerts_in_state(db, (enum alert_state)state, VIEW_MAX, arena, &rows, &count, err);

	arena_free(&arena);
	*out = (int64_t)count;
	return rc < 0 ? -1 : 0;
}

/* --- status ----------------------------------------------------------------------------------------- */

static json_t *lanes_json(const struct view_at *at, struct db *db, struct err *err)
{
	json_t *list = json_array();
	enum lane lane;

	for (lane = 0; lane < LANES; lane++) {
		int64_t next = queue_next_due(at->store, lane);
		struct estimate due, all;

		if (queue_depth(db, lane, at->now, &due, &all, err) < 0) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o, s:f, s:b}",
			"lane", view_lanes[lane],
			"due", (json_int_t)due.count,
			"waiting", (json_int_t)all.count,
			"next", answer_time(next == TIME_NEVER ? 0 : next),
			"late_seconds", due.count && next < at->now ? (double)(at->now - next) / 1e6 : 0.0,
			"estimated", due.estimated || all.estimated));
	}
	return list;
}

static json_t *store_json(struct store *store)
{
	struct store_counts c;

	store_counts(store, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:f, s:f, s:I, s:I, s:I}",
		"commits", (json_int_t)c.commits,
		"jobs", (json_int_t)c.jobs,
		"refused", (json_int_t)c.refused,
		"failed", (json_int_t)c.failed,
		"waiting", (json_int_t)c.waiting,
		"mean_commit_seconds", c.commits ? (double)c.commit_us / 1e6 / (double)c.commits : 0.0,
		"longest_commit_seconds", (double)c.commit_us_max / 1e6,
		"syncs", (json_int_t)c.syncs,
		"mean_sync_seconds", c.syncs ? (double)c.sync_us / 1e6 / (double)c.syncs : 0.0,
		"longest_sync_seconds", (double)c.sync_us_max / 1e6,
		"db_bytes", (json_int_t)c.db_bytes,
		"wal_bytes", (json_int_t)c.wal_bytes,
		"disk_free_bytes", (json_int_t)c.disk_free);
}

static json_t *plan_json(const struct plan *plan)
{
	struct buf digest = BUF_INIT;
	json_t *json;

	text_hex(&digest, plan->digest, 6);
	json = json_pack("{s:s, s:I, s:I, s:I, s:I}",
		"version", buf_cstr(&digest),
		"sequences", (json_int_t)plan->sequence_count,
		"lists", (json_int_t)plan->list_count,
		"forms", (json_int_t)plan->form_count,
		"templates", (json_int_t)plan->mail_count);
	buf_clear(&digest);
	return json;
}

#define ALARMS_SHOWN (7 * US_DAY)
#define HITS_DAYS 7

static json_t *alarm_json(const void *row)
{
	const struct alarm *a = row;

	return json_pack("{s:o, s:o, s:o, s:I, s:o}",
		"last", answer_time(a->last),
		"kind", answer_text(a->kind),
		"what", answer_text(a->what),
		"times", (json_int_t)a->times,
		"sample", answer_text(a->sample));
}

/* What a person must see to, of the last days; NULL with err. */
static json_t *alarms_json(struct db *db, int64_t now, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct alarm *rows;
	size_t count;
	json_t *list = NULL;

	if (alarms_since(db, now - ALARMS_SHOWN, VIEW_MAX, arena, &rows, &count, err) == 0)
		list = answer_rows(rows, count, sizeof(*rows), alarm_json);
	arena_free(&arena);
	return list;
}

int view_status(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	int64_t unknown, deferred, dead, damaged;
	struct estimate prospects;
	struct err why = { .text = "" };
	bool ready = store_ready(at->store, &why);
	json_t *lanes, *alarms, *lately = NULL;

	if (prospects_estimate(db, &prospects, err) < 0 ||
		view_count_deliveries(db, DELIVERY_UNKNOWN, &unknown, err) < 0 ||
		view_count_deliveries(db, DELIVERY_DEFERRED, &deferred, err) < 0 ||
		view_count_alerts(db, ALERT_DEAD, &dead, err) < 0 || packs_damaged(db, &damaged, err) < 0)
		return -1;
	alarms = alarms_json(db, at->now, err);
	if (!alarms)
		return -1;
	lanes = look_hits_lately(db, at->now, HITS_DAYS, &lately, err) ? NULL : lanes_json(at, db, err);
	if (!lanes) {
		json_decref(lately);
		json_decref(alarms);
		return -1;
	}
	return answer_give(out, json_pack("{s:s, s:o, s:b, s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"version", VERSION,
		"started", answer_time(at->started),
		"ready", ready,
		"trouble", ready ? "" : why.text,
		"prospects", (json_int_t)prospects.count,
		"prospects_estimated", prospects.estimated,
		"mails_unknown", (json_int_t)unknown,
		"mails_deferred", (json_int_t)deferred,
		"alerts_dead", (json_int_t)dead,
		"hits_damaged", (json_int_t)damaged,
		"mails_of_7_days", lately,
		"alarms", alarms,
		"config", plan_json(at->plan),
		"relays", json_loads(at->relays, 0, NULL),
		"mailboxes", json_loads(at->mailboxes, 0, NULL),
		"lanes", lanes,
		"store", store_json(at->store)), err);
}

/* --- queue ------------------------------------------------------------------------------------------ */

static json_t *delivery_json(const void *row)
{
	const struct delivery *d = row;

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:o, s:i, s:o}",
		"delivery", answer_id("del", d->id),
		"prospect", answer_id("pro", d->prospect),
		"state", delivery_state_names[d->state],
		"template", answer_text(d->template),
		"address", answer_text(d->address),
		"planned", answer_time(d->planned),
		"attempts", d->attempt,
		"done", answer_time(d->done),
		"code", d->code,
		"reply", answer_text(d->reply));
}

static int list_deliveries(struct db *db, enum delivery_state state, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct delivery *rows;
	size_t count;
	int rc = deliveries_in_state(db, state, VIEW_MAX, arena, &rows, &count, err);

	if (rc >= 0)
		rc = answer_give(out, answer_rows(rows, count, sizeof(*rows), delivery_json), err);
	arena_free(&arena);
	return rc;
}

/* The host: in many chat services the rest of the URL is the secret. */
static json_t *target_json(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return json_stringn(host, strcspn(host, "/?#"));
}

static json_t *alert_json(const void *row)
{
	const struct alert *a = row;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:i, s:o}",
		"alert", answer_id("alr", a->id),
		"lead", answer_id("led", a->lead),
		"prospect", answer_id("pro", a->prospect),
		"to", target_json(a->url),
		"as", answer_text(a->as),
		"created", answer_time(a->created),
		"attempts", a->attempt,
		"done", answer_time(a->done),
		"code", a->code,
		"error", answer_text(a->error));
}

static int list_alerts(struct db *db, enum alert_state state, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct alert *rows;
	size_t count;
	int rc = alerts_in_state(db, state, VIEW_MAX, arena, &rows, &count, err);

	if (rc >= 0)
		rc = answer_give(out, answer_rows(rows, count, sizeof(*rows), alert_json), err);
	arena_free(&arena);
	return rc;
}

#define HELD_MOST 200000	/* looked at */
#define HELD_REASONS 50

static json_t *one_held_json(const void *row)
{
	const struct held *h = row;
	json_t *why = h->state == DELIVERY_DEFERRED && h->code ? json_sprintf("the relay put it off: %d", h->code) :
		h->state == DELIVERY_DEFERRED && !*h->why ? json_string("the relay was not reached, or broke off") : answer_text(*h->why ? h->why : "planned");

	return json_pack("{s:o, s:I, s:o, s:o}", "why", why, "mails", (json_int_t)h->mails, "oldest_since", answer_time(h->oldest), "next", answer_time(h->next));
}

static json_t *held_json(const struct view_at *at, struct db *db, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct held *rows;
	size_t count;
	json_t *list = NULL;

	if (held_by_reason(db, at->now, HELD_MOST, HELD_REASONS, arena, &rows, &count, err) == 0)
		list = answer_rows(rows, count, sizeof(*rows), one_held_json);
	arena_free(&arena);
	return list;
}

int view_queue(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	json_t *lanes, *held;

	if (strcmp(at->argument, "unknown") == 0)
		return list_deliveries(db, DELIVERY_UNKNOWN, out, err);
	if (strcmp(at->argument, "deferred") == 0)
		return list_deliveries(db, DELIVERY_DEFERRED, out, err);
	if (strcmp(at->argument, "dead") == 0)
		return list_alerts(db, ALERT_DEAD, out, err);
	lanes = lanes_json(at, db, err);
	held = lanes ? held_json(at, db, err) : NULL;
	if (held)
		return answer_give(out, json_pack("{s:o, s:o}", "lanes", lanes, "held", held), err);
	json_decref(lanes);
	return -1;
}

/* --- leads ------------------------------------------------------------------------------------------ */

static json_t *lead_json(const struct lead *l, const char *address)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}",
		"lead", answer_id("led", l->id),
		"prospect", answer_id("pro", l->prospect),
		"address", answer_text(address),
		"state", answer_text(l->state),
		"owner", answer_text(l->owner),
		"hot", answer_time(l->at),
		"because", answer_text(l->reason),
		"answered", answer_time(l->answered),
		"answer", answer_text(l->answer),
		"amount", l->amount);
}

int view_leads(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	json_t *list = json_array();
	struct lead *rows;
	size_t count = 0, i;
	int rc = leads_latest(db, LEADS_MAX, arena, &rows, &count, err);

	for (i = 0; rc >= 0 && i < count; i++) {
		struct prospect person = { .address = "" };

		/* an erased person leaves the lead without an address */
		rc = prospects_find(db, rows[i].prospect, arena, &person, err);
		if (rc >= 0)
			json_array_append_new(list, lead_json(&rows[i], person.address));
	}
	if (rc < 0)
		json_decref(list);
	else
		rc = answer_give(out, list, err);
	arena_free(&arena);
	return rc;
}

/* --- one person ------------------------------------------------------------------------------------- */

int view_suppression(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct suppression row;
	struct address address;
	struct arena *arena;
	int got;

	if (address_parse(at->argument, &address, err) < 0)
		return -1;
	arena = arena_new(0);
	got = suppressions_find(db, address.key, arena, &row, err);
	if (got == 1)
		got = answer_give(out, json_pack("{s:s, s:o, s:o, s:o}",
			"address", address.text,
			"reason", answer_text(row.reason),
			"since", answer_time(row.at),
			"source", answer_text(row.source)), err);
	arena_free(&arena);
	return got;
}

int view_consents(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	int64_t counts[CONSENT_KINDS] = { 0 };
	struct err first = { "" }, why;
	json_t *rows = json_object();
	int bucket, broken = 0, i;

	for (bucket = 0; bucket < BUCKETS; bucket++) {
		if (consents_verify(db, (uint16_t)bucket, counts, &why) == 0)
			continue;
		if (!broken++)
			first = why;
	}
	for (i = 0; i < CONSENT_KINDS; i++)
		json_object_set_new(rows, consent_kinds[i], json_integer((json_int_t)counts[i]));
	if (broken) {
		json_decref(rows);
		return err_set(err, "%s; of the %d chains %d %s broken", first.text, BUCKETS, broken, broken == 1 ? "is" : "are");
	}
	return answer_give(out, json_pack("{s:b, s:i, s:o}", "good", 1, "chains", BUCKETS, "rows", rows), err);
}

int view_sequences(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_sequences(at->plan, db, out, err);
}

int view_export(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_export(at->plan, db, at->argument, out, err);
}

int view_score(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_score(at->plan, db, at->argument, at->explain, out, err);
}

int view_eval(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_eval(at->plan, db, at->expression, at->argument, at->explain, out, err);
}

int view_person(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_prospect(at->plan, db, at->argument, out, err);
}

int view_hits(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_hits(at->plan, db, at->argument, out, err);
}

int view_reasons(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	return look_why(at->plan, db, at->argument, out, err);
}
