/*
 * mails.c: the templates of mails, pages and alerts, read and compiled.
 *
 * In emails/ a file whose front matter has a `subject` is a mail; others are layouts and partials, compiled with
 * the mails that name them. NAME.txt.liquid is the text part of NAME.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "keys.h"
#include "mails.h"

#define ERRORS_MAX 32
/* after everything that stands in YAML */
#define TEMPLATE_ORDER 1000000

static const char *const required_pages[] = {
	"signup",
	"confirm",
	"confirmed",
	"unsubscribe",
	"unsubscribed",
	"thanks",
	"error",
	"sales-answer",
	"sales-answered",
	NULL,
};

/* One folder of templates; also the context of the compiler's look-ups. */
struct folder {
	struct load *load;
	const char *path;
	const char *preferred; /* tried before ".liquid": ".txt.liquid" for text parts; or NULL */
};

static const struct source *read_template(struct load *l, const char *path, bool complain_missing)
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

/* For the compiler: layouts and partials by name. */
static const char *load_cb(void *ctx, const char *name)
{
	const struct folder *folder = ctx;
	struct load *l = folder->load;
	const struct source *source = NULL;

	/* a name stays inside its folder */
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 100)
		return NULL;
	if (folder->preferred)
		source = read_template(
			l, arena_printf(l->scratch, "%s/%s%s", folder->path, name, folder->preferred), false);
	if (!source)
		source =
			read_template(l, arena_printf(l->scratch, "%s/%s.liquid", folder->path, name), false);
	return source ? source->text : NULL;
}

