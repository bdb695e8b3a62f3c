/*
 * test_crash.c: a crash point kills at the passage that was asked for, and at no other; and is nothing in other builds.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* both faces of the macro, whatever this build is */
#ifndef NURTURED_CRASH
#include "base/crash.h"
#endif

static void pass_quietly(void)
{
#ifndef NURTURED_CRASH
	CRASH_POINT("a.point");
#endif
}

#undef BASE_CRASH_H
#undef CRASH_POINT
#ifndef NURTURED_CRASH
#define NURTURED_CRASH
#include "../../daemon/base/crash.c"
#else
#include "base/crash.h"
#endif

/* How many passages a child survives with NURTURED_CRASH=wish; 100 if it lives. */
static int survives(const char *wish, const char *point)
{
	int status, fds[2];
	unsigned char n = 0;
	char buffer[200];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		setenv("NURTURED_CRASH", wish, 1);
		for (n = 0; n < 100; n++) {
			CRASH_POINT("another.point");
			CRASH_POINT(point);
			if (write(fds[1], "x", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	n = (unsigned char)read(fds[0], buffer, sizeof(buffer));
	close(fds[0]);
	if (n == 100)
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	else
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return n;
}

static void test_it_kills_at_the_nth_passage(void **state)
{
	static const struct {
		const char *wish;
		int survived;
	} rows[] = {
		{ "a.point", 0 }, { "a.point:1", 0 }, { "a.point:3", 2 }, { "a.point:100", 99 }, { "a.point:101", 100 },
		{ "a.poin", 100 }, { "a.point2", 100 }, { "a.point2:1", 100 }, { "", 100 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(survives(rows[i].wish, "a.point"), rows[i].survived);
}

static void test_without_the_variable_or_the_build_it_does_nothing(void **state)
{
	unsetenv("NURTURED_CRASH");
	CRASH_POINT("a.point");
	setenv("NURTURED_CRASH", "a.point:1", 1);
	pass_quietly();
	unsetenv("NURTURED_CRASH");
}

static void test_a_stall_delays_every_passage(void **state)
{
	struct timespec before, after;

	setenv("NURTURED_STALL", "a.point:20", 1);
	clock_gettime(CLOCK_MONOTONIC, &before);
	CRASH_POINT("another.point");
	CRASH_POINT("a.point");
	CRASH_POINT("a.point");
	clock_gettime(CLOCK_MONOTONIC, &after);
	unsetenv("NURTURED_STALL");
	assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 39);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_kills_at_the_nth_passage),
		cmocka_unit_test(test_a_stall_delays_every_passage),
		cmocka_unit_test(test_without_the_variable_or_the_build_it_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
