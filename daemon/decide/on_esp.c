/*
 * on_esp.c: a mail service reports what became of a mail. What a bounce or a complaint by mail would do happens here too (on_mail.c); but the
 * report has proved where it comes from, so that an address is enough to say whom it is about.
 */
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "base/reason.h"

#include "decide.h"
#include "person.h"

#define RECENT_MAILS 50

/* Of what a mail may tell, too. */
static const enum mail_class classes[] = {
	[ESP_BOUNCE] = MAIL_BOUNCE,
	[ESP_COMPLAINT] = MAIL_COMPLAINT,
	[ESP_UNSUBSCRIBED] = MAIL_UNSUBSCRIBE,
};

static const char *const what_names[] = {
	[ESP_BOUNCE] = "bounce",
	[ESP_DELAYED] = "delayed",
	[ESP_COMPLAINT] = "complaint",
	[ESP_UNSUBSCRIBED] = "unsubscribed",
	[ESP_DELIVERED] = "delivered",
};

/* Without a token of ours: the one of their last mails that the relay took under that id. */
static int find_by_relay_id(struct person *p, const char *relay_id, struct delivery *out, struct err *err)
{
	struct delivery *all;
	size_t count, i, n;

	if (!*relay_id)
		return 0;
	if (deliveries_of(p->db, p->row.id, RECENT_MAILS, p->arena, &all, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		n = strlen(all[i].relay_id);
		/* services add to their id what says which server it was: "ID.recvd-12..." */
		if (n >= 8 && strncmp(relay_id, all[i].relay_id, n) == 0 && (!relay_id[n] || relay_id[n] == '.')) {
			*out = all[i];
			return 1;
		}
	}
	return 0;
}

/* Whom it is about, and which of their mails if that can be told. 1, 0 nobody, -1. */
static int find(struct decide *d, struct db *db, const struct esp_fact *fact, struct person *p, struct delivery *about, struct err *err)
{
	int found = 0;

	if (fact->delivery) {
		found = deliveries_find(db, fact->delivery, d->arena, about, err);
		if (found == 1)
			found = about->prospect ? person_load(d, db, about->prospect, fact->at, p, err) : 0;
		if (found)
			return found;
	}
	*about = (struct delivery){ .template = "", .reply = "" };
	found = fact->address ? person_find(d, db, fact->address->key, fact->at, p, err) : 0;
	if (found != 1)
		return found;
	return find_by_relay_id(p, fact->relay_id, about, err) < 0 ? -1 : 1;
}

/*
 * The service's type, unless the receiver's own words tell of a milder case: "hard" is what some call every 550, and nobody is given up for
 * a policy or a full mailbox. Milder words never become worse ones.
 */
static void judge(const struct esp_fact *fact, struct mail_fact *as)
{
	const char *reason = *fact->reason ? fact->reason : reason_of_text(fact->diagnostic);
	enum bounce_kind kind;

	if (!reason)
		reason = reason_of_status(fact->status, 0);
	kind = reason_kind(reason, fact->status, strcmp(fact->kind, "soft") != 0 && fact->status[0] != '4');
	as->bounce_reason = reason;
	as->bounce_kind = fact->kind;
	if (strcmp(fact->kind, "hard") == 0 && strcmp(reason, "undefined") != 0 && !*fact->reason)
		as->bounce_kind = kind == BOUNCE_SOFT ? "soft" : kind == BOUNCE_SENDER ? "sender" : "hard";
	if (strcmp(fact->kind, "hard") == 0 && strcmp(reason, "undefined") == 0)
		as->bounce_reason = "userunknown";
}

static struct mail_fact as_mail(const struct esp_fact *fact)
{
	struct mail_fact as = {
		.mailbox = fact->service, .received = fact->at, .at = fact->at, .class = classes[fact->what], .from = "", .from_name = "", .subject = "",
		.message_id = "", .text = "", .intent = "", .intents = "[]", .bounce_kind = "", .bounce_reason = "", .bounce_status = fact->status,
		.bounce_diagnostic = fact->diagnostic, .summary = "{}",
	};

	if (fact->what == ESP_BOUNCE)
		judge(fact, &as);
	return as;
}

static int apply(struct person *p, const struct esp_fact *fact, struct delivery *about, struct err *err)
{
	struct mail_fact as;

	switch (fact->what) {
	case ESP_BOUNCE:
	case ESP_COMPLAINT:
	case ESP_UNSUBSCRIBED:
		as = as_mail(fact);
		return mail_about_person(p, &as, about, err);
	case ESP_DELAYED:
		return person_journal(p, "mail", "delayed", fact->diagnostic, err);
	case ESP_DELIVERED:
		return delivery_prove(p, about, DELIVERY_SENT, fact->service, err);
	}
	return 0;
}

/*
 * Nobody whom we know: they may come back with the next import, so that what the service will not mail to anyway is suppressed all the same.
 * 1 it was, 0 there was nothing to do.
 */
static int suppress_stranger(struct decide *d, struct db *db, const struct esp_fact *fact, struct err *err)
{
	struct manual_suppression s = { .address = fact->address, .by = fact->service, .at = fact->at };
	bool changed;

	if (!fact->address)
		return 0;
	if (fact->what == ESP_COMPLAINT)
		s.reason = "complaint";
	else if (fact->what == ESP_UNSUBSCRIBED)
		s.reason = "unsubscribe";
	else if (fact->what == ESP_BOUNCE && strcmp(as_mail(fact).bounce_kind, "hard") == 0)
		s.reason = "hard_bounce";
	else
		return 0;
	return on_suppress(d, db, &s, &changed, err) ? -1 : 1;
}

/* 1 new, 0 it was there, -1. */
static int take_key(struct decide *d, struct db *db, const struct esp_fact *fact, uint16_t bucket, const char *kind, const char *key, struct err *err)
{
	const char *answer;

	if (!*key)
		return 1;
	return once_take(db, bucket, arena_printf(d->arena, "esp/%s/%s%.200s", fact->service, kind, key), fact->at, "", d->arena, &answer, err);
}

int on_esp(struct decide *d, struct db *db, const struct esp_fact *fact, struct esp_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery about;
	struct person p;
	uint16_t bucket = fact->delivery ? id_bucket(fact->delivery) : fact->address ? fact->address->bucket : 0;
	int found;

	*out = (struct esp_result){ false };
	found = take_key(d, db, fact, address_bucket(fact->nonce), "nonce/", fact->nonce, err);
	if (found == 1)
		found = take_key(d, db, fact, bucket, "", fact->key, err);
	if (found <= 0) {
		out->repeated = found == 0;
		return found;
	}
	found = find(d, db, fact, &p, &about, err);
	if (found < 0)
		return -1;
	if (!found) {
		found = suppress_stranger(d, db, fact, err);
		if (!found && fact->what == ESP_COMPLAINT) {
			log_error("complaint.unattributed", L_STR("service", fact->service));
			if (alarms_raise(db, "complaint", "about nobody we know", fact->service, fact->at, err))
				return -1;
		}
		out->known = found == 1;
		return found < 0 ? -1 : 0;
	}
	out->known = true;
	p.cause = arena_printf(arena, "%s: %s", fact->service, what_names[fact->what]);
	return apply(&p, fact, &about, err);
}
