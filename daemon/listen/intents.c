/*
 * intents.c: which rules match, how sure that is, and which one leads. The rules are the operator's; what is said
 * here is how they weigh against each other. What somebody does not want beats what they want, unless they say the
 * second thing after the first: "Not interested in the eBook. What does the tool cost?"
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/patterns.h"
#include "intent_sets.h"
#include "intents.h"
#include "likeness.h"
#include "listen/frame.h"
#include "speech.h"
#include "lexicon.h"

#define LOOK_AT (8 * 1024)	/* bytes; longer ones go to a person anyway */
#define TRIES 20		/* matches of one pattern that may be taken back */
#define SAID_MAX 120
#define SURE_LATER 0.5
#define LINE_MORE 0.5		/* likeness */
#define SURE_LIKENESS 0.5

struct rule {
	char *name;
	double weight, like, unlike;
	bool hot, alone;
	json_t *over;
	struct pattern *say, *own_say, *unless;	/* each ends with one without text */
	struct speech_forms *means, *own_means, *but_not;	/* `own`: of the operator, whatever likeness says of it */
};

struct intent_rules {
	struct lexicon *lexicon;
	struct likeness likeness;
	struct rule *list;
	size_t count;
	double line, order, word;
	size_t long_text, many;
};

/* What is judged. */
struct reply {
	const char *text;
	size_t n;
	struct arena *arena;
	const struct speech *speech;
	struct likeness_reading likeness;
};

struct found {
	double confidence;
	size_t sentence;	/* where the sentence of the best match begins */
	const char *pattern;	/* NULL: not found */
	struct slice said;
};

/* --- the rules ------------------------------------------------------------------------------------------ */

static struct pattern *patterns_new(const json_t *texts)
{
	size_t n = json_array_size(texts);
	struct pattern *list = xcalloc(n + 1, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i].text = xstrdup(json_string_value(json_array_get(texts, i)));
	return list;
}

static void patterns_free(struct pattern *list)
{
	for (struct pattern *p = list; p->text; p++) {
		free((char *)(uintptr_t)p->text);
		pattern_clear(p);
	}
	free(list);
}

struct intent_rules *intent_rules_new(const json_t *replies)
{
	const json_t *intents = json_object_get(replies, "intents");
	struct intent_rules *r = xcalloc(1, sizeof(*r));

	r->lexicon = lexicon_new(json_object_get(replies, "vocabulary"));
	r->likeness = likeness_shipped();
	r->count = json_array_size(intents);
	r->list = xcalloc(r->count + 1, sizeof(*r->list));
	r->line = json_number_value(json_object_get(replies, "line"));
	r->order = json_number_value(json_object_get(replies, "order"));
	r->word = json_number_value(json_object_get(replies, "word"));
	r->long_text = (size_t)frame_integer(replies, "long_text", 0);
	r->many = (size_t)frame_integer(replies, "many", 0);
	for (size_t i = 0; i < r->count; i++) {
		const json_t *o = json_array_get(intents, i);

		r->list[i] = (struct rule){
			.name = xstrdup(frame_string(o, "name")),
			.weight = json_number_value(json_object_get(o, "weight")),
			.like = json_number_value(json_object_get(o, "like")),
			.unlike = json_number_value(json_object_get(o, "unlike")),
			.hot = json_is_true(json_object_get(o, "hot")),
			.alone = json_is_true(json_object_get(o, "alone")),
			.over = json_incref(json_object_get(o, "over")),
			.say = patterns_new(json_object_get(o, "say")),
			.unless = patterns_new(json_object_get(o, "unless")),
			.means = speech_forms_new(r->lexicon, json_object_get(o, "means")),
			.own_say = patterns_new(json_object_get(o, "own_say")),
			.own_means = speech_forms_new(r->lexicon, json_object_get(o, "own_means")),
			.but_not = speech_forms_new(r->lexicon, json_object_get(o, "but_not")),
		};
	}
	return r;
}

void intent_rules_free(struct intent_rules **rules)
{
	struct intent_rules *r = *rules;

	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->list[i].name);
		json_decref(r->list[i].over);
		patterns_free(r->list[i].say);
		patterns_free(r->list[i].unless);
		patterns_free(r->list[i].own_say);
		speech_forms_free(&r->list[i].own_means);
		speech_forms_free(&r->list[i].means);
		speech_forms_free(&r->list[i].but_not);
	}
	free(r->list);
	lexicon_free(&r->lexicon);
	free(r);
	*rules = NULL;
}

/* --- one match ------------------------------------------------------------------------------------------ */

static size_t sentence_start(const char *text, size_t at)
{
	while (at > 0 && !strchr(".?!\n", text[at - 1]))
		at--;
	while (text[at] == ' ')
		at++;
	return at;
}

/* Behind its last character, the question mark included. */
static size_t sentence_end(const char *text, size_t n, size_t at)
{
	while (at < n && !strchr(".?!\n", text[at]))
		at++;
	return at < n ? at + 1 : n;
}

