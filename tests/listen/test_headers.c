/*
 * test_headers.c: fields, encoded words, parameters, addresses, dates, and the charsets below them, by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/listen/charset.h"
#include "../../daemon/listen/headers.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void fields(void **state)
{
	static const char mail[] = "Received: one\r\nReceived: two\r\nno colon here\r\nSubject : "
				   "spaced\r\nX-Folded: a\r\n\tb\r\n  c\r\nTo:\r\n\r\nbody: no field\r\n";
	struct arena *arena = arena_new(0);
	struct headers h;
	size_t body = headers_parse(&h, arena, mail, sizeof(mail) - 1);

	(void)state;
	assert_string_equal(mail + body, "body: no field\r\n");
	assert_int_equal(h.count, 5);
	assert_string_equal(headers_nth(&h, "received", 0), "one");
	assert_string_equal(headers_nth(&h, "received", 1), "two");
	assert_null(headers_nth(&h, "received", 2));
	assert_string_equal(headers_get(&h, "subject"), "spaced");
	assert_string_equal(headers_get(&h, "x-folded"), "a\tb  c");
	assert_string_equal(headers_get(&h, "to"), "");
	assert_null(headers_get(&h, "body"));
	arena_free(&arena);
}

static void limits(void **state)
{
	struct arena *arena = arena_new(0);
	struct buf b = BUF_INIT;
	struct headers h;

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_printf(&b, "X-%d: y\n", i);
	headers_parse(&h, arena, b.data, b.len);
	assert_int_equal(h.count, HEADERS_MAX_FIELDS);
	buf_reset(&b);
	buf_str(&b, "X: ");
	for (int i = 0; i < 300000; i++)
		buf_str(&b, "y\n ");
	headers_parse(&h, arena, b.data, b.len);
	assert_true(h.count == 1 && strlen(h.list[0].value) < HEADERS_MAX_FIELD);
	buf_clear(&b);
	arena_free(&arena);
}

static void words(void **state)
{
	static const struct { const char *raw, *text;
	} rows[] = {
		{"plain", "plain"},
		{"=?utf-8?Q?caf=C3=A9_x?=", "caf\xc3\xa9 x"},
		{"=?UTF-8?B?Y2Fmw6k=?=", "caf\xc3\xa9"},
		{"=?iso-8859-1?q?caf=E9?= =?iso-8859-1?q?_bar?= end", "caf\xc3\xa9 bar end"},
		{"=?utf-8?b?Y2Fm?= =?utf-8?b?w6k?=", "caf\xc3\xa9"},   /* without its padding */
		{"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "caf\xc3\xa9"}, /* a character cut in two */
		{"=?utf-8*en?Q?hi?=", "hi"},
		{"=?broken", "=?broken"},
		{"a =?utf-8?X?b?= c", "a =?utf-8?X?b?= c"},
		{"raw caf\xe9", "raw caf\xc3\xa9"},
		{"raw caf\xc3\xa9", "raw caf\xc3\xa9"},
		{"=?windows-1252?Q?=80?=", "\xe2\x82\xac"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
		{"tab\there =?utf-8?Q?=0D=0ABcc:x?=", "tab here  Bcc:x"},
	};
	struct arena *arena = arena_new(0);
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = headers_decode(arena, rows[i].raw);

		if (strcmp(got, rows[i].text)) {
			print_error("%s: [%s] not [%s]\n", rows[i].raw, got, rows[i].text);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
	assert_null(headers_decode(arena, NULL));
	arena_free(&arena);
}

static void parameters(void **state)
{
	static const struct { const char *field, *name, *value;
	} rows[] = {
		{"text/plain; charset=utf-8", "charset", "utf-8"},
		{"text/plain; charset=\"utf-8\"; x=y", "charset", "utf-8"},
		{"text/plain; CHARSET = \"a\\\"b;c\"; x=y", "charset", "a\"b;c"},
		{"text/plain; CHARSET=q; x=y", "x", "y"},
		{"text/plain", "charset", NULL},
		{"attachment; filename*=UTF-8''%e2%82%ac%20x.pdf", "filename", "\xe2\x82\xac x.pdf"},
		{"attachment; filename*0=\"one \"; filename*1=two", "filename", "one two"},
		{"attachment; filename*0*=iso-8859-1'en'caf%E9; filename*1=.txt", "filename",
			"caf\xc3\xa9.txt"},
		{"attachment; filename=\"=?utf-8?Q?caf=C3=A9?=\"", "filename", "caf\xc3\xa9"},
	};
	struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = headers_param(arena, rows[i].field, rows[i].name);

		if (!rows[i].value)
			assert_null(got);
		else
			assert_string_equal(got, rows[i].value);
	}
	assert_string_equal(headers_token(arena, "Text/PLAIN; x"), "text/plain");
	assert_string_equal(headers_token(arena, NULL), "");
	arena_free(&arena);
}

