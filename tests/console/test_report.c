/*
 * report: JSON as people read it: columns, times and ages, sizes, and nothing that a terminal would obey.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "console/report.h"

/* 2026-11-22T04:00:00Z */
#define NOW (INT64_C(1795320000) * US_SECOND)

static void answers_are_laid_out(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{ "[]", "none\n" },
		{ "{\"a\":1,\"longer_name\":\"x\",\"c\":null,\"d\":true,\"e\":[],\"f\":[\"x\",\"y\"],\"g\":\"\"}",
			"a            1\n"
			"longer name  x\n"
			"c            -\n"
			"d            yes\n"
			"e            -\n"
			"f            x, y\n"
			"g            -\n" },
		{ "{\"plan\":{\"version\":\"abc\"},\"n\":2.5}",
			"plan\n"
			"  version  abc\n"
			"n  2.50\n" },
		{ "[{\"lane\":\"time\",\"due_now\":1},{\"lane\":\"longer\",\"due_now\":12345}]",
			"LANE    DUE NOW\n"
			"time    1\n"
			"longer  12345\n" },
		{ "{\"rows\":[{\"a\":1},{\"a\":2,\"b\":\"x\"}],\"z\":0}",
			"rows\n"
			"  A  B\n"
			"  1  -\n"
			"  2  x\n"
			"z  0\n" },
		{ "[{\"a\":\"gr\\u00fc\\u00df\",\"b\":1},{\"a\":\"gross\",\"b\":2}]",
			"A      B\n"
			"gr\xc3\xbc\xc3\x9f   1\n"
			"gross  2\n" },
		{ "{\"db_bytes\":999,\"wal_bytes\":1000,\"disk_bytes\":12345678901}",
			"db bytes    999 bytes\n"
			"wal bytes   1.0 KB\n"
			"disk bytes  12.3 GB\n" },
		{ "{\"lag_seconds\":7325.4,\"mean_seconds\":0.0032,\"zero_seconds\":0}",
			"lag seconds   2 hours 2 minutes 5 seconds\n"
			"mean seconds  3 ms\n"
			"zero seconds  0 seconds\n" },
		{ "{\"at\":\"2026-11-22T03:57:00Z\",\"due\":\"2026-11-24T05:00:00Z\",\"not\":\"2026-11-22\"}",
			"at   2026-11-22 04:57:00 (3 minutes ago)\n"
			"due  2026-11-24 06:00:00 (in 2 days)\n"
			"not  2026-11-22\n" },
		{ "{\"words\":\"one\\ntwo\",\"next\":1}",
			"words  one\n"
			"       two\n"
			"next   1\n" },
		{ "{\"words\":\"one\\ntwo\\n\\n\",\"next\":1}",
			"words  one\n"
			"       two\n"
			"next   1\n" },
		{ "[{\"words\":\"one\\ntwo\\tx\"}]", "WORDS\none two x\n" },
		{ "{\"x\":\"\\u001b[31mred\\u0007\\r\\u009b0m\\u007f\"}", "x  ?[31mred???0m?\n" },
		{ "{\"terms\":{\"page_view\":30,\"fit-1\":20}}", "terms\n  page view  30\n  fit-1      20\n" },
		{ "[{\"a\":{\"k\":1,\"l\":\"m\"}}]", "A\nk 1, l m\n" },
		{ "[{\"a\":\"123456789 123456789 123456789 123456789 123456789 123456789 \"}]",
			"A\n123456789 123456789 123456789 123456789 123456789 123456789 \n" },
		{ "[{\"a\":\"123456789 123456789 123456789 123456789 123456789 12345678\xc3\xbc 1\"}]",
			"A\n123456789 123456789 123456789 123456789 123456789 1234567...\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		struct buf out = BUF_INIT;

		assert_non_null(json);
		report_print(&out, json, NOW);
		assert_string_equal(buf_cstr(&out), rows[i].want);
		buf_clear(&out);
		json_decref(json);
	}
}

static void ages_are_in_words(void **state)
{
	static const struct {
		int64_t distance;
		const char *want;
	} rows[] = {
		{ 0, "now" }, { US_SECOND - 1, "now" }, { 1 - US_SECOND, "now" },
		{ US_SECOND, "in 1 second" }, { -US_SECOND, "1 second ago" }, { -59 * US_SECOND, "59 seconds ago" },
		{ -US_MINUTE, "1 minute ago" }, { -90 * US_MINUTE, "1 hour ago" }, { 47 * US_HOUR, "in 1 day" },
		{ -29 * US_DAY, "29 days ago" }, { -65 * US_DAY, "2 months ago" }, { -800 * US_DAY, "2 years ago" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;

		report_age(&out, NOW + rows[i].distance, NOW);
		assert_string_equal(buf_cstr(&out), rows[i].want);
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_laid_out),
		cmocka_unit_test(ages_are_in_words),
	};

	/* an hour east all year: needs no time zone files */
	setenv("TZ", "XXX-1", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
