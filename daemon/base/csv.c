/*
 * csv.c: see csv.h. One pass over the bytes, a state for where in a field they are. What is wrong with a row is noted and the row read to the end
 * of its line, quotes or not, so that a quote that nobody closed costs at most CSV_ROW_MAX bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/text.h"

#define PIECE 65536

enum where { AT_START, IN_PLAIN, IN_QUOTES, BEHIND_QUOTES, BEHIND_CR };

struct csv {
	int64_t (*read)(void *arg, char *data, size_t size);
	void *arg;
	char piece[PIECE];
	size_t at, len;
	bool ended, broken, begun;
	int64_t line;			/* of the next byte */

	/* the row at hand */
	enum where where;
	char text[CSV_ROW_MAX + CSV_FIELDS_MAX + 1];	/* fields, each with its NUL */
	size_t used;
	size_t starts[CSV_FIELDS_MAX];
	size_t count;
	size_t bytes;
	const char *wrong;
};

struct csv *csv_new(int64_t (*read)(void *arg, char *data, size_t size), void *arg)
{
	struct csv *c = xcalloc(1, sizeof(*c));

	c->read = read;
	c->arg = arg;
	c->line = 1;
	return c;
}

void csv_free(struct csv **csv)
{
	free(*csv);
	*csv = NULL;
}

bool csv_broken(const struct csv *csv)
{
	return csv->broken;
}

/* One more piece behind what is there. */
static void read_more(struct csv *c)
{
	int64_t got = c->read(c->arg, c->piece + c->len, sizeof(c->piece) - c->len);

	c->len += got > 0 ? (size_t)got : 0;
	c->broken = got < 0;
	c->ended = got <= 0;
}

/* The next byte, or -1. */
static int next_byte(struct csv *c)
{
	if (c->at == c->len && !c->ended) {
		c->at = c->len = 0;
		read_more(c);
	}
	return c->at < c->len ? (unsigned char)c->piece[c->at++] : -1;
}

/* Of UTF-8 (RFC 3629 section 6), before the first line. */
static void skip_mark(struct csv *c)
{
	static const char mark[] = "\xef\xbb\xbf";

	c->begun = true;
	while (c->len < 3 && !c->ended)
		read_more(c);
	if (c->len >= 3 && memcmp(c->piece, mark, 3) == 0)
		c->at = 3;
}

static void begin_field(struct csv *c)
{
	if (c->count == CSV_FIELDS_MAX) {
		c->wrong = "it has too many fields";
		return;
	}
	c->starts[c->count++] = c->used;
	c->where = AT_START;
}

static void end_field(struct csv *c)
{
	c->text[c->used++] = '\0';
}

static void begin_row(struct csv *c)
{
	c->used = c->count = c->bytes = 0;
	c->wrong = NULL;
	begin_field(c);
}

static void add(struct csv *c, int byte, enum where where)
{
	c->text[c->used++] = (char)byte;
	c->where = where;
}

/* A byte that ends no row. */
static void take(struct csv *c, int byte)
{
	bool quoted = c->where == IN_QUOTES;

	if (byte == '\0')
		c->wrong = "it has a NUL in it";
	else if (c->where == BEHIND_CR)
		c->wrong = "it has a CR that is no line's end";
	else if (quoted && byte == '"')
		c->where = BEHIND_QUOTES;
	else if (quoted)
		add(c, byte, IN_QUOTES);
	else if (byte == '"' && c->where == AT_START)
		c->where = IN_QUOTES;
	else if (byte == '"' && c->where == BEHIND_QUOTES)
		add(c, byte, IN_QUOTES);
	else if (byte == '"')
		c->wrong = "a quote stands within a field that does not begin with one";
	else if (byte == '\r')
		c->where = BEHIND_CR;
	else if (byte == ',') {
		end_field(c);
		begin_field(c);
	} else if (c->where == BEHIND_QUOTES)
		c->wrong = "something stands behind the closing quote of a field";
	else
		add(c, byte, IN_PLAIN);
}

static int end_row(struct csv *c, struct csv_row *out, struct err *err)
{
	size_t i;

	if (!c->wrong && c->where == IN_QUOTES)
		c->wrong = "a quote is not closed";
	end_field(c);
	for (i = 0; i < c->count && !c->wrong; i++) {
		out->fields[i] = c->text + c->starts[i];
		if (!text_utf8_valid(out->fields[i], strlen(out->fields[i])))
			c->wrong = "it is not UTF-8";
	}
	if (c->wrong)
		return err_set(err, "%s", c->wrong);
	out->count = c->count;
	return 1;
}

/* Bytes up to the end of the row; false: there is none any more. */
static bool read_row(struct csv *c)
{
	int byte;

	while ((byte = next_byte(c)) >= 0) {
		c->line += byte == '\n';
		if (byte == '\n' && (c->wrong || c->where != IN_QUOTES))
			return true;
		if (!c->wrong && ++c->bytes > CSV_ROW_MAX)
			c->wrong = c->where == IN_QUOTES ? "it is too long; is a quote not closed?" : "it is too long";
		if (!c->wrong)
			take(c, byte);
	}
	return c->bytes > 0;
}

int csv_next(struct csv *c, struct csv_row *out, struct err *err)
{
	if (!c->begun)
		skip_mark(c);
	do {
		begin_row(c);
		out->line = c->line;
		if (!read_row(c))
			return c->broken ? err_set(err, "it cannot be read") : 0;
		/* an empty line */
	} while (!c->wrong && c->count == 1 && c->used == 0 && (c->where == AT_START || c->where == BEHIND_CR));
	if (c->broken)
		return err_set(err, "it cannot be read");
	return end_row(c, out, err);
}

void csv_field(struct buf *out, const char *s)
{
	if (!s[strcspn(s, "\",\r\n")]) {
		buf_str(out, s);
		return;
	}
	buf_char(out, '"');
	for (; *s; s++) {
		if (*s == '"')
			buf_char(out, '"');
		buf_char(out, *s);
	}
	buf_char(out, '"');
}
