/*
 * esp_postmark.c: Postmark's webhooks for bounces, spam complaints, subscription changes, deliveries, opens and clicks.
 */
#include <string.h>

#include "esp.h"

static const struct esp_word types[] = {
	{ "HardBounce", ESP_BOUNCE, "hard", "" },
	{ "BadEmailAddress", ESP_BOUNCE, "hard", "userunknown" },
	{ "Transient", ESP_DELAYED, "", "" },
	{ "SoftBounce", ESP_BOUNCE, "soft", "" },
	{ "DnsError", ESP_BOUNCE, "soft", "networkerror" },
	{ "Undeliverable", ESP_BOUNCE, "soft", "" },
	{ "Unknown", ESP_BOUNCE, "soft", "" },
	{ "SpamComplaint", ESP_COMPLAINT, "", "" },
	{ "SpamNotification", ESP_BOUNCE, "sender", "spamdetected" },
	{ "VirusNotification", ESP_BOUNCE, "sender", "virusdetected" },
	{ "Blocked", ESP_BOUNCE, "sender", "blocked" },
	{ "DMARCPolicy", ESP_BOUNCE, "sender", "authfailure" },
	{ "SMTPApiError", ESP_BOUNCE, "sender", "syntaxerror" },
	{ "TemplateRenderingFailed", ESP_BOUNCE, "sender", "contenterror" },
	{ "Unsubscribe", ESP_UNSUBSCRIBED, "", "" },
	{ "ManuallyDeactivated", ESP_UNSUBSCRIBED, "", "" },
	{ "AutoResponder", ESP_DELIVERED, "", "" },
	{ "AddressChange", ESP_DELIVERED, "", "" },
	{ "ChallengeVerification", ESP_DELIVERED, "", "" },
	{ NULL, ESP_BOUNCE, NULL, NULL },
};

static void read_bounce(struct esp_report *out, const json_t *body)
{
	/* "Subscribe", "OpenRelayTest" and what will come to be say nothing about a mail */
	struct esp_event *e = esp_add_word(out, types, esp_text(out->arena, body, "Type"));

	if (!e)
		return;
	e->diagnostic = esp_text(out->arena, body, "Details");
	if (!*e->diagnostic)
		e->diagnostic = esp_text(out->arena, body, "Description");
}

static void read_change(struct esp_report *out, const json_t *body)
{
	const char *reason = esp_text(out->arena, body, "SuppressionReason");
	struct esp_event *e;

	if (!json_is_true(json_object_get(body, "SuppressSending")))
		return;
	if (strcmp(reason, "HardBounce") == 0) {
		e = esp_add(out, ESP_BOUNCE);
		e->kind = "hard";
		e->reason = "suppressed";
	} else {
		esp_add(out, strcmp(reason, "SpamComplaint") == 0 ? ESP_COMPLAINT : ESP_UNSUBSCRIBED);
	}
}

/* An object a request, so there is one event at most. */
int esp_read_postmark(struct esp_report *out, const json_t *body, struct err *err)
{
	const char *record = esp_text(out->arena, body, "RecordType"), *id = esp_text(out->arena, body, "ID"), *at = "";
	static const char *const times[] = { "BouncedAt", "ChangedAt", "DeliveredAt", "ReceivedAt" };
	struct esp_event *e;
	size_t i;

	if (!*record)
		return err_set(err, "there is no RecordType");
	if (strcmp(record, "Bounce") == 0)
		read_bounce(out, body);
	else if (strcmp(record, "SpamComplaint") == 0)
		esp_add(out, ESP_COMPLAINT);
	else if (strcmp(record, "SubscriptionChange") == 0)
		read_change(out, body);
	else if (strcmp(record, "Delivery") == 0 || strcmp(record, "Open") == 0 || strcmp(record, "Click") == 0)
		esp_add(out, ESP_DELIVERED);
	if (out->count == 0)
		return 0;
	for (i = 0; !*at && i < sizeof(times) / sizeof(times[0]); i++)
		at = esp_text(out->arena, body, times[i]);
	e = &out->events[0];
	e->address = esp_text(out->arena, body, "Email");
	if (!*e->address)
		e->address = esp_text(out->arena, body, "Recipient");
	e->our_id = esp_text(out->arena, json_object_get(body, "Metadata"), "nurtured");
	e->relay_id = esp_text(out->arena, body, "MessageID");
	e->key = esp_key(out->arena, record, *id ? id : e->relay_id, at, e->address);
	return 0;
}
