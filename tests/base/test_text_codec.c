/*
 * test_text_codec.c: encodings by the vectors of their RFCs, there and back, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 4648 section 10, base32 without its padding and in lower case */
static void test_vectors_of_rfc4648(void **state)
{
	static const struct {
		const char *raw, *base64, *base32, *hex;
	} rows[] = {
		{ "", "", "", "" },
		{ "f", "Zg==", "my", "66" },
		{ "fo", "Zm8=", "mzxq", "666f" },
		{ "foo", "Zm9v", "mzxw6", "666f6f" },
		{ "foob", "Zm9vYg==", "mzxw6yq", "666f6f62" },
		{ "fooba", "Zm9vYmE=", "mzxw6ytb", "666f6f6261" },
		{ "foobar", "Zm9vYmFy", "mzxw6ytboi", "666f6f626172" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i].raw);

		buf_reset(&out);
		text_base64(&out, rows[i].raw, n);
		assert_string_equal(out.data, rows[i].base64);
		buf_reset(&out);
		text_base32(&out, rows[i].raw, n);
		assert_string_equal(out.data, rows[i].base32);
		buf_reset(&out);
		text_hex(&out, rows[i].raw, n);
		assert_string_equal(out.data, rows[i].hex);
	}
	buf_clear(&out);
}

static void test_all_bytes_come_back(void **state)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	uint8_t raw[300], small[300];
	size_t n, got, i;

	random_seed(3);
	for (n = 0; n < sizeof(raw); n++) {
		for (i = 0; i < n; i++)
			raw[i] = (uint8_t)random_u64();
		buf_reset(&text);
		text_base32(&text, raw, n);
		assert_int_equal(text_base32_decode(text.data, text.len, small, n, &got), 0);
		assert_int_equal(got, n);
		assert_memory_equal(small, raw, n);
		if (n)
			assert_int_equal(text_base32_decode(text.data, text.len, small, n - 1, &got), -1);

		buf_reset(&text);
		buf_reset(&back);
		text_base64(&text, raw, n);
		assert_int_equal(text_base64_decode(text.data, text.len, &back), 0);
		assert_int_equal(back.len, n);
		assert_memory_equal(back.data, raw, n);

		buf_reset(&text);
		buf_reset(&back);
		text_hex(&text, raw, n);
		assert_int_equal(text_hex_decode(text.data, text.len, &back), 0);
		assert_int_equal(back.len, n);
		assert_memory_equal(back.data, raw, n);
	}
	buf_clear(&text);
	buf_clear(&back);
}

/* Lines are made many bytes at once, which neither reads behind the end nor changes what they are. */
static void test_lines_of_base64(void **state)
{
	struct buf lines = BUF_INIT, want = BUF_INIT;
	size_t n, at, i;
	uint8_t *raw;

	random_seed(4);
	for (n = 0; n < 400; n++) {
		raw = malloc(n ? n : 1);
		assert_non_null(raw);
		for (i = 0; i < n; i++)
			raw[i] = (uint8_t)random_u64();
		buf_clear(&lines);
		text_base64_lines(&lines, raw, n);
		buf_reset(&want);
		for (at = 0; at < n; at += 57) {
			for (i = at; i < n && i < at + 57; i += 3)	/* three bytes stand for themselves */
				text_base64(&want, raw + i, n - i < 3 ? n - i : 3);
			buf_str(&want, "\r\n");
		}
		assert_string_equal(buf_cstr(&lines), buf_cstr(&want));
		free(raw);
	}
	buf_clear(&lines);
	buf_clear(&want);
}

