/* test_csv.c: rows of comma-separated values, whatever pieces they come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"

struct source {
	const char *data;
	size_t len, at, step;
	bool breaks;
};

static int64_t read_piece(void *arg, char *data, size_t size)
{
	struct source *s = arg;
	size_t n = s->len - s->at;

	if (!n)
		return s->breaks ? -1 : 0;
	n = n < s->step ? n : s->step;
	n = n < size ? n : size;
	memcpy(data, s->data + s->at, n);
	s->at += n;
	return (int64_t)n;
}

/* "line:[a][b]" of each row, "line!why" of what is none. */
static void say(const char *data, size_t len, size_t step, struct buf *out)
{
	struct source source = { .data = data, .len = len, .step = step };
	struct csv *csv = csv_new(read_piece, &source);
	struct csv_row row;
	struct err err;
	size_t i;
	int got;

	while ((got = csv_next(csv, &row, &err)) != 0) {
		buf_printf(out, "%lld", (long long)row.line);
		if (got < 0)
			buf_printf(out, "!%s", err.text);
		for (i = 0; got > 0 && i < row.count; i++)
			buf_printf(out, "[%s]", row.fields[i]);
		buf_char(out, ' ');
	}
	assert_false(csv_broken(csv));
	csv_free(&csv);
}

static void test_rows(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" },
		{ "a", "1[a] " },
		{ "a,b\nc,d\n", "1[a][b] 2[c][d] " },
		{ "a,b\r\nc,d\r\n", "1[a][b] 2[c][d] " },
		{ "a\r\n\r\n\nb\r", "1[a] 4[b] " },
		{ ",\n", "1[][] " },
		{ "\"\"\n", "1[] " },
		{ "\xef\xbb\xbf" "a,b\n", "1[a][b] " },
		{ "\"a,\"\"b\"\"\nc\",d\ne", "1[a,\"b\"\nc][d] 3[e] " },
		{ "\"a\"x,b\nc", "1!something stands behind the closing quote of a field 2[c] " },
		{ "a\"b\nc", "1!a quote stands within a field that does not begin with one 2[c] " },
		{ "a\rb\nc", "1!it has a CR that is no line's end 2[c] " },
		{ "\xff\nc", "1!it is not UTF-8 2[c] " },
		{ "a,\"b\nc\nd", "1!a quote is not closed " },
		{ " a , b ", "1[ a ][ b ] " },
	};
	static const size_t steps[] = { 1, 2, 3, 1000 };
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
			struct buf out = BUF_INIT;

			say(rows[i].in, strlen(rows[i].in), steps[k], &out);
			assert_string_equal(buf_cstr(&out), rows[i].out);
			buf_clear(&out);
		}
	}
}

static void test_what_is_too_long_costs_one_line(void **state)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	int i;

	for (i = 0; i < CSV_ROW_MAX; i++)
		buf_char(&in, 'x');
	buf_str(&in, "\n\"");
	for (i = 0; i < CSV_ROW_MAX; i++)
		buf_str(&in, i % 100 == 99 ? "\n" : "y");
	buf_str(&in, "y\nz\nz");
	buf_char(&in, '\0');
	buf_str(&in, "z\n");
	for (i = 0; i < CSV_FIELDS_MAX; i++)
		buf_char(&in, ',');
	buf_str(&in, "\nend\n");
	say(in.data, in.len, 1000, &out);
	if (strncmp(buf_cstr(&out), "1[xxx", 5) != 0)
		fail_msg("%.100s", buf_cstr(&out));
	assert_non_null(strstr(buf_cstr(&out), "] 2!it is too long; is a quote not closed? 84[z] 85!it has a NUL in it 86!it has too many fields 87[end] "));
	buf_clear(&in);
	buf_clear(&out);
}

static void test_what_cannot_be_read_is_no_end(void **state)
{
	struct source source = { .data = "a\nb", .len = 3, .step = 2, .breaks = true };
	struct csv *csv = csv_new(read_piece, &source);
	struct csv_row row;
	struct err err;

	assert_int_equal(csv_next(csv, &row, &err), 1);
	assert_false(csv_broken(csv));
	assert_int_equal(csv_next(csv, &row, &err), -1);
	assert_true(csv_broken(csv));
	csv_free(&csv);
}

static void test_fields_are_quoted_where_they_must(void **state)
{
	struct buf out = BUF_INIT;

	csv_field(&out, "plain");
	csv_field(&out, "a,b");
	csv_field(&out, "say \"hi\"\n");
	assert_string_equal(buf_cstr(&out), "plain\"a,b\"\"say \"\"hi\"\"\n\"");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_what_is_too_long_costs_one_line),
		cmocka_unit_test(test_what_cannot_be_read_is_no_end),
		cmocka_unit_test(test_fields_are_quoted_where_they_must),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
