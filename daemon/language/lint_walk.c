/*
 * lint_walk.c: the HTML of a template, piece by piece, with its Liquid between: tags with their attributes, what is open,
 * how text looks there.
 *
 * Every branch of a block is looked at, each from where the block began. What Liquid puts out is unknown: it counts as
 * words in text, and leaves open what stands in the attribute. What is for Outlook alone is left out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "html.h"
#include "lex.h"
#include "lint_look.h"
#include "lint_url.h"
#include "lint_walk.h"

#define ATTRIBUTES_MAX 24
#define OPEN_MAX 100
#define BLOCKS_MAX 64
#define PARTIALS_MAX 16		/* inside one another */
#define VALUE_MAX 4096

struct attribute {
	char name[24];
	struct buf value;
	bool open;		/* Liquid stands in it */
	size_t open_at;		/* bytes of the value before the first */
};

struct element {
	char tag[16];
	const struct source *source;
	size_t offset;
	struct look look;
	bool link, words;	/* <a>: something to click on stands in it */
	bool told;		/* of how its text looks */
};

struct block {
	struct html html;
	int open;
};

struct walk {
	struct lint *lint;
	struct html html;
	const struct source *source;	/* of the byte at hand */
	size_t offset;
	const struct source *tag_source;	/* of the tag at hand */
	size_t tag_offset;
	struct attribute attributes[ATTRIBUTES_MAX];
	int count;
	bool in_value;
	struct element open[OPEN_MAX];
	int open_count;
	struct block blocks[BLOCKS_MAX];
	int block_count;
	struct buf style;	/* what stands in <style> */
	int partials;
	size_t budget;		/* bytes that partials may still add */
};

/* --- attributes -------------------------------------------------------------------------------------------------- */

static struct attribute *last_attribute(struct walk *w)
{
	return w->count ? &w->attributes[w->count - 1] : NULL;
}

static void attribute_begins(struct walk *w)
{
	struct attribute *a;

	if (w->count >= ATTRIBUTES_MAX)
		return;
	a = &w->attributes[w->count++];
	buf_reset(&a->value);
	a->name[0] = '\0';
	a->open = false;
}

static void attribute_name(struct walk *w)
{
	struct attribute *a = last_attribute(w);

	if (a)
		memcpy(a->name, w->html.attribute, sizeof(a->name));
}

static const struct attribute *attribute(const struct walk *w, const char *name)
{
	for (int i = 0; i < w->count; i++)
		if (strcmp(w->attributes[i].name, name) == 0)
			return &w->attributes[i];
	return NULL;
}

/* The value, entities decoded; the caller clears it. */
static struct slice decoded(const struct attribute *a, struct buf *out)
{
	if (a)
		html_decode(out, (struct slice){ buf_cstr(&a->value), a->value.len });
	return (struct slice){ buf_cstr(out), out->len };
}

static bool has_value(const struct walk *w, const char *name)
{
	const struct attribute *a = attribute(w, name);

	return a && (a->open || slice_trim((struct slice){ buf_cstr(&a->value), a->value.len }).len);
}

static bool value_is(const struct walk *w, const char *name, const char *value)
{
	const struct attribute *a = attribute(w, name);

	return a && !a->open && slice_is_nocase(slice_trim((struct slice){ buf_cstr(&a->value), a->value.len }), value);
}

/* --- what is open ------------------------------------------------------------------------------------------------ */

static struct look look_here(const struct walk *w)
{
	return w->open_count ? w->open[w->open_count - 1].look : look_plain;
}

static bool is_void(const char *tag)
{
	static const char *const tags[] = { "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
		"track", "wbr" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strcmp(tag, tags[i]) == 0)
			return true;
	return false;
}

/* How text looks inside the tag at hand. */
static struct look look_of_tag(const struct walk *w)
{
	const struct attribute *style = attribute(w, "style"), *ground = attribute(w, "bgcolor"), *color = attribute(w, "color");
	struct look look = look_here(w);
	struct buf text = BUF_INIT;
	struct slice s = decoded(style, &text);

