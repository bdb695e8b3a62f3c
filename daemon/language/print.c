/*
 * print.c: a compiled expression as text again, and as an explanation with the value of each part.
 */
#include <math.h>

#include "base/clock.h"
#include "base/text.h"

#include "node.h"

static const char *const words[] = {
	[NODE_AND] = " and ",
	[NODE_OR] = " or ",
	[NODE_EQ] = " == ",
	[NODE_NE] = " != ",
	[NODE_LT] = " < ",
	[NODE_LE] = " <= ",
	[NODE_GT] = " > ",
	[NODE_GE] = " >= ",
	[NODE_CONTAINS] = " contains ",
	[NODE_IN] = " in ",
	[NODE_MATCHES] = " matches ",
};

static bool is_operand(const struct node *n)
{
	return n->op <= NODE_CALL;
}

static void print_operand(const struct expression *e, int node, struct buf *out)
{
	if (is_operand(&e->nodes[node])) {
		print_node(e, node, out);
		return;
	}
	buf_char(out, '(');
	print_node(e, node, out);
	buf_char(out, ')');
}

static void print_call(const struct expression *e, const struct node *n, struct buf *out)
{
	const struct history_call *c = &e->calls[n->call];
	struct slice f = e->call_names[n->call];
	bool named = slice_is(f, "did") || slice_is(f, "times") || slice_is(f, "since");
	const char *first = named ? c->event : c->subject;

	buf_add(out, f.data, f.len);
	buf_char(out, '(');
	if (first)
		value_to_source(out, value_text(first));
	if (c->within) {
		buf_str(out, first ? ", " : "");
		text_duration_print(out, c->within);
	}
	buf_char(out, ')');
}

static void print_logic(const struct expression *e, const struct node *n, struct buf *out)
{
	for (int i = n->a; i >= 0; i = e->nodes[i].next) {
		bool nested = e->nodes[i].op == NODE_AND || e->nodes[i].op == NODE_OR;

		if (i != n->a)
			buf_str(out, words[n->op]);
		if (nested)
			print_operand(e, i, out);
		else
			print_node(e, i, out);
	}
}

void print_node(const struct expression *e, int node, struct buf *out)
{
	const struct node *n = &e->nodes[node];

	switch (n->op) {
	case NODE_LITERAL:
		if (n->type == VALUE_TIME)
			buf_char(out, '"');
		value_to_source(out, n->literal);
		if (n->type == VALUE_TIME)
			buf_char(out, '"');
		return;
	case NODE_SYMBOL:
		buf_str(out, vocabulary_symbol(e->vocabulary, n->symbol)->name);
		return;
	case NODE_PATH:
		buf_printf(out, "%s.%.*s", vocabulary_symbol(e->vocabulary, n->symbol)->name,
			(int)n->name.len, n->name.data);
		return;
	case NODE_EVENT:
		buf_printf(out, "event.%.*s", (int)n->name.len, n->name.data);
		return;
	case NODE_CALL:
		print_call(e, n, out);
		return;
	case NODE_NOT:
		buf_str(out, "not ");
		print_operand(e, n->a, out);
		return;
	case NODE_AND:
	case NODE_OR:
		print_logic(e, n, out);
		return;
	case NODE_MATCHES:
		print_operand(e, n->a, out);
		buf_printf(out, " matches /%.*s/", (int)n->literal.text.len, n->literal.text.data);
		buf_add(out, n->name.data, n->name.len);
		return;
	case NODE_EQ:
	case NODE_NE:
	case NODE_LT:
	case NODE_LE:
	case NODE_GT:
	case NODE_GE:
	case NODE_CONTAINS:
	case NODE_IN:
		print_operand(e, n->a, out);
		buf_str(out, words[n->op]);
		print_operand(e, n->b, out);
		return;
	}
}

static void explain(
	const struct expression *e, int node, const struct expression_env *env, int depth, struct buf *out)
{
	const struct node *n = &e->nodes[node];
	int64_t until;
	struct value v;

	if (n->op == NODE_LITERAL)
		return;
	v = evaluate_node(e, node, env, &until);
	if (v.type == VALUE_REAL)	/* people read it: a score that decays has a dozen digits that say nothing */
		v.real = round(v.real * 100) / 100;
	for (int i = 0; i < depth; i++)
		buf_str(out, "  ");
	print_node(e, node, out);
	buf_str(out, ": ");
	if (v.type == VALUE_BOOL)
		buf_str(out, v.boolean ? "yes" : "no");
	else if (v.type == VALUE_NIL)
		buf_str(out, "nothing");
	else
		value_to_source(out, v);
	if (until != TIME_NEVER) {
		buf_str(out, " (at the earliest another at ");
		text_time(out, until);
		buf_char(out, ')');
	}
	buf_char(out, '\n');
	if (n->op == NODE_AND || n->op == NODE_OR) {
		for (int i = n->a; i >= 0; i = e->nodes[i].next)
			explain(e, i, env, depth + 1, out);
	} else if (n->op == NODE_NOT || n->op == NODE_MATCHES) {
		explain(e, n->a, env, depth + 1, out);
	} else if (!is_operand(n)) {
		explain(e, n->a, env, depth + 1, out);
		explain(e, n->b, env, depth + 1, out);
	}
}

void print_explanation(const struct expression *e, const struct expression_env *env, struct buf *out)
{
	explain(e, e->root, env, 0, out);
}
