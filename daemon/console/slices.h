/*
 * slices.h: a question whose answer takes long to find: it is worked on in the reader thread in slices, between which other
 * look-ups have their turn, and answered when it is complete. Loop thread, but where it says otherwise.
 */
#ifndef CONSOLE_SLICES_H
#define CONSOLE_SLICES_H

#include <stdint.h>

#include "base/err.h"

struct db;
struct http_request;
struct store;

struct slices {
	/* Reader thread: goes on for about `us`. 1 there is more to do, 0 it is complete, -1: the request is refused with err. */
	int (*go_on)(void *work, struct db *db, int64_t us, struct err *err);
	/* Complete: answers the request. */
	void (*answer)(void *work, struct http_request *r);
	void (*free)(void *work);
};

/* Takes the work; `how` is borrowed for life. Answers 503 where it cannot be done. */
void slices_run(struct store *store, const struct slices *how, void *work, struct http_request *r);

#endif