	look_tag(&look, w->html.tag);
	look.classed = look.classed || attribute(w, "class") || attribute(w, "id");
	look.hidden = look.hidden || attribute(w, "hidden");
	if (ground)
		look_color(&look.ground, (struct slice){ buf_cstr(&ground->value), ground->value.len });
	if (attribute(w, "background"))
		look.ground.known = UNKNOWN;
	if (color)
		look_color(&look.text, (struct slice){ buf_cstr(&color->value), color->value.len });
	if (style && style->open)
		look.text.known = look.ground.known = UNKNOWN;
	else
		look_style(&look, s);
	buf_clear(&text);
	return look;
}

static void mark_words(struct walk *w)
{
	for (int i = w->open_count - 1; i >= 0; i--)
		if (w->open[i].link)
			w->open[i].words = true;
}

static void element_ends(struct walk *w, const struct element *e)
{
	if (e->link && !e->words && !e->look.hidden)
		lint_tell(w->lint, RULE_LINK_TEXT, e->source, e->offset,
			"this link has no words, so nobody knows where it goes; write some, or give its image an alt");
}

static void close_element(struct walk *w)
{
	int i = w->open_count - 1;

	while (i >= 0 && strcmp(w->open[i].tag, w->html.tag) != 0)
		i--;
	while (i >= 0 && w->open_count > i)
		element_ends(w, &w->open[--w->open_count]);
}

static void open_element(struct walk *w, struct look look)
{
	struct element *e;

	if (is_void(w->html.tag) || w->open_count >= OPEN_MAX)
		return;
	e = &w->open[w->open_count++];
	*e = (struct element){ .source = w->tag_source, .offset = w->tag_offset, .look = look };
	memcpy(e->tag, w->html.tag, sizeof(e->tag));
	e->link = strcmp(e->tag, "a") == 0 && attribute(w, "href");
}

/* --- rules of one tag -------------------------------------------------------------------------------------------- */

static void tell(struct walk *w, enum lint_number rule, const char *fmt, const char *what) __attribute__((format(printf, 3, 0)));

static void tell(struct walk *w, enum lint_number rule, const char *fmt, const char *what)
{
	/* the formats are those of this file, each with one %s at most */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	lint_tell(w->lint, rule, w->tag_source, w->tag_offset, fmt, what);
#pragma GCC diagnostic pop
}

static void check_url(struct walk *w, const struct attribute *a, bool link)
{
	struct buf text = BUF_INIT;
	struct slice url = { buf_cstr(&a->value), a->open ? a->open_at : a->value.len };
	const char *why, *shown;

	/* what begins with Liquid is checked when it is rendered */
	if (a->open && url.len == 0)
		return;
	html_decode(&text, url);
	shown = buf_cstr(&text);
	url = (struct slice){ shown, text.len };
	switch (url_fault_of(url, a->open, &why)) {
	case URL_GOOD:
		break;
	case URL_EMPTY:
		if (link)
			tell(w, RULE_LINK_TARGET, "this link goes nowhere; give its href a URL%s", "");
		break;
	case URL_RELATIVE:
		tell(w, RULE_LINK_RELATIVE, "\"%.100s\" works on a website only; write the whole URL, with https://", shown);
		break;
	case URL_SCHEME:
		tell(w, RULE_LINK_SCHEME, "mail programs do not open \"%.100s\"; take https:, mailto: or tel:", shown);
		break;
	case URL_SCRIPT:
		tell(w, RULE_SCRIPT, "no mail program runs \"%.60s\", and many take the mail for spam; link to a page", shown);
		break;
	case URL_MALFORMED:
		lint_tell(w->lint, RULE_LINK_MALFORMED, w->tag_source, w->tag_offset, "\"%.100s\" is no URL: %s", shown, why);
		break;
	case URL_LOCAL:
		tell(w, RULE_LINK_LOCAL, "nobody but you reaches \"%.100s\"; put the public URL there", shown);
		break;
	case URL_PLAIN:
		tell(w, RULE_LINK_PLAIN, "\"%.100s\" is not encrypted, and some mail programs warn of it; write https:", shown);
		break;
	}
	buf_clear(&text);
}

static void check_link(struct walk *w)
{
	const struct attribute *href = attribute(w, "href");

	if (!href)
		return;
	w->lint->links += !value_is(w, "href", "");
	check_url(w, href, true);
}

