/*
 * mail.c: finds the texts and reports of a mail, also where they are labelled wrongly: many systems send a
 * delivery status or a returned header as text/plain.
 */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/patterns.h"
#include "base/text.h"
#include "charset.h"
#include "html_text.h"
#include "mail.h"
#include "ses_notice.h"

#define MAX_TEXT (256 * 1024)
#define MAX_STATUS (64 * 1024)

#define MAX_MENDED 64

/*
 * Empty lines and mbox lines before the header ("From x", ">From x") hide the whole of it from libetpan, and so does a
 * boundary that somebody wrote on a line of its own without indenting it. Lines end with LF afterwards.
 */
static struct slice clean(struct arena *arena, const char *raw, size_t n)
{
	char *out;
	size_t to = 0, at = 0;
	int mended = 0;

	if (n > MIME_MAX_BYTES)
		n = MIME_MAX_BYTES;
	while (at < n && (raw[at] == '\n' || raw[at] == '\r'))
		at++;
	while (n - at > 5 && (!strncmp(raw + at, "From ", 5) || !strncmp(raw + at, ">From ", 6))) {
		const char *nl = memchr(raw + at, '\n', n - at);

		at = nl ? (size_t)(nl - raw) + 1 : n;
	}
	out = arena_alloc(arena, n - at + 1 + MAX_MENDED);
	while (at < n) {
		const char *nl = memchr(raw + at, '\n', n - at);
		size_t end = nl ? (size_t)(nl - raw) + 1 : n;

		if (to > 1 && out[to - 2] == ';' && n - at > 9 && mended < MAX_MENDED &&
			!strncasecmp(raw + at, "boundary=", 9)) {
			out[to++] = ' ';
			mended++;
		}
		for (; at < end; at++)
			if (raw[at] != '\0' && (raw[at] != '\r' || (at + 1 < n && raw[at + 1] != '\n')))
				out[to++] = raw[at] == '\r' ? '\n' : raw[at];
	}
	out[to] = '\0';
	return (struct slice){ out, to };
}

static bool add_text(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	if (b->len + n > MAX_TEXT)
		n = MAX_TEXT > b->len ? MAX_TEXT - b->len : 0;
	while (n && text[n] && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	if (b->len && n)
		buf_str(b, "\n");
	buf_add(b, text, n);
	return n > 0;
}

static void take_original(struct opened_mail *m, struct slice raw)
{
	if (m->has_original || raw.len < 10)
		return;
	headers_parse(&m->original, m->arena, raw.data, raw.len);
	m->has_original = m->original.count > 0;
	m->original_raw = raw;
}

/* "Reporting-MTA: ... Final-Recipient: ..." in a part that does not say what it is, or in the notice. */
static const char *status_within(const char *text)
{
	static struct pattern group = PATTERN("^[> ]{0,3}(?:reporting-mta|final-recipient|original-recipient|"
		"x-actual-recipient)\\s*:\\s*\\w");
	static struct pattern second = PATTERN("^[> ]{0,3}(?:action|status|diagnostic-code)\\s*:\\s*\\w");
	struct pattern_hit hit;

	if (!pattern_find(&group, text, strlen(text), 0, &hit) || !pattern_in(&second, text))
		return NULL;
	return hit.group[0].data;
}

/* "details.txt": gateways that know no delivery status make a file of it. */
static bool is_attached_status(struct arena *arena, const struct mime_part *part)
{
	static struct pattern begin = PATTERN_BYTES("\\A\\s*(?:reporting-mta|original-envelope-id|final-recipient|original-recipient)\\s*:\\s*\\w");
	bool file = !strcmp(part->type, "application/octet-stream") || (part->attachment && !strcmp(part->type, "text/plain"));

	return file && part->data.len < MAX_STATUS && pattern_find(&begin, part->data.data, part->data.len, 0, NULL) &&
	       status_within(mime_part_text(arena, part));
}

static void take_part(struct opened_mail *m, const struct mime_part *part, struct buf *plain)
{
	if (!strcmp(part->type, "message/delivery-status") ||
		!strcmp(part->type, "message/global-delivery-status")) {
		if (!m->status)
			m->status = mime_part_text(m->arena, part);
	} else if (!strcmp(part->type, "message/feedback-report")) {
		if (!m->feedback)
			m->feedback = mime_part_text(m->arena, part);
	} else if (!strcmp(part->type, "message/rfc822") || !strcmp(part->type, "text/rfc822-headers") ||
		   !strcmp(part->type, "message/global") || !strcmp(part->type, "text/rfc822-header") ||
		   !strcmp(part->type, "message/rfc822-headers") || !strcmp(part->type, "message/global-headers")) {
		take_original(m, part->data);
	} else if (!m->status && is_attached_status(m->arena, part)) {
		m->status = mime_part_text(m->arena, part);
		m->status_in_text = true;
	} else if (part->attachment) {
		return;
	} else if (!strcmp(part->type, "text/plain")) {
		add_text(plain, mime_part_text(m->arena, part));
	} else if (!strcmp(part->type, "text/html") && !*m->html) {
		m->html = mime_part_text(m->arena, part);
	}
}

/* A returned mail that stands in the text: from the first line that can only be a mail's header on. */
static size_t original_in_text(const char *text)
{
	static struct pattern start = PATTERN(
		"^[> \\t]{0,4}(?:received:\\s+(?:from|by|\\()|return-path:\\s*<|dkim-signature:|"
		"message-id:\\s*<[^>]+@|delivered-to:\\s*\\S+@|x-nurtured-id:|mime-version:\\s*1)");
	struct pattern_hit hit;

	if (!pattern_find(&start, text, strlen(text), 0, &hit))
		return strlen(text);
	return (size_t)(hit.group[0].data - text);
}

/* A forwarded report, without the marks of quoting. */
static const char *unquote(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1), *to = out;

	while (*text) {
		size_t n = strcspn(text, "\n");
		size_t skip = strspn(text, "> ");

		skip = skip < n ? skip : n;
		memcpy(to, text + skip, n - skip + (text[n] == '\n'));
		to += n - skip + (text[n] == '\n');
		text += n + (text[n] == '\n');
	}
	*to = '\0';
	return out;
}

