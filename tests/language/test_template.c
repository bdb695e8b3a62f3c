/*
 * test_template.c: templates as tables: what each tag and filter gives, escaping by place, strictness,
 * links, layouts, text parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/template.h"

#define NOW (INT64_C(1700000000) * US_SECOND)	/* 2023-11-14T22:13:20Z */

static struct vocabulary *vocabulary;

static const struct symbol symbols[] = {
	{ .name = "first_name", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "company", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "email", .type = VALUE_TEXT },
	{ .name = "url", .type = VALUE_TEXT },
	{ .name = "sender.name", .type = VALUE_TEXT },
	{ .name = "lead", .type = VALUE_OBJECT },
	{ .name = "items", .type = VALUE_LIST },
	{ .name = "preheader", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "subject", .type = VALUE_TEXT },
};

struct world {
	struct value data;
	json_t *files;		/* layouts and partials */
};

static struct value by_symbol(void *ctx, int symbol)
{
	const struct world *w = ctx;

	return value_get(w->data, slice_of(symbols[symbol].name));
}

static struct value by_name(void *ctx, struct slice name)
{
	const struct world *w = ctx;

	return value_get(w->data, name);
}

static void tracked(void *ctx, int index, struct buf *out)
{
	buf_printf(out, "https://t.example/c/%d?a&amp;b", index);
}

static const char *load(void *ctx, const char *name)
{
	const struct world *w = ctx;

	return json_string_value(json_object_get(w->files, name));
}

struct outcome {
	enum template_result result;
	struct buf out;
	struct buf text;	/* of the text part */
	struct err err;
	struct template_error errors[8];
	size_t error_count;
	struct template *t;
};

static void outcome_clear(struct outcome *o)
{
	buf_clear(&o->out);
	buf_clear(&o->text);
	template_free(&o->t);
}

static void play(struct outcome *o, const char *source, const struct template_options *how, const char *data,
	const char *files)
{
	struct arena *arena = arena_new(0);
	json_t *json = json_loads(data ? data : "{}", 0, NULL);
	struct world w = { .files = json_loads(files ? files : "{}", 0, NULL) };
	struct template_env env = { .now = NOW, .ctx = &w, .arena = arena };
	struct template_options options = *how;

	assert_non_null(json);
	assert_non_null(w.files);
	memset(o, 0, sizeof(*o));
	w.data = value_from_json(arena, json);
	options.load = load;
	options.load_ctx = &w;
	env.name = options.vocabulary ? by_symbol : NULL;
	env.free_name = options.vocabulary ? NULL : by_name;
	env.link = options.track_links ? tracked : NULL;
	o->t = template_compile("letter", source, &options, o->errors, 8, &o->error_count);
	if (o->t) {
		o->result = template_render(o->t, &env, &o->out, &o->err);
		if (template_text_part(o->t) && o->result == TEMPLATE_DONE)
			o->result = template_render(template_text_part(o->t), &env, &o->text, &o->err);
	}
	arena_free(&arena);
	json_decref(json);
	json_decref(w.files);
}

struct row {
	const char *source, *data, *out;
};

static void check_rows(const struct row *rows, size_t count, const struct template_options *options)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome o;

		play(&o, rows[i].source, options, rows[i].data, NULL);
		if (!o.t)
			fail_msg("%s: line %d: %s", rows[i].source, o.errors[0].line, o.errors[0].text);
		if (o.result != TEMPLATE_DONE)
			fail_msg("%s: %s", rows[i].source, o.err.text);
		if (strcmp(buf_cstr(&o.out), rows[i].out) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].source, buf_cstr(&o.out), rows[i].out);
		outcome_clear(&o);
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- tags ----------------------------------------------------------------------------------------------- */

