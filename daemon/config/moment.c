/*
 * moment.c: the words behind `wait_until`.
 *
 * They are few, so they are cut at blanks and commas and looked at from the left: weekdays, "business day", a date, or a
 * field; then a time of day, which only a date and a field can do without.
 */
#include <ctype.h>
#include <string.h>

#include "moment.h"
#include "scalar.h"

#define WORDS_MAX 9	/* seven days, a time, and one too many */

static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static const char *const whole_days[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

struct words {
	char *word[WORDS_MAX + 1];	/* ends with NULL */
	size_t count;
};

static int cut(struct arena *arena, const char *text, struct words *w, struct err *err)
{
	char *copy = arena_strdup(arena, text), *rest = copy, *word;

	*w = (struct words){ 0 };
	while ((word = strtok_r(rest, ", \t\n", &rest))) {
		if (w->count == WORDS_MAX)
			return err_set(err, "`%.60s` has too many words; write it like tue 09:00", text);
		w->word[w->count++] = word;
	}
	if (!w->count)
		return err_set(err, "it is empty; write a time of day, a date, or a field that holds a time");
	return 0;
}

static int day_of(const char *word)
{
	for (int i = 0; i < 7; i++) {
		if (!strcmp(word, days[i]))
			return i;
	}
	return -1;
}

/* The words in front of the time of day. How many they are, or -1. */
static int take_day(struct arena *arena, const struct words *w, struct moment *m, const char **field, struct err *err)
{
	int n = 0, day;

	while (w->word[n] && (day = day_of(w->word[n])) >= 0) {
		if (m->weekday[day])
			return err_set(err, "`%s` is here twice", w->word[n]);
		m->weekday[day] = true;
		n++;
	}
	if (n)
		return n;
	if (!strcmp(w->word[0], "business")) {
		m->business = true;
		if (w->word[1] && !strcmp(w->word[1], "day"))
			return 2;
		return err_set(err, "after `business` comes `day`: business day 09:00");
	}
	if (isdigit((unsigned char)w->word[0][0]) && strchr(w->word[0], '-'))
		return scalar_date(w->word[0], false, &m->year, &m->month, &m->day, err) ? -1 : 1;
	if (isdigit((unsigned char)w->word[0][0]))
		return 0;
	for (day = 0; day < 7; day++) {
		if (!strcmp(w->word[0], whole_days[day]))
			return err_set(err, "`%s` is written `%s`", whole_days[day], days[day]);
	}
	if (scalar_name(w->word[0], err))
		return -1;
	*field = arena_strdup(arena, w->word[0]);
	return 1;
}

static int take_minute(const char *word, struct moment *m, struct err *err)
{
	int minute;

	if (scalar_minute(word, &minute, err))
		return -1;
	if (minute == 24 * 60)
		return err_set(err, "`24:00` is the next day's `00:00`; write that");
	m->minute = minute;
	return 0;
}

int moment_parse(struct arena *arena, const char *text, struct moment *out, const char **field_out, struct err *err)
{
	struct moment m = { .field = -1, .minute = -1 };
	const char *field = NULL;
	struct words w;
	int n;

	if (cut(arena, text, &w, err))
		return -1;
	n = take_day(arena, &w, &m, &field, err);
	if (n < 0)
		return -1;
	if (w.word[n] && take_minute(w.word[n], &m, err))
		return -1;
	if (w.word[n] && w.word[n + 1])
		return err_set(err, "`%s` stands behind the time of day; a day comes first: tue 09:00", w.word[n + 1]);
	if (m.minute < 0 && !field && !m.year)
		return err_set(err, "the time of day is missing; write it like %s 09:00", m.business ? "business day" : w.word[0]);
	if (m.minute < 0 && m.year)
		m.minute = 0;
	*out = m;
	*field_out = field;
	return 0;
}