/* A picture that goes out in the mail: whether it is there is seen when the template is compiled. */
static bool is_beside(const struct walk *w, const struct attribute *src)
{
	const char *name = buf_cstr(&src->value);

	return w->lint->options->compile->picture && !src->open && *name &&
		(text_starts_with(name, "cid:") || (!strchr(name, ':') && !strchr(name, '/')));
}

static void check_image(struct walk *w)
{
	const struct attribute *style = attribute(w, "style"), *src = attribute(w, "src");
	struct buf text = BUF_INIT;
	struct slice s = decoded(style, &text);

	if (!attribute(w, "alt"))
		tell(w, RULE_IMAGE_ALT, "this image has no alt: many never see it, some hear it read out; say what it shows, or alt=\"\" if it "
					"only adorns%s", "");
	if (!attribute(w, "width") && !(style && (style->open || look_has(s, "width") || look_has(s, "max-width"))))
		tell(w, RULE_IMAGE_WIDTH, "this image has no width: Outlook shows it as large as it is; write width=\"...\"%s", "");
	if (src && !is_beside(w, src))
		check_url(w, src, false);
	if (has_value(w, "alt"))
		mark_words(w);
	buf_clear(&text);
}

static void check_meta(struct walk *w)
{
	struct lint *l = w->lint;

	l->has_viewport = l->has_viewport || value_is(w, "name", "viewport");
	l->has_scheme = l->has_scheme || value_is(w, "name", "color-scheme") || value_is(w, "name", "supported-color-schemes");
}

static void check_html(struct walk *w)
{
	struct lint *l = w->lint;

	if (!l->has_html) {
		l->page = w->tag_source;
		l->page_offset = w->tag_offset;
	}
	l->has_html = true;
	l->has_lang = l->has_lang || has_value(w, "lang");
}

static void check_handlers(struct walk *w)
{
	for (int i = 0; i < w->count; i++)
		if (strncmp(w->attributes[i].name, "on", 2) == 0 && w->attributes[i].name[2])
			tell(w, RULE_SCRIPT, "no mail program runs %s=\"\"; take it away", w->attributes[i].name);
}

static bool is_among(const char *tag, const char *const *tags)
{
	for (; *tags; tags++)
		if (strcmp(tag, *tags) == 0)
			return true;
	return false;
}

