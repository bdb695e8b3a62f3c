/*
 * hot.c: the hot rule: when it becomes true, and the cooldown is over, the person becomes a lead, with an owner and alerts in the outbox.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

METRIC(leads, COUNTER, "nurtured_leads_total", "", "Prospects who became hot.");

/* By rule first; else whoever has had the fewest turns for their share. */
static int choose_owner(struct person *p, const struct owner **out, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	const struct owner *best = NULL;
	double least = 0;
	bool holds;
	size_t i;

	*out = NULL;
	for (i = 0; i < sales->owner_count; i++) {
		const struct owner *owner = &sales->owners[i];
		int64_t turns;

		if (owner->when) {
			if (person_holds(p, owner->when, UNIT_NONE, &holds, err))
				return -1;
			if (!holds)
				continue;
			*out = owner;
			return 0;
		}
		if (turns_count(p->db, owner->name, &turns, err))
			return -1;
		if (!best || (double)turns / owner->share < least) {
			best = owner;
			least = (double)turns / owner->share;
		}
	}
	*out = best;
	return best ? turns_take(p->db, best->name, err) : 0;
}

static struct value answer_links(struct person *p, int64_t lead)
{
	static const struct {
		const char *name;
		enum lead_answer answer;
	} answers[] = { { "accept", ANSWER_ACCEPT }, { "reject", ANSWER_REJECT }, { "won", ANSWER_WON }, { "lost", ANSWER_LOST } };
	struct value_builder *b = value_build_object(p->arena);
	char token[TOKEN_TEXT];
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		token_make(p->d->ring, TOKEN_SALES, lead, (uint8_t)answers[i].answer, p->now, token);
		value_put(b, answers[i].name, value_text(arena_printf(p->arena, "%s/s/%s", p->plan->operator.listen.public_url, token)));
	}
	return value_built(b);
}

static struct value lead_value(struct person *p, const struct lead *lead, const struct owner *owner)
{
	struct value_builder *b = value_build_object(p->arena), *o = value_build_object(p->arena);
	char id[ID_TEXT];

	value_put(b, "id", value_text(arena_strdup(p->arena, id_text("led", lead->id, id))));
	value_put(b, "at", value_time(lead->at));
	value_put(b, "reason", value_text(lead->reason));
	if (owner) {
		value_put(o, "name", value_text(owner->name));
		value_put(o, "email", value_text(owner->email));
		value_put(b, "owner", value_built(o));
	}
	return value_built(b);
}

static struct value last_words(struct person *p, struct err *err)
{
	static const char *const reply[] = { "reply", NULL };
	struct event_row *events;
	struct value v = value_nil;
	size_t count;
	json_t *json;

	if (events_latest(p->db, p->row.id, reply, 1, p->arena, &events, &count, err) || !count)
		return v;
	json = json_loads(events[0].data, 0, NULL);
	if (json)
		v = value_get(value_from_json(p->arena, json), slice_of("words"));
	json_decref(json);
	return v;
}

static struct value ask_name(void *ctx, int symbol)
{
	const struct value *values = ctx;

	return values[symbol];
}

static struct value *alert_values(struct person *p, const struct lead *lead, const struct owner *owner, struct err *err)
{
	const struct name_places *at = &p->d->places;
	struct value *values = arena_calloc(p->arena, vocabulary_count(p->plan->alert_names) + 1, sizeof(*values));
	const struct {
		int place;
		struct value v;
	} all[] = {
		{ at->lead, lead_value(p, lead, owner) },
		{ at->prospect, values_of_prospect(p, p->arena) },
		{ at->terms, values_of_terms(p, p->arena, err) },
		{ at->actions, values_of_actions(p, 8, p->arena, err) },
		{ at->words, last_words(p, err) },
		{ at->links, answer_links(p, lead->id) },
		{ at->company, value_text(p->plan->operator.sender.company) },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].place >= 0)
			values[all[i].place] = all[i].v;
	return values;
}

static int put_alert(struct person *p, const struct lead *lead, const struct alert_target *target, const struct value *values, struct err *err)
{
	struct template_env env = { .now = p->now, .ctx = (void *)(uintptr_t)values, .name = ask_name, .arena = p->arena };
	struct buf body = BUF_INIT;
	struct err why = { "" };
	struct alert a;
	int rc;

	if (template_render(target->payload, &env, &body, &why) != TEMPLATE_DONE) {
		/* a lead must not be lost for a template's sake: they get the bare facts */
		log_error("alert.template", L_STR("as", target->as), L_STR("why", why.text));
		buf_reset(&body);
		buf_str(&body, "{\"type\":\"lead.hot\",\"text\":");
		text_json(&body, p->row.address, strlen(p->row.address));
		buf_str(&body, "}");
	}
	a = (struct alert){
		.id = id_new(id_bucket(p->row.id), p->now), .prospect = p->row.id, .lead = lead->id, .url = target->url, .as = target->as,
		.body = buf_cstr(&body), .state = ALERT_WAITING, .created = p->now, .due = p->now, .error = "",
	};
	rc = alerts_insert(p->db, &a, err);
	if (!rc)
		rc = queue_add(p->db, &(struct queue_row){ .id = id_new(id_bucket(p->row.id), p->now), .lane = LANE_ALERT, .due = p->now,
				.kind = QUEUE_ALERT, .prospect = p->row.id, .ref = a.id, .name = "" }, err);
	buf_clear(&body);
	return rc;
}

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
	struct value *values;
	struct lead lead;
	struct err failed = { "" };
	size_t i;
	int rc;

	if (choose_owner(p, &owner, err))
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
	values = alert_values(p, &lead, owner, &failed);
	if (*failed.text)
		return err_set(err, "%s", failed.text);
	for (i = 0, rc = 0; i < p->plan->sales.alert_count && !rc; i++)
		rc = put_alert(p, &lead, &p->plan->sales.alerts[i], values, err);
	return rc ? -1 : pause_or_stop(p, err);
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
	const struct sales *sales = &p->plan->sales;
	struct lead lead;
	int found = leads_last(p->db, p->row.id, p->arena, &lead, err);
	size_t i;

	*email_out = sales->replies_to;
	if (found < 0)
		return -1;
	for (i = 0; found && i < sales->owner_count; i++)
		if (strcmp(sales->owners[i].name, lead.owner) == 0)
			*email_out = sales->owners[i].email;
	return 0;
}
