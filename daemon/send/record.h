/*
 * record.h: dots and outcomes on their way into the store. Loop thread.
 *
 * What one turn of the loop brings goes into jobs together: a savepoint covers up to 64 deliveries. A job that the store refuses is split, so that one bad row
 * holds up no other; what the transaction's failure threw back, outcomes and releases, is offered again until it is taken.
 */
#ifndef SEND_RECORD_H
#define SEND_RECORD_H

#include <stddef.h>

#include "base/loop.h"
#include "decide/facts.h"

#include "work.h"

struct records;

struct record_owner {
	/* Its dot is decided: work->may_out; `failed`: the store could not say. */
	void (*dot_done)(void *ctx, struct work *work, bool failed);
	/* Its outcome, or its release, is committed. */
	void (*recorded)(void *ctx, struct work *work);
	void *ctx;
};

struct records *records_new(struct loop *loop, struct decide *decide, const struct record_owner *owner);
/* Jobs that run still may complete later, and are then forgotten; the works must outlive the store or belong to nobody. */
void records_free(struct records **records);

/* One at a time for each work. */
void records_add(struct records *r, struct work *work, enum record what);

#endif