static void check_tag(struct walk *w)
{
	static const char *const forms[] = { "form", "input", "select", "textarea", "button", NULL };
	static const char *const embedded[] = { "iframe", "frame", "object", "embed", "applet", "video", "audio", "canvas", NULL };
	const char *tag = w->html.tag;

	check_handlers(w);
	if (strcmp(tag, "a") == 0 || strcmp(tag, "area") == 0)
		check_link(w);
	else if (strcmp(tag, "img") == 0)
		check_image(w);
	else if (strcmp(tag, "meta") == 0)
		check_meta(w);
	else if (strcmp(tag, "html") == 0)
		check_html(w);
	else if (strcmp(tag, "script") == 0)
		tell(w, RULE_SCRIPT, "no mail program runs scripts, and many take the mail for spam; take it away%s", "");
	else if (strcmp(tag, "link") == 0 && value_is(w, "rel", "stylesheet"))
		tell(w, RULE_STYLE_EXTERNAL, "mail programs do not fetch style sheets; write it into <style> and style=\"\"%s", "");
	else if (is_among(tag, forms))
		tell(w, RULE_FORM, "<%s>: most mail programs block forms; link to a page that has one", tag);
	else if (is_among(tag, embedded))
		tell(w, RULE_EMBED, "most mail programs do not show <%s>; take an image that links to it", tag);
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static void check_look(struct walk *w)
{
	struct element *e = w->open_count ? &w->open[w->open_count - 1] : NULL;
	struct color ground;
	double ratio, wanted;

	if (!e || e->told || e->look.hidden || e->look.text.known != KNOWN)
		return;
	e->told = true;
	ground = e->look.ground;
	if (ground.known == NOT_SAID && !e->look.classed && e->look.text.r + e->look.text.g + e->look.text.b == 0)
		lint_tell(w->lint, RULE_DARK_TEXT, e->source, e->offset,
			"black text without a background-color is black on black where a mail program turns dark; give it one, or take #1a1a1a "
			"or lighter");
	if (ground.known == NOT_SAID && !e->look.classed)	/* what mail programs take */
		ground = (struct color){ KNOWN, 255, 255, 255 };
	if (ground.known != KNOWN)
		return;
	ratio = look_contrast(&e->look.text, &ground);
	wanted = look_is_large(&e->look) ? 3 : 4.5;
	if (ratio < wanted && e->look.size > 0)
		lint_tell(w->lint, RULE_CONTRAST, e->source, e->offset,
			"#%02x%02x%02x on #%02x%02x%02x has a contrast of %.1f:1, and text of this size needs %.1f:1", e->look.text.r,
			e->look.text.g, e->look.text.b, ground.r, ground.g, ground.b, ratio, wanted);
}

static void see_text(struct walk *w, size_t characters)
{
	if (look_here(w).hidden)
		return;
	check_look(w);
	mark_words(w);
	if (w->source == w->lint->own)
		w->lint->words += characters;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- the walk ---------------------------------------------------------------------------------------------------- */

static void tag_ends(struct walk *w)
{
	struct look look;

	if (w->html.outlook)
		return;
	if (w->html.closing) {
		if (strcmp(w->html.tag, "style") == 0) {
			w->lint->has_dark_style = w->lint->has_dark_style || strcasestr(buf_cstr(&w->style), "prefers-color-scheme");
			if (strcasestr(buf_cstr(&w->style), "@import"))
				tell(w, RULE_STYLE_EXTERNAL, "mail programs do not follow @import; write the styles here%s", "");
			buf_reset(&w->style);
		}
		close_element(w);
		return;
	}
	look = look_of_tag(w);
	check_tag(w);
	open_element(w, look);
}

static void text_byte(struct walk *w, char c)
{
	enum html_where before = w->html.where;
	enum html_event event = html_feed(&w->html, c);
	struct attribute *a = last_attribute(w);

	if (before == HTML_TEXT && w->html.where == HTML_TEXT && !is_space(c) && !w->html.outlook)
		see_text(w, ((unsigned char)c & 0xc0) != 0x80);
	if (before == HTML_RAW_TEXT && strcmp(w->html.raw_tag, "style") == 0 && w->style.len < VALUE_MAX * 16)
		buf_char(&w->style, c);
	if (before != HTML_ATTRIBUTE_NAME && w->html.where == HTML_ATTRIBUTE_NAME)
		attribute_begins(w);
	else if (before == HTML_ATTRIBUTE_NAME)
		attribute_name(w);
	if (w->in_value && event == HTML_NOTHING && a && a->value.len < VALUE_MAX)
		buf_char(&a->value, c);
	switch (event) {
	case HTML_NOTHING:
		break;
	case HTML_TAG_BEGINS:
		w->count = 0;
		w->in_value = false;
		break;
	case HTML_VALUE_BEGINS:
		w->in_value = true;
		if (w->html.where == HTML_VALUE_BARE && a)
			buf_char(&a->value, c);
		break;
	case HTML_VALUE_ENDS:
		w->in_value = false;
		break;
	case HTML_TAG_ENDS:
		w->in_value = false;
		tag_ends(w);
		w->count = 0;
		break;
	}
}

static void text_piece(struct walk *w, const struct piece *p)
{
	w->source = p->source;
	w->lint->literal += p->text.len;
	for (size_t i = 0; i < p->text.len; i++) {
		w->offset = p->offset + i;
		if (p->text.data[i] == '<' && w->html.where == HTML_TEXT) {
			w->tag_source = p->source;
			w->tag_offset = w->offset;
		}
		text_byte(w, p->text.data[i]);
	}
}

/* What the Liquid at hand names. */
static void see_names(struct walk *w, struct slice text)
{
	struct lexer l;

	for (lex_init(&l, text.data, text.len, false); l.at.kind != LEX_END && l.at.kind != LEX_BAD; lex_next(&l)) {
		w->lint->says_unsubscribe = w->lint->says_unsubscribe || lex_is(&l, "unsubscribe_url");
		w->lint->says_address = w->lint->says_address || lex_is(&l, "postal_address");
		w->lint->says_confirm = w->lint->says_confirm || lex_is(&l, "confirm_url");
	}
}

/* Liquid inside a value: nobody knows what it will be. */
static void open_value(struct walk *w)
{
	enum html_where where = w->html.where;
	struct attribute *a = last_attribute(w);

	if (!a || a->open || (where != HTML_VALUE_QUOTED && where != HTML_VALUE_BARE && where != HTML_BEFORE_VALUE))
		return;
	a->open = true;
	a->open_at = a->value.len;
}

static void walk_pieces(struct walk *w, const struct pieces *pieces);

static void partial(struct walk *w, struct slice rest)
{
	const struct template_options *options = w->lint->options->compile;
	struct pieces pieces = { 0 };
	const struct source *source;
	const char *text;
	struct lexer l;
	struct err err;
	size_t at;

	lex_init(&l, rest.data, rest.len, false);
	if (l.at.kind != LEX_TEXT || !options->load || w->partials >= PARTIALS_MAX)
		return;
	text = options->load(options->load_ctx, arena_strndup(w->lint->arena, l.at.text.data, l.at.text.len));
	if (!text || strlen(text) > w->budget)
		return;
	w->budget -= strlen(text);
	source = compile_source(w->lint->arena, arena_strndup(w->lint->arena, l.at.text.data, l.at.text.len), text);
	w->partials++;
	if (pieces_cut(&pieces, source, &at, &err) == 0)
		walk_pieces(w, &pieces);
	w->partials--;
	pieces_clear(&pieces);
}

static bool is_one_of(struct slice tag, const char *const *tags)
{
	for (; *tags; tags++)
		if (slice_is(tag, *tags))
			return true;
	return false;
}

static void tag_piece(struct walk *w, const struct piece *p)
{
	static const char *const blocks[] = { "if", "unless", "case", "for", "capture", NULL };
	static const char *const branches[] = { "else", "elsif", "when", NULL };
	static const char *const ends[] = { "endif", "endunless", "endcase", "endfor", NULL };
	struct slice rest, tag = piece_tag(p, &rest);
	struct block *b = w->block_count ? &w->blocks[w->block_count - 1] : NULL;

	open_value(w);
	if (slice_is(tag, "render")) {
		see_names(w, rest);
		partial(w, rest);
	} else if (slice_is(tag, "echo")) {
		see_names(w, rest);
		see_text(w, 5);
	} else if (is_one_of(tag, blocks) && w->block_count < BLOCKS_MAX) {
		w->blocks[w->block_count++] = (struct block){ w->html, w->open_count };
		if (slice_is(tag, "capture"))
			html_init(&w->html);
	} else if (is_one_of(tag, branches) && b) {
		w->html = b->html;
		w->open_count = w->open_count < b->open ? w->open_count : b->open;
	} else if (slice_is(tag, "endcapture") && b) {
		w->html = b->html;
		w->block_count--;
	} else if (is_one_of(tag, ends) && b) {
		w->block_count--;
	}
}

static void output_piece(struct walk *w, const struct piece *p)
{
	see_names(w, p->text);
	open_value(w);
	w->source = p->source;
	if (w->html.where == HTML_TEXT && !w->html.outlook)
		see_text(w, 5);
	html_output(&w->html);
}

static void walk_pieces(struct walk *w, const struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++) {
		const struct piece *p = &pieces->items[i];

		if (p->kind == PIECE_TEXT)
			text_piece(w, p);
		else if (p->kind == PIECE_OUTPUT)
			output_piece(w, p);
		else
			tag_piece(w, p);
	}
}

void lint_walk(struct lint *l, const struct pieces *pieces)
{
	struct walk *w = xcalloc(1, sizeof(*w));

	w->lint = l;
	w->budget = 1 << 20;
	html_init(&w->html);
	walk_pieces(w, pieces);
	for (int i = 0; i < ATTRIBUTES_MAX; i++)
		buf_clear(&w->attributes[i].value);
	buf_clear(&w->style);
	free(w);
}
