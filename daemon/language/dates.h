/*
 * dates.h: dates as people and programs write them, and as Ruby's strftime prints them, for Liquid's `date`. Pure.
 */
#ifndef LANGUAGE_DATES_H
#define LANGUAGE_DATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct date {
	int64_t seconds;	/* since 1970, UTC */
	int nanoseconds;
	int offset;		/* seconds east: it is printed as a clock there would show it */
	bool utc;		/* it said so */
};

/*
 * 2016-03-14, 2016/03/14, 14.3.2016, 14 March 2016, March 14, 2016, Mon Mar 14 2016; with 10:20, 10:20:30.5, 10:20 pm
 * behind or among it, and Z, UTC, +02:00, EST behind that. False if anything else stands in it.
 */
bool date_read(struct slice text, struct date *out);
/* strftime(3) with Ruby's flags and widths: %-d %^b %3N %:z. -1: the format ends inside a directive or is too wide. */
int date_print(struct buf *out, struct slice format, const struct date *d) MUSTCHECK;

#endif
