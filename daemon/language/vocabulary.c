/*
 * vocabulary.c: the names that expressions and templates may use, with their types. Small and looked up
 * only while something is compiled, so an array does.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "language/expression.h"

#include "names.h"

struct vocabulary {
	struct symbol *symbols;
	size_t count, cap;
};

struct vocabulary *vocabulary_new(void)
{
	return xcalloc(1, sizeof(struct vocabulary));
}

static const char *const *copy_values(const char *const *values)
{
	size_t n = 0;
	const char **copy;

	if (!values)
		return NULL;
	while (values[n])
		n++;
	copy = xcalloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(values[i]);
	return copy;
}

static void symbol_clear(struct symbol *s)
{
	for (size_t i = 0; s->values && s->values[i]; i++)
		free((void *)(uintptr_t)s->values[i]);
	free((void *)(uintptr_t)s->values);
	free((void *)(uintptr_t)s->name);
}

void vocabulary_free(struct vocabulary **v)
{
	if (!*v)
		return;
	for (size_t i = 0; i < (*v)->count; i++)
		symbol_clear(&(*v)->symbols[i]);
	free((*v)->symbols);
	free(*v);
	*v = NULL;
}

int vocabulary_add(struct vocabulary *v, const struct symbol *symbol)
{
	struct symbol *s;

	if (vocabulary_find(v, slice_of(symbol->name)) >= 0)
		return -1;
	v->symbols = xgrow(v->symbols, &v->cap, v->count + 1, sizeof(*v->symbols));
	s = &v->symbols[v->count];
	*s = *symbol;
	s->name = xstrdup(symbol->name);
	s->values = copy_values(symbol->values);
	return (int)v->count++;
}

int vocabulary_find(const struct vocabulary *v, struct slice name)
{
	for (size_t i = 0; i < v->count; i++)
		if (slice_is(name, v->symbols[i].name))
			return (int)i;
	return -1;
}

const struct symbol *vocabulary_symbol(const struct vocabulary *v, int index)
{
	return &v->symbols[index];
}

size_t vocabulary_count(const struct vocabulary *v)
{
	return v->count;
}

const char **vocabulary_names(const struct vocabulary *v)
{
	const char **names = xcalloc(v->count + 1, sizeof(*names));

	for (size_t i = 0; i < v->count; i++)
		names[i] = v->symbols[i].name;
	return names;
}
