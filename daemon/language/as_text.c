/*
 * as_text.c: HTML pieces to text pieces, once, while a template is compiled; the Liquid between them is
 * kept where it stands.
 *
 * Blocks are set off by a blank line, <br> is a line break, list items begin with "- ", a row of a table is
 * a line, a link is "words (URL)" unless the words are the URL. Head, scripts, styles, what is hidden, of
 * class "html-only" or for Outlook alone, and images without words are left out. What white space the
 * Liquid leaves is put right when it is rendered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "html.h"
#include "program.h"
#include "pieces.h"

#define WRAP 76
#define OPEN_MAX 64

struct open_tag {
	char name[16];
	bool dropped;		/* it and what is in it */
	int number; /* <ol>: of the item at hand; -1 where Liquid makes items, so that nobody knows */
};

struct converter {
	struct pieces *out;
	struct arena *arena;
	struct html html;
	const struct piece *piece;
	struct buf text;	/* literal text not yet put out */
	size_t line;		/* where in it the line at hand begins */
	bool line_has_liquid;
	bool line_empty;
	int breaks;		/* line breaks owed before the next text */
	int written;		/* line breaks that stand before the place at hand */
	bool space;		/* a space is owed */
	struct open_tag open[OPEN_MAX];
	int open_count;
	int dropped;		/* how many of the open ones are */
	/* the tag at hand */
	char value[512];	/* of the attribute at hand */
	size_t value_len;
	bool hidden, tiny_width, tiny_height, only_html;
	char alt[200];
	struct pieces href;	/* of the <a> at hand: text and Liquid */
	struct pieces link;	/* of the <a> that is open */
	bool in_link;
	struct buf words;	/* literal words of the link, to compare with its URL */
	bool words_have_liquid;
};

/* --- writing -------------------------------------------------------------------------------------------- */

/* Breaks the line that ends here at spaces, if it is all literal. */
static void wrap_line(struct converter *c)
{
	size_t start = c->line, last = 0;

	for (size_t i = c->line; !c->line_has_liquid && i < c->text.len; i++) {
		if (c->text.data[i] == ' ')
			last = i;
		if (last > start && text_utf8_length(c->text.data + start, i - start) >= WRAP) {
			c->text.data[last] = '\n';
			start = last + 1;
			last = 0;
		}
	}
}

static void line_break(struct converter *c)
{
	wrap_line(c);
	buf_char(&c->text, '\n');
	c->line = c->text.len;
	c->line_has_liquid = false;
	c->line_empty = true;
}

static void write_breaks(struct converter *c)
{
	while (c->written < c->breaks) {
		line_break(c);
		c->written++;
		c->space = false;
	}
	c->breaks = 0;
}

static void write_text(struct converter *c, const char *s, size_t n)
{
	write_breaks(c);
	if (c->space && !c->line_empty)
		buf_char(&c->text, ' ');
	c->space = false;
	buf_add(&c->text, s, n);
	c->line_empty = false;
	c->written = 0;
}

static void owe_breaks(struct converter *c, int n)
{
	if (c->breaks < n)
		c->breaks = n;
}

static void put_literal(struct converter *c)
{
	struct piece p = { .kind = PIECE_TEXT, .source = c->piece->source, .offset = c->piece->offset };

	if (c->text.len == 0)
		return;
	p.text = (struct slice){ arena_strndup(c->arena, c->text.data, c->text.len), c->text.len };
	pieces_add(c->out, p);
	buf_reset(&c->text);
	c->line = 0;
}

static void put_liquid(struct converter *c, const struct piece *p)
{
	struct slice rest;

	if (p->kind == PIECE_OUTPUT) {
		write_text(c, "", 0);
	} else {
		write_breaks(c);
		if (c->space && !c->line_empty)
			buf_char(&c->text, ' ');
		c->space = false;
	}
	c->line_has_liquid = true;
	put_literal(c);
	pieces_add(c->out, *p);
	if (p->kind == PIECE_TAG && slice_is(piece_tag(p, &rest), "render")) {	/* a text of its own: no break stands behind it */
		c->written = 0;
		c->line_empty = false;
	}
}

