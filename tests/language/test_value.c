/*
 * test_value.c: building, looking up, and the three ways in which values are written out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/value.h"

static void test_objects_find_their_keys_small_and_large(void **state)
{
	struct arena *arena = arena_new(0);

	for (int size = 0; size <= 40; size += 4) {
		struct value_builder *b = value_build_object(arena);
		struct value v;

		for (int i = 0; i < size; i++)
			value_put(b, arena_printf(arena, "key%d", (i * 7) % size), value_int((i * 7) % size));
		v = value_built(b);
		assert_int_equal(v.object->count, (size_t)size);
		assert_int_equal(v.object->by_key != NULL, size > 8);
		for (int i = 0; i < size; i++) {
			char *key = arena_printf(arena, "key%d", i);

			if (value_get(v, slice_of(key)).type != VALUE_NIL)
				assert_int_equal(value_get(v, slice_of(key)).integer, i);
		}
		assert_int_equal(value_get(v, slice_of("key")).type, VALUE_NIL);
		assert_int_equal(value_get(v, slice_of("")).type, VALUE_NIL);
	}
	assert_int_equal(value_get(value_int(1), slice_of("key")).type, VALUE_NIL);
	arena_free(&arena);
}

static const char *const round_trips[] = {
	"null",
	"true",
	"false",
	"0",
	"-9223372036854775808",
	"9223372036854775807",
	"1.5",
	"-0.001",
	"\"\"",
	"\"a\\\"b\\\\c\\n\\u001f\"",
	"[]",
	"{}",
	"[1,[2,[3]],{\"a\":null}]",
	"{\"b\":1,\"a\":2,\"\":[true]}",
};

static void test_json_comes_back_as_it_was(void **state)
{
	for (size_t i = 0; i < sizeof(round_trips) / sizeof(round_trips[0]); i++) {
		json_t *json = json_loads(round_trips[i], JSON_DECODE_ANY, NULL);
		struct arena *arena = arena_new(0);
		struct buf out = BUF_INIT;

		assert_non_null(json);
		value_to_json(&out, value_from_json(arena, json));
		json_decref(json);
		assert_string_equal(buf_cstr(&out), round_trips[i]);
		buf_clear(&out);
		arena_free(&arena);
	}
}

static void test_numbers_print_as_liquid_prints_them(void **state)
{
	static const struct {
		double real;
		const char *text, *source;
	} rows[] = {
		{ 0, "0.0", "0.0" },
		{ -0.5, "-0.5", "-0.5" },
		{ 1, "1.0", "1.0" },
		{ 0.1, "0.1", "0.1" },
		{ 100, "100.0", "100.0" },
		{ 2.0 / 3, "0.6666666666666666", "0.6666666666666666" },
		{ 1e15, "1.0e+15", "1000000000000000.0" },
		{ 1e20, "1.0e+20", "100000000000000000000.0" },
		{ 1.5e-7, "1.5e-07", "0.00000015" },
		{ 0.0001, "0.0001", "0.0001" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = BUF_INIT, source = BUF_INIT;

		value_to_text(&text, value_real(rows[i].real));
		value_to_source(&source, value_real(rows[i].real));
		assert_string_equal(buf_cstr(&text), rows[i].text);
		if (rows[i].source)
			assert_string_equal(buf_cstr(&source), rows[i].source);
		buf_clear(&text);
		buf_clear(&source);
	}
}

static void test_times_durations_and_texts(void **state)
{
	struct buf out = BUF_INIT;

	value_to_json(&out, value_time(INT64_C(1700000000) * US_SECOND));
	assert_string_equal(buf_cstr(&out), "\"2023-11-14T22:13:20Z\"");
	buf_reset(&out);
	value_to_source(&out, value_duration(14 * US_DAY));
	assert_string_equal(buf_cstr(&out), "14 days");
	buf_reset(&out);
	value_to_source(&out, value_text("say \"hi\""));
	assert_string_equal(buf_cstr(&out), "'say \"hi\"'");
	buf_reset(&out);
	value_to_text(&out, value_text(NULL));
	assert_string_equal(buf_cstr(&out), "");
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_find_their_keys_small_and_large),
		cmocka_unit_test(test_json_comes_back_as_it_was),
		cmocka_unit_test(test_numbers_print_as_liquid_prints_them),
		cmocka_unit_test(test_times_durations_and_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
