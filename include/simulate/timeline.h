/*
 * timeline.h: one person's life in a plan as a text: a line a thing that happens. And a text that was kept, to compare with.
 */
#ifndef SIMULATE_TIMELINE_H
#define SIMULATE_TIMELINE_H

#include "simulate/simulate.h"

struct timeline_options {
	struct plan *plan;
	const struct persona *persona;
	const char *sequence;		/* what it is all about; one that is entered by hand, they are entered into; NULL */
	bool dated;			/* `from` instead of when the persona says: */
	struct persona_date from;
	int from_minute;		/* of the day; -1: the persona's */
	int days;			/* 0: the persona's */
	uint64_t seed;
	bool json;
	void (*read_reply)(const char *words, int64_t at, struct reply_reading *out);
};

/* The instant at which the persona comes: what they say, or `from`; today by the clock if neither does. */
int64_t timeline_start(const struct timeline_options *options);

/* Appends it: a heading, the lines, what it came to. As JSON: an object with `things`. */
int timeline_make(const struct timeline_options *options, struct buf *out, struct err *err) MUSTCHECK;

/*
 * Is the file just that text? 1; 0 and a unified diff (from the file to the text) of at most some hundred lines; -1: it cannot be read.
 */
int golden_compare(const char *file, struct slice text, struct buf *diff, struct err *err) MUSTCHECK;
/* Writes it: the whole or nothing. */
int golden_write(const char *file, struct slice text, struct err *err) MUSTCHECK;

#endif
