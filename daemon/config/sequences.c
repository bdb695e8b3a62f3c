/*
 * sequences.c: sequences/NAME.yaml: who enters, what they are sent and when, and what ends it.
 *
 * A step is `name: {verb: ...}`, or without a name a mapping with the verb in it; the verb's options stand beside the
 * verb. Names are looked up when all steps of the sequence are known.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "mails.h"
#include "nurture.h"
#include "sequences.h"

/* --- tables ----------------------------------------------------------------------------------------------------- */

static const char *const quiet_choices[] = { "quiet", NULL };

/* What any step can have; a verb's table names its part. */
struct step_keys {
	const struct yaml_node *send, *wait_for, *cond, *then_name, *else_name, *set, *go, *end;
	const struct yaml_node *even_in_node;
	int64_t wait, at_most;
};

#define WAIT_LEAST US_SECOND
#define WAIT_MOST (3 * 365 * US_DAY)

static const struct key send_keys[] = {
	{ ROW(KEY_NODE, step_keys, send), .required = true, .help = "the mail: the name of its template" },
	{ ROW_AS("even_in", KEY_NODE, step_keys, even_in_node), .choices = quiet_choices,
		.fallback_help = "not", .help = "quiet: it goes out in quiet hours too" },
	NO_KEY,
};
static const struct key_table send_table = { "a `send` step", "Sends a mail.", send_keys };

static const struct key wait_keys[] = {
	{ ROW(KEY_DURATION, step_keys, wait), .required = true, .least = WAIT_LEAST, .most = WAIT_MOST,
		.help = "how long" },
	NO_KEY,
};
static const struct key_table wait_table = { "a `wait` step", "Waits.", wait_keys };

static const struct key wait_for_keys[] = {
	{ ROW(KEY_EXPRESSION, step_keys, wait_for), .required = true,
		.help = "goes on as soon as this holds" },
	{ ROW(KEY_DURATION, step_keys, at_most), .required = true, .least = WAIT_LEAST, .most = WAIT_MOST,
		.help = "how long to wait for it" },
	{ ROW_AS("otherwise", KEY_NODE, step_keys, else_name), .fallback_help = "the next step",
		.help = "the step to go to when the time is over" },
	NO_KEY,
};
static const struct key_table wait_for_table = { "a `wait_for` step", "Waits for something to become true.",
	wait_for_keys };

static const struct key if_keys[] = {
	{ ROW_AS("if", KEY_EXPRESSION, step_keys, cond), .required = true, .help = "the question" },
	{ ROW_AS("then", KEY_NODE, step_keys, then_name), .fallback_help = "the next step",
		.help = "the step to go to if it holds" },
	{ ROW_AS("else", KEY_NODE, step_keys, else_name), .fallback_help = "the next step",
		.help = "the step to go to if it does not" },
	NO_KEY,
};
static const struct key_table if_table = { "an `if` step", "Goes one way or the other.", if_keys };

static const struct key set_keys[] = {
	{ ROW(KEY_OTHERS, step_keys, set), .required = true, .help = "a field and what is put in it" },
	NO_KEY,
};
static const struct key_table set_table = { "a `set` step", "Fills a field of the prospect.", set_keys };

static const struct key go_keys[] = {
	{ ROW(KEY_NODE, step_keys, go), .required = true, .help = "the step to go on with" },
	NO_KEY,
};
static const struct key_table go_table = { "a `go` step", "Goes on elsewhere.", go_keys };

static const struct key end_keys[] = {
	{ ROW(KEY_NODE, step_keys, end), .required = true, .help = "a word that says why" },
	NO_KEY,
};
static const struct key_table end_table = { "an `end` step", "Ends the sequence.", end_keys };

const struct verb step_verbs[] = {
	{ "send", STEP_SEND, &send_table },
	{ "wait", STEP_WAIT, &wait_table },
	{ "wait_for", STEP_WAIT_FOR, &wait_for_table },
	{ "if", STEP_IF, &if_table },
	{ "set", STEP_SET, &set_table },
	{ "go", STEP_GO, &go_table },
	{ "end", STEP_END, &end_table },
	{ .name = NULL },
};

static const char *const verb_names[] = { "send", "wait", "wait_for", "if", "set", "go", "end", NULL };
/* words of the language that this version has not learnt */
static const char *const later_verbs[] = { "wait_until", "split", "test", "tag", "move", "alert", "webhook",
	NULL };

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
	const struct yaml_node *sequence, *list, *enter, *again, *goal, *exit, *on_change, *steps;
	int priority;
};

