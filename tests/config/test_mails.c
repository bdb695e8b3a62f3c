/*
 * test_mails.c: mails in several languages: which files are versions of which mail, what they are made of, and who gets which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mistakes.h"

#define EMAILS "templates/emails/"

static int setup(void **state)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	conf_init(c);
	conf_write(c, EMAILS "delivery.de.liquid",
		"---\nsubject: \"Ihr Buch, {{ first_name }}\"\nlayout: letter\n---\n<p><a href=\"{{ download_url }}\">Hier</a></p>\n");
	conf_write(c, EMAILS "delivery.de-AT.liquid",
		"---\nsubject: Das Buch\nlayout: letter\n---\n<p><a href=\"{{ download_url }}\">Da</a></p>\n");
	conf_write(c, EMAILS "letter.de.liquid",
		"<html><body>{{ content }}<p><a href=\"{{ unsubscribe_url }}\">Abmelden</a></p></body></html>\n");
	conf_write(c, EMAILS "delivery.pt.liquid",
		"---\nsubject: O livro\nlayout: letter\n---\n<p><a href=\"{{ download_url }}\">Aqui</a> {% render \"foot\" %}</p>\n");
	conf_write(c, EMAILS "delivery.pt.txt.liquid", "{{ download_url }} {{ unsubscribe_url }} {% render \"foot\" %}\n");
	conf_write(c, EMAILS "foot.liquid", "html foot\n");
	conf_write(c, EMAILS "foot.txt.liquid", "text foot\n");
	conf_write(c, EMAILS "foot.pt.txt.liquid", "pe de texto\n");
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	conf_clear(*state);
	free(*state);
	return 0;
}

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

static struct value name_cb(void *ctx, int symbol)
{
	const struct plan *plan = ctx;

	return value_text(vocabulary_symbol(plan->mail_names, symbol)->name);
}

static bool says(struct plan *plan, const struct template *t, const char *words)
{
	struct arena *arena = arena_new(0);
	struct template_env env = { .ctx = plan, .name = name_cb, .arena = arena };
	struct buf out = BUF_INIT;
	struct err err;
	bool there;

	assert_int_equal(template_render(t, &env, &out, &err), TEMPLATE_DONE);
	there = strstr(buf_cstr(&out), words) != NULL;
	buf_clear(&out);
	arena_free(&arena);
	return there;
}

static void test_versions(void **state)
{
	struct plan *plan = load_good(*state);
	const struct mail_template *base = plan_mail(plan, "delivery"), *de = plan_mail(plan, "delivery.de"),
				   *at = plan_mail(plan, "delivery.de-AT"), *pt = plan_mail(plan, "delivery.pt");

	assert_string_equal(base->base, "delivery");
	assert_string_equal(base->language, "");
	assert_string_equal(de->base, "delivery");
	assert_string_equal(de->language, "de");
	assert_string_equal(at->language, "de-AT");
	assert_true(says(plan, de->subject, "Ihr Buch, first_name"));
	assert_true(says(plan, base->html, "Stop"));
	/* the layout of the language, or of what it belongs to, or the one there is */
	assert_true(says(plan, de->html, "Abmelden"));
	assert_true(says(plan, at->html, "Abmelden"));
	assert_true(says(plan, at->html, "Da"));
	assert_true(says(plan, pt->html, "Stop"));
	/* made of its HTML, not of the base's text */
	assert_true(says(plan, de->text, "Hier"));
	/* a text part has text partials, of its language first */
	assert_true(says(plan, pt->text, "pe de texto"));
	assert_true(says(plan, pt->html, "html foot"));
	assert_true(de->uses_download && at->uses_download && pt->uses_download);
	plan_unref(&plan);
}

static void test_who_gets_which(void **state)
{
	static const struct {
		const char *language, *mail;
	} rows[] = {
		{ "", "delivery" },
		{ "en", "delivery" },
		{ "de", "delivery.de" },
		{ "DE", "delivery.de" },
		{ "de-AT", "delivery.de-AT" },
		{ "de-at", "delivery.de-AT" },
		{ "de_AT", "delivery.de-AT" },
		{ "de-CH", "delivery.de" },
		{ "de-AT-1996", "delivery.de-AT" },
		{ "de-CH-1996", "delivery.de" },
		{ "pt-BR", "delivery.pt" },
		{ "d", "delivery" },
		{ "den", "delivery" },
		{ "-", "delivery" },
		{ "de-", "delivery.de" },
	};
	struct plan *plan = load_good(*state);

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(plan_mail_in(plan, plan_mail(plan, "delivery"), rows[i].language)->name, rows[i].mail);
	assert_string_equal(plan_mail_in(plan, plan_mail(plan, "mistakes"), "de")->name, "mistakes");
	plan_unref(&plan);
}

/* Names with points that are no languages are names. */
static void test_points_in_names(void **state)
{
	struct conf *c = *state;
	struct plan *plan;

	conf_write(c, EMAILS "offer.v2.liquid", "---\nsubject: x\nlayout: letter\n---\nx\n");
	conf_write(c, EMAILS "offer.Spring.liquid", "---\nsubject: x\nlayout: letter\n---\nx\n");
	conf_write(c, EMAILS "letter.en.liquid", "{{ content }}\n");
	conf_write(c, EMAILS "letter.en.txt.liquid", "{{ content }}\n");
	plan = load_good(c);
	assert_string_equal(plan_mail(plan, "offer.v2")->base, "offer.v2");
	assert_string_equal(plan_mail(plan, "offer.Spring")->language, "");
	assert_null(plan_mail(plan, "letter.en"));
	plan_unref(&plan);
}

