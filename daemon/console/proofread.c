/*
 * proofread.c: see proofread.h.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/plan.h"
#include "console/proofread.h"
#include "language/lint.h"

#include "template_file.h"

#define SUFFIX ".liquid"

struct finding {
	const char *path;
	struct lint_finding found;
};

struct work {
	struct arena *arena;
	struct plan *plan;			/* NULL: names are not checked */
	const struct vocabulary *vocabulary;	/* of the file at hand */
	struct finding *findings;
	size_t count, cap;
	const char **parts;			/* paths that others load */
	size_t part_count, part_cap;
	size_t templates;
	struct buf *errors;
};

/* --- sample values --------------------------------------------------------------------------------------------------- */

static struct value sample_sender(struct work *w)
{
	const struct sender_config *s = &w->plan->operator.senders[0];
	struct value_builder *b = value_build_object(w->arena);

	value_put(b, "name", value_text(*s->from_name ? s->from_name : s->company));
	value_put(b, "company", value_text(s->company));
	value_put(b, "postal_address", value_text(s->postal_address));
	value_put(b, "email", value_text("sender@example.com"));
	return value_built(b);
}

static struct value sample_of(struct work *w, const struct symbol *symbol)
{
	switch (symbol->type) {
	case VALUE_BOOL:
		return value_bool(true);
	case VALUE_INT:
	case VALUE_REAL:
		return value_int(12);
	case VALUE_TIME:
		return value_time(clock_now());
	case VALUE_LIST:
		return value_built(value_build_list(w->arena));
	case VALUE_OBJECT:
		return value_built(value_build_object(w->arena));
	default:
		break;
	}
	if (text_ends_with(symbol->name, "_url"))
		return value_text("https://mail.example.com/u/abcdefghijklmnopqrstuvwxyz2345");
	return value_text(strcmp(symbol->name, "email") == 0 ? "reader@example.com" : "Alexandra");
}

static struct value sample_cb(void *ctx, int index)
{
	struct work *w = ctx;
	const struct symbol *symbol = vocabulary_symbol(w->vocabulary, index);

	/* fields come first in every vocabulary */
	if ((size_t)index < w->plan->field_count && w->plan->fields[index].default_text)
		return value_text(w->plan->fields[index].default_text);
	if (strcmp(symbol->name, "sender") == 0)
		return sample_sender(w);
	return sample_of(w, symbol);
}

/* --- one file -------------------------------------------------------------------------------------------------------- */

static void keep(struct work *w, struct template_file *file, const struct lint_finding *found)
{
	const char *path = *found->file ? template_file_part(file, found->file) : file->path;

	/* a layout is found wrong with each mail that has it */
	for (size_t i = 0; i < w->count; i++) {
		const struct lint_finding *f = &w->findings[i].found;

		if (f->rule == found->rule && f->line == found->line && f->column == found->column &&
			strcmp(w->findings[i].path, path) == 0 && strcmp(f->text, found->text) == 0)
			return;
	}
	w->findings = xgrow(w->findings, &w->cap, w->count + 1, sizeof(*w->findings));
	w->findings[w->count++] = (struct finding){ path, *found };
}

static bool is_part(const struct work *w, const char *path)
{
	for (size_t i = 0; i < w->part_count; i++)
		if (strcmp(w->parts[i], path) == 0)
			return true;
	return false;
}

static void loaded_cb(void *ctx, const char *path)
{
	struct work *w = ctx;

	if (is_part(w, path))
		return;
	w->parts = xgrow(w->parts, &w->part_cap, w->part_count + 1, sizeof(*w->parts));
	w->parts[w->part_count++] = path;
}

static bool in_folder(const struct template_file *file, const char *name)
{
	const char *slash = strrchr(file->folder, '/');

	return strcmp(slash ? slash + 1 : file->folder, name) == 0;
}

/* Has the front matter that key? */
static bool has_key(const char *text, const char *key)
{
	size_t n = strlen(key);

	if (!text_starts_with(text, "---\n") && !text_starts_with(text, "---\r\n"))
		return false;
	for (const char *line = strchr(text, '\n'); line && !text_starts_with(line + 1, "---"); line = strchr(line + 1, '\n'))
		if (strncmp(line + 1, key, n) == 0 && line[1 + n] == ':')
			return true;
	return false;
}

static enum lint_kind kind_of(const struct template_file *file, bool part)
{
	if (file->text || in_folder(file, "alerts"))
		return LINT_TEXT;
	if (part || strstr(file->source, "{{ content }}"))
		return LINT_PART;
	if (in_folder(file, "pages"))
		return LINT_PAGE;
	return has_key(file->source, "subject") ? LINT_MAIL : LINT_PART;
}

static const struct vocabulary *names_of(const struct work *w, const struct template_file *file, enum lint_kind kind)
{
	if (!w->plan || kind == LINT_PART)	/* whoever renders it passes what it names */
		return NULL;
	if (in_folder(file, "alerts"))
		return w->plan->alert_names;
	return in_folder(file, "pages") ? w->plan->page_names : w->plan->mail_names;
}

/* Of `ebook.liquid`: ebook.txt.liquid beside it. */
static bool has_text_part(struct work *w, const struct template_file *file)
{
	return access(arena_printf(w->arena, "%s/%s.txt" SUFFIX, file->folder, file->name), F_OK) == 0;
}

