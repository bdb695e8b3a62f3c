/*
 * test_persona.c: what a persona's file becomes, phrase by phrase; every kind of mistake, and what is said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"
#include "config/persona.h"
#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD "persona: Eva\nemail: eva@nordlicht.example\n"

static struct plan *plan;

static int setup(void **state)
{
	struct plan_errors errors = { 0 };

	plan = plan_load_to_look(CONF_GOOD "/nurtured.yaml", &errors);
	buf_clear(&errors.text);
	return plan ? 0 : -1;
}

static int teardown(void **state)
{
	plan_unref(&plan);
	return 0;
}

static struct persona *good(const char *text)
{
	struct plan_errors errors = { 0 };
	struct persona *p = persona_parse("eva.yaml", text, strlen(text), plan, &errors);

	if (!p)
		fail_msg("%s in\n%s", buf_cstr(&errors.text), text);
	assert_int_equal(errors.count, 0);
	return p;
}

static struct persona *behaves(const char *phrase)
{
	char *text = xasprintf(HEAD "behaviour:\n  - %s\n", phrase);
	struct persona *p = good(text);

	free(text);
	return p;
}

/* --- phrases ------------------------------------------------------------------------------------------------------ */

/* A habit in few letters, for the rows below. */
static void show_mails(const struct which_mails *m, struct buf *out)
{
	if (m->all)
		buf_str(out, "all");
	else if (m->number)
		buf_printf(out, "#%d", m->number);
	else if (m->name)
		buf_str(out, m->name);
	else
		buf_printf(out, "%g", m->chance);
}

static void show_date(const struct persona_date *d, struct buf *out)
{
	buf_printf(out, "%d-%d-%d", d->year, d->month, d->day);
}

static void show_when(const struct habit *h, struct buf *out)
{
	if (h->when == WHEN_MAIL)
		show_mails(&h->mails, out);
	else if (h->when == WHEN_DAY)
		buf_printf(out, "day %d", h->day);
	else
		show_date(&h->date, out);
	if (h->minute >= 0)
		buf_printf(out, " at %d", h->minute);
}

static void show(const struct habit *h, struct buf *out)
{
	static const char *const verbs[] = { "opens", "clicks", "replies", "unsubscribes", "complains", "bounces", "visits", "does", "prefers", "away", "accepts",
		"rejects", "wins", "loses" };

	buf_printf(out, "%s %s[%s] ", verbs[h->verb], h->soft ? "softly " : "", h->text);
	if (h->verb == HABIT_AWAY) {
		show_date(&h->from, out);
		buf_str(out, " ");
		show_date(&h->date, out);
	} else if (h->verb < HABIT_AWAY) {
		show_when(h, out);
	}
	if (h->verb == HABIT_CLICKS)
		buf_printf(out, " link %d", h->link);
	if (h->verb == HABIT_SALES_WINS)
		buf_printf(out, "%g", h->amount);
	if (h->verb == HABIT_DOES)
		buf_printf(out, " (%s) %s", h->subject, h->data);
	if (h->delay >= 0)
		buf_printf(out, " +%lld", (long long)(h->delay / US_MINUTE));
}

