/*
 * speech.c: see speech.h. A form is looked for in each clause and each language of which there are words in it: few, as most words of a
 * mail are in no vocabulary.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/meaning_form.h"
#include "base/mem.h"
#include "speech.h"
#include "tokens.h"
#include "lexicon.h"

#define TOKENS_MAX 2000		/* words that are read of a text */
#define SENTENCES_ON 2	/* from one part of a form to the next */
#define APART 10			/* words between two of a form */
#define CLAUSES_ON 2		/* with a comma in the form */
#define ONLY 6			/* words of a text that says nothing else */
#define CLOSE 0
#define NO_MORE 60		/* words of a sentence that says nothing else, at most */
#define TRIES 400		/* of one form in one clause */

struct item {
	struct meanings meanings;
	enum form_order order;	/* to the item before */
	bool absent;
};

/* What is in one sentence. */
struct part {
	struct item items[FORM_ITEMS];
	size_t count;
	struct meanings needs;	/* of one meaning each: without them it is not there */
	enum form_extent extent;
};

struct form {
	char *text;
	struct part parts[FORM_PARTS];
	size_t count;
};

struct speech_forms {
	struct form *list;
	size_t count;
};

struct clause {
	size_t first, end;	/* tokens */
	size_t sense, sense_end;
	struct meanings meanings;	/* of all languages */
	uint16_t *languages;		/* it may be in */
	size_t language_count;
};

struct speech {
	const struct lexicon *lexicon;
	struct token *tokens;
	struct sense *senses;
	size_t count, sense_count;
	struct clause *clauses;
	size_t clause_count;
	struct meanings please, filler, small, negation;
	bool *that;		/* of tokens: "that" begins here */
};

/* --- forms ----------------------------------------------------------------------------------------------- */

/* How many of them there are. */
static size_t meanings_of(const struct lexicon *v, struct slice names, struct meanings *out)
{
	struct slice name;
	size_t count = 0;

	*out = (struct meanings){ 0 };
	for (; form_next_meaning(&names, &name); count++) {
		int meaning = lexicon_meaning(v, name.data, name.len);

		if (meaning >= 0)
			meanings_add(out, (unsigned)meaning);
	}
	return count;
}

static void read_part(const struct lexicon *v, const struct form_part *from, struct part *p)
{
	*p = (struct part){ .count = from->count, .extent = from->extent };
	for (size_t k = 0; k < p->count; k++) {
		struct item *item = &p->items[k];
		size_t meanings = meanings_of(v, from->items[k].names, &item->meanings);

		item->order = from->items[k].order;
		item->absent = from->items[k].absent;
		if (!item->absent && meanings == 1)
			meanings_join(&p->needs, item->meanings);
	}
}

/* What is no form is never found: the configuration was checked by the same grammar. */
static void read_form(const struct lexicon *v, const char *s, struct form *f)
{
	struct meaning_form form;

	*f = (struct form){ .text = xstrdup(s) };
	if (meaning_form_parse(s, &form, NULL) < 0)
		return;
	f->count = form.count;
	for (size_t i = 0; i < form.count; i++)
		read_part(v, &form.parts[i], &f->parts[i]);
}

struct speech_forms *speech_forms_new(const struct lexicon *lexicon, const json_t *list)
{
	struct speech_forms *f = xcalloc(1, sizeof(*f));

	f->count = json_array_size(list);
	f->list = xcalloc(f->count + 1, sizeof(*f->list));
	for (size_t i = 0; i < f->count; i++)
		read_form(lexicon, json_string_value(json_array_get(list, i)), &f->list[i]);
	return f;
}

void speech_forms_free(struct speech_forms **forms)
{
	struct speech_forms *f = *forms;

	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		free(f->list[i].text);
	free(f->list);
	free(f);
	*forms = NULL;
}

/* --- a text ---------------------------------------------------------------------------------------------- */

