/*
 * test_moment.c: what `wait_until` understands, by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/config/moment.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "tue,wed business 2026-12-01 webinar_at 09:00", of what is there. */
static void print(const struct moment *m, const char *field, struct buf *out)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < 7; i++)
		buf_printf(out, "%s%s", m->weekday[i] ? days[i] : "", m->weekday[i] ? " " : "");
	if (m->business)
		buf_str(out, "business ");
	if (m->year)
		buf_printf(out, "%04d-%02d-%02d ", m->year, m->month, m->day);
	if (field)
		buf_printf(out, "%s ", field);
	if (m->minute >= 0)
		buf_printf(out, "%02d:%02d", m->minute / 60, m->minute % 60);
}

static void test_moments(void **state)
{
	static const struct {
		const char *text, *means, *said; /* said: refused so */
	} rows[] = {
		{ "09:00", "09:00", NULL },
		{ "00:00", "00:00", NULL },
		{ "23:59", "23:59", NULL },
		{ "tue 09:00", "tue 09:00", NULL },
		{ "mon, wed 14:30", "mon wed 14:30", NULL },
		{ "wed mon 14:30", "mon wed 14:30", NULL },
		{ "mon,tue,wed,thu,fri,sat,sun 08:00", "mon tue wed thu fri sat sun 08:00", NULL },
		{ "business day 09:00", "business 09:00", NULL },
		{ "2026-12-01", "2026-12-01 00:00", NULL },
		{ "2026-12-01 09:00", "2026-12-01 09:00", NULL },
		{ "webinar_at", "webinar_at ", NULL },
		{ "webinar_at 09:00", "webinar_at 09:00", NULL },
		{ "  tue   09:00 ", "tue 09:00", NULL },
		{ "", NULL, "it is empty; write a time of day, a date, or a field that holds a time" },
		{ " , ", NULL, "it is empty; write a time of day, a date, or a field that holds a time" },
		{ "tue", NULL, "the time of day is missing; write it like tue 09:00" },
		{ "business day", NULL, "the time of day is missing; write it like business day 09:00" },
		{ "business 09:00", NULL, "after `business` comes `day`: business day 09:00" },
		{ "business", NULL, "after `business` comes `day`: business day 09:00" },
		{ "tuesday 09:00", NULL, "`tuesday` is written `tue`" },
		{ "tue, tue 09:00", NULL, "`tue` is here twice" },
		{ "09:00 tue", NULL, "`tue` stands behind the time of day; a day comes first: tue 09:00" },
		{ "tue 9:00", NULL, "`9:00` is no time of day; write it like \"08:00\"" },
		{ "tue wednesday", NULL, "`wednesday` is no time of day; write it like \"08:00\"" },
		{ "25:00", NULL, "`25:00` is no time of day; a day goes from 00:00 to 24:00" },
		{ "24:00", NULL, "`24:00` is the next day's `00:00`; write that" },
		{ "2026-02-30", NULL, "there is no day `2026-02-30` in the calendar" },
		{ "2026-2-3", NULL, "`2026-2-3` is no date; write it like 2026-12-25" },
		{ "webinar-at! 09:00", NULL, "`webinar-at!` is no name; a letter comes first, then letters, digits, - and _" },
		{ "a b c d e f g h i j", NULL, "`a b c d e f g h i j` has too many words; write it like tue 09:00" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new(0);
		struct moment m = { .field = 99 };
		struct buf out = BUF_INIT;
		const char *field = "untouched";
		struct err err;
		int rc = moment_parse(arena, rows[i].text, &m, &field, &err);

		assert_int_equal(rc, rows[i].said ? -1 : 0);
		if (rows[i].said) {
			assert_string_equal(err.text, rows[i].said);
			assert_int_equal(m.field, 99);
			assert_string_equal(field, "untouched");
		} else {
			print(&m, field, &out);
			assert_string_equal(buf_cstr(&out), rows[i].means);
			assert_int_equal(m.field, -1);
			assert_int_equal(m.shift, 0);
		}
		buf_clear(&out);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
