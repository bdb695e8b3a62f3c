/*
 * csv.h: rows of comma-separated values (RFC 4180), read as they come, and fields as they are written. A reader belongs to one thread.
 *
 * Lines end in LF or CRLF; empty ones are passed over, and so is a byte order mark. A quote stands only at the beginning of a field and, doubled,
 * within one that is quoted; a quoted field may hold line breaks. Memory is bounded: a row has at most CSV_ROW_MAX bytes and CSV_FIELDS_MAX fields.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CSV_ROW_MAX 8192
#define CSV_FIELDS_MAX 64

struct csv;

struct csv_row {
	const char *fields[CSV_FIELDS_MAX];	/* UTF-8 without NUL; valid until the next call */
	size_t count;
	int64_t line;				/* on which it begins, from 1 */
};

/* read: up to `size` bytes into `data`; how many, 0 at the end, -1 when it cannot. */
struct csv *csv_new(int64_t (*read)(void *arg, char *data, size_t size), void *arg);
void csv_free(struct csv **csv);

/*
 * The next row: 1, 0 at the end. -1: what stands there is no row; out->line and err say where and why, and the next call goes on behind
 * the end of that line. When it cannot be read any more: -1, and csv_broken() is true.
 */
int csv_next(struct csv *csv, struct csv_row *out, struct err *err) MUSTCHECK;
bool csv_broken(const struct csv *csv);

/* Appends a field, in quotes where it needs them. Pure. */
void csv_field(struct buf *out, const char *s);

#endif
