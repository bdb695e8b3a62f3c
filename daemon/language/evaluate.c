/*
 * evaluate.c: the value of a compiled expression, and until when it holds.
 *
 * Each part answers with its value and with the first instant at which time alone could make it another. A
 * false `and` stays false as long as any of its parts does, so it waits for the last of its false parts,
 * and for none of the true ones; a true `or` likewise. Instants are always later than now, or a schedule
 * built on them would spin.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "node.h"

struct order {
	bool known;	/* false: the two cannot be compared, so every comparison but != is false */
	int sign;
};

static int64_t after(const struct expression_env *env, int64_t at)
{
	return at > env->now ? at : env->now + 1;
}

static int64_t sum(int64_t a, int64_t b)
{
	int64_t result;

	return __builtin_add_overflow(a, b, &result) ? TIME_NEVER : result;
}

static bool truth(struct value v)
{
	return v.type == VALUE_BOOL ? v.boolean : v.type != VALUE_NIL;
}

static bool is_number(struct value v)
{
	return v.type == VALUE_INT || v.type == VALUE_REAL;
}

static double as_real(struct value v)
{
	return v.type == VALUE_INT ? (double)v.integer : v.real;
}

/* Web forms send numbers as texts; only what an event carries can get here, the rest was checked at load. */
static bool text_is_number(struct value v, double *out)
{
	char copy[40];

	if (v.type != VALUE_TEXT || v.text.len >= sizeof(copy) || v.text.len == 0)
		return false;
	memcpy(copy, v.text.data, v.text.len);
	copy[v.text.len] = '\0';
	return text_double(copy, out) == 0;
}

static struct order order_reals(double a, double b)
{
	return (struct order){ true, (a > b) - (a < b) };
}

static struct order order_values(struct value a, struct value b);

static struct order order_integers(int64_t a, int64_t b)
{
	return (struct order){ true, (a > b) - (a < b) };
}

static struct order order_texts(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.data, b.data, n) : 0;

	if (!c)
		return order_integers((int64_t)a.len, (int64_t)b.len);
	return (struct order){ true, c };
}

/* No order, but equal or not. */
static struct order order_lists(const struct value_list *a, const struct value_list *b)
{
	bool equal = a->count == b->count;

	for (size_t i = 0; equal && i < a->count; i++) {
		struct order o = order_values(a->items[i], b->items[i]);

		equal = (o.known && o.sign == 0) || (a->items[i].type == VALUE_NIL && b->items[i].type == VALUE_NIL);
	}
	return (struct order){ true, equal ? 0 : 1 };
}

static struct order order_values(struct value a, struct value b)
{
	double x;

	if (a.type == VALUE_INT && b.type == VALUE_INT)
		return order_integers(a.integer, b.integer);
	if (is_number(a) && is_number(b))
		return order_reals(as_real(a), as_real(b));
	if (is_number(a) && text_is_number(b, &x))
		return order_reals(as_real(a), x);
	if (is_number(b) && text_is_number(a, &x))
		return order_reals(x, as_real(b));
	if (a.type != b.type)
		return (struct order){ false, 0 };
	if (a.type == VALUE_TEXT)
		return order_texts(a.text, b.text);
	if (a.type == VALUE_TIME || a.type == VALUE_DURATION)
		return order_integers(a.integer, b.integer);
	if (a.type == VALUE_BOOL)
		return order_integers(a.boolean, b.boolean);
	if (a.type == VALUE_LIST)
		return order_lists(a.list, b.list);
	return (struct order){ false, 0 };
}

static int64_t place_of(const struct symbol *s, struct value v)
{
	for (int64_t i = 0; v.type == VALUE_TEXT && s->values[i]; i++)
		if (slice_is(v.text, s->values[i]))
			return i;
	return -1;
}

static struct order order_places(const struct symbol *s, struct value a, struct value b)
{
	int64_t x = place_of(s, a), y = place_of(s, b);

	if (x < 0 || y < 0)
		return (struct order){ false, 0 };
	return order_integers(x, y);
}

static bool compare(enum node_op op, const struct symbol *places, struct value a, struct value b)
{
	bool nil_at_hand = a.type == VALUE_NIL || b.type == VALUE_NIL, both = a.type == b.type;
	struct order o;

	if (nil_at_hand)
		return op == NODE_EQ ? both : false;
	o = places ? order_places(places, a, b) : order_values(a, b);
	switch (op) {
	case NODE_EQ:
		return o.known && o.sign == 0;
	case NODE_NE:
		return !o.known || o.sign != 0;
	case NODE_LT:
		return o.known && o.sign < 0;
	case NODE_LE:
		return o.known && o.sign <= 0;
	case NODE_GT:
		return o.known && o.sign > 0;
	case NODE_GE:
		return o.known && o.sign >= 0;
	default:
		return false;
	}
}

