/*
 * test_media.c: what a file is by its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/media.h"

static void types_by_ending(void **state)
{
	static const struct {
		const char *file, *type;
	} rows[] = {
		{ "book.pdf", "application/pdf" }, { "BOOK.PDF", "application/pdf" }, { "a.b.png", "image/png" }, { "photo.JPEG", "image/jpeg" },
		{ ".pdf", "application/octet-stream" }, { "pdf", "application/octet-stream" }, { "", "application/octet-stream" },
		{ "x.exe", "application/octet-stream" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(media_type(rows[i].file), rows[i].type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_by_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
