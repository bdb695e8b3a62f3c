/*
 * journal.c: why things happened to a prospect, in the order in which they did.
 */
#include "base/clock.h"
#include "base/id.h"

#include "inside.h"

STATEMENT(add, BUCKETED,
	"INSERT INTO journal (bucket, prospect, id, at, kind, what, why)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

int journal_add(struct db *db, int64_t prospect, int64_t at, const char *kind, const char *what,
		const char *why, struct err *err)
{
	struct query *q = db_query(db, &sql_add);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, id_new(id_bucket(prospect), clock_now()));
	query_int(q, 4, at);
	query_text(q, 5, rows_or_empty(kind));
	query_text(q, 6, rows_or_empty(what));
	query_text(q, 7, rows_or_empty(why));
	return query_run(q, err) < 0 ? -1 : 0;
}

#define COLUMNS "at, prospect, kind, what, why, id"

STATEMENT(of, BUCKETED,
	"SELECT " COLUMNS " FROM journal"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY id DESC"
	" LIMIT ?3");

STATEMENT(after, BUCKETED,
	"SELECT " COLUMNS " FROM journal"
	" WHERE bucket = ?1 AND prospect = ?2 AND id > ?4"
	" ORDER BY id"
	" LIMIT ?3");

static void read_journal(struct query *q, struct arena *arena, void *row)
{
	struct journal_row *j = row;

	j->at = query_get_int(q, 0);
	j->prospect = query_get_int(q, 1);
	j->kind = rows_text(q, 2, arena);
	j->what = rows_text(q, 3, arena);
	j->why = rows_text(q, 4, arena);
	j->id = query_get_int(q, 5);
}

static int collect(struct query *q, int64_t prospect, size_t max, struct arena *arena, struct journal_row **out,
		size_t *count_out, struct err *err)
{
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, (int64_t)max);
	if (rows_collect(q, sizeof(struct journal_row), read_journal, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

int journal_of(struct db *db, int64_t prospect, size_t max, struct arena *arena, struct journal_row **out,
		size_t *count_out, struct err *err)
{
	return collect(db_query(db, &sql_of), prospect, max, arena, out, count_out, err);
}

int journal_after(struct db *db, int64_t prospect, int64_t id, size_t max, struct arena *arena,
		struct journal_row **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_after);

	query_int(q, 4, id);
	return collect(q, prospect, max, arena, out, count_out, err);
}

STATEMENT(each, SITE,
	"SELECT " COLUMNS " FROM journal"
	" WHERE at >= ?1"
	" ORDER BY bucket, prospect, id");

int journal_each(struct db *db, int64_t from, void (*fn)(void *ctx, const struct journal_row *row), void *ctx,
		struct err *err)
{
	struct query *q = db_query(db, &sql_each);
	int got;

	query_int(q, 1, from);
	while ((got = query_row(q, err)) == 1)
		fn(ctx, &(struct journal_row){ .at = query_get_int(q, 0), .prospect = query_get_int(q, 1),
				.kind = query_get_text(q, 2), .what = query_get_text(q, 3), .why = query_get_text(q, 4),
				.id = query_get_int(q, 5) });
	query_done(q);
	return got;
}
