/*
 * lint_url.h: what is wrong with a URL in a mail. Pure.
 */
#ifndef LANGUAGE_LINT_URL_H
#define LANGUAGE_LINT_URL_H

#include "base/buf.h"

enum url_fault {
	URL_GOOD,
	URL_EMPTY,	/* nothing, or # */
	URL_RELATIVE,
	URL_SCHEME,	/* one that mail programs do not open */
	URL_SCRIPT,	/* javascript: and its like */
	URL_MALFORMED,
	URL_LOCAL,	/* this machine, or a network that readers are not in */
	URL_PLAIN,	/* http: */
};

/* `open`: more may follow, from Liquid, so that only the beginning can be told. `why` gets a few words where they help, or "". */
enum url_fault url_fault_of(struct slice url, bool open, const char **why);

#endif
