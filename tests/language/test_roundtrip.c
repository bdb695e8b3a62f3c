/*
 * test_roundtrip.c: random expressions and templates, printed and read again: the same program, the same answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "language/expression.h"

#include "../../daemon/language/node.h"
#include "same.h"

#define NOW (INT64_C(1700000000) * US_SECOND)
#define EXPRESSIONS 20000
#define TEMPLATES 20000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const stages[] = { "awareness", "consideration", "decision", NULL };
static const char *const intents[] = { "pricing", "meeting", NULL };

static const struct symbol symbols[] = {
	{ .name = "role", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "stage", .type = VALUE_TEXT, .values = stages },
	{ .name = "intent", .type = VALUE_TEXT, .values = intents, .unordered = true, .may_be_empty = true },
	{ .name = "interest", .type = VALUE_REAL, .decays = true },
	{ .name = "employees", .type = VALUE_INT, .may_be_empty = true },
	{ .name = "subscribed", .type = VALUE_BOOL },
	{ .name = "tags", .type = VALUE_LIST },
	{ .name = "signed_up", .type = VALUE_TIME },
	{ .name = "lead", .type = VALUE_OBJECT },
	{ .name = "sender.name", .type = VALUE_TEXT },
	{ .name = "seats", .type = VALUE_INT },
};

static struct vocabulary *vocabulary;

/* --- making them ------------------------------------------------------------------------------------------------ */

static size_t below(size_t n)
{
	return (size_t)(random_u64() % n);
}

static bool chance(int percent)
{
	return below(100) < (size_t)percent;
}

#define PICK(list) ((list)[below(COUNT(list))])

static void add_space(struct buf *b)
{
	static const char *const spaces[] = { " ", "  ", "\n", "\t ", " " };

	buf_str(b, PICK(spaces));
}

/* Between things that need none. */
static void maybe_space(struct buf *b)
{
	if (chance(60))
		add_space(b);
}

static void add_text(struct buf *b)
{
	static const char *const texts[] = { "", "a", "head of", "it's", "say \"hi\"", "\xc3\xa4\xe2\x82\xac", "a\\b", "/x", "and",
		"2026-01-31", "14 days" };
	const char *text = PICK(texts);
	char quote = strchr(text, '\'') || (chance(50) && !strchr(text, '"')) ? '"' : '\'';

	buf_printf(b, "%c%s%c", quote, text, quote);
}

static void add_number(struct buf *b)
{
	static const char *const numbers[] = { "0", "1", "-5", "30", "2.5", "-0.125", "1000000", "0.1", "1.50", "000012", "99999999999" };

	buf_str(b, PICK(numbers));
}

static void add_duration(struct buf *b)
{
	static const char *const durations[] = { "14 days", "1 day", "2h30m", "90 min", "1 week", "3 months", "1 year", "45 seconds",
		"36 hours", "2 days 3 hours" };

	buf_str(b, PICK(durations));
}

static void add_list(struct buf *b)
{
	buf_char(b, '[');
	for (size_t i = 0, n = below(4); i < n; i++) {
		add_text(b);
		maybe_space(b);
		if (i + 1 < n || chance(20))
			buf_str(b, ",");
		maybe_space(b);
	}
	buf_char(b, ']');
}

static void add_operator(struct buf *b, bool order)
{
	static const char *const equal[] = { "==", "!=", "<>" }, *const all[] = { "==", "!=", "<", "<=", ">", ">=" };

	maybe_space(b);
	buf_str(b, order ? PICK(all) : PICK(equal));
	maybe_space(b);
}

/* A call that is true or false, or counts, or tells a duration. */
static void add_call(struct buf *b, enum history_what what)
{
	static const char *const held[] = { "did", "visited", "clicked", "clicked_any", "opened", "opened_any", "sent", "replied" },
				 *const counts[] = { "times", "visits", "clicks", "opens" };
	const char *name = what == HISTORY_HELD ? PICK(held) : what == HISTORY_COUNT ? PICK(counts) : "since";
	bool event = strcmp(name, "did") == 0 || strcmp(name, "times") == 0 || strcmp(name, "since") == 0;
	bool first = event || (strcmp(name, "replied") != 0 && chance(70)), window = what != HISTORY_SINCE && chance(50);

	buf_printf(b, "%s(", name);
	maybe_space(b);
	if (first)
		buf_str(b, chance(50) ? "\"purchase\"" : "'/compare*'");
	maybe_space(b);
	if (first && window)
		buf_str(b, ",");
	maybe_space(b);
	if (window)
		add_duration(b);
	buf_str(b, ")");
}

