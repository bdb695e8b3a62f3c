/*
 * check.c: what only the whole plan can tell: steps that nothing leads to, loops that never wait, conditions that
 * never change, mails that cannot be stopped, mails that a condition names and nobody wrote.
 *
 * Only what is certain is refused; what may be meant is let pass.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "keys.h"
#include "load.h"
#include "mails.h"

/* --- the way through a sequence --------------------------------------------------------------------------------- */

static void reach(const struct sequence *s, int at, bool *reached)
{
	int *stack = xcalloc((size_t)s->step_count * STEP_WAYS_MAX + 1, sizeof(*stack)), depth = 0;
	struct step_way ways[STEP_WAYS_MAX];

	stack[depth++] = at;
	while (depth) {
		at = stack[--depth];
		if (at >= s->step_count || reached[at])
			continue;
		reached[at] = true;
		for (size_t n = step_ways(s, at, ways), i = 0; i < n; i++)
			stack[depth++] = ways[i].to;
	}
	free(stack);
}

static void check_reached(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	bool *reached = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*reached));

	reach(s, 0, reached);
	for (int i = 0; i < s->step_count; i++) {
		/* what follows it is not reached either; the first of a run says it all */
		if (!reached[i] && (i == 0 || reached[i - 1]))
			complain(l, nodes->steps[i].at,
				"nothing leads to step `%s`; name it in a `go`, `then`, `else` or "
				"`otherwise`, or take it out",
				s->steps[i].name);
	}
}

/* Is `goal` reached from `at` without any wait? Each step is visited once. */
static bool reaches_unwaited(const struct sequence *s, int at, int goal, bool *seen)
{
	int *stack = xcalloc((size_t)s->step_count * STEP_WAYS_MAX + 1, sizeof(*stack)), depth = 0;
	struct step_way ways[STEP_WAYS_MAX];
	bool found = false;

	stack[depth++] = at;
	while (depth && !found) {
		at = stack[--depth];
		if (at >= s->step_count || seen[at])
			continue;
		seen[at] = true;
		for (size_t n = step_ways(s, at, ways), i = 0; i < n; i++) {
			if (ways[i].waits)
				continue;
			found = found || ways[i].to == goal;
			stack[depth++] = ways[i].to;
		}
	}
	free(stack);
	return found;
}

