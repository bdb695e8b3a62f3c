/*
 * test_buf.c: growing bytes and borrowed ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_an_empty_buffer_is_usable(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	assert_string_equal(buf_cstr(&b), "");
	buf_cut(&b, 0);
	buf_reset(&b);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
	buf_add(&b, NULL, 0);
	assert_non_null(b.data);
	assert_string_equal(b.data, "");
	buf_clear(&b);
	assert_null(b.data);
}

static void test_it_is_terminated_at_every_length(void **state)
{
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < 5000; i++) {
		assert_int_equal(b.len, i);
		buf_char(&b, 'a');
		assert_int_equal(b.data[b.len], '\0');
		assert_true(b.cap > b.len);
	}
	buf_cut(&b, 10);
	assert_string_equal(b.data, "aaaaaaaaaa");
	buf_str(&b, "b");
	buf_join(&b, "", "");
	assert_string_equal(b.data, "aaaaaaaaaab");
	buf_reset(&b);
	assert_string_equal(buf_cstr(&b), "");
	buf_add(&b, "x\0y", 3);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "x\0y", 4);
	buf_clear(&b);
}

/* Short pieces are copied in other ways than long ones; each into room that is there and into room that is not. */
static void test_pieces_of_every_length_are_whole(void **state)
{
	char piece[100];
	size_t n, i;

	for (i = 0; i < sizeof(piece); i++)
		piece[i] = (char)('0' + i);
	for (n = 0; n <= sizeof(piece); n++) {
		struct buf b = BUF_INIT;
		char *exact = malloc(n + 1);

		assert_non_null(exact);
		memcpy(exact, piece, n);
		exact = realloc(exact, n ? n : 1);
		for (i = 0; i < 20; i++) {
			buf_add(&b, exact, n);
			assert_int_equal(b.len, n * (i + 1));
			assert_memory_equal(b.data + n * i, piece, n);
			assert_int_equal(b.data[b.len], '\0');
			assert_true(b.cap > b.len);
		}
		free(exact);
		buf_clear(&b);
	}
}

static void test_printing_fits_every_length(void **state)
{
	size_t n;

	for (n = 0; n < 300; n++) {
		struct buf b = BUF_INIT;
		char *s;

		buf_str(&b, "> ");
		buf_printf(&b, "%*s|", (int)n, "");
		assert_int_equal(b.len, n + 3);
		assert_int_equal(b.data[b.len - 1], '|');
		s = buf_take(&b);
		assert_null(b.data);
		assert_int_equal(strlen(s), n + 3);
		free(s);
	}
}

static void test_reserved_room_is_there(void **state)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "abc");
	buf_reserve(&b, 10000);
	assert_true(b.cap >= 10004);
	memset(b.data + b.len, 'z', 10000);
	assert_memory_equal(b.data, "abczz", 5);
	buf_clear(&b);
}

static void test_slices(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" }, { "   ", "" }, { " a ", "a" }, { "\t\r\na b\v\f", "a b" }, { "a", "a" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(slice_is(slice_trim(slice_of(rows[i].in)), rows[i].want));
	assert_int_equal(slice_of(NULL).len, 0);
	assert_true(slice_is(slice_of(NULL), ""));
	assert_true(slice_is_nocase(slice_of("AbC"), "aBc"));
	assert_false(slice_is(slice_of("AbC"), "aBc"));
	assert_false(slice_is_nocase(slice_of("ab"), "abc"));
	assert_false(slice_is_nocase(slice_of("abc"), "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_buffer_is_usable),
		cmocka_unit_test(test_it_is_terminated_at_every_length),
		cmocka_unit_test(test_pieces_of_every_length_are_whole),
		cmocka_unit_test(test_printing_fits_every_length),
		cmocka_unit_test(test_reserved_room_is_there),
		cmocka_unit_test(test_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
