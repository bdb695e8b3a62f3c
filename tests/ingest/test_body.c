/*
 * test_body.c: request bodies in three forms, good and hostile. A row's `wanted` is "name=value;..." (a value that is of no use: "name!;"),
 * or the error with "!" before it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../daemon/ingest/body.h"
#include "base/mem.h"

struct row {
	const char *in;
	size_t len;		/* 0: strlen */
	const char *wanted;
};

typedef int (*parser)(struct arena *arena, struct slice in, struct body *out, struct err *err);

static void check(const struct row *row, parser parse)
{
	struct arena *arena = arena_new(0);
	struct buf got = BUF_INIT;
	struct body body;
	struct err err;
	size_t n = row->len ? row->len : strlen(row->in), i;
	/* its own end, so that reading past it is seen */
	char *copy = xmalloc(n + !n);

	memcpy(copy, row->in, n);
	if (parse(arena, (struct slice){ copy, n }, &body, &err) < 0)
		buf_printf(&got, "!%s", err.text);
	else
		for (i = 0; i < body.count; i++)
			buf_printf(&got, body.pairs[i].value ? "%s=%s;" : "%s!;", body.pairs[i].name, body.pairs[i].value);
	if (strcmp(buf_cstr(&got), row->wanted) != 0)
		fail_msg("%s: got %s, wanted %s", row->in, buf_cstr(&got), row->wanted);
	free(copy);
	buf_clear(&got);
	arena_free(&arena);
}

static void urlencoded_bodies(void **state)
{
	static const struct row rows[] = {
		{ "", 0, "" },
		{ "a=b", 0, "a=b;" },
		{ "a=b&c=d", 0, "a=b;c=d;" },
		{ "a=&b&=c&&", 0, "a=;b=;=c;" },
		{ "email=a%40b.example&first+name=J%C3%B6rg+X", 0, "email=a@b.example;first name=J\xc3\xb6rg X;" },
		{ "a=b=c", 0, "a=b=c;" },
		{ "a=1&a=2", 0, "a=1;a=2;" },
		{ "a=%", 0, "!a broken % escape" },
		{ "a=%4", 0, "!a broken % escape" },
		{ "a=%zz", 0, "!a broken % escape" },
		{ "a=%00b", 0, "!a broken % escape" },
		{ "a\0b=c", 5, "!a broken % escape" },
		{ "a=%ff", 0, "!a field is not UTF-8" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], body_parse_urlencoded);
}

static int parse_multipart(struct arena *arena, struct slice in, struct body *out, struct err *err)
{
	return body_parse_multipart(arena, in, "xx", out, err);
}

#define PART(head, content) "--xx\r\nContent-Disposition: form-data; " head "\r\n\r\n" content "\r\n"

static void multipart_bodies(void **state)
{
	static const struct row rows[] = {
		{ PART("name=a", "b") "--xx--\r\n", 0, "a=b;" },
		{ PART("name=\"a\"", "b") PART("name=\"c d\"", "e\r\nf") "--xx--", 0, "a=b;c d=e\r\nf;" },
		{ "preamble\r\n" PART("name=a", "") "--xx--\r\nepilogue", 0, "a=;" },
		{ "--xx\r\nContent-Type: text/plain\r\ncontent-disposition:form-data; name=a\r\n\r\nb\r\n--xx--\r\n", 0, "a=b;" },
		{ PART("name=a; filename=\"\"", "") "--xx--\r\n", 0, "" },
		{ PART("name=a; filename=\"x.exe\"", "MZ") "--xx--\r\n", 0, "a!;" },
		{ PART("name=a", "a --xx in the middle") "--xx--\r\n", 0, "a=a --xx in the middle;" },
		{ "--xx--\r\n", 0, "" },
		{ "", 0, "!no part at all" },
		{ "--x", 0, "!no part at all" },
		{ PART("name=a", "b"), 0, "!cut off in the middle of a part" },
		{ PART("name=a", "b") "--xx", 0, "!cut off in the middle of a part" },
		{ PART("name=a", "b") "--xx-", 0, "!cut off in the middle of a part" },
		{ "--xx\r\n--xx--\r\n", 0, "!a part without headers" },
		{ "--xx\r\n\r\n--xx--\r\n", 0, "!a part without headers" },
		{ "--xx\r\nA: b\r\n\r\nc\r\n--xx--\r\n", 0, "!a part without a name" },
		{ "--xx\r\nContent-Disposition: attachment; name=a\r\n\r\nc\r\n--xx--\r\n", 0, "!a part without a name" },
		{ PART("filename=a", "b") "--xx--\r\n", 0, "!a part without a name" },
		{ PART("name=a", "\xff") "--xx--\r\n", 0, "!a field is not UTF-8" },
	};
	static const char nul[] = PART("name=a", "b\0c") "--xx--\r\n";
	struct row with_nul = { nul, sizeof(nul) - 1, "!a field with a NUL" };
	struct arena *arena = arena_new(0);
	struct body body;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], parse_multipart);
	check(&with_nul, parse_multipart);
	assert_int_equal(body_parse_multipart(arena, slice_of("--\r\n"), NULL, &body, &err), -1);
	assert_int_equal(body_parse_multipart(arena, slice_of("--\r\n"), "", &body, &err), -1);
	assert_int_equal(body_parse_multipart(arena, slice_of("--\r\n"),
		"0123456789012345678901234567890123456789012345678901234567890123456789x", &body, &err), -1);
	arena_free(&arena);
}

