/*
 * alerts.c: the outbox to sales and CRM: what was rendered once, until it is delivered.
 */
#include "base/id.h"

#include "inside.h"

#define HEAD "id, prospect, lead, url, shape, state, attempt, created, due, done, code, error"

static void read_alert(struct query *q, struct arena *arena, void *row)
{
	struct alert *a = row;

	a->id = query_get_int(q, 0);
	a->prospect = query_get_int(q, 1);
	a->lead = query_get_int(q, 2);
	a->url = rows_text(q, 3, arena);
	a->as = rows_text(q, 4, arena);
	a->state = (enum alert_state)query_get_int(q, 5);
	a->attempt = (int)query_get_int(q, 6);
	a->created = query_get_int(q, 7);
	a->due = query_get_int(q, 8);
	a->done = query_get_int(q, 9);
	a->code = (int)query_get_int(q, 10);
	a->error = rows_text(q, 11, arena);
	a->body = "";
}

static void read_with_body(struct query *q, struct arena *arena, void *row)
{
	struct alert *a = row;

	read_alert(q, arena, row);
	a->body = rows_text(q, 12, arena);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO alert (bucket, id, prospect, lead, url, shape, state, attempt, created, due, done, code,"
	"  error, body)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");

int alerts_insert(struct db *db, const struct alert *a, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(a->id));
	query_int(q, 2, a->id);
	query_int(q, 3, a->prospect);
	query_int(q, 4, a->lead);
	query_text(q, 5, rows_or_empty(a->url));
	query_text(q, 6, rows_or_empty(a->as));
	query_int(q, 7, a->state);
	query_int(q, 8, a->attempt);
	query_int(q, 9, a->created);
	query_int(q, 10, a->due);
	query_int(q, 11, a->done);
	query_int(q, 12, a->code);
	query_text(q, 13, rows_or_empty(a->error));
	query_text(q, 14, rows_or_empty(a->body));
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " HEAD ", body FROM alert"
	" WHERE bucket = ?1 AND id = ?2");

int alerts_find(struct db *db, int64_t id, struct arena *arena, struct alert *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_with_body, arena, out, err);
}

STATEMENT(update, BUCKETED,
	"UPDATE alert SET state = ?3, attempt = ?4, due = ?5, done = ?6, code = ?7, error = ?8"
	" WHERE bucket = ?1 AND id = ?2");

int alerts_update(struct db *db, const struct alert *a, struct err *err)
{
	struct query *q = db_query(db, &sql_update);
	int changed;

	query_int(q, 1, id_bucket(a->id));
	query_int(q, 2, a->id);
	query_int(q, 3, a->state);
	query_int(q, 4, a->attempt);
	query_int(q, 5, a->due);
	query_int(q, 6, a->done);
	query_int(q, 7, a->code);
	query_text(q, 8, rows_or_empty(a->error));
	changed = query_run(q, err);
	if (changed == 0)
		return err_set(err, "there is no such alert");
	return changed < 0 ? -1 : 0;
}

static int collect(struct query *q, struct arena *arena, struct alert **out, size_t *count_out,
		struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct alert), read_alert, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(in_state, SITE,
	"SELECT " HEAD " FROM alert"
	" WHERE state = ?1"
	" ORDER BY created DESC, id DESC"
	" LIMIT ?2");

int alerts_in_state(struct db *db, enum alert_state state, size_t max, struct arena *arena,
		struct alert **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_in_state);

	query_int(q, 1, state);
	query_int(q, 2, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}

STATEMENT(astray, SITE,
	"SELECT " HEAD " FROM alert"
	" WHERE state = ?1 AND NOT EXISTS ("
	"  SELECT 1 FROM queue"
	"  WHERE queue.bucket = alert.bucket AND queue.lane = ?2 AND queue.ref = alert.id)"
	" ORDER BY created, id");

int alerts_recover(struct db *db, int64_t now, struct err *err)
{
	struct query *q = db_query(db, &sql_astray);
	struct arena *arena = arena_new(0);
	struct alert *alerts;
	size_t count = 0;
	int rc;

	query_int(q, 1, ALERT_WAITING);
	query_int(q, 2, LANE_ALERT);
	rc = collect(q, arena, &alerts, &count, err);
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct queue_row row = {
			.id = alerts[i].id,
			.lane = LANE_ALERT,
			.due = alerts[i].due > now ? alerts[i].due : now,
			.kind = QUEUE_ALERT,
			.prospect = alerts[i].prospect,
			.ref = alerts[i].id,
			.name = "",
		};

		rc = queue_add(db, &row, err);
	}
	arena_free(&arena);
	return rc;
}
