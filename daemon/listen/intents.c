/*
 * intents.c: which of the sets match, how sure that is, and which one leads. What somebody does not want
 * beats what they want, unless they say the second thing after the first: "Not interested in the eBook.
 * What does the tool cost?"
 */
#include <string.h>

#include "intent_sets.h"
#include "intents.h"

#define SURE_LINE 0.95		/* the whole line says it */
#define SURE_PERSON 0.85	/* an order, a question, or "I" and "we" */
#define SURE_WORD 0.6
#define LONG_TEXT 1500		/* bytes from which nobody should trust a pattern */
#define MANY 3

struct found {
	const char *name;
	double confidence;
	size_t sentence;	/* where the sentence of the best match begins, and the first one's */
	bool hit;
};

enum { UNSUBSCRIBE, NOT_INTERESTED, MEETING, CALL_ME, PRICING, DEMO, NOT_NOW, SETS };

static struct pattern *const sets[SETS] = {
	intent_set_unsubscribe, intent_set_not_interested, intent_set_meeting, intent_set_call_me,
	intent_set_pricing, intent_set_demo, intent_set_not_now,
};

static const char *const names[SETS] = {
	"unsubscribe", "not_interested", "meeting", "call_me", "pricing", "demo", "not_now",
};

/* --- one match ------------------------------------------------------------------------------------------ */

static size_t sentence_start(const char *text, size_t at)
{
	while (at > 0 && !strchr(".?!\n", text[at - 1]))
		at--;
	while (text[at] == ' ')
		at++;
	return at;
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

static double confidence(const char *text, size_t from, size_t to)
{
	static struct pattern person = PATTERN(
		"\\b(?:i|i'm|i'd|i'll|we|we're|we'd|me|us|my|our|you|your|please|ich|wir|mich|uns|bitte|je|"
		"nous|moi|yo|quiero|nosotros)\\b|\\?");
	size_t start = sentence_start(text, from), end = to + strcspn(text + to, ".!\n");

	if (whole_line(text, from, to))
		return SURE_LINE;
	if (from <= start + 2 || pattern_find(&person, text + start, end - start, 0, NULL))
		return SURE_PERSON;
	return SURE_WORD;
}

static struct found find_set(struct pattern *set, const char *name, const char *text)
{
	struct found f = { .name = name };

	for (; set->text; set++) {
		struct pattern_hit hit;
		size_t from, to;
		double sure;

		if (!pattern_find(set, text, strlen(text), 0, &hit))
			continue;
		from = (size_t)(hit.group[0].data - text);
		to = from + hit.group[0].len;
		sure = confidence(text, from, to);
		if (!f.hit || sure > f.confidence) {
			f.confidence = sure;
			f.sentence = sentence_start(text, from);
		}
		f.hit = true;
	}
	return f;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

static bool is_hot(int i)
{
	return i == MEETING || i == CALL_ME || i == PRICING || i == DEMO;
}

static void lead(struct mail_reading *r, const char *name, double sure)
{
	r->intent = name;
	r->intent_confidence = sure;
}

static void choose(const struct found *f, const char *text, struct mail_reading *r)
{
	int hot = -1, hits = 0;

	for (int i = SETS - 1; i >= 0; i--) {
		hits += f[i].hit;
		if (f[i].hit && is_hot(i))
			hot = i;
	}
	if (f[UNSUBSCRIBE].hit && (hot < 0 || f[UNSUBSCRIBE].confidence >= SURE_PERSON))
		lead(r, names[UNSUBSCRIBE], f[UNSUBSCRIBE].confidence);
	else if (f[UNSUBSCRIBE].hit || find_set(intent_set_review, "review", text).hit || hits > MANY ||
		 strlen(text) > LONG_TEXT)
		lead(r, "review", SURE_WORD);
	else if (f[NOT_INTERESTED].hit && f[NOT_NOW].hit)
		lead(r, names[NOT_NOW], f[NOT_NOW].confidence);
	else if (f[NOT_INTERESTED].hit && hot >= 0 && f[hot].sentence > f[NOT_INTERESTED].sentence)
		lead(r, names[hot], 0.5);
	else if (f[NOT_INTERESTED].hit)
		lead(r, names[NOT_INTERESTED], f[NOT_INTERESTED].confidence);
	else if (hot >= 0)
		lead(r, names[hot], f[hot].confidence);
	else if (f[NOT_NOW].hit)
		lead(r, names[NOT_NOW], f[NOT_NOW].confidence);
}

void intents_read(const char *text, struct mail_reading *r)
{
	struct found f[SETS];

	lead(r, "other", 0);
	for (int i = 0; i < SETS; i++) {
		f[i] = find_set(sets[i], names[i], text);
		if (f[i].hit && r->intent_count < READING_MAX_INTENTS)
			r->intents[r->intent_count++] = (struct mail_intent){ names[i], f[i].confidence };
	}
	choose(f, text, r);
}

bool intents_ooo(const char *text)
{
	return find_set(intent_set_ooo, "ooo", text).hit;
}

bool intents_left(const char *text)
{
	return find_set(intent_set_left_company, "left_company", text).hit;
}
