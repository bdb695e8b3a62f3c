/*
 * test_trial.c: the arithmetic of tests of mails: arms that are no different are seldom told apart, arms that are different nearly always,
 * and the better one.
 *
 * Each run plays whole tests with coins of known chances, seeded, so that a failure comes again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"

#include "../../daemon/decide/trial.h"

#define TESTS 400
#define PEOPLE_MOST 8000

static double unit(uint64_t *stream)
{
	return (double)(random_mix(stream) >> 11) * 0x1.0p-53;
}

/* The arm that the test ended with, or -1 if so many people were not enough. *shown_best: how many saw the last arm. */
static int play(const struct step *step, const double *chances, size_t count, uint64_t *stream, int64_t *people_out, int64_t *last_shown)
{
	struct arm_sum arms[TRIAL_ARMS] = { 0 };
	int look = 0, due;
	int64_t n;
	size_t best, arm;
	double sure;

	for (n = 0; n < PEOPLE_MOST; n++) {
		arm = step->method == TEST_FIXED ? (size_t)(n % (int64_t)count) : trial_draw(arms, count, stream);
		arms[arm].shown++;
		arms[arm].won += unit(stream) < chances[arm];
		due = step->method == TEST_FIXED ? 1 : trial_look(n + 1, step->size, count);
		if (due <= look)
			continue;
		if (step->method == TEST_THOMPSON)
			look = due;
		if (trial_decide(step, arms, count, due, &best, &sure)) {
			*people_out = n + 1;
			*last_shown = arms[count - 1].shown;
			return step->method == TEST_FIXED && sure < step->sure ? -1 : (int)best;
		}
	}
	*people_out = n;
	*last_shown = arms[count - 1].shown;
	return -1;
}

struct tally {
	int won[TRIAL_ARMS], undecided;
	int64_t people, last_shown;
};

static struct tally play_many(const struct step *step, const double *chances, size_t count)
{
	struct tally t = { 0 };
	uint64_t stream = 42;
	int i;

	for (i = 0; i < TESTS; i++) {
		int64_t people, last;
		int arm = play(step, chances, count, &stream, &people, &last);

		if (arm < 0)
			t.undecided++;
		else
			t.won[arm]++;
		t.people += people;
		t.last_shown += last;
	}
	printf("| %s %.3f %.3f: first %d, second %d, none %d of %d; %lld people a test, %lld saw the last arm\n",
		step->method == TEST_FIXED ? "fixed" : "thompson", chances[0], chances[1], t.won[0], t.won[1], t.undecided, TESTS,
		(long long)(t.people / TESTS), (long long)(t.last_shown / TESTS));
	return t;
}

/* 5 in 100 may be wrong; of 400, 20. With the luck of the draw (three standard deviations of 4.4), 33. */
#define WRONG_MOST 33

static void test_no_difference_is_seldom_found(void **state)
{
	static const double same[] = { 0.05, 0.05 };
	struct step step = { .method = TEST_THOMPSON, .size = 200, .sure = 0.95 };
	struct tally t = play_many(&step, same, 2);

	assert_true(t.won[0] + t.won[1] <= WRONG_MOST);
	step.method = TEST_FIXED;
	step.size = 2000;
	t = play_many(&step, same, 2);
	assert_true(t.won[0] + t.won[1] <= WRONG_MOST);
}

static void test_a_difference_is_found(void **state)
{
	static const double better[] = { 0.04, 0.08 }, worse[] = { 0.10, 0.03 };
	struct step step = { .method = TEST_THOMPSON, .size = 200, .sure = 0.95 };
	struct tally t = play_many(&step, better, 2);

	assert_true(t.won[1] >= TESTS * 85 / 100);
	assert_true(t.won[0] <= 5);
	/* and few have to see the arm that is worse: an even split would show it to half */
	t = play_many(&step, worse, 2);
	assert_true(t.won[0] >= TESTS * 95 / 100);
	assert_true(t.last_shown < t.people * 35 / 100);
	step.method = TEST_FIXED;
	step.size = 2000;
	t = play_many(&step, better, 2);
	assert_true(t.won[1] >= TESTS * 95 / 100);
	assert_int_equal(t.won[0], 0);
}

static void test_three_arms(void **state)
{
	static const double same[] = { 0.06, 0.06, 0.06 };
	struct step step = { .method = TEST_THOMPSON, .size = 200, .sure = 0.95 };
	struct tally t = play_many(&step, same, 3);

	assert_true(t.won[0] + t.won[1] + t.won[2] <= WRONG_MOST);
}

static void test_looks_are_spent(void **state)
{
	assert_int_equal(trial_look(0, 200, 2), 0);
	assert_int_equal(trial_look(399, 200, 2), 0);
	assert_int_equal(trial_look(400, 200, 2), 1);
	assert_int_equal(trial_look(599, 200, 2), 1);
	assert_int_equal(trial_look(600, 200, 2), 2);
	assert_int_equal(trial_look(900, 200, 2), 3);
}

/* Against the exact value for two arms: P(b > a) of Beta(1, 1) and Beta(2, 1) is 2/3. */
static void test_probability_of_the_best(void **state)
{
	struct arm_sum arms[2] = { { .shown = 0, .won = 0 }, { .shown = 1, .won = 1 } };
	size_t best;
	double p = trial_best(arms, 2, &best);

	assert_int_equal(best, 1);
	assert_true(p > 2.0 / 3 - 0.001 && p < 2.0 / 3 + 0.001);
	/* Beta(1, 1) against Beta(21, 981): 1 - 21/1002, and narrow beside wide */
	arms[1] = (struct arm_sum){ .shown = 1000, .won = 20 };
	p = trial_best(arms, 2, &best);
	assert_int_equal(best, 0);
	assert_true(fabs(p - (1 - 21.0 / 1002)) < 0.001);
	/* the same on both sides: a half, however much is known */
	arms[0] = arms[1] = (struct arm_sum){ .shown = 1000000, .won = 50000 };
	assert_true(fabs(trial_best(arms, 2, &best) - 0.5) < 0.001);
}

static void test_shares_of_a_text_are_even(void **state)
{
	int hits[10] = { 0 }, i;
	char text[32];

	for (i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "p%d@example.com/ebook", i);
		hits[(int)(random_of(text) * 10)]++;
	}
	for (i = 0; i < 10; i++)
		assert_in_range(hits[i], 1840, 2160);
	assert_true(random_of("eva@example.com/ebook") == random_of("eva@example.com/ebook"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_difference_is_seldom_found), cmocka_unit_test(test_a_difference_is_found),
		cmocka_unit_test(test_three_arms), cmocka_unit_test(test_looks_are_spent), cmocka_unit_test(test_probability_of_the_best),
		cmocka_unit_test(test_shares_of_a_text_are_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
