/*
 * esp_sendgrid.c: Twilio SendGrid's event webhook.
 */
#include <string.h>

#include "base/text.h"

#include "esp.h"

/* "dropped": SendGrid did not even try, because of what it remembers of the address. */
static void set_dropped(struct esp_event *e)
{
	if (text_starts_with(e->diagnostic, "Unsubscribed")) {
		e->what = ESP_UNSUBSCRIBED;
	} else if (text_starts_with(e->diagnostic, "Spam Reporting")) {
		e->what = ESP_COMPLAINT;
	} else if (text_starts_with(e->diagnostic, "Bounced") || text_starts_with(e->diagnostic, "Invalid")) {
		e->kind = "hard";
		e->reason = "suppressed";
	} else {
		e->kind = "sender";
		e->reason = "rejected";
	}
}

static const struct esp_word words[] = {
	{ "bounce", ESP_BOUNCE, "hard", "" }, { "dropped", ESP_BOUNCE, "", "" }, { "deferred", ESP_DELAYED, "", "" }, { "spamreport", ESP_COMPLAINT, "", "" },
	{ "unsubscribe", ESP_UNSUBSCRIBED, "", "" }, { "group_unsubscribe", ESP_UNSUBSCRIBED, "", "" }, { "delivered", ESP_DELIVERED, "", "" },
	{ "open", ESP_DELIVERED, "", "" }, { "click", ESP_DELIVERED, "", "" }, { NULL, ESP_BOUNCE, NULL, NULL },
};

static void read_event(struct esp_report *out, const json_t *object)
{
	const char *event = esp_text(out->arena, object, "event");
	struct esp_event *e = esp_add_word(out, words, event);

	if (!e)
		return;
	e->key = esp_text(out->arena, object, "sg_event_id");
	e->address = esp_text(out->arena, object, "email");
	e->our_id = esp_text(out->arena, object, "smtp-id");
	e->relay_id = esp_text(out->arena, object, "sg_message_id");
	e->status = esp_text(out->arena, object, "status");
	e->diagnostic = esp_text(out->arena, object, strcmp(event, "deferred") == 0 ? "response" : "reason");
	if (strcmp(event, "dropped") == 0)
		set_dropped(e);
	else if (e->what == ESP_BOUNCE && strcmp(esp_text(out->arena, object, "type"), "blocked") == 0)
		e->kind = "sender";
}

int esp_read_sendgrid(struct esp_report *out, const json_t *body, struct err *err)
{
	json_t *object;
	size_t i;

	if (!json_is_array(body))
		return err_set(err, "not an array of events");
	json_array_foreach(body, i, object)
		read_event(out, object);
	return 0;
}
