/*
 * pace.c: see pace.h. Places lie at the multiples of the interval, so that a second's number of them follows from the interval alone and slow
 * rates (one a minute) need no other case.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#include "pace.h"

#define NS 1000			/* of a microsecond */
#define SECOND_NS (INT64_C(1000) * 1000 * 1000)
#define USED_MOST UINT16_MAX
#define DROP 4096		/* seconds that have passed are dropped when there are so many */

void pace_init(struct pace *p, int64_t count, int64_t within, int64_t burst)
{
	*p = (struct pace){ .burst = 1 };
	pace_set(p, count, within, burst);
}

void pace_clear(struct pace *p)
{
	int row;

	for (row = 0; row < PACE_ROWS; row++) {
		free(p->places[row].used);
		free(p->places[row].hop);
		p->places[row] = (struct pace_places){ 0 };
	}
}

/* What is full at one rate is not at another. */
static void forget_hops(struct pace *p)
{
	int row;

	for (row = 0; row < PACE_ROWS; row++)
		if (p->places[row].count)
			memset(p->places[row].hop, 0, p->places[row].count * sizeof(*p->places[row].hop));
}

void pace_set(struct pace *p, int64_t count, int64_t within, int64_t burst)
{
	int64_t interval = count ? within * NS / count : 0;

	if (count && !interval)
		interval = 1;
	p->burst = burst > 1 ? burst : 1;
	if (interval == p->interval)
		return;
	p->interval = interval;
	forget_hops(p);
}

void pace_slow(struct pace *p, int64_t interval, int64_t until)
{
	bool harder = !p->slow_until || !interval || (p->slow_interval && interval >= p->slow_interval);

	if (harder)
		p->slow_interval = interval;
	if (until > p->slow_until)
		p->slow_until = until;
	/* after a pause a quarter of the rate is the first step */
	p->again = p->slow_interval ? p->slow_interval / 2 : 4 * (p->interval ? p->interval : SECOND_NS / 20);
	forget_hops(p);
}

void pace_restore(struct pace *p)
{
	p->slow_interval = p->slow_until = p->again = 0;
	p->places[PACE_FIRST].taken = p->places[PACE_OTHERS].taken = 0;
	forget_hops(p);
}

void pace_recall(struct pace *p, enum pace_row row, int64_t until)
{
	p->places[row].taken = p->places[row].last = until;
}

int64_t pace_interval(const struct pace *p, int64_t at)
{
	int64_t interval, hours;

	if (!p->slow_until)
		return p->interval;
	if (at < p->slow_until)
		return p->slow_interval;
	hours = (at - p->slow_until) / US_HOUR;
	interval = hours < 40 ? p->again >> hours : 0;
	return interval > p->interval ? interval : p->interval;
}

/* --- the bucket --------------------------------------------------------------------------------------------------- */

/* How far the bucket may be ahead of the clock. Who is backed off has no burst. */
static int64_t tolerance(const struct pace *p, int64_t interval, bool placed)
{
	int64_t burst = interval == p->interval ? p->burst - 1 : 0, late = interval / 2 > SECOND_NS ? interval / 2 : SECOND_NS;

	return burst * interval + (placed ? late : 0);
}

bool pace_may(const struct pace *p, int64_t now, bool placed)
{
	int64_t interval = pace_interval(p, now);

	if (!interval)
		return !p->slow_until || now >= p->slow_until;
	return p->spent - tolerance(p, interval, placed) <= now * NS;
}

void pace_spend(struct pace *p, int64_t now)
{
	int64_t interval = pace_interval(p, now);

	if (interval)
		p->spent = (p->spent > now * NS ? p->spent : now * NS) + interval;
}

bool pace_waits(const struct pace *p, enum pace_row row, int64_t now)
{
	return p->places[row].last > now;
}

/* --- places ------------------------------------------------------------------------------------------------------- */

/* Of a second: how many multiples of the interval lie before it; behind it lies one more than its places. */
static int64_t before(int64_t second, int64_t interval)
{
	return second * SECOND_NS / interval;
}

static int64_t room(int64_t second, int64_t interval)
{
	int64_t n = before(second + 1, interval) - before(second, interval);

	return n < USED_MOST ? n : USED_MOST;
}

/* The n-th place of a second, microseconds. */
static int64_t place(int64_t second, int64_t interval, int64_t n)
{
	int64_t at = ((before(second, interval) + 1 + n) * interval + NS - 1) / NS, end = (second + 1) * US_SECOND - 1;

	return at < end ? at : end;
}

/* The second of the first multiple behind `at`. */
static int64_t second_of_next(int64_t at, int64_t interval)
{
	int64_t next = (at * NS / interval + 1) * interval, second = next / SECOND_NS;

	/* one that lies at the very end belongs to the second before */
	return next % SECOND_NS ? second : second - 1;
}

