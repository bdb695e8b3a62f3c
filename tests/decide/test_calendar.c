/* test_calendar.c: when quiet hours end, over weekdays, hours and changes of summer time; business days, holidays, and what `wait_until` means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"

#include "../../daemon/decide/calendar.h"

struct local {
	int year, month, day, hour, minute;
};

static int64_t at(const char *zone, struct local t)
{
	return zone_instant(zone_find(zone), t.year, t.month, t.day, t.hour, t.minute, 0);
}

static int64_t open_from(const struct quiet *quiet, const char *zone, int64_t now)
{
	struct calendar c = calendar_of(quiet, zone);

	return calendar_open(&c, now);
}

/* Eight to seven, not at weekends; the site is in Berlin. */
static struct quiet office_hours(void)
{
	return (struct quiet){ .day = { [5] = true, [6] = true }, .before = 8 * 60, .after = 19 * 60, .by_prospect = true,
		.zone = zone_find("Europe/Berlin"), .set = true };
}

static void test_ends_at_the_next_open_hour(void **state)
{
	static const struct {
		const char *zone;
		struct local now, until;
	} rows[] = {
		/* Monday 2026-11-23 */
		{ "Europe/Berlin", { 2026, 11, 23, 0, 0 }, { 2026, 11, 23, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 23, 7, 59 }, { 2026, 11, 23, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 23, 8, 0 }, { 2026, 11, 23, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 23, 12, 34 }, { 2026, 11, 23, 12, 34 } },
		{ "Europe/Berlin", { 2026, 11, 23, 18, 59 }, { 2026, 11, 23, 18, 59 } },
		{ "Europe/Berlin", { 2026, 11, 23, 19, 0 }, { 2026, 11, 24, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 26, 23, 59 }, { 2026, 11, 27, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 27, 19, 0 }, { 2026, 11, 30, 8, 0 } },	/* Friday evening: Monday */
		{ "Europe/Berlin", { 2026, 11, 28, 12, 0 }, { 2026, 11, 30, 8, 0 } },
		{ "Europe/Berlin", { 2026, 11, 29, 23, 0 }, { 2026, 11, 30, 8, 0 } },
		{ "Europe/Berlin", { 2026, 12, 31, 20, 0 }, { 2027, 1, 1, 8, 0 } },
		/* the other side of the world has its own weekday */
		{ "America/New_York", { 2026, 11, 27, 18, 0 }, { 2026, 11, 27, 18, 0 } },	/* Saturday in Berlin */
		{ "America/New_York", { 2026, 11, 29, 20, 0 }, { 2026, 11, 30, 8, 0 } },	/* Monday, two, in Berlin */
		{ "Pacific/Auckland", { 2026, 11, 30, 8, 0 }, { 2026, 11, 30, 8, 0 } },	/* Sunday in Berlin */
		/* spring: the night is an hour shorter */
		{ "Europe/Berlin", { 2027, 3, 26, 19, 0 }, { 2027, 3, 29, 8, 0 } },
		{ "Europe/Berlin", { 2027, 3, 28, 1, 30 }, { 2027, 3, 29, 8, 0 } },
		{ "America/New_York", { 2027, 3, 12, 19, 0 }, { 2027, 3, 15, 8, 0 } },
		{ "America/New_York", { 2027, 3, 14, 3, 30 }, { 2027, 3, 15, 8, 0 } },
		/* autumn: an hour longer */
		{ "Europe/Berlin", { 2026, 10, 23, 19, 0 }, { 2026, 10, 26, 8, 0 } },
		{ "Europe/Berlin", { 2026, 10, 25, 2, 30 }, { 2026, 10, 26, 8, 0 } },
		{ "America/New_York", { 2026, 10, 30, 19, 0 }, { 2026, 11, 2, 8, 0 } },
		{ "America/New_York", { 2026, 11, 1, 1, 30 }, { 2026, 11, 2, 8, 0 } },
	};
	struct quiet quiet = office_hours();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t now = at(rows[i].zone, rows[i].now), until = at(rows[i].zone, rows[i].until);

		if (open_from(&quiet, rows[i].zone, now) != until)
			fail_msg("row %zu", i);
	}
}

