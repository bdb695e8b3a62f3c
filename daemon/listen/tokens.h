/*
 * tokens.h: a text as words to compare: without case and accents ("Löschen" is "loschen", "don't" is "dont", "e-mail" is "email"),
 * doubled letters are one ("adress"), a mail
 * address is "@"; each Chinese and Japanese character is one. Pure; any thread.
 */
#ifndef LISTEN_TOKENS_H
#define LISTEN_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct arena;

struct token {
	struct slice text;	/* folded */
	size_t from, to;	/* bytes of the text */
	unsigned sentence;	/* from 0 */
	bool comma, part;	/* a comma stands before it; something that parts more: a colon, a bracket, a dash */
	char mark;		/* '?' or '!': the first that stands behind it; 0: none */
	bool quoted;		/* a quotation mark was opened before it in its sentence */
};

/* Of n bytes of UTF-8, `most` at most; how many. A line that is long enough to have been broken by a program ends no sentence. */
size_t tokens_read(struct arena *arena, const char *text, size_t n, size_t most, struct token **tokens_out);

#endif
