/*
 * check.c: the types of an expression, checked once at load, so that evaluation need not fail. What is
 * refused here is what could never be meant: a comparison that is always false, a text where a condition is
 * wanted, a decaying number whose crossing nobody could compute.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "node.h"

struct described {
	char text[128];
};

/* `role is a text`, for messages. */
static const char *describe(const struct expression *e, int node, struct described *out)
{
	struct buf b = BUF_INIT;

	print_node(e, node, &b);
	snprintf(out->text, sizeof(out->text), "%.60s%s", buf_cstr(&b), b.len > 60 ? "..." : "");
	buf_clear(&b);
	return out->text;
}

static const char *article(const struct node *n)
{
	switch (n->type) {
	case VALUE_INT:
	case VALUE_REAL:
		return "a number";
	case VALUE_BOOL:
		return "yes or no";
	case VALUE_TEXT:
		return "a text";
	case VALUE_TIME:
		return "a time";
	case VALUE_DURATION:
		return "a duration";
	case VALUE_LIST:
		return "a list";
	case VALUE_OBJECT:
		return "an object";
	case VALUE_NIL:
	case VALUE_RANGE:
	case VALUE_SPECIAL:
		return "nothing";
	}
	return "nothing";
}

static bool is_nil(const struct node *n)
{
	return n->op == NODE_LITERAL && n->type == VALUE_NIL;
}

static bool alike(const struct node *a, const struct node *b)
{
	return a->any || b->any || is_nil(a) || is_nil(b) || a->type == b->type ||
	       (node_is_number(a) && node_is_number(b));
}

/* "2026-01-31" or RFC 3339 against a time: the literal becomes a time. */
static bool becomes_time(struct node *literal, const struct node *other)
{
	char text[40];
	int64_t us;

	if (literal->op != NODE_LITERAL || literal->type != VALUE_TEXT || other->type != VALUE_TIME ||
		other->any)
		return false;
	if (literal->literal.text.len > 30)
		return false;
	snprintf(text, sizeof(text), "%.*s%s", (int)literal->literal.text.len, literal->literal.text.data,
		literal->literal.text.len == 10 ? "T00:00:00Z" : "");
	if (text_time_parse(text, &us) < 0)
		return false;
	literal->literal = value_time(us);
	literal->type = VALUE_TIME;
	return true;
}

static const struct symbol *with_values(const struct expression *e, const struct node *n)
{
	const struct symbol *s;

	if (n->op != NODE_SYMBOL)
		return NULL;
	s = vocabulary_symbol(e->vocabulary, n->symbol);
	return s->values ? s : NULL;
}

static int one_of(const struct symbol *s, struct value v, struct err *err)
{
	char text[128];
	const char *near;

	if (v.type != VALUE_TEXT)
		return 0;
	for (size_t i = 0; s->values[i]; i++)
		if (slice_is(v.text, s->values[i]))
			return 0;
	snprintf(text, sizeof(text), "%.*s", (int)(v.text.len < 100 ? v.text.len : 100), v.text.data);
	near = text_nearest(text, s->values);
	if (near)
		return err_set(err, "%s is never \"%s\"; did you mean \"%s\"?", s->name, text, near);
	return err_set(err, "%s is never \"%s\"; it can be \"%s\"%s", s->name, text,
		s->values[0] ? s->values[0] : "", s->values[0] && s->values[1] ? " and others" : "");
}

static int check_values(const struct expression *e, const struct node *named, const struct node *other,
	size_t *at, struct err *err)
{
	const struct symbol *s = with_values(e, named);

	if (!s || other->op != NODE_LITERAL)
		return 0;
	*at = other->offset;
	if (other->type != VALUE_LIST)
		return one_of(s, other->literal, err);
	for (size_t i = 0; i < other->literal.list->count; i++) {
		*at = (size_t)other->items_at->items[i].integer;
		if (one_of(s, other->literal.list->items[i], err) < 0)
			return -1;
	}
	return 0;
}

/* A decaying number and since() move with time: only a plain comparison tells when. */
static int check_moving(const struct expression *e, int moving, const struct node *parent,
	const struct node *other, struct err *err)
{
	const struct node *m = &e->nodes[moving];
	struct described d;

	if (node_decays(e, m) && !(node_is_comparison(parent) && other->op == NODE_LITERAL
				&& (node_is_number(other) || is_nil(other))))
		return err_set(err, "%s falls with time by itself: compare it with a number, as in: %s >= 30",
			describe(e, moving, &d), describe(e, moving, &d));
	if (node_is_since(e, m) && !node_is_comparison(parent))
		return err_set(err, "%s grows with time: compare it with a duration, as in: %s > 14 days",
			describe(e, moving, &d), describe(e, moving, &d));
	return 0;
}

static int check_order(const struct expression *e, struct node *n, struct err *err)
{
	const struct node *a = &e->nodes[n->a], *b = &e->nodes[n->b];
	const struct symbol *left = with_values(e, a), *right = with_values(e, b);
	const struct node *typed = a->any || is_nil(a) ? b : a;
	struct described d;

	n->places = left ? left : right;
	if (n->places && n->places->unordered)
		return err_set(err, "%s has no order; ask for its values: %s in [\"%s\", \"%s\"]", n->places->name,
			n->places->name, n->places->values[0], n->places->values[1]);
	if (left && right && left != right)
		return err_set(err, "%s and %s have no order in common", left->name, right->name);
	if (n->places || typed->any)
		return 0;
	if (node_is_number(typed) || typed->type == VALUE_TIME || typed->type == VALUE_DURATION)
		return 0;
	return err_set(err, "%s is %s, which has no order; write == or != (or: in, contains, matches)",
		describe(e, typed == a ? n->a : n->b, &d), article(typed));
}

