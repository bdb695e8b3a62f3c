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

#define NOW (INT64_C(1700000000) * US_SECOND)
#define EXPRESSIONS 20000
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

static bool same_slice(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_value(struct value a, struct value b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	value_to_source(&x, a);
	value_to_source(&y, b);
	same = a.type == b.type && strcmp(buf_cstr(&x), buf_cstr(&y)) == 0;
	buf_clear(&x);
	buf_clear(&y);
	return same;
}

static bool same_node(const struct node *a, const struct node *b)
{
	return a->op == b->op && a->any == b->any && a->type == b->type && a->a == b->a && a->b == b->b && a->next == b->next &&
		a->symbol == b->symbol && a->call == b->call && same_slice(a->name, b->name) &&
		same_value(a->literal, b->literal) && !a->pattern == !b->pattern && a->places == b->places;
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
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
