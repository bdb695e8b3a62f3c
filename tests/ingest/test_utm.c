/* test_utm.c: what is joined to links, and what of them stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/ingest/utm.h"

static void test_utm_is_joined(void **state)
{
	static const struct utm all = { "news", "email", "e book" }, one = { .medium = "email" }, none = { NULL, NULL, NULL };
	static const struct {
		const struct utm *utm;
		const char *url, *wanted;
	} rows[] = {
		{ &none, "https://a.example/x?y=1#z", "https://a.example/x?y=1#z" },
		{ &one, "https://a.example", "https://a.example?utm_medium=email" },
		{ &one, "https://a.example/x", "https://a.example/x?utm_medium=email" },
		{ &one, "https://a.example/x#top", "https://a.example/x?utm_medium=email#top" },
		{ &one, "https://a.example/x?y=1#top?", "https://a.example/x?y=1&utm_medium=email#top?" },
		{ &one, "https://a.example/x?", "https://a.example/x?utm_medium=email" },
		{ &one, "https://a.example/x?y=1&", "https://a.example/x?y=1&utm_medium=email" },
		{ &one, "https://a.example/x?utm_medium=print", "https://a.example/x?utm_medium=print" },
		{ &one, "https://a.example/x?utm_medium", "https://a.example/x?utm_medium" },
		{ &one, "https://a.example/x?my_utm_medium=1", "https://a.example/x?my_utm_medium=1&utm_medium=email" },
		{ &one, "https://a.example/x?utm_mediums=1", "https://a.example/x?utm_mediums=1&utm_medium=email" },
		{ &all, "https://a.example/?utm_source=a%20b&c=d", "https://a.example/?utm_source=a%20b&c=d&utm_medium=email&utm_campaign=e%20book" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&out);
		utm_merge(&out, rows[i].url, rows[i].utm);
		assert_string_equal(buf_cstr(&out), rows[i].wanted);
	}
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_utm_is_joined) };

	return cmocka_run_group_tests_name("utm", tests, NULL, NULL);
}
