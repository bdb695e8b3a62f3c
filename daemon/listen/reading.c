/*
 * reading.c: the whole of it, in order: open, collect addresses and tokens, cut the reply, classify, and
 * then what the class calls for.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "base/token.h"
#include "bounce.h"
#include "candidates.h"
#include "charset.h"
#include "classify.h"
#include "html_text.h"
#include "intents.h"
#include "listen/reading.h"
#include "mail.h"
#include "reply_text.h"
#include "return_date.h"

#define ARENA_BLOCK (64 * 1024)
#define LATE (60 * US_DAY)		/* a mail that comes so late has a wrong date */
#define JUDGE_MAX (64 * 1024)

static const char *const class_names[] = {
	[READING_COMPLAINT] = "complaint",
	[READING_BOUNCE] = "bounce",
	[READING_MDN] = "mdn",
	[READING_CHALLENGE] = "challenge",
	[READING_UNSUBSCRIBE] = "unsubscribe",
	[READING_CALENDAR] = "calendar",
	[READING_AUTO] = "auto",
	[READING_HUMAN] = "human",
	[READING_UNREADABLE] = "unreadable",
};

static const char *const kind_names[] = {
	[BOUNCE_NONE] = "delayed", [BOUNCE_HARD] = "hard", [BOUNCE_SOFT] = "soft", [BOUNCE_SENDER] = "sender",
};

const char *reading_class_name(enum reading_class c)
{
	return class_names[c];
}

const char *bounce_kind_name(enum bounce_kind k)
{
	return kind_names[k];
}

/* --- parts of it ---------------------------------------------------------------------------------------- */

static char *cut_utf8(struct arena *arena, const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n > max)
		for (n = max; n && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
			;
	return arena_strndup(arena, s, n);
}

static void read_fields(const struct opened_mail *m, struct mail_reading *r)
{
	const struct headers *h = &m->headers;
	const char *subject = headers_decode(m->arena, headers_get(h, "subject"));

	r->from = headers_address(m->arena, headers_get(h, "from"));
	r->from_name = cut_utf8(m->arena, headers_name(m->arena, headers_get(h, "from")), 200);
	r->subject = cut_utf8(m->arena, subject ? subject : "", 998);
	r->message_id = cut_utf8(m->arena,
		headers_get(h, "message-id") ? headers_decode(m->arena, headers_get(h, "message-id")) : "",
		998);
	r->in_reply_to = cut_utf8(m->arena,
		headers_get(h, "in-reply-to") ? headers_decode(m->arena, headers_get(h, "in-reply-to")) : "",
		998);
	r->date = headers_date(headers_get(h, "date"));
}

/* Of HTML where its quotes are marked by containers that we know, or where there is nothing else. */
static void read_reply(const struct opened_mail *m, struct reply_text *reply)
{
	const char *plain = *m->plain ? cut_utf8(m->arena, m->plain, JUDGE_MAX) : "";
	struct html_text html;

	if (!*m->html) {
		reply_text_read(reply, m->arena, plain);
		return;
	}
	html_text(&html, m->arena, m->html, strlen(m->html));
	html.text = cut_utf8(m->arena, html.text, JUDGE_MAX);
	if (html.quoted || !*plain) {
		reply_text_read(reply, m->arena, html.text);
		if (!reply->uncut || !*plain)
			return;
	}
	reply_text_read(reply, m->arena, plain);
}

/* Americans write 3/5 for March 5: known by the zone of their clocks. */
static bool is_american(const struct opened_mail *m)
{
	static struct pattern zone = PATTERN("-0[4-8]00\\b|\\b[ECMP][SD]T\\b");

	return pattern_in(&zone, headers_get(&m->headers, "date"));
}

static void read_human(const struct opened_mail *m, const struct reply_text *reply, int64_t received, const struct intent_rules *rules,
	struct mail_reading *r)
{
	intents_read(rules, reply->judged, r);
	r->return_date = return_date_of_not_now(reply->judged, received, is_american(m));
}

static void read_auto(
	const struct opened_mail *m, const struct reply_text *reply, int64_t received, struct mail_reading *r)
{
	if (!strcmp(r->auto_kind, "ooo"))
		r->return_date = return_date_of_absence(
			charset_simplify(m->arena, reply->text), received, is_american(m));
}

/* "In May" is said of the day on which it was written; a clock that cannot be right is not believed. */
static int64_t anchor(const struct mail_reading *r, int64_t received)
{
	return r->date && r->date < received + 2 * US_DAY && r->date > received - LATE ? r->date : received;
}

/* What was left out: rules of the text, and what was attached. */
static void read_shape(const struct opened_mail *m, const struct reply_text *reply, struct mail_reading *r)
{
	for (size_t i = 0; i < reply->cut_count && i < READING_MAX_CUTS; i++)
		r->cut[r->cut_count++] = reply->cut[i];
	for (size_t i = 0; i < m->mime.count && r->attachment_count < READING_MAX_ATTACHMENTS; i++) {
		const struct mime_part *part = &m->mime.parts[i];

		if (part->attachment)
			r->attachments[r->attachment_count++] = part->filename ? headers_decode(r->arena, part->filename) : part->type;
	}
}

