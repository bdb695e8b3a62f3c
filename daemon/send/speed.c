/*
 * speed.c: see speed.h.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"

#include "speed.h"

#define BURST 0.2		/* of a second: a bucket holds as much, and one message at least */
#define SEEN 10.0		/* seconds over which `seen` is the mean, more or less */
#define SAME_MOMENT (10 * US_SECOND)
#define SEEN_LEAST 2.0
#define LEAST (1.0 / 60)

void speed_init(struct speed *p, struct rate configured, int64_t now)
{
	memset(p, 0, sizeof(*p));
	if (configured.count > 0 && configured.within > 0)
		p->most = (double)configured.count * US_SECOND / (double)configured.within;
	p->rate = p->most;
	p->tokens = 1;
	p->at = p->seen_at = now;
}

/* The slow while is over: twice as much for as long, or all. */
static void look(struct speed *p, int64_t now)
{
	while (p->until && now >= p->until) {
		p->until += p->span;
		p->rate *= 2;
		if (p->rate < p->full)
			continue;
		p->rate = p->most;
		p->until = 0;
	}
}

static void note_sent(struct speed *p, int64_t now)
{
	double passed = (double)(now - p->seen_at) / US_SECOND;

	p->seen = p->seen * exp(-passed / SEEN) + 1 / SEEN;
	p->seen_at = now;
}

double speed_rate(struct speed *p, int64_t now)
{
	look(p, now);
	return p->rate;
}

int64_t speed_take(struct speed *p, int64_t now)
{
	double most;

	look(p, now);
	if (p->rate > 0) {
		most = p->rate * BURST > 1 ? p->rate * BURST : 1;
		p->tokens += p->rate * (double)(now - p->at) / US_SECOND;
		if (p->tokens > most)
			p->tokens = most;
		p->at = now;
		if (p->tokens < 1)
			return (int64_t)((1 - p->tokens) / p->rate * US_SECOND) + 1;
		p->tokens--;
	} else {
		p->at = now;
	}
	note_sent(p, now);
	return 0;
}

int speed_halve(struct speed *p, int64_t span, int64_t now)
{
	double from;

	look(p, now);
	if (p->halved && now - p->halved < SAME_MOMENT)
		return 0;
	from = p->seen * exp(-(double)(now - p->seen_at) / US_SECOND / SEEN);
	if (from < SEEN_LEAST)
		from = SEEN_LEAST;	/* it has only begun */
	if (p->rate > 0 && (from > p->rate || p->until))
		from = p->rate;
	if (!p->until)
		p->full = p->most > 0 ? p->most : from;
	p->rate = from / 2 > LEAST ? from / 2 : LEAST;
	p->tokens = 0;
	p->at = p->halved = now;
	p->span = span;
	p->until = now + span;
	return 1;
}
