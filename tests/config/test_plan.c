/*
 * test_plan.c: what a good config becomes: values, defaults, names, rules and what touches them; sharing; secrets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A good plan and its folder; fails with what was wrong. */
static struct plan *load_good(struct conf *c)
{
	char *said;
	struct plan *plan;

	plan = conf_load(c, &said);
	assert_string_equal(said, "");
	assert_non_null(plan);
	free(said);
	return plan;
}

static int setup(void **state)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	conf_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	conf_clear(*state);
	free(*state);
	return 0;
}

static void test_operator(void **state)
{
	struct conf *c = *state;
	struct plan *plan = load_good(c);
	const struct operator_config *o = &plan->operator;
	char *files = xasprintf("%s/files", c->folder);

	assert_string_equal(o->state, "/var/lib/nurtured");
	assert_string_equal(o->files, files);
	assert_string_equal(o->control, "/run/nurtured/control.sock");
	assert_string_equal(o->listen.address, "127.0.0.1");
	assert_int_equal(o->listen.port, 0);
	assert_string_equal(o->listen.public_url, "https://mail.example.com");
	assert_null(o->listen.trusted_proxies[0]);
	assert_int_equal(o->listen.max_connections, 1024);
	assert_int_equal(o->listen.max_body, 256 * 1024);
	assert_int_equal(o->listen.request_timeout, 10 * US_SECOND);
	assert_string_equal(o->listen.allow_redirect[0], "www.example.com");
	assert_null(o->listen.allow_redirect[1]);
	assert_string_equal(o->senders[0].from.text, "ana@example.com");
	assert_string_equal(o->senders[0].from_name, "Ana at Example");
	assert_string_equal(o->senders[0].bounce_domain, "example.com");
	assert_string_equal(o->senders[0].reply_domain, "example.com");
	assert_string_equal(o->senders[0].message_domain, "example.com");
	assert_int_equal(o->senders[0].separator, '+');
	assert_int_equal(o->relay_count, 1);
	assert_string_equal(o->relays[0].url, "smtp://relay.example.com:587");
	assert_int_equal(o->relays[0].tls, TLS_REQUIRED);
	assert_int_equal(o->relays[0].connections, 10);
	assert_string_equal(o->relays[0].ca_file, "/etc/ssl/certs/ca-certificates.crt");
	assert_true(strlen(o->relays[0].ehlo) > 0);
	assert_int_equal(o->relays[0].weight, 1);
	assert_false(o->relays[0].backup);
	assert_int_equal(o->relays[0].rate.count, 0);
	assert_null(o->senders[0].relay);
	assert_int_equal(o->mailbox_count, 2);
	assert_string_equal(o->mailboxes[0].user, "replies");
	assert_null(o->mailboxes[0].token_command);
	assert_string_equal(o->mailboxes[1].url, "maildir:/var/mail/replies");
	assert_int_equal(o->mailboxes[1].poll, 15 * US_SECOND);
	assert_int_equal(o->keep_events, 3 * 365 * US_DAY);
	assert_int_equal(o->keep_raw_mail, 30 * US_DAY);
	assert_int_equal(o->log_level, LOG_INFO);
	assert_false(o->log_json);
	assert_int_equal(o->click_hold, 90 * US_SECOND);
	assert_int_equal(o->retry_first, US_MINUTE);
	plan_unref(&plan);
	free(files);
}

static void test_secrets_are_read(void **state)
{
	struct plan *plan = load_good(*state);

	assert_string_equal(plan->operator.relays[0].password, "smtp secret");
	assert_string_equal(plan->operator.mailboxes[0].password, "imap secret");
	assert_string_equal(plan->operator.listen.api_key, "api secret");
	assert_string_equal(
		plan->sales.alerts[0].secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	assert_null(plan->sales.alerts[1].secret);
	plan_unref(&plan);
}

/* A file of the operator's own must be closed to others; what is in it must be one line. */
static void test_secret_files(void **state)
{
	static const struct {
		mode_t mode;
		const char *text, *said; /* NULL: good */
	} rows[] = {
		{ 0600, "hunter2\n", NULL },
		{ 0400, "hunter2", NULL },
		{ 0640, "hunter2\n", "secret may be read by others (mode 640); run: chmod 600 secret\n" },
		{ 0604, "hunter2\n", "secret may be read by others (mode 604); run: chmod 600 secret\n" },
		{ 0600, "\n", "secret is empty; put the secret in it\n" },
		{ 0600, "one\ntwo\n",
			"secret holds more than one line, or control characters; a secret is one line of "
			"text\n" },
		{ 0600,
			"a\x01"
			"b\n",
			"secret holds more than one line, or control characters; a secret is one line of "
			"text\n" },
	};
	struct conf *c = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *path = xasprintf("%s/secret", c->folder), *reference = xasprintf("file:%s", path),
		     *said;
		struct plan *plan;

		conf_write_path(path, rows[i].text, rows[i].mode);
		conf_edit(c, "nurtured.yaml", "credential:smtp-password", reference);
		plan = conf_load(c, &said);
		if (rows[i].said) {
			assert_null(plan);
			assert_non_null(strstr(said, "`password`: "));
			assert_string_equal(
				strstr(said, "`password`: ") + strlen("`password`: "), rows[i].said);
		} else {
			assert_string_equal(said, "");
			assert_string_equal(plan->operator.relays[0].password, "hunter2");
		}
		plan_unref(&plan);
		unlink(path);
		free(said);
		free(reference);
		free(path);
	}
}

