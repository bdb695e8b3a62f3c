/*
 * inbound.c: mails that came in. A mail is known again by the hash of its bytes, kept in the hash's own
 * bucket: it is taken before anybody knows whose it is.
 */
#include "base/id.h"

#include "inside.h"

STATEMENT(know, BUCKETED,
	"INSERT INTO inbound_hash (bucket, hash, inbound)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (bucket, hash) DO NOTHING");

STATEMENT(insert, BUCKETED,
	"INSERT INTO inbound (bucket, id, mailbox, received, class, prospect, delivery, summary, bytes)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

STATEMENT(keep_raw, BUCKETED,
	"INSERT INTO inbound_raw (bucket, received, inbound, raw)"
	" VALUES (?1, ?2, ?3, ?4)");

static int insert(struct db *db, const struct inbound *in, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(in->id));
	query_int(q, 2, in->id);
	query_text(q, 3, rows_or_empty(in->mailbox));
	query_int(q, 4, in->received);
	query_text(q, 5, rows_or_empty(in->class));
	query_int(q, 6, in->prospect);
	query_int(q, 7, in->delivery);
	query_text(q, 8, in->summary && *in->summary ? in->summary : "{}");
	query_int(q, 9, (int64_t)in->size);
	if (query_run(q, err) < 0)
		return -1;
	if (!in->raw)
		return 0;
	q = db_query(db, &sql_keep_raw);
	query_int(q, 1, id_bucket(in->id));
	query_int(q, 2, in->received);
	query_int(q, 3, in->id);
	query_blob(q, 4, in->raw, in->raw_len);
	return query_run(q, err) < 0 ? -1 : 0;
}

int inbound_take(struct db *db, const struct inbound *in, struct err *err)
{
	struct query *q = db_query(db, &sql_know);
	int fresh;

	/* its first ten bits, as with addresses */
	query_int(q, 1, in->sha256[0] << 2 | in->sha256[1] >> 6);
	query_blob(q, 2, in->sha256, SHA256_SIZE);
	query_int(q, 3, in->id);
	fresh = query_run(q, err);
	if (fresh != 1)
		return fresh;
	return insert(db, in, err) < 0 ? -1 : 1;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM inbound_raw"
	" WHERE bucket = ?1 AND received < ?2");

int inbound_prune(struct db *db, int64_t before, struct err *err)
{
	for (int bucket = 0; bucket < BUCKETS; bucket++) {
		struct query *q = db_query(db, &sql_prune);

		query_int(q, 1, bucket);
		query_int(q, 2, before);
		if (query_run(q, err) < 0)
			return -1;
	}
	return 0;
}
