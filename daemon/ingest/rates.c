/*
 * rates.c: see rates.h. Sets of WAYS slots, as a processor's cache has them.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"

#include "rates.h"

#define WAYS 8

struct slot {
	uint64_t key;	/* 0: empty */
	int64_t full;	/* when all turns will have come back */
};

struct rates {
	uint8_t secret[16];
	size_t sets;		/* a power of 2 */
	struct slot slots[];
};

struct rates *rates_new(size_t slots)
{
	size_t sets = 1;
	struct rates *rates;

	while (sets * WAYS < slots)
		sets *= 2;
	rates = xcalloc(1, sizeof(*rates) + sets * WAYS * sizeof(rates->slots[0]));
	rates->sets = sets;
	random_secret(rates->secret, sizeof(rates->secret));
	return rates;
}

void rates_free(struct rates **rates)
{
	free(*rates);
	*rates = NULL;
}

static uint64_t hash_of(const struct rates *rates, const char *scope, const char *key)
{
	uint8_t digest[SHA256_SIZE];
	struct buf b = BUF_INIT;
	uint64_t out;

	buf_add(&b, scope, strlen(scope) + 1);
	buf_str(&b, key);
	digest_hmac(rates->secret, sizeof(rates->secret), b.data, b.len, digest);
	buf_clear(&b);
	memcpy(&out, digest, sizeof(out));
	return out ? out : 1;
}

/* The key's slot, or the one to be overwritten. */
static struct slot *find(struct rates *rates, uint64_t key)
{
	struct slot *set = &rates->slots[(key & (rates->sets - 1)) * WAYS], *best = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].full < best->full)
			best = &set[i];
	}
	return best;
}

bool rates_take(struct rates *rates, const char *scope, const char *key, struct rate limit, int64_t now,
	int64_t *wait_out)
{
	uint64_t h;
	struct slot *slot;
	int64_t step, full, wait;

	if (limit.count <= 0)
		return true;
	h = hash_of(rates, scope, key);
	slot = find(rates, h);
	step = limit.within / limit.count;
	full = slot->key == h && slot->full > now ? slot->full : now;
	/* the clock may have stepped back: nobody waits longer than the window */
	if (full > now + limit.within)
		full = now + limit.within;
	wait = full + step - limit.within - now;
	if (wait > 0) {
		if (wait_out)
			*wait_out = wait;
		return false;
	}
	*slot = (struct slot){ h, full + step };
	return true;
}

void rates_give(struct rates *rates, const char *scope, const char *key, struct rate limit, int64_t now)
{
	uint64_t h;
	struct slot *slot;

	if (limit.count <= 0)
		return;
	h = hash_of(rates, scope, key);
	slot = find(rates, h);
	if (slot->key == h && slot->full > now)
		slot->full -= limit.within / limit.count;
}

const char *rates_network(const char *ip, char out[48])
{
	struct in6_addr six;

	if (inet_pton(AF_INET6, ip, &six) == 1) {
		memset(&six.s6_addr[8], 0, 8);
		if (inet_ntop(AF_INET6, &six, out, 48))
			return out;
	}
	memcpy(out, ip, strnlen(ip, 47));
	out[strnlen(ip, 47)] = '\0';
	return out;
}
