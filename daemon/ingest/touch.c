/*
 * touch.c: where somebody came from: the campaign that a link names, or the site that led here. Of another site only its host is kept: an
 * address may tell things about a person that are no concern of ours.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

#include "message.h"

#define PART_MAX 200

static const struct {
	const char *name, *query;
} parts[] = {
	{ "source", "utm_source" }, { "medium", "utm_medium" }, { "name", "utm_campaign" }, { "term", "utm_term" }, { "content", "utm_content" },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* The value of a pair of a query string; false: it is not there, or not UTF-8. */
static bool query_value(const char *query, const char *name, struct buf *out)
{
	size_t len = strlen(name), n;

	for (; *query; query += n + (query[n] == '&')) {
		n = strcspn(query, "&#");
		if (n > len && strncmp(query, name, len) == 0 && query[len] == '=') {
			buf_reset(out);
			return text_percent_decode(query + len + 1, n - len - 1, true, out) == 0 && out->len > 0 && text_utf8_valid(out->data, out->len);
		}
		if (query[n] == '#')
			return false;
	}
	return false;
}

static void put(json_t *touch, const char *name, const char *value)
{
	size_t n = strnlen(value, PART_MAX);

	while (n > 0 && value[n] && ((unsigned char)value[n] & 0xc0) == 0x80)
		n--;
	if (n && !text_has_control(value, n))
		json_object_set_new(touch, name, json_stringn(value, n));
}

static const char *page_text(const json_t *message, const char *name)
{
	const char *s = json_string_value(json_object_get(json_object_get(json_object_get(message, "context"), "page"), name));

	return s ? s : json_string_value(json_object_get(json_object_get(message, "properties"), name));
}

static void read_campaign(json_t *touch, const json_t *message)
{
	const json_t *campaign = json_object_get(json_object_get(message, "context"), "campaign");
	const char *query = page_text(message, "search"), *url = page_text(message, "url"), *given;
	struct buf value = BUF_INIT;
	size_t i;

	query = query && *query ? query : url ? strchrnul(url, '?') : "";
	query += *query == '?';
	for (i = 0; i < PARTS; i++) {
		given = json_string_value(json_object_get(campaign, parts[i].name));
		if (given)
			put(touch, parts[i].name, given);
		else if (query_value(query, parts[i].query, &value))
			put(touch, parts[i].name, buf_cstr(&value));
	}
	buf_clear(&value);
}

/* Of an http or https URL: "www.example.com", without a port and user. */
static struct slice host_of(const char *url)
{
	const char *host = url && strncasecmp(url, "https://", 8) == 0 ? url + 8 : url && strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
	struct slice out = { "", 0 };

	if (!host || memchr(host, '@', strcspn(host, "/?#")))
		return out;
	out.data = host;
	out.len = strcspn(host, ":/?#");
	return out;
}

static void read_referrer(json_t *touch, const json_t *message)
{
	struct slice from = host_of(page_text(message, "referrer")), here = host_of(page_text(message, "url"));
	char host[PART_MAX];

	if (!from.len || from.len >= sizeof(host) || (here.len == from.len && strncasecmp(here.data, from.data, here.len) == 0))
		return;
	memcpy(host, from.data, from.len);
	host[from.len] = '\0';
	text_lower(host);
	if (!text_utf8_valid(host, from.len))
		return;
	put(touch, "referrer", host);
	if (!json_object_get(touch, "source")) {
		put(touch, "source", host);
		put(touch, "medium", "referral");
	}
}

json_t *touch_read(const json_t *message, const char *path)
{
	json_t *touch = json_object();

	read_campaign(touch, message);
	read_referrer(touch, message);
	if (json_object_size(touch) == 0) {
		json_decref(touch);
		return NULL;
	}
	if (*path)
		put(touch, "path", path);
	return touch;
}
