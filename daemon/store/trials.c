/*
 * trials.c: tests of mails: who saw which arm and what came of it, the sums of each day, and how a test ended.
 *
 * A trial lies with its person. The sums are the site's: a test is decided by all people together, and reading them must not cost a
 * look at each bucket. They are kept in SHARDS rows a day, so that daemons that share a database seldom wait for one another.
 */
#include "base/clock.h"
#include "base/id.h"

#include "inside.h"

#define SHARDS 16

static void read_trial(struct query *q, struct arena *arena, void *row)
{
	struct trial *t = row;

	t->prospect = query_get_int(q, 0);
	t->enrolment = query_get_int(q, 1);
	t->step = rows_text(q, 2, arena);
	t->test = rows_text(q, 3, arena);
	t->arm = rows_text(q, 4, arena);
	t->template = rows_text(q, 5, arena);
	t->event = rows_text(q, 6, arena);
	t->at = query_get_int(q, 7);
	t->until = query_get_int(q, 8);
	t->won = query_get_int(q, 9) != 0;
}

#define COLUMNS "prospect, enrolment, step, test, arm, template, event, at, until_us, won"

STATEMENT(insert, BUCKETED,
	"INSERT INTO trial (bucket, prospect, enrolment, step, test, arm, template, event, at, until_us, won)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)"
	" ON CONFLICT (bucket, prospect, enrolment, step, at) DO NOTHING");

int trials_insert(struct db *db, const struct trial *t, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(t->prospect));
	query_int(q, 2, t->prospect);
	query_int(q, 3, t->enrolment);
	query_text(q, 4, t->step);
	query_text(q, 5, t->test);
	query_text(q, 6, t->arm);
	query_text(q, 7, t->template);
	query_text(q, 8, t->event);
	query_int(q, 9, t->at);
	query_int(q, 10, t->until);
	return query_run(q, err) < 0 ? -1 : 0;
}

static int collect_trials(struct query *q, struct arena *arena, struct trial **out, size_t *count_out, struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct trial), read_trial, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(open, BUCKETED,
	"SELECT " COLUMNS " FROM trial"
	" WHERE bucket = ?1 AND prospect = ?2 AND won = 0 AND until_us >= ?3"
	" ORDER BY at, enrolment, step");

int trials_open(struct db *db, int64_t prospect, int64_t now, struct arena *arena, struct trial **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_open);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, now);
	return collect_trials(q, arena, out, count_out, err);
}

STATEMENT(of, BUCKETED,
	"SELECT " COLUMNS " FROM trial"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY at, enrolment, step");

int trials_of(struct db *db, int64_t prospect, struct arena *arena, struct trial **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_of);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	return collect_trials(q, arena, out, count_out, err);
}

STATEMENT(win, BUCKETED,
	"UPDATE trial SET won = 1"
	" WHERE bucket = ?1 AND prospect = ?2 AND enrolment = ?3 AND step = ?4 AND at = ?5");

int trials_win(struct db *db, const struct trial *t, struct err *err)
{
	struct query *q = db_query(db, &sql_win);

	query_int(q, 1, id_bucket(t->prospect));
	query_int(q, 2, t->prospect);
	query_int(q, 3, t->enrolment);
	query_text(q, 4, t->step);
	query_int(q, 5, t->at);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM trial"
	" WHERE bucket = ?1 AND at < ?2");

int trials_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	struct query *q = db_query(db, &sql_prune);

	query_int(q, 1, bucket);
	query_int(q, 2, before);
	return query_run(q, err) < 0 ? -1 : 0;
}

/* --- sums ------------------------------------------------------------------------------------------------------- */

STATEMENT(add_day, SITE,
	"INSERT INTO arm_day (test, arm, day, shard, shown, won)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
	" ON CONFLICT (test, arm, day, shard) DO UPDATE"
	"  SET shown = arm_day.shown + excluded.shown, won = arm_day.won + excluded.won");

int arm_days_add(struct db *db, const struct trial *t, int shown, int won, struct err *err)
{
	struct query *q = db_query(db, &sql_add_day);

	query_text(q, 1, t->test);
	query_text(q, 2, t->arm);
	query_int(q, 3, t->at / US_DAY);
	query_int(q, 4, id_bucket(t->prospect) % SHARDS);
	query_int(q, 5, shown);
	query_int(q, 6, won);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(days, SITE,
	"SELECT arm, day, SUM(shown), SUM(won) FROM arm_day"
	" WHERE test = ?1"
	" GROUP BY arm, day"
	" ORDER BY arm, day");

static void read_day(struct query *q, struct arena *arena, void *row)
{
	struct arm_day *d = row;

	d->arm = rows_text(q, 0, arena);
	d->day = query_get_int(q, 1);
	d->shown = query_get_int(q, 2);
	d->won = query_get_int(q, 3);
}

int arm_days_of(struct db *db, const char *test, struct arena *arena, struct arm_day **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_days);
	void *rows;

	query_text(q, 1, test);
	if (rows_collect(q, sizeof(struct arm_day), read_day, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

/* --- the end of a test ------------------------------------------------------------------------------------------ */

STATEMENT(put_end, SITE,
	"INSERT INTO test_end (test, arm, at, why)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (test) DO NOTHING");

int test_ends_put(struct db *db, const char *test, const struct test_end *end, struct err *err)
{
	struct query *q = db_query(db, &sql_put_end);

	query_text(q, 1, test);
	query_text(q, 2, end->arm);
	query_int(q, 3, end->at);
	query_text(q, 4, end->why);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find_end, SITE,
	"SELECT arm, at, why FROM test_end"
	" WHERE test = ?1");

static void read_end(struct query *q, struct arena *arena, void *row)
{
	struct test_end *e = row;

	e->arm = rows_text(q, 0, arena);
	e->at = query_get_int(q, 1);
	e->why = rows_text(q, 2, arena);
}

int test_ends_find(struct db *db, const char *test, struct arena *arena, struct test_end *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find_end);

	query_text(q, 1, test);
	return rows_one(q, read_end, arena, out, err);
}
