/*
 * random.c: see random.h. The fast numbers are xoshiro256++ (Blackman and Vigna), a state per thread.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/random.h"

static _Thread_local uint64_t state[4];
static _Thread_local bool seeded;

void random_secret(void *out, size_t n)
{
	unsigned char *p = out;

	while (n) {
		int piece = n > INT_MAX ? INT_MAX : (int)n;

		/* without randomness every token could be guessed: better not to run */
		if (RAND_bytes(p, piece) != 1)
			abort();
		p += piece;
		n -= (size_t)piece;
	}
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t random_u64(void)
{
	uint64_t result, t;

	if (!seeded) {
		random_secret(state, sizeof(state));
		seeded = true;
	}
	result = rotate(state[0] + state[3], 23) + state[0];
	t = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotate(state[3], 45);
	return result;
}

double random_unit(void)
{
	return (double)(random_u64() >> 11) * 0x1.0p-53;
}

uint64_t random_mix(uint64_t *stream)
{
	uint64_t z = (*stream += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double random_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);	/* FNV-1a, whose upper bits are weak in short texts: mixed below */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (double)(random_mix(&hash) >> 11) * 0x1.0p-53;
}

void random_seed(uint64_t seed)
{
	int i;

	/* as the authors say: never all zero */
	for (i = 0; i < 4; i++)
		state[i] = random_mix(&seed);
	seeded = true;
}