static void test_who_only_looks_needs_no_secrets(void **state)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	char *path;

	unsetenv("CREDENTIALS_DIRECTORY");
	plan = plan_load_to_look(CONF_GOOD "/nurtured.yaml", &errors);
	if (!plan)
		fail_msg("%s", buf_cstr(&errors.text));
	assert_string_not_equal(plan->sales.alerts[0].secret, "");
	plan_unref(&plan);
	assert_null(plan_load(CONF_GOOD "/nurtured.yaml", &errors));
	assert_non_null(strstr(buf_cstr(&errors.text), "CREDENTIALS_DIRECTORY is not set"));
	buf_clear(&errors.text);
	/* how they are named is checked all the same */
	struct conf *c = *state;

	conf_write(c, "sales.yaml", "hot: score > 80\nalerts:\n  - {to: \"https://crm.example.com/x\", as: standard, secret: whsec_x}\n");
	path = xasprintf("%s/nurtured.yaml", c->folder);
	errors = (struct plan_errors){ 0 };
	assert_null(plan_load_to_look(path, &errors));
	assert_non_null(strstr(buf_cstr(&errors.text), "a secret does not stand in config"));
	buf_clear(&errors.text);
	free(path);
}

/* The name of an alert's secret is a credential's first, then a file's in secrets/. */
static void test_secret_of_an_alert(void **state)
{
	static const char from_file[] = "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
	struct conf *c = *state;
	struct plan *plan;
	char *folder = xasprintf("%s/secrets", c->folder);

	mkdir(folder, 0700);
	conf_write(c, "secrets/crm-webhook", from_file);
	plan = load_good(c);
	assert_string_not_equal(plan->sales.alerts[0].secret, from_file);
	plan_unref(&plan);
	conf_remove(c, "credentials/crm-webhook");
	plan = load_good(c);
	assert_string_equal(plan->sales.alerts[0].secret, from_file);
	plan_unref(&plan);
	unsetenv("CREDENTIALS_DIRECTORY");
	conf_edit(c, "nurtured.yaml", NULL,
		"templates: templates\nfiles: files\nlisten: {public_url: 'http://localhost:8025', "
		"allow_redirect: [www.example.com]}\n"
		"sender: {from: a@example.com, company: E, postal_address: here}\nrelays: [{name: r, url: "
		"'smtp://localhost:25', tls: none}]\n");
	plan = load_good(c);
	assert_string_equal(plan->sales.alerts[0].secret, from_file);
	assert_string_equal(plan->operator.senders[0].from_name, "");
	assert_int_equal(plan->operator.relays[0].tls, TLS_NONE);
	assert_int_equal(plan->operator.mailbox_count, 0);
	plan_unref(&plan);
	free(folder);
}

/* Shares, one in reserve, and senders that name theirs. */
static void test_relays(void **state)
{
	struct conf *c = *state;
	const struct operator_config *o;
	struct plan *plan;

	conf_edit(c, "nurtured.yaml", "mailboxes:",
		"  - {name: second, url: \"smtps://a.example.com\", weight: 3, rate: 10 per second}\n"
		"  - {name: spare, url: \"smtps://b.example.com\", backup: yes}\n"
		"senders: [{name: shop, from: b@x.example, relay: spare}, {name: other, from: c@x.example}]\nmailboxes:");
	plan = load_good(c);
	o = &plan->operator;
	assert_int_equal(o->relay_count, 3);
	assert_int_equal(o->relays[1].weight, 3);
	assert_int_equal(o->relays[1].rate.count, 10);
	assert_int_equal(o->relays[1].rate.within, US_SECOND);
	assert_false(o->relays[1].backup);
	assert_true(o->relays[2].backup);
	assert_string_equal(o->senders[1].relay, "spare");
	assert_null(o->senders[2].relay);
	plan_unref(&plan);
}

/* What a sender leaves out is that of `sender`; a mail names the one that it is from, and its version of a language may be from another. */
static void test_senders(void **state)
{
	struct conf *c = *state;
	const struct sender_config *s;
	struct plan *plan;

	conf_edit(c, "nurtured.yaml", "relays:",
		"  bounce_domain: bounce.example.com\n  separator: \"-\"\n  tracking_url: https://go.example.com/\n"
		"senders:\n  - {name: shop, from: Ben <ben@Shop.example>}\n"
		"  - {name: other, from: cleo@other.example, company: Other GmbH, postal_address: there, bounce_domain: b.other.example,"
		" reply_domain: r.other.example, separator: \"=\", tracking_url: https://go.other.example}\nrelays:");
	conf_edit(c, "templates/emails/mistakes.liquid", "layout:", "from: \"shop\"\nlayout:");
	conf_write(c, "templates/emails/mistakes.de.liquid", "---\nsubject: Drei Fehler\nfrom: other\nlayout: letter\n---\n<p>Hallo</p>\n");
	plan = load_good(c);
	s = plan->operator.senders;
	assert_int_equal(plan->operator.sender_count, 3);
	assert_string_equal(s[0].name, "default");
	assert_string_equal(s[0].tracking_url, "https://go.example.com");
	assert_string_equal(s[1].name, "shop");
	assert_string_equal(s[1].from.text, "ben@shop.example");
	assert_string_equal(s[1].from_name, "Ben");
	assert_string_equal(s[1].message_domain, "shop.example");
	assert_string_equal(s[1].company, "Example Ltd");
	assert_string_equal(s[1].postal_address, "1 High Street, 12345 Town");
	assert_string_equal(s[1].bounce_domain, "bounce.example.com");
	assert_string_equal(s[1].reply_domain, "example.com");
	assert_string_equal(s[1].tracking_url, "https://go.example.com");
	assert_int_equal(s[1].separator, '-');
	assert_string_equal(s[2].company, "Other GmbH");
	assert_string_equal(s[2].postal_address, "there");
	assert_string_equal(s[2].bounce_domain, "b.other.example");
	assert_string_equal(s[2].reply_domain, "r.other.example");
	assert_string_equal(s[2].tracking_url, "https://go.other.example");
	assert_int_equal(s[2].separator, '=');
	assert_int_equal(plan_mail(plan, "delivery")->sender, 0);
	assert_int_equal(plan_mail(plan, "mistakes")->sender, 1);
	assert_int_equal(plan_mail(plan, "mistakes.de")->sender, 2);
	assert_false(plan_mail(plan, "mistakes")->one_to_one);
	plan_unref(&plan);
	conf_remove(c, "templates/emails/mistakes.de.liquid");
	conf_restore(c, "templates/emails/mistakes.liquid");
	conf_restore(c, "nurtured.yaml");
	plan = load_good(c);
	assert_string_equal(plan->operator.senders[0].tracking_url, "https://mail.example.com");
	plan_unref(&plan);
}

