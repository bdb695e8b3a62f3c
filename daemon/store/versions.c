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

STATEMENT(of, SITE,
	"SELECT sequence, version, since FROM sequence_version"
	" WHERE sequence = ?1"
	" ORDER BY since DESC, version"
	" LIMIT ?2");

static void read_head(struct query *q, struct arena *arena, void *row)
{
	struct sequence_version *v = row;

	v->sequence = rows_text(q, 0, arena);
	v->version = rows_text(q, 1, arena);
	v->since = query_get_int(q, 2);
	v->source = "";
}

int versions_of(struct db *db, const char *sequence, size_t max, struct arena *arena, struct sequence_version **out, size_t *count_out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_of);
	void *rows;

	query_text(q, 1, sequence);
	query_int(q, 2, (int64_t)max);
	if (rows_collect(q, sizeof(struct sequence_version), read_head, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(find, SITE,
	"SELECT sequence, version, since, source FROM sequence_version"
	" WHERE sequence = ?1 AND version = ?2");

static void read_version(struct query *q, struct arena *arena, void *row)
{
	struct sequence_version *v = row;

	read_head(q, arena, row);
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
