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
void random_seed(uint64_t seed);		/* tests: this thread's random_u64 becomes reproducible */

#endif
