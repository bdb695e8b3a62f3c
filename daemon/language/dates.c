/*
 * dates.c: see dates.h. Reading goes word by word, in any order; printing is a table of directives. Ruby's
 * own reader takes more (and guesses), README says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dates.h"

#define WIDTH_MAX 1024

static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
	"September", "October", "November", "December" };
static const char *const weekdays[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday" };

/* --- reading -------------------------------------------------------------------------------------------- */

struct reading {
	const char *s, *end;
	int year, month, day;	/* -1: not read yet */
	int hour, minute, second;
	int nanoseconds;
	bool has_time, has_zone;
	int offset;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char at(const struct reading *r, size_t ahead)
{
	return ahead < (size_t)(r->end - r->s) ? r->s[ahead] : '\0';
}

/* How many digits stand here. */
static size_t digits(const struct reading *r, size_t from)
{
	size_t n = 0;

	while (is_digit(at(r, from + n)))
		n++;
	return n;
}

static int number(const struct reading *r, size_t from, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n && i < 9; i++)
		value = value * 10 + (r->s[from + i] - '0');
	return value;
}

/* The place of the word in the list, by its first three letters or as a whole; -1 if it is not there. */
static int place(const char *word, size_t n, const char *const *list, int count)
{
	for (int i = 0; i < count; i++)
		if ((n == 3 || n == strlen(list[i])) && strncasecmp(word, list[i], n) == 0)
			return i;
	return -1;
}

static bool set_once(int *field, int value)
{
	if (*field >= 0)
		return false;
	*field = value;
	return true;
}

/* Three numbers with one mark between them: year-month-day, or day.month.year. */
static bool read_numbers(struct reading *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), c = digits(r, a + b + 2);
	char mark = at(r, a);
	bool year_first = a == 4 && c <= 2, year_last = a <= 2 && c == 4 && mark != '-';
	int first = number(r, 0, a), last = number(r, a + b + 2, c);

	if ((mark != '-' && mark != '/' && mark != '.') || at(r, a + b + 1) != mark || !b || b > 2 || !c ||
		(!year_first && !year_last))
		return false;
	if (!set_once(&r->year, year_first ? first : last) || !set_once(&r->month, number(r, a + 1, b)) ||
		!set_once(&r->day, year_first ? last : first))
		return false;
	r->s += a + b + c + 2;
	return true;
}

static bool read_half(struct reading *r)
{
	size_t space = at(r, 0) == ' ';
	char half = (char)(at(r, space) | 32);

	if ((half != 'a' && half != 'p') || (at(r, space + 1) | 32) != 'm' || is_letter(at(r, space + 2)))
		return true;
	if (r->hour > 12)
		return false;
	r->hour = r->hour % 12 + (half == 'p' ? 12 : 0);
	r->s += space + 2;
	return true;
}

static void read_fraction(struct reading *r)
{
	size_t n = digits(r, 1);

	r->nanoseconds = number(r, 1, n < 9 ? n : 9);
	for (size_t i = n; i < 9; i++)
		r->nanoseconds *= 10;
	r->s += n + 1;
}

/* 10:20, 10:20:30, 10:20:30.5, 10:20 pm */
static bool read_time(struct reading *r)
{
	size_t h = digits(r, 0);

	if (r->has_time || h > 2 || at(r, h) != ':' || digits(r, h + 1) != 2)
		return false;
	r->has_time = true;
	r->hour = number(r, 0, h);
	r->minute = number(r, h + 1, 2);
	r->s += h + 3;
	if (at(r, 0) == ':' && digits(r, 1) == 2) {
		r->second = number(r, 1, 2);
		r->s += 3;
		if ((at(r, 0) == '.' || at(r, 0) == ',') && is_digit(at(r, 1)))
			read_fraction(r);
	}
	return read_half(r);
}

/* +02:00, +0200, +02: only behind a time */
static bool read_offset(struct reading *r)
{
	int sign = *r->s == '-' ? -1 : 1;
	size_t n = digits(r, 1);

	if (!r->has_time || r->has_zone || (n != 2 && n != 4))
		return false;
	r->has_zone = true;
	r->offset = number(r, 1, 2) * 3600 + (n == 4 ? number(r, 3, 2) * 60 : 0);
	r->s += n + 1;
	if (n == 2 && at(r, 0) == ':' && digits(r, 1) == 2) {
		r->offset += number(r, 1, 2) * 60;
		r->s += 3;
	}
	r->offset *= sign;
	return true;
}

