/*
 * batch.c: our side of the differential test of Liquid (tests/flow/liquid.py): a case a line on standard input,
 * {"template", "data", "templates"}, an answer a line on standard output, {"out"} or {"refused"}. Templates are plain.
 *
 * Each one that compiles is printed, too: if what comes out is not the same program, the answer is {"printed"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/template.h"

#include "same.h"

static struct value by_name(void *ctx, struct slice name)
{
	return value_get(*(const struct value *)ctx, name);
}

static const char *load(void *ctx, const char *name)
{
	return json_string_value(json_object_get(ctx, name));
}

static struct template *compiled(const json_t *test, const char *source, struct template_error *error)
{
	struct template_options options = {
		.escape = TEMPLATE_PLAIN, .load = load, .load_ctx = json_object_get(test, "templates")
	};
	size_t count;

	return template_compile("case", source, &options, error, 1, &count);
}

/* Its printed form, if it is not the same template, or not what it is itself printed as; else NULL. The caller frees it. */
static char *printed_otherwise(const json_t *test, const struct template *t)
{
	const char *source = json_string_value(json_object_get(test, "template"));
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct template_error error;
	struct template *again = NULL;
	bool same = template_print("case", source, &first, &error) == 0;

	again = same ? compiled(test, buf_cstr(&first), &error) : NULL;
	same = again && same_template(t, again) && template_print("case", buf_cstr(&first), &second, &error) == 0 &&
		strcmp(buf_cstr(&first), buf_cstr(&second)) == 0;
	template_free(&again);
	buf_clear(&second);
	if (!same)
		return buf_take(&first);
	buf_clear(&first);
	return NULL;
}

/* Takes what template_render() and the compiler say. */
static json_t *answer(const json_t *test, struct arena *arena)
{
	const json_t *json = json_object_get(test, "data");
	struct value data = json ? value_from_json(arena, json) : value_nil;
	struct template_env env = { .now = clock_now(), .ctx = &data, .free_name = by_name, .arena = arena };
	struct template_error errors[1];
	struct buf out = BUF_INIT;
	struct template *t;
	struct err err = { .text = "" };
	json_t *result;
	char *printed;

	t = compiled(test, json_string_value(json_object_get(test, "template")), errors);
	printed = t ? printed_otherwise(test, t) : NULL;
	if (printed)
		result = json_pack("{s:s}", "printed", printed);
	else if (!t)
		result = json_pack("{s:s}", "refused", errors[0].text);
	else if (template_render(t, &env, &out, &err) != TEMPLATE_DONE)
		result = json_pack("{s:s}", "refused", err.text);
	else
		result = json_pack("{s:o}", "out", json_stringn_nocheck(buf_cstr(&out), out.len));
	template_free(&t);
	buf_clear(&out);
	free(printed);
	return result;
}

int main(void)
{
	struct arena *arena = arena_new(0);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_error_t error;
		json_t *test = json_loadb(line, (size_t)n, 0, &error), *result;

		if (!test) {
			fprintf(stderr, "%s\n", error.text);
			return 1;
		}
		result = answer(test, arena);
		json_dumpf(result, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(result);
		json_decref(test);
		arena_reset(arena);
	}
	free(line);
	arena_free(&arena);
	return 0;
}
