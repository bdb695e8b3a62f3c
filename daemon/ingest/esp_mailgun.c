/*
 * esp_mailgun.c: Mailgun's webhooks. Its signature lies in the body: esp.c looks at that first.
 */
#include <string.h>

#include "esp.h"

static void set_failed(struct esp_event *e, struct arena *arena, const json_t *data)
{
	const json_t *status = json_object_get(data, "delivery-status");
	const char *reason = esp_text(arena, data, "reason"), *severity = esp_text(arena, data, "severity");

	e->diagnostic = esp_text(arena, status, "message");
	if (!*e->diagnostic)
		e->diagnostic = esp_text(arena, status, "description");
	e->status = esp_text(arena, status, "enhanced-code");
	if (strcmp(severity, "temporary") == 0) {
		e->what = ESP_DELAYED;	/* Mailgun tries again, and says `permanent` when it gives up */
	} else if (strcmp(reason, "suppress-bounce") == 0) {
		e->reason = "suppressed";
	} else if (strcmp(reason, "suppress-unsubscribe") == 0) {
		e->what = ESP_UNSUBSCRIBED;
	} else if (strcmp(reason, "suppress-complaint") == 0) {
		e->what = ESP_COMPLAINT;
	} else if (strcmp(reason, "old") == 0) {
		e->kind = "soft";
		e->reason = "expired";
	} else if (strcmp(reason, "espblock") == 0) {
		e->kind = "sender";
		e->reason = "blocked";
	}
}

static const struct esp_word words[] = {
	{ "failed", ESP_BOUNCE, "hard", "" }, { "rejected", ESP_BOUNCE, "sender", "rejected" }, { "complained", ESP_COMPLAINT, "", "" },
	{ "unsubscribed", ESP_UNSUBSCRIBED, "", "" }, { "delivered", ESP_DELIVERED, "", "" }, { "opened", ESP_DELIVERED, "", "" },
	{ "clicked", ESP_DELIVERED, "", "" }, { NULL, ESP_BOUNCE, NULL, NULL },
};

int esp_read_mailgun(struct esp_report *out, const json_t *body, struct err *err)
{
	const json_t *data = json_object_get(body, "event-data"), *headers;
	const char *event = esp_text(out->arena, data, "event");
	struct esp_event *e;

	if (!*event)
		return err_set(err, "there is no event-data with an event");
	e = esp_add_word(out, words, event);
	if (!e)
		return 0;
	headers = json_object_get(json_object_get(data, "message"), "headers");
	e->our_id = esp_text(out->arena, headers, "message-id");
	e->relay_id = e->our_id;
	e->address = esp_text(out->arena, data, "recipient");
	e->key = esp_text(out->arena, data, "id");
	if (strcmp(event, "failed") == 0) {
		set_failed(e, out->arena, data);
	} else if (strcmp(event, "rejected") == 0) {
		e->diagnostic = esp_text(out->arena, json_object_get(data, "reject"), "reason");
	}
	return 0;
}