static const struct key sequence_keys[] = {
	{ ROW(KEY_NODE, sequence_keys, sequence), .required = true, .help = "its name" },
	{ ROW(KEY_NODE, sequence_keys, list), .fallback_help = "any",
		.help = "the list whose people it is for" },
	{ ROW(KEY_MAP, sequence_keys, enter), .required = true, .table = &enter_table,
		.help = "who gets in, and when" },
	{ ROW(KEY_NODE, sequence_keys, again), .fallback_help = "never",
		.help = "whether people may go through it again: never, always, or after 180 days" },
	{ ROW(KEY_EXPRESSION, sequence_keys, goal), .fallback_help = "none",
		.help = "what it is for: who reaches it leaves, and counts as converted" },
	{ ROW(KEY_EXPRESSION, sequence_keys, exit), .fallback_help = "none",
		.help = "who leaves without having reached the goal" },
	{ ROW(KEY_INT, sequence_keys, priority), .fallback = "0", .least = -1000, .most = 1000,
		.help = "the higher one wins where two want the same person" },
	{ ROW(KEY_NODE, sequence_keys, on_change), .fallback_help = "move",
		.help = "what a change of this file does to people under way: move, they go on under the new "
			"version at the step of the same name" },
	{ ROW(KEY_LIST, sequence_keys, steps), .required = true,
		.help = "what happens, one step after the other" },
	NO_KEY,
};
const struct key_table sequence_table = { "a sequence", "A drip sequence; one file each.", sequence_keys };

/* --- one step --------------------------------------------------------------------------------------------------- */

/* A step as it was written. */
struct raw {
	const struct yaml_node *item, *name, *map; /* name: NULL if it has none */
	const struct verb *verb;
	struct step_keys keys;
};

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *v = step_verbs; v->name; v++) {
		if (!strcmp(v->name, name))
			return v;
	}
	return NULL;
}

static bool is_later(const char *name)
{
	for (size_t i = 0; later_verbs[i]; i++) {
		if (!strcmp(later_verbs[i], name))
			return true;
	}
	return false;
}

/* The verb among the keys of a mapping; NULL if there is none, or after a complaint (*said). */
static const struct verb *verb_of(struct load *l, const struct yaml_node *map, bool *said)
{
	const struct verb *found = NULL;

	*said = false;
	for (size_t i = 0; i < map->count; i++) {
		const struct verb *verb = find_verb(map->keys[i]->text);

		if (verb && found) {
			complain(l, map->keys[i], "`%s` and `%s` in one step; each is a step of its own",
				found->name, verb->name);
			*said = true;
			return NULL;
		}
		if (verb)
			found = verb;
	}
	return found;
}

static void complain_no_verb(struct load *l, const struct yaml_node *map)
{
	const struct yaml_node *key = map->count ? map->keys[0] : map;

	if (map->count && is_later(key->text))
		complain(l, key,
			"`%s` is not supported yet; a step is one of send, wait, wait_for, if, set, go and "
			"end",
			key->text);
	else
		complain(l, key,
			"no step begins so; a step is one of send, wait, wait_for, if, set, go and end%s",
			map->count && text_nearest(key->text, verb_names)
				? keys_hint(l, key->text, verb_names)
				: "");
}

/* Tells `name: {verb: ...}` from `verb: ...`. 0, or -1 after a complaint. */
static int take_apart(struct load *l, struct raw *raw)
{
	const struct yaml_node *item = raw->item;
	bool said;

	if (!keys_expect(l, item, YAML_MAP, "a step"))
		return -1;
	raw->map = item;
	raw->verb = verb_of(l, item, &said);
	if (raw->verb && raw->verb->kind != STEP_SET && yaml_get(item, raw->verb->name)->kind == YAML_MAP) {
		complain(l, item->keys[0],
			"a step cannot be called `%s`: that is a verb; give it another name",
			raw->verb->name);
		return -1;
	}
	if (raw->verb || said)
		return said ? -1 : 0;
	if (!item->count || item->items[0]->kind != YAML_MAP || is_later(item->keys[0]->text)) {
		complain_no_verb(l, item);
		return -1;
	}
	raw->name = item->keys[0];
	raw->map = item->items[0];
	if (item->count > 1) {
		complain(l, item->keys[1],
			"`%s` stands beside the name of the step; put it into the braces, beside the verb",
			item->keys[1]->text);
		return -1;
	}
	raw->verb = verb_of(l, raw->map, &said);
	if (!raw->verb && !said)
		complain_no_verb(l, raw->map);
	keys_name(l, raw->name);
	return raw->verb ? 0 : -1;
}

