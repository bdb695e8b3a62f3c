/*
 * decay.c: a value that halves in a fixed time, and when it passes another. Pure.
 */
#include <math.h>

#include "base/clock.h"

#include "person.h"

double decay_value(double value, int64_t at, int64_t half_life, int64_t now)
{
	if (value == 0 || now <= at || half_life <= 0)
		return value;
	return value * exp2(-(double)(now - at) / (double)half_life);
}

int64_t decay_crosses(double value, int64_t at, int64_t half_life, double threshold)
{
	double after;

	if (half_life <= 0 || threshold == 0 || value / threshold < 1.0)
		return TIME_NEVER;
	after = (double)half_life * log2(value / threshold);
	if (after > 4e18 - (double)at)
		return TIME_NEVER;
	/* a millisecond more, so that at that instant the value is below whatever the rounding */
	return at + (int64_t)after + 1000;
}
