/*
 * view_mails.c: the mails that came in, those too that are about nobody we know or could not be read. See view.h.
 */
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/id.h"
#include "base/mem.h"
#include "store/rows.h"

#include "view.h"

#define MAILS_MAX 50

static const char *said(const json_t *summary, const char *name)
{
	const char *s = json_string_value(json_object_get(summary, name));

	return s ? s : "";
}

static json_t *summary_of(const struct inbound *in)
{
	json_t *summary = json_loads(in->summary, 0, NULL);

	return summary ? summary : json_object();
}

/* What it wants, or of what kind the bounce or the answer of a machine is. */
static const char *detail(const json_t *summary, const char *class)
{
	if (strcmp(class, "bounce") == 0)
		return said(json_object_get(summary, "bounce"), "kind");
	return said(summary, strcmp(class, "auto") == 0 ? "auto_kind" : "intent");
}

static json_t *mail_json(const struct inbound *in, const json_t *summary)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "mail", answer_id("inb", in->id), "received", answer_time(in->received), "mailbox",
		answer_text(in->mailbox), "class", answer_text(in->class), "detail", answer_text(detail(summary, in->class)), "prospect",
		answer_id("pro", in->prospect), "from", answer_text(said(summary, "from")), "subject", answer_text(said(summary, "subject")));
}

int view_mails(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	json_t *list = json_array();
	struct inbound *rows;
	size_t count = 0;
	int rc = inbound_latest(db, MAILS_MAX, arena, &rows, &count, err);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		json_t *summary = summary_of(&rows[i]);

		json_array_append_new(list, mail_json(&rows[i], summary));
		json_decref(summary);
	}
	if (rc < 0)
		json_decref(list);
	else
		rc = answer_give(out, list, err);
	arena_free(&arena);
	return rc;
}

/* All of it, and why: what stands in it beyond the row. */
static json_t *whole_json(const struct inbound *in)
{
	static const char *const members[] = { "evidence", "tokens", "recipients", "message_id", "in_reply_to", "text", "intents", "bounce", "bounces", "complaint", "about" };
	json_t *summary = summary_of(in), *o = mail_json(in, summary);

	json_object_set_new(o, "delivery", answer_id("del", in->delivery));
	json_object_set_new(o, "size_bytes", json_integer((json_int_t)in->size));
	json_object_set_new(o, "kept_bytes", json_integer((json_int_t)in->raw_len));
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(summary, members[i]);

		if (value && (!json_is_array(value) || json_array_size(value)) && (!json_is_string(value) || json_string_length(value)))
			json_object_set(o, members[i], value);
	}
	json_decref(summary);
	return o;
}

static int find(const struct view_at *at, struct db *db, struct arena *arena, struct inbound *out, struct err *err)
{
	int64_t id;

	return id_parse("inb", at->argument, &id) < 0 ? 0 : inbound_find(db, id, arena, out, err);
}

int view_mail(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct inbound in;
	int got = find(at, db, arena, &in, err);

	if (got == 1)
		got = answer_give(out, whole_json(&in), err);
	arena_free(&arena);
	return got;
}

int view_mail_raw(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct inbound in;
	int got = find(at, db, arena, &in, err);

	if (got == 1 && !in.raw)
		got = 0;
	if (got == 1)
		buf_add(out, in.raw, in.raw_len);
	arena_free(&arena);
	return got;
}
