/*
 * on_reply.c: what follows when a person answers, by what they want (replies.yaml), and what follows from the automatic answer of somebody who
 * is away or gone. A part of on_mail(), in its transaction.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"

#include "decide.h"
#include "person.h"
#include "reply.h"

#define AWAY_MOST (60 * US_DAY)
#define AWAY_UNSAID (5 * US_DAY)

/* A colleague, or an address of theirs that we do not know, answers what we wrote to them. */
static bool by_other(const struct person *p, const struct mail_fact *fact)
{
	struct address from;

	return *fact->from && address_parse(fact->from, &from, NULL) == 0 && strcmp(from.key, p->row.key) != 0;
}

static const char *reply_data(struct person *p, const struct mail_fact *fact)
{
	json_t *json = json_object(), *intents = json_loads(fact->intents && *fact->intents ? fact->intents : "[]", 0, NULL);
	const char *out;
	char *text;

	json_object_set_new(json, "words", json_string(fact->text));
	json_object_set_new(json, "subject", json_string(fact->subject));
	json_object_set_new(json, "intent", json_string(fact->intent));
	json_object_set_new(json, "from", json_string(fact->from));
	json_object_set_new(json, "from_name", json_string(fact->from_name));
	if (by_other(p, fact))
		json_object_set_new(json, "reply_by_other", json_string(fact->from));
	if (intents)
		json_object_set_new(json, "intents", intents);
	text = json_dumps(json, JSON_COMPACT);
	out = arena_strdup(p->arena, text ? text : "{}");
	free(text);
	json_decref(json);
	return out;
}

/*
 * Everything automatic stops, what a change of list by this very reply would begin included; only a sequence that is entered `on: reply`
 * may begin with it.
 */
