/*
 * check_truth.c: conditions that cannot change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "check.h"

#define WORLDS_MAX 4096
#define UNKNOWNS_MAX 8

/*
 * An expression that names only what has few values (stage, list, intent, email_kind), or nothing at all, can be asked in every
 * world there is.
 */
struct worlds {
	const struct vocabulary *vocabulary;
	size_t count;
	struct unknown {
		int symbol;
		size_t values, at;	/* at == its number of values: empty */
	} unknowns[UNKNOWNS_MAX];
};

static struct value symbol_cb(void *ctx, int symbol)
{
	const struct worlds *w = ctx;

	for (size_t i = 0; i < w->count; i++) {
		const struct unknown *u = &w->unknowns[i];
		const struct symbol *s = vocabulary_symbol(w->vocabulary, symbol);

		if (u->symbol == symbol && u->at < u->values && s->values[u->at])
			return value_text(s->values[u->at]);
	}
	return value_nil;
}

static struct value event_cb(void *ctx, struct slice name)
{
	return value_nil;
}

static struct history_answer history_cb(void *ctx, const struct history_call *call)
{
	return (struct history_answer){ 0 };
}

static int64_t falls_cb(void *ctx, int symbol, double threshold)
{
	return TIME_NEVER;
}

static int worlds_init(struct worlds *w, const struct vocabulary *v, const struct expression_uses *uses)
{
	size_t product = 1;

	*w = (struct worlds){ .vocabulary = v };
	if (uses->call_count || uses->time || uses->symbol_count > UNKNOWNS_MAX)
		return -1;
	for (size_t i = 0; i < uses->symbol_count; i++) {
		const struct symbol *s = vocabulary_symbol(v, uses->symbols[i]);
		size_t n = 0;

		while (s->values && s->values[n])
			n++;
		n += s->may_be_empty;
		product *= n;
		if (!s->values || product == 0 || product > WORLDS_MAX)
			return -1;
		w->unknowns[w->count++] = (struct unknown){ .symbol = uses->symbols[i], .values = n };
	}
	return 0;
}

/* The next world; the value of `fixed` stays. False after the last. */
static bool worlds_next(struct worlds *w, int fixed)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->unknowns[i].symbol == fixed)
			continue;
		if (++w->unknowns[i].at < w->unknowns[i].values)
			return true;
		w->unknowns[i].at = 0;
	}
	return false;
}

enum truth check_truth_of(const struct plan *plan, const struct expression *e, int fixed, int value)
{
	struct worlds w;
	const struct expression_env env = {
		.ctx = &w, .symbol = symbol_cb, .event = event_cb, .history = history_cb, .falls = falls_cb,
	};
	bool held = false, failed = false;

	if (worlds_init(&w, plan->vocabulary, expression_uses(e)))
		return SOMETIMES;
	for (size_t i = 0; i < w.count; i++) {
		if (w.unknowns[i].symbol == fixed)
			w.unknowns[i].at = (size_t)value;
	}
	do {
		if (expression_holds(e, &env, NULL))
			held = true;
		else
			failed = true;
	} while (worlds_next(&w, fixed));
	return held && failed ? SOMETIMES : held ? ALWAYS : NEVER;
}

void check_truth(struct load *l, const struct expression *e, const struct yaml_node *node, const char *what, const char *always)
{
	enum truth truth = e && node ? check_truth_of(l->plan, e, -1, 0) : SOMETIMES;

	if (truth == NEVER)
		complain(l, node, "this %s can never hold; leave it away, or ask something else", what);
	else if (truth == ALWAYS && always)
		complain(l, node, "this %s always holds: %s; leave it away, or ask something else", what, always);
}

/* An exit that lets nobody stay whom the sequence is for. */
static void check_exit(struct load *l, const struct sequence *s, const struct yaml_node *node)
{
	if (!s->list || !s->exit || check_truth_of(l->plan, s->exit, -1, 0) != SOMETIMES)
		return;
	if (check_truth_of(l->plan, s->exit, l->plan->symbol_list, plan_list(l->plan, s->list)) == ALWAYS)
		complain(l, node,
			"this exit holds for everybody on the sequence's own list `%s`; `list != \"%s\"` was probably meant",
			s->list, s->list);
}

void check_truth_of_steps(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	static const char leave[] = "everybody would leave at once";

	check_truth(l, s->goal, nodes->goal, "goal", leave);
	check_truth(l, s->exit, nodes->exit, "exit", leave);
	check_exit(l, s, nodes->exit);
	for (int i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];

		if (step->kind == STEP_WAIT_FOR)
			check_truth(l, step->when, yaml_get(nodes->steps[i].map, "wait_for"), "`wait_for`", "nobody would wait");
		if (step->kind == STEP_IF)
			check_truth(l, step->when, yaml_get(nodes->steps[i].map, "if"), "`if`", "nobody would go the other way");
	}
}
