/*
 * rows.c: see inside.h: how rows become structs in an arena, and how many there are.
 */
#include <string.h>

#include "inside.h"

int rows_collect(struct query *q, size_t size, void (*read)(struct query *q, struct arena *arena, void *row),
		struct arena *arena,
		void **rows_out, size_t *count_out, struct err *err)
{
	size_t cap = 16, count = 0;
	char *rows = arena_calloc(arena, cap, size);
	int got;

	while ((got = query_row(q, err)) == 1) {
		if (count == cap) {
			char *more = arena_calloc(arena, cap * 2, size);

			memcpy(more, rows, cap * size);
			rows = more;
			cap *= 2;
		}
		read(q, arena, rows + count++ * size);
	}
	query_done(q);
	if (got < 0)
		return -1;
	*rows_out = rows;
	*count_out = count;
	return 0;
}

int rows_one(struct query *q, void (*read)(struct query *q, struct arena *arena, void *row),
		struct arena *arena, void *row, struct err *err)
{
	int got = query_row(q, err);

	if (got == 1)
		read(q, arena, row);
	query_done(q);
	return got;
}

/* What is counted one by one: some milliseconds. Buckets are filled by a hash: of so many rows, the estimate is some 0.5 % off. */
#define COUNTED 32768

int rows_estimate(struct db *db, struct statement *statement, const int64_t *binds, int bind_count, struct estimate *out, struct err *err)
{
	int64_t rows = 0;
	int bucket;

	for (bucket = 0; bucket < BUCKETS && rows < COUNTED; bucket++) {
		struct query *q = db_query(db, statement);
		int got, i;

		query_int(q, 1, bucket);
		for (i = 0; i < bind_count; i++)
			query_int(q, i + 2, binds[i]);
		got = query_row(q, err);
		if (got == 1)
			rows += query_get_int(q, 0);
		query_done(q);
		if (got < 0)
			return -1;
	}
	*out = (struct estimate){ .count = rows * BUCKETS / bucket, .estimated = bucket < BUCKETS };
	return 0;
}

const char *rows_text(struct query *q, int column, struct arena *arena)
{
	const char *s = query_get_text(q, column);

	return s && *s ? arena_strdup(arena, s) : "";
}

const char *rows_or_empty(const char *s)
{
	return s ? s : "";
}
