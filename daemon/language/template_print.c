/*
 * template_print.c: a source in canonical form. Its pieces are cut as for the compiler, but whole; what stands between
 * marks is printed lexeme by lexeme, so that it reads the same again. What the compiler overlooks (behind `endif`, where
 * the lexer finds no sense) is left out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "lex.h"
#include "pieces.h"
#include "program.h"

/* --- lexemes -------------------------------------------------------------------------------------------- */

static bool is_word(const struct lexeme *l, bool behind_point)
{
	static const char *const words[] = { "in", "and", "or", "contains", "with", "for", "as" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && l->kind == LEX_NAME && !behind_point; i++)
		if (slice_is(l->text, words[i]))
			return true;
	return false;
}

/* Is there a space between the two? `word`: the first is a word of the language. */
static bool spaced(const struct lexeme *a, bool word, const struct lexeme *b)
{
	switch (b->kind) {
	case LEX_COMMA:
	case LEX_COLON:
	case LEX_DOT:
	case LEX_DOTDOT:
	case LEX_CLOSE:
	case LEX_CLOSE_SQUARE:
		return false;
	default:
		break;
	}
	switch (a->kind) {
	case LEX_DOT:
	case LEX_DOTDOT:
	case LEX_OPEN:
	case LEX_OPEN_SQUARE:
		return false;
	case LEX_NAME:
		return word || b->kind != LEX_OPEN_SQUARE;
	case LEX_CLOSE_SQUARE:
		return b->kind != LEX_OPEN_SQUARE;
	default:
		return true;
	}
}

/* `quotes`: texts get "", if they have none inside. */
static void print_lexeme(struct buf *out, const struct lexer *l, bool quotes)
{
	const struct lexeme *at = &l->at;

	if (at->kind == LEX_NE) {
		buf_str(out, "!=");
	} else if (at->kind == LEX_TEXT && quotes && !(at->text.len && memchr(at->text.data, '"', at->text.len))) {
		buf_char(out, '"');
		buf_add(out, at->text.data, at->text.len);
		buf_char(out, '"');
	} else {
		buf_add(out, l->text + at->offset, at->end - at->offset);
	}
}

/* Up to the end, or to where the lexer finds no sense. */
static void print_lexemes(struct buf *out, struct slice text, bool quotes)
{
	struct lexer l;
	struct lexeme last = { .kind = LEX_END };
	bool word = false;

	lex_init(&l, text.data, text.len, false);
	for (; l.at.kind != LEX_END && l.at.kind != LEX_BAD; lex_next(&l)) {
		if (last.kind != LEX_END && spaced(&last, word, &l.at))
			buf_char(out, ' ');
		print_lexeme(out, &l, quotes);
		word = is_word(&l.at, last.kind == LEX_DOT);
		last = l.at;
	}
}

/* --- tags ----------------------------------------------------------------------------------------------- */

static bool starts_with(struct slice s, const char *word)
{
	return s.len >= strlen(word) && memcmp(s.data, word, strlen(word)) == 0;
}

/* Nothing behind it has a meaning. */
static bool stands_alone(struct slice tag)
{
	return starts_with(tag, "end") || slice_is(tag, "else") || slice_is(tag, "break") || slice_is(tag, "continue");
}

static void print_tag(struct buf *out, const struct piece *piece)
{
	struct slice rest, tag = piece_tag(piece, &rest);
	size_t start;

	buf_add(out, tag.data, tag.len);
	if (stands_alone(tag))
		return;
	start = out->len;
	buf_char(out, ' ');
	/* what a loop goes over is its name, for `offset: continue` */
	print_lexemes(out, rest, !slice_is(tag, "for"));
	if (out->len == start + 1)
		buf_cut(out, start);
}

/* --- {% liquid %} --------------------------------------------------------------------------------------- */

