/*
 * test_lint.c: what lint finds, a row for each rule at least, and what it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "language/lint.h"

#include "../../daemon/language/lint_look.h"
#include "../../daemon/language/lint_url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct symbol symbols[] = {
	{ .name = "first_name", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "sender", .type = VALUE_OBJECT },
	{ .name = "unsubscribe_url", .type = VALUE_TEXT },
	{ .name = "confirm_url", .type = VALUE_TEXT },
	{ .name = "subject", .type = VALUE_TEXT },
};

static struct vocabulary *vocabulary;

/* Around each row: a mail with which nothing is wrong. The row's text takes the place of {{ content }}. */
#define LAYOUT                                                                                                                      \
	"<!doctype html><html lang=\"en\"><head><meta name=\"viewport\" content=\"width=device-width\">"                            \
	"<meta name=\"color-scheme\" content=\"light dark\"><style>@media (prefers-color-scheme: dark) { body { background: #111 } }</style></head>" \
	"<body>{{ content }}<p>{{ sender.postal_address }} <a href=\"{{ unsubscribe_url }}\">Unsubscribe</a></p></body></html>"
#define FRONT "---\nsubject: Three mistakes\npreheader: And how to avoid them\nlayout: letter\n---\n"
#define WORDS "<p>Choosing a vendor is easier with a list of what hurts every week. Here is ours.</p>"

