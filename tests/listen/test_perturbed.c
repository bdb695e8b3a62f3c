/*
 * test_perturbed.c: a mail means the same in other clothes. Each mail of the tree, and each of the public ones where they
 * are at hand (test_corpora.c), is read as it is and again refolded, encoded otherwise, in another charset, as HTML,
 * with a localised sender and subject, with a boundary that no part has, without its delivery status, and attached to a mail of
 * somebody who passes it on.
 * With DIFFERENCES in the environment each that is read otherwise is named.
 */
#include <ctype.h>
#include <dirent.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../../daemon/listen/headers.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "listen/reading.h"

#define MAX_MAILS 400
#define MAX_DEPTH 6

/* --- a mail, taken apart -------------------------------------------------------------------------------- */

struct entity {
	struct arena *arena;
	struct headers headers;
	struct slice head, body;	/* head with its last line end, without the empty line */
	const char *type;
	char *boundary;			/* of a multipart, or NULL */
};

static void take_apart(struct entity *e, struct arena *arena, const char *s, size_t n)
{
	size_t body = headers_parse(&e->headers, arena, s, n), head = body;
	const char *type = headers_get(&e->headers, "content-type");

	if (head > 1 && s[head - 1] == '\n' && s[head - 2] == '\n')
		head--;
	e->arena = arena;
	e->head = (struct slice){ s, head };
	e->body = (struct slice){ s + body, n - body };
	e->type = type ? headers_token(arena, type) : "text/plain";
	e->boundary = !strncmp(e->type, "multipart/", 10) ? headers_param(arena, type, "boundary") : NULL;
}

static size_t line_length(const char *s, size_t left)
{
	const char *nl = memchr(s, '\n', left);

	return nl ? (size_t)(nl - s) + 1 : left;
}

static bool is_field(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n > len && !strncasecmp(line, name, len) && line[len] == ':';
}

/* The head without these fields. */
static void add_head_without(struct buf *out, struct slice head, const char *const *names)
{
	bool dropped = false;

	for (size_t at = 0, n; at < head.len; at += n) {
		const char *line = head.data + at;

		n = line_length(line, head.len - at);
		if (*line != ' ' && *line != '\t') {
			dropped = false;
			for (size_t i = 0; names[i]; i++)
				dropped |= is_field(line, n, names[i]);
		}
		if (!dropped)
			buf_add(out, line, n);
	}
}

/* --- what is done to a leaf ----------------------------------------------------------------------------- */

/* True if `e` was written to `out` in another form; false: it is left as it is. */
typedef bool (*leaf_fn)(const struct entity *e, struct buf *out);

static bool change(struct arena *arena, const char *s, size_t n, leaf_fn fn, int depth, struct buf *out);

/* False where nothing within was changed. */
static bool change_parts(const struct entity *e, leaf_fn fn, int depth, struct buf *out)
{
	const char *s = e->body.data;
	size_t left = e->body.len, len = strlen(e->boundary), part = 0, at = 0;
	bool changed = false, inside = false;

	while (at < left) {
		size_t n = line_length(s + at, left - at);
		bool mark = n > len + 1 && s[at] == '-' && s[at + 1] == '-' && !strncmp(s + at + 2, e->boundary, len);

		if (mark && inside) {
			struct buf b = BUF_INIT;

			changed |= change(e->arena, s + part, at - part, fn, depth + 1, &b);
			buf_add(out, buf_cstr(&b), b.len);
			buf_clear(&b);
		}
		if (mark || !inside)
			buf_add(out, s + at, n);
		at += n;
		if (mark) {
			inside = strncmp(s + at - n + 2 + len, "--", 2) != 0;
			part = at;
		}
	}
	if (inside)
		buf_add(out, s + part, left - part);
	return changed;
}

static bool change(struct arena *arena, const char *s, size_t n, leaf_fn fn, int depth, struct buf *out)
{
	struct entity e;

	take_apart(&e, arena, s, n);
	if (e.boundary && *e.boundary && depth < MAX_DEPTH) {
		buf_add(out, e.head.data, e.head.len);
		buf_char(out, '\n');
		return change_parts(&e, fn, depth, out);
	}
	if (fn(&e, out))
		return true;
	buf_add(out, s, n);
	return false;
}

static bool is_plain_encoding(const struct entity *e)
{
	const char *cte = headers_token(e->arena, headers_get(&e->headers, "content-transfer-encoding"));

	return !*cte || !strcmp(cte, "7bit") || !strcmp(cte, "8bit");
}

