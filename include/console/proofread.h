/*
 * proofread.h: `nurturectl template lint`: which files, with which names and sample values, and what was found as a page.
 * Needs no daemon. Reads files.
 */
#ifndef CONSOLE_PROOFREAD_H
#define CONSOLE_PROOFREAD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct json_t;

struct proofread {
	const char *const *files;	/* paths */
	size_t count;
	bool all;		/* every mail and page of the config */
	const char *config;	/* the operator's file: names and the sender */
	bool config_given;	/* else it may be missing, and names are not checked */
};

/*
 * {"good", "templates", "errors", "warnings", "names_checked", "findings": [{"file", "line", "column", "severity", "rule", "text"}]}; good: no
 * errors. The caller owns it. NULL: the config or a file cannot be read; `errors` has a line for each.
 */
struct json_t *proofread_run(const struct proofread *p, struct buf *errors);
/* file:line:column: severity: text [rule], and a line that sums up. */
void proofread_print(struct buf *out, const struct json_t *json);

#endif
