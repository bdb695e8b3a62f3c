/*
 * events.c: what took effect. Kept in the order (bucket, prospect, name, at, id), so that a history
 * function with a window reads one range; and counted by what it is about (event_count), so that one
 * without a window does not read them all. Only our own mails are not counted: a person gets some dozens of them at most, in
 * years, and the count would be one more row to write for each mail.
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"

#include "inside.h"

#define COLUMNS "id, prospect, at, name, subject, data, points"

static void read_event(struct query *q, struct arena *arena, void *row)
{
	struct event_row *e = row;

	e->id = query_get_int(q, 0);
	e->prospect = query_get_int(q, 1);
	e->at = query_get_int(q, 2);
	e->name = rows_text(q, 3, arena);
	e->subject = rows_text(q, 4, arena);
	e->data = rows_text(q, 5, arena);
	e->points = query_get_real(q, 6);
}

static bool is_counted(const char *name)
{
	return strcmp(name, "sent") != 0;
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO event (bucket, prospect, name, at, id, subject, data, points)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

STATEMENT(count, BUCKETED,
	"INSERT INTO event_count (bucket, prospect, name, subject, events, newest)"
	" VALUES (?1, ?2, ?3, ?4, 1, ?5)"
	" ON CONFLICT (bucket, prospect, name, subject) DO UPDATE"
	"  SET events = event_count.events + 1,"
	"   newest = CASE WHEN event_count.newest > excluded.newest THEN event_count.newest"
	"    ELSE excluded.newest END");

static int count(struct db *db, const struct event_row *e, struct err *err)
{
	struct query *q = db_query(db, &sql_count);

	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_text(q, 4, rows_or_empty(e->subject));
	query_int(q, 5, e->at);
	return query_run(q, err) < 0 ? -1 : 0;
}

int events_insert(struct db *db, const struct event_row *e, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_int(q, 4, e->at);
	query_int(q, 5, e->id);
	query_text(q, 6, rows_or_empty(e->subject));
	query_text(q, 7, e->data && *e->data ? e->data : "{}");
	query_real(q, 8, e->points);
	if (query_run(q, err) < 0)
		return -1;
	return is_counted(e->name) ? count(db, e, err) : 0;
}

STATEMENT(tally, BUCKETED,
	"SELECT at, subject FROM event"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND at >= ?4"
	" ORDER BY at DESC, id DESC");

/* What was found so far; newest first, but where it is counted by subject. */
struct tally {
	int64_t count, newest, oldest;
};

static bool fits(const char *subject, bool glob, const char *s)
{
	return !subject || (glob ? text_glob(subject, s) : strcmp(subject, s) == 0);
}

static int tally_window(struct db *db, int64_t prospect, const char *name, const char *subject, bool glob,
		int64_t from, int64_t limit, struct tally *t, struct err *err)
{
	struct query *q = db_query(db, &sql_tally);
	int got = 0;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, name);
	query_int(q, 4, from);
	while ((limit == 0 || t->count < limit) && (got = query_row(q, err)) == 1) {
		if (!fits(subject, glob, query_get_text(q, 1)))
			continue;
		t->oldest = query_get_int(q, 0);
		if (t->count++ == 0)
			t->newest = t->oldest;
	}
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(counted, BUCKETED,
	"SELECT subject, events, newest FROM event_count"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND subject >= ?4"
	" ORDER BY subject");

/* The run of bytes with which all that fit a glob begin. */
static size_t fixed_part(const char *subject, bool glob)
{
	return !subject ? 0 : glob ? strcspn(subject, "*?") : strlen(subject);
}

/* Of all times: from the counts, one for each subject that begins as is asked for. */
static int tally_counts(struct db *db, int64_t prospect, const char *name, const char *subject, bool glob,
		struct tally *t, struct err *err)
{
	struct query *q = db_query(db, &sql_counted);
	size_t fixed = fixed_part(subject, glob);
	int got;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, name);
	query_slice(q, 4, (struct slice){ subject ? subject : "", fixed });
	while ((got = query_row(q, err)) == 1) {
		const char *s = query_get_text(q, 0);

		if (strncmp(s, subject ? subject : "", fixed) != 0)
			break;
		if (fits(subject, glob, s)) {
			t->count += query_get_int(q, 1);
			t->newest = query_get_int(q, 2) > t->newest ? query_get_int(q, 2) : t->newest;
		}
		if (subject && !glob)
			break;
	}
	query_done(q);
	return got < 0 ? -1 : 0;
}

int events_tally(struct db *db, int64_t prospect, const char *name, const char *subject, bool glob,
		int64_t from, int64_t limit,
		int64_t *count_out, int64_t *newest_out, int64_t *oldest_out, struct err *err)
{
	bool window = from > 0 || (!subject && limit) || !is_counted(name);
	struct tally t = { 0 };
	int rc;

	if (window)
		rc = tally_window(db, prospect, name, subject, glob, from, limit, &t, err);
	else
		rc = tally_counts(db, prospect, name, subject, glob, &t, err);
	if (rc < 0)
		return -1;
	*count_out = limit && t.count > limit ? limit : t.count;
	*newest_out = t.newest;
	*oldest_out = t.oldest;
	return 0;
}

STATEMENT(latest, BUCKETED,
	"SELECT " COLUMNS " FROM event"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY at DESC, id DESC"
	" LIMIT ?3");

STATEMENT(latest_named, BUCKETED,
	"SELECT " COLUMNS " FROM event"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?4"
	" ORDER BY at DESC, id DESC"
	" LIMIT ?3");

