/*
 * test_zone.c: which names are zones, and local times around every kind of change.
 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "base/zone.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int64_t at(const char *rfc3339)
{
	int64_t us = 0;

	assert_int_equal(text_time_parse(rfc3339, &us), 0);
	return us;
}

static void test_names(void **state)
{
	static const char *const good[] = {
		"UTC", "Europe/Berlin", "America/New_York", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Asia/Calcutta",
		"Etc/GMT+5", "GMT", "Pacific/Apia", "Australia/Lord_Howe",
	};
	static const char *const bad[] = {
		"", " ", "Nope/Zone", "europe/berlin", "+2", "UTC+2", "EST5EDT4,M3.2.0,M11.1.0", "../../etc/passwd", "/etc/localtime",
		"Europe", "Europe/", "Europe/Berlin ", "posix/UTC", "right/UTC", "localtime", "Europe/Berlin\n", ":UTC",
		"tzdata.zi", "A_name_that_is_longer_than_any_zone_ever_was_and_will_be_in_the_list",
	};
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		const struct zone *zone = zone_find(good[i]);

		if (!zone)
			fail_msg("no %s", good[i]);
		assert_string_equal(zone_name(zone), good[i]);
		assert_ptr_equal(zone_find(good[i]), zone);
	}
	for (i = 0; i < COUNT(bad); i++)
		if (zone_find(bad[i]))
			fail_msg("takes %s", bad[i]);
}

static void test_local_times(void **state)
{
	static const struct {
		const char *zone, *utc, *local;
		int weekday, offset;
	} rows[] = {
		{ "UTC", "2026-11-22T03:21:35Z", "2026-11-22 03:21:35", 6, 0 },
		{ "Europe/Berlin", "2026-11-22T03:21:35Z", "2026-11-22 04:21:35", 6, 3600 },
		{ "Europe/Berlin", "2026-07-01T22:30:00Z", "2026-07-02 00:30:00", 3, 7200 },
		{ "Europe/Berlin", "2027-03-28T00:59:59Z", "2027-03-28 01:59:59", 6, 3600 },
		{ "Europe/Berlin", "2027-03-28T01:00:00Z", "2027-03-28 03:00:00", 6, 7200 },
		{ "America/New_York", "2026-01-01T04:59:59Z", "2025-12-31 23:59:59", 2, -18000 },
		{ "Asia/Kolkata", "2024-02-29T18:29:59Z", "2024-02-29 23:59:59", 3, 19800 },
		{ "Asia/Kolkata", "2024-02-29T18:30:00Z", "2024-03-01 00:00:00", 4, 19800 },
		{ "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29 23:59:59", 3, -36000 },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31 00:00:00", 5, 50400 },
		{ "Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-05 01:59:59", 6, 39600 },
		{ "Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05 01:30:00", 6, 37800 },
		{ "Europe/Berlin", "2099-07-01T12:00:00Z", "2099-07-01 14:00:00", 2, 7200 },
		{ "Etc/GMT+5", "2026-01-01T00:00:00Z", "2025-12-31 19:00:00", 2, -18000 },
	};
	struct zone_time t;
	struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		zone_local(zone_find(rows[i].zone), at(rows[i].utc) + 999999, &t);
		buf_reset(&text);
		buf_printf(&text, "%04d-%02d-%02d %02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.minute, t.second);
		assert_string_equal(text.data, rows[i].local);
		assert_int_equal(t.weekday, rows[i].weekday);
		assert_int_equal(t.offset, rows[i].offset);
	}
	/* before 1970 too, to the microsecond */
	zone_local(zone_find("UTC"), -1, &t);
	assert_int_equal(t.year, 1969);
	assert_int_equal(t.month, 12);
	assert_int_equal(t.day, 31);
	assert_int_equal(t.second, 59);
	buf_clear(&text);
}

