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

/* The steps that may follow a step; -1 for none. `waits`: whether time passes for certain on the way there. */
struct ways {
	int to[2];
	bool waits[2];
};

static struct ways ways_from(const struct step *step)
{
	struct ways w = { .to = { -1, -1 } };

	switch (step->kind) {
	case STEP_SEND:
	case STEP_SET:
		w.to[0] = step->next;
		break;
	case STEP_WAIT:
		w.to[0] = step->next;
		w.waits[0] = true;
		break;
	case STEP_WAIT_FOR:
		/* what it waits for may hold already; only giving up takes its time */
		w.to[0] = step->then_step;
		w.to[1] = step->else_step;
		w.waits[1] = step->else_step != step->then_step;
		break;
	case STEP_IF:
		w.to[0] = step->then_step;
		w.to[1] = step->else_step;
		break;
	case STEP_GO:
		w.to[0] = step->then_step;
		break;
	case STEP_END:
		break;
	}
	return w;
}

static void reach(const struct sequence *s, int at, bool *reached)
{
	int *stack = xcalloc((size_t)s->step_count * 2 + 2, sizeof(*stack)), depth = 0;

	stack[depth++] = at;
	while (depth) {
		at = stack[--depth];
		if (at < 0 || at >= s->step_count || reached[at])
			continue;
		reached[at] = true;
		struct ways w = ways_from(&s->steps[at]);

		stack[depth++] = w.to[0];
		stack[depth++] = w.to[1];
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
			complain(l, nodes->steps[i],
				"nothing leads to step `%s`; name it in a `go`, `then`, `else` or "
				"`otherwise`, or take it out",
				s->steps[i].name);
	}
}

/* Is `goal` reached from `at` without any wait? Each step is visited once. */
static bool reaches_unwaited(const struct sequence *s, int at, int goal, bool *seen)
{
	int *stack = xcalloc((size_t)s->step_count * 2 + 2, sizeof(*stack)), depth = 0;
	bool found = false;

	stack[depth++] = at;
	while (depth && !found) {
		at = stack[--depth];
		if (at < 0 || at >= s->step_count || seen[at])
			continue;
		seen[at] = true;
		struct ways w = ways_from(&s->steps[at]);

		for (int i = 0; i < 2; i++) {
			if (w.to[i] < 0 || w.waits[i])
				continue;
			found = found || w.to[i] == goal;
			stack[depth++] = w.to[i];
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
			complain(l, nodes->steps[i],
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
			complain(l, nodes->steps[i], "this `go` leads to itself; name another step");
			return false;
		}
	}
	return true;
}

/* --- conditions that cannot change ------------------------------------------------------------------------------ */

static struct value nothing(void *ctx, int symbol)
{
	return value_nil;
}

static struct value no_event(void *ctx, struct slice name)
{
	return value_nil;
}

static struct history_answer no_history(void *ctx, const struct history_call *call)
{
	return (struct history_answer){ 0 };
}

static int64_t never(void *ctx, int symbol, double threshold)
{
	return TIME_NEVER;
}

/* It names nothing, so it has one value for ever. */
static bool is_constant(const struct expression *e, bool *value)
{
	const struct expression_uses *uses = expression_uses(e);
	const struct expression_env env = {
		.symbol = nothing, .event = no_event, .history = no_history, .falls = never
	};

	if (uses->symbol_count || uses->call_count || uses->time)
		return false;
	*value = expression_holds(e, &env, NULL);
	return true;
}

static void check_constant(struct load *l, const struct expression *e, const struct yaml_node *node,
	const char *what, const char *always)
{
	bool value;

	if (!e || !node || !is_constant(e, &value))
		return;
	if (value)
		complain(l, node, "this %s always holds: %s; leave it away, or name something in it", what,
			always);
	else
		complain(l, node, "this %s can never hold; leave it away, or name something in it", what);
}

/* Are two expressions the same but for how they are written? */
static bool is_like(struct load *l, const struct expression *e, const char *text)
{
	struct expression_error error;
	struct expression *other = expression_compile(l->plan->vocabulary, text, VALUE_BOOL, 0, &error);
	struct buf a = BUF_INIT, b = BUF_INIT;
	bool like = false;

	if (other) {
		expression_print(e, &a);
		expression_print(other, &b);
		like = !strcmp(buf_cstr(&a), buf_cstr(&b));
	}
	buf_clear(&a);
	buf_clear(&b);
	expression_free(&other);
	return like;
}

static void check_conditions(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	check_constant(l, s->goal, nodes->goal, "goal", "everybody would leave at once");
	check_constant(l, s->exit, nodes->exit, "exit", "everybody would leave at once");
	for (int i = 0; i < s->step_count; i++) {
		if (s->steps[i].kind == STEP_WAIT_FOR)
			check_constant(
				l, s->steps[i].when, nodes->whens[i], "`wait_for`", "nobody would wait");
	}
	if (!s->list || !s->exit)
		return;
	if (is_like(l, s->exit, arena_printf(l->scratch, "list == \"%s\"", s->list)))
		complain(l, nodes->exit,
			"this exit holds for everybody who is in the sequence: `list` is the sequence's own; "
			"`list != \"%s\"` was probably meant",
			s->list);
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
			complain(l, nodes->steps[i],
				"the mail `%s` has no link to unsubscribe; put {{ unsubscribe_url }} into it "
				"or its layout",
				mail->name);
		else if (!template_uses(mail->text, link))
			complain(l, nodes->steps[i],
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
	for (size_t i = 0; l->mails_known && i < l->pending_count; i++) {
		if (*l->pending[i].out)
			check_calls(l, l->pending[i].node, *l->pending[i].out);
	}
}
