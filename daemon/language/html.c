/*
 * html.c: a small tokenizer for HTML that only keeps its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"

void html_init(struct html *h)
{
	memset(h, 0, sizeof(*h));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void append(char *s, size_t size, char c)
{
	size_t n = strlen(s);

	if (c >= 'A' && c <= 'Z')
		c = (char)(c + 32);
	if (n + 1 < size) {
		s[n] = c;
		s[n + 1] = '\0';
	}
}

static void remember(struct html *h, char c)
{
	memmove(h->tail, h->tail + 1, sizeof(h->tail) - 2);
	h->tail[sizeof(h->tail) - 2] = c;
}

static bool tail_is(const struct html *h, const char *s)
{
	size_t n = strlen(s);

	return memcmp(h->tail + sizeof(h->tail) - 1 - n, s, n) == 0;
}

static void enter(struct html *h, enum html_where where)
{
	h->where = where;
	memset(h->tail, 0, sizeof(h->tail));
}

static enum html_event end_tag(struct html *h)
{
	static const char *const raw[] = { "script", "style", "textarea", "title" };

	enter(h, HTML_TEXT);
	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]) && !h->closing; i++)
		if (strcmp(h->tag, raw[i]) == 0) {
			enter(h, HTML_RAW_TEXT);
			memcpy(h->raw_tag, h->tag, sizeof(h->raw_tag));
		}
	return HTML_TAG_ENDS;
}

static enum html_event in_text(struct html *h, char c)
{
	if (c != '<')
		return HTML_NOTHING;
	h->where = HTML_TAG_OPEN;
	h->tag[0] = '\0';
	h->closing = false;
	return HTML_NOTHING;
}

static enum html_event after_less(struct html *h, char c)
{
	if (c == '/' && !h->closing) {
		h->closing = true;
		return HTML_NOTHING;
	}
	if (c == '!' || c == '?') {
		enter(h, HTML_MARKUP);
		return HTML_NOTHING;
	}
	if (!is_letter(c)) {
		h->where = HTML_TEXT;
		return in_text(h, c);
	}
	h->where = HTML_TAG_NAME;
	append(h->tag, sizeof(h->tag), c);
	return HTML_TAG_BEGINS;
}

/* The end of raw text: </script and its like, by the last bytes. */
static enum html_event in_raw_text(struct html *h, char c)
{
	remember(h, c);
	if (c == '<') {
		h->tag[0] = '\0';
		h->closing = false;
	} else if (c == '/' && tail_is(h, "</")) {
		h->closing = true;
	} else if (h->closing && is_letter(c)) {
		append(h->tag, sizeof(h->tag), c);
	} else {
		if (h->closing && strcmp(h->tag, h->raw_tag) == 0) {
			h->where = HTML_IN_TAG;
			return html_feed(h, c);
		}
		h->closing = false;
	}
	return HTML_NOTHING;
}

static enum html_event in_tag(struct html *h, char c)
{
	if (c == '>')
		return end_tag(h);
	if (is_space(c) || c == '/')
		return HTML_NOTHING;
	h->where = HTML_ATTRIBUTE_NAME;
	h->unsure = h->maybe_url = false;
	h->attribute[0] = '\0';
	append(h->attribute, sizeof(h->attribute), c);
	return HTML_NOTHING;
}

static enum html_event before_value(struct html *h, char c)
{
	if (is_space(c))
		return HTML_NOTHING;
	if (c == '>')
		return end_tag(h);
	h->value_empty = true;
	h->quote = c;
	h->where = c == '"' || c == '\'' ? HTML_VALUE_QUOTED : HTML_VALUE_BARE;
	if (h->where == HTML_VALUE_BARE)
		h->value_empty = false;
	return HTML_VALUE_BEGINS;
}

static enum html_event in_value(struct html *h, char c)
{
	if (h->where == HTML_VALUE_QUOTED && c == h->quote) {
		h->where = HTML_IN_TAG;
		return HTML_VALUE_ENDS;
	}
	if (h->where == HTML_VALUE_BARE && (is_space(c) || c == '>')) {
		h->where = HTML_IN_TAG;
		if (c == '>')
			return end_tag(h);
		return HTML_VALUE_ENDS;
	}
	if (!is_space(c))
		h->value_empty = false;
	return HTML_NOTHING;
}

static enum html_event in_attribute_name(struct html *h, char c)
{
	if (c == '=') {
		h->where = HTML_BEFORE_VALUE;
		return HTML_NOTHING;
	}
	if (is_space(c) || c == '/' || c == '>') {
		h->where = HTML_IN_TAG;
		return in_tag(h, c);
	}
	h->maybe_url = h->maybe_url || h->unsure;
	append(h->attribute, sizeof(h->attribute), c);
	return HTML_NOTHING;
}

