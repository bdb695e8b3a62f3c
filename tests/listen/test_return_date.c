/*
 * test_return_date.c: dates that people name, seen from Monday 2 November 2026, 10:00 UTC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../daemon/listen/return_date.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define NOW (INT64_C(1793613600) * US_SECOND)

struct row {
	const char *text, *day;	/* "" : none */
	bool month_first;
};

static void compare(const struct row *rows, size_t count,
	int64_t (*read)(const char *text, int64_t now, bool month_first))
{
	int bad = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t at = read(rows[i].text, NOW, rows[i].month_first);
		struct buf b = BUF_INIT;

		if (at)
			text_time(&b, at);
		if (strncmp(buf_cstr(&b), rows[i].day, *rows[i].day ? strlen(rows[i].day) : 1)) {
			print_error("%s: [%s] not [%s]\n", rows[i].text, buf_cstr(&b), rows[i].day);
			bad++;
		}
		buf_clear(&b);
	}
	assert_int_equal(bad, 0);
}

static void absence(void **state)
{
	static const struct row rows[] = {
		{"I am away until 12 November.", "2026-11-12", false},
		{"Back on November 12th, 2026", "2026-11-12", false},
		{"Back on Thursday.", "2026-11-05", false},
		{"I return next week.", "2026-11-09", false},
		{"Ich bin bis zum 12.11. nicht im Haus.", "2026-11-12", false},
		{"Ich bin ab dem 03.02.2027 wieder da.", "2027-02-03", false},
		{"Je suis absente jusqu'au 15 janvier.", "2027-01-15", false},
		{"Fuera hasta el 3 de diciembre.", "2026-12-03", false},
		{"until 2026-12-24", "2026-12-24", false},
		{"until 12/03", "2026-12-03", true},
		{"until 12/03", "2027-03-12", false},
		{"until 12/24/2026", "2026-12-24", false}, /* only a month can be 12 */
		{"from 5 November to 9 November, back on 10 November", "2026-11-10", false},
		{"until 12 March 2019", "", false},   /* long gone */
		{"until 12 October 2028", "", false}, /* too far */
		{"I am out of the office.", "", false},
	};

	(void)state;
	compare(rows, sizeof(rows) / sizeof(rows[0]), return_date_of_absence);
}

static void not_now(void **state)
{
	static const struct row rows[] = {
		{ "Try me again in 3 months.", "2027-02-02", false },
		{ "in two weeks", "2026-11-16", false },
		{ "in a few months", "2027-02-02", false },
		{ "next quarter", "2027-01-01", false },
		{ "next month please", "2026-12-01", false },
		{ "next year", "2027-01-01", false },
		{ "next week", "2026-11-09", false },
		{ "not until Q3", "2027-07-01", false },
		{ "Q1 2028", "2028-01-01", false },
		{ "circle back in September", "2027-09-01", false },
		{ "under contract until 15 March 2027", "2027-03-15", false },
		{ "after the summer", "2027-09-01", false },
		{ "in spring", "2027-03-01", false },
		{ "in the new year", "2027-01-01", false },
		{ "erst im Februar wieder", "2027-02-01", false },
		{ "not now", "", false },
		{ "until 2040-01-01", "", false },
	};

	(void)state;
	compare(rows, sizeof(rows) / sizeof(rows[0]), return_date_of_not_now);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(absence), cmocka_unit_test(not_now) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
