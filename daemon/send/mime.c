/*
 * mime.c: header fields, see mime.h; bodies are in mime_body.c.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#include "mime.h"

#define FOLD_AT 78
#define LINE_MAX_OCTETS 900	/* of one token; RFC 5322's limit of 998 leaves room for a field name */
#define WORD_MAX 75		/* an encoded-word with its frame */
#define WORD_LINE 76		/* a line that has one (RFC 2047 2) */
#define FILE_NAME_MAX 255	/* three times that, a percent sign each, is still one token */

static const char hex[] = "0123456789ABCDEF";

/* --- header values ---------------------------------------------------------------------------------------------- */

/* Nothing but what every header may have. */
static bool is_printable(struct slice s)
{
	return text_printable(s.data, s.len) == s.len;
}

int mime_check_value(struct slice value, const char *what, struct err *err)
{
	size_t i;

	if (is_printable(value))
		return 0;
	if (!text_utf8_valid(value.data, value.len))
		return err_set(err, "header_injection: %s has a NUL or is not UTF-8", what);
	for (i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c < 0x20 || c == 0x7f)
			return err_set(err, "header_injection: %s has the control character 0x%02x", what, c);
		/* U+2028 and U+2029: line ends to some readers; C1 controls */
		if (c == 0xe2 && value.len - i >= 3 && (unsigned char)value.data[i + 1] == 0x80 &&
		    ((unsigned char)value.data[i + 2] & 0xfe) == 0xa8)
			return err_set(err, "header_injection: %s has a line separator", what);
		if (c == 0xc2 && value.len - i >= 2 && (unsigned char)value.data[i + 1] < 0xa0)
			return err_set(err, "header_injection: %s has a C1 control character", what);
	}
	return 0;
}

static size_t column(const struct buf *out)
{
	const char *nl = out->len ? memrchr(out->data, '\n', out->len) : NULL;

	return nl ? out->len - (size_t)(nl + 1 - out->data) : out->len;
}

/*
 * Adds words separated by blanks, and breaks the line before a word that would not fit. The blanks stay as they are: unfolding gives the
 * value back. -1 if a word is longer than a line may be.
 */
static int add_folded(struct buf *out, struct slice value, const char *name, struct err *err)
{
	size_t col = column(out), i = 0, blank, word;

	if (col + value.len <= FOLD_AT) {	/* most do */
		buf_add(out, value.data, value.len);
		return 0;
	}
	while (i < value.len) {
		for (blank = i; blank < value.len && (value.data[blank] == ' ' || value.data[blank] == '\t'); blank++)
			;
		for (word = blank; word < value.len && value.data[word] != ' ' && value.data[word] != '\t'; word++)
			;
		if (word - blank > LINE_MAX_OCTETS)
			return err_set(err, "%s has a word of more than %d bytes", name, LINE_MAX_OCTETS);
		/* a line of nothing but blanks is what RFC 5322 3.2.2 warns of: the last ones stay on their line */
		if (blank > i && word > blank && col + (word - i) > FOLD_AT) {
			buf_str(out, "\r\n");
			col = 0;
		}
		buf_add(out, value.data + i, word - i);
		col += word - i;
		i = word;
	}
	return 0;
}

static struct slice trim_blanks(struct slice s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* --- encoded-words ---------------------------------------------------------------------------------------------- */

/* RFC 2047 5 (3): what may stand for itself in a phrase; we use the same set everywhere. */
static bool q_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '!' || c == '*' || c == '+' ||
		c == '-' || c == '/';
}

static size_t q_cost(struct slice s)
{
	size_t i, cost = 0;

	for (i = 0; i < s.len; i++)
		cost += q_plain((unsigned char)s.data[i]) || s.data[i] == ' ' ? 1 : 3;
	return cost;
}

/* The length of the UTF-8 character at s; its validity was checked. */
static size_t character(struct slice s)
{
	unsigned char c = (unsigned char)s.data[0];

	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static void add_q(struct buf *out, struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == ' ')
			buf_char(out, '_');
		else if (q_plain(c))
			buf_char(out, (char)c);
		else
			buf_add(out, (char[]){ '=', hex[c >> 4], hex[c & 15] }, 3);
	}
}

/* As many whole characters as fit into one encoded-word with `room` octets for what is encoded. */
static size_t fitting(struct slice s, bool q, size_t room)
{
	size_t n = 0, cost = 0, step;

	while (n < s.len) {
		struct slice rest = { s.data + n, s.len - n };

		step = character(rest);
		cost = q ? cost + q_cost((struct slice){ rest.data, step }) : (n + step + 2) / 3 * 4;
		if (cost > room)
			break;
		n += step;
	}
	return n;
}

