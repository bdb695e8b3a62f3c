/*
 * hits.c: opens and clicks as they came in, with what was seen of them and the verdict; and how many mails have which.
 */
#include "base/id.h"

#include "inside.h"

#define SHARDS 16	/* as those of arm_day */

#define COLUMNS "id, prospect, delivery, kind, place, at, traits, times, agent, ip, verdict, reasons, settled, event"

static void read_hit(struct query *q, struct arena *arena, void *row)
{
	struct hit *h = row;

	h->id = query_get_int(q, 0);
	h->prospect = query_get_int(q, 1);
	h->delivery = query_get_int(q, 2);
	h->kind = query_get_text(q, 3)[0];
	h->link = (int)query_get_int(q, 4);
	h->at = query_get_int(q, 5);
	h->traits = (unsigned)query_get_int(q, 6);
	h->times = query_get_int(q, 7);
	h->agent = rows_text(q, 8, arena);
	h->ip = rows_text(q, 9, arena);
	h->verdict = (enum verdict)query_get_int(q, 10);
	h->reasons = (unsigned)query_get_int(q, 11);
	h->settled = query_get_int(q, 12);
	h->event = query_get_int(q, 13);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO hit (bucket, delivery, at, id, prospect, kind, place, traits, times, agent, ip, verdict, reasons, settled, event)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

int hits_insert(struct db *db, const struct hit *h, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);
	const char kind[2] = { h->kind, '\0' };

	query_int(q, 1, id_bucket(h->delivery));
	query_int(q, 2, h->delivery);
	query_int(q, 3, h->at);
	query_int(q, 4, h->id);
	query_int(q, 5, h->prospect);
	query_text(q, 6, kind);
	query_int(q, 7, h->link);
	query_int(q, 8, h->traits);
	query_int(q, 9, h->times);
	query_text(q, 10, rows_or_empty(h->agent));
	query_text(q, 11, rows_or_empty(h->ip));
	query_int(q, 12, h->verdict);
	query_int(q, 13, h->reasons);
	query_int(q, 14, h->settled);
	query_int(q, 15, h->event);
	return query_run(q, err) < 0 ? -1 : 0;
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

STATEMENT(update, BUCKETED,
	"UPDATE hit SET traits = ?5, times = ?6, verdict = ?7, reasons = ?8, settled = ?9, event = ?10"
	" WHERE bucket = ?1 AND delivery = ?2 AND at = ?3 AND id = ?4");

int hits_update(struct db *db, const struct hit *h, struct err *err)
{
	struct query *q = db_query(db, &sql_update);

	query_int(q, 1, id_bucket(h->delivery));
	query_int(q, 2, h->delivery);
	query_int(q, 3, h->at);
	query_int(q, 4, h->id);
	query_int(q, 5, h->traits);
	query_int(q, 6, h->times);
	query_int(q, 7, h->verdict);
	query_int(q, 8, h->reasons);
	query_int(q, 9, h->settled);
	query_int(q, 10, h->event);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(count, BUCKETED,
	"SELECT COUNT(*) FROM hit"
	" WHERE bucket = ?1 AND delivery = ?2");

int hits_count(struct db *db, int64_t delivery, int64_t *out, struct err *err)
{
	struct query *q = db_query(db, &sql_count);
	int got;

	query_int(q, 1, id_bucket(delivery));
	query_int(q, 2, delivery);
	got = query_row(q, err);
	*out = got == 1 ? query_get_int(q, 0) : 0;
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(deliveries, BUCKETED,
	"SELECT delivery FROM hit"
	" WHERE bucket = ?1 AND delivery > ?2 AND at >= ?3"
	" GROUP BY delivery"
	" ORDER BY delivery"
	" LIMIT ?4");

static void read_delivery(struct query *q, struct arena *arena, void *row)
{
	*(int64_t *)row = query_get_int(q, 0);
}

int hits_deliveries(struct db *db, uint16_t bucket, int64_t after, int64_t from, size_t max, struct arena *arena, int64_t **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_deliveries);
	void *rows;

	query_int(q, 1, bucket);
	query_int(q, 2, after);
	query_int(q, 3, from);
	query_int(q, 4, (int64_t)max);
	if (rows_collect(q, sizeof(int64_t), read_delivery, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(each, SITE,
	"SELECT kind, verdict, at, times FROM hit"
	" WHERE at >= ?1 AND (kind = 'o' OR kind = 'c')");

int hits_each(struct db *db, int64_t from, void (*fn)(void *ctx, const struct hit *h), void *ctx, struct err *err)
{
	struct query *q = db_query(db, &sql_each);
	int got;

	query_int(q, 1, from);
	while ((got = query_row(q, err)) == 1)
		fn(ctx, &(struct hit){ .kind = query_get_text(q, 0)[0], .verdict = (enum verdict)query_get_int(q, 1), .at = query_get_int(q, 2),
				.times = query_get_int(q, 3) });
	query_done(q);
	return got;
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

/* --- how many mails ------------------------------------------------------------------------------------- */

STATEMENT(add_day, SITE,
	"INSERT INTO hit_day (sequence, step, template, kind, verdict, day, shard, mails)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
	" ON CONFLICT (sequence, step, template, kind, verdict, day, shard) DO UPDATE"
	"  SET mails = hit_day.mails + excluded.mails");

int hit_days_add(struct db *db, const struct hit_sum *sum, struct err *err)
{
	struct query *q = db_query(db, &sql_add_day);
	const char kind[2] = { sum->kind, '\0' };

	query_text(q, 1, sum->sequence);
	query_text(q, 2, sum->step);
	query_text(q, 3, sum->template);
	query_text(q, 4, kind);
	query_int(q, 5, sum->verdict);
	query_int(q, 6, sum->day);
	query_int(q, 7, id_bucket(sum->delivery) % SHARDS);
	query_int(q, 8, sum->mails);
	return query_run(q, err) < 0 ? -1 : 0;
}

#define SUMS \
	"SELECT sequence, step, template, kind, verdict, SUM(mails) FROM hit_day"
#define BY \
	" GROUP BY sequence, step, template, kind, verdict" \
	" ORDER BY sequence, step, template, kind, verdict"

STATEMENT(days_of, SITE, SUMS " WHERE sequence = ?1" BY);
STATEMENT(days, SITE, SUMS BY);

STATEMENT(days_since, SITE,
	"SELECT kind, verdict, SUM(mails) FROM hit_day"
	" WHERE day >= ?1"
	" GROUP BY kind, verdict");

int hit_days_since(struct db *db, int64_t day, int64_t opened[VERDICTS], int64_t clicked[VERDICTS], struct err *err)
{
	struct query *q = db_query(db, &sql_days_since);
	int got;

	query_int(q, 1, day);
	while ((got = query_row(q, err)) == 1)
		(query_get_text(q, 0)[0] == 'c' ? clicked : opened)[query_get_int(q, 1)] = query_get_int(q, 2);
	query_done(q);
	return got;
}

static void read_sum(struct query *q, struct arena *arena, void *row)
{
	struct hit_sum *s = row;

	s->sequence = rows_text(q, 0, arena);
	s->step = rows_text(q, 1, arena);
	s->template = rows_text(q, 2, arena);
	s->kind = query_get_text(q, 3)[0];
	s->verdict = (enum verdict)query_get_int(q, 4);
	s->mails = query_get_int(q, 5);
}

int hit_days_of(struct db *db, const char *sequence, struct arena *arena, struct hit_sum **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, sequence ? &sql_days_of : &sql_days);
	void *rows;

	if (sequence)
		query_text(q, 1, sequence);
	if (rows_collect(q, sizeof(struct hit_sum), read_sum, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}
