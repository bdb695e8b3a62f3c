/*
 * test_text_number.c: numbers, durations and times by rows.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_integers(void **state)
{
	static const struct {
		const char *s;
		int64_t want;
	} good[] = {
		{ "0", 0 }, { "-1", -1 }, { "+7", 7 }, { "007", 7 },
		{ "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = {
		"", "-", "+", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "1a", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999999",
	};
	int64_t n = 42;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_int(bad[i], &n), -1);
	assert_int_equal(n, 42);
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(text_int(good[i].s, &n), 0);
		assert_true(n == good[i].want);
	}
}

static void test_doubles(void **state)
{
	static const struct {
		const char *s;
		double want;
	} good[] = { { "0", 0 }, { "1.5", 1.5 }, { "-.25", -.25 }, { "1e3", 1000 }, { "+2.", 2 }, { "1E-2", .01 } };
	static const char *const bad[] = { "", ".", "-", " 1", "1 ", "1,5", "inf", "nan", "0x1p3", "1e999", "1.5.2", "1e", "--1" };
	double x = 42;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		if (text_double(bad[i], &x) == 0)
			fail_msg("takes \"%s\"", bad[i]);
	assert_true(x > 41.9 && x < 42.1);
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(text_double(good[i].s, &x), 0);
		assert_true(x >= good[i].want && x <= good[i].want);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *s;
		int64_t want;
	} rows[] = {
		{ "14 days", 14 * US_DAY },
		{ "90 s", 90 * US_SECOND },
		{ "2h30m", 2 * US_HOUR + 30 * US_MINUTE },
		{ "2 hours 30 minutes", 2 * US_HOUR + 30 * US_MINUTE },
		{ "1 week", 7 * US_DAY },
		{ "2w", 14 * US_DAY },
		{ "1 day", US_DAY },
		{ "1d 1h 1min 1s", US_DAY + US_HOUR + US_MINUTE + US_SECOND },
		{ "3 months", 90 * US_DAY },
		{ "1 month", 30 * US_DAY },
		{ "1 year", 365 * US_DAY },
		{ "2 years", 730 * US_DAY },
		{ "0 s", 0 },
		{ "250 ms", US_SECOND / 4 },
		{ "\t5 mins ", 5 * US_MINUTE },
	};
	static const char *const bad[] = {
		"", " ", "14", "days", "14 dayz", "1.5 h", "-1 day", "14days!", "1 d,", "1 S", "1 hs", "1 ms s", "9223372036854775807 d",
		"99999999999999999999 s", "200000 years 200000 years",
	};
	struct err err;
	int64_t us = 42;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		if (text_duration(bad[i], &us, &err) == 0)
			fail_msg("takes \"%s\"", bad[i]);
		assert_true(strstr(err.text, "duration") || strstr(err.text, "unit"));
	}
	assert_int_equal(us, 42);
	for (i = 0; i < COUNT(rows); i++) {
		if (text_duration(rows[i].s, &us, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(us == rows[i].want);
	}
}

static void test_durations_print(void **state)
{
	static const struct {
		int64_t us;
		const char *want;
	} rows[] = {
		{ 0, "0 seconds" },
		{ US_SECOND, "1 second" },
		{ US_MINUTE, "1 minute" },
		{ 90 * US_SECOND, "90 seconds" },
		{ 125 * US_SECOND, "2 minutes 5 seconds" },
		{ 2 * US_HOUR + 30 * US_MINUTE, "2 hours 30 minutes" },
		{ US_HOUR, "1 hour" },
		{ US_DAY, "1 day" },
		{ 14 * US_DAY, "14 days" },
		{ 400 * US_DAY + US_SECOND, "400 days 1 second" },
		{ 250000, "250 ms" },
		{ -3 * US_DAY, "-3 days" },
	};
	struct buf out = BUF_INIT;
	int64_t us, back;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&out);
		text_duration_print(&out, rows[i].us);
		assert_string_equal(out.data, rows[i].want);
	}
	random_seed(5);
	for (i = 0; i < 1000; i++) {
		us = (int64_t)(random_u64() % (UINT64_C(1) << random_u64() % 36)) * US_SECOND;
		buf_reset(&out);
		text_duration_print(&out, us);
		assert_int_equal(text_duration(out.data, &back, NULL), 0);
		assert_true(back == us);
	}
	buf_reset(&out);
	text_duration_print(&out, INT64_MIN);
	assert_string_equal(out.data, "-106751991 days 4 hours 54 seconds");
	buf_clear(&out);
}

static void test_times(void **state)
{
	static const struct {
		const char *s;
		int64_t us;
		const char *print;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "2026-11-22T03:21:35Z", INT64_C(1795317695) * US_SECOND, "2026-11-22T03:21:35Z" },
		{ "2026-11-22t03:21:35.5z", INT64_C(1795317695) * US_SECOND + 500000, "2026-11-22T03:21:35Z" },
		{ "2026-11-22 04:21:35.123456789+01:00", INT64_C(1795317695) * US_SECOND + 123456, "2026-11-22T03:21:35Z" },
		{ "2026-11-21T21:51:35-05:30", INT64_C(1795317695) * US_SECOND, "2026-11-22T03:21:35Z" },
		{ "2024-02-29T23:59:59Z", INT64_C(1709251199) * US_SECOND, "2024-02-29T23:59:59Z" },
		{ "2016-12-31T23:59:60Z", INT64_C(1483228800) * US_SECOND, "2017-01-01T00:00:00Z" },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799) * US_SECOND, "9999-12-31T23:59:59Z" },
	};
	static const char *const bad[] = {
		"", "2026", "2026-11-22", "2026-11-22T03:21Z", "2026-11-22T03:21:35", "2026-13-22T03:21:35Z", "2026-00-22T03:21:35Z",
		"2026-11-31T03:21:35Z", "2025-02-29T03:21:35Z", "2100-02-29T03:21:35Z", "2026-11-22T24:00:00Z", "2026-11-22T03:60:00Z",
		"2026-11-22T03:21:61Z", "2026-11-22T03:21:35.Z", "2026-11-22T03:21:35Zx", "1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+01:00", "2026-11-22T03:21:35+1:00", "2026-11-22T03:21:35+24:00", "26-11-22T03:21:35Z",
		" 2026-11-22T03:21:35Z", "2026-11-22T-3:21:35Z", "9999-12-31T23:59:59-01:00",
	};
	struct buf out = BUF_INIT;
	int64_t us = 42;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		if (text_time_parse(bad[i], &us) == 0)
			fail_msg("takes \"%s\"", bad[i]);
	assert_int_equal(us, 42);
	for (i = 0; i < COUNT(rows); i++) {
		if (text_time_parse(rows[i].s, &us) < 0)
			fail_msg("refuses \"%s\"", rows[i].s);
		if (us != rows[i].us)
			fail_msg("%s is %" PRId64, rows[i].s, us);
		buf_reset(&out);
		text_time(&out, us);
		assert_string_equal(out.data, rows[i].print);
	}
	buf_reset(&out);
	text_time(&out, INT64_MAX);
	assert_string_equal(out.data, "9999-12-31T23:59:59Z");
	buf_reset(&out);
	text_time(&out, -1);
	assert_string_equal(out.data, "1970-01-01T00:00:00Z");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_durations_print),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