static bool is_blank(const char *s, size_t n)
{
	return strspn(s, " \t\r\n") >= n;
}

static const char *text_of_html(const struct opened_mail *m, const char *html)
{
	struct html_text h;

	html_text(&h, m->arena, html, strlen(html));
	return h.text;
}

/* Programs that say what they have to say in an attachment alone. */
static const char *attached_text(const struct opened_mail *m)
{
	for (size_t i = 0; i < m->mime.count; i++) {
		const struct mime_part *part = &m->mime.parts[i];

		if (part->attachment && !strcmp(part->type, "text/plain"))
			return mime_part_text(m->arena, part);
		if (part->attachment && !strcmp(part->type, "text/html"))
			return text_of_html(m, mime_part_text(m->arena, part));
	}
	return "";
}

static void read_notice(struct opened_mail *m)
{
	const char *text = m->plain;
	size_t cut;

	if (is_blank(text, strlen(text)) && *m->html)
		text = text_of_html(m, m->html);
	if (is_blank(text, strlen(text)))
		text = attached_text(m);
	cut = original_in_text(text);
	if (text[cut])
		take_original(m, (struct slice){ text + cut, strlen(text + cut) });
	if (!m->status) {
		m->status = status_within(text);
		m->status_in_text = m->status != NULL;
		if (m->status && (*m->status == '>' || *m->status == ' '))
			m->status = unquote(m->arena, m->status);
	}
	m->notice = arena_strndup(m->arena, text, is_blank(text, cut) ? strlen(text) : cut);
}

static const char *from_of(struct arena *arena, const struct headers *h)
{
	const char *from = headers_get(h, "from");

	return from ? headers_decode(arena, from) : NULL;
}

/* Somebody got our bounce and sends it on, or a gateway wraps it: what it says stands one level down. */
static bool passes_on_report(const struct opened_mail *m)
{
	static struct pattern daemon = PATTERN("mailer-?daemon|\\bpost_?master\\b|mail\\s*delivery\\s*(?:sub)?system");
	const char *type, *kind;

	if (!m->has_original || m->feedback || (m->status && !m->status_in_text))
		return false;
	type = headers_get(&m->original, "content-type");
	kind = type ? headers_param(m->arena, type, "report-type") : NULL;
	if (kind && !strcasecmp(kind, "delivery-status"))
		return true;
	if (*m->report_type || pattern_in(&daemon, from_of(m->arena, &m->headers)))
		return false;
	return headers_get(&m->original, "x-failed-recipients") || pattern_in(&daemon, from_of(m->arena, &m->original));
}

static void open_at(struct opened_mail *m, struct arena *arena, const char *raw, size_t n, bool passed_on)
{
	struct slice all = clean(arena, raw, n);
	struct buf plain = BUF_INIT;
	const char *type;
	char *report;

	memset(m, 0, sizeof(*m));
	m->arena = arena;
	m->html = "";
	headers_parse(&m->headers, arena, all.data, all.len);
	type = headers_get(&m->headers, "content-type");
	m->type = headers_token(arena, type);
	report = headers_param(arena, type, "report-type");
	if (report)
		text_lower(report);
	m->report_type = report ? report : "";
	mime_parse(&m->mime, arena, all.data, all.len);
	for (size_t i = 0; i < m->mime.count; i++)
		take_part(m, &m->mime.parts[i], &plain);
	m->plain = arena_strndup(arena, buf_cstr(&plain), plain.len);
	buf_clear(&plain);
	read_notice(m);
	ses_notice_read(m);
	if (!passed_on && passes_on_report(m)) {
		struct opened_mail *within = arena_alloc(arena, sizeof(*within));

		open_at(within, arena, m->original_raw.data, m->original_raw.len, true);
		m->passed_on = within;
	}
}

void mail_open(struct opened_mail *m, struct arena *arena, const char *raw, size_t n)
{
	open_at(m, arena, raw, n, false);
}