static void add_comparison(struct buf *b)
{
	static const char *const texts[] = { "role", "sender.name", "event.path", "lead.company", "event.utm.source" },
				 *const patterns[] = { "/head of/i", "/a\\/b/", "/^x+$/", "/\xc3\xa4/i" };

	switch (below(14)) {
	case 0:
		buf_str(b, PICK(texts));
		add_operator(b, false);
		add_text(b);
		return;
	case 1:
		buf_str(b, PICK(texts));
		buf_str(b, " contains ");
		add_text(b);
		return;
	case 2:
		buf_str(b, PICK(texts));
		buf_str(b, " in ");
		add_list(b);
		return;
	case 3:
		buf_printf(b, "%s matches %s", PICK(texts), PICK(patterns));
		return;
	case 4:
		buf_str(b, chance(50) ? "stage" : "intent");
		add_operator(b, false);
		buf_str(b, "nil");
		return;
	case 5:
		buf_str(b, "stage");
		add_operator(b, true);
		buf_printf(b, "\"%s\"", stages[below(3)]);
		return;
	case 6:
		if (chance(50)) {
			buf_str(b, "interest");
			add_operator(b, true);
			add_number(b);
		} else {
			add_number(b);
			add_operator(b, true);
			buf_str(b, "interest");
		}
		return;
	case 7:
		buf_str(b, chance(50) ? "employees" : "event.amount");
		add_operator(b, true);
		add_number(b);
		return;
	case 8:
		add_call(b, HISTORY_COUNT);
		add_operator(b, true);
		add_number(b);
		return;
	case 9:
		add_call(b, HISTORY_SINCE);
		add_operator(b, true);
		add_duration(b);
		return;
	case 10:
		buf_str(b, "signed_up");
		add_operator(b, true);
		buf_str(b, chance(50) ? "\"2026-01-31\"" : "'2026-01-31T08:00:00+02:00'");
		return;
	case 11:
		if (chance(50)) {
			buf_str(b, "tags contains ");
			add_text(b);
		} else {
			add_text(b);
			buf_str(b, " in tags");
		}
		return;
	case 12:
		buf_str(b, "tags");
		add_operator(b, false);
		if (chance(50))
			add_list(b);
		else
			buf_str(b, chance(50) ? "nil" : "null");
		return;
	default:
		buf_str(b, "intent in [\"pricing\",'meeting']");
		return;
	}
}

static void add_condition(struct buf *b, int depth);

static void add_part(struct buf *b, int depth)
{
	if (depth < 4 && chance(15)) {
		buf_str(b, "(");
		maybe_space(b);
		add_condition(b, depth + 1);
		maybe_space(b);
		buf_str(b, ")");
		return;
	}
	if (chance(15)) {
		buf_str(b, "not ");
		add_part(b, depth + 1);
		return;
	}
	if (chance(20))
		add_call(b, HISTORY_HELD);
	else if (chance(20))
		buf_str(b, chance(70) ? "subscribed" : chance(50) ? "true" : "false");
	else
		add_comparison(b);
}

static void add_condition(struct buf *b, int depth)
{
	const char *word = chance(50) ? "and" : "or";

	add_part(b, depth);
	while (chance(40)) {
		add_space(b);
		buf_str(b, word);
		add_space(b);
		add_part(b, depth);
	}
}

/* --- the same program ------------------------------------------------------------------------------------------- */

static bool same_node(const struct node *a, const struct node *b)
{
	return a->op == b->op && a->any == b->any && a->type == b->type && a->a == b->a && a->b == b->b && a->next == b->next &&
		a->symbol == b->symbol && a->call == b->call && same_slices(a->name, b->name) &&
		same_values(a->literal, b->literal) && !a->pattern == !b->pattern && a->places == b->places;
}

static bool same_call(const struct history_call *a, const struct history_call *b)
{
	return a->what == b->what && strcmp(a->event, b->event) == 0 && !a->subject == !b->subject &&
		(!a->subject || strcmp(a->subject, b->subject) == 0) && a->glob == b->glob && a->machine == b->machine &&
		a->within == b->within;
}

