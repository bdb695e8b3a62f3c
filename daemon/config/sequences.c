/*
 * sequences.c: sequences/NAME.yaml: who enters, what they are sent and when, and what ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "nurture.h"
#include "sequences.h"
#include "steps.h"
#include "topics.h"

#define BESIDE_MAX 100
#define GONE_MAX 1000

static const char *const mode_choices[] = { "programme", "one-to-one", NULL };
static const char *const change_choices[] = { "move", "finish", "restart", NULL };

/* --- tables ----------------------------------------------------------------------------------------------------- */

struct enter_keys {
	const struct yaml_node *on, *when;
};

static const struct key enter_keys[] = {
	{ ROW(KEY_NODE, enter_keys, on), .required = true,
		.help = "the event that lets people in: signup, list_changed, stage_changed, or any other" },
	{ ROW(KEY_EXPRESSION, enter_keys, when), .fallback_help = "always",
		.help = "only if; `event.x` is what the event carries" },
	NO_KEY,
};
static const struct key_table enter_table = { "`enter`", "Who gets in.", enter_keys };

struct sequence_keys {
	const struct yaml_node *root;
	const struct yaml_node *sequence, *list, *topic, *enter, *again, *goal, *exit, *beside, *gone, *steps, *utm;
	int priority, on_change, mode, track;
	double holdout;
	int64_t holdout_for, spread;
};

static const struct key sequence_keys[] = {
	{ ROW(KEY_NODE, sequence_keys, sequence), .required = true, .help = "its name" },
	{ ROW(KEY_NODE, sequence_keys, list), .fallback_help = "any",
		.help = "the list whose people it is for" },
	{ ROW(KEY_NODE, sequence_keys, topic), .fallback_help = "none",
		.help = "the topic of all its mails but those that name one; who leaves it leaves the sequence" },
	{ ROW(KEY_TEXT_OR_MAP, sequence_keys, enter), .required = true, .table = &enter_table,
		.help = "who gets in, and when; `by hand`: only whom `nurturectl sequence enroll` puts in" },
	{ ROW(KEY_NODE, sequence_keys, again), .fallback_help = "never",
		.help = "whether people may go through it again: never, always, or after 180 days" },
	{ ROW(KEY_EXPRESSION, sequence_keys, goal), .fallback_help = "none",
		.help = "what it is for: who reaches it leaves, and counts as converted" },
	{ ROW(KEY_EXPRESSION, sequence_keys, exit), .fallback_help = "none",
		.help = "who leaves without having reached the goal" },
	{ ROW(KEY_INT, sequence_keys, priority), .fallback = "0", .least = -1000, .most = 1000,
		.help = "the higher one wins where two want the same person" },
	{ ROW(KEY_TEXT_OR_LIST, sequence_keys, beside), .fallback_help = "none",
		.help = "sequences that it runs beside, in place of one after the other: `any`, or a list of their names" },
	{ ROW(KEY_CHOICE, sequence_keys, mode), .fallback = "programme", .choices = mode_choices,
		.help = "one-to-one: its mails read as if a person had written them: from the owner if there is one, each in the thread of "
			"those before, without the headers of bulk mail; the link to unsubscribe stays" },
	{ ROW(KEY_PERCENT, sequence_keys, holdout), .fallback_help = "0%", .least = 0, .most = 90,
		.help = "how many of those who would enter get nothing and are only watched, to see what the "
			"sequence is worth" },
	{ ROW(KEY_DURATION, sequence_keys, holdout_for), .fallback = "90 days", .least = US_DAY, .most = 3 * 365 * US_DAY,
		.help = "how long they are watched" },
	{ ROW(KEY_DURATION, sequence_keys, spread), .fallback_help = "they are not spread", .least = US_MINUTE, .most = 3 * US_DAY,
		.help = "over how long mails are spread that fall due together; the first goes out at once" },
	{ ROW(KEY_CHOICE, sequence_keys, on_change), .fallback = "move", .choices = change_choices,
		.help = "what a change of this file does to people under way: move, they go on under the new "
			"version at the step of the same name; finish, they go through the version that they "
			"entered; restart, they begin anew" },
	{ ROW(KEY_CHOICE, sequence_keys, track), .fallback = "all", .choices = nurture_tracks,
		.help = "what its mails tell of who reads them, if it is less than `track` of nurture.yaml" },
	{ ROW(KEY_MAP, sequence_keys, utm), .fallback_help = "`utm` of nurture.yaml", .table = &nurture_utm_table,
		.help = "what is joined to the links of its mails" },
	{ ROW(KEY_OTHERS, sequence_keys, gone), .fallback_help = "they end",
		.help = "where people go on whose step is no longer there: its name, and a step of this sequence, or `end`" },
	{ ROW(KEY_LIST, sequence_keys, steps), .required = true,
		.help = "what happens, one step after the other" },
	NO_KEY,
};
const struct key_table sequence_table = { "a sequence", "A drip sequence; one file each.", sequence_keys };

