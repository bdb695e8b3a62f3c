/*
 * mime_body.c: text bodies, see mime.h.
 *
 * Quoted-printable is the hot path, 10 KB a message: bytes are looked at and copied sixteen at a time, a line of prose at once, in one pass. The
 * buffer is reserved for the worst case, and the end of the text is moved to where there is something behind it, so that nothing inside checks either.
 */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "base/wide.h"

#include "mime.h"

#define QP_LINE 76

static const char hex[] = "0123456789ABCDEF";

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

/*
 * Copies bytes that stand for themselves, up to the end of the line of output; sixteen are written even where fewer count. Markup is full of `=`,
 * which is done on the way.
 */
static inline void qp_copy(struct qp *q)
{
	for (;;) {
		size_t room = (size_t)(q->full - q->to), done = 0, n = sizeof(wide);

		for (; n == sizeof(wide) && done < room; done += n)
			n = wide_leading(copy_wide(q->to + done, q->p + done));
		if (done > room)
			done = room;
		q->p += done;
		q->to += done;
		if (*q->p != '=' || q->full - q->to < 3)
			break;
		memcpy(q->to, "=3D", 3);
		q->to += 3;
		q->p++;
	}
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
	if ((rc < 0 ? !text_ascii(text.data, text.len) : rc > 0 || high > 0) && !text_utf8_valid(text.data, text.len))
		return err_set(err, "the text is not UTF-8");
	if (rc <= 0)
		return rc;
	buf_cut(out, start);
	buf_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	return base64(out, text, err);
}
