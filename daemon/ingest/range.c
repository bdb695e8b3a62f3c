/*
 * range.c: see range.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "range.h"

/* Digits at *s, at most 15 of them; -1 if there are none or too many. */
static int64_t number(const char **s)
{
	int64_t n = 0;
	int digits = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++, digits++) {
		if (digits == 15)
			return -1;
		n = n * 10 + (**s - '0');
	}
	return digits ? n : -1;
}

enum range range_parse(const char *header, int64_t size, int64_t *from_out, int64_t *length_out)
{
	int64_t from, to;
	const char *s;

	if (!header || strncasecmp(header, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	s = header + 6;
	if (*s == '-') {
		s++;
		to = number(&s);
		if (to < 0 || *s)
			return RANGE_WHOLE;
		if (to == 0 || size == 0)
			return RANGE_OUTSIDE;
		*length_out = to < size ? to : size;
		*from_out = size - *length_out;
		return RANGE_PART;
	}
	from = number(&s);
	if (from < 0 || *s++ != '-')
		return RANGE_WHOLE;
	to = *s ? number(&s) : size - 1;
	if (*s || (to < from && to != size - 1))
		return RANGE_WHOLE;
	if (from >= size)
		return RANGE_OUTSIDE;
	*from_out = from;
	*length_out = (to < size ? to + 1 : size) - from;
	return RANGE_PART;
}
