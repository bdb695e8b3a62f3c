/*
 * mem.c: see mem.h. The one file that calls malloc, and the one place that dies of it.
 *
 * Under AddressSanitizer the unused part of an arena's blocks is poisoned, so that an overrun between two
 * allocations of one block is caught as one of the heap would be.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif

#ifdef POISONED
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN 16
#define BLOCK_DEFAULT 4096

static void die(void)
{
	static const char text[] = "<2>event=memory.exhausted\n";

	/* no stdio: it may want memory */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(71);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		die();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		die();
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		die();
	return p;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		die();
	return xrealloc(old, total);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		die();
	return s;
}

void *xgrow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 16;

	if (array && need <= *cap)
		return array;
	while (n < need)
		if (__builtin_mul_overflow(n, (size_t)2, &n))
			die();
	array = xreallocarray(array, n, size);
	*cap = n;
	return array;
}

/* --- arenas ------------------------------------------------------------------------------------------------- */

struct block {
	struct block *next;
	size_t size;	/* of data */
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct block *first;
	struct block *at;	/* what is given out from; the blocks behind it are empty */
	size_t used_in_at;
	size_t block;
	size_t used;
};

struct arena *arena_new(size_t block)
{
	struct arena *arena = xcalloc(1, sizeof(*arena));

	arena->block = block ? block : BLOCK_DEFAULT;
	return arena;
}

void arena_free(struct arena **arena)
{
	struct block *b, *next;

	if (!*arena)
		return;
	for (b = (*arena)->first; b; b = next) {
		next = b->next;
		UNPOISON(b->data, b->size);
		free(b);
	}
	free(*arena);
	*arena = NULL;
}

void arena_reset(struct arena *arena)
{
	struct block *b;

	for (b = arena->first; b; b = b->next)
		POISON(b->data, b->size);
	arena->at = arena->first;
	arena->used_in_at = 0;
	arena->used = 0;
}

/* Makes `at` a block with room for `size` bytes: a kept one if the next is large enough, else a fresh one before it. */
static void next_block(struct arena *arena, size_t size)
{
	struct block *b = arena->at ? arena->at->next : arena->first;
	size_t room = size > arena->block ? size : arena->block;

	if (!b || b->size < size) {
		struct block *fresh;

		if (room > SIZE_MAX - sizeof(*fresh))
			die();
		fresh = xmalloc(sizeof(*fresh) + room);
		fresh->size = room;
		fresh->next = b;
		if (arena->at)
			arena->at->next = fresh;
		else
			arena->first = fresh;
		POISON(fresh->data, fresh->size);
		b = fresh;
	}
	arena->at = b;
	arena->used_in_at = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded;
	void *p;

	if (size > SIZE_MAX / 2)
		die();
	rounded = ((size ? size : 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!arena->at || arena->at->size - arena->used_in_at < rounded)
		next_block(arena, rounded);
	p = arena->at->data + arena->used_in_at;
	arena->used_in_at += rounded;
	arena->used += rounded;
	UNPOISON(p, size);
	return p;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(count, size, &total))
		die();
	p = arena_alloc(arena, total);
	memset(p, 0, total);
	return p;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_join_list(struct arena *arena, const char *const *strings)
{
	size_t len = 0, n;
	char *out, *to;

	for (size_t i = 0; strings[i]; i++)
		len += strlen(strings[i]);
	to = out = arena_alloc(arena, len + 1);
	for (; *strings; strings++) {
		n = strlen(*strings);
		memcpy(to, *strings, n);
		to += n;
	}
	*to = '\0';
	return out;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *s;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	s = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
