/*
 * say.h: words, times and columns for the pages that people read. Pure but for the local time zone (TZ); any thread.
 *
 * What comes from rows may hold anything: control characters become '?', so that they reach no terminal.
 */
#ifndef CONSOLE_SAY_H
#define CONSOLE_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_t;

#define SAY_WIDTH 96	/* columns of a page */

/* "Mon 23 Nov 10:00", with the year where it is not this one; local time. */
void say_time(struct buf *out, int64_t at, int64_t now);
/* "2026-11-23 10:00:00", local time. */
void say_stamp(struct buf *out, int64_t at);
/* say_time() and how far away: "Mon 23 Nov 10:00, in 2 days". */
void say_when(struct buf *out, int64_t at, int64_t now);
/* Without control characters but LF and TAB. */
void say_clean(struct buf *out, const char *s);
/* Clean, on one line, and times in it (RFC 3339, UTC) as say_time() has them. */
void say_text(struct buf *out, const char *s, int64_t now);
/* say_text() broken at spaces, so that no line is longer than SAY_WIDTH; each but the first begins at `indent`. No LF at the end. */
void say_wrapped(struct buf *out, size_t indent, const char *s, int64_t now);
void say_spaces(struct buf *out, size_t count);
/* Spaces up to `column` of the line at hand, and at least one. */
void say_column(struct buf *out, size_t column);
/* "1 person", "12,345 people"; the number alone where the words are "". */
void say_count(struct buf *out, int64_t count, const char *one, const char *many);
/* "yes", "no", "12.5": without a needless ".00". */
void say_points(struct buf *out, double points);

/* Members of an answer: "" where it has none such; 0 where it is no time. */
const char *say_member(const struct json_t *object, const char *name);
int64_t say_member_time(const struct json_t *object, const char *name);
double say_member_number(const struct json_t *object, const char *name);
bool say_member_true(const struct json_t *object, const char *name);

#endif
