/*
 * once.c: keys of requests that were accepted, and the answers that they got.
 *
 * Old keys of a bucket are deleted by one scan of the bucket an hour at most, when the bucket is used
 * anyway: an index on time would cost every sign-up more.
 */
#include "base/clock.h"

#include "inside.h"

STATEMENT(prune, BUCKETED,
	"DELETE FROM once"
	" WHERE bucket = ?1 AND at < ?2");

static int prune(struct db *db, uint16_t bucket, int64_t now, struct err *err)
{
	int64_t *last = &db->once_pruned[bucket];
	struct query *q;

	if (now >= *last && now - *last < US_HOUR)
		return 0;
	*last = now;
	q = db_query(db, &sql_prune);
	query_int(q, 1, bucket);
	query_int(q, 2, now - ONCE_KEEP);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT answer FROM once"
	" WHERE bucket = ?1 AND once_key = ?2");

STATEMENT(take, BUCKETED,
	"INSERT INTO once (bucket, once_key, at, answer)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (bucket, once_key) DO NOTHING");

int once_take(struct db *db, uint16_t bucket, const char *key, int64_t now, const char *answer,
		struct arena *arena,
		const char **answer_out, struct err *err)
{
	struct query *q;
	int taken, got;

	if (prune(db, bucket, now, err) < 0)
		return -1;
	q = db_query(db, &sql_take);
	query_int(q, 1, bucket);
	query_text(q, 2, key);
	query_int(q, 3, now);
	query_text(q, 4, rows_or_empty(answer));
	taken = query_run(q, err);
	if (taken != 0)
		return taken;
	q = db_query(db, &sql_find);
	query_int(q, 1, bucket);
	query_text(q, 2, key);
	got = query_row(q, err);
	if (got == 1)
		*answer_out = rows_text(q, 0, arena);
	query_done(q);
	return got == 1 ? 0 : -1;
}