static bool whole_line(const char *text, size_t from, size_t to)
{
	size_t words = 0;

	for (size_t i = from; i > 0 && text[i - 1] != '\n'; i--)
		words += (unsigned char)text[i - 1] > ' ' && !strchr(".,!?-*'\"", text[i - 1]);
	for (size_t i = to; text[i] && text[i] != '\n'; i++)
		words += (unsigned char)text[i] > ' ' && !strchr(".,!?-*'\"", text[i]);
	return words == 0;
}

static double sureness(const struct intent_rules *rules, const char *text, size_t n, size_t from, size_t to)
{
	static struct pattern person = PATTERN(
		"\\b(?:i|i'm|i'd|i'll|we|we're|we'd|me|us|my|our|you|your|please|ich|wir|mich|uns|mir|bitte|sie|je|me|"
		"nous|moi|merci|vous|yo|quiero|nosotros|por\\s+favor|mi|vorrei|eu|ik|wij|mij|graag|jag|jeg|mnie|proszę|"
		"меня|мне|пожалуйста)\\b|\\?");
	size_t start = sentence_start(text, from);

	if (whole_line(text, from, to))
		return rules->line;
	if (from <= start + 2 || pattern_find(&person, text, sentence_end(text, n, to), start, NULL))
		return rules->order;
	return rules->word;
}

/* The text as a whole says that the words were met by chance. Of a line that says nothing else that is believed less. */
static bool is_unlike(const struct rule *rule, const struct reply *reply, size_t from, size_t to)
{
	return reply->likeness.value < rule->unlike - (whole_line(reply->text, from, to) ? LINE_MORE : 0);
}

static bool matches_around(struct pattern *unless, const struct reply *reply, size_t from, size_t to)
{
	size_t start = sentence_start(reply->text, from), end = sentence_end(reply->text, reply->n, to > from ? to - 1 : to);

	for (; unless->text; unless++)
		if (pattern_find(unless, reply->text, end, start, NULL))
			return true;
	return false;
}

static void find_pattern(const struct intent_rules *rules, const struct rule *rule, struct pattern *p, bool own, const struct reply *reply, struct found *f)
{
	const char *text = reply->text;
	size_t n = reply->n;
	struct pattern_hit hit;
	size_t at = 0;

	for (int i = 0; i < TRIES && pattern_find(p, text, n, at, &hit); i++) {
		size_t from = (size_t)(hit.group[0].data - text), to = from + hit.group[0].len;
		double sure;

		at = to > from ? to : to + 1;
		if ((!own && is_unlike(rule, reply, from, to)) || matches_around(rule->unless, reply, from, to) || speech_has(reply->speech, rule->but_not, from, to))
			continue;
		sure = sureness(rules, text, n, from, to) * rule->weight;
		if (!f->pattern || sure > f->confidence)
			*f = (struct found){ sure, sentence_start(text, from), p->text, hit.group[0] };
		return;
	}
}

/* A form is no chance meeting of words: it is an order at least. */
static bool find_form(const struct intent_rules *rules, const struct rule *rule, bool own, const struct reply *reply, struct found *f)
{
	struct speech_hit hit;
	size_t clause = 0;

	for (int i = 0; i < TRIES && speech_find(reply->speech, own ? rule->own_means : rule->means, rule->but_not, clause, &hit); i++) {
		double sure = whole_line(reply->text, hit.from, hit.to) ? rules->line : rules->order;

		clause = hit.clause + 1;
		if ((!own && is_unlike(rule, reply, hit.from, hit.to)) || matches_around(rule->unless, reply, hit.from, hit.to))
			continue;
		*f = (struct found){ sure * rule->weight, sentence_start(reply->text, hit.from),
			arena_printf(reply->arena, "%s (%s)", hit.form, hit.language), { reply->text + hit.from, hit.to - hit.from } };
		return true;
	}
	return false;
}

/* No words of it that anybody wrote down, but the whole is like it. */
static struct found find_likeness(const struct intent_rules *rules, const struct rule *rule, const struct reply *reply)
{
	const struct likeness_reading *l = &reply->likeness;

	return (struct found){ (l->value >= SURE_LIKENESS ? rules->order : rules->word) * rule->weight, sentence_start(reply->text, l->from),
		arena_printf(reply->arena, "likeness %.2f", l->value), { reply->text + l->from, l->to - l->from } };
}

static struct found find_rule(const struct intent_rules *rules, const struct rule *rule, const struct reply *reply)
{
	struct found f = { .pattern = NULL };

