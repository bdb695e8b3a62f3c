/*
 * say.c: see say.h.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "console/report.h"

#include "say.h"

#define TIME_TEXT 20	/* of "2026-11-23T09:00:00Z" */

/* --- times ------------------------------------------------------------------------------------------ */

static struct tm local(int64_t at)
{
	time_t seconds = (time_t)(at / US_SECOND);
	struct tm tm;

	localtime_r(&seconds, &tm);
	return tm;
}

void say_time(struct buf *out, int64_t at, int64_t now)
{
	struct tm tm = local(at), this = local(now);
	char text[40];

	strftime(text, sizeof(text), tm.tm_year == this.tm_year ? "%a %-d %b %H:%M" : "%a %-d %b %Y %H:%M", &tm);
	buf_str(out, text);
}

void say_stamp(struct buf *out, int64_t at)
{
	struct tm tm = local(at);
	char text[40];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	buf_str(out, text);
}

void say_when(struct buf *out, int64_t at, int64_t now)
{
	say_time(out, at, now);
	buf_str(out, ", ");
	report_age(out, at, now);
}

/* --- texts ------------------------------------------------------------------------------------------ */

void say_clean(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s == 0xc2 && ((unsigned char)s[1] & 0xe0) == 0x80) {
			buf_char(out, '?');	/* C1: U+009B begins a control sequence as ESC [ does */
			s++;
		} else if ((unsigned char)*s >= ' ' && *s != 0x7f) {
			buf_char(out, *s);
		} else {
			buf_char(out, *s == '\n' || *s == '\t' ? *s : '?');
		}
	}
}

/* Is there a time at `s`? */
static bool time_at(const char *s, int64_t *at)
{
	char text[TIME_TEXT + 1];

	if (strnlen(s, TIME_TEXT) < TIME_TEXT || s[TIME_TEXT - 1] != 'Z' || s[10] != 'T')
		return false;
	memcpy(text, s, TIME_TEXT);
	text[TIME_TEXT] = '\0';
	return text_time_parse(text, at) == 0;
}

void say_text(struct buf *out, const char *s, int64_t now)
{
	struct buf clean = BUF_INIT;
	const char *p;
	int64_t at;

	say_clean(&clean, s);
	for (p = buf_cstr(&clean); *p; p++) {
		if (time_at(p, &at)) {
			say_time(out, at, now);
			p += TIME_TEXT - 1;
		} else {
			buf_char(out, *p == '\n' || *p == '\t' ? ' ' : *p);
		}
	}
	buf_clear(&clean);
}

void say_spaces(struct buf *out, size_t count)
{
	for (; count; count--)
		buf_char(out, ' ');
}

/* Columns of the line at hand. */
static size_t columns(const struct buf *out)
{
	const char *start = out->len ? memrchr(out->data, '\n', out->len) : NULL;

	start = start ? start + 1 : out->data;
	return out->len ? text_utf8_length(start, (size_t)(out->data + out->len - start)) : 0;
}

void say_column(struct buf *out, size_t column)
{
	size_t at = columns(out);

	say_spaces(out, at < column ? column - at : 1);
}

void say_wrapped(struct buf *out, size_t indent, const char *s, int64_t now)
{
	struct buf text = BUF_INIT;
	size_t at = columns(out);
	const char *p, *end;
	bool first = true;

	say_text(&text, s, now);
	for (p = buf_cstr(&text); *p; p = end) {
		size_t width;

		p += strspn(p, " ");
		end = p + strcspn(p, " ");
		width = text_utf8_length(p, (size_t)(end - p));
		if (!first && at + 1 + width > SAY_WIDTH) {
			buf_char(out, '\n');
			say_spaces(out, indent);
			at = indent;
		} else if (!first) {
			buf_char(out, ' ');
			at++;
		}
		buf_add(out, p, (size_t)(end - p));
		at += width;
		first = false;
	}
	buf_clear(&text);
}

/* --- numbers ---------------------------------------------------------------------------------------- */

static void thousands(struct buf *out, int64_t n)
{
	if (n >= 1000) {
		thousands(out, n / 1000);
		buf_printf(out, ",%03" PRId64, n % 1000);
	} else {
		buf_printf(out, "%" PRId64, n);
	}
}

void say_count(struct buf *out, int64_t count, const char *one, const char *many)
{
	thousands(out, count);
	buf_printf(out, "%s%s", *one ? " " : "", count == 1 ? one : many);
}

void say_points(struct buf *out, double points)
{
	if (fabs(points - round(points)) < 0.005)
		buf_printf(out, "%.0f", round(points) + 0.0);
	else
		buf_printf(out, "%.1f", points);
}

/* --- members ---------------------------------------------------------------------------------------- */

const char *say_member(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

int64_t say_member_time(const json_t *object, const char *name)
{
	int64_t at;

	return text_time_parse(say_member(object, name), &at) == 0 ? at : 0;
}

double say_member_number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

bool say_member_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