static const struct row tag_rows[] = {
	{ "a{{ b }}c", "{\"b\": 1}", "a1c" },
	{ "{{ b.c[0].d }}", "{\"b\": {\"c\": [{\"d\": \"x\"}]}}", "x" },
	{ "{{ b['c d'] }}{{ b[k] }}", "{\"b\": {\"c d\": 1, \"e\": 2}, \"k\": \"e\"}", "12" },
	{ "{% if a %}yes{% else %}no{% endif %}", "{\"a\": false}", "no" },
	{ "{% if a == 1 %}1{% elsif a == 2 %}2{% else %}3{% endif %}", "{\"a\": 2}", "2" },
	/* right to left: false and (false or true) */
	{ "{% if false and false or true %}y{% else %}n{% endif %}", NULL, "n" },
	{ "{% if true or false and false %}y{% else %}n{% endif %}", NULL, "y" },
	{ "{% unless a %}none{% endunless %}", NULL, "none" },
	{ "{% case a %}{% when 1, 2 %}low{% when 3 or 4 %}high{% else %}?{% endcase %}", "{\"a\": 4}",
		"high" },
	{ "{% case a %}{% when 1 %}one{% else %}other{% endcase %}", "{\"a\": 9}", "other" },
	{ "{% for i in a %}{{ i }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
		"{\"a\": [1, 2, 3]}", "1, 2, 3" },
	{ "{% for i in a limit: 2 offset: 1 reversed %}{{ i }}{% endfor %}", "{\"a\": [1, 2, 3, 4]}", "32" },
	{ "{% for i in (1..n) %}{{ forloop.rindex0 }}{% else %}none{% endfor %}", "{\"n\": 3}", "210" },
	{ "{% for i in a %}{{ i }}{% else %}none{% endfor %}", "{\"a\": []}", "none" },
	{ "{% for i in (1..9) %}{% if i == 3 %}{% continue %}{% elsif i == 5 %}{% break %}{% endif %}{{ i "
	  "}}{% endfor %}",
		NULL, "124" },
	{ "{% for i in (1..2) %}{% for j in (1..2) %}{{ forloop.parentloop.index }}{{ j }} {% endfor %}{% "
	  "endfor %}",
		NULL, "11 12 21 22 " },
	{ "{% for p in o %}{{ p[0] }}={{ p[1] }};{% endfor %}", "{\"o\": {\"a\": 1, \"b\": 2}}", "a=1;b=2;" },
	{ "{% for i in (1..5) limit: 2 %}{{ i }}{% endfor %}-{% for i in (1..5) offset: continue %}{{ i }}{% "
	  "endfor %}",
		NULL, "12-345" },
	{ "{% assign a = 'x' | upcase %}{{ a }}", NULL, "X" },
	{ "{% for i in (1..2) %}{{ a }}{% assign a = i %}{% endfor %}{{ a }}", "{\"a\": 0}", "012" },
	{ "{% capture a %}[{{ b }}]{% endcapture %}{{ a }}{{ a }}", "{\"b\": 1}", "[1][1]" },
	{ "{% for i in (1..4) %}{% cycle 'odd', 'even' %} {% endfor %}", NULL, "odd even odd even " },
	{ "{% cycle g: 1, 2 %}{% cycle 'x': 1, 2 %}{% cycle g: 1, 2 %}", "{\"g\": \"y\"}", "112" },
	{ "{% for i in (1..2) %}{% cycle 'a', nil, 'b' %}{% cycle 'a', 'b' %}{% endfor %}", NULL, "abab" },
	{ "{% for i in (1..2) %}{% cycle x, 'b' %}{% cycle x, 'b' %} {% endfor %}", "{\"x\": \"a\"}", "aa bb " },
	{ "{% for i in l %}{% break %}{% else %}{% for j in (1..9) %}{{ j }}{% break %}{% endfor %}{% endfor %}", "{\"l\": []}", "1" },
	{ "{% for i in (1..9) offset: -2 limit: 4 %}{{ i }}{% endfor %}", NULL, "12" },
	{ "{% for i in l %}{{ ['i'] }}{% endfor %}{{ (1.9..3) | join }}", "{\"l\": [7]}", "71 2 3" },
	{ "{% for i in l limit: 1 %}{% endfor %}{% for i in l offset: continue %}{{ i }}{% endfor %}", "{\"l\": [1, 2]}", "2" },
	{ "{% assign x = empty %}{% case '' %}{% when x %}1{% endcase %}{% if l contains empty %}2{% endif %}{{ empty.size }}",
		"{\"l\": [\"\"]}", "1" },
	{ "{% for i in ( 1 ..n ) %}{{ forloop.name }}{% endfor %}", "{\"n\": 1}", "i-(1..n)" },
	{ "{{ false | default: allow_false: true, 'x' }}", NULL, "false" },
	{ "a{% comment %}b{% if %}{% endcomment %}c{% # no more %}d", NULL, "acd" },
	{ "{% raw %}{{ x }}{% y %}{% endraw %}", NULL, "{{ x }}{% y %}" },
	{ "{% echo 'a' | append: 'b' %}", NULL, "ab" },
	{ "{% liquid\n  assign x = 2\n  # words\n  if x == 2\n    echo 'two'\n  endif\n%}", NULL, "two" },
	{ "a  {{- 'b' -}}  c {%- if true -%} d {%- endif %} e", NULL, "abcd e" },
	{ "{% if true %}  \n {% assign x = 1 %} {% endif %}|", NULL, "|" },
	{ "{% if a == blank %}1{% endif %}{% if a != empty %}2{% endif %}", "{\"a\": \" \"}", "12" },
	{ "{% if a contains 'b' and l contains 2 %}y{% endif %}", "{\"a\": \"abc\", \"l\": [1, 2]}", "y" },
	{ "{{ nothing.at.all }}{{ nothing | default: 'x' }}", NULL, "x" },
	{ "{{ a.first }}{{ a.last }}{{ a.size }}", "{\"a\": [1, 2, 3]}", "133" },
};

static void test_tags(void **state)
{
	check_rows(tag_rows, COUNT(tag_rows), &(struct template_options){ .escape = TEMPLATE_PLAIN });
}

/* --- filters -------------------------------------------------------------------------------------------- */

