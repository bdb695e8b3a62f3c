/*
 * test_frame.c: frames in one piece, in bytes, several at once, and broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "listen/frame.h"

static json_t *sample(int n)
{
	return json_pack("{ss ss si}", "type", "mail", "text", "caf\xc3\xa9", "n", n);
}

static void round_trip(void **state)
{
	struct buf b = BUF_INIT;
	json_t *in, *out = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) {
		in = sample(i);
		assert_int_equal(frame_encode(&b, in, NULL), 0);
		json_decref(in);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(frame_decode(&b, &out, NULL), 1);
		assert_string_equal(frame_type(out), "mail");
		assert_string_equal(frame_string(out, "text"), "caf\xc3\xa9");
		assert_string_equal(frame_string(out, "n"), "");
		assert_int_equal(frame_integer(out, "n", -1), i);
		assert_int_equal(frame_integer(out, "text", -1), -1);
		json_decref(out);
	}
	assert_int_equal(frame_decode(&b, &out, NULL), 0);
	buf_clear(&b);
}

static void byte_by_byte(void **state)
{
	struct buf whole = BUF_INIT, part = BUF_INIT;
	json_t *in = sample(7), *out = NULL;

	(void)state;
	assert_int_equal(frame_encode(&whole, in, NULL), 0);
	for (size_t i = 0; i < whole.len; i++) {
		assert_int_equal(frame_decode(&part, &out, NULL), 0);
		buf_char(&part, whole.data[i]);
	}
	assert_int_equal(frame_decode(&part, &out, NULL), 1);
	assert_true(json_equal(in, out));
	json_decref(in);
	json_decref(out);
	buf_clear(&whole);
	buf_clear(&part);
}

static void broken(void **state)
{
	static const struct { const char *bytes; size_t n; } rows[] = {
		{ "\xff\xff\xff\xff", 4 },			/* too long */
		{ "\0\0\0\2[]", 6 },				/* no object */
		{ "\0\0\0\2{]", 6 },				/* no JSON */
		{ "\0\0\0\0", 4 },				/* nothing */
		{ "\0\0\0\x0d{\"a\":1,\"a\":2}", 17 },		/* a key twice */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT;
		json_t *out = NULL;
		struct err err = { "" };

		buf_add(&b, rows[i].bytes, rows[i].n);
		assert_int_equal(frame_decode(&b, &out, &err), -1);
		assert_true(err.text[0] != '\0');
		assert_null(out);
		buf_clear(&b);
	}
}

static void too_long_to_send(void **state)
{
	struct buf b = BUF_INIT, text = BUF_INIT;
	struct err err;
	json_t *in;

	(void)state;
	buf_reserve(&text, FRAME_MAX);
	memset(text.data, 'x', FRAME_MAX);
	in = json_object();
	json_object_set_new(in, "x", json_stringn(text.data, FRAME_MAX));
	assert_int_equal(frame_encode(&b, in, &err), -1);
	assert_int_equal(b.len, 0);
	json_decref(in);
	buf_clear(&b);
	text.len = 0;
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(broken),
		cmocka_unit_test(too_long_to_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