static void add_encoded(struct buf *out, struct slice s)
{
	static const size_t frame = 12; /* "=?UTF-8?Q?" and "?=" */
	bool q = (q_cost(s) - s.len) / 2 * 3 < s.len;	/* less than a third of it is escaped: who has no reader for it still reads most */
	size_t col = column(out), n, room;

	while (s.len > 0) {
		room = col + frame < WORD_MAX ? WORD_MAX - frame - (col > 0 ? col : 0) : 0;
		n = room > 12 ? fitting(s, q, room) : 0;
		if (n == 0) {
			buf_str(out, "\r\n ");
			col = 1;
			continue;
		}
		buf_str(out, q ? "=?UTF-8?Q?" : "=?UTF-8?B?");
		if (q)
			add_q(out, (struct slice){ s.data, n });
		else
			text_base64(out, s.data, n);
		buf_str(out, "?=");
		s.data += n;
		s.len -= n;
		if (s.len > 0)
			buf_str(out, "\r\n ");
		col = 1;
	}
}

/* --- fields ----------------------------------------------------------------------------------------------------- */

static bool needs_encoding(struct slice s)
{
	return !text_ascii(s.data, s.len) || (s.len > 0 && memchr(s.data, '=', s.len) && memmem(s.data, s.len, "=?", 2));
}

int mime_text(struct buf *out, const char *name, struct slice value, struct err *err)
{
	size_t start = out->len;

	value = trim_blanks(value);
	if (mime_check_value(value, name, err) < 0)
		return -1;
	buf_str(out, name);
	buf_str(out, ": ");
	if (value.len > 0 && needs_encoding(value)) {
		add_encoded(out, value);
	} else if (add_folded(out, value, name, err) < 0) {
		buf_cut(out, start);
		return -1;
	}
	buf_str(out, "\r\n");
	return 0;
}

static bool is_atom_text(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.data[i] != ' ' && !q_plain((unsigned char)s.data[i]) && !strchr("#$%&'=?^_`{|}~", s.data[i]))
			return false;
	return true;
}

static void add_quoted(struct buf *out, struct slice s)
{
	size_t i;

	buf_char(out, '"');
	for (i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, s.data[i]);
	}
	buf_char(out, '"');
}

int mime_mailbox(struct buf *out, const char *name, struct slice display, const char *address, struct err *err)
{
	struct buf phrase = BUF_INIT;
	size_t start = out->len, most = FOLD_AT, length = strlen(address);
	int rc = 0;

	display = trim_blanks(display);
	if (mime_check_value(display, name, err) < 0)
		return -1;
	buf_str(out, name);
	buf_str(out, ": ");
	if (display.len > 0 && needs_encoding(display)) {
		add_encoded(out, display);
		most = WORD_LINE;
	} else if (display.len > 0 && is_atom_text(display)) {
		rc = add_folded(out, display, name, err);
	} else if (display.len > 0) {
		add_quoted(&phrase, display);
		rc = add_folded(out, (struct slice){ phrase.data, phrase.len }, name, err);
	}
	if (display.len > 0)
		buf_str(out, column(out) + length + 3 > most ? "\r\n " : " ");
	buf_char(out, '<');
	buf_add(out, address, length);
	buf_str(out, ">\r\n");
	if (rc < 0)
		buf_cut(out, start);
	buf_clear(&phrase);
	return rc;
}

/* RFC 2231: `name="plain"`, and `name*=UTF-8''percent` where the plain one does not say it. */
static void add_parameter(struct buf *out, const char *name, const char *value)
{
	const char *c;

	buf_printf(out, ";\r\n %s=\"", name);
	for (c = value; *c; c++) {
		if (((unsigned char)*c & 0xc0) == 0x80)	/* one for each character */
			continue;
		if (*c == '"' || *c == '\\')
			buf_char(out, '\\');
		buf_char(out, (unsigned char)*c < 0x80 ? *c : '_');
	}
	buf_char(out, '"');
	if (text_ascii(value, strlen(value)))
		return;
	buf_printf(out, ";\r\n %s*=UTF-8''", name);
	text_percent(out, value, strlen(value));
}

int mime_file(struct buf *out, const char *type, const char *name, const char *host, struct err *err)
{
	if (mime_check_value(slice_of(name), "the name of a file", err) < 0)
		return -1;
	if (strlen(name) > FILE_NAME_MAX)
		return err_set(err, "the name of a file has more than %d bytes", FILE_NAME_MAX);
	buf_printf(out, "Content-Type: %s", type);
	add_parameter(out, "name", name);
	buf_printf(out, "\r\nContent-Disposition: %s", host ? "inline" : "attachment");
	add_parameter(out, "filename", name);
	buf_str(out, "\r\n");
	if (host)
		buf_printf(out, "Content-ID: <%s@%s>\r\n", name, host);
	buf_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	return 0;
}

void mime_date(struct buf *out, int64_t us)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(us / US_SECOND);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void mime_boundary(char out[MIME_BOUNDARY])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t r = 0;
	size_t i;

	memcpy(out, "=_n_", 4);
	for (i = 4; i < MIME_BOUNDARY - 1; i++) {
		if ((i - 4) % 12 == 0)
			r = random_u64();
		out[i] = digits[r & 31];
		r >>= 5;
	}
	out[i] = '\0';
}
