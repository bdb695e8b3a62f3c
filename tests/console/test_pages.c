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

#include "console/page.h"
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
	say_count(&out, 1, "mail", "mails");
	say_count(&out, 1234567, "mail", "mails");
	say_count(&out, 5, "", "");
	say_points(&out, -0.001);
	say_points(&out, 27.32);
	assert_string_equal(buf_cstr(&out), "1 mail1,234,567 mails5027.3");
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

static void what_a_reload_would_change(void **state)
{
	assert_page(page_plan, "{\"changed\":false,\"needs_restart\":null,\"differences\":[],\"sequences\":[],\"people\":{\"all\":3}}",
		"The files say what is in force: a reload would change nothing.\n");
	assert_page(page_plan,
		"{\"changed\":true,\"needs_restart\":\"port is taken at the start only\",\"differences\":["
		"{\"kind\":\"stage\",\"name\":\"decision\",\"change\":\"changed\",\"details\":["
		"{\"what\":\"when\",\"was\":\"interest >= 60\",\"is\":\"interest >= 70\"},{\"what\":\"until\",\"was\":\"interest < 40\",\"is\":null}]},"
		"{\"kind\":\"mail\",\"name\":\"a\",\"change\":\"changed\",\"details\":[{\"what\":\"text\",\"was\":\"\",\"is\":\"\"}]},"
		"{\"kind\":\"quiet\",\"name\":\"\",\"change\":\"changed\",\"details\":[{\"what\":\"days\",\"was\":null,\"is\":\"sun\"}]},"
		"{\"kind\":\"sequence\",\"name\":\"old\",\"change\":\"removed\",\"details\":[]}],"
		"\"sequences\":[{\"sequence\":\"ebook\",\"change\":\"changed\",\"on_change\":\"move\",\"people\":["
		"{\"step\":\"nudge\",\"state\":\"active\",\"count\":1412,\"fate\":\"go on\",\"to\":\"nudge\"},"
		"{\"step\":\"call\",\"state\":\"paused\",\"count\":18,\"fate\":\"go to\",\"to\":\"case\"},"
		"{\"step\":\"x\",\"state\":\"active\",\"count\":1,\"fate\":\"end\",\"to\":\"\"},"
		"{\"step\":\"y\",\"state\":\"active\",\"version\":\"0123456789ab\",\"count\":30,\"fate\":\"finish\",\"to\":\"\"},"
		"{\"step\":\"z\",\"state\":\"active\",\"count\":12,\"fate\":\"restart\",\"to\":\"deliver\"}]},"
		"{\"sequence\":\"old\",\"change\":\"removed\",\"on_change\":null,\"people\":[{\"step\":\"q\",\"state\":\"active\",\"count\":2,\"fate\":\"end\",\"to\":\"\"}]},"
		"{\"sequence\":\"new\",\"change\":\"added\",\"on_change\":\"move\",\"people\":[]}],"
		"\"people\":{\"all\":1000000,\"looked_at\":51220,\"sample\":true,\"stage\":[{\"from\":\"a\",\"to\":\"b\",\"count\":1200}],\"list\":[],"
		"\"hot\":[{\"from\":\"not hot\",\"to\":\"hot\",\"count\":17}]}}",
		"A reload would be refused: port is taken at the start only\n"
		"\n"
		"WHAT A RELOAD WOULD CHANGE\n"
		"  stage decision: changed\n"
		"    when                  interest >= 60 -> interest >= 70\n"
		"    until                 gone: interest < 40\n"
		"  mail a: changed\n"
		"    text                  another\n"
		"  quiet: changed\n"
		"    days                  new: sun\n"
		"  sequence old: removed\n"
		"\n"
		"PEOPLE UNDER WAY\n"
		"  ebook: changed; on_change: move\n"
		"         1,412 at `nudge` go on under the new version\n"
		"            18 at `call`, paused, a step that is gone, go to `case`\n"
		"             1 at `x`, a step that is gone: end\n"
		"            30 at `y` finish the version that they entered (0123456789ab)\n"
		"            12 at `z` begin again at `deliver`\n"
		"  old: removed\n"
		"             2 at `q`: end\n"
		"  new: added; nobody under way is concerned\n"
		"\n"
		"WHERE PEOPLE ARE BY THE NEW RULES, of 1,000,000 people; a sample of 51,220 people, scaled up\n"
		"   about 1,200 stage: a -> b\n"
		"      about 17 become hot\n");
	assert_page(page_plan, "{\"changed\":true,\"differences\":[],\"sequences\":[],\"people\":{\"all\":1,\"sample\":false}}",
		"WHAT A RELOAD WOULD CHANGE\n"
		"\n"
		"WHERE PEOPLE ARE BY THE NEW RULES, of 1 person\n"
		"  Nobody changes stage or list, and nobody becomes hot.\n");
}