static const char *load(void *ctx, const char *name)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "letter", LAYOUT },
		{ "foreign", "<html><body>{{ content }}{% render \"foot\", where: sender.postal_address %}</body></html>" },
		{ "quiet", "---\nlint_ignore: lang, viewport dark-meta dark-style\n---\n<html><body>{{ content }}{% render \"foot\", where: "
			   "sender.postal_address %}</body></html>" },
		{ "foot", "\n<p>{{ where }}</p>\n<a href=\"{{ unsubscribe_url }}\">Stop</a> <img src=\"https://x.example/i.png\" width=\"9\">" },
		{ "self", "<p>x</p>{% render \"self\" %}" },
	};

	for (size_t i = 0; i < COUNT(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return files[i].text;
	return NULL;
}

static struct value sample(void *ctx, int symbol)
{
	static const struct value_pair pairs[] = { { { "postal_address", 14 },
		{ .type = VALUE_TEXT, .text = { "1 High Street", 13 } } } };
	static const struct value_object sender = { 1, pairs, NULL };

	if (symbols[symbol].type == VALUE_OBJECT)
		return (struct value){ .type = VALUE_OBJECT, .object = &sender };
	return value_text(text_ends_with(symbols[symbol].name, "_url") ? "https://mail.example.com/u/x" : "Alexandra");
}

static struct lint_finding *found_in(const char *source, enum lint_kind kind, bool has_text, size_t *count)
{
	const struct template_options compile = {
		.escape = TEMPLATE_HTML, .vocabulary = kind == LINT_PART ? NULL : vocabulary, .load = load, .track_links = true
	};
	struct template_env env = { .name = sample, .arena = arena_new(0) };
	const struct lint_options options = {
		.kind = kind, .compile = &compile, .sample = kind == LINT_PART ? NULL : &env, .has_text = has_text
	};
	struct lint_finding *found = lint_template("mail", source, &options, count);

	arena_free(&env.arena);
	return found;
}

/* --- rules of what stands in a mail ------------------------------------------------------------------------------ */

static const struct row {
	const char *source, *rules;	/* all that are found, in order of place */
} rows[] = {
	{ "", "" },
	/* Liquid */
	{ "<p>{{ first_name }}</p>", "empty-field" },
	{ "<p>{{ first_name | default: 'you' }}</p>", "" },
	{ "<p>{% if %}x{% endif %}</p>", "liquid" },
	{ "<p>{{ frst_name }} {{ subject | nope }}</p>", "liquid liquid" },
	/* images */
	{ "<img src=\"https://x.example/i.png\" width=\"10\">", "image-alt" },
	{ "<img src=\"https://x.example/i.png\" width=\"10\" alt>", "" },
	{ "<img src=\"https://x.example/i.png\" alt=\"A logo\">", "image-width" },
	{ "<img src=\"https://x.example/i.png\" alt=\"\" style=\"max-width:100%\">", "" },
	{ "<img src=\"i.png\" alt=\"\" width=1>", "link-relative" },
	{ "<img src=\"{{ subject }}\" alt=\"\" width=\"1\">", "" },
	{ "<!--[if mso]><img src=\"x\"><![endif]-->", "" },
	/* links */
	{ "<a href=\"\">x</a>", "link-target" },
	{ "<a href=\"#\">x</a>", "link-target" },
	{ "<a name=\"top\"></a>", "" },
	{ "<a href=\"/pricing\">x</a>", "link-relative" },
	{ "<a href=\"www.example.com\">x</a>", "link-relative" },
	{ "<a href=\"ftp://x.example/\">x</a>", "link-scheme" },
	{ "<a href=\"htps://x.example/\">x</a>", "link-scheme" },
	{ "<a href=\"https://exa mple.com\">x</a>", "link-malformed" },
	{ "<a href=\"https:/x.example\">x</a>", "link-malformed" },
	{ "<a href=\"https://x.example/%zz\">x</a>", "link-malformed" },
	{ "<a href=\"https://example/\">x</a>", "link-malformed" },
	{ "<a href=\"https://x.example:80a/\">x</a>", "link-malformed" },
	{ "<a href=\"mailto:\">x</a>", "link-malformed" },
	{ "<a href=\"http://localhost:8025/x\">x</a>", "link-local" },
	{ "<a href=\"https://192.168.1.2/\">x</a>", "link-local" },
	{ "<a href=\"http://x.example/\">x</a>", "link-http" },
	{ "<a href=\"http://x.example/?q={{ subject }}\">x</a>", "link-http" },
	{ "<a href=\"https://x.example/?a=1&amp;b=2\">x</a> <a href=\"mailto:a@x.example\">x</a> <a href=\"tel:+4912\">x</a>", "" },
	{ "<a href=\"https://{{ subject }}/\">x</a> <a href=\"{{ unsubscribe_url }}\">x</a>", "" },
	{ "<a href=\"https://x.example/\"></a>", "link-text" },
	{ "<a href=\"https://x.example/\"><img src=\"https://x.example/i.png\" alt=\"\" width=\"1\"></a>", "link-text" },
	{ "<a href=\"https://x.example/\"><img src=\"https://x.example/i.png\" alt=\"Our offer\" width=\"1\"></a>", "" },
	{ "<a href=\"https://x.example/\"><b>{{ subject }}</b></a>", "" },
	/* what mail programs do not do */
	{ "<a href=\"javascript:alert(1)\">x</a>", "script" },
	{ "<script>alert(1)</script>", "script" },
	{ "<p onclick=\"x()\">x</p>", "script" },
	{ "<form action=\"https://x.example/\"></form>", "form" },
	{ "<iframe src=\"https://x.example/\"></iframe>", "embed" },
	{ "<link rel=\"stylesheet\" href=\"https://x.example/a.css\">", "style-external" },
	{ "<style>@import url(https://x.example/a.css);</style>", "style-external" },
	/* contrast */
	{ "<p style=\"color:#999\">x</p>", "contrast" },
	{ "<p style=\"color:#767676\">x</p>", "" },
	{ "<p style=\"color:#888;font-size:24px\">x</p> <h1 style=\"color:#888\">x</h1> <b style=\"color:#888;font-size:14pt\">x</b>", "" },
	{ "<h1 style=\"color:#888;font-size:16px\">x</h1>", "contrast" },
	{ "<div style=\"background:#2b5ce6 none\"><p style=\"color:#ffffff\">x</p><p style=\"color:rgb(120, 140, 200)\">x</p></div>", "contrast" },
	{ "<td bgcolor=\"#000000\"><font color=\"#333333\">x</font></td>", "contrast" },
	{ "<p style=\"color:#999\"></p> <p style=\"color:#999;display:none\">x</p>", "" },
	{ "<p class=\"x\" style=\"color:#999\">x</p>", "" },
	{ "<p style=\"color:#999;background:url(x.png)\">x</p>", "" },
	{ "<p style=\"color:{{ subject }};background:#fff\">x</p>", "" },
	{ "<div style=\"color:#eee\"><a href=\"https://x.example/\">x</a></div>", "" },
	{ "{% if subject %}<p style=\"color:#999\">x</p>{% else %}<p style=\"color:#888\">x</p>{% endif %}", "contrast contrast" },
	/* in the dark */
	{ "<p style=\"color:#000\">x</p>", "dark-text" },
	{ "<p style=\"color:black;background-color:white\">x</p>", "" },
	/* a partial has its own place, and one that renders itself ends */
	{ "{% render \"self\" %}", "" },
};

static void check_rules(const char *source, enum lint_kind kind, bool has_text, const char *wanted)
{
	size_t count;
	struct lint_finding *found = found_in(source, kind, has_text, &count);
	struct buf rules = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_printf(&rules, "%s%s", i ? " " : "", found[i].rule->name);
	if (strcmp(buf_cstr(&rules), wanted) != 0)
		fail_msg("%s\nfound \"%s\", not \"%s\"%s%s", source, buf_cstr(&rules), wanted, count ? ": " : "",
			count ? found[0].text : "");
	buf_clear(&rules);
	free(found);
}

static void test_finds_what_is_wrong_in_a_mail(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *source = xasprintf("%s%s%s", FRONT, rows[i].source, WORDS);

		check_rules(source, LINT_MAIL, false, rows[i].rules);
		free(source);
	}
}

