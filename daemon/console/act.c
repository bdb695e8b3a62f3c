/*
 * act.c: see act.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/text.h"
#include "decide/facts.h"
#include "store/rows.h"
#include "store/store.h"

#include "act.h"

#define REASON_MAX 200

enum act_result { ACT_DONE, ACT_NOT_FOUND, ACT_NOT_DEAD };

struct act {
	struct store_job job;
	struct decide *decide;
	struct http_request *request;
	/* suppress */
	struct address address;
	char reason[REASON_MAX + 1];
	bool remove;
	bool changed;
	/* replay */
	int64_t alert;
	enum act_result result;
	/* a mail in doubt */
	struct doubt doubt;
	char why_not[200];
	/* erase */
	struct erasure erasure;
	struct erasure_result erased;
};

/* Takes the act in any case. */
static void submit(struct act *a)
{
	if (store_submit(decide_store(a->decide), &a->job, STORE_NORMAL) == 0)
		return;
	http_set_header(a->request, "Retry-After", "1");
	http_problem(a->request, 503, "nothing can be written now; see `nurturectl status`", NULL);
	free(a);
}

static void refuse(struct act *a, enum store_result result, const struct err *err)
{
	http_problem(a->request, result == STORE_FAILED ? 503 : 500, err->text, NULL);
	log_error("console.failed", L_STR("error", err->text));
}

/* --- suppressions ----------------------------------------------------------------------------------- */

static int suppress_run(struct store_job *job, struct db *db, struct err *err)
{
	struct act *a = (struct act *)job;
	struct manual_suppression fact = {
		.address = &a->address,
		.remove = a->remove,
		.reason = a->reason,
		.by = "nurturectl",
		.at = clock_now(),
	};

	return on_suppress(a->decide, db, &fact, &a->changed, err);
}

static void suppress_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct act *a = (struct act *)job;
	struct buf out = BUF_INIT;

	if (result != STORE_COMMITTED) {
		refuse(a, result, err);
	} else {
		buf_str(&out, "{\"address\":");
		text_json(&out, a->address.text, strlen(a->address.text));
		buf_printf(&out, ",\"suppressed\":%s,\"changed\":%s}", a->remove ? "false" : "true",
			a->changed ? "true" : "false");
		http_reply(a->request, 200, "application/json", out.data, out.len);
		buf_clear(&out);
	}
	free(a);
}

/* -1 has answered. */
static int read_suppression(struct http_request *r, struct act *a)
{
	struct slice body = http_body(r);
	json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *address = json_string_value(json_object_get(json, "address"));
	const char *reason = json_string_value(json_object_get(json, "reason"));
	struct err err;
	int rc = -1;

	if (!json_is_object(json) || !address)
		http_problem(r, 400, "the body must be {\"address\": \"...\", \"reason\": \"...\"}", NULL);
	else if (reason && (strlen(reason) > REASON_MAX || text_has_control(reason, strlen(reason))))
		http_problem(r, 422, "the reason must be one line of at most 200 bytes", NULL);
	else if (address_parse(address, &a->address, &err) < 0)
		http_problem(r, 422, err.text, NULL);
	else
		rc = 0;
	if (rc == 0)
		memcpy(a->reason, reason ? reason : "manual", strlen(reason ? reason : "manual") + 1);
	json_decref(json);
	return rc;
}

void act_suppress(struct decide *decide, struct http_request *r, bool remove)
{
	struct act *a = xcalloc(1, sizeof(*a));

	a->job = (struct store_job){ .run = suppress_run, .done = suppress_done };
	a->decide = decide;
	a->request = r;
	a->remove = remove;
	if (read_suppression(r, a) < 0)
		free(a);
	else
		submit(a);
}

/* --- dead letters ----------------------------------------------------------------------------------- */

/* Back into the lane with all its attempts before it. */
static int requeue(struct db *db, struct alert *alert, int64_t now, struct err *err)
{
	struct queue_row row = {
		.id = id_new(id_bucket(alert->id), now),
		.lane = LANE_ALERT,
		.due = now,
		.kind = QUEUE_ALERT,
		.prospect = alert->prospect,
		.ref = alert->id,
		.name = "",
	};

	alert->state = ALERT_WAITING;
	alert->attempt = 0;
	alert->due = now;
	alert->done = 0;
	if (alerts_update(db, alert, err) < 0 || queue_add(db, &row, err) < 0)
		return -1;
	return journal_add(db, alert->prospect, now, "alert", "replayed", "nurturectl", err);
}

static int replay_run(struct store_job *job, struct db *db, struct err *err)
{
	struct act *a = (struct act *)job;
	struct arena *arena = arena_new(0);
	struct alert alert;
	int rc = alerts_find(db, a->alert, arena, &alert, err);

	a->result = ACT_DONE;
	if (rc == 0)
		a->result = ACT_NOT_FOUND;
	else if (rc == 1 && alert.state != ALERT_DEAD)
		a->result = ACT_NOT_DEAD;
	else if (rc == 1)
		rc = requeue(db, &alert, clock_now(), err);
	arena_free(&arena);
	return rc < 0 ? -1 : 0;
}