static bool read_zone(struct reading *r, size_t n)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = { { "z", 0 }, { "utc", 0 }, { "gmt", 0 }, { "est", -5 }, { "edt", -4 }, { "cst", -6 },
		{ "cdt", -5 }, { "mst", -7 }, { "mdt", -6 }, { "pst", -8 }, { "pdt", -7 } };

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]) && !r->has_zone; i++) {
		if (strlen(zones[i].name) != n || strncasecmp(r->s, zones[i].name, n) != 0)
			continue;
		r->has_zone = true;
		r->offset = zones[i].hours * 3600;
		r->s += n;
		return true;
	}
	return false;
}

static bool read_word(struct reading *r)
{
	size_t n = 0;
	int month;

	while (is_letter(at(r, n)))
		n++;
	if (n == 1 && (*r->s | 32) == 't' && r->day >= 0 && is_digit(at(r, 1))) {	/* 2016-03-14T10:20 */
		r->s++;
		return true;
	}
	month = place(r->s, n, months, 12);
	if (month < 0 && place(r->s, n, weekdays, 7) < 0)
		return read_zone(r, n);
	if (month >= 0 && !set_once(&r->month, month + 1))
		return false;
	r->s += n;
	return true;
}

/* 2016; 14, 14th, and 14- before a month */
static bool read_number(struct reading *r)
{
	static const char *const ends[] = { "st", "nd", "rd", "th" };
	size_t n = digits(r, 0);

	if (at(r, n) == ':')
		return read_time(r);
	if (read_numbers(r))
		return true;
	if ((n != 4 && n > 2) || !set_once(n == 4 ? &r->year : &r->day, number(r, 0, n)))
		return false;
	r->s += n;
	for (size_t i = 0; i < 4 && n <= 2; i++)
		if (strncasecmp(r->s, ends[i], (size_t)(r->end - r->s) < 2 ? 0 : 2) == 0 && r->end - r->s >= 2) {
			r->s += 2;
			break;
		}
	return true;
}

static bool read_part(struct reading *r)
{
	char c = *r->s;

	if (is_digit(c))
		return read_number(r);
	if (is_letter(c))
		return read_word(r);
	if ((c == '+' || c == '-') && r->has_time)
		return read_offset(r);
	r->s++;
	return c == ' ' || c == ',' || (c == '-' && r->month + r->day > 0);
}

bool date_read(struct slice text, struct date *out)
{
	struct reading r = { .s = text.data, .end = text.data + text.len, .year = -1, .month = -1, .day = -1 };
	struct tm tm = { 0 };

	while (r.s < r.end)
		if (!read_part(&r))
			return false;
	if (r.day < 0)
		r.day = 1;	/* March 2016 */
	if (r.year < 1 || r.month < 1 || r.month > 12 || r.day < 1 || r.day > 31 || r.hour > 24 || r.minute > 59 ||
		r.second > 60 || (r.hour == 24 && r.minute + r.second > 0))
		return false;
	tm.tm_year = r.year - 1900;
	tm.tm_mon = r.month - 1;
	tm.tm_mday = r.day;
	tm.tm_hour = r.hour;
	tm.tm_min = r.minute;
	tm.tm_sec = r.second;
	*out = (struct date){ (int64_t)timegm(&tm) - r.offset, r.nanoseconds, r.offset,
		r.has_zone && r.offset == 0 };
	return true;
}

/* --- printing ------------------------------------------------------------------------------------------- */

struct directive {
	char name;
	bool left, upper, change;	/* - ^ # */
	char pad;			/* '0', ' ', or NUL: as the directive has it */
	int width;			/* -1: none */
	int colons;
};

struct printing {
	struct buf *out;
	const struct date *date;
	struct tm tm;
};

static int print(struct printing *p, struct slice format);

static void pad(struct buf *out, size_t have, int width, char with)
{
	for (size_t i = have; (int)i < width; i++)
		buf_char(out, with);
}

static void put_number(struct printing *p, const struct directive *d, long long n, int width, char with)
{
	char text[32];
	int w = d->left ? 1 : d->width > 0 ? d->width : width, len;

	with = d->pad ? d->pad : with;
	len = snprintf(text, sizeof(text), "%lld", n);
	if (n < 0 && with == '0') {
		buf_char(p->out, '-');
		pad(p->out, (size_t)len, w, '0');
		buf_str(p->out, text + 1);
		return;
	}
	pad(p->out, (size_t)len, w, with);
	buf_str(p->out, text);
}

static void change_case(char *s, size_t n, bool up)
{
	for (size_t i = 0; i < n; i++)
		if (is_letter(s[i]))
			s[i] = (char)(up ? s[i] & ~32 : s[i] | 32);
}