static void test_message(void **state)
{
	struct conf *c = *state;
	const struct message_config *m;
	struct plan *plan = load_good(c);

	m = &plan->operator.message;
	assert_int_equal(m->header_count, 0);
	assert_int_equal(m->precedence, PRECEDENCE_MAILINGS);
	assert_false(m->suppress_auto_replies);
	assert_int_equal(m->max_size, 9 << 20);
	assert_false(plan_sequence(plan, "book")->one_to_one);
	plan_unref(&plan);
	conf_edit(c, "nurtured.yaml", "relays:",
		"message: {headers: {X-Company: Müller, X-9: b}, precedence: never, suppress_auto_replies: yes, max_size: 2 MiB}\nrelays:");
	conf_edit(c, "templates/emails/mistakes.liquid", "layout:", "mode: one-to-one\nlayout:");
	conf_edit(c, "sequences/book.yaml", "priority: 10", "priority: 10\nmode: one-to-one");
	plan = load_good(c);
	m = &plan->operator.message;
	assert_int_equal(m->header_count, 2);
	assert_string_equal(m->headers[0].name, "X-Company");
	assert_string_equal(m->headers[0].value, "Müller");
	assert_int_equal(m->precedence, PRECEDENCE_NEVER);
	assert_true(m->suppress_auto_replies);
	assert_int_equal(m->max_size, 2 << 20);
	assert_true(plan_mail(plan, "mistakes")->one_to_one);
	assert_false(plan_mail(plan, "delivery")->one_to_one);
	assert_true(plan_sequence(plan, "book")->one_to_one);
	assert_false(plan_sequence(plan, "second")->one_to_one);
	plan_unref(&plan);
	conf_restore(c, "templates/emails/mistakes.liquid");
	conf_restore(c, "sequences/book.yaml");
	conf_restore(c, "nurtured.yaml");
}

/* A file is read once; pictures are those that the HTML shows. */
static void test_attachments(void **state)
{
	struct conf *c = *state;
	const struct mail_template *mail;
	const struct attachment *book;
	struct plan *plan;

	conf_write(c, "files/terms.txt", "no terms\n");
	conf_write(c, "templates/emails/logo.png", "\x89PNG");
	conf_edit(c, "templates/emails/letter.liquid", "<html><body>", "<html><body><img src=\"logo.png\" alt=\"\">");
	conf_edit(c, "templates/emails/mistakes.liquid", "layout:", "attach: [terms.txt, book.pdf]\nlayout:");
	conf_edit(c, "forms/book.yaml", "download: book.pdf", "download: book.pdf\nattach: yes");
	plan = load_good(c);
	mail = plan_mail(plan, "mistakes");
	assert_int_equal(mail->attachment_count, 2);
	assert_string_equal(mail->attachments[0]->name, "terms.txt");
	assert_string_equal(mail->attachments[0]->type, "text/plain");
	assert_string_equal(mail->attachments[0]->body.data, "bm8gdGVybXMK\r\n");
	book = mail->attachments[1];
	assert_string_equal(book->type, "application/pdf");
	assert_ptr_equal(plan_form(plan, "book")->attachment, book);
	assert_int_equal(mail->picture_count, 1);
	assert_string_equal(mail->pictures[0]->name, "logo.png");
	assert_int_equal(mail->pictures[0]->size, 4);
	assert_ptr_equal(plan_mail(plan, "delivery")->pictures[0], mail->pictures[0]);
	assert_int_equal(plan_mail(plan, "delivery")->attachment_count, 0);
	plan_unref(&plan);
	conf_restore(c, "templates/emails/letter.liquid");
	conf_restore(c, "templates/emails/mistakes.liquid");
	conf_restore(c, "forms/book.yaml");
	plan = load_good(c);
	assert_null(plan_form(plan, "book")->attachment);
	plan_unref(&plan);
}

