/*
 * test_id.c: ids carry time and bucket, never repeat, and their text sorts as they do.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"

#define NOV_2026 (INT64_C(1795317695) * US_SECOND)

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void assert_all_differ(int64_t *ids, size_t n)
{
	size_t i;

	qsort(ids, n, sizeof(*ids), compare);
	for (i = 1; i < n; i++)
		assert_true(ids[i - 1] < ids[i]);
}

static void test_an_id_names_its_bucket_and_time(void **state)
{
	static const uint16_t buckets[] = { 0, 1, 511, 1023 };
	size_t i;
	int64_t id;

	for (i = 0; i < 4; i++) {
		id = id_new(buckets[i], NOV_2026 + (int64_t)i * US_SECOND + 999);
		assert_true(id > 0);
		assert_int_equal(id_bucket(id), buckets[i]);
		assert_true(id_time(id) == NOV_2026 + (int64_t)i * US_SECOND);
	}
}

static void test_a_standing_or_stepping_clock_repeats_none(void **state)
{
	enum { N = 20000 };
	int64_t *ids = xcalloc(N, sizeof(*ids));
	int i;

	/* one millisecond holds 4,096; then the clock falls back by a day */
	for (i = 0; i < N; i++)
		ids[i] = id_new(5, NOV_2026 + 10 * US_SECOND - (i > N / 2 ? US_DAY : 0));
	for (i = 0; i < N; i++)
		assert_int_equal(id_bucket(ids[i]), 5);
	assert_all_differ(ids, N);
	free(ids);
	assert_true(id_new(5, 0) > 0);
	assert_true(id_new(5, -1) > 0);
}

#define EACH 20000

static void *make_ids(void *arg)
{
	int64_t *ids = arg;
	int i;

	for (i = 0; i < EACH; i++)
		ids[i] = id_new((uint16_t)(i % 3), NOV_2026 + i / 100 * 1000);
	return NULL;
}

static void test_threads_do_not_collide(void **state)
{
	int64_t *ids = xcalloc(4 * EACH, sizeof(*ids));
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * EACH), 0);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_all_differ(ids, 4 * EACH);
	free(ids);
}

static void test_text_there_and_back(void **state)
{
	static const struct {
		int64_t id;
		const char *text;
	} rows[] = {
		{ 0, "pro_0000000000000" },
		{ 1, "pro_0000000000001" },
		{ 31, "pro_000000000000z" },
		{ 32, "pro_0000000000010" },
		{ INT64_MAX, "pro_7zzzzzzzzzzzz" },
	};
	char text[ID_TEXT];
	int64_t id;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(id_text("pro", rows[i].id, text), rows[i].text);
		assert_int_equal(id_parse("pro", rows[i].text, &id), 0);
		assert_true(id == rows[i].id);
	}
}

static void test_text_sorts_as_the_numbers(void **state)
{
	char before[ID_TEXT], text[ID_TEXT];
	int64_t id;
	int i;

	id_text("del", id_new(7, NOV_2026 + US_DAY), before);
	for (i = 1; i < 1000; i++) {
		id = id_new(7, NOV_2026 + US_DAY + i * INT64_C(777000));
		assert_true(strcmp(before, id_text("del", id, text)) < 0);
		memcpy(before, text, sizeof(before));
	}
}

static void test_what_is_no_id(void **state)
{
	static const char *const rows[] = {
		"", "pro", "pro_", "pro_000000000000", "pro_00000000000000", "enr_0000000000000", "pro-0000000000000",
		"pro_000000000000u", "pro_000000000000Z", "pro_00000000000 0", "pro_8000000000000", "pro_zzzzzzzzzzzzz",
		" pro_0000000000000", "pro_0000000000000 ", "0000000000000",
	};
	int64_t id = 42;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(id_parse("pro", rows[i], &id), -1);
	assert_true(id == 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_id_names_its_bucket_and_time),
		cmocka_unit_test(test_a_standing_or_stepping_clock_repeats_none),
		cmocka_unit_test(test_threads_do_not_collide),
		cmocka_unit_test(test_text_there_and_back),
		cmocka_unit_test(test_text_sorts_as_the_numbers),
		cmocka_unit_test(test_what_is_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