static void test_summer_time_moves_the_instant(void **state)
{
	struct quiet quiet = office_hours();

	/* Friday 19:00 to Monday 08:00 is 61 hours; 60 in spring, 62 in autumn */
	assert_true(open_from(&quiet, "", at("Europe/Berlin", (struct local){ 2027, 3, 19, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2027, 3, 19, 19, 0 }) + 61 * US_HOUR);
	assert_true(open_from(&quiet, "", at("Europe/Berlin", (struct local){ 2027, 3, 26, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2027, 3, 26, 19, 0 }) + 60 * US_HOUR);
	assert_true(open_from(&quiet, "", at("Europe/Berlin", (struct local){ 2026, 10, 23, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2026, 10, 23, 19, 0 }) + 62 * US_HOUR);
}

static void test_an_hour_that_summer_time_leaves_out(void **state)
{
	struct quiet quiet = { .before = 2 * 60 + 30, .after = 20 * 60, .zone = zone_find("Europe/Berlin"), .set = true };
	int64_t midnight = at("Europe/Berlin", (struct local){ 2027, 3, 28, 0, 0 }), three = at("Europe/Berlin", (struct local){ 2027, 3, 28, 3, 0 });

	assert_true(open_from(&quiet, "", midnight) == three);	/* half past two is not on the clock */
	assert_true(open_from(&quiet, "", three) == three);
}

static void test_whose_zone(void **state)
{
	struct quiet quiet = office_hours();
	int64_t noon = at("Europe/Berlin", (struct local){ 2026, 11, 23, 12, 0 });	/* six in New York */

	assert_true(open_from(&quiet, "", noon) == noon);
	assert_true(open_from(&quiet, NULL, noon) == noon);
	assert_true(open_from(&quiet, "Mars/Olympus", noon) == noon);
	assert_true(open_from(&quiet, "America/New_York", noon) == noon + 2 * US_HOUR);
	quiet.by_prospect = false;
	assert_true(open_from(&quiet, "America/New_York", noon) == noon);
}

static void test_no_quiet_hours_and_nothing_but(void **state)
{
	struct quiet none = { .set = false }, always = office_hours(), midnight = office_hours();
	int64_t now = at("Europe/Berlin", (struct local){ 2026, 11, 23, 23, 30 });
	int day;

	assert_true(open_from(&none, "", now) == now);
	for (day = 0; day < 7; day++)
		always.day[day] = true;
	assert_true(open_from(&always, "", now) == now + US_DAY);
	midnight.before = 0;
	midnight.after = 24 * 60;	/* days only */
	assert_true(open_from(&midnight, "", now) == now);
	assert_true(open_from(&midnight, "", now + 4 * US_DAY + 30 * US_MINUTE) == at("Europe/Berlin", (struct local){ 2026, 11, 30, 0, 0 }));
}

/* At every quarter of an hour of a year: what comes out is not before now, open itself, and nothing between was open. */
static void test_each_quarter_of_a_year(void **state)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe" };
	struct quiet quiet = office_hours();
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		const struct zone *zone = zone_find(zones[i]);
		int64_t now = zone_instant(zone, 2026, 1, 1, 0, 0, 0), end = zone_instant(zone, 2027, 1, 1, 0, 0, 0);

		for (; now < end; now += 15 * US_MINUTE) {
			struct zone_time t;
			int64_t until = open_from(&quiet, zones[i], now);
			bool open;

			zone_local(zone, now, &t);
			open = t.weekday < 5 && t.hour >= 8 && t.hour < 19;
			assert_true(open ? until == now : until > now);
			zone_local(zone, until, &t);
			assert_true(t.weekday < 5 && t.hour >= 8 && t.hour < 19);
			assert_true(open || (t.hour == 8 && t.minute == 0));
		}
	}
}

/* --- holidays, business days, moments ------------------------------------------------------------------------------- */

static bool german(void *ctx, const struct holiday *h)
{
	return *(bool *)ctx;
}

/* The form of `when` is nobody's business here: that there is one is. */
static const struct holiday holidays[] = {
	{ .month = 12, .day = 25 }, { .month = 12, .day = 26 }, { .month = 1, .day = 1 },
	{ .year = 2026, .month = 4, .day = 3 },
	{ .month = 10, .day = 3, .when = (struct expression *)(uintptr_t)holidays },
};

static struct calendar berlin(const struct quiet *quiet, bool *is_german)
{
	struct calendar c = calendar_of(quiet, "Europe/Berlin");

	c.holidays = holidays;
	c.holiday_count = sizeof(holidays) / sizeof(*holidays);
	c.applies = german;
	c.ctx = is_german;
	return c;
}

static void test_holidays_are_closed(void **state)
{
	static const struct {
		struct local now, until;
		bool german;
		const char *why;
	} rows[] = {
		{ { 2026, 12, 24, 12, 0 }, { 2026, 12, 24, 12, 0 }, true, NULL },
		{ { 2026, 12, 24, 20, 0 }, { 2026, 12, 28, 8, 0 }, true, "quiet hours" },	/* 25 Friday, 26 Saturday */
		{ { 2026, 12, 25, 9, 0 }, { 2026, 12, 28, 8, 0 }, true, "holiday" },
		{ { 2026, 12, 31, 20, 0 }, { 2027, 1, 4, 8, 0 }, true, "quiet hours" },		/* 1 January is a Friday */
		{ { 2026, 4, 3, 9, 0 }, { 2026, 4, 6, 8, 0 }, true, "holiday" },		/* once */
		{ { 2028, 4, 3, 9, 0 }, { 2028, 4, 3, 9, 0 }, true, NULL },
		{ { 2028, 10, 3, 9, 0 }, { 2028, 10, 4, 8, 0 }, true, "holiday" },		/* a Tuesday */
		{ { 2028, 10, 3, 9, 0 }, { 2028, 10, 3, 9, 0 }, false, NULL },			/* not theirs */
	};
	struct quiet quiet = office_hours();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool is_german = rows[i].german;
		struct calendar c = berlin(&quiet, &is_german);
		int64_t now = at("Europe/Berlin", rows[i].now);

		if (calendar_open(&c, now) != at("Europe/Berlin", rows[i].until))
			fail_msg("row %zu", i);
		if (rows[i].why)
			assert_string_equal(calendar_why(&c, now), rows[i].why);
	}
}

