/*
 * template.h: Liquid, compiled once into a flat program that any thread may render. Mail, pages, alerts.
 *
 * A source may begin with front matter between lines of "---": `key: value` lines, values templates themselves (subject,
 * preheader, from, layout, topic, ...). Output is escaped by context: see enum template_escape and the `raw` filter. Names
 * are resolved at load: an unknown one is an error with line and column.
 */
#ifndef LANGUAGE_TEMPLATE_H
#define LANGUAGE_TEMPLATE_H

#include "language/expression.h"
#include "language/value.h"

enum template_escape {
	TEMPLATE_PLAIN,		/* text parts, Slack payload texts: as it is */
	TEMPLATE_HTML,		/* & < > " ' as entities; in href and src only http https mailto tel cid pass */
	TEMPLATE_HEADER,	/* one line: CR, LF, NUL and other controls fail the render with "header_injection: ..." */
	TEMPLATE_JSON,		/* inside a JSON string: \" \\ \n ...; `| json` gives a whole JSON value */
};

struct template;

struct template_error {
	int line, column;	/* in the source named by `file` */
	char file[128];		/* the template, layout or partial at fault */
	char text[ERR_TEXT];
	bool may_be_empty;	/* a name that may be, without default */
};

struct template_options {
	enum template_escape escape;
	/* Names that may be used at top level (their indexes are what env->name gets); NULL: any name, by env->free_name. */
	const struct vocabulary *vocabulary;
	/*
	 * Source of a layout or partial by its name; NULL if there is none such. The text stays valid for the compile.
	 * For front matter `layout: letter` the name is "letter".
	 */
	const char *(*load)(void *ctx, const char *name);
	void *load_ctx;
	/*
	 * What to write for the constant src of an <img> that is no URL, or cid:NAME: asked with the name. NULL with what is wrong, which is
	 * an error there. The text stays valid for the compile. NULL: it stays as it is.
	 */
	const char *(*picture)(void *ctx, const char *name, struct err *err);
	void *picture_ctx;
	bool track_links;	/* constant http(s) hrefs of <a> become links: see template_links() */
};

/* NULL with all errors found (up to `max`), *count_out their number. `name` is for messages and abort reasons. */
struct template *template_compile(const char *name, const char *source, const struct template_options *options,
		struct template_error *errors, size_t max, size_t *count_out);
void template_free(struct template **t);
/*
 * The source in one form for all: a space inside the marks and around operators, texts in "", one tag a line in
 * {% liquid %}, front matter as `key: value`; what stands between the marks, comments and raw stay. It compiles to the same
 * program. Only for a source that compiles. -1 where it cannot be cut, with the error.
 */
int template_print(const char *name, const char *source, struct buf *out, struct template_error *error) MUSTCHECK;

const char *template_name(const struct template *t);
/* A front matter value as a template of its own (escape HEADER), or NULL if the key is not there. */
const struct template *template_meta(const struct template *t, const char *key);
/* The source text of that value: for constants such as topic. NULL if it is not there. */
const char *template_meta_text(const struct template *t, const char *key);
/* The same template as plain text: HTML taken away at compile time, Liquid kept, links as "words (URL)". Only for HTML ones. */
const struct template *template_text_part(const struct template *t);
/* Does it (its layout, partials and front matter included) output or test this name? */
bool template_uses(const struct template *t, int symbol);
/* SHA-256 of everything it was compiled from: its version. */
const uint8_t *template_digest(const struct template *t);
/* The tracked links in order; a link's index is what env->link gets. At most 255. */
size_t template_links(const struct template *t, const char *const **urls_out);

struct template_env {
	int64_t now;
	void *ctx;
	struct value (*name)(void *ctx, int symbol);			/* with a vocabulary */
	struct value (*free_name)(void *ctx, struct slice name);	/* without one */
	void (*link)(void *ctx, int index, struct buf *out);		/* writes the URL to use, as HTML wants it; NULL: the link itself */
	struct arena *arena;						/* scratch; the caller resets it */
};

enum template_result {
	TEMPLATE_DONE,
	TEMPLATE_ABORTED,	/* {% abort 'why' %}: err has the why */
	TEMPLATE_FAILED,	/* an empty field without default, a limit, an injection: err says which */
};

/* Appends to out; on anything but DONE what was appended is cut off again. Limits: 1 MiB of output, 100,000 steps, depth 16. */
enum template_result template_render(const struct template *t, const struct template_env *env, struct buf *out, struct err *err);

#endif
