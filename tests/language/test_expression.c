/*
 * test_expression.c: what an expression is worth, until when, how it prints, and what is refused, as tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/expression.h"

#define NOW (INT64_C(1700000000) * US_SECOND)

static struct vocabulary *vocabulary;

static const char *const stages[] = { "awareness", "consideration", "decision", "customer", NULL };
static const char *const intents[] = { "pricing", "meeting", "call_me", "demo", NULL };

static const char *const grades[] = { "A1", "A2", "B1", "B2", NULL };

static const struct symbol symbols[] = {
	{ .name = "first_name", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "role", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "country", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "stage", .type = VALUE_TEXT, .values = stages },
	{ .name = "list", .type = VALUE_TEXT },
	{ .name = "intent", .type = VALUE_TEXT, .values = intents, .unordered = true, .may_be_empty = true },
	{ .name = "interest", .type = VALUE_REAL, .decays = true },
	{ .name = "employees", .type = VALUE_INT, .may_be_empty = true },
	{ .name = "subscribed", .type = VALUE_BOOL },
	{ .name = "topics", .type = VALUE_LIST },
	{ .name = "signed_up", .type = VALUE_TIME },
	{ .name = "lead", .type = VALUE_OBJECT },
	{ .name = "sender.name", .type = VALUE_TEXT },
	{ .name = "trouble", .type = VALUE_REAL, .decays = true },
	{ .name = "tags", .type = VALUE_LIST },
	{ .name = "grade", .type = VALUE_TEXT, .values = grades, .may_be_empty = true },
};

/* --- a prospect to ask about ---------------------------------------------------------------------------- */

static const struct value topic_items[] = {
	{ .type = VALUE_TEXT, .text = { "news", 4 } }, { .type = VALUE_TEXT, .text = { "offers", 6 } },
};
static const struct value_list topic_list = { 2, topic_items };
static const struct value_list tag_list = { 0, NULL };
static const struct value_pair lead_pairs[] = { { { "company", 7 },
	{ .type = VALUE_TEXT, .text = { "Acme", 4 } } } };
static const struct value_object lead_object = { 1, lead_pairs, NULL };

static struct value symbol_value(void *ctx, int symbol)
{
	const char *name = symbols[symbol].name;

	if (strcmp(name, "role") == 0)
		return value_text("Head of Sales");
	if (strcmp(name, "stage") == 0)
		return value_text("consideration");
	if (strcmp(name, "list") == 0)
		return value_text("comparing");
	if (strcmp(name, "country") == 0)
		return value_text("DE");
	if (strcmp(name, "interest") == 0)
		return value_real(40);
	if (strcmp(name, "employees") == 0)
		return value_int(50);
	if (strcmp(name, "subscribed") == 0)
		return value_bool(true);
	if (strcmp(name, "topics") == 0)
		return (struct value){ .type = VALUE_LIST, .list = &topic_list };
	if (strcmp(name, "signed_up") == 0)
		return value_time(NOW - 3 * US_DAY);
	if (strcmp(name, "lead") == 0)
		return (struct value){ .type = VALUE_OBJECT, .object = &lead_object };
	if (strcmp(name, "sender.name") == 0)
		return value_text("Ana");
	if (strcmp(name, "trouble") == 0)
		return value_real(-40);
	if (strcmp(name, "tags") == 0)
		return (struct value){ .type = VALUE_LIST, .list = &tag_list };
	if (strcmp(name, "grade") == 0)
		return value_text("B1");
	return value_nil;	/* first_name, intent */
}

static struct value event_value(void *ctx, struct slice name)
{
	if (slice_is(name, "path"))
		return value_text("/pricing");
	if (slice_is(name, "amount"))
		return value_text("120.50");
	if (slice_is(name, "utm.source"))
		return value_text("ads");
	return value_nil;
}

static int calls;