static void test_instants(void **state)
{
	static const struct {
		const char *zone;
		int year, month, day, hour, minute, second;
		const char *utc;
	} rows[] = {
		{ "UTC", 2026, 11, 22, 3, 21, 35, "2026-11-22T03:21:35Z" },
		{ "Europe/Berlin", 2026, 11, 22, 8, 0, 0, "2026-11-22T07:00:00Z" },
		/* a gap: the first instant behind it */
		{ "Europe/Berlin", 2027, 3, 28, 2, 0, 0, "2027-03-28T01:00:00Z" },
		{ "Europe/Berlin", 2027, 3, 28, 2, 30, 0, "2027-03-28T01:00:00Z" },
		{ "Europe/Berlin", 2027, 3, 28, 2, 59, 59, "2027-03-28T01:00:00Z" },
		{ "Europe/Berlin", 2027, 3, 28, 3, 0, 0, "2027-03-28T01:00:00Z" },
		{ "America/New_York", 2027, 3, 14, 2, 30, 0, "2027-03-14T07:00:00Z" },
		{ "Pacific/Apia", 2011, 12, 30, 0, 0, 0, "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", 2011, 12, 30, 12, 0, 0, "2011-12-30T10:00:00Z" },
		{ "Pacific/Apia", 2011, 12, 30, 23, 59, 59, "2011-12-30T10:00:00Z" },
		{ "Africa/Cairo", 2026, 4, 24, 0, 30, 0, "2026-04-23T22:00:00Z" },
		/* twice: the first */
		{ "Europe/Berlin", 2026, 10, 25, 2, 0, 0, "2026-10-25T00:00:00Z" },
		{ "Europe/Berlin", 2026, 10, 25, 2, 30, 0, "2026-10-25T00:30:00Z" },
		{ "Europe/Berlin", 2026, 10, 25, 3, 0, 0, "2026-10-25T02:00:00Z" },
		{ "America/New_York", 2026, 11, 1, 1, 30, 0, "2026-11-01T05:30:00Z" },
		{ "Australia/Lord_Howe", 2026, 4, 5, 1, 45, 0, "2026-04-04T14:45:00Z" },
		{ "Australia/Lord_Howe", 2026, 10, 4, 2, 10, 0, "2026-10-03T15:30:00Z" },
		/* carried */
		{ "Europe/Berlin", 2026, 12, 32, 0, 0, 0, "2026-12-31T23:00:00Z" },
		{ "Europe/Berlin", 2026, 13, 1, 0, 0, 0, "2026-12-31T23:00:00Z" },
		{ "Europe/Berlin", 2026, 2, 29, 12, 0, 0, "2026-03-01T11:00:00Z" },
		{ "Europe/Berlin", 2027, 0, 31, 12, 0, 0, "2026-12-31T11:00:00Z" },
		{ "Europe/Berlin", 2027, -11, 31, 12, 0, 0, "2026-01-31T11:00:00Z" },
		{ "Europe/Berlin", 2027, 1, 0, 12, 0, 0, "2026-12-31T11:00:00Z" },
		{ "Europe/Berlin", 2027, 1, -365, 36, -60, 3600, "2026-01-01T11:00:00Z" },
	};
	struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&text);
		text_time(&text, zone_instant(zone_find(rows[i].zone), rows[i].year, rows[i].month, rows[i].day, rows[i].hour,
					      rows[i].minute, rows[i].second));
		if (strcmp(text.data, rows[i].utc) != 0)
			fail_msg("%s %d-%d-%d %d:%d:%d is %s, not %s", rows[i].zone, rows[i].year, rows[i].month, rows[i].day,
				 rows[i].hour, rows[i].minute, rows[i].second, text.data, rows[i].utc);
	}
	buf_clear(&text);
}

static int64_t back(const struct zone *zone, const struct zone_time *t)
{
	return zone_instant(zone, t->year, t->month, t->day, t->hour, t->minute, t->second);
}

/* An instant's local time gives that instant again, or an earlier one with the same local time. */
static void test_there_and_back(void **state)
{
	static const char *const names[] = {
		"UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Tehran", "Africa/Casablanca", "Pacific/Apia",
		"Australia/Lord_Howe", "Antarctica/Troll", "Asia/Kathmandu", "America/Sao_Paulo",
	};
	struct zone_time t, again;
	size_t i, round, twice = 0;

	random_seed(9);
	for (i = 0; i < COUNT(names); i++)
		for (round = 0; round < 3000; round++) {
			const struct zone *zone = zone_find(names[i]);
			int64_t us = (int64_t)(random_u64() % (100 * UINT64_C(31556952))) * US_SECOND, other;

			zone_local(zone, us, &t);
			other = back(zone, &t);
			if (other == us)
				continue;
			twice++;
			assert_true(other < us && other > us - US_DAY);
			zone_local(zone, other, &again);
			assert_int_equal(again.hour * 3600 + again.minute * 60 + again.second,
					 t.hour * 3600 + t.minute * 60 + t.second);
		}
	assert_true(twice < 30);
}

/* Local times that grow give instants that do not fall. */
static void test_days_of_a_year_grow(void **state)
{
	const struct zone *zone = zone_find("Europe/Berlin");
	int64_t before = INT64_MIN, us;
	int minute;

	for (minute = 0; minute < 366 * 24 * 60; minute += 10) {
		us = zone_instant(zone, 2027, 1, 1, 0, minute, 0);
		assert_true(us >= before);
		before = us;
	}
}

static void test_absurd_years_do_no_harm(void **state)
{
	const struct zone *zone = zone_find("UTC");

	assert_true(zone_instant(zone, INT32_MAX, 12, 31, 0, 0, 0) > at("9999-12-31T00:00:00Z"));
	assert_true(zone_instant(zone, INT32_MIN, 1, 1, 0, 0, 0) < 0);
}

static void *look_up(void *arg)
{
	static const char *const names[] = { "Asia/Tokyo", "Asia/Seoul", "Asia/Manila", "Nope/Zone" };
	uint64_t found = 0;
	int i;

	for (i = 0; i < 1000; i++)
		found += zone_find(names[i % 4]) != NULL;
	*(uint64_t *)arg = found;
	return NULL;
}

static void test_threads_may_ask(void **state)
{
	pthread_t threads[4];
	uint64_t found[4];
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up, &found[i]), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(found[i], 750);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_may_ask),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_local_times),
		cmocka_unit_test(test_instants),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_days_of_a_year_grow),
		cmocka_unit_test(test_absurd_years_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