static void addresses(void **state)
{
	static const struct { const char *field, *address, *name;
	} rows[] = {
		{"Ann Other <Ann@People.test>", "ann@people.test", "Ann Other"},
		{"\"Other, Ann\" <ann@people.test>", "ann@people.test", "Other, Ann"},
		{"=?utf-8?Q?J=C3=B6rg?= <j@people.test>", "j@people.test", "J\xc3\xb6rg"},
		{"ann@people.test (Ann)", "ann@people.test", ""},
		{"a@decoy.test <ann@people.test>", "ann@people.test", "a@decoy.test"},
		{"r+aebagbafaydqqcikbmgq2dqpcaireeyuca@reply.test,",
			"r+aebagbafaydqqcikbmgq2dqpcaireeyuca@reply.test", ""},
		{"nobody", "", ""},
		{"@", "", ""},
	};
	struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(headers_address(arena, rows[i].field), rows[i].address);
		assert_string_equal(headers_name(arena, rows[i].field), rows[i].name);
	}
	arena_free(&arena);
}

static void dates(void **state)
{
	static const struct { const char *field; long long seconds; } rows[] = {
		{ "Mon, 02 Nov 2026 10:00:00 +0000", 1793613600 },
		{ "2 Nov 2026 12:00:00 +0200", 1793613600 },
		{ "Mon, 02 Nov 2026 05:00 EST", 1793613600 },
		{ "Mon, 02 Nov 26 10:00:00 GMT", 1793613600 },
		{ "Mon,  2 Nov 2026 02:00:00 -0800 (PST)", 1793613600 },
		{ "yesterday", 0 },
		{ "Mon, 02 Foo 2026 10:00:00 +0000", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(headers_date(rows[i].field) / US_SECOND, rows[i].seconds);
	assert_int_equal(headers_date(NULL), 0);
}

static void charsets(void **state)
{
	static const struct { const char *bytes, *charset, *text;
	} rows[] = {
		{"caf\xe9", "iso-8859-1", "caf\xc3\xa9"},
		{"caf\xe9", NULL, "caf\xc3\xa9"},
		{"caf\xc3\xa9", "us-ascii", "caf\xc3\xa9"},
		{"caf\xc3\xa9", "x-no-such-charset", "caf\xc3\xa9"},
		{"\x80 100", "iso-8859-1", "\xe2\x82\xac 100"},
		{"one\r\ntwo\rthree", NULL, "one\ntwo\nthree"},
		{"\xd0\xd2\xd4", "koi8-r", "\xd0\xbf\xd1\x80\xd1\x82"},
		{"a mostly fine line of utf-8 with caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, "
		 "caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9 and one \xff",
			"utf-8",
			"a mostly fine line of utf-8 with caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, "
			"caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, caf\xc3\xa9, "
			"caf\xc3\xa9 and one \xef\xbf\xbd"},
	};
	struct arena *arena = arena_new(0);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(
			charset_to_utf8(arena, rows[i].bytes, strlen(rows[i].bytes), rows[i].charset),
			rows[i].text);
	assert_string_equal(charset_to_utf8(arena, "a\0b", 3, "utf-8"), "ab");
	assert_string_equal(
		charset_simplify(arena,
			"\xe2\x80\x9cIt\xe2\x80\x99s\xe2\x80\x9d \xc2\xa0 a\xe2\x80\x8b b\xe2\x80\x94"
			"c\n  d"),
		"\"It's\" a b-c\n d");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(limits),
		cmocka_unit_test(words),
		cmocka_unit_test(parameters),
		cmocka_unit_test(addresses),
		cmocka_unit_test(dates),
		cmocka_unit_test(charsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
