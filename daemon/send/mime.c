/*
 * mime.c: see mime.h.
 *
 * Quoted-printable is the hot path, 10 KB a message: bytes are looked at and copied sixteen at a time, a line of prose at once, in one pass. The
 * buffer is reserved for the worst case, and the end of the text is moved to where there is something behind it, so that nothing inside checks either.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "base/wide.h"

#include "mime.h"

#define FOLD_AT 78
#define LINE_MAX_OCTETS 900	/* of one token; RFC 5322's limit of 998 leaves room for a field name */
#define WORD_MAX 75		/* an encoded-word with its frame */
#define WORD_LINE 76		/* a line that has one (RFC 2047 2) */
#define QP_LINE 76
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

static bool is_ascii(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return false;
	return true;
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
	return !is_ascii(s) || (s.len > 0 && memchr(s.data, '=', s.len) && memmem(s.data, s.len, "=?", 2));
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
	if (is_ascii(slice_of(value)))
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

/* --- quoted-printable ------------------------------------------------------------------------------------------- */

#define QP_AHEAD 96	/* a line, what ends it, and as far as a copy of sixteen runs over */

struct qp {
	char *to;			/* where the next byte goes; room for the worst case was made */
	char *full;			/* where the line of output has no room for more */
	const unsigned char *p, *end;	/* what is still to be encoded */
	size_t high, most;		/* bytes beyond ASCII, counted at the first of them; more are not taken */
};

/* Copies sixteen. All bits of those are set that stand for themselves, which are space to '~' without '='. */
static inline wide copy_wide(char *to, const unsigned char *p)
{
	wide w = wide_at(p);

	memcpy(to, &w, sizeof(w));
	return wide_printable(w) - (w == '=');
}

/* Copies bytes that stand for themselves, up to the end of the line of output; sixteen are written even where fewer count. */
static inline void qp_copy(struct qp *q)
{
	size_t room = (size_t)(q->full - q->to), done = 0, n = sizeof(wide);

	for (; n == sizeof(wide) && done < room; done += n)
		n = wide_leading(copy_wide(q->to + done, q->p + done));
	if (done > room)
		done = room;
	q->p += done;
	q->to += done;
}

/* Does a whole line's worth of bytes stand for itself? It is copied in any case. */
static inline bool copy_line(char *to, const unsigned char *p)
{
	static const size_t last = QP_LINE - 1 - sizeof(wide);
	wide all = copy_wide(to, p) & copy_wide(to + 16, p + 16) & copy_wide(to + 32, p + 32) & copy_wide(to + 48, p + 48) & copy_wide(to + last, p + last);

	return wide_leading(all) == sizeof(all);
}

/* In prose, lines follow one another in which each byte stands for itself, the first one too. Begins and ends at a full line. */
static inline void qp_prose(struct qp *q, ptrdiff_t ahead)
{
	static const char soft[] = { '=', '\r', '\n' };

	while (q->end - q->p >= ahead && *q->p != '.' && *q->p != 'F' && copy_line(q->to + sizeof(soft), q->p)) {
		memcpy(q->to, soft, sizeof(soft));
		q->p += QP_LINE - 1;
		q->to += sizeof(soft) + QP_LINE - 1;
	}
	q->full = q->to;
}

static inline void qp_new_line(struct qp *q, const char *end, size_t n)
{
	memcpy(q->to, end, n);
	q->to += n;
	q->full = q->to + QP_LINE - 1;
}

static inline void qp_escape(struct qp *q, unsigned char c)
{
	if (q->full - q->to < 3)
		qp_new_line(q, "=\r\n", 3);
	*q->to++ = '=';
	*q->to++ = hex[c >> 4];
	*q->to++ = hex[c & 15];
}

/* Blanks before the end of a line do not survive all relays. */
static inline void qp_end_line(struct qp *q)
{
	char last = q->full - q->to < QP_LINE - 1 ? q->to[-1] : 'x';

	if (last == ' ' || last == '\t') {
		q->to--;
		qp_escape(q, (unsigned char)last);
	}
	qp_new_line(q, "\r\n", 2);
}

/* At the beginning of a line: SMTP or an mbox would misread some bytes there. */
static inline void qp_first(struct qp *q)
{
	if (q->p < q->end && (*q->p == '.' || (*q->p == 'F' && q->end - q->p >= 5 && memcmp(q->p, "From ", 5) == 0)))
		qp_escape(q, *q->p++);
}

static inline bool qp_at_line_end(const struct qp *q)
{
	return *q->p == '\n' || (*q->p == '\r' && q->end - q->p >= 2 && q->p[1] == '\n');
}

/* How many bytes are beyond ASCII. Apart, for it is called once at most. */
static __attribute__((noinline)) size_t count_high(const unsigned char *p, const unsigned char *end)
{
	size_t n = 0, i, wides = (size_t)(end - p) / sizeof(wide), some;

	for (; wides > 0; wides -= some) {
		wide sums = { 0 };

		some = wides < INT8_MAX ? wides : INT8_MAX;
		for (i = 0; i < some; i++, p += sizeof(wide))
			sums -= wide_at(p) < 0;
		for (i = 0; i < sizeof(wide); i++)
			n += (size_t)sums[i];
	}
	for (; p < end; p++)
		n += *p >> 7;
	return n;
}

/* One byte that does not stand for itself. 1: there are too many beyond ASCII. */
static inline int qp_special(struct qp *q, struct err *err)
{
	unsigned char c = *q->p++;

	if (c == '\t') {
		*q->to++ = '\t';
		return 0;
	}
	if (c < 0x20 || c == 0x7f)
		return err_set(err, "control character 0x%02x in the text", c);
	if (c >= 0x80 && !q->high) {
		q->high = 1 + count_high(q->p, q->end);
		if (q->high > q->most)
			return 1;
	}
	qp_escape(q, c);
	return 0;
}

/* Works while there are `ahead` bytes. 1: too many are beyond ASCII. */
static int qp_run(struct qp *state, ptrdiff_t ahead, struct err *err)
{
	struct qp q = *state;
	int rc;

	if (q.end - q.p >= ahead)
		qp_copy(&q);
	while (q.end - q.p >= ahead) {
		if (qp_at_line_end(&q)) {
			q.p += *q.p == '\r' ? 2 : 1;
			qp_end_line(&q);
			qp_first(&q);
		} else if (q.to == q.full) {
			qp_prose(&q, ahead);
			if (q.end - q.p >= ahead && !qp_at_line_end(&q)) {
				qp_new_line(&q, "=\r\n", 3);
				qp_first(&q);
			}
		} else {
			rc = qp_special(&q, err);
			if (rc != 0)
				return rc;
			if (q.p < q.end && *q.p >= 0x80)
				continue;	/* seldom is one alone */
		}
		qp_copy(&q);
	}
	*state = q;
	return 0;
}

/* 1, and nothing is added, where more than `most` bytes are beyond ASCII; their number is *high_out. */
static int quoted_printable(struct buf *out, struct slice text, size_t most, size_t *high_out, struct err *err)
{
	struct qp q = { .p = (const unsigned char *)text.data, .end = (const unsigned char *)text.data + text.len, .most = most };
	unsigned char last[2 * QP_AHEAD] = { 0 };
	size_t left;
	int rc;

	/* worst: three bytes for one, a soft break of three in 72, CRLF for LF; a line for the copy that runs over, and what ends the text */
	buf_reserve(out, text.len * 4 + QP_LINE + 32);
	q.to = out->data + out->len;
	q.full = q.to + QP_LINE - 1;
	qp_first(&q);
	rc = qp_run(&q, QP_AHEAD, err);
	if (rc != 0)
		return rc;
	/* the last bytes with something behind them that may be read */
	left = (size_t)(q.end - q.p);
	if (left)
		memcpy(last, q.p, left);
	q.p = last;
	q.end = last + left;
	rc = qp_run(&q, 1, err);
	if (rc != 0)
		return rc;
	*high_out = q.high;
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		qp_end_line(&q);
	out->len = (size_t)(q.to - out->data);
	out->data[out->len] = '\0';
	assert(out->len < out->cap);
	return 0;
}

int mime_quoted_printable(struct buf *out, struct slice text, struct err *err)
{
	size_t high;

	return quoted_printable(out, text, text.len, &high, err);
}

/* --- base64 and the choice ---------------------------------------------------------------------------------------- */

/* A line, or the rest of it, without what ends it: only tabs stand between what is printable or beyond ASCII. */
static int check_line(struct slice line, struct err *err)
{
	size_t i = 0;

	while (line.len - i >= sizeof(wide)) {
		wide w = wide_at(line.data + i);
		size_t n = wide_leading(wide_printable(w) | (w < 0) | (w == '\t'));

		i += n;
		if (n < sizeof(w))
			break;
	}
	for (; i < line.len; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return err_set(err, "control character 0x%02x in the text", c);
	}
	return 0;
}

/* base64 carries line ends as data: they must be CRLF in it (RFC 2045 6.8). Checks what quoted-printable checks on its way. */
static int canonical(struct buf *out, struct slice text, struct err *err)
{
	const char *p = text.data, *end = text.data + text.len, *next;
	struct slice line;

	for (; p < end; p = next) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		next = lf ? lf + 1 : end;
		line = (struct slice){ p, (size_t)((lf ? lf : end) - p) };
		if (lf && line.len && line.data[line.len - 1] == '\r')
			line.len--;
		if (check_line(line, err) < 0)
			return -1;
		buf_add(out, line.data, line.len);
		buf_str(out, "\r\n");
	}
	if (text.len == 0)
		buf_str(out, "\r\n");
	return 0;
}

static int base64(struct buf *out, struct slice text, struct err *err)
{
	struct buf lines = BUF_INIT;
	int rc = canonical(&lines, text, err);

	if (rc == 0)
		text_base64_lines(out, lines.data, lines.len);
	buf_clear(&lines);
	return rc;
}

int mime_body(struct buf *out, struct slice text, struct err *err)
{
	size_t start = out->len, high = 0;
	int rc;

	buf_str(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	rc = quoted_printable(out, text, text.len / 6, &high, err);
	if ((rc != 0 ? !is_ascii(text) : high > 0) && !text_utf8_valid(text.data, text.len))
		return err_set(err, "the text is not UTF-8");
	if (rc <= 0)
		return rc;
	buf_cut(out, start);
	buf_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	return base64(out, text, err);
}
