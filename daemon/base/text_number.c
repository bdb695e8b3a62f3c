/*
 * text_number.c: numbers, durations and times of text.h. Nothing here looks at the locale of the process.
 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

int text_int(const char *s, int64_t *out)
{
	const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
	long long value;

	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return -1;
	errno = 0;
	value = strtoll(s, NULL, 10);
	if (errno)
		return -1;
	*out = value;
	return 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c_locale)
		abort();
}

int text_double(const char *s, double *out)
{
	double value;
	char *end;

	/* strtod would also take blanks, hexadecimal, "inf" and "nan" */
	if (!*s || strspn(s, "0123456789+-.eE") != strlen(s))
		return -1;
	pthread_once(&once, make_locale);
	value = strtod_l(s, &end, c_locale);
	if (end == s || *end || !isfinite(value))
		return -1;
	*out = value;
	return 0;
}

/* --- durations ---------------------------------------------------------------------------------------------- */

static const struct unit {
	const char *name;
	int64_t us;
} units[] = {
	{ "ms", 1000 },
	{ "s", US_SECOND },
	{ "second", US_SECOND },
	{ "m", US_MINUTE },
	{ "min", US_MINUTE },
	{ "minute", US_MINUTE },
	{ "h", US_HOUR },
	{ "hour", US_HOUR },
	{ "d", US_DAY },
	{ "day", US_DAY },
	{ "w", 7 * US_DAY },
	{ "week", 7 * US_DAY },
	{ "month", 30 * US_DAY },
	{ "year", 365 * US_DAY },
};

static int64_t unit_us(const char *s, size_t n)
{
	size_t i, len;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		len = strlen(units[i].name);
		if (n >= len && !memcmp(s, units[i].name, len) &&
		    (n == len || (n == len + 1 && len >= 3 && s[len] == 's')))
			return units[i].us;
	}
	return 0;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

int text_duration(const char *s, int64_t *us_out, struct err *err)
{
	const char *p = skip_blanks(s), *word;
	int64_t total = 0, count, us;

	do {
		if (*p < '0' || *p > '9')
			return err_set(err, "\"%.60s\" is not a duration; write it as \"14 days\" or \"2h30m\"", s);
		for (count = 0; *p >= '0' && *p <= '9'; p++)
			if (__builtin_mul_overflow(count, 10, &count) ||
			    __builtin_add_overflow(count, *p - '0', &count))
				return err_set(err, "the duration \"%.60s\" is too long", s);
		word = p = skip_blanks(p);
		while (*p >= 'a' && *p <= 'z')
			p++;
		us = unit_us(word, (size_t)(p - word));
		if (!us)
			return err_set(err, "\"%.60s\" lacks a unit of time: s, min, h, days, weeks, months or years", s);
		if (__builtin_mul_overflow(count, us, &us) || __builtin_add_overflow(total, us, &total))
			return err_set(err, "the duration \"%.60s\" is too long", s);
		p = skip_blanks(p);
	} while (*p);
	*us_out = total;
	return 0;
}

static void print_part(struct buf *out, uint64_t count, const char *unit, bool *first)
{
	if (!count)
		return;
	buf_printf(out, "%s%" PRIu64 " %s%s", *first ? "" : " ", count, unit, count == 1 ? "" : "s");
	*first = false;
}

void text_duration_print(struct buf *out, int64_t us)
{
	uint64_t n = us < 0 ? -(uint64_t)us : (uint64_t)us, s = n / US_SECOND;
	bool first = true;

	if (us < 0)
		buf_char(out, '-');
	if (n < (uint64_t)US_SECOND && n >= 1000) {
		buf_printf(out, "%" PRIu64 " ms", n / 1000);
		return;
	}
	/* 90 seconds is shorter than a minute and a half */
	if (s < 120 && s != 60) {
		buf_printf(out, "%" PRIu64 " second%s", s, s == 1 ? "" : "s");
		return;
	}
	print_part(out, s / 86400, "day", &first);
	print_part(out, s / 3600 % 24, "hour", &first);
	print_part(out, s / 60 % 60, "minute", &first);
	print_part(out, s % 60, "second", &first);
}

