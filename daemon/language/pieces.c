/*
 * pieces.c: cuts a source at its {{ }} and {% %}.
 */
#include <stdlib.h>
#include <string.h>

#include "pieces.h"

struct cutter {
	struct pieces *out;
	const struct source *source;
	size_t pos;
	bool trim_next;		/* the last mark ended in -}} or -%} */
	int lines;		/* {% liquid %}s so far */
	size_t at;		/* of an error */
	struct err *err;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void pieces_add(struct pieces *p, struct piece piece)
{
	p->items = xgrow(p->items, &p->cap, p->count + 1, sizeof(*p->items));
	p->items[p->count++] = piece;
}

void pieces_clear(struct pieces *p)
{
	free(p->items);
	memset(p, 0, sizeof(*p));
}

struct slice piece_tag(const struct piece *piece, struct slice *rest_out)
{
	struct slice s = slice_trim(piece->text);
	size_t n = 0;

	if (s.len && s.data[0] == '#')
		n = 1;
	else
		while (n < s.len && is_word(s.data[n]))
			n++;
	*rest_out = slice_trim((struct slice){ s.data + n, s.len - n });
	if (rest_out->len == 0)
		rest_out->data = s.data + s.len;
	return (struct slice){ s.data, n };
}

static struct piece piece_of(const struct cutter *c, enum piece_kind kind, size_t from, size_t to)
{
	return (struct piece){ .kind = kind, .source = c->source, .offset = from,
		.text = { c->source->text + from, to > from ? to - from : 0 } };
}

static void add_text(struct cutter *c, size_t from, size_t to, bool trim_end, bool raw)
{
	bool whole = c->out->whole;
	struct piece p;

	trim_end = trim_end && !whole;
	while (c->trim_next && !whole && from < to && is_space(c->source->text[from]))
		from++;
	while (trim_end && to > from && is_space(c->source->text[to - 1]))
		to--;
	if (to == from && !raw)
		return;
	p = piece_of(c, PIECE_TEXT, from, to);
	p.raw = raw;
	pieces_add(c->out, p);
}

/* The next {{ or {% at or behind `from`; len if there is none. */
static size_t next_mark(const struct source *s, size_t from)
{
	for (size_t i = from; i + 1 < s->len; i++) {
		const char *brace = memchr(s->text + i, '{', s->len - i - 1);

		if (!brace)
			return s->len;
		i = (size_t)(brace - s->text);
		if (brace[1] == '{' || brace[1] == '%')
			return i;
	}
	return s->len;
}

struct mark {
	size_t start, end;	/* with the braces */
	size_t from, to;	/* without, and without the - */
	bool output, trim_before, trim_after;
};

static int fail(struct cutter *c, size_t at, const char *text)
{
	c->at = at;
	return err_set(c->err, "%s", text);
}

/* Reads the mark at `start`. An output ends at the first }} outside of quotes, a tag at the first %}. */
static int read_mark(struct cutter *c, size_t start, struct mark *m)
{
	const char *s = c->source->text;
	size_t i = start + 2;
	char close = s[start + 1] == '{' ? '}' : '%', quote = '\0';

	for (;; i++) {
		if (i + 1 >= c->source->len)
			return fail(c, start,
				close == '}' ? "this {{ is never closed by }}"
					     : "this {% is never closed by %}");
		if (quote && s[i] == quote)
			quote = '\0';
		else if (!quote && close == '}' && (s[i] == '"' || s[i] == '\''))
			quote = s[i];
		else if (!quote && s[i] == close && s[i + 1] == '}')
			break;
	}
	*m = (struct mark){
		.start = start, .end = i + 2, .from = start + 2, .to = i, .output = close == '}'
	};
	if (m->from < m->to && s[m->from] == '-') {
		m->trim_before = true;
		m->from++;
	}
	if (m->from < m->to && s[m->to - 1] == '-') {
		m->trim_after = true;
		m->to--;
	}
	return 0;
}

static bool tag_is(const struct cutter *c, const struct mark *m, const char *name)
{
	struct piece p = piece_of(c, PIECE_TAG, m->from, m->to);
	struct slice rest;

	return !m->output && slice_is(piece_tag(&p, &rest), name);
}

/* From one mark to another, both with it: kept as it is where all is kept. */
static bool add_aside(struct cutter *c, size_t from, size_t to)
{
	if (c->out->whole)
		pieces_add(c->out, piece_of(c, PIECE_ASIDE, from, to));
	return c->out->whole;
}

/* Behind {% raw %}: everything up to {% endraw %} is text. */
static int cut_raw(struct cutter *c, const struct mark *begin)
{
	size_t from = begin->end;
	struct mark m;

	for (size_t i = from; i + 1 < c->source->len; i++) {
		if (c->source->text[i] != '{' || c->source->text[i + 1] != '%')
			continue;
		if (read_mark(c, i, &m) < 0)
			break;	/* nothing is closed behind it */
		if (!tag_is(c, &m, "endraw"))
			continue;
		c->trim_next = begin->trim_after;
		if (!add_aside(c, begin->start, m.end))
			add_text(c, from, i, m.trim_before, true);
		c->trim_next = m.trim_after;
		c->pos = m.end;
		return 0;
	}
	return fail(c, begin->start, "this raw has no endraw");
}

/* Behind {% comment %}: up to its {% endcomment %}, over nested comments and raws. */
static int cut_comment(struct cutter *c, const struct mark *begin)
{
	size_t i = begin->end;
	int depth = 1;
	bool raw = false;
	struct mark m;

	while (i + 1 < c->source->len) {
		if (c->source->text[i] != '{' || c->source->text[i + 1] != '%') {
			i++;
			continue;
		}
		if (read_mark(c, i, &m) < 0)
			break;	/* nothing is closed behind it */
		i = m.end;
		if (raw || tag_is(c, &m, "raw"))
			raw = !tag_is(c, &m, "endraw");
		else if (tag_is(c, &m, "comment"))
			depth++;
		else if (tag_is(c, &m, "endcomment") && --depth == 0) {
			c->trim_next = m.trim_after;
			c->pos = m.end;
			add_aside(c, begin->start, m.end);
			return 0;
		}
	}
	return fail(c, begin->start, "this comment has no endcomment");
}

/* {% liquid %}: each line is a tag, and its blocks end in it. */
static void cut_lines(struct cutter *c, size_t from, size_t to)
{
	const char *s = c->source->text;
	int comments = 0, lines = ++c->lines;

	while (from < to) {
		size_t end = from;
		struct piece p;
		struct slice rest, name;

		while (end < to && s[end] != '\n')
			end++;
		p = piece_of(c, PIECE_TAG, from, end);
		p.lines = lines;
		name = piece_tag(&p, &rest);
		if (!comments && slice_is(name, "liquid")) { /* the same line without this word */
			from = rest.len ? (size_t)(rest.data - s) : end + 1;
			continue;
		}
		if (slice_is(name, "comment"))
			comments++;
		else if (slice_is(name, "endcomment") && comments)
			comments--;
		else if (!comments && slice_trim(p.text).len && !slice_is(name, "#"))
			pieces_add(c->out, p);
		from = end + 1;
	}
}

/* {% # ... %}: each line of it begins with a # */
static int check_inline_comment(struct cutter *c, const struct mark *m)
{
	const char *s = c->source->text;
	bool begins = true;

	for (size_t i = m->from; i < m->to; i++) {
		if (s[i] == '\n')
			begins = true;
		else if (begins && s[i] != '#' && !is_space(s[i]))
			return fail(c, i, "each line of a {% # %} comment begins with #");
		else if (!is_space(s[i]))
			begins = false;
	}
	return 0;
}

static int cut_mark(struct cutter *c, const struct mark *m)
{
	struct piece p = piece_of(c, m->output ? PIECE_OUTPUT : PIECE_TAG, m->from, m->to);
	struct slice rest;

	p.trim_before = m->trim_before;
	p.trim_after = m->trim_after;
	c->trim_next = m->trim_after;
	c->pos = m->end;
	if (tag_is(c, m, "raw")) {
		piece_tag(&p, &rest);
		return rest.len ? fail(c, m->from, "raw takes nothing behind it") : cut_raw(c, m);
	}
	if (tag_is(c, m, "comment"))
		return cut_comment(c, m);
	if (tag_is(c, m, "#")) {
		add_aside(c, m->start, m->end);
		return check_inline_comment(c, m);
	}
	if (tag_is(c, m, "liquid")) {
		piece_tag(&p, &rest);
		p.kind = PIECE_LIQUID;
		p.text = (struct slice){ rest.data, (size_t)(c->source->text + m->to - rest.data) };
		if (c->out->whole)
			pieces_add(c->out, p);
		else
			cut_lines(c, (size_t)(rest.data - c->source->text), m->to);
		return 0;
	}
	pieces_add(c->out, p);
	return 0;
}

int pieces_cut(struct pieces *p, const struct source *source, size_t *at_out, struct err *err)
{
	struct cutter c = { .out = p, .source = source, .pos = source->skip, .err = err };

	for (;;) {
		size_t mark = next_mark(source, c.pos);
		struct mark m;

		if (mark == source->len) {
			add_text(&c, c.pos, mark, false, false);
			return 0;
		}
		if (read_mark(&c, mark, &m) < 0)
			break;
		add_text(&c, c.pos, mark, m.trim_before, false);
		if (cut_mark(&c, &m) < 0)
			break;
	}
	*at_out = c.at;
	return -1;
}
