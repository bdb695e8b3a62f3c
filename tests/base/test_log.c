/*
 * test_log.c: lines as journald and people get them, caught on a pipe in place of standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define NOV_2026 (INT64_C(1795317695) * US_SECOND + 42000)

static int saved = -1, reader = -1;

static void catch(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	saved = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	reader = fds[0];
}

/* What was written, up to 60,000 bytes; each read(2) is one write(2) as long as only one was made. */
static const char *caught(void)
{
	static char text[65536];
	size_t n = 0;
	ssize_t got;

	dup2(saved, STDERR_FILENO);
	close(saved);
	while ((got = read(reader, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(reader);
	text[n] = '\0';
	return text;
}

static int stop_clock(void **state)
{
	clock_set(NOV_2026);
	return 0;
}

static int start_clock(void **state)
{
	clock_set(0);
	return 0;
}

static void test_logfmt(void **state)
{
	log_setup(LOG_INFO, false);
	catch();
	log_info("mail.sent", L_ID("delivery", "del", 33), L_INT("code", 250), L_STR("relay", "main"), L_INT("zero", 0));
	log_warn("smtp.slow", L_STR("reply", "450 4.2.0 \"try\" later\r\n\x1b[31m"), L_STR("empty", ""), L_STR("none", NULL),
		 L_STR("eq", "a=b"), L_STR("utf8", "M\xc3\xbcller"), L_STR("c1", "\xc2\x9b" "31m"), L_STR("bad", "\xff"));
	log_error("disk.full", L_INT("free", INT64_MIN));
	log_debug("not.shown", L_INT("x", 1));
	assert_string_equal(caught(),
		"<6>ts=2026-11-22T03:21:35.042Z level=info event=mail.sent delivery=del_0000000000011 code=250 relay=main zero=0\n"
		"<4>ts=2026-11-22T03:21:35.042Z level=warn event=smtp.slow reply=\"450 4.2.0 \\\"try\\\" later\\r\\n\\u001b[31m\""
		" empty=\"\" none=\"\" eq=\"a=b\" utf8=M\xc3\xbcller c1=\"\\u009b31m\" bad=\"\xef\xbf\xbd\"\n"
		"<3>ts=2026-11-22T03:21:35.042Z level=error event=disk.full free=-9223372036854775808\n");
}

static void test_json(void **state)
{
	json_error_t error;
	const char *line;
	json_t *json;

	log_setup(LOG_DEBUG, true);
	catch();
	log_debug("reply", L_STR("text", "a \"quoted\"\n\x01 word"), L_INT("n", -5), L_ID("prospect", "pro", 1));
	line = caught();
	assert_memory_equal(line, "<7>{", 4);
	json = json_loads(line + 3, 0, &error);
	assert_non_null(json);
	assert_int_equal(json_object_size(json), 6);
	assert_string_equal(json_string_value(json_object_get(json, "ts")), "2026-11-22T03:21:35.042Z");
	assert_string_equal(json_string_value(json_object_get(json, "level")), "debug");
	assert_string_equal(json_string_value(json_object_get(json, "event")), "reply");
	assert_string_equal(json_string_value(json_object_get(json, "text")), "a \"quoted\"\n\x01 word");
	assert_string_equal(json_string_value(json_object_get(json, "prospect")), "pro_0000000000001");
	assert_int_equal(json_integer_value(json_object_get(json, "n")), -5);
	json_decref(json);
}

static void test_levels(void **state)
{
	int level;

	for (level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		const char *text, *p;
		int lines = 0;

		log_setup((enum log_level)level, false);
		catch();
		log_error("a", L_INT("x", 1));
		log_warn("b", L_INT("x", 1));
		log_info("c", L_INT("x", 1));
		log_debug("d", L_INT("x", 1));
		text = caught();
		for (p = text; (p = strchr(p, '\n')); p++)
			lines++;
		assert_int_equal(lines, level + 1);
		assert_true(log_enabled((enum log_level)level));
		assert_int_equal(log_enabled(LOG_DEBUG), level == LOG_DEBUG);
	}
}

static void test_values_are_cut_between_characters(void **state)
{
	char *s = xcalloc(3001, 1);
	const char *line, *value;
	int i;

	log_setup(LOG_INFO, false);
	for (i = 0; i < 1000; i++)
		memcpy(s + 3 * i, "\xe2\x82\xac", 3);
	catch();
	log_info("long", L_STR("v", s));
	line = caught();
	value = strstr(line, " v=");
	assert_non_null(value);
	assert_int_equal(strlen(value), 3 + 999 + 1);
	assert_memory_equal(value + 3, s, 999);
	memset(s, 'a', 3000);
	catch();
	log_info("long", L_STR("v", s));
	value = strstr(caught(), " v=");
	assert_int_equal(strlen(value), 3 + 1000 + 1);
	free(s);
}

static void *shout(void *arg)
{
	int i;

	for (i = 0; i < 100; i++)
		log_info("shout", L_STR("who", arg), L_STR("again", arg));
	return NULL;
}

static void test_threads_write_whole_lines(void **state)
{
	static char who[4][101];
	pthread_t threads[4];
	const char *p;
	int i, lines = 0;

	log_setup(LOG_INFO, false);
	catch();
	/* all 400 lines must fit before anybody reads */
	assert_true(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 1 << 20) >= 1 << 18);
	for (i = 0; i < 4; i++) {
		memset(who[i], 'a' + i, 30);
		assert_int_equal(pthread_create(&threads[i], NULL, shout, who[i]), 0);
	}
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (p = caught(); *p; p = strchr(p, '\n') + 1) {
		const char *one = strstr(p, " who="), *two = strstr(p, " again=");

		assert_non_null(one);
		assert_non_null(two);
		assert_memory_equal(p, "<6>ts=", 6);
		assert_memory_equal(one + 5, two + 7, 30);
		lines++;
	}
	assert_int_equal(lines, 400);
}

static void count_soon(void *arg)
{
	++*(int *)arg;
}

static int lines_of(const char *text)
{
	int n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static void test_lines_are_gathered(void **state)
{
	char text_of_900[901];
	const char *long_one = text_of_900;
	int soon = 0, i;
	const char *text;

	log_setup(LOG_INFO, false);
	catch();
	log_gather(count_soon, &soon);
	log_info("first", L_INT("x", 1));
	log_info("second", L_INT("x", 1));
	assert_int_equal(soon, 1);
	assert_string_equal(caught(), "");
	catch();
	log_flush();
	text = caught();
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(strstr(text, "first"), "second"));
	/* trouble is told at once, behind what came before it */
	catch();
	log_info("third", L_INT("x", 1));
	log_warn("trouble", L_INT("x", 1));
	assert_int_equal(soon, 2);
	text = caught();
	assert_non_null(strstr(strstr(text, "third"), "trouble"));
	/* 4 KB are written without being asked for */
	memset(text_of_900, 'a', 900);
	text_of_900[900] = '\0';
	catch();
	for (i = 0; i < 5; i++)
		log_info("long", L_STR("v", long_one));
	assert_int_equal(lines_of(caught()), 4);
	catch();
	log_gather(NULL, NULL);
	log_info("last", L_INT("x", 1));
	assert_int_equal(lines_of(caught()), 2);
}

static void test_errno_survives(void **state)
{
	log_setup(LOG_INFO, false);
	catch();
	close(STDERR_FILENO);
	errno = ENOENT;
	log_info("into.the.void", L_INT("x", 1));
	assert_int_equal(errno, ENOENT);
	caught();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logfmt),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_values_are_cut_between_characters),
		cmocka_unit_test(test_threads_write_whole_lines),
		cmocka_unit_test(test_lines_are_gathered),
		cmocka_unit_test(test_errno_survives),
	};

	return cmocka_run_group_tests(tests, stop_clock, start_clock);
}
