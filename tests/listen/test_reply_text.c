/*
 * test_reply_text.c: what is left of a reply: to be shown, and to be judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../daemon/listen/html_text.h"
#include "../../daemon/listen/reply_text.h"
#include "base/buf.h"
#include "base/mem.h"

struct row {
	const char *name, *mail, *text, *judged;
};

static const struct row rows[] = {
	{ "nothing to cut", "Yes please.\n", "Yes please.", "Yes please." },
	{ "english attribution", "Call me.\n\nOn Mon, 2 Nov 2026 at 10:00, Ana <a@example.test> wrote:\n> Hello\n> unsubscribe\n", "Call me.", "Call me." },
	{ "wrapped attribution", "Call me.\n\nOn Mon, 2 Nov 2026 at 10:00, Ana Very Long Name of a Person\n<a@example.test>\nwrote:\n\n> Hello\n", "Call me.", "Call me." },
	{ "german", "Gerne.\n\nAm 2. Nov. 2026 um 10:00 schrieb Ana <a@example.test>:\n> Hallo\n", "Gerne.", "Gerne." },
	{ "name first", "Gerne.\n\nAna <a@example.test> schrieb am Mo., 2. Nov. 2026 um 10:00 Uhr:\n\n> Hallo\n", "Gerne.", "Gerne." },
	{ "french", "Oui.\n\nLe lun. 2 nov. 2026 \xc3\xa0 10:00, Ana <a@example.test> a \xc3\xa9""crit :\n> Bonjour\n", "Oui.", "Oui." },
	{ "spanish", "Si.\n\nEl lun, 2 nov 2026 a las 10:00, Ana (<a@example.test>) escribi\xc3\xb3:\n> Hola\n", "Si.", "Si." },
	{ "outlook header block", "Call me.\n\nFrom: Ana <a@example.test>\nSent: Monday, 2 November 2026 10:00\nTo: Bob\nSubject: Hello\n\nHello Bob\n", "Call me.", "Call me." },
	{ "german header block", "Gerne.\n\nVon: Ana <a@example.test>\nGesendet: Montag, 2. November 2026 10:00\nAn: Bob\nBetreff: Hallo\n\nHallo\n", "Gerne.", "Gerne." },
	{ "original message", "No.\n\n-----Original Message-----\nFrom: Ana\nHello\n", "No.", "No." },
	{ "signature", "Yes.\n-- \nBob\nDirector\n", "Yes.", "Yes." },
	{ "telephone", "Yes.\n\nSent from my iPhone\n", "Yes.", "Yes." },
	{ "closing is shown, not judged", "How much is it?\n\nBest regards,\nBob Price\nHead of Demo\n", "How much is it?\n\nBest regards,\nBob Price\nHead of Demo", "How much is it?\n\n" },
	{ "answers between quotes", "On Mon, Ana <a@example.test> wrote:\n> Shall we call?\n\nNo.\n\n> Want a book?\n\nYes.\n",
	  "> Shall we call?\n\nNo.\n\n> Want a book?\n\nYes.", "No.\n\n\nYes." },
	{ "answer below", "On Mon, Ana <a@example.test> wrote:\n> Shall we call?\n\nYes, call me.\n", "Yes, call me.", "Yes, call me." },
	{ "only a quote", "> Please unsubscribe\n", "> Please unsubscribe", "" },
	{ "forwarded at the top: its words", "---------- Forwarded message ---------\nFrom: Ana <a@example.test>\nDate: Mon\nSubject: Hello\nTo: Bob\n\nHello Bob\n",
	  "Hello Bob", "Hello Bob" },
	{ "Zoho", "Yes.\n\n---- On Tue, 22 Dec 2015 14:17:36 +0530 Ana <a@example.test> wrote ----\n\n Hello\n", "Yes.", "Yes." },
	{ "a date, a zone, a name", "Yes.\n\n2026-03-03 17:21 GMT+01:00 Ana Berg\n\nHello\n", "Yes.", "Yes." },
	{ "a name and an address", "Yes.\n\nAna <a@example.test> schrieb:\n\nHallo\n", "Yes.", "Yes." },
	{ "mail.ru", "Yes.\n\nThu, 26 Jun 2014 14:00:51 +0400 \xd0\xbe\xd1\x82 Ana <a@example.test>:\n\nHello\n", "Yes.", "Yes." },
	{ "you", "Yes.\n\nAt 6/16/2016 08:32 PM, you wrote:\n>Hello\n", "Yes.", "Yes." },
	{ "in one line with the answer", "Yes. On Wed, Apr 4, 2012 at 3:59 PM, a@example.test wrote:\n> Hello\n", "Yes.", "Yes." },
	{ "our footer, quoted without a mark", "Yes.\nUnsubscribe: https://t.example.test/u/aebagbafaydqqcikbmgq2dqpcaireeyuca\n",
	  "Yes.\nUnsubscribe: https://t.example.test/u/aebagbafaydqqcikbmgq2dqpcaireeyuca", "Yes." },
	{ "code is no signature", "See:\n```\n----\n> x\n```\nend\n", "See:\n```\n----\n> x\n```\nend", "See:\n```\n----\n> x\n```\nend" },
	{ "curly quotes are straight to be judged", "Don\xe2\x80\x99t know\xc2\xa0yet\n", "Don\xe2\x80\x99t know\xc2\xa0yet", "Don't know yet" },
};

static void cuts(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new(0);
		struct reply_text r;

		reply_text_read(&r, arena, rows[i].mail);
		if (strcmp(r.text, rows[i].text) || strcmp(r.judged, rows[i].judged)) {
			print_error("%s:\n[%s]\n[%s]\n", rows[i].name, r.text, r.judged);
			bad++;
		}
		arena_free(&arena);
	}
	assert_int_equal(bad, 0);
}

static void flags(void **state)
{
	struct arena *arena = arena_new(0);
	struct reply_text r;

	(void)state;
	reply_text_read(&r, arena, "> quote\n");
	assert_true(r.uncut && r.quoted);
	assert_int_equal(r.new_lines, 0);
	reply_text_read(&r, arena, "one\n\ntwo\n\nOn Mon, Ana <a@example.test> wrote:\n> quote\n");
	assert_true(!r.uncut && r.quoted);
	assert_int_equal(r.new_lines, 2);
	reply_text_read(&r, arena, "");
	assert_true(r.uncut && !r.quoted);
	assert_string_equal(r.text, "");
	arena_free(&arena);
}

/* One of clients.txt: "%% name", the mail, "%=", what its writer newly wrote. Markup where the name begins with "html". */
static bool client_is_read(const char *name, const char *mail, const char *expected)
{
	struct arena *arena = arena_new(0);
	struct html_text h = { .text = arena_strdup(arena, mail) };
	struct reply_text r;
	size_t n;
	bool same;

	if (!strncmp(name, "html", 4))
		html_text(&h, arena, mail, strlen(mail));
	reply_text_read(&r, arena, h.text);
	for (n = strlen(expected); n && expected[n - 1] == '\n'; n--)
		;
	same = strlen(r.text) == n && !strncmp(r.text, expected, n);
	if (!same)
		print_message("%s: \"%s\"\n", name, r.text);
	arena_free(&arena);
	return same;
}

