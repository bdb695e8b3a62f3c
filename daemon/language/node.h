/*
 * node.h: a compiled expression from inside: a tree in one array, children before parents. Shared by the
 * files that parse, check, evaluate and print; nobody else looks in.
 */
#ifndef LANGUAGE_NODE_H
#define LANGUAGE_NODE_H

#include "base/mem.h"
#include "language/expression.h"

#include "pattern.h"

enum node_op {
	NODE_LITERAL,
	NODE_SYMBOL,
	NODE_PATH,	/* a key of an object symbol: lead.company */
	NODE_EVENT,
	NODE_CALL,
	NODE_NOT,	/* a */
	NODE_AND,	/* a and its siblings by `next` */
	NODE_OR,
	NODE_EQ,	/* a with b, and so on */
	NODE_NE,
	NODE_LT,
	NODE_LE,
	NODE_GT,
	NODE_GE,
	NODE_CONTAINS,
	NODE_IN,
	NODE_MATCHES,
};

struct node {
	enum node_op op;
	size_t offset;			/* in the text, for messages */
	bool any;			/* the type shows only when it is evaluated: event.x */
	enum value_type type;
	int a, b;			/* children */
	int next;			/* the next operand of the `and` or `or` above; -1 at the end */
	int symbol;			/* NODE_SYMBOL, NODE_PATH */
	int call;			/* NODE_CALL: index into the calls */
	struct slice name;		/* NODE_EVENT, NODE_PATH: what stands behind the first point */
	struct value literal;
	const struct value_list *items_at;	/* a list that is written out: the offset of each of its items */
	struct pattern *pattern;
	const struct symbol *places;	/* comparisons: the symbol whose `values` give the order */
};

struct expression {
	const struct vocabulary *vocabulary;
	struct arena *arena;		/* of texts, lists and the arrays of `uses` */
	struct node *nodes;
	size_t count, cap;
	int root;
	struct history_call *calls;
	struct slice *call_names;	/* the function of each call, for printing */
	size_t call_count, call_cap, name_cap;
	struct expression_uses uses;
};

static inline bool node_is_comparison(const struct node *n)
{
	return n->op >= NODE_EQ && n->op <= NODE_GE;
}

/* Has it a number that falls by itself? */
static inline bool node_decays(const struct expression *e, const struct node *n)
{
	return n->op == NODE_SYMBOL && vocabulary_symbol(e->vocabulary, n->symbol)->decays;
}

static inline bool node_is_since(const struct expression *e, const struct node *n)
{
	return n->op == NODE_CALL && e->calls[n->call].what == HISTORY_SINCE;
}

static inline bool node_is_number(const struct node *n)
{
	return n->type == VALUE_INT || n->type == VALUE_REAL;
}

/*
 * check.c: may these operands stand together? Completes the node. -1 with the reason and *at_out, its
 * offset.
 */
int check_node(struct expression *e, int node, size_t *at_out, struct err *err) MUSTCHECK;
/* Must `node` be a condition; can it be one? */
int check_condition(const struct expression *e, int node, struct err *err) MUSTCHECK;

/* evaluate.c: until_out as expression_eval(). */
struct value evaluate_node(
	const struct expression *e, int node, const struct expression_env *env, int64_t *until_out);

/* print.c */
void print_node(const struct expression *e, int node, struct buf *out);
void print_explanation(const struct expression *e, const struct expression_env *env, struct buf *out);

#endif
