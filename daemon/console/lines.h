/*
 * lines.h: a text of several lines as JSON. Pure.
 */
#ifndef CONSOLE_LINES_H
#define CONSOLE_LINES_H

#include "base/buf.h"

/* As a member `"name":[...]` that holds its lines, empty ones left out. */
void lines_member(struct buf *out, const char *name, const char *text);

#endif