/* An error may lie in a layout or partial, which `file` names without its folder and ending. */
static void complain_template(struct load *l, const struct folder *folder, const struct source *source,
	const char *name, const struct template_error *error)
{
	const struct source *at = source;

	if (error->file[0] && strcmp(error->file, name) != 0) {
		struct source *other = source_of(&l->complaints,
			arena_printf(l->scratch, "%s/%s.liquid", folder->path, error->file), "", 0);

		other->order += TEMPLATE_ORDER;
		at = other;
	}
	complain_at(&l->complaints, at, error->line, error->column, "%s", error->text);
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

static const struct template *compile(struct load *l, struct folder *folder, const char *name,
	const struct source *source, struct template_options *options)
{
	struct template_error *errors = arena_calloc(l->scratch, ERRORS_MAX, sizeof(*errors));
	struct template *t;
	size_t count = 0;

	options->load = load_cb;
	options->load_ctx = folder;
	t = template_compile(name, source->text, options, errors, ERRORS_MAX, &count);
	if (!t) {
		for (size_t i = 0; i < count && i < ERRORS_MAX; i++)
			complain_template(l, folder, source, name, &errors[i]);
		return NULL;
	}
	return keep(l, name, t);
}

/* The name of a file without its ending. */
static char *stem(struct load *l, const char *file, const char *suffix)
{
	return arena_strndup(l->arena, file, strlen(file) - strlen(suffix));
}

/* --- mails ------------------------------------------------------------------------------------------------------ */

/* Does the front matter, between two lines of "---", have the key `subject`? */
static bool has_subject(const char *text)
{
	const char *line = text;

	if (!text_starts_with(line, "---\n") && !text_starts_with(line, "---\r\n"))
		return false;
	while ((line = strchr(line, '\n'))) {
		line++;
		if (text_starts_with(line, "---"))
			return false;
		if (text_starts_with(line, "subject:"))
			return true;
	}
	return false;
}

static const struct template *compile_text(struct load *l, const char *path, const char *name)
{
	const struct source *source =
		read_template(l, arena_printf(l->scratch, "%s/%s.txt.liquid", path, name), false);
	struct folder folder = { .load = l, .path = path, .preferred = ".txt.liquid" };
	struct template_options options = { .escape = TEMPLATE_PLAIN, .vocabulary = l->plan->mail_names };

	if (!source)
		return NULL;
	return compile(l, &folder, arena_printf(l->scratch, "%s.txt", name), source, &options);
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

const struct template *mails_subject(struct load *l, const struct yaml_node *node)
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

static int load_mail(struct load *l, const char *path, const char *name, const struct source *source,
	struct mail_template *mail)
{
	struct folder folder = { .load = l, .path = path };
	struct template_options options = {
		.escape = TEMPLATE_HTML,
		.vocabulary = l->plan->mail_names,
		.track_links = true,
	};
	int download = vocabulary_find(l->plan->mail_names, slice_of("download_url"));

	mail->name = mail->base = name;
	mail->language = "";
	mail->html = compile(l, &folder, name, source, &options);
	mail->text = compile_text(l, path, name);
	if (!mail->html)
		return -1;
	if (!mail->text)
		mail->text = template_text_part(mail->html);
	mail->subject = template_meta(mail->html, "subject");
	mail->preheader = template_meta(mail->html, "preheader");
	mail->uses_download =
		template_uses(mail->html, download) || (mail->text && template_uses(mail->text, download));
	return 0;
}

static void load_mails(struct load *l)
{
	char *path = arena_printf(l->scratch, "%s/emails", l->plan->operator.templates);
	const char *const *files = load_names(l, path, ".liquid");
	struct mail_template *mails;
	size_t n = 0;

	while (files[n])
		n++;
	mails = arena_calloc(l->arena, n + 1, sizeof(*mails));
	l->plan->mails = mails;
	for (size_t i = 0; i < n; i++) {
		const struct source *source;

		if (text_ends_with(files[i], ".txt.liquid"))
			continue;
		source = read_template(l, arena_printf(l->scratch, "%s/%s", path, files[i]), true);
		if (!source || !has_subject(source->text))
			continue;
		/* a mail that is wrong is still there: what names it is not wrong too */
		load_mail(l, path, stem(l, files[i], ".liquid"), source, &mails[l->plan->mail_count]);
		l->plan->mail_count++;
	}
	l->mails_known = n > 0;
	if (!n)
		complain_at(&l->complaints, source_of(&l->complaints, path, "", 0), 1, 1,
			"there are no *.liquid files; `templates` in the operator's file names the folder of "
			"emails/");
}

/* --- pages and alerts ------------------------------------------------------------------------------------------- */

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
	struct folder folder = { .load = l, .path = path };
	struct template_options options = { .escape = TEMPLATE_HTML, .vocabulary = l->plan->page_names };
	const struct source *source =
		read_template(l, arena_printf(l->scratch, "%s/%s.liquid", path, name), true);

	/* pages that nurtured does not need are layouts and partials, unless they begin with front matter */
	if (!source || (!is_required(name) && !text_starts_with(source->text, "---")))
		return;
	b->pages[b->page_count++] = (struct plan_page){
		.name = name,
		.template = compile(l, &folder, name, source, &options),
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
		char *name = stem(l, files[i], ".liquid");

		if (!is_required(name))
			load_page(l, path, name);
	}
}

static const struct template *compile_alert(
	struct load *l, const char *name, enum template_escape escape, bool needed)
{
	const char *path = arena_printf(l->scratch, "%s/alerts", l->plan->operator.templates);
	struct folder folder = { .load = l, .path = path };
	struct template_options options = { .escape = escape, .vocabulary = l->plan->alert_names };
	const struct source *source =
		read_template(l, arena_printf(l->scratch, "%s/%s.liquid", path, name), needed);

	return source ? compile(l, &folder, name, source, &options) : NULL;
}

const struct template *mails_alert(struct load *l, const struct yaml_node *node, const char *name)
{
	const char *path = arena_printf(l->scratch, "%s/alerts", l->plan->operator.templates);
	const char *const *files = load_names(l, path, ".liquid");
	const char **names;
	size_t n = 0;

	while (files[n])
		n++;
	names = arena_calloc(l->scratch, n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++) {
		names[i] = stem(l, files[i], ".liquid");
		if (!strcmp(names[i], name))
			return compile_alert(l, name, TEMPLATE_JSON, true);
	}
	complain(l, node, "there is no template `%s` in alerts/%s", name, keys_hint(l, name, names));
	return NULL;
}

void mails_load(struct load *l)
{
	load_mails(l);
	load_pages(l);
	l->plan->forward = compile_alert(l, "forward", TEMPLATE_PLAIN, true);
}

const char *const *mails_names(struct load *l)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->mail_count + 1, sizeof(*names));

	for (size_t i = 0; i < plan->mail_count; i++)
		names[i] = plan->mails[i].name;
	return names;
}

const struct mail_template *mails_find(struct load *l, const struct yaml_node *node)
{
	const struct mail_template *mail = plan_mail(l->plan, node->text);

	if (!mail && l->mails_known)
		complain(l, node, "there is no mail `%s` in templates/emails/%s", node->text,
			keys_hint(l, node->text, mails_names(l)));
	return mail;
}