/* --- RFC 3339 ----------------------------------------------------------------------------------------------- */

#define LAST_SECOND INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

/* `n` decimal digits, with zeros before them. */
static void put_digits(struct buf *out, int value, int n)
{
	int unit = 1;

	while (--n > 0)
		unit *= 10;
	for (; unit; unit /= 10)
		buf_char(out, (char)('0' + value / unit % 10));
}

void text_time(struct buf *out, int64_t us)
{
	int64_t s = us / US_SECOND;
	struct tm tm;
	time_t t;

	t = us < 0 ? 0 : s > LAST_SECOND ? LAST_SECOND : s;
	gmtime_r(&t, &tm);
	put_digits(out, tm.tm_year + 1900, 4);
	buf_char(out, '-');
	put_digits(out, tm.tm_mon + 1, 2);
	buf_char(out, '-');
	put_digits(out, tm.tm_mday, 2);
	buf_char(out, 'T');
	put_digits(out, tm.tm_hour, 2);
	buf_char(out, ':');
	put_digits(out, tm.tm_min, 2);
	buf_char(out, ':');
	put_digits(out, tm.tm_sec, 2);
	buf_char(out, 'Z');
}

void text_decimal(struct buf *out, int64_t n)
{
	char digits[20];
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		buf_char(out, '-');
	buf_add(out, digits + at, sizeof(digits) - at);
}

/* Exactly n digits at *s; moves *s behind them. */
static int digits(const char **s, int n, int *out)
{
	int value = 0;

	for (; n; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		value = value * 10 + (**s - '0');
	}
	*out = value;
	return 0;
}

static int literal(const char **s, const char *accepted)
{
	if (!**s || !strchr(accepted, **s))
		return -1;
	(*s)++;
	return 0;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static int parse_date(const char **s, struct tm *tm)
{
	int year, month;

	if (digits(s, 4, &year) < 0 || literal(s, "-") < 0 || digits(s, 2, &month) < 0 || literal(s, "-") < 0 ||
	    digits(s, 2, &tm->tm_mday) < 0)
		return -1;
	if (year < 1970 || month < 1 || month > 12 || tm->tm_mday < 1 || tm->tm_mday > days_in(year, month))
		return -1;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	return 0;
}

static int parse_clock(const char **s, struct tm *tm)
{
	if (digits(s, 2, &tm->tm_hour) < 0 || literal(s, ":") < 0 || digits(s, 2, &tm->tm_min) < 0 ||
	    literal(s, ":") < 0 || digits(s, 2, &tm->tm_sec) < 0)
		return -1;
	/* 60 is a leap second: the second after */
	return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? -1 : 0;
}

/* ".5" and the like, to microseconds; what is finer is dropped. */
static int parse_fraction(const char **s, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (**s != '.')
		return 0;
	if ((*s)[1] < '0' || (*s)[1] > '9')
		return -1;
	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++) {
		*us += (**s - '0') * unit;
		unit /= 10;
	}
	return 0;
}

static int parse_offset(const char **s, int *seconds)
{
	int sign, hours, minutes;

	*seconds = 0;
	if (literal(s, "Zz") == 0)
		return 0;
	sign = **s == '-' ? -1 : 1;
	if (literal(s, "+-") < 0 || digits(s, 2, &hours) < 0 || literal(s, ":") < 0 || digits(s, 2, &minutes) < 0)
		return -1;
	if (hours > 23 || minutes > 59)
		return -1;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

int text_time_parse(const char *s, int64_t *us_out)
{
	struct tm tm = { 0 };
	int64_t fraction, t;
	int offset;

	if (parse_date(&s, &tm) < 0 || literal(&s, "Tt ") < 0 || parse_clock(&s, &tm) < 0 ||
	    parse_fraction(&s, &fraction) < 0 || parse_offset(&s, &offset) < 0 || *s)
		return -1;
	t = timegm(&tm) - offset;
	if (t < 0 || t > LAST_SECOND)
		return -1;
	*us_out = t * US_SECOND + fraction;
	return 0;
}
