/*
 * hot.c: the hot rule: when it becomes true, and the cooldown is over, the person becomes a lead, with an owner (owner.c) and alerts in the
 * outbox (alert.c).
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "person.h"
#include "reply.h"

METRIC(leads, COUNTER, "nurtured_leads_total", "", "Prospects who became hot.");

static int pause_or_stop(struct person *p, struct err *err)
{
	struct enrolment *open;
	size_t count, i;

	if (p->plan->sales.on_hot == HOT_GO_ON)
		return 0;
	if (p->plan->sales.on_hot == HOT_STOP)
		return person_stop(p, "hot", err);
	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (open[i].state == ENROLMENT_ACTIVE && sequence_pause(p->d, p->db, &open[i], "hot", err))
			return -1;
	return 0;
}

static int become_lead(struct person *p, struct err *err)
{
	struct expression_env env = person_env(p);
	const struct owner *owner;
	struct buf reason = BUF_INIT;
	struct alert_note note;
	struct lead lead;

	if (owner_choose(p, &owner, err))
		return -1;
	expression_explain(p->plan->sales.hot, &env, &reason);
	lead = (struct lead){
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .state = "new", .owner = owner ? owner->name : "",
		.reason = arena_strdup(p->arena, buf_cstr(&reason)), .at = p->now, .answer = "",
	};
	buf_clear(&reason);
	if (p->failed)
		return err_set(err, "%s", p->err.text);
	p->row.hot_at = p->now;
	p->changed = true;
	log_info("lead.hot", L_ID("prospect", "pro", p->row.id), L_ID("lead", "led", lead.id), L_STR("owner", lead.owner), L_STR("cause", p->cause));
	db_count(p->db, &metric_leads, 1);
	if (leads_insert(p->db, &lead, err) || person_journal(p, "hot", "lead", p->cause, err))
		return -1;
	note = (struct alert_note){ .type = "lead.hot", .reason = lead.reason, .lead = &lead, .owner = owner, .sequence = "", .step = "" };
	return alert_post(p, &note, p->plan->sales.alerts, p->plan->sales.alert_count, NULL, err) || pause_or_stop(p, err) || hold_company(p, err) ? -1 : 0;
}

/* --- by whom ---------------------------------------------------------------------------------------------------------- */

#define PROOF_LASTS (30 * US_DAY)
#define CLICKS_APART (10 * US_MINUTE)
#define EVENTS_LOOKED_AT 100

/* What machines bring about, or nurtured itself: no sign of a person. */
static const char *const no_signs[] = {
	"open", "open_machine", "click", "click_machine", "download", "confirm", "confirmed", "bounce", "soft_bounce", "auto_reply", "complaint",
	"unsubscribe", "sent", "list_changed", "stage_changed", NULL,
};

static bool is_no_sign(const char *name)
{
	size_t i;

	for (i = 0; no_signs[i]; i++)
		if (strcmp(no_signs[i], name) == 0)
			return true;
	return false;
}

/* Lately there was an event on the website, a reply, a form behind a click; or two clicks that no scanner makes, being so far apart. */
static int person_showed(struct person *p, bool *out, struct err *err)
{
	int64_t newest = 0, oldest = 0;
	struct event_row *all;
	size_t count, i;

	*out = false;
	if (events_latest(p->db, p->row.id, NULL, EVENTS_LOOKED_AT, p->arena, &all, &count, err))
		return -1;
	for (i = count; i-- > 0 && !*out;) {
		if (all[i].at < p->now - PROOF_LASTS)
			continue;
		if (strcmp(all[i].name, "click") == 0) {
			oldest = oldest ? oldest : all[i].at;
			newest = all[i].at;
			*out = newest - oldest >= CLICKS_APART;
		} else if (strcmp(all[i].name, "signup") == 0) {
			*out = oldest > 0;
		} else {
			*out = !is_no_sign(all[i].name);
		}
	}
	return 0;
}

/* 1: a person is there; 0: it waits for one, and the reason is noted. */
static int may_become_hot(struct person *p, struct err *err)
{
	bool showed = false;

	if (p->by == BY_PERSON)
		return 1;
	if (p->by != BY_OPEN && person_showed(p, &showed, err))
		return -1;
	if (showed)
		return 1;
	if (p->by == BY_CLICK && person_journal(p, "hot", "waits",
			"hot by clicks alone, which may be a machine's: until they visit the website or reply, or click again after 10 minutes", err))
		return -1;
	return 0;
}

void hot_ask(struct person *p)
{
	p->hot = p->hot || (p->plan->sales.hot && !p->row.hot);
}

int hot_check(struct person *p, struct err *err)
{
	int may;

	const struct sales *sales = &p->plan->sales;
	bool holds;

	if (!sales->hot)
		return 0;
	if (person_holds(p, sales->hot, UNIT_HOT, &holds, err))
		return -1;
	if (holds == p->row.hot)
		return 0;
	may = holds ? may_become_hot(p, err) : 1;
	if (may <= 0)
		return may;
	p->row.hot = holds;
	p->changed = true;
	if (!holds)
		return 0;
	if (p->row.hot_at && p->now < p->row.hot_at + sales->cooldown)
		return person_journal(p, "hot", "cooldown", "the hot rule holds again within the cooldown: no second lead", err);
	return become_lead(p, err);
}

int hot_listener(struct person *p, const char **email_out, struct err *err)
{
	const struct owner *owner;

	if (owner_of_lead(p, &owner, err))
		return -1;
	*email_out = owner ? owner->email : p->plan->sales.replies_to;
	return 0;
}