static const struct row filter_rows[] = {
	{ "{{ -3 | abs }} {{ '-2.5' | abs }}", NULL, "3 2.5" },
	{ "{{ 'a' | append: 'b' | prepend: 'c' }}", NULL, "cab" },
	{ "{{ 3 | at_least: 5 }} {{ 3 | at_most: 2 }}", NULL, "5 2" },
	{ "{{ 'hello wORLD' | capitalize }} {{ 'übung' | capitalize }}", NULL, "Hello world Übung" },
	{ "{{ 1.2 | ceil }} {{ 1.8 | floor }} {{ 2.5 | round }} {{ 2.345 | round: 2 }}", NULL, "2 1 3 2.35" },
	{ "{{ a | compact | join: ',' }}", "{\"a\": [1, null, 2]}", "1,2" },
	{ "{{ a | concat: b | join }}", "{\"a\": [1], \"b\": [2, 3]}", "1 2 3" },
	{ "{{ 0 | date: '%Y-%m-%d %H:%M' }} {{ 'now' | date: '%-d %B %Y' }}", NULL,
		"1970-01-01 00:00 14 November 2023" },
	{ "{{ '2024-02-29T10:20:30+02:00' | date: '%H:%M:%S %z %s %L' }}", NULL,
		"10:20:30 +0200 1709194830 000" },
	{ "{{ 'Fri Jul 16 01:00:00 2004' | date: '%m/%d/%Y' }} {{ '14.3.2016 10:20 pm' | date: '%FT%T %Z' }}", NULL,
		"07/16/2004 2016-03-14T22:20:00 UTC" },
	{ "{{ '2016-03-14' | date: '%-d %^b|%3N|%_m|%05d|%:z|%10A|%Q|%#p|%G-W%V' }}", NULL,
		"14 MAR|000| 3|00014|+00:00|    Monday|%Q|am|2016-W11" },
	{ "{{ '2016-02-31x' | date: '%F' }} {{ 'March 2016' | date: '%F' }} {{ '14th March 2016 9:05 EST' | date: '%c %z' }}",
		NULL, "2016-02-31x 2016-03-01 Mon Mar 14 09:05:00 2016 -0500" },
	{ "{{ 0.1 | plus: 0.2 }} {{ 1.1 | times: 1.1 }} {{ 10 | divided_by: 4.0 }} {{ -7 | divided_by: 2 }} {{ -7.5 | "
	  "modulo: 2 }} {{ '1_000' | plus: '+5' }} {{ 2.675 | round: 2 }} {{ 123456789012345678 | times: 1.5 }}",
		NULL, "0.3 1.21 2.5 -4 0.5 1005 2.68 1.8518518351851853e+17" },
	{ "{{ 3.59 | divided_by: 15000000000000 | modulo: 10000000000.0 }} {{ 12345678901234567.0 | times: 1000000000000000000.0 | "
	  "modulo: 3.25 }} {{ -7 | modulo: 0.3 }}",
		NULL, "2.3933333333333334e-13 1.5 0.2" },
	{ "{{ 'straße ümläut ﬁ' | upcase }} {{ 'ΑΣ Ж' | downcase }} {{ 'ßa' | capitalize }} {{ 'ŉA' | "
	  "capitalize }} {{ 'ǆA' | capitalize }} {{ 'ﬁX' | capitalize }}", NULL,
		"STRASSE ÜMLÄUT FI ασ ж Ssa ʼNa ǅa Fix" },
	{ "{{ a | where: 'k' | map: 'k' | join }} {{ a | compact: 'k' | size }} {{ a | sort: 'k' | map: 'k' | join: ',' }}",
		"{\"a\": [{\"k\": \"y\"}, {\"k\": null}, {\"k\": \"x\"}]}", "y x 2 x,y," },
	{ "{{ a | uniq | join }} {{ '<<script>x</script>b>c' | strip_html }} {{ '50% a%20b' | url_decode }} {{ '&#x26; &amp;' | "
	  "escape_once }}",
		"{\"a\": [1, 1.0, 1]}", "1 1.0 c 50% a b &amp;#x26; &amp;" },
	{ "{{ 'a b ' | truncatewords: 2 }}|{{ 'a b' | truncatewords: 2 }}", NULL, "a b...|a b" },
	{ "{{ '14 March 2016' | date: '%a %e %b %y, %j' }}", NULL, "Mon 14 Mar 16, 074" },
	{ "{{ 'Mon, 14 Mar 2016 10:20:30 +0100' | date: '%FT%T' }}", NULL, "2016-03-14T10:20:30" },
	{ "{{ 'whenever' | date: '%Y' }}", NULL, "whenever" },
	{ "{{ a | default: 'x' }} {{ false | default: 'x' }} {{ false | default: 'x', allow_false: true }}",
		NULL, "x x false" },
	{ "{{ 7 | divided_by: 2 }} {{ -7 | divided_by: 2 }} {{ 7 | divided_by: 2.0 }}", NULL, "3 -4 3.5" },
	{ "{{ 'ÄBŁŽ' | downcase }} {{ 'äßłžя' | upcase }}", NULL, "äbłž ÄSSŁŽЯ" },
	{ "{{ '<a href=\"x\">&' | escape }} {{ '&lt;&' | escape_once }}", NULL,
		"&lt;a href=&quot;x&quot;&gt;&amp; &lt;&amp;" },
	{ "{{ a | first }} {{ a | last }}", "{\"a\": [1, 2]}", "1 2" },
	{ "{{ a | join: '-' }}", "{\"a\": [1, [2, 3]]}", "1-2-3" },
	{ "{{ a | json }}", "{\"a\": {\"b\": [1, 2.5, null, \"x\\\"y\"]}}",
		"{\"b\":[1,2.5,null,\"x\\\"y\"]}" },
	{ "[{{ ' a ' | lstrip }}][{{ ' a ' | rstrip }}][{{ ' a ' | strip }}]", NULL, "[a ][ a][a]" },
	{ "{{ a | map: 'b' | join }}", "{\"a\": [{\"b\": 1}, {\"b\": 2}]}", "1 2" },
	{ "{{ 5 | minus: 2 }} {{ 1 | plus: 0.1 }} {{ 3 | times: 4 }} {{ 7 | modulo: 3 }} {{ -1 | modulo: 3 "
	  "}}",
		NULL, "3 1.1 12 1 2" },
	{ "{{ 0.1 | plus: 0.2 }} {{ 1.1 | times: 3 }}", NULL, "0.3 3.3" },
	{ "{{ s | newline_to_br }} {{ s | strip_newlines }}", "{\"s\": \"a\\nb\"}", "a<br />\nb ab" },
	{ "{{ 'aXbX' | remove: 'X' }} {{ 'aXbX' | remove_first: 'X' }} {{ 'aXbX' | remove_last: 'X' }}", NULL,
		"ab abX aXb" },
	{ "{{ 'aXbX' | replace: 'X', '.' }} {{ 'XX' | replace_first: 'X', '.' }} {{ 'XX' | replace_last: "
	  "'X', '.' }}",
		NULL, "a.b. .X X." },
	{ "{{ a | reverse | join }} {{ a | sort | join }}", "{\"a\": [3, 1, 2]}", "2 1 3 1 2 3" },
	{ "{{ a | sort_natural | join }}", "{\"a\": [\"b\", \"A\", \"c\"]}", "A b c" },
	{ "{{ a | sort: 'n' | map: 'n' | join }}", "{\"a\": [{\"n\": 2}, {\"n\": 1}]}", "1 2" },
	{ "{{ 'häuser' | size }} {{ 'häuser' | slice: 1, 2 }} {{ 'abc' | slice: -2, 2 }}", NULL, "6 äu bc" },
	{ "{{ 'a,b,,' | split: ',' | size }} {{ 'äb' | split: '' | join: '.' }}", NULL, "2 ä.b" },
	{ "{{ '<p>a<!-- b --><script>c</script></p>d' | strip_html }}", NULL, "ad" },
	{ "{{ a | sum }} {{ a | sum: 'x' }}", "{\"a\": []}", "0 0" },
	{ "{{ 'ärgerlich' | truncate: 5 }} {{ 'abc def' | truncate: 5, '' }}", NULL, "är... abc d" },
	{ "{{ 'a b c d' | truncatewords: 2 }}", NULL, "a b..." },
	{ "{{ a | uniq | join }}", "{\"a\": [1, 2, 1]}", "1 2" },
	{ "{{ 'a b&ü' | url_encode }} {{ 'a+b%26' | url_decode }}", NULL, "a+b%26%C3%BC a b&" },
	{ "{{ 'a?' | base64_encode }} {{ 'YT8=' | base64_decode }}", NULL, "YT8= a?" },
	{ "{{ a | where: 'k', 1 | map: 'n' | join }} {{ a | reject: 'k', 1 | map: 'n' | join }}",
		"{\"a\": [{\"k\": 1, \"n\": \"x\"}, {\"k\": 2, \"n\": \"y\"}]}", "x y" },
	{ "{{ a | find: 'k', 2 | json }} {{ a | find_index: 'k', 2 }} {{ a | has: 'k', 3 }}",
		"{\"a\": [{\"k\": 1}, {\"k\": 2}]}", "{\"k\":2} 1 false" },
};

