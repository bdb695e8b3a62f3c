/*
 * rows.c: see inside.h: how rows become structs in an arena.
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

const char *rows_text(struct query *q, int column, struct arena *arena)
{
	const char *s = query_get_text(q, column);

	return s && *s ? arena_strdup(arena, s) : "";
}

const char *rows_or_empty(const char *s)
{
	return s ? s : "";
}
