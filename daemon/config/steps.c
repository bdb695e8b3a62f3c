/*
 * steps.c: what happens in a sequence, one step after the other.
 *
 * A step is `name: {verb: ...}`, or without a name a mapping with the verb in it; the verb's options stand beside the
 * verb. Names are looked up when all steps of the sequence are known.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "mails.h"
#include "moment.h"
#include "nurture.h"
#include "scalar.h"
#include "steps.h"
#include "targets.h"
#include "templates.h"

#define STEPS_MAX 1000
#define BUSINESS_DAYS_MAX 365
#define ALERT_MAX 200
#define END_MAX 64

/* A step as it was written. */
struct raw {
	const struct yaml_node *item, *name, *map; /* name: NULL if it has none */
	const struct verb *verb;
	struct step_keys keys;
};

/* --- verbs ------------------------------------------------------------------------------------------------------ */

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *v = step_verbs; v->name; v++) {
		if (!strcmp(v->name, name))
			return v;
	}
	return NULL;
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
	const char *names[STEP_KINDS + 1] = { NULL };
	struct buf words = BUF_INIT;

	for (int i = 0; step_verbs[i].name; i++) {
		names[i] = step_verbs[i].name;
		buf_printf(&words, "%s%s", i == 0 ? "" : step_verbs[i + 1].name ? ", " : " and ", names[i]);
	}
	complain(l, key, "no step begins so; a step is one of %s%s", buf_cstr(&words),
		map->count && text_nearest(key->text, names) ? keys_hint(l, key->text, names) : "");
	buf_clear(&words);
}

/* A step that is called like a verb has a verb in the mapping behind it; but `set: {send: x}` may fill a field of that name. */
static bool is_name(const struct verb *verb, const struct yaml_node *value)
{
	if (value->kind != YAML_MAP || verb->kind == STEP_SET)
		return false;
	for (size_t i = 0; i < value->count; i++) {
		if (find_verb(value->keys[i]->text))
			return true;
	}
	return false;
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
	if (raw->verb && is_name(raw->verb, yaml_get(item, raw->verb->name))) {
		complain(l, item->keys[0],
			"a step cannot be called `%s`: that is a verb; give it another name",
			raw->verb->name);
		return -1;
	}
	if (raw->verb || said)
		return said ? -1 : 0;
	if (!item->count || item->items[0]->kind != YAML_MAP) {
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
		steps[i].named = raws[i].name != NULL;
		steps[i].line = raws[i].item->line;
		steps[i].next = i + 1;
		steps[i].then_step = steps[i].else_step = i + 1;
		steps[i].field = steps[i].until.field = steps[i].until.minute = -1;
	}
}

int steps_find(struct load *l, const struct sequence *s, const struct yaml_node *node, int otherwise)
{
	int at = node ? plan_step(s, node->text) : otherwise;
	const char **names;

	if (at >= 0)
		return at;
	names = arena_calloc(l->scratch, (size_t)s->step_count + 1, sizeof(*names));
	for (int i = 0, n = 0; i < s->step_count; i++) {
		if (s->steps[i].name[0])
			names[n++] = s->steps[i].name;
	}
	complain(l, node, "there is no step `%s` in this sequence%s", node->text,
		keys_hint(l, node->text, names));
	return otherwise;
}

/* --- mails ------------------------------------------------------------------------------------------------------ */

/* Is the option there? Only one word is known for it. */
static bool has_option(struct load *l, const struct yaml_node *node, const char *key, const char *word, const char *means)
{
	if (node && strcmp(node->text, word) != 0)
		complain(l, node, "`%s` knows only `%s`: %s", key, word, means);
	return node != NULL;
}

static void fill_even_in(struct load *l, const struct yaml_node *node, struct step *step)
{
	bool always = node && !strcmp(node->text, "always");

	step->even_in_quiet = always || (node && !strcmp(node->text, "quiet"));
	step->even_in_cap = always || (node && !strcmp(node->text, "cap"));
	if (node && !step->even_in_quiet && !step->even_in_cap)
		complain(l, node, "`even_in` is `quiet` (the mail goes out in quiet hours too), `cap` (although the cap of the list "
			"is reached) or `always`");
}

static void fill_mail(struct load *l, const struct step_keys *keys, struct step *step)
{
	fill_even_in(l, keys->even_in, step);
	step->as_owner = has_option(l, keys->as_owner, "as", "owner", "the mail is from the owner of the lead");
	step->same_thread = has_option(l, keys->thread, "thread", "same", "the mail answers the one before it");
	step->valid_for = keys->valid_for;
}

/* --- waits ------------------------------------------------------------------------------------------------------ */

/* "3 business days": how many; 0 if it is not written so. */
static int64_t business_days(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *behind = text + digits + strspn(text + digits, " ");
	int64_t n;

	if (!digits || digits > 9 || (strcmp(behind, "business days") != 0 && strcmp(behind, "business day") != 0))
		return 0;
	n = strtoll(text, NULL, 10);
	return n ? n : -1;
}

