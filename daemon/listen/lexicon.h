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

#define MEANINGS_MAX 64
#define LANGUAGES_MAX 64	/* more are not read */
#define LANGUAGE_ALL 0		/* its words are in each language */

struct lexicon;

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

/* All senses of the words, in the order of their first one. */
size_t lexicon_read(const struct lexicon *lexicon, struct arena *arena, const struct token *tokens, size_t count, struct sense **senses_out);

#endif
