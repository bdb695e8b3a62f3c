/*
 * field_value.c: what a form or the website's server says a declared field is.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "parts.h"

#define VALUE_MAX 500

static const char *yes_or_no(const char *s)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return "true";
		if (strcasecmp(s, no[i]) == 0)
			return "false";
	}
	return NULL;
}

const char *field_value(struct arena *arena, enum value_type type, const char *value, const char **wrong_out)
{
	struct slice trimmed = slice_trim(slice_of(value));
	const char *s = arena_strndup(arena, trimmed.data, trimmed.len);
	int64_t time;
	double number;

	*wrong_out = NULL;
	if (text_has_control(s, trimmed.len))
		*wrong_out = "may not contain control characters";
	else if (text_utf8_length(s, trimmed.len) > VALUE_MAX)
		*wrong_out = "is longer than 500 characters";
	else if (trimmed.len == 0)
		return s;
	else if (type == VALUE_REAL && text_double(s, &number) < 0)
		*wrong_out = "is not a number";
	else if (type == VALUE_TIME && text_time_parse(s, &time) < 0)
		*wrong_out = "is not a time such as 2026-11-22T03:21:35Z";
	else if (type == VALUE_BOOL && !(s = yes_or_no(s)))
		*wrong_out = "is neither yes nor no";
	return *wrong_out ? NULL : s;
}

const char *field_language(struct arena *arena, const char *s)
{
	char *out;
	size_t n;

	if (!s)
		return "";
	s += strspn(s, " \t");
	n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (n < 2 || n > 3 || (s[n] && !strchr("-_,; \t", s[n])))
		return "";
	out = arena_strndup(arena, s, n);
	text_lower(out);
	return out;
}