static void put_text(struct printing *p, const struct directive *d, const char *s, bool upper, bool lower)
{
	size_t start;

	if (!d->left)
		pad(p->out, strlen(s), d->width, d->pad ? d->pad : ' ');
	start = p->out->len;
	buf_str(p->out, s);
	if (upper || lower)
		change_case(p->out->data + start, p->out->len - start, upper);
}

/* What other directives make up: %F, %c and so on. */
static void put_whole(struct printing *p, const struct directive *d, const char *format)
{
	struct buf made = BUF_INIT;
	struct printing inner = *p;
	struct directive flags = *d;

	inner.out = &made;
	flags.left = false;
	if (print(&inner, slice_of(format)) == 0)
		put_text(p, &flags, buf_cstr(&made), d->upper, false);
	buf_clear(&made);
}

static void put_name(struct printing *p, const struct directive *d, const char *name, size_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%.*s", (int)n, name);
	put_text(p, d, text, d->upper || d->change, false);
}

/* Digits of a second: as many as asked for, and zeros behind nine. */
static void put_fraction(struct printing *p, const struct directive *d, int count)
{
	char text[16];

	count = d->width > 0 ? d->width : count;
	snprintf(text, sizeof(text), "%09d", p->date->nanoseconds);
	buf_add(p->out, text, (size_t)(count < 9 ? count : 9));
	pad(p->out, 9, count, '0');
}

/* +hhmm, +hh:mm, +hh:mm:ss, or as short as it can be */
static void put_offset(struct printing *p, const struct directive *d)
{
	static const int taken[] = { 3, 4, 7 };
	int offset = abs(p->date->offset), hours = offset / 3600, minutes = offset / 60 % 60, colons = d->colons, width;
	char text[8];

	if (colons == 3)
		colons = minutes ? 1 : -1;
	width = d->width - (colons < 0 ? 1 : taken[colons]);
	width = width < 2 ? 2 : width;
	snprintf(text, sizeof(text), d->pad == ' ' ? "%d" : "%02d", hours);
	if (d->pad == ' ')
		pad(p->out, strlen(text), width, ' ');
	/* RFC 3339: -00:00, which UTC is, and where the clock stands is not known */
	buf_char(p->out, p->date->offset < 0 || (d->left && p->date->utc) ? '-' : '+');
	if (d->pad != ' ')
		pad(p->out, strlen(text), width, '0');
	buf_str(p->out, text);
	if (colons >= 0)
		buf_printf(p->out, colons ? ":%02d" : "%02d", minutes);
	if (colons == 2)
		buf_str(p->out, ":00");
}

/* Weeks of the year, by the C library. */
static int week(const struct printing *p, char name)
{
	char text[16];

	switch (name) {
	case 'U':
		strftime(text, sizeof(text), "%U", &p->tm);
		break;
	case 'W':
		strftime(text, sizeof(text), "%W", &p->tm);
		break;
	case 'V':
		strftime(text, sizeof(text), "%V", &p->tm);
		break;
	default:
		strftime(text, sizeof(text), "%G", &p->tm);
		break;
	}
	return (int)strtol(text, NULL, 10);
}

static int twelve(int hour)
{
	return hour % 12 ? hour % 12 : 12;
}

static bool put_numeric(struct printing *p, const struct directive *d)
{
	const struct tm *tm = &p->tm;
	int year = tm->tm_year + 1900;
	const struct {
		char name;
		long long value;
		int width;
		char pad;
	} rows[] = {
		{ 'C', year / 100, 2, '0' },
		{ 'd', tm->tm_mday, 2, '0' },
		{ 'e', tm->tm_mday, 2, ' ' },
		{ 'H', tm->tm_hour, 2, '0' },
		{ 'k', tm->tm_hour, 2, ' ' },
		{ 'I', twelve(tm->tm_hour), 2, '0' },
		{ 'l', twelve(tm->tm_hour), 2, ' ' },
		{ 'j', tm->tm_yday + 1, 3, '0' },
		{ 'm', tm->tm_mon + 1, 2, '0' },
		{ 'M', tm->tm_min, 2, '0' },
		{ 'S', tm->tm_sec, 2, '0' },
		{ 's', p->date->seconds, 1, '0' },
		{ 'u', tm->tm_wday ? tm->tm_wday : 7, 1, '0' },
		{ 'w', tm->tm_wday, 1, '0' },
		{ 'y', year % 100, 2, '0' },
		{ 'Y', year, 4, '0' },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].name == d->name) {
			put_number(p, d, rows[i].value, rows[i].width, rows[i].pad);
			return true;
		}
	return false;
}