static void test_filters(void **state)
{
	check_rows(filter_rows, COUNT(filter_rows), &(struct template_options){ .escape = TEMPLATE_PLAIN });
}

/* --- escaping ------------------------------------------------------------------------------------------- */

#define EVIL                                                                                                 \
	"{\"n\": \"<b>&\\\"'\", \"u\": \"javascript:alert(1)\", \"v\": \" java\\tscript:x\", \"w\": "        \
	"\"https://x.example/?a&b\", \"r\": \"/p\"}"

static const struct row html_rows[] = {
	{ "<p>{{ n }}</p>", EVIL, "<p>&lt;b&gt;&amp;&quot;&#39;</p>" },
	{ "<p>{{ n | raw }}</p>", EVIL, "<p><b>&\"'</p>" },
	{ "<p>{{ n | escape }}</p>", EVIL, "<p>&lt;b&gt;&amp;&quot;&#39;</p>" },
	{ "<p title=\"{{ n }}\">", EVIL, "<p title=\"&lt;b&gt;&amp;&quot;&#39;\">" },
	{ "{{ 'a<\nb' | newline_to_br }}", NULL, "a&lt;<br />\nb" },
	{ "<a href=\"{{ u }}\">", EVIL, "<a href=\"#\">" },
	{ "<a href='{{ v }}'>", EVIL, "<a href='#'>" },
	{ "<a href=\"{{ u | escape }}\">", EVIL, "<a href=\"#\">" },
	{ "<img src=\"{{ w }}\">", EVIL, "<img src=\"https://x.example/?a&amp;b\">" },
	{ "<a href=\"{{ r }}\">", EVIL, "<a href=\"/p\">" },
	{ "<a href=\"/x?{{ u }}\">", EVIL, "<a href=\"/x?javascript:alert(1)\">" },
	{ "<a href=\"{% if n %}{{ u }}{% endif %}\">x</a>", EVIL, "<a href=\"#\">x</a>" },
	{ "{% capture c %}<b>{{ n }}</b>{% endcapture %}{{ c }}", EVIL, "<b>&lt;b&gt;&amp;&quot;&#39;</b>" },
	{ "{% capture c %}<b>x</b>{% endcapture %}<i title=\"{{ c }}\">", NULL,
		"<i title=\"&lt;b&gt;x&lt;/b&gt;\">" },
	{ "<input{% if n %} checked{% endif %}{% if z %} disabled{% else %} required{% endif %} value=\"{{ n "
	  "}}\">",
		"{\"n\": \"<\"}", "<input checked required value=\"&lt;\">" },
	{ "<a href=\"{{ nothing }}{{ u }}\">{{ w }}</a><a href=\"{{ w }}{{ r }}\">", EVIL,
		"<a href=\"#\">https://x.example/?a&amp;b</a><a href=\"https://x.example/?a&amp;b/p\">" },
	{ "<a {% if z %}hr{% endif %}ef=\"{{ u }}\">", EVIL, "<a ef=\"#\">" },
	{ "<a {% if z %}title{% else %}href{% endif %}=\"{{ u }}\">", EVIL, "<a href=\"#\">" },
	{ "<!-- {{ n }} -->", EVIL, "<!-- &lt;b&gt;&amp;&quot;&#39; -->" },
	{ "<title>{{ n }}</title><p>", EVIL, "<title>&lt;b&gt;&amp;&quot;&#39;</title><p>" },
	{ "a < b {{ n }}", EVIL, "a < b &lt;b&gt;&amp;&quot;&#39;" },
	{ "<style>a > b { color: red }</style>{{ n }}", EVIL,
		"<style>a > b { color: red }</style>&lt;b&gt;&amp;&quot;&#39;" },
	{ "<!--[if mso]><p title=\"{{ n }}\"><![endif]-->{{ n }}", "{\"n\": \"<\"}",
		"<!--[if mso]><p title=\"&lt;\"><![endif]-->&lt;" },
};