static bool same_program(const struct expression *a, const struct expression *b)
{
	if (a->count != b->count || a->root != b->root || a->call_count != b->call_count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_node(&a->nodes[i], &b->nodes[i]))
			return false;
	for (size_t i = 0; i < a->call_count; i++)
		if (!same_call(&a->calls[i], &b->calls[i]))
			return false;
	return true;
}

/* --- the same answers -------------------------------------------------------------------------------------------- */

static const struct value tag_items[] = { { .type = VALUE_TEXT, .text = { "a", 1 } } };
static const struct value_list tag_list = { 1, tag_items };

static struct value symbol_value(void *ctx, int symbol)
{
	switch (symbols[symbol].type) {
	case VALUE_TEXT:
		return value_text(symbol == 1 ? "decision" : symbol == 2 ? NULL : "head of sales");
	case VALUE_REAL:
		return value_real(40);
	case VALUE_INT:
		return value_int(7);
	case VALUE_BOOL:
		return value_bool(true);
	case VALUE_LIST:
		return (struct value){ .type = VALUE_LIST, .list = &tag_list };
	case VALUE_TIME:
		return value_time(NOW - US_DAY);
	default:
		return value_nil;
	}
}

static struct value event_value(void *ctx, struct slice name)
{
	return slice_is(name, "amount") ? value_int(30) : value_text("/x");
}

static struct history_answer history_value(void *ctx, const struct history_call *call)
{
	return (struct history_answer){ (int64_t)strlen(call->event) % 3, NOW - US_HOUR, NOW - 2 * US_HOUR };
}

static int64_t falls(void *ctx, int symbol, double threshold)
{
	return threshold > 0 && threshold <= 40 ? NOW + (int64_t)((41 - threshold) * (double)US_DAY) : TIME_NEVER;
}

static const struct expression_env env = {
	.now = NOW, .symbol = symbol_value, .event = event_value, .history = history_value, .falls = falls,
};

static struct expression *compiled(const char *text)
{
	struct expression_error error = { 0 };
	struct expression *e = expression_compile(vocabulary, text, VALUE_BOOL, EXPRESSION_EVENT, &error);

	if (!e)
		fail_msg("%s: %zu: %s", text, error.offset, error.text);
	return e;
}

static void test_expressions_come_back_the_same(void **state)
{
	struct buf source = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
	int held = 0;

	random_seed(1);
	for (int i = 0; i < EXPRESSIONS; i++) {
		struct expression *e, *again;
		int64_t until[2];

		buf_reset(&source);
		buf_reset(&first);
		buf_reset(&second);
		add_condition(&source, 0);
		e = compiled(buf_cstr(&source));
		expression_print(e, &first);
		again = compiled(buf_cstr(&first));
		expression_print(again, &second);
		if (strcmp(buf_cstr(&first), buf_cstr(&second)) != 0 || !same_program(e, again))
			fail_msg("%s\nis printed %s\nand then  %s", buf_cstr(&source), buf_cstr(&first), buf_cstr(&second));
		held += expression_holds(e, &env, &until[0]);
		if (expression_holds(again, &env, &until[1]) != expression_holds(e, &env, NULL) || until[0] != until[1])
			fail_msg("%s\nhas another answer than %s", buf_cstr(&source), buf_cstr(&first));
		expression_free(&e);
		expression_free(&again);
	}
	assert_in_range(held, EXPRESSIONS / 10, EXPRESSIONS * 9 / 10);	/* they do ask something */
	buf_clear(&source);
	buf_clear(&first);
	buf_clear(&second);
}

/* --- templates --------------------------------------------------------------------------------------------------- */

static const char *load(void *ctx, const char *name)
{
	if (strcmp(name, "letter") == 0)
		return "<html>{{ content }}<p>{{ role|default:'x' }}</p></html>";
	if (strcmp(name, "part") == 0)
		return "<i>{{who}}</i>{%cycle'a','b'%}";
	return NULL;
}

static struct template *template_of(const char *source, const struct vocabulary *v)
{
	const struct template_options options = {
		.escape = TEMPLATE_HTML, .vocabulary = v, .load = load, .track_links = true
	};
	struct template_error errors[1];
	size_t count;
	struct template *t = template_compile("t", source, &options, errors, 1, &count);

