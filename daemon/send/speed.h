/*
 * speed.h: how fast a relay may be given messages. Pure: times are given (clock_steady()).
 *
 * A bucket that fills at the configured rate. When the relay says that it is too much, half of it, or of what was really sent where nothing is
 * configured, for a while; then twice as much with each clean while, until it is what it was.
 */
#ifndef SEND_SPEED_H
#define SEND_SPEED_H

#include <stdint.h>

#include "config/plan.h"

struct speed {
	double most;		/* messages a second; 0: no limit */
	double rate;		/* now; 0: no limit */
	double full;		/* what it rises to again; 0: `most` */
	double tokens;
	int64_t at;		/* when `tokens` was true */
	double seen;		/* messages a second that went out lately */
	int64_t seen_at;
	int64_t halved;		/* when, last */
	int64_t until, span;	/* of the slow while under way; 0: none */
};

void speed_init(struct speed *p, struct rate configured, int64_t now);
/* 0: one may go now, and is taken off; else how long until it may. */
int64_t speed_take(struct speed *p, int64_t now);
/* Half as fast for `span`. Many replies say it of the same moment: again only after 10 s. 1: it is slower now; 0: it was already. */
int speed_halve(struct speed *p, int64_t span, int64_t now);
/* Messages a second that may go out now; 0: no limit. */
double speed_rate(struct speed *p, int64_t now);

#endif