/* --- one sequence ----------------------------------------------------------------------------------------------- */

static void load_enter(struct load *l, const struct yaml_node *node, struct sequence *s)
{
	struct enter_keys enter = { 0 };

	if (!node)
		return;
	if (node->kind == YAML_TEXT) {
		if (strcmp(node->text, "by hand") != 0)
			complain(l, node, "`enter`: `%s` is no choice here; there are `by hand` and {on: EVENT}", node->text);
		return;
	}
	keys_read(l, node, &enter_table, &enter);
	if (enter.on && enter.on->len > EVENT_MAX)
		complain(l, enter.on, "the name of an event has at most %d characters", EVENT_MAX);
	if (enter.on)
		s->enter_on = arena_strdup(l->arena, enter.on->text);
	load_expression(l, enter.when, EXPRESSION_EVENT, &s->enter_when);
}

static void load_again(struct load *l, const struct yaml_node *node, struct sequence *s)
{
	struct err err;

	s->again = AGAIN_NEVER;
	if (!node || !strcmp(node->text, "never"))
		return;
	if (!strcmp(node->text, "always")) {
		s->again = AGAIN_ALWAYS;
		return;
	}
	s->again = AGAIN_AFTER;
	if (!text_starts_with(node->text, "after "))
		complain(l, node,
			"`again`: `%s` is no choice here; there are `never`, `always` and `after 180 days`",
			node->text);
	else if (text_duration(node->text + strlen("after "), &s->again_after, &err))
		complain(l, node, "`again`: %s", err.text);
}

