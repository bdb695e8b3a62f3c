/*
 * lex.h: the one lexer, of expressions in config and of what stands between {{ }} and {% %} in templates.
 * Pure.
 *
 * Both are the same but for two things: durations (`14 days`) and regular expressions are config's alone,
 * and a name may end in '?' in templates alone. A lexeme borrows from the text.
 */
#ifndef LANGUAGE_LEX_H
#define LANGUAGE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum lex_kind {
	LEX_END,
	LEX_BAD,		/* l->complaint says why */
	LEX_NAME,
	LEX_INT,
	LEX_REAL,
	LEX_TEXT,		/* `text` is what stands between the quotes */
	LEX_DURATION,
	LEX_PATTERN,		/* `text` between the slashes; flags follow in `flags` */
	LEX_EQ, LEX_NE, LEX_LT, LEX_LE, LEX_GT, LEX_GE,
	LEX_ASSIGN, LEX_DOT, LEX_DOTDOT, LEX_COMMA, LEX_COLON, LEX_PIPE,
	LEX_OPEN, LEX_CLOSE, LEX_OPEN_SQUARE, LEX_CLOSE_SQUARE,
};

struct lexeme {
	enum lex_kind kind;
	size_t offset, end;	/* bytes into the text, quotes included */
	struct slice text;
	struct slice flags;
	int64_t integer;	/* LEX_INT, LEX_DURATION */
	double real;		/* LEX_REAL */
};

struct lexer {
	const char *text;
	size_t len, pos;
	bool config;		/* durations; no '?' in names */
	struct lexeme at;	/* the lexeme at hand */
	char complaint[128];
};

/* Starts at the first lexeme of text[0..len). */
void lex_init(struct lexer *l, const char *text, size_t len, bool config);
/* Steps to the next one; at the end it stays there. */
void lex_next(struct lexer *l);
/* Steps to a /pattern/flags; LEX_BAD if none stands there. */
void lex_next_pattern(struct lexer *l);
/* Is the lexeme at hand the name `word`? */
bool lex_is(const struct lexer *l, const char *word);
/* The lexeme at hand as it was written, for messages: "end of text" at the end; cut at 40 bytes. */
const char *lex_show(const struct lexer *l, char out[64]);

#endif