static bool opens(struct slice tag)
{
	static const char *const tags[] = { "if", "unless", "case", "for", "capture", "comment" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (slice_is(tag, tags[i]))
			return true;
	return false;
}

static bool is_branch(struct slice tag)
{
	return slice_is(tag, "else") || slice_is(tag, "elsif") || slice_is(tag, "when");
}

static void print_line(struct buf *out, const struct piece *line, int *depth, int *comments)
{
	struct slice rest, tag = piece_tag(line, &rest), text = slice_trim(line->text);
	struct piece inner = *line;
	bool aside = (*comments && !slice_is(tag, "endcomment")) || slice_is(tag, "#");

	while (slice_is(tag, "liquid") && !*comments) {	/* the same line without this word */
		inner.text = text = rest;
		tag = piece_tag(&inner, &rest);
	}
	if (starts_with(tag, "end") && *depth > 0 && (!*comments || slice_is(tag, "endcomment")))
		--*depth;
	if (text.len)
		for (int i = is_branch(tag) && !*comments ? 1 : 0; i <= *depth; i++)
			buf_str(out, "  ");
	if (slice_is(tag, "comment") || (slice_is(tag, "endcomment") && *comments))
		*comments += slice_is(tag, "comment") ? 1 : -1;
	if (aside || slice_is(tag, "comment"))
		buf_add(out, text.data, text.len);
	else if (text.len)
		print_tag(out, &inner);
	buf_char(out, '\n');
	if (opens(tag) && (!*comments || slice_is(tag, "comment")))
		++*depth;
}

static void print_lines(struct buf *out, const struct piece *piece)
{
	struct slice s = piece->text;
	int depth = 0, comments = 0;

	buf_str(out, " liquid\n");
	while (slice_trim(s).len) {
		const char *end = memchr(s.data, '\n', s.len);
		size_t n = end ? (size_t)(end - s.data) : s.len;
		struct piece line = *piece;

		line.text = (struct slice){ s.data, n };
		n += end != NULL;
		s = (struct slice){ s.data + n, s.len - n };
		print_line(out, &line, &depth, &comments);
	}
}

/* --- pieces --------------------------------------------------------------------------------------------- */

static void print_mark(struct buf *out, const struct piece *p)
{
	bool output = p->kind == PIECE_OUTPUT;
	size_t start;

	buf_str(out, output ? "{{" : "{%");
	buf_str(out, p->trim_before ? "-" : "");
	if (p->kind == PIECE_LIQUID) {
		print_lines(out, p);
	} else {
		buf_char(out, ' ');
		start = out->len;
		if (output)
			print_lexemes(out, p->text, true);
		else
			print_tag(out, p);
		buf_str(out, out->len > start ? " " : "");
	}
	buf_str(out, p->trim_after ? "-" : "");
	buf_str(out, output ? "}}" : "%}");
}

static int print_pieces(struct buf *out, const struct source *source, struct compile_errors *errors)
{
	struct pieces pieces = { .whole = true };
	struct err err;
	size_t at;
	int rc = pieces_cut(&pieces, source, &at, &err);

	if (rc < 0)
		compile_error(errors, source, at, "%s", err.text);
	for (size_t i = 0; rc == 0 && i < pieces.count; i++) {
		const struct piece *p = &pieces.items[i];

		switch (p->kind) {
		case PIECE_TEXT:
		case PIECE_ASIDE:
			buf_add(out, p->text.data, p->text.len);
			break;
		case PIECE_OUTPUT:
		case PIECE_TAG:
		case PIECE_LIQUID:
			print_mark(out, p);
			break;
		}
	}
	pieces_clear(&pieces);
	return rc;
}

/* --- front matter --------------------------------------------------------------------------------------- */

static int print_entry(struct buf *out, const struct source *source, struct slice line, struct compile_errors *errors)
{
	const char *colon = memchr(line.data, ':', line.len);
	struct slice key, value;
	struct source part = *source;
	struct buf text = BUF_INIT;
	bool quote;
	int rc;

	if (line.data[0] == '#' || !colon) {
		buf_add(out, line.data, line.len);
		buf_char(out, '\n');
		return 0;
	}
	key = slice_trim((struct slice){ line.data, (size_t)(colon - line.data) });
	value = template_front_value(
		slice_trim((struct slice){ colon + 1, line.len - (size_t)(colon + 1 - line.data) }));
	if (value.len == 0)
		value.data = colon + 1;
	part.skip = (size_t)(value.data - source->text);
	part.len = part.skip + value.len;
	rc = print_pieces(&text, &part, errors);
	value = (struct slice){ buf_cstr(&text), text.len };
	/* without quotes it would be cut, or lose those that it has */
	quote = slice_trim(value).len != value.len || value.len == 0 || value.data[0] == '"' || value.data[0] == '\'';
	buf_add(out, key.data, key.len);
	buf_str(out, quote ? ": \"" : ": ");
	buf_add(out, value.data, value.len);
	buf_str(out, quote ? "\"\n" : "\n");
	buf_clear(&text);
	return rc;
}

static int print_front_matter(struct buf *out, const struct source *source, struct compile_errors *errors)
{
	size_t i = 0;
	bool first = true;
	int rc = 0;

	while (i < source->skip && rc == 0) {
		const char *end = memchr(source->text + i, '\n', source->len - i);
		size_t n = (end ? (size_t)(end - source->text) : source->len) - i;
		struct slice line = slice_trim((struct slice){ source->text + i, n });

		i += n + 1;
		if (slice_is(line, "---") || line.len == 0) {
			buf_str(out, line.len ? "---\n" : "\n");
			if (line.len && !first)
				break;
			first = false;
		} else {
			rc = print_entry(out, source, line, errors);
		}
	}
	return rc;
}

int template_print(const char *name, const char *text, struct buf *out, struct template_error *error)
{
	struct compile_errors errors = { error, 1, 0 };
	struct arena *arena = arena_new(0);
	const struct source *source = compile_source(arena, name, text);
	size_t start = out->len;
	int rc = print_front_matter(out, source, &errors);

	if (rc == 0)
		rc = print_pieces(out, source, &errors);
	if (rc < 0)
		buf_cut(out, start);
	arena_free(&arena);
	return rc;
}
