/*
 * template.c: a template as a whole: front matter, layout, the HTML and its text part, and what callers ask
 * about it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "compiler.h"

#define SOURCE_MAX (256 * 1024)

static struct template *template_new(
	const char *name, enum template_escape escape, const struct vocabulary *vocabulary)
{
	struct template *t = xcalloc(1, sizeof(*t));

	t->name = xstrdup(name);
	t->arena = arena_new(0);
	t->escape = escape;
	t->vocabulary = vocabulary;
	t->uses = xcalloc(vocabulary ? vocabulary_count(vocabulary) + 1 : 1, sizeof(*t->uses));
	return t;
}

static void function_free(struct function *f)
{
	free(f->code);
	free(f->loops);
	free(f->calls);
	free(f->variables);
	free(f);
}

void template_free(struct template **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < (*t)->function_count; i++)
		function_free((*t)->functions[i]);
	for (size_t i = 0; i < (*t)->meta_count; i++)
		template_free(&(*t)->metas[i].template);
	template_free(&(*t)->text_part);
	arena_free(&(*t)->arena);
	free((*t)->metas);
	free((*t)->constants);
	free((*t)->links);
	free((*t)->uses);
	free((*t)->name);
	free(*t);
	*t = NULL;
}

/* --- front matter --------------------------------------------------------------------------------------- */

static bool is_template_key(struct slice key)
{
	return !slice_is(key, "layout") && !slice_is(key, "topic");
}

struct slice template_front_value(struct slice s)
{
	if (s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.len - 1] == s.data[0])
		return (struct slice){ s.data + 1, s.len - 2 };
	return s;
}

static void merge_uses(struct template *to, const struct template *from)
{
	for (size_t i = 0; to->vocabulary && i < vocabulary_count(to->vocabulary); i++)
		to->uses[i] = to->uses[i] || from->uses[i];
}

/* A value compiled where it stands, so that its errors have the file's lines. */
static struct template *compile_meta(struct template *t, const struct source *source, struct slice key,
	struct slice value, const struct template_options *options, struct compile_errors *errors,
	struct buf *digest)
{
	struct template_options header = *options;
	struct source part = *source;
	struct pieces pieces = { 0 };
	struct template *meta;
	struct err err;
	size_t at;
	char name[160];

	snprintf(name, sizeof(name), "%s: %.*s", t->name, (int)(key.len < 40 ? key.len : 40), key.data);
	header.escape = TEMPLATE_HEADER;
	header.track_links = false;
	meta = template_new(name, TEMPLATE_HEADER, options->vocabulary);
	part.skip = (size_t)(value.data - source->text);
	part.len = part.skip + value.len;
	if (pieces_cut(&pieces, &part, &at, &err) < 0)
		compile_error(errors, &part, at, "%s", err.text);
	compile_pieces(meta, &pieces, &header, errors, digest);
	pieces_clear(&pieces);
	merge_uses(t, meta);
	return meta;
}

static void read_line(struct template *t, const struct source *source, struct slice line,
		const struct template_options *options, struct compile_errors *errors, struct buf *digest)
{
	const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
	struct slice key, value;
	struct meta m = { 0 };

	if (slice_trim(line).len == 0 || slice_trim(line).data[0] == '#')
		return;
	if (!colon) {
		compile_error(errors, source, (size_t)(line.data - source->text),
			"front matter is lines of `key: value`");
		return;
	}
	key = slice_trim((struct slice){ line.data, (size_t)(colon - line.data) });
	value = template_front_value(slice_trim((struct slice){ colon + 1, line.len - (size_t)(colon + 1 - line.data) }));
	if (value.len == 0)
		value.data = colon + 1;
	if (value.len != slice_trim((struct slice){ colon + 1, line.len - (size_t)(colon + 1 - line.data) }).len &&
		memmem(value.data, value.len, "\\\"", 2))
		compile_error(errors, source, (size_t)(value.data - source->text),
			"front matter knows no \\: a value with \" in it stands in '', or without quotes around it");
	m.key = arena_strndup(t->arena, key.data, key.len);
	m.text = arena_strndup(t->arena, value.data, value.len);
	for (size_t i = 0; i < t->meta_count; i++)
		if (strcmp(t->metas[i].key, m.key) == 0) {
			compile_error(errors, source, (size_t)(line.data - source->text),
				"%s stands here twice", m.key);
			return;
		}
	if (is_template_key(key))
		m.template = compile_meta(t, source, key, value, options, errors, digest);
	t->metas = xgrow(t->metas, &t->meta_cap, t->meta_count + 1, sizeof(*t->metas));
	t->metas[t->meta_count++] = m;
}

