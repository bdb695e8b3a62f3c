/*
 * patterns.h: regular expressions (PCRE2) over hostile text, compiled at their first use and kept.
 *
 * Each is CASELESS, UTF, UCP and MULTILINE; bytes that are not UTF-8 match nothing. A match that needs more
 * than the limits (200,000 steps, 20 MB) counts as none: text that is made to be slow is not understood, it
 * is not waited for. Any thread.
 */
#ifndef BASE_PATTERNS_H
#define BASE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PATTERN_GROUPS 8

struct pattern {
	const char *text;
	void *code;		/* pcre2_code once compiled */
};

#define PATTERN(s) { .text = (s) }
/*
 * Several times as fast: of bytes, not characters. Classes and \w \s \b know ASCII alone, and only ASCII is caseless; text in other letters
 * may stand in it, but not within [].
 */
#define PATTERN_BYTES(s) { .text = "\1" s }

/* Where it matched: [0] is the whole, then the groups; data is NULL for a group that took no part. */
struct pattern_hit {
	struct slice group[PATTERN_GROUPS];
	struct slice date;	/* the group named "date" */
};

/* The first match at or behind `from`. hit may be NULL. */
bool pattern_find(struct pattern *p, const char *s, size_t n, size_t from, struct pattern_hit *hit);
/* Frees what was compiled, not the text. */
void pattern_clear(struct pattern *p);

/* Does it compile? Any thread. */
int pattern_check(const char *text, struct err *err) MUSTCHECK;
bool pattern_in(struct pattern *p, const char *s); /* a terminated string; NULL matches nothing */

#endif
