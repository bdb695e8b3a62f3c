/*
 * on_mail.c: a mail came in: a reply, a bounce, a complaint, an automatic answer. It is kept, the mailbox's watermark moves, and what follows from
 * it happens, all in one transaction.
 *
 * Only a verified token says whom a mail is about; without one nothing about a person changes.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "person.h"

const char *const mail_class_names[] = { "human", "auto", "bounce", "complaint", "challenge", "mdn", "calendar", "unsubscribe", NULL };

METRIC(human, COUNTER, "nurtured_replies_total", "class=\"human\"", "Mails read, by class.");
METRIC(automatic, COUNTER, "nurtured_replies_total", "class=\"auto\"", "Mails read, by class.");
METRIC(bounce, COUNTER, "nurtured_replies_total", "class=\"bounce\"", "Mails read, by class.");
METRIC(complaint, COUNTER, "nurtured_replies_total", "class=\"complaint\"", "Mails read, by class.");
METRIC(other, COUNTER, "nurtured_replies_total", "class=\"other\"", "Mails read, by class.");

static void count_class(enum mail_class class)
{
	switch (class) {
	case MAIL_HUMAN:
		metric_add(&metric_human, 1);
		break;
	case MAIL_AUTO:
		metric_add(&metric_automatic, 1);
		break;
	case MAIL_BOUNCE:
		metric_add(&metric_bounce, 1);
		break;
	case MAIL_COMPLAINT:
		metric_add(&metric_complaint, 1);
		break;
	case MAIL_CHALLENGE:
	case MAIL_MDN:
	case MAIL_CALENDAR:
	case MAIL_UNSUBSCRIBE:
		metric_add(&metric_other, 1);
		break;
	}
}

/* --- what a reply does --------------------------------------------------------------------------------------------- */

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

static int human(struct person *p, const struct mail_fact *fact, const struct delivery *about, struct err *err)
{
	struct enrolment *before;
	size_t count;
	int64_t event;

	if (enrolments_open(p->db, p->row.id, p->arena, &before, &count, err))
		return -1;
	hot_ask(p);
	if (judge_came_back(p, about->id, -1, err))
		return -1;
	person_set_intent(p, *fact->intent ? fact->intent : "other");
	if (person_happen(p, "reply", mail_base(p->arena, about->template), reply_data(p, fact), &event, err))
		return -1;
	if (strcmp(fact->intent, "unsubscribe") == 0 && p->row.consent != CONSENT_WITHDRAWN &&
			person_unsubscribe(p, "reply", "a reply that asks for it", "", "", err))
		return -1;
	if (person_settle(p, err) || stop_sequences(p, before, count, err))
		return -1;
	return forward(p, event, err);
}

/* --- what a machine says ------------------------------------------------------------------------------------------- */

static const char *bounce_data(struct person *p, const struct mail_fact *fact)
{
	json_t *json = json_pack("{s:s,s:s,s:s,s:s}", "kind", fact->bounce_kind, "reason", fact->bounce_reason, "status", fact->bounce_status,
			"diagnostic", fact->bounce_diagnostic);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	const char *out = arena_strdup(p->arena, text ? text : "{}");

	free(text);
	json_decref(json);
	return out;
}

static int bounced(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	bool hard = strcmp(fact->bounce_kind, "hard") == 0;
	char id[ID_TEXT];

	if (strcmp(fact->bounce_kind, "delayed") == 0)
		return person_journal(p, "mail", "delayed", fact->bounce_diagnostic, err);
	if (strcmp(fact->bounce_kind, "sender") == 0)
		log_error("bounce.sender", L_ID("delivery", "del", about->id), L_STR("reason", fact->bounce_reason),
				L_STR("status", fact->bounce_status));
	about->state = DELIVERY_FAILED;
	about->reply = arena_printf(p->arena, "bounced: %s %s", fact->bounce_reason, fact->bounce_diagnostic);
	if ((about->id && deliveries_put(p->db, about, err)) ||
			person_happen(p, hard ? "bounce" : "soft_bounce", mail_base(p->arena, about->template), bounce_data(p, fact), NULL, err))
		return -1;
	if (hard && person_suppress(p, "hard_bounce", about->id ? id_text("del", about->id, id) : fact->mailbox, err))
		return -1;
	return person_settle(p, err);
}

