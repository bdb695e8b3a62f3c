/*
 * headers.c: our own field access. libetpan's stops at a line without a colon, keeps no order among
 * duplicates and knows no RFC 2231; matching needs all of `Received`, `Delivered-To` and `X-Original-To`.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "charset.h"
#include "headers.h"

static size_t line_end(const char *data, size_t n, size_t at)
{
	const char *nl = memchr(data + at, '\n', n - at);

	return nl ? (size_t)(nl - data) : n;
}

static size_t name_length(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c == ':')
			return i;
		if (c == ' ' || c == '\t') {
			while (i < n && (line[i] == ' ' || line[i] == '\t'))
				i++;
			return i < n && line[i] == ':' ? i : 0;	/* "Subject : x" is old, but allowed */
		}
		if (c < 33 || c > 126)
			return 0;
	}
	return 0;
}

static void add_field(struct headers *out, struct arena *arena, const struct buf *line)
{
	size_t colon = name_length(line->data, line->len);
	struct slice name = { line->data, colon };
	struct slice value = { line->data + colon + 1, line->len - colon - 1 };
	char *lower;

	name = slice_trim(name);
	value = slice_trim(value);
	lower = arena_strndup(arena, name.data, name.len);
	text_lower(lower);
	out->list[out->count].name = lower;
	out->list[out->count++].value = arena_strndup(arena, value.data, value.len);
}

size_t headers_parse(struct headers *out, struct arena *arena, const char *data, size_t n)
{
	struct buf line = BUF_INIT;
	size_t at = 0, limit = n < HEADERS_MAX_BYTES ? n : HEADERS_MAX_BYTES;

	out->count = 0;
	out->list = arena_calloc(arena, HEADERS_MAX_FIELDS, sizeof(*out->list));
	while (at < limit) {
		size_t end = line_end(data, limit, at), len = end - at;

		if (len && data[at + len - 1] == '\r')
			len--;
		if (len == 0) {
			at = end < limit ? end + 1 : limit;
			break;
		}
		if (data[at] == ' ' || data[at] == '\t') {
			if (line.len && line.len + len < HEADERS_MAX_FIELD)
				buf_add(&line, data + at, len);
		} else {
			if (line.len && out->count < HEADERS_MAX_FIELDS)
				add_field(out, arena, &line);
			buf_reset(&line);
			if (name_length(data + at, len))
				buf_add(&line, data + at, len < HEADERS_MAX_FIELD ? len : HEADERS_MAX_FIELD);
		}
		at = end < limit ? end + 1 : limit;
	}
	if (line.len && out->count < HEADERS_MAX_FIELDS)
		add_field(out, arena, &line);
	buf_clear(&line);
	return at;
}

const char *headers_nth(const struct headers *h, const char *name, size_t i)
{
	for (size_t k = 0; k < h->count; k++)
		if (!strcmp(h->list[k].name, name) && i-- == 0)
			return h->list[k].value;
	return NULL;
}

const char *headers_get(const struct headers *h, const char *name)
{
	return headers_nth(h, name, 0);
}

/* --- RFC 2047 ------------------------------------------------------------------------------------------- */

static void decode_q(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '_') {
			buf_char(out, ' ');
		} else if (s[i] == '=' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) &&
			   isxdigit((unsigned char)s[i + 2])) {
			char hex[3] = { s[i + 1], s[i + 2], '\0' };

			buf_char(out, (char)strtol(hex, NULL, 16));
			i += 2;
		} else {
			buf_char(out, s[i]);
		}
	}
}

struct word {
	char charset[64];
	char encoding;
	struct slice text;
	size_t length;		/* of the whole =?...?= */
};

static bool word_at(const char *s, struct word *w)
{
	const char *q1, *q2, *end;
	size_t n;

	if (s[0] != '=' || s[1] != '?')
		return false;
	q1 = strchr(s + 2, '?');
	if (!q1 || q1 == s + 2 || !q1[1] || q1[2] != '?')
		return false;
	n = strcspn(s + 2, "*?");		/* an RFC 2231 language tag ends the charset */
	if (n == 0 || n >= sizeof(w->charset))
		return false;
	memcpy(w->charset, s + 2, n);
	w->charset[n] = '\0';
	w->encoding = (char)tolower((unsigned char)q1[1]);
	q2 = q1 + 2;
	end = strstr(q2 + 1, "?=");
	if (!end || (w->encoding != 'q' && w->encoding != 'b'))
		return false;
	w->text = (struct slice){ q2 + 1, (size_t)(end - q2 - 1) };
	w->length = (size_t)(end + 2 - s);
	return true;
}

