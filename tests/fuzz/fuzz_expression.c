/*
 * fuzz_expression.c: any bytes as an expression. What compiles can be evaluated, its answer is the same
 * whether anybody asks until when or not, the instant lies ahead, and its printed form compiles to what
 * prints the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/expression.h"

#define NOW (INT64_C(1700000000) * US_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const stages[] = { "awareness", "decision", NULL };

static const struct symbol symbols[] = {
	{ .name = "role", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "stage", .type = VALUE_TEXT, .values = stages },
	{ .name = "interest", .type = VALUE_REAL, .decays = true },
	{ .name = "size", .type = VALUE_INT },
	{ .name = "ok", .type = VALUE_BOOL },
	{ .name = "at", .type = VALUE_TIME },
	{ .name = "lead", .type = VALUE_OBJECT },
};

static struct value symbol_value(void *ctx, int symbol)
{
	switch (symbol) {
	case 0:
		return value_text("head of sales");
	case 1:
		return value_text("decision");
	case 2:
		return value_real(40);
	case 3:
		return value_int(7);
	case 4:
		return value_bool(true);
	case 5:
		return value_time(NOW - US_DAY);
	default:
		return value_nil;
	}
}

static struct value event_value(void *ctx, struct slice name)
{
	return name.len % 2 ? value_text("12") : value_nil;
}

static struct history_answer history_value(void *ctx, const struct history_call *call)
{
	return (struct history_answer){ (int64_t)strlen(call->event) % 3, NOW - US_HOUR, NOW - 2 * US_HOUR };
}

static int64_t falls(void *ctx, int symbol, double threshold)
{
	return threshold > 0 ? NOW + US_DAY : TIME_NEVER;
}

static void evaluate(const struct expression *e)
{
	const struct expression_env env = { .now = NOW,
		.symbol = symbol_value,
		.event = event_value,
		.history = history_value,
		.falls = falls };
	struct buf out = BUF_INIT;
	int64_t until;

	if (expression_holds(e, &env, &until) != expression_holds(e, &env, NULL) || until <= NOW)
		abort();
	expression_explain(e, &env, &out);
	buf_clear(&out);
}

static void print_back(const struct vocabulary *v, const struct expression *e)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct expression_error error;
	struct expression *again;

	expression_print(e, &first);
	again = expression_compile(v, buf_cstr(&first), VALUE_NIL, EXPRESSION_EVENT, &error);
	if (!again)
		abort();
	expression_print(again, &second);
	if (strcmp(buf_cstr(&first), buf_cstr(&second)) != 0)
		abort();
	expression_free(&again);
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocabulary *v;
	struct expression_error error;
	struct expression *e;
	char *text = xstrndup((const char *)data, size);

	if (!v) {
		v = vocabulary_new();
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
			vocabulary_add(v, &symbols[i]);
	}
	e = expression_compile(v, text, VALUE_NIL, EXPRESSION_EVENT, &error);
	if (e) {
		evaluate(e);
		print_back(v, e);
	}
	expression_free(&e);
	free(text);
	return 0;
}