static int stop_sequences(struct person *p, const struct enrolment *before, size_t before_count, struct err *err)
{
	struct enrolment *open;
	struct delivery *claimed;
	size_t count, stop = 0, i, k;

	if (enrolments_open(p->db, p->row.id, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		const struct sequence *s = plan_sequence(p->plan, open[i].sequence);

		for (k = 0; k < before_count && before[k].id != open[i].id; k++)
			;
		if (k == before_count && s && strcmp(s->enter_on, "reply") == 0)
			continue;
		open[stop++] = open[i];
	}
	if (sequence_end_all(p, open, stop, "replied", err))
		return -1;
	if (sending_of(p->db, p->row.id, p->arena, &claimed, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (claimed[i].kind == DELIVERY_STEP)
			decide_withdraw_after_commit(p->d, p->db, claimed[i].id);
	return 0;
}

static int forward(struct person *p, int64_t event, struct err *err)
{
	struct delivery mail = {
		.prospect = p->row.id, .kind = DELIVERY_FORWARD, .state = DELIVERY_PLANNED, .sequence = "", .step = "",
		.template = "forward", .download = "", .ref = event, .planned = p->now, .reply = "", .relay_id = "",
	};

	if (hot_listener(p, &mail.address, err))
		return -1;
	return mail.address ? mail_plan(p->db, &mail, p->now, err) : 0;
}

/* Somebody in sales has something to do: the same way as the news of a hot lead. */
static int task(struct person *p, const char *what, struct err *err)
{
	struct alert_note note = { .type = "reply.task", .reason = what, .sequence = "", .step = "" };

	return person_journal(p, "reply", "task", what, err) ||
		alert_post(p, &note, p->plan->sales.alerts, p->plan->sales.alert_count, NULL, err) ? -1 : 0;
}

static const char *task_text(struct person *p, const char *intent)
{
	if (strcmp(intent, "legal") == 0)
		return "they speak of the law or of their data: answer by hand, soon; no mail goes to them any more";
	if (strcmp(intent, "left_company") == 0)
		return "they have left the company: whoever they name is mailed by hand, if at all";
	if (strcmp(intent, "wrong_person") == 0)
		return "somebody else is the one to ask: whoever they name is mailed by hand, if at all";
	return arena_printf(p->arena, "their reply reads like: %s", intent);
}

/* The first working day behind the one on which they are back; within bounds. */
static int64_t back_at_work(int64_t now, int64_t back)
{
	int64_t at = back ? back + US_DAY : now + AWAY_UNSAID;
	time_t t = (time_t)(at / US_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	if (back)
		at += tm.tm_wday == 6 ? 2 * US_DAY : tm.tm_wday == 0 ? US_DAY : 0;
	return at > now + AWAY_MOST ? now + AWAY_MOST : at;
}

static int pause(struct person *p, const struct mail_fact *fact, const struct reply_intent *intent, struct err *err)
{
	int64_t until = fact->until > p->now ? fact->until : p->now + (intent ? intent->pause : 90 * US_DAY);

	if (strcmp(fact->intent, "ooo") == 0)
		return hold_person(p, back_at_work(p->now, fact->until > p->now ? fact->until : 0), "they are away", err);
	return hold_person(p, until, fact->until > p->now ? "they named that day" : "they said not now", err);
}

/* Before settling: what is said here decides what may begin. */
static int begin(struct person *p, const struct mail_fact *fact, const struct delivery *about, enum reply_action action, struct err *err)
{
	if (action != REPLY_UNSUBSCRIBE && action != REPLY_SUPPRESS)
		return 0;
	return person_refuse(p, fact->text, fact->mailbox, about->id, action == REPLY_SUPPRESS ? fact->intent : NULL, err);
}

int reply_of_person(struct person *p, const struct mail_fact *fact, const struct delivery *about, struct err *err)
{
	const struct reply_intent *intent;
	enum reply_action action = plan_reply_action(p->plan, fact->intent, &intent);
	const char *name = *fact->intent ? fact->intent : "other";
	struct enrolment *before;
	size_t count;
	int64_t event;
	int rc = 0;

	if (strcmp(name, "review") == 0 && !intent)
		action = REPLY_REVIEW;
	if (enrolments_open(p->db, p->row.id, p->arena, &before, &count, err))
		return -1;
	hot_ask(p);
	if (about->id && judge_came_back(p, about->id, -1, err))
		return -1;
	person_set_intent(p, name);
	if (person_happen(p, "reply", about->id ? mail_base(p->arena, about->template) : "", reply_data(p, fact), &event, err) ||
			begin(p, fact, about, action, err) || person_settle(p, err))
		return -1;
	switch (action) {
	case REPLY_SUPPRESS:
	case REPLY_TASK:
		rc = stop_sequences(p, before, count, err) || task(p, task_text(p, name), err);
		break;
	case REPLY_UNSUBSCRIBE:
	case REPLY_HOT:
	case REPLY_STOP:
		rc = stop_sequences(p, before, count, err) || person_journal(p, "reply", name, "their sequences stop", err);
		break;
	case REPLY_PAUSE:
		rc = pause(p, fact, intent, err);
		break;
	case REPLY_REVIEW:
		rc = hold_person(p, p->now + (intent ? intent->pause : 30 * US_DAY), "somebody has to read their reply", err);
		break;
	case REPLY_GO_ON:
		rc = person_journal(p, "reply", name, "their sequences go on", err);
		break;
	}
	return rc ? -1 : forward(p, event, err);
}

int reply_of_machine(struct person *p, const struct mail_fact *fact, const struct delivery *about, struct err *err)
{
	struct enrolment *before;
	size_t count;

	if (enrolments_open(p->db, p->row.id, p->arena, &before, &count, err) ||
			person_happen(p, "auto_reply", mail_base(p->arena, about->template), "{}", NULL, err) || person_settle(p, err))
		return -1;
	if (strcmp(fact->intent, "ooo") == 0)
		return hold_person(p, back_at_work(p->now, fact->until > p->now ? fact->until : 0), "they are away", err);
	if (strcmp(fact->intent, "left_company") == 0)
		return stop_sequences(p, before, count, err) || task(p, task_text(p, fact->intent), err) ? -1 : 0;
	return 0;
}

/* Nobody here has that address, and it came without a token of ours: somebody must read it all the same. */
int reply_of_stranger(struct decide *d, struct db *db, const struct mail_fact *fact, struct err *err)
{
	const char *to = d->plan->sales.replies_to;
	struct address address;
	struct delivery mail = {
		.kind = DELIVERY_FORWARD, .state = DELIVERY_PLANNED, .sequence = "", .step = "", .arm = "", .template = "forward", .address = to,
		.download = "", .planned = fact->at, .reply = "", .relay_id = "",
	};
	json_t *json;
	char *text;
	int rc;

	if (!to || address_parse(to, &address, NULL)) {
		log_warn("reply.unread", L_STR("mailbox", fact->mailbox), L_STR("why", "it matches nobody, and sales.yaml has no replies_to"));
		return 0;
	}
	json = json_pack("{s:s, s:s, s:s, s:s}", "words", fact->text, "subject", fact->subject, "from", fact->from, "from_name", fact->from_name);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	mail.id = id_new(address.bucket, fact->at);
	rc = mail_data_put(db, mail.id, text ? text : "{}", err) || mail_plan(db, &mail, fact->at, err) ? -1 : 0;
	free(text);
	json_decref(json);
	log_info("reply.stranger", L_STR("mailbox", fact->mailbox), L_ID("delivery", "del", mail.id));
	return rc;
}
