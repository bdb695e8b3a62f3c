/*
 * step_ways.c: where a sequence may go on from each of its steps; for checks, pictures and differences alike.
 */
#include <stdio.h>

#include "config/plan.h"

struct ways {
	struct step_way *to;
	size_t count;
};

static void add(struct ways *w, int to, const char *label, bool waits)
{
	struct step_way *way = &w->to[w->count++];

	*way = (struct step_way){ .to = to, .waits = waits };
	snprintf(way->label, sizeof(way->label), "%s", label);
}

static void add_shares(struct ways *w, const struct step *step)
{
	int sum = 0;

	for (size_t i = 0; i < step->branch_count; i++)
		sum += step->shares[i];
	for (size_t i = 0; i < step->branch_count; i++) {
		char label[24];

		snprintf(label, sizeof(label), "%.3g %%", 100.0 * step->shares[i] / sum);
		add(w, step->branches[i], label, false);
	}
}

static void add_until(struct ways *w, const struct step *step)
{
	bool once = step->until.field >= 0 || step->until.year;

	/* what comes once may be past already; what comes again is always still to come */
	add(w, step->next, "", !once);
	if (once && step->else_step != step->next)
		add(w, step->else_step, "otherwise", false);
}

size_t step_ways(const struct sequence *sequence, int index, struct step_way ways[STEP_WAYS_MAX])
{
	const struct step *step = &sequence->steps[index];
	struct ways w = { .to = ways };

	switch (step->kind) {
	case STEP_SEND:
	case STEP_SET:
	case STEP_TAG:
	case STEP_MOVE:
	case STEP_ALERT:
	case STEP_WEBHOOK:
		add(&w, step->next, "", false);
		break;
	case STEP_TEST:
		for (size_t i = 0; i < step->arm_count; i++)
			add(&w, step->next, step->arms[i].name, false);
		break;
	case STEP_WAIT:
		add(&w, step->next, "", true);
		break;
	case STEP_WAIT_UNTIL:
		add_until(&w, step);
		break;
	case STEP_WAIT_FOR:
		/* what it waits for may hold already; only giving up takes its time */
		add(&w, step->then_step, "in time", false);
		add(&w, step->else_step, "otherwise", true);
		break;
	case STEP_IF:
		add(&w, step->then_step, "then", false);
		add(&w, step->else_step, "else", false);
		break;
	case STEP_SPLIT:
		add_shares(&w, step);
		break;
	case STEP_GO:
		add(&w, step->then_step, "", false);
		break;
	case STEP_END:
	case STEP_KINDS:
		break;
	}
	return w.count;
}
