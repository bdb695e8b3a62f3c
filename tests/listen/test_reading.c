/*
 * test_reading.c: whole mails, each written for the form that it stands for, and what must be read in them.
 */
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
#include "base/text.h"
#include "listen/reading.h"
#include "shipped.h"

#define TOKEN "aebagbafaydqqcikbmgq2dqpcaireeyuca"
#define RECEIVED (INT64_C(1793613600) * US_SECOND)

struct row {
	const char *file;
	enum reading_class class;
	const char *auto_kind, *intent, *text;	/* text: how it begins */
	const char *where;			/* of the strongest token */
	char kind;
	const char *until;			/* day, or "" */
	enum bounce_kind bounce;
	const char *reason, *status, *recipient;
};

static const struct row rows[] = {
	{"human_gmail", READING_HUMAN, "", "meeting", "Could we have a quick call on Thursday?",
		"x-original-to", 'r', "2026-11-05", 0, "", "", ""},
	{"human_outlook_html_only", READING_HUMAN, "", "pricing", "Was kostet das f\xc3\xbcr 20 Benutzer?",
		"to", 'r', "", 0, "", "", ""},
	{"human_about_absence", READING_HUMAN, "", "not_now", "Thanks, I read it", "to", 'r', "2027-02-02", 0,
		"", "", ""},
	{"human_base64_latin", READING_HUMAN, "", "unsubscribe",
		"Please remove me from your list. Caf\xc3\xa9", "to", 'r', "", 0, "", "", ""},
	{"auto_ooo", READING_AUTO, "ooo", "", "I am out of the office", "to", 'b', "2026-11-12", 0, "", "",
		""},
	{"auto_ooo_without_fields", READING_AUTO, "ooo", "", "I am currently on annual leave", "to", 'r',
		"2026-11-09", 0, "", "", ""},
	{"auto_left", READING_AUTO, "left_company", "", "Bob has left", "to", 'r', "", 0, "", "", ""},
	{"auto_ticket", READING_AUTO, "auto_ack", "", "Thank you for contacting", "to", 'r', "", 0, "", "",
		""},
	{"own_loop", READING_AUTO, "own_loop", "", "Hello Bob", NULL, 0, "", 0, "", "", ""},
	{"bounce_postfix", READING_BOUNCE, "", "", "", "delivered-to", 'b', "", BOUNCE_HARD, "userunknown",
		"5.1.1", "bob@people.test"},
	{"bounce_delayed", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_NONE, "expired", "4.4.1",
		"bob@people.test"},
	{"bounce_exim", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.2.2",
		"bob@people.test"},
	{"bounce_qmail", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_HARD, "userunknown", "5.1.1",
		"bob@people.test"},
	{"bounce_spf", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SENDER, "authfailure", "5.7.26",
		"bob@people.test"},
	{"bounce_two_recipients", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.2.2", "bob@people.test"},
	{"bounce_cisco", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.2.2", "bob@people.test"},
	{"bounce_powermta", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "suspend", "5.0.0", "bob@people.test"},
	{"bounce_dovecot", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "", "bob@people.test"},
	{"bounce_label", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.5.0", "bob@people.test"},
	{"bounce_ses_sns", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_HARD, "userunknown", "5.1.1", "bob@people.test"},
	{"bounce_gmail_old", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_HARD, "userunknown", "", "bob@people.test"},
	{"bounce_nobody_says_when", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "filtered", "", "bob@people.test"},
	{"bounce_spanish", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "", "bob@people.test"},
	{"bounce_forwarded", READING_BOUNCE, "", "", "", "to", 'r', "", BOUNCE_HARD, "userunknown", "5.1.1", "bob@people.test"},
	{"bounce_unindented_boundary", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_HARD, "userunknown", "", "bob@people.test"},
	{"bounce_attached", READING_BOUNCE, "", "", "", "original to", 'b', "", BOUNCE_HARD, "userunknown", "5.1.1", "bob@people.test"},
	{"bounce_text_attached", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.2.2", "bob@people.test"},
	{"bounce_list", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_SOFT, "mailboxfull", "5.2.2", "ann@people.test"},
	{"bounce_postfix_two", READING_BOUNCE, "", "", "", "to", 'b', "", BOUNCE_HARD, "userunknown", "5.0.0", "ann@people.test"},
	{"human_about_bounces", READING_HUMAN, "", "pricing", "Since March", "to", 'r', "", 0, "", "", ""},
	{"complaint_hotmail", READING_COMPLAINT, "", "", "", "original message-id", 'm', "", 0, "", "", ""},
	{"mdn_deleted", READING_MDN, "", "", "", "to", 'r', "", 0, "", "", ""},
	{"complaint_arf", READING_COMPLAINT, "", "", "", "original message-id", 'm', "", 0, "", "", ""},
	{"complaint_not_spam", READING_AUTO, "auto", "", "", "original message-id", 'm', "", 0, "", "", ""},
	{"mdn", READING_MDN, "", "", "", "to", 'r', "", 0, "", "", ""},
	{"challenge", READING_CHALLENGE, "", "", "", "to", 'r', "", 0, "", "", ""},
	{"unsubscribe_mailto", READING_UNSUBSCRIBE, "", "", "", "to", 'u', "", 0, "", "", ""},
	{"unsubscribe_apple", READING_UNSUBSCRIBE, "", "", "", "to", 'r', "", 0, "", "", ""},
	{"calendar", READING_CALENDAR, "", "", "", "to", 'r', "", 0, "", "", ""},
};

static void load(const char *name, struct buf *out)
{
	char path[200], chunk[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "tests/listen/mails/%s.eml", name);
	f = fopen(path, "rb");
	if (!f)
		print_error("%s cannot be read: run from the root of the tree\n", path);
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
}

static int differs(const struct row *row, const char *what, const char *got, const char *want)
{
	if (!strcmp(got, want))
		return 0;
	print_error("%s: %s is \"%s\", not \"%s\"\n", row->file, what, got, want);
	return 1;
}

static int compare_token(const struct row *row, const struct mail_reading *r)
{
	if (!row->where)
		return 0;
	if (!r->token_count) {
		print_error("%s: no token\n", row->file);
		return 1;
	}
	return differs(row, "token", r->tokens[0].text, TOKEN) +
	       differs(row, "where", r->tokens[0].where, row->where) + (r->tokens[0].kind != row->kind);
}

static int compare(const struct row *row, const struct mail_reading *r)
{
	struct buf day = BUF_INIT;
	int bad = 0;

	if (r->return_date)
		text_time(&day, r->return_date);
	bad += differs(row, "class", reading_class_name(r->class), reading_class_name(row->class));
	bad += differs(row, "auto_kind", r->auto_kind, row->auto_kind);
	bad += differs(row, "intent", r->intent, row->intent);
	if (strncmp(r->text, row->text, strlen(row->text)))
		bad += differs(row, "text", r->text, row->text);
	bad += compare_token(row, r);
	bad += strncmp(buf_cstr(&day), row->until, *row->until ? strlen(row->until) : 1)
		       ? differs(row, "until", buf_cstr(&day), row->until)
		       : 0;
	bad += differs(row, "bounce", bounce_kind_name(r->bounce.kind), bounce_kind_name(row->bounce));
	bad += differs(row, "reason", r->bounce.reason, row->reason);
	bad += differs(row, "status", r->bounce.status, row->status);
	bad += differs(row, "recipient", r->bounce.recipient, row->recipient);
	buf_clear(&day);
	return bad;
}

static void mails(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf raw = BUF_INIT;
		struct mail_reading r;
		json_t *said;

		load(rows[i].file, &raw);
		reading_make(&r, raw.data, raw.len, RECEIVED, &(struct reading_setting){ .rules = shipped_rules() });
		bad += compare(&rows[i], &r);
		said = reading_json(&r);
		assert_string_equal(
			json_string_value(json_object_get(said, "class")), reading_class_name(rows[i].class));
		json_decref(said);
		reading_clear(&r);
		buf_clear(&raw);
	}
	assert_int_equal(bad, 0);
}

/* A report says which of its recipients failed, a receipt what became of the mail, and a complaint who complains. */
static void parts_of_reports(void **state)
{
	struct buf raw = BUF_INIT;
	struct mail_reading r;

	(void)state;
	load("bounce_two_recipients", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_int_equal(r.bounce_count, 2);
	assert_string_equal(r.bounces[0].recipient, "ann@people.test");
	assert_int_equal(r.bounces[0].kind, BOUNCE_NONE);
	assert_string_equal(r.bounces[1].reason, "mailboxfull");
	assert_string_equal(r.about, "bob@people.test");
	reading_clear(&r);
	buf_reset(&raw);
	load("mdn_deleted", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_string_equal(r.disposition, "deleted");
	reading_clear(&r);
	buf_reset(&raw);
	load("complaint_hotmail", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_string_equal(r.about, "bob@people.test");
	reading_clear(&r);
	buf_clear(&raw);
}

/* What begins parts in a mail that is answered below begins none of the answer: its boundary has one. */
static void boundaries_that_are_text(void **state)
{
	static const char mail[] = "From: a@people.test\nTo: info@reply.test\nSubject: Re: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"out\"\n\n"
		"--out\n\nPlease stop mailing me. This is what I got:\n\n--inner\nContent-Type: text/plain\n\nYes, I am interested\n\n--inner--\n\n--out--\n";
	static const char odd[] = "From: a@people.test\nContent-Type: multipart/mixed\n\n--x\\\nContent-Type: text/plain\n\nStop, please\n--x\\--\n";
	struct mail_reading r;

	(void)state;
	reading_make(&r, mail, sizeof(mail) - 1, RECEIVED, NULL);
	assert_true(text_starts_with(r.text, "Please stop mailing me."));
	reading_clear(&r);
	reading_make(&r, odd, sizeof(odd) - 1, RECEIVED, NULL);
	assert_non_null(strstr(r.text, "Stop, please"));
	reading_clear(&r);
}

/* Each recipient is judged by what the notice says of it, with a delivery status or without. */
static void parts_of_notices(void **state)
{
	struct buf raw = BUF_INIT;
	struct mail_reading r;

	(void)state;
	load("bounce_list", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_int_equal(r.bounce_count, 2);
	assert_string_equal(r.bounces[0].reason, "mailboxfull");
	assert_string_equal(r.bounces[1].recipient, "bob@others.test");
	assert_string_equal(r.bounces[1].reason, "userunknown");
	reading_clear(&r);
	buf_reset(&raw);
	load("bounce_postfix_two", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_int_equal(r.bounce_count, 2);
	assert_string_equal(r.bounces[0].reason, "userunknown");
	assert_string_equal(r.bounces[1].reason, "filtered");	/* a filter that lies */
	reading_clear(&r);
	buf_clear(&raw);
}

/* SES writes a Message-ID of its own. */
static void ids_of_relays(void **state)
{
	static const char mail[] = "From: a@people.test\nTo: info@reply.test\nSubject: Re: x\n"
		"In-Reply-To: <0102018f2b3c4d5e-6f708192-a3b4-4c5d-8e9f-001122334455-000000@eu-west-1.amazonses.com>\n"
		"References: <0102018f2b3c4d5e-11111111-a3b4-4c5d-8e9f-001122334455-000000@email.amazonses.com> <short@amazonses.com>\n\nhello\n";
	struct mail_reading r;

	(void)state;
	reading_make(&r, mail, sizeof(mail) - 1, RECEIVED, NULL);
	assert_int_equal(r.relay_id_count, 2);
	assert_string_equal(r.relay_ids[0], "0102018f2b3c4d5e-6f708192-a3b4-4c5d-8e9f-001122334455-000000");
	reading_clear(&r);
}

/* Each mail cut anywhere is still a mail. */
static void cut_mails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf raw = BUF_INIT;

		load(rows[i].file, &raw);
		for (size_t n = 0; n < raw.len; n += 37) {
			struct mail_reading r;

			reading_make(&r, raw.data, n, RECEIVED, NULL);
			assert_non_null(r.text);
			reading_clear(&r);
		}
		buf_clear(&raw);
	}
}

static void fields(void **state)
{
	static const char *const own[] = { "other.test", "reply.example.test", NULL };
	static const char from_us[] = "From: r+" TOKEN "@Reply.example.test\nTo: x@people.test\n\nhello\n";
	static const char from_relay[] = "From: mailer-daemon@reply.example.test\nSubject: Undelivered "
					 "Mail\n\nThis is the mail system at host x. User unknown.\n";
	struct buf raw = BUF_INIT;
	struct mail_reading r;

	(void)state;
	load("human_gmail", &raw);
	reading_make(&r, raw.data, raw.len, RECEIVED, NULL);
	assert_string_equal(r.from, "ann@people.test");
	assert_string_equal(r.from_name, "Ann \xc3\x96ther");
	assert_string_equal(r.subject, "Re: Your eBook");
	assert_string_equal(r.message_id, "<CA+1@mail.people.test>");
	assert_string_equal(r.in_reply_to, "<n1." TOKEN "@example.test>");
	assert_int_equal(r.date / US_SECOND, 1793610000);
	assert_int_equal(r.recipient_count, 2);
	assert_int_equal(r.token_count, 1);	/* the same everywhere */
	reading_clear(&r);
	reading_make(&r, from_us, sizeof(from_us) - 1, RECEIVED, &(struct reading_setting){ .own_domains = own });
	assert_string_equal(r.auto_kind, "own_loop");
	reading_clear(&r);
	reading_make(&r, from_relay, sizeof(from_relay) - 1, RECEIVED, &(struct reading_setting){ .own_domains = own });
	assert_int_equal(r.class, READING_BOUNCE);
	reading_clear(&r);
	buf_clear(&raw);
}

/* What was left out of the text, and by which rule; what was attached. */
static void left_out(void **state)
{
	static const char mail[] = "From: a@people.test\nTo: b@x.test\nSubject: Re: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n\n"
				   "--q\nContent-Type: text/plain\n\nPlease call me.\n\nBest regards\nKim\n\nOn Mon, Nov 2, 2026 at 9:00 AM Ana <ana@example.test> wrote:\n"
				   "> Hello\n--q\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf\n\nxxx\n--q--\n";
	struct mail_reading r;

	(void)state;
	reading_make(&r, mail, sizeof(mail) - 1, RECEIVED, NULL);
	assert_int_equal(r.cut_count, 2);
	assert_string_equal(r.cut[0], "\"On ... wrote:\", and what is quoted");
	assert_string_equal(r.cut[1], "shown but not judged: the closing and the name below it");
	assert_int_equal(r.attachment_count, 1);
	assert_string_equal(r.attachments[0], "a.pdf");
	reading_clear(&r);
}

/* Strongest first: where it came to, what it answers, what the original says, what is linked. */
static void order_of_tokens(void **state)
{
	static const char mail[] =
		"From: a@people.test\nTo: r+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2@reply.test, b-short@reply.test\n"
		"In-Reply-To: <n1.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2@x.test>\n"
		"References: <n1.ccccccccccccccccccccccccccccccccc2@x.test> <n1.ddddddddddddddddddddddddddddddddd2@x.test>\nSubject: x\n\n"
		"see https://x.test/c/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee2 and fffffffffffffffffffffffffffffffff2 and "
		"https://x.test/c/ggggggggggggggggggggggggggggggggg2x\n";
	static const char *const want[] = { "to", "in-reply-to", "references", "references", "link" };
	static const char first[] = "abdce";
	struct mail_reading r;

	(void)state;
	reading_make(&r, mail, sizeof(mail) - 1, RECEIVED, NULL);
	assert_int_equal(r.token_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(r.tokens[i].where, want[i]);
		assert_int_equal(r.tokens[i].text[0], first[i]);
	}
	assert_int_equal(r.tokens[4].kind, 'c');
	reading_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails),
		cmocka_unit_test(parts_of_reports), cmocka_unit_test(boundaries_that_are_text), cmocka_unit_test(parts_of_notices),
		cmocka_unit_test(ids_of_relays),
		cmocka_unit_test(cut_mails),
		cmocka_unit_test(fields), cmocka_unit_test(left_out),
		cmocka_unit_test(order_of_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
