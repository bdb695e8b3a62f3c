/*
 * zone.h: time zones by their tzdata names (GLib's GTimeZone; the only file that includes GLib). Any thread.
 *
 * Names are checked against tzdata's list before GLib sees them: they come from web forms. A local time in a gap means
 * the first valid instant after it, one that occurs twice the first of the two.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct zone;

struct zone_time {
	int year, month, day;		/* 1..12, 1..31 */
	int hour, minute, second;
	int weekday;			/* 0 Monday .. 6 Sunday */
	int offset;			/* seconds east of UTC */
};

/* A zone by its name ("Europe/Berlin", "UTC"), from a cache that lives as long as the process; NULL: none such. */
const struct zone *zone_find(const char *name);
const char *zone_name(const struct zone *zone);
void zone_local(const struct zone *zone, int64_t us, struct zone_time *out);
/* Fields out of range are carried (day 32 is next month's first), so days can be added. */
int64_t zone_instant(const struct zone *zone, int year, int month, int day, int hour, int minute, int second);

#endif
