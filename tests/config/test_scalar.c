/*
 * test_scalar.c: numbers, sizes, rates, times of day, hosts and URLs by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/config/scalar.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_names(void **state)
{
	static const char *const good[] = { "a", "A-b_3", "three-mistakes",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const bad[] = { "", "3a", "-a", "a b", "a.b", "\xc3\xa4", "a/b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct err err;

	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(scalar_name(good[i], &err), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(scalar_name(bad[i], &err), -1);
}

static void test_percentages(void **state)
{
	static const struct {
		const char *s;
		int hundredths; /* of a percent; -1: refused */
	} rows[] = {
		{ "10%", 1000 },
		{ "99.5 %", 9950 },
		{ "0%", 0 },
		{ "100%", 10000 },
		{ "10", -1 },
		{ "", -1 },
		{ "%", -1 },
		{ "-1%", -1 },
		{ "101%", -1 },
		{ "10%%", -1 },
		{ "10% of it", -1 },
		{ "1e1%", 1000 },
		{ "000000000000000000000000000001%", -1 },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		double part = -0.0001;

		assert_int_equal(scalar_percent(rows[i].s, &part, &err), rows[i].hundredths < 0 ? -1 : 0);
		assert_int_equal((int)(part * 10000 + (part < 0 ? -0.5 : 0.5)), rows[i].hundredths);
	}
}

static void test_dates(void **state)
{
	static const struct {
		const char *s;
		bool yearly;
		int date; /* 0: refused */
	} rows[] = {
		{ "2026-12-01", false, 20261201 },
		{ "2028-02-29", false, 20280229 },
		{ "2000-02-29", false, 20000229 },
		{ "12-25", true, 1225 },
		{ "02-29", true, 229 },
		{ "2026-04-03", true, 20260403 },
		{ "12-25", false, 0 },
		{ "2026-02-29", false, 0 },
		{ "2100-02-29", false, 0 },
		{ "2026-13-01", false, 0 },
		{ "2026-00-01", false, 0 },
		{ "2026-04-31", false, 0 },
		{ "2026-04-00", false, 0 },
		{ "1969-12-31", false, 0 },
		{ "0000-12-31", true, 0 },
		{ "2026-4-3", false, 0 },
		{ "2026-12-01T09:00", false, 0 },
		{ "26-12-01", true, 0 },
		{ "12-32", true, 0 },
		{ "12-25-", true, 0 },
		{ "12", true, 0 },
		{ "", true, 0 },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int year = 0, month = 0, day = 0;

		assert_int_equal(scalar_date(rows[i].s, rows[i].yearly, &year, &month, &day, &err), rows[i].date ? 0 : -1);
		assert_int_equal(year * 10000 + month * 100 + day, rows[i].date);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *s;
		int64_t bytes; /* -1: refused */
	} rows[] = {
		{ "300", 300 },
		{ "1 B", 1 },
		{ "256 KiB", 256 * 1024 },
		{ "256KiB", 256 * 1024 },
		{ "2 MiB", 2 * 1024 * 1024 },
		{ "1 GiB", 1024 * 1024 * 1024 },
		{ "", -1 },
		{ "KiB", -1 },
		{ "1 KB", -1 },
		{ "-1", -1 },
		{ "1.5 MiB", -1 },
		{ "99999999999 GiB", -1 },
		{ "1 MiB x", -1 },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t bytes = -1;

		assert_int_equal(scalar_size(rows[i].s, &bytes, &err), rows[i].bytes < 0 ? -1 : 0);
		assert_int_equal(bytes, rows[i].bytes);
	}
}

static void test_rates(void **state)
{
	static const struct {
		const char *s;
		int64_t count, within; /* count 0: refused */
	} rows[] = {
		{ "3 per hour", 3, US_HOUR },
		{ "1 per day", 1, US_DAY },
		{ "2 per 30 days", 2, 30 * US_DAY },
		{ "2 per 1 week", 2, 7 * US_DAY },
		{ "20 per minute", 20, US_MINUTE },
		{ "1000000000 per day", 1000000000, US_DAY },
		{ "", 0, 0 },
		{ "3", 0, 0 },
		{ "per hour", 0, 0 },
		{ "0 per hour", 0, 0 },
		{ "-1 per hour", 0, 0 },
		{ "three per hour", 0, 0 },
		{ "3 per", 0, 0 },
		{ "3 per ", 0, 0 },
		{ "3 per fortnight", 0, 0 },
		{ "3 per 0 days", 0, 0 },
		{ "3/hour", 0, 0 },
		{ "1000000001 per day", 0, 0 },
		{ "1.5 per hour", 0, 0 },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rate rate = { 0 };

		assert_int_equal(scalar_rate(rows[i].s, &rate, &err), rows[i].count ? 0 : -1);
		assert_int_equal(rate.count, rows[i].count);
		assert_int_equal(rate.within, rows[i].within);
	}
}

