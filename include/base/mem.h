/*
 * mem.h: memory that is there or the process is not, and arenas.
 *
 * x*alloc end the process when memory is exhausted (so cap every input before you allocate). Any thread.
 * An arena gives memory that is freed as a whole; one thread at a time.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/err.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
/* As reallocarray(3): dies on overflow of count * size too. */
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/* NULL stays NULL. */
char *xstrdup_null(const char *s);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) __attribute__((returns_nonnull));

/* Grows an array so that `need` elements fit: doubles, starts at 16. *cap in elements. */
void *xgrow(void *array, size_t *cap, size_t need, size_t size) __attribute__((returns_nonnull));

struct arena;

/* `block` is the size of the blocks taken from malloc (0: 4 KiB). */
struct arena *arena_new(size_t block);
void arena_free(struct arena **arena);
/* Forgets everything given out, keeps the blocks for reuse. */
void arena_reset(struct arena *arena);
/* Aligned to 16, not zeroed. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_calloc(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *s, size_t n) __attribute__((returns_nonnull));
/* arena_join(arena, "a", b, "c"): the strings behind each other. */
#define arena_join(arena, ...) arena_join_list((arena), (const char *const[]){ __VA_ARGS__, NULL })
char *arena_join_list(struct arena *arena, const char *const *strings) __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3) __attribute__((returns_nonnull));
/* Bytes given out since the last reset, for limits. */
size_t arena_used(const struct arena *arena);

#endif