static int latest(struct db *db, int64_t prospect, const char *name, size_t max, struct arena *arena,
		struct event_row **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, name ? &sql_latest_named : &sql_latest);
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, (int64_t)max);
	if (name)
		query_text(q, 4, name);
	if (rows_collect(q, sizeof(struct event_row), read_event, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct event_row *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? 1 : -1;
	return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

int events_latest(struct db *db, int64_t prospect, const char *const *names, size_t max, struct arena *arena,
		struct event_row **out, size_t *count_out, struct err *err)
{
	struct event_row *all, *some;
	size_t count = 0, kinds = 0, n;

	if (!names)
		return latest(db, prospect, NULL, max, arena, out, count_out, err);
	while (names[kinds])
		kinds++;
	all = arena_calloc(arena, kinds * max + 1, sizeof(*all));
	for (size_t i = 0; i < kinds; i++) {
		if (latest(db, prospect, names[i], max, arena, &some, &n, err) < 0)
			return -1;
		memcpy(all + count, some, n * sizeof(*some));
		count += n;
	}
	qsort(all, count, sizeof(*all), newest_first);
	*out = all;
	*count_out = count < max ? count : max;
	return 0;
}

STATEMENT(all, BUCKETED,
	"SELECT " COLUMNS " FROM event"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY at, id");

int events_all(struct db *db, int64_t prospect, struct arena *arena, struct event_row **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_all);
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	if (rows_collect(q, sizeof(struct event_row), read_event, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(named, BUCKETED,
	"SELECT " COLUMNS " FROM event"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3"
	" ORDER BY at, id");

static struct event_row borrowed_event(struct query *q)
{
	return (struct event_row){
		.id = query_get_int(q, 0),
		.prospect = query_get_int(q, 1),
		.at = query_get_int(q, 2),
		.name = query_get_text(q, 3),
		.subject = query_get_text(q, 4),
		.data = query_get_text(q, 5),
		.points = query_get_real(q, 6),
	};
}

int events_each(struct db *db, int64_t prospect, const char *name,
		int (*fn)(void *arg, const struct event_row *event, struct err *err), void *arg, struct err *err)
{
	struct query *q = db_query(db, &sql_named);
	int got = 0, rc = 0;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_text(q, 3, name);
	while (!rc && (got = query_row(q, err)) == 1) {
		struct event_row event = borrowed_event(q);

		rc = fn(arg, &event, err);
	}
	query_done(q);
	return rc || got < 0 ? -1 : 0;
}

STATEMENT(uncount, BUCKETED,
	"UPDATE event_count SET events = events - 1"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND subject = ?4");

/* Mails were counted by earlier versions. */
STATEMENT(forget_counts, BUCKETED,
	"DELETE FROM event_count"
	" WHERE bucket = ?1 AND (events <= 0 OR name = 'sent')");

static int uncount(struct db *db, uint16_t bucket, const struct event_row *e, struct err *err)
{
	struct query *q = db_query(db, &sql_uncount);

	query_int(q, 1, bucket);
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_text(q, 4, e->subject);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(remove, BUCKETED,
	"DELETE FROM event"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND at = ?4 AND id = ?5");

STATEMENT(forget_count, BUCKETED,
	"DELETE FROM event_count"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND subject = ?4 AND events <= 0");

int events_remove(struct db *db, const struct event_row *e, struct err *err)
{
	struct query *q = db_query(db, &sql_remove);
	int removed;

	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_int(q, 4, e->at);
	query_int(q, 5, e->id);
	removed = query_run(q, err);
	if (removed <= 0 || !is_counted(e->name))
		return removed < 0 ? -1 : 0;
	if (uncount(db, id_bucket(e->prospect), e, err) < 0)
		return -1;
	q = db_query(db, &sql_forget_count);
	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_text(q, 4, e->subject);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(set_points, BUCKETED,
	"UPDATE event SET points = ?6"
	" WHERE bucket = ?1 AND prospect = ?2 AND name = ?3 AND at = ?4 AND id = ?5");

int events_set_points(struct db *db, const struct event_row *e, struct err *err)
{
	struct query *q = db_query(db, &sql_set_points);

	query_int(q, 1, id_bucket(e->prospect));
	query_int(q, 2, e->prospect);
	query_text(q, 3, e->name);
	query_int(q, 4, e->at);
	query_int(q, 5, e->id);
	query_real(q, 6, e->points);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM event"
	" WHERE bucket = ?1 AND at < ?2"
	" RETURNING prospect, name, subject");

static void read_pruned(struct query *q, struct arena *arena, void *row)
{
	struct event_row *e = row;

	e->prospect = query_get_int(q, 0);
	e->name = rows_text(q, 1, arena);
	e->subject = rows_text(q, 2, arena);
}

int events_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err)
{
	struct query *q = db_query(db, &sql_prune);
	struct arena *arena = arena_new(0);
	size_t pruned = 0;
	void *rows;
	int rc;

	query_int(q, 1, bucket);
	query_int(q, 2, before);
	rc = rows_collect(q, sizeof(struct event_row), read_pruned, arena, &rows, &pruned, err);
	for (size_t i = 0; rc == 0 && i < pruned; i++) {
		const struct event_row *e = (const struct event_row *)rows + i;

		rc = is_counted(e->name) ? uncount(db, bucket, e, err) : 0;
	}
	if (rc == 0 && pruned) {
		q = db_query(db, &sql_forget_counts);
		query_int(q, 1, bucket);
		rc = query_run(q, err) < 0 ? -1 : 0;
	}
	arena_free(&arena);
	return rc;
}
