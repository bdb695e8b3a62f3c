/*
 * text.h: bytes as text: UTF-8, the usual encodings, names that were mistyped, globs. Pure; any thread.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

bool text_utf8_valid(const char *s, size_t n);		/* RFC 3629: no surrogates, no overlong forms, no NUL */
size_t text_utf8_length(const char *s, size_t n);	/* code points; invalid bytes count one each */
bool text_ascii(const char *s, size_t n);			/* nothing beyond it */
size_t text_printable(const char *s, size_t n);		/* how many bytes are printable ASCII, before one is not */
bool text_has_control(const char *s, size_t n);		/* C0 but TAB and LF, or DEL */

void text_lower(char *s);				/* ASCII only, in place */
bool text_ends_with(const char *s, const char *suffix);
bool text_starts_with(const char *s, const char *prefix);

/*
 * RFC 4648 base32, lower case, no padding. decode: -1 on a foreign character, a wrong length or stray bits. Case is
 * ignored.
 */
void text_base32(struct buf *out, const void *data, size_t n);
int text_base32_decode(const char *s, size_t n, uint8_t *out, size_t out_size, size_t *n_out) MUSTCHECK;

/* RFC 4648 base64 with padding, without line breaks. */
void text_base64(struct buf *out, const void *data, size_t n);
/* The same in lines of 76 characters that end in CRLF (RFC 2045 6.8), the last one too. */
void text_base64_lines(struct buf *out, const void *data, size_t n);
int text_base64_decode(const char *s, size_t n, struct buf *out) MUSTCHECK;

void text_hex(struct buf *out, const void *data, size_t n);
int text_hex_decode(const char *s, size_t n, struct buf *out) MUSTCHECK;

/* RFC 3986: everything but unreserved characters becomes %XX. */
void text_percent(struct buf *out, const char *s, size_t n);
/* %XX, and '+' as a space when `form` (application/x-www-form-urlencoded). -1 on a broken escape or %00. */
int text_percent_decode(const char *s, size_t n, bool form, struct buf *out) MUSTCHECK;

/* & < > " ' as entities: safe in HTML text and in quoted attributes. */
void text_html(struct buf *out, const char *s, size_t n);
/* A JSON string with its quotes (RFC 8259); controls are escaped, C1 too; invalid UTF-8 becomes U+FFFD. */
void text_json(struct buf *out, const char *s, size_t n);

/* '*' any run, '?' one character; the whole of `s` must match. At most the product of both lengths, no recursion. */
bool text_glob(const char *pattern, const char *s);

/*
 * The candidate nearest to `name` by edit distance (at most a third of its length, at least 1), or NULL: for
 * "unknown key; did you mean ...". `candidates` ends with NULL.
 */
const char *text_nearest(const char *name, const char *const *candidates);

/* Whole decimal int64, nothing before or after. */
int text_int(const char *s, int64_t *out) MUSTCHECK;
int text_double(const char *s, double *out) MUSTCHECK;	/* C locale, finite */

/*
 * "14 days", "90 s", "2h30m", "1 week": microseconds. Units ms, s|second(s), m|min|minute(s), h|hour(s), d|day(s),
 * w|week(s), month(s) (30 days), year(s) (365 days).
 */
int text_duration(const char *s, int64_t *us_out, struct err *err) MUSTCHECK;
/* The other way, in days and below: "14 days", "2 hours 30 minutes", "90 seconds" (below two minutes), "250 ms". */
void text_duration_print(struct buf *out, int64_t us);

void text_decimal(struct buf *out, int64_t n);

/* RFC 3339 in UTC with seconds ("2026-11-22T03:21:35Z"); years 1970 to 9999. */
void text_time(struct buf *out, int64_t us);
/* Any RFC 3339 time: with an offset and a fraction too. -1: not one, or before 1970. */
int text_time_parse(const char *s, int64_t *us_out) MUSTCHECK;

#endif
