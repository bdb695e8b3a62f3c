/* test_folder.c: names of IMAP folders, as servers want them. The pairs of RFC 3501 5.1.3, and what people call folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/folder.h"

static const struct pair {
	const char *name, *wants;	/* NULL: cannot be */
} pairs[] = {
	{ "INBOX", "INBOX" },
	{ "Done.2026", "Done.2026" },
	{ "Erledigt/Zurückgewiesen", "Erledigt/Zur&APw-ckgewiesen" },
	{ "Entwürfe", "Entw&APw-rfe" },
	{ "é", "&AOk-" },
	{ "ü1", "&APw-1" },
	{ "ü-", "&APw--" },
	{ "Überfällig & Wichtig", "&ANw-berf&AOQ-llig &- Wichtig" },
	{ "~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "Обработано", "&BB4EMQRABDAEMQQ+BEIEMAQ9BD4-" },
	{ "a😀b", "a&2D3eAA-b" },
	{ "R&D", "R&-D" },
	{ "A&B-C", "A&-B-C" },
	{ "R&-D", "R&-D" },
	{ "Entw&APw-rfe", "Entw&APw-rfe" },	/* written as the server has it */
	{ "&AGEAYg-", "&-AGEAYg-" },		/* nobody writes "ab" so */
	{ "&", "&-" },
	{ "Gel\xf6scht", NULL },
};

static void names_are_as_servers_want_them(void **state)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = BUF_INIT;
		struct err err;
		int rc;

		buf_str(&out, "\"");
		rc = folder_name(&out, pairs[i].name, &err);
		assert_int_equal(rc, pairs[i].wants ? 0 : -1);
		assert_string_equal(buf_cstr(&out) + 1, pairs[i].wants ? pairs[i].wants : "");
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_servers_want_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
