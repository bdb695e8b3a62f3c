/* test_flat_json.c: plain objects are read as Jansson reads them, and what is not plain is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/flat_json.h"

/* Each member as Jansson has it. */
static void compare(const struct flat_member *m, json_t *object)
{
	json_t *v = json_object_getn(object, m->name.data, m->name.len);

	assert_non_null(v);
	switch (m->kind) {
	case FLAT_TEXT:
		assert_true(json_is_string(v) && json_string_length(v) == m->text.len);
		assert_memory_equal(json_string_value(v), m->text.data, m->text.len);
		break;
	case FLAT_NUMBER:
		assert_true(json_is_number(v) && m->text.len > 0);
		break;
	case FLAT_TRUE:
		assert_true(json_is_true(v));
		break;
	case FLAT_FALSE:
		assert_true(json_is_false(v));
		break;
	case FLAT_NULL:
		assert_true(json_is_null(v));
		break;
	}
}

static void test_plain(void **state)
{
	static const struct {
		const char *text;
		size_t members;
	} rows[] = {
		{ "{}", 0 },
		{ " { } \n", 0 },
		{ "{\"a\":\"\"}", 1 },
		{ "{\"name\":\"Eva\",\"n\":-1.5e+3,\"t\":1793613600000000,\"yes\":true,\"no\":false,\"none\":null}", 6 },
		{ "{ \"a\" : 0 , \"\xc3\xa4\" : \"\xe2\x82\xac 5\" }", 2 },
		{ "{\"a\":0.25,\"b\":-0,\"c\":12E-2}", 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *object = json_loads(rows[i].text, 0, NULL);
		const char *at = flat_json_begin(rows[i].text);
		struct flat_member m;
		size_t members = 0;
		int got;

		assert_non_null(object);
		while ((got = flat_json_next(&at, &m)) == 1) {
			compare(&m, object);
			members++;
		}
		assert_int_equal(got, 0);
		assert_int_equal(members, rows[i].members);
		json_decref(object);
	}
}

static void test_not_plain(void **state)
{
	static const char *const rows[] = {
		"", "x", "}", ",", ",\"a\":1}", "\"a\":1}", "[]", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}", "{\"a\":1}x", "{\"a\":1 \"b\":2}",
		"{\"a\":01}", "{\"a\":+1}", "{\"a\":-}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":NaN}", "{\"a\":tru}", "{\"a\":truex}",
		"{\"a\":nul}", "{a:1}", "{\"a\" 1}", "{\"a\":\"\\u0041\"}", "{\"a\":\"\\\"\"}", "{\"\\n\":1}", "{\"a\":\"\n\"}", "{\"a\":{}}", "{\"a\":[]}",
		"{\"a\":\"\xff\"}", "{\"a\":\"\xc3\"}", "{\"\xed\xa0\x80\":1}", "{}{}", "{\"a\":1}}", "{\"a\":1};{\"b\":2}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *at = flat_json_begin(rows[i]);
		struct flat_member m;
		int got = -1;

		while (at && (got = flat_json_next(&at, &m)) == 1)
			;
		assert_int_equal(got, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_plain), cmocka_unit_test(test_not_plain) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