void reading_make(
	struct mail_reading *out, const char *raw, size_t n, int64_t received, const struct reading_setting *setting)
{
	static const struct reading_setting none;
	struct opened_mail m;
	struct reply_text reply;

	if (!setting)
		setting = &none;
	memset(out, 0, sizeof(*out));
	out->arena = arena_new(ARENA_BLOCK);
	out->intent = out->about = out->disposition = out->likeness = "";
	out->bounce = (struct mail_bounce)MAIL_BOUNCE_NONE;
	mail_open(&m, out->arena, raw, n);
	read_fields(&m, out);
	candidates_read(&m, out);
	if (classify_report(&m, setting->own_domains, out)) {
		reply = (struct reply_text){ .text = cut_utf8(m.arena, m.notice, READING_MAX_TEXT), .judged = cut_utf8(m.arena, "", 0) };
	} else {
		read_reply(&m, &reply);
		classify(&m, &reply, setting->own_domains, out);
	}
	out->text = cut_utf8(out->arena, reply.text, READING_MAX_TEXT);
	out->uncut = reply.uncut;
	read_shape(&m, &reply, out);
	if (out->class == READING_BOUNCE) {
		bounce_read(&m, out);
		out->about = out->bounce.recipient;
	} else if (out->class == READING_HUMAN) {
		read_human(&m, &reply, anchor(out, received), setting->rules, out);
	} else if (out->class == READING_AUTO) {
		read_auto(&m, &reply, anchor(out, received), out);
	}
}

void reading_clear(struct mail_reading *r)
{
	arena_free(&r->arena);
	memset(r, 0, sizeof(*r));
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

/* Fields come as they were sent; JSON wants UTF-8. */
static json_t *json_text(struct arena *arena, const char *s)
{
	json_t *v = json_string(s);

	return v ? v : json_string(charset_to_utf8(arena, s, strlen(s), NULL));
}

static json_t *json_list(struct arena *arena, const char *const *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(arena, list[i]));
	return array;
}

static json_t *json_tokens(const struct mail_reading *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->token_count; i++)
		json_array_append_new(array, json_pack("{ss# ss ss}", "kind", &r->tokens[i].kind, 1, "text",
						     r->tokens[i].text, "where", r->tokens[i].where));
	return array;
}

static json_t *json_intents(const struct mail_reading *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->intent_count; i++)
		json_array_append_new(array, json_pack("{ss sf ss ss}", "name", r->intents[i].name, "confidence",
						     r->intents[i].confidence, "said", r->intents[i].said, "pattern", r->intents[i].pattern));
	return array;
}

struct json_field {
	const char *key, *value;
};

static void json_fields(json_t *o, struct arena *arena, const struct json_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_object_set_new(o, fields[i].key, json_text(arena, fields[i].value));
}

static json_t *json_bounce(struct arena *arena, const struct mail_bounce *b)
{
	json_t *o = json_pack(
		"{ss ss si}", "kind", bounce_kind_name(b->kind), "reason", b->reason, "code", b->code);
	const struct json_field fields[] = {
		{"action", b->action},
		{"status", b->status},
		{"recipient", b->recipient},
		{"original_recipient", b->original_recipient},
		{"diagnostic", b->diagnostic},
		{"original_envelope_id", b->original_envelope_id},
	};

	json_fields(o, arena, fields, sizeof(fields) / sizeof(fields[0]));
	return o;
}

static json_t *json_bounces(const struct mail_reading *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->bounce_count; i++)
		json_array_append_new(array, json_bounce(r->arena, &r->bounces[i]));
	return array;
}

json_t *reading_json(const struct mail_reading *r)
{
	json_t *o = json_pack("{ss ss ss sb sf sI sI}", "class", reading_class_name(r->class), "auto_kind",
		r->auto_kind, "intent", r->intent, "uncut", r->uncut, "intent_confidence",
		r->intent_confidence, "date", (json_int_t)r->date, "until", (json_int_t)r->return_date);
	const struct json_field fields[] = {
		{"from", r->from},
		{"from_name", r->from_name},
		{"subject", r->subject},
		{"message_id", r->message_id},
		{"in_reply_to", r->in_reply_to},
		{"text", r->text},
		{"complaint", r->complaint},
		{"about", r->about},
		{"disposition", r->disposition},
		{"likeness", r->likeness},
	};

	json_fields(o, r->arena, fields, sizeof(fields) / sizeof(fields[0]));
	json_object_set_new(o, "evidence", json_list(r->arena, r->evidence, r->evidence_count));
	json_object_set_new(o, "cut", json_list(r->arena, r->cut, r->cut_count));
	json_object_set_new(o, "attachments", json_list(r->arena, r->attachments, r->attachment_count));
	json_object_set_new(o, "recipients", json_list(r->arena, r->recipients, r->recipient_count));
	json_object_set_new(o, "tokens", json_tokens(r));
	json_object_set_new(o, "intents", json_intents(r));
	json_object_set_new(o, "relay_ids", json_list(r->arena, r->relay_ids, r->relay_id_count));
	if (r->class == READING_BOUNCE)
		json_object_set_new(o, "bounce", json_bounce(r->arena, &r->bounce));
	if (r->bounce_count)
		json_object_set_new(o, "bounces", json_bounces(r));
	return o;
}
