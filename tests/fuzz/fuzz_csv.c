/*
 * fuzz_csv.c: csv_next() over any bytes, in pieces of a size that the first byte gives. Rows that were read are written and read again as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const char *data;
	size_t len, step;
};

static int64_t read_piece(void *arg, char *data, size_t size)
{
	struct source *s = arg;
	size_t n = s->len < s->step ? s->len : s->step;

	n = n < size ? n : size;
	if (n)
		memcpy(data, s->data, n);
	s->data += n;
	s->len -= n;
	return (int64_t)n;
}

/* As quoted as can be, so that an empty field alone on its line is a row, too. */
static void write_row(const struct csv_row *row, struct buf *out)
{
	size_t i;

	for (i = 0; i < row->count; i++) {
		if (i)
			buf_char(out, ',');
		if (row->count == 1 && !*row->fields[i])
			buf_str(out, "\"\"");
		csv_field(out, row->fields[i]);
	}
	buf_str(out, "\r\n");
}

static void read_again(const struct csv_row *row, const struct buf *text)
{
	struct source source = { .data = buf_cstr(text), .len = text->len, .step = text->len };
	struct csv *csv = csv_new(read_piece, &source);
	struct csv_row again;
	struct err err;
	size_t i;

	if (csv_next(csv, &again, &err) != 1 || again.count != row->count)
		abort();
	for (i = 0; i < row->count; i++)
		if (strcmp(row->fields[i], again.fields[i]) != 0)
			abort();
	csv_free(&csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { .data = (const char *)data, .len = size, .step = size ? data[0] + 1u : 1 };
	struct csv *csv = csv_new(read_piece, &source);
	struct buf text = BUF_INIT;
	struct csv_row row;
	struct err err;
	int got;

	while ((got = csv_next(csv, &row, &err)) != 0) {
		if (got < 0)
			continue;
		buf_reset(&text);
		write_row(&row, &text);
		if (text.len <= CSV_ROW_MAX && row.fields[0][0] != '\xef')	/* that one would be the mark of a file */
			read_again(&row, &text);
	}
	buf_clear(&text);
	csv_free(&csv);
	return 0;
}
