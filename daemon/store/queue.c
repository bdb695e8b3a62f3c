/*
 * queue.c: what is due. Rows are kept in the order (bucket, lane, due, id), so that taking the due ones
 * of a bucket is one range.
 *
 * The next due time of each bucket and lane is kept in memory, never later than the truth: a take of
 * nothing costs no statement. Within a transaction a take may set it later; how it was is noted, and
 * put back when the job or the transaction is rolled back.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"

#include "inside.h"

/* A next due time as it was before it was set later. */
struct undo {
	uint16_t bucket;
	uint16_t lane;
	int64_t due;
};

struct queue_heads {
	int64_t due[LANES][BUCKETS];
	uint16_t turn[LANES];			/* bucket with which the next take begins */
	bool changed[LANES];			/* since the last publishing */
	_Atomic int64_t earliest[LANES];	/* as of the last commit */
	struct undo *undo;
	size_t undo_count, undo_cap;
};

struct queue_heads *queue_heads_new(void)
{
	struct queue_heads *h = xcalloc(1, sizeof(*h));

	for (int lane = 0; lane < LANES; lane++) {
		atomic_init(&h->earliest[lane], TIME_NEVER);
		for (int bucket = 0; bucket < BUCKETS; bucket++)
			h->due[lane][bucket] = TIME_NEVER;
	}
	return h;
}

void queue_heads_free(struct queue_heads **heads)
{
	if (!*heads)
		return;
	free((*heads)->undo);
	free(*heads);
	*heads = NULL;
}

static void set_earlier(struct queue_heads *h, enum lane lane, uint16_t bucket, int64_t due)
{
	if (due >= h->due[lane][bucket])
		return;
	h->due[lane][bucket] = due;
	h->changed[lane] = true;
}

static void set_later(struct queue_heads *h, enum lane lane, uint16_t bucket, int64_t due)
{
	h->undo = xgrow(h->undo, &h->undo_cap, h->undo_count + 1, sizeof(*h->undo));
	h->undo[h->undo_count++] = (struct undo){ .bucket = bucket, .lane = lane,
			.due = h->due[lane][bucket] };
	h->due[lane][bucket] = due;
	h->changed[lane] = true;
}

size_t queue_heads_mark(const struct queue_heads *heads)
{
	return heads->undo_count;
}

void queue_heads_undo(struct queue_heads *heads, size_t mark)
{
	while (heads->undo_count > mark) {
		const struct undo *u = &heads->undo[--heads->undo_count];

		set_earlier(heads, u->lane, u->bucket, u->due);
	}
}

void queue_heads_publish(struct queue_heads *heads)
{
	heads->undo_count = 0;
	for (int lane = 0; lane < LANES; lane++) {
		int64_t least = TIME_NEVER;

		if (!heads->changed[lane])
			continue;
		for (int bucket = 0; bucket < BUCKETS; bucket++)
			least = heads->due[lane][bucket] < least ? heads->due[lane][bucket] : least;
		atomic_store(&heads->earliest[lane], least);
		heads->changed[lane] = false;
	}
}

int64_t queue_next_due(struct store *store, enum lane lane)
{
	return atomic_load(&store_db(store)->heads->earliest[lane]);
}

int64_t queue_next_mail(struct store *store)
{
	int64_t first = queue_next_due(store, LANE_SEND_FIRST), other = queue_next_due(store, LANE_SEND);

	return first < other ? first : other;
}

STATEMENT(head, BUCKETED,
	"SELECT due FROM queue"
	" WHERE bucket = ?1 AND lane = ?2"
	" ORDER BY due, id"
	" LIMIT 1");

