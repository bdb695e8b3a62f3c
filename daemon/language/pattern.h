/*
 * pattern.h: regular expressions (PCRE2, UTF-8) compiled at load, with limits, so that no pattern takes
 * long on any text. Any thread may match one compiled pattern.
 */
#ifndef LANGUAGE_PATTERN_H
#define LANGUAGE_PATTERN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct pattern;

/* Flag: i, without regard to case. *at_out is the offset of the fault in the pattern. NULL on error. */
struct pattern *pattern_new(struct slice source, struct slice flags, size_t *at_out, struct err *err);
void pattern_free(struct pattern **p);
/* Found somewhere in the text? A text on which the limits are exceeded is not matched. */
bool pattern_found(const struct pattern *p, struct slice text);

#endif
