/*
 * return_date.c: a date without a year is the next one; a week day is the next such day. What lies in the
 * past or far away is an old signature or a misreading, and no date at all.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/patterns.h"
#include "base/text.h"
#include "intent_sets.h"
#include "return_date.h"

#define LOOK_AT 1500

struct day {
	int year, month, mday;	/* year 0: not said */
};

/* English, German, French, Spanish, Italian, Portuguese: the first three or four letters are enough. */
static int month_named(const char *s)
{
	static const struct {
		const char *start; int month;
	} names[] = {
		{"jan", 1},
		{"ene", 1},
		{"gen", 1},
		{"feb", 2},
		{"fev", 2},
		{"f\xc3\xa9v", 2},
		{"mar", 3},
		{"m\xc3\xa4r", 3},
		{"apr", 4},
		{"avr", 4},
		{"abr", 4},
		{"may", 5},
		{"mai", 5},
		{"mag", 5},
		{"juin", 6},
		{"jun", 6},
		{"giu", 6},
		{"juil", 7},
		{"jul", 7},
		{"lug", 7},
		{"aug", 8},
		{"aou", 8},
		{"ao\xc3\xbb", 8},
		{"ago", 8},
		{"sep", 9},
		{"set", 9},
		{"oct", 10},
		{"okt", 10},
		{"ott", 10},
		{"out", 10},
		{"nov", 11},
		{"dec", 12},
		{"d\xc3\xa9"
		 "c",
			12},
		{"dez", 12},
		{"dic", 12},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(s, names[i].start, strlen(names[i].start)))
			return names[i].month;
	return 0;
}

static int64_t at_day(int year, int month, int mday)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = mday };

	return (int64_t)timegm(&tm) * US_SECOND;
}

