/*
 * agenda.c: a binary heap by time and order.
 */
#include <stdlib.h>

#include "inside.h"

void agenda_clear(struct agenda *a)
{
	free(a->heap);
	*a = (struct agenda){ 0 };
}

static bool before(const struct entry *a, const struct entry *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct entry *a, struct entry *b)
{
	struct entry c = *a;

	*a = *b;
	*b = c;
}

static void rise(struct agenda *a, size_t i)
{
	for (; i && before(&a->heap[i], &a->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&a->heap[i], &a->heap[(i - 1) / 2]);
}

static void sink(struct agenda *a, size_t i)
{
	size_t child;

	while ((child = 2 * i + 1) < a->count) {
		if (child + 1 < a->count && before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (!before(&a->heap[child], &a->heap[i]))
			return;
		swap(&a->heap[child], &a->heap[i]);
		i = child;
	}
}

void agenda_add(struct agenda *a, const struct entry *entry)
{
	a->heap = xgrow(a->heap, &a->cap, a->count + 1, sizeof(*a->heap));
	a->heap[a->count] = *entry;
	a->heap[a->count].order = a->order++;
	rise(a, a->count++);
}

int64_t agenda_next(const struct agenda *a)
{
	return a->count ? a->heap[0].at : TIME_NEVER;
}

struct entry agenda_take(struct agenda *a)
{
	struct entry first = a->heap[0];

	a->heap[0] = a->heap[--a->count];
	sink(a, 0);
	return first;
}

void agenda_drop(struct agenda *a, enum act act, void (*fn)(struct entry *entry))
{
	size_t i, kept = 0;

	for (i = 0; i < a->count; i++) {
		if (a->heap[i].act != act)
			a->heap[kept++] = a->heap[i];
		else if (fn)
			fn(&a->heap[i]);
	}
	a->count = kept;
	for (i = kept / 2; i-- > 0;)
		sink(a, i);
}
