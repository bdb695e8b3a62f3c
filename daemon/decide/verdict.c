/*
 * verdict.c: was it a person who opened or clicked? A first set of rules; what they leave unknown counts as human. Pure.
 */
#include <string.h>

#include "base/clock.h"

#include "decide.h"

enum verdict verdict_first(const char *agent, bool head, unsigned *reasons_out)
{
	*reasons_out = (head ? VERDICT_HEAD : 0) | (!agent || !*agent ? VERDICT_NO_AGENT : 0);
	return *reasons_out ? VERDICT_MACHINE : VERDICT_UNKNOWN;
}

/* Distinct links clicked within `span` around `at`. */
static int links_within(const struct hit *hits, size_t count, int64_t at, int64_t span)
{
	bool seen[256] = { false };
	int links = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		int64_t apart = hits[i].at > at ? hits[i].at - at : at - hits[i].at;

		if (hits[i].kind != 'c' || apart > span || seen[(uint8_t)hits[i].link])
			continue;
		seen[(uint8_t)hits[i].link] = true;
		links++;
	}
	return links;
}

bool verdict_is_burst(const struct hit *hits, size_t count, int64_t at)
{
	return links_within(hits, count, at, 5 * US_SECOND) >= 3 || links_within(hits, count, at, US_SECOND) >= 2;
}
