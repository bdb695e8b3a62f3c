/*
 * random.h: random numbers. Seam for tests and simulation. Any thread.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_secret(void *out, size_t n);	/* cryptographic (RAND_bytes); never seeded */
uint64_t random_u64(void);			/* fast, per thread; seeded from random_secret() or by random_seed() */
double random_unit(void);			/* [0, 1) */
/* [0, 1), evenly spread, and the same for the same text in every process: for choices that must come out the same again. */
double random_of(const char *text);
uint64_t random_mix(uint64_t *state);		/* splitmix64: a stream of its own, from any state */
void random_seed(uint64_t seed);		/* tests: this thread's random_u64 becomes reproducible */

#endif