static int look_at(struct work *w, const char *path, bool part, bool only_parts)
{
	struct template_file file = { .loaded = loaded_cb, .ctx = w };
	struct template_options compile = { .load = template_file_load, .load_ctx = &file, .track_links = true };
	struct template_env sample = { .now = clock_now(), .ctx = w, .name = sample_cb, .arena = w->arena };
	struct lint_options options = { .compile = &compile };
	struct lint_finding *found;
	struct err err;
	size_t count;

	if (template_file_open(&file, w->arena, path, &err) < 0) {
		buf_printf(w->errors, "%s\n", err.text);
		return -1;
	}
	options.kind = kind_of(&file, part);
	if (options.kind == LINT_MAIL || options.kind == LINT_PART) {
		compile.picture = template_file_picture;
		compile.picture_ctx = &file;
	}
	options.has_text = has_text_part(w, &file);
	compile.escape = options.kind == LINT_TEXT ? TEMPLATE_PLAIN : TEMPLATE_HTML;
	compile.vocabulary = w->vocabulary = names_of(w, &file, options.kind);
	if (compile.vocabulary)
		options.sample = &sample;
	found = lint_template(file.name, file.source, &options, &count);
	for (size_t i = 0; i < count && !only_parts; i++)
		keep(w, &file, &found[i]);
	free(found);
	w->templates += !only_parts;
	return 0;
}

/* --- which files ----------------------------------------------------------------------------------------------------- */

/* Layouts and partials are looked at with those that name them; by themselves only if nobody does. */
static int look_at_folder(struct work *w, const char *folder)
{
	glob_t found;
	int rc = 0;

	if (glob(arena_printf(w->arena, "%s/%s/*" SUFFIX, w->plan->operator.templates, folder), 0, NULL, &found)) {
		buf_printf(w->errors, "%s/%s: there are no *.liquid files\n", w->plan->operator.templates, folder);
		return -1;
	}
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = look_at(w, arena_strdup(w->arena, found.gl_pathv[i]), false, true);
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		if (!is_part(w, found.gl_pathv[i]))
			rc = look_at(w, arena_strdup(w->arena, found.gl_pathv[i]), false, false);
	globfree(&found);
	return rc;
}

static int look_at_all(struct work *w, const struct proofread *p)
{
	int rc = 0;

	if (p->all)
		return look_at_folder(w, "emails") < 0 || look_at_folder(w, "pages") < 0 ? -1 : 0;
	for (size_t i = 0; i < p->count; i++)
		if (look_at(w, p->files[i], false, false) < 0)
			rc = -1;
	return rc;
}

static int load_names(struct work *w, const struct proofread *p)
{
	struct plan_errors errors = { 0 };

	if (!p->all && !p->config_given && access(p->config, F_OK) && errno == ENOENT)
		return 0;
	w->plan = plan_load_names(p->config, &errors);
	buf_add(w->errors, buf_cstr(&errors.text), errors.text.len);
	buf_clear(&errors.text);
	return w->plan ? 0 : -1;
}

/* --- as JSON, and as a page ------------------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c = strcmp(x->path, y->path);

	if (c)
		return c;
	if (x->found.line != y->found.line)
		return x->found.line - y->found.line;
	return x->found.column - y->found.column;
}

static const char *severity_name(enum lint_severity s)
{
	switch (s) {
	case LINT_WARNING:
		return "warning";
	case LINT_ERROR:
		return "error";
	}
	return "";
}

static json_t *as_json(struct work *w)
{
	json_t *list = json_array();
	json_int_t errors = 0;

	if (w->count > 1)
		qsort(w->findings, w->count, sizeof(*w->findings), by_place);
	for (size_t i = 0; i < w->count; i++) {
		const struct lint_finding *f = &w->findings[i].found;

		errors += f->rule->severity == LINT_ERROR;
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s, s:s, s:o}",
			"file", w->findings[i].path,
			"line", f->line,
			"column", f->column,
			"severity", severity_name(f->rule->severity),
			"rule", f->rule->name,
			"text", json_stringn_nocheck(f->text, strlen(f->text))));
	}
	return json_pack("{s:b, s:I, s:I, s:I, s:b, s:o}",
		"good", errors == 0,
		"templates", (json_int_t)w->templates,
		"errors", errors,
		"warnings", (json_int_t)w->count - errors,
		"names_checked", w->plan != NULL,
		"findings", list);
}

json_t *proofread_run(const struct proofread *p, struct buf *errors)
{
	struct work w = { .arena = arena_new(0), .errors = errors };
	json_t *json = NULL;

	if (load_names(&w, p) == 0 && look_at_all(&w, p) == 0)
		json = as_json(&w);
	if (w.plan)
		plan_unref(&w.plan);
	free(w.findings);
	free(w.parts);
	arena_free(&w.arena);
	return json;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static long long count_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void sum_up(struct buf *out, long long n, const char *what)
{
	buf_printf(out, "%lld %s%s", n, what, n == 1 ? "" : "s");
}

void proofread_print(struct buf *out, const json_t *json)
{
	const json_t *findings = json_object_get(json, "findings");

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);

		buf_printf(out, "%s:%lld:%lld: %s: %s [%s]\n", text_of(f, "file"), count_of(f, "line"), count_of(f, "column"),
			text_of(f, "severity"), text_of(f, "text"), text_of(f, "rule"));
	}
	sum_up(out, count_of(json, "templates"), "template");
	buf_str(out, ", ");
	sum_up(out, count_of(json, "errors"), "error");
	buf_str(out, ", ");
	sum_up(out, count_of(json, "warnings"), "warning");
	if (!json_is_true(json_object_get(json, "names_checked")))
		buf_str(out, "; names are not checked: -c names the operator's file");
	buf_char(out, '\n');
}