static void test_phrases(void **state)
{
	static const struct {
		const char *phrase, *means;
	} rows[] = {
		{ "opens all", "opens [] all" },
		{ "Opens all mails after 2 hours", "opens [] all +120" },
		{ "opens 40%", "opens [] 0.4" },
		{ "opens 2.5% after 10 min", "opens [] 0.025 +10" },
		{ "opens the first", "opens [] #1" },
		{ "opens the 12th mail", "opens [] #12" },
		{ "clicks the second after 3 hours", "clicks [] #2 link 1 +180" },
		{ "clicks link 2 of mistakes", "clicks [] mistakes link 2" },
		{ "clicks 10% after 2h30m", "clicks [] 0.1 link 1 +150" },
		{ "replies \"not now, call me in May\" to mistakes after 3 days", "replies [not now, call me in May] mistakes +4320" },
		{ "replies 'ok' the third", "replies [ok] #3" },
		{ "unsubscribes from the fifth", "unsubscribes [] #5" },
		{ "unsubscribes 1% after 1 day", "unsubscribes [] 0.01 +1440" },
		{ "complains about the second", "complains [] #2" },
		{ "bounces on the first", "bounces [] #1" },
		{ "bounces softly on all", "bounces softly [] all" },
		{ "visits /pricing on day 5", "visits [/pricing] day 5" },
		{ "visits /pricing on day 0 at 14:30", "visits [/pricing] day 0 at 870" },
		{ "visits /compare/x on 2 June", "visits [/compare/x] 0-6-2" },
		{ "visits / on 2nd June 2027 at 00:00", "visits [/] 2027-6-2 at 0" },
		{ "visits / on June 2", "visits [/] 0-6-2" },
		{ "visits / on 29 Feb", "visits [/] 0-2-29" },
		{ "visits / on 2026-06-02", "visits [/] 2026-6-2" },
		{ "prefers a pause of 30 days on day 5", "prefers [a pause of 30 days] day 5" },
		{ "prefers at most 1 per 7 days after the second by 2 hours", "prefers [at most 1 per 7 days] #2 +120" },
		{ "prefers language de-AT on 2 June", "prefers [language de-AT] 0-6-2" },
		{ "visits /pricing after mistakes", "visits [/pricing] mistakes" },
		{ "visits /pricing after the second by 2 hours", "visits [/pricing] #2 +120" },
		{ "visits /pricing after 30%", "visits [/pricing] 0.3" },
		{ "does purchase on day 20", "does [purchase] day 20 () {}" },
		{ "'does purchase on day 20 {plan: team, amount: 1200}'", "does [purchase] day 20 () {\"plan\":\"team\",\"amount\":1200}" },
		{ "does purchase on day 20: {plan: \"1\", n: 1.5, yes: true, no: null, deep: [a, {b: c}]}",
			"does [purchase] day 20 () {\"plan\":\"1\",\"n\":1.5,\"yes\":true,\"no\":null,\"deep\":[\"a\",{\"b\":\"c\"}]}" },
		{ "does page_view \"/pricing\" after the first by 1 hour", "does [page_view] #1 (/pricing) {} +60" },
		{ "out of office till 2 June", "away [] 0-0-0 0-6-2" },
		{ "out of office from 20 May until 2026-06-02", "away [] 0-5-20 2026-6-2" },
		{ "sales accepts", "accepts [] " },
		{ "sales rejects \"no budget\" after 1 day", "rejects [no budget]  +1440" },
		{ "sales wins 12000.5 after 10 days", "wins [] 12000.5 +14400" },
		{ "sales wins after 10 days", "wins [] 0 +14400" },
		{ "sales loses 'too dear'", "loses [too dear] " },
		{ "sales loses", "loses [] " },
	};
	struct buf means = BUF_INIT;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct persona *p = behaves(rows[i].phrase);

		buf_reset(&means);
		assert_int_equal(p->habit_count, 1);
		show(&p->habits[0], &means);
		assert_string_equal(buf_cstr(&means), rows[i].means);
		assert_true(p->confirms);
		persona_free(&p);
	}
	buf_clear(&means);
}

static void test_several_in_one(void **state)
{
	struct persona *p = behaves("opens 40%, clicks 10% , replies \"a, b\" to 1%");

	assert_int_equal(p->habit_count, 3);
	assert_int_equal(p->habits[1].verb, HABIT_CLICKS);
	assert_string_equal(p->habits[2].text, "a, b");
	persona_free(&p);
}

static void test_confirming(void **state)
{
	struct persona *p = behaves("confirms never");

	assert_false(p->confirms);
	persona_free(&p);
	p = behaves("confirms after 2 days");
	assert_true(p->confirms && p->confirm_delay == 2 * US_DAY);
	assert_int_equal(p->habit_count, 0);
	persona_free(&p);
}

/* --- the rest ------------------------------------------------------------------------------------------------------ */

