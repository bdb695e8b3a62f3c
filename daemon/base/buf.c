/*
 * buf.c: see buf.h.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

void buf_clear(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

static void grow(struct buf *b, size_t more)
{
	assert(more < SIZE_MAX - b->len);
	b->data = xgrow(b->data, &b->cap, b->len + more + 1, 1);
	b->data[b->len] = '\0';
}

/* Nearly always: a mail comes by here some three hundred times. An empty buffer has room for nothing. */
static inline bool has_room(const struct buf *b, size_t more)
{
	return more < b->cap - b->len;
}

void buf_reserve(struct buf *b, size_t more)
{
	if (!has_room(b, more))
		grow(b, more);
}

typedef char sixteen __attribute__((vector_size(16)));

/* n bytes as the first and the last of a size, which may overlap. */
#define COPY_ENDS(type) do { \
	type first, last; \
	memcpy(&first, from, sizeof(type)); \
	memcpy(&last, from + n - sizeof(type), sizeof(type)); \
	memcpy(to, &first, sizeof(type)); \
	memcpy(to + n - sizeof(type), &last, sizeof(type)); \
} while (0)

/* Words, tokens, digits: what is added is mostly so short that the call of memcpy() would be most of the work. */
static inline void copy(char *to, const char *from, size_t n)
{
	if (n > 2 * sizeof(sixteen))
		memcpy(to, from, n);
	else if (n >= sizeof(sixteen))
		COPY_ENDS(sixteen);
	else if (n >= sizeof(uint64_t))
		COPY_ENDS(uint64_t);
	else if (n >= sizeof(uint32_t))
		COPY_ENDS(uint32_t);
	else if (n >= sizeof(uint16_t))
		COPY_ENDS(uint16_t);
	else if (n)
		*to = *from;
}

/* Apart, so that where there is room no register has to be saved. */
static __attribute__((noinline)) void grow_and_add(struct buf *b, const void *data, size_t len)
{
	grow(b, len);
	buf_add(b, data, len);
}

static __attribute__((noinline)) void grow_and_char(struct buf *b, char c)
{
	grow(b, 1);
	buf_char(b, c);
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to;

	if (!has_room(b, len)) {
		grow_and_add(b, data, len);
		return;
	}
	to = b->data + b->len;
	b->len += len;
	to[len] = '\0';
	copy(to, data, len);
}

void buf_join_list(struct buf *b, const char *const *strings)
{
	for (; *strings; strings++)
		buf_add(b, *strings, strlen(*strings));
}

void buf_char(struct buf *b, char c)
{
	char *to;

	if (!has_room(b, 1)) {
		grow_and_char(b, c);
		return;
	}
	to = b->data + b->len++;
	to[0] = c;
	to[1] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	buf_reserve(b, 64);
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	assert(n >= 0);
	if ((size_t)n >= b->cap - b->len) {
		buf_reserve(b, (size_t)n);
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
	}
	va_end(again);
	b->len += (size_t)n;
}

void buf_cut(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? b->data : xstrdup("");

	*b = (struct buf)BUF_INIT;
	return data;
}

const char *buf_cstr(const struct buf *b)
{
	return b->data ? b->data : "";
}

struct slice slice_of(const char *s)
{
	return (struct slice){ .data = s, .len = s ? strlen(s) : 0 };
}

bool slice_is(struct slice a, const char *s)
{
	return strlen(s) == a.len && (!a.len || !memcmp(a.data, s, a.len));
}

bool slice_is_nocase(struct slice a, const char *s)
{
	return strlen(s) == a.len && (!a.len || !strncasecmp(a.data, s, a.len));
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice a)
{
	while (a.len && is_space(a.data[0])) {
		a.data++;
		a.len--;
	}
	while (a.len && is_space(a.data[a.len - 1]))
		a.len--;
	return a;
}
