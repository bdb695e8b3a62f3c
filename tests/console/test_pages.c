/*
 * pages: answers of the daemon as people read them. Each row is an answer and the page that is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

#include "../../daemon/console/page.h"
#include "../../daemon/console/say.h"

/* 2026-11-22T04:00:00Z, a Sunday; TZ is an hour ahead */
#define NOW (INT64_C(1795320000) * US_SECOND)

typedef void page_fn(struct buf *out, const json_t *json, int64_t now);

static void assert_page(page_fn *page, const char *answer, const char *want)
{
	json_error_t error;
	json_t *json = json_loads(answer, 0, &error);
	struct buf out = BUF_INIT;

	if (!json)
		fail_msg("%s at %d", error.text, error.column);
	page(&out, json, NOW);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
	json_decref(json);
}

/* --- words ------------------------------------------------------------------------------------------ */

static void texts_are_wrapped_cleaned_and_their_times_local(void **state)
{
	struct buf out = BUF_INIT;

	say_text(&out, "until 2026-11-24T05:00:00Z, or 2027-01-02T00:00:00Z\x1b[2J\n", NOW);
	assert_string_equal(buf_cstr(&out), "until Tue 24 Nov 06:00, or Sat 2 Jan 2027 01:00?[2J ");
	buf_reset(&out);
	buf_str(&out, "0123456789 ");
	say_wrapped(&out, 4, "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iiiiiiiii jjjjjjjjj", NOW);
	assert_string_equal(buf_cstr(&out),
		"0123456789 aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh\n"
		"    iiiiiiiii jjjjjjjjj");
	buf_reset(&out);
	say_wrapped(&out, 2, "", NOW);
	assert_int_equal(out.len, 0);
	buf_str(&out, "gr\xc3\xbc\xc3\x9f");
	say_column(&out, 6);
	buf_char(&out, '|');
	say_column(&out, 3);
	buf_char(&out, '|');
	assert_string_equal(buf_cstr(&out), "gr\xc3\xbc\xc3\x9f  | |");
	buf_reset(&out);
	say_count(&out, 1, "mail");
	say_count(&out, 1234567, " mail");
	say_points(&out, -0.001);
	say_points(&out, 27.32);
	assert_string_equal(buf_cstr(&out), "1 mail1,234,567  mails027.3");
	buf_clear(&out);
}

/* --- pages ------------------------------------------------------------------------------------------ */

static void a_value_and_its_parts(void **state)
{
	assert_page(page_eval, "{\"value\":true,\"source\":\"true\",\"until\":\"2026-11-24T05:00:00Z\",\"parts\":[\"score >= 5: yes\",\"  score: 12.5\"]}",
		"yes   (at the earliest another Tue 24 Nov 06:00, in 2 days)\n"
		"  score >= 5: yes\n"
		"    score: 12.5\n");
	assert_page(page_eval, "{\"value\":null,\"source\":\"nil\",\"until\":null}", "nothing\n");
	assert_page(page_eval, "{\"value\":\"x\",\"source\":\"\\\"x\\\"\"}", "\"x\"\n");
}

static const char score_answer[] =
	"{\"email\":\"eva@example.net\",\"score\":37.3,\"fit\":20,\"interest\":17.3,\"grade\":\"B2\",\"stage\":\"awareness\","
	"\"list\":\"just-looking\",\"hot\":false,\"half_life_seconds\":2592000,"
	"\"fit_rules\":[{\"rule\":\"decides\",\"points\":20,\"holds\":true,\"when\":\"role matches /head/i\",\"parts\":[\"role matches /head/i: yes\"]},"
	"{\"rule\":\"free mail\",\"points\":-10,\"holds\":false,\"when\":\"email_kind == \\\"free\\\"\"}],"
	"\"interest_rules\":[{\"rule\":\"click\",\"now\":12.3,\"given\":15,\"count\":3,\"on\":\"click\",\"points\":5,"
	"\"cap\":{\"points\":15,\"within_seconds\":604800,\"used\":15,\"reached\":true}},"
	"{\"rule\":\"prices\",\"now\":0,\"given\":0,\"count\":0,\"on\":\"page_view\",\"points\":15,\"when\":\"event.path == \\\"/pricing\\\"\"},"
	"{\"rule\":\"of old\",\"now\":5,\"given\":5,\"count\":1}],"
	"\"changes\":[{\"at\":\"2026-12-03T09:31:00Z\",\"what\":\"stage\",\"from\":\"consideration\",\"to\":\"awareness\"}],"
	"\"check\":%s}";

static void a_score(void **state)
{
	struct buf answer = BUF_INIT;

	buf_printf(&answer, score_answer, "{\"agrees\":true,\"differs_by\":0.0,\"fit_stored\":20,\"fit_recomputed\":20,\"rules\":[],\"not_asked_again\":[]}");
	assert_page(page_score, buf_cstr(&answer),
		"eva@example.net: score 37.3, grade B2; stage awareness, list just-looking, not hot\n"
		"\n"
		"FIT 20, who they are; in brackets what does not hold\n"
		"  20                decides: role matches /head/i\n"
		"                           role matches /head/i: yes\n"
		"  -        (-10)    free mail: email_kind == \"free\"\n"
		"\n"
		"INTEREST 17.3, what they did; halves every 30 days\n"
		"  NOW      GIVEN    TIMES  RULE\n"
		"  12.3     15       3      click: 5 on click; 15 of 15 in 7 days: CAP REACHED\n"
		"  0        0        0      prices: 15 on page_view\n"
		"                             if event.path == \"/pricing\"\n"
		"  5        5        1      of old: is not in the config any more\n"
		"\n"
		"BY TIME ALONE\n"
		"  Thu 3 Dec 10:31, in 11 days         stage: consideration -> awareness\n"
		"\n"
		"CHECK\n"
		"  Recomputed from the events that are kept, it is the same.\n");
	buf_reset(&answer);
	buf_printf(&answer, score_answer, "{\"agrees\":false,\"stored\":17.3,\"recomputed\":15.8,\"differs_by\":1.5,\"fit_stored\":20,\"fit_recomputed\":10,"
		"\"rules\":[{\"rule\":\"click\",\"recorded\":12.3,\"recomputed\":10.8}],\"not_asked_again\":[\"prices\"]}");
	{
		json_t *json = json_loads(buf_cstr(&answer), 0, NULL);
		struct buf out = BUF_INIT;

		page_score(&out, json, NOW);
		assert_string_equal(strstr(buf_cstr(&out), "\nCHECK"),
			"\nCHECK\n"
			"  Interest recomputed from the events that are kept is 15.8000; stored is 17.3000: +1.5000.\n"
			"  click gave 12.30, and would give 10.80 now: the rule was another when they did it, or what\n"
			"    they did is forgotten.\n"
			"  Fit is stored as 20.00, and is 10.00 by the rules of now: it is put right when something\n"
			"    happens to them.\n"
			"  prices asks what was known of them at the time: its points are taken as they were given.\n");
		buf_clear(&out);
		json_decref(json);
	}
	buf_clear(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_wrapped_cleaned_and_their_times_local),
		cmocka_unit_test(a_value_and_its_parts),
		cmocka_unit_test(a_score),
	};

	setenv("TZ", "UTC-1", 1);
	tzset();
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
