/*
 * test_golden.c: the public golden-liquid cases, where they are at hand: $NURTURED_CORPORA or
 * ../shared/corpora. Skips cleanly where they are not; the project's own cases are in test_template.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/template.h"

/* What was reached; a change may not fall behind it. */
#define PASS_AT_LEAST 100.0

struct data {
	struct value root;
};

static struct value free_name(void *ctx, struct slice name)
{
	const struct data *d = ctx;

	return value_get(d->root, name);
}

static const char *load(void *ctx, const char *name)
{
	return json_string_value(json_object_get(ctx, name));
}

/* The output, or NULL if it is refused. The caller frees it. */
static char *rendered(const json_t *test)
{
	struct template_options options = {
		.escape = TEMPLATE_PLAIN, .load = load, .load_ctx = json_object_get(test, "templates")
	};
	const json_t *json = json_object_get(test, "data");
	struct arena *arena = arena_new(0);
	struct template_error errors[4];
	struct buf out = BUF_INIT;
	struct data data = { value_nil };
	struct template_env env = {
		.now = clock_now(), .ctx = &data, .free_name = free_name, .arena = arena
	};
	struct template *t;
	char *result = NULL;
	struct err err;
	size_t count;

	t = template_compile(
		"golden", json_string_value(json_object_get(test, "template")), &options, errors, 4, &count);
	if (t && json)
		data.root = value_from_json(arena, json);
	if (t && template_render(t, &env, &out, &err) == TEMPLATE_DONE)
		result = xstrdup(buf_cstr(&out));
	buf_clear(&out);
	template_free(&t);
	arena_free(&arena);
	return result;
}

static bool passes(const json_t *test, const char *got)
{
	const json_t *results = json_object_get(test, "results"), *one;
	size_t i;

	if (json_is_true(json_object_get(test, "invalid")))
		return got == NULL;
	if (!got)
		return false;
	if (!results)
		return strcmp(got, json_string_value(json_object_get(test, "result"))) == 0;
	json_array_foreach((json_t *)(uintptr_t)results, i, one)
		if (strcmp(got, json_string_value(one)) == 0)
			return true;
	return false;
}

static void test_golden_cases_give_their_output(void **state)
{
	const char *folder = getenv("NURTURED_CORPORA");
	char *path = xasprintf("%s/liquid.json", folder ? folder : "../shared/corpora");
	json_t *file = access(path, R_OK) == 0 ? json_load_file(path, 0, NULL) : NULL, *test;
	size_t passed = 0, total, i;

	free(path);
	if (!file) {
		print_message("no golden cases at hand\n");
		return;
	}
	total = json_array_size(json_object_get(file, "tests"));
	json_array_foreach(json_object_get(file, "tests"), i, test) {
		char *got = rendered(test);

		if (passes(test, got))
			passed++;
		else
			print_message("  %s: %s\n", json_string_value(json_object_get(test, "name")),
				got ? got : "(refused)");
		free(got);
	}
	print_message("golden-liquid: %zu of %zu passed\n", passed, total);
	json_decref(file);
	assert_true((double)passed * 100 >= PASS_AT_LEAST * (double)total);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden_cases_give_their_output) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
