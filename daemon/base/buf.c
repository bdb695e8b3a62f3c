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

/* There is room already, nearly always: a mail comes by here some three hundred times. */
static inline void reserve(struct buf *b, size_t more)
{
	if (!b->data || more >= b->cap - b->len)
		grow(b, more);
}

void buf_reserve(struct buf *b, size_t more)
{
	reserve(b, more);
}

static inline void add(struct buf *b, const void *data, size_t len)
{
	reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	add(b, data, len);
}

void buf_str(struct buf *b, const char *s)
{
	add(b, s, strlen(s));
}

void buf_join_list(struct buf *b, const char *const *strings)
{
	for (; *strings; strings++)
		add(b, *strings, strlen(*strings));
}

void buf_char(struct buf *b, char c)
{
	reserve(b, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
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
