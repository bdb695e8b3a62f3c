/*
 * sequences.h: sequences as people look at them: how many are where, how they ended, what their tests and holdouts say. Reader thread.
 */
#ifndef DECIDE_SEQUENCES_H
#define DECIDE_SEQUENCES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct db;
struct json_t;
struct plan;
struct sequence_look;

/* All of the plan, and those that only people are in, as a list in JSON. 1 or -1. */
int look_sequences(const struct plan *plan, struct db *db, struct buf *out, struct err *err) MUSTCHECK;

/* One in full, in slices, as it reads each way through it that there ever was. NULL: no such sequence in the plan, of which it takes a reference. */
struct sequence_look *sequence_look_new(struct plan *plan, const char *name);
void sequence_look_free(struct sequence_look **look);
/* Goes on for about so long. 1 there is more to do, 0 it is complete, -1. */
int sequence_look_go_on(struct sequence_look *look, struct db *db, int64_t us, struct err *err) MUSTCHECK;
struct json_t *sequence_look_json(const struct sequence_look *look);

#endif