/* Commas here part nothing: "remove, please, my address"; "please, remove me"; "ich möchte nicht, dass Sie schreiben". */
static void mark_soft(struct speech *s, bool *soft)
{
	struct meanings that;

	meanings_of(s->lexicon, slice_of("that"), &that);
	for (size_t i = 0; i < s->sense_count; i++) {
		const struct sense *e = &s->senses[i];

		if (meanings_have(that, e->meaning))
			soft[e->first] = s->that[e->first] = true;
		if (meanings_have(s->please, e->meaning) && e->last + 1 < s->count && s->tokens[e->last + 1].comma)
			soft[e->first] = soft[e->last + 1] = true;
	}
}

static void part_clauses(struct speech *s, struct arena *arena)
{
	bool *soft = arena_calloc(arena, s->count + 2, sizeof(*soft));
	struct clause *c = NULL;
	size_t sense = 0;

	s->that = arena_calloc(arena, s->count + 1, sizeof(*s->that));
	mark_soft(s, soft);
	s->clauses = arena_calloc(arena, s->count + 1, sizeof(*s->clauses));
	for (size_t i = 0; i < s->count; i++) {
		const struct token *t = &s->tokens[i];

		if (!c || t->sentence != t[-1].sentence || t->part || (t->comma && !soft[i])) {
			c = &s->clauses[s->clause_count++];
			*c = (struct clause){ .first = i, .sense = sense };
		}
		c->end = i + 1;
		for (; sense < s->sense_count && s->senses[sense].first == i; sense++)
			meanings_add(&c->meanings, s->senses[sense].meaning);
		c->sense_end = sense;
	}
}

/* --- a form in a clause ---------------------------------------------------------------------------------- */

struct search {
	const struct speech *speech;
	const struct part *part;
	size_t clause, clause_end;	/* the clauses it may be in */
	uint16_t language;
	const struct sense *chosen[FORM_ITEMS];
	size_t apart;			/* words, at most */
	int tries;
};

static bool speaks(const struct search *s, const struct sense *e)
{
	return e->language == s->language || e->language == LANGUAGE_ALL;
}

static bool is_in(const struct search *s, struct meanings meanings)
{
	for (size_t c = s->clause; c < s->clause_end; c++) {
		const struct clause *clause = &s->speech->clauses[c];

		if (!meanings_meet(clause->meanings, meanings))
			continue;
		for (size_t i = clause->sense; i < clause->sense_end; i++)
			if (meanings_have(meanings, s->speech->senses[i].meaning) && speaks(s, &s->speech->senses[i]))
				return true;
	}
	return false;
}

/* "take this address off": "take off" is around it. */
static bool is_around(const struct sense *a, const struct sense *b)
{
	return a->gap && a->first < b->first && b->last < a->last;
}

/* Words between two senses; SIZE_MAX: they overlap. */
static size_t between(const struct sense *a, const struct sense *b)
{
	if (is_around(a, b) || is_around(b, a))
		return 0;
	if (a->last < b->first)
		return b->first - a->last - 1;
	return b->last < a->first ? a->first - b->last - 1 : SIZE_MAX;
}

/* "No, send me the list": the word for no says not here. */
static bool is_cut_off(const struct speech *s, const struct sense *e)
{
	return meanings_have(s->negation, e->meaning) && e->last + 1 < s->count && s->tokens[e->last + 1].comma &&
	       !s->that[e->last + 1];
}

static bool fits(const struct search *s, size_t k, const struct sense *e)
{
	const struct sense *last = NULL;
	size_t nearest = SIZE_MAX, order = s->part->items[k].order;

	if (is_cut_off(s->speech, e))
		return false;
	for (size_t i = 0; i < k; i++) {
		size_t n;

		if (!s->chosen[i])
			continue;
		last = s->chosen[i];
		n = between(last, e);
		if (n == SIZE_MAX)
			return false;
		if (n < nearest)
			nearest = n;
	}
	if (!last)
		return true;
	if (order != FORM_ANY && e->first < last->first)
		return false;
	return nearest <= (order == FORM_CLOSE ? CLOSE : s->apart);
}