	if (!t)
		fail_msg("%s\n%d:%d: %s", source, errors[0].line, errors[0].column, errors[0].text);
	return t;
}

static void check_prints_same(const char *source, const struct vocabulary *v)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct template *t = template_of(source, v), *again;
	struct template_error error;

	assert_int_equal(template_print("t", source, &first, &error), 0);
	again = template_of(buf_cstr(&first), v);
	if (!same_template(t, again))
		fail_msg("%s\nis another program than\n%s", source, buf_cstr(&first));
	assert_int_equal(template_print("t", buf_cstr(&first), &second, &error), 0);
	if (strcmp(buf_cstr(&first), buf_cstr(&second)) != 0)
		fail_msg("%s\nis printed\n%s\nand then\n%s", source, buf_cstr(&first), buf_cstr(&second));
	template_free(&t);
	template_free(&again);
	buf_clear(&first);
	buf_clear(&second);
}

/* What may stand in text, one after the other, as it is printed. */
static const char *const fragments[] = {
	"word", " two words\n", "<p>", "</p>\n", "&amp; ", "  ", "<a href=\"https://x.example/?a&amp;b\">x</a>",
	"<img src=\"{{ sender.name }}\" alt=\"{{ role | default: \"x\" }}\">", "{{ sender.name }}", "{{ seats | plus: 1 | times: -2.5 }}",
	"{{ role | default: \"there\" | append: 'say \"x\"' }}", "{{ lead.company[\"b c\"].d[0] | escape }}", "{{ (1..5) | join: \", \" }}",
	"{{ sender.name | default: \"x\", allow_false: true }}", "{{ }}", "{{- subscribed -}}", "{%- if subscribed == true and role != nil -%}yes{% endif %}",
	"{% if tags contains \"vip\" or seats >= 5 %}a{% elsif role %}b{% else %}c{% endif %}", "{% unless role == blank %}x{% endunless %}",
	"{% case stage %}{% when \"decision\", \"x\" or 3 %}a{% else %}b{% endcase %}",
	"{% for i in tags reversed limit: 2 offset: continue %}{{ i }}{{ forloop.index0 }}{% break %}{% else %}none{% endfor %}",
	"{% for i in (1..seats) %}{% cycle \"a\", \"b\" %}{% endfor %}", "{% assign x = seats | minus: 1 %}{{ x }}",
	"{% capture y %}<b>{{ sender.name }}</b>{% endcapture %}{{ y }}", "{% render \"part\", who: sender.name %}",
	"{% render \"part\" with sender.name as who %}", "{% render \"part\" for tags as who %}", "{% comment %} {{ any | thing {% endcomment %}",
	"{% raw %}{{ x }}{% endraw %}", "{% # a remark %}", "{% echo sender.name | upcase %}", "{% cycle \"g\": 1, 2.5, nil %}",
	"{% liquid\n  if subscribed\n    echo sender.name\n  else\n    # no\n    assign z = 1\n  endif\n%}", "{% if subscribed %}{% abort \"why\" %}{% endif %}",
};

/* White space and operators in a mark as people write them. */
static void add_noisy(struct buf *b, const char *s)
{
	const char *clean = s;
	bool mark = false, lines = false, keep = false;
	char quote = '\0';

	for (; *s; s++) {
		bool opens = s[0] == '{' && (s[1] == '{' || s[1] == '%');

		if (!mark && opens) {
			keep = strncmp(s, "{% comment", 10) == 0 || strncmp(s, "{% raw", 6) == 0 || strncmp(s, "{% #", 4) == 0;
			lines = strncmp(s, "{% liquid", 9) == 0;
		}
		mark = mark ? !(s[0] == '}' && s[-1] != '{') : opens;
		quote = mark && (*s == '"' || *s == '\'') ? (quote == *s ? '\0' : quote ? quote : *s) : quote;
		if (!mark || keep || quote || opens) {
			buf_char(b, *s);
		} else if (*s == ' ' && (s[-1] == '-' || s[1] == '-')) {
			buf_char(b, ' ');
		} else if (*s == ' ') {
			buf_str(b, lines ? (chance(50) ? " " : "\t ") : chance(20) ? "\n " : chance(30) ? "  " : " ");
		} else if (strchr(",|:", *s)) {
			buf_printf(b, "%s%c%s", chance(30) ? " " : "", *s, chance(30) ? " " : "");
		} else {
			buf_char(b, *s);
		}
		if (keep && strncmp(s, "%}", 2) == 0 && ((s - clean >= 11 && strncmp(s - 11, "endcomment ", 11) == 0) || (s - clean >= 7 && strncmp(s - 7, "endraw ", 7) == 0)))
			keep = false;
	}
}

