/*
 * filters.c: filters by name and number, and those that are neither of text, numbers nor lists: default,
 * json, date, size.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

#include "program.h"

static const struct filter *const tables[] = { filters_text, filters_number, filters_list, filters_other };

#define TABLES ((int)(sizeof(tables) / sizeof(tables[0])))
#define TABLE_SIZE 64	/* a filter's number is table * this + place */

int filter_find(struct slice name)
{
	for (int t = 0; t < TABLES; t++)
		for (int i = 0; tables[t][i].name; i++)
			if (slice_is(name, tables[t][i].name))
				return t * TABLE_SIZE + i;
	return -1;
}

const struct filter *filter_at(int index)
{
	return &tables[index / TABLE_SIZE][index % TABLE_SIZE];
}

const char *filter_nearest(const char *name)
{
	const char *names[TABLES * TABLE_SIZE + 1];
	int n = 0;

	for (int t = 0; t < TABLES; t++)
		for (int i = 0; tables[t][i].name; i++)
			names[n++] = tables[t][i].name;
	names[n] = NULL;
	return text_nearest(name, names);
}

/* --- default, json, size -------------------------------------------------------------------------------- */

static struct value do_default(struct filter_call *c)
{
	struct value allow = value_get(c->keywords, slice_of("allow_false"));
	bool missing;

	switch (c->in.type) {
	case VALUE_NIL:
		missing = true;
		break;
	case VALUE_BOOL:
		missing = !c->in.boolean && !liquid_truth(allow);
		break;
	case VALUE_TEXT:
		missing = c->in.text.len == 0;
		break;
	case VALUE_LIST:
		missing = c->in.list->count == 0;
		break;
	case VALUE_OBJECT:
		missing = c->in.object->count == 0;
		break;
	case VALUE_SPECIAL:
		missing = true;
		break;
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_RANGE:
		missing = false;
		break;
	default:
		missing = false;
	}
	if (!missing)
		return c->in;
	return c->count ? c->args[0] : value_slice((struct slice){ "", 0 });
}

static struct value do_json(struct filter_call *c)
{
	buf_reset(&c->r->scratch);
	value_to_json(&c->r->scratch, c->in);
	return render_scratch(c->r);
}

static struct value do_size(struct filter_call *c)
{
	if (c->in.type != VALUE_TEXT && c->in.type != VALUE_LIST && c->in.type != VALUE_OBJECT &&
		c->in.type != VALUE_RANGE)
		return value_int(0);
	if (c->in.type == VALUE_OBJECT)
		return value_int((int64_t)c->in.object->count);
	return liquid_part(c->r, c->in, value_text("size"), true);
}

/* --- date ----------------------------------------------------------------------------------------------- */

