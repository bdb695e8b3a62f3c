/*
 * fuzz_esp.c: reports of mail services, in JSON, and what signs them. The first byte chooses. Texts that come out must be UTF-8 without
 * controls; a signature of noise is never good.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/ingest/body.h"
#include "../../daemon/ingest/esp.h"
#include "../../daemon/ingest/esp_sign.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	if (!s || !text_utf8_valid(s, strlen(s)) || text_has_control(s, strlen(s)))
		abort();
}

static void check(const struct esp_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct esp_event *e = &report->events[i];

		check_text(e->key);
		check_text(e->address);
		check_text(e->our_id);
		check_text(e->relay_id);
		check_text(e->status);
		check_text(e->diagnostic);
		check_text(e->reason);
		if (e->what == ESP_BOUNCE && strcmp(e->kind, "hard") && strcmp(e->kind, "soft") && strcmp(e->kind, "sender"))
			abort();
	}
}

static int read_one(unsigned which, struct esp_report *report, const json_t *body)
{
	static int (*const readers[])(struct esp_report *out, const json_t *body, struct err *err) = {
		esp_read_sendgrid, esp_read_postmark, esp_read_mailgun, esp_read_mailjet, esp_read_brevo,
	};

	return which % 6 == 5 ? esp_read_ses(report, body, "id", NULL) : readers[which % 6](report, body, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct esp_report report = { .arena = arena_new(0) };
	struct buf text = BUF_INIT;
	char *s;
	json_t *body;

	if (size < 1) {
		arena_free(&report.arena);
		return 0;
	}
	s = arena_strndup(report.arena, (const char *)data + 1, size - 1);
	(void)sign_sns_url(s, "arn:aws:sns:eu-west-1:1:x", data[0] & 1);
	(void)sign_basic(s, "user", "password");
	body = body_json_any((struct slice){ (const char *)data + 1, size - 1 }, NULL);
	if (body) {
		if (read_one(data[0], &report, body) == 0)
			check(&report);
		sign_sns_string(body, &text);
		if (sign_mailgun("key that nobody knows", body))
			abort();
	}
	json_decref(body);
	buf_clear(&text);
	arena_free(&report.arena);
	return 0;
}