/* purchase: never. Page views: 3, the oldest 5 and the newest 2 days ago. Everything else: one, a day ago. */
static struct history_answer history_value(void *ctx, const struct history_call *call)
{
	calls++;
	if (strcmp(call->event, "purchase") == 0)
		return (struct history_answer){ 0 };
	if (strcmp(call->event, "page_view") == 0)
		return (struct history_answer){ 3, NOW - 2 * US_DAY, NOW - 5 * US_DAY };
	return (struct history_answer){ 1, NOW - US_DAY, NOW - US_DAY };
}

/* interest falls by 10 a day, trouble climbs by 10 a day, both to nothing. */
static int64_t falls(void *ctx, int symbol, double threshold)
{
	bool trouble = strcmp(symbols[symbol].name, "trouble") == 0;

	if (!trouble)
		assert_string_equal(symbols[symbol].name, "interest");
	threshold = trouble ? -threshold : threshold;
	if (threshold < 0 || threshold > 60)	/* 60 two days ago: what it passed since then, it passed in the past */
		return TIME_NEVER;
	return NOW + (int64_t)((40 - threshold) / 10 * (double)US_DAY);
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

/* --- what holds ----------------------------------------------------------------------------------------- */

#define NEVER TIME_NEVER
#define DAYS(n) (NOW + (n) * US_DAY)

static const struct {
	const char *text;
	bool holds;
	int64_t until;
} answers[] = {
	/* literals and names */
	{ "true", true, NEVER },
	{ "subscribed", true, NEVER },
	{ "not subscribed", false, NEVER },
	{ "role == 'Head of Sales'", true, NEVER },
	{ "employees >= 50 and employees < 50.5", true, NEVER },
	{ "employees == 50.0", true, NEVER },
	{ "lead.company == \"Acme\"", true, NEVER },
	{ "sender.name == \"Ana\"", true, NEVER },
	/* nil: comparisons are false, but == nil and != nil */
	{ "first_name == \"Ana\"", false, NEVER },
	{ "first_name != \"Ana\"", false, NEVER },
	{ "not (first_name == \"Ana\")", true, NEVER },
	{ "first_name == nil", true, NEVER },
	{ "first_name != nil", false, NEVER },
	{ "role != nil", true, NEVER },
	{ "intent in [\"pricing\", \"demo\"]", false, NEVER },
	/* order of places */
	{ "stage >= \"consideration\"", true, NEVER },
	{ "stage > \"consideration\"", false, NEVER },
	{ "stage < \"decision\"", true, NEVER },
	{ "\"decision\" > stage", true, NEVER },
	{ "stage != \"customer\"", true, NEVER },
	/* parts of texts and lists */
	{ "role contains \"Sales\"", true, NEVER },
	{ "role contains \"sales\"", false, NEVER },
	{ "topics contains \"news\"", true, NEVER },
	{ "\"offers\" in topics", true, NEVER },
	{ "country in [\"DE\", \"AT\", \"CH\"]", true, NEVER },
	{ "role matches /director|head of|chief/i", true, NEVER },
	{ "role matches /head of/", false, NEVER },
	{ "tags contains \"vip\"", false, NEVER },
	{ "not (tags contains \"vip\")", true, NEVER },
	{ "\"vip\" in tags", false, NEVER },
	{ "tags == nil and topics != nil", true, NEVER },
	{ "tags != nil or topics == nil", false, NEVER },
	{ "topics == [\"news\", \"offers\"] and tags == []", true, NEVER },
	{ "topics != [\"offers\", \"news\"]", true, NEVER },
	{ "grade == \"B1\" and grade in [\"A1\", \"B1\"] and grade != nil", true, NEVER },
	{ "event.path matches /^\\/pri/", true, NEVER },
	/* events: of any type, texts that are numbers too */
	{ "event.path == \"/pricing\"", true, NEVER },
	{ "event.amount > 100", true, NEVER },
	{ "event.amount > 120.5", false, NEVER },
	{ "event.utm.source == \"ads\"", true, NEVER },
	{ "event.nothing == nil", true, NEVER },
	{ "event.path > 3", false, NEVER },
	/* times and durations */
	{ "signed_up > \"2023-11-01\"", true, NEVER },
	{ "signed_up < \"2023-11-01T00:00:00Z\"", false, NEVER },
	/* history in a window: true until the newest leaves it */
	{ "visited(\"/compare*\", 30 days)", true, DAYS(28) },
	{ "did(\"signup\", 2h30m)", true,
		NOW + 1 }, /* a store that counts it still, though the window is over */
	{ "did(\"signup\")", true, NEVER },
	{ "did(\"purchase\", 30 days)", false, NEVER },
	{ "not visited(\"/compare*\", 30 days)", false, DAYS(28) },
	{ "clicked(7 days) and opened_any()", true, DAYS(6) },
	/* counts: until the oldest leaves, and only if fewer would change the answer */
	{ "visits(\"/pricing\", 7 days) >= 3", true, DAYS(2) },
	{ "visits(\"/pricing\", 7 days) >= 4", false, NEVER },
	{ "visits(\"/pricing\", 7 days) < 2", false, DAYS(2) },
	{ "visits(\"/pricing\", 7 days) < 5", true, NEVER },
	{ "visits(\"/pricing\", 7 days) == 2", false, DAYS(2) },
	{ "visits(\"/pricing\", 7 days) == 4", false, NEVER },
	{ "visits(\"/pricing\") >= 3", true, NEVER },
	/* since: crosses at last + duration */
	{ "since(\"signup\") >= 14 days", false, DAYS(13) },
	{ "since(\"signup\") < 14 days", true, DAYS(13) },
	{ "since(\"signup\") > 14 days", false, DAYS(13) + 1 },
	{ "14 days < since(\"signup\")", false, DAYS(13) + 1 },
	{ "since(\"signup\") > 12 hours", true, NEVER },
	{ "since(\"signup\") == 1 day", true, NOW + 1 },
	{ "since(\"purchase\") > 1 day", false, NEVER },
	{ "since(\"purchase\") == nil", true, NEVER },
	/* what decays: only on the way down */
	{ "interest >= 30", true, DAYS(1) },
	{ "interest > 30", true, DAYS(1) },
	{ "interest < 20", false, DAYS(2) },
	{ "interest < 50", true, NEVER },	/* since yesterday, and from now on */
	{ "interest >= 50", false, NEVER },
	{ "trouble >= -50", true, NEVER },
	{ "20 > interest", false, DAYS(2) },
	{ "interest >= 60", false, NEVER },
	{ "interest > 40", false, NEVER },
	/* and from below: only on the way up */
	{ "trouble < -30", true, DAYS(1) },
	{ "trouble <= -30", true, DAYS(1) },
	{ "trouble > -20", false, DAYS(2) },
	{ "-20 < trouble", false, DAYS(2) },
	{ "trouble > -60", true, NEVER },
	{ "trouble < 10", true, NEVER },
	{ "trouble == -30", false, DAYS(1) },
	{ "trouble >= -40", true, NEVER },
	{ "trouble < -40", false, NEVER },
	/* on the line: what the next moment changes */
	{ "trouble > -40", false, NOW + 8 },
	{ "trouble <= -40", true, NOW + 8 },
	{ "interest >= 40", true, NOW + 8 },
	{ "interest <= 40", true, NEVER },
	{ "interest == 40", true, NOW + 8 },
	{ "interest != 40", false, NOW + 8 },
	/* and: a false one waits for its false parts alone, and for the last of them */
	{ "interest < 20 and did(\"signup\", 30 days)", false, DAYS(2) },
	{ "interest < 20 and interest < 30", false, DAYS(2) },
	{ "interest < 20 and did(\"purchase\")", false, NEVER },
	{ "interest > 20 and did(\"signup\", 30 days)", true, DAYS(2) },
	/* or: a true one waits for its true parts alone */
	{ "interest > 20 or did(\"purchase\", 2 days)", true, DAYS(2) },
	{ "interest > 20 or interest > 30", true, DAYS(2) },
	{ "interest < 20 or interest < 30", false, DAYS(1) },
	{ "subscribed or interest > 20", true, NEVER },
	{ "(interest > 20 and subscribed) or role == \"x\"", true, DAYS(2) },
	{ "not (interest < 20 or stage == \"customer\")", true, DAYS(2) },
};

static void test_value_and_until_when_it_holds(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct expression *e = compiled(answers[i].text);
		int64_t until = -1;

		if (expression_holds(e, &env, &until) != answers[i].holds)
			fail_msg("%s: not %d", answers[i].text, answers[i].holds);
		if (until != answers[i].until)
			fail_msg("%s: until now%+.3f days, not now%+.3f", answers[i].text,
				(double)(until - NOW) / (double)US_DAY,
				(double)(answers[i].until - NOW) / (double)US_DAY);
		if (expression_holds(e, &env, NULL) != answers[i].holds)
			fail_msg("%s: another answer when nobody asks until when", answers[i].text);
		expression_free(&e);
		assert_null(e);
	}
}

