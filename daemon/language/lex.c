/*
 * lex.c: bytes to lexemes. Numbers are decimal; texts have no escapes, since there are two kinds of quotes;
 * a name may hold hyphens, which costs nothing in a language without subtraction and lets marketers name
 * things as they do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "lex.h"

#define CONFIG_MAX 1e15	/* so that every number in config prints back as it was */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '-';
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->pos + ahead < l->len ? l->text[l->pos + ahead] : '\0';
}

static void skip_space(struct lexer *l)
{
	while (l->pos < l->len && is_space(l->text[l->pos]))
		l->pos++;
}

static void take(struct lexer *l, enum lex_kind kind, size_t n)
{
	l->at.kind = kind;
	l->at.offset = l->pos;
	l->at.text = (struct slice){ l->text + l->pos, n };
	l->pos += n;
	l->at.end = l->pos;
}

static void refuse(struct lexer *l, size_t n, const char *why)
{
	take(l, LEX_BAD, n);
	snprintf(l->complaint, sizeof(l->complaint), "%s", why);
}

static bool is_unit(const char *s, size_t n)
{
	static const char *const units[] = { "s", "sec", "second", "seconds", "min", "m", "minute", "minutes",
		"h", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "month", "months", "year",
		"years" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i]) == n && memcmp(units[i], s, n) == 0)
			return true;
	return false;
}

static size_t letters(const char *s, size_t i, size_t len)
{
	size_t n = 0;

	while (i + n < len && ((s[i + n] >= 'a' && s[i + n] <= 'z') || (s[i + n] >= 'A' && s[i + n] <= 'Z')))
		n++;
	return n;
}

/* The end of a run of `number unit` pairs that begins at `from`, or `from` if there is none. */
static size_t duration_end(const struct lexer *l, size_t from)
{
	size_t end = from, i = from;

	for (;;) {
		size_t digits = i, unit;

		while (i < l->len && is_digit(l->text[i]))
			i++;
		if (i == digits)
			return end;
		while (i < l->len && l->text[i] == ' ')
			i++;
		unit = letters(l->text, i, l->len);
		if (!is_unit(l->text + i, unit))
			return end;
		i += unit;
		end = i;
		if (i < l->len && is_name(l->text[i]) && !is_digit(l->text[i]))
			return from;
		while (i < l->len && l->text[i] == ' ')
			i++;
	}
}

static bool take_duration(struct lexer *l)
{
	size_t end = duration_end(l, l->pos);
	char copy[80];
	struct err err;

	if (end == l->pos)
		return false;
	if (end - l->pos >= sizeof(copy)) {
		refuse(l, end - l->pos, "this duration is too long");
		return true;
	}
	memcpy(copy, l->text + l->pos, end - l->pos);
	copy[end - l->pos] = '\0';
	take(l, LEX_DURATION, end - l->pos);
	if (text_duration(copy, &l->at.integer, &err) < 0) {
		l->at.kind = LEX_BAD;
		snprintf(l->complaint, sizeof(l->complaint), "%.*s", (int)sizeof(l->complaint) - 1, err.text);
	}
	return true;
}

static void take_number(struct lexer *l)
{
	char copy[64];
	size_t n = peek(l, 0) == '-' ? 1 : 0;
	bool real = false;

	while (is_digit(peek(l, n)))
		n++;
	if (peek(l, n) == '.' && is_digit(peek(l, n + 1))) {
		real = true;
		n++;
		while (is_digit(peek(l, n)))
			n++;
	}
	if (n >= sizeof(copy)) {
		refuse(l, n, "this number is too long");
		return;
	}
	memcpy(copy, l->text + l->pos, n);
	copy[n] = '\0';
	take(l, real ? LEX_REAL : LEX_INT, n);
	if (!real && text_int(copy, &l->at.integer) == 0)
		return;
	l->at.kind = LEX_REAL;	/* also whole numbers beyond 64 bits */
	if (text_double(copy, &l->at.real) < 0 ||
		(l->config && (l->at.real > CONFIG_MAX || l->at.real < -CONFIG_MAX))) {
		l->at.kind = LEX_BAD;
		snprintf(l->complaint, sizeof(l->complaint), "this number is too large");
	}
}

