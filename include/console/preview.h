/*
 * preview.h: a template file rendered with data from a JSON file, without daemon and config: `nurturectl
 * template render`. Reads files.
 */
#ifndef CONSOLE_PREVIEW_H
#define CONSOLE_PREVIEW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct preview {
	const char *file;	/* layouts and partials are NAME.liquid in its folder */
	const char *data;	/* file with a JSON object, or NULL: {} */
	bool plain;		/* nothing escaped, unknown names nil; else HTML, and those are errors */
	bool text;		/* the text part of an HTML template */
	bool headers;		/* first what the front matter makes, a line each, and an empty line */
};

/* -1: refused; then `errors` has what is wrong, one "file:line:column: ..." a line. */
int preview_render(const struct preview *p, struct buf *out, struct buf *errors) MUSTCHECK;
/* The template in one form for all, see template_print(). */
int preview_print(const char *file, struct buf *out, struct buf *errors) MUSTCHECK;

#endif
