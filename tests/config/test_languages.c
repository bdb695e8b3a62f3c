/*
 * test_languages.c: tags of languages, and where they stand in names, by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/languages.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_valid(void **state)
{
	static const char *const good[] = { "de", "gsw", "de-AT", "zh-Hant-TW", "de-CH-1996", "sl-rozaj-biske" };
	static const char *const bad[] = { "", "d", "DE", "De", "deut", "de-", "de-A", "de--AT", "de_AT", "de-abcdefghi", "v2", "d3", "de AT" };

	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(languages_valid(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(languages_valid(bad[i]));
}

static void test_in_names(void **state)
{
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "letter.de", 7 }, { "letter.de-AT", 7 }, { "a.b.de", 4 }, { "letter", 0 }, { "letter.", 0 }, { ".de", 0 }, { "letter.v2", 0 },
		{ "letter.de.v2", 0 }, { "", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(languages_in(rows[i].name), rows[i].at);
}

static void test_wider(void **state)
{
	static const char tag[] = "zh-Hant_TW";

	assert_int_equal(languages_wider(tag, 10), 7);
	assert_int_equal(languages_wider(tag, 7), 2);
	assert_int_equal(languages_wider(tag, 2), 0);
	assert_int_equal(languages_wider(tag, 0), 0);
	assert_int_equal(languages_wider("-", 1), 0);
}

static void test_same(void **state)
{
	static const struct {
		const char *tag, *other;
		size_t n;
		bool same;
	} rows[] = {
		{ "de", "de", 2, true }, { "de", "DE", 2, true }, { "de-AT", "de_at", 5, true }, { "de", "de-AT", 2, true }, { "de", "de-AT", 5, false },
		{ "de-AT", "de", 2, false }, { "de", "den", 3, false }, { "de", "en", 2, false }, { "", "", 0, true }, { "de", "", 0, false },
		{ "de-AT", "dexAT", 5, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(languages_same(rows[i].tag, rows[i].other, rows[i].n), rows[i].same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_in_names),
		cmocka_unit_test(test_wider),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