static void test_all_keys(void **state)
{
	struct persona *p = good(HEAD "fields: {first_name: Eva, company: Nordlicht}\nlanguage: de\ntimezone: America/New_York\n"
			"form: book\nstart: {event: trial_started, subject: team, data: {seats: 12}}\nstarts: 2026-03-02 09:30\ndays: 90\n"
			"share: 3\ndomains: {gmail.com: 40, GMX.de: 2}\n");

	assert_string_equal(p->name, "Eva");
	assert_string_equal(p->address.key, "eva@nordlicht.example");
	assert_int_equal(p->field_count, 2);
	assert_string_equal(plan->fields[p->fields[1].field].name, "company");
	assert_string_equal(p->fields[1].value, "Nordlicht");
	assert_string_equal(p->form->name, "book");
	assert_string_equal(p->event, "trial_started");
	assert_string_equal(p->event_data, "{\"seats\":12}");
	assert_true(p->dated && p->starts.month == 3 && p->starts_minute == 570);
	assert_string_equal(zone_name(p->zone), "America/New_York");
	assert_int_equal(p->days, 90);
	assert_int_equal(p->share, 3);
	assert_int_equal(p->domain_count, 2);
	assert_string_equal(p->domains[1].domain, "gmx.de");
	persona_free(&p);
}

static void test_without_keys(void **state)
{
	struct persona *p = good(HEAD);

	assert_null(p->form);
	assert_null(p->event);
	assert_false(p->dated);
	assert_string_equal(p->timezone, "");
	assert_string_equal(zone_name(p->zone), "Europe/Berlin");	/* the plan's */
	assert_int_equal(p->days, 60);
	assert_true(p->confirms);
	persona_free(&p);
}

static void test_dates(void **state)
{
	struct persona_date d;
	struct err err;
	int minute;

	assert_int_equal(persona_date_parse("2028-02-29", &d, &minute, &err), 0);
	assert_true(d.year == 2028 && d.month == 2 && d.day == 29 && minute == -1);
	assert_int_equal(persona_date_parse("2026-03-02 23:59", &d, &minute, &err), 0);
	assert_int_equal(minute, 23 * 60 + 59);
	assert_int_equal(persona_date_parse("2027-02-29", &d, &minute, &err), -1);
	assert_int_equal(persona_date_parse("2026-03-02 24:00", &d, &minute, &err), -1);
	assert_int_equal(persona_date_parse("2026-3-2", &d, &minute, &err), -1);
	assert_int_equal(persona_date_parse("tomorrow", &d, &minute, &err), -1);
	assert_string_equal(err.text, "`tomorrow` is no date; write it like 2026-03-02, or 2026-03-02 09:30");
}

/* --- mistakes ------------------------------------------------------------------------------------------------------ */

