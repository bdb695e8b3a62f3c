/*
 * esp_mailjet.c: Mailjet's event API: one event, or a list of them.
 */
#include <string.h>

#include "esp.h"

/* By `error`, as its guide lists them. */
static const struct {
	const char *error, *kind, *reason;
} errors[] = {
	{ "user unknown", "hard", "userunknown" },
	{ "mailbox inactive", "soft", "suspend" },
	{ "quota exceeded", "soft", "mailboxfull" },
	{ "invalid domain", "hard", "hostunknown" },
	{ "no mail host", "hard", "hostunknown" },
	{ "relay/access denied", "sender", "norelaying" },
	{ "sender blocked", "sender", "blocked" },
	{ "content blocked", "sender", "contenterror" },
	{ "policy issue", "sender", "policyviolation" },
	{ "system issue", "soft", "systemerror" },
	{ "protocol issue", "soft", "systemerror" },
	{ "connection issue", "soft", "networkerror" },
	{ "preblocked", "hard", "suppressed" },
	{ "duplicate in campaign", "sender", "rejected" },
	{ "spam preblocked", "sender", "spamdetected" },
	{ "bad or empty template", "sender", "contenterror" },
	{ "error in template language", "sender", "contenterror" },
};

static void set_bounce(struct esp_event *e, struct arena *arena, const json_t *object)
{
	const char *error = esp_text(arena, object, "error"), *comment = esp_text(arena, object, "comment");
	size_t i;

	e->diagnostic = *comment ? comment : error;
	if (strcmp(error, "greylisted") == 0) {
		e->what = ESP_DELAYED;
		return;
	}
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(errors[i].error, error) == 0) {
			e->kind = errors[i].kind;
			e->reason = errors[i].reason;
			return;
		}
	}
	e->kind = json_is_true(json_object_get(object, "hard_bounce")) ? "hard" :
			json_is_true(json_object_get(object, "blocked")) ? "sender" : "soft";
}

static const struct esp_word words[] = {
	{ "bounce", ESP_BOUNCE, "", "" }, { "blocked", ESP_BOUNCE, "", "" }, { "spam", ESP_COMPLAINT, "", "" }, { "unsub", ESP_UNSUBSCRIBED, "", "" },
	{ "sent", ESP_DELIVERED, "", "" }, { "open", ESP_DELIVERED, "", "" }, { "click", ESP_DELIVERED, "", "" }, { NULL, ESP_BOUNCE, NULL, NULL },
};

static void read_event(struct esp_report *out, const json_t *object)
{
	const char *event = esp_text(out->arena, object, "event");
	struct esp_event *e = esp_add_word(out, words, event);

	if (!e)
		return;
	e->address = esp_text(out->arena, object, "email");
	e->our_id = esp_text(out->arena, object, "CustomID");
	e->relay_id = esp_text(out->arena, object, "MessageID");
	e->key = esp_key(out->arena, event, e->relay_id, esp_text(out->arena, object, "time"), e->address);
	if (e->what == ESP_BOUNCE)
		set_bounce(e, out->arena, object);
}

int esp_read_mailjet(struct esp_report *out, const json_t *body, struct err *err)
{
	return esp_each(out, body, read_event, err);
}