/* What may stand in what says no more than the part. */
static struct meanings fillers(const struct search *s)
{
	struct meanings meanings = s->speech->please;

	meanings_join(&meanings, s->speech->filler);
	if (s->part->extent == FORM_LOOSE)
		meanings_join(&meanings, s->speech->small);
	for (size_t k = 0; k < s->part->count; k++)
		if (!s->part->items[k].absent)
			meanings_join(&meanings, s->part->items[k].meanings);
	return meanings;
}

/* The tokens from the first to the last of what must say no more: the clause, or its sentence. False: it says more, by its length. */
static bool find_extent(const struct search *s, size_t *at, size_t *end)
{
	const struct speech *speech = s->speech;
	unsigned sentence = speech->tokens[speech->clauses[s->clause].first].sentence;

	*at = speech->clauses[s->clause].first;
	*end = speech->clauses[s->clause].end;
	if (s->part->extent == FORM_TEXT && speech->count > ONLY)
		return false;
	while (s->part->extent != FORM_CLAUSE && *end - *at <= NO_MORE && *at > 0 && speech->tokens[*at - 1].sentence == sentence)
		--*at;
	while (s->part->extent != FORM_CLAUSE && *end - *at <= NO_MORE && *end < speech->count && speech->tokens[*end].sentence == sentence)
		++*end;
	return *end - *at <= NO_MORE;
}

/* Is each token in one of the senses that may be there? They are in the order of their first one. */
static bool says_no_more(const struct search *s)
{
	const struct speech *speech = s->speech;
	struct meanings may = fillers(s);
	size_t at, end, first = s->clause;

	if (!find_extent(s, &at, &end))
		return false;
	while (first > 0 && speech->clauses[first].first > at)
		first--;
	first -= first > 0;	/* a sense may go on behind a comma */
	for (size_t i = speech->clauses[first].sense; at < end && i < speech->sense_count; i++) {
		const struct sense *e = &speech->senses[i];

		if (e->first > at)
			return false;
		if (e->last >= at && meanings_have(may, e->meaning) && speaks(s, e))
			at = e->last + 1;
	}
	return at >= end;
}

static bool match_item(struct search *s, size_t k)
{
	const struct item *item = &s->part->items[k];
	size_t until = k && item->order == FORM_NEXT_CLAUSE ? s->clause_end : s->clause + 1;

	if (k == s->part->count)
		return true;
	if (item->absent)
		return !is_in(s, item->meanings) && match_item(s, k + 1);
	if (k && s->part->items[k - 1].order == FORM_NEXT_CLAUSE)
		until = s->clause_end;
	for (size_t i = s->speech->clauses[s->clause].sense; i < s->speech->clauses[until - 1].sense_end; i++) {
		const struct sense *e = &s->speech->senses[i];

		if (!meanings_have(item->meanings, e->meaning) || !speaks(s, e) || !fits(s, k, e))
			continue;
		if (++s->tries > TRIES)
			return false;
		s->chosen[k] = e;
		if (match_item(s, k + 1))
			return true;
		s->chosen[k] = NULL;
	}
	return false;
}

static bool is_same_sentence(const struct speech *s, size_t clause, size_t other)
{
	return other < s->clause_count && s->tokens[s->clauses[other].first].sentence == s->tokens[s->clauses[clause].first].sentence;
}

/* Of each item, one meaning is there: cheaper to see than to try them. */
static bool may_match(const struct part *part, struct meanings there)
{
	for (size_t k = 0; k < part->count; k++)
		if (!part->items[k].absent && !meanings_meet(part->items[k].meanings, there))
			return false;
	return true;
}