static void compress(struct pace_places *t, int64_t from, int64_t to)
{
	size_t i = (size_t)(from - t->base), end = (size_t)(to - t->base);

	while (i < t->count && i < end) {
		size_t step = t->hop[i] ? t->hop[i] : 1;

		if (t->hop[i])
			t->hop[i] = (uint32_t)(end - i);
		i += step;
	}
}

/* Of the multiples in this second, how many are behind at `at`. One that is no whole microsecond belongs to the next that is. */
static int64_t passed(int64_t second, int64_t interval, int64_t at)
{
	int64_t n = (at - 1) * NS / interval - before(second, interval);

	return n > 0 ? n : 0;
}

int64_t pace_find(struct pace *p, enum pace_row row, int64_t from, int64_t now)
{
	struct pace_places *t = &p->places[row];
	int64_t first = -1, interval = pace_interval(p, now), at = from;

	if (!p->interval && !p->slow_until)
		return from;
	if (t->taken > at)
		at = t->taken;
	if (interval && (p->spent - tolerance(p, interval, false)) / NS > at)
		at = (p->spent - tolerance(p, interval, false)) / NS;
	while (at < now + PACE_AHEAD) {
		int64_t second, n;

		interval = pace_interval(p, at);
		if (!interval && at < p->slow_until) {
			at = p->slow_until;
			continue;
		}
		if (!interval)
			return at;
		second = second_of_next(at - 1, interval);
		if (second < at / US_SECOND)
			second = at / US_SECOND;
		n = passed(second, interval, at);
		if (second >= t->base && second < t->base + (int64_t)t->count) {
			size_t i = (size_t)(second - t->base);

			if (first < 0)
				first = second;
			if (t->hop[i]) {
				at = (second + t->hop[i]) * US_SECOND;
				continue;
			}
			if (t->used[i] >= room(second, interval))
				t->hop[i] = 1;
			n = t->used[i] > n ? t->used[i] : n;
		}
		if (n < room(second, interval)) {
			if (first >= 0)
				compress(t, first, second);
			at = place(second, interval, n);
			return at > from ? at : from;
		}
		at = (second + 1) * US_SECOND;
	}
	return -1;
}

/* Seconds that have passed go, when they are many. */
static void drop_past(struct pace_places *t, int64_t now)
{
	int64_t past = now / US_SECOND - t->base;
	size_t n;

	if (past < DROP)
		return;
	n = (size_t)past < t->count ? (size_t)past : t->count;
	memmove(t->used, t->used + n, (t->count - n) * sizeof(*t->used));
	memmove(t->hop, t->hop + n, (t->count - n) * sizeof(*t->hop));
	t->count -= n;
	t->base += past;
}

void pace_take(struct pace *p, enum pace_row row, int64_t at, int64_t now)
{
	struct pace_places *t = &p->places[row];
	int64_t second = at / US_SECOND, interval = pace_interval(p, at), n;
	size_t need, i;

	if (at > t->last)
		t->last = at;
	if (!interval)
		return;
	if (!t->count)
		t->base = now / US_SECOND < second ? now / US_SECOND : second;
	drop_past(t, now);
	if (second < t->base)		/* the clock stepped back */
		return;
	i = (size_t)(second - t->base);
	need = i + 1;
	if (need > t->count) {
		t->used = xgrow(t->used, &t->used_cap, need, sizeof(*t->used));
		t->hop = xgrow(t->hop, &t->hop_cap, need, sizeof(*t->hop));
		memset(t->used + t->count, 0, (need - t->count) * sizeof(*t->used));
		memset(t->hop + t->count, 0, (need - t->count) * sizeof(*t->hop));
		t->count = need;
	}
	n = passed(second, interval, at) + 1;
	if (n <= t->used[i])
		n = t->used[i] + 1;
	t->used[i] = n < USED_MOST ? (uint16_t)n : USED_MOST;
}

/* By second; -1: nothing is known of it. */
static int64_t place_of_second(const struct pace_places *t, int64_t at)
{
	int64_t i = at / US_SECOND - t->base;

	return i >= 0 && i < (int64_t)t->count ? i : -1;
}

struct pace_before pace_before(const struct pace *p, enum pace_row row, int64_t at)
{
	const struct pace_places *t = &p->places[row];
	int64_t i = place_of_second(t, at);

	return (struct pace_before){ .at = at, .last = t->last, .used = i < 0 ? 0 : t->used[i] };
}

void pace_give_back(struct pace *p, enum pace_row row, const struct pace_before *before)
{
	struct pace_places *t = &p->places[row];
	int64_t i = place_of_second(t, before->at);

	t->last = before->last;
	if (i < 0)
		return;
	t->used[i] = before->used;
	t->hop[i] = 0;
}