static void one_sequence(void **state)
{
	assert_page(page_sequence,
		"{\"sequence\":\"ebook\",\"version\":\"0123456789ab\",\"entered\":1000,\"enter\":\"on signup\",\"again\":\"never\",\"list\":null,"
		"\"goal\":\"stage >= \\\"decision\\\"\",\"exit\":null,\"on_change\":\"move\","
		"\"versions\":[{\"version\":\"0123456789ab\",\"since\":\"2026-11-20T09:00:00Z\",\"in_force\":true},"
		"{\"version\":\"ba9876543210\",\"since\":\"2026-11-01T09:00:00Z\",\"in_force\":false}],"
		"\"steps\":[{\"step\":\"one\",\"does\":\"mail a\",\"active\":1412,\"paused\":3,\"ways\":[{\"label\":\"\",\"to\":\"if-1\"}]},"
		"{\"step\":\"if-1\",\"does\":\"if did(\\\"x\\\")\",\"active\":0,\"paused\":0,\"ways\":[{\"label\":\"then\",\"to\":\"one\"},{\"label\":\"else\",\"to\":\"the end\"}]}],"
		"\"elsewhere\":[{\"step\":\"old\",\"version\":\"ba9876543210\",\"active\":2,\"paused\":0}],"
		"\"ended\":[{\"why\":\"goal\",\"count\":120},{\"why\":\"done\",\"count\":80}],"
		"\"tests\":[{\"step\":\"try\",\"by\":\"click\",\"within_seconds\":259200,\"method\":\"thompson\",\"size\":200,\"sure_wanted\":0.95,"
		"\"arms\":[{\"arm\":\"a\",\"sent\":500,\"known\":400,\"won\":40,\"rate\":0.1,\"low\":0.0743,\"high\":0.1333}],\"best\":\"a\",\"best_by\":0.7,\"ended\":null},"
		"{\"step\":\"other\",\"by\":\"reply\",\"within_seconds\":86400,\"method\":\"fixed\",\"size\":50,\"sure_wanted\":0.9,\"arms\":[],\"best\":\"b\",\"best_by\":1,"
		"\"ended\":{\"arm\":\"b\",\"at\":\"2026-11-21T04:00:00Z\",\"why\":\"9 of 50, the best with 99.0 %\"}}],"
		"\"holdout\":{\"share\":0.1,\"people\":100,\"watched\":60,\"by_day\":14,\"treated\":{\"people\":1000,\"rate\":0.12,\"low\":0.1,\"high\":0.14},"
		"\"untreated\":{\"people\":100,\"rate\":0.05,\"low\":0.01,\"high\":0.09},\"difference\":{\"rate\":0.07,\"low\":0.02,\"high\":0.12}}}",
		"ebook, version 0123456789ab; 1,000 people have entered\n"
		"enter       on signup\n"
		"again       never\n"
		"goal        stage >= \"decision\"\n"
		"on_change   move\n"
		"versions    0123456789ab since Fri 20 Nov 10:00, 1 day ago; in force\n"
		"            ba9876543210 since Sun 1 Nov 10:00, 20 days ago\n"
		"\n"
		"   ACTIVE   PAUSED   STEP\n"
		"    1,412        3   one              mail a\n"
		"        -        -   if-1             if did(\"x\")\n"
		"                                        then: one; else: the end\n"
		"  at a step of another version\n"
		"        2        -   old (version ba9876543210)\n"
		"\n"
		"    ENDED           WHY\n"
		"      120    12.0 %  goal\n"
		"       80     8.0 %  done\n"
		"\n"
		"TEST at try: by click within 3 days; thompson, 200 people an arm, 95.0 % sure\n"
		"     SENT    KNOWN      WON  RATE     95 % BETWEEN    ARM\n"
		"      500      400       40  10.0 %   7.4 to 13.3     a\n"
		"  It goes on; a is the best with 70.0 %\n"
		"\n"
		"TEST at other: by reply within 1 day; fixed, 50 people an arm, 90.0 % sure\n"
		"     SENT    KNOWN      WON  RATE     95 % BETWEEN    ARM\n"
		"  It ended Sat 21 Nov 05:00, 1 day ago: everybody gets b, 9 of 50, the best with 99.0 %\n"
		"\n"
		"HOLDOUT of 10.0 %: 100 people, of whom 60 are still watched\n"
		"  The goal was reached within 14 days of coming in, by\n"
		"  who get it        12.0 %  (between 10.0 and 14.0)  of 1,000 people\n"
		"  held out          5.0 %  (between 1.0 and 9.0)  of 100 people\n"
		"  The sequence makes a difference of +7.0 points, with 95 % between +2.0 and +12.0: it helps.\n");
}