/* --- until ---------------------------------------------------------------------------------------------- */

static enum node_op mirrored(enum node_op op)
{
	switch (op) {
	case NODE_LT:
		return NODE_GT;
	case NODE_LE:
		return NODE_GE;
	case NODE_GT:
		return NODE_LT;
	case NODE_GE:
		return NODE_LE;
	default:
		return op;
	}
}

static int64_t passes(const struct expression_env *env, int symbol, double threshold)
{
	int64_t at = env->falls(env->ctx, symbol, threshold);

	/* it passed there before, and does not come back */
	return at > env->now ? at : TIME_NEVER;
}

/*
 * A number that runs down by itself (or up, from below nothing) against a fixed one: it matters on its way to it, or, once
 * there, on its way past it. Which way it goes only `falls` knows, and answers never for the other.
 */
static int64_t until_passed(
	const struct expression_env *env, int symbol, struct value now, enum node_op op, struct value fixed)
{
	double threshold = as_real(fixed), value = as_real(now);
	int64_t down = TIME_NEVER, up = TIME_NEVER;

	if (!is_number(now) || !is_number(fixed) || !env->falls)
		return TIME_NEVER;
	if (value < threshold || value > threshold)
		return passes(env, symbol, threshold);
	if (op != NODE_GT && op != NODE_LE)	/* to them, below is as it is here */
		down = passes(env, symbol, threshold - 1e-9);
	if (op != NODE_GE && op != NODE_LT)
		up = passes(env, symbol, threshold + 1e-9);
	return down < up ? down : up;
}

/*
 * since(x) against a duration: the instant at which it reaches it, or the one behind where being equal
 * does not matter yet.
 */
static int64_t until_reached(
	const struct expression_env *env, struct value since, enum node_op op, struct value limit)
{
	int64_t reached;

	if (since.type != VALUE_DURATION || limit.type != VALUE_DURATION)
		return TIME_NEVER;
	reached = sum(env->now - since.integer, limit.integer);
	if (reached == TIME_NEVER)
		return reached;
	if (op == NODE_GT || op == NODE_LE)
		return reached >= env->now ? after(env, reached + 1) : TIME_NEVER;
	if (reached > env->now)
		return reached;
	return reached == env->now && (op == NODE_EQ || op == NODE_NE) ? env->now + 1 : TIME_NEVER;
}

/* A count in a window only falls by itself: if fewer could not change the answer, nothing will. */
static int64_t until_fewer(int64_t until, struct value count, enum node_op op, struct value fixed)
{
	if (count.type != VALUE_INT || !is_number(fixed))
		return until;
	if (op == NODE_EQ || op == NODE_NE)
		return as_real(count) >= as_real(fixed) && as_real(fixed) >= 0 ? until : TIME_NEVER;
	if (compare(op, NULL, count, fixed) == compare(op, NULL, value_int(0), fixed))
		return TIME_NEVER;
	return until;
}

/* A list with nothing in it is as good as none: tags == nil asks who has no tags. */
static struct value none_if_empty(struct value v)
{
	return v.type == VALUE_LIST && v.list->count == 0 ? value_nil : v;
}

static bool is_nil_literal(const struct node *n)
{
	return n->op == NODE_LITERAL && n->literal.type == VALUE_NIL;
}

static struct value evaluate_comparison(
	const struct expression *e, const struct node *n, const struct expression_env *env, int64_t *until)
{
	const struct node *na = &e->nodes[n->a], *nb = &e->nodes[n->b];
	int64_t ua = TIME_NEVER, ub = TIME_NEVER;
	struct value a = evaluate_node(e, n->a, env, until ? &ua : NULL);
	struct value b = evaluate_node(e, n->b, env, until ? &ub : NULL);

	if (until) {
		if (node_is_since(e, na) && !node_is_since(e, nb))
			ua = until_reached(env, a, n->op, b);
		else if (node_is_since(e, nb) && !node_is_since(e, na))
			ub = until_reached(env, b, mirrored(n->op), a);
		else if (node_decays(e, na))
			ua = until_passed(env, na->symbol, a, n->op, b);
		else if (node_decays(e, nb))
			ub = until_passed(env, nb->symbol, b, mirrored(n->op), a);
		else if (na->op == NODE_CALL && nb->op == NODE_LITERAL)
			ua = until_fewer(ua, a, n->op, b);
		else if (nb->op == NODE_CALL && na->op == NODE_LITERAL)
			ub = until_fewer(ub, b, mirrored(n->op), a);
		*until = ua < ub ? ua : ub;
	}
	if (is_nil_literal(na) || is_nil_literal(nb)) {
		a = none_if_empty(a);
		b = none_if_empty(b);
	}
	/* `x != nil` asks whether there is an x; what is compared with an x that is not there is false */
	if (n->op == NODE_NE && (is_nil_literal(na) || is_nil_literal(nb)))
		return value_bool(a.type != b.type);
	return value_bool(compare(n->op, n->places, a, b));
}

