/*
 * problems.c: see problems.h.
 */
#include <string.h>

#include "base/http.h"
#include "base/text.h"
#include "config/plan.h"
#include "language/expression.h"

#include "problems.h"

void problem_no_sequence(const struct plan *plan, const char *name, struct http_request *r)
{
	const char **names = arena_calloc(http_arena(r), plan->sequence_count + 1, sizeof(*names)), *near;
	size_t i;

	for (i = 0; i < plan->sequence_count; i++)
		names[i] = plan->sequences[i].name;
	near = text_nearest(name, names);
	http_problem(r, 404, arena_printf(http_arena(r), "there is no sequence `%s`%s%s%s", name, near ? "; did you mean `" : "", near ? near : "",
			near ? "`?" : ""), NULL);
}

void problem_expression(const char *text, const struct expression_error *error, struct http_request *r)
{
	size_t column = text_utf8_length(text, error->offset) + 1;
	struct buf members = BUF_INIT;

	buf_printf(&members, "\"column\":%zu,\"expression\":", column);
	text_json(&members, text, strlen(text));
	http_problem(r, 422, arena_printf(http_arena(r), "column %zu: %s", column, error->text), buf_cstr(&members));
	buf_clear(&members);
}
