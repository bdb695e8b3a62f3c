/* test_notices.c: whom a notice is about, where no delivery status says so or not rightly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "listen/reading.h"

#define RECEIVED (INT64_C(1793613600) * US_SECOND)
#define PARTS 5
#define LEAST 0.99

static void make(struct buf *out, char *const *part)
{
	buf_reset(out);
	buf_printf(out, "From: %s\nTo: b+abc@bounce.shop.example\nSubject: %s\nDate: Mon, 02 Nov 2026 09:30:00 +0100\nMessage-ID: <1@mx.example>\n"
		"Return-Path: <>\nMIME-Version: 1.0\nContent-Type: %s\n\n", part[1], part[3], part[2]);
	for (const char *s = part[4]; *s; s++) {
		bool line = s[0] == '\\' && s[1] == 'n';

		buf_char(out, line ? '\n' : *s);
		s += line;
	}
	buf_char(out, '\n');
}

static bool is_about(const struct buf *raw, const char *who)
{
	const struct reading_setting setting = { .rules = NULL };
	struct mail_reading r;
	bool good;

	reading_make(&r, raw->data, raw->len, RECEIVED, &setting);
	good = r.class == READING_BOUNCE && !strcmp(r.bounce.recipient, who);
	if (!good)
		print_message("%s, \"%s\"\n%s\n", reading_class_name(r.class), r.class == READING_BOUNCE ? r.bounce.recipient : "", buf_cstr(raw));
	reading_clear(&r);
	return good;
}

static void who_did_not_get_it(void **state)
{
	FILE *f = fopen("tests/listen/words/notices.txt", "r");
	struct buf raw = BUF_INIT;
	char line[8000];
	int count = 0, good = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *part[PARTS], *rest = line;

		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < PARTS; i++)
			assert_non_null(part[i] = strsep(&rest, "\t"));
		make(&raw, part);
		count++;
		good += is_about(&raw, part[0]);
	}
	fclose(f);
	buf_clear(&raw);
	print_message("| of %d notices %d are about whom they are\n", count, good);
	assert_true(good >= LEAST * count);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(who_did_not_get_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
