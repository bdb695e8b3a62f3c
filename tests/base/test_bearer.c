/*
 * test_bearer.c: a token out of a file or off a command, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bearer.h"
#include "base/loop.h"
#include "base/mem.h"

struct got {
	struct loop *loop;
	char *token, *why;
};

static void done(void *ctx, const char *token, const char *why)
{
	struct got *g = ctx;

	assert_true((token == NULL) != (why == NULL));
	g->token = token ? xstrdup(token) : NULL;
	g->why = why ? xstrdup(why) : NULL;
	loop_stop(g->loop);
}

static void expect(const char *file, const char *const *command, const char *token, const char *why)
{
	struct got g = { .loop = loop_new() };
	struct bearer *b = bearer_fetch(g.loop, file, command, done, &g);

	assert_null(g.token);		/* never within the call */
	assert_null(g.why);
	assert_int_equal(loop_run(g.loop), 0);
	bearer_free(&b);
	assert_null(b);
	if (token)
		assert_string_equal(g.token, token);
	else if (!g.why || !strstr(g.why, why))
		fail_msg("`%s` is not in `%s`", why, g.why ? g.why : g.token);
	free(g.token);
	free(g.why);
	loop_free(&g.loop);
}

static void expect_file(const char *text, const char *token, const char *why)
{
	char path[] = "/tmp/bearer.XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	expect(path, NULL, token, why);
	unlink(path);
}

static void expect_command(const char *script, const char *token, const char *why)
{
	const char *const command[] = { "/bin/sh", "-c", script, NULL };

	expect(NULL, command, token, why);
}

static void a_file_holds_a_token(void **state)
{
	char *large = xcalloc(1, 20001);

	expect_file("ya29.a0Af_B-y~+/==", "ya29.a0Af_B-y~+/==", NULL);
	expect_file("abc\r\nwhat stands behind it\n", "abc", NULL);
	expect_file("", NULL, "is nothing");
	expect_file("\nabc", NULL, "is nothing");
	expect_file("two words", NULL, "is none");
	expect_file("abc\001auth=Bearer other", NULL, "is none");
	expect_file(memset(large, 'a', 20000), NULL, "is none");
	expect("/nowhere/token", NULL, NULL, "/nowhere/token: No such file");
	free(large);
}

static void a_command_prints_a_token(void **state)
{
	const char *const gone[] = { "/nowhere/oama", NULL };

	expect_command("echo abc", "abc", NULL);
	expect_command("exit 3", NULL, "ended by status 3");
	expect_command("echo abc; kill -9 $$", NULL, "ended by signal 9");
	expect_command("true", NULL, "is nothing");
	expect_command("cat; echo abc", "abc", NULL);	/* nothing is typed in */
	expect(NULL, gone, NULL, "/nowhere/oama cannot be started: No such file");
}

static void one_that_runs_is_ended(void **state)
{
	const char *const command[] = { "/bin/sh", "-c", "sleep 1000", NULL };
	struct got g = { .loop = loop_new() };
	struct bearer *b = bearer_fetch(g.loop, NULL, command, done, &g);
	struct bearer *other = bearer_fetch(g.loop, "/dev/null", NULL, done, &g);

	assert_int_equal(loop_run(g.loop), 0);	/* until the other is done */
	bearer_free(&other);
	bearer_free(&b);	/* and waits for its end */
	assert_non_null(g.why);
	free(g.why);
	loop_free(&g.loop);
}

static void a_command_gets_no_file_of_ours(void **state)
{
	char script[100];
	int fd = dup(STDIN_FILENO);	/* stays open in what is executed, as libcurl's sockets do */

	assert_true(fd > 2);
	snprintf(script, sizeof(script), "if [ -e /proc/self/fd/%d ]; then echo open; else echo closed; fi", fd);
	expect_command(script, "closed", NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_holds_a_token),
		cmocka_unit_test(a_command_prints_a_token),
		cmocka_unit_test(a_command_gets_no_file_of_ours),
		cmocka_unit_test(one_that_runs_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