/* Whether there are such sequences is seen when all are there. */
static void load_beside(struct load *l, const struct yaml_node *node, struct sequence *s)
{
	size_t n = node && node->kind == YAML_LIST ? node->count : 0;
	const char **names = arena_calloc(l->arena, n + 1, sizeof(*names));

	s->beside = names;
	if (!node)
		return;
	if (node->kind == YAML_TEXT) {
		s->beside_any = !strcmp(node->text, "any");
		if (!s->beside_any)
			complain(l, node, "`beside`: `%s` is no choice here; there are `any` and a list of names, like [%s]",
				node->text, node->text);
		return;
	}
	if (n > BESIDE_MAX) {
		complain(l, node, "`beside` has at most %d names; there is `any`, too", BESIDE_MAX);
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = keys_expect(l, node->items[i], YAML_TEXT, "an item of `beside`")
			? arena_strdup(l->arena, node->items[i]->text) : "";
}

static void load_holdout(struct load *l, const struct sequence_keys *keys, struct sequence *s)
{
	s->holdout = keys->holdout;
	s->holdout_for = keys->holdout_for;
	if (keys->holdout <= 0 && yaml_get(keys->root, "holdout_for"))
		complain(l, yaml_get(keys->root, "holdout_for"), "`holdout_for` has no effect without `holdout`");
}

static void load_gone(struct load *l, const struct yaml_node *map, struct sequence *s)
{
	size_t n = map ? map->count : 0;
	struct step_fate *fates = arena_calloc(l->arena, n + 1, sizeof(*fates));

	if (n > GONE_MAX) {
		complain(l, map, "`gone` has at most %d steps; take out those at which nobody stands any more", GONE_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *step = map->keys[i], *to = map->items[i];

		fates[i].step = arena_strdup(l->arena, step->text);
		fates[i].to = s->step_count;
		if (keys_name(l, step) && plan_step(s, step->text) >= 0)
			complain(l, step, "the step `%s` is still there; `gone` is for steps that are not", step->text);
		if (keys_expect(l, to, YAML_TEXT, "what follows a step in `gone`") && strcmp(to->text, "end") != 0)
			fates[i].to = steps_find(l, s, to, s->step_count);
	}
	s->gone = fates;
	s->gone_count = n;
}

static void load_utm(struct load *l, const struct yaml_node *map, struct sequence *s)
{
	const struct utm *of = &l->plan->utm;

	keys_read(l, map, &nurture_utm_table, &s->utm);
	if (!s->utm.source)
		s->utm.source = of->source;
	if (!s->utm.medium)
		s->utm.medium = of->medium;
	if (!s->utm.campaign)
		s->utm.campaign = of->campaign;
}

static void load_sequence(
	struct load *l, const struct sequence_keys *keys, struct sequence *s, struct sequence_nodes *nodes)
{
	int list;

	s->name = s->enter_on = s->version = s->source = "";
	s->beside = arena_calloc(l->arena, 1, sizeof(*s->beside));
	if (!keys->root)
		return;
	*nodes = (struct sequence_nodes){ .root = keys->root, .goal = keys->goal, .exit = keys->exit, .beside = keys->beside,
		.holdout = yaml_get(keys->root, "holdout"), .gone = keys->gone };
	if (keys->sequence && keys_name(l, keys->sequence))
		s->name = arena_strdup(l->arena, keys->sequence->text);
	s->priority = keys->priority;
	s->spread = keys->spread;
	s->on_change = (enum on_change)keys->on_change;
	s->one_to_one = keys->mode == 1;
	s->track = (enum tracking)keys->track;
	load_utm(l, keys->utm, s);
	list = keys->list ? nurture_list(l, keys->list) : -1;
	s->list = list < 0 ? NULL : l->plan->lists[list].name;
	s->topic = keys->topic ? topics_find(l, keys->topic) : NULL;
	load_enter(l, keys->enter, s);
	load_again(l, keys->again, s);
	load_expression(l, keys->goal, 0, &s->goal);
	load_expression(l, keys->exit, 0, &s->exit);
	load_beside(l, keys->beside, s);
	load_holdout(l, keys, s);
	steps_load(l, keys->steps, s, nodes);
	load_gone(l, keys->gone, s);
	s->version = sequence_version(l->arena, keys->root);
	s->source = arena_strndup(l->arena, keys->root->source->text, keys->root->source->len);
}

static void read_keys(struct load *l, const struct yaml_node *root, struct sequence_keys *keys)
{
	keys_read(l, root, &sequence_table, keys);
	keys->root = root && root->kind == YAML_MAP ? root : NULL;
}

void sequences_read(struct load *l, const struct yaml_node *root, struct sequence *s, struct sequence_nodes *nodes)
{
	struct sequence_keys keys = { 0 };

	read_keys(l, root, &keys);
	load_sequence(l, &keys, s, nodes);
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

static const char *name_of(const struct sequence_keys *keys)
{
	return keys->sequence ? keys->sequence->text : "";
}

static int by_priority(const void *a, const void *b)
{
	const struct sequence_keys *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (strcmp(name_of(x), name_of(y)) != 0)
		return strcmp(name_of(x), name_of(y));
	return x->root && y->root ? x->root->source->order - y->root->source->order : !x->root - !y->root;
}

static void collect_webhooks(struct load *l)
{
	struct plan *plan = l->plan;
	const struct alert_target **all;
	size_t n = 0;

	for (size_t i = 0; i < plan->sequence_count; i++)
		n += (size_t)plan->sequences[i].step_count;
	all = arena_calloc(l->arena, n + 1, sizeof(*all));
	for (size_t i = 0; i < plan->sequence_count; i++) {
		for (int k = 0; k < plan->sequences[i].step_count; k++) {
			if (plan->sequences[i].steps[k].target)
				all[plan->webhook_count++] = plan->sequences[i].steps[k].target;
		}
	}
	plan->webhooks = all;
}

void sequences_load(struct load *l)
{
	const char *const *files =
		load_names(l, arena_printf(l->scratch, "%s/sequences", l->folder), ".yaml");
	struct sequence_keys *keys;
	struct sequence *sequences;
	struct sequence_nodes *nodes;
	size_t n = 0;

	while (files[n])
		n++;
	keys = arena_calloc(l->scratch, n + 1, sizeof(*keys));
	nodes = arena_calloc(l->scratch, n + 1, sizeof(*nodes));
	sequences = arena_calloc(l->arena, n + 1, sizeof(*sequences));
	for (size_t i = 0; i < n; i++)
		read_keys(l, load_file(l, arena_printf(l->scratch, "sequences/%s", files[i]), false), &keys[i]);
	/* before anything points into them */
	if (n > 1)
		qsort(keys, n, sizeof(*keys), by_priority);
	l->plan->sequences = sequences;
	l->sequences = nodes;
	for (size_t i = 0; i < n; i++) {
		sequences[i].index = (int)i;
		load_sequence(l, &keys[i], &sequences[i], &nodes[i]);
		if (*sequences[i].name && plan_sequence(l->plan, sequences[i].name))
			complain(l, keys[i].sequence, "there are two sequences `%s`; each has a name of its own",
				sequences[i].name);
		l->plan->sequence_count++;
	}
	collect_webhooks(l);
}
