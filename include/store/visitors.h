/*
 * visitors.h: people of whom nothing is known but the id that nurture.js gave their browser, and what they did until they said who they are.
 *
 * A website's own number of a person (Segment's userId) is such an id too: "user " and the number, which no browser's id begins with.
 *
 * A visitor lies in the bucket of the hash of their id. Once joined to a prospect, what they do goes to the prospect at once. Store thread.
 */
#ifndef STORE_VISITORS_H
#define STORE_VISITORS_H

#include "store/rows.h"

#define VISITOR_EVENTS 100	/* kept of one visitor who is nobody yet; later ones are dropped */

/* 1 joined to *prospect_out, 0 to nobody yet, -1. */
int visitors_find(struct db *db, const char *anonymous_id, int64_t *prospect_out, struct err *err) MUSTCHECK;
int visitors_join(struct db *db, const char *anonymous_id, int64_t prospect, int64_t now, struct err *err) MUSTCHECK;
/* e->prospect, id and points are not used. */
int visitors_add_event(struct db *db, const char *anonymous_id, const struct event_row *e, struct err *err) MUSTCHECK;
/* In the order of their time; removes them. */
int visitors_take_events(struct db *db, const char *anonymous_id, struct arena *arena, struct event_row **out, size_t *count_out, struct err *err) MUSTCHECK;

/* --- touches: where people came from (Segment's `campaign`, or a site that led here), JSON objects -------------------- */

struct touches {
	int64_t first_at, last_at;
	const char *first, *last;
};

/* The earliest stays the first, the latest becomes the last, in whatever order they come. */
int touches_put(struct db *db, int64_t prospect, int64_t at, const char *touch, struct err *err) MUSTCHECK;
int touches_find(struct db *db, int64_t prospect, struct arena *arena, struct touches *out, struct err *err) MUSTCHECK;	/* read */

#endif
