/*
 * lint.c: see include/language/lint.h. The rules of a template as a whole; those of its tags and text are in lint_walk.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "compiler.h"
#include "lint_walk.h"

#define CLIPPED (102 * 1024)
#define LARGE (80 * 1024)
#define SUBJECT_LONG 60
#define LINKS_MANY 25
#define TEXT_THIN 60	/* characters */
#define ERRORS_MAX 32
#define FINDINGS_MAX 1000
#define ALL (LINT_MAIL | LINT_PAGE | LINT_PART)

static const struct lint_rule rules[LINT_RULE_COUNT] = {
	[RULE_LIQUID] = { "liquid", LINT_ERROR, ALL | LINT_TEXT, "it does not compile" },
	[RULE_EMPTY_FIELD] = { "empty-field", LINT_ERROR, ALL | LINT_TEXT, "a field that may be empty, without default" },
	[RULE_UNSUBSCRIBE] = { "unsubscribe", LINT_ERROR, LINT_MAIL, "there is no link to unsubscribe" },
	[RULE_ADDRESS] = { "postal-address", LINT_ERROR, LINT_MAIL, "there is no postal address" },
	[RULE_CLIPPED] = { "size-clipped", LINT_ERROR, LINT_MAIL, "Gmail cuts it off: more than 102 KB of HTML" },
	[RULE_LARGE] = { "size-large", LINT_WARNING, LINT_MAIL, "more than 80 KB of HTML" },
	[RULE_IMAGE_ALT] = { "image-alt", LINT_ERROR, ALL, "an image without alt" },
	[RULE_IMAGE_WIDTH] = { "image-width", LINT_WARNING, ALL, "an image without width" },
	[RULE_LINK_TARGET] = { "link-target", LINT_ERROR, ALL, "a link to nothing" },
	[RULE_LINK_TEXT] = { "link-text", LINT_WARNING, ALL, "a link without words" },
	[RULE_LINK_RELATIVE] = { "link-relative", LINT_ERROR, LINT_MAIL | LINT_PART, "a URL without https://" },
	[RULE_LINK_SCHEME] = { "link-scheme", LINT_ERROR, ALL, "a URL that mail programs do not open" },
	[RULE_LINK_MALFORMED] = { "link-malformed", LINT_ERROR, ALL, "a URL that is none" },
	[RULE_LINK_LOCAL] = { "link-local", LINT_ERROR, ALL, "a URL that only works in your network" },
	[RULE_LINK_PLAIN] = { "link-http", LINT_WARNING, ALL, "a URL with http: in place of https:" },
	[RULE_LINKS_MANY] = { "links-many", LINT_WARNING, LINT_MAIL, "more than 25 links" },
	[RULE_SCRIPT] = { "script", LINT_ERROR, LINT_MAIL | LINT_PART, "script in a mail" },
	[RULE_FORM] = { "form", LINT_WARNING, LINT_MAIL, "a form in a mail" },
	[RULE_EMBED] = { "embed", LINT_WARNING, LINT_MAIL | LINT_PART, "frames, objects, videos in a mail" },
	[RULE_STYLE_EXTERNAL] = { "style-external", LINT_WARNING, LINT_MAIL | LINT_PART, "a style sheet by URL in a mail" },
	[RULE_CONTRAST] = { "contrast", LINT_WARNING, ALL, "text that is hard to read on its ground (WCAG AA)" },
	[RULE_DARK_META] = { "dark-meta", LINT_WARNING, LINT_MAIL, "no color-scheme: mail programs invert as they like" },
	[RULE_DARK_STYLE] = { "dark-style", LINT_WARNING, LINT_MAIL, "no style for prefers-color-scheme: dark" },
	[RULE_DARK_TEXT] = { "dark-text", LINT_WARNING, LINT_MAIL | LINT_PART, "pure black text without a ground" },
	[RULE_LANG] = { "lang", LINT_WARNING, LINT_MAIL | LINT_PAGE, "no language: <html lang=\"\">" },
	[RULE_VIEWPORT] = { "viewport", LINT_WARNING, LINT_MAIL | LINT_PAGE, "no viewport: small on telephones" },
	[RULE_SUBJECT_EMPTY] = { "subject-empty", LINT_ERROR, LINT_MAIL, "an empty subject" },
	[RULE_SUBJECT_LONG] = { "subject-long", LINT_WARNING, LINT_MAIL, "a subject of more than 60 characters" },
	[RULE_SUBJECT_CAPITALS] = { "subject-capitals", LINT_WARNING, LINT_MAIL, "A SUBJECT IN CAPITALS" },
	[RULE_SUBJECT_MARKS] = { "subject-marks", LINT_WARNING, LINT_MAIL, "more than one exclamation mark in a subject" },
	[RULE_SUBJECT_REPLY] = { "subject-reply", LINT_ERROR, LINT_MAIL, "a subject that pretends to be a reply" },
	[RULE_PREHEADER] = { "preheader", LINT_WARNING, LINT_MAIL, "no preheader" },
	[RULE_TEXT_THIN] = { "text-thin", LINT_WARNING, LINT_MAIL, "next to no text: pictures alone" },
};