static void test_holidays_without_quiet_hours(void **state)
{
	struct quiet none = { .zone = zone_find("Europe/Berlin"), .after = 24 * 60 };
	bool is_german = true;
	struct calendar c = berlin(&none, &is_german);

	assert_true(calendar_open(&c, at("Europe/Berlin", (struct local){ 2026, 12, 25, 9, 0 })) ==
		at("Europe/Berlin", (struct local){ 2026, 12, 27, 0, 0 }));
	/* Saturday is open, and no business day */
	assert_true(calendar_open(&c, at("Europe/Berlin", (struct local){ 2026, 11, 28, 9, 0 })) ==
		at("Europe/Berlin", (struct local){ 2026, 11, 28, 9, 0 }));
	assert_true(calendar_business_days(&c, at("Europe/Berlin", (struct local){ 2026, 11, 27, 9, 0 }), 1) ==
		at("Europe/Berlin", (struct local){ 2026, 11, 30, 9, 0 }));
}

static void test_business_days(void **state)
{
	static const struct {
		struct local from;
		int64_t days;
		struct local to;
	} rows[] = {
		{ { 2026, 11, 23, 10, 30 }, 1, { 2026, 11, 24, 10, 30 } },
		{ { 2026, 11, 23, 10, 30 }, 5, { 2026, 11, 30, 10, 30 } },
		{ { 2026, 11, 27, 22, 15 }, 1, { 2026, 11, 30, 22, 15 } },
		{ { 2026, 11, 28, 9, 0 }, 1, { 2026, 11, 30, 9, 0 } },		/* from a Saturday */
		{ { 2026, 12, 23, 9, 0 }, 2, { 2026, 12, 28, 9, 0 } },		/* over Christmas */
		{ { 2027, 3, 26, 9, 0 }, 1, { 2027, 3, 29, 9, 0 } },		/* over the change to summer time */
		{ { 2026, 1, 1, 9, 0 }, 250, { 2026, 12, 18, 9, 0 } },
	};
	struct quiet quiet = office_hours();
	bool is_german = false;
	struct calendar c = berlin(&quiet, &is_german);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (calendar_business_days(&c, at("Europe/Berlin", rows[i].from), rows[i].days) != at("Europe/Berlin", rows[i].to))
			fail_msg("row %zu", i);
}

