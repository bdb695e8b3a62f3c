/*
 * flat_json.c: see flat_json.h. RFC 8259, but for what is left to others.
 */
#include <string.h>

#include "base/flat_json.h"
#include "base/text.h"

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\n\r");
}

/* Behind the closing quote; NULL: not to be read here. */
static const char *read_text(const char *s, struct slice *out)
{
	bool ascii = true;

	if (*s++ != '"')
		return NULL;
	for (out->data = s; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20 || *s == '\\')
			return NULL;
		ascii = ascii && (unsigned char)*s < 0x80;
	}
	out->len = (size_t)(s - out->data);
	return ascii || text_utf8_valid(out->data, out->len) ? s + 1 : NULL;
}

static const char *skip_digits(const char *s)
{
	const char *from = s;

	while (*s >= '0' && *s <= '9')
		s++;
	return s > from ? s : NULL;
}

static const char *read_number(const char *s, struct slice *out)
{
	out->data = s;
	s += *s == '-';
	s = *s == '0' ? s + 1 : skip_digits(s);
	if (s && *s == '.')
		s = skip_digits(s + 1);
	if (s && (*s == 'e' || *s == 'E')) {
		s++;
		s = skip_digits(s + (*s == '+' || *s == '-'));
	}
	if (s)
		out->len = (size_t)(s - out->data);
	return s;
}

static const char *read_word(const char *s, const char *word)
{
	size_t n = strlen(word);

	return strncmp(s, word, n) == 0 ? s + n : NULL;
}

static const char *read_value(const char *s, struct flat_member *out)
{
	out->text = (struct slice){ s, 0 };
	switch (*s) {
	case '"':
		out->kind = FLAT_TEXT;
		return read_text(s, &out->text);
	case 't':
		out->kind = FLAT_TRUE;
		return read_word(s, "true");
	case 'f':
		out->kind = FLAT_FALSE;
		return read_word(s, "false");
	case 'n':
		out->kind = FLAT_NULL;
		return read_word(s, "null");
	default:
		out->kind = FLAT_NUMBER;
		return read_number(s, &out->text);
	}
}

const char *flat_json_begin(const char *text)
{
	text = skip_space(text);
	return *text == '{' ? text : NULL;
}

/* At the next member's name, or at the brace behind the last; NULL: not to be read here. */
static const char *find_member(const char *s)
{
	char before = *s;

	if (before == '{' || before == ',')
		s = skip_space(s + 1);
	if (*s == '}')
		return before == ',' || *skip_space(s + 1) ? NULL : s;
	return before == '{' || before == ',' ? s : NULL;
}

int flat_json_next(const char **at, struct flat_member *out)
{
	const char *s = find_member(*at);

	if (!s)
		return -1;
	*at = s;
	if (*s == '}')
		return 0;
	s = read_text(s, &out->name);
	if (!s || *(s = skip_space(s)) != ':')
		return -1;
	s = read_value(skip_space(s + 1), out);
	if (!s)
		return -1;
	/* so that what follows a member is never taken for an object's first byte */
	s = skip_space(s);
	*at = s;
	return *s == ',' || *s == '}' ? 1 : -1;
}
