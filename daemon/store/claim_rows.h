/*
 * claim_rows.h: what the tables say of the mails that are on their way: rows of `sending`, which name what a transaction claimed, and of `dot`, which
 * of it may go out. For claims.c, and for readers. Whoever owns the handle.
 */
#ifndef STORE_CLAIM_ROWS_H
#define STORE_CLAIM_ROWS_H

#include "claim_pack.h"
#include "inside.h"

/* --- rows of `sending` ---------------------------------------------------------------------------------- */

/* Columns: bucket, id, a body of claim_pack.h. */
struct query *claim_rows_all(struct db *db);
/* stored: it is there already. */
int claim_rows_write(struct db *db, bool stored, uint16_t bucket, int64_t id, const struct buf *body, struct err *err) MUSTCHECK;
int claim_rows_remove(struct db *db, uint16_t bucket, int64_t id, struct err *err) MUSTCHECK;
/* All of a body can be read; false: why. */
bool claim_rows_is_whole(struct slice body, const char **why);
/* As far as its row in `delivery` tells. 1, 0, -1. */
int claim_rows_ended(struct db *db, const struct packed_claim *row, struct err *err) MUSTCHECK;

/* --- rows of `dot` -------------------------------------------------------------------------------------- */

struct dot_mark {
	int64_t delivery, claimed;
};

/* Columns: id, marks. */
struct query *claim_rows_all_dots(struct db *db);
int claim_rows_write_dots(struct db *db, int64_t id, const struct buf *marks, struct err *err) MUSTCHECK;
int claim_rows_remove_dots(struct db *db, int64_t id, struct err *err) MUSTCHECK;
/* Each takes sizeof(struct dot_mark). */
void claim_rows_add_mark(struct buf *marks, const struct dot_mark *mark);
/* The mark at `at`, which is moved behind it; false: there is none. */
bool claim_rows_next_mark(struct slice marks, size_t *at, struct dot_mark *out);

/* --- for who has the tables alone ----------------------------------------------------------------------- */

struct claim_list {
	struct arena *arena;		/* for their texts */
	struct packed_claim *rows;	/* free() them */
	size_t count, cap;
};

/* Copies it. */
void claim_list_add(struct claim_list *list, const struct packed_claim *row, bool dotted);
bool claim_rows_is_sought(const struct delivery *mail, const struct claims_sought *sought);
/* Those that have not ended, in no order; what cannot be read is left out. */
int claim_rows_look(struct db *db, const struct claims_sought *sought, struct claim_list *out, struct err *err) MUSTCHECK;

/* --- migration ------------------------------------------------------------------------------------------ */

/* Within it: rows of the table as it was, a mail each, into the one that takes its place. */
int claim_rows_move(struct db *db, struct err *err) MUSTCHECK;

#endif
