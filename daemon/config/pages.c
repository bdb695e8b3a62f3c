/*
 * pages.c: the templates of pages and alerts.
 */
#include <string.h>

#include "base/text.h"
#include "config/languages.h"

#include "keys.h"
#include "templates.h"

static const char *const required_pages[] = {
	"signup",
	"confirm",
	"confirmed",
	"unsubscribe",
	"unsubscribed",
	"preferences",
	"thanks",
	"error",
	"sales-answer",
	"sales-answered",
	NULL,
};

static bool is_required(const char *name)
{
	for (size_t i = 0; required_pages[i]; i++) {
		if (!strcmp(required_pages[i], name))
			return true;
	}
	return false;
}

static void load_page(struct load *l, const char *path, const char *name)
{
	struct plan_body *b = l->body;
	size_t at = languages_in(name);
	const char *language = at ? arena_strdup(l->arena, name + at) : "";
	struct template_folder folder = { .load = l, .path = path, .language = language };
	struct template_options options = { .escape = TEMPLATE_HTML, .vocabulary = l->plan->page_names };
	const struct source *source =
		templates_read(l, arena_printf(l->scratch, "%s/%s.liquid", path, name), true);

	/* pages that nurtured does not need are layouts and partials, unless they begin with front matter */
	if (!source || (!is_required(name) && !text_starts_with(source->text, "---")))
		return;
	b->pages[b->page_count++] = (struct plan_page){
		.name = name,
		.base = at ? arena_strndup(l->arena, name, at - 1) : name,
		.language = language,
		.template = templates_compile(&folder, name, source, &options),
	};
}

static void load_pages(struct load *l)
{
	char *path = arena_printf(l->scratch, "%s/pages", l->plan->operator.templates);
	const char *const *files = load_names(l, path, ".liquid");
	size_t n = 0, required = 0;

	while (files[n])
		n++;
	while (required_pages[required])
		required++;
	l->body->pages = arena_calloc(l->arena, n + required + 1, sizeof(*l->body->pages));
	for (size_t i = 0; i < required; i++)
		load_page(l, path, required_pages[i]);
	for (size_t i = 0; i < n; i++) {
		char *name = templates_stem(l, files[i], ".liquid");

		if (!is_required(name))
			load_page(l, path, name);
	}
}

static const struct template *load_alert(
	struct load *l, const char *name, enum template_escape escape, bool needed)
{
	const char *path = arena_printf(l->scratch, "%s/alerts", l->plan->operator.templates);
	struct template_folder folder = { .load = l, .path = path };
	struct template_options options = { .escape = escape, .vocabulary = l->plan->alert_names };
	const struct source *source =
		templates_read(l, arena_printf(l->scratch, "%s/%s.liquid", path, name), needed);

	return source ? templates_compile(&folder, name, source, &options) : NULL;
}

const struct template *pages_alert(struct load *l, const struct yaml_node *node, const char *name)
{
	const char *path = arena_printf(l->scratch, "%s/alerts", l->plan->operator.templates);
	const char *const *files = load_names(l, path, ".liquid");
	const char **names;
	size_t n = 0;

	while (files[n])
		n++;
	names = arena_calloc(l->scratch, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		names[i] = templates_stem(l, files[i], ".liquid");
		if (!strcmp(names[i], name))
			return load_alert(l, name, TEMPLATE_JSON, true);
	}
	complain(l, node, "there is no template `%s` in alerts/%s", name, keys_hint(l, name, names));
	return NULL;
}

void pages_load(struct load *l)
{
	load_pages(l);
	l->plan->forward = load_alert(l, "forward", TEMPLATE_PLAIN, true);
}