/* As the programs of people write their answers. */
static void clients(void **state)
{
	FILE *f = fopen("tests/listen/clients.txt", "r");
	struct buf name = BUF_INIT, mail = BUF_INIT, expected = BUF_INIT, *to = NULL;
	char line[2000];
	int count = 0, good = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) || name.len) {
		bool end = feof(f) != 0;

		if (name.len && (end || !strncmp(line, "%% ", 3))) {
			count++;
			good += client_is_read(buf_cstr(&name), buf_cstr(&mail), buf_cstr(&expected));
			buf_reset(&name);
		}
		if (end)
			break;
		if (!strncmp(line, "%% ", 3)) {
			buf_reset(&mail);
			buf_reset(&expected);
			buf_add(&name, line + 3, strcspn(line + 3, "\n"));
			to = &mail;
		} else if (!strcmp(line, "%=\n")) {
			to = &expected;
		} else if (to) {
			buf_str(to, line);
		}
	}
	fclose(f);
	buf_clear(&name);
	buf_clear(&mail);
	buf_clear(&expected);
	print_message("clients: %d of %d read as meant\n", good, count);
	assert_int_equal(good, count);
}

/* What nobody means: a paragraph of a lawyer. */
static void disclaimer(void **state)
{
	char mail[1000] = "Not now.\n\nThis message is confidential and intended for the intended recipient only. ";
	struct arena *arena = arena_new(0);
	struct reply_text r;

	(void)state;
	for (int i = 0; i < 6; i++)
		strncat(mail, "If you are not the recipient please call me and delete it at once. ", sizeof(mail) - strlen(mail) - 1);
	reply_text_read(&r, arena, mail);
	assert_null(strstr(r.text, "confidential"));
	assert_null(strstr(r.judged, "call me"));
	assert_non_null(strstr(r.judged, "Not now."));
	arena_free(&arena);
}