static void take_text(struct lexer *l)
{
	char quote = l->text[l->pos];
	const char *end = memchr(l->text + l->pos + 1, quote, l->len - l->pos - 1);
	size_t n;

	if (!end) {
		refuse(l, l->len - l->pos,
			quote == '"' ? "this text has no closing \"" : "this text has no closing '");
		return;
	}
	n = (size_t)(end - (l->text + l->pos));
	take(l, LEX_TEXT, n + 1);
	l->at.text = (struct slice){ l->at.text.data + 1, n - 1 };
}

static void take_name(struct lexer *l)
{
	size_t n = 1;

	while (l->pos + n < l->len && is_name(peek(l, n)))
		n++;
	if (!l->config && peek(l, n) == '?')
		n++;
	take(l, LEX_NAME, n);
}

static void take_mark(struct lexer *l)
{
	static const struct {
		const char *text;
		enum lex_kind kind;
	} marks[] = {
		{ "==", LEX_EQ },
		{ "!=", LEX_NE },
		{ "<>", LEX_NE },
		{ "<=", LEX_LE },
		{ ">=", LEX_GE },
		{ "<", LEX_LT },
		{ ">", LEX_GT },
		{ "..", LEX_DOTDOT },
		{ ".", LEX_DOT },
		{ "=", LEX_ASSIGN },
		{ ",", LEX_COMMA },
		{ ":", LEX_COLON },
		{ "|", LEX_PIPE },
		{ "(", LEX_OPEN },
		{ ")", LEX_CLOSE },
		{ "[", LEX_OPEN_SQUARE },
		{ "]", LEX_CLOSE_SQUARE },
	};
	char why[64];

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i].text);

		if (l->len - l->pos >= n && memcmp(l->text + l->pos, marks[i].text, n) == 0) {
			take(l, marks[i].kind, n);
			return;
		}
	}
	if ((unsigned char)l->text[l->pos] < 0x20)
		snprintf(why, sizeof(why), "a control character has no meaning here");
	else
		snprintf(why, sizeof(why), "\"%c\" has no meaning here", l->text[l->pos]);
	refuse(l, 1, why);
}

void lex_next(struct lexer *l)
{
	char c;

	skip_space(l);
	l->at.flags = (struct slice){ NULL, 0 };
	if (l->pos >= l->len) {
		take(l, LEX_END, 0);
		return;
	}
	c = l->text[l->pos];
	if (is_digit(c) || (c == '-' && is_digit(peek(l, 1)))) {
		if (!l->config || !take_duration(l))
			take_number(l);
	} else if (is_name_start(c)) {
		take_name(l);
	} else if (c == '"' || c == '\'') {
		take_text(l);
	} else {
		take_mark(l);
	}
}

void lex_next_pattern(struct lexer *l)
{
	size_t n = 1, flags;

	skip_space(l);
	if (peek(l, 0) != '/') {
		refuse(l, 0, "a pattern is wanted here, as in: role matches /head of/i");
		return;
	}
	while (l->pos + n < l->len && peek(l, n) != '/')
		n += peek(l, n) == '\\' && l->pos + n + 1 < l->len ? 2 : 1;
	if (l->pos + n >= l->len) {
		refuse(l, l->len - l->pos, "this pattern has no closing /");
		return;
	}
	flags = letters(l->text, l->pos + n + 1, l->len);
	take(l, LEX_PATTERN, n + 1 + flags);
	l->at.flags = (struct slice){ l->at.text.data + n + 1, flags };
	l->at.text = (struct slice){ l->at.text.data + 1, n - 1 };
}

void lex_init(struct lexer *l, const char *text, size_t len, bool config)
{
	memset(l, 0, sizeof(*l));
	l->text = text;
	l->len = len;
	l->config = config;
	lex_next(l);
}

bool lex_is(const struct lexer *l, const char *word)
{
	return l->at.kind == LEX_NAME && slice_is(l->at.text, word);
}

const char *lex_show(const struct lexer *l, char out[64])
{
	size_t n = l->at.end - l->at.offset;

	if (l->at.kind == LEX_END)
		snprintf(out, 64, "the end");
	else
		snprintf(out, 64, "\"%.*s\"%s", (int)(n > 40 ? 40 : n), l->text + l->at.offset,
			n > 40 ? "..." : "");
	return out;
}