static const char *const content_fields[] = { "content-type", "content-transfer-encoding", NULL };
static const char *const encoding_field[] = { "content-transfer-encoding", NULL };

static bool is_text(const struct entity *e)
{
	return (!strcmp(e->type, "text/plain") || !strcmp(e->type, "")) && is_plain_encoding(e) && e->body.len;
}

static bool as_base64(const struct entity *e, struct buf *out)
{
	if (!is_text(e))
		return false;
	add_head_without(out, e->head, encoding_field);
	buf_str(out, "Content-Transfer-Encoding: base64\n\n");
	text_base64_lines(out, e->body.data, e->body.len);
	buf_char(out, '\n');
	return true;
}

static bool as_quoted_printable(const struct entity *e, struct buf *out)
{
	size_t column = 0;

	if (!is_text(e))
		return false;
	add_head_without(out, e->head, encoding_field);
	buf_str(out, "Content-Transfer-Encoding: quoted-printable\n\n");
	for (size_t i = 0; i < e->body.len; i++) {
		unsigned char c = (unsigned char)e->body.data[i];

		if (c == '\n') {
			column = 0;
			buf_char(out, '\n');
			continue;
		}
		if (column > 60) {
			buf_str(out, "=\n");
			column = 0;
		}
		if (c == '=' || c > 126 || (c < ' ' && c != '\t') || (i + 1 < e->body.len && e->body.data[i + 1] == '\n'))
			buf_printf(out, "=%02X", c);
		else
			buf_char(out, (char)c);
		column++;
	}
	return true;
}

static bool is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] > 126 || s.data[i] == '\033')
			return false;
	return true;
}

static void add_type(struct buf *out, const struct entity *e, const char *type, const char *charset)
{
	add_head_without(out, e->head, content_fields);
	buf_printf(out, "Content-Type: %s; charset=%s\nContent-Transfer-Encoding: 8bit\n\n", type, charset);
}

/* ASCII is ASCII in ISO-2022-JP; what is no ASCII is converted. */
static bool as_japanese(const struct entity *e, struct buf *out)
{
	char *charset = headers_param(e->arena, headers_get(&e->headers, "content-type"), "charset"), *in, *to, *room;
	size_t n = e->body.len, left = 6 * e->body.len + 16, size = left;
	iconv_t cd;

	if (!is_text(e))
		return false;
	if (is_ascii(e->body)) {
		add_type(out, e, "text/plain", "ISO-2022-JP");
		buf_add(out, e->body.data, e->body.len);
		return true;
	}
	cd = iconv_open("ISO-2022-JP", charset ? charset : "UTF-8");
	if (cd == (iconv_t)-1)
		return false;
	in = arena_strndup(e->arena, e->body.data, n);
	room = to = arena_alloc(e->arena, size);
	if (iconv(cd, &in, &n, &to, &left) == (size_t)-1 || iconv(cd, NULL, NULL, &to, &left) == (size_t)-1) {
		iconv_close(cd);
		return false;
	}
	iconv_close(cd);
	add_type(out, e, "text/plain", "\"iso-2022-jp\"");
	buf_add(out, room, size - left);
	return true;
}

/* As mail programs write it that know no plain text. */
static bool as_html(const struct entity *e, struct buf *out)
{
	char *charset = headers_param(e->arena, headers_get(&e->headers, "content-type"), "charset");

	if (!is_text(e) || (charset && !strncasecmp(charset, "iso-2022", 8)))
		return false;
	add_type(out, e, "text/html", charset ? charset : "utf-8");
	buf_str(out, "<html><head><style>p { margin: 0 }</style></head><body>\n");
	for (size_t at = 0, n; at < e->body.len; at += n) {
		n = line_length(e->body.data + at, e->body.len - at);
		buf_str(out, "<div>");
		text_html(out, e->body.data + at, n && e->body.data[at + n - 1] == '\n' ? n - 1 : n);
		buf_str(out, "</div>\n");
	}
	buf_str(out, "</body></html>\n");
	return true;
}

static bool without_status(const struct entity *e, struct buf *out)
{
	if (strcmp(e->type, "message/delivery-status"))
		return false;
	buf_str(out, "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=details\n\nx\n");
	return true;
}