static void test_without_until_it_stops_at_the_first_part_that_decides(void **state)
{
	struct expression *e = compiled("subscribed or did(\"a\") or did(\"b\")");

	calls = 0;
	assert_true(expression_holds(e, &env, NULL));
	assert_int_equal(calls, 0);
	expression_free(&e);
}

/* --- printing ------------------------------------------------------------------------------------------- */

static const char *const printed[][2] = {
	{ "((subscribed))", "subscribed" },
	{ "interest>=30 or visited('/compare*',30 days)",
		"interest >= 30 or visited(\"/compare*\", 30 days)" },
	{ "(interest >= 60 and subscribed) or intent in ['pricing', \"demo\",]",
		"(interest >= 60 and subscribed) or intent in [\"pricing\", \"demo\"]" },
	{ "not not subscribed", "not (not subscribed)" },
	{ "role == 'say \"hi\"'", "role == 'say \"hi\"'" },
	{ "employees > 1.50", "employees > 1.5" },
	{ "event.amount > 0.00001", "event.amount > 0.00001" },
	{ "role matches /a\\/b/i", "role matches /a\\/b/i" },
	{ "did(\"x\", 90 minutes)", "did(\"x\", 1 hour 30 minutes)" },
	{ "replied() or clicked_any()", "replied() or clicked_any()" },
	{ "signed_up > \"2023-11-01\"", "signed_up > \"2023-11-01T00:00:00Z\"" },
	{ "tags contains 'vip' and tags==nil", "tags contains \"vip\" and tags == nil" },
	{ "'vip' in tags or topics==['a',1, nil,true,2 days]", "\"vip\" in tags or topics == [\"a\", 1, nil, true, 2 days]" },
	{ "(subscribed and subscribed) and true", "(subscribed and subscribed) and true" },
};