static void test_nurture(void **state)
{
	struct plan *plan = load_good(*state);

	assert_int_equal(plan->field_count, 4);
	assert_string_equal(plan->fields[0].name, "first_name");
	assert_string_equal(plan->fields[0].default_text, "there");
	assert_int_equal(plan->fields[1].type, VALUE_TEXT);
	assert_null(plan->fields[1].default_text);
	assert_int_equal(plan->fields[2].type, VALUE_REAL);
	assert_int_equal(plan->stage_count, 2);
	assert_null(plan->stages[0].when);
	assert_non_null(plan->stages[1].when);
	assert_non_null(plan->stages[1].until);
	assert_int_equal(plan_stage(plan, "decision"), 1);
	assert_int_equal(plan_stage(plan, "nirvana"), -1);
	assert_int_equal(plan_list(plan, "looking"), 1);
	assert_int_equal(plan_list(plan, ""), -1);
	assert_int_equal(plan->lists[0].at_most.count, 1);
	assert_int_equal(plan->lists[0].at_most.within, US_DAY);
	assert_string_equal(plan->lists[0].tone, "direct");
	assert_string_equal(plan->lists[1].tone, "");
	assert_null(plan->lists[1].when);
	assert_int_equal(plan->half_life, 10 * US_DAY);
	assert_string_equal(plan->fit[0].name, "fit-1");
	assert_true(plan->fit[0].points > 19.9);
	assert_string_equal(plan->interest[1].name, "click");
	assert_int_equal(plan->interest[1].at_most.count, 15);
	assert_string_equal(plan->interest[2].name, "click-2");
	assert_true(plan->interest[2].points < 2.6);
	assert_true(plan->quiet.set && plan->quiet.day[6] && !plan->quiet.day[0] && !plan->quiet.by_prospect);
	assert_int_equal(plan->quiet.before, 8 * 60);
	assert_int_equal(plan->quiet.after, 19 * 60);
	assert_string_equal(zone_name(plan->quiet.zone), "Europe/Berlin");
	plan_unref(&plan);
}

static void test_holidays(void **state)
{
	struct conf *c = *state;
	struct plan *plan = load_good(c);

	assert_int_equal(plan->holiday_count, 0);
	plan_unref(&plan);
	conf_edit(c, "nurture.yaml", "quiet:",
		"holidays:\n  - \"12-25\"\n  - 2026-04-03\n  - {on: \"12-25\", when: company == \"Acme\"}\nquiet:");
	plan = load_good(c);
	assert_int_equal(plan->holiday_count, 3);
	assert_int_equal(plan->holidays[0].year, 0);
	assert_int_equal(plan->holidays[0].month * 100 + plan->holidays[0].day, 1225);
	assert_null(plan->holidays[0].when);
	assert_int_equal(plan->holidays[1].year, 2026);
	assert_int_equal(plan->holidays[1].month * 100 + plan->holidays[1].day, 403);
	assert_non_null(plan->holidays[2].when);
	plan_unref(&plan);
}

/* A grid, if asked for, is a name in conditions and mails. */
static void test_grades(void **state)
{
	struct conf *c = *state;
	struct plan *plan = load_good(c);
	const struct symbol *grade;

	assert_false(plan->graded);
	assert_int_equal(plan->symbol_grade, -1);
	assert_int_equal(vocabulary_find(plan->mail_names, slice_of("grade")), -1);
	plan_unref(&plan);
	conf_edit(c, "nurture.yaml", "  half_life", "  grades: {fit: [40, 20, 0], interest: [60, 30.5, -10]}\n  half_life");
	conf_edit(c, "sales.yaml", "score >= 80", "grade in [\"A1\", \"A2\"]");
	plan = load_good(c);
	assert_true(plan->graded);
	assert_true(plan->grade_fit[0] > 39.9 && plan->grade_fit[2] < 0.1);
	assert_true(plan->grade_interest[1] > 30.4 && plan->grade_interest[2] < -9.9);
	grade = vocabulary_symbol(plan->vocabulary, plan->symbol_grade);
	assert_string_equal(grade->values[0], "A1");
	assert_string_equal(grade->values[15], "D4");
	assert_null(grade->values[16]);
	assert_true(vocabulary_find(plan->mail_names, slice_of("grade")) >= (int)plan->field_count);
	assert_int_equal(plan->by_symbol[plan->symbol_grade].count, 1);
	plan_unref(&plan);
}

static void test_without_quiet_hours_and_sales(void **state)
{
	struct conf *c = *state;
	struct plan *plan;

	conf_edit(c, "nurture.yaml",
		"quiet: {days: [sun], before: \"08:00\", after: \"19:00\", timezone: Europe/Berlin}\n", "");
	conf_remove(c, "sales.yaml");
	plan = load_good(c);
	assert_false(plan->quiet.set);
	assert_string_equal(zone_name(plan->quiet.zone), "UTC");
	assert_null(plan->sales.hot);
	assert_int_equal(plan->sales.owner_count, 0);
	assert_int_equal(plan->sales.cooldown, 14 * US_DAY);
	plan_unref(&plan);
}

static void test_form(void **state)
{
	struct plan *plan = load_good(*state);
	const struct form *f = plan_form(plan, "book");

	assert_non_null(f);
	assert_null(plan_form(plan, "free-ebook"));
	assert_int_equal(f->field_count, 2);
	assert_int_equal(f->fields[0], 0);
	assert_int_equal(f->fields[1], 3);
	assert_false(f->required[0]);
	assert_true(f->required[1]);
	assert_string_equal(f->consent_purpose, "newsletter");
	assert_string_equal(f->consent_words, "Yes, send me the book.");
	assert_true(f->confirm_double);
	assert_ptr_equal(f->confirm_mail, plan_mail(plan, "confirm"));
	assert_string_equal(f->download, "book.pdf");
	assert_string_equal(f->thanks, "https://www.example.com/thanks");
	assert_string_equal(f->allow_origin[0], "https://www.example.com");
	assert_int_equal(f->per_address.count, 3);
	assert_int_equal(f->per_address.within, US_HOUR);
	assert_int_equal(f->per_ip.count, 30);
	assert_false(f->trust_overwrite);
	assert_string_equal(f->honeypot, "website");
	plan_unref(&plan);
}

