/*
 * page_reply.c: one mail as the intake reads it, step by step. See page.h.
 */
#include <jansson.h>
#include <string.h>

#include "console/page.h"
#include "say.h"

#define PATTERN_SHOWN 60	/* a form; expressions are longer, and in --json */
#define VALUE 12

static void label(struct buf *out, const char *name)
{
	buf_str(out, name);
	say_spaces(out, VALUE - strlen(name));
}

static void row(struct buf *out, const char *name, const char *value, int64_t now)
{
	if (!*value)
		return;
	label(out, name);
	say_wrapped(out, VALUE, value, now);
	buf_char(out, '\n');
}

/* A list of strings, one a line. */
static void rows(struct buf *out, const char *name, const json_t *list, int64_t now)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		row(out, i ? "" : name, s ? s : "", now);
	}
}

static void bounce(struct buf *out, const json_t *b, int64_t now)
{
	struct buf line = BUF_INIT;

	if (!json_is_object(b))
		return;
	buf_printf(&line, "%s: %s", say_member(b, "kind"), say_member(b, "reason"));
	if (*say_member(b, "status"))
		buf_printf(&line, " %s", say_member(b, "status"));
	if (*say_member(b, "recipient"))
		buf_printf(&line, ", %s", say_member(b, "recipient"));
	row(out, "bounce", buf_cstr(&line), now);
	row(out, "", say_member(b, "diagnostic"), now);
	buf_clear(&line);
}

/* Whose it may be: only the daemon's keys tell whether a token is ours. */
static void match(struct buf *out, const json_t *tokens, int64_t now)
{
	struct buf line = BUF_INIT;
	const json_t *first = json_array_get(tokens, 0);

	if (first)
		buf_printf(&line, "a token in %s, and it alone decides if it is one that we signed", say_member(first, "where"));
	else
		buf_str(&line, "no token; weak, by the sender's address");
	row(out, "match", buf_cstr(&line), now);
	buf_clear(&line);
}

static void text(struct buf *out, const json_t *json, int64_t now)
{
	const char *s = say_member(json, "text");

	if (say_member_true(json, "uncut"))
		row(out, "text", "nothing new was found: what follows is how the whole begins", now);
	else
		row(out, "text", *s ? "" : "none", now);
	while (*s) {
		size_t n = strcspn(s, "\n");
		struct buf line = BUF_INIT;

		buf_add(&line, s, n);
		buf_str(out, "  | ");
		say_clean(out, buf_cstr(&line));
		buf_char(out, '\n');
		buf_clear(&line);
		s += n + (s[n] == '\n');
	}
}

static void intents(struct buf *out, const json_t *json, int64_t now)
{
	const json_t *found = json_object_get(json, "found");

	for (size_t i = 0; i < json_array_size(found); i++) {
		const json_t *f = json_array_get(found, i);
		struct buf line = BUF_INIT;

		buf_printf(&line, "%s, ", say_member(f, "name"));
		say_points(&line, say_member_number(f, "confidence"));
		if (*say_member(f, "said"))
			buf_printf(&line, ": \"%s\"", say_member(f, "said"));
		if (*say_member(f, "pattern") && strlen(say_member(f, "pattern")) <= PATTERN_SHOWN)
			buf_printf(&line, ", by %s", say_member(f, "pattern"));
		row(out, i ? "" : "intents", buf_cstr(&line), now);
		buf_clear(&line);
	}
	row(out, "likeness", say_member(json, "likeness"), now);
	row(out, "leads", say_member(json, "primary"), now);
}

void page_reply(struct buf *out, const json_t *json, int64_t now)
{
	struct buf class = BUF_INIT;

	row(out, "from", say_member(json, "from"), now);
	row(out, "subject", say_member(json, "subject"), now);
	rows(out, "attached", json_object_get(json, "attachments"), now);
	buf_str(&class, say_member(json, "class"));
	if (*say_member(json, "auto_kind"))
		buf_printf(&class, " (%s)", say_member(json, "auto_kind"));
	row(out, "class", buf_cstr(&class), now);
	buf_clear(&class);
	rows(out, "because", json_object_get(json, "evidence"), now);
	bounce(out, json_object_get(json, "bounce"), now);
	match(out, json_object_get(json, "tokens"), now);
	text(out, json, now);
	rows(out, "left out", json_object_get(json, "cut"), now);
	intents(out, json, now);
	row(out, "until", say_member(json, "until"), now);
	rows(out, "follows", json_object_get(json, "follows"), now);
}
