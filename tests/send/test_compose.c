/*
 * Whole messages: what stands in them, in which order, whose tokens they carry, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "../../daemon/send/compose.h"

#define NOW (INT64_C(1763975700) * US_SECOND)		/* Mon, 24 Nov 2025 09:15:00 */
#define DELIVERY INT64_C(0x1234567890abcd)

static const char *const names[] = {
	"first_name", "email", "subject", "preheader", "sender", "unsubscribe_url", "preferences_url", "download_url", "confirm_url", "open_url",
};
enum { FIRST_NAME, EMAIL, SUBJECT, PREHEADER, SENDER, NAMES = sizeof(names) / sizeof(names[0]) };

static const char *const alert_names[] = { "words", "from_email" };

struct rig {
	struct plan *plan;
	struct token_ring *ring;
	struct compose *compose;
	struct mail_template template;
	struct template *html, *forward;
	struct value values[NAMES];
	struct address address;
	struct mail mail;
	struct envelope envelope;
	struct err err;
};

/* --- setting up ----------------------------------------------------------------------------------------------------- */

static struct vocabulary *vocabulary_of(const char *const *list, size_t n)
{
	struct vocabulary *v = vocabulary_new();
	size_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(vocabulary_add(v, &(struct symbol){ .name = list[i], .type = VALUE_TEXT, .may_be_empty = i == PREHEADER }), (int)i);
	return v;
}

static struct template *compiled(const char *source, enum template_escape escape, const struct vocabulary *v)
{
	struct template_options options = { .escape = escape, .vocabulary = v, .track_links = escape == TEMPLATE_HTML };
	struct template_error error = { 0 };
	struct template *t;
	size_t count = 0;

	t = template_compile("test", source, &options, &error, 1, &count);
	if (!t)
		fail_msg("%d:%d: %s", error.line, error.column, error.text);
	return t;
}

static struct plan *plan_of(void)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct sender_config *sender = xcalloc(2, sizeof(*sender));

	plan->references = 1;
	plan->mail_names = vocabulary_of(names, NAMES);
	plan->alert_names = vocabulary_of(alert_names, 2);
	assert_int_equal(address_parse("ana@example.com", &sender->from, NULL), 0);
	sender->from_name = "Ana Köhler";
	sender->company = "Example Ltd";
	sender->postal_address = "1 High Street";
	sender->bounce_domain = "bounce.example.com";
	sender->reply_domain = "reply.example.com";
	sender->message_domain = "example.com";
	sender->separator = '+';
	sender->tracking_url = "https://mail.example.com";
	sender[1] = sender[0];
	assert_int_equal(address_parse("ben@mail.example.org", &sender[1].from, NULL), 0);
	sender[1].from_name = "Ben";
	sender[1].company = "Other GmbH";
	sender[1].bounce_domain = "bounce.example.org";
	sender[1].reply_domain = "reply.example.org";
	sender[1].message_domain = "mail.example.org";
	sender[1].tracking_url = "https://links.example.org";
	sender[1].separator = '-';
	plan->operator.message.max_size = 9 << 20;
	plan->operator.senders = sender;
	plan->operator.sender_count = 2;
	return plan;
}

static struct rig *rig_new(const char *html)
{
	static const uint8_t keys[1][TOKEN_SECRET] = { { 1, 2, 3 } };
	static const uint8_t ids[1] = { 0 };
	struct rig *r = xcalloc(1, sizeof(*r));

	r->plan = plan_of();
	r->ring = token_ring_new(keys, ids, 1);
	r->html = compiled(html, TEMPLATE_HTML, r->plan->mail_names);
	r->forward = compiled("---\nsubject: Reply from {{ from_email }}\n---\nThey wrote:\n\n{{ words }}\n", TEMPLATE_PLAIN, r->plan->alert_names);
	r->plan->forward = r->forward;
	r->template = (struct mail_template){ .name = "test", .html = r->html, .text = template_text_part(r->html),
		.subject = template_meta(r->html, "subject"), .preheader = template_meta(r->html, "preheader") };
	r->compose = compose_new(r->plan, r->ring, NULL);
	assert_non_null(r->compose);
	assert_int_equal(address_parse("Bob.Jones@customer.example", &r->address, NULL), 0);
	r->values[FIRST_NAME] = value_text("Bob");
	r->values[EMAIL] = value_text(r->address.text);
	r->mail = (struct mail){ .sender = r->plan->operator.senders, .delivery = DELIVERY, .prospect = 77, .kind = DELIVERY_STEP, .template = &r->template, .address = &r->address,
		.to_name = "Bob Jones", .values = r->values, .sequence = "ebook", .step = "three:mistakes", .download = "", .planned = NOW - US_HOUR };
	return r;
}

