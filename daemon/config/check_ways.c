/*
 * check_ways.c: the ways through a sequence: steps that nothing leads to, loops that never wait, answers to no mail, and
 * moves that the sequence does not survive.
 */
#include <string.h>

#include "check.h"

/* The ways of all steps, written out once: those of step i are edges[first[i]] to edges[first[i + 1] - 1]. */
struct graph {
	const struct sequence *s;
	int *first;
	struct edge {
		int to;
		bool waits;
	} *edges;
};

static void graph_init(struct graph *g, struct arena *arena, const struct sequence *s)
{
	struct step_way ways[STEP_WAYS_MAX];
	int count = 0;

	*g = (struct graph){ .s = s, .first = arena_calloc(arena, (size_t)s->step_count + 1, sizeof(*g->first)) };
	for (int i = 0; i < s->step_count; i++)
		count += (int)step_ways(s, i, ways);
	g->edges = arena_calloc(arena, (size_t)count + 1, sizeof(*g->edges));
	count = 0;
	for (int i = 0; i < s->step_count; i++) {
		size_t n = step_ways(s, i, ways);

		g->first[i] = count;
		for (size_t k = 0; k < n; k++)
			g->edges[count++] = (struct edge){ ways[k].to, ways[k].waits };
	}
	g->first[s->step_count] = count;
}

/*
 * Marks the steps that are reached from `from`, itself only if a way comes back. `follows` says whether a way is taken on;
 * `stack` has room for all steps.
 */
static void walk(const struct graph *g, int from, bool (*follows)(const struct step *from, const struct edge *way), bool *seen, int *stack)
{
	int depth = 0;

	stack[depth++] = from;
	while (depth) {
		int at = stack[--depth];

		for (int i = g->first[at]; i < g->first[at + 1]; i++) {
			const struct edge *way = &g->edges[i];

			if (way->to >= g->s->step_count || seen[way->to] || !follows(&g->s->steps[at], way))
				continue;
			seen[way->to] = true;
			stack[depth++] = way->to;
		}
	}
}

static bool every_way(const struct step *from, const struct edge *way)
{
	return true;
}

static bool without_wait(const struct step *from, const struct edge *way)
{
	return !way->waits;
}

static bool mails(const struct step *step)
{
	return step->kind == STEP_SEND || step->kind == STEP_TEST;
}

static bool rests(const struct step *step)
{
	return mails(step) || step->kind == STEP_WAIT || step->kind == STEP_WAIT_UNTIL || step->kind == STEP_WAIT_FOR;
}

/* Behind a move: what is done at once, up to the next one. */
static bool at_once(const struct step *from, const struct edge *way)
{
	return !rests(from);
}

/* --- where they lead -------------------------------------------------------------------------------------------- */

static void check_reached(struct load *l, const struct graph *g, const struct sequence_nodes *nodes, bool *seen, int *stack)
{
	const struct sequence *s = g->s;

	walk(g, 0, every_way, seen, stack);
	seen[0] = true;
	for (int i = 1; i < s->step_count; i++) {
		/* what follows it is not reached either; the first of a run says it all */
		if (!seen[i] && seen[i - 1])
			complain(l, nodes->steps[i].at,
				"nothing leads to step `%s`; name it in a `go`, `then`, `else`, `otherwise` or `split`, or take it out",
				s->steps[i].name);
	}
}

static void check_loops(struct load *l, const struct graph *g, const struct sequence_nodes *nodes, bool *seen, int *stack)
{
	for (int i = 0; i < g->s->step_count; i++) {
		memset(seen, 0, (size_t)g->s->step_count * sizeof(*seen));
		walk(g, i, without_wait, seen, stack);
		if (seen[i]) {
			complain(l, nodes->steps[i].at,
				"step `%s` comes back to itself without a `wait` on the way; put one into the loop",
				g->s->steps[i].name);
			return;
		}
	}
}

/* False if there is one; it is a loop too, but this says it better. */
static bool check_go(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	for (int i = 0; i < s->step_count; i++) {
		if (s->steps[i].kind == STEP_GO && s->steps[i].then_step == i) {
			complain(l, nodes->steps[i].at, "this `go` leads to itself; name another step");
			return false;
		}
	}
	return true;
}

/* --- what must have been before --------------------------------------------------------------------------------- */

static void check_threads(struct load *l, const struct graph *g, const struct sequence_nodes *nodes, bool *seen, int *stack)
{
	const struct sequence *s = g->s;

	memset(seen, 0, (size_t)s->step_count * sizeof(*seen));
	for (int i = 0; i < s->step_count; i++) {
		if (mails(&s->steps[i]))
			walk(g, i, every_way, seen, stack);
	}
	for (int i = 0; i < s->step_count; i++) {
		if (s->steps[i].same_thread && !seen[i])
			complain(l, yaml_get(nodes->steps[i].map, "thread"),
				"there is no mail before step `%s` that it could answer; leave `thread` away", s->steps[i].name);
	}
}

/* Whoever is moved off the list that the sequence is for, or onto one that its exit names, leaves it. */
static bool ends_by(const struct plan *plan, const struct sequence *s, const struct step *move)
{
	if (s->list && strcmp(s->list, move->list) != 0)
		return true;
	return s->exit && check_truth_of(plan, s->exit, plan->symbol_list, plan_list(plan, move->list)) == ALWAYS;
}

static void check_moves(struct load *l, const struct graph *g, const struct sequence_nodes *nodes, bool *seen, int *stack)
{
	const struct sequence *s = g->s;

	for (int i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];

		if (step->kind != STEP_MOVE || !ends_by(l->plan, s, step))
			continue;
		memset(seen, 0, (size_t)s->step_count * sizeof(*seen));
		walk(g, i, at_once, seen, stack);
		for (int k = 0; k < s->step_count; k++) {
			if (!seen[k] || !rests(&s->steps[k]))
				continue;
			complain(l, nodes->steps[i].at,
				"whoever is moved to `%s` leaves this sequence, and never comes to step `%s`; leave its `%s` away, or "
				"let an `end` follow",
				step->list, s->steps[k].name, s->list && strcmp(s->list, step->list) != 0 ? "list" : "exit");
			break;
		}
	}
}

void check_ways(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	bool *seen = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*seen));
	int *stack = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*stack));
	struct graph g;

	if (!check_go(l, s, nodes))
		return;
	graph_init(&g, l->scratch, s);
	check_reached(l, &g, nodes, seen, stack);
	check_loops(l, &g, nodes, seen, stack);
	check_threads(l, &g, nodes, seen, stack);
	check_moves(l, &g, nodes, seen, stack);
}
