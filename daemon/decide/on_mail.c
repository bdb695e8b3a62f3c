/*
 * on_mail.c: a mail came in: a reply, a bounce, a complaint, an automatic answer. It is kept, the mailbox's watermark moves, and what follows from
 * it happens, all in one transaction.
 *
 * A verified token says whom a mail is about. Without one only a person is heard, by their address: for what machines say it is not enough.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "person.h"
#include "reply.h"
#include "shape.h"

const char *const mail_class_names[] = { "human", "auto", "bounce", "complaint", "challenge", "mdn", "calendar", "unsubscribe", "unreadable", NULL };

METRIC(human, COUNTER, "nurtured_replies_total", "class=\"human\"", "Mails read, by class.");
METRIC(automatic, COUNTER, "nurtured_replies_total", "class=\"auto\"", "Mails read, by class.");
METRIC(bounce, COUNTER, "nurtured_replies_total", "class=\"bounce\"", "Mails read, by class.");
METRIC(complaint, COUNTER, "nurtured_replies_total", "class=\"complaint\"", "Mails read, by class.");
METRIC(unattributed, COUNTER, "nurtured_mails_unattributed_total", "", "Mails that say nothing that we signed: kept, and nothing follows from them.");
METRIC(other, COUNTER, "nurtured_replies_total", "class=\"other\"", "Mails read, by class.");

static void count_class(struct db *db, enum mail_class class)
{
	switch (class) {
	case MAIL_HUMAN:
		db_count(db, &metric_human, 1);
		break;
	case MAIL_AUTO:
		db_count(db, &metric_automatic, 1);
		break;
	case MAIL_BOUNCE:
		db_count(db, &metric_bounce, 1);
		break;
	case MAIL_COMPLAINT:
		db_count(db, &metric_complaint, 1);
		break;
	case MAIL_CHALLENGE:
	case MAIL_MDN:
	case MAIL_CALENDAR:
	case MAIL_UNSUBSCRIBE:
	case MAIL_UNREADABLE:
		db_count(db, &metric_other, 1);
		break;
	}
}

/* --- what a machine says ------------------------------------------------------------------------------------------- */

/* Their mail program says that it showed the mail: it arrived, and more is not certain. */
static int displayed(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	if (!fact->displayed)
		return person_journal(p, "mail", mail_class_names[fact->class], fact->subject, err);
	return delivery_prove(p, about, DELIVERY_SENT, "a receipt", err) ||
			person_happen(p, "receipt", mail_base(p->arena, about->template), "{}", NULL, err) || person_settle(p, err) ? -1 : 0;
}

int mail_about_person(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	const char *source;
	char id[ID_TEXT];

	if (about->id && (fact->class == MAIL_COMPLAINT || (fact->class == MAIL_BOUNCE && strcmp(fact->bounce_kind, "hard") == 0)))
		shape_came_back(p->d->shape, p->db, about, mail_sender_domain(p->d, about), fact->class == MAIL_COMPLAINT, fact->at);
	if (about->id && fact->class == MAIL_BOUNCE)
		person_bounce_slows(p, fact, about);
	if (shape_keep(p->d->shape, p->db, false, err))
		return -1;
	source = about->id ? id_text("del", about->id, id) : fact->mailbox;
	/* what answers it has arrived */
	if (fact->class != MAIL_BOUNCE && fact->class != MAIL_MDN && delivery_prove(p, about, DELIVERY_SENT, mail_class_names[fact->class], err))
		return -1;
	switch (fact->class) {
	case MAIL_HUMAN:
		return reply_of_person(p, fact, about, err);
	case MAIL_BOUNCE:
		return person_bounced(p, fact, about, err);
	case MAIL_COMPLAINT:
		return person_complain(p, fact->mailbox, about, source, err) || person_settle(p, err) ? -1 : 0;
	case MAIL_UNSUBSCRIBE:
		if (p->row.consent != CONSENT_WITHDRAWN && person_unsubscribe(p, "mailto", source, "", "", err))
			return -1;
		return person_settle(p, err);
	case MAIL_AUTO:
		return reply_of_machine(p, fact, about, err);
	case MAIL_MDN:
		return displayed(p, fact, about, err);
	case MAIL_CHALLENGE:
	case MAIL_CALENDAR:
	case MAIL_UNREADABLE:
		return person_journal(p, "mail", mail_class_names[fact->class], fact->subject, err);
	}
	return 0;
}