/* What matched stays in s->chosen. */
static bool part_in(struct search *s, const struct part *part, size_t clause)
{
	const struct speech *speech = s->speech;
	struct meanings there = speech->clauses[clause].meanings;
	size_t next = clause + 1;

	s->part = part;
	s->clause = clause;
	s->clause_end = next;
	s->tries = 0;
	memset(s->chosen, 0, sizeof(s->chosen));
	for (size_t k = 0; k < part->count; k++)
		for (; part->items[k].order == FORM_NEXT_CLAUSE && s->clause_end < next + CLAUSES_ON && is_same_sentence(speech, clause, s->clause_end);
			s->clause_end++)
			meanings_join(&there, speech->clauses[s->clause_end].meanings);
	return part->count && meanings_hold(there, part->needs) && may_match(part, there) &&
	       (part->extent == FORM_AMONG || says_no_more(s)) && match_item(s, 0);
}

/* Both parts of a form, or the one it has. */
struct found {
	struct search parts[FORM_PARTS];
	size_t count;
};

static bool form_in(struct found *found, const struct form *form, const struct speech *speech, size_t clause, uint16_t language, size_t apart)
{
	unsigned sentence = speech->tokens[speech->clauses[clause].first].sentence;

	found->count = form->count;
	for (size_t i = 0; i < form->count; i++) {
		struct search *s = &found->parts[i];

		s->speech = speech;
		s->language = language;
		s->apart = apart;
	}
	if (!form->count || !part_in(&found->parts[0], &form->parts[0], clause))
		return false;
	if (form->count == 1)
		return true;
	for (size_t c = clause + 1; c < speech->clause_count; c++) {
		unsigned on = speech->tokens[speech->clauses[c].first].sentence - sentence;

		if (on > SENTENCES_ON)
			break;
		if (on && !speech->tokens[speech->clauses[c].first].quoted && part_in(&found->parts[1], &form->parts[1], c))
			return true;
	}
	return false;
}

static const struct form *any_in(const struct speech *speech, const struct speech_forms *forms, size_t clause, uint16_t language)
{
	struct found found;

	for (size_t i = 0; forms && i < forms->count; i++)
		if (form_in(&found, &forms->list[i], speech, clause, language, SIZE_MAX - 1))
			return &forms->list[i];
	return NULL;
}

static void tell(const struct found *found, const struct form *form, struct speech_hit *hit)
{
	const struct speech *speech = found->parts[0].speech;
	size_t first = SIZE_MAX, last = 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct search *s = &found->parts[i];

		for (size_t k = 0; k < s->part->count; k++) {
			if (!s->chosen[k])
				continue;
			first = s->chosen[k]->first < first ? s->chosen[k]->first : first;
			last = s->chosen[k]->last > last ? s->chosen[k]->last : last;
		}
	}
	*hit = (struct speech_hit){ form->text, lexicon_language(speech->lexicon, found->parts[0].language), speech->tokens[first].from,
		speech->tokens[last].to, found->parts[0].clause };
}

static bool is_taken_back(const struct found *found, const struct speech_forms *but_not)
{
	for (size_t i = 0; i < found->count; i++)
		for (size_t c = found->parts[i].clause; c < found->parts[i].clause_end; c++)
			if (any_in(found->parts[i].speech, but_not, c, found->parts[i].language))
				return true;
	return false;
}

/* Words of the sentence that each language has, of its senses from the first to the last. */
static void count_words(const struct speech *s, size_t sense, size_t end, size_t *words)
{
	size_t counted[LANGUAGES_MAX] = { 0 };	/* which word it was, from 1 */

	for (; sense < end; sense++) {
		const struct sense *e = &s->senses[sense];

		words[e->language] += counted[e->language] != e->first + 1u;
		counted[e->language] = e->first + 1u;
	}
}

/*
 * Which languages is it in? Words of one are found in others by chance ("me", "remove"): only those count that have nearly as many
 * words of the sentence as the best. One of `all` alone is `all`.
 */
