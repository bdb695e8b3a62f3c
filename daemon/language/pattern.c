/*
 * pattern.c: PCRE2 with limits. A marketer's pattern meets texts from strangers: the limits make the worst
 * pair cost a millisecond, and such a pair counts as no match.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <stdint.h>
#include <stdlib.h>

#include <pcre2.h>

#include "base/mem.h"

#include "pattern.h"

#define SOURCE_MAX 1000
#define TEXT_MAX 16384		/* of a longer text the beginning is looked at */

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
};

static uint32_t options_of(struct slice flags, struct err *err)
{
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF;

	for (size_t i = 0; i < flags.len; i++) {
		if (flags.data[i] != 'i') {
			err_set(err, "a pattern knows the flag i (without regard to case), not \"%c\"",
				flags.data[i]);
			return 0;
		}
		options |= PCRE2_CASELESS;
	}
	return options;
}

struct pattern *pattern_new(struct slice source, struct slice flags, size_t *at_out, struct err *err)
{
	uint32_t options = options_of(flags, err);
	struct pattern *p;
	PCRE2_UCHAR why[160];
	PCRE2_SIZE at = 0;
	pcre2_code *code;
	int number;

	*at_out = source.len;
	if (!options)
		return NULL;
	if (source.len > SOURCE_MAX) {
		err_set(err, "this pattern is longer than %d characters", SOURCE_MAX);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)source.data, source.len, options, &number, &at, NULL);
	if (!code) {
		pcre2_get_error_message(number, why, sizeof(why));
		err_set(err, "this pattern does not work: %s", (const char *)why);
		*at_out = at;
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->code = code;
	p->limits = pcre2_match_context_create(NULL);
	if (p->limits) {
		pcre2_set_match_limit(p->limits, 20000);
		pcre2_set_depth_limit(p->limits, 1000);
		pcre2_set_heap_limit(p->limits, 1000);
	}
	return p;
}

void pattern_free(struct pattern **p)
{
	if (!*p)
		return;
	pcre2_match_context_free((*p)->limits);
	pcre2_code_free((*p)->code);
	free(*p);
	*p = NULL;
}

bool pattern_found(const struct pattern *p, struct slice text)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	size_t n = text.len < TEXT_MAX ? text.len : TEXT_MAX;
	int found;

	if (!data)
		return false;
	found = pcre2_match(p->code, (PCRE2_SPTR)(text.data ? text.data : ""), n, 0, 0, data, p->limits);
	pcre2_match_data_free(data);
	return found >= 0;
}
