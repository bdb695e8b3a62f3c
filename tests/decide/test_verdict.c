/* test_verdict.c: who opened or clicked, at first sight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/decide/decide.h"

static void test_first_verdicts(void **state)
{
	static const struct {
		const char *agent;
		bool head;
		enum verdict verdict;
		unsigned reasons;
	} rows[] = {
		{ "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", false, VERDICT_UNKNOWN, 0 },
		{ "x", false, VERDICT_UNKNOWN, 0 },
		{ "Mozilla/5.0", true, VERDICT_MACHINE, VERDICT_HEAD },
		{ "", false, VERDICT_MACHINE, VERDICT_NO_AGENT },
		{ NULL, false, VERDICT_MACHINE, VERDICT_NO_AGENT },
		{ "", true, VERDICT_MACHINE, VERDICT_HEAD | VERDICT_NO_AGENT },
	};
	unsigned reasons;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(verdict_first(rows[i].agent, rows[i].head, &reasons), rows[i].verdict);
		assert_int_equal(reasons, rows[i].reasons);
	}
}

static void test_bursts(void **state)
{
	static const struct {
		const char *what;
		struct hit hits[4];
		size_t count;
		bool burst;
	} rows[] = {
		{ "nothing", { { 0 } }, 0, false },
		{ "one link", { { .kind = 'c', .link = 0, .at = 0 } }, 1, false },
		{ "one link, four times", { { .kind = 'c', .at = 0 }, { .kind = 'c', .at = 1 }, { .kind = 'c', .at = 2 }, { .kind = 'c', .at = 3 } }, 4, false },
		{ "two at once", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = 0 } }, 2, true },
		{ "two in a second", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = US_SECOND } }, 2, true },
		{ "two in more", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = US_SECOND + 1 } }, 2, false },
		{ "the other one before", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = -US_SECOND } }, 2, true },
		{ "three in five", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = 3 * US_SECOND },
			{ .kind = 'c', .link = 2, .at = 5 * US_SECOND } }, 3, true },
		{ "three in more", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = 3 * US_SECOND },
			{ .kind = 'c', .link = 2, .at = 5 * US_SECOND + 1 } }, 3, false },
		{ "a link and the pixel", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'o', .link = 1, .at = 0 } }, 2, false },
		{ "two links in three clicks", { { .kind = 'c', .link = 0, .at = 0 }, { .kind = 'c', .link = 1, .at = 3 * US_SECOND },
			{ .kind = 'c', .link = 1, .at = 4 * US_SECOND } }, 3, false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (verdict_is_burst(rows[i].hits, rows[i].count, 0) != rows[i].burst)
			fail_msg("%s", rows[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_verdicts), cmocka_unit_test(test_bursts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
