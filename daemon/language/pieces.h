/*
 * pieces.h: a template's source cut into text, outputs and tags; white space control, raw, comments and {%
 * liquid %} are dealt with here, so that what follows sees none of them. Pure.
 */
#ifndef LANGUAGE_PIECES_H
#define LANGUAGE_PIECES_H

#include "base/buf.h"
#include "base/mem.h"

enum piece_kind {
	PIECE_TEXT,
	PIECE_OUTPUT,
	PIECE_TAG,
	/* these only where the source is to be printed again */
	PIECE_ASIDE,	/* a comment or a raw, with its marks */
	PIECE_LIQUID,	/* the lines of a {% liquid %} */
};

struct source {
	const char *name;	/* "three-mistakes", for messages */
	const char *text;
	size_t len;
	size_t skip;		/* bytes of front matter before the template begins */
};

struct piece {
	enum piece_kind kind;
	bool raw;		/* text from {% raw %}: never blank */
	int lines;		/* which {% liquid %} of its source it is a line of; 0: none */
	struct slice text;	/* what stands between the marks */
	const struct source *source;
	size_t offset;		/* of text in the source */
	bool trim_before, trim_after;	/* it has {%- or -%}: outputs, tags, {% liquid %} */
};

struct pieces {
	struct piece *items;
	size_t count, cap;
	bool whole;		/* to be printed again: nothing is left out or trimmed */
};

void pieces_add(struct pieces *p, struct piece piece);
void pieces_clear(struct pieces *p);
/* Appends the pieces of a source (all of it, if `whole` is set). -1 with *at_out, an offset into the source. */
int pieces_cut(struct pieces *p, const struct source *source, size_t *at_out, struct err *err) MUSTCHECK;
/* The first word of a tag, and what follows it. */
struct slice piece_tag(const struct piece *piece, struct slice *rest_out);

#endif