/* --- whom it is about ---------------------------------------------------------------------------------------------- */

#define RECENT_MAILS 50
#define REPLY_WITHIN (60 * US_DAY)

/* The relay's own id (SES writes its own Message-ID) is as good as ours: only who got the mail knows it. */
static bool has_relay_id(const struct mail_fact *fact, const struct delivery *mail)
{
	size_t n = strlen(mail->relay_id), i;

	for (i = 0; n >= 16 && i < fact->relay_id_count; i++)
		if (strncmp(fact->relay_ids[i], mail->relay_id, n) == 0 && (!fact->relay_ids[i][n] || fact->relay_ids[i][n] == '.'))
			return true;
	return false;
}

static bool arrived(const struct delivery *mail)
{
	return mail->state == DELIVERY_SENT || mail->state == DELIVERY_UNKNOWN || mail->state == DELIVERY_DOT;
}

/*
 * By the address that it came from, or that it is about, and the relay's id. An address alone is weak: anybody can write it. A person who
 * writes soon after a mail of ours is heard all the same, since stopping does no harm; what only machines say then changes nothing.
 */
static int find_by_address(struct decide *d, struct db *db, const struct mail_fact *fact, struct person *p, struct delivery *about, struct err *err)
{
	bool by_person = fact->class == MAIL_HUMAN || fact->class == MAIL_AUTO || fact->class == MAIL_MDN || fact->class == MAIL_CALENDAR;
	const char *text = by_person ? fact->from : fact->about;
	struct delivery *all;
	struct address address;
	size_t count, i;
	int found;

	if (fact->forged || !text || !*text || address_parse(text, &address, NULL))
		return 0;
	found = person_find(d, db, address.key, fact->at, p, err);
	if (found != 1)
		return found;
	if (deliveries_of(db, p->row.id, RECENT_MAILS, p->arena, &all, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (has_relay_id(fact, &all[i])) {
			*about = all[i];
			return 1;
		}
	}
	/* who wants no mail gets none, however long ago the last one was */
	if (count && fact->class == MAIL_HUMAN && plan_reply_action(p->plan, fact->intent, NULL) == REPLY_UNSUBSCRIBE) {
		*about = all[0];
		return 1;
	}
	for (i = 0; i < count && fact->class == MAIL_HUMAN; i++) {
		if (arrived(&all[i]) && all[i].done > fact->at - REPLY_WITHIN && all[i].kind != DELIVERY_FORWARD) {
			*about = all[i];
			return 1;
		}
	}
	return 0;
}

int mail_find(struct decide *d, struct db *db, const struct mail_fact *fact, struct person *p, struct delivery *about, struct err *err)
{
	int found;

	if (!fact->delivery)
		return find_by_address(d, db, fact, p, about, err);
	found = deliveries_find(db, fact->delivery, d->arena, about, err);
	if (found == 1)	/* a test mail is nobody's */
		found = about->prospect ? person_load(d, db, about->prospect, fact->at, p, err) : 0;
	return found;
}

/* A person's mail goes to sales. Others are kept and stay in the mailbox, where a person can read it; and what nobody should miss is told. */
static int unattributed(struct decide *d, struct db *db, const struct mail_fact *fact, struct err *err)
{
	db_count(db, &metric_unattributed, 1);
	if (fact->class == MAIL_HUMAN && !fact->forged)
		return reply_of_stranger(d, db, fact, err);
	if (fact->class == MAIL_COMPLAINT) {
		log_error("complaint.unattributed", L_STR("mailbox", fact->mailbox));
		return alarms_raise(db, "complaint", "about nobody we know", fact->mailbox, fact->at, err);
	}
	if (fact->class == MAIL_UNREADABLE)
		return alarms_raise(db, "mail", "cannot be read", fact->mailbox, fact->at, err);
	log_info("mail.unmatched", L_STR("mailbox", fact->mailbox), L_STR("class", mail_class_names[fact->class]));
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
	if (fact->there.key && mailboxes_remember(db, fact->mailbox, &fact->there, err))
		return -1;
	found = mail_find(d, db, fact, &p, &about, err);
	if (found < 0)
		return -1;
	fresh = keep(db, fact, found == 1 ? p.row.id : 0, found == 1 ? about.id : 0, err);
	if (fresh <= 0) {
		out->repeated = fresh == 0;
		return fresh;
	}
	count_class(db, fact->class);
	if (found != 1)
		return unattributed(d, db, fact, err);
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