static int month_of(const char *word)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++)
		if (strncasecmp(word, months + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

static bool valid_date(int year, int month, int day)
{
	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* "10:20", "10:20:30", with "Z", "UTC" or "+02:00" behind it. */
static void parse_time_of_day(const char *s, struct tm *tm, int *offset)
{
	int h = 0, m = 0, sec = 0, n = 0, oh = 0, om = 0;

	if (sscanf(s, " %2d:%2d%n:%2d%n", &h, &m, &n, &sec, &n) < 2)
		return;
	tm->tm_hour = h;
	tm->tm_min = m;
	tm->tm_sec = sec;
	s += n;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	while (*s == ' ')
		s++;
	if ((*s == '+' || *s == '-') &&
		(sscanf(s + 1, "%2d:%2d", &oh, &om) >= 2 || sscanf(s + 1, "%2d%2d", &oh, &om) >= 1))
		*offset = (*s == '-' ? -1 : 1) * (oh * 3600 + om * 60);
}

/*
 * Dates as people and programs write them: 2016-03-14, March 14, 2016, 14 March 2016, Mon, 14 Mar 2016
 * 10:20:30 +0100.
 */
static bool parse_date(const char *s, int64_t *seconds_out)
{
	struct tm tm = { 0 };
	char word[16];
	int year, month = 0, day, n = 0, offset = 0;

	if (sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &n) == 3 && valid_date(year, month, day)) {
		n += s[n] == 'T';
	} else if (sscanf(s, "%4d/%2d/%2d%n", &year, &month, &day, &n) == 3 && valid_date(year, month, day)) {
		n += 0;
	} else if (sscanf(s, " %15[A-Za-z]%*[., ]%2d%*[a-z, ]%4d%n", word, &day, &year, &n) == 3 && n) {
		month = month_of(word);
	} else {
		const char *comma = strchr(s, ',');

		if (comma && comma - s <= 9 && comma[1] == ' ' && s[0] >= 'A')
			return parse_date(comma + 2, seconds_out);
		n = 0;
		if (sscanf(s, " %2d%*[-. ]%15[A-Za-z]%*[-., ]%4d%n", &day, word, &year, &n) != 3 || !n)
			return false;
		month = month_of(word);
	}
	if (!valid_date(year, month, day))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	parse_time_of_day(s + n, &tm, &offset);
	*seconds_out = (int64_t)timegm(&tm) - offset;
	return true;
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	return s.len > 0;
}

static bool date_of(struct filter_call *c, int64_t *us_out)
{
	char copy[80];
	int64_t seconds;

	if (c->in.type == VALUE_TIME) {
		*us_out = c->in.integer;
		return true;
	}
	if (c->in.type == VALUE_INT || (c->in.type == VALUE_TEXT && all_digits(c->in.text))) {
		seconds = liquid_integer(c->in);
	} else if (c->in.type == VALUE_TEXT && c->in.text.len < sizeof(copy) && c->in.text.len) {
		memcpy(copy, c->in.text.data, c->in.text.len);
		copy[c->in.text.len] = '\0';
		if (strcasecmp(copy, "now") == 0 || strcasecmp(copy, "today") == 0)
			seconds = c->r->env->now / US_SECOND;
		else if (!parse_date(copy, &seconds))
			return false;
	} else {
		return false;
	}
	return !__builtin_mul_overflow(seconds, US_SECOND, us_out);
}

/* strftime(3) knows Ruby's directives but these: %s by the zone, %L %N fractions, %Z as UTC, %v. */
static void print_directive(struct buf *out, const char *directive, size_t n, const struct tm *tm, int64_t us)
{
	int64_t seconds = us / US_SECOND - (us % US_SECOND < 0), fraction = us - seconds * US_SECOND;
	char format[16], text[128];
	size_t len;

	switch (directive[n - 1]) {
	case 's':
		buf_printf(out, "%lld", (long long)seconds);
		return;
	case 'L':
		buf_printf(out, "%03d", (int)(fraction / 1000));
		return;
	case 'N':
		buf_printf(out, "%09d", (int)fraction * 1000);
		return;
	case 'Z':
		buf_str(out, "UTC");
		return;
	default:
		break;
	}
	if (n + 1 > sizeof(format))
		return;
	memcpy(format, directive, n);
	format[n] = '\0';
	/* the format is one directive, cut out above: no literal is possible */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	len = strftime(text, sizeof(text), format, tm);
#pragma GCC diagnostic pop
	buf_add(out, text, len);
}

static void print_date(struct buf *out, struct slice format, int64_t us)
{
	time_t seconds = (time_t)(us / US_SECOND - (us % US_SECOND < 0));
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	for (size_t i = 0; i < format.len; i++) {
		size_t n = 1;

		if (format.data[i] != '%') {
			buf_char(out, format.data[i]);
			continue;
		}
		while (i + n < format.len && strchr("-_0^#:", format.data[i + n]))
			n++;
		while (i + n < format.len && format.data[i + n] >= '0' && format.data[i + n] <= '9' && n < 6)
			n++;
		if (i + n >= format.len) {
			buf_add(out, format.data + i, format.len - i);
			return;
		}
		print_directive(out, format.data + i, n + 1, &tm, us);
		i += n;
	}
}

static struct value do_date(struct filter_call *c)
{
	struct slice format = liquid_text(c->r, c->args[0]);
	int64_t us;

	if (c->in.type == VALUE_NIL || format.len == 0 || !date_of(c, &us))
		return c->in;
	buf_reset(&c->r->scratch);
	print_date(&c->r->scratch, format, us);
	return render_scratch(c->r);
}

const struct filter filters_other[] = {
	{ "default", 0, 1, do_default },
	{ "json", 0, 0, do_json },
	{ "size", 0, 0, do_size },
	{ "date", 1, 1, do_date },
	{ NULL, 0, 0, NULL },
};