static void test_single_confirmation(void **state)
{
	struct conf *c = *state;
	struct plan *plan;

	conf_edit(c, "forms/book.yaml", "required:", "confirm: single\nrequired:");
	plan = load_good(c);
	assert_false(plan->forms[0].confirm_double);
	assert_null(plan->forms[0].confirm_mail);
	plan_unref(&plan);
}

static void test_sequences_by_priority(void **state)
{
	struct plan *plan = load_good(*state);

	assert_int_equal(plan->sequence_count, 2);
	assert_string_equal(plan->sequences[0].name, "second");
	assert_string_equal(plan->sequences[1].name, "book");
	for (int i = 0; i < 2; i++)
		assert_int_equal(plan->sequences[i].index, i);
	assert_null(plan->sequences[0].list);
	assert_string_equal(plan->sequences[0].enter_on, "stage_changed");
	assert_int_equal(plan->sequences[0].again, AGAIN_NEVER);
	assert_string_equal(plan->sequences[1].list, "looking");
	assert_int_equal(plan->sequences[1].again, AGAIN_AFTER);
	assert_int_equal(plan->sequences[1].again_after, 180 * US_DAY);
	plan_unref(&plan);
}

static void test_steps(void **state)
{
	static const struct {
		const char *name;
		enum step_kind kind;
		const char *then_step, *else_step; /* NULL: the next */
		int line;
	} rows[] = {
		{ "deliver", STEP_SEND, NULL, NULL, 9 },
		{ "wait-1", STEP_WAIT, NULL, NULL, 10 },
		{ "mistakes", STEP_SEND, NULL, NULL, 11 },
		{ "wait_for-1", STEP_WAIT_FOR, NULL, "nudge", 12 },
		{ "ask", STEP_IF, "thank", NULL, 15 },
		{ "set-1", STEP_SET, NULL, NULL, 18 },
		{ "thank", STEP_SEND, NULL, NULL, 19 },
		{ "end-1", STEP_END, NULL, NULL, 20 },
		{ "nudge", STEP_SEND, NULL, NULL, 21 },
		{ "wait-2", STEP_WAIT, NULL, NULL, 22 },
		{ "go-1", STEP_GO, "thank", NULL, 23 },
	};
	struct plan *plan = load_good(*state);
	const struct sequence *s = plan_sequence(plan, "book");

	assert_int_equal(s->step_count, COUNT(rows));
	for (int i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];

		assert_string_equal(step->name, rows[i].name);
		assert_int_equal(plan_step(s, rows[i].name), i);
		assert_int_equal(step->kind, rows[i].kind);
		assert_int_equal(step->next, i + 1);
		assert_int_equal(
			step->then_step, rows[i].then_step ? plan_step(s, rows[i].then_step) : i + 1);
		assert_int_equal(
			step->else_step, rows[i].else_step ? plan_step(s, rows[i].else_step) : i + 1);
		assert_int_equal(step->line, rows[i].line);
	}
	assert_ptr_equal(s->steps[0].mail, plan_mail(plan, "delivery"));
	assert_true(s->steps[0].even_in_quiet);
	assert_false(s->steps[2].even_in_quiet);
	assert_int_equal(s->steps[1].wait, 2 * US_DAY);
	assert_int_equal(s->steps[3].wait, 3 * US_DAY);
	assert_non_null(s->steps[3].when);
	assert_non_null(s->steps[4].when);
	assert_int_equal(s->steps[5].field, 2);
	assert_string_equal(s->steps[5].value, "12");
	assert_string_equal(s->steps[7].reason, "done");
	assert_int_equal(plan_step(s, "send-1"), -1);
	plan_unref(&plan);
}

static void test_sales(void **state)
{
	struct plan *plan = load_good(*state);
	const struct sales *s = &plan->sales;

	assert_non_null(s->hot);
	assert_int_equal(s->on_hot, HOT_PAUSE);
	assert_string_equal(s->replies_to, "sales@example.com");
	assert_int_equal(s->owner_count, 2);
	assert_non_null(s->owners[0].when);
	assert_int_equal(s->owners[0].share, 0);
	assert_null(s->owners[1].when);
	assert_int_equal(s->owners[1].share, 2);
	assert_int_equal(s->alert_count, 2);
	assert_string_equal(s->alerts[0].as, "standard");
	assert_string_equal(s->alerts[1].as, "slack");
	assert_non_null(s->alerts[0].payload);
	assert_string_equal(template_name(s->alerts[1].payload), "slack");
	plan_unref(&plan);
}

static void test_templates(void **state)
{
	struct plan *plan = load_good(*state);
	const struct mail_template *delivery = plan_mail(plan, "delivery"),
				   *mistakes = plan_mail(plan, "mistakes");

	assert_int_equal(plan->mail_count, 3);
	assert_null(plan_mail(plan, "letter"));
	assert_null(plan_mail(plan, "mistakes.txt"));
	assert_true(delivery->uses_download);
	assert_false(mistakes->uses_download);
	assert_non_null(delivery->subject);
	assert_non_null(delivery->preheader);
	assert_null(mistakes->preheader);
	assert_ptr_equal(delivery->text, template_text_part(delivery->html));
	assert_ptr_not_equal(mistakes->text, template_text_part(mistakes->html));
	assert_non_null(plan_page(plan, "confirm"));
	assert_null(plan_page(plan, "admin"));
	assert_non_null(plan->forward);
	plan_unref(&plan);
}

