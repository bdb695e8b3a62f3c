/*
 * zone.c: see zone.h.
 *
 * GTimeZone would also take "+2", POSIX rules and paths, so a name must stand in tzdata's own list before GLib sees it.
 * The list is read once; a zone is loaded when it is first asked for and then kept.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/zone.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define DAY 86400
/* Far outside any date that matters, and inside what int64 microseconds can say. */
#define SECONDS_MAX INT64_C(9000000000000)

struct zone {
	char *name;
	_Atomic(GTimeZone *) tz;
	_Atomic bool broken;	/* listed, but there is no such file */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;
static size_t count;

static int compare(const void *a, const void *b)
{
	const struct zone *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_name(const char *name, size_t len, size_t *cap)
{
	if (!len)
		return;
	zones = xgrow(zones, cap, count + 1, sizeof(*zones));
	memset(&zones[count], 0, sizeof(*zones));
	zones[count++].name = xstrndup(name, len);
}

/* tzdata.zi: "Z name rule..." is a zone, "L target name" a link. zone1970.tab: the name is the third column. */
static void add_line(const char *line, bool compact, size_t *cap)
{
	const char *p = line;
	int column, wanted = 2;

	if (compact && line[0] == 'Z' && line[1] == ' ')
		wanted = 1;
	else if (line[0] == '#' || (compact && (line[0] != 'L' || line[1] != ' ')))
		return;
	for (column = 0; column < wanted; column++) {
		p += strcspn(p, " \t\n");
		p += strspn(p, " \t");
	}
	add_name(p, strcspn(p, " \t\n"), cap);
}

static int read_list(const char *path, bool compact, size_t *cap)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		add_line(line, compact, cap);
	fclose(f);
	return 0;
}

static void read_names(void)
{
	size_t cap = 0, i, kept = 0;

	if (read_list(ZONEINFO "tzdata.zi", true, &cap) < 0 && read_list(ZONEINFO "zone1970.tab", false, &cap) < 0)
		count = 0;
	add_name("UTC", 3, &cap);
	qsort(zones, count, sizeof(*zones), compare);
	for (i = 0; i < count; i++) {
		if (kept && !strcmp(zones[kept - 1].name, zones[i].name))
			free(zones[i].name);
		else
			zones[kept++] = zones[i];
	}
	count = kept;
}

static void load(struct zone *zone)
{
	GTimeZone *tz;

	pthread_mutex_lock(&lock);
	if (!atomic_load(&zone->tz) && !atomic_load(&zone->broken)) {
		tz = !strcmp(zone->name, "UTC") ? g_time_zone_new_utc() : g_time_zone_new_identifier(zone->name);
		if (tz)
			atomic_store(&zone->tz, tz);
		else
			atomic_store(&zone->broken, true);
	}
	pthread_mutex_unlock(&lock);
}

const struct zone *zone_find(const char *name)
{
	struct zone *zone;
	char key[64];
	size_t len = strlen(name);

	pthread_once(&once, read_names);
	if (len >= sizeof(key))
		return NULL;
	memcpy(key, name, len + 1);
	zone = bsearch(&(struct zone){ .name = key }, zones, count, sizeof(*zones), compare);
	if (!zone)
		return NULL;
	if (!atomic_load(&zone->tz))
		load(zone);
	return atomic_load(&zone->tz) ? zone : NULL;
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

/* Seconds east of UTC at an instant. */
static int offset_at(const struct zone *zone, int64_t utc)
{
	GTimeZone *tz = atomic_load_explicit(&zone->tz, memory_order_acquire);

	return g_time_zone_get_offset(tz, g_time_zone_find_interval(tz, G_TIME_TYPE_UNIVERSAL, utc));
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970 to a civil date and back, by Howard Hinnant's algorithms (proleptic Gregorian). */
static void civil_of_days(int64_t days, struct zone_time *out)
{
	int64_t era, day_of_era, year_of_era, day_of_year, month;

	days += 719468;
	era = floor_div(days, 146097);
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;	/* 0 is March */
	out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	out->month = (int)(month < 10 ? month + 3 : month - 9);
	out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
}

static int64_t days_of_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year += floor_div(month - 1, 12);
	month = month - 1 - floor_div(month - 1, 12) * 12 + 1;
	year -= month <= 2;
	era = floor_div(year, 400);
	year_of_era = year - era * 400;
	day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468 + day - 1;
}

void zone_local(const struct zone *zone, int64_t us, struct zone_time *out)
{
	int64_t utc = floor_div(us, US_SECOND), local, days, rest;

	out->offset = offset_at(zone, utc);
	local = utc + out->offset;
	days = floor_div(local, DAY);
	rest = local - days * DAY;
	civil_of_days(days, out);
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
	out->weekday = (int)(days + 3 - floor_div(days + 3, 7) * 7);	/* 1970-01-01 was a Thursday */
}

/* The first second of (low, high] at which the offset is no longer what it is at low. */
static int64_t change_between(const struct zone *zone, int64_t low, int64_t high)
{
	int before = offset_at(zone, low);

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

int64_t zone_instant(const struct zone *zone, int year, int month, int day, int hour, int minute, int second)
{
	int64_t local = days_of_civil(year, month, day) * DAY + hour * INT64_C(3600) + minute * INT64_C(60) + second;
	int64_t early, late;
	int before, after;

	if (local > SECONDS_MAX)
		local = SECONDS_MAX;
	if (local < -SECONDS_MAX)
		local = -SECONDS_MAX;
	/* no offset is a whole day, so these two stand on either side of a change that touches this local time */
	before = offset_at(zone, local - DAY);
	after = offset_at(zone, local + DAY);
	early = local - (before > after ? before : after);
	late = local - (before > after ? after : before);
	if (offset_at(zone, early) == local - early)
		return early * US_SECOND;
	if (offset_at(zone, late) == local - late)
		return late * US_SECOND;
	return change_between(zone, early, late) * US_SECOND;
}
