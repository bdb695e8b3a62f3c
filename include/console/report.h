/*
 * report.h: the daemon's JSON as people read it. Pure but for the local time zone (TZ); any thread.
 *
 * One form for all answers: an object's members below each other, names padded; a list of objects as
 * columns; lists of texts below each other. By value or name: RFC 3339 times in the local zone with their
 * age in words; `..._seconds` as durations; `..._bytes` as KB, MB, GB. Control characters, which mails
 * may bring, become '?', so that they reach no terminal.
 */
#ifndef CONSOLE_REPORT_H
#define CONSOLE_REPORT_H

#include <stdint.h>

#include "base/buf.h"

struct json_t;

void report_print(struct buf *out, const struct json_t *json, int64_t now);

/* As it is, indented: for a file, or for another program. */
void report_json(struct buf *out, const struct json_t *json, int64_t now);

/* A list of objects that are too large for a row: one below the other. */
void report_each(struct buf *out, const struct json_t *json, int64_t now);

/* "3 minutes ago", "in 2 days", "now". */
void report_age(struct buf *out, int64_t at, int64_t now);

#endif
