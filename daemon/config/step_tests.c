/*
 * step_tests.c: a step that tries mails, or subjects, against one another.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "mails.h"
#include "scalar.h"
#include "steps.h"
#include "templates.h"

#define SURE_MOST 0.9999
#define TEST_ID 12

/* An arm as it was written. */
struct raw_arm {
	const struct yaml_node *at;
	struct step_arm_keys keys;
};

static bool taken(const struct arm *arms, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(arms[i].name, name))
			return true;
	}
	return false;
}

/* The mail's name, or that with "-2" and so on. */
static const char *arm_name(struct load *l, const struct arm *arms, size_t n, const char *mail)
{
	const char *name = arena_strdup(l->arena, mail);

	for (int i = 2; taken(arms, n, name); i++)
		name = arena_printf(l->arena, "%s-%d", mail, i);
	return name;
}

/* Names that were given go first, so that none that is made up takes one of them away. */
static void name_arms(struct load *l, const struct raw_arm *raws, struct arm *arms, size_t n)
{
	for (size_t i = 0; i < n; i++)
		arms[i].name = "";
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *name = raws[i].keys.name;

		if (!name || !keys_name(l, name))
			continue;
		if (taken(arms, n, name->text))
			complain(l, name, "there are two mails called `%s` in this test; each has a name of its own",
				name->text);
		arms[i].name = arena_strdup(l->arena, name->text);
	}
	for (size_t i = 0; i < n; i++) {
		if (!raws[i].keys.name && raws[i].keys.mail)
			arms[i].name = arm_name(l, arms, n, raws[i].keys.mail->text);
	}
}

static const char *subject_text(const struct raw_arm *raw)
{
	return raw->keys.subject ? raw->keys.subject->text : "";
}

static bool same_arm(const struct raw_arm *a, const struct raw_arm *b)
{
	return a->keys.mail && b->keys.mail && !strcmp(a->keys.mail->text, b->keys.mail->text) &&
		!strcmp(subject_text(a), subject_text(b));
}

static void read_arm(struct load *l, const struct yaml_node *item, struct raw_arm *raw, struct arm *arm)
{
	raw->at = item;
	if (item->kind == YAML_TEXT && keys_expect(l, item, YAML_TEXT, "an item of `test`"))
		raw->keys.mail = item;
	else if (item->kind != YAML_TEXT)
		keys_read(l, item, &step_arm_table, &raw->keys);
	if (raw->keys.mail)
		arm->mail = mails_find(l, raw->keys.mail);
	if (raw->keys.subject)
		arm->subject = templates_subject(l, raw->keys.subject);
}

static void load_arms(struct load *l, const struct yaml_node *list, struct raw_arm *raws, struct step *step)
{
	size_t n = list->count;
	struct arm *arms = arena_calloc(l->arena, n + 1, sizeof(*arms));

	for (size_t i = 0; i < n; i++) {
		read_arm(l, list->items[i], &raws[i], &arms[i]);
		for (size_t k = 0; k < i; k++) {
			if (same_arm(&raws[k], &raws[i])) {
				complain(l, raws[i].at, "this mail is in the test already; give it another `subject`, or take it out");
				break;
			}
		}
	}
	name_arms(l, raws, arms, n);
	step->arms = arms;
	step->arm_count = n;
}

/*
 * What is asked, in a few digits: other mails, subjects or names of them, another event or time for it, or another goal,
 * are another test. How long it goes on, and what the mails say, may change under way.
 */
static const char *test_id(struct load *l, const struct sequence *s, const struct yaml_node *goal, const struct raw_arm *raws,
	const struct step *step)
{
	struct buf said = BUF_INIT, hex = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	const char *id;

	buf_printf(&said, "%s%c%s%c%s%c%lld%c", s->name, 0, step->name, 0, step->by, 0, (long long)step->within, 0);
	buf_printf(&said, "%s%c", goal && !strcmp(step->by, "goal") ? goal->text : "", 0);
	for (size_t i = 0; i < step->arm_count; i++)
		buf_printf(&said, "%s%c%s%c%s%c", step->arms[i].name, 0, raws[i].keys.mail ? raws[i].keys.mail->text : "", 0,
			subject_text(&raws[i]), 0);
	digest_sha256(buf_cstr(&said), said.len, digest);
	text_hex(&hex, digest, sizeof(digest));
	id = arena_strndup(l->arena, buf_cstr(&hex), TEST_ID);
	buf_clear(&said);
	buf_clear(&hex);
	return id;
}

static void check_by(struct load *l, const struct yaml_node *node, const char *by, const struct yaml_node *goal)
{
	if (strlen(by) > EVENT_MAX)
		complain(l, node, "the name of an event has at most %d characters", EVENT_MAX);
	else if (text_ends_with(by, "_machine"))
		complain(l, node, "`%s`: what machines do decides nothing; name the event without _machine", by);
	else if (!strcmp(by, "goal") && !goal)
		complain(l, node, "this sequence has no `goal`; give it one, or let something else decide");
}

void step_tests_fill(struct load *l, const struct sequence *s, const struct sequence_nodes *nodes, const struct step_keys *keys,
	const struct yaml_node *map, struct step *step)
{
	struct raw_arm raws[STEP_ARMS_MAX] = { 0 };
	const struct yaml_node *list = keys->test;

	step->by = keys->by;
	step->within = keys->within;
	step->method = (enum test_method)keys->method;
	step->size = keys->size;
	step->sure = keys->sure;
	if (step->sure > SURE_MOST)
		complain(l, yaml_get(map, "sure"), "`sure`: no test is ever quite sure; at most 99.99 %%");
	if (yaml_get(map, "by"))
		check_by(l, yaml_get(map, "by"), step->by, nodes->goal);
	if (list && (list->count < 2 || list->count > STEP_ARMS_MAX))
		complain(l, list, "a `test` has 2 to %d mails; here %s %zu", STEP_ARMS_MAX, list->count == 1 ? "is" : "are",
			list->count);
	else if (list)
		load_arms(l, list, raws, step);
	step->test_id = test_id(l, s, nodes->goal, raws, step);
}
