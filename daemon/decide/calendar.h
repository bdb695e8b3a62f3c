/*
 * calendar.h: a person's days: their time zone, when mail may go out, which days count as business days. Pure but for `applies`.
 */
#ifndef DECIDE_CALENDAR_H
#define DECIDE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "config/plan.h"

struct person;

struct calendar {
	const struct quiet *quiet;
	const struct zone *zone;
	const struct holiday *holidays;
	size_t holiday_count;
	bool (*applies)(void *ctx, const struct holiday *h);	/* is it one of theirs? Asked for those with `when` */
	void *ctx;
};

/* Of whoever lives there ("": not known), without holidays. */
struct calendar calendar_of(const struct quiet *quiet, const char *timezone);
/* Of a person, as long as it is loaded. */
struct calendar calendar_of_person(struct person *p);

/* The first instant not before `now` at which mail may go out. */
int64_t calendar_open(const struct calendar *c, int64_t now);
/* Why it may not go out at `now`, when it may not: "quiet hours" or "holiday". */
const char *calendar_why(const struct calendar *c, int64_t now);
/* The same time of day, so many business days later. */
int64_t calendar_business_days(const struct calendar *c, int64_t from, int64_t days);
/* The instant that a `wait_until` means: for days and times of day the first not before `now`; `field` is the value of m->field. 0: there is none. */
int64_t calendar_moment(const struct calendar *c, const struct moment *m, struct value field, int64_t now);

#endif
