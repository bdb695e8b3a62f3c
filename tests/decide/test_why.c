/*
 * test_why.c: one person's story, and what `prospect why` says at each of its turns: what they got and why, what was held back and until when,
 * what comes next and what would change it, why they are hot, and the tests they are in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "small_site.h"

#include "base/log.h"
#include "base/text.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

static const char story[] =
	"list: all\nenter: {on: signup}\nagain: never\ngoal: stage >= \"second\"\nexit: did(\"refund\")\nsteps:\n"
	"  - one: {send: a}\n"
	"  - {wait: 14 hours}\n"
	"  - two: {send: b}\n"
	"  - read:\n      wait_for: clicked(\"b\")\n      at_most: 3 days\n      otherwise: three\n"
	"  - where:\n      if: country == \"DE\"\n      then: four\n      else: three\n"
	"  - three: {send: c}\n"
	"  - {end: done}\n"
	"  - four: {send: d}\n";
static const char sales[] =
	"hot: did(\"asked\", 7 days)\ncooldown: 14 days\non_hot: pause\nreplies_to: sales@example.com\n"
	"owners:\n  - {name: ana, email: ana@example.com, share: 1}\nalerts: []\n";

static struct site site;
static const char who[] = "eva@example.com";

static void open_site(const char *sequence)
{
	clock_set(START);
	site_init(&site);
	site_write(&site, "sales.yaml", sales);
	site_sequence(&site, "story", sequence);
	site_open(&site);
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

/* --- what happens -------------------------------------------------------------------------------------------------- */

static int send_due(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct mail_batch *batch;
	size_t i;
	int rc = on_claim(s->d, db, 10, &batch, err);

	for (i = 0; rc == 0 && i < batch->count; i++) {
		int64_t delivery = batch->mails[i].delivery;
		struct mail_outcome sent = {
			.delivery = delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "2.0.0 Ok: queued as 4711", .at = clock_now(),
		};
		bool may;

		rc = on_dot(s->d, db, delivery, &may, err) || on_outcome(s->d, db, &sent, err);
	}
	if (rc == 0)
		mail_batch_free(&batch);
	return rc ? -1 : 0;
}

static int let_time_pass(struct site *s, struct db *db, void *arg, struct err *err)
{
	size_t done;

	do {
		if (on_time(s->d, db, 100, &done, err))
			return -1;
	} while (done);
	return 0;
}

static void at(int64_t after)
{
	clock_set(START + after);
	site_run(&site, let_time_pass, NULL);
	site_run(&site, send_due, NULL);
}

/* --- what is said -------------------------------------------------------------------------------------------------- */

static int read_why(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = look_why(s->plan, db, who, &out, err);

	*(json_t **)arg = rc == 1 ? json_loadb(out.data, out.len, 0, NULL) : NULL;
	buf_clear(&out);
	return rc == 1 ? 0 : -1;
}

static json_t *why(void)
{
	static json_t *last;

	json_decref(last);
	site_run(&site, read_why, &last);
	return last;
}

/* By a path such as "mails.0.state": as text, numbers and times too; "(none)" where there is nothing. */
static const char *at_path(const json_t *json, const char *path)
{
	static char text[400];
	char name[40];
	size_t n;

	for (; *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10)) : json_object_get(json, name);
	}
	if (json_is_string(json))
		return json_string_value(json);
	snprintf(text, sizeof(text), !json ? "(none)" : json_is_null(json) ? "null" : json_is_boolean(json) ? (json_is_true(json) ? "yes" : "no") : "%g",
			json_number_value(json));
	return text;
}

static void assert_says(const json_t *json, const char *const (*rows)[2])
{
	for (; (*rows)[0]; rows++)
		if (strcmp(at_path(json, (*rows)[0]), (*rows)[1]) != 0)
			fail_msg("%s is %s, not %s", (*rows)[0], at_path(json, (*rows)[0]), (*rows)[1]);
}

#define SAYS(...) assert_says(why(), (const char *const[][2]){ __VA_ARGS__, { NULL, NULL } })

/* --- the story ----------------------------------------------------------------------------------------------------- */