static struct tm today(int64_t now)
{
	time_t t = (time_t)(now / US_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	return tm;
}

static int64_t at_or_after(struct day d, int64_t now)
{
	int year = d.year ? d.year : today(now).tm_year + 1900;
	int64_t at;

	if (d.month < 1 || d.month > 12 || d.mday < 1 || d.mday > 31)
		return 0;
	if (year < 100)
		year += 2000;
	at = at_day(year, d.month, d.mday);
	if (!d.year && at + US_DAY < now)
		at = at_day(year + 1, d.month, d.mday);
	return at;
}

/* 2026-05-03, 3.5., 3/5/26 */
static bool numbers(const char *s, bool month_first, struct day *out)
{
	int a = 0, b = 0, c = 0, n;

	n = sscanf(s, "%d%*1[./-]%*[ ]%d%*1[./-]%*[ ]%d", &a, &b, &c);
	if (n < 2)
		n = sscanf(s, "%d%*1[./-]%d%*1[./-]%d", &a, &b, &c);
	if (n < 2)
		return false;
	if (a > 31) {
		*out = (struct day){ a, b, c };
		return true;
	}
	if ((month_first && strchr(s, '/') && b <= 31 && a <= 12) || b > 12)
		*out = (struct day){ c, a, b };
	else
		*out = (struct day){ c, b, a };
	return true;
}

/* "12 March 2027", "March 12th", "12. de marzo", "March 2027" */
static bool words(const char *s, struct day *out)
{
	struct day d = { 0, 0, 0 };

	while (*s) {
		if (isdigit((unsigned char)*s)) {
			int n = (int)strtol(s, NULL, 10);

			if (n > 31)
				d.year = n;
			else
				d.mday = n;
			s += strspn(s, "0123456789");
		} else if (!d.month && isalpha((unsigned char)*s)) {
			d.month = month_named(s);
			while (isalpha((unsigned char)*s) || (unsigned char)*s >= 0x80)
				s++;
		} else {
			s++;
		}
	}
	if (!d.mday)
		d.mday = 1;
	*out = d;
	return d.month != 0;
}

static int64_t week_day(const char *s, int64_t now)
{
	static const char *const days[] = {
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
	struct tm tm = today(now);
	int64_t midnight = at_day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);

	if (strstr(s, "tomorrow"))
		return midnight + US_DAY;
	if (strstr(s, "next week"))
		return midnight + ((8 - tm.tm_wday) % 7 ? (8 - tm.tm_wday) % 7 : 7) * US_DAY;
	for (int i = 0; i < 7; i++)
		if (strstr(s, days[i]))
			return midnight + ((i - tm.tm_wday + 6) % 7 + 1) * US_DAY;
	return 0;
}

static int64_t read_date(struct slice text, int64_t now, bool month_first)
{
	char s[80] = "";
	struct day d;

	if (!text.data || text.len >= sizeof(s))
		return 0;
	memcpy(s, text.data, text.len);
	text_lower(s);
	if (words(s, &d) || numbers(s, month_first, &d))
		return at_or_after(d, now);
	return week_day(s, now);
}

int64_t return_date_of_absence(const char *text, int64_t now, bool month_first)
{
	size_t n = strlen(text), at = 0;
	int64_t latest = 0;
	struct pattern_hit hit;

	if (n > LOOK_AT)
		n = LOOK_AT;
	while (pattern_find(&intent_absence_end, text, n, at, &hit)) {
		int64_t date = read_date(hit.date, now, month_first);

		if (date >= now - US_DAY && date <= now + 180 * US_DAY && date > latest)
			latest = date;
		at = (size_t)(hit.group[0].data - text) + (hit.group[0].len ? hit.group[0].len : 1);
	}
	return latest;
}

/* --- "in three months", "Q3", "after the summer" -------------------------------------------------------- */

static int64_t months_ahead(int64_t now, int months)
{
	struct tm tm = today(now);

	return at_day(tm.tm_year + 1900, tm.tm_mon + 1 + months, tm.tm_mday);
}

static int count_named(struct slice s)
{
	static const char *const names[] = {"", "one", "two", "three", "four", "five", "six", "seven",
		"eight", "nine", "ten", "eleven", "twelve"};

	if (s.len && isdigit((unsigned char)s.data[0]))
		return (int)strtol(s.data, NULL, 10);
	for (int i = 1; i <= 12; i++)
		if (slice_is_nocase(s, names[i]))
			return i;
	return slice_is_nocase(s, "a few") || slice_is_nocase(s, "few") ? 3
	       : slice_is_nocase(s, "a couple of")			? 2
									: 1;
}

static int64_t ahead(int64_t now, int count, struct slice unit)
{
	switch (tolower((unsigned char)unit.data[0])) {
	case 'd':
		return now + count * US_DAY;
	case 'w':
		return now + count * 7 * US_DAY;
	case 'q':
		return months_ahead(now, 3 * count);
	case 'y':
		return months_ahead(now, 12 * count);
	default:
		return months_ahead(now, count);
	}
}

static int64_t start_of(int month, int64_t now)
{
	return at_or_after((struct day){ 0, month, 1 }, now);
}

static int64_t next_unit(struct slice unit, int64_t now)
{
	struct tm tm = today(now);

	switch (tolower((unsigned char)unit.data[0])) {
	case 'w':
		return week_day("next week", now);
	case 'q':
		return at_day(tm.tm_year + 1900, (tm.tm_mon / 3 + 1) * 3 + 1, 1);
	case 'y':
		return at_day(tm.tm_year + 1901, 1, 1);
	default:
		return at_day(tm.tm_year + 1900, tm.tm_mon + 2, 1);
	}
}

static int64_t season(struct slice s, bool after, int64_t now)
{
	static const struct {
		const char *name; int month;
	} seasons[] = {
		{"spring", 3},
		{"summer", 6},
		{"autumn", 9},
		{"fall", 9},
		{"winter", 12},
		{"new year", 1},
		{"the new year", 1},
	};

	for (size_t i = 0; i < sizeof(seasons) / sizeof(seasons[0]); i++)
		if (slice_is_nocase(s, seasons[i].name))
			return start_of(after && seasons[i].month % 3 == 0 ? (seasons[i].month + 2) % 12 + 1
									   : seasons[i].month,
				now);
	return 0;
}

int64_t return_date_of_not_now(const char *text, int64_t now, bool month_first)
{
	static struct pattern count = PATTERN("\\b(?:in|after)\\s+(\\d{1,2}|one|two|three|four|five|six|"
		"seven|eight|nine|ten|eleven|twelve|a\\s+few|a\\s+couple\\s+of|a)\\s+(days?|weeks?|months?|"
		"quarters?|years?)\\b");
	static struct pattern next = PATTERN("\\bnext\\s+(week|month|quarter|year)\\b");
	static struct pattern quarter = PATTERN("\\bq([1-4])(?:\\s*/?\\s*(20\\d\\d))?\\b");
	static struct pattern named = PATTERN("\\b(in|after|until|before|next|by)\\s+(?:the\\s+)?(spring|"
		"summer|autumn|fall|winter|new\\s+year)\\b");
	static struct pattern date = PATTERN(
		"\\b(?:until|till|before|after|on|in|from|ab|bis|nach|im)\\s+(?<date>\\d{4}-\\d{2}-\\d{2}|"
		"\\d{1,2}[./]\\d{1,2}(?:[./]\\d{2,4})?|"
		"(?:\\d{1,2}(?:st|nd|rd|th|\\.)?\\s+)?(?:jan|feb|m[aä]r|apr|may|mai|jun|jul|aug|sep|o[ck]t|"
		"nov|de[cz])(?!\\s+be\\b)\\p{L}*(?:\\s+\\d{1,2}(?!\\d))?(?:,?\\s+20\\d\\d)?)");
	size_t n = strlen(text);
	struct pattern_hit hit;
	int64_t at = 0;

	if (pattern_find(&count, text, n, 0, &hit))
		at = ahead(now, count_named(hit.group[1]), hit.group[2]);
	else if (pattern_find(&quarter, text, n, 0, &hit))
		at = hit.group[2].data ? at_day((int)strtol(hit.group[2].data, NULL, 10),
						 (hit.group[1].data[0] - '1') * 3 + 1, 1)
				       : start_of((hit.group[1].data[0] - '1') * 3 + 1, now);
	else if (pattern_find(&date, text, n, 0, &hit))
		at = read_date(hit.date, now, month_first);
	else if (pattern_find(&named, text, n, 0, &hit))
		at = season(hit.group[2], slice_is_nocase(hit.group[1], "after"), now);
	else if (pattern_find(&next, text, n, 0, &hit))
		at = next_unit(hit.group[1], now);
	return at >= now && at <= now + 730 * US_DAY ? at : 0;
}
