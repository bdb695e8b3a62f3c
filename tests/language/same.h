/*
 * same.h: are two compiled templates the same program, but for the lines that its messages name?
 */
#ifndef TESTS_LANGUAGE_SAME_H
#define TESTS_LANGUAGE_SAME_H

#include <string.h>

#include "../../daemon/language/program.h"

static inline bool same_slices(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool same_values(struct value a, struct value b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same;

	value_to_source(&x, a);
	value_to_source(&y, b);
	same = a.type == b.type && strcmp(buf_cstr(&x), buf_cstr(&y)) == 0;
	buf_clear(&x);
	buf_clear(&y);
	return same;
}

static inline bool same_instructions(const struct instruction *a, const struct instruction *b)
{
	if (a->op != b->op || a->mode != b->mode || a->strict != b->strict || a->n != b->n || a->a != b->a)
		return false;
	if (a->op == OP_LITERAL || a->op == OP_LINK)
		return strcmp(a->text, b->text) == 0;
	return a->b == b->b;
}

static inline bool same_call_descriptions(const struct call_description *a, const struct call_description *b)
{
	if (a->function != b->function || a->count != b->count || a->has_with != b->has_with || a->each != b->each ||
		a->forloop != b->forloop || a->with.slot != b->with.slot || !same_slices(a->with.name, b->with.name))
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->arguments[i].slot != b->arguments[i].slot || !same_slices(a->arguments[i].name, b->arguments[i].name))
			return false;
	return true;
}

static inline bool same_functions(const struct function *a, const struct function *b)
{
	if (strcmp(a->name, b->name) != 0 || a->count != b->count || a->slots != b->slots || a->memories != b->memories ||
		a->loop_count != b->loop_count || a->call_count != b->call_count || a->variable_count != b->variable_count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_instructions(&a->code[i], &b->code[i]))
			return false;
	for (size_t i = 0; i < a->loop_count; i++)
		if (strcmp(a->loops[i].name, b->loops[i].name) != 0 || a->loops[i].slot != b->loops[i].slot ||
			a->loops[i].loop != b->loops[i].loop || a->loops[i].memory != b->loops[i].memory)
			return false;
	for (size_t i = 0; i < a->call_count; i++)
		if (!same_call_descriptions(&a->calls[i], &b->calls[i]))
			return false;
	for (size_t i = 0; i < a->variable_count; i++)
		if (!same_slices(a->variables[i].name, b->variables[i].name) || a->variables[i].slot != b->variables[i].slot ||
			a->variables[i].symbol != b->variables[i].symbol || a->variables[i].assigned != b->variables[i].assigned ||
			a->variables[i].captured != b->variables[i].captured)
			return false;
	return true;
}

static inline bool same_template(const struct template *a, const struct template *b)
{
	if (!a || !b)
		return a == b;
	if (a->function_count != b->function_count || a->constant_count != b->constant_count || a->link_count != b->link_count ||
		a->meta_count != b->meta_count || a->escape != b->escape || a->tidy != b->tidy)
		return false;
	for (size_t i = 0; i < a->function_count; i++)
		if (!same_functions(a->functions[i], b->functions[i]))
			return false;
	for (size_t i = 0; i < a->constant_count; i++)
		if (!same_values(a->constants[i], b->constants[i]))
			return false;
	for (size_t i = 0; i < a->link_count; i++)
		if (strcmp(a->links[i], b->links[i]) != 0)
			return false;
	for (size_t i = 0; i < a->meta_count; i++)
		if (strcmp(a->metas[i].key, b->metas[i].key) != 0 || !same_template(a->metas[i].template, b->metas[i].template) ||
			(!a->metas[i].template && strcmp(a->metas[i].text, b->metas[i].text) != 0))
			return false;
	return same_template(a->text_part, b->text_part);
}

#endif
