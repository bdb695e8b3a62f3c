/*
 * lint.h: what is wrong with a mail or a page beyond what stops it from compiling: what mailbox providers clip, block or
 * distrust, what readers cannot read, what the law wants. Pure: sources in, findings out.
 *
 * It looks at the source with its layout and partials, on every way through it, and at what a render with sample values
 * gives. A finding points at the file and line where it can be mended, which may be the layout.
 */
#ifndef LANGUAGE_LINT_H
#define LANGUAGE_LINT_H

#include "language/template.h"

enum lint_severity {
	LINT_WARNING,
	LINT_ERROR,		/* must not go out */
};

enum lint_kind {
	LINT_MAIL = 1,
	LINT_PAGE = 2,
	LINT_PART = 4,		/* a layout or partial by itself: nobody knows what stands around it */
	LINT_TEXT = 8,		/* no HTML: a text part, an alert */
};

struct lint_rule {
	const char *name;	/* stable: "image-alt" */
	enum lint_severity severity;
	unsigned kinds;		/* enum lint_kind, or'ed: where it applies */
	const char *help;	/* one line: what it finds */
};

/* All of them, for pages and tests. */
const struct lint_rule *lint_rules(size_t *count_out);

struct lint_finding {
	const struct lint_rule *rule;
	int line, column;	/* in the source named by `file` */
	char file[128];		/* the template, layout or partial at fault */
	char text[ERR_TEXT];	/* what is wrong; what to do */
};

struct lint_options {
	enum lint_kind kind;
	const struct template_options *compile;
	const struct template_env *sample;	/* values to render with; NULL: sizes are told from the literal text */
	bool has_text;				/* there is a text part by hand */
};

/*
 * The findings in the order in which they stand, *count_out their number; the caller frees the array. Front matter may say
 * `lint_ignore: RULE RULE`, in the template or its layout: these are then not told of.
 */
struct lint_finding *lint_template(
	const char *name, const char *source, const struct lint_options *options, size_t *count_out);

#endif