static void decode_b(struct buf *out, struct slice text)
{
	struct buf clean = BUF_INIT;

	for (size_t i = 0; i < text.len; i++)
		if (isalnum((unsigned char)text.data[i]) || text.data[i] == '+' || text.data[i] == '/')
			buf_char(&clean, text.data[i]);
	if (clean.len % 4 == 1)
		buf_cut(&clean, clean.len - 1);
	while (clean.len % 4)
		buf_char(&clean, '=');
	if (text_base64_decode(buf_cstr(&clean), clean.len, out) < 0)
		buf_add(out, text.data, text.len);
	buf_clear(&clean);
}

/* Bytes of one charset, gathered over adjacent words: some senders cut characters in two. */
struct run {
	struct buf bytes;
	char charset[64];
};

static void run_flush(struct run *run, struct buf *out, struct arena *arena)
{
	if (run->bytes.len)
		buf_str(out, charset_to_utf8(arena, run->bytes.data, run->bytes.len, run->charset));
	buf_reset(&run->bytes);
}

static void run_word(struct run *run, struct buf *out, struct arena *arena, const struct word *w)
{
	if (strcasecmp(run->charset, w->charset))
		run_flush(run, out, arena);
	memcpy(run->charset, w->charset, sizeof(run->charset));
	if (w->encoding == 'q')
		decode_q(&run->bytes, w->text.data, w->text.len);
	else
		decode_b(&run->bytes, w->text);
}

static void no_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 32 || *s == 127)
			*s = ' ';
}

char *headers_decode(struct arena *arena, const char *value)
{
	struct buf out = BUF_INIT;
	struct run run = { .bytes = BUF_INIT };
	const char *s = value;
	char *decoded;

	if (!value)
		return NULL;
	while (*s) {
		struct word w;
		const char *next = strstr(s, "=?");

		if (next == s && word_at(s, &w)) {
			run_word(&run, &out, arena, &w);
			s += w.length;
			next = s + strspn(s, " \t");
			if (next[0] == '=' && next[1] == '?' && word_at(next, &w))
				s = next;	/* white space between two words is not text */
			continue;
		}
		run_flush(&run, &out, arena);
		if (next == s)
			next = strstr(s + 1, "=?");
		if (!next)
			next = s + strlen(s);
		buf_str(&out, charset_to_utf8(arena, s, (size_t)(next - s), NULL));
		s = next;
	}
	run_flush(&run, &out, arena);
	buf_clear(&run.bytes);
	decoded = arena_strndup(arena, buf_cstr(&out), out.len);
	buf_clear(&out);
	no_controls(decoded);
	return decoded;
}

/* --- parameters ----------------------------------------------------------------------------------------- */

/* Reads one `name=value` behind a ';'. Returns the rest, or NULL at the end. */
static const char *param_next(const char *s, struct slice *name, struct buf *value)
{
	buf_reset(value);
	s = strchr(s, ';');
	if (!s)
		return NULL;
	s += 1 + strspn(s + 1, " \t\r\n;");
	name->data = s;
	name->len = strcspn(s, "=; \t");
	s += name->len;
	s += strspn(s, " \t");
	if (*s != '=')
		return *s ? s : NULL;
	s += 1 + strspn(s + 1, " \t");
	if (*s != '"') {
		size_t n = strcspn(s, "; \t");

		buf_add(value, s, n);
		return s + n;
	}
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		buf_char(value, *s);
	}
	return s;
}

/* charset'language'%XX... */
static char *decode_extended(struct arena *arena, const struct buf *value)
{
	struct buf bytes = BUF_INIT;
	const char *s = buf_cstr(value), *q1 = strchr(s, '\''), *q2 = q1 ? strchr(q1 + 1, '\'') : NULL;
	char charset[64] = "";
	char *text;

	if (q2 && (size_t)(q1 - s) < sizeof(charset)) {
		memcpy(charset, s, (size_t)(q1 - s));
		s = q2 + 1;
	}
	if (text_percent_decode(s, strlen(s), false, &bytes) < 0) {
		buf_reset(&bytes);
		buf_str(&bytes, s);
	}
	text = charset_to_utf8(arena, buf_cstr(&bytes), bytes.len, charset);
	buf_clear(&bytes);
	return text;
}

char *headers_param(struct arena *arena, const char *value, const char *name)
{
	struct buf one = BUF_INIT, joined = BUF_INIT;
	struct slice key;
	size_t want = strlen(name);
	bool extended = false, found = false;
	const char *s = value;
	char *result = NULL;

	while (s && !result && (s = param_next(s, &key, &one))) {
		if (key.len < want || strncasecmp(key.data, name, want))
			continue;
		if (key.len == want) {
			result = headers_decode(arena, buf_cstr(&one));
		} else if (key.data[want] == '*') {
			extended |= key.data[key.len - 1] == '*';
			found = true;
			if (joined.len + one.len < HEADERS_MAX_FIELD)
				buf_add(&joined, buf_cstr(&one), one.len);
		}
	}
	if (!result && found)
		result =
			extended ? decode_extended(arena, &joined) : headers_decode(arena, buf_cstr(&joined));
	if (result)
		no_controls(result);
	buf_clear(&one);
	buf_clear(&joined);
	return result;
}