int queue_heads_load(struct db *db, struct err *err)
{
	int got = 0;

	for (int lane = 0; lane < LANES; lane++) {
		for (int bucket = 0; bucket < BUCKETS && got >= 0; bucket++) {
			struct query *q = db_query(db, &sql_head);

			query_int(q, 1, bucket);
			query_int(q, 2, lane);
			got = query_row(q, err);
			if (got == 1)
				set_earlier(db->heads, lane, (uint16_t)bucket, query_get_int(q, 0));
			query_done(q);
		}
	}
	return got < 0 ? -1 : 0;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

static unsigned hint_of(enum lane lane)
{
	switch (lane) {
	case LANE_TIME:
		return HINT_TIME;
	case LANE_SEND:
	case LANE_SEND_FIRST:
		return HINT_SEND;
	case LANE_ALERT:
		return HINT_ALERT;
	case LANES:
		break;
	}
	abort();
}

STATEMENT(add, BUCKETED,
	"INSERT INTO queue (bucket, lane, due, id, kind, prospect, ref, name)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

int queue_add(struct db *db, const struct queue_row *row, struct err *err)
{
	uint16_t bucket = id_bucket(row->id);
	struct query *q = db_query(db, &sql_add);

	query_int(q, 1, bucket);
	query_int(q, 2, row->lane);
	query_int(q, 3, row->due);
	query_int(q, 4, row->id);
	query_int(q, 5, row->kind);
	query_int(q, 6, row->prospect);
	query_int(q, 7, row->ref);
	query_text(q, 8, rows_or_empty(row->name));
	if (query_run(q, err) < 0)
		return -1;
	set_earlier(db->heads, row->lane, bucket, row->due);
	/* the loop's timer stands at what was published */
	if (row->due <= clock_now() || row->due < atomic_load(&db->heads->earliest[row->lane]))
		db_hint(db, hint_of(row->lane));
	return 0;
}

STATEMENT(remove, BUCKETED,
	"DELETE FROM queue"
	" WHERE bucket = ?1 AND lane = ?2 AND due = ?3 AND id = ?4");

int queue_remove(struct db *db, enum lane lane, int64_t due, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_remove);

	/* the head may stay too early: the next take puts it right */
	query_int(q, 1, id_bucket(id));
	query_int(q, 2, lane);
	query_int(q, 3, due);
	query_int(q, 4, id);
	return query_run(q, err);
}

/* --- taking --------------------------------------------------------------------------------------------- */

STATEMENT(due, BUCKETED,
	"SELECT id, due, kind, prospect, ref, name FROM queue"
	" WHERE bucket = ?1 AND lane = ?2"
	" ORDER BY due, id"
	" LIMIT ?3");

STATEMENT(take, BUCKETED,
	"DELETE FROM queue"
	" WHERE bucket = ?1 AND lane = ?2 AND due <= ?3 AND (due < ?3 OR id <= ?4)");

struct taken {
	struct queue_row *rows;
	size_t count, max;
};

/* Reads up to the first row that is not due; next_out: its due time, or that of the first beyond `max`. */
static int read_due(struct db *db, enum lane lane, uint16_t bucket, int64_t now, struct arena *arena,
		struct taken *taken,
		int64_t *next_out, struct err *err)
{
	struct query *q = db_query(db, &sql_due);
	int got;

	*next_out = TIME_NEVER;
	query_int(q, 1, bucket);
	query_int(q, 2, lane);
	query_int(q, 3, (int64_t)(taken->max - taken->count) + 1);
	while ((got = query_row(q, err)) == 1) {
		struct queue_row *row = &taken->rows[taken->count];
		int64_t due = query_get_int(q, 1);

		if (due > now || taken->count == taken->max) {
			*next_out = due;
			break;
		}
		row->id = query_get_int(q, 0);
		row->lane = lane;
		row->due = due;
		row->kind = (enum queue_kind)query_get_int(q, 2);
		row->prospect = query_get_int(q, 3);
		row->ref = query_get_int(q, 4);
		row->name = rows_text(q, 5, arena);
		taken->count++;
	}
	query_done(q);
	return got < 0 ? -1 : 0;
}

static int take_bucket(struct db *db, enum lane lane, uint16_t bucket, int64_t now, struct arena *arena,
		struct taken *taken, struct err *err)
{
	size_t before = taken->count;
	const struct queue_row *last;
	struct query *q;
	int64_t next;
	int gone;

	if (read_due(db, lane, bucket, now, arena, taken, &next, err) < 0)
		return -1;
	if (taken->count > before) {
		last = &taken->rows[taken->count - 1];
		q = db_query(db, &sql_take);
		query_int(q, 1, bucket);
		query_int(q, 2, lane);
		query_int(q, 3, last->due);
		query_int(q, 4, last->id);
		gone = query_run(q, err);
		if (gone < 0)
			return -1;
		assert((size_t)gone == taken->count - before);
	}
	set_later(db->heads, lane, bucket, next);
	return 0;
}

int queue_take(struct db *db, enum lane lane, int64_t now, size_t max, struct arena *arena,
		struct queue_row **out, size_t *count_out, struct err *err)
{
	struct queue_heads *h = db->heads;
	struct taken taken = { .max = max };
	uint16_t start = h->turn[lane];

	for (int i = 0; i < BUCKETS && taken.count < max; i++) {
		uint16_t bucket = (uint16_t)((start + i) % BUCKETS);

		if (h->due[lane][bucket] > now || !db_owns(db, bucket))
			continue;
		if (!taken.rows)
			taken.rows = arena_calloc(arena, max, sizeof(*taken.rows));
		if (take_bucket(db, lane, bucket, now, arena, &taken, err) < 0)
			return -1;
		h->turn[lane] = (uint16_t)((bucket + 1) % BUCKETS);
	}
	*out = taken.rows;
	*count_out = taken.count;
	return 0;
}

/* --- looking -------------------------------------------------------------------------------------------- */

STATEMENT(depth, BUCKETED,
	"SELECT COUNT(*) FROM queue"
	" WHERE bucket = ?1 AND lane = ?2 AND due <= ?3");

int queue_depth(struct db *db, enum lane lane, int64_t now, struct estimate *due_out, struct estimate *all_out, struct err *err)
{
	*due_out = (struct estimate){ .count = 0 };
	if (rows_estimate(db, &sql_depth, (int64_t[]){ lane, TIME_NEVER }, 2, all_out, err) < 0)
		return -1;
	return all_out->count ? rows_estimate(db, &sql_depth, (int64_t[]){ lane, now }, 2, due_out, err) : 0;
}
