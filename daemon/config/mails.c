/*
 * mails.c: the mails, and their versions in other languages.
 *
 * In emails/ a file whose front matter has a `subject` is a mail; others are layouts and partials, compiled with
 * the mails that name them. NAME.txt.liquid is the text part of NAME; NAME.de.liquid is NAME in German, and goes to people
 * whose language that is wherever NAME would.
 */
#include <string.h>

#include "base/text.h"
#include "config/languages.h"

#include "attachments.h"
#include "keys.h"
#include "mails.h"
#include "nurture.h"
#include "templates.h"
#include "topics.h"

/* A file of emails/, taken apart. */
struct file {
	const char *name;	/* without its ending */
	const char *base;	/* and without its language */
	const char *language;	/* "" if it is of none */
	const struct source *source;
};

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

/* --- languages -------------------------------------------------------------------------------------------------- */

/* What stands behind the last point of a name, if that is a language. */
static struct file take_apart(struct load *l, const char *name)
{
	size_t at = languages_in(name);

	if (!at)
		return (struct file){ .name = name, .base = name, .language = "" };
	return (struct file){
		.name = name,
		.base = arena_strndup(l->arena, name, at - 1),
		.language = arena_strdup(l->arena, name + at),
	};
}

const struct mail_template *mails_base(const struct plan *plan, const char *name)
{
	const struct mail_template *mail = plan_mail(plan, name);

	return mail && !*mail->language ? mail : NULL;
}

/* --- one mail --------------------------------------------------------------------------------------------------- */

static const struct template *load_text(struct load *l, const char *path, const struct file *file)
{
	const struct source *source =
		templates_read(l, arena_printf(l->scratch, "%s/%s.txt.liquid", path, file->name), false);
	struct template_folder folder = { .load = l, .path = path, .language = file->language, .text = true };
	struct template_options options = { .escape = TEMPLATE_PLAIN, .vocabulary = l->plan->mail_names };

	if (!source)
		return NULL;
	return templates_compile(&folder, arena_printf(l->scratch, "%s.txt", file->name), source, &options);
}

/* The line of the front matter that gives a key; the key is there. */
static int front_line(const char *text, const char *key)
{
	int line = 1;

	while ((text = strchr(text, '\n')) && ++line && !(text_starts_with(++text, key) && text[strlen(key)] == ':'))
		;
	return line;
}

/* `from: NAME`: one of the senders. */
static size_t find_sender(struct load *l, const struct file *file, const struct template *html)
{
	const struct operator_config *o = &l->plan->operator;
	const char *name = template_meta_text(html, "from");
	const char **names;
	size_t i;

	if (!name)
		return 0;
	names = arena_calloc(l->scratch, o->sender_count + 1, sizeof(*names));
	for (i = 0; i < o->sender_count; i++) {
		names[i] = o->senders[i].name;
		if (!strcmp(names[i], name))
			return i;
	}
	complain_at(&l->complaints, file->source, front_line(file->source->text, "from"), 1,
		"`from`: `%s` is no sender; it names one of `senders` in the operator's file%s", name, keys_hint(l, name, names));
	return 0;
}

static bool is_one_to_one(struct load *l, const struct file *file, const struct template *html)
{
	const char *mode = template_meta_text(html, "mode");

	if (mode && strcmp(mode, "one-to-one") != 0 && strcmp(mode, "programme") != 0)
		complain_at(&l->complaints, file->source, front_line(file->source->text, "mode"), 1,
			"`mode`: `%s` is no choice here; there are `programme` and `one-to-one`", mode);
	return mode && !strcmp(mode, "one-to-one");
}

/* --- files inside of mails ---------------------------------------------------------------------------------------- */

/* Of one mail, while it is loaded. */
struct files {
	struct load *load;
	const char *folder;			/* of its pictures */
	const struct attachment **all;		/* in the scratch arena */
	size_t count, cap, size;
};

static bool add_file(struct files *f, const struct attachment *a)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (f->all[i] == a)
			return true;
	if (f->count == f->cap) {
		const struct attachment **more = arena_calloc(f->load->scratch, f->cap * 2 + 8, sizeof(*more));

		if (f->count)
			memcpy(more, f->all, f->count * sizeof(*more));
		f->all = more;
		f->cap = f->cap * 2 + 8;
	}
	f->all[f->count++] = a;
	f->size += a->size;
	return f->size <= ATTACHMENTS_MAX;
}

static const struct attachment *const *keep_files(struct load *l, const struct files *f, size_t *count)
{
	const struct attachment **all = arena_calloc(l->arena, f->count + 1, sizeof(*all));

	if (f->count)
		memcpy(all, f->all, f->count * sizeof(*all));
	*count = f->count;
	return all;
}

