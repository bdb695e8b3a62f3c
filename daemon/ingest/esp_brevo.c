/*
 * esp_brevo.c: Brevo's transactional webhooks. Its `id` is the webhook's, not the event's, and only `ts_epoch` is a time to rely on.
 */
#include "esp.h"

static const struct esp_word words[] = {
	{ "hard_bounce", ESP_BOUNCE, "hard", "" },
	{ "invalid_email", ESP_BOUNCE, "hard", "userunknown" },
	{ "soft_bounce", ESP_BOUNCE, "soft", "" },
	{ "error", ESP_BOUNCE, "soft", "systemerror" },
	{ "blocked", ESP_BOUNCE, "hard", "suppressed" },
	{ "deferred", ESP_DELAYED, "", "" },
	{ "spam", ESP_COMPLAINT, "", "" },
	{ "complaint", ESP_COMPLAINT, "", "" },
	{ "unsubscribe", ESP_UNSUBSCRIBED, "", "" },
	{ "unsubscribed", ESP_UNSUBSCRIBED, "", "" },
	{ "delivered", ESP_DELIVERED, "", "" },
	{ "opened", ESP_DELIVERED, "", "" },
	{ "unique_opened", ESP_DELIVERED, "", "" },
	{ "proxy_open", ESP_DELIVERED, "", "" },
	{ "unique_proxy_open", ESP_DELIVERED, "", "" },
	{ "click", ESP_DELIVERED, "", "" },
	{ NULL, ESP_BOUNCE, NULL, NULL },
};

static void read_event(struct esp_report *out, const json_t *object)
{
	const char *event = esp_text(out->arena, object, "event");
	struct esp_event *e = esp_add_word(out, words, event);

	if (!e)
		return;
	e->address = esp_text(out->arena, object, "email");
	e->our_id = esp_text(out->arena, object, "X-Mailin-custom");
	e->relay_id = esp_text(out->arena, object, "message-id");
	if (!*e->our_id)
		e->our_id = e->relay_id;
	e->diagnostic = esp_text(out->arena, object, "reason");
	e->key = esp_key(out->arena, event, e->relay_id, esp_text(out->arena, object, "ts_epoch"), esp_text(out->arena, object, "link"));
}

int esp_read_brevo(struct esp_report *out, const json_t *body, struct err *err)
{
	return esp_each(out, body, read_event, err);
}
