/*
 * goal_rate.c: see goal_rate.h.
 */
#include <math.h>

#include "base/clock.h"

#include "goal_rate.h"

#define Z 1.959964
#define ENOUGH 10

static int day_of(int64_t entered, int64_t at)
{
	int64_t day = at > entered ? (at - entered) / US_DAY : 0;

	return day < GOAL_DAYS ? (int)day : GOAL_DAYS - 1;
}

void goal_reached(struct goal_curve *c, int64_t entered, int64_t reached)
{
	c->people++;
	c->reached[day_of(entered, reached)]++;
}

void goal_not_reached(struct goal_curve *c, int64_t entered, int64_t seen_until)
{
	c->people++;
	c->unseen[day_of(entered, seen_until)]++;
}

void goal_never(struct goal_curve *c)
{
	c->people++;
	c->unseen[GOAL_DAYS - 1]++;
}

static double bounded(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* How many are looked at on each day: those who had neither reached it nor gone out of sight before. */
int goal_horizon(const struct goal_curve *a, const struct goal_curve *b)
{
	int64_t left_a = a->people, left_b = b->people;
	int day, last = -1;

	for (day = 0; day < GOAL_DAYS; day++) {
		if (left_a < ENOUGH || left_b < ENOUGH || left_a * 10 < a->people || left_b * 10 < b->people)
			break;
		last = day;
		left_a -= a->reached[day] + a->unseen[day];
		left_b -= b->reached[day] + b->unseen[day];
	}
	return last;
}

struct goal_rate goal_rate_by(const struct goal_curve *c, int day)
{
	double stays = 1, sum = 0, left = (double)c->people;
	struct goal_rate r;
	int i;

	for (i = 0; i <= day && left > 0; i++) {
		double reached = (double)c->reached[i];

		stays *= 1 - reached / left;
		if (reached > 0 && left > reached)
			sum += reached / (left * (left - reached));
		left -= reached + (double)c->unseen[i];
	}
	r = (struct goal_rate){ .rate = 1 - stays, .error = stays * sqrt(sum) };
	r.low = bounded(r.rate - Z * r.error);
	r.high = bounded(r.rate + Z * r.error);
	return r;
}

struct goal_rate goal_difference(struct goal_rate a, struct goal_rate b)
{
	struct goal_rate r = { .rate = a.rate - b.rate, .error = sqrt(a.error * a.error + b.error * b.error) };

	r.low = r.rate - Z * r.error;
	r.high = r.rate + Z * r.error;
	return r;
}

struct goal_rate goal_share(int64_t won, int64_t shown)
{
	double n = (double)shown, p = shown ? (double)won / n : 0, middle, wide;

	if (!shown)
		return (struct goal_rate){ .rate = 0, .low = 0, .high = 1, .error = 0 };
	middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n);
	wide = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
	return (struct goal_rate){ .rate = p, .low = bounded(middle - wide), .high = bounded(middle + wide), .error = sqrt(p * (1 - p) / n) };
}