static enum html_event in_markup(struct html *h, char c)
{
	remember(h, c);
	if (tail_is(h, "--") && h->tail[sizeof(h->tail) - 4] == '\0') {
		enter(h, HTML_COMMENT);
		return HTML_NOTHING;
	}
	if (c == '>') {
		if (tail_is(h, "if]-->") || tail_is(h, "dif]>"))
			h->outlook = false;
		enter(h, HTML_TEXT);
	}
	return HTML_NOTHING;
}

static enum html_event in_comment(struct html *h, char c)
{
	bool first = h->tail[sizeof(h->tail) - 2] == '\0', conditional;

	if (h->quote == 'c' && c == '>' && tail_is(h, "]")) {	/* <!--[if mso]> */
		h->outlook = h->closing;
		h->quote = '\0';
		enter(h, HTML_TEXT);
		return HTML_NOTHING;
	}
	if (first)
		h->quote = '\0';
	remember(h, c);
	conditional = tail_is(h, "[if ") && h->tail[sizeof(h->tail) - 6] == '\0';
	if (conditional) {
		h->quote = 'c';
		h->closing = true;	/* for Outlook, unless a ! follows */
	} else if (h->quote == 'c' && c == '!') {
		h->closing = false;
	}
	if (c == '>' && (first || tail_is(h, "-->"))) {
		h->quote = '\0';
		enter(h, HTML_TEXT);
	}
	return HTML_NOTHING;
}

enum html_event html_feed(struct html *h, char c)
{
	switch (h->where) {
	case HTML_TEXT:
		return in_text(h, c);
	case HTML_RAW_TEXT:
		return in_raw_text(h, c);
	case HTML_TAG_OPEN:
		return after_less(h, c);
	case HTML_TAG_NAME:
		if (is_space(c) || c == '/' || c == '>') {
			h->where = HTML_IN_TAG;
			return in_tag(h, c);
		}
		append(h->tag, sizeof(h->tag), c);
		return HTML_NOTHING;
	case HTML_IN_TAG:
		return in_tag(h, c);
	case HTML_ATTRIBUTE_NAME:
		return in_attribute_name(h, c);
	case HTML_BEFORE_VALUE:
		return before_value(h, c);
	case HTML_VALUE_QUOTED:
	case HTML_VALUE_BARE:
		return in_value(h, c);
	case HTML_MARKUP:
		return in_markup(h, c);
	case HTML_COMMENT:
		return in_comment(h, c);
	}
	return HTML_NOTHING;
}

void html_output(struct html *h)
{
	/* the value may still be empty: what is put out may be, and then the next output begins the URL */
	if (h->where == HTML_BEFORE_VALUE)
		h->where = HTML_VALUE_BARE;
	else if (h->where == HTML_TAG_OPEN)
		h->where = HTML_TEXT;
}

static bool is_url_name(const char *attribute)
{
	static const char *const urls[] = { "href", "src", "action", "formaction", "background", "cite",
		"data", "poster", "longdesc", "xlink:href" };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (strcmp(attribute, urls[i]) == 0)
			return true;
	return false;
}

bool html_is_url(const struct html *h)
{
	return h->maybe_url || is_url_name(h->attribute);
}

/* Of two attributes the one with which more can go wrong. */
static int danger(const struct html *h)
{
	if (h->where != HTML_ATTRIBUTE_NAME)
		return -1;
	return strncmp(h->attribute, "on", 2) == 0 ? 2 : html_is_url(h);
}

static bool is_in_tag(const struct html *h)
{
	return h->where == HTML_TAG_NAME || h->where == HTML_IN_TAG || h->where == HTML_ATTRIBUTE_NAME;
}

/* `checked` or nothing: both are between attributes, if a space or the end of the tag follows. */
static bool meet_in_tag(struct html *a, const struct html *b)
{
	bool unsure = a->where != b->where || strcmp(a->attribute, b->attribute) != 0;

	if (strcmp(a->tag, b->tag) != 0 || a->closing != b->closing)
		return false;
	if (danger(b) > danger(a) || a->where == HTML_TAG_NAME)
		*a = *b;
	a->unsure = a->unsure || b->unsure || unsure;
	return true;
}

bool html_meet(struct html *a, const struct html *b)
{
	bool in_value = a->where == HTML_VALUE_QUOTED || a->where == HTML_VALUE_BARE;

	if (is_in_tag(a) && is_in_tag(b) && !(a->where == HTML_TAG_NAME && b->where == HTML_TAG_NAME))
		return meet_in_tag(a, b);
	if (a->where != b->where)
		return false;
	if (a->where >= HTML_TAG_OPEN && a->where <= HTML_VALUE_BARE && strcmp(a->tag, b->tag) != 0)
		return false;
	if (in_value && (a->quote != b->quote || strcmp(a->attribute, b->attribute) != 0))
		return false;
	if (a->where == HTML_RAW_TEXT && strcmp(a->raw_tag, b->raw_tag) != 0)
		return false;
	a->value_empty = a->value_empty || b->value_empty; /* a scheme may still come: look at what follows */
	a->maybe_url = a->maybe_url || b->maybe_url;
	return true;
}