static void each_turn_has_its_reason(void **state)
{
	const json_t *now;

	open_site(story);
	site_signup(&site, who, "DE", "", "Europe/Berlin");
	at(0);
	SAYS({ "name", "Eva" }, { "suppressed", "null" },
		{ "mails.0.template", "a" }, { "mails.0.state", "sent" }, { "mails.0.sequence", "story" }, { "mails.0.step", "one" },
		{ "mails.0.because", "signup form" }, { "mails.0.code", "250" }, { "mails.0.reply", "2.0.0 Ok: queued as 4711" }, { "mails.1", "(none)" },
		{ "sequences.0.state", "active" }, { "sequences.0.because", "signup form" }, { "sequences.0.step", "two" },
		{ "sequences.0.waits", "wait 14 hours" }, { "sequences.0.held", "null" }, { "sequences.0.due", "2026-11-23T23:00:00Z" },
		{ "sequences.0.ahead.0.does", "mail b" }, { "sequences.0.ahead.1.does", "wait for clicked(\"b\"), at most 3 days" },
		{ "sequences.0.ahead.1.ways.0.label", "in time" }, { "sequences.0.ahead.1.ways.0.to", "where" },
		{ "sequences.0.ahead.1.ways.1.to", "three" }, { "sequences.0.ahead.2", "(none)" },
		{ "sequences.0.changes.0.what", "goal" }, { "sequences.0.changes.0.when", "stage >= \"second\"" }, { "sequences.0.changes.0.holds", "no" },
		{ "sequences.0.changes.0.parts.1", "  stage: \"first\"" }, { "sequences.0.changes.1.what", "exit" },
		{ "sequences.0.changes.2.when", "list is not all" },
		{ "on_stage.now", "first" }, { "on_stage.because", "they came" }, { "on_stage.rules.1.when", "interest >= 50" },
		{ "on_stage.rules.1.holds", "no" }, { "on_list.now", "all" }, { "hot_rule.now", "no" }, { "hot_rule.holds", "no" }, { "lead", "null" },
		{ "held.0", "(none)" }, { "past.0", "(none)" }, { "journal.0.kind", "enrol" });

	at(14 * US_HOUR);
	SAYS({ "held.0.what", "two" }, { "held.0.why", "quiet hours" }, { "held.0.went_out", "null" }, { "sequences.0.held", "quiet hours" },
		{ "sequences.0.waits", "null" }, { "mails.1", "(none)" });
	now = why();
	assert_string_equal(at_path(now, "held.0.until"), at_path(now, "sequences.0.due"));
	assert_true(text_starts_with(at_path(now, "held.0.until"), "2026-11-24T07:"));

	at(23 * US_HOUR);
	SAYS({ "mails.0.template", "b" }, { "held.0.until", "null" }, { "held.0.went_out", "2026-11-24T08:00:00Z" },
		{ "sequences.0.step", "read" }, { "sequences.0.waits", "wait for clicked(\"b\"), at most 3 days" }, { "sequences.0.changes.0.what", "wait" },
		{ "sequences.0.changes.0.holds", "no" }, { "sequences.0.changes.0.then", "goes on at once" }, { "sequences.0.changes.1.what", "goal" });

	site_track(&site, who, "asked", "{}");
	SAYS({ "hot_rule.now", "yes" }, { "hot_rule.because", "asked" }, { "hot_rule.cooldown_until", "2026-12-08T08:00:00Z" },
		{ "hot_rule.parts.0", "did(\"asked\", 7 days): yes (at the earliest another at 2026-12-01T08:00:00Z)" }, { "lead.state", "new" },
		{ "lead.owner", "ana" }, { "sequences.0.state", "paused" }, { "sequences.0.held", "hot" }, { "sequences.0.due", "null" },
		{ "changes.0.what", "hot" }, { "changes.0.to", "not hot" }, { "changes.0.at", "2026-12-01T08:00:00Z" });
}