#define CLICKS "clicks the second after 3 hours (all, the second, a mail's name, or 10%)"
#define OPENS "opens all after 2 hours (all, the second, a mail's name, or 40%)"
#define VISITS "visits /pricing on day 5 (or: on 2 June at 14:30; or: after the second by 2 hours)"
#define DOES "does purchase on day 20 {amount: 1200} (or: on 2 June at 14:30; or: after the second by 2 hours)"

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "behaviour:\n  - opns all\n", "eva.yaml:4:5: no phrase begins with `opns`; did you mean `opens`?\n" },
		{ "behaviour:\n  - opens\n", "eva.yaml:4:9: the phrase ends too early; write it like: " OPENS "\n" },
		{ "behaviour:\n  - opens al\n", "eva.yaml:4:11: there is no mail `al` in templates/emails/; there are `confirm`, `delivery` and `mistakes`\n" },
		{ "behaviour:\n  - opens mistake\n", "eva.yaml:4:11: there is no mail `mistake` in templates/emails/; did you mean `mistakes`?\n" },
		{ "behaviour:\n  - clicks the next\n", "eva.yaml:4:16: `next` is not understood here; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks all after lunch\n", "eva.yaml:4:22: `lunch` is no duration; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks all after 3\n", "eva.yaml:4:22: `3` is no duration; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks all after\n", "eva.yaml:4:20: the phrase ends too early; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks all after 9999 days\n", "eva.yaml:4:22: that is more than ten years; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks link 0 of all\n", "eva.yaml:4:17: 0 is out of bounds; 1 to 255 are allowed; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - clicks link 900 of all\n", "eva.yaml:4:17: 900 is out of bounds; 1 to 255 are allowed; write it like: " CLICKS "\n" },
		{ "behaviour:\n  - opens 140%\n", "eva.yaml:4:11: a chance is 0% to 100%; write it like: " OPENS "\n" },
		{ "behaviour:\n  - opens all, all\n", "eva.yaml:4:16: no phrase begins with `all`; there are `opens`, `clicks`, `replies`, "
			"`unsubscribes`, `complains`, `bounces`, `visits`, `does`, `prefers`, `out`, `confirms` and `sales`\n" },
		{ "behaviour:\n  - opens all today\n", "eva.yaml:4:15: `today` is not understood here; write it like: " OPENS "\n" },
		{ "behaviour:\n  - replies yes to all\n", "eva.yaml:4:13: `yes` is not understood here; write it like: replies \"not now\" to the second after 3 days\n" },
		{ "behaviour:\n  - replies \"yes to all\n", "eva.yaml:4:13: this quote is not closed; write it like: replies \"not now\" to the second after 3 days\n" },
		{ "behaviour:\n  - visits pricing on day 5\n", "eva.yaml:4:12: `pricing` is no path, which begins with /; write it like: " VISITS "\n" },
		{ "behaviour:\n  - visits /pricing\n", "eva.yaml:4:19: the phrase ends too early; write it like: " VISITS "\n" },
		{ "behaviour:\n  - visits /pricing on day 5 at 25:00\n", "eva.yaml:4:33: `25:00` is not understood here; write it like: " VISITS "\n" },
		{ "behaviour:\n  - visits /pricing on 31 June\n", "eva.yaml:4:24: there is no such day; write it like: " VISITS "\n" },
		{ "behaviour:\n  - visits /pricing on Pentecost\n", "eva.yaml:4:24: `Pentecost` is not understood here; write it like: " VISITS "\n" },
		{ "behaviour:\n  - does a-b on day 1\n", "eva.yaml:4:10: `a-b` is no name of an event: letters, digits and _; write it like: " DOES "\n" },
		{ "behaviour:\n  - 'does purchase on day 1 {amount'\n", "eva.yaml:4:29: this brace is not closed; write it like: " DOES "\n" },
		{ "behaviour:\n  - 'does purchase on day 1 {[}'\n", "eva.yaml:4:29: what stands in the braces is no list of `name: value`; write it like: " DOES "\n" },
		{ "behaviour:\n  - does purchase on day 20 {plan: team, amount: 1200}\n",
			"eva.yaml:4:48: mapping values are not allowed in this context\n"
			"eva.yaml:4:48: a phrase with `: ` or `{` in it goes in quotes; or write it like: does purchase on day 20: {amount: 1200}\n" },
		{ "behaviour:\n  - does purchase on day 20 {plan: team}\n",
			"eva.yaml:4:5: YAML takes this for a mapping; put the phrase in quotes, or write it like: does purchase on day 20: {amount: 1200}\n" },
		{ "behaviour:\n  - opens all: {a: b}\n", "eva.yaml:4:16: only `does EVENT on day N` has data behind it\n" },
		{ "behaviour:\n  - [opens all]\n", "eva.yaml:4:5: a phrase of `behaviour` is a list here; it must be one text\n" },
		{ "behaviour:\n  - out of office\n", "eva.yaml:4:17: the phrase ends too early; write it like: out of office till 2 June (or: from 20 May till 2 June)\n" },
		{ "behaviour:\n  - confirms\n", "eva.yaml:4:12: the phrase ends too early; write it like: confirms never (or: confirms after 2 days)\n" },
		{ "behaviour:\n  - sales shrugs\n", "eva.yaml:4:11: `shrugs` is not understood here; write it like: sales accepts after 1 hour (or: rejects \"no budget\"; wins 12000; loses \"too dear\")\n" },
		{ "form: bok\n", "eva.yaml:3:7: there is no form `bok`; did you mean `book`?\n" },
		{ "form: book\n", "eva.yaml:1:1: the form `book` wants `company`; give it in `fields`\n" },
		{ "form: book\nfields: {company: N, role: x}\n",
			"eva.yaml:4:22: the form `book` does not ask for `role`; name it in the form's `fields`, or leave it away here\n" },
		{ "fields: {rol: x}\n", "eva.yaml:3:10: there is no field `rol` in nurture.yaml; did you mean `role`?\n" },
		{ "fields: {seats: many}\n", "eva.yaml:3:17: `many` is no number; `seats` holds numbers\n" },
		{ "starts: soon\n", "eva.yaml:3:9: `starts`: `soon` is no date; write it like 2026-03-02, or 2026-03-02 09:30\n" },
		{ "timezone: Mars/Olympus\n", "eva.yaml:3:11: there is no time zone `Mars/Olympus`; names are like Europe/Berlin\n" },
		{ "domains: {gmail.com: many}\n", "eva.yaml:3:22: the share of `gmail.com` is a whole number from 1 to 1000000\n" },
		{ "domains: {gmail: 3}\n", "eva.yaml:3:11: `gmail` is no domain name; write it like mail.example.com\n" },
		{ "start: {event: a-b}\n", "eva.yaml:3:16: `a-b` is no name of an event: letters, digits and _\n" },
		{ "start: {subject: x}\n", "eva.yaml:3:8: `event` is missing in `start`; it is its name, as the website sends it\n" },
		{ "day: 3\n", "eva.yaml:3:1: unknown key `day` in a persona; did you mean `days`?\n" },
	};
	int bad = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = xasprintf(HEAD "%s", rows[i].text);
		struct plan_errors errors = { 0 };
		struct persona *p = persona_parse("eva.yaml", text, strlen(text), plan, &errors);

		if (p || strcmp(buf_cstr(&errors.text), rows[i].said) != 0) {
			print_error("%swas to say\n%ssaid\n%s\n", rows[i].text, rows[i].said, buf_cstr(&errors.text));
			bad++;
		}
		persona_free(&p);
		buf_clear(&errors.text);
		free(text);
	}
	assert_int_equal(bad, 0);
}