/* Gateways that know no delivery status make a file of it. */
static bool status_as_file(const struct entity *e, struct buf *out)
{
	static const char *const names[] = { "content-type", "content-disposition", NULL };

	if (strcmp(e->type, "message/delivery-status"))
		return false;
	add_head_without(out, e->head, names);
	buf_str(out, "Content-Type: application/octet-stream; name=details\nContent-Disposition: attachment; filename=details\n\n");
	buf_add(out, e->body.data, e->body.len);
	return true;
}

/* Lines of fields, each folded at every blank, or not at all. */
static void refold(struct buf *out, struct slice s, bool narrow)
{
	bool foldable = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];
		bool more = i + 1 < s.len && (s.data[i + 1] == ' ' || s.data[i + 1] == '\t');

		if (c == '\n' && more) {
			if (i && s.data[i - 1] == '\n')
				buf_char(out, '\n');
			else if (narrow)
				buf_char(out, '\n');
			continue;
		}
		if (narrow && foldable && c == ' ' && i && s.data[i - 1] != ' ' && s.data[i - 1] != '\n' && i + 1 < s.len && isgraph((unsigned char)s.data[i + 1]))
			buf_str(out, "\n\t");
		else
			buf_char(out, c);
		foldable = c != '\n' && (foldable || c == ':');
	}
}

static bool refold_status(const struct entity *e, struct buf *out, bool narrow)
{
	if (strcmp(e->type, "message/delivery-status") || !is_plain_encoding(e))
		return false;
	buf_add(out, e->head.data, e->head.len);
	buf_char(out, '\n');
	refold(out, e->body, narrow);
	return true;
}

static bool status_narrow(const struct entity *e, struct buf *out)
{
	return refold_status(e, out, true);
}

static bool status_unfolded(const struct entity *e, struct buf *out)
{
	return refold_status(e, out, false);
}

/* --- what is done to the whole -------------------------------------------------------------------------- */

struct mail {
	char name[100];
	struct buf raw;			/* lines end with LF, without a line of mbox */
	bool ours;			/* of the tree: written for its form, so that nothing may differ */
	enum reading_class class;
	enum bounce_kind kind;
	char reason[40], recipient[200];
	bool has_status;
};

static void split(const struct mail *m, struct slice *head, struct slice *body)
{
	const char *gap = strstr(buf_cstr(&m->raw), "\n\n");
	size_t n = gap ? (size_t)(gap - m->raw.data) + 1 : m->raw.len;

	*head = (struct slice){ m->raw.data, n };
	*body = (struct slice){ m->raw.data + n, m->raw.len - n };
}

static bool with_crlf(const struct mail *m, struct buf *out)
{
	for (size_t i = 0; i < m->raw.len; i++) {
		if (m->raw.data[i] == '\n')
			buf_char(out, '\r');
		buf_char(out, m->raw.data[i]);
	}
	return true;
}

static bool with_head(const struct mail *m, bool narrow, struct buf *out)
{
	struct slice head, body;

	split(m, &head, &body);
	refold(out, head, narrow);
	buf_add(out, body.data, body.len);
	return true;
}

static bool head_narrow(const struct mail *m, struct buf *out)
{
	return with_head(m, true, out);
}

static bool head_unfolded(const struct mail *m, struct buf *out)
{
	return with_head(m, false, out);
}

static void add_encoded(struct buf *out, const char *name, const char *text, const char *rest)
{
	buf_join(out, name, ": =?UTF-8?B?");
	text_base64(out, text, strlen(text));
	buf_join(out, "?= ", rest, "\n");
}

/* Reports only: what a person or an answering machine writes is known by its subject, too. */
static bool localised(const struct mail *m, const char *who, const char *subject, struct buf *out)
{
	static const char *const names[] = { "from", "subject", NULL };
	struct arena *arena = arena_new(0);
	struct slice head, body;
	struct entity e;
	char *address;

	split(m, &head, &body);
	take_apart(&e, arena, m->raw.data, m->raw.len);
	address = arena_printf(arena, "<%s>", headers_address(arena, headers_get(&e.headers, "from")));
	if (m->class == READING_BOUNCE) {
		add_encoded(out, "From", who, address);
		add_encoded(out, "Subject", subject, "");
		add_head_without(out, head, names);
		buf_add(out, body.data, body.len);
	}
	arena_free(&arena);
	return m->class == READING_BOUNCE;
}

static bool in_german(const struct mail *m, struct buf *out)
{
	return localised(m, "Mail-Zustellsystem", "Unzustellbar: Ihre Nachricht", out);
}

