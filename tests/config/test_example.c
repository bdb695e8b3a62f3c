/*
 * test_example.c: the example in conf/ with the shipped templates loads as it is, and says what a machine lacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf.h"

#define EXAMPLE "conf/nurtured.yaml"

static void test_example_loads(void **state)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	struct conf c;

	conf_init(&c);
	plan = plan_load(EXAMPLE, &errors);
	assert_string_equal(buf_cstr(&errors.text), "");
	assert_non_null(plan);
	assert_non_null(plan_form(plan, "free-ebook"));
	assert_non_null(plan_sequence(plan, "ebook"));
	assert_int_equal(plan_step(plan_sequence(plan, "ebook"), "nudge"), 8);
	assert_true(plan_mail(plan, "ebook-delivery")->uses_download);
	assert_int_equal(plan->sales.alert_count, 2);
	plan_unref(&plan);
	buf_clear(&errors.text);
	conf_clear(&c);
}

/* What is missing is named one by one, with what to do. */
static void test_without_credentials(void **state)
{
	struct plan_errors errors = { 0 };

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(plan_load(EXAMPLE, &errors));
	assert_non_null(strstr(buf_cstr(&errors.text), "there is no credential `smtp-password`"));
	assert_non_null(strstr(buf_cstr(&errors.text), "LoadCredential=imap-password:"));
	assert_null(strstr(buf_cstr(&errors.text), ".liquid:"));
	buf_clear(&errors.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_loads),
		cmocka_unit_test(test_without_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