static void who_would_enter_and_who_has(void **state)
{
	assert_page(page_enroll,
		"{\"sequence\":\"mailing\",\"where\":\"country == \\\"DE\\\"\",\"people\":12000,\"match\":2000,\"would_enter\":1500,"
		"\"left_out\":[{\"count\":400,\"why\":\"no consent\"},{\"count\":100,\"why\":\"is or was in it\"}],"
		"\"first\":[{\"address\":\"eva@example.net\",\"why_not\":null}],\"first_left_out\":[{\"address\":\"max@example.net\",\"why_not\":\"no consent\"}]}",
		"mailing, where country == \"DE\"\n"
		"\n"
		"   12,000  people there are\n"
		"   10,000  do not match\n"
		"      400  match, but: no consent\n"
		"      100  match, but: is or was in it\n"
		"    1,500  would enter\n"
		"\n"
		"THE FIRST WHO WOULD ENTER\n"
		"  eva@example.net\n"
		"\n"
		"THE FIRST WHO MATCH AND ARE LEFT OUT\n"
		"  max@example.net                         no consent\n");
	assert_page(page_enrolled, "{\"sequence\":\"mailing\",\"entered\":1499,\"left_out\":1,\"error\":null}",
		"1,499 people have entered mailing; 1 was left out, as something had changed meanwhile\n");
	assert_page(page_enrolled, "{\"sequence\":\"mailing\",\"entered\":1,\"left_out\":0,\"error\":\"the disk is full\"}",
		"1 person has entered mailing\n"
		"It stopped before the end: the disk is full\n"
		"The same command again goes on where it stood.\n");
}

