/*
 * population.h: many people in a plan, and what they add up to: mails a day, what the gate holds back, load by recipient domain, how sequences
 * end, hot leads a day.
 */
#ifndef SIMULATE_POPULATION_H
#define SIMULATE_POPULATION_H

#include "simulate/simulate.h"

#define POPULATION_MAX 1000000	/* invented people */

struct population_options {
	struct plan *plan;
	const struct personas *personas;
	/* So many invented people, by the personas' shares, who come one after the other within `over`; 0: those of the database alone. */
	int64_t people, over;
	const char *database;		/* a copy of a database, whose people live by the personas too; NULL */
	int64_t start;
	int days;
	uint64_t seed;
	bool json;
	void (*read_reply)(const char *words, int64_t at, struct reply_reading *out);
};

/* Appends the report. */
int population_make(const struct population_options *options, struct buf *out, struct err *err) MUSTCHECK;

#endif