static void read_front_matter(struct template *t, const struct source *source,
	const struct template_options *options, struct compile_errors *errors, struct buf *digest)
{
	size_t i = 0;
	bool first = true;

	while (i < source->skip) {
		const char *end = memchr(source->text + i, '\n', source->len - i);
		size_t n = (end ? (size_t)(end - source->text) : source->len) - i;
		struct slice line = slice_trim((struct slice){ source->text + i, n });

		if (!slice_is(line, "---"))
			read_line(t, source, (struct slice){ source->text + i, n }, options, errors, digest);
		else if (!first)
			return;
		first = false;
		i += n + 1;
	}
}

/* --- layout --------------------------------------------------------------------------------------------- */

static void cut(struct pieces *out, const struct source *source, struct compile_errors *errors)
{
	struct err err;
	size_t at;

	if (pieces_cut(out, source, &at, &err) < 0)
		compile_error(errors, source, at, "%s", err.text);
}

/*
 * The value of `layout:` in a source's front matter, copied; NULL if there is none. *at_out is where it
 * stands.
 */
static const char *layout_of(struct arena *arena, const struct source *s, size_t *at_out)
{
	size_t i = 0;

	while (i < s->skip) {
		const char *end = memchr(s->text + i, '\n', s->len - i);
		size_t n = (end ? (size_t)(end - s->text) : s->len) - i;
		struct slice value;

		if (n > 7 && strncmp(s->text + i, "layout:", 7) == 0) {
			value = template_front_value(slice_trim((struct slice){ s->text + i + 7, n - 7 }));
			*at_out = i;
			return value.len ? arena_strndup(arena, value.data, value.len) : NULL;
		}
		i += n + 1;
	}
	return NULL;
}

/* The layout's pieces with those of the template in the place of {{ content }}. */
static bool put_into(struct pieces *out, const struct pieces *layout, const struct pieces *content)
{
	bool found = false;

	for (size_t i = 0; i < layout->count; i++) {
		const struct piece *p = &layout->items[i];

		if (p->kind != PIECE_OUTPUT || !slice_is(slice_trim(p->text), "content")) {
			pieces_add(out, *p);
			continue;
		}
		found = true;
		for (size_t k = 0; k < content->count; k++)
			pieces_add(out, content->items[k]);
	}
	return found;
}

size_t template_expand(struct pieces *out, const struct source **layouts_out, struct arena *arena, const struct source *source,
	const struct template_options *options, struct compile_errors *errors)
{
	size_t at = 0, depth = 0;

	cut(out, source, errors);
	for (;;) {
		const char *name = layout_of(arena, source, &at), *text;
		struct pieces layout = { 0 }, whole = { 0 };
		const struct source *outer;

		if (!name)
			return depth;
		text = options->load ? options->load(options->load_ctx, name) : NULL;
		if (!text || depth >= LAYOUTS_MAX || strlen(text) > SOURCE_MAX) {
			compile_error(errors, source, at,
				text ? "the layout \"%s\" is too large or lies in too many others"
				     : "there is no layout \"%s\"",
				name);
			return depth;
		}
		outer = compile_source(arena, name, text);
		cut(&layout, outer, errors);
		if (!put_into(&whole, &layout, out))
			compile_error(errors, outer, outer->skip, "this layout has no {{ content }}");
		pieces_clear(&layout);
		pieces_clear(out);
		*out = whole;
		source = layouts_out[depth++] = outer;
	}
}

