/*
 * leases.c: who owns which bucket. 1,024 rows (bucket, owner, epoch, until); the epoch grows with each
 * process that takes the bucket.
 *
 * On an engine that several daemons share, a transaction renews the lease row of each bucket that it
 * writes to, once, and that row's lock is what serialises it with a takeover. SQLite serialises writers
 * as a whole, and a daemon takes all buckets in one transaction, so there the row of one bucket, looked
 * at once a transaction, stands for all; it is renewed when a third of its time is over. The check is
 * made by db.c before the first statement that writes, and by the store thread at each BEGIN.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "inside.h"

#define LEASE_TIME (30 * US_SECOND)
#define RENEW_AFTER (LEASE_TIME / 3)
#define NOT_CHECKED 0

struct leases {
	char *owner;
	int64_t epoch[BUCKETS];		/* ours; 0: not ours */
	int64_t renew[BUCKETS];		/* clock_steady() from which it is to be renewed */
	uint64_t checked[BUCKETS];	/* number of the transaction that last looked */
	uint64_t transaction;
	bool lost;
};

struct leases *leases_new(const char *owner)
{
	struct leases *l = xcalloc(1, sizeof(*l));

	l->owner = xstrdup(owner);
	l->transaction = NOT_CHECKED + 1;
	return l;
}

void leases_free(struct leases **leases)
{
	if (!*leases)
		return;
	free((*leases)->owner);
	free(*leases);
	*leases = NULL;
}

void leases_begin(struct leases *leases)
{
	leases->transaction++;
}

STATEMENT(take, BUCKETED,
	"INSERT INTO lease (bucket, owner, epoch, until_us) VALUES (?1, ?2, 1, ?3)"
	" ON CONFLICT (bucket) DO UPDATE"
	"  SET owner = excluded.owner, epoch = lease.epoch + 1, until_us = excluded.until_us"
	" RETURNING epoch");

int leases_take(struct db *db, struct err *err)
{
	struct leases *l = db->leases;
	int got = 1;

	db->fencing = true;
	for (int bucket = 0; bucket < BUCKETS && got == 1; bucket++) {
		struct query *q = db_query(db, &sql_take);

		query_int(q, 1, bucket);
		query_text(q, 2, l->owner);
		query_int(q, 3, clock_now() + LEASE_TIME);
		got = query_row(q, err);
		if (got == 1)
			l->epoch[bucket] = query_get_int(q, 0);
		query_done(q);
		l->renew[bucket] = clock_steady() + RENEW_AFTER;
	}
	db->fencing = false;
	return got == 1 ? 0 : -1;
}

STATEMENT(look, BUCKETED,
	"SELECT epoch FROM lease"
	" WHERE bucket = ?1 AND owner = ?2 AND epoch = ?3");

STATEMENT(renew, BUCKETED,
	"UPDATE lease SET until_us = ?4"
	" WHERE bucket = ?1 AND owner = ?2 AND epoch = ?3");

/* 1: the row is still ours, 0: it is not. */
static int confirm(struct db *db, uint16_t bucket, struct err *err)
{
	struct leases *l = db->leases;
	bool renew = db->driver->shares || clock_steady() >= l->renew[bucket];
	struct query *q = db_query(db, renew ? &sql_renew : &sql_look);
	int got;

	query_int(q, 1, bucket);
	query_text(q, 2, l->owner);
	query_int(q, 3, l->epoch[bucket]);
	if (!renew) {
		got = query_row(q, err);
		query_done(q);
		return got;
	}
	query_int(q, 4, clock_now() + LEASE_TIME);
	got = query_run(q, err);
	if (got > 0)
		l->renew[bucket] = clock_steady() + RENEW_AFTER;
	return got;
}

int64_t db_epoch(struct db *db, uint16_t bucket, struct err *err)
{
	struct leases *l = db->leases;
	uint16_t row = db->driver->shares ? bucket : 0;
	int got;

	if (!l)
		return err_set(err, "the reader owns no bucket");
	if (l->lost)
		goto lost;
	if (l->checked[row] != l->transaction) {
		db->fencing = true;
		got = confirm(db, row, err);
		db->fencing = false;
		if (got < 0)
			return -1;
		if (got == 0)
			goto lost;
		l->checked[row] = l->transaction;
	}
	return l->epoch[bucket];
lost:
	l->lost = true;
	db_note(db, TROUBLE_LEASE);
	return err_set(err,
			"another daemon has taken over the database; this one can change nothing any more");
}

bool db_owns(struct db *db, uint16_t bucket)
{
	return db->leases && !db->leases->lost && db->leases->epoch[bucket] > 0;
}
