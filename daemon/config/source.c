/*
 * source.c: reading config files, and collecting what is wrong in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

/* More help nobody: the first few are mended, and the rest often go with them. */
#define COMPLAINTS_MAX 1000

void complaints_init(struct complaints *c, struct arena *arena)
{
	*c = (struct complaints){ .arena = arena };
}

void complaints_clear(struct complaints *c)
{
	free(c->items);
	*c = (struct complaints){ 0 };
}

static bool same(const struct complaint *a, const struct complaint *b)
{
	return !strcmp(a->source->path, b->source->path) && a->line == b->line && a->column == b->column &&
		!strcmp(a->text, b->text);
}

void complain_at(
	struct complaints *c, const struct source *source, int line, int column, const char *fmt, ...)
{
	va_list ap;
	struct buf text = BUF_INIT;

	if (c->count >= COMPLAINTS_MAX)
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);

	struct complaint item = {
		.source = source,
		.line = line,
		.column = column,
		.number = c->count,
		.text = arena_strdup(c->arena, buf_cstr(&text)),
	};
	buf_clear(&text);
	for (size_t i = 0; i < c->count; i++) {
		if (same(&c->items[i], &item))
			return;
	}
	c->items = xgrow(c->items, &c->cap, c->count + 1, sizeof(*c->items));
	c->items[c->count++] = item;
}

static int by_place(const void *a, const void *b)
{
	const struct complaint *x = a, *y = b;

	if (x->source->order != y->source->order)
		return x->source->order < y->source->order ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

void complaints_print(struct complaints *c, struct buf *out)
{
	if (c->count > 1)
		qsort(c->items, c->count, sizeof(*c->items), by_place);
	for (size_t i = 0; i < c->count; i++) {
		const struct complaint *item = &c->items[i];

		buf_printf(out, "%s:%d:%d: %s\n", item->source->path, item->line, item->column, item->text);
	}
}

struct source *source_of(struct complaints *c, const char *path, const char *text, size_t len)
{
	struct source *s = arena_calloc(c->arena, 1, sizeof(*s));

	*s = (struct source){ .path = path, .order = c->files++, .text = text, .len = len };
	return s;
}

static int read_all(int fd, char *text, size_t len, struct err *err)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, text + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "cannot be read: %s", strerror(errno));
		if (!n)
			return err_set(err, "became shorter while it was read; try again");
		got += (size_t)n;
	}
	return 0;
}

int source_read(struct complaints *c, const char *path, struct source **out, struct err *err)
{
	struct source *s = source_of(c, arena_strdup(c->arena, path), "", 0);
	struct stat st;
	int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*out = s;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, "cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(err, "is no regular file");
	} else if (st.st_size > SOURCE_MAX) {
		err_set(err, "has %lld bytes; at most %d are read", (long long)st.st_size, SOURCE_MAX);
	} else {
		char *text = arena_calloc(c->arena, 1, (size_t)st.st_size + 1);

		if (!read_all(fd, text, (size_t)st.st_size, err)) {
			s->text = text;
			s->len = (size_t)st.st_size;
			rc = 1;
		}
	}
	close(fd);
	return rc;
}

void source_place(const struct source *source, size_t offset, int *line, int *column)
{
	/* a byte order mark takes no column */
	size_t start = source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3) ? 3 : 0;

	*line = *column = 1;
	for (size_t i = start; i < offset && i < source->len; i++) {
		if (source->text[i] == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)source->text[i] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}
