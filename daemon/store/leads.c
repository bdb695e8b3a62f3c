/*
 * leads.c: those who were hot, and what sales made of them.
 */
#include "base/id.h"

#include "inside.h"

#define COLUMNS "id, prospect, state, owner, reason, at, answered, answer, amount"

static void read_lead(struct query *q, struct arena *arena, void *row)
{
	struct lead *l = row;

	l->id = query_get_int(q, 0);
	l->prospect = query_get_int(q, 1);
	l->state = rows_text(q, 2, arena);
	l->owner = rows_text(q, 3, arena);
	l->reason = rows_text(q, 4, arena);
	l->at = query_get_int(q, 5);
	l->answered = query_get_int(q, 6);
	l->answer = rows_text(q, 7, arena);
	l->amount = query_get_real(q, 8);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO lead (bucket, id, prospect, state, owner, reason, at, answered, answer, amount)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");

int leads_insert(struct db *db, const struct lead *l, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(l->id));
	query_int(q, 2, l->id);
	query_int(q, 3, l->prospect);
	query_text(q, 4, rows_or_empty(l->state));
	query_text(q, 5, rows_or_empty(l->owner));
	query_text(q, 6, rows_or_empty(l->reason));
	query_int(q, 7, l->at);
	query_int(q, 8, l->answered);
	query_text(q, 9, rows_or_empty(l->answer));
	query_real(q, 10, l->amount);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM lead"
	" WHERE bucket = ?1 AND id = ?2");

int leads_find(struct db *db, int64_t id, struct arena *arena, struct lead *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_lead, arena, out, err);
}

STATEMENT(last, BUCKETED,
	"SELECT " COLUMNS " FROM lead"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY at DESC, id DESC"
	" LIMIT 1");

int leads_last(struct db *db, int64_t prospect, struct arena *arena, struct lead *out, struct err *err)
{
	struct query *q = db_query(db, &sql_last);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	return rows_one(q, read_lead, arena, out, err);
}

STATEMENT(answer, BUCKETED,
	"UPDATE lead SET state = ?3, answered = ?4, answer = ?5, amount = ?6"
	" WHERE bucket = ?1 AND id = ?2");

int leads_answer(struct db *db, const struct lead *l, struct err *err)
{
	struct query *q = db_query(db, &sql_answer);
	int changed;

	query_int(q, 1, id_bucket(l->id));
	query_int(q, 2, l->id);
	query_text(q, 3, rows_or_empty(l->state));
	query_int(q, 4, l->answered);
	query_text(q, 5, rows_or_empty(l->answer));
	query_real(q, 6, l->amount);
	changed = query_run(q, err);
	if (changed == 0)
		return err_set(err, "there is no such lead");
	return changed < 0 ? -1 : 0;
}

STATEMENT(since, SITE,
	"SELECT " COLUMNS " FROM lead"
	" WHERE at >= ?1 AND (at > ?1 OR id > ?2)"
	" ORDER BY at, id"
	" LIMIT ?3");

STATEMENT(latest, SITE,
	"SELECT " COLUMNS " FROM lead"
	" ORDER BY at DESC, id DESC"
	" LIMIT ?1");

static int collect(struct query *q, struct arena *arena, struct lead **out, size_t *count_out, struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct lead), read_lead, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

int leads_since(struct db *db, int64_t at, int64_t id, size_t max, struct arena *arena, struct lead **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_since);

	query_int(q, 1, at);
	query_int(q, 2, id);
	query_int(q, 3, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}

int leads_latest(struct db *db, size_t max, struct arena *arena, struct lead **out, size_t *count_out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_latest);

	query_int(q, 1, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}
