/*
 * answer.h: the pieces of JSON in which people and programs are answered: times, ids, texts as they came, rows. Pure; any
 * thread.
 */
#ifndef BASE_ANSWER_H
#define BASE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_t;

/* RFC 3339 in UTC; null where there is none: 0, or so far away that it means never. */
struct json_t *answer_time(int64_t us);
/* With its prefix; null for 0. */
struct json_t *answer_id(const char *prefix, int64_t id);
/* NULL as "". Texts of rows may have been cut within a character: what is no UTF-8 becomes U+FFFD. */
struct json_t *answer_text(const char *s);
/* A number of points as people read it: to two digits. */
struct json_t *answer_points(double points);
/* A list of what `row` makes of each of `count` elements of `size` bytes. */
struct json_t *answer_rows(const void *rows, size_t count, size_t size, struct json_t *(*row)(const void *row));
/* Appends the text of it. Takes json, which may be NULL: then, and when it cannot be written, -1; else 1, as finders say. */
int answer_give(struct buf *out, struct json_t *json, struct err *err) MUSTCHECK;

#endif
