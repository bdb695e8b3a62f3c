/*
 * rules.c: all rules of the plan in one array, and which of them a symbol or an event touches.
 *
 * A change of a symbol and a new event then cost what depends on them, not what there is.
 */
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct builder {
	struct load *load;
	struct rule *rules;
	size_t count, cap;
	struct touched {
		const char *event;	/* NULL: `symbol` */
		int symbol;
		int rule;
	} *touched;
	size_t touched_count, touched_cap;
};

static void add_rule(struct builder *b, struct rule rule)
{
	b->rules = xgrow(b->rules, &b->cap, b->count + 1, sizeof(*b->rules));
	b->rules[b->count++] = rule;
}

static void touch(struct builder *b, const char *event, int symbol, int rule)
{
	b->touched = xgrow(b->touched, &b->touched_cap, b->touched_count + 1, sizeof(*b->touched));
	b->touched[b->touched_count++] = (struct touched){ .event = event, .symbol = symbol, .rule = rule };
}

/* What it names touches the rule: symbols, and the events that its calls over history count. */
static void touch_by(struct builder *b, const struct expression *e, int rule)
{
	const struct expression_uses *uses = e ? expression_uses(e) : NULL;

	for (size_t i = 0; uses && i < uses->symbol_count; i++)
		touch(b, NULL, uses->symbols[i], rule);
	for (size_t i = 0; uses && i < uses->call_count; i++) {
		const struct history_call *call = &uses->calls[i];

		touch(b, call->event, 0, rule);
		if (call->machine)
			touch(b, arena_printf(b->load->arena, "%s_machine", call->event), 0, rule);
	}
}

static void add_sequence(struct builder *b, const struct sequence *s)
{
	add_rule(b, (struct rule){ .kind = RULE_ENTER, .index = s->index, .when = s->enter_when });
	if (s->goal)
		add_rule(b, (struct rule){ .kind = RULE_GOAL, .index = s->index, .when = s->goal });
	if (s->exit)
		add_rule(b, (struct rule){ .kind = RULE_EXIT, .index = s->index, .when = s->exit });
	for (int i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];

		if (step->kind == STEP_WAIT_FOR || (step->kind == STEP_WAIT_UNTIL && step->until.field >= 0))
			add_rule(b, (struct rule){ .kind = RULE_WAIT, .index = s->index, .step = i, .when = step->when });
		if (step->kind == STEP_TEST)
			add_rule(b, (struct rule){ .kind = RULE_TEST, .index = s->index, .step = i });
	}
}

static void add_all(struct builder *b, const struct plan *plan)
{
	for (size_t i = 0; i < plan->fit_count; i++)
		add_rule(b, (struct rule){ .kind = RULE_FIT, .index = (int)i, .when = plan->fit[i].when });
	for (size_t i = 0; i < plan->interest_count; i++)
		add_rule(b, (struct rule){ .kind = RULE_INTEREST, .index = (int)i, .when = plan->interest[i].when });
	for (size_t i = 0; i < plan->stage_count; i++)
		add_rule(b, (struct rule){ .kind = RULE_STAGE, .index = (int)i, .when = plan->stages[i].when,
			.until = plan->stages[i].until });
	for (size_t i = 0; i < plan->list_count; i++)
		add_rule(b, (struct rule){ .kind = RULE_LIST, .index = (int)i, .when = plan->lists[i].when });
	if (plan->sales.hot)
		add_rule(b, (struct rule){ .kind = RULE_HOT, .when = plan->sales.hot });
	for (size_t i = 0; i < plan->sequence_count; i++)
		add_sequence(b, &plan->sequences[i]);
}

/* That a goal decides is seen where goals are. */
static void touch_test(struct builder *b, const struct step *step, int rule)
{
	if (strcmp(step->by, "goal") != 0)
		touch(b, step->by, 0, rule);
}