static void test_html_is_escaped_by_place(void **state)
{
	check_rows(html_rows, COUNT(html_rows), &(struct template_options){ .escape = TEMPLATE_HTML });
}

static const struct row json_rows[] = {
	{ "{\"a\": \"{{ n }}\", \"b\": {{ n | json }}, \"c\": {{ l | json }}}",
		"{\"n\": \"x\\\"\\n<\", \"l\": [1]}",
		"{\"a\": \"x\\\"\\n<\", \"b\": \"x\\\"\\n<\", \"c\": [1]}" },
};

static void test_json_is_escaped(void **state)
{
	check_rows(json_rows, COUNT(json_rows), &(struct template_options){ .escape = TEMPLATE_JSON });
}

static void test_line_break_in_a_header_fails(void **state)
{
	struct outcome o;

	play(&o, "Hello {{ n }}", &(struct template_options){ .escape = TEMPLATE_HEADER },
		"{\"n\": \"a\\r\\nBcc: b@c\"}", NULL);
	assert_int_equal(o.result, TEMPLATE_FAILED);
	assert_non_null(strstr(o.err.text, "header_injection"));
	assert_int_equal(o.out.len, 0);
	outcome_clear(&o);
	play(&o, "Hello {{ n }}", &(struct template_options){ .escape = TEMPLATE_HEADER },
		"{\"n\": \"<a> & \\u00fc\"}", NULL);
	assert_string_equal(buf_cstr(&o.out), "Hello <a> & \xc3\xbc");
	outcome_clear(&o);
}

/* --- refused -------------------------------------------------------------------------------------------- */

static const struct {
	const char *source;
	int line, column;
	const char *says;
} refused[] = {
	{ "{{ frst_name }}", 1, 4, "did you mean \"first_name\"" },
	{ "a\n  {% if emial %}{% endif %}", 2, 9, "did you mean \"email\"" },
	{ "Hi {{ first_name }}", 1, 7, "first_name may be empty" },
	{ "{% assign x = company %}{{ x }}", 1, 15, "company may be empty" },
	{ "{{ email | upcas }}", 1, 12, "did you mean \"upcase\"" },
	{ "{{ email | append }}", 1, 12, "takes 1 argument" },
	{ "{{ email email }}", 1, 10, "the end is wanted" },
	{ "{{ email }", 1, 1, "never closed" },
	{ "{% if email %}", 1, 3, "no endif" },
	{ "{% endif %}", 1, 3, "without its beginning" },
	{ "{% iff email %}", 1, 3, "did you mean \"if\"" },
	{ "{% tablerow a in b %}", 1, 3, "unknown tag" },
	{ "{% if email %}a{% else %}b{% else %}c{% endif %}", 1, 29, "nothing can follow the else" },
	{ "{% break %}", 1, 3, "outside of a loop" },
	{ "<a {{ email }}>", 1, 6, "stands in a quoted attribute" },
	{ "<a href={{ url }}>", 1, 11, "put quotes around" },
	{ "<a onclick=\"{{ email }}\">", 1, 15, "cannot be made safe" },
	{ "<script>{{ email }}</script>", 1, 11, "cannot be made safe" },
	{ "{% if email %}<p title=\"{% endif %}", 1, 3, "different places" },
	{ "{% for i in items %}<p {% endfor %}", 1, 3, "come back" },
	{ "<p title=\"a", 1, 12, "ends inside an attribute" },
	{ "{% render 'nothing' %}", 1, 11, "there is no template" },
	{ "{{ [email] }}", 1, 4, "a name is wanted" },
	{ "---\nsubject: Hi {{ frst_name }}\n---\nx", 2, 16, "did you mean \"first_name\"" },
	{ "---\nlayout: lettre\n---\nx", 2, 1, "there is no layout" },
	{ "---\nnonsense\n---\nx", 2, 1, "key: value" },
	{ "---\npreheader: \"a \\\"b\\\"\"\n---\nx", 2, 13, "front matter knows no" },
	{ "{% if email and %}x{% endif %}", 1, 16, "is wanted here" },
	{ "{% if not email %}x{% endif %}", 1, 11, "the end is wanted" },
	{ "{% for i items %}{% endfor %}", 1, 10, "in is wanted" },
	{ "{% capture %}{% endcapture %}", 1, 11, "a name is wanted" },
	{ "{% raw %}x", 1, 1, "no endraw" },
	{ "{% raw x %}{% endraw %}", 1, 3, "takes nothing" },
	{ "{% if1 %}{% endif %}", 1, 3, "unknown tag" },
	{ "{% liquid\n if email\n%}x{% endif %}", 3, 6, "ends in it" },
	{ "{% case email %}{% else x %}{% endcase %}", 1, 19, "takes no condition" },
	{ "{{ email | upcase: a: 1 }}", 1, 12, "no argument with a name" },
	{ "{% assign 'x' = 1 %}", 1, 11, "a name is wanted" },
};

