/*
 * check.c: what only the whole plan can tell: what decides what, sequences and steps that need what is not there, and all
 * that the other check_*.c look for.
 */
#include <string.h>

#include "base/text.h"

#include "check.h"
#include "keys.h"
#include "topics.h"

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

/* --- sequences -------------------------------------------------------------------------------------------------- */

static const char *const *sequence_names(struct load *l, const struct sequence *but)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->sequence_count + 1, sizeof(*names));

	for (size_t i = 0, n = 0; i < plan->sequence_count; i++) {
		if (&plan->sequences[i] != but && *plan->sequences[i].name)
			names[n++] = plan->sequences[i].name;
	}
	return names;
}

static void check_beside(struct load *l, const struct sequence *s, const struct yaml_node *list)
{
	for (size_t i = 0; s->beside[i]; i++) {
		const struct yaml_node *item = list->items[i];
		const struct sequence *other = plan_sequence(l->plan, s->beside[i]);

		for (size_t k = 0; k < i; k++) {
			if (!strcmp(s->beside[k], s->beside[i]))
				complain(l, item, "`%s` is in `beside` twice", s->beside[i]);
		}
		if (other == s)
			complain(l, item, "no sequence runs beside itself; take `%s` out", s->name);
		else if (!other && *s->beside[i])
			complain(l, item, "there is no sequence `%s`%s", s->beside[i],
				keys_hint(l, s->beside[i], sequence_names(l, s)));
	}
}

/* What a step asks of sales.yaml. */
static void check_sales(struct load *l, const struct step *step, const struct step_node *node)
{
	if (step->kind == STEP_ALERT && !l->plan->sales.alert_count)
		complain(l, node->at, "nobody would hear this alert: there are no `alerts` in sales.yaml");
	if (step->as_owner && !l->plan->sales.owner_count)
		complain(l, yaml_get(node->map, "as"), "there are no `owners` in sales.yaml; name them there, or leave `as` away");
}

static void check_sequence(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes)
{
	if (nodes->beside && nodes->beside->kind == YAML_LIST)
		check_beside(l, s, nodes->beside);
	if (s->holdout > 0 && !nodes->goal)
		complain(l, nodes->holdout, "`holdout` compares who reaches the goal, and this sequence has none; give it a `goal`");
	/* a step that was not understood leads nowhere, which is not its author's fault twice */
	if (nodes->whole)
		check_ways(l, s, nodes);
	check_truth_of_steps(l, s, nodes);
	for (int i = 0; i < s->step_count; i++)
		check_sales(l, &s->steps[i], &nodes->steps[i]);
}

void check_plan(struct load *l)
{
	const struct plan *plan = l->plan;
	bool *said = arena_calloc(l->scratch, plan->mail_count + 1, sizeof(*said));

	for (size_t i = 0; i < plan->sequence_count; i++) {
		if (!plan->sequences[i].step_count)
			continue;
		check_sequence(l, &plan->sequences[i], &l->sequences[i]);
		check_mails(l, &plan->sequences[i], &l->sequences[i], said);
	}
	topics_check(l);
	for (size_t i = 0; i < l->pending_count; i++) {
		if (!*l->pending[i].out)
			continue;
		check_decisions(l, &l->pending[i]);
		if (l->mails_known)
			check_mails_named(l, l->pending[i].node, *l->pending[i].out);
	}
}
