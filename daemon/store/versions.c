/*
 * versions.c: sequences as their files said, so that people can finish the version that they entered.
 */
#include "inside.h"

STATEMENT(put, SITE,
	"INSERT INTO sequence_version (sequence, version, since, source)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (sequence, version) DO NOTHING");

int versions_put(struct db *db, const struct sequence_version *v, struct err *err)
{
	struct query *q = db_query(db, &sql_put);

	query_text(q, 1, v->sequence);
	query_text(q, 2, v->version);
	query_int(q, 3, v->since);
	query_text(q, 4, v->source);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, SITE,
	"SELECT sequence, version, since, source FROM sequence_version"
	" WHERE sequence = ?1 AND version = ?2");

static void read_version(struct query *q, struct arena *arena, void *row)
{
	struct sequence_version *v = row;

	v->sequence = rows_text(q, 0, arena);
	v->version = rows_text(q, 1, arena);
	v->since = query_get_int(q, 2);
	v->source = rows_text(q, 3, arena);
}

int versions_find(struct db *db, const char *sequence, const char *version, struct arena *arena, struct sequence_version *out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_text(q, 1, sequence);
	query_text(q, 2, version);
	return rows_one(q, read_version, arena, out, err);
}
