/*
 * templates.c: templates are compiled with what they name, and what is wrong is said where it stands.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/languages.h"

#include "templates.h"

#define ERRORS_MAX 32
#define NAME_MAX_LEN 100
/* after everything that stands in YAML */
#define TEMPLATE_ORDER 1000000

const struct source *templates_read(struct load *l, const char *path, bool complain_missing)
{
	struct source *source;
	struct err err;
	int rc = source_read(&l->complaints, path, &source, &err);

	source->order += TEMPLATE_ORDER;
	if (rc < 0)
		complain_at(&l->complaints, source, 1, 1, "%s", err.text);
	else if (!rc && complain_missing)
		complain_at(&l->complaints, source, 1, 1, "there is no such template; nurtured needs it");
	return rc > 0 ? source : NULL;
}

/* NAME.de-AT.liquid, then NAME.de.liquid, then NAME.liquid; `ending` is ".liquid" or ".txt.liquid". */
static const struct source *read_in_language(const struct template_folder *folder, const char *name, const char *ending)
{
	struct load *l = folder->load;
	size_t len = folder->language ? strlen(folder->language) : 0;

	while (len) {
		const struct source *source = templates_read(
			l, arena_printf(l->scratch, "%s/%s.%.*s%s", folder->path, name, (int)len, folder->language, ending), false);

		if (source)
			return source;
		len = languages_wider(folder->language, len);
	}
	return templates_read(l, arena_printf(l->scratch, "%s/%s%s", folder->path, name, ending), false);
}

static const struct source *find_source(const struct template_folder *folder, const char *name)
{
	const struct source *source = NULL;

	/* a name stays inside its folder */
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > NAME_MAX_LEN)
		return NULL;
	if (folder->text)
		source = read_in_language(folder, name, ".txt.liquid");
	return source ? source : read_in_language(folder, name, ".liquid");
}

/* For the compiler: layouts and partials by name. */
static const char *load_cb(void *ctx, const char *name)
{
	const struct source *source = find_source(ctx, name);

	return source ? source->text : NULL;
}

/* An error may lie in a layout or partial, which `file` names without its folder and ending. */
static void complain_template(const struct template_folder *folder, const struct source *source, const char *name,
	const struct template_error *error)
{
	const struct source *other = error->file[0] && strcmp(error->file, name) != 0 ? find_source(folder, error->file) : NULL;

	complain_at(&folder->load->complaints, other ? other : source, error->line, error->column, "%s", error->text);
}

/* The plan owns it, and is of another version where it is another. */
static const struct template *keep(struct load *l, const char *name, struct template *t)
{
	struct plan_body *b = l->body;

	buf_str(&l->versions, name);
	buf_add(&l->versions, template_digest(t), 32);
	b->templates = xgrow(b->templates, &b->template_cap, b->template_count + 1, sizeof(*b->templates));
	b->templates[b->template_count++] = t;
	return t;
}

const struct template *templates_compile(struct template_folder *folder, const char *name, const struct source *source,
	struct template_options *options)
{
	struct template_error *errors = arena_calloc(folder->load->scratch, ERRORS_MAX, sizeof(*errors));
	struct template *t;
	size_t count = 0;

	options->load = load_cb;
	options->load_ctx = folder;
	t = template_compile(name, source->text, options, errors, ERRORS_MAX, &count);
	for (size_t i = 0; !t && i < count && i < ERRORS_MAX; i++)
		complain_template(folder, source, name, &errors[i]);
	return t ? keep(folder->load, name, t) : NULL;
}

/* The byte at which a line and a column, in characters, begin. */
static size_t offset_of(const char *text, int line, int column)
{
	const char *at = text;

	while (--line > 0 && strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	while (--column > 0 && *at) {
		at++;
		while (((unsigned char)*at & 0xc0) == 0x80)
			at++;
	}
	return (size_t)(at - text);
}

const struct template *templates_subject(struct load *l, const struct yaml_node *node)
{
	static const char name[] = "subject";
	struct template_options options = { .escape = TEMPLATE_HEADER, .vocabulary = l->plan->mail_names };
	struct template_error *errors = arena_calloc(l->scratch, ERRORS_MAX, sizeof(*errors));
	size_t count = 0;
	struct template *t;

	if (!l->nurture_known)
		return NULL;
	if (text_has_control(node->text, node->len) || strchr(node->text, '\n')) {
		complain(l, node, "a subject is one line");
		return NULL;
	}
	t = template_compile(name, node->text, &options, errors, ERRORS_MAX, &count);
	for (size_t i = 0; !t && i < count && i < ERRORS_MAX; i++)
		complain_inside(l, node, offset_of(node->text, errors[i].line, errors[i].column), "%s", errors[i].text);
	return t ? keep(l, name, t) : NULL;
}

/* The name of a file without its ending. */
char *templates_stem(struct load *l, const char *file, const char *suffix)
{
	return arena_strndup(l->arena, file, strlen(file) - strlen(suffix));
}