static void why_they_got_it_and_what_comes_next(void **state)
{
	assert_page(page_why,
		"{\"id\":\"pro_1\",\"email\":\"eva@example.net\",\"name\":\"Eva\",\"stage\":\"awareness\",\"list\":\"looking\",\"consent\":\"given\","
		"\"fit\":20,\"interest\":10,\"score\":30,\"hot\":false,"
		"\"suppressed\":{\"reason\":\"manual\",\"at\":\"2026-11-21T09:00:00Z\",\"source\":\"nurturectl\"},"
		"\"mails\":[{\"kind\":\"step\",\"template\":\"a\",\"arm\":\"a-2\",\"sequence\":\"story\",\"step\":\"one\",\"state\":\"sent\","
		"\"planned\":\"2026-11-20T09:00:00Z\",\"done\":\"2026-11-20T09:00:05Z\",\"because\":\"signup form\",\"code\":250,\"reply\":\"2.0.0 Ok\"},"
		"{\"kind\":\"forwarded reply\",\"to\":\"ana@example.com\",\"template\":\"forward\",\"sequence\":\"\",\"state\":\"failed\","
		"\"planned\":\"2026-11-20T08:00:00Z\",\"code\":550,\"reply\":\"550 no such user\",\"because\":null}],"
		"\"answers\":[{\"at\":\"2026-11-20T10:00:00Z\",\"what\":\"click\",\"mail\":\"a\"},{\"at\":\"2026-11-20T09:30:00Z\",\"what\":\"open\",\"mail\":\"a\"}],"
		"\"held\":[{\"at\":\"2026-11-20T23:00:00Z\",\"what\":\"two\",\"why\":\"quiet hours\",\"until\":\"2026-11-23T07:05:00Z\"},"
		"{\"at\":\"2026-11-19T23:00:00Z\",\"what\":\"two\",\"why\":\"3 days over\",\"dropped\":true}],"
		"\"sequences\":[{\"sequence\":\"story\",\"state\":\"active\",\"entered\":\"2026-11-20T09:00:00Z\",\"because\":\"signup form\","
		"\"step\":\"two\",\"due\":\"2026-11-23T07:05:00Z\",\"mail\":null,\"held\":\"quiet hours\",\"waits\":null,"
		"\"ahead\":[{\"step\":\"two\",\"does\":\"mail b\",\"ways\":[]},{\"step\":\"if-1\",\"does\":\"if country == \\\"DE\\\"\",\"holds\":true,"
		"\"parts\":[\"country == \\\"DE\\\": yes\",\"  country: \\\"DE\\\"\"],\"ways\":[{\"label\":\"then\",\"to\":\"four\"},{\"label\":\"else\",\"to\":\"the end\"}]}],"
		"\"changes\":[{\"what\":\"goal\",\"when\":\"interest >= 50\",\"holds\":false,\"then\":\"ends as converted\","
		"\"parts\":[\"interest >= 50: no\",\"  interest: 10.0\"]}]},"
		"{\"sequence\":\"other\",\"state\":\"held out\",\"entered\":\"2026-11-20T09:00:00Z\",\"because\":null,\"due\":\"2026-12-20T09:00:00Z\",\"held\":null}],"
		"\"past\":[{\"sequence\":\"old\",\"entered\":\"2026-10-20T09:00:00Z\",\"because\":\"signup form\",\"step\":\"x\",\"ended\":\"2026-10-22T09:00:00Z\",\"why\":\"goal\"}],"
		"\"on_stage\":{\"now\":\"awareness\",\"since\":\"2026-11-20T09:00:00Z\",\"because\":\"they came\",\"rules\":[{\"name\":\"awareness\",\"when\":null},"
		"{\"name\":\"decision\",\"when\":\"interest >= 60\",\"holds\":false,\"until\":\"interest < 40\"}]},"
		"\"on_list\":{\"now\":\"looking\",\"since\":\"2026-11-20T09:00:00Z\",\"because\":\"story: away\",\"moved_by_step\":true,\"moved_until\":null,\"rules\":[]},"
		"\"hot_rule\":{\"now\":false,\"rule\":\"did(\\\"asked\\\")\",\"holds\":false,\"parts\":[\"x\"],\"became\":\"2026-11-01T09:00:00Z\",\"because\":\"asked\","
		"\"cooldown_until\":\"2026-11-29T09:00:00Z\"},"
		"\"lead\":{\"id\":\"led_1\",\"state\":\"rejected\",\"owner\":\"ana\",\"at\":\"2026-11-01T09:00:00Z\",\"answer\":\"no budget\"},"
		"\"tests\":[{\"step\":\"one\",\"arm\":\"a-2\",\"decided_by\":\"click\",\"at\":\"2026-11-20T09:00:05Z\",\"until\":\"2026-11-23T09:00:05Z\",\"won\":true}],"
		"\"changes\":[],\"journal\":[{\"at\":\"2026-11-20T09:00:00Z\",\"kind\":\"enrol\",\"what\":\"story\",\"why\":\"signup form\"}]}",

		"Eva <eva@example.net>   pro_1\n"
		"list looking, stage awareness, not hot; score 30 (fit 20, interest 10); consent given\n"
		"NO MAIL since Sat 21 Nov 10:00, 19 hours ago: manual (nurturectl)\n"
		"\n"
		"COMES NEXT\n"
		"  story: active since Fri 20 Nov 10:00, 1 day ago\n"
		"    because of: signup form\n"
		"    held: quiet hours\n"
		"    until Mon 23 Nov 08:05, in 1 day\n"
		"    next            two: mail b\n"
		"    then            if-1: if country == \"DE\"   (now: yes)\n"
		"                      country: \"DE\"\n"
		"                      then: four; else: the end\n"
		"    ends as converted when interest >= 50   (now: no)\n"
		"      interest: 10.0\n"
		"  other: held out since Fri 20 Nov 10:00, 1 day ago\n"
		"    one of those who get nothing, to be compared with the others\n"
		"    until Sun 20 Dec 10:00, in 28 days\n"
		"\n"
		"GOT\n"
		"  Fri 20 Nov 10:00  a (arm a-2)               story / one                       sent\n"
		"                    because of: signup form\n"
		"                    relay: 250 2.0.0 Ok\n"
		"                    open Fri 20 Nov 10:30, click Fri 20 Nov 11:00\n"
		"  Fri 20 Nov 09:00  forward                   forwarded reply to ana@example.com failed\n"
		"                    relay: 550 no such user\n"
		"\n"
		"HELD BACK\n"
		"  Sat 21 Nov 00:00  two: quiet hours; until Mon 23 Nov 08:05, in 1 day\n"
		"  Fri 20 Nov 00:00  two was dropped: 3 days over\n"
		"\n"
		"BEHIND THEM\n"
		"  Thu 22 Oct 10:00  old, since Tue 20 Oct 10:00, ended at x: goal\n"
		"                    because of: signup form\n"
		"\n"
		"HOT: no\n"
		"  did(\"asked\")   (now: no)\n"
		"  became hot Sun 1 Nov 10:00, 20 days ago\n"
		"    because of: asked\n"
		"  makes no second lead until Sun 29 Nov 10:00, in 7 days\n"
		"  lead led_1, Sun 1 Nov 10:00, 20 days ago: rejected, of ana: no budget\n"
		"\n"
		"STAGE: awareness, since Fri 20 Nov 10:00, 1 day ago\n"
		"  because of: they came\n"
		"  > awareness       where everybody begins\n"
		"    decision        interest >= 60   (now: no)\n"
		"\n"
		"LIST: looking, since Fri 20 Nov 10:00, 1 day ago\n"
		"  because of: story: away\n"
		"  a step moved them there, until the stage changes\n"
		"\n"
		"BY TIME ALONE\n"
		"  Nothing changes within a year.\n"
		"\n"
		"TESTS THEY ARE IN\n"
		"  Fri 20 Nov 10:00  one: got a-2; click: won\n"
		"\n"
		"RECORD, newest first\n"
		"  Fri 20 Nov 10:00  enrol story: signup form\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_wrapped_cleaned_and_their_times_local),
		cmocka_unit_test(a_value_and_its_parts),
		cmocka_unit_test(a_score),
		cmocka_unit_test(what_a_reload_would_change),
		cmocka_unit_test(one_sequence),
		cmocka_unit_test(who_would_enter_and_who_has),
		cmocka_unit_test(why_they_got_it_and_what_comes_next),
	};

	setenv("TZ", "UTC-1", 1);
	tzset();
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
