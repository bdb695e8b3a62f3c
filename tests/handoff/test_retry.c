/*
 * retry: the plan of Standard Webhooks, what ends it, and what a receiver may ask for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/handoff/retry.h"

static const struct {
	int number, code;
	int64_t asked;
	double chance;
	enum retry_verdict verdict;
	int64_t delay;
} rows[] = {
	/* the plan */
	{ 0, 500, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	{ 1, 500, 0, 0, RETRY_AGAIN, 5 * US_MINUTE },
	{ 2, 500, 0, 0, RETRY_AGAIN, 30 * US_MINUTE },
	{ 3, 500, 0, 0, RETRY_AGAIN, 2 * US_HOUR },
	{ 4, 500, 0, 0, RETRY_AGAIN, 5 * US_HOUR },
	{ 5, 500, 0, 0, RETRY_AGAIN, 10 * US_HOUR },
	{ 6, 500, 0, 0, RETRY_AGAIN, 14 * US_HOUR },
	{ 7, 500, 0, 0, RETRY_AGAIN, 20 * US_HOUR },
	{ 8, 500, 0, 0, RETRY_AGAIN, 24 * US_HOUR },
	{ 9, 500, 0, 0, RETRY_DEAD, 0 },
	{ 10, 0, 0, 0, RETRY_DEAD, 0 },
	/* answers: any 2xx, 410, and all else is tried again, redirects and refusals too */
	{ 0, 200, 0, 0, RETRY_DELIVERED, 0 },
	{ 3, 204, 0, 0, RETRY_DELIVERED, 0 },
	{ 9, 299, 0, 0, RETRY_DELIVERED, 0 },
	{ 0, 410, 0, 0, RETRY_DEAD, 0 },
	{ 0, 0, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	{ 0, 301, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	{ 0, 400, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	{ 0, 404, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	{ 0, 199, 0, 0, RETRY_AGAIN, 5 * US_SECOND },
	/* chance: later, by less than a tenth, never sooner */
	{ 1, 500, 0, 0.5, RETRY_AGAIN, 5 * US_MINUTE + 15 * US_SECOND },
	{ 8, 500, 0, 0.99, RETRY_AGAIN, 24 * US_HOUR + (int64_t)(24 * 3600e6 * 0.099) },
	/* asked for: later than the plan counts, sooner does not, a day is the most */
	{ 0, 429, 60 * US_SECOND, 0, RETRY_AGAIN, 60 * US_SECOND },
	{ 2, 503, 60 * US_SECOND, 0, RETRY_AGAIN, 30 * US_MINUTE },
	{ 0, 503, 30 * US_DAY, 0, RETRY_AGAIN, US_DAY },
	{ 0, 410, 60 * US_SECOND, 0, RETRY_DEAD, 0 },
	{ 9, 503, 60 * US_SECOND, 0, RETRY_DEAD, 0 },
};

static void each_attempt_has_its_consequence(void **state)
{
	const int64_t at = INT64_C(1800000000) * US_SECOND;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attempt attempt = {
			.number = rows[i].number,
			.code = rows[i].code,
			.retry_after = rows[i].asked,
			.at = at,
			.chance = rows[i].chance,
		};
		int64_t again = 0;

		assert_int_equal(retry_decide(&attempt, &again), rows[i].verdict);
		assert_in_range(again - (rows[i].verdict == RETRY_AGAIN ? at : 0) + 1, rows[i].delay,
			rows[i].delay + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_has_its_consequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