/* --- tags ----------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

static bool is_void(const char *tag)
{
	static const char *const tags[] = { "area", "base", "br", "col", "embed", "hr", "img", "input",
		"link", "meta", "source", "track", "wbr", NULL };

	return is_one_of(tag, tags);
}

static bool is_dropped(const char *tag)
{
	static const char *const tags[] = { "head", "script", "style", "title", "textarea", "select", "svg",
		"template", NULL };

	return is_one_of(tag, tags);
}

static bool is_block(const char *tag)
{
	static const char *const tags[] = { "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table",
		"blockquote", "pre", "hr", "header", "footer", "main", "section", "article", "aside", "nav",
		"form", "fieldset", "figure", "dl", "div", "address", "body", NULL };

	return is_one_of(tag, tags);
}

static bool is_line(const char *tag)
{
	static const char *const tags[] = { "br", "li", "tr", "dt", "dd", "option", "label", "caption",
		NULL };

	return is_one_of(tag, tags);
}

static bool has_word(const char *s, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = strstr(s, word); p; p = strstr(p + 1, word))
		if ((p == s || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

/* display:none, with or without space */
static bool hides(const char *style)
{
	for (const char *p = strcasestr(style, "display"); p; p = strcasestr(p + 1, "display")) {
		p += 7;
		p += strspn(p, " :");
		if (strncasecmp(p, "none", 4) == 0)
			return true;
	}
	return false;
}

static void attribute_ended(struct converter *c)
{
	const char *name = c->html.attribute;

	c->value[c->value_len] = '\0';
	if (strcmp(name, "style") == 0)
		c->hidden = c->hidden || hides(c->value);
	else if (strcmp(name, "class") == 0)
		c->only_html = has_word(c->value, "html-only");
	else if (strcmp(name, "width") == 0)
		c->tiny_width = strcmp(c->value, "1") == 0 || strcmp(c->value, "0") == 0;
	else if (strcmp(name, "height") == 0)
		c->tiny_height = strcmp(c->value, "1") == 0 || strcmp(c->value, "0") == 0;
	else if (strcmp(name, "alt") == 0)
		memcpy(c->alt, c->value, c->value_len < sizeof(c->alt) ? c->value_len + 1 : 0);
	else if (strcmp(name, "hidden") == 0)
		c->hidden = true;
}

static void image(struct converter *c)
{
	struct buf words = BUF_INIT;

	if (c->dropped || c->hidden || c->only_html || c->tiny_width || c->tiny_height || !c->alt[0])
		return;
	html_decode(&words, (struct slice){ c->alt, strlen(c->alt) });
	write_text(c, buf_cstr(&words), words.len);
	if (c->in_link)
		buf_str(&c->words, buf_cstr(&words));
	buf_clear(&words);
}

static void link_begins(struct converter *c)
{
	pieces_clear(&c->link);
	c->link = c->href;
	memset(&c->href, 0, sizeof(c->href));
	c->in_link = c->link.count > 0;
	buf_reset(&c->words);
	c->words_have_liquid = false;
}

static bool same_words(struct converter *c)
{
	struct slice url = c->link.items[0].text,
		     words = slice_trim((struct slice){ buf_cstr(&c->words), c->words.len });

	if (c->link.count == 1 && c->link.items[0].kind == PIECE_OUTPUT)
		return c->words_have_liquid && slice_trim(url).len == words.len && words.len
			&& memcmp(slice_trim(url).data, words.data, words.len) == 0;
	if (c->link.count > 1 || c->words_have_liquid || c->link.items[0].kind != PIECE_TEXT)
		return false;
	if (url.len > 7 && strncmp(url.data, "mailto:", 7) == 0)
		url = (struct slice){ url.data + 7, url.len - 7 };
	return url.len == words.len && memcmp(url.data, words.data, url.len) == 0;
}