static bool in_japanese(const struct mail *m, struct buf *out)
{
	return localised(m, "メール配送システム", "配信不能: お知らせ", out);
}

static bool in_polish(const struct mail *m, struct buf *out)
{
	return localised(m, "System pocztowy", "Nie można dostarczyć wiadomości", out);
}

/* A gateway wrote the field that names the boundary anew: with another, or with none. */
static bool with_boundary(const struct mail *m, const char *boundary, struct buf *out)
{
	static const char *const names[] = { "content-type", NULL };
	struct arena *arena = arena_new(0);
	struct entity e;
	char *report;
	bool has;

	take_apart(&e, arena, m->raw.data, m->raw.len);
	has = e.boundary && *e.boundary;
	if (has) {
		report = headers_param(arena, headers_get(&e.headers, "content-type"), "report-type");
		add_head_without(out, e.head, names);
		buf_join(out, "Content-Type: ", e.type, report ? "; report-type=" : "", report ? report : "", boundary, "\n\n");
		buf_add(out, e.body.data, e.body.len);
	}
	arena_free(&arena);
	return has;
}

static bool other_boundary(const struct mail *m, struct buf *out)
{
	return with_boundary(m, "; boundary=\"----of another\"", out);
}

static bool no_boundary(const struct mail *m, struct buf *out)
{
	return with_boundary(m, "", out);
}

static bool behind_empty_lines(const struct mail *m, struct buf *out)
{
	buf_str(out, "\n\n");
	buf_add(out, m->raw.data, m->raw.len);
	return true;
}

/* Somebody passes it on as it is. */
static bool attached(const struct mail *m, struct buf *out)
{
	if (m->class != READING_BOUNCE)
		return false;
	buf_str(out, "From: Ann <ann@people.test>\nTo: sales@example.test\nSubject: Fwd: Undelivered mail\nMIME-Version: 1.0\n"
		"Content-Type: multipart/mixed; boundary=\"outermost\"\n\n--outermost\nContent-Type: text/plain\n\nThis came back to me.\n\n"
		"--outermost\nContent-Type: message/rfc822\n\n");
	buf_add(out, m->raw.data, m->raw.len);
	buf_str(out, "\n--outermost--\n");
	return true;
}

/* --- in all --------------------------------------------------------------------------------------------- */

/* How much of the public mail must be read as without it: class and kind, reason, recipient. */
static const struct perturbation {
	const char *name;
	bool (*whole)(const struct mail *m, struct buf *out);
	leaf_fn leaf;
	double kind, reason, recipient;
	bool loses;			/* something goes with it: ours may be read otherwise, too */
} perturbations[] = {
	{ "with CRLF", with_crlf, NULL, 1, 1, 1, false },
	{ "header folded at each blank", head_narrow, NULL, 1, 1, 1, false },
	{ "header unfolded", head_unfolded, NULL, 1, 1, 1, false },
	{ "status folded at each blank", NULL, status_narrow, 1, 1, 1, false },
	{ "status unfolded", NULL, status_unfolded, 1, 1, 1, false },
	{ "status as a file", NULL, status_as_file, 0.99, 0.99, 0.99, false },
	{ "in base64", NULL, as_base64, 1, 1, 1, false },
	{ "in quoted-printable", NULL, as_quoted_printable, 1, 1, 1, false },
	{ "in ISO-2022-JP", NULL, as_japanese, 1, 1, 1, false },
	{ "as HTML", NULL, as_html, 1, 0.99, 1, false },
	{ "in German", in_german, NULL, 1, 1, 1, false },
	{ "in Japanese", in_japanese, NULL, 1, 1, 1, false },
	{ "in Polish", in_polish, NULL, 1, 1, 1, false },
	{ "with another boundary", other_boundary, NULL, 1, 0.99, 1, false },
	{ "without a boundary", no_boundary, NULL, 0.98, 0.98, 0.98, false },
	{ "behind empty lines", behind_empty_lines, NULL, 1, 1, 1, false },
	{ "attached to another", attached, NULL, 0.98, 0.97, 0.97, true },
	{ "without delivery status", NULL, without_status, 0.82, 0.72, 0.94, true },
};

static struct mail mails[MAX_MAILS];
static size_t mail_count;

