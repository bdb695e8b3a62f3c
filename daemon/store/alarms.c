/*
 * alarms.c: what an operator must see to, counted by what it is: a row each, not a row an occurrence.
 */
#include "inside.h"

STATEMENT(raise, SITE,
	"INSERT INTO alarm (kind, what, times, first, last, sample)"
	" VALUES (?1, ?2, 1, ?3, ?3, ?4)"
	" ON CONFLICT (kind, what) DO UPDATE"
	"  SET times = alarm.times + 1, last = excluded.last, sample = excluded.sample");

int alarms_raise(struct db *db, const char *kind, const char *what, const char *sample, int64_t at, struct err *err)
{
	struct query *q = db_query(db, &sql_raise);

	query_text(q, 1, kind);
	query_text(q, 2, what);
	query_int(q, 3, at);
	query_text(q, 4, rows_or_empty(sample));
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(since, SITE,
	"SELECT kind, what, times, first, last, sample"
	" FROM alarm"
	" WHERE last >= ?1"
	" ORDER BY last DESC"
	" LIMIT ?2");

static void read_alarm(struct query *q, struct arena *arena, void *row)
{
	struct alarm *a = row;

	a->kind = rows_text(q, 0, arena);
	a->what = rows_text(q, 1, arena);
	a->times = query_get_int(q, 2);
	a->first = query_get_int(q, 3);
	a->last = query_get_int(q, 4);
	a->sample = rows_text(q, 5, arena);
}

int alarms_since(struct db *db, int64_t since, size_t max, struct arena *arena, struct alarm **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_since);
	void *rows;

	query_int(q, 1, since);
	query_int(q, 2, (int64_t)max);
	if (rows_collect(q, sizeof(struct alarm), read_alarm, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}
