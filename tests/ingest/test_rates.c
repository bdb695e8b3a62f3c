/*
 * test_rates.c: how often something may happen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../daemon/ingest/rates.h"
#include "base/clock.h"

#define T0 (INT64_C(1795317695) * US_SECOND)

static const struct rate three = { 3, US_HOUR };

static void the_count_at_once_and_then_one_by_one(void **state)
{
	struct rates *r = rates_new(64);
	int64_t wait = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(rates_take(r, "form", "a", three, T0, &wait));
	assert_false(rates_take(r, "form", "a", three, T0, &wait));
	assert_int_equal(wait, 20 * US_MINUTE);
	assert_false(rates_take(r, "form", "a", three, T0 + 20 * US_MINUTE - 1, &wait));
	assert_int_equal(wait, 1);
	assert_true(rates_take(r, "form", "a", three, T0 + 20 * US_MINUTE, &wait));
	assert_false(rates_take(r, "form", "a", three, T0 + 20 * US_MINUTE, NULL));
	/* others have their own turns */
	assert_true(rates_take(r, "form", "b", three, T0, &wait));
	assert_true(rates_take(r, "other", "a", three, T0, &wait));
	/* after the window all are back */
	for (i = 0; i < 3; i++)
		assert_true(rates_take(r, "form", "a", three, T0 + 2 * US_HOUR, &wait));
	assert_false(rates_take(r, "form", "a", three, T0 + 2 * US_HOUR, &wait));
	rates_free(&r);
	assert_null(r);
	rates_free(&r);
}

static void a_count_of_0_is_no_limit(void **state)
{
	struct rates *r = rates_new(64);
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_true(rates_take(r, "form", "a", (struct rate){ 0, 0 }, T0, NULL));
	rates_free(&r);
}

static void a_turn_given_back_can_be_taken_again(void **state)
{
	struct rates *r = rates_new(64);
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(rates_take(r, "form", "a", three, T0, NULL));
	rates_give(r, "form", "b", three, T0);
	assert_false(rates_take(r, "form", "a", three, T0, NULL));
	rates_give(r, "form", "a", three, T0);
	assert_true(rates_take(r, "form", "a", three, T0, NULL));
	assert_false(rates_take(r, "form", "a", three, T0, NULL));
	rates_free(&r);
}

static void a_clock_that_steps_back_locks_nobody_out(void **state)
{
	struct rates *r = rates_new(64);
	int64_t wait = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(rates_take(r, "form", "a", three, T0, NULL));
	assert_false(rates_take(r, "form", "a", three, T0 - 30 * US_DAY, &wait));
	assert_int_equal(wait, 20 * US_MINUTE);
	rates_free(&r);
}

static void memory_is_bounded_and_the_busiest_are_remembered(void **state)
{
	struct rates *r = rates_new(8);		/* one set */
	char key[16];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(rates_take(r, "form", "busy", three, T0, NULL));
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_true(rates_take(r, "form", key, three, T0, NULL));
	}
	assert_false(rates_take(r, "form", "busy", three, T0, NULL));
	rates_free(&r);
}

static void ipv6_counts_by_network(void **state)
{
	char a[48];

	(void)state;
	assert_string_equal(rates_network("192.0.2.7", a), "192.0.2.7");
	assert_string_equal(rates_network("2001:db8:1:2:3:4:5:6", a), "2001:db8:1:2::");
	assert_string_equal(rates_network("2001:db8:1:2:ffff::1", a), "2001:db8:1:2::");
	assert_string_equal(rates_network("", a), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_count_at_once_and_then_one_by_one),
		cmocka_unit_test(a_count_of_0_is_no_limit),
		cmocka_unit_test(a_turn_given_back_can_be_taken_again),
		cmocka_unit_test(a_clock_that_steps_back_locks_nobody_out),
		cmocka_unit_test(memory_is_bounded_and_the_busiest_are_remembered),
		cmocka_unit_test(ipv6_counts_by_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