static bool put_made(struct printing *p, const struct directive *d)
{
	static const struct {
		char name;
		const char *format;
	} rows[] = { { 'c', "%a %b %e %H:%M:%S %Y" }, { 'D', "%m/%d/%y" }, { 'x', "%m/%d/%y" },
		{ 'F', "%Y-%m-%d" }, { 'T', "%H:%M:%S" }, { 'X', "%H:%M:%S" }, { 'R', "%H:%M" },
		{ 'r', "%I:%M:%S %p" }, { 'v', "%e-%^b-%4Y" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].name == d->name) {
			put_whole(p, d, rows[i].format);
			return true;
		}
	return false;
}

static bool put_directive(struct printing *p, const struct directive *d)
{
	const struct tm *tm = &p->tm;
	const char *half = tm->tm_hour < 12 ? "AM" : "PM";

	if (d->colons && d->name != 'z')
		return false;
	if (put_numeric(p, d) || put_made(p, d))
		return true;
	switch (d->name) {
	case 'a':
	case 'A':
		put_name(p, d, weekdays[tm->tm_wday], d->name == 'a' ? 3 : 15);
		return true;
	case 'b':
	case 'h':
	case 'B':
		put_name(p, d, months[tm->tm_mon], d->name == 'B' ? 15 : 3);
		return true;
	case 'p':
		put_text(p, d, half, false, d->change);
		return true;
	case 'P':
		put_text(p, d, half, false, !d->upper && !d->change);
		return true;
	case 'L':
		put_fraction(p, d, 3);
		return true;
	case 'N':
		put_fraction(p, d, 9);
		return true;
	case 'U':
	case 'W':
	case 'V':
		put_number(p, d, week(p, d->name), 2, '0');
		return true;
	case 'G':
		put_number(p, d, week(p, 'G'), 4, '0');
		return true;
	case 'g':
		put_number(p, d, week(p, 'G') % 100, 2, '0');
		return true;
	case 'z':
		put_offset(p, d);
		return true;
	case 'Z':
		if (p->date->offset == 0)
			put_text(p, d, "UTC", false, d->change);
		return true;
	case '%':
		put_text(p, d, "%", false, false);
		return true;
	case 'n':
		put_text(p, d, "\n", false, false);
		return true;
	case 't':
		put_text(p, d, "\t", false, false);
		return true;
	default:
		return false;
	}
}

static void set_flag(struct directive *d, char flag)
{
	d->left = d->left || flag == '-';
	d->upper = d->upper || flag == '^';
	d->change = d->change || flag == '#';
	d->pad = flag == '_' ? ' ' : flag == '0' ? '0' : flag == '-' ? '\0' : d->pad;
}

/* Flags, then a width, then colons, from s[*i] on; false at a flag that has no sense there. */
static bool read_flags(struct slice s, size_t *i, struct directive *d)
{
	for (; *i < s.len && memchr("-^#_0", s.data[*i], 5); ++*i)
		set_flag(d, s.data[*i]);
	for (; *i < s.len && is_digit(s.data[*i]) && d->width <= WIDTH_MAX; ++*i)
		d->width = (d->width < 0 ? 0 : d->width * 10) + (s.data[*i] - '0');
	for (; *i < s.len && s.data[*i] == ':' && d->colons < 3; ++*i)
		d->colons++;
	if (d->colons && (*i >= s.len || s.data[*i] != 'z')) {
		--*i;
		return false;
	}
	return *i >= s.len || !memchr("-^#_", s.data[*i], 4);
}

/* %E and %O change nothing, and stand before some directives only. */
static bool read_modifier(struct slice s, size_t *i)
{
	char c = s.data[*i];

	if (c != 'E' && c != 'O')
		return true;
	if (*i + 1 >= s.len || !strchr(c == 'E' ? "cCxXyY" : "deHkIlmMSuUVwWy", s.data[*i + 1]))
		return false;
	++*i;
	return true;
}

static int print(struct printing *p, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		struct directive d = { .width = -1 };
		size_t start = i;

		if (s.data[i] != '%') {
			buf_char(p->out, s.data[i]);
			continue;
		}
		i++;
		if (read_flags(s, &i, &d)) {
			if (i >= s.len || d.width > WIDTH_MAX)
				return -1;
			d.name = s.data[i];
			if (read_modifier(s, &i)) {
				d.name = s.data[i];
				if (put_directive(p, &d))
					continue;
			}
		}
		i = i < s.len ? i : s.len - 1;
		buf_add(p->out, s.data + start, i - start + 1);
	}
	return 0;
}

int date_print(struct buf *out, struct slice format, const struct date *d)
{
	struct printing p = { .out = out, .date = d };
	time_t there = (time_t)(d->seconds + d->offset);

	if (!gmtime_r(&there, &p.tm))
		return -1;
	return print(&p, format);
}