static void add_languages(struct speech *s, struct arena *arena, struct clause *first, size_t sense_end)
{
	size_t words[LANGUAGES_MAX] = { 0 }, best = 0, count = lexicon_languages(s->lexicon);

	if (first->sense == sense_end)
		return;
	count_words(s, first->sense, sense_end, words);
	for (size_t l = 1; l < count; l++)
		best = words[l] > best ? words[l] : best;
	first->languages = arena_alloc(arena, count * sizeof(*first->languages));
	for (size_t l = 1; l < count; l++)
		if (words[l] && words[l] * 4 > best * 3)
			first->languages[first->language_count++] = (uint16_t)l;
	if (!first->language_count)
		first->languages[first->language_count++] = LANGUAGE_ALL;
}

/* Those of a sentence are the same for each of its clauses. */
static void find_languages(struct speech *s, struct arena *arena)
{
	for (size_t c = 0, next; c < s->clause_count; c = next) {
		struct clause *first = &s->clauses[c];

		for (next = c + 1; is_same_sentence(s, c, next); next++)
			;
		add_languages(s, arena, first, s->clauses[next - 1].sense_end);
		for (size_t i = c + 1; i < next; i++) {
			s->clauses[i].languages = first->languages;
			s->clauses[i].language_count = first->language_count;
		}
	}
}

struct speech *speech_read(const struct lexicon *lexicon, struct arena *arena, const char *text, size_t n)
{
	struct speech *s = arena_calloc(arena, 1, sizeof(*s));

	s->lexicon = lexicon;
	s->count = tokens_read(arena, text, n, TOKENS_MAX, &s->tokens);
	s->sense_count = lexicon_read(lexicon, arena, s->tokens, s->count, &s->senses);
	meanings_of(lexicon, slice_of("please"), &s->please);
	meanings_of(lexicon, slice_of("filler"), &s->filler);
	meanings_of(lexicon, slice_of("common/we/you/it"), &s->small);
	meanings_of(lexicon, slice_of("not/dont"), &s->negation);
	part_clauses(s, arena);
	find_languages(s, arena);
	return s;
}

bool speech_find(const struct speech *speech, const struct speech_forms *means, const struct speech_forms *but_not, size_t clause,
	struct speech_hit *hit_out)
{
	for (; clause < speech->clause_count; clause++) {
		const struct clause *c = &speech->clauses[clause];

		for (size_t l = 0; l < c->language_count && !speech->tokens[speech->clauses[clause].first].quoted; l++) {
			struct found found;

			for (size_t i = 0; i < means->count; i++) {
				if (!form_in(&found, &means->list[i], speech, clause, c->languages[l], APART) || is_taken_back(&found, but_not))
					continue;
				tell(&found, &means->list[i], hit_out);
				return true;
			}
		}
	}
	return false;
}

const char *speech_has(const struct speech *speech, const struct speech_forms *forms, size_t from, size_t to)
{
	for (size_t c = 0; c < speech->clause_count; c++) {
		const struct clause *clause = &speech->clauses[c];

		if (speech->tokens[clause->first].from >= to || speech->tokens[clause->end - 1].to <= from)
			continue;
		if (speech->tokens[clause->first].quoted)
			return "quoted";
		for (size_t l = 0; l < clause->language_count; l++) {
			const struct form *form = any_in(speech, forms, c, clause->languages[l]);

			if (form)
				return form->text;
		}
	}
	return NULL;
}

const struct token *speech_tokens(const struct speech *speech, size_t *count_out)
{
	*count_out = speech->count;
	return speech->tokens;
}

const struct sense *speech_senses(const struct speech *speech, size_t *count_out)
{
	*count_out = speech->sense_count;
	return speech->senses;
}

const char *speech_meaning(const struct speech *speech, unsigned meaning)
{
	return lexicon_meaning_name(speech->lexicon, meaning);
}