static const char *picture_cb(void *ctx, const char *name, struct err *err)
{
	struct files *f = ctx;
	const struct attachment *a = attachments_get(f->load, f->folder, name, ATTACHMENT_PICTURE, err);

	if (!a)
		return NULL;
	if (!add_file(f, a)) {
		err_set(err, "the pictures of this mail have more than %d bytes; make them smaller, or show them from a website", ATTACHMENTS_MAX);
		return NULL;
	}
	return arena_printf(f->load->scratch, "cid:%s@" PICTURE_HOST, name);
}

/* `attach: book.pdf`, or `attach: [book.pdf, terms.pdf]`: files of the folder of downloads. */
static void load_attachments(struct load *l, const struct file *file, struct mail_template *mail, size_t size)
{
	const char *text = template_meta_text(mail->html, "attach");
	struct slice rest = slice_trim(slice_of(text ? text : ""));
	struct files files = { .load = l, .size = size };
	int line = text ? front_line(file->source->text, "attach") : 0;

	if (rest.len >= 2 && rest.data[0] == '[' && rest.data[rest.len - 1] == ']')
		rest = (struct slice){ rest.data + 1, rest.len - 2 };
	while (rest.len) {
		const char *comma = memchr(rest.data, ',', rest.len);
		struct slice one = slice_trim((struct slice){ rest.data, comma ? (size_t)(comma - rest.data) : rest.len });
		const struct attachment *a;
		struct err err;

		a = attachments_get(l, l->plan->operator.files, arena_strndup(l->scratch, one.len ? one.data : "", one.len), ATTACHMENT_FILE, &err);
		if (!a)
			complain_at(&l->complaints, file->source, line, 1, "`attach`: %s", err.text);
		else if (!add_file(&files, a))
			complain_at(&l->complaints, file->source, line, 1, "`attach`: the files of this mail have more than %d bytes; offer a link in place of a file",
				ATTACHMENTS_MAX);
		rest = comma ? (struct slice){ comma + 1, rest.len - (size_t)(comma + 1 - rest.data) } : (struct slice){ 0 };
	}
	mail->attachments = keep_files(l, &files, &mail->attachment_count);
	/* base64 and room for the text */
	if (files.size && (int64_t)(files.size / 54 * 74) + 256 * 1024 > l->plan->operator.message.max_size)
		complain_at(&l->complaints, file->source, line ? line : 1, 1, "the files of this mail do not go into `max_size` of `message` in the operator's file");
}

/* `track: clicks`: one of the words of nurture.yaml. */
static enum tracking find_track(struct load *l, const struct file *file, const struct template *html)
{
	const char *word = template_meta_text(html, "track");
	int i;

	for (i = 0; word && nurture_tracks[i]; i++)
		if (!strcmp(nurture_tracks[i], word))
			return (enum tracking)i;
	if (word)
		complain_at(&l->complaints, file->source, front_line(file->source->text, "track"), 1,
			"`track`: `%s` is no choice here; there are `none`, `clicks` and `all`", word);
	return TRACK_ALL;
}

static void load_mail(struct load *l, const char *path, const struct file *file, struct mail_template *mail)
{
	struct template_folder folder = { .load = l, .path = path, .language = file->language };
	struct files pictures = { .load = l, .folder = path };
	struct template_options options = {
		.escape = TEMPLATE_HTML,
		.vocabulary = l->plan->mail_names,
		.track_links = true,
		.picture = picture_cb,
		.picture_ctx = &pictures,
	};
	int download = vocabulary_find(l->plan->mail_names, slice_of("download_url"));

	mail->name = file->name;
	mail->base = file->base;
	mail->language = file->language;
	mail->html = templates_compile(&folder, file->name, file->source, &options);
	mail->text = load_text(l, path, file);
	if (!mail->html)
		return;
	if (!mail->text)
		mail->text = template_text_part(mail->html);
	mail->subject = template_meta(mail->html, "subject");
	mail->preheader = template_meta(mail->html, "preheader");
	mail->sender = find_sender(l, file, mail->html);
	mail->topic = topics_of_mail(l, mail->html, file->source);
	mail->pictures = keep_files(l, &pictures, &mail->picture_count);
	load_attachments(l, file, mail, pictures.size);
	mail->one_to_one = is_one_to_one(l, file, mail->html);
	mail->track = find_track(l, file, mail->html);
	mail->uses_download =
		template_uses(mail->html, download) || (mail->text && template_uses(mail->text, download));
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

/* A version says what its base says, in another language; what steps and forms make sure of is the base's. */
static void check_version(struct load *l, const struct file *file)
{
	const struct mail_template *base = mails_base(l->plan, file->base), *mail = plan_mail(l->plan, file->name);
	bool subject = has_subject(file->source->text);

	if (!base && subject)
		complain_at(&l->complaints, file->source, 1, 1,
			"this is the mail `%s` for the language `%s`, and there is no mail `%s`; write that too, or call this one otherwise",
			file->base, file->language, file->base);
	else if (base && !subject)
		complain_at(&l->complaints, file->source, 1, 1,
			"this is the mail `%s` for the language `%s`, and has no `subject`; give it one", file->base, file->language);
	else if (base && mail && mail->html && base->html && mail->uses_download != base->uses_download)
		complain_at(&l->complaints, file->source, 1, 1,
			"`%s` names {{ download_url }} and `%s` does not; all versions of a mail offer the same",
			mail->uses_download ? file->name : file->base, mail->uses_download ? file->base : file->name);
	else if (base && mail && mail->html && base->html && (mail->topic ? !base->topic || strcmp(mail->topic, base->topic) != 0 : !!base->topic))
		complain_at(&l->complaints, file->source, 1, 1, "`%s` is of the topic `%s` and `%s` of `%s`; all versions of a mail are of one",
			file->name, mail->topic ? mail->topic : "none", file->base, base->topic ? base->topic : "none");
}

/* Two that differ in capitals only are one language. */
static void check_twins(struct load *l, const struct file *files, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (*files[i].language && files[k].source && !strcmp(files[k].base, files[i].base) &&
			languages_same(files[k].language, files[i].language, strlen(files[i].language)))
			complain_at(&l->complaints, files[i].source, 1, 1, "`%s` is the same language as `%s`; keep one of them",
				files[i].name, files[k].name);
	}
}