static void fill_wait(struct load *l, const struct yaml_node *node, struct step *step)
{
	struct err err;

	if (!node)
		return;
	step->business_days = business_days(node->text);
	if (step->business_days < 0 || step->business_days > BUSINESS_DAYS_MAX)
		complain(l, node, "`wait`: out of bounds; 1 to %d business days are allowed", BUSINESS_DAYS_MAX);
	if (step->business_days)
		return;
	if (text_duration(node->text, &step->wait, &err))
		complain(l, node, "`wait`: %s", err.text);
	else if (step->wait < US_SECOND || step->wait > 3 * 365 * US_DAY)
		complain(l, node, "`wait`: out of bounds; 1 second to 1095 days are allowed");
}

/* A field of times; -1 after a complaint. */
static int time_field(struct load *l, const struct yaml_node *node, const char *name)
{
	struct yaml_node word = *node;
	const struct field *field;
	int at;

	word.text = name;
	at = nurture_field(l, &word);
	field = at < 0 ? NULL : &l->plan->fields[at];
	if (field && field->type != VALUE_TIME && field->type != VALUE_NIL)
		complain(l, node, "`%s` is no time; only a field of `type: time` can be waited for", name);
	return at;
}

static void fill_wait_until(struct load *l, const struct sequence *s, const struct step_keys *keys, struct step *step)
{
	const struct yaml_node *node = keys->wait_until;
	const char *field = NULL;
	struct err err;

	step->else_step = steps_find(l, s, keys->else_name, step->next);
	if (!node)
		return;
	if (moment_parse(l->scratch, node->text, &step->until, &field, &err)) {
		complain(l, node, "`wait_until`: %s", err.text);
		return;
	}
	if (field)
		step->until.field = time_field(l, node, field);
	step->until.shift = keys->after - keys->before;
	if (keys->before && keys->after)
		complain(l, node, "`before` and `after` in one step; write one of them");
	else if (!field && (keys->before || keys->after))
		complain(l, node, "`%s` goes with a field that holds a time", keys->before ? "before" : "after");
	if (!field && !step->until.year && keys->else_name)
		complain(l, keys->else_name, "`otherwise` has no effect: there is always a next time for `%s`", node->text);
}

/* --- ways ------------------------------------------------------------------------------------------------------- */

static void fill_if(struct load *l, const struct sequence *s, const struct raw *raw, struct step *step)
{
	const struct step_keys *keys = &raw->keys;

	load_expression(l, keys->cond, 0, &step->when);
	step->then_step = steps_find(l, s, keys->then_name, step->next);
	step->else_step = steps_find(l, s, keys->else_name, step->next);
	if (keys->cond && !keys->then_name && !keys->else_name)
		complain(l, raw->map, "this `if` has neither `then` nor `else`: it asks and does nothing");
}

static int share_of(struct load *l, const struct yaml_node *node)
{
	int64_t share;
	struct err err;

	if (!keys_expect(l, node, YAML_TEXT, "a share of `split`"))
		return 1;
	if (scalar_int(node->text, &share, &err)) {
		complain(l, node, "%s", err.text);
		return 1;
	}
	if (share < 1 || share > STEP_SHARE_MAX)
		complain(l, node, "a share of `split` is a whole number from 1 to %d", STEP_SHARE_MAX);
	return (int)(share < 1 || share > STEP_SHARE_MAX ? 1 : share);
}