static void rig_free(struct rig **rig)
{
	struct rig *r = *rig;

	compose_free(&r->compose);
	assert_int_equal(r->plan->references, 1);
	template_free(&r->html);
	template_free(&r->forward);
	vocabulary_free(&r->plan->mail_names);
	vocabulary_free(&r->plan->alert_names);
	token_ring_free(&r->ring);
	buf_clear(&r->envelope.body);
	free((void *)(uintptr_t)r->plan->operator.senders);
	free(r->plan);
	free(r);
	*rig = NULL;
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

/* The value of a field, still folded, in a static buffer; NULL if it is not there. It must not be there twice. */
static const char *field(const struct rig *r, const char *name)
{
	static char value[4096];
	const char *body = r->envelope.body.data, *end = strstr(body, "\r\n\r\n"), *at, *stop;
	char start[80];

	snprintf(start, sizeof(start), "\r\n%s: ", name);
	at = strstr(body, start);
	if (strncmp(body, start + 2, strlen(start) - 2) == 0)
		at = body - 2;
	if (!at || at > end)
		return NULL;
	at += strlen(start);
	for (stop = strstr(at, "\r\n"); stop[2] == ' ' || stop[2] == '\t'; stop = strstr(stop + 2, "\r\n"))
		;
	snprintf(value, sizeof(value), "%.*s", (int)(stop - at), at);
	at = strstr(stop, start);
	assert_true(!at || at > end);
	return value;
}

static struct token token_in(const struct rig *r, const char *text, const char *before, enum token_kind kind)
{
	const char *at = strstr(text, before);
	struct token token = { 0 };
	struct err err = { "" };

	if (!at)
		fail_msg("no '%s' in: %s", before, text);
	if (token_check(r->ring, kind, at + strlen(before), TOKEN_TEXT - 1, NOW, &token, &err) < 0)
		fail_msg("token behind '%s': %s", before, err.text);
	return token;
}

/* The body with soft line breaks taken out and =3D as '='. */
static char *plain(const struct rig *r)
{
	const char *s = r->envelope.body.data;
	struct buf out = BUF_INIT;

	for (; *s; s++)
		if (strncmp(s, "=\r\n", 3) == 0)
			s += 2;
		else if (strncmp(s, "=3D", 3) == 0) {
			buf_char(&out, '=');
			s += 2;
		} else
			buf_char(&out, *s);
	return buf_take(&out);
}

static void compose_well(struct rig *r, int64_t now)
{
	if (compose_mail(r->compose, &r->mail, now, &r->envelope, &r->err) != TEMPLATE_DONE)
		fail_msg("%s", r->err.text);
}

#define LETTER "---\nsubject: Three mistakes, {{ first_name }}\npreheader: Read this\n---\n" \
	"<html><body><p>{{ preheader | default: \"\" }}</p><p>Dear {{ first_name }}, here is what we promised you.</p>" \
	"<p><a href=\"https://www.example.com/a?x=1&amp;y=2\">first</a> and <a href=\"https://www.example.com/b\">second</a></p>" \
	"<p><a href=\"{{ unsubscribe_url }}\">Stop</a> <a href=\"{{ preferences_url }}\">Preferences</a></p><img src=\"{{ open_url }}\" alt=\"\">" \
	"</body></html>\n"

/* --- cases ------------------------------------------------------------------------------------------------------------ */

static void headers_of_a_step(void **state)
{
	static const char *const order[] = {
		"Date", "From", "Reply-To", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
		"X-Nurtured-ID", "MIME-Version", "Content-Type",
	};
	struct rig *r = rig_new(LETTER);
	const char *at, *before;
	char line[80];
	size_t i;

	compose_well(r, NOW);
	before = at = r->envelope.body.data;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		snprintf(line, sizeof(line), "%s%s: ", i ? "\r\n" : "", order[i]);
		at = strstr(before, line);
		if (!at)
			fail_msg("%s is missing or out of order", order[i]);
		before = at;
	}
	assert_string_equal(field(r, "Date"), "Mon, 24 Nov 2025 09:15:00 +0000");
	assert_string_equal(field(r, "From"), "=?UTF-8?Q?Ana_K=C3=B6hler?= <ana@example.com>");
	assert_string_equal(field(r, "To"), "Bob Jones <Bob.Jones@customer.example>");
	assert_string_equal(field(r, "Subject"), "Three mistakes, Bob");
	assert_string_equal(field(r, "List-Id"), "Example Ltd <nurture.example.com>");
	assert_string_equal(field(r, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
	assert_string_equal(field(r, "Feedback-ID"), "ebook:three-mistakes:drip:exampleltd");
	assert_string_equal(field(r, "MIME-Version"), "1.0");
	assert_null(field(r, "Auto-Submitted"));
	assert_null(field(r, "Return-Path"));
	assert_string_equal(r->envelope.recipient, "Bob.Jones@customer.example");
	rig_free(&r);
}

static void tokens_name_the_delivery(void **state)
{
	struct rig *r = rig_new(LETTER);
	char *text;

	compose_well(r, NOW);
	text = plain(r);
	assert_int_equal(token_in(r, field(r, "Reply-To"), "<r+", TOKEN_REPLY).id, DELIVERY);
	assert_int_equal(token_in(r, field(r, "Message-ID"), "<n1.", TOKEN_MESSAGE).id, DELIVERY);
	assert_int_equal(token_in(r, field(r, "List-Unsubscribe"), "<https://mail.example.com/u/", TOKEN_UNSUBSCRIBE).id, DELIVERY);
	assert_int_equal(token_in(r, field(r, "List-Unsubscribe"), "<mailto:u+", TOKEN_UNSUBSCRIBE).id, DELIVERY);
	assert_int_equal(token_in(r, field(r, "X-Nurtured-ID"), "", TOKEN_MESSAGE).id, DELIVERY);
	assert_int_equal(token_in(r, r->envelope.return_path, "b+", TOKEN_BOUNCE).id, DELIVERY);
	assert_int_equal(token_in(r, r->envelope.envid, "", TOKEN_MESSAGE).id, DELIVERY);
	assert_int_equal(token_in(r, text, "src=\"https://mail.example.com/o/", TOKEN_OPEN).id, DELIVERY);
	assert_int_equal(token_in(r, text, "href=\"https://mail.example.com/u/", TOKEN_UNSUBSCRIBE).id, DELIVERY);
	assert_int_equal(token_in(r, text, "href=\"https://mail.example.com/p/", TOKEN_PREFERENCES).id, 77);
	free(text);
	rig_free(&r);
}

static void links_are_tracked_in_html_and_shown_in_text(void **state)
{
	struct rig *r = rig_new(LETTER);
	struct token first, second;
	char *text, *html;

	compose_well(r, NOW);
	text = plain(r);
	html = strstr(text, "text/html");
	assert_non_null(html);
	first = token_in(r, html, "<a href=\"https://mail.example.com/c/", TOKEN_CLICK);
	second = token_in(r, strstr(html, ">first</a>"), "<a href=\"https://mail.example.com/c/", TOKEN_CLICK);
	assert_int_equal(first.id, DELIVERY);
	assert_int_equal(first.link, 0);
	assert_int_equal(second.link, 1);
	assert_null(strstr(html, "www.example.com"));
	*html = '\0';
	assert_non_null(strstr(text, "https://www.example.com/a?x=1&y=2"));
	assert_null(strstr(text, "/c/"));
	free(text);
	rig_free(&r);
}

static void a_retry_has_the_same_message_id(void **state)
{
	struct rig *r = rig_new(LETTER);
	char *id;

	compose_well(r, NOW);
	id = xstrdup(field(r, "Message-ID"));
	compose_well(r, NOW + 47 * US_HOUR);
	assert_string_equal(field(r, "Message-ID"), id);
	assert_string_equal(field(r, "Date"), "Wed, 26 Nov 2025 08:15:00 +0000");
	free(id);
	rig_free(&r);
}

static void confirmations_have_no_unsubscribe(void **state)
{
	struct rig *r = rig_new("---\nsubject: Please confirm\n---\n<p>Only one more click is needed.</p><p><a href=\"{{ confirm_url }}\">Yes</a></p>\n");
	char *text;

	r->mail.kind = DELIVERY_CONFIRM;
	r->mail.consent = 99;
	r->mail.sequence = r->mail.step = "";
	compose_well(r, NOW);
	text = plain(r);
	assert_int_equal(token_in(r, strstr(text, "text/html"), "href=\"https://mail.example.com/y/", TOKEN_CONFIRM).id, 99);
	assert_null(field(r, "List-Unsubscribe"));
	assert_null(field(r, "List-Id"));
	assert_string_equal(field(r, "Feedback-ID"), "optin:confirm:transactional:exampleltd");
	free(text);
	rig_free(&r);
}

/* As the real one, unsubscribe link and all, but that it says what it is, and is answered to the sender. */
static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Off unless asked for; then in the HTML part alone, at its end, out of sight, of the tab key and of screen readers. */
static void a_honeypot_is_seen_by_machines_alone(void **state)
{
	struct rig *r = rig_new(LETTER);
	const char *html, *link;
	struct token token;
	char *body;

	compose_well(r, NOW);
	body = plain(r);
	assert_int_equal(times(body, "/c/"), 2);
	free(body);
	r->plan->operator.tracking.honeypot = true;
	compose_well(r, NOW);
	body = plain(r);
	html = strstr(body, "Content-Type: text/html");
	assert_non_null(html);
	assert_int_equal(times(body, "/c/"), 3);
	assert_int_equal(times(html, "/c/"), 3);
	link = strstr(html, "<div aria-hidden=\"true\" style=\"display:none;");
	assert_non_null(link);
	assert_non_null(strstr(link, "tabindex=\"-1\""));
	assert_true(strstr(link, "</a></div></body></html>") && !strstr(link + 1, "<p>"));
	token = token_in(r, link, "/c/", TOKEN_CLICK);	/* a dot that begins a line is =2E */
	assert_int_equal(token.link, HIT_HONEYPOT);
	assert_int_equal(token.id, DELIVERY);
	free(body);
	/* as from a person, or to look at, or untracked: none */
	r->mail.one_to_one = true;
	compose_well(r, NOW);
	assert_null(strstr(r->envelope.body.data, "aria-hidden"));
	r->mail.one_to_one = false;
	r->mail.kind = DELIVERY_TEST;
	compose_well(r, NOW);
	assert_null(strstr(r->envelope.body.data, "aria-hidden"));
	rig_free(&r);
	r = rig_new("---\nsubject: Hello\n---\n<html><body><p>Here is what we promised you.</p></body></html>\n");
	r->plan->operator.tracking.honeypot = true;
	compose_well(r, NOW);
	assert_non_null(strstr(r->envelope.body.data, "aria-hidden"));
	r->mail.track = TRACK_NONE;
	compose_well(r, NOW);
	assert_null(strstr(r->envelope.body.data, "aria-hidden"));
	rig_free(&r);
}

static void a_test_mail_says_so(void **state)
{
	struct rig *r = rig_new("---\nsubject: Please confirm\n---\n<p>Only one more click is needed.</p><p><a href=\"{{ confirm_url }}\">Yes</a></p>\n");
	char *text;

	r->mail.kind = DELIVERY_TEST;
	r->mail.prospect = 0;
	r->mail.reply_to = "ana@example.com";
	r->mail.sequence = r->mail.step = "";
	compose_well(r, NOW);
	text = plain(r);
	assert_string_equal(field(r, "Subject"), "[Test] Please confirm");
	assert_string_equal(field(r, "Reply-To"), "<ana@example.com>");
	assert_non_null(field(r, "List-Unsubscribe"));
	assert_string_equal(field(r, "Feedback-ID"), "test:test:transactional:exampleltd");
	assert_int_equal(token_in(r, strstr(text, "text/html"), "href=\"https://mail.example.com/y/", TOKEN_CONFIRM).id, r->mail.delivery);
	free(text);
	rig_free(&r);
}

static void a_download_link_needs_a_download(void **state)
{
	struct rig *r = rig_new("---\nsubject: Your book\n---\n<p>Here it is at last: <a href=\"{{ download_url }}\">the book</a></p>\n");
	char *text;

	r->mail.download = "choosing.pdf";
	compose_well(r, NOW);
	text = plain(r);
	assert_int_equal(token_in(r, text, "https://mail.example.com/d/", TOKEN_DOWNLOAD).id, DELIVERY);
	free(text);
	r->mail.download = "";
	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_FAILED);
	rig_free(&r);
}

static void forwards_go_to_the_owner_as_text(void **state)
{
	struct rig *r = rig_new(LETTER);
	struct value values[2] = { value_text("Call me.\n.\nFrom Bob\n"), value_text("bob@customer.example") };

	r->mail.kind = DELIVERY_FORWARD;
	r->mail.template = NULL;
	r->mail.values = values;
	r->mail.reply_to = "bob@customer.example";
	r->mail.to_name = "";
	compose_well(r, NOW);
	assert_string_equal(field(r, "Reply-To"), "<bob@customer.example>");
	assert_string_equal(field(r, "Subject"), "Reply from bob@customer.example");
	assert_string_equal(field(r, "Auto-Submitted"), "auto-generated");
	assert_string_equal(field(r, "Content-Type"), "text/plain; charset=utf-8");
	assert_null(field(r, "List-Unsubscribe"));
	assert_null(field(r, "Feedback-ID"));
	assert_non_null(strstr(r->envelope.body.data, "\r\n\r\nThey wrote:\r\n\r\nCall me.\r\n=2E\r\n=46rom Bob\r\n"));
	r->mail.reply_to = "\"odd one\"@customer.example";
	compose_well(r, NOW);
	assert_null(field(r, "Reply-To"));
	rig_free(&r);
}

/* From a person to a person, and still with a way out. */
static void one_to_one_has_no_header_of_bulk(void **state)
{
	static const char *const never[] = { "List-Id", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress" };
	struct rig *r = rig_new(LETTER);
	size_t i;

	r->plan->operator.message.precedence = PRECEDENCE_ALWAYS;
	r->plan->operator.message.suppress_auto_replies = true;
	compose_well(r, NOW);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_non_null(field(r, never[i]));
	r->mail.one_to_one = true;
	compose_well(r, NOW);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_null(field(r, never[i]));
	token_in(r, field(r, "List-Unsubscribe"), "<https://mail.example.com/u/", TOKEN_UNSUBSCRIBE);
	assert_string_equal(field(r, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
	assert_non_null(field(r, "X-Nurtured-ID"));
	rig_free(&r);
}

static void precedence_is_for_mailings(void **state)
{
	struct rig *r = rig_new(LETTER);

	r->plan->operator.message.precedence = PRECEDENCE_MAILINGS;
	compose_well(r, NOW);
	assert_null(field(r, "Precedence"));
	assert_null(field(r, "X-Auto-Response-Suppress"));
	r->mail.mailing = true;
	compose_well(r, NOW);
	assert_string_equal(field(r, "Precedence"), "bulk");
	assert_string_equal(field(r, "Feedback-ID"), "ebook:three-mistakes:mailing:exampleltd");
	r->plan->operator.message.precedence = PRECEDENCE_NEVER;
	compose_well(r, NOW);
	assert_null(field(r, "Precedence"));
	rig_free(&r);
}

/* Those of config stand behind ours; a forward to an owner has none. */
/* multipart/mixed, in it alternative, in it related; a level of one is none. */
static void files_inside_of_a_mail(void **state)
{
	static const struct attachment logo = { .name = "logo.png", .type = "image/png", .body = { "iVBORw==\r\n", 10 } };
	static const struct attachment terms = { .name = "Geb\u00fchren \"neu\".pdf", .type = "application/pdf", .body = { "JVBERg==\r\n", 10 } };
	static const struct attachment *const pictures[] = { &logo }, *const files[] = { &terms };
	struct rig *r = rig_new(LETTER);

	r->template.pictures = pictures;
	r->template.picture_count = 1;
	compose_well(r, NOW);
	assert_true(text_starts_with(field(r, "Content-Type"), "multipart/alternative;"));
	assert_non_null(strstr(r->envelope.body.data, "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"=_n_"));
	assert_non_null(strstr(r->envelope.body.data, "Content-Type: image/png;\r\n name=\"logo.png\"\r\nContent-Disposition: inline;\r\n filename=\"logo.png\"\r\n"
		"Content-ID: <logo.png@inline>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n"));
	r->template.attachments = files;
	r->template.attachment_count = 1;
	compose_well(r, NOW);
	assert_true(text_starts_with(field(r, "Content-Type"), "multipart/mixed;"));
	assert_non_null(strstr(r->envelope.body.data, "Content-Disposition: attachment;\r\n filename=\"Geb_hren \\\"neu\\\".pdf\";\r\n"
		" filename*=UTF-8''Geb%C3%BChren%20%22neu%22.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"));
	r->template.picture_count = r->template.attachment_count = 0;
	r->mail.attachment = &terms;
	compose_well(r, NOW);
	assert_true(text_starts_with(field(r, "Content-Type"), "multipart/mixed;"));
	assert_null(strstr(r->envelope.body.data, "multipart/related"));
	r->plan->operator.message.max_size = 1000;
	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_FAILED);
	assert_non_null(strstr(r->err.text, "max_size"));
	rig_free(&r);
}

static void own_headers(void **state)
{
	static const struct header headers[] = { { "X-Company", "M\u00fcller & S\u00f6hne" }, { "X-Team", "two words" } };
	struct rig *r = rig_new(LETTER);

	compose_free(&r->compose);
	r->plan->operator.message.headers = headers;
	r->plan->operator.message.header_count = 2;
	r->compose = compose_new(r->plan, r->ring, NULL);
	compose_well(r, NOW);
	assert_string_equal(field(r, "X-Company"), "=?UTF-8?Q?M=C3=BCller_=26_S=C3=B6hne?=");
	assert_string_equal(field(r, "X-Team"), "two words");
	assert_true(strstr(r->envelope.body.data, "X-Nurtured-ID") < strstr(r->envelope.body.data, "X-Company"));
	assert_true(strstr(r->envelope.body.data, "X-Team") < strstr(r->envelope.body.data, "MIME-Version"));
	rig_free(&r);
}

/* Each header and address that names a sender is of this one. */
static void a_mail_may_be_from_another_sender(void **state)
{
	struct rig *r = rig_new(LETTER);
	char *text;

	r->mail.sender = &r->plan->operator.senders[1];
	compose_well(r, NOW);
	text = plain(r);
	assert_string_equal(field(r, "From"), "Ben <ben@mail.example.org>");
	assert_true(text_starts_with(field(r, "Reply-To"), "<r-"));
	assert_true(text_ends_with(field(r, "Reply-To"), "@reply.example.org>"));
	assert_true(text_ends_with(field(r, "Message-ID"), "@mail.example.org>"));
	assert_string_equal(field(r, "List-Id"), "Other GmbH <nurture.mail.example.org>");
	assert_true(text_ends_with(field(r, "Feedback-ID"), ":othergmbh"));
	assert_true(text_starts_with(r->envelope.return_path, "b-"));
	assert_true(text_ends_with(r->envelope.return_path, "@bounce.example.org"));
	token_in(r, field(r, "List-Unsubscribe"), "<https://links.example.org/u/", TOKEN_UNSUBSCRIBE);
	token_in(r, text, "https://links.example.org/o/", TOKEN_OPEN);
	token_in(r, text, "https://links.example.org/c/", TOKEN_CLICK);
	assert_null(strstr(r->envelope.body.data, "mail.example.com/"));
	free(text);
	rig_free(&r);
}

static void the_parts_are_delimited(void **state)
{
	struct rig *r = rig_new(LETTER);
	const char *boundary, *at;
	char line[64];
	size_t count = 0;

	compose_well(r, NOW);
	boundary = strstr(field(r, "Content-Type"), "boundary=\"");
	assert_non_null(boundary);
	snprintf(line, sizeof(line), "\r\n--%.27s", boundary + 10);
	for (at = r->envelope.body.data; (at = strstr(at, line)); at++)
		count++;
	assert_int_equal(count, 3);
	assert_true(text_ends_with(r->envelope.body.data, "--\r\n"));
	assert_true(strstr(r->envelope.body.data, "text/plain") < strstr(r->envelope.body.data, "text/html"));
	assert_null(strstr(r->envelope.body.data, "\r\n."));
	rig_free(&r);
}

static void what_must_not_go_out_does_not(void **state)
{
	static const char evil[] = "Bob\r\nBcc: victim@example.com";
	struct rig *r = rig_new(LETTER);

	r->mail.to_name = evil;
	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_FAILED);
	assert_non_null(strstr(r->err.text, "header_injection"));
	r->mail.to_name = "Bob";
	r->values[FIRST_NAME] = value_text(evil);
	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_FAILED);
	assert_non_null(strstr(r->err.text, "header_injection"));
	rig_free(&r);
}

static void a_template_may_abort(void **state)
{
	struct rig *r = rig_new("---\nsubject: Hello\n---\n<p>Hello</p>{% abort 'no reason to write' %}\n");

	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_ABORTED);
	assert_non_null(strstr(r->err.text, "no reason to write"));
	rig_free(&r);
}

static void html_without_text_is_refused(void **state)
{
	struct buf html = BUF_INIT;
	struct rig *r;

	buf_str(&html, "---\nsubject: Hello\n---\n<p>Hi</p>");
	while (html.len < 400)
		buf_str(&html, "<img src=\"https://www.example.com/picture.png\">");
	r = rig_new(buf_cstr(&html));
	assert_int_equal(compose_mail(r->compose, &r->mail, NOW, &r->envelope, &r->err), TEMPLATE_FAILED);
	assert_non_null(strstr(r->err.text, "text part"));
	rig_free(&r);
	buf_clear(&html);
}

/* A follow-up in the thread of two mails before it, from the owner of the lead. */
static void a_mail_in_a_thread_from_its_owner(void **state)
{
	static const struct mail_before before[] = { { DELIVERY - 2, NOW - 5 * US_DAY, "example.com" }, { DELIVERY - 1, NOW - 2 * US_DAY, "mail.example.org" } };
	static const struct owner owner = { .name = "ana", .full_name = "Ana Köhler-Sánchez", .email = "ana.k@example.com" };
	struct rig *r = rig_new(LETTER), *first = rig_new(LETTER), *second = rig_new(LETTER);
	struct template *subject = compiled("Was it {{ first_name }}?", TEMPLATE_HEADER, r->plan->mail_names);
	char ids[2][128], *references;

	first->mail.delivery = before[0].delivery;
	first->mail.planned = before[0].planned;
	second->mail.delivery = before[1].delivery;
	second->mail.planned = before[1].planned;
	compose_well(first, before[0].planned);
	snprintf(ids[0], sizeof(ids[0]), "%s", field(first, "Message-ID"));
	second->mail.sender = &second->plan->operator.senders[1];
	compose_well(second, before[1].planned + US_HOUR);
	snprintf(ids[1], sizeof(ids[1]), "%s", field(second, "Message-ID"));
	r->mail.before = before;
	r->mail.before_count = 2;
	r->mail.first_subject = subject;
	r->mail.owner = &owner;
	compose_well(r, NOW);
	references = xasprintf("%s\r\n %s", ids[0], ids[1]);
	assert_string_equal(field(r, "References"), references);
	assert_string_equal(field(r, "In-Reply-To"), ids[1]);
	assert_string_equal(field(r, "Subject"), "Re: Was it Bob?");
	assert_string_equal(field(r, "From"), "=?UTF-8?Q?Ana_K=C3=B6hler-S=C3=A1nchez?= <ana.k@example.com>");
	/* what comes back still comes to us */
	assert_non_null(strstr(field(r, "Reply-To"), "@reply.example.com>"));
	free(references);
	template_free(&subject);
	rig_free(&r);
	rig_free(&first);
	rig_free(&second);
}

static void an_arm_has_its_own_subject(void **state)
{
	struct rig *r = rig_new(LETTER);
	struct template *subject = compiled("What a wrong vendor costs", TEMPLATE_HEADER, r->plan->mail_names);

	r->mail.subject = subject;
	compose_well(r, NOW);
	assert_string_equal(field(r, "Subject"), "What a wrong vendor costs");
	assert_null(field(r, "References"));
	template_free(&subject);
	rig_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_a_step),
		cmocka_unit_test(tokens_name_the_delivery),
		cmocka_unit_test(links_are_tracked_in_html_and_shown_in_text),
		cmocka_unit_test(a_retry_has_the_same_message_id),
		cmocka_unit_test(confirmations_have_no_unsubscribe),
		cmocka_unit_test(a_honeypot_is_seen_by_machines_alone),
		cmocka_unit_test(a_test_mail_says_so),
		cmocka_unit_test(a_download_link_needs_a_download),
		cmocka_unit_test(forwards_go_to_the_owner_as_text),
		cmocka_unit_test(a_mail_may_be_from_another_sender),
		cmocka_unit_test(one_to_one_has_no_header_of_bulk),
		cmocka_unit_test(precedence_is_for_mailings),
		cmocka_unit_test(own_headers),
		cmocka_unit_test(files_inside_of_a_mail),
		cmocka_unit_test(the_parts_are_delimited),
		cmocka_unit_test(what_must_not_go_out_does_not),
		cmocka_unit_test(a_template_may_abort),
		cmocka_unit_test(a_mail_in_a_thread_from_its_owner),
		cmocka_unit_test(an_arm_has_its_own_subject),
		cmocka_unit_test(html_without_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
