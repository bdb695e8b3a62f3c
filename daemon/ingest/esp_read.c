/*
 * esp_read.c: what the readers of esp.h share.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#include "esp.h"
#include "parts.h"

#define TEXT_MAX 1000

struct esp_event *esp_add(struct esp_report *report, enum esp_what what)
{
	struct esp_event *grown;

	if (report->count == ESP_EVENTS_MAX)
		return NULL;
	if (report->count == report->cap) {
		report->cap = report->cap ? report->cap * 2 : 8;
		grown = arena_calloc(report->arena, report->cap, sizeof(*grown));
		if (report->count)
			memcpy(grown, report->events, report->count * sizeof(*grown));
		report->events = grown;
	}
	report->events[report->count] = (struct esp_event){ .what = what, .key = "", .address = "", .our_id = "", .relay_id = "", .kind = "",
			.reason = "", .status = "", .diagnostic = "" };
	return &report->events[report->count++];
}

struct esp_event *esp_add_word(struct esp_report *report, const struct esp_word *words, const char *name)
{
	struct esp_event *e;

	while (words->name && strcmp(words->name, name) != 0)
		words++;
	e = words->name ? esp_add(report, words->what) : NULL;
	if (e) {
		e->kind = words->kind;
		e->reason = words->reason;
	}
	return e;
}

int esp_each(struct esp_report *report, const json_t *body, void (*read)(struct esp_report *report, const json_t *event), struct err *err)
{
	json_t *event;
	size_t i;

	if (json_is_object(body) && json_object_get(body, "event")) {
		read(report, body);
		return 0;
	}
	if (!json_is_array(body))
		return err_set(err, "neither an event nor a list of them");
	json_array_foreach(body, i, event)
		read(report, event);
	return 0;
}

const char *esp_value(struct arena *arena, const json_t *v)
{
	if (json_is_string(v))
		return read_text(arena, json_string_value(v), TEXT_MAX);
	if (json_is_integer(v))
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return json_is_real(v) ? arena_printf(arena, "%.3f", json_real_value(v)) : "";
}

const char *esp_text(struct arena *arena, const json_t *object, const char *name)
{
	return esp_value(arena, json_object_get(object, name));
}

const char *esp_header(struct arena *arena, const json_t *headers, const char *name)
{
	size_t i;
	json_t *h;

	json_array_foreach(headers, i, h) {
		const char *given = json_string_value(json_object_get(h, "name"));

		if (given && strcasecmp(given, name) == 0)
			return esp_text(arena, h, "value");
	}
	return "";
}

const char *esp_key(struct arena *arena, const char *a, const char *b, const char *c, const char *d)
{
	const char *all[] = { a, b, c, d };
	struct buf text = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	const char *out;
	size_t i;

	for (i = 0; i < 4; i++) {
		buf_str(&text, all[i]);
		buf_char(&text, '\n');
	}
	digest_sha256(text.data, text.len, digest);
	buf_reset(&text);
	text_hex(&text, digest, 16);
	out = arena_strdup(arena, buf_cstr(&text));
	buf_clear(&text);
	return out;
}
