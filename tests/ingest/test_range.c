/*
 * test_range.c: the Range header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/ingest/range.h"

static void ranges(void **state)
{
	static const struct { const char *header; int64_t size; enum range wanted; int64_t from, length; } rows[] = {
		{ NULL, 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=0-", 10, RANGE_PART, 0, 10 },
		{ "bytes=0-0", 10, RANGE_PART, 0, 1 },
		{ "bytes=2-5", 10, RANGE_PART, 2, 4 },
		{ "bytes=2-500", 10, RANGE_PART, 2, 8 },
		{ "bytes=9-", 10, RANGE_PART, 9, 1 },
		{ "Bytes=-3", 10, RANGE_PART, 7, 3 },
		{ "bytes=-30", 10, RANGE_PART, 0, 10 },
		{ "bytes=10-", 10, RANGE_OUTSIDE, 0, 0 },
		{ "bytes=-0", 10, RANGE_OUTSIDE, 0, 0 },
		{ "bytes=0-", 0, RANGE_OUTSIDE, 0, 0 },
		{ "bytes=-1", 0, RANGE_OUTSIDE, 0, 0 },
		{ "bytes=5-2", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=a-", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=--1", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=1-x", 10, RANGE_WHOLE, 0, 0 },
		{ "bytes=99999999999999999999-", 10, RANGE_WHOLE, 0, 0 },
		{ "lines=0-1", 10, RANGE_WHOLE, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t from = -1, length = -1;
		enum range got = range_parse(rows[i].header, rows[i].size, &from, &length);

		if (got != rows[i].wanted || (got == RANGE_PART && (from != rows[i].from || length != rows[i].length)))
			fail_msg("%s of %d: %d, %d+%d", rows[i].header, (int)rows[i].size, (int)got, (int)from, (int)length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