int mail_about_person(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	const char *source;
	char id[ID_TEXT];

	source = about->id ? id_text("del", about->id, id) : fact->mailbox;
	switch (fact->class) {
	case MAIL_HUMAN:
		return human(p, fact, about, err);
	case MAIL_BOUNCE:
		return bounced(p, fact, about, err);
	case MAIL_COMPLAINT:
		if (person_suppress(p, "complaint", source, err) || person_happen(p, "complaint", mail_base(p->arena, about->template), "{}", NULL, err))
			return -1;
		return person_settle(p, err);
	case MAIL_UNSUBSCRIBE:
		if (p->row.consent != CONSENT_WITHDRAWN && person_unsubscribe(p, "mailto", source, "", "", err))
			return -1;
		return person_settle(p, err);
	case MAIL_AUTO:
		if (person_happen(p, "auto_reply", mail_base(p->arena, about->template), "{}", NULL, err))
			return -1;
		return person_settle(p, err);
	case MAIL_CHALLENGE:
	case MAIL_MDN:
	case MAIL_CALENDAR:
		return person_journal(p, "mail", mail_class_names[fact->class], fact->subject, err);
	}
	return 0;
}

static int keep(struct db *db, const struct mail_fact *fact, int64_t prospect, int64_t delivery, struct err *err)
{
	uint16_t bucket = prospect ? id_bucket(prospect) : (uint16_t)((fact->sha256[0] << 2 | fact->sha256[1] >> 6) & (BUCKETS - 1));
	struct inbound in = {
		.id = id_new(bucket, fact->at), .mailbox = fact->mailbox, .received = fact->received, .class = mail_class_names[fact->class],
		.prospect = prospect, .delivery = delivery, .summary = fact->summary, .raw = fact->raw, .raw_len = fact->raw_len, .size = fact->size,
	};

	memcpy(in.sha256, fact->sha256, sizeof(in.sha256));
	return inbound_take(db, &in, err);
}

int on_mail(struct decide *d, struct db *db, const struct mail_fact *fact, struct mail_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery about = { 0 };
	struct person p;
	int found = 0, fresh;

	*out = (struct mail_result){ 0 };
	if (fact->watermark.uidvalidity && mailboxes_set(db, fact->mailbox, &fact->watermark, err))
		return -1;
	if (fact->delivery) {
		found = deliveries_find(db, fact->delivery, arena, &about, err);
		if (found == 1)	/* a test mail is nobody's */
			found = about.prospect ? person_load(d, db, about.prospect, fact->at, &p, err) : 0;
		if (found < 0)
			return -1;
	}
	fresh = keep(db, fact, found == 1 ? p.row.id : 0, found == 1 ? about.id : 0, err);
	if (fresh <= 0) {
		out->repeated = fresh == 0;
		return fresh;
	}
	count_class(fact->class);
	if (found != 1) {
		/* the mail stays in the mailbox, where a person can read it */
		if (fact->class == MAIL_COMPLAINT)
			log_error("complaint.unattributed", L_STR("mailbox", fact->mailbox));
		else
			log_info("mail.unmatched", L_STR("mailbox", fact->mailbox), L_STR("class", mail_class_names[fact->class]));
		return 0;
	}
	out->prospect = p.row.id;
	if (about.kind == DELIVERY_FORWARD) {	/* of a mail to our own people: says nothing about the prospect */
		if (fact->class == MAIL_BOUNCE)
			log_error("forward.bounced", L_ID("delivery", "del", about.id), L_STR("reason", fact->bounce_reason), L_STR("status", fact->bounce_status));
		return 0;
	}
	p.cause = arena_printf(arena, "mail: %s", mail_class_names[fact->class]);
	if (mail_about_person(&p, fact, &about, err))
		return -1;
	out->hot = p.row.hot;
	CRASH_POINT("imap.before_commit");
	return 0;
}
