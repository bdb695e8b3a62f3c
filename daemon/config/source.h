/*
 * source.h: files that config is read from, and what is wrong in them.
 *
 * Everything wrong is collected, never only the first thing; it is printed once, in order of file, line and column.
 * Pure but for source_read(); one thread at a time.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "base/buf.h"
#include "base/mem.h"

#define SOURCE_MAX (1024 * 1024)

struct source {
	const char *path;	/* as it is shown */
	int order;		/* among the files of one load */
	const char *text;	/* NUL-terminated */
	size_t len;
};

struct complaint {
	const struct source *source;
	int line, column;	/* from 1; the column counts characters */
	const char *text;
	size_t number;		/* keeps the order of two at one place */
};

struct complaints {
	struct arena *arena;	/* borrowed: texts and sources */
	struct complaint *items;
	size_t count, cap;
	int files;
};

void complaints_init(struct complaints *c, struct arena *arena);
void complaints_clear(struct complaints *c);

/* "what is wrong; what was meant". The same text at the same place is kept once. */
void complain_at(struct complaints *c, const struct source *source, int line, int column, const char *fmt, ...) PRINTF(5, 6);

/* Sorts, and appends one line each: "file:line:column: text\n". */
void complaints_print(struct complaints *c, struct buf *out);

/* A source of text that is there already (tests, fuzzing); text and path are borrowed. */
struct source *source_of(struct complaints *c, const char *path, const char *text, size_t len);

/*
 * The whole of a regular file of at most SOURCE_MAX bytes. 1 if it was read, 0 if there is no such file, -1 if it cannot be
 * read; *out is a source without text then, to complain about.
 */
int source_read(struct complaints *c, const char *path, struct source **out, struct err *err) MUSTCHECK;

/* Line and column of a byte of it. */
void source_place(const struct source *source, size_t offset, int *line, int *column);

#endif