static void digest_source(struct buf *digest, const struct source *source)
{
	/* 2: which links are tracked is decided otherwise than at first, so that their numbers are others */
	buf_printf(digest, "2 %s %zu ", source->name, source->len);
	buf_add(digest, source->text, source->len);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void compile_text_part(struct template *t, const struct pieces *html,
	const struct template_options *options, struct compile_errors *errors, struct buf *digest)
{
	struct template_options plain = *options;
	struct pieces pieces = { 0 };

	plain.escape = TEMPLATE_PLAIN;
	plain.track_links = false;
	t->text_part = template_new(t->name, TEMPLATE_PLAIN, options->vocabulary);
	t->text_part->tidy = true;
	as_text(&pieces, html, t->text_part->arena);
	compile_pieces(t->text_part, &pieces, &plain, errors, digest);
	pieces_clear(&pieces);
}

static void compile_whole(struct template *t, const char *text, const struct template_options *options,
		struct compile_errors *errors)
{
	struct arena *sources = arena_new(0);
	const struct source *source = compile_source(sources, t->name, text);
	struct template_error first;
	struct compile_errors unread = { &first, 1, 0 };
	struct buf digest = BUF_INIT;
	const struct source *layouts[LAYOUTS_MAX];
	struct pieces pieces = { 0 };
	size_t layout_count = template_expand(&pieces, layouts, sources, source, options, errors);

	digest_source(&digest, source);
	for (size_t i = 0; i < layout_count; i++)
		digest_source(&digest, layouts[i]);
	read_front_matter(t, source, options, errors, &digest);
	compile_pieces(t, &pieces, options, errors, &digest);
	/* what is wrong with the text part is wrong with the HTML too, and was said already */
	if (options->escape == TEMPLATE_HTML && errors->count == 0)
		compile_text_part(t, &pieces, options, &unread, &digest);
	if (unread.count)
		compile_error(errors, source, source->skip,
			"no text part can be made of this HTML: %.200s (parts that it leaves out take whole "
			"blocks with them)",
			first.text);
	digest_sha256(buf_cstr(&digest), digest.len, t->digest);
	buf_clear(&digest);
	pieces_clear(&pieces);
	arena_free(&sources);
}

struct template *template_compile(const char *name, const char *source,
	const struct template_options *options, struct template_error *errors, size_t max, size_t *count_out)
{
	struct compile_errors found = { errors, max, 0 };
	struct template *t = template_new(name, options->escape, options->vocabulary);

	if (strlen(source) > SOURCE_MAX) {
		struct source empty = { .name = name, .text = "" };

		compile_error(&found, &empty, 0, "this template is larger than %d KiB", SOURCE_MAX / 1024);
	} else if (!text_utf8_valid(source, strlen(source))) {
		struct source empty = { .name = name, .text = "" };

		compile_error(&found, &empty, 0, "this template is not in UTF-8");
	} else {
		compile_whole(t, source, options, &found);
	}
	*count_out = found.count;
	if (found.count)
		template_free(&t);
	return t;
}

/* --- questions ------------------------------------------------------------------------------------------ */

const char *template_name(const struct template *t)
{
	return t->name;
}

static const struct meta *meta_find(const struct template *t, const char *key)
{
	for (size_t i = 0; i < t->meta_count; i++)
		if (strcmp(t->metas[i].key, key) == 0)
			return &t->metas[i];
	return NULL;
}

const struct template *template_meta(const struct template *t, const char *key)
{
	const struct meta *m = meta_find(t, key);

	return m ? m->template : NULL;
}

const char *template_meta_text(const struct template *t, const char *key)
{
	const struct meta *m = meta_find(t, key);

	return m ? m->text : NULL;
}

const struct template *template_text_part(const struct template *t)
{
	return t->text_part;
}

bool template_uses(const struct template *t, int symbol)
{
	return t->vocabulary && symbol >= 0 && (size_t)symbol < vocabulary_count(t->vocabulary) &&
	       t->uses[symbol];
}

const uint8_t *template_digest(const struct template *t)
{
	return t->digest;
}

size_t template_links(const struct template *t, const char *const **urls_out)
{
	*urls_out = (const char *const *)t->links;
	return t->link_count;
}