static bool perturb(const struct perturbation *p, const struct mail *m, struct buf *out)
{
	struct arena *arena;
	bool done;

	if (p->whole)
		return p->whole(m, out);
	arena = arena_new(0);
	done = change(arena, m->raw.data, m->raw.len, p->leaf, 0, out);
	arena_free(&arena);
	return done;
}

struct score {
	int mails, kind, reason, recipient;	/* public ones */
	int ours, ours_differ;
};

static void compare(const struct perturbation *p, const struct mail *m, const struct buf *raw, struct score *s)
{
	struct mail_reading r;
	bool kind, reason, recipient;

	reading_make(&r, buf_cstr(raw), raw->len, 0, NULL);
	kind = r.class == m->class && r.bounce.kind == m->kind;
	reason = r.class == m->class && !strcmp(r.bounce.reason, m->reason);
	recipient = r.class == m->class && !strcmp(r.bounce.recipient, m->recipient);
	if (!(kind && reason && recipient) && (getenv("DIFFERENCES") || (m->ours && !p->loses)))
		print_message("%s %s: %s %s %s <%s>, not %s %s %s <%s>\n", m->name, p->name, reading_class_name(r.class),
			bounce_kind_name(r.bounce.kind), r.bounce.reason, r.bounce.recipient, reading_class_name(m->class),
			bounce_kind_name(m->kind), m->reason, m->recipient);
	if (m->ours) {
		s->ours++;
		s->ours_differ += !p->loses && !(kind && reason && recipient);
	} else {
		s->mails++;
		s->kind += kind;
		s->reason += reason;
		s->recipient += recipient;
	}
	reading_clear(&r);
}

static void load(const char *folder, const char *name, bool ours)
{
	struct mail *m = &mails[mail_count];
	struct buf raw = BUF_INIT;
	struct mail_reading r;
	char path[600], chunk[65536];
	size_t n, at = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&raw, chunk, n);
	fclose(f);
	if (!strncmp(buf_cstr(&raw), "From ", 5))
		at = line_length(raw.data, raw.len);
	for (; at < raw.len; at++)
		if (raw.data[at] && raw.data[at] != '\r')
			buf_char(&m->raw, raw.data[at]);
	buf_clear(&raw);
	reading_make(&r, buf_cstr(&m->raw), m->raw.len, 0, NULL);
	snprintf(m->name, sizeof(m->name), "%.90s", name);
	m->ours = ours;
	m->class = r.class;
	m->kind = r.bounce.kind;
	snprintf(m->reason, sizeof(m->reason), "%s", r.bounce.reason);
	snprintf(m->recipient, sizeof(m->recipient), "%s", r.bounce.recipient);
	reading_clear(&r);
	mail_count++;
}

static size_t load_all(const char *folder, bool ours)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t before = mail_count;

	while (dir && mail_count < MAX_MAILS && (entry = readdir(dir)))
		if (text_ends_with(entry->d_name, ".eml"))
			load(folder, entry->d_name, ours);
	if (dir)
		closedir(dir);
	return mail_count - before;
}

static void mean_the_same(void **state)
{
	const char *named = getenv("NURTURED_CORPORA");
	char folder[500];
	size_t public;

	(void)state;
	assert_true(load_all("tests/listen/mails", true) > 0);
	snprintf(folder, sizeof(folder), "%s/bounces", named ? named : "../shared/corpora");
	public = load_all(folder, false);
	print_message("%zu mails of the tree, %zu public ones\n", mail_count - public, public);
	for (size_t i = 0; i < sizeof(perturbations) / sizeof(perturbations[0]); i++) {
		const struct perturbation *p = &perturbations[i];
		struct score s = { 0 };
		struct buf out = BUF_INIT;

		for (size_t k = 0; k < mail_count; k++) {
			buf_reset(&out);
			if (perturb(p, &mails[k], &out))
				compare(p, &mails[k], &out, &s);
		}
		buf_clear(&out);
		assert_true(s.ours > 0);
		if (public)
			print_message("%-28s %3d public mails: kind as without it %5.1f %%, reason %5.1f %%, recipient %5.1f %%\n", p->name,
				s.mails, 100.0 * s.kind / s.mails, 100.0 * s.reason / s.mails, 100.0 * s.recipient / s.mails);
		assert_int_equal(s.ours_differ, 0);
		assert_true(s.kind >= p->kind * s.mails && s.reason >= p->reason * s.mails && s.recipient >= p->recipient * s.mails);
	}
	while (mail_count)
		buf_clear(&mails[--mail_count].raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(mean_the_same) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