/* --- rules of a mail as a whole ---------------------------------------------------------------------------------- */

#define MAIL(subject) "---\nsubject: " subject "\npreheader: x\nlayout: letter\n---\n" WORDS

static const struct row wholes[] = {
	{ MAIL("Three mistakes"), "" },
	{ MAIL("\"\""), "subject-empty" },
	{ MAIL("{{ first_name | default: ' ' }}, and then some words that are, all of them, many more than sixty"), "subject-long" },
	{ MAIL("Sixty characters and no more than that stand in this subject"), "" },
	{ MAIL("LAST CHANCE TO SAVE"), "subject-capitals" },
	{ MAIL("FAQ"), "" },
	{ MAIL("Now! Today!"), "subject-marks" },
	{ MAIL("At last!"), "" },
	{ MAIL("Re: your question"), "subject-reply" },
	{ MAIL("FWD: your question"), "subject-reply" },
	{ MAIL("Regarding your question"), "" },
	{ "---\nsubject: A\nlayout: letter\n---\n" WORDS, "preheader" },
	{ "---\nsubject: A\npreheader: \"\"\nlayout: letter\n---\n" WORDS, "preheader" },
	{ "---\nsubject: A\npreheader: x\nlayout: letter\n---\n<img src=\"https://x.example/i.png\" alt=\"\" width=\"600\">", "text-thin" },
	{ "---\nsubject: A\npreheader: x\n---\n" WORDS,
		"dark-meta dark-style lang postal-address unsubscribe viewport" },
	{ "---\nsubject: A\npreheader: x\n---\n<html lang=\"\">" WORDS "{{ confirm_url }}</html>",
		"dark-meta dark-style lang postal-address viewport" },
	{ "---\nsubject: A\npreheader: x\nlayout: foreign\n---\n" WORDS, "image-alt dark-meta dark-style lang viewport" },
	{ "---\nsubject: A\npreheader: x\nlayout: quiet\n---\n" WORDS, "image-alt" },
	{ "---\nsubject: A\npreheader: x\nlayout: quiet\nlint_ignore: image-alt\n---\n" WORDS, "" },
};

static void test_finds_what_is_wrong_with_a_mail(void **state)
{
	for (size_t i = 0; i < COUNT(wholes); i++)
		check_rules(wholes[i].source, LINT_MAIL, false, wholes[i].rules);
	check_rules("---\nsubject: A\npreheader: x\nlayout: letter\n---\n<p>x</p>", LINT_MAIL, true, "");
}

static void check_size(size_t bytes, const char *wanted)
{
	struct buf source = BUF_INIT;

	buf_str(&source, FRONT WORDS);
	while (source.len < bytes)
		buf_str(&source, "<p>x</p>");
	check_rules(buf_cstr(&source), LINT_MAIL, false, wanted);
	buf_clear(&source);
}

static void test_finds_what_is_too_much(void **state)
{
	struct buf source = BUF_INIT;

	check_size(79 * 1024, "");
	check_size(81 * 1024, "size-large");
	check_size(103 * 1024, "size-clipped");
	buf_str(&source, FRONT WORDS);
	for (int i = 0; i < 24; i++)	/* and the one to unsubscribe */
		buf_printf(&source, "<a href=\"https://x.example/%d\">%d</a>", i, i);
	check_rules(buf_cstr(&source), LINT_MAIL, false, "");
	buf_str(&source, "<a href=\"https://x.example/\">x</a>");
	check_rules(buf_cstr(&source), LINT_MAIL, false, "links-many");
	buf_clear(&source);
}

/* --- others than mails ------------------------------------------------------------------------------------------- */

static void test_knows_what_is_no_mail(void **state)
{
	static const char page[] = "<html lang=\"de\"><head><meta name=\"viewport\" content=\"x\"></head><body><form action=\"/x\"><input></form><a "
				   "href=\"/next\">x</a><script src=\"/nurture.js\"></script></body></html>";

	check_rules(page, LINT_PAGE, false, "");
	check_rules("<html><img></html>", LINT_PAGE, false, "lang viewport image-alt image-width");
	check_rules("<p style=\"color:#999\">{{ anything }}</p><a href=\"/x\">x</a>{{ content }}", LINT_PART, false, "contrast link-relative");
	check_rules("<p>{{ first_name }}</p><img><a href=\"#\"></a>", LINT_TEXT, false, "empty-field");
}

