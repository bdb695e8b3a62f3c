/*
 * hits.c: opens and clicks as they came in, until and after their verdict.
 */
#include "base/id.h"

#include "inside.h"

#define COLUMNS "id, prospect, delivery, kind, place, at, agent, ip, verdict, reasons"

static void read_hit(struct query *q, struct arena *arena, void *row)
{
	struct hit *h = row;

	h->id = query_get_int(q, 0);
	h->prospect = query_get_int(q, 1);
	h->delivery = query_get_int(q, 2);
	h->kind = query_get_text(q, 3)[0];
	h->link = (int)query_get_int(q, 4);
	h->at = query_get_int(q, 5);
	h->agent = rows_text(q, 6, arena);
	h->ip = rows_text(q, 7, arena);
	h->verdict = (enum verdict)query_get_int(q, 8);
	h->reasons = (unsigned)query_get_int(q, 9);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO hit (bucket, id, prospect, delivery, kind, place, at, agent, ip, verdict, reasons)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");

int hits_insert(struct db *db, const struct hit *h, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);
	const char kind[2] = { h->kind, '\0' };

	query_int(q, 1, id_bucket(h->id));
	query_int(q, 2, h->id);
	query_int(q, 3, h->prospect);
	query_int(q, 4, h->delivery);
	query_text(q, 5, kind);
	query_int(q, 6, h->link);
	query_int(q, 7, h->at);
	query_text(q, 8, rows_or_empty(h->agent));
	query_text(q, 9, rows_or_empty(h->ip));
	query_int(q, 10, h->verdict);
	query_int(q, 11, h->reasons);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM hit"
	" WHERE bucket = ?1 AND id = ?2");

int hits_find(struct db *db, int64_t id, struct arena *arena, struct hit *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_hit, arena, out, err);
}

STATEMENT(of_delivery, BUCKETED,
	"SELECT " COLUMNS " FROM hit"
	" WHERE bucket = ?1 AND delivery = ?2 AND at >= ?3"
	" ORDER BY at, id");

int hits_of_delivery(struct db *db, int64_t delivery, int64_t from, struct arena *arena, struct hit **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_of_delivery);
	void *rows;

	query_int(q, 1, id_bucket(delivery));
	query_int(q, 2, delivery);
	query_int(q, 3, from);
	if (rows_collect(q, sizeof(struct hit), read_hit, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(set_verdict, BUCKETED,
	"UPDATE hit SET verdict = ?3, reasons = ?4"
	" WHERE bucket = ?1 AND id = ?2");

int hits_set_verdict(struct db *db, int64_t id, enum verdict verdict, unsigned reasons, struct err *err)
{
	struct query *q = db_query(db, &sql_set_verdict);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	query_int(q, 3, verdict);
	query_int(q, 4, reasons);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM hit"
	" WHERE bucket = ?1 AND at < ?2");

int hits_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	struct query *q = db_query(db, &sql_prune);

	query_int(q, 1, bucket);
	query_int(q, 2, before);
	return query_run(q, err) < 0 ? -1 : 0;
}
