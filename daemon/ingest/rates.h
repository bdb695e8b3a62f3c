/*
 * rates.h: how often something may happen, by key, in bounded memory. Loop thread.
 *
 * The generic cell rate algorithm: "3 per hour" lets 3 through at once and then one every 20 minutes. A key
 * costs 16 bytes; when a set of slots is full, the key that is nearest to having all its turns back is
 * forgotten. Keys are kept as keyed hashes only.
 */
#ifndef INGEST_RATES_H
#define INGEST_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/plan.h"

struct rates;

struct rates *rates_new(size_t slots);	/* rounded up to a power of 2 */
void rates_free(struct rates **rates);

/*
 * Takes a turn; false when there is none, then *wait_out (may be NULL) is in how many microseconds there
 * will be. A count of 0 is no limit.
 */
bool rates_take(struct rates *rates, const char *scope, const char *key, struct rate limit, int64_t now,
	int64_t *wait_out);
/* Gives a turn back that should not have counted. */
void rates_give(struct rates *rates, const char *scope, const char *key, struct rate limit, int64_t now);
/* What an address is limited by: an IPv4 address itself, of an IPv6 address its /64, in `out`. */
const char *rates_network(const char *ip, char out[48]);

#endif
