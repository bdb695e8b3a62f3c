/* test_gate.c: when quiet hours end, over weekdays, hours and changes of summer time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"

#include "../../daemon/decide/decide.h"

struct local {
	int year, month, day, hour, minute;
};

static int64_t at(const char *zone, struct local t)
{
	return zone_instant(zone_find(zone), t.year, t.month, t.day, t.hour, t.minute, 0);
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

		if (gate_quiet_until(&quiet, rows[i].zone, now) != until)
			fail_msg("row %zu", i);
	}
}

static void test_summer_time_moves_the_instant(void **state)
{
	struct quiet quiet = office_hours();

	/* Friday 19:00 to Monday 08:00 is 61 hours; 60 in spring, 62 in autumn */
	assert_true(gate_quiet_until(&quiet, "", at("Europe/Berlin", (struct local){ 2027, 3, 19, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2027, 3, 19, 19, 0 }) + 61 * US_HOUR);
	assert_true(gate_quiet_until(&quiet, "", at("Europe/Berlin", (struct local){ 2027, 3, 26, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2027, 3, 26, 19, 0 }) + 60 * US_HOUR);
	assert_true(gate_quiet_until(&quiet, "", at("Europe/Berlin", (struct local){ 2026, 10, 23, 19, 0 })) ==
		at("Europe/Berlin", (struct local){ 2026, 10, 23, 19, 0 }) + 62 * US_HOUR);
}

static void test_an_hour_that_summer_time_leaves_out(void **state)
{
	struct quiet quiet = { .before = 2 * 60 + 30, .after = 20 * 60, .zone = zone_find("Europe/Berlin"), .set = true };
	int64_t midnight = at("Europe/Berlin", (struct local){ 2027, 3, 28, 0, 0 }), three = at("Europe/Berlin", (struct local){ 2027, 3, 28, 3, 0 });

	assert_true(gate_quiet_until(&quiet, "", midnight) == three);	/* half past two is not on the clock */
	assert_true(gate_quiet_until(&quiet, "", three) == three);
}

static void test_whose_zone(void **state)
{
	struct quiet quiet = office_hours();
	int64_t noon = at("Europe/Berlin", (struct local){ 2026, 11, 23, 12, 0 });	/* six in New York */

	assert_true(gate_quiet_until(&quiet, "", noon) == noon);
	assert_true(gate_quiet_until(&quiet, NULL, noon) == noon);
	assert_true(gate_quiet_until(&quiet, "Mars/Olympus", noon) == noon);
	assert_true(gate_quiet_until(&quiet, "America/New_York", noon) == noon + 2 * US_HOUR);
	quiet.by_prospect = false;
	assert_true(gate_quiet_until(&quiet, "America/New_York", noon) == noon);
}

static void test_no_quiet_hours_and_nothing_but(void **state)
{
	struct quiet none = { .set = false }, always = office_hours(), midnight = office_hours();
	int64_t now = at("Europe/Berlin", (struct local){ 2026, 11, 23, 23, 30 });
	int day;

	assert_true(gate_quiet_until(&none, "", now) == now);
	for (day = 0; day < 7; day++)
		always.day[day] = true;
	assert_true(gate_quiet_until(&always, "", now) == now + US_DAY);
	midnight.before = 0;
	midnight.after = 24 * 60;	/* days only */
	assert_true(gate_quiet_until(&midnight, "", now) == now);
	assert_true(gate_quiet_until(&midnight, "", now + 4 * US_DAY + 30 * US_MINUTE) == at("Europe/Berlin", (struct local){ 2026, 11, 30, 0, 0 }));
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
			int64_t until = gate_quiet_until(&quiet, zones[i], now);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_at_the_next_open_hour), cmocka_unit_test(test_summer_time_moves_the_instant),
		cmocka_unit_test(test_an_hour_that_summer_time_leaves_out), cmocka_unit_test(test_whose_zone),
		cmocka_unit_test(test_no_quiet_hours_and_nothing_but), cmocka_unit_test(test_each_quarter_of_a_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