static void test_refused_with_line_column_and_hint(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct outcome o;

		play(&o, refused[i].source,
			&(struct template_options){ .escape = TEMPLATE_HTML, .vocabulary = vocabulary }, NULL,
			NULL);
		if (o.t)
			fail_msg("%s: accepted", refused[i].source);
		if (!strstr(o.errors[0].text, refused[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", refused[i].source, o.errors[0].text,
				refused[i].says);
		if (o.errors[0].line != refused[i].line || o.errors[0].column != refused[i].column)
			fail_msg("%s: %d:%d, not %d:%d: %s", refused[i].source, o.errors[0].line,
				o.errors[0].column, refused[i].line, refused[i].column, o.errors[0].text);
		assert_string_equal(o.errors[0].file, "letter");
		outcome_clear(&o);
	}
}

static void test_all_errors_are_found_at_once(void **state)
{
	struct outcome o;

	play(&o, "{{ a }}\n{{ b }}\n{% if %}{% endif %}\n{{ email | nope }}",
		&(struct template_options){ .escape = TEMPLATE_HTML, .vocabulary = vocabulary }, NULL, NULL);
	assert_null(o.t);
	assert_int_equal(o.error_count, 4);
	outcome_clear(&o);
}

/* --- names that may be empty ---------------------------------------------------------------------------- */

static const struct {
	const char *source, *data;
	enum template_result result;
	const char *text;
} strict_rows[] = {
	{ "Hi {{ first_name | default: 'there' }}", "{}", TEMPLATE_DONE, "Hi there" },
	{ "{% if first_name %}Hi {{ first_name }}{% else %}Hello{% endif %}", "{}", TEMPLATE_DONE, "Hello" },
	{ "{% if first_name %}Hi {{ first_name }}{% endif %}", "{\"first_name\": \"\"}", TEMPLATE_FAILED,
		"empty field: first_name" },
	{ "{% if first_name or company %}{{ company }}{% endif %}", "{\"first_name\": \"x\"}",
		TEMPLATE_FAILED, "empty field: company" },
	{ "Mail {{ email }}", "{}", TEMPLATE_FAILED, "empty field: email" },
	{ "Mail {{ email | upcase }}", "{\"email\": \"\"}", TEMPLATE_FAILED, "empty field: email" },
	{ "{{ sender.name }}", "{\"sender.name\": \"Ana\"}", TEMPLATE_DONE, "Ana" },
	{ "{{ lead.company }}{{ lead.nothing }}", "{\"lead\": {\"company\": \"Acme\"}}", TEMPLATE_DONE,
		"Acme" },
	{ "{% if email == 'x' %}{% abort 'no consent' %}{% endif %}a", "{\"email\": \"x\"}", TEMPLATE_ABORTED,
		"no consent" },
	{ "{{ email | divided_by: 0 }}", "{\"email\": \"1\"}", TEMPLATE_FAILED,
		"divided by 0 (letter line 1)" },
	{ "{{ 1.0 | divided_by: 0.0 }}", "{}", TEMPLATE_FAILED, "divided by 0" },
	{ "{{ 1 | date: '%' }}", "{}", TEMPLATE_FAILED, "format does not work" },
	{ "{% assign f = 1.5 %}{{ (f..3) }}", "{}", TEMPLATE_FAILED, "whole numbers" },
	{ "{% assign l = '1,2' | split: ',' %}{{ l | sort: nil | map: 1 }}{{ 5 | map: 'x' }}", "{}", TEMPLATE_FAILED,
		"no part of that name" },
	{ "{% for a in (1..1000) %}{% for b in (1..1000) %}{{ b }}{% endfor %}{% endfor %}", "{}",
		TEMPLATE_FAILED, "more than 100000 steps" },
	{ "{% assign a = 'xxxxxxxxxxxxxxxx' %}{% for i in (1..30) %}{% assign a = a | append: a %}{% endfor "
	  "%}",
		"{}", TEMPLATE_FAILED, "too much text" },
	{ "{% capture a %}{% for i in (1..1000) %}0123456789{% endfor %}{% endcapture %}{% for i in "
	  "(1..1000) %}{{ a }}{% endfor %}",
		"{}", TEMPLATE_FAILED, "bytes of output" },
};

static void test_nothing_goes_out_with_a_hole_in_it(void **state)
{
	for (size_t i = 0; i < COUNT(strict_rows); i++) {
		struct outcome o;

		play(&o, strict_rows[i].source,
			&(struct template_options){ .escape = TEMPLATE_HTML, .vocabulary = vocabulary },
			strict_rows[i].data, NULL);
		if (!o.t)
			fail_msg("%s: %s", strict_rows[i].source, o.errors[0].text);
		if (o.result != strict_rows[i].result)
			fail_msg("%s: result %d: %s", strict_rows[i].source, (int)o.result, o.err.text);
		if (o.result == TEMPLATE_DONE)
			assert_string_equal(buf_cstr(&o.out), strict_rows[i].text);
		else if (!strstr(o.err.text, strict_rows[i].text))
			fail_msg("%s: %s", strict_rows[i].source, o.err.text);
		if (o.result != TEMPLATE_DONE)
			assert_int_equal(o.out.len, 0);
		outcome_clear(&o);
	}
}

/* --- layouts and partials ------------------------------------------------------------------------------- */

static void test_layout_front_matter_and_partials(void **state)
{
	static const char files[] = "{\"frame\": \"<div>{{ content }}</div><p>{{ email }}</p>{% render "
				    "'foot', who: sender.name %}\","
				    "\"foot\": \"<i>{{ who }} {{ email }}{% assign x = 1 %}</i>\"}";
	static const char data[] =
		"{\"email\": \"a&b@x\", \"first_name\": \"Ana\", \"sender.name\": \"<Bo>\"}";
	static const char source[] = "---\nsubject: Hello {{ first_name | default: \"there\" }}\npreheader: "
				     "\"For you\"\nlayout: frame\n"
				     "topic: news\n# a remark\n---\n<b>{{ email }}</b>";
	const struct template_options options = { .escape = TEMPLATE_HTML, .vocabulary = vocabulary };
	struct template_env env = { .now = NOW, .name = by_symbol };
	struct buf subject = BUF_INIT;
	struct world w = { 0 };
	struct outcome o, other;
	json_t *json;
	struct err err;

	play(&o, source, &options, data, files);
	if (!o.t)
		fail_msg("%s:%d: %s", o.errors[0].file, o.errors[0].line, o.errors[0].text);
	assert_string_equal(buf_cstr(&o.out),
		"<div><b>a&amp;b@x</b></div><p>a&amp;b@x</p><i>&lt;Bo&gt; a&amp;b@x</i>");
	assert_string_equal(template_meta_text(o.t, "topic"), "news");
	assert_string_equal(template_meta_text(o.t, "preheader"), "For you");
	assert_null(template_meta(o.t, "topic"));
	assert_null(template_meta_text(o.t, "nothing"));
	json = json_loads(data, 0, NULL);
	env.arena = arena_new(0);
	w.data = value_from_json(env.arena, json);
	env.ctx = &w;
	assert_int_equal(template_render(template_meta(o.t, "subject"), &env, &subject, &err), TEMPLATE_DONE);
	assert_string_equal(buf_cstr(&subject), "Hello Ana");
	assert_true(template_uses(o.t, 0));	/* first_name, in the subject */
	assert_true(template_uses(o.t, 2));
	assert_true(template_uses(o.t, 4));
	assert_false(template_uses(o.t, 1));
	play(&other, source, &options, data, "{\"frame\": \"<div>{{ content }}</div>\"}");
	assert_memory_not_equal(template_digest(o.t), template_digest(other.t), 32);
	outcome_clear(&other);
	arena_free(&env.arena);
	json_decref(json);
	buf_clear(&subject);
	outcome_clear(&o);
}

static void test_partial_wants_its_names(void **state)
{
	const struct template_options options = { .escape = TEMPLATE_HTML, .vocabulary = vocabulary };
	struct outcome o;

	play(&o, "<p>{% render 'foot', other: 1 %}", &options, NULL, "{\"foot\": \"{{ who }}\"}");
	assert_null(o.t);
	assert_non_null(strstr(o.errors[0].text, "uses \"who\", which this render does not pass"));
	outcome_clear(&o);
	play(&o, "{% render 'self' %}", &options, "{}", "{\"self\": \"x{% render 'self' %}\"}");
	assert_int_equal(o.result, TEMPLATE_FAILED);
	assert_non_null(strstr(o.err.text, "16 deep"));
	outcome_clear(&o);
	play(&o, "{% render 'row' for items as item %}", &options, "{\"items\": [1, 2]}",
		"{\"row\": \"{{ item }}{% unless forloop.last %},{% endunless %}\"}");
	assert_string_equal(buf_cstr(&o.out), "1,2");
	outcome_clear(&o);
}

/* --- links ---------------------------------------------------------------------------------------------- */

static void test_constant_links_are_tracked(void **state)
{
	const struct template_options options = {
		.escape = TEMPLATE_HTML, .vocabulary = vocabulary, .track_links = true
	};
	const char *const *urls;
	struct outcome o;

	play(&o,
		"<a class=x href=\"https://a.example/?x=1&amp;y=2\">a</a> <a href='{{ url }}'>b</a> "
		"<a href=\"https://no.example\" data-track=\"no\">c</a> <a data-track=no "
		"href=\"https://no.example\">d</a>"
		"<a href=\"mailto:a@b\">e</a> <img src=\"https://i.example/i.png\"> <link "
		"href=\"https://l.example\"> "
		"<a href=\"https://www.shown.example/\">\n <b>www.shown.example</b></a> <a href=\"https://s.example\">HTTPS://s.example</a>"
		"<a href='http://z.example'>f</a>",
		&options, "{\"url\": \"https://u.example\"}", NULL);
	if (!o.t)
		fail_msg("%s", o.errors[0].text);
	assert_string_equal(buf_cstr(&o.out),
		"<a class=x href=\"https://t.example/c/0?a&amp;b\">a</a> "
		"<a href='https://u.example'>b</a> <a href=\"https://no.example\" data-track=\"no\">c</a> "
		"<a data-track=no href=\"https://no.example\">d</a><a href=\"mailto:a@b\">e</a> <img "
		"src=\"https://i.example/i.png\"> "
		"<link href=\"https://l.example\"> <a href=\"https://www.shown.example/\">\n <b>www.shown.example</b></a> "
		"<a href=\"https://s.example\">HTTPS://s.example</a><a href='https://t.example/c/1?a&amp;b'>f</a>");
	assert_int_equal(template_links(o.t, &urls), 2);
	assert_string_equal(urls[0], "https://a.example/?x=1&y=2");
	assert_string_equal(urls[1], "http://z.example");
	assert_int_equal(template_links(template_text_part(o.t), &urls), 0);
	assert_non_null(strstr(buf_cstr(&o.text), "a (https://a.example/?x=1&y=2)"));
	outcome_clear(&o);
}

/* --- text parts ----------------------------------------------------------------------------------------- */

static const struct row text_rows[] = {
	{ "<html><head><title>t</title><style>p{}</style></head><body><h1>Head</h1><p>One  two\n "
	  "three</p><p>Four<br>five</p></body></html>",
		NULL, "Head\n\nOne two three\n\nFour\nfive\n" },
	{ "<p>Hello {{ n }}, <b>you</b>!</p>", "{\"n\": \"<Bo> & co\"}", "Hello <Bo> & co, you!\n" },
	{ "<p>See <a href=\"https://x.example/?a=1&amp;b\">this page</a>.</p>", NULL,
		"See this page (https://x.example/?a=1&b).\n" },
	{ "<a href=\"https://x.example\">https://x.example</a> <a href=\"mailto:a@b.c\">a@b.c</a>", NULL,
		"https://x.example a@b.c\n" },
	{ "<a href=\"{{ u }}\">Go</a> <a href=\"{{ u }}\">{{ u }}</a>", "{\"u\": \"https://u\"}",
		"Go (https://u) https://u\n" },
	{ "<ul><li>a</li><li>b</li></ul><p>c</p>", NULL, "- a\n- b\n\nc\n" },
	{ "<ul>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ul>c", "{\"l\": [1, 2, 3]}",
		"- 1\n- 2\n- 3\n\nc\n" },
	{ "<p>a</p>{% if x %}<p>b</p>{% endif %}<p>c</p>", "{\"x\": 1}", "a\n\nb\n\nc\n" },
	{ "<p>a</p>{% if x %}<p>b</p>{% endif %}<p>c</p>", NULL, "a\n\nc\n" },
	{ "<p>a{% if x %} b{% endif %}, c</p>", "{\"x\": 1}", "a b, c\n" },
	{ "<ol><li>a<ul><li>x</li></ul></li><li>b</li></ol><ol>{% for i in l %}<li>{{ i }}</li>{% endfor "
	  "%}</ol>",
		"{\"l\": [7, 8]}", "1. a\n\n- x\n\n2. b\n\n- 7\n- 8\n" },
	{ "<p>1 < 2 &amp;&amp; 3 > 2 <</p><p><<b>x</b></p>", NULL, "1 < 2 && 3 > 2 <\n\n<x\n" },
	{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", NULL, "a b\nc d\n" },
	{ "<div style=\"display: none\">no {{ n }}</div><div hidden>no</div><p class=\"x "
	  "html-only\">no</p>yes",
		NULL, "yes\n" },
	{ "<img src=\"a\" width=\"1\" height=\"1\" alt=\"p\"><img src=\"b\" alt=\"Our logo\"><img src=\"c\" "
	  "alt=\"\">",
		NULL, "Our logo\n" },
	{ "&auml;&nbsp;&#8364; &lt;x&gt; &unknown;", NULL, "\xc3\xa4 \xe2\x82\xac <x> &unknown;\n" },
	{ "<!-- c --><!--[if mso]><p>outlook</p><![endif]--><!--[if !mso]><!--><p>others</p><!--<![endif]-->",
		NULL, "others\n" },
	{ "<p>{{ n | escape | newline_to_br }}</p>", "{\"n\": \"a<\\nb\"}", "a<\nb\n" },
	{ "<head>{% assign x = 'y' %}</head>{{ x }}", NULL, "y\n" },
	{ "<p>Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut "
	  "labore.</p>",
		NULL,
		"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod\ntempor incididunt "
		"ut labore.\n" },
};

static void test_text_part_reads_well(void **state)
{
	for (size_t i = 0; i < COUNT(text_rows); i++) {
		struct outcome o;

		play(&o, text_rows[i].source, &(struct template_options){ .escape = TEMPLATE_HTML },
			text_rows[i].data, NULL);
		if (!o.t)
			fail_msg("%s: %s", text_rows[i].source, o.errors[0].text);
		if (strcmp(buf_cstr(&o.text), text_rows[i].out) != 0)
			fail_msg("%s:\n[%s]\nnot\n[%s]", text_rows[i].source, buf_cstr(&o.text),
				text_rows[i].out);
		outcome_clear(&o);
	}
}

/* A partial is a text of its own: what stands before and behind it keeps its distance. */
static void test_text_part_of_partials(void **state)
{
	static const struct row rows[] = {
		{ "{% render 'title', text: 'Head' %}\n<p>One</p>\n{% render 'title', text: 'Tail' %}", NULL, "Head\n\nOne\n\nTail\n" },
		{ "<p>It is {% render 'word' %} for you</p>", NULL, "It is good for you\n" },
		{ "<ul><li>{% render 'word' %}</li><li>b</li></ul>", NULL, "- good\n- b\n" },
	};
	struct outcome o;

	for (size_t i = 0; i < COUNT(rows); i++) {
		play(&o, rows[i].source, &(struct template_options){ .escape = TEMPLATE_HTML }, NULL,
			"{\"title\": \"<h1>{{ text }}</h1>\", \"word\": \"good\"}");
		assert_non_null(o.t);
		assert_string_equal(buf_cstr(&o.text), rows[i].out);
		outcome_clear(&o);
	}
}

static int set_up(void **state)
{
	vocabulary = vocabulary_new();
	for (size_t i = 0; i < COUNT(symbols); i++)
		assert_int_equal(vocabulary_add(vocabulary, &symbols[i]), (int)i);
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
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_html_is_escaped_by_place),
		cmocka_unit_test(test_json_is_escaped),
		cmocka_unit_test(test_line_break_in_a_header_fails),
		cmocka_unit_test(test_refused_with_line_column_and_hint),
		cmocka_unit_test(test_all_errors_are_found_at_once),
		cmocka_unit_test(test_nothing_goes_out_with_a_hole_in_it),
		cmocka_unit_test(test_layout_front_matter_and_partials),
		cmocka_unit_test(test_partial_wants_its_names),
		cmocka_unit_test(test_constant_links_are_tracked),
		cmocka_unit_test(test_text_part_reads_well),
		cmocka_unit_test(test_text_part_of_partials),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