static void test_moments(void **state)
{
	static const struct {
		struct moment m;
		struct local now, then;
	} rows[] = {
		/* a time of day: today if it is still to come or is now */
		{ { .field = -1, .minute = 9 * 60 }, { 2026, 11, 23, 8, 0 }, { 2026, 11, 23, 9, 0 } },
		{ { .field = -1, .minute = 9 * 60 }, { 2026, 11, 23, 9, 0 }, { 2026, 11, 23, 9, 0 } },
		{ { .field = -1, .minute = 9 * 60 }, { 2026, 11, 23, 9, 1 }, { 2026, 11, 24, 9, 0 } },
		/* a weekday */
		{ { .field = -1, .minute = 10 * 60, .weekday = { [1] = true } }, { 2026, 11, 23, 9, 0 }, { 2026, 11, 24, 10, 0 } },
		{ { .field = -1, .minute = 10 * 60, .weekday = { [1] = true } }, { 2026, 11, 24, 11, 0 }, { 2026, 12, 1, 10, 0 } },
		{ { .field = -1, .minute = -1, .weekday = { [1] = true, [3] = true } }, { 2026, 11, 24, 11, 0 }, { 2026, 11, 24, 11, 0 } },
		{ { .field = -1, .minute = -1, .weekday = { [1] = true, [3] = true } }, { 2026, 11, 25, 11, 0 }, { 2026, 11, 26, 0, 0 } },
		/* a business day */
		{ { .field = -1, .minute = 9 * 60, .business = true }, { 2026, 12, 24, 10, 0 }, { 2026, 12, 28, 9, 0 } },
		/* a date */
		{ { .field = -1, .minute = -1, .year = 2026, .month = 12, .day = 1 }, { 2026, 11, 23, 9, 0 }, { 2026, 12, 1, 0, 0 } },
		{ { .field = -1, .minute = 570, .year = 2026, .month = 11, .day = 1 }, { 2026, 11, 23, 9, 0 }, { 2026, 11, 1, 9, 30 } },	/* past */
	};
	struct quiet quiet = office_hours();
	bool is_german = false;
	struct calendar c = berlin(&quiet, &is_german);
	struct moment before = { .field = 3, .shift = -US_DAY, .minute = -1 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (calendar_moment(&c, &rows[i].m, value_nil, at("Europe/Berlin", rows[i].now)) != at("Europe/Berlin", rows[i].then))
			fail_msg("row %zu", i);
	assert_true(calendar_moment(&c, &before, value_time(100 * US_DAY), 0) == 99 * US_DAY);
	assert_true(calendar_moment(&c, &before, value_nil, 0) == 0);
	/* nine o'clock of the day before, in their zone: of a webinar at half past midnight, too */
	before.minute = 9 * 60;
	assert_true(calendar_moment(&c, &before, value_time(at("Europe/Berlin", (struct local){ 2026, 11, 26, 0, 30 })), 0) ==
		at("Europe/Berlin", (struct local){ 2026, 11, 25, 9, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_at_the_next_open_hour), cmocka_unit_test(test_summer_time_moves_the_instant),
		cmocka_unit_test(test_an_hour_that_summer_time_leaves_out), cmocka_unit_test(test_whose_zone),
		cmocka_unit_test(test_no_quiet_hours_and_nothing_but), cmocka_unit_test(test_each_quarter_of_a_year),
		cmocka_unit_test(test_holidays_are_closed), cmocka_unit_test(test_holidays_without_quiet_hours),
		cmocka_unit_test(test_business_days), cmocka_unit_test(test_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