static void test_too_many_habits(void **state)
{
	struct plan_errors errors = { 0 };
	struct buf text = BUF_INIT;

	buf_str(&text, HEAD "behaviour:\n");
	for (int i = 0; i < 101; i++)
		buf_str(&text, "  - opens all\n");
	assert_null(persona_parse("eva.yaml", text.data, text.len, plan, &errors));
	assert_string_equal(buf_cstr(&errors.text), "eva.yaml:104:5: more than 100 phrases; a person of fewer habits will do\n");
	buf_clear(&errors.text);
	buf_clear(&text);
}

static void test_no_file(void **state)
{
	struct plan_errors errors = { 0 };
	struct personas all;

	assert_null(persona_load("/nowhere/eva.yaml", plan, &errors));
	assert_int_equal(personas_load("/nowhere", plan, &all, &errors), -1);
	assert_int_equal(personas_load("docs", plan, &all, &errors), -1);
	assert_string_equal(buf_cstr(&errors.text), "/nowhere/eva.yaml:1:1: there is no such file\n/nowhere:1:1: there is no such file\n"
			"docs:1:1: there is no persona here; each is a file that ends with .yaml\n");
	buf_clear(&errors.text);
}

static void test_a_folder(void **state)
{
	struct plan_errors errors = { 0 };
	struct plan *example = plan_load_to_look("conf/nurtured.yaml", &errors);
	struct personas all;

	assert_non_null(example);
	assert_int_equal(personas_load("conf/personas", example, &all, &errors), 0);
	assert_true(all.count >= 1);
	personas_clear(&all);
	plan_unref(&example);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phrases),
		cmocka_unit_test(test_several_in_one),
		cmocka_unit_test(test_confirming),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_without_keys),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_too_many_habits),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_a_folder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
