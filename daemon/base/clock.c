/*
 * clock.c: see clock.h.
 */
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

static _Atomic int64_t fixed;

static int64_t read_clock(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return ts.tv_sec * US_SECOND + ts.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	int64_t us = atomic_load_explicit(&fixed, memory_order_relaxed);

	return us ? us : read_clock(CLOCK_REALTIME);
}

int64_t clock_steady(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_set(int64_t us)
{
	atomic_store(&fixed, us);
}