static void read_raw(struct load *l, struct raw *raw)
{
	if (take_apart(l, raw))
		return;
	keys_read(l, raw->map, raw->verb->table, &raw->keys);
	if (raw->keys.even_in_node && strcmp(raw->keys.even_in_node->text, "quiet") != 0)
		complain(l, raw->keys.even_in_node,
			"`even_in` knows only `quiet`: the mail goes out in quiet hours too");
}

/* Names of all steps first, so that a step can go to a later one. */
static void name_steps(struct load *l, struct raw *raws, struct step *steps, int count)
{
	int per_verb[STEP_KINDS] = { 0 };

	for (int i = 0; i < count; i++) {
		int n = raws[i].verb ? ++per_verb[raws[i].verb->kind] : 0;

		steps[i].name = raws[i].name ? arena_strdup(l->arena, raws[i].name->text)
			: raws[i].verb	     ? arena_printf(l->arena, "%s-%d", raws[i].verb->name, n)
					     : "";
		for (int k = 0; k < i; k++) {
			if (raws[i].verb && !strcmp(steps[k].name, steps[i].name))
				complain(l, raws[i].name ? raws[i].name : raws[i].item,
					"there are two steps `%s`; the first is in line %d", steps[i].name,
					steps[k].line);
		}
		steps[i].line = raws[i].item->line;
		steps[i].next = i + 1;
		steps[i].then_step = steps[i].else_step = i + 1;
		steps[i].field = -1;
	}
}

/* The index of the step that a node names; `otherwise` if there is no node, or after a complaint. */
static int find_step(struct load *l, const struct sequence *s, const struct yaml_node *node, int otherwise)
{
	const char **names = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*names));
	int at;

	if (!node)
		return otherwise;
	at = plan_step(s, node->text);
	if (at >= 0)
		return at;
	for (int i = 0, n = 0; i < s->step_count; i++) {
		if (s->steps[i].name[0])
			names[n++] = s->steps[i].name;
	}
	complain(l, node, "there is no step `%s` in this sequence%s", node->text,
		keys_hint(l, node->text, names));
	return otherwise;
}

static void fill_set(struct load *l, const struct yaml_node *map, struct step *step)
{
	const struct yaml_node *value;
	struct err err;

	if (!map)
		return;
	if (map->count != 1) {
		complain(l, map, "a `set` step fills one field; write one step for each");
		return;
	}
	value = map->items[0];
	step->field = nurture_field(l, map->keys[0]);
	if (!keys_expect(l, value, YAML_TEXT, "the value of `set`"))
		return;
	step->value = arena_strdup(l->arena, value->text);
	if (step->field >= 0 && nurture_check_value(&l->plan->fields[step->field], value->text, &err))
		complain(l, value, "%s", err.text);
}

static void fill_step(struct load *l, const struct sequence *s, const struct raw *raw, struct step *step)
{
	const struct step_keys *keys = &raw->keys;

	if (!raw->verb)
		return;
	step->kind = raw->verb->kind;
	switch (step->kind) {
	case STEP_SEND:
		step->mail = keys->send ? mails_find(l, keys->send) : NULL;
		step->even_in_quiet = keys->even_in_node != NULL;
		break;
	case STEP_WAIT:
		step->wait = keys->wait;
		break;
	case STEP_WAIT_FOR:
		step->wait = keys->at_most;
		load_expression(l, keys->wait_for, 0, &step->when);
		step->else_step = find_step(l, s, keys->else_name, step->next);
		break;
	case STEP_IF:
		load_expression(l, keys->cond, 0, &step->when);
		step->then_step = find_step(l, s, keys->then_name, step->next);
		step->else_step = find_step(l, s, keys->else_name, step->next);
		if (keys->cond && !keys->then_name && !keys->else_name)
			complain(l, raw->map,
				"this `if` has neither `then` nor `else`: it asks and does nothing");
		break;
	case STEP_SET:
		fill_set(l, keys->set, step);
		break;
	case STEP_WAIT_UNTIL:
	case STEP_SPLIT:
	case STEP_TEST:
	case STEP_TAG:
	case STEP_MOVE:
	case STEP_ALERT:
	case STEP_WEBHOOK:
	case STEP_KINDS:
		break;
	case STEP_GO:
		step->then_step = find_step(l, s, keys->go, step->next);
		break;
	case STEP_END:
		step->reason = keys->end ? arena_strdup(l->arena, keys->end->text) : "";
		break;
	}
}

