/*
 * calendar.c: see calendar.h.
 *
 * Days are counted in the calendar of the person's zone, never as 24 hours, so that nine o'clock stays nine o'clock over a change to
 * summer time.
 */
#include "base/clock.h"
#include "base/zone.h"

#include "calendar.h"
#include "person.h"

/* A year of quiet days and holidays in a row is a mistake: then it is asked again tomorrow. */
#define DAYS_MOST 400

struct calendar calendar_of(const struct quiet *quiet, const char *timezone)
{
	const struct zone *zone = quiet->by_prospect && timezone && *timezone ? zone_find(timezone) : NULL;

	return (struct calendar){ .quiet = quiet, .zone = zone ? zone : quiet->zone };
}

static bool applies_to_person(void *ctx, const struct holiday *h)
{
	struct person *p = ctx;
	struct expression_env env = person_env(p);

	return expression_holds(h->when, &env, NULL);
}

struct calendar calendar_of_person(struct person *p)
{
	struct calendar c = calendar_of(&p->plan->quiet, p->row.timezone);

	c.holidays = p->plan->holidays;
	c.holiday_count = p->plan->holiday_count;
	c.applies = applies_to_person;
	c.ctx = p;
	return c;
}

static bool is_holiday(const struct calendar *c, const struct zone_time *t)
{
	size_t i;

	for (i = 0; i < c->holiday_count; i++) {
		const struct holiday *h = &c->holidays[i];

		if (h->month != t->month || h->day != t->day || (h->year && h->year != t->year))
			continue;
		if (!h->when || (c->applies && c->applies(c->ctx, h)))
			return true;
	}
	return false;
}

static bool is_quiet_day(const struct calendar *c, const struct zone_time *t)
{
	return (c->quiet->set && c->quiet->day[t->weekday]) || is_holiday(c, t);
}

/* Where nobody said which days are quiet, the week has five days of business. */
static bool is_business_day(const struct calendar *c, const struct zone_time *t)
{
	bool said = false;
	int i;

	for (i = 0; i < 7; i++)
		said = said || (c->quiet->set && c->quiet->day[i]);
	return !is_quiet_day(c, t) && (said || t->weekday < 5);
}

static int64_t day_at(const struct zone *zone, const struct zone_time *t, int days, int minute, int second)
{
	return zone_instant(zone, t->year, t->month, t->day + days, minute / 60, minute % 60, second);
}

int64_t calendar_open(const struct calendar *c, int64_t now)
{
	struct zone_time t, then;
	int days;

	if (!c->quiet->set && !c->holiday_count)
		return now;
	zone_local(c->zone, now, &t);
	for (days = 0; days <= DAYS_MOST; days++) {
		int64_t opens = day_at(c->zone, &t, days, c->quiet->set ? c->quiet->before : 0, 0);
		int64_t closes = day_at(c->zone, &t, days, c->quiet->set ? c->quiet->after : 24 * 60, 0);

		if (closes <= now || closes <= opens)
			continue;
		zone_local(c->zone, opens > now ? opens : now, &then);
		if (is_quiet_day(c, &then))
			continue;
		return opens > now ? opens : now;
	}
	return now + US_DAY;
}

const char *calendar_why(const struct calendar *c, int64_t now)
{
	struct zone_time t;

	zone_local(c->zone, now, &t);
	return is_holiday(c, &t) ? "holiday" : "quiet hours";
}

int64_t calendar_business_days(const struct calendar *c, int64_t from, int64_t days)
{
	struct zone_time t, then;
	int64_t at = from, passed = 0;
	int ahead;

	zone_local(c->zone, from, &t);
	for (ahead = 1; passed < days && ahead <= DAYS_MOST + 2 * days; ahead++) {
		at = day_at(c->zone, &t, ahead, t.hour * 60 + t.minute, t.second);
		zone_local(c->zone, at, &then);
		passed += is_business_day(c, &then);
	}
	return at;
}

/* The first day from today on that fits, at that time of day; without one, at its beginning, or now if that is today. */
static int64_t next_fitting(const struct calendar *c, const struct moment *m, int64_t now)
{
	bool any = true;
	struct zone_time t, then;
	int i, days;

	for (i = 0; i < 7; i++)
		any = any && !m->weekday[i];
	zone_local(c->zone, now, &t);
	for (days = 0; days <= DAYS_MOST; days++) {
		int64_t at = day_at(c->zone, &t, days, m->minute < 0 ? 0 : m->minute, 0);

		if (m->minute < 0 && days == 0)
			at = now;
		zone_local(c->zone, at, &then);
		if (at >= now && (any || m->weekday[then.weekday]) && (!m->business || is_business_day(c, &then)))
			return at;
	}
	return now;
}

int64_t calendar_moment(const struct calendar *c, const struct moment *m, struct value field, int64_t now)
{
	struct zone_time t;

	if (m->field >= 0 && field.type != VALUE_TIME)
		return 0;
	if (m->field >= 0 && m->minute < 0)
		return field.integer + m->shift;
	if (m->field >= 0) {	/* that time of the field's day */
		zone_local(c->zone, field.integer + m->shift, &t);
		return day_at(c->zone, &t, 0, m->minute, 0);
	}
	if (m->year)
		return zone_instant(c->zone, m->year, m->month, m->day, m->minute < 0 ? 0 : m->minute / 60, m->minute < 0 ? 0 : m->minute % 60, 0);
	return next_fitting(c, m, now);
}