static void link_ends(struct converter *c)
{
	if (!c->in_link)
		return;
	c->in_link = false;
	if (c->dropped || same_words(c) ||
		(c->link.items[0].kind == PIECE_TEXT && c->link.items[0].text.data[0] == '#'))
		return;
	if (c->words.len || c->words_have_liquid) {
		c->space = true;
		write_text(c, "(", 1);
	}
	for (size_t i = 0; i < c->link.count; i++) {
		if (c->link.items[i].kind == PIECE_TEXT)
			write_text(c, c->link.items[i].text.data, c->link.items[i].text.len);
		else
			put_liquid(c, &c->link.items[i]);
	}
	if (c->words.len || c->words_have_liquid)
		write_text(c, ")", 1);
}

/* The list around, or NULL. */
static struct open_tag *list_around(struct converter *c)
{
	for (int i = c->open_count - 1; i >= 0; i--)
		if (strcmp(c->open[i].name, "ol") == 0 || strcmp(c->open[i].name, "ul") == 0)
			return &c->open[i];
	return NULL;
}

static void begin_item(struct converter *c)
{
	struct open_tag *list = list_around(c);
	char mark[16] = "- ";

	if (list && strcmp(list->name, "ol") == 0 && list->number >= 0)
		snprintf(mark, sizeof(mark), "%d. ", ++list->number);
	write_text(c, mark, strlen(mark));
	c->line_empty = true;	/* no space is wanted behind it */
}

static void open_tag(struct converter *c, const char *tag)
{
	struct open_tag *o;

	if (!c->dropped && is_block(tag))
		owe_breaks(c, 2);
	if (!c->dropped && is_line(tag))
		c->breaks = strcmp(tag, "br") == 0 && c->breaks < 2 ? c->breaks + 1
			    : c->breaks < 1			    ? 1
								    : c->breaks;
	if ((strcmp(tag, "td") == 0 || strcmp(tag, "th") == 0) && !c->dropped)
		c->space = true;
	if (strcmp(tag, "img") == 0)
		image(c);
	if (is_void(tag) || c->open_count >= OPEN_MAX)
		return;
	o = &c->open[c->open_count++];
	memcpy(o->name, tag, sizeof(o->name));
	o->dropped = c->hidden || c->only_html || is_dropped(tag);
	c->dropped += o->dropped;
	if (strcmp(tag, "a") == 0)
		link_begins(c);
	o->number = 0;
	if (strcmp(tag, "li") == 0 && !c->dropped)
		begin_item(c);
}