static void test_names(void **state)
{
	static const char *const expression_names[] = { "email", "email_kind", "stage", "list", "score",
		"interest", "fit", "intent", "language", "form", "tags" };
	struct plan *plan = load_good(*state);
	const struct vocabulary *const all[] = { plan->vocabulary, plan->mail_names, plan->page_names,
		plan->alert_names };

	for (size_t i = 0; i < plan->field_count; i++) {
		assert_int_equal(plan->fields[i].symbol, i);
		assert_int_equal(vocabulary_find(plan->vocabulary, slice_of(plan->fields[i].name)), i);
		assert_int_equal(vocabulary_find(plan->mail_names, slice_of(plan->fields[i].name)), i);
	}
	for (size_t i = 0; i < COUNT(all); i++)
		assert_true(vocabulary_count(all[i]) > plan->field_count);
	for (size_t i = 0; i < COUNT(expression_names); i++)
		assert_true(vocabulary_find(plan->vocabulary, slice_of(expression_names[i])) >=
			(int)plan->field_count);
	/* `company` is the sender's on pages, although there is a field of that name */
	assert_true(vocabulary_find(plan->page_names, slice_of("company")) >= (int)plan->field_count);
	assert_true(vocabulary_find(plan->alert_names, slice_of("company")) >= (int)plan->field_count);
	assert_int_equal(vocabulary_find(plan->mail_names, slice_of("company")), 3);
	assert_int_equal(plan->symbol_form, vocabulary_find(plan->vocabulary, slice_of("form")));
	assert_int_equal(plan->symbol_tags, vocabulary_find(plan->vocabulary, slice_of("tags")));
	assert_string_equal(vocabulary_symbol(plan->vocabulary, plan->symbol_stage)->values[1], "decision");
	assert_string_equal(vocabulary_symbol(plan->vocabulary, plan->symbol_list)->values[0], "buying");
	assert_true(vocabulary_symbol(plan->vocabulary, plan->symbol_interest)->decays);
	assert_true(vocabulary_symbol(plan->vocabulary, plan->symbol_score)->decays);
	assert_true(vocabulary_symbol(plan->vocabulary, plan->symbol_intent)->may_be_empty);
	assert_false(vocabulary_symbol(plan->mail_names, 0)->may_be_empty);
	assert_true(vocabulary_symbol(plan->mail_names, 1)->may_be_empty);
	plan_unref(&plan);
}

/* A set as "fit0 stage1 wait1.3". */
static void print_set(const struct plan *plan, struct rule_set set, struct buf *out)
{
	static const char *const kinds[] = {
		[RULE_FIT] = "fit",
		[RULE_INTEREST] = "interest",
		[RULE_STAGE] = "stage",
		[RULE_LIST] = "list",
		[RULE_HOT] = "hot",
		[RULE_ENTER] = "enter",
		[RULE_GOAL] = "goal",
		[RULE_EXIT] = "exit",
		[RULE_WAIT] = "wait",
		[RULE_TEST] = "test",
	};

	for (size_t i = 0; i < set.count; i++) {
		const struct rule *rule = &plan->rules[set.rules[i]];

		buf_printf(out, "%s%s%d", i ? " " : "", kinds[rule->kind], rule->index);
		if (rule->kind == RULE_WAIT || rule->kind == RULE_TEST)
			buf_printf(out, ".%d", rule->step);
	}
}

static void test_rules_by_symbol(void **state)
{
	static const struct {
		const char *symbol, *rules;
	} rows[] = {
		{ "first_name", "" },
		{ "role", "fit0" },
		{ "seats", "fit0" },
		{ "company", "" },
		{ "interest", "stage1" },
		{ "intent", "stage1 hot0" },
		{ "stage", "list0 hot0 goal1" },
		{ "list", "exit1" },
		{ "score", "hot0" },
		{ "fit", "" },
	};
	struct plan *plan = load_good(*state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT;

		print_set(plan, plan->by_symbol[vocabulary_find(plan->vocabulary, slice_of(rows[i].symbol))],
			&out);
		assert_string_equal(buf_cstr(&out), rows[i].rules);
		buf_clear(&out);
	}
	plan_unref(&plan);
}

static void test_rules_by_event(void **state)
{
	static const struct {
		const char *event, *rules;
	} rows[] = {
		{ "signup", "interest0 enter1" },
		{ "click", "interest1 interest2 wait1.3" },
		{ "page_view", "wait1.3" },
		{ "stage_changed", "enter0" },
		{ "download", "" }, /* an `if` is asked when its step comes */
		{ "open", "" },
		{ "", "" },
		{ "zzz", "" },
	};
	struct plan *plan = load_good(*state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT;

		print_set(plan, plan_rules_of(plan, rows[i].event), &out);
		assert_string_equal(buf_cstr(&out), rows[i].rules);
		buf_clear(&out);
	}
	for (size_t i = 1; i < plan->event_count; i++)
		assert_true(strcmp(plan->event_names[i - 1], plan->event_names[i]) < 0);
	plan_unref(&plan);
}