/*
 * --- HTML ------------------------------------------------------------------------------------------------
 * ----------
 */

static const struct { const char *name, *html, *text; bool quoted; } pages[] = {
	{ "spaces", "<p>Please <b>remove</b> <i>me</i>&nbsp;<a href=\"#\">now</a>, un<b>sub</b>scribe</p>", "Please remove me now, unsubscribe", false },
	{ "paragraphs", "<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree", false },
	{ "entities and runs of white space", "<div>a &amp;\n   b&nbsp;c &#8364;</div>", "a & b c \xe2\x82\xac", false },
	{ "styles, scripts, hidden text", "<head><title>t</title><style>p{}</style></head><script>x()</script><p style='display:none'>pre</p><p>seen</p>", "seen", false },
	{ "gmail", "<div>Yes</div><div class='gmail_quote'><div>On Mon wrote:</div><blockquote>old</blockquote></div>", "Yes", true },
	{ "forwarded by gmail", "<div class='gmail_quote'><div>---------- Forwarded message ---------</div><div>text</div></div>", "---------- Forwarded message ---------\ntext", true },
	{ "outlook", "<p>Yes</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p>From: Ana</p></div><p>old</p>", "Yes", true },
	{ "outlook on the web", "<div>Yes</div><div id='appendonsend'></div><hr><div>From: Ana</div>", "Yes", true },
	{ "thunderbird", "<div class='moz-cite-prefix'>On Mon, Ana wrote:<br></div><blockquote type='cite'><p>old</p></blockquote><p>new</p>", "new", true },
	{ "yahoo", "<div>Yes</div><div class='yahoo_quoted x'>old</div>", "Yes", true },
	{ "zimbra", "<div>Yes</div><hr data-marker='__DIVIDER__'><div>old</div>", "Yes", true },
	{ "indented is not quoted", "<div>Yes</div><blockquote style='margin:0 0 0 40px;border:none;padding:0px'>and more</blockquote>", "Yes\n\nand more", false },
	{ "signature", "<div>Yes</div><div class='gmail_signature'>Bob</div>", "Yes", false },
	{ "list", "<ul><li>one<li>two</ul>", "- one\n- two", false },
	{ "unclosed", "<div><p>One<b>two", "Onetwo", false },
};

static void html(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct arena *arena = arena_new(0);
		struct html_text h;
		struct reply_text r;

		html_text(&h, arena, pages[i].html, strlen(pages[i].html));
		reply_text_read(&r, arena, h.text);
		if (strcmp(r.text, pages[i].text) || h.quoted != pages[i].quoted) {
			print_error("%s: %d [%s] of [%s]\n", pages[i].name, h.quoted, r.text, h.text);
			bad++;
		}
		arena_free(&arena);
	}
	assert_int_equal(bad, 0);
}

static void html_has_an_end(void **state)
{
	struct arena *arena = arena_new(0);
	struct html_text h;
	char *deep = arena_alloc(arena, 600001);

	(void)state;
	for (int i = 0; i < 100000; i++)
		memcpy(deep + 5 * i, "<div>", 5);
	memset(deep + 500000, 'x', 100000);
	html_text(&h, arena, deep, 600000);
	assert_true(strlen(h.text) <= HTML_TEXT_MAX + 100);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts), cmocka_unit_test(clients), cmocka_unit_test(flags), cmocka_unit_test(disclaimer), cmocka_unit_test(html), cmocka_unit_test(html_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