static const struct mistake mistakes[] = {
	{ EMAILS "other.de.liquid", NULL, "---\nsubject: x\n---\nx\n",
		EMAILS "other.de.liquid:1:1: this is the mail `other` for the language `de`, and there is no mail `other`; "
		"write that too, or call this one otherwise\n" },
	{ EMAILS "letter.fr.liquid", NULL, "---\nsubject: x\n---\nx\n",
		EMAILS "letter.fr.liquid:1:1: this is the mail `letter` for the language `fr`, and there is no mail `letter`; "
		"write that too, or call this one otherwise\n" },
	{ EMAILS "mistakes.de.liquid", NULL, "<p>{{ unsubscribe_url }}</p>\n",
		EMAILS "mistakes.de.liquid:1:1: this is the mail `mistakes` for the language `de`, and has no `subject`; "
		"give it one\n" },
	{ EMAILS "mistakes.de.liquid", NULL, "---\nsubject: x\nlayout: letter\n---\n{{ download_url }}\n",
		EMAILS "mistakes.de.liquid:1:1: `mistakes.de` names {{ download_url }} and `mistakes` does not; all versions of "
		"a mail offer the same\n" },
	{ EMAILS "delivery.fr.liquid", NULL, "---\nsubject: x\nlayout: letter\n---\nx\n",
		EMAILS "delivery.fr.liquid:1:1: `delivery` names {{ download_url }} and `delivery.fr` does not; all versions of "
		"a mail offer the same\n" },
	{ EMAILS "delivery.de-at.liquid", NULL, "---\nsubject: x\nlayout: letter\n---\n{{ download_url }}\n",
		EMAILS "delivery.de-at.liquid:1:1: `delivery.de-at` is the same language as `delivery.de-AT`; keep one of "
		"them\n" },
	{ EMAILS "mistakes.de.txt.liquid", NULL, "x\n",
		EMAILS "mistakes.de.txt.liquid:1:1: this is the text part of mistakes.de.liquid, which is not there; write "
		"that too\n" },
	{ EMAILS "delivery.fr.liquid", NULL, "---\nsubject: x\n---\n{{ download_url }}\n",
		"sequences/second.yaml:5:5: the mail `delivery.fr` has no link to unsubscribe; put {{ unsubscribe_url }} into it "
		"or its layout\n" },
	{ EMAILS "delivery.de.txt.liquid", NULL, "{{ download_url }}\n",
		"sequences/second.yaml:5:5: the text part of the mail `delivery.de` has no link to unsubscribe; put {{ "
		"unsubscribe_url }} into delivery.de.txt.liquid\n" },
	{ EMAILS "confirm.de.liquid", NULL, "---\nsubject: x\n---\nx\n",
		"forms/book.yaml:1:1: the mail `confirm.de` has no link to confirm with; put {{ confirm_url }} into it\n" },
	{ EMAILS "delivery.fr.liquid", NULL, "---\nsubject: \"{{ firstname }}\"\nlayout: letter\n---\n{{ download_url }}\n",
		EMAILS "delivery.fr.liquid:2:14: unknown name \"firstname\"; did you mean \"first_name\"?\n" },
	{ EMAILS "letter.de.liquid", NULL, "{{ content }} {{ sneder }} {{ unsubscribe_url }}\n",
		EMAILS "letter.de.liquid:1:18: unknown name \"sneder\"; did you mean \"sender\"?\n" },
	{ EMAILS "foot.pt.txt.liquid", NULL, "{% if true %}\n",
		EMAILS "foot.pt.txt.liquid:1:3: this block has no endif\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{send: delivery.de}",
		"sequences/book.yaml:9:21: `delivery.de` is `delivery` for the language `de`; name `delivery`: each person gets "
		"it in theirs\n" },
	{ "sequences/book.yaml", "{wait: 2 days}", "{test: [mistakes, delivery.de]}",
		"sequences/book.yaml:10:23: `delivery.de` is `delivery` for the language `de`; name `delivery`: each person gets "
		"it in theirs\n" },
	{ "sequences/book.yaml", "clicked(\"mistakes\")", "clicked(\"delivery.de\")",
		"sequences/book.yaml:12:24: `delivery.de` is `delivery` for the language `de`; name `delivery`: each person gets "
		"it in theirs\n" },
	{ "sequences/book.yaml", "{send: delivery, even_in: quiet}", "{send: nothing}",
		"sequences/book.yaml:9:21: there is no mail `nothing` in templates/emails/; there are `confirm`, `delivery` and "
		"`mistakes`\n" },
	{ "forms/book.yaml", "required:", "confirm_mail: delivery.de\nrequired:",
		"forms/book.yaml:3:15: `delivery.de` is `delivery` for the language `de`; name `delivery`: each person gets it "
		"in theirs\n" },
};

/* Versions that setup() wrote are put back; the others are taken away again. */
static void test_mistakes(void **state)
{
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		struct conf *c = *state;
		char *path = xasprintf("%s/%s", c->folder, mistakes[i].file), *before = conf_read(path);

		try_mistakes_in(c, &mistakes[i], 1);
		if (before && !strncmp(mistakes[i].file, EMAILS, strlen(EMAILS)))
			conf_write(c, mistakes[i].file, before);
		free(before);
		free(path);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_versions),
		TEST(test_who_gets_which),
		TEST(test_points_in_names),
		TEST(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