static void load_steps(
	struct load *l, const struct yaml_node *list, struct sequence *s, struct sequence_nodes *nodes)
{
	size_t n = list ? list->count : 0;
	struct raw *raws = arena_calloc(l->scratch, n + 1, sizeof(*raws));
	struct step *steps = arena_calloc(l->arena, n + 1, sizeof(*steps));
	const struct yaml_node **items = arena_calloc(l->scratch, n + 1, sizeof(*items));
	const struct yaml_node **whens = arena_calloc(l->scratch, n + 1, sizeof(*whens));
	size_t before = l->complaints.count;

	if (list && !n)
		complain(l, list, "`steps` is empty; write at least one");
	if (n > 1000) {
		complain(l, list, "a sequence has at most 1000 steps");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		raws[i].item = list->items[i];
		read_raw(l, &raws[i]);
		items[i] = raws[i].name ? raws[i].name : raws[i].item;
		whens[i] = raws[i].keys.wait_for ? raws[i].keys.wait_for : raws[i].keys.cond;
	}
	name_steps(l, raws, steps, (int)n);
	s->steps = steps;
	s->step_count = (int)n;
	for (size_t i = 0; i < n; i++)
		fill_step(l, s, &raws[i], &steps[i]);
	nodes->steps = items;
	nodes->whens = whens;
	nodes->whole = l->complaints.count == before;
}

/* --- one sequence ----------------------------------------------------------------------------------------------- */

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

static void check_on_change(struct load *l, const struct yaml_node *node)
{
	if (!node || !strcmp(node->text, "move"))
		return;
	if (!strcmp(node->text, "finish") || !strcmp(node->text, "restart"))
		complain(l, node,
			"`on_change: %s` is not supported yet; write `move`: people under way go on at the "
			"step of the same name",
			node->text);
	else
		complain(l, node, "`on_change`: `%s` is no choice here; there is only `move`", node->text);
}

static void load_sequence(
	struct load *l, const struct sequence_keys *keys, struct sequence *s, struct sequence_nodes *nodes)
{
	struct enter_keys enter = { 0 };

	s->name = "";
	s->enter_on = "";
	nodes->root = keys->root;
	if (!keys->root)
		return;
	if (keys->sequence && keys_name(l, keys->sequence)) {
		if (plan_sequence(l->plan, keys->sequence->text))
			complain(l, keys->sequence,
				"there are two sequences `%s`; each has a name of its own",
				keys->sequence->text);
		s->name = arena_strdup(l->arena, keys->sequence->text);
		s->version = s->source = "";
	}
	s->priority = keys->priority;
	if (keys->list) {
		int list = nurture_list(l, keys->list);

		s->list = list < 0 ? NULL : l->plan->lists[list].name;
	}
	keys_read(l, keys->enter, &enter_table, &enter);
	if (enter.on)
		s->enter_on = arena_strdup(l->arena, enter.on->text);
	load_expression(l, enter.when, EXPRESSION_EVENT, &s->enter_when);
	load_again(l, keys->again, s);
	load_expression(l, keys->goal, 0, &s->goal);
	load_expression(l, keys->exit, 0, &s->exit);
	nodes->goal = keys->goal;
	nodes->exit = keys->exit;
	check_on_change(l, keys->on_change);
	load_steps(l, keys->steps, s, nodes);
}

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
	for (size_t i = 0; i < n; i++) {
		keys[i].root = load_file(l, arena_printf(l->scratch, "sequences/%s", files[i]), false);
		const struct yaml_node *root = keys[i].root;

		keys_read(l, root, &sequence_table, &keys[i]);
		keys[i].root = root && root->kind == YAML_MAP ? root : NULL;
	}
	/* before anything points into them */
	if (n > 1)
		qsort(keys, n, sizeof(*keys), by_priority);
	l->plan->sequences = sequences;
	l->sequences = nodes;
	for (size_t i = 0; i < n; i++) {
		sequences[i].index = (int)i;
		load_sequence(l, &keys[i], &sequences[i], &nodes[i]);
		l->plan->sequence_count++;
	}
}