static void test_prints_what_parses_back(void **state)
{
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		struct expression *e = compiled(printed[i][0]), *again;
		struct buf first = BUF_INIT, second = BUF_INIT;

		expression_print(e, &first);
		assert_string_equal(buf_cstr(&first), printed[i][1]);
		again = compiled(buf_cstr(&first));
		expression_print(again, &second);
		assert_string_equal(buf_cstr(&first), buf_cstr(&second));
		buf_clear(&first);
		buf_clear(&second);
		expression_free(&e);
		expression_free(&again);
	}
}

static void test_explains_lists(void **state)
{
	struct expression *e = compiled("topics contains \"news\" and tags == nil");
	struct buf out = BUF_INIT;

	expression_explain(e, &env, &out);
	assert_string_equal(buf_cstr(&out), "topics contains \"news\" and tags == nil: yes\n"
					    "  topics contains \"news\": yes\n"
					    "    topics: [\"news\", \"offers\"]\n"
					    "  tags == nil: yes\n"
					    "    tags: []\n");
	buf_clear(&out);
	expression_free(&e);
}

static void test_explains_each_part(void **state)
{
	struct expression *e = compiled("interest >= 30 and stage == \"decision\" and role != nil");
	struct buf out = BUF_INIT;

	expression_explain(e, &env, &out);
	assert_string_equal(buf_cstr(&out),
		"interest >= 30 and stage == \"decision\" and role != nil: no\n"
		"  interest >= 30: yes (at the earliest another at 2023-11-15T22:13:20Z)\n"
		"    interest: 40.0\n"
		"  stage == \"decision\": no\n"
		"    stage: \"consideration\"\n"
		"  role != nil: yes\n"
		"    role: \"Head of Sales\"\n");
	buf_clear(&out);
	expression_free(&e);
}

