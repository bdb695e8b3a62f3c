/* test_decay.c: a value that halves, and the instant at which it passes another. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"

#include "../../daemon/decide/person.h"

#define AT (INT64_C(1795424400) * US_SECOND)

static void test_halves(void **state)
{
	assert_true(decay_value(80, AT, US_DAY, AT) == 80);
	assert_true(decay_value(80, AT, US_DAY, AT + US_DAY) == 40);
	assert_true(decay_value(-80, AT, US_DAY, AT + 3 * US_DAY) == -10);
	assert_true(decay_value(80, AT, US_DAY, AT - US_DAY) == 80);	/* the clock stepped back: nothing grows */
	assert_true(decay_value(80, AT, 0, AT + US_DAY) == 80);		/* no half-life: nothing decays */
	assert_true(decay_value(0, AT, US_DAY, AT + US_DAY) == 0);
}

static void test_what_is_never_passed(void **state)
{
	static const struct {
		double value, threshold;
	} rows[] = { { 20, 30 }, { 30, 0 }, { 30, -1 }, { -30, 1 }, { -10, -20 }, { 0, 10 }, { 0, 0 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_true(decay_crosses(rows[i].value, AT, US_DAY, rows[i].threshold) == TIME_NEVER);
	assert_true(decay_crosses(30, AT, 0, 20) == TIME_NEVER);
}

/* Nearer to nothing than the threshold at that instant, and a millisecond before it not yet. */
static void test_passes_at_the_instant(void **state)
{
	int i;

	random_seed(42);
	for (i = 0; i < 100000; i++) {
		double threshold = 0.01 + 200 * random_unit(), value = threshold * (1 + 5 * random_unit());
		int64_t half_life = US_HOUR + (int64_t)(random_unit() * 400 * (double)US_DAY), crosses;

		if (i % 2) {
			value = -value;
			threshold = -threshold;
		}
		crosses = decay_crosses(value, AT, half_life, threshold);
		assert_true(crosses > AT);
		assert_true(fabs(decay_value(value, AT, half_life, crosses)) < fabs(threshold));
		assert_true(fabs(decay_value(value, AT, half_life, crosses - 1001)) >= fabs(threshold) * (1 - 1e-13));
	}
}

static void test_passes_what_it_is(void **state)
{
	int64_t crosses = decay_crosses(30, AT, 30 * US_DAY, 30);

	assert_true(crosses > AT && crosses <= AT + 1000);
	assert_true(decay_value(30, AT, 30 * US_DAY, crosses) < 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_halves), cmocka_unit_test(test_what_is_never_passed), cmocka_unit_test(test_passes_at_the_instant),
		cmocka_unit_test(test_passes_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