const char *headers_token(struct arena *arena, const char *value)
{
	char *s;

	if (!value)
		return "";
	s = arena_strndup(arena, value, strcspn(value, "; \t("));
	text_lower(s);
	return s;
}

/* --- addresses ------------------------------------------------------------------------------------------ */

static bool atom_char(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	       (c && strchr(".!#$%&'*+-/=?^_`{|}~", c));
}

void headers_addresses(const char *value, void (*fn)(void *ctx, const char *address, size_t n), void *ctx)
{
	const char *start = value, *at;

	if (!value)
		return;
	while ((at = strchr(start, '@'))) {
		const char *from = at, *to = at + 1;

		while (from > start && atom_char(from[-1]))
			from--;
		while (isalnum((unsigned char)*to) || (unsigned char)*to >= 0x80 || *to == '-' || *to == '.')
			to++;
		while (to > at + 1 && to[-1] == '.')
			to--;
		if (from < at && to > at + 1 && to - from <= 320)
			fn(ctx, from, (size_t)(to - from));
		start = to > at ? to : at + 1;
	}
}

struct first {
	struct arena *arena;
	char *address;
};

static void keep_first(void *ctx, const char *address, size_t n)
{
	struct first *f = ctx;

	if (!f->address)
		f->address = arena_strndup(f->arena, address, n);
}

char *headers_address(struct arena *arena, const char *value)
{
	struct first f = { arena, NULL };
	const char *angle = value ? strchr(value, '<') : NULL;

	headers_addresses(angle, keep_first, &f);
	if (!f.address)
		headers_addresses(value, keep_first, &f);
	if (!f.address)
		return arena_strdup(arena, "");
	text_lower(f.address);
	return f.address;
}

char *headers_name(struct arena *arena, const char *value)
{
	const char *angle = value ? strrchr(value, '<') : NULL;
	char *name;
	size_t n;

	if (!angle)
		return arena_strdup(arena, "");
	name = headers_decode(arena, arena_strndup(arena, value, (size_t)(angle - value)));
	n = strlen(name);
	while (n && (name[n - 1] == ' ' || name[n - 1] == '"'))
		name[--n] = '\0';
	return name + strspn(name, " \"");
}

/* --- dates ---------------------------------------------------------------------------------------------- */

static int month_of(const char *s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char low[4] = "";

	for (int i = 0; i < 3 && s[i]; i++)
		low[i] = (char)tolower((unsigned char)s[i]);
	if (strlen(low) == 3) {
		const char *hit = strstr(names, low);

		if (hit && (hit - names) % 3 == 0)
			return (int)(hit - names) / 3;
	}
	return -1;
}

/*
 * RFC 5322 3.3, RFC 2822 two-digit years (4.3). Names of zones other than GMT and the American ones count
 * as UTC.
 */
long long headers_date(const char *value)
{
	struct tm tm = { 0 };
	char month[4] = "", zone[8] = "";
	int zone_minutes = 0, fields;
	const char *s;

	if (!value)
		return 0;
	s = strchr(value, ',');
	s = s ? s + 1 : value;
	s += strcspn(s, "0123456789");
	fields = sscanf(s, "%2d%*[ -]%3s%*[ -]%4d %2d:%2d:%2d %7s", &tm.tm_mday, month, &tm.tm_year,
		&tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone);
	if (fields == 5)
		sscanf(s, "%*d%*[ -]%*3s%*[ -]%*d %*d:%*d %7s", zone);
	tm.tm_mon = month_of(month);
	if (fields < 5 || tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31)
		return 0;
	if (tm.tm_year < 100)
		tm.tm_year += tm.tm_year < 50 ? 2000 : 1900;
	if (tm.tm_year < 1970 || tm.tm_year > 9999)
		return 0;
	tm.tm_year -= 1900;
	if ((zone[0] == '+' || zone[0] == '-') && strlen(zone) >= 5) {
		zone_minutes =
			(zone[1] - '0') * 600 + (zone[2] - '0') * 60 + (zone[3] - '0') * 10 + (zone[4] - '0');
		if (zone[0] == '-')
			zone_minutes = -zone_minutes;
	} else if (zone[0] && zone[1] && zone[2] == 'T') {
		zone_minutes =
			-60 * (strchr("ECMP", zone[0]) ? (int)(strchr("ECMP", zone[0]) - "ECMP") + 5 : 0);
		zone_minutes += zone[1] == 'D' && zone_minutes ? 60 : 0;
	}
	return ((long long)timegm(&tm) - zone_minutes * 60LL) * US_SECOND;
}
