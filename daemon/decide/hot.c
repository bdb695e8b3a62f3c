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
	metric_add(&metric_leads, 1);
	if (leads_insert(p->db, &lead, err) || person_journal(p, "hot", "lead", p->cause, err))
		return -1;
	note = (struct alert_note){ .type = "lead.hot", .reason = lead.reason, .lead = &lead, .owner = owner, .sequence = "", .step = "" };
	return alert_post(p, &note, p->plan->sales.alerts, p->plan->sales.alert_count, NULL, err) || pause_or_stop(p, err) ? -1 : 0;
}

int hot_check(struct person *p, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	bool holds;

	if (!sales->hot)
		return 0;
	if (person_holds(p, sales->hot, UNIT_HOT, &holds, err))
		return -1;
	if (holds == p->row.hot)
		return 0;
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
