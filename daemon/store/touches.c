/*
 * touches.c: where somebody first came from, and where last: a row for each person of whom that is known.
 */
#include "base/id.h"
#include "store/visitors.h"

#include "inside.h"

STATEMENT(put, BUCKETED,
	"INSERT INTO touch (bucket, prospect, first_at, first, last_at, last)"
	" VALUES (?1, ?2, ?3, ?4, ?3, ?4)"
	" ON CONFLICT (bucket, prospect) DO UPDATE SET"
	"  first = CASE WHEN excluded.first_at < touch.first_at THEN excluded.first ELSE touch.first END,"
	"  first_at = CASE WHEN excluded.first_at < touch.first_at THEN excluded.first_at ELSE touch.first_at END,"
	"  last = CASE WHEN excluded.last_at >= touch.last_at THEN excluded.last ELSE touch.last END,"
	"  last_at = CASE WHEN excluded.last_at >= touch.last_at THEN excluded.last_at ELSE touch.last_at END");

int touches_put(struct db *db, int64_t prospect, int64_t at, const char *touch, struct err *err)
{
	struct query *q = db_query(db, &sql_put);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, at);
	query_text(q, 4, touch);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT first_at, first, last_at, last FROM touch"
	" WHERE bucket = ?1 AND prospect = ?2");

static void read_touches(struct query *q, struct arena *arena, void *row)
{
	struct touches *t = row;

	*t = (struct touches){
		.first_at = query_get_int(q, 0), .first = rows_text(q, 1, arena), .last_at = query_get_int(q, 2), .last = rows_text(q, 3, arena),
	};
}

int touches_find(struct db *db, int64_t prospect, struct arena *arena, struct touches *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	return rows_one(q, read_touches, arena, out, err);
}