static void test_minutes(void **state)
{
	static const struct {
		const char *s;
		int minute; /* -1: refused */
	} rows[] = {
		{ "00:00", 0 },
		{ "08:30", 510 },
		{ "24:00", 1440 },
		{ "23:59", 1439 },
		{ "24:01", -1 },
		{ "8:00", -1 },
		{ "08:60", -1 },
		{ "08.00", -1 },
		{ "", -1 },
		{ "0a:00", -1 },
		{ "08:0x", -1 },
		{ "08:000", -1 },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int minute = -1;

		assert_int_equal(scalar_minute(rows[i].s, &minute, &err), rows[i].minute < 0 ? -1 : 0);
		assert_int_equal(minute, rows[i].minute);
	}
}

static void test_hosts(void **state)
{
	static const struct {
		const char *s, *host; /* NULL: refused */
	} rows[] = {
		{ "mail.example.com", "mail.example.com" },
		{ "Mail.Example.COM", "mail.example.com" },
		{ "b\xc3\xbc"
		  "cher.example",
			"xn--bcher-kva.example" },
		{ "localhost", NULL },
		{ "a b.example", NULL },
		{ "a@b.example", NULL },
		{ " a.example", NULL },
		{ "-a.example", NULL },
		{ "", NULL },
	};
	struct arena *arena = arena_new(0);
	struct err err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *host = NULL;

		assert_int_equal(scalar_host(arena, rows[i].s, &host, &err), rows[i].host ? 0 : -1);
		if (rows[i].host)
			assert_string_equal(host, rows[i].host);
	}
	arena_free(&arena);
}

static void test_urls_have_hosts_in_ascii(void **state)
{
	static const char *const web[] = { "https", NULL };
	static const struct {
		const char *s, *made;
	} rows[] = {
		{ "https://Mail.Bücher.example:8443/a?b=c", "https://mail.xn--bcher-kva.example:8443/a?b=c" },
		{ "https://bücher.example", "https://xn--bcher-kva.example" },
	};
	struct arena *arena = arena_new(0);
	struct err err = { "" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *url = NULL;

		assert_int_equal(scalar_url(arena, rows[i].s, web, &url, &err), 0);
		assert_string_equal(url, rows[i].made);
	}
	arena_free(&arena);
}

static void test_urls(void **state)
{
	static const char *const web[] = { "https", "http", NULL };
	static const char *const smtp[] = { "smtp", "smtps", NULL };
	static const struct {
		const char *const *schemes;
		const char *s, *complaint; /* NULL: good */
	} rows[] = {
		{ web, "https://www.example.com", NULL },
		{ web, "https://example.com/bücher",
			"`https://example.com/bücher` has letters beyond ASCII behind the host; write them as %XX" },
		{ web, "https://b\u200bcher\u2028.example/", "`https://b\u200bcher\u2028.example/` is no URL: Bad hostname" },
		{ web, "http://127.0.0.1:8025/a/b?c=d", NULL },
		{ smtp, "smtp://relay.example.com:587", NULL },
		{ smtp, "smtps://[::1]:465", NULL },
		{ web, "www.example.com", "`www.example.com` is no whole URL; it begins like https://" },
		{ web, "ftp://example.com/", "`ftp:` is no scheme for this; it is https or http" },
		{ web, "javascript://x", "`javascript:` is no scheme for this; it is https or http" },
		{ smtp, "smtp://ana:pass@relay.example.com",
			"there is a user or a password in the URL; they have keys of their own, and files" },
		{ web, "https://example.com/#x", "there is a #fragment in the URL; leave it away" },
		{ web, "https://", "`https://` is no URL: No host part in the URL" },
		{ web, "https://exa mple.com", "`https://exa mple.com` is no URL: Bad hostname" },
		{ web, "https://example.com:99999",
			"`https://example.com:99999` is no URL: Port number was not a decimal number between "
			"0 and 65535" },
	};
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *url = NULL;
		struct err err = { "" };

		assert_int_equal(scalar_url(arena, rows[i].s, rows[i].schemes, &url, &err),
			rows[i].complaint ? -1 : 0);
		if (rows[i].complaint)
			assert_string_equal(err.text, rows[i].complaint);
		else
			assert_string_equal(url, rows[i].s);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_percentages),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_minutes),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_urls), cmocka_unit_test(test_urls_have_hosts_in_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