/* What decides a test touches it; a goal is seen where goals are; and no event lets people in who are put in by hand. */
static void test_rules_of_tests(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	struct buf out = BUF_INIT;

	conf_edit(c, "sequences/second.yaml", NULL,
		"sequence: second\nenter: by hand\npriority: 20\ngoal: did(\"purchase\")\nsteps:\n"
		"  - {test: [delivery, mistakes]}\n  - {test: [delivery, mistakes], by: lead_won}\n"
		"  - {test: [delivery, mistakes], by: goal}\n");
	plan = load_good(c);
	print_set(plan, plan_rules_of(plan, "click"), &out);
	assert_string_equal(buf_cstr(&out), "interest1 interest2 test0.0 wait1.3");
	buf_reset(&out);
	print_set(plan, plan_rules_of(plan, "lead_won"), &out);
	assert_string_equal(buf_cstr(&out), "test0.1");
	buf_reset(&out);
	print_set(plan, plan_rules_of(plan, "purchase"), &out);
	assert_string_equal(buf_cstr(&out), "goal0");
	assert_int_equal(plan_rules_of(plan, "goal").count, 0);
	assert_int_equal(plan_rules_of(plan, "").count, 0);
	buf_clear(&out);
	plan_unref(&plan);
}

/*
 * A thousand rules, and an event touches those that name it: what it costs follows them, not how many there are.
 */
static void test_rules_of_many(void **state)
{
	struct conf *c = *state;
	struct buf yaml = BUF_INIT;
	struct plan *plan;

	buf_str(&yaml, "  interest:\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&yaml, "    - {on: event_%d, points: 1}\n", i);
	conf_edit(c, "nurture.yaml", "  interest:\n", buf_cstr(&yaml));
	plan = load_good(c);
	assert_true(plan->rule_count > 1000);
	assert_int_equal(plan_rules_of(plan, "event_517").count, 1);
	assert_int_equal(plan_rules_of(plan, "page_view").count, 1);
	assert_int_equal(plan_rules_of(plan, "click").count, 3);
	assert_int_equal(plan->by_symbol[plan->symbol_interest].count, 1);
	buf_clear(&yaml);
	plan_unref(&plan);
}

static void test_rules_on_machines(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	struct buf out = BUF_INIT;

	conf_edit(c, "sequences/book.yaml", "clicked(", "clicked_any(");
	plan = load_good(c);
	print_set(plan, plan_rules_of(plan, "click_machine"), &out);
	assert_string_equal(buf_cstr(&out), "wait1.3");
	buf_clear(&out);
	plan_unref(&plan);
}

static void test_rules_by_until(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	struct buf out = BUF_INIT;

	conf_edit(c, "nurture.yaml", "until: interest < 40", "until: fit < 3 and not did(\"demo\", 3 days)");
	plan = load_good(c);
	print_set(plan, plan->by_symbol[plan->symbol_fit], &out);
	assert_string_equal(buf_cstr(&out), "stage1");
	buf_reset(&out);
	print_set(plan, plan_rules_of(plan, "demo"), &out);
	assert_string_equal(buf_cstr(&out), "stage1");
	buf_clear(&out);
	plan_unref(&plan);
}

/* What looks like a mistake and is none. */
static void test_let_pass(void **state)
{
	static const struct {
		const char *file, *old, *new;
	} rows[] = {
		/* loops that wait */
		{ "sequences/book.yaml", "{go: thank}", "{go: nudge}" },
		{ "sequences/second.yaml", "  - {send: delivery}",
			"  - {send: delivery}\n  - wait_for: replied()\n    at_most: 1 day\n    otherwise: "
			"send-1\n" },
		{ "sequences/second.yaml", "  - {send: delivery}",
			"  - {split: {a: 1, b: 1}}\n  - a: {wait_until: \"09:00\"}\n  - {go: split-1}\n  - b: {end: done}\n" },
		/* an answer to a mail that only one way, or the loop itself, sends */
		{ "sequences/second.yaml", "  - {send: delivery}",
			"  - if: did(\"a\")\n    then: b\n  - {test: [delivery, mistakes]}\n  - b: {send: mistakes, thread: same}\n" },
		{ "sequences/second.yaml", "  - {send: delivery}",
			"  - {send: delivery, thread: same}\n  - {wait: 1 day}\n  - {go: send-1}\n" },
		/* moves behind which nothing waits, and to where the sequence lives on */
		{ "sequences/book.yaml", "  - {end: done}", "  - {move: buying}\n  - {tag: bought}\n  - {end: done}" },
		{ "sequences/second.yaml", "  - {send: delivery}", "  - {send: delivery}\n  - {move: buying}" },
		{ "sequences/second.yaml", "steps:", "list: looking\nsteps:\n  - {move: looking, for: 1 day}" },
		{ "sequences/second.yaml", "steps:", "exit: list == \"buying\" and did(\"a\")\nsteps:\n  - {move: buying}" },
		/* a tag that no step gives may come from elsewhere */
		{ "sequences/second.yaml", "steps:", "exit: tags contains \"vip\"\nsteps:" },
		/* conditions that are true of some and false of others */
		{ "sequences/book.yaml", "goal: stage >= \"decision\"", "goal: not (intent == nil)" },
		{ "sequences/book.yaml", "goal: stage >= \"decision\"", "goal: intent == nil" },
		{ "sequences/book.yaml", "exit: list != \"looking\"", "exit: list == \"buying\"" },
		{ "sequences/book.yaml", "exit: list != \"looking\"",
			"exit: list == \"looking\" and interest < 1" },
		{ "nurture.yaml", "interest >= 60 or intent", "fit > 3 or score > 3 or intent" },
		/* the mail that asks for consent may be sent by a sequence, and needs no link to unsubscribe */
		{ "sequences/second.yaml", "{send: delivery}", "{send: confirm}" },
		{ "forms/book.yaml", "thanks: https://www.example.com/thanks\n", "" },
		{ "forms/.book.yaml.swp", NULL, "b0VIM 9.0" },
		{ "forms/book.yaml~", NULL, "form: book\n" },
		{ "nurtured.yaml", "smtp://relay.example.com:587\",", "smtp://127.0.0.1:2525\", tls: none," },
	};
	struct conf *c = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan *plan;

		conf_edit(c, rows[i].file, rows[i].old, rows[i].new);
		plan = load_good(c);
		plan_unref(&plan);
		conf_restore(c, rows[i].file);
	}
}