static int check_comparison(struct expression *e, struct node *n, size_t *at, struct err *err)
{
	struct node *a = &e->nodes[n->a], *b = &e->nodes[n->b];
	struct described da, db;
	const char *hint = "";

	if (!becomes_time(a, b))
		becomes_time(b, a);
	if (check_moving(e, n->a, n, b, err) < 0 || check_moving(e, n->b, n, a, err) < 0)
		return -1;
	if (check_values(e, a, b, at, err) < 0 || check_values(e, b, a, at, err) < 0)
		return -1;
	*at = n->offset;
	if (!alike(a, b)) {
		if (a->type == VALUE_DURATION && node_is_number(b))
			hint = "; a duration has a unit: 14 days";
		else if (a->type == VALUE_TIME && b->type == VALUE_TEXT)
			hint = "; a time is written \"2026-01-31\" or \"2026-01-31T08:00:00Z\"";
		else if (a->type == VALUE_LIST || b->type == VALUE_LIST)
			hint = "; for an item of a list write: contains";
		return err_set(err, "%s is %s and %s is %s: these cannot be compared%s",
			describe(e, n->a, &da), article(a), describe(e, n->b, &db), article(b), hint);
	}
	return n->op == NODE_EQ || n->op == NODE_NE ? 0 : check_order(e, n, err);
}

static int check_contains(const struct expression *e, const struct node *n, struct err *err)
{
	const struct node *a = &e->nodes[n->a], *b = &e->nodes[n->b];
	struct described d;

	if (!a->any && a->type != VALUE_TEXT && a->type != VALUE_LIST)
		return err_set(err, "%s is %s; `contains` looks into a text or a list", describe(e, n->a, &d),
			article(a));
	if (a->type == VALUE_TEXT && !a->any && !b->any && b->type != VALUE_TEXT)
		return err_set(err, "a text can contain a text, not %s", article(b));
	return 0;
}

static int check_in(const struct expression *e, const struct node *n, size_t *at, struct err *err)
{
	const struct node *a = &e->nodes[n->a], *b = &e->nodes[n->b];
	struct node item = { .op = NODE_LITERAL };
	struct described d;

	if (!b->any && b->type != VALUE_LIST)
		return err_set(err, "`in` wants a list, as in: country in [\"DE\", \"AT\"]%s",
			b->type == VALUE_TEXT ? " (for a part of a text: contains)" : "");
	if (check_values(e, a, b, at, err) < 0)
		return -1;
	*at = n->offset;
	for (size_t i = 0; b->op == NODE_LITERAL && i < b->literal.list->count; i++) {
		item.type = b->literal.list->items[i].type;
		*at = (size_t)b->items_at->items[i].integer;
		if (!alike(a, &item))
			return err_set(err, "%s is %s and never %s, as this list has it",
				describe(e, n->a, &d), article(a), article(&item));
	}
	return 0;
}

int check_condition(const struct expression *e, int node, struct err *err)
{
	const struct node *n = &e->nodes[node];
	struct described d;

	if (node_decays(e, n))
		return check_moving(e, node, n, n, err);
	if (n->any || n->type == VALUE_BOOL)
		return 0;
	return err_set(err, "%s is %s; a condition is wanted here, as in: %s %s ...", describe(e, node, &d),
		article(n), describe(e, node, &d), n->type == VALUE_LIST ? "contains" : "==");
}

int check_node(struct expression *e, int node, size_t *at_out, struct err *err)
{
	struct node *n = &e->nodes[node];
	struct described d;

	*at_out = n->offset;
	switch (n->op) {
	case NODE_EQ:
	case NODE_NE:
	case NODE_LT:
	case NODE_LE:
	case NODE_GT:
	case NODE_GE:
		return check_comparison(e, n, at_out, err);
	case NODE_CONTAINS:
	case NODE_IN:
		if (check_moving(e, n->a, n, n, err) < 0 || check_moving(e, n->b, n, n, err) < 0)
			return -1;
		return n->op == NODE_IN ? check_in(e, n, at_out, err) : check_contains(e, n, err);
	case NODE_MATCHES:
		if (!e->nodes[n->a].any && e->nodes[n->a].type != VALUE_TEXT)
			return err_set(err, "%s is %s; `matches` looks at a text", describe(e, n->a, &d),
				article(&e->nodes[n->a]));
		return 0;
	case NODE_NOT:
	case NODE_AND:
	case NODE_OR:
		for (int i = n->a; i >= 0; i = e->nodes[i].next) {
			*at_out = e->nodes[i].offset;
			if (check_condition(e, i, err) < 0)
				return -1;
		}
		return 0;
	case NODE_LITERAL:
	case NODE_SYMBOL:
	case NODE_PATH:
	case NODE_EVENT:
	case NODE_CALL:
		return 0;
	}
	return 0;
}