	if (find_form(rules, rule, true, reply, &f) || find_form(rules, rule, false, reply, &f))
		return f;
	for (struct pattern *p = rule->own_say; p->text; p++)
		find_pattern(rules, rule, p, true, reply, &f);
	for (struct pattern *p = rule->say; p->text; p++)
		find_pattern(rules, rule, p, false, reply, &f);
	return f.pattern || reply->likeness.value < rule->like ? f : find_likeness(rules, rule, reply);
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static bool leads_over(const struct rule *rule, const char *name)
{
	size_t i;
	json_t *v;

	json_array_foreach(rule->over, i, v)
		if (!strcmp(json_string_value(v), name))
			return true;
	return false;
}

static void lead(struct mail_reading *r, const char *name, double sure)
{
	r->intent = name;
	r->intent_confidence = sure;
}

static bool is_called(const struct intent_rules *rules, int i, const char *name)
{
	return i >= 0 && !strcmp(rules->list[i].name, name);
}

/* The first, or one of those behind it that says it leads over it. -1: none. */
static int first_of(const struct intent_rules *rules, const struct found *f)
{
	int first = -1;

	for (size_t i = 0; i < rules->count; i++)
		if (f[i].pattern && (first < 0 || leads_over(&rules->list[i], rules->list[first].name)))
			first = (int)i;
	return first;
}

/* What is hot, behind that sentence; -1: nothing. */
static int hot_behind(const struct intent_rules *rules, const struct found *f, size_t sentence)
{
	for (size_t i = 0; i < rules->count; i++)
		if (f[i].pattern && rules->list[i].hot && f[i].sentence >= sentence)
			return (int)i;
	return -1;
}

/* Wishes and refusals in one mail. */
static bool contradicts(const struct intent_rules *rules, const struct found *f)
{
	bool hot = false, cold = false;

	for (size_t i = 0; i < rules->count; i++) {
		hot |= f[i].pattern && rules->list[i].hot;
		cold |= f[i].pattern && (is_called(rules, (int)i, "not_interested") || is_called(rules, (int)i, "objection") ||
						is_called(rules, (int)i, "wrong_person") || is_called(rules, (int)i, "left_company"));
	}
	return hot && cold;
}

static void choose(const struct intent_rules *rules, const struct found *f, const char *text, struct mail_reading *r)
{
	int first = first_of(rules, f), hot;
	bool firm = is_called(rules, first, "legal") ||
		    (is_called(rules, first, "unsubscribe") && (f[first].confidence >= rules->order || hot_behind(rules, f, 0) < 0));

	if (first < 0 && strlen(text) <= rules->long_text)
		return;
	if (!firm && (is_called(rules, first, "unsubscribe") || strlen(text) > rules->long_text ||
			     (r->intent_count > rules->many && contradicts(rules, f)))) {
		lead(r, "review", rules->word);
		return;
	}
	hot = is_called(rules, first, "not_interested") ? hot_behind(rules, f, f[first].sentence + 1) : -1;
	if (hot >= 0)
		lead(r, rules->list[hot].name, SURE_LATER);
	else
		lead(r, rules->list[first].name, f[first].confidence);
}

static size_t cut_at(const char *text)
{
	size_t n = strlen(text);

	if (n > LOOK_AT)
		for (n = LOOK_AT; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	return n;
}

static const char *said(struct arena *arena, struct slice s)
{
	s = slice_trim(s);
	if (s.len > SAID_MAX)
		for (s.len = SAID_MAX; s.len && ((unsigned char)s.data[s.len] & 0xc0) == 0x80; s.len--)
			;
	return arena_strndup(arena, s.data, s.len);
}

void intents_read(const struct intent_rules *rules, const char *text, struct mail_reading *r)
{
	struct reply reply = { .text = text, .n = cut_at(text), .arena = r->arena };
	struct found *f;

	lead(r, "other", 0);
	r->likeness = "";
	if (!rules)
		return;
	reply.speech = speech_read(rules->lexicon, r->arena, text, reply.n);
	likeness_read(&rules->likeness, r->arena, reply.speech, &reply.likeness);
	r->likeness = arena_printf(r->arena, "%.2f%s%s", reply.likeness.value, *reply.likeness.why ? ": " : "", reply.likeness.why);
	f = arena_calloc(r->arena, rules->count + 1, sizeof(*f));
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->list[i].alone && r->intent_count)
			continue;
		f[i] = find_rule(rules, &rules->list[i], &reply);
		if (f[i].pattern && r->intent_count < READING_MAX_INTENTS)
			r->intents[r->intent_count++] = (struct mail_intent){ arena_strdup(r->arena, rules->list[i].name),
				f[i].confidence, said(r->arena, f[i].said), arena_strdup(r->arena, f[i].pattern) };
	}
	choose(rules, f, text, r);
	r->intent = arena_strdup(r->arena, r->intent);
}

/* --- automatic replies ---------------------------------------------------------------------------------- */

static bool any_of(struct pattern *set, const char *text)
{
	for (; set->text; set++)
		if (pattern_in(set, text))
			return true;
	return false;
}

bool intents_ooo(const char *text)
{
	return any_of(intent_set_ooo, text);
}

bool intents_left(const char *text)
{
	return any_of(intent_set_left_company, text);
}
