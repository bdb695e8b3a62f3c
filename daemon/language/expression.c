/*
 * expression.c: text to a checked tree. Precedence climbing over one table of operators; nodes are added
 * children first, so that a node's operands are known, and checked, when it is made.
 *
 * `and` and `or` bind alike here and may not stand side by side: whoever writes both says which they mean.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "lex.h"
#include "names.h"
#include "node.h"

#define DEPTH_MAX 64
#define NODES_MAX 4096
#define TEXT_MAX 65536

struct parser {
	struct lexer lexer;
	struct expression *e;
	unsigned flags;
	int depth;
	struct expression_error *error;
};

/* --- functions over history ----------------------------------------------------------------------------- */

enum first_argument { FIRST_EVENT, FIRST_SUBJECT, FIRST_GLOB, FIRST_NONE };

static const struct function {
	const char *name;
	enum history_what what;
	const char *event;	/* NULL: the first argument is the event's name */
	enum first_argument first;
	bool machine;
	bool window;		/* takes a duration */
	const char *example;
} functions[] = {
	{ "did", HISTORY_HELD, NULL, FIRST_EVENT, false, true, "did(\"purchase\", 30 days)" },
	{ "times", HISTORY_COUNT, NULL, FIRST_EVENT, false, true, "times(\"download\", 30 days)" },
	{ "since", HISTORY_SINCE, NULL, FIRST_EVENT, false, false, "since(\"signup\")" },
	{ "visited", HISTORY_HELD, "page_view", FIRST_GLOB, false, true, "visited(\"/compare*\", 14 days)" },
	{ "visits", HISTORY_COUNT, "page_view", FIRST_GLOB, false, true, "visits(\"/pricing\", 7 days)" },
	{ "clicked", HISTORY_HELD, "click", FIRST_SUBJECT, false, true,
		"clicked(\"three-mistakes\", 7 days)" },
	{ "clicks", HISTORY_COUNT, "click", FIRST_SUBJECT, false, true, "clicks(\"three-mistakes\")" },
	{ "clicked_any", HISTORY_HELD, "click", FIRST_SUBJECT, true, true,
		"clicked_any(\"three-mistakes\")" },
	{ "opened", HISTORY_HELD, "open", FIRST_SUBJECT, false, true, "opened(\"three-mistakes\", 7 days)" },
	{ "opens", HISTORY_COUNT, "open", FIRST_SUBJECT, false, true, "opens(\"three-mistakes\")" },
	{ "opened_any", HISTORY_HELD, "open", FIRST_SUBJECT, true, true, "opened_any(\"three-mistakes\")" },
	{ "sent", HISTORY_HELD, "sent", FIRST_SUBJECT, false, true, "sent(\"three-mistakes\", 30 days)" },
	{ "replied", HISTORY_HELD, "reply", FIRST_NONE, false, true, "replied(30 days)" },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static const struct function *function_find(struct slice name)
{
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (slice_is(name, functions[i].name))
			return &functions[i];
	return NULL;
}

/* --- errors --------------------------------------------------------------------------------------------- */

static int fail(struct parser *p, size_t offset, const char *fmt, ...) PRINTF(3, 4);

static int fail(struct parser *p, size_t offset, const char *fmt, ...)
{
	va_list ap;

	p->error->offset = offset;
	va_start(ap, fmt);
	vsnprintf(p->error->text, sizeof(p->error->text), fmt, ap);
	va_end(ap);
	return -1;
}

static int fail_here(struct parser *p, const char *wanted)
{
	char shown[64];

	if (p->lexer.at.kind == LEX_BAD)
		return fail(p, p->lexer.at.offset, "%s", p->lexer.complaint);
	return fail(p, p->lexer.at.offset, "%s is wanted here, not %s", wanted, lex_show(&p->lexer, shown));
}

static const char *nearest_function(const char *name)
{
	const char *names[FUNCTIONS + 1];

	for (size_t i = 0; i < FUNCTIONS; i++)
		names[i] = functions[i].name;
	names[FUNCTIONS] = NULL;
	return text_nearest(name, names);
}

static int fail_unknown_name(struct parser *p, size_t offset, struct slice name)
{
	char text[80];
	const char **names = vocabulary_names(p->e->vocabulary), *near;
	const struct function *f = function_find(name);

	snprintf(text, sizeof(text), "%.*s", (int)(name.len < 70 ? name.len : 70), name.data);
	near = text_nearest(text, names);
	if (f)
		fail(p, offset, "%s is a function: write %s", f->name, f->example);
	else if (near)
		fail(p, offset, "unknown name \"%s\"; did you mean \"%s\"?", text, near);
	else
		fail(p, offset, "unknown name \"%s\"; a text stands in quotes", text);
	free(names);
	return -1;
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

static int add(struct parser *p, enum node_op op, size_t offset, enum value_type type)
{
	struct expression *e = p->e;

	if (e->count >= NODES_MAX)
		return fail(p, offset, "this expression has more than %d parts", NODES_MAX);
	e->nodes = xgrow(e->nodes, &e->cap, e->count + 1, sizeof(*e->nodes));
	e->nodes[e->count] = (struct node){ .op = op,
		.offset = offset,
		.type = type,
		.a = -1,
		.b = -1,
		.next = -1,
		.symbol = -1,
		.call = -1 };
	return (int)e->count++;
}

static int checked(struct parser *p, int node)
{
	struct err err;
	size_t at;

	if (check_node(p->e, node, &at, &err) < 0)
		return fail(p, at, "%s", err.text);
	return node;
}

static struct slice keep(struct parser *p, struct slice s)
{
	return (struct slice){ arena_strndup(p->e->arena, s.len ? s.data : "", s.len), s.len };
}

static int add_literal(struct parser *p, size_t offset, struct value v)
{
	int node = add(p, NODE_LITERAL, offset, v.type);

	if (node >= 0)
		p->e->nodes[node].literal = v;
	return node;
}

/* A literal at hand that is one lexeme; false if there is none. Does not step. */
static bool literal_at(struct parser *p, struct value *out)
{
	const struct lexeme *at = &p->lexer.at;

	switch (at->kind) {
	case LEX_INT:
		*out = value_int(at->integer);
		return true;
	case LEX_REAL:
		*out = value_real(at->real);
		return true;
	case LEX_DURATION:
		*out = value_duration(at->integer);
		return true;
	case LEX_TEXT:
		*out = value_slice(keep(p, at->text));
		return true;
	case LEX_NAME:
		if (lex_is(&p->lexer, "true") || lex_is(&p->lexer, "false"))
			*out = value_bool(lex_is(&p->lexer, "true"));
		else if (lex_is(&p->lexer, "nil") || lex_is(&p->lexer, "null"))
			*out = value_nil;
		else
			return false;
		return true;
	default:
		return false;
	}
}

static int parse_list(struct parser *p)
{
	struct value_builder *items = value_build_list(p->e->arena), *items_at = value_build_list(p->e->arena);
	size_t offset = p->lexer.at.offset, count = 0;
	struct value v;
	int node;

	lex_next(&p->lexer);
	while (p->lexer.at.kind != LEX_CLOSE_SQUARE) {
		if (!literal_at(p, &v))
			return fail_here(p, "a text or a number of the list");
		if (++count > NODES_MAX)
			return fail(p, offset, "this list has more than %d items", NODES_MAX);
		value_add(items, v);
		value_add(items_at, value_int((int64_t)p->lexer.at.offset));
		lex_next(&p->lexer);
		if (p->lexer.at.kind == LEX_COMMA)
			lex_next(&p->lexer);
		else if (p->lexer.at.kind != LEX_CLOSE_SQUARE)
			return fail_here(p, "a comma or ]");
	}
	lex_next(&p->lexer);
	node = add_literal(p, offset, value_built(items));
	if (node >= 0)
		p->e->nodes[node].items_at = value_built(items_at).list;
	return node;
}

/* --- calls ---------------------------------------------------------------------------------------------- */

static int parse_first(struct parser *p, const struct function *f, struct history_call *call)
{
	const char *text;

	if (f->first == FIRST_NONE || p->lexer.at.kind != LEX_TEXT) {
		if (f->first == FIRST_EVENT)
			return fail(p, p->lexer.at.offset,
				"%s() wants the name of an event in quotes first: %s", f->name, f->example);
		return 0;
	}
	if (p->lexer.at.text.len == 0)
		return fail(p, p->lexer.at.offset, "this text is empty; write %s", f->example);
	text = keep(p, p->lexer.at.text).data;
	if (f->first == FIRST_EVENT)
		call->event = text;
	else
		call->subject = text;
	call->glob = f->first == FIRST_GLOB;
	lex_next(&p->lexer);
	if (p->lexer.at.kind == LEX_COMMA)
		lex_next(&p->lexer);
	else if (p->lexer.at.kind != LEX_CLOSE)
		return fail_here(p, "a comma or )");
	return 0;
}

static int parse_arguments(struct parser *p, const struct function *f, struct history_call *call)
{
	if (parse_first(p, f, call) < 0)
		return -1;
	if (p->lexer.at.kind == LEX_DURATION) {
		if (!f->window)
			return fail(p, p->lexer.at.offset, "%s() takes no time: %s", f->name, f->example);
		if (p->lexer.at.integer <= 0)
			return fail(p, p->lexer.at.offset, "this window is empty; write %s", f->example);
		call->within = p->lexer.at.integer;
		lex_next(&p->lexer);
	}
	if (p->lexer.at.kind == LEX_CLOSE)
		return 0;
	if (p->lexer.at.kind == LEX_INT)
		return fail(p, p->lexer.at.offset, "a time has a unit: %s", f->example);
	return fail(p, p->lexer.at.offset, "%s() is written so: %s", f->name, f->example);
}

static int parse_call(struct parser *p, struct slice name, size_t offset)
{
	static const enum value_type types[] = { [HISTORY_HELD] = VALUE_BOOL, [HISTORY_COUNT] = VALUE_INT,
		[HISTORY_SINCE] = VALUE_DURATION };
	const struct function *f = function_find(name);
	struct expression *e = p->e;
	struct history_call call = { 0 };
	char text[80];
	const char *near;
	int node;

	if (!f) {
		snprintf(text, sizeof(text), "%.*s", (int)(name.len < 70 ? name.len : 70), name.data);
		near = nearest_function(text);
		return fail(p, offset, "unknown function \"%s\"%s%s%s", text, near ? "; did you mean \"" : "",
			near ? near : "", near ? "\"?" : "");
	}
	call = (struct history_call){ .what = f->what, .event = f->event, .machine = f->machine };
	lex_next(&p->lexer);
	if (parse_arguments(p, f, &call) < 0)
		return -1;
	lex_next(&p->lexer);
	node = add(p, NODE_CALL, offset, types[f->what]);
	if (node < 0)
		return -1;
	e->calls = xgrow(e->calls, &e->call_cap, e->call_count + 1, sizeof(*e->calls));
	e->call_names = xgrow(e->call_names, &e->name_cap, e->call_count + 1, sizeof(*e->call_names));
	e->calls[e->call_count] = call;
	e->call_names[e->call_count] = slice_of(f->name);
	e->nodes[node].call = (int)e->call_count++;
	return node;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* Names with points, written without space: the text of all of them. Steps behind them. */
static struct slice dotted(struct parser *p)
{
	const char *start = p->lexer.at.text.data, *end = start + p->lexer.at.text.len;

	lex_next(&p->lexer);
	while (p->lexer.at.kind == LEX_DOT && p->lexer.text + p->lexer.at.offset == end) {
		lex_next(&p->lexer);
		if (p->lexer.at.kind != LEX_NAME || p->lexer.at.text.data != end + 1)
			break;
		end = p->lexer.at.text.data + p->lexer.at.text.len;
		lex_next(&p->lexer);
	}
	return (struct slice){ start, (size_t)(end - start) };
}

static int add_event(struct parser *p, struct slice name, size_t offset)
{
	int node;

	if (!(p->flags & EXPRESSION_EVENT))
		return fail(p, offset,
			"there is no event at hand here; look into the history, as in: did(\"purchase\", 30 "
			"days)");
	if (name.len == 0)
		return fail(p, offset, "event.NAME is wanted here, as in: event.path == \"/pricing\"");
	node = add(p, NODE_EVENT, offset, VALUE_NIL);
	if (node >= 0) {
		p->e->nodes[node].any = true;
		p->e->nodes[node].name = keep(p, name);
	}
	return node;
}

static int add_name(struct parser *p, struct slice name, size_t offset)
{
	const char *point = memchr(name.data, '.', name.len);
	struct slice head = { name.data, point ? (size_t)(point - name.data) : name.len };
	struct slice tail = { point ? point + 1 : "", point ? name.len - head.len - 1 : 0 };
	int symbol = vocabulary_find(p->e->vocabulary, name), node;

	if (symbol < 0 && slice_is(head, "event"))
		return add_event(p, tail, offset);
	if (symbol >= 0)
		tail.len = 0;
	else if (tail.len)
		symbol = vocabulary_find(p->e->vocabulary, head);
	if (symbol < 0)
		return fail_unknown_name(p, offset, name);
	if (tail.len && vocabulary_symbol(p->e->vocabulary, symbol)->type != VALUE_OBJECT)
		return fail(p, offset, "%.*s has no parts", (int)head.len, head.data);
	node = add(p, tail.len ? NODE_PATH : NODE_SYMBOL, offset,
		vocabulary_symbol(p->e->vocabulary, symbol)->type);
	if (node < 0)
		return -1;
	p->e->nodes[node].symbol = symbol;
	p->e->nodes[node].any = tail.len > 0 || p->e->nodes[node].type == VALUE_NIL;
	p->e->nodes[node].name = keep(p, tail);
	return node;
}

static bool is_operator_word(const struct parser *p)
{
	static const char *const reserved[] = { "and", "or", "in", "contains", "matches", "not" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (lex_is(&p->lexer, reserved[i]))
			return true;
	return false;
}

static int parse_condition(struct parser *p);

static int parse_operand(struct parser *p)
{
	size_t offset = p->lexer.at.offset;
	struct slice name;
	struct value v;
	int node;

	if (literal_at(p, &v)) {
		lex_next(&p->lexer);
		return add_literal(p, offset, v);
	}
	if (p->lexer.at.kind == LEX_OPEN_SQUARE)
		return parse_list(p);
	if (p->lexer.at.kind == LEX_OPEN) {
		lex_next(&p->lexer);
		node = parse_condition(p);
		if (node < 0)
			return -1;
		if (p->lexer.at.kind != LEX_CLOSE)
			return fail_here(p, "\")\"");
		lex_next(&p->lexer);
		return node;
	}
	if (p->lexer.at.kind != LEX_NAME || is_operator_word(p))
		return fail_here(p, "a name, a text, a number or a function");
	name = dotted(p);
	return p->lexer.at.kind == LEX_OPEN ? parse_call(p, name, offset) : add_name(p, name, offset);
}

/* --- operators ------------------------------------------------------------------------------------------ */

static bool comparison_at(const struct parser *p, enum node_op *op)
{
	switch (p->lexer.at.kind) {
	case LEX_EQ:
		*op = NODE_EQ;
		return true;
	case LEX_NE:
		*op = NODE_NE;
		return true;
	case LEX_LT:
		*op = NODE_LT;
		return true;
	case LEX_LE:
		*op = NODE_LE;
		return true;
	case LEX_GT:
		*op = NODE_GT;
		return true;
	case LEX_GE:
		*op = NODE_GE;
		return true;
	case LEX_NAME:
		*op = lex_is(&p->lexer, "contains") ? NODE_CONTAINS
		      : lex_is(&p->lexer, "in")	    ? NODE_IN
						    : NODE_MATCHES;
		return *op != NODE_MATCHES || lex_is(&p->lexer, "matches");
	default:
		return false;
	}
}

static int parse_pattern(struct parser *p, int left, size_t offset)
{
	struct pattern *pattern;
	struct err err;
	size_t at;
	int node;

	lex_next_pattern(&p->lexer);
	if (p->lexer.at.kind != LEX_PATTERN)
		return fail_here(p, "a pattern");
	pattern = pattern_new(p->lexer.at.text, p->lexer.at.flags, &at, &err);
	if (!pattern)
		return fail(p, p->lexer.at.offset + 1 + at, "%s", err.text);
	node = add(p, NODE_MATCHES, offset, VALUE_BOOL);
	if (node < 0) {
		pattern_free(&pattern);
		return -1;
	}
	p->e->nodes[node].a = left;
	p->e->nodes[node].pattern = pattern;
	p->e->nodes[node].literal = value_slice(keep(p, p->lexer.at.text));
	p->e->nodes[node].name = keep(p, p->lexer.at.flags);
	lex_next(&p->lexer);
	return checked(p, node);
}

static int parse_comparison(struct parser *p)
{
	int left = parse_operand(p), right, node;
	size_t offset = p->lexer.at.offset;
	enum node_op op;

	if (left >= 0 && p->lexer.at.kind == LEX_ASSIGN)
		return fail(p, offset, "a comparison is written ==");
	if (left < 0 || !comparison_at(p, &op))
		return left;
	if (op == NODE_MATCHES) {
		node = parse_pattern(p, left, offset);
	} else {
		lex_next(&p->lexer);
		right = parse_operand(p);
		node = right < 0 ? -1 : add(p, op, offset, VALUE_BOOL);
		if (node < 0)
			return -1;
		p->e->nodes[node].a = left;
		p->e->nodes[node].b = right;
		node = checked(p, node);
	}
	if (node >= 0 && comparison_at(p, &op))
		return fail(p, p->lexer.at.offset, "comparisons do not chain; join two with `and`");
	return node;
}

static int parse_part(struct parser *p)
{
	size_t offset = p->lexer.at.offset;
	int inner, node;

	if (!lex_is(&p->lexer, "not"))
		return parse_comparison(p);
	if (++p->depth > DEPTH_MAX)
		return fail(p, offset, "this expression is nested too deep");
	lex_next(&p->lexer);
	inner = parse_part(p);
	p->depth--;
	node = inner < 0 ? -1 : add(p, NODE_NOT, offset, VALUE_BOOL);
	if (node < 0)
		return -1;
	p->e->nodes[node].a = inner;
	return checked(p, node);
}

static int parse_condition(struct parser *p)
{
	bool both = false;
	int first, last, next, node;
	enum node_op op;

	if (++p->depth > DEPTH_MAX)
		return fail(p, p->lexer.at.offset, "this expression is nested too deep");
	first = last = parse_part(p);
	if (first < 0)
		return -1;
	op = lex_is(&p->lexer, "or") ? NODE_OR : NODE_AND;
	node = first;
	while (lex_is(&p->lexer, "and") || lex_is(&p->lexer, "or")) {
		size_t offset = p->lexer.at.offset;

		if (lex_is(&p->lexer, "or") != (op == NODE_OR))
			return fail(p, offset,
				"`and` and `or` stand side by side: put the part that belongs together in ( "
				")");
		lex_next(&p->lexer);
		next = parse_part(p);	/* the nodes may move */
		if (next < 0)
			return -1;
		p->e->nodes[last].next = next;
		last = next;
		both = true;
	}
	if (both) {
		node = add(p, op, p->e->nodes[first].offset, VALUE_BOOL);
		if (node < 0)
			return -1;
		p->e->nodes[node].a = first;
		node = checked(p, node);
	}
	p->depth--;
	return node;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void collect_uses(struct expression *e)
{
	int *symbols = arena_calloc(e->arena, e->count + 1, sizeof(*symbols));
	size_t n = 0;

	for (size_t i = 0; i < e->count; i++) {
		const struct node *node = &e->nodes[i];
		bool there = false;

		e->uses.time = e->uses.time || node_decays(e, node);
		if (node->symbol < 0)
			continue;
		for (size_t k = 0; k < n; k++)
			there = there || symbols[k] == node->symbol;
		if (!there)
			symbols[n++] = node->symbol;
	}
	for (size_t i = 0; i < e->call_count; i++)
		e->uses.time = e->uses.time || e->calls[i].within || e->calls[i].what == HISTORY_SINCE;
	e->uses.symbols = symbols;
	e->uses.symbol_count = n;
	e->uses.calls = e->calls;
	e->uses.call_count = e->call_count;
}

static int check_wanted(struct parser *p, int root, enum value_type want)
{
	const struct node *n = &p->e->nodes[root];
	struct err err;

	if (want == VALUE_NIL)
		return 0;
	if (want == VALUE_BOOL) {
		if (check_condition(p->e, root, &err) < 0)
			return fail(p, n->offset, "%s", err.text);
		return 0;
	}
	if (n->any || n->type == want || (node_is_number(n) && (want == VALUE_INT || want == VALUE_REAL)))
		return 0;
	return fail(p, n->offset, "a %s is wanted here, and this is a %s", value_type_name(want),
		value_type_name(n->type));
}

static int parse_whole(struct parser *p, const char *text, enum value_type want)
{
	size_t len = strlen(text);
	int root;

	if (len > TEXT_MAX)
		return fail(p, 0, "this expression is longer than %d bytes", TEXT_MAX);
	lex_init(&p->lexer, text, len, true);
	if (p->lexer.at.kind == LEX_END)
		return fail(p, 0, "an expression is wanted here, and there is nothing");
	root = parse_condition(p);
	if (root < 0)
		return -1;
	if (p->lexer.at.kind != LEX_END)
		return fail_here(p, "an operator or the end");
	p->e->root = root;
	return check_wanted(p, root, want);
}

struct expression *expression_compile(const struct vocabulary *v, const char *text, enum value_type want,
	unsigned flags, struct expression_error *error)
{
	struct expression *e = xcalloc(1, sizeof(*e));
	struct parser p = { .e = e, .flags = flags, .error = error };

	e->vocabulary = v;
	e->arena = arena_new(1024);
	if (parse_whole(&p, text, want) < 0)
		expression_free(&e);
	else
		collect_uses(e);
	return e;
}

void expression_free(struct expression **e)
{
	if (!*e)
		return;
	for (size_t i = 0; i < (*e)->count; i++)
		pattern_free(&(*e)->nodes[i].pattern);
	arena_free(&(*e)->arena);
	free((*e)->nodes);
	free((*e)->calls);
	free((*e)->call_names);
	free(*e);
	*e = NULL;
}

struct value expression_eval(const struct expression *e, const struct expression_env *env, int64_t *until_out)
{
	return evaluate_node(e, e->root, env, until_out);
}

bool expression_holds(const struct expression *e, const struct expression_env *env, int64_t *until_out)
{
	struct value v = evaluate_node(e, e->root, env, until_out);

	return v.type == VALUE_BOOL ? v.boolean : v.type != VALUE_NIL;
}

void expression_print(const struct expression *e, struct buf *out)
{
	print_node(e, e->root, out);
}

void expression_explain(const struct expression *e, const struct expression_env *env, struct buf *out)
{
	print_explanation(e, env, out);
}

const struct expression_uses *expression_uses(const struct expression *e)
{
	return &e->uses;
}