static void test_templates_come_back_the_same(void **state)
{
	struct buf source = BUF_INIT;

	random_seed(2);
	for (int i = 0; i < TEMPLATES; i++) {
		buf_reset(&source);
		if (chance(40)) {
			buf_str(&source, "---\n");
			if (chance(70))
				add_noisy(&source, "subject: Hello {{role|default:'you'}}, {{ sender.name }}!");
			for (char *p = source.data; p && *p; p++)	/* a line */
				*p = *p == '\n' && p > source.data + 3 ? ' ' : *p;
			buf_str(&source, chance(50) ? "\npreheader: \"  x {{ stage }} \"\n" : "\n# remark\n\n");
			buf_str(&source, chance(50) ? "layout: 'letter'\n---\n" : "topic: news\n---\n");
		}
		for (size_t k = 0, n = below(8); k < n; k++)
			add_noisy(&source, PICK(fragments));
		check_prints_same(buf_cstr(&source), vocabulary);
	}
	buf_clear(&source);
}

static const char *const printed[][2] = {
	{ "{{a|b}}", "{{ a | b }}" },
	{ "{{ a.b [ 'c' ] [0].first|append:'x','say \"y\"' ,k : 1 }}", "{{ a.b[\"c\"][0].first | append: \"x\", 'say \"y\"', k: 1 }}" },
	{ "{%-if a<>b and( 1 .. n )contains 2-%}x{%endif a%}", "{%- if a != b and (1..n) contains 2 -%}x{% endif %}" },
	{ "{%for i in['x y']reversed limit:2%}{%endfor%}", "{% for i in ['x y'] reversed limit: 2 %}{% endfor %}" },
	{ "{%case a%}{%when 1,2 or'x' rest!%}{%endcase%}", "{% case a %}{% when 1, 2 or \"x\" rest %}{% endcase %}" },
	{ "{% liquid\n\n if a\necho   'b'\n\n else\n # c\n assign x=1\n endif\n-%}",
		"{% liquid\n  if a\n    echo \"b\"\n\n  else\n    # c\n    assign x = 1\n  endif\n-%}" },
	{ "{%liquid echo a%}", "{% liquid\n  echo a\n%}" },
	{ "{%raw%}{{a|b}}{%endraw%}{%comment%}{{a|b}}{%endcomment%}", "{%raw%}{{a|b}}{%endraw%}{%comment%}{{a|b}}{%endcomment%}" },
	{ "---\nsubject:   'Hi {{a}}'\n\n# why\n topic : \"\"\npreheader: ' x '\n---\n\ntext\n",
		"---\nsubject: Hi {{ a }}\n\n# why\ntopic: \"\"\npreheader: \" x \"\n---\n\ntext\n" },
};

static void test_prints_in_one_form(void **state)
{
	for (size_t i = 0; i < COUNT(printed); i++) {
		struct buf out = BUF_INIT;
		struct template_error error;

		assert_int_equal(template_print("t", printed[i][0], &out, &error), 0);
		assert_string_equal(buf_cstr(&out), printed[i][1]);
		buf_clear(&out);
	}
}

static void test_says_where_it_cannot(void **state)
{
	struct buf out = BUF_INIT;
	struct template_error error;

	buf_str(&out, "kept");
	assert_int_equal(template_print("t", "a\n b {{ c", &out, &error), -1);
	assert_int_equal(error.line, 2);
	assert_int_equal(error.column, 4);
	assert_string_equal(error.file, "t");
	assert_non_null(strstr(error.text, "never closed"));
	assert_int_equal(template_print("t", "---\nsubject: {{ c\n---\n", &out, &error), -1);
	assert_int_equal(error.line, 2);
	assert_string_equal(buf_cstr(&out), "kept");
	buf_clear(&out);
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
		cmocka_unit_test(test_expressions_come_back_the_same),
		cmocka_unit_test(test_templates_come_back_the_same),
		cmocka_unit_test(test_prints_in_one_form),
		cmocka_unit_test(test_says_where_it_cannot),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
