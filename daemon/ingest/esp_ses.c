/*
 * esp_ses.c: Amazon SES, by SNS: event publishing (`eventType`) and feedback notifications (`notificationType`).
 */
#include <string.h>

#include "esp.h"

struct message {
	const char *our_id, *relay_id;
};

static struct message read_mail(struct arena *arena, const json_t *message)
{
	const json_t *mail = json_object_get(message, "mail"), *headers = json_object_get(mail, "headers");
	struct message m = { .our_id = esp_header(arena, headers, "X-Nurtured-ID"), .relay_id = esp_text(arena, mail, "messageId") };

	if (!*m.our_id)
		m.our_id = esp_header(arena, headers, "Message-ID");
	return m;
}

static struct esp_event *add(struct esp_report *out, enum esp_what what, const struct message *mail, const char *sns_id, const char *address)
{
	struct esp_event *e = esp_add(out, what);

	if (!e)
		return NULL;
	e->address = address;
	e->our_id = mail->our_id;
	e->relay_id = mail->relay_id;
	e->key = arena_printf(out->arena, "%s/%s", sns_id, address);
	return e;
}

/* What the type and subtype of a bounce mean; the diagnostic may know better. */
static void set_bounce(struct esp_event *e, const char *type, const char *subtype)
{
	static const struct {
		const char *type, *subtype, *kind, *reason;
	} meanings[] = {
		{ "Permanent", "Suppressed", "hard", "suppressed" },
		{ "Permanent", "OnAccountSuppressionList", "hard", "suppressed" },
		{ "Permanent", "NoEmail", "hard", "userunknown" },
		{ "Permanent", NULL, "hard", "" },
		{ "Transient", "MailboxFull", "soft", "mailboxfull" },
		{ "Transient", "MessageTooLarge", "sender", "mesgtoobig" },
		{ "Transient", "ContentRejected", "sender", "contenterror" },
		{ "Transient", "AttachmentRejected", "sender", "contenterror" },
		{ "Transient", "CustomTimeoutExceeded", "soft", "expired" },
		{ NULL, NULL, "soft", "" },
	};
	size_t i = 0;

	while ((meanings[i].type && strcmp(meanings[i].type, type) != 0) || (meanings[i].subtype && strcmp(meanings[i].subtype, subtype) != 0))
		i++;
	e->kind = meanings[i].kind;
	e->reason = meanings[i].reason;
}

static void read_bounce(struct esp_report *out, const json_t *message, const struct message *mail, const char *sns_id)
{
	const json_t *bounce = json_object_get(message, "bounce");
	const char *type = esp_text(out->arena, bounce, "bounceType"), *subtype = esp_text(out->arena, bounce, "bounceSubType");
	struct esp_event *e;
	json_t *r;
	size_t i;

	json_array_foreach(json_object_get(bounce, "bouncedRecipients"), i, r) {
		e = add(out, ESP_BOUNCE, mail, sns_id, esp_text(out->arena, r, "emailAddress"));
		if (!e)
			return;
		e->status = esp_text(out->arena, r, "status");
		e->diagnostic = esp_text(out->arena, r, "diagnosticCode");
		set_bounce(e, type, subtype);
	}
}

/*
 * A report may name several people of whom one complained. Whose message it was says which; without that nobody is blamed for another, and
 * the report goes on as about nobody, which tells the operator.
 */
static void read_complaint(struct esp_report *out, const json_t *message, const struct message *mail, const char *sns_id)
{
	const json_t *complaint = json_object_get(message, "complaint"), *who = json_object_get(complaint, "complainedRecipients");
	bool suppressed = strcmp(esp_text(out->arena, complaint, "complaintSubType"), "OnAccountSuppressionList") == 0;
	struct esp_event *e;

	if (strcmp(esp_text(out->arena, complaint, "complaintFeedbackType"), "not-spam") == 0)
		return;
	e = add(out, suppressed ? ESP_BOUNCE : ESP_COMPLAINT, mail, sns_id,
			json_array_size(who) == 1 ? esp_text(out->arena, json_array_get(who, 0), "emailAddress") : "");
	if (!e || !suppressed)
		return;
	e->kind = "hard";
	e->reason = "suppressed";
}

static void read_delay(struct esp_report *out, const json_t *message, const struct message *mail, const char *sns_id)
{
	struct esp_event *e;
	json_t *r;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(message, "deliveryDelay"), "delayedRecipients"), i, r) {
		e = add(out, ESP_DELAYED, mail, sns_id, esp_text(out->arena, r, "emailAddress"));
		if (!e)
			return;
		e->status = esp_text(out->arena, r, "status");
		e->diagnostic = esp_text(out->arena, r, "diagnosticCode");
	}
}

static void read_delivery(struct esp_report *out, const json_t *message, const struct message *mail, const char *sns_id)
{
	json_t *r;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(message, "delivery"), "recipients"), i, r)
		add(out, ESP_DELIVERED, mail, sns_id, esp_value(out->arena, r));
}

/* SES found something in it before it went anywhere. */
static void read_reject(struct esp_report *out, const json_t *message, const struct message *mail, const char *sns_id)
{
	const json_t *to = json_object_get(json_object_get(message, "mail"), "destination");
	struct esp_event *e = add(out, ESP_BOUNCE, mail, sns_id, esp_value(out->arena, json_array_get(to, 0)));

	if (!e)
		return;
	e->kind = "sender";
	e->reason = "virusdetected";
	e->diagnostic = esp_text(out->arena, json_object_get(message, "reject"), "reason");
}

int esp_read_ses(struct esp_report *out, const json_t *message, const char *sns_id, struct err *err)
{
	const char *type = esp_text(out->arena, message, "eventType");
	struct message mail = read_mail(out->arena, message);

	if (!*type)
		type = esp_text(out->arena, message, "notificationType");
	if (!*type)
		return err_set(err, "there is neither eventType nor notificationType");
	if (strcmp(type, "Bounce") == 0)
		read_bounce(out, message, &mail, sns_id);
	else if (strcmp(type, "Complaint") == 0)
		read_complaint(out, message, &mail, sns_id);
	else if (strcmp(type, "DeliveryDelay") == 0)
		read_delay(out, message, &mail, sns_id);
	else if (strcmp(type, "Delivery") == 0)
		read_delivery(out, message, &mail, sns_id);
	else if (strcmp(type, "Reject") == 0)
		read_reject(out, message, &mail, sns_id);
	else if (strcmp(type, "Open") == 0 || strcmp(type, "Click") == 0)
		add(out, ESP_DELIVERED, &mail, sns_id, "");
	return 0;
}