static void test_only_one_spelling_is_taken(void **state)
{
	static const char *const base32[] = { "m", "mzx", "mzxw6y", "mz", "mzxw6===", "m1", "m ", "my\n", "mzxw7" };
	static const char *const base64[] = { "Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zm 9", "Zg==Zg==", "Zm9v\n", "Zm-_" };
	static const char *const hex[] = { "6", "6g", "0x66", " 66" };
	struct buf out = BUF_INIT;
	uint8_t raw[64];
	size_t n = 99, i;

	buf_str(&out, "kept");
	for (i = 0; i < COUNT(base32); i++)
		assert_int_equal(text_base32_decode(base32[i], strlen(base32[i]), raw, sizeof(raw), &n), -1);
	for (i = 0; i < COUNT(base64); i++)
		if (text_base64_decode(base64[i], strlen(base64[i]), &out) == 0)
			fail_msg("base64 takes %s", base64[i]);
	for (i = 0; i < COUNT(hex); i++)
		assert_int_equal(text_hex_decode(hex[i], strlen(hex[i]), &out), -1);
	assert_int_equal(n, 99);
	assert_string_equal(out.data, "kept");
	assert_int_equal(text_hex_decode("fF", 2, &out), 0);
	assert_int_equal(text_base32_decode("MZXW6", 5, raw, sizeof(raw), &n), 0);
	assert_memory_equal(raw, "foo", 3);
	buf_clear(&out);
}

static void test_percent(void **state)
{
	static const struct {
		const char *in;
		bool form;
		const char *want;	/* NULL: refused */
	} rows[] = {
		{ "", false, "" },
		{ "a%20b+c", false, "a b+c" },
		{ "a%20b+c", true, "a b c" },
		{ "%c3%A9", true, "\xc3\xa9" },
		{ "%2B", true, "+" },
		{ "100%25", false, "100%" },
		{ "%", false, NULL },
		{ "%4", false, NULL },
		{ "a%", true, NULL },
		{ "%4g", false, NULL },
		{ "%+4", true, NULL },
		{ "%00", false, NULL },
		{ "ab%00cd", true, NULL },
	};
	struct buf out = BUF_INIT, back = BUF_INIT;
	char raw[256];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&out);
		if (text_percent_decode(rows[i].in, strlen(rows[i].in), rows[i].form, &out) < 0) {
			assert_null(rows[i].want);
			assert_int_equal(out.len, 0);
		} else {
			assert_string_equal(out.data, rows[i].want);
		}
	}
	buf_reset(&out);
	text_percent(&out, "AZaz09-._~ /?&=%\xc3\xa9", 18);
	assert_string_equal(out.data, "AZaz09-._~%20%2F%3F%26%3D%25%C3%A9");
	for (i = 1; i < 256; i++)
		raw[i - 1] = (char)i;
	buf_reset(&out);
	text_percent(&out, raw, 255);
	assert_int_equal(text_percent_decode(out.data, out.len, true, &back), 0);
	assert_int_equal(back.len, 255);
	assert_memory_equal(back.data, raw, 255);
	buf_clear(&back);
	buf_clear(&out);
}

static void test_html(void **state)
{
	struct buf out = BUF_INIT, in = BUF_INIT;
	size_t i;

	text_html(&out, "<a href=\"x\" b='y'>&amp; \xc3\xa9", 27);
	assert_string_equal(out.data, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp; \xc3\xa9");
	buf_clear(&out);
	for (i = 0; i < 2000; i++)
		buf_char(&in, '"');
	text_html(&out, in.data, in.len);
	assert_int_equal(out.len, 2000 * 6);
	for (i = 0; i < 2000; i++)
		assert_memory_equal(out.data + i * 6, "&quot;", 6);
	assert_int_equal(out.data[out.len], '\0');
	buf_clear(&out);
	buf_clear(&in);
}

static void test_json(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "a\"b\\c/", 6, "\"a\\\"b\\\\c/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"" },
		{ "\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "\xc2\x9b" "31m", 5, "\"\\u009b31m\"" },
		{ "a\xff" "b", 3, "\"a\xef\xbf\xbd" "b\"" },
		{ "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xc3", 1, "\"\xef\xbf\xbd\"" },
		{ "\xc3\"", 2, "\"\xef\xbf\xbd\\\"\"" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&out);
		text_json(&out, rows[i].in, rows[i].n);
		assert_string_equal(out.data, rows[i].want);
	}
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_of_rfc4648),
		cmocka_unit_test(test_all_bytes_come_back),
		cmocka_unit_test(test_lines_of_base64),
		cmocka_unit_test(test_only_one_spelling_is_taken),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
