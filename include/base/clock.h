/*
 * clock.h: the one source of time. Seam for tests and simulation. Any thread.
 *
 * Times are int64 microseconds since 1970 UTC, durations int64 microseconds.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define US_SECOND INT64_C(1000000)
#define US_MINUTE (60 * US_SECOND)
#define US_HOUR (60 * US_MINUTE)
#define US_DAY (24 * US_HOUR)
#define TIME_NEVER INT64_MAX

int64_t clock_now(void);	/* wall clock, or what clock_set() said */
int64_t clock_steady(void);	/* CLOCK_MONOTONIC, never set; for lateness and time-outs, not for dates */

/* Tests and simulation: stops the wall clock at `us`; 0 lets it run again. */
void clock_set(int64_t us);

#endif
