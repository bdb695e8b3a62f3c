/*
 * enrolments.c: people's ways through sequences. The rows of one person lie together; they are few.
 */
#include "base/id.h"

#include "inside.h"

#define COLUMNS "id, prospect, sequence, step, state, entered, ended, why, due, queue_id, lane, version, allowed, heldout"

static void read_enrolment(struct query *q, struct arena *arena, void *row)
{
	struct enrolment *e = row;

	e->id = query_get_int(q, 0);
	e->prospect = query_get_int(q, 1);
	e->sequence = rows_text(q, 2, arena);
	e->step = rows_text(q, 3, arena);
	e->state = (enum enrolment_state)query_get_int(q, 4);
	e->entered = query_get_int(q, 5);
	e->ended = query_get_int(q, 6);
	e->why = rows_text(q, 7, arena);
	e->due = query_get_int(q, 8);
	e->queue_id = query_get_int(q, 9);
	e->lane = (int)query_get_int(q, 10);
	e->version = rows_text(q, 11, arena);
	e->allowed = query_get_int(q, 12);
	e->heldout = query_get_int(q, 13) != 0;
}

/* Parameters 1 to 13 of both statements that write. */
static void bind(struct query *q, const struct enrolment *e)
{
	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_int(q, 3, e->id);
	query_text(q, 4, rows_or_empty(e->step));
	query_int(q, 5, e->state);
	query_int(q, 6, e->ended);
	query_text(q, 7, rows_or_empty(e->why));
	query_int(q, 8, e->due);
	query_int(q, 9, e->queue_id);
	query_int(q, 10, e->lane);
	query_text(q, 11, rows_or_empty(e->version));
	query_int(q, 12, e->allowed);
	query_int(q, 13, e->heldout);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO enrolment (bucket, prospect, id, step, state, ended, why, due, queue_id, lane, version,"
	"  allowed, heldout, sequence, entered)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

int enrolments_insert(struct db *db, const struct enrolment *e, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	marks_person(db, e->prospect);
	bind(q, e);
	query_text(q, 14, e->sequence);
	query_int(q, 15, e->entered);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(update, BUCKETED,
	"UPDATE enrolment"
	" SET step = ?4, state = ?5, ended = ?6, why = ?7, due = ?8, queue_id = ?9, lane = ?10,"
	"  version = ?11, allowed = ?12, heldout = ?13"
	" WHERE bucket = ?1 AND prospect = ?2 AND id = ?3");

int enrolments_update(struct db *db, const struct enrolment *e, struct err *err)
{
	struct query *q = db_query(db, &sql_update);
	int changed;

	marks_person(db, e->prospect);
	bind(q, e);
	changed = query_run(q, err);
	if (changed == 0)
		return err_set(err, "there is no such enrolment");
	return changed < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM enrolment"
	" WHERE bucket = ?1 AND prospect = ?2 AND id = ?3");

int enrolments_find(struct db *db, int64_t prospect, int64_t id, struct arena *arena, struct enrolment *out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, id);
	return rows_one(q, read_enrolment, arena, out, err);
}

STATEMENT(open, BUCKETED,
	"SELECT " COLUMNS " FROM enrolment"
	" WHERE bucket = ?1 AND prospect = ?2 AND state <> ?3"
	" ORDER BY id");

STATEMENT(all, BUCKETED,
	"SELECT " COLUMNS " FROM enrolment"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY id");

static int collect(struct query *q, struct arena *arena, struct enrolment **out, size_t *count_out,
		struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct enrolment), read_enrolment, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

int enrolments_open(struct db *db, int64_t prospect, struct arena *arena, struct enrolment **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_open);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, ENROLMENT_ENDED);
	return collect(q, arena, out, count_out, err);
}

int enrolments_all(struct db *db, int64_t prospect, struct arena *arena, struct enrolment **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_all);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	return collect(q, arena, out, count_out, err);
}

STATEMENT(last, BUCKETED,
	"SELECT " COLUMNS " FROM enrolment"
	" WHERE bucket = ?1 AND prospect = ?2 AND sequence = ?3"
	" ORDER BY entered DESC, id DESC"
	" LIMIT 1");

int enrolments_last(struct db *db, int64_t prospect, const char *sequence, struct arena *arena,
		struct enrolment *out, struct err *err)
{
	struct query *q = db_query(db, &sql_last);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, sequence);
	return rows_one(q, read_enrolment, arena, out, err);
}

STATEMENT(census, SITE,
	"SELECT sequence, state, COUNT(*) FROM enrolment"
	" WHERE state <> ?1"
	" GROUP BY sequence, state"
	" ORDER BY sequence, state");

int enrolments_census(struct db *db,
		void (*fn)(void *ctx, const char *sequence, enum enrolment_state state, int64_t count), void *ctx,
		struct err *err)
{
	struct query *q = db_query(db, &sql_census);
	int got;

	query_int(q, 1, ENROLMENT_ENDED);
	while ((got = query_row(q, err)) == 1)
		fn(ctx, query_get_text(q, 0), (enum enrolment_state)query_get_int(q, 1), query_get_int(q, 2));
	query_done(q);
	return got;
}

STATEMENT(at_steps, BUCKETED,
	"SELECT sequence, version, step, state, COUNT(*) FROM enrolment"
	" WHERE bucket = ?1 AND state <> ?2"
	" GROUP BY sequence, version, step, state");

int enrolments_at_steps(struct db *db, uint16_t bucket, void (*fn)(void *ctx, const struct enrolment *like, int64_t count),
		void *ctx, struct err *err)
{
	struct query *q = db_query(db, &sql_at_steps);
	int got;

	query_int(q, 1, bucket);
	query_int(q, 2, ENROLMENT_ENDED);
	while ((got = query_row(q, err)) == 1)
		fn(ctx, &(struct enrolment){ .sequence = query_get_text(q, 0), .version = query_get_text(q, 1), .step = query_get_text(q, 2),
			.state = (enum enrolment_state)query_get_int(q, 3) }, query_get_int(q, 4));
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(of_sequence, BUCKETED,
	"SELECT step, version, state, why, entered, ended, heldout FROM enrolment"
	" WHERE bucket = ?1 AND sequence = ?2");

int enrolments_each(struct db *db, uint16_t bucket, const char *sequence,
		void (*fn)(void *ctx, const struct enrolment *e), void *ctx, struct err *err)
{
	struct query *q = db_query(db, &sql_of_sequence);
	int got;

	query_int(q, 1, bucket);
	query_text(q, 2, sequence);
	while ((got = query_row(q, err)) == 1)
		fn(ctx, &(struct enrolment){ .sequence = sequence, .step = query_get_text(q, 0), .version = query_get_text(q, 1),
			.state = (enum enrolment_state)query_get_int(q, 2), .why = query_get_text(q, 3), .entered = query_get_int(q, 4),
			.ended = query_get_int(q, 5), .heldout = query_get_int(q, 6) != 0 });
	query_done(q);
	return got < 0 ? -1 : 0;
}
