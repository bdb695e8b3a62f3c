/*
 * test_goal_rate.c: how many reach the goal, where not everybody is looked at equally long.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"

#include "../../daemon/decide/goal_rate.h"

static void assert_near(double a, double b, double by)
{
	if (!(fabs(a - b) <= by))
		fail_msg("%g is not %g", a, b);
}

/* A textbook's example, by hand: 6 people, reached on day 1 and 3, one out of sight on day 2. */
static void by_hand(void **state)
{
	struct goal_curve c = { 0 };
	struct goal_rate r;
	int i;

	goal_reached(&c, 0, US_DAY);
	goal_not_reached(&c, 0, 2 * US_DAY + 1);
	goal_reached(&c, 0, 3 * US_DAY);
	for (i = 0; i < 3; i++)
		goal_not_reached(&c, 0, 9 * US_DAY);
	assert_near(goal_rate_by(&c, 0).rate, 0, 0);
	assert_near(goal_rate_by(&c, 1).rate, 1 / 6.0, 1e-12);
	assert_near(goal_rate_by(&c, 2).rate, 1 / 6.0, 1e-12);
	r = goal_rate_by(&c, 3);
	assert_near(r.rate, 1 - 5 / 6.0 * 3 / 4.0, 1e-12);
	assert_near(r.error, 5 / 6.0 * 3 / 4.0 * sqrt(1 / (6.0 * 5) + 1 / (4.0 * 3)), 1e-12);
	assert_int_equal(c.people, 6);
}

static void some_reach_it_each_day(struct goal_curve *c, int people, double each_day, int days)
{
	while (people--) {
		int day = 0;

		while (day < days && random_unit() >= each_day)
			day++;
		if (day < days)
			goal_reached(c, 0, day * US_DAY);
		else
			goal_not_reached(c, 0, days * US_DAY);
	}
}

/*
 * A sequence that does nothing: who gets it is looked at for 14 days, who is held out for 90. Counted plainly, the held out would look twice as
 * good; and in 95 of 100 the interval holds the truth.
 */
static void what_does_nothing_makes_no_difference(void **state)
{
	int round, held = 0;

	random_seed(3);
	for (round = 0; round < 200; round++) {
		static struct goal_curve a, b;
		struct goal_rate r;
		int day;

		a = b = (struct goal_curve){ 0 };
		some_reach_it_each_day(&a, 2000, 0.004, 14);
		some_reach_it_each_day(&b, 400, 0.004, 90);
		day = goal_horizon(&a, &b);
		assert_int_equal(day, 14);
		r = goal_difference(goal_rate_by(&a, day - 1), goal_rate_by(&b, day - 1));
		held += r.low <= 0 && r.high >= 0;
	}
	if (held < 180 || held > 199)
		fail_msg("%d of 200", held);
}

static void what_helps_is_seen(void **state)
{
	static struct goal_curve a, b;
	struct goal_rate r;

	random_seed(4);
	a = b = (struct goal_curve){ 0 };
	some_reach_it_each_day(&a, 4000, 0.01, 14);
	some_reach_it_each_day(&b, 600, 0.004, 90);
	r = goal_difference(goal_rate_by(&a, goal_horizon(&a, &b)), goal_rate_by(&b, goal_horizon(&a, &b)));
	assert_true(r.low > 0);
	assert_near(r.rate, (1 - pow(0.99, 14)) - (1 - pow(0.996, 14)), 0.03);
}

static void few_say_nothing(void **state)
{
	struct goal_curve a = { 0 }, b = { 0 };
	int i;

	for (i = 0; i < 100; i++)
		goal_not_reached(&a, 0, 5 * US_DAY);
	for (i = 0; i < 9; i++)
		goal_not_reached(&b, 0, 5 * US_DAY);
	assert_int_equal(goal_horizon(&a, &b), -1);
	goal_never(&b);
	assert_int_equal(goal_horizon(&a, &b), 5);
}

static void shares_have_an_interval(void **state)
{
	struct goal_rate r = goal_share(10, 100);

	assert_near(r.rate, 0.1, 1e-12);
	assert_near(r.low, 0.0552, 1e-4);
	assert_near(r.high, 0.1744, 1e-4);
	assert_true(goal_share(0, 0).high == 1 && goal_share(0, 50).low < 1e-9 && goal_share(50, 50).high > 1 - 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(what_does_nothing_makes_no_difference),
		cmocka_unit_test(what_helps_is_seen),
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(shares_have_an_interval),
	};

	return cmocka_run_group_tests_name("goal_rate", tests, NULL, NULL);
}