const char *html_place(const struct html *h)
{
	switch (h->where) {
	case HTML_TEXT:
		return "in text";
	case HTML_RAW_TEXT:
		return "inside script, style, title or textarea";
	case HTML_TAG_OPEN:
	case HTML_TAG_NAME:
	case HTML_IN_TAG:
	case HTML_ATTRIBUTE_NAME:
		return "inside a tag";
	case HTML_BEFORE_VALUE:
	case HTML_VALUE_BARE:
		return "in an attribute without quotes";
	case HTML_VALUE_QUOTED:
		return "inside an attribute";
	case HTML_MARKUP:
		return "inside <! >";
	case HTML_COMMENT:
		return "inside a comment";
	}
	return "here";
}

/* --- entities ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *text;
} entities[] = {
	{ "amp", "&" },
	{ "lt", "<" },
	{ "gt", ">" },
	{ "quot", "\"" },
	{ "apos", "'" },
	{ "nbsp", " " },
	{ "copy", "\u00a9" },
	{ "reg", "\u00ae" },
	{ "trade", "\u2122" },
	{ "hellip", "\u2026" },
	{ "mdash", "\u2014" },
	{ "ndash", "\u2013" },
	{ "lsquo", "\u2018" },
	{ "rsquo", "\u2019" },
	{ "ldquo", "\u201c" },
	{ "rdquo", "\u201d" },
	{ "bdquo", "\u201e" },
	{ "sbquo", "\u201a" },
	{ "laquo", "\u00ab" },
	{ "raquo", "\u00bb" },
	{ "bull", "\u2022" },
	{ "middot", "\u00b7" },
	{ "euro", "\u20ac" },
	{ "pound", "\u00a3" },
	{ "sect", "\u00a7" },
	{ "deg", "\u00b0" },
	{ "times", "\u00d7" },
	{ "rarr", "\u2192" },
	{ "larr", "\u2190" },
	{ "check", "\u2713" },
	{ "zwnj", "" },
	{ "zwj", "" },
	{ "shy", "" },
	{ "auml", "\u00e4" },
	{ "ouml", "\u00f6" },
	{ "uuml", "\u00fc" },
	{ "Auml", "\u00c4" },
	{ "Ouml", "\u00d6" },
	{ "Uuml", "\u00dc" },
	{ "szlig", "\u00df" },
	{ "eacute", "\u00e9" },
	{ "egrave", "\u00e8" },
	{ "ecirc", "\u00ea" },
	{ "agrave", "\u00e0" },
	{ "acirc", "\u00e2" },
	{ "ccedil", "\u00e7" },
	{ "ntilde", "\u00f1" },
	{ "oacute", "\u00f3" },
	{ "iacute", "\u00ed" },
	{ "aacute", "\u00e1" },
	{ "uacute", "\u00fa" },
	{ "ensp", " " },
	{ "emsp", " " },
	{ "thinsp", " " },
};

static void add_code_point(struct buf *out, unsigned long c)
{
	if (c == 0x200b || c == 0x200c || c == 0x200d || c == 0xad || c == 0x34f || c == 0xfeff)
		return;		/* nothing to see */
	if (c == 0xa0)
		c = ' ';
	if (c < 0x80) {
		buf_char(out, (char)c);
	} else if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(out, (char)(0xe0 | c >> 12));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | c >> 18));
		buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* s begins behind the & and ends before the ; */
static bool decode_one(struct buf *out, struct slice s)
{
	char copy[12];
	unsigned long c;
	char *end;

	if (s.len == 0 || s.len >= sizeof(copy))
		return false;
	memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	if (copy[0] != '#') {
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (strcmp(copy, entities[i].name) == 0) {
				buf_str(out, entities[i].text);
				return true;
			}
		return false;
	}
	c = copy[1] == 'x' || copy[1] == 'X' ? strtoul(copy + 2, &end, 16) : strtoul(copy + 1, &end, 10);
	if (*end || c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	add_code_point(out, c);
	return true;
}

void html_decode(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char *semicolon = s.data[i] == '&' ? memchr(s.data + i, ';', s.len - i) : NULL;

		if (semicolon && decode_one(out, (struct slice){ s.data + i + 1,
							 (size_t)(semicolon - s.data) - i - 1 }))
			i = (size_t)(semicolon - s.data);
		else
			buf_char(out, s.data[i]);
	}
}
