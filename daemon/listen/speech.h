/*
 * speech.h: what a text says, by forms: which meanings of its words stand together, in whatever language. "remove me" is said by "bitte
 * löschen Sie mich" too. Pure but for forms_new(); any thread.
 */
#ifndef LISTEN_SPEECH_H
#define LISTEN_SPEECH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct lexicon;
struct sense;
struct token;

struct speech;		/* one text, read by a vocabulary */
struct speech_forms;

struct speech_hit {
	const char *form, *language;
	size_t from, to;	/* bytes of the text */
	size_t clause;
};

/*
 * A form is meanings of the vocabulary, `/` between those of which one is enough, few words apart within one clause: a sentence without
 * commas, but for those around `please` and before `that`. `a b`: in any order; `a > b`: in this one; `a >> b`: and close; `a , b`: in this
 * order, b perhaps in the next clause; `!a`: nowhere in the clause; `=` at its start: the sentence says nothing else but words of `please`
 * and `filler`; `~`: and of `common`, `we`, `you`, `it`; `|`: as `=`, of the clause; `a . b`: b in one of the next two sentences. All of it is found in one language.
 */
struct speech_forms *speech_forms_new(const struct lexicon *lexicon, const json_t *list);
void speech_forms_free(struct speech_forms **forms);

/* `text` is n bytes of UTF-8; it and the vocabulary are borrowed, the rest is the arena's. */
struct speech *speech_read(const struct lexicon *lexicon, struct arena *arena, const char *text, size_t n);

/* The first of `means` that is in clause `clause` (from 0) or behind it, in none of whose clauses is one of `but_not`. */
bool speech_find(const struct speech *speech, const struct speech_forms *means, const struct speech_forms *but_not, size_t clause,
	struct speech_hit *hit_out);

/* Which of the forms is in a clause that has bytes of [from, to); NULL: none. */
const char *speech_has(const struct speech *speech, const struct speech_forms *forms, size_t from, size_t to);

/* What it was read as, for others who look at it by words: the words, the senses in them, and what a sense's meaning is called. */
const struct token *speech_tokens(const struct speech *speech, size_t *count_out);
const struct sense *speech_senses(const struct speech *speech, size_t *count_out);
const char *speech_meaning(const struct speech *speech, unsigned meaning);

#endif