/* --- places ------------------------------------------------------------------------------------------------------ */

static void test_points_at_the_file_and_line(void **state)
{
	size_t count;
	struct lint_finding *found = found_in("---\nsubject: \"LAST CHANCE TO SAVE\"\npreheader: x\nlayout: foreign\n---\n" WORDS
					      "\n <img src=\"https://x.example/\" width=\"1\">\n", LINT_MAIL, false, &count);
	static const struct {
		const char *rule, *file;
		int line, column;
	} wanted[] = {
		{ "image-alt", "foot", 3, 42 }, { "dark-meta", "foreign", 1, 1 }, { "dark-style", "foreign", 1, 1 }, { "lang", "foreign", 1, 1 },
		{ "viewport", "foreign", 1, 1 }, { "subject-capitals", "mail", 2, 11 }, { "image-alt", "mail", 7, 2 },
	};

	assert_int_equal(count, COUNT(wanted));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(found[i].rule->name, wanted[i].rule);
		assert_string_equal(found[i].file, wanted[i].file);
		assert_int_equal(found[i].line, wanted[i].line);
		assert_int_equal(found[i].column, wanted[i].column);
		assert_true(strlen(found[i].text) > 30);	/* it says what to do */
	}
	free(found);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static bool is_wanted(const char *rule)
{
	for (size_t i = 0; i < COUNT(rows) + COUNT(wholes); i++) {
		const char *rules = i < COUNT(rows) ? rows[i].rules : wholes[i - COUNT(rows)].rules;
		const char *at = strstr(rules, rule);
		size_t n = strlen(rule);

		if (at && (at == rules || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	}
	/* those of test_finds_what_is_too_much() */
	return text_starts_with(rule, "size-") || strcmp(rule, "links-many") == 0;
}

static void test_each_rule_has_a_row_and_stands_in_the_manual(void **state)
{
	FILE *f = fopen("docs/lint.md", "r");
	struct buf manual = BUF_INIT;
	const struct lint_rule *rules;
	size_t count;
	int c;

	if (!f)
		fail_msg("docs/lint.md cannot be read; run it in the root of the tree");
	while ((c = getc(f)) != EOF)
		buf_char(&manual, (char)c);
	fclose(f);
	rules = lint_rules(&count);
	for (size_t i = 0; i < count; i++) {
		char *row = xasprintf("| `%s` | %s |", rules[i].name, rules[i].severity == LINT_ERROR ? "error" : "warning");

		if (!is_wanted(rules[i].name))
			fail_msg("no row finds %s", rules[i].name);
		if (!strstr(buf_cstr(&manual), row))
			fail_msg("docs/lint.md has no row %s", row);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rules[i].name, rules[k].name);
		free(row);
	}
	print_message("| %zu rules\n", count);
	buf_clear(&manual);
}

/* --- the parts --------------------------------------------------------------------------------------------------- */

static void test_contrast_is_that_of_wcag(void **state)
{
	static const struct {
		const char *a, *b;
		double ratio;
	} pairs[] = { { "#000", "#ffffff", 21 }, { "#777777", "white", 4.48 }, { "#767676", "#fff", 4.54 }, { "rgb(255, 0, 0)", "#00f", 2.15 },
		{ "navy", "navy", 1 } };

	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct color a = { .known = NOT_SAID }, b = { .known = NOT_SAID };
		double ratio;

		look_color(&a, slice_of(pairs[i].a));
		look_color(&b, slice_of(pairs[i].b));
		assert_int_equal(a.known, KNOWN);
		assert_int_equal(b.known, KNOWN);
		ratio = look_contrast(&a, &b);
		if (ratio < pairs[i].ratio - 0.005 || ratio > pairs[i].ratio + 0.005)
			fail_msg("%s on %s: %f, not %f", pairs[i].a, pairs[i].b, ratio, pairs[i].ratio);
		assert_true(ratio == look_contrast(&b, &a));
	}
}