static void json_bodies(void **state)
{
	static const struct row rows[] = {
		{ "{}", 0, "" },
		{ "{\"a\":\"b\",\"c\":1,\"d\":1.5,\"e\":true,\"f\":false,\"g\":null}", 0, "a=b;c=1;d=1.5;e=true;f=false;" },
		{ "{\"a\":9007199254740993}", 0, "a=9007199254740993;" },
		{ "{\"a\":0.1}", 0, "a=0.1;" },
		{ "{\"a\":\"J\\u00f6rg \\ud83d\\ude00\"}", 0, "a=J\xc3\xb6rg \xf0\x9f\x98\x80;" },
		{ "{\"a\":{\"b\":1},\"c\":[1]}", 0, "a!;c!;" },
		{ "{\"a\":\"[[[[[[[[[[[[\"}", 0, "a=[[[[[[[[[[[[;" },
		{ "{\"a\":\"\\\"{{{{{{{{{{{{\"}", 0, "a=\"{{{{{{{{{{{{;" },
		{ "[]", 0, "!not a JSON object" },
		{ "", 0, "!not JSON: line 1, column 0" },
		{ "{\"a\":1}x", 0, "!not JSON: line 1, column 8" },
		{ "{\"a\":1,\"a\":2}", 0, "!not JSON: line 1, column 10" },
		{ "{\"a\":\"\\u0000\"}", 0, "!not JSON: line 1, column 13" },
		{ "{\"a\":\"\\ud800\"}", 0, "!not JSON: line 1, column 13" },
		{ "{\"a\":\"\xff\"}", 0, "!not JSON: line 1, column 6" },
		{ "{\"a\":[[[[[[[[1]]]]]]]]}", 0, "!JSON nested deeper than 8" },
		{ "{\"a\":[[[[[[[1]]]]]]],\"b\":[[[[[[[1]]]]]]]}", 0, "a!;b!;" },
		{ "]]]]]]]]]]{\"a\":1}", 0, "!not JSON: line 1, column 1" },
	};
	struct row many = { NULL, 0, "!more than 64 fields" };
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], body_parse_json);
	buf_str(&b, "{\"f\":1");
	for (i = 0; i < BODY_PAIRS; i++)
		buf_printf(&b, ",\"f%zu\":1", i);
	buf_char(&b, '}');
	many.in = b.data;
	check(&many, body_parse_json);
	buf_clear(&b);
}

static void the_media_type_decides(void **state)
{
	static const struct { const char *type, *in; int wanted; } rows[] = {
		{ "application/json", "{\"a\":\"1\"}", 0 },
		{ "application/json", "a=1", 400 },
		{ "application/x-www-form-urlencoded", "a=1", 0 },
		{ "multipart/form-data", PART("name=a", "1") "--xx--", 0 },
		{ "multipart/form-data", "a=1", 400 },
		{ "text/plain", "a=1", 415 },
		{ "text/xml", "<a/>", 415 },
		{ "", "a=1", 415 },
	};
	struct arena *arena = arena_new(0);
	const char *digest = NULL;
	struct body body;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(body_parse(arena, slice_of(rows[i].in), rows[i].type, "xx", &body, &err), rows[i].wanted);
		if (rows[i].wanted)
			continue;
		assert_string_equal(body_get(&body, "a"), "1");
		assert_null(body_get(&body, "b"));
		/* the same pairs have the same digest in whatever form they came */
		if (digest)
			assert_string_equal(body_digest(arena, &body), digest);
		digest = body_digest(arena, &body);
	}
	assert_int_equal(body_parse(arena, slice_of("a=1"), "application/x-www-form-urlencoded", NULL, &body, &err), 0);
	body.pairs[0].value = "2";
	assert_string_not_equal(body_digest(arena, &body), digest);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urlencoded_bodies),
		cmocka_unit_test(multipart_bodies),
		cmocka_unit_test(json_bodies),
		cmocka_unit_test(the_media_type_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
