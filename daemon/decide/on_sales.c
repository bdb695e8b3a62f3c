/*
 * on_sales.c: alerts go out, and sales says what became of a lead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

METRIC(delivered, COUNTER, "nurtured_hot_lead_alerts_total", "result=\"delivered\"", "Alerts by result of an attempt.");
METRIC(failed, COUNTER, "nurtured_hot_lead_alerts_total", "result=\"failed\"", "Alerts by result of an attempt.");
METRIC(dead, COUNTER, "nurtured_hot_lead_alerts_total", "result=\"dead\"", "Alerts by result of an attempt.");

void alert_batch_free(struct alert_batch **batch)
{
	if (!*batch)
		return;
	arena_free(&(*batch)->arena);
	free(*batch);
	*batch = NULL;
}

int on_claim_alerts(struct decide *d, struct db *db, size_t max, struct alert_batch **out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct alert_batch *batch;
	struct queue_row *rows;
	size_t count, i;
	int found = 0;

	if (queue_take(db, LANE_ALERT, clock_now(), max, arena, &rows, &count, err))
		return -1;
	batch = xcalloc(1, sizeof(*batch));
	batch->arena = arena_new(0);
	batch->alerts = arena_calloc(batch->arena, count + 1, sizeof(*batch->alerts));
	for (i = 0; i < count && found >= 0; i++) {
		struct alert a;

		found = alerts_find(db, rows[i].ref, batch->arena, &a, err);
		if (found == 1 && a.state == ALERT_WAITING)
			batch->alerts[batch->count++] = (struct alert_work){ .alert = a.id, .url = a.url, .body = a.body, .attempt = a.attempt, .created = a.created };
	}
	if (found < 0) {
		alert_batch_free(&batch);
		return -1;
	}
	*out = batch;
	return 0;
}

int on_alert_outcome(struct decide *d, struct db *db, const struct alert_outcome *fact, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct alert a;
	int found = alerts_find(db, fact->alert, arena, &a, err);
	char id[ID_TEXT];

	if (found <= 0)
		return found;
	a.attempt++;
	a.code = fact->code;
	a.error = fact->error ? fact->error : "";
	db_count(db, fact->delivered ? &metric_delivered : fact->dead ? &metric_dead : &metric_failed, 1);
	if (fact->delivered || fact->dead) {
		a.state = fact->delivered ? ALERT_DELIVERED : ALERT_DEAD;
		a.done = fact->at;
		if (fact->dead)
			log_error("alert.dead", L_ID("alert", "alr", a.id), L_INT("code", a.code), L_STR("why", a.error));
		return alerts_update(db, &a, err) ||
			journal_add(db, a.prospect, fact->at, "alert", fact->delivered ? "delivered" : "dead", id_text("alr", a.id, id), err) ? -1 : 0;
	}
	a.due = fact->retry_at;
	return alerts_update(db, &a, err) ||
		queue_add(db, &(struct queue_row){ .id = id_new(id_bucket(a.id), fact->at), .lane = LANE_ALERT, .due = a.due, .kind = QUEUE_ALERT,
				.prospect = a.prospect, .ref = a.id, .name = "" }, err) ? -1 : 0;
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static const char *state_of(enum lead_answer answer)
{
	switch (answer) {
	case ANSWER_ACCEPT: return "accepted";
	case ANSWER_REJECT: return "rejected";
	case ANSWER_WON: return "won";
	case ANSWER_LOST: return "lost";
	}
	return NULL;
}

/* A lead that sales does not want goes on being nurtured; for one that is won or lost, what was paused ends, and what had given way to it. */
static int paused_sequences(struct person *p, enum lead_answer answer, struct err *err)
{
	struct enrolment *open;
	size_t count, paused = 0, i;
	bool hot = false;

	if (answer == ANSWER_ACCEPT)
		return 0;
	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (open[i].state != ENROLMENT_PAUSED)
			continue;
		hot = hot || strcmp(open[i].why, "hot") == 0;
		if (answer != ANSWER_REJECT)
			open[paused++] = open[i];
		else if (strcmp(open[i].why, "hot") == 0 && sequence_resume(p->d, p->db, &open[i], p->now, err))
			return -1;
	}
	p->enrolments = p->enrolments || hot;	/* what they wait for may have come */
	return hot ? sequence_end_all(p, open, paused, state_of(answer), err) : 0;
}

static void describe(struct sales_result *out, const char *state, const char *name, const char *address)
{
	snprintf(out->state, sizeof(out->state), "%s", state);
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->address, sizeof(out->address), "%s", address);
}

static int answered(struct person *p, struct lead *lead, const struct sales_outcome *fact, struct err *err)
{
	struct buf data = BUF_INIT;
	const char *event = arena_printf(p->arena, "lead_%s", lead->state), *text;

	buf_str(&data, "{\"reason\":");
	text_json(&data, lead->answer, strlen(lead->answer));
	buf_printf(&data, ",\"amount\":%.15g,\"by\":", lead->amount);
	text_json(&data, fact->by, strlen(fact->by));
	buf_char(&data, '}');
	text = arena_strdup(p->arena, buf_cstr(&data));
	buf_clear(&data);
	if (leads_answer(p->db, lead, err) || person_happen(p, event, fact->by, text, NULL, err) ||
			person_journal(p, "lead", lead->state, lead->answer, err) || paused_sequences(p, fact->answer, err))
		return -1;
	log_info("lead.answered", L_ID("lead", "led", lead->id), L_STR("state", lead->state), L_STR("by", fact->by));
	return person_settle(p, err);
}

int on_sales(struct decide *d, struct db *db, const struct sales_outcome *fact, struct sales_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	const char *stored, *state = state_of(fact->answer);
	struct person p;
	struct lead lead;
	int found = leads_find(db, fact->lead, arena, &lead, err);

	*out = (struct sales_result){ .found = false };
	if (!state)
		return err_set(err, "no such answer");
	if (found == 1)
		found = person_load(d, db, lead.prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	out->found = true;
	if (fact->key) {
		found = once_take(db, id_bucket(lead.id), arena_printf(arena, "sales/%lld/%s", (long long)lead.id, fact->key), fact->at, state, arena, &stored, err);
		if (found < 0)
			return -1;
		out->repeated = !found;
		if (!found)
			state = stored;
	}
	if (!out->repeated && strcmp(lead.state, state) == 0 && (!fact->reason || strcmp(lead.answer, fact->reason) == 0) && lead.amount == fact->amount)
		out->repeated = true;
	if (!out->repeated) {
		lead.state = state;
		lead.answered = fact->at;
		lead.answer = fact->reason ? fact->reason : "";
		lead.amount = fact->amount;
		if (answered(&p, &lead, fact, err))
			return -1;
	}
	describe(out, state, values_display_name(&p, arena), p.row.address);
	return 0;
}

int look_lead(struct db *db, int64_t id, struct sales_result *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	struct lead lead;
	int found = leads_find(db, id, arena, &lead, err);

	*out = (struct sales_result){ .found = false };
	if (found == 1)
		found = prospects_find(db, lead.prospect, arena, &row, err);
	if (found == 1) {
		out->found = true;
		describe(out, lead.state, "", row.address);
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}
