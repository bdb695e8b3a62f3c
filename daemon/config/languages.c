/*
 * languages.c: see include/config/languages.h.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "config/languages.h"

bool languages_valid(const char *s)
{
	size_t n = 0;

	while (islower((unsigned char)s[n]))
		n++;
	if (n < 2 || n > 3)
		return false;
	for (s += n; *s == '-'; s += n) {
		s++;
		for (n = 0; isalnum((unsigned char)s[n]); n++)
			;
		if (n < 2 || n > 8)
			return false;
	}
	return !*s;
}

size_t languages_in(const char *name)
{
	const char *point = strrchr(name, '.');

	return point && point != name && languages_valid(point + 1) ? (size_t)(point + 1 - name) : 0;
}

static bool is_dash(char c)
{
	return c == '-' || c == '_';
}

size_t languages_wider(const char *tag, size_t n)
{
	while (n && !is_dash(tag[--n]))
		;
	return n;
}

bool languages_same(const char *tag, const char *other, size_t n)
{
	size_t i = 0;

	for (; i < n && tag[i]; i++) {
		if (!(is_dash(tag[i]) && is_dash(other[i])) && strncasecmp(&tag[i], &other[i], 1) != 0)
			return false;
	}
	return i == n && !tag[i];
}