static void what_is_behind_them_says_how_it_ended(void **state)
{
	int i;

	open_site(story);
	site_signup(&site, who, NULL, "", "");
	at(0);
	for (i = 0; i < 5; i++)
		site_track(&site, who, "visit", "{}");
	SAYS({ "sequences.0", "(none)" }, { "past.0.sequence", "story" }, { "past.0.why", "goal" }, { "past.0.step", "two" },
		{ "past.0.because", "signup form" }, { "past.0.held_out", "no" }, { "on_stage.now", "second" }, { "on_stage.because", "visit" },
		{ "on_stage.rules.1.until_holds", "no" }, { "on_list.now", "ready" }, { "changes.0.what", "stage" }, { "changes.0.to", "first" });
}

/* A step is seen from before: an `if` says where it would lead now. */
static void branches_ahead_say_where_they_lead_now(void **state)
{
	open_site("enter: {on: signup}\nsteps:\n  - {wait: 1 day}\n  - where:\n      if: country == \"DE\"\n      then: four\n      else: three\n"
		"  - three: {send: c}\n  - {end: done}\n  - four: {send: d}\n");
	site_signup(&site, who, "DE", "", "");
	SAYS({ "sequences.0.step", "where" }, { "sequences.0.ahead.0.does", "if country == \"DE\"" }, { "sequences.0.ahead.0.holds", "yes" },
		{ "sequences.0.ahead.0.parts.1", "  country: \"DE\"" }, { "sequences.0.ahead.1.step", "four" }, { "sequences.0.ahead.2", "(none)" });
}

/* They finish the version that they entered: what comes next is what that says. */
static void an_old_version_says_what_comes_next(void **state)
{
	open_site("enter: {on: signup}\non_change: finish\nsteps:\n  - {wait: 1 day}\n  - two: {send: b}\n  - {wait: 2 days}\n  - {send: c}\n");
	site_signup(&site, who, "DE", "", "");
	site_sequence(&site, "story", "enter: {on: signup}\non_change: finish\nsteps:\n  - {wait: 1 day}\n  - other: {send: d}\n");
	site_reload(&site);
	SAYS({ "sequences.0.old_version", "yes" }, { "sequences.0.step", "two" }, { "sequences.0.waits", "wait 1 day" },
		{ "sequences.0.does", "mail b" }, { "sequences.0.ahead.2.does", "mail c" });
}

static void who_is_held_out_is_told(void **state)
{
	open_site("enter: {on: signup}\nholdout: 90%\nholdout_for: 30 days\ngoal: did(\"bought\")\nsteps:\n  - {send: a}\n");
	site_signup(&site, who, NULL, "", "");
	at(0);
	SAYS({ "mails.0", "(none)" }, { "sequences.0.state", "held out" }, { "sequences.0.due", "2026-12-23T09:00:00Z" },
		{ "sequences.0.ahead", "(none)" }, { "sequences.0.changes.0.what", "goal" }, { "journal.0.kind", "holdout" });
}

static void the_arm_of_a_test_is_told(void **state)
{
	const json_t *now;

	open_site("enter: {on: signup}\nsteps:\n  - try:\n      test: [a, b]\n      by: bought\n      within: 2 days\n      method: fixed\n  - {wait: 9 days}\n"
		"  - {send: c}\n");
	site_signup(&site, who, NULL, "", "");
	at(0);
	SAYS({ "tests.0.step", "try" }, { "tests.0.decided_by", "bought" }, { "tests.0.won", "no" }, { "tests.0.until", "2026-11-25T09:00:00Z" },
		{ "tests.1", "(none)" });
	now = why();
	assert_string_equal(at_path(now, "tests.0.arm"), at_path(now, "mails.0.arm"));
	site_track(&site, who, "bought", "{}");
	SAYS({ "tests.0.won", "yes" }, { "journal.0.kind", "test" });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_turn_has_its_reason, close_site),
		cmocka_unit_test_teardown(what_is_behind_them_says_how_it_ended, close_site),
		cmocka_unit_test_teardown(branches_ahead_say_where_they_lead_now, close_site),
		cmocka_unit_test_teardown(an_old_version_says_what_comes_next, close_site),
		cmocka_unit_test_teardown(who_is_held_out_is_told, close_site),
		cmocka_unit_test_teardown(the_arm_of_a_test_is_told, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