/* Interest, entries and tests are asked when their event comes, and only then. */
static void touch_all(struct builder *b, const struct plan *plan)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct rule *rule = &b->rules[i];

		switch (rule->kind) {
		case RULE_INTEREST:
			touch(b, plan->interest[rule->index].on, 0, (int)i);
			break;
		case RULE_ENTER:
			/* by hand: no event at all */
			if (*plan->sequences[rule->index].enter_on)
				touch(b, plan->sequences[rule->index].enter_on, 0, (int)i);
			break;
		case RULE_TEST:
			touch_test(b, &plan->sequences[rule->index].steps[rule->step], (int)i);
			break;
		case RULE_WAIT:
			touch_by(b, rule->when, (int)i);
			if (!rule->when)	/* the field that a `wait_until` goes by */
				touch(b, NULL, plan->fields[plan->sequences[rule->index].steps[rule->step].until.field].symbol, (int)i);
			break;
		case RULE_FIT:
		case RULE_STAGE:
		case RULE_LIST:
		case RULE_HOT:
		case RULE_GOAL:
		case RULE_EXIT:
			touch_by(b, rule->when, (int)i);
			touch_by(b, rule->until, (int)i);
			break;
		}
	}
}

/* Symbols first, by index; then events, by name; within each by rule. */
static int by_what(const void *a, const void *b)
{
	const struct touched *x = a, *y = b;
	int order;

	if (!x->event != !y->event)
		return x->event ? 1 : -1;
	order = x->event ? strcmp(x->event, y->event) : (x->symbol > y->symbol) - (x->symbol < y->symbol);
	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool same_thing(const struct touched *a, const struct touched *b)
{
	if (!a->event != !b->event)
		return false;
	return a->event ? !strcmp(a->event, b->event) : a->symbol == b->symbol;
}

/* The rules of the run of one thing that begins at `i`, each once; *next is where the next thing begins. */
static struct rule_set take_set(struct builder *b, size_t i, size_t *next)
{
	size_t end = i, n = 0;
	int *rules;

	while (end < b->touched_count && same_thing(&b->touched[i], &b->touched[end]))
		end++;
	rules = arena_calloc(b->load->arena, end - i, sizeof(*rules));
	for (size_t k = i; k < end; k++) {
		if (!n || rules[n - 1] != b->touched[k].rule)
			rules[n++] = b->touched[k].rule;
	}
	*next = end;
	return (struct rule_set){ .rules = rules, .count = n };
}

static void build_sets(struct builder *b, struct plan *plan)
{
	struct arena *arena = b->load->arena;
	size_t symbols = vocabulary_count(plan->vocabulary);
	struct rule_set *by_symbol = arena_calloc(arena, symbols + 1, sizeof(*by_symbol));
	struct rule_set *by_event = arena_calloc(arena, b->touched_count + 1, sizeof(*by_event));
	const char **names = arena_calloc(arena, b->touched_count + 1, sizeof(*names));
	size_t i = 0;

	if (b->touched_count > 1)
		qsort(b->touched, b->touched_count, sizeof(*b->touched), by_what);
	while (i < b->touched_count) {
		const struct touched *t = &b->touched[i];
		struct rule_set set = take_set(b, i, &i);

		if (!t->event) {
			by_symbol[t->symbol] = set;
		} else {
			names[plan->event_count] = t->event;
			by_event[plan->event_count++] = set;
		}
	}
	plan->by_symbol = by_symbol;
	plan->by_event = by_event;
	plan->event_names = names;
}

void rules_build(struct load *l)
{
	struct builder b = { .load = l };
	struct rule *rules;

	add_all(&b, l->plan);
	rules = arena_calloc(l->arena, b.count + 1, sizeof(*rules));
	memcpy(rules, b.rules, b.count * sizeof(*rules));
	l->plan->rules = rules;
	l->plan->rule_count = b.count;
	touch_all(&b, l->plan);
	build_sets(&b, l->plan);
	free(b.rules);
	free(b.touched);
}
