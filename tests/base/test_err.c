/*
 * test_err.c: the text of what went wrong: set, put a prefix before, cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_setting_returns_failure(void **state)
{
	struct err err;

	assert_int_equal(err_set(&err, "no such list: %s", "x"), -1);
	assert_string_equal(err.text, "no such list: x");
	assert_int_equal(err_set(NULL, "nobody asks"), -1);
	assert_int_equal(err_prefix(NULL, "nobody asks"), -1);
}

static void test_the_old_text_may_be_an_argument(void **state)
{
	struct err err;

	err_set(&err, "inner");
	err_set(&err, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void test_prefixes_pile_up(void **state)
{
	struct err err;

	err_set(&err, "unknown key");
	assert_int_equal(err_prefix(&err, "line %d", 7), -1);
	err_prefix(&err, "conf/a.yaml");
	assert_string_equal(err.text, "conf/a.yaml: line 7: unknown key");
}

static void test_long_text_is_cut(void **state)
{
	char s[2 * ERR_TEXT];
	struct err err;

	memset(s, 'x', sizeof(s) - 1);
	s[sizeof(s) - 1] = '\0';
	err_set(&err, "%s", s);
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
	err_prefix(&err, "ab");
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
	assert_memory_equal(err.text, "ab: xx", 6);
	err_prefix(&err, "%s", s);
	assert_int_equal(strlen(err.text), ERR_TEXT - 1);
	assert_string_equal(err.text + ERR_TEXT - 3, ": ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setting_returns_failure),
		cmocka_unit_test(test_the_old_text_may_be_an_argument),
		cmocka_unit_test(test_prefixes_pile_up),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
