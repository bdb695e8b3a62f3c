/*
 * test_random.c: seeds reproduce, secrets do not, and numbers cover their range.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static void test_a_seed_reproduces(void **state)
{
	uint64_t a[8], b[8], c[8];
	int i;

	random_seed(7);
	for (i = 0; i < 8; i++)
		a[i] = random_u64();
	random_seed(7);
	for (i = 0; i < 8; i++)
		b[i] = random_u64();
	random_seed(8);
	for (i = 0; i < 8; i++)
		c[i] = random_u64();
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
}

/* The authors' reference code, seeded by splitmix64 from 0 (as Rust's rand_xoshiro does), gives this first number. */
static void test_the_numbers_are_those_of_xoshiro256pp(void **state)
{
	random_seed(0);
	assert_true(random_u64() == UINT64_C(0x53175d61490b23df));
}

static void *draw(void *arg)
{
	*(uint64_t *)arg = random_u64();
	return NULL;
}

static void test_threads_have_their_own(void **state)
{
	uint64_t mine, a, b;
	pthread_t thread;

	random_seed(7);
	mine = random_u64();
	random_seed(7);
	assert_int_equal(pthread_create(&thread, NULL, draw, &a), 0);
	pthread_join(thread, NULL);
	assert_int_equal(pthread_create(&thread, NULL, draw, &b), 0);
	pthread_join(thread, NULL);
	assert_true(mine == random_u64());
	assert_true(a != b && a != mine);
}

static void test_units_fill_their_range_evenly(void **state)
{
	int tenth[10] = { 0 }, i;
	double x;

	random_seed(1);
	for (i = 0; i < 100000; i++) {
		x = random_unit();
		assert_true(x >= 0 && x < 1);
		tenth[(int)(x * 10)]++;
	}
	for (i = 0; i < 10; i++)
		assert_in_range(tenth[i], 9500, 10500);
}

static void test_secrets_differ_and_fill_their_size(void **state)
{
	unsigned char a[40] = { 0 }, b[40] = { 0 }, zero[8] = { 0 };

	random_seed(7);
	random_secret(a, 32);
	random_seed(7);
	random_secret(b, 32);
	assert_memory_not_equal(a, b, 32);
	assert_memory_equal(a + 32, zero, 8);
	assert_memory_not_equal(a + 24, zero, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_seed_reproduces),
		cmocka_unit_test(test_the_numbers_are_those_of_xoshiro256pp),
		cmocka_unit_test(test_threads_have_their_own),
		cmocka_unit_test(test_units_fill_their_range_evenly),
		cmocka_unit_test(test_secrets_differ_and_fill_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