static void check_loops(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	bool *seen = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*seen));

	for (int i = 0; i < s->step_count; i++) {
		memset(seen, 0, (size_t)s->step_count * sizeof(*seen));
		if (reaches_unwaited(s, i, i, seen)) {
			complain(l, nodes->steps[i].at,
				"step `%s` comes back to itself without a `wait` on the way; put one into "
				"the loop",
				s->steps[i].name);
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

/* --- conditions that cannot change ------------------------------------------------------------------------------ */

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

enum truth { SOMETIMES, ALWAYS, NEVER };

/* Where the symbol `fixed` has its value number `value`; -1: where everything may be anything. */
static enum truth truth_of(const struct plan *plan, const struct expression *e, int fixed, int value)
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

/* `always`: what follows if it does; NULL: then it may. */
static void check_truth(struct load *l, const struct expression *e, const struct yaml_node *node, const char *what,
	const char *always)
{
	enum truth truth = e && node ? truth_of(l->plan, e, -1, 0) : SOMETIMES;

	if (truth == NEVER)
		complain(l, node, "this %s can never hold; leave it away, or ask something else", what);
	else if (truth == ALWAYS && always)
		complain(l, node, "this %s always holds: %s; leave it away, or ask something else", what, always);
}

static void check_conditions(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	static const char leave[] = "everybody would leave at once";

	check_truth(l, s->goal, nodes->goal, "goal", leave);
	check_truth(l, s->exit, nodes->exit, "exit", leave);
	for (int i = 0; i < s->step_count; i++) {
		if (s->steps[i].kind == STEP_WAIT_FOR)
			check_truth(l, s->steps[i].when, yaml_get(nodes->steps[i].map, "wait_for"), "`wait_for`",
				"nobody would wait");
	}
	if (!s->list || !s->exit || truth_of(l->plan, s->exit, -1, 0) != SOMETIMES)
		return;
	if (truth_of(l->plan, s->exit, l->plan->symbol_list, plan_list(l->plan, s->list)) == ALWAYS)
		complain(l, nodes->exit,
			"this exit holds for everybody on the sequence's own list `%s`; `list != \"%s\"` was probably meant",
			s->list, s->list);
}

/* --- what decides what ------------------------------------------------------------------------------------------ */

/* The symbol as a word in the text, outside quotes; 0 if it is not found. */
static size_t offset_of(const char *text, const char *word)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	char quote = 0;

	for (const char *at = text; *at; at++) {
		if (quote || *at == '"' || *at == '\'') {
			quote = quote ? (*at == quote ? 0 : quote) : *at;
			continue;
		}
		if (text_starts_with(at, word) && !strchr(name, at[strlen(word)] ? at[strlen(word)] : ' ') &&
			(at == text || !strchr(name, at[-1])))
			return (size_t)(at - text);
	}
	return 0;
}

/*
 * Points come first, then the stage, then the list: what comes later cannot be asked before it is known, or each would wait
 * for the other. Interest is counted as its event comes, before anything else.
 */
static void check_order(struct load *l, const struct pending *p)
{
	const struct plan *plan = l->plan;
	const struct expression_uses *uses = expression_uses(*p->out);
	const int later[] = { plan->symbol_interest, plan->symbol_score, plan->symbol_grade, plan->symbol_fit, plan->symbol_stage,
		plan->symbol_list };
	size_t from = p->decides == DECIDES_INTEREST ? 0 : p->decides == DECIDES_FIT ? 1 : p->decides == DECIDES_STAGE ? 4 : 5;

	for (size_t i = 0; i < uses->symbol_count; i++) {
		for (size_t k = from; k < sizeof(later) / sizeof(*later); k++) {
			const char *name = vocabulary_symbol(plan->vocabulary, uses->symbols[i])->name;

			if (uses->symbols[i] == later[k])
				complain_inside(l, p->node, offset_of(p->node->text, name),
					"`%s` is not known yet here: %s", name, p->decides == DECIDES_INTEREST
						? "interest is counted first, as the event comes"
						: "fit is reckoned first, then the stage, then the list");
		}
	}
}

static void check_decisions(struct load *l, const struct pending *p)
{
	switch (p->decides) {
	case DECIDES_NOTHING:
		return;
	case DECIDES_INTEREST:
	case DECIDES_FIT:
		break;
	case DECIDES_STAGE:
		check_truth(l, *p->out, p->node, "condition", NULL);
		break;
	case DECIDES_LIST:
		check_truth(l, *p->out, p->node, "condition", "nobody would be left for the lists below");
		break;
	}
	check_order(l, p);
}

/* --- mails ------------------------------------------------------------------------------------------------------ */

static bool is_mail_event(const char *event)
{
	return !strcmp(event, "click") || !strcmp(event, "open") || !strcmp(event, "sent");
}

/* clicked("three-mistake"): the literal is found in the text again to say where it stands. */
static void check_calls(struct load *l, const struct yaml_node *node, const struct expression *e)
{
	const struct expression_uses *uses = expression_uses(e);

	for (size_t i = 0; i < uses->call_count; i++) {
		const struct history_call *call = &uses->calls[i];
		const char *at;

		if (!call->subject || call->glob || !is_mail_event(call->event) ||
			plan_mail(l->plan, call->subject))
			continue;
		at = strstr(node->text, call->subject);
		complain_inside(l, node, at ? (size_t)(at - node->text) : 0,
			"there is no mail `%s` in templates/emails/%s", call->subject,
			keys_hint(l, call->subject, mails_names(l)));
	}
}

/*
 * Every mail of a sequence must say how to stop it; that which asks for consent is stopped by not answering. `said`
 * is by mail: one complaint each, where it is sent first.
 */
static void check_unsubscribe(
	struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, bool *said)
{
	int link = vocabulary_find(l->plan->mail_names, slice_of("unsubscribe_url"));

	for (int i = 0; i < s->step_count; i++) {
		const struct mail_template *mail = s->steps[i].kind == STEP_SEND ? s->steps[i].mail : NULL;

		if (!mail || !mail->html || !mail->text || !strcmp(mail->name, "confirm") ||
			said[mail - l->plan->mails])
			continue;
		said[mail - l->plan->mails] = true;
		if (!template_uses(mail->html, link))
			complain(l, nodes->steps[i].at,
				"the mail `%s` has no link to unsubscribe; put {{ unsubscribe_url }} into it "
				"or its layout",
				mail->name);
		else if (!template_uses(mail->text, link))
			complain(l, nodes->steps[i].at,
				"the text part of the mail `%s` has no link to unsubscribe; put {{ "
				"unsubscribe_url }} into "
				"%s.txt.liquid",
				mail->name, mail->name);
	}
}

void check_plan(struct load *l)
{
	const struct plan *plan = l->plan;
	bool *said = arena_calloc(l->scratch, plan->mail_count + 1, sizeof(*said));

	for (size_t i = 0; i < plan->sequence_count; i++) {
		const struct sequence *s = &plan->sequences[i];
		const struct sequence_nodes *nodes = &l->sequences[i];

		if (!s->step_count)
			continue;
		/* a step that was not understood leads nowhere, which is not its author's fault twice */
		if (nodes->whole && check_go(l, s, nodes)) {
			check_reached(l, s, nodes);
			check_loops(l, s, nodes);
		}
		check_conditions(l, s, nodes);
		check_unsubscribe(l, s, nodes, said);
	}
	for (size_t i = 0; i < l->pending_count; i++) {
		if (!*l->pending[i].out)
			continue;
		check_decisions(l, &l->pending[i]);
		if (l->mails_known)
			check_calls(l, l->pending[i].node, *l->pending[i].out);
	}
}
