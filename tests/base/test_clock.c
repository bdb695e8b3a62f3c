/*
 * test_clock.c: the clock runs, stops where it is set, and runs again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_it_is_the_clock_of_the_system(void **state)
{
	int64_t before = (int64_t)time(NULL), now = clock_now() / US_SECOND;

	assert_true(now >= before - 1 && now <= (int64_t)time(NULL) + 1);
}

static void test_it_stops_where_it_is_set(void **state)
{
	int64_t steady = clock_steady();

	clock_set(42 * US_DAY);
	assert_true(clock_now() == 42 * US_DAY);
	assert_true(clock_now() == 42 * US_DAY);
	assert_true(clock_steady() >= steady);
	clock_set(0);
	assert_true(clock_now() > 50 * 365 * US_DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_the_clock_of_the_system),
		cmocka_unit_test(test_it_stops_where_it_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