static void replay_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct act *a = (struct act *)job;
	char id[ID_TEXT];
	struct buf out = BUF_INIT;

	if (result != STORE_COMMITTED) {
		refuse(a, result, err);
	} else if (a->result == ACT_NOT_FOUND) {
		http_problem(a->request, 404, "there is no such alert", NULL);
	} else if (a->result == ACT_NOT_DEAD) {
		http_problem(a->request, 409,
			"that alert is not dead: it was delivered, or it is still being tried", NULL);
	} else {
		buf_printf(&out, "{\"alert\":\"%s\",\"replayed\":true}", id_text("alr", a->alert, id));
		http_reply(a->request, 200, "application/json", out.data, out.len);
		buf_clear(&out);
	}
	free(a);
}

void act_replay(struct decide *decide, struct http_request *r)
{
	struct act *a = xcalloc(1, sizeof(*a));
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	char id[ID_TEXT];

	a->job = (struct store_job){ .run = replay_run, .done = replay_done };
	a->decide = decide;
	a->request = r;
	memcpy(id, rest, n < sizeof(id) ? n : 0);
	id[n < sizeof(id) ? n : 0] = '\0';
	if (strcmp(rest + n, "/replay") != 0 || id_parse("alr", id, &a->alert) < 0) {
		http_problem(r, 404, "that is no alert: its id begins with alr_, see /queue?dead", NULL);
		free(a);
		return;
	}
	submit(a);
}

/* --- mails in doubt --------------------------------------------------------------------------------- */

static int doubt_run(struct store_job *job, struct db *db, struct err *err)
{
	struct act *a = (struct act *)job;

	return on_doubt(a->decide, db, &a->doubt, a->why_not, err);
}

static void doubt_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct act *a = (struct act *)job;
	char id[ID_TEXT];
	struct buf out = BUF_INIT;

	if (result != STORE_COMMITTED) {
		refuse(a, result, err);
	} else if (a->why_not[0]) {
		http_problem(a->request, 409, a->why_not, NULL);
	} else {
		buf_printf(&out, "{\"delivery\":\"%s\",\"again\":%s}", id_text("del", a->doubt.delivery, id), a->doubt.again ? "true" : "false");
		http_reply(a->request, 200, "application/json", out.data, out.len);
		buf_clear(&out);
	}
	free(a);
}

void act_doubt(struct decide *decide, struct http_request *r)
{
	struct act *a = xcalloc(1, sizeof(*a));
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	char id[ID_TEXT];

	a->job = (struct store_job){ .run = doubt_run, .done = doubt_done };
	a->decide = decide;
	a->request = r;
	a->doubt = (struct doubt){ .again = strcmp(rest + n, "/again") == 0, .by = "nurturectl", .at = clock_now() };
	snprintf(id, sizeof(id), "%.*s", (int)(n < sizeof(id) ? n : 0), rest);
	if ((!a->doubt.again && strcmp(rest + n, "/sent") != 0) || id_parse("del", id, &a->doubt.delivery) < 0) {
		http_problem(r, 404, "what may be posted is /deliveries/{id}/again or /deliveries/{id}/sent, see /queue?unknown", NULL);
		free(a);
		return;
	}
	submit(a);
}

/* --- erasure ---------------------------------------------------------------------------------------- */

static int erase_run(struct store_job *job, struct db *db, struct err *err)
{
	struct act *a = (struct act *)job;

	a->erasure.at = clock_now();
	return on_erase(a->decide, db, &a->erasure, &a->erased, err);
}

static void erase_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct act *a = (struct act *)job;
	char id[ID_TEXT];
	struct buf out = BUF_INIT;

	if (result != STORE_COMMITTED) {
		refuse(a, result, err);
	} else if (a->erased.under_way) {
		http_problem(a->request, 409, "they are suppressed, but a mail to them is with the relay at this moment, so that nothing is erased yet; "
			"give the same command again", NULL);
	} else {
		buf_printf(&out, "{\"prospect\":\"%s\",\"erased\":true}", id_text("pro", a->erased.prospect, id));
		http_reply(a->request, 200, "application/json", out.data, out.len);
		buf_clear(&out);
	}
	free(a);
}

static int forget_run(struct store_job *job, struct db *db, struct err *err)
{
	struct act *a = (struct act *)job;

	a->erasure.at = clock_now();
	return on_forget_person(a->decide, db, &a->erasure, &a->erased, err);
}

static void forget_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct act *a = (struct act *)job;

	if (result == STORE_COMMITTED && a->erased.found) {
		a->erasure.prospect = a->erased.prospect;
		a->job = (struct store_job){ .run = erase_run, .done = erase_done };
		submit(a);
		return;
	}
	if (result != STORE_COMMITTED)
		refuse(a, result, err);
	else
		http_problem(a->request, 404, "nobody here has that address or id", NULL);
	free(a);
}

void act_erase(struct decide *decide, struct http_request *r, const char *who)
{
	struct act *a = xcalloc(1, sizeof(*a));
	struct err err;

	a->job = (struct store_job){ .run = forget_run, .done = forget_done };
	a->decide = decide;
	a->request = r;
	a->erasure.by = "nurturectl";
	if (id_parse("pro", who, &a->erasure.prospect) < 0) {
		if (address_parse(who, &a->address, &err) < 0) {
			http_problem(r, 400, err.text, NULL);
			free(a);
			return;
		}
		a->erasure.address = &a->address;
	}
	submit(a);
}
