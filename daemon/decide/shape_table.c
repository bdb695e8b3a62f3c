/*
 * shape_table.c: hash tables by name, of what the shape knows of groups, domains, senders and sequences.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "shape_parts.h"

static size_t hash_of(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(h ^ h >> 32) % SHAPE_SLOTS;
}

struct shape_named *shape_find(const struct shape_table *t, const char *name)
{
	struct shape_named *n;

	for (n = t->slots[hash_of(name)]; n && strcmp(n->name, name) != 0; n = n->next)
		;
	return n;
}

/* The one of that name; made if there is none, all zero. */
struct shape_named *shape_named(struct shape_table *t, const char *name, size_t size)
{
	struct shape_named *n = shape_find(t, name);
	size_t slot = hash_of(name);

	if (n)
		return n;
	n = xcalloc(1, size);
	n->name = xstrdup(name);
	n->next = t->slots[slot];
	t->slots[slot] = n;
	t->count++;
	return n;
}

void shape_each(const struct shape_table *t, void (*fn)(struct shape_named *n, void *arg), void *arg)
{
	struct shape_named *n, *next;
	size_t i;

	for (i = 0; i < SHAPE_SLOTS; i++)
		for (n = t->slots[i]; n; n = next) {
			next = n->next;
			fn(n, arg);
		}
}

void shape_free_named(struct shape_named *n, void *arg)
{
	free(n->name);
	free(n);
}

void shape_clear_table(struct shape_table *t, void (*fn)(struct shape_named *n, void *arg))
{
	shape_each(t, fn, NULL);
	memset(t, 0, sizeof(*t));
}

void shape_take_out(struct shape_table *t, struct shape_named *n)
{
	struct shape_named **at = &t->slots[hash_of(n->name)];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	t->count--;
}