/* --- refused -------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	size_t offset;
	const char *says;	/* a part of the message */
} refused[] = {
	{ "", 0, "there is nothing" },
	{ "rol == \"x\"", 0, "did you mean \"role\"" },
	{ "subscribed and cuntry == \"DE\"", 15, "did you mean \"country\"" },
	{ "visted(\"/x\")", 0, "did you mean \"visited\"" },
	{ "did", 0, "did is a function: write did(" },
	{ "stage == \"desicion\"", 9, "did you mean \"decision\"" },
	{ "stage >= \"foo\"", 9, "stage is never \"foo\"" },
	{ "intent in [\"pricing\", \"metting\"]", 22, "did you mean \"meeting\"" },
	{ "stage", 0, "a condition is wanted" },
	{ "interest", 0, "compare it with a number" },
	{ "interest > employees", 9, "compare it with a number" },
	{ "interest in [1, 2]", 9, "compare it with a number" },
	{ "since(\"x\") in [1 day]", 11, "compare it with a duration" },
	{ "since(\"x\") > 14", 11, "a duration has a unit" },
	{ "did(\"x\", 14)", 9, "a time has a unit" },
	{ "did(\"x\", 0 days)", 9, "empty" },
	{ "did(purchase)", 4, "in quotes first" },
	{ "since(\"x\", 3 days)", 11, "takes no time" },
	{ "role > \"a\"", 5, "has no order" },
	{ "intent >= \"demo\"", 7, "intent has no order; ask for its values: intent in [" },
	{ "role == 5", 5, "cannot be compared" },
	{ "signed_up > \"yesterday\"", 10, "a time is written" },
	{ "subscribed and stage == \"decision\" or true", 35, "side by side" },
	{ "1 < employees < 5", 14, "do not chain" },
	{ "role = \"x\"", 5, "written ==" },
	{ "subscribed and role = \"x\"", 20, "written ==" },
	{ "role in [\"x\", 5]", 14, "never a number" },
	{ "role contains 5", 5, "a text can contain a text" },
	{ "\"x\" in role", 4, "wants a list" },
	{ "employees matches /x/", 10, "looks at a text" },
	{ "role matches /a(/", 16, "pattern does not work" },
	{ "role matches /a/x", 15, "knows the flag i" },
	{ "role matches \"a\"", 13, "a pattern is wanted" },
	{ "role == \"abc", 8, "no closing" },
	{ "(subscribed", 11, "\")\" is wanted" },
	{ "subscribed)", 10, "the end" },
	{ "role == ", 8, "not the end" },
	{ "lead", 0, "a condition is wanted" },
	{ "tags", 0, "as in: tags contains" },
	{ "tags matches /vip/", 5, "tags is a list; `matches` looks at a text" },
	{ "tags == \"vip\"", 5, "for an item of a list write: contains" },
	{ "tags > [\"a\"]", 5, "has no order" },
	{ "tags in [\"vip\"]", 9, "tags is a list and never a text" },
	{ "grade == \"A9\"", 9, "grade is never \"A9\"" },
	{ "role.x == 1", 0, "role has no parts" },
	{ "event == 1", 0, "event.NAME" },
	{ "subscribed & true", 11, "no meaning" },
};

