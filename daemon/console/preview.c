/*
 * preview.c: see preview.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/languages.h"
#include "console/preview.h"
#include "language/template.h"

#define FILE_MAX (4 * 1024 * 1024)
#define ERRORS_MAX 32
#define SUFFIX ".liquid"
#define TEXT ".txt"

/* What a preview is made of; also the context of the compiler's and the renderer's look-ups. */
struct work {
	const struct preview *wish;
	struct arena *arena;
	char *folder, *name;
	const char *language;	/* "de" of NAME.de.liquid and NAME.de.txt.liquid; "" if it has none */
	bool text;		/* NAME.txt.liquid: so are its partials */
	struct value data;
	struct vocabulary *vocabulary;
	struct template *template;
	struct buf *errors;
};

static int read_file(const char *path, struct arena *arena, const char **out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat st;
	size_t have = 0;
	ssize_t n = 0;
	char *text;

	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		err_set(err, "%s: not a file of at most 4 MiB", path);
		goto out;
	}
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	while (have < (size_t)st.st_size && (n = read(fd, text + have, (size_t)st.st_size - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	if (n < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
	} else if (!text_utf8_valid(text, have)) {
		err_set(err, "%s: not UTF-8 text", path);
	} else {
		*out = text;
		rc = 0;
	}
out:
	close(fd);
	return rc;
}

/* --- data ------------------------------------------------------------------------------------------- */

static int read_data(struct work *w)
{
	const char *text = "{}", *path = w->wish->data;
	json_error_t where;
	struct err err;
	json_t *json;

	if (path && read_file(path, w->arena, &text, &err) < 0) {
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

static void cut_suffix(char *name, const char *suffix)
{
	if (text_ends_with(name, suffix) && strlen(name) > strlen(suffix))
		name[strlen(name) - strlen(suffix)] = '\0';
}

static void split_path(struct work *w)
{
	const char *file = w->wish->file, *slash = strrchr(file, '/');
	char *stem;

	w->folder = slash ? arena_strndup(w->arena, file, (size_t)(slash - file))
		: arena_strdup(w->arena, ".");
	w->name = arena_strdup(w->arena, slash ? slash + 1 : file);
	cut_suffix(w->name, SUFFIX);
	stem = arena_strdup(w->arena, w->name);
	cut_suffix(stem, TEXT);
	w->text = strcmp(stem, w->name) != 0;
	w->language = languages_in(stem) ? stem + languages_in(stem) : "";
}

/* NULL if there is none with that ending; of the file's language first. */
static char *find_ending(struct work *w, const char *name, const char *ending)
{
	char *path;

	for (size_t len = strlen(w->language); len; len = languages_wider(w->language, len)) {
		path = arena_printf(w->arena, "%s/%s.%.*s%s", w->folder, name, (int)len, w->language, ending);
		if (!access(path, F_OK))
			return path;
	}
	path = arena_printf(w->arena, "%s/%s%s", w->folder, name, ending);
	return access(path, F_OK) ? NULL : path;
}

/* As the daemon does it. */
static char *find_part(struct work *w, const char *name)
{
	char *path = w->text ? find_ending(w, name, TEXT SUFFIX) : NULL;

	if (!path)
		path = find_ending(w, name, SUFFIX);
	return path ? path : arena_printf(w->arena, "%s/%s" SUFFIX, w->folder, name);
}

/* For the compiler: layouts and partials by name. */
static const char *load_cb(void *ctx, const char *name)
{
	struct work *w = ctx;
	const char *text;

	/* a name stays inside its folder */
	if (!*name || *name == '.' || strchr(name, '/'))
		return NULL;
	if (read_file(find_part(w, name), w->arena, &text, NULL) < 0)
		return NULL;
	return text;
}

static int compile(struct work *w)
{
	struct template_options options = {
		.escape = w->wish->plain ? TEMPLATE_PLAIN : TEMPLATE_HTML,
		.vocabulary = w->vocabulary,
		.load = load_cb,
		.load_ctx = w,
	};
	struct template_error errors[ERRORS_MAX];
	size_t count = 0, i;
	const char *text;
	struct err err;

	if (read_file(w->wish->file, w->arena, &text, &err) < 0) {
		buf_printf(w->errors, "%s\n", err.text);
		return -1;
	}
	w->template = template_compile(w->name, text, &options, errors, ERRORS_MAX, &count);
	if (w->template)
		return 0;
	for (i = 0; i < count && i < ERRORS_MAX; i++) {
		const struct template_error *e = &errors[i];

		if (!*e->file || strcmp(e->file, w->name) == 0)
			buf_str(w->errors, w->wish->file);
		else
			buf_str(w->errors, find_part(w, e->file));
		buf_printf(w->errors, ":%d:%d: %s\n", e->line, e->column, e->text);
	}
	return -1;
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

	split_path(w);
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