const struct lint_rule *lint_rules(size_t *count_out)
{
	*count_out = LINT_RULE_COUNT;
	return rules;
}

/* --- findings ---------------------------------------------------------------------------------------------------- */

static struct lint_finding *add(struct lint *l, enum lint_number rule)
{
	struct lint_finding *f;

	if (!(rules[rule].kinds & l->options->kind) || l->count >= FINDINGS_MAX)
		return NULL;
	l->found = xgrow(l->found, &l->cap, l->count + 1, sizeof(*l->found));
	f = &l->found[l->count++];
	*f = (struct lint_finding){ .rule = &rules[rule] };
	return f;
}

void lint_tell(struct lint *l, enum lint_number rule, const struct source *source, size_t offset, const char *fmt, ...)
{
	struct lint_finding *f = add(l, rule);
	va_list ap;

	if (!f)
		return;
	compile_place(source, offset, &f->line, &f->column);
	snprintf(f->file, sizeof(f->file), "%s", source->name);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void tell_error(struct lint *l, const struct template_error *e)
{
	struct lint_finding *f = add(l, e->may_be_empty ? RULE_EMPTY_FIELD : RULE_LIQUID);

	if (!f)
		return;
	f->line = e->line;
	f->column = e->column;
	memcpy(f->file, e->file, sizeof(f->file));
	memcpy(f->text, e->text, sizeof(f->text));
}

/* --- the subject ------------------------------------------------------------------------------------------------- */

/* Where the value of a key of the front matter stands; 0 if it is not there. */
static size_t place_of_key(const struct source *s, const char *key)
{
	size_t n = strlen(key), i = 0;

	while (i < s->skip) {
		const char *end = memchr(s->text + i, '\n', s->len - i);

		if (strncmp(s->text + i, key, n) == 0 && s->text[i + n] == ':')
			return i + n + 1 + strspn(s->text + i + n + 1, " \t\"'");
		if (!end)
			break;
		i = (size_t)(end - s->text) + 1;
	}
	return 0;
}

/* Letters of ASCII: how many there are, and how many of them are large. */
static void count_letters(struct slice s, size_t *letters, size_t *large)
{
	*letters = *large = 0;
	for (size_t i = 0; i < s.len; i++) {
		*letters += isalpha((unsigned char)s.data[i]) != 0;
		*large += isupper((unsigned char)s.data[i]) != 0;
	}
}

static bool pretends(struct slice s)
{
	static const char *const begins[] = { "re:", "re :", "aw:", "fw:", "fwd:", "wg:", "sv:", "tr:", "rv:" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (s.len >= strlen(begins[i]) && strncasecmp(s.data, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static void check_subject(struct lint *l, struct slice subject, size_t at)
{
	size_t length = text_utf8_length(subject.len ? subject.data : "", subject.len), letters, large, marks = 0;

	count_letters(subject, &letters, &large);
	for (size_t i = 0; i < subject.len; i++)
		marks += subject.data[i] == '!';
	if (slice_trim(subject).len == 0)
		lint_tell(l, RULE_SUBJECT_EMPTY, l->own, at, "the subject is empty; say in a few words why to open the mail");
	if (length > SUBJECT_LONG)
		lint_tell(l, RULE_SUBJECT_LONG, l->own, at,
			"the subject has %zu characters, and many see the first %d or fewer; put what matters first and cut the rest", length,
			SUBJECT_LONG);
	if (letters >= 8 && large == letters)
		lint_tell(l, RULE_SUBJECT_CAPITALS, l->own, at, "a subject in capitals looks like spam; write it as a sentence");
	if (marks > 1)
		lint_tell(l, RULE_SUBJECT_MARKS, l->own, at, "%zu exclamation marks look like spam; one is enough, none is better", marks);
	if (pretends(slice_trim(subject)))
		lint_tell(l, RULE_SUBJECT_REPLY, l->own, at,
			"the subject pretends to be a reply or forwarded; say what the mail is (`thread: same` on the step makes a real Re:)");
}

/* With values where there are some, else with each output as one letter. */
static void literal_subject(const char *text, struct buf *out)
{
	for (const char *p = text; *p; ) {
		bool output = p[0] == '{' && p[1] == '{', mark = output || (p[0] == '{' && p[1] == '%');
		const char *end = mark ? strstr(p, output ? "}}" : "%}") : NULL;

		if (end) {
			buf_str(out, output ? "x" : "");
			p = end + 2;
		} else {
			buf_char(out, *p++);
		}
	}
}

static bool rendered(const struct lint *l, const struct template *t, struct buf *out)
{
	struct err err;

	return l->options->sample && t && template_render(t, l->options->sample, out, &err) == TEMPLATE_DONE;
}

static void check_headers(struct lint *l, const struct template *t)
{
	size_t at = place_of_key(l->own, "subject"), preheader = place_of_key(l->own, "preheader");
	const struct template *subject = t ? template_meta(t, "subject") : NULL;
	struct buf text = BUF_INIT;

	if (!at)
		return;
	if (!rendered(l, subject, &text) && t)
		literal_subject(template_meta_text(t, "subject"), &text);
	if (t)
		check_subject(l, (struct slice){ buf_cstr(&text), text.len }, at);
	if (!preheader || (t && slice_trim(slice_of(template_meta_text(t, "preheader"))).len == 0))
		lint_tell(l, RULE_PREHEADER, l->own, at,
			"there is no `preheader:` in the front matter, so mailboxes show the first words of the mail beside the subject; write a "
			"sentence that goes on from it");
	buf_clear(&text);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void check_size(struct lint *l, const struct template *t)
{
	struct buf out = BUF_INIT;
	size_t size = rendered(l, t, &out) ? out.len : l->literal;

	buf_clear(&out);
	if (size > CLIPPED)
		lint_tell(l, RULE_CLIPPED, l->own, l->own->skip,
			"%zu KB of HTML: Gmail shows the first 102 KB, without the link to unsubscribe; take styles and white space out", size / 1024);
	else if (size > LARGE)
		lint_tell(l, RULE_LARGE, l->own, l->own->skip, "%zu KB of HTML: Gmail shows the first 102 KB; leave room", size / 1024);
}

/* What the document lacks is lacking where it begins: in the layout, if there is one. */
static void check_document(struct lint *l)
{
	const struct source *page = l->page ? l->page : l->own;
	size_t at = l->page ? l->page_offset : l->own->skip;

	if (!l->has_lang)
		lint_tell(l, RULE_LANG, page, at, "say in which language it is read out, as in <html lang=\"en\">");
	if (!l->has_viewport)
		lint_tell(l, RULE_VIEWPORT, page, at,
			"telephones shrink it; write <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"> into <head>");
	if (!l->has_scheme)
		lint_tell(l, RULE_DARK_META, page, at,
			"dark mail programs invert it as they like; write <meta name=\"color-scheme\" content=\"light dark\"> into <head>");
	if (!l->has_dark_style)
		lint_tell(l, RULE_DARK_STYLE, page, at,
			"say how it looks in the dark, in <style>: @media (prefers-color-scheme: dark) { ... }");
}

static void check_duties(struct lint *l)
{
	if (!l->says_unsubscribe && !l->says_confirm)
		lint_tell(l, RULE_UNSUBSCRIBE, l->own, l->own->skip,
			"the law and the mailbox providers want a link to unsubscribe; put {{ unsubscribe_url }} into it or its layout");
	if (!l->says_address)
		lint_tell(l, RULE_ADDRESS, l->own, l->own->skip,
			"the law of most countries wants a postal address; put {{ sender.postal_address }} into it or its layout");
	if (l->links > LINKS_MANY)
		lint_tell(l, RULE_LINKS_MANY, l->own, l->own->skip,
			"%zu links: readers follow the one that stands out, and filters count them; keep the ones that matter", l->links);
	if (l->words < TEXT_THIN && !l->options->has_text)
		lint_tell(l, RULE_TEXT_THIN, l->own, l->own->skip,
			"its text part has next to no words, and images are often not shown; say in text what they say, or write NAME.txt.liquid");
}

/* --- what is not to be told of ----------------------------------------------------------------------------------- */

static bool is_ignored(const char *names, const char *rule)
{
	size_t n = strlen(rule);

	for (const char *p = names ? strstr(names, rule) : NULL; p; p = strstr(p + 1, rule))
		if ((p == names || strchr(" ,", p[-1])) && (!p[n] || strchr(" ,", p[n])))
			return true;
	return false;
}

static void drop_ignored(struct lint *l, const struct source *source)
{
	size_t at = place_of_key(source, "lint_ignore"), n = 0;
	char *names = at ? xstrndup(source->text + at, strcspn(source->text + at, "\r\n\"'")) : NULL;

	for (size_t i = 0; i < l->count; i++)
		if (!is_ignored(names, l->found[i].rule->name))
			l->found[n++] = l->found[i];
	l->count = n;
	free(names);
}

static int by_place(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;
	int c = strcmp(x->file, y->file);

	if (c)
		return c;
	if (x->line != y->line)
		return x->line - y->line;
	return x->column != y->column ? x->column - y->column : strcmp(x->rule->name, y->rule->name);
}

/* --- the order of it --------------------------------------------------------------------------------------------- */

static void check_source(struct lint *l, const struct template *t)
{
	struct template_error error;
	struct compile_errors unread = { &error, 1, 0 };
	const struct source *layouts[LAYOUTS_MAX];
	struct pieces pieces = { 0 };
	size_t n;

	n = template_expand(&pieces, layouts, l->arena, l->own, l->options->compile, &unread);
	lint_walk(l, &pieces);
	pieces_clear(&pieces);
	check_headers(l, t);
	check_document(l);
	check_duties(l);
	check_size(l, t);
	for (size_t i = 0; i < n; i++)
		drop_ignored(l, layouts[i]);
}

struct lint_finding *lint_template(
	const char *name, const char *source, const struct lint_options *options, size_t *count_out)
{
	struct lint l = { .options = options, .arena = arena_new(0) };
	struct template_error errors[ERRORS_MAX];
	size_t count = 0;
	struct template *t = template_compile(name, source, options->compile, errors, ERRORS_MAX, &count);

	for (size_t i = 0; i < count && i < ERRORS_MAX; i++)
		tell_error(&l, &errors[i]);
	l.own = compile_source(l.arena, name, source);
	if (options->kind != LINT_TEXT && text_utf8_valid(source, strlen(source)))
		check_source(&l, t);
	drop_ignored(&l, l.own);
	if (l.count > 1)
		qsort(l.found, l.count, sizeof(*l.found), by_place);
	template_free(&t);
	arena_free(&l.arena);
	*count_out = l.count;
	return l.found;
}
