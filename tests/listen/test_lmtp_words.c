/* test_lmtp_words.c: command lines of LMTP, and the message behind DATA, however it is cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/listen/lmtp_words.h"

static void commands_are_read(void **state)
{
	static const struct {
		const char *line;
		enum lmtp_verb verb;
		const char *path, *wrong;	/* the code that it is answered with; NULL: none */
		int64_t size;
	} rows[] = {
		{ "LHLO mx.test", LMTP_LHLO, "", NULL, 0 }, { "lhlo mx.test", LMTP_LHLO, "", NULL, 0 }, { "LHLO", LMTP_LHLO, "", "501", 0 },
		{ "EHLO mx.test", LMTP_SMTP, "", "500", 0 }, { "HELO mx.test", LMTP_SMTP, "", "500", 0 },
		{ "MAIL FROM:<a@b.test>", LMTP_MAIL, "a@b.test", NULL, 0 }, { "mail from: <a@b.test>", LMTP_MAIL, "a@b.test", NULL, 0 },
		{ "MAIL FROM:<>", LMTP_MAIL, "", NULL, 0 }, { "MAIL FROM:a@b.test", LMTP_MAIL, "", "501", 0 }, { "MAIL", LMTP_MAIL, "", "501", 0 },
		{ "MAIL FROM:<a@b.test> SIZE=123 BODY=8BITMIME SMTPUTF8", LMTP_MAIL, "a@b.test", NULL, 123 },
		{ "MAIL FROM:<a@b.test> size=9", LMTP_MAIL, "a@b.test", NULL, 9 }, { "MAIL FROM:<a@b.test> SIZE=-1", LMTP_MAIL, "a@b.test", "501", -1 },
		{ "MAIL FROM:<a@b.test> SIZE=99999999999999999999999999", LMTP_MAIL, "a@b.test", "501", 0 },
		{ "MAIL FROM:<a@b.test> SIZE=", LMTP_MAIL, "a@b.test", "555", 0 }, { "MAIL FROM:<a@b.test>SIZE=1", LMTP_MAIL, "a@b.test", "501", 0 },
		{ "MAIL FROM:<a@b.test> RET=FULL", LMTP_MAIL, "a@b.test", "555", 0 },
		{ "RCPT TO:<r+x@reply.test>", LMTP_RCPT, "r+x@reply.test", NULL, 0 }, { "RCPT TO:<>", LMTP_RCPT, "", "501", 0 },
		{ "RCPT TO:<@one.test,@two.test:a@b.test>", LMTP_RCPT, "a@b.test", NULL, 0 },
		{ "RCPT TO:<\"a>b\"@c.test>", LMTP_RCPT, "\"a>b\"@c.test", NULL, 0 }, { "RCPT TO:<\"a\\\">\"@c.test>", LMTP_RCPT, "\"a\\\">\"@c.test", NULL, 0 },
		{ "RCPT TO:<a@b.test", LMTP_RCPT, "", "501", 0 }, { "RCPT TO:<a\tb@c.test>", LMTP_RCPT, "", "501", 0 },
		{ "RCPT TO:<a@b.test> SIZE=1", LMTP_RCPT, "a@b.test", "555", 0 },
		{ "DATA", LMTP_DATA, "", NULL, 0 }, { "DATA  ", LMTP_DATA, "", NULL, 0 }, { "DATA x", LMTP_DATA, "", "501", 0 },
		{ "RSET", LMTP_RSET, "", NULL, 0 }, { "NOOP x", LMTP_NOOP, "", NULL, 0 }, { "VRFY x", LMTP_VRFY, "", NULL, 0 }, { "QUIT", LMTP_QUIT, "", NULL, 0 },
		{ "DATAX", LMTP_UNKNOWN, "", "500", 0 }, { "", LMTP_UNKNOWN, "", "500", 0 }, { "STARTTLS", LMTP_UNKNOWN, "", "500", 0 },
	};
	struct lmtp_command c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lmtp_command_read(&c, rows[i].line, strlen(rows[i].line));
		if (c.verb != rows[i].verb || strcmp(c.path, rows[i].path) != 0 || c.size != rows[i].size ||
				(c.wrong ? c.wrong : "")[0] != (rows[i].wrong ? rows[i].wrong : "")[0] ||
				(rows[i].wrong && strncmp(c.wrong, rows[i].wrong, 3) != 0))
			fail_msg("%s: verb %d, path %s, size %lld, %s", rows[i].line, c.verb, c.path, (long long)c.size, c.wrong ? c.wrong : "fine");
	}
	lmtp_command_read(&c, "NOOP a\0b", 8);
	assert_memory_equal(c.wrong, "500", 3);
}

static void a_path_has_its_length(void **state)
{
	char line[LMTP_PATH_MAX + 40] = "RCPT TO:<";
	struct lmtp_command c;
	size_t n = strlen(line);

	(void)state;
	memset(line + n, 'x', LMTP_PATH_MAX + 1);
	line[n + LMTP_PATH_MAX] = '>';
	lmtp_command_read(&c, line, n + LMTP_PATH_MAX + 1);
	assert_null(c.wrong);
	assert_int_equal(strlen(c.path), LMTP_PATH_MAX);
	line[n + LMTP_PATH_MAX] = 'x';
	line[n + LMTP_PATH_MAX + 1] = '>';
	lmtp_command_read(&c, line, n + LMTP_PATH_MAX + 2);
	assert_memory_equal(c.wrong, "501", 3);
}

static const struct {
	const char *said, *means;	/* NULL: it does not end */
	size_t rest;			/* bytes behind its end */
} messages[] = {
	{ "a\r\n.\r\n", "a\r\n", 0 }, { ".\r\n", "", 0 }, { ".\r\nQUIT\r\n", "", 6 }, { "..\r\n.\r\n", ".\r\n", 0 },
	{ ".a\r\n..b\r\n.\r\n", "a\r\n.b\r\n", 0 }, { "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", 0 }, { "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", 0 },
	{ "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", 0 }, { "a\r.\r\n.\r\n", "a\r.\r\n", 0 }, { "a\r\r\n.\r\n", "a\r\r\n", 0 }, { "a\r\n.\r", NULL, 0 }, { "a", NULL, 0 },
};

static void feed(size_t i, size_t step)
{
	const char *s = messages[i].said;
	struct lmtp_data d = { .most = 1000 };
	size_t n = strlen(s), at = 0;
	bool ended = false;

	while (at < n && !ended)
		at += lmtp_data_feed(&d, s + at, n - at < step ? n - at : step, &ended);
	assert_int_equal(ended, messages[i].means != NULL);
	if (ended) {
		assert_string_equal(buf_cstr(&d.bytes), messages[i].means);
		assert_int_equal(d.size, d.bytes.len);
		assert_int_equal(n - at, messages[i].rest);
	}
	buf_clear(&d.bytes);
}

static void dots_are_taken_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		for (size_t step = 1; step < 20; step++)
			feed(i, step);
}

static void what_is_too_much_is_counted(void **state)
{
	struct lmtp_data d = { .most = 3 };
	bool ended;

	(void)state;
	assert_int_equal(lmtp_data_feed(&d, "abcdef\r\n.\r\n", 11, &ended), 11);
	assert_true(ended);
	assert_string_equal(buf_cstr(&d.bytes), "abc");
	assert_int_equal(d.size, 8);
	buf_clear(&d.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_read),
		cmocka_unit_test(a_path_has_its_length),
		cmocka_unit_test(dots_are_taken_out),
		cmocka_unit_test(what_is_too_much_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
