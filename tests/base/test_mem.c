/*
 * test_mem.c: allocation that dies instead of failing, growing arrays, arenas.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void test_nothing_is_still_something(void **state)
{
	void *p[] = { xmalloc(0), xcalloc(0, 8), xrealloc(NULL, 0), xreallocarray(NULL, 0, 8) };
	size_t i;

	for (i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
}

static void test_copies_of_text(void **state)
{
	char raw[3] = { 'a', 'b', 'c' };
	char *a = xstrdup("text"), *b = xstrndup(raw, 3), *c = xstrndup("ab\0cd", 5), *d = xasprintf("%d-%s", 7, "x");

	assert_string_equal(a, "text");
	assert_string_equal(b, "abc");
	assert_string_equal(c, "ab");
	assert_string_equal(d, "7-x");
	assert_null(xstrdup_null(NULL));
	free(a);
	free(b);
	free(c);
	free(d);
	a = xstrdup_null("y");
	assert_string_equal(a, "y");
	free(a);
}

static void test_arrays_grow_by_doubling(void **state)
{
	static const struct {
		size_t cap, need, want;
	} rows[] = { { 0, 1, 16 }, { 0, 17, 32 }, { 16, 16, 16 }, { 16, 17, 32 }, { 32, 1000, 1024 } };
	size_t i, cap;
	int *a;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cap = rows[i].cap;
		a = cap ? xcalloc(cap, sizeof(*a)) : NULL;
		if (a)
			a[cap - 1] = 42;
		a = xgrow(a, &cap, rows[i].need, sizeof(*a));
		assert_int_equal(cap, rows[i].want);
		if (rows[i].cap)
			assert_int_equal(a[rows[i].cap - 1], 42);
		a[rows[i].need - 1] = 1;
		free(a);
	}
}

static void overflow_product(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 4));
}

static void overflow_growth(void)
{
	size_t cap = 0;

	free(xgrow(NULL, &cap, SIZE_MAX, 1));
}

static void overflow_arena(void)
{
	struct arena *arena = arena_new(0);

	arena_calloc(arena, SIZE_MAX / 2, 4);
	arena_free(&arena);
}

static void test_overflow_is_death(void **state)
{
	static void (*const ways[])(void) = { overflow_product, overflow_growth, overflow_arena };
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			struct rlimit none = { 0, 0 };

			/* cmocka would take the signal for a failure of the test, and nobody wants the core */
			signal(SIGABRT, SIG_DFL);
			setrlimit(RLIMIT_CORE, &none);
			close(STDERR_FILENO);
			ways[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void test_an_arena_gives_aligned_separate_memory(void **state)
{
	struct arena *arena = arena_new(256);
	unsigned char *p[200];
	size_t i, k;

	for (i = 0; i < 200; i++) {
		p[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i);
	}
	for (i = 0; i < 200; i++)
		for (k = 0; k < i; k++)
			assert_int_equal(p[i][k], i);
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void test_an_arena_counts_and_forgets(void **state)
{
	struct arena *arena = arena_new(0);
	char *first = arena_strdup(arena, "one"), *again;
	size_t used;
	int i;

	assert_string_equal(first, "one");
	assert_string_equal(arena_strndup(arena, "threefour", 5), "three");
	assert_string_equal(arena_printf(arena, "%s %d", "n", 12), "n 12");
	assert_string_equal(arena_join(arena, "a", "", "bc"), "abc");
	used = arena_used(arena);
	assert_true(used >= 4 + 6 + 5);
	for (i = 0; i < 1000; i++)
		arena_alloc(arena, 100);
	assert_true(arena_used(arena) >= used + 100000);
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	/* the same blocks serve again */
	again = arena_strdup(arena, "two");
	assert_ptr_equal(first, again);
	assert_string_equal(again, "two");
	arena_free(&arena);
}

static void test_an_arena_takes_what_is_larger_than_its_blocks(void **state)
{
	struct arena *arena = arena_new(64);
	char *small = arena_strdup(arena, "small");
	char *large = arena_alloc(arena, 100000);
	char *zero = arena_calloc(arena, 100, 10);
	int round, i;

	memset(large, 'x', 100000);
	assert_string_equal(small, "small");
	for (i = 0; i < 1000; i++)
		assert_int_equal(zero[i], 0);
	for (round = 0; round < 3; round++) {
		arena_reset(arena);
		arena_alloc(arena, 1);
		large = arena_alloc(arena, 100000);
		memset(large, 'y', 100000);
		zero = arena_calloc(arena, 1000, 1);
		assert_int_equal(zero[999], 0);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_still_something),
		cmocka_unit_test(test_copies_of_text),
		cmocka_unit_test(test_arrays_grow_by_doubling),
		cmocka_unit_test(test_overflow_is_death),
		cmocka_unit_test(test_an_arena_gives_aligned_separate_memory),
		cmocka_unit_test(test_an_arena_counts_and_forgets),
		cmocka_unit_test(test_an_arena_takes_what_is_larger_than_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
