/* test_words.c: words without a mail around them are read by the rules for mails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/plan.h"
#include "listen/words.h"

static void test_words(void **state)
{
	static const struct {
		const char *words, *intent, *has, *until;
	} rows[] = {
		{ "What does it cost for 20 people?", "pricing", "\"name\":\"pricing\"", "" },
		{ "not now, call me in May", "not_now", "\"name\":\"not_now\"", "2026-05-01T00:00:00Z" },
		{ "Not now. Ask me again in May.", "not_now", "\"name\":\"not_now\"", "2026-05-01T00:00:00Z" },
		{ "Please remove me from your list", "unsubscribe", "\"name\":\"unsubscribe\"", "" },
		{ "Thanks, that was good to read.", "thanks", "\"name\":\"thanks\"", "" },
		{ "", "other", "[]", "" },
	};
	struct plan *plan = plan_of_replies();
	struct words *words = words_new(plan);
	int64_t at;

	assert_int_equal(text_time_parse("2026-03-02T09:30:00Z", &at), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct words_reading r;
		struct buf until = BUF_INIT;

		words_read(words, rows[i].words, at, &r);
		if (r.until)
			text_time(&until, r.until);
		assert_string_equal(r.intent, rows[i].intent);
		assert_non_null(strstr(r.intents, rows[i].has));
		assert_string_equal(buf_cstr(&until), rows[i].until);
		buf_clear(&until);
	}
	words_free(&words);
	plan_unref(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