/* A text part whose mail in that language is not there would never be used. */
static void check_text(struct load *l, const char *path, const char *name)
{
	struct file file = take_apart(l, name);
	const struct source *source;

	if (!*file.language || !mails_base(l->plan, file.base) || plan_mail(l->plan, name))
		return;
	source = templates_read(l, arena_printf(l->scratch, "%s/%s.txt.liquid", path, name), true);
	if (source)
		complain_at(&l->complaints, source, 1, 1, "this is the text part of %s.liquid, which is not there; write that too", name);
}

static void check_files(struct load *l, const char *path, const char *const *names, const struct file *files)
{
	for (size_t i = 0; names[i]; i++) {
		if (text_ends_with(names[i], ".txt.liquid"))
			check_text(l, path, templates_stem(l, names[i], ".txt.liquid"));
		if (!files[i].source || !*files[i].language)
			continue;
		check_version(l, &files[i]);
		check_twins(l, files, i);
	}
}

void mails_load(struct load *l)
{
	char *path = arena_printf(l->scratch, "%s/emails", l->plan->operator.templates);
	const char *const *names = load_names(l, path, ".liquid");
	struct mail_template *mails;
	struct file *files;
	size_t n = 0;

	while (names[n])
		n++;
	mails = arena_calloc(l->arena, n + 1, sizeof(*mails));
	files = arena_calloc(l->scratch, n + 1, sizeof(*files));
	l->plan->mails = mails;
	for (size_t i = 0; i < n; i++) {
		if (text_ends_with(names[i], ".txt.liquid"))
			continue;
		files[i] = take_apart(l, templates_stem(l, names[i], ".liquid"));
		files[i].source = templates_read(l, arena_printf(l->scratch, "%s/%s", path, names[i]), true);
		/* a mail that is wrong is still there: what names it is not wrong too */
		if (files[i].source && has_subject(files[i].source->text))
			load_mail(l, path, &files[i], &mails[l->plan->mail_count++]);
	}
	check_files(l, path, names, files);
	l->mails_known = n > 0;
	if (!n)
		complain_at(&l->complaints, source_of(&l->complaints, path, "", 0), 1, 1,
			"there are no *.liquid files; `templates` in the operator's file names the folder of "
			"emails/");
}

/* --- by name ---------------------------------------------------------------------------------------------------- */

const char *const *mails_names(struct load *l)
{
	const struct plan *plan = l->plan;
	const char **names = arena_calloc(l->scratch, plan->mail_count + 1, sizeof(*names));

	for (size_t i = 0, n = 0; i < plan->mail_count; i++) {
		if (!*plan->mails[i].language)
			names[n++] = plan->mails[i].name;
	}
	return names;
}

const char *mails_unknown(struct load *l, const char *name)
{
	const struct mail_template *mail = plan_mail(l->plan, name);

	if (mail && *mail->language)
		return arena_printf(l->scratch, "`%s` is `%s` for the language `%s`; name `%s`: each person gets it in theirs", name, mail->base,
			mail->language, mail->base);
	return arena_printf(l->scratch, "there is no mail `%s` in templates/emails/%s", name, keys_hint(l, name, mails_names(l)));
}

const struct mail_template *mails_find(struct load *l, const struct yaml_node *node)
{
	const struct mail_template *mail = mails_base(l->plan, node->text);

	if (!mail && l->mails_known)
		complain(l, node, "%s", mails_unknown(l, node->text));
	return mail;
}
