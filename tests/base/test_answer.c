/*
 * test_answer.c: pieces of JSON that people are answered in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"

static void assert_json(json_t *json, const char *want)
{
	struct buf out = BUF_INIT;
	struct err err;

	assert_int_equal(answer_give(&out, json, &err), 1);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
}

static void values_are_as_people_read_them(void **state)
{
	assert_json(json_pack("[o, o, o, o]", answer_time(0), answer_time(-1), answer_time(TIME_NEVER), answer_time(TIME_NEVER / 2)), "[null,null,null,null]");
	assert_json(json_pack("[o]", answer_time(INT64_C(1795424400) * US_SECOND)), "[\"2026-11-23T09:00:00Z\"]");
	assert_json(json_pack("[o, o]", answer_id("pro", 0), answer_id("pro", 1)), "[null,\"pro_0000000000001\"]");
	assert_json(json_pack("[o, o, o]", answer_text(NULL), answer_text(""), answer_text("gr\xc3\xbc\xc3\x9f")), "[\"\",\"\",\"gr\xc3\xbc\xc3\x9f\"]");
	/* cut within a character */
	assert_json(json_pack("[o]", answer_text("gr\xc3")), "[\"gr\xef\xbf\xbd\"]");
	assert_json(json_pack("[o, o]", answer_points(27.3249), answer_points(-5)), "[27.32,-5.0]");
}

static json_t *twice(const void *row)
{
	return json_integer(2 * *(const int *)row);
}

static void rows_become_a_list(void **state)
{
	static const int rows[] = { 3, 5 };

	assert_json(answer_rows(rows, 2, sizeof(rows[0]), twice), "[6,10]");
	assert_json(answer_rows(NULL, 0, sizeof(rows[0]), twice), "[]");
}

static void what_cannot_be_written_is_told(void **state)
{
	struct buf out = BUF_INIT;
	struct err err = { "" };

	assert_int_equal(answer_give(&out, NULL, &err), -1);
	assert_true(*err.text && !out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_as_people_read_them),
		cmocka_unit_test(rows_become_a_list),
		cmocka_unit_test(what_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
