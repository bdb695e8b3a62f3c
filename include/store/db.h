/*
 * db.h: the database, as code in the store thread sees it. `struct db *` exists only there (and in the reader thread): the type is the
 * lock. The driver face is narrow, so that PostgreSQL is one more file and the same SQL text.
 *
 * A statement is declared once, beside the one function that uses it:
 *
 *	STATEMENT(find, BUCKETED,
 *		"SELECT id, address FROM prospect"
 *		" WHERE bucket = ?1 AND id = ?2");
 *
 *	struct query *q = db_query(db, &sql_find);
 *	query_int(q, 1, bucket); query_int(q, 2, id);
 *	if ((got = query_row(q, err)) == 1)
 *		... query_get_int(q, 0) ...
 *	query_done(q);
 *
 * The macro also puts it in a table of all statements, which a test prepares on each driver and searches for statements on people
 * without `bucket = ?1`.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct db;
struct metric;
struct query;

enum statement_kind {
	BUCKETED,	/* names one bucket as ?1: everything on people that is on a hot path */
	SITE,		/* tables of the site (setting, mailbox, turn), or a report over all buckets in the reader thread */
};

struct statement {
	const char *name;
	enum statement_kind kind;
	const char *sql;
	int number;		/* set at start: place in the driver's cache of prepared statements */
};

#define STATEMENT(id, kind_, ...) \
	static struct statement sql_##id = { .name = __FILE__ ":" #id, .kind = kind_, .sql = __VA_ARGS__ }; \
	static struct statement *const sql_##id##_entry __attribute__((section("statements"), used)) = &sql_##id

/* --- running a statement ---------------------------------------------------------------------------------------- */

struct query *db_query(struct db *db, struct statement *statement);	/* never NULL; errors appear at query_row/query_run */
void query_int(struct query *q, int n, int64_t v);	/* n from 1 */
void query_real(struct query *q, int n, double v);
void query_text(struct query *q, int n, const char *s);		/* NULL binds NULL; borrowed until query_done/query_run */
void query_slice(struct query *q, int n, struct slice s);
void query_blob(struct query *q, int n, const void *data, size_t len);
/* 1: a row is there, 0: no more, -1. */
int query_row(struct query *q, struct err *err) MUSTCHECK;
/* Columns of the row at hand, from 0; text is borrowed until the next query_row/query_done; NULL column: 0 / NULL. */
int64_t query_get_int(struct query *q, int column);
double query_get_real(struct query *q, int column);
const char *query_get_text(struct query *q, int column);
struct slice query_get_blob(struct query *q, int column);
void query_done(struct query *q);
/* For statements without result: runs, ends, returns the number of rows changed, or -1. */
int query_run(struct query *q, struct err *err) MUSTCHECK;

/* --- what a job may know of its surroundings -------------------------------------------------------------------- */

/* Rows became due sooner than the loop may think: after the commit the loop hears of it once. */
void db_hint(struct db *db, unsigned hints);
/* Runs fn(arg) on the loop thread after the commit, only if the job is committed (not on rollback). Owns nothing. */
void db_after_commit(struct db *db, void (*fn)(void *arg), void *arg);
/* Adds to a counter (base/metrics.h) with the commit; nothing is added if the job or the transaction is rolled back. */
void db_count(struct db *db, struct metric *metric, int64_t n);
/* Runs fn(arg) in this thread if what was written so far is undone: the job's savepoint or the transaction was rolled back. What is in memory follows. */
void db_on_undo(struct db *db, void (*fn)(void *arg), void *arg);
/* The number of this transaction, never 0: what was remembered for an undo in another one is of no use any more. */
uint64_t db_transaction(const struct db *db);
/* Is this transaction's owner still the owner of the bucket? The epoch; -1 when the lease is lost. Renews within the transaction when due. */
int64_t db_epoch(struct db *db, uint16_t bucket, struct err *err) MUSTCHECK;
bool db_owns(struct db *db, uint16_t bucket);
/*
 * A moment, later than all before; and was anything written since that a mail to this person may depend on: an enrolment, a hold, a suppression in
 * the bucket of the address? Says yes in doubt, and always where other processes write too.
 */
uint64_t db_moment(struct db *db);
bool db_touched(struct db *db, uint64_t moment, int64_t prospect, uint16_t address_bucket);
/*
 * For a job of store_read(): writes all of the database, as the job sees it, into a new file of mode 0640. -1 also when that is there
 * already; half a copy is removed.
 */
int db_save(struct db *db, const char *file, struct err *err) MUSTCHECK;

#endif
