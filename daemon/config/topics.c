/*
 * topics.c: see topics.h.
 */
#include <string.h>

#include "base/text.h"
#include "config/languages.h"

#include "topics.h"

#define TOPICS_MAX 50

struct words_keys {
	const char *title, *about;
};

static const struct key words_keys[] = {
	{ ROW(KEY_TEXT, words_keys, title), .required = true, .help = "its title in that language" },
	{ ROW(KEY_TEXT, words_keys, about), .fallback_help = "none", .help = "a sentence on it in that language" },
	NO_KEY,
};
static const struct key_table words_table = { "a language of a topic", "What its page says in another language, by `de` or `de-AT`.", words_keys };

struct topic_keys {
	const struct yaml_node *name, *languages;
	const char *title, *about;
};

static const struct key topic_keys[] = {
	{ ROW(KEY_NODE, topic_keys, name), .required = true, .help = "its name, which mails, sequences and forms give as `topic`" },
	{ ROW(KEY_TEXT, topic_keys, title), .required = true, .help = "what the page of preferences calls it" },
	{ ROW(KEY_TEXT, topic_keys, about), .fallback_help = "none", .help = "a sentence on what comes and how often" },
	{ ROW(KEY_OTHERS, topic_keys, languages), .table = &words_table, .fallback_help = "none",
		.help = "title and sentence in other languages" },
	NO_KEY,
};
const struct key_table topic_table = { "a topic", "What a prospect may subscribe to, and leave.", topic_keys };

static void load_words(struct load *l, const struct yaml_node *map, struct topic *topic)
{
	size_t n = map ? map->count : 0;
	struct topic_words *words = arena_calloc(l->arena, n + 1, sizeof(*words));

	for (size_t i = 0; i < n; i++) {
		struct words_keys keys = { 0 };

		if (!languages_valid(map->keys[i]->text))
			complain(l, map->keys[i], "`%s` is no language; write it like de or de-AT", map->keys[i]->text);
		keys_read(l, map->items[i], &words_table, &keys);
		words[i] = (struct topic_words){ .language = arena_strdup(l->arena, map->keys[i]->text),
			.title = keys.title ? keys.title : "", .about = keys.about ? keys.about : "" };
	}
	topic->words = words;
	topic->word_count = n;
}

static void load_topic(struct load *l, const struct yaml_node *item, struct topic *topic)
{
	struct topic_keys keys = { 0 };

	keys_read(l, item, &topic_table, &keys);
	topic->name = "";
	topic->title = keys.title ? keys.title : "";
	topic->about = keys.about ? keys.about : "";
	load_words(l, keys.languages, topic);
	if (!keys.name || !keys_name(l, keys.name))
		return;
	if (plan_topic(l->plan, keys.name->text))
		complain(l, keys.name, "there are two topics `%s`; each has a name of its own", keys.name->text);
	topic->name = arena_strdup(l->arena, keys.name->text);
}

void topics_load(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct topic *topics;

	l->topics = list;
	if (n > TOPICS_MAX) {
		complain(l, list, "there are at most %d topics; nobody reads on", TOPICS_MAX);
		return;
	}
	topics = arena_calloc(l->arena, n + 1, sizeof(*topics));
	l->plan->topics = topics;
	for (size_t i = 0; i < n; i++) {
		load_topic(l, list->items[i], &topics[i]);
		l->plan->topic_count++;
	}
}

/* --- by name ---------------------------------------------------------------------------------------------------- */

static const char *hint(struct load *l, const char *name)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->topic_count + 1, sizeof(*names));

	for (size_t i = 0; i < plan->topic_count; i++)
		names[i] = plan->topics[i].name;
	return plan->topic_count ? keys_hint(l, name, names) : "; it has no `topics`";
}

const char *topics_find(struct load *l, const struct yaml_node *node)
{
	const struct topic *topic = plan_topic(l->plan, node->text);

	if (!topic && l->nurture_known)
		complain(l, node, "there is no topic `%s` in nurture.yaml%s", node->text, hint(l, node->text));
	return topic ? topic->name : NULL;
}

/* The line of the front matter that begins with `topic:`. */
static int line_of(const char *text)
{
	int line = 1;

	while (text && !text_starts_with(text, "topic")) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
		line++;
	}
	return text ? line : 1;
}

const char *topics_of_mail(struct load *l, const struct template *mail, const struct source *source)
{
	const char *name = template_meta_text(mail, "topic");
	const struct topic *topic = name ? plan_topic(l->plan, name) : NULL;

	if (!name || topic || !*name)
		return topic ? topic->name : NULL;
	complain_at(&l->complaints, source, line_of(source->text), 1, "there is no topic `%s` in nurture.yaml%s", name, hint(l, name));
	return NULL;
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Whoever left the topic of one of them would be in no test of the others. */
static void check_arms(struct load *l, const struct step *step, const struct step_node *node)
{
	for (size_t i = 1; i < step->arm_count; i++) {
		const struct mail_template *first = step->arms[0].mail, *mail = step->arms[i].mail;

		if (first && mail && !same(first->topic, mail->topic))
			complain(l, node->at, "the mails of a test are of one topic; `%s` is of %s, `%s` of %s", first->name,
				first->topic ? first->topic : "none", mail->name, mail->topic ? mail->topic : "none");
	}
}

static bool is_sent(const struct plan *plan, const char *topic)
{
	for (size_t i = 0; i < plan->mail_count; i++) {
		if (same(plan->mails[i].topic, topic))
			return true;
	}
	for (size_t i = 0; i < plan->sequence_count; i++) {
		if (same(plan->sequences[i].topic, topic))
			return true;
	}
	return false;
}

void topics_check(struct load *l)
{
	const struct plan *plan = l->plan;

	for (size_t i = 0; i < plan->sequence_count; i++) {
		for (int k = 0; k < plan->sequences[i].step_count; k++)
			check_arms(l, &plan->sequences[i].steps[k], &l->sequences[i].steps[k]);
	}
	for (size_t i = 0; i < plan->topic_count && l->mails_known; i++) {
		if (*plan->topics[i].name && plan_topic(plan, plan->topics[i].name) == &plan->topics[i] && !is_sent(plan, plan->topics[i].name))
			complain(l, yaml_get(l->topics->items[i], "name"),
				"no mail and no sequence is of the topic `%s`: whoever subscribes to it would get nothing; name it in the "
				"front matter of a mail, or take it out", plan->topics[i].name);
	}
}