static void close_tag(struct converter *c, const char *tag)
{
	int i = c->open_count - 1;

	if (strcmp(tag, "a") == 0)
		link_ends(c);
	while (i >= 0 && strcmp(c->open[i].name, tag) != 0)
		i--;
	while (i >= 0 && c->open_count > i)
		c->dropped -= c->open[--c->open_count].dropped;
	if (c->dropped)
		return;
	if (is_block(tag))
		owe_breaks(c, 2);
	else if (is_line(tag))
		owe_breaks(c, 1);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static bool in_href(const struct converter *c)
{
	return strcmp(c->html.tag, "a") == 0 && !c->html.closing && strcmp(c->html.attribute, "href") == 0;
}

/* What of a URL has been read so far becomes a piece. */
static void keep_href(struct converter *c)
{
	struct piece p = { .kind = PIECE_TEXT, .source = c->piece->source, .offset = c->piece->offset };
	struct buf url = BUF_INIT;

	if (c->value_len == 0)
		return;
	html_decode(&url, (struct slice){ c->value, c->value_len });
	p.text = (struct slice){ arena_strndup(c->arena, buf_cstr(&url), url.len), url.len };
	buf_clear(&url);
	if (p.text.len)
		pieces_add(&c->href, p);
	c->value_len = 0;
}

static void text_byte(struct converter *c, const char *s, size_t *i, size_t n)
{
	size_t start = *i;
	struct buf word = BUF_INIT;

	while (*i < n && s[*i] != '<' && s[*i] != ' ' && s[*i] != '\n' && s[*i] != '\t' && s[*i] != '\r')
		++*i;
	if (*i == start) {
		c->space = c->space || s[*i] != '<';
		if (c->in_link && c->words.len && s[*i] != '<')
			buf_char(&c->words, ' ');
		return;
	}
	html_decode(&word, (struct slice){ s + start, *i - start });
	--*i;
	if (c->dropped || c->html.outlook)
		goto out;
	write_text(c, buf_cstr(&word), word.len);
	if (c->in_link)
		buf_add(&c->words, buf_cstr(&word), word.len);
out:
	buf_clear(&word);
}

static void tag_event(struct converter *c, enum html_event event)
{
	switch (event) {
	case HTML_TAG_BEGINS:
		c->hidden = c->only_html = c->tiny_width = c->tiny_height = false;
		c->alt[0] = '\0';
		if (!c->html.closing)
			pieces_clear(&c->href);
		return;
	case HTML_VALUE_BEGINS:
		c->value_len = 0;
		return;
	case HTML_VALUE_ENDS:
		if (in_href(c))
			keep_href(c);
		else
			attribute_ended(c);
		return;
	case HTML_TAG_ENDS:
		if (c->html.outlook)
			return;
		if (c->html.closing)
			close_tag(c, c->html.tag);
		else
			open_tag(c, c->html.tag);
		return;
	case HTML_NOTHING:
		return;
	}
}

static void text_piece(struct converter *c, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		enum html_where before = c->html.where;
		enum html_event event;

		if (before == HTML_TEXT && s.data[i] != '<') {
			text_byte(c, s.data, &i, s.len);
			continue;
		}
		event = html_feed(&c->html, s.data[i]);
		if (before == HTML_TAG_OPEN && (c->html.where == HTML_TEXT || s.data[i] == '<')) { /* it was no tag */
			if (!c->dropped && !c->html.outlook)
				write_text(c, "<", 1);
			i -= c->html.where == HTML_TEXT;
			continue;
		}
		if (event == HTML_NOTHING &&
			(c->html.where == HTML_VALUE_QUOTED || c->html.where == HTML_VALUE_BARE) &&
			c->value_len + 1 < sizeof(c->value))
			c->value[c->value_len++] = s.data[i];
		if (event == HTML_NOTHING && before == HTML_ATTRIBUTE_NAME && c->html.where == HTML_IN_TAG
				&& strcmp(c->html.attribute, "hidden") == 0)
			c->hidden = true;
		if (event == HTML_TAG_ENDS && before == HTML_ATTRIBUTE_NAME &&
			strcmp(c->html.attribute, "hidden") == 0)
			c->hidden = true;
		tag_event(c, event);
	}
}

static void liquid_piece(struct converter *c, const struct piece *p)
{
	enum html_where where = c->html.where;
	bool in_value = where == HTML_VALUE_QUOTED || where == HTML_VALUE_BARE || where == HTML_BEFORE_VALUE;
	struct slice trimmed = slice_trim(p->text), rest;

	if (p->kind == PIECE_TAG && list_around(c) && where == HTML_TEXT)
		list_around(c)->number = -1;
	if (in_value && in_href(c)) {
		keep_href(c);
		pieces_add(&c->href, *p);
	} else if (p->kind == PIECE_TAG && slice_is(piece_tag(p, &rest), "assign")) {
		put_literal(c);
		pieces_add(c->out, *p);		/* wherever it stands: what follows may use it */
	} else if (where == HTML_TEXT && !c->dropped && !c->html.outlook) {
		put_liquid(c, p);
		c->words_have_liquid = true;
		if (c->in_link && p->kind == PIECE_OUTPUT)
			buf_add(&c->words, trimmed.data, trimmed.len);
	}
	if (p->kind == PIECE_OUTPUT)
		html_output(&c->html);
}

void as_text(struct pieces *out, const struct pieces *in, struct arena *arena)
{
	struct converter c = { .out = out, .arena = arena, .line_empty = true, .written = 2 };

	html_init(&c.html);
	for (size_t i = 0; i < in->count; i++) {
		c.piece = &in->items[i];
		if (c.piece->kind == PIECE_TEXT)
			text_piece(&c, c.piece->text);
		else
			liquid_piece(&c, c.piece);
	}
	if (c.piece) {
		wrap_line(&c);
		put_literal(&c);
	}
	pieces_clear(&c.href);
	pieces_clear(&c.link);
	buf_clear(&c.words);
	buf_clear(&c.text);
}
