/*
 * preview.c: see preview.h.
 */
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "console/preview.h"
#include "language/template.h"

#include "template_file.h"

#define ERRORS_MAX 32

/* What a preview is made of; also the context of the compiler's and the renderer's look-ups. */
struct work {
	const struct preview *wish;
	struct arena *arena;
	struct template_file file;
	struct value data;
	struct vocabulary *vocabulary;
	struct template *template;
	struct buf *errors;
};

/* --- data ------------------------------------------------------------------------------------------- */

static int read_data(struct work *w)
{
	const char *text = "{}", *path = w->wish->data;
	json_error_t where;
	struct err err;
	json_t *json;

	if (path && template_file_read(path, w->arena, &text, &err) < 0) {
		buf_printf(w->errors, "%s\n", err.text);
		return -1;
	}
	json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	if (!json)
		buf_printf(w->errors, "%s:%d:%d: %s\n", path, where.line, where.column, where.text);
	else if (!json_is_object(json))
		buf_printf(w->errors,
			"%s:1:1: the data must be a JSON object with the names that the template uses\n",
			path);
	else
		w->data = value_from_json(w->arena, json);
	json_decref(json);
	return w->data.type == VALUE_OBJECT ? 0 : -1;
}

/*
 * The names of the data are the names that there are; a name with null may be empty, and the compiler
 * wants its `default`.
 */
static void name_data(struct work *w)
{
	const struct value_object *object = w->data.object;
	size_t i;

	w->vocabulary = vocabulary_new();
	for (i = 0; i < object->count; i++) {
		const struct value_pair *pair = &object->pairs[i];
		struct symbol symbol = {
			.name = arena_strndup(w->arena, pair->key.data, pair->key.len),
			.type = pair->value.type == VALUE_NIL ? VALUE_TEXT : pair->value.type,
			.may_be_empty = pair->value.type == VALUE_NIL,
		};

		vocabulary_add(w->vocabulary, &symbol);
	}
}

static struct value name_cb(void *ctx, int symbol)
{
	struct work *w = ctx;

	return value_get(w->data, slice_of(vocabulary_symbol(w->vocabulary, symbol)->name));
}

static struct value free_name_cb(void *ctx, struct slice name)
{
	struct work *w = ctx;

	return value_get(w->data, name);
}

/* --- template --------------------------------------------------------------------------------------- */

static int compile(struct work *w)
{
	struct template_options options = {
		.escape = w->wish->plain ? TEMPLATE_PLAIN : TEMPLATE_HTML,
		.vocabulary = w->vocabulary,
		.load = template_file_load,
		.load_ctx = &w->file,
		.picture = w->wish->plain ? NULL : template_file_picture_shown,
		.picture_ctx = &w->file,
	};
	struct template_error errors[ERRORS_MAX];
	size_t count = 0, i;
	struct err err;

	if (template_file_open(&w->file, w->arena, w->wish->file, &err) < 0) {
		buf_printf(w->errors, "%s\n", err.text);
		return -1;
	}
	w->template = template_compile(w->file.name, w->file.source, &options, errors, ERRORS_MAX, &count);
	for (i = 0; !w->template && i < count && i < ERRORS_MAX; i++)
		buf_printf(w->errors, "%s:%d:%d: %s\n",
			*errors[i].file ? template_file_part(&w->file, errors[i].file) : w->wish->file, errors[i].line,
			errors[i].column, errors[i].text);
	return w->template ? 0 : -1;
}

/* --- rendering -------------------------------------------------------------------------------------- */

static int render(struct work *w, const struct template *t, struct buf *out)
{
	struct arena *scratch = arena_new(0);
	struct template_env env = {
		.now = clock_now(), .ctx = w, .name = name_cb, .free_name = free_name_cb, .arena = scratch,
	};
	struct err err = { .text = "" };
	enum template_result result = template_render(t, &env, out, &err);

	arena_free(&scratch);
	if (result == TEMPLATE_DONE)
		return 0;
	buf_printf(w->errors, "%s: %s%s\n", w->wish->file, result == TEMPLATE_ABORTED ? "aborted: " : "",
		err.text);
	return -1;
}

static int render_headers(struct work *w, struct buf *out)
{
	static const char *const keys[] = { "subject", "preheader", "from", "topic" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct template *meta = template_meta(w->template, keys[i]);

		if (!meta)
			continue;
		buf_printf(out, "%s: ", keys[i]);
		if (render(w, meta, out) < 0)
			return -1;
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
	return 0;
}

static int run(struct work *w, struct buf *out)
{
	const struct template *body;

	if (read_data(w) < 0)
		return -1;
	if (!w->wish->plain)
		name_data(w);
	if (compile(w) < 0)
		return -1;
	body = w->wish->text && !w->wish->plain ? template_text_part(w->template) : w->template;
	if (w->wish->headers && render_headers(w, out) < 0)
		return -1;
	return render(w, body, out);
}

int preview_render(const struct preview *p, struct buf *out, struct buf *errors)
{
	struct work w = { .wish = p, .arena = arena_new(0), .errors = errors };
	int rc = run(&w, out);

	template_free(&w.template);
	vocabulary_free(&w.vocabulary);
	arena_free(&w.arena);
	return rc;
}

/* What compiles can be printed: a printed template is the same program. */
int preview_print(const char *file, struct buf *out, struct buf *errors)
{
	struct preview plain = { .file = file, .plain = true };
	struct work w = { .wish = &plain, .arena = arena_new(0), .errors = errors };
	struct template_error error;
	int rc = compile(&w);

	if (rc == 0 && template_print(w.file.name, w.file.source, out, &error) < 0) {
		buf_printf(errors, "%s:%d:%d: %s\n", file, error.line, error.column, error.text);
		rc = -1;
	}
	template_free(&w.template);
	arena_free(&w.arena);
	return rc;
}
