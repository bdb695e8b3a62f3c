/*
 * id.c: see id.h.
 *
 * Milliseconds and sequence are one 53-bit counter that only grows: when the clock stands, or the sequence of a
 * millisecond is used up, the counter simply goes on into the next one. The bucket is put between the two.
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/address.h"
#include "base/id.h"
#include "base/random.h"

#define EPOCH_US (INT64_C(1704067200) * 1000000)	/* 2024-01-01 UTC */
#define SEQUENCE_BITS 12
#define BUCKET_BITS 10
#define TIME_BITS 41
#define DIGITS 13

_Static_assert(BUCKETS == 1 << BUCKET_BITS, "ids carry the bucket in 10 bits");

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static _Atomic uint64_t last;	/* milliseconds << 12 | sequence */

int64_t id_new(uint16_t bucket, int64_t now_us)
{
	uint64_t ms = now_us > EPOCH_US ? (uint64_t)(now_us - EPOCH_US) / 1000 : 0;
	/* in the lower half, so that 2,048 are left; at random, so that two daemons do not meet */
	uint64_t next, old, fresh = ms << SEQUENCE_BITS | (random_u64() & 0x7ff);

	assert(bucket < BUCKETS);
	old = atomic_load_explicit(&last, memory_order_relaxed);
	do {
		next = ms > old >> SEQUENCE_BITS ? fresh : old + 1;
	} while (!atomic_compare_exchange_weak(&last, &old, next));
	ms = (next >> SEQUENCE_BITS) & ((UINT64_C(1) << TIME_BITS) - 1);
	return (int64_t)(ms << (BUCKET_BITS + SEQUENCE_BITS) | (uint64_t)bucket << SEQUENCE_BITS |
			 (next & ((1 << SEQUENCE_BITS) - 1)));
}

void id_restart(void)
{
	atomic_store(&last, 0);
}

uint16_t id_bucket(int64_t id)
{
	return (uint16_t)((uint64_t)id >> SEQUENCE_BITS & (BUCKETS - 1));
}

int64_t id_time(int64_t id)
{
	return EPOCH_US + (int64_t)((uint64_t)id >> (BUCKET_BITS + SEQUENCE_BITS)) * 1000;
}

const char *id_text(const char *prefix, int64_t id, char out[ID_TEXT])
{
	uint64_t n = (uint64_t)id;
	size_t len = strlen(prefix);
	int i;

	assert(len <= 4 && id >= 0);
	memcpy(out, prefix, len);
	out[len++] = '_';
	for (i = DIGITS - 1; i >= 0; i--) {
		out[len + (size_t)i] = alphabet[n & 31];
		n >>= 5;
	}
	out[len + DIGITS] = '\0';
	return out;
}

int id_parse(const char *prefix, const char *s, int64_t *out)
{
	size_t len = strlen(prefix);
	uint64_t n = 0;
	int i;

	if (strncmp(s, prefix, len) != 0 || s[len] != '_')
		return -1;
	s += len + 1;
	if (strnlen(s, DIGITS + 1) != DIGITS)
		return -1;
	for (i = 0; i < DIGITS; i++) {
		const char *digit = memchr(alphabet, s[i], sizeof(alphabet) - 1);

		if (!digit || n > INT64_MAX >> 5)
			return -1;
		n = n << 5 | (uint64_t)(digit - alphabet);
	}
	*out = (int64_t)n;
	return 0;
}
