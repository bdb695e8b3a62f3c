/*
 * buf.h: a growing run of bytes, always NUL-terminated behind its length. One thread at a time.
 *
 * `struct buf b = BUF_INIT;` ... `buf_clear(&b);`. b.data is never NULL after the first call that adds.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* Borrowed bytes, not terminated. */
struct slice {
	const char *data;
	size_t len;
};

#define BUF_INIT { 0 }

void buf_clear(struct buf *b);			/* frees, leaves BUF_INIT */
void buf_reset(struct buf *b);			/* length 0, keeps the memory */
void buf_reserve(struct buf *b, size_t more);	/* room for `more` bytes and the NUL */
void buf_add(struct buf *b, const void *data, size_t len);
/* Here, so that the length of a literal is known. */
static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
/* buf_join(b, "a", b, "c"): the strings behind each other, which printf does ten times as slowly. */
#define buf_join(b, ...) buf_join_list((b), (const char *const[]){ __VA_ARGS__, NULL })
void buf_join_list(struct buf *b, const char *const *strings);	/* up to a NULL */
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_cut(struct buf *b, size_t len);	/* shortens to len */
/* Gives the bytes away (free() them) and leaves BUF_INIT; "" when empty, never NULL. */
char *buf_take(struct buf *b) __attribute__((returns_nonnull));
/* "" when empty, never NULL. */
const char *buf_cstr(const struct buf *b) __attribute__((returns_nonnull));

struct slice slice_of(const char *s);		/* NULL gives an empty slice */
bool slice_is(struct slice a, const char *s);
bool slice_is_nocase(struct slice a, const char *s);
struct slice slice_trim(struct slice a);	/* ASCII white space */

#endif