static void fill_split(struct load *l, const struct sequence *s, const struct yaml_node *map, struct step *step)
{
	size_t n = map ? map->count : 0;
	int *branches = arena_calloc(l->arena, n + 1, sizeof(*branches));
	int *shares = arena_calloc(l->arena, n + 1, sizeof(*shares));

	if (!map)
		return;
	if (n < 2 || n > STEP_BRANCHES_MAX) {
		complain(l, map, "`split` has 2 to %d ways; here %s %zu", STEP_BRANCHES_MAX, n == 1 ? "is" : "are", n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		branches[i] = steps_find(l, s, map->keys[i], step->next);
		shares[i] = share_of(l, map->items[i]);
	}
	step->branches = branches;
	step->shares = shares;
	step->branch_count = n;
}

/* --- what is done to a prospect --------------------------------------------------------------------------------- */

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

static bool is_among(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

static void take_tag(struct load *l, const struct yaml_node *node, const char **tags, const char **untags)
{
	bool away = node->text[0] == '-';
	const char *name = arena_strdup(l->arena, node->text + away), **to = away ? untags : tags;
	struct err err;

	if (scalar_name(name, &err)) {
		complain(l, node, "%s", err.text);
		return;
	}
	if (is_among(tags, name) || is_among(untags, name)) {
		complain(l, node, "the tag `%s` is here twice", name);
		return;
	}
	while (*to)
		to++;
	*to = name;
}

static void fill_tag(struct load *l, const struct yaml_node *node, struct step *step)
{
	size_t n = !node ? 0 : node->kind == YAML_LIST ? node->count : 1;
	const char **tags = arena_calloc(l->arena, n + 1, sizeof(*tags));
	const char **untags = arena_calloc(l->arena, n + 1, sizeof(*untags));

	step->tags = tags;
	step->untags = untags;
	if (node && (n < 1 || n > STEP_TAGS_MAX)) {
		complain(l, node, "a `tag` step has 1 to %d tags", STEP_TAGS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *item = node->kind == YAML_LIST ? node->items[i] : node;

		if (keys_expect(l, item, YAML_TEXT, "a tag"))
			take_tag(l, item, tags, untags);
	}
}

static void fill_move(struct load *l, const struct step_keys *keys, struct step *step)
{
	int list = keys->move ? nurture_list(l, keys->move) : -1;

	step->list = list < 0 ? NULL : l->plan->lists[list].name;
	step->hold = keys->hold;
}

/* --- what is told to others ------------------------------------------------------------------------------------- */

static const char *take_reason(struct load *l, const struct yaml_node *node, const char *text, const char *what, size_t most)
{
	if (text_utf8_length(text, strlen(text)) > most)
		complain(l, node, "%s has at most %zu characters", what, most);
	return arena_strdup(l->arena, text);
}

static void fill_alert(struct load *l, const struct raw *raw, struct step *step)
{
	const struct step_keys *keys = &raw->keys;

	step->reason = take_reason(l, yaml_get(raw->map, "alert"), keys->alert ? keys->alert : "", "what an alert says", ALERT_MAX);
	if (keys->as && l->operator_known)
		step->payload = pages_alert(l, keys->as, keys->as->text);
}

static void fill_webhook(struct load *l, const struct raw *raw, struct step *step)
{
	struct alert_target *target = arena_calloc(l->arena, 1, sizeof(*target));

	targets_fill(l, raw->map, "a `standard` webhook", raw->keys.url, raw->keys.as, raw->keys.secret, target);
	step->target = target;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

static void fill_step(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, const struct raw *raw,
	struct step *step)
{
	const struct step_keys *keys = &raw->keys;

	step->kind = raw->verb->kind;
	switch (step->kind) {
	case STEP_SEND:
		step->mail = keys->send ? mails_find(l, keys->send) : NULL;
		fill_mail(l, keys, step);
		step->awaited = step->mail && step->mail->uses_download && !strcmp(s->enter_on, "signup");
		return;
	case STEP_WAIT:
		fill_wait(l, keys->wait, step);
		return;
	case STEP_WAIT_UNTIL:
		fill_wait_until(l, s, keys, step);
		return;
	case STEP_WAIT_FOR:
		step->wait = keys->at_most;
		load_expression(l, keys->wait_for, 0, &step->when);
		step->else_step = steps_find(l, s, keys->else_name, step->next);
		return;
	case STEP_IF:
		fill_if(l, s, raw, step);
		return;
	case STEP_SPLIT:
		fill_split(l, s, keys->split, step);
		return;
	case STEP_TEST:
		step_tests_fill(l, s, nodes, keys, raw->map, step);
		fill_mail(l, keys, step);
		return;
	case STEP_SET:
		fill_set(l, keys->set, step);
		return;
	case STEP_TAG:
		fill_tag(l, keys->tag, step);
		return;
	case STEP_MOVE:
		fill_move(l, keys, step);
		return;
	case STEP_ALERT:
		fill_alert(l, raw, step);
		return;
	case STEP_WEBHOOK:
		fill_webhook(l, raw, step);
		return;
	case STEP_GO:
		step->then_step = steps_find(l, s, keys->go, step->next);
		return;
	case STEP_END:
		step->reason = take_reason(l, keys->end, keys->end ? keys->end->text : "", "the reason of an `end`", END_MAX);
		return;
	case STEP_KINDS:
		return;
	}
}

void steps_load(struct load *l, const struct yaml_node *list, struct sequence *s, struct sequence_nodes *nodes)
{
	size_t n = list ? list->count : 0;
	struct raw *raws = arena_calloc(l->scratch, n + 1, sizeof(*raws));
	struct step *steps = arena_calloc(l->arena, n + 1, sizeof(*steps));
	struct step_node *places = arena_calloc(l->scratch, n + 1, sizeof(*places));
	size_t before = l->complaints.count;

	if (list && !n)
		complain(l, list, "`steps` is empty; write at least one");
	if (n > STEPS_MAX) {
		complain(l, list, "a sequence has at most %d steps", STEPS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		raws[i].item = list->items[i];
		bool apart = !take_apart(l, &raws[i]);

		if (raws[i].verb)
			keys_read(l, apart ? raws[i].map : NULL, raws[i].verb->table, &raws[i].keys);
		places[i] = (struct step_node){
			.at = raws[i].name ? raws[i].name : raws[i].item,
			.map = raws[i].map ? raws[i].map : raws[i].item,
		};
	}
	name_steps(l, raws, steps, (int)n);
	s->steps = steps;
	s->step_count = (int)n;
	for (size_t i = 0; i < n; i++) {
		if (raws[i].verb)
			fill_step(l, s, nodes, &raws[i], &steps[i]);
	}
	nodes->steps = places;
	nodes->whole = l->complaints.count == before;
}