/* `deciding` is the value of one part that decides the whole: false for `and`, true for `or`. */
static struct value evaluate_logic(
	const struct expression *e, const struct node *n, const struct expression_env *env, int64_t *until)
{
	bool deciding = n->op == NODE_OR, decided = false;
	int64_t first = TIME_NEVER, last = 0, u = TIME_NEVER;

	for (int i = n->a; i >= 0; i = e->nodes[i].next) {
		bool part = truth(evaluate_node(e, i, env, until ? &u : NULL));

		if (part != deciding) {
			first = u < first ? u : first;
			continue;
		}
		decided = true;
		last = u > last ? u : last;
		if (!until || last == TIME_NEVER)
			break;
	}
	if (until)
		*until = decided ? last : first;
	return value_bool(decided ? deciding : !deciding);
}

/* --- the other parts ------------------------------------------------------------------------------------ */

static struct value evaluate_call(
	const struct expression *e, const struct node *n, const struct expression_env *env, int64_t *until)
{
	const struct history_call *call = &e->calls[n->call];
	struct history_answer answer = { 0 };

	if (env->history)
		answer = env->history(env->ctx, call);
	if (until && call->within && answer.count > 0 && call->what == HISTORY_HELD)
		*until = after(env, sum(answer.newest, call->within));
	if (until && call->within && answer.count > 0 && call->what == HISTORY_COUNT)
		*until = after(env, sum(answer.oldest, call->within));
	switch (call->what) {
	case HISTORY_HELD:
		return value_bool(answer.count > 0);
	case HISTORY_COUNT:
		return value_int(answer.count);
	case HISTORY_SINCE:
		return answer.count > 0 ? value_duration(env->now - answer.newest) : value_nil;
	}
	return value_nil;
}

static bool list_has(const struct value_list *l, struct value v)
{
	for (size_t i = 0; i < l->count; i++)
		if (compare(NODE_EQ, NULL, l->items[i], v))
			return true;
	return false;
}

static bool contains(struct value where, struct value what)
{
	if (where.type == VALUE_LIST)
		return list_has(where.list, what);
	if (where.type != VALUE_TEXT || what.type != VALUE_TEXT)
		return false;
	if (what.text.len == 0)
		return true;
	return where.text.len &&
	       memmem(where.text.data, where.text.len, what.text.data, what.text.len) != NULL;
}

static struct value evaluate_pair(
	const struct expression *e, const struct node *n, const struct expression_env *env, int64_t *until)
{
	int64_t ua = TIME_NEVER, ub = TIME_NEVER;
	struct value a = evaluate_node(e, n->a, env, until ? &ua : NULL);
	struct value b = evaluate_node(e, n->b, env, until ? &ub : NULL);

	if (until)
		*until = ua < ub ? ua : ub;
	if (n->op == NODE_CONTAINS)
		return value_bool(contains(a, b));
	return value_bool(b.type == VALUE_LIST && list_has(b.list, a));
}

static struct value path_of(struct value v, struct slice path)
{
	while (path.len) {
		const char *point = memchr(path.data, '.', path.len);
		size_t n = point ? (size_t)(point - path.data) : path.len;

		v = value_get(v, (struct slice){ path.data, n });
		path = (struct slice){ path.data + n + (point ? 1 : 0), path.len - n - (point ? 1 : 0) };
	}
	return v;
}

struct value evaluate_node(
	const struct expression *e, int node, const struct expression_env *env, int64_t *until)
{
	const struct node *n = &e->nodes[node];
	struct value v;

	if (until)
		*until = TIME_NEVER;
	switch (n->op) {
	case NODE_LITERAL:
		return n->literal;
	case NODE_SYMBOL:
		return env->symbol(env->ctx, n->symbol);
	case NODE_PATH:
		return path_of(env->symbol(env->ctx, n->symbol), n->name);
	case NODE_EVENT:
		return env->event ? env->event(env->ctx, n->name) : value_nil;
	case NODE_CALL:
		return evaluate_call(e, n, env, until);
	case NODE_NOT:
		return value_bool(!truth(evaluate_node(e, n->a, env, until)));
	case NODE_AND:
	case NODE_OR:
		return evaluate_logic(e, n, env, until);
	case NODE_EQ:
	case NODE_NE:
	case NODE_LT:
	case NODE_LE:
	case NODE_GT:
	case NODE_GE:
		return evaluate_comparison(e, n, env, until);
	case NODE_CONTAINS:
	case NODE_IN:
		return evaluate_pair(e, n, env, until);
	case NODE_MATCHES:
		v = evaluate_node(e, n->a, env, until);
		return value_bool(v.type == VALUE_TEXT && pattern_found(n->pattern, v.text));
	}
	return value_nil;
}