static void test_digest(void **state)
{
	static const struct {
		const char *file, *old, *new;
	} rows[] = {
		{ "nurture.yaml", "points: 20", "points: 21" },
		{ "forms/book.yaml", "Yes, send", "Yes send" },
		{ "templates/emails/letter.liquid", "Stop", "Leave" },
		{ "templates/emails/mistakes.txt.liquid", "Stop", "Leave" },
		{ "templates/pages/thanks.liquid", "h1", "h2" },
	};
	struct conf *c = *state;
	struct plan *first = load_good(c), *second = load_good(c);

	assert_memory_equal(first->digest, second->digest, sizeof(first->digest));
	plan_unref(&second);
	for (size_t i = 0; i < COUNT(rows); i++) {
		conf_edit(c, rows[i].file, rows[i].old, rows[i].new);
		second = load_good(c);
		assert_memory_not_equal(first->digest, second->digest, sizeof(first->digest));
		plan_unref(&second);
		conf_restore(c, rows[i].file);
	}
	plan_unref(&first);
}

static void test_references(void **state)
{
	struct plan *plan = load_good(*state), *other = plan_ref(plan), *none = NULL;

	assert_ptr_equal(plan, other);
	plan_unref(&plan);
	assert_null(plan);
	assert_string_equal(other->sequences[0].name, "second");
	plan_unref(&other);
	plan_unref(&none);
}

static void test_no_operator_file(void **state)
{
	struct conf *c = *state;
	struct plan_errors errors = { 0 };
	char *said;

	conf_remove(c, "nurtured.yaml");
	assert_null(conf_load(c, &said));
	assert_string_equal(said, "nurtured.yaml:1:1: there is no such file\n");
	free(said);
	assert_null(plan_load(c->folder, &errors));
	assert_int_equal(errors.count > 0, 1);
	buf_clear(&errors.text);
}

/* Every file is read although the first is wrong, and what is said comes in order. */
static void test_all_errors_in_order(void **state)
{
	struct conf *c = *state;
	struct plan *plan;
	char *said;

	conf_edit(c, "sequences/book.yaml", "list: looking", "list: nobody\nlst: x");
	conf_edit(c, "sales.yaml", "replies_to:", "reply_to:");
	conf_edit(c, "nurtured.yaml", "port: 0", "prot: 0, port: -1");
	conf_edit(c, "nurture.yaml", "half_life: 10 days", "half_life: 0 s");
	conf_edit(c, "forms/book.yaml", "form: book", "form: \"b b\"");
	plan = conf_load(c, &said);
	assert_null(plan);
	assert_string_equal(said,
		"nurtured.yaml:3:51: unknown key `prot` in `listen`; did you mean `port`?\n"
		"nurtured.yaml:3:66: `port`: out of bounds; 0 to 65535 are allowed\n"
		"nurture.yaml:15:14: `half_life`: out of bounds; 1 minute to 3650 days are allowed\n"
		"forms/book.yaml:1:7: `b b` is no name; a letter comes first, then letters, digits, - and _\n"
		"sequences/book.yaml:2:7: there is no list `nobody` in nurture.yaml; there are `buying` and "
		"`looking`\n"
		"sequences/book.yaml:3:1: unknown key `lst` in a sequence; did you mean `list`?\n"
		"sales.yaml:4:1: unknown key `reply_to` in sales.yaml; there are `hot`, `cooldown`, "
		"`on_hot`, `replies_to`, "
		"`owners` and `alerts`\n");
	free(said);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_operator),
		TEST(test_secrets_are_read),
		TEST(test_secret_files),
		TEST(test_secret_of_an_alert),
		TEST(test_who_only_looks_needs_no_secrets),
		TEST(test_relays),
		TEST(test_senders),
		TEST(test_message),
		TEST(test_attachments),
		TEST(test_nurture),
		TEST(test_holidays),
		TEST(test_grades),
		TEST(test_without_quiet_hours_and_sales),
		TEST(test_form),
		TEST(test_single_confirmation),
		TEST(test_sequences_by_priority),
		TEST(test_steps),
		TEST(test_sales),
		TEST(test_templates),
		TEST(test_names),
		TEST(test_rules_by_symbol),
		TEST(test_rules_by_event),
		TEST(test_rules_of_tests),
		TEST(test_rules_of_many),
		TEST(test_rules_on_machines),
		TEST(test_rules_by_until),
		TEST(test_let_pass),
		TEST(test_digest),
		TEST(test_references),
		TEST(test_no_operator_file),
		TEST(test_all_errors_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
