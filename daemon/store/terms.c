/*
 * terms.c: what each rule of the score granted, and when. A score is a function of these rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

#include "inside.h"

STATEMENT(insert, BUCKETED,
	"INSERT INTO score_term (bucket, prospect, rule, at, event, points)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

int terms_insert(struct db *db, const struct score_term *t, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(t->prospect));
	query_int(q, 2, t->prospect);
	query_text(q, 3, t->rule);
	query_int(q, 4, t->at);
	query_int(q, 5, t->event);
	query_real(q, 6, t->points);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(window, BUCKETED,
	"SELECT points FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2 AND rule = ?3 AND at >= ?4"
	" ORDER BY at, event");

int terms_sum(struct db *db, int64_t prospect, const char *rule, int64_t from, double *out, struct err *err)
{
	struct query *q = db_query(db, &sql_window);
	double sum = 0;
	int got;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, rule);
	query_int(q, 4, from);
	/* added here, in the order of time: SUM() may add in any order, and the last bit would differ when recomputed */
	while ((got = query_row(q, err)) == 1)
		sum += query_get_real(q, 0);
	query_done(q);
	if (got < 0)
		return -1;
	*out = sum;
	return 0;
}

STATEMENT(all, BUCKETED,
	"SELECT rule, at, points FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY rule, at, event");

struct raw_term {
	const char *rule;
	int64_t at;
	double points;
};

static void read_term(struct query *q, struct arena *arena, void *row)
{
	struct raw_term *t = row;

	t->rule = rows_text(q, 0, arena);
	t->at = query_get_int(q, 1);
	t->points = query_get_real(q, 2);
}

static double decayed(const struct raw_term *t, int64_t now, int64_t half_life)
{
	if (half_life <= 0 || now <= t->at)
		return t->points;
	return t->points * exp2(-(double)(now - t->at) / (double)half_life);
}

STATEMENT(find, BUCKETED,
	"SELECT points FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2 AND rule = ?3 AND at = ?4 AND event = ?5");

int terms_find(struct db *db, int64_t prospect, const char *rule, int64_t at, int64_t event, double *points_out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);
	int got;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, rule);
	query_int(q, 4, at);
	query_int(q, 5, event);
	got = query_row(q, err);
	if (got == 1)
		*points_out = query_get_real(q, 0);
	query_done(q);
	return got;
}

STATEMENT(remove, BUCKETED,
	"DELETE FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2 AND rule = ?3"
	" RETURNING rule, at, points");

STATEMENT(remove_one, BUCKETED,
	"DELETE FROM score_term"
	" WHERE bucket = ?1 AND prospect = ?2 AND rule = ?3 AND at = ?4 AND event = ?5"
	" RETURNING rule, at, points");

static int remove_some(struct query *q, int64_t now, int64_t half_life, double *points_out, struct err *err)
{
	struct raw_term t;
	double sum = 0;
	int got;

	while ((got = query_row(q, err)) == 1) {
		t = (struct raw_term){ .at = query_get_int(q, 1), .points = query_get_real(q, 2) };
		sum += decayed(&t, now, half_life);
	}
	query_done(q);
	if (got < 0)
		return -1;
	*points_out = sum;
	return 0;
}

int terms_remove(struct db *db, int64_t prospect, const char *rule, int64_t now, int64_t half_life, double *points_out, struct err *err)
{
	struct query *q = db_query(db, &sql_remove);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, rule);
	return remove_some(q, now, half_life, points_out, err);
}

int terms_remove_one(struct db *db, int64_t prospect, const char *rule, int64_t at, int64_t event, int64_t now, int64_t half_life,
		double *points_out, struct err *err)
{
	struct query *q = db_query(db, &sql_remove_one);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, rule);
	query_int(q, 4, at);
	query_int(q, 5, event);
	return remove_some(q, now, half_life, points_out, err);
}

static int by_magnitude(const void *a, const void *b)
{
	const struct term_sum *x = a, *y = b;
	double d = fabs(y->points) - fabs(x->points);

	return d > 0 ? 1 : d < 0 ? -1 : strcmp(x->rule, y->rule);
}

int terms_by_rule(struct db *db, int64_t prospect, int64_t now, int64_t half_life, struct arena *arena,
		struct term_sum **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_all);
	const struct raw_term *terms;
	struct term_sum *sums;
	size_t count, n = 0;
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	if (rows_collect(q, sizeof(struct raw_term), read_term, arena, &rows, &count, err) < 0)
		return -1;
	terms = rows;
	sums = arena_calloc(arena, count + 1, sizeof(*sums));
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(terms[i].rule, terms[i - 1].rule) != 0)
			sums[n++].rule = terms[i].rule;
		sums[n - 1].points += decayed(&terms[i], now, half_life);
		sums[n - 1].given += terms[i].points;
		sums[n - 1].count++;
	}
	qsort(sums, n, sizeof(*sums), by_magnitude);
	*out = sums;
	*count_out = n;
	return 0;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM score_term"
	" WHERE bucket = ?1 AND at < ?2");

int terms_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	struct query *q = db_query(db, &sql_prune);

	query_int(q, 1, bucket);
	query_int(q, 2, before);
	return query_run(q, err) < 0 ? -1 : 0;
}
