/*
 * lint_walk.h: what the files of lint share: findings, and a walk over the HTML of a template.
 */
#ifndef LANGUAGE_LINT_WALK_H
#define LANGUAGE_LINT_WALK_H

#include "language/lint.h"

#include "pieces.h"
#include "program.h"

/* Places in the table of lint.c. */
enum lint_number {
	RULE_LIQUID,
	RULE_EMPTY_FIELD,
	RULE_UNSUBSCRIBE,
	RULE_ADDRESS,
	RULE_CLIPPED,
	RULE_LARGE,
	RULE_IMAGE_ALT,
	RULE_IMAGE_WIDTH,
	RULE_LINK_TARGET,
	RULE_LINK_TEXT,
	RULE_LINK_RELATIVE,
	RULE_LINK_SCHEME,
	RULE_LINK_MALFORMED,
	RULE_LINK_LOCAL,
	RULE_LINK_PLAIN,
	RULE_LINKS_MANY,
	RULE_SCRIPT,
	RULE_FORM,
	RULE_EMBED,
	RULE_STYLE_EXTERNAL,
	RULE_CONTRAST,
	RULE_DARK_META,
	RULE_DARK_STYLE,
	RULE_DARK_TEXT,
	RULE_LANG,
	RULE_VIEWPORT,
	RULE_SUBJECT_EMPTY,
	RULE_SUBJECT_LONG,
	RULE_SUBJECT_CAPITALS,
	RULE_SUBJECT_MARKS,
	RULE_SUBJECT_REPLY,
	RULE_PREHEADER,
	RULE_TEXT_THIN,
	LINT_RULE_COUNT,
};

struct lint {
	const struct lint_options *options;
	struct arena *arena;
	struct lint_finding *found;
	size_t count, cap;
	/* what the walk has seen */
	const struct source *own;	/* the template itself, without layout and partials */
	const struct source *page;	/* where <html> stands, and its offset */
	size_t page_offset;
	bool has_html, has_lang, has_viewport, has_scheme, has_dark_style;
	bool says_unsubscribe, says_address, says_confirm;
	size_t literal;			/* bytes of HTML, on all ways together */
	size_t words;			/* characters of text that can be seen, of its own */
	size_t links;
};

void lint_tell(struct lint *l, enum lint_number rule, const struct source *source, size_t offset, const char *fmt, ...)
	PRINTF(5, 6);
/* Over all pieces, in the order of the source, and the partials where they are rendered. */
void lint_walk(struct lint *l, const struct pieces *pieces);

#endif