static void test_styles_are_read_as_far_as_they_go(void **state)
{
	static const struct {
		const char *style;
		enum known text, ground;
		double size;
		bool bold, hidden;
	} styles[] = {
		{ "", NOT_SAID, NOT_SAID, 16, false, false },
		{ "color: #123456 !important; font-size: 12pt", KNOWN, NOT_SAID, 16, false, false },
		{ "COLOR:RED;FONT-WEIGHT:600", KNOWN, NOT_SAID, 16, false, false },
		{ "font-weight:700;font-size:1.5em", NOT_SAID, NOT_SAID, 24, true, false },
		{ "font-size:large", NOT_SAID, NOT_SAID, 0, false, false },
		{ "color:inherit;background:transparent", NOT_SAID, NOT_SAID, 16, false, false },
		{ "color:var(--x);background:linear-gradient(#fff,#000)", UNKNOWN, UNKNOWN, 16, false, false },
		{ "background:#fff url(x.png)", NOT_SAID, UNKNOWN, 16, false, false },
		{ "background:no-repeat rgb(1, 2, 3) top", NOT_SAID, UNKNOWN, 16, false, false },
		{ "background:rgb(1, 2, 3) top;background-image:none", NOT_SAID, KNOWN, 16, false, false },
		{ "color:rgba(0,0,0,.5)", UNKNOWN, NOT_SAID, 16, false, false },
		{ "display:none", NOT_SAID, NOT_SAID, 16, false, true },
		{ "font-size:0", NOT_SAID, NOT_SAID, 0, false, true },
		{ ";;:;color;x:y", NOT_SAID, NOT_SAID, 16, false, false },
	};

	for (size_t i = 0; i < COUNT(styles); i++) {
		struct look l = look_plain;

		look_style(&l, slice_of(styles[i].style));
		if (l.text.known != styles[i].text || l.ground.known != styles[i].ground || l.size != styles[i].size ||
			l.bold != styles[i].bold || l.hidden != styles[i].hidden)
			fail_msg("%s: %d %d %f %d %d", styles[i].style, (int)l.text.known, (int)l.ground.known, l.size, l.bold, l.hidden);
	}
}

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		bool open;
		enum url_fault fault;
	} urls[] = {
		{ "https://www.example.com/a?b=c#d", false, URL_GOOD },
		{ "https://user:pw@example.com:8443/", false, URL_GOOD },
		{ "https://[2001:db8::1]:443/", false, URL_GOOD },
		{ "https://b\xc3\xbc" "cher.example/", false, URL_GOOD },
		{ " https://example.com ", false, URL_GOOD },
		{ "https:", true, URL_GOOD },
		{ "https://exam", true, URL_GOOD },
		{ "https://exam", false, URL_MALFORMED },
		{ "https://a..b/", false, URL_MALFORMED },
		{ "https://example.com:/", false, URL_MALFORMED },
		{ "https://example.com/a b", false, URL_MALFORMED },
		{ "https://example.com/%4", false, URL_MALFORMED },
		{ "https://example.com/%4", true, URL_GOOD },
		{ "http", false, URL_RELATIVE },
		{ "//example.com/", false, URL_RELATIVE },
		{ "#top", false, URL_RELATIVE },
		{ "", false, URL_EMPTY },
		{ "http:", true, URL_PLAIN },
		{ "HTTP://Example.com", false, URL_PLAIN },
		{ "https://printer.local", false, URL_LOCAL },
		{ "https://127.0.0.1:80", false, URL_LOCAL },
		{ "data:image/png;base64,xx", false, URL_SCHEME },
		{ "JavaScript:x", false, URL_SCRIPT },
		{ "mailto:a@b", false, URL_GOOD },
		{ "mailto:a", false, URL_MALFORMED },
	};

	for (size_t i = 0; i < COUNT(urls); i++) {
		const char *why;

		if (url_fault_of(slice_of(urls[i].url), urls[i].open, &why) != urls[i].fault)
			fail_msg("%s: %d", urls[i].url, (int)url_fault_of(slice_of(urls[i].url), urls[i].open, &why));
		assert_true((*why != '\0') == (urls[i].fault == URL_MALFORMED));
	}
}

static int set_up(void **state)
{
	vocabulary = vocabulary_new();
	for (size_t i = 0; i < COUNT(symbols); i++)
		vocabulary_add(vocabulary, &symbols[i]);
	return 0;
}

static int tear_down(void **state)
{
	vocabulary_free(&vocabulary);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_is_wrong_in_a_mail),
		cmocka_unit_test(test_finds_what_is_wrong_with_a_mail),
		cmocka_unit_test(test_finds_what_is_too_much),
		cmocka_unit_test(test_knows_what_is_no_mail),
		cmocka_unit_test(test_points_at_the_file_and_line),
		cmocka_unit_test(test_each_rule_has_a_row_and_stands_in_the_manual),
		cmocka_unit_test(test_contrast_is_that_of_wcag),
		cmocka_unit_test(test_styles_are_read_as_far_as_they_go),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
