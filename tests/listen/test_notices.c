/* test_notices.c: whom a notice is about, where no delivery status says so or not rightly, and why, where one program alone says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "listen/reading.h"

#define RECEIVED (INT64_C(1793613600) * US_SECOND)
#define PARTS 5

static void make(struct buf *out, const char *const *part)
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
		const char *part[PARTS];
		char *rest = line;

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
	assert_int_equal(good, count);
}

struct told {
	const char *from, *fields, *subject, *words;
	enum reading_class class;
	const char *reason, *recipient;
};

static bool is_told(const struct told *t)
{
	const struct reading_setting setting = { .rules = NULL };
	struct buf raw = BUF_INIT;
	struct mail_reading r;
	bool good;

	make(&raw, (const char *const[]){ "", t->from, t->fields, t->subject, t->words });
	reading_make(&r, raw.data, raw.len, RECEIVED, &setting);
	good = r.class == t->class && !strcmp(r.bounce.reason, t->reason) && !strcmp(r.bounce.recipient, t->recipient);
	if (!good)
		print_message("%s %s <%s>, not %s %s <%s>\n%s\n", reading_class_name(r.class), r.bounce.reason, r.bounce.recipient, reading_class_name(t->class),
			t->reason, t->recipient, buf_cstr(&raw));
	reading_clear(&r);
	buf_clear(&raw);
	return good;
}

/* What some programs alone write. */
static void why_as_the_program_tells(void **state)
{
	static const char plain[] = "text/plain; charset=utf-8";
	static const struct told cases[] = {
		/* managers of lists: fml, Mailman; what waits is not refused */
		{ "dogs-admin@list.example", "text/plain\nX-MLServer: fml [fml 4.0.3]", "Ignored non-member article from sales@shop.example (dogs ML)",
			"Hello, this is the manager of <dogs@list.example>.\nsales@shop.example is not a member of it.", READING_BOUNCE, "rejected", "dogs@list.example" },
		{ "dogs-bounces@list.example", "text/plain\nX-Mailman-Version: 2.1.39", "Request to mailing list Dogs rejected",
			"Your request to the Dogs mailing list\n\n    Posting of your message titled \"Our guide\"\n\nhas been rejected by the list moderator. The reason:\n\n"
			"\"Non-members are not allowed to post here.\"\n\nQuestions: dogs-owner@list.example", READING_BOUNCE, "rejected", "dogs-owner@list.example" },
		{ "dogs-owner@list.example", "text/plain\nX-Mailman-Version: 2.1.39", "Your message to Dogs awaits moderator approval",
			"Your mail to 'Dogs' is being held until the list moderator can review it: post by non-member.", READING_HUMAN, "", "" },
		{ "Ann Owner <ann-owner@people.example>", plain, "Re: dogs", "I am not a member of your list, and do not want to be.", READING_HUMAN, "", "" },
		/* qmail says on one line what it was at, on the next what it heard */
		{ "MAILER-DAEMON@mx.shop.example", plain, "failure notice", "Hi. This is the qmail-send program at mx.shop.example.\n\n<bob@people.example>:\n"
			"Connected to 192.0.2.1 but greeting failed.\nRemote host said: 421 later\nI'm not going to try again; this message has been in the queue too long.",
			READING_BOUNCE, "blocked", "bob@people.example" },
		/* sendmail: how a program ended */
		{ "MAILER-DAEMON@mx.people.example", "multipart/report; report-type=delivery-status; boundary=b", "Returned mail: see transcript for details",
			"--b\n\n   ----- Transcript of session follows -----\n554 5.3.0 unknown mailer error 255\n\n--b\nContent-Type: message/delivery-status\n\n"
			"Reporting-MTA: dns; mx.people.example\n\nFinal-Recipient: RFC822; bob@people.example\nAction: failed\nStatus: 5.3.0\n"
			"Diagnostic-Code: X-Unix; 255\n\n--b--", READING_BOUNCE, "mailererror", "bob@people.example" },
	};
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		wrong += !is_told(&cases[i]);
	assert_int_equal(wrong, 0);
}

/* What reading a notice with that many addresses on one line takes of the arena. */
static size_t taken_by(int addresses)
{
	const struct reading_setting setting = { .rules = NULL };
	struct buf words = BUF_INIT, raw = BUF_INIT;
	struct mail_reading r;
	size_t taken;

	buf_str(&words, "550 5.1.1 unknown user");
	for (int i = 0; i < addresses; i++)
		buf_printf(&words, " u%d@empfang.example", i);
	make(&raw, (const char *const[]){ "", "MAILER-DAEMON@mx.relay.example", "text/plain; charset=utf-8", "Undelivered Mail Returned to Sender", words.data });
	reading_make(&r, raw.data, raw.len, RECEIVED, &setting);
	assert_int_equal(r.class, READING_BOUNCE);
	assert_string_equal(r.bounce.recipient, "u0@empfang.example");
	taken = arena_used(r.arena);
	reading_clear(&r);
	buf_clear(&words);
	buf_clear(&raw);
	return taken;
}

static void many_addresses_on_a_line_cost_what_a_line_of_that_length_does(void **state)
{
	size_t some, many;

	(void)state;
	some = taken_by(500);
	many = taken_by(5000);
	print_message("| 500 addresses on a line take %zu KB, 5000 %zu KB\n", some / 1000, many / 1000);
	assert_true(many < 15 * some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_did_not_get_it),
		cmocka_unit_test(why_as_the_program_tells),
		cmocka_unit_test(many_addresses_on_a_line_cost_what_a_line_of_that_length_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
