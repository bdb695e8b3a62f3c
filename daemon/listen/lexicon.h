/*
 * lexicon.h: which words of which languages mean what: `remove` is delete, löschen, supprimer. Pure but for
 * lexicon_new(); any thread.
 */
#ifndef LISTEN_LEXICON_H
#define LISTEN_LEXICON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokens.h"

#define MEANINGS_MAX 128	/* more are not read */
#define LANGUAGES_MAX 64	/* more are not read */
#define LANGUAGE_ALL 0		/* its words are in each language */

#define MEANING_WORDS (MEANINGS_MAX / 64)

struct lexicon;

struct meanings {
	uint64_t bits[MEANING_WORDS];
};

static inline void meanings_add(struct meanings *set, unsigned meaning)
{
	set->bits[meaning / 64] |= (uint64_t)1 << meaning % 64;
}

static inline void meanings_join(struct meanings *set, struct meanings other)
{
	for (int i = 0; i < MEANING_WORDS; i++)
		set->bits[i] |= other.bits[i];
}

static inline bool meanings_have(struct meanings set, unsigned meaning)
{
	return set.bits[meaning / 64] >> meaning % 64 & 1;
}

/* Is one of them in both? */
static inline bool meanings_meet(struct meanings a, struct meanings b)
{
	uint64_t both = 0;

	for (int i = 0; i < MEANING_WORDS; i++)
		both |= a.bits[i] & b.bits[i];
	return both != 0;
}

/* Are all of `part` in `set`? */
static inline bool meanings_hold(struct meanings set, struct meanings part)
{
	uint64_t lacking = 0;

	for (int i = 0; i < MEANING_WORDS; i++)
		lacking |= part.bits[i] & ~set.bits[i];
	return lacking == 0;
}

/* Words from the first to the last mean it in that language. */
struct sense {
	uint16_t language;
	uint8_t meaning;
	bool gap;	/* other words may stand between */
	unsigned first, last;
};

/*
 * An object of languages, each an object of meanings, each a text of words that a space parts. `-` at an end of a word: any letters may
 * stand there; `_`: the next word is; `+`: it is among the next few; `@` is a mail address. Long ones are found with one letter mistyped.
 * NULL is an empty one.
 */
struct lexicon *lexicon_new(const json_t *languages);
void lexicon_free(struct lexicon **lexicon);

size_t lexicon_languages(const struct lexicon *lexicon);	/* "all" among them */
const char *lexicon_language(const struct lexicon *lexicon, size_t language);
int lexicon_meaning(const struct lexicon *lexicon, const char *name, size_t n);	/* -1: none of that name */
const char *lexicon_meaning_name(const struct lexicon *lexicon, unsigned meaning);

/* All senses of the words, in the order of their first one. */
size_t lexicon_read(const struct lexicon *lexicon, struct arena *arena, const struct token *tokens, size_t count, struct sense **senses_out);

#endif