static void test_refuses_with_place_and_hint(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct expression_error error = { 0 };
		struct expression *e =
			expression_compile(vocabulary, refused[i].text, VALUE_BOOL, EXPRESSION_EVENT, &error);

		if (e)
			fail_msg("%s: accepted", refused[i].text);
		if (!strstr(error.text, refused[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", refused[i].text, error.text,
				refused[i].says);
		if (error.offset != refused[i].offset)
			fail_msg("%s: offset %zu, not %zu: %s", refused[i].text, error.offset,
				refused[i].offset, error.text);
	}
}

static void test_event_only_where_one_is_at_hand(void **state)
{
	struct expression_error error = { 0 };

	assert_null(expression_compile(vocabulary, "event.path == \"/x\"", VALUE_BOOL, 0, &error));
	assert_non_null(strstr(error.text, "no event at hand"));
}

static void test_nesting_is_bounded(void **state)
{
	struct buf text = BUF_INIT;
	struct expression_error error = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_char(&text, '(');
	assert_null(expression_compile(vocabulary, buf_cstr(&text), VALUE_BOOL, 0, &error));
	buf_reset(&text);
	for (int i = 0; i < 1000; i++)
		buf_str(&text, "not ");
	assert_null(expression_compile(vocabulary, buf_cstr(&text), VALUE_BOOL, 0, &error));
	assert_non_null(strstr(error.text, "too deep"));
	buf_clear(&text);
}

static void test_hostile_pattern_is_cut_short(void **state)
{
	struct expression_error error = { 0 };
	struct expression *e = expression_compile(
		vocabulary, "event.path matches /(a+)+$/", VALUE_BOOL, EXPRESSION_EVENT, &error);

	assert_non_null(e);
	assert_false(expression_holds(e, &env, NULL));
	expression_free(&e);
}

/* --- uses ----------------------------------------------------------------------------------------------- */

static void test_says_what_it_names(void **state)
{
	struct expression *e = compiled("(stage >= \"decision\" and interest >= 30 and stage != "
					"\"customer\") or clicked_any(\"t\", 7 days)");
	const struct expression_uses *uses = expression_uses(e);

	assert_int_equal(uses->symbol_count, 2);
	assert_string_equal(symbols[uses->symbols[0]].name, "stage");
	assert_string_equal(symbols[uses->symbols[1]].name, "interest");
	assert_int_equal(uses->call_count, 1);
	assert_string_equal(uses->calls[0].event, "click");
	assert_string_equal(uses->calls[0].subject, "t");
	assert_true(uses->calls[0].machine);
	assert_false(uses->calls[0].glob);
	assert_true(uses->calls[0].within == 7 * US_DAY);
	assert_true(uses->time);
	expression_free(&e);
	e = compiled("visited(\"/a*\") or role == \"x\"");
	assert_true(expression_uses(e)->calls[0].glob);
	assert_false(expression_uses(e)->time);
	expression_free(&e);
}

static void test_other_types_on_demand(void **state)
{
	struct expression_error error = { 0 };
	struct expression *e = expression_compile(vocabulary, "employees", VALUE_NIL, 0, &error);

	assert_non_null(e);
	assert_int_equal(expression_eval(e, &env, NULL).integer, 50);
	expression_free(&e);
	assert_null(expression_compile(vocabulary, "employees", VALUE_TEXT, 0, &error));
}

static int set_up(void **state)
{
	vocabulary = vocabulary_new();
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		assert_int_equal(vocabulary_add(vocabulary, &symbols[i]), (int)i);
	assert_int_equal(vocabulary_add(vocabulary, &symbols[0]), -1);
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
		cmocka_unit_test(test_value_and_until_when_it_holds),
		cmocka_unit_test(test_without_until_it_stops_at_the_first_part_that_decides),
		cmocka_unit_test(test_prints_what_parses_back),
		cmocka_unit_test(test_explains_each_part),
		cmocka_unit_test(test_explains_lists),
		cmocka_unit_test(test_refuses_with_place_and_hint),
		cmocka_unit_test(test_event_only_where_one_is_at_hand),
		cmocka_unit_test(test_nesting_is_bounded),
		cmocka_unit_test(test_hostile_pattern_is_cut_short),
		cmocka_unit_test(test_says_what_it_names),
		cmocka_unit_test(test_other_types_on_demand),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
