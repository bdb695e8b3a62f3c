/*
 * test_steps.c: what each kind of step does, over days: the mails that go out and when, what is noted, and what changes with the file.
 *
 * The real decide on a store in memory; the clock jumps from one due time to the next. A mail is logged as "mon 23 10:00 a".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/zone.h"

#include "small_site.h"

/* Monday 2026-11-23 10:00 in Berlin */
#define START (INT64_C(1795424400) * US_SECOND)
#define EVA "eva@work.example"

static struct site site;
static struct buf sent;		/* the log */

static int open_site(void **state)
{
	random_seed(1);
	clock_set(START);
	site_init(&site);
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	buf_clear(&sent);
	clock_set(0);
	return 0;
}

/* --- time passes -------------------------------------------------------------------------------------------------- */

static void log_mail(const struct mail *m)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct zone_time t;

	zone_local(zone_find("Europe/Berlin"), clock_now(), &t);
	buf_printf(&sent, "%s %d %02d:%02d %s%s%s%s%s\n", days[t.weekday], t.day, t.hour, t.minute, m->template->name, m->subject ? " other subject" : "",
		m->owner ? " from " : "", m->owner ? m->owner->full_name : "", m->before_count ? " in thread" : "");
}

struct end {
	int64_t delivery;
	enum outcome outcome;
	int64_t retry_at;
};

static int time_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	size_t done;

	return on_time(s->d, db, 100, &done, err);
}

static int claim_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	return on_claim(s->d, db, 100, arg, err);
}

static int end_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct end *e = arg;
	bool may;

	if (on_dot(s->d, db, e->delivery, &may, err))
		return -1;
	assert_true(may);
	return on_outcome(s->d, db, &(struct mail_outcome){ .delivery = e->delivery, .outcome = e->outcome, .retry_at = e->retry_at, .code = 250,
		.reply = "", .relay_id = "", .at = clock_now() }, err);
}

static struct mail_batch *kept;		/* of a test that looks at what is claimed */

static void send_all(enum outcome outcome, int64_t retry_at)
{
	struct mail_batch *batch = NULL;
	size_t i;

	site_run(&site, claim_fn, &batch);
	for (i = 0; i < batch->count; i++) {
		struct end e = { .delivery = batch->mails[i].delivery, .outcome = outcome, .retry_at = retry_at };

		if (outcome == OUTCOME_SENT)
			log_mail(&batch->mails[i]);
		site_run(&site, end_fn, &e);
	}
	mail_batch_free(&batch);
}

static void run_until(int64_t until)
{
	for (;;) {
		int64_t time = queue_next_due(site.store, LANE_TIME), send = queue_next_mail(site.store), next = time < send ? time : send;

		if (next > until)
			break;
		if (next > clock_now())
			clock_set(next);
		site_run(&site, time_fn, NULL);
		send_all(OUTCOME_SENT, 0);
	}
	clock_set(until);
}

static const char *mails_until(int64_t until)
{
	run_until(until);
	return buf_cstr(&sent);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

struct look {
	const char *email;
	struct prospect row;
	struct enrolment *all;
	size_t count;
	struct buf journal;	/* "kind what: why" a line, oldest first, of the kinds that are asked for */
	const char *kinds;
};

static struct arena *look_arena;

static int look_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct look *l = arg;
	struct address address;
	struct journal_row *rows;
	size_t count, i;
	int found;

	buf_reset(&l->journal);
	if (address_parse(l->email, &address, err))
		return -1;
	found = prospects_find_address(db, address.key, look_arena, &l->row, err);
	if (found != 1)
		return -1;
	if (enrolments_all(db, l->row.id, look_arena, &l->all, &l->count, err) || journal_of(db, l->row.id, 200, look_arena, &rows, &count, err))
		return -1;
	for (i = count; i-- > 0;)
		if (strstr(l->kinds, rows[i].kind))
			buf_printf(&l->journal, "%s %s: %s\n", rows[i].kind, rows[i].what, rows[i].why);
	return 0;
}

/* Valid until the next look. */
static const struct look *look_at(const char *email, const char *kinds)
{
	static struct look l;

	if (!look_arena)
		look_arena = arena_new(0);
	arena_reset(look_arena);
	l.email = email;
	l.kinds = kinds;
	site_run(&site, look_fn, &l);
	return &l;
}

#define ENTER "enter: {on: signup}\n"

static void begin(const char *sequence)
{
	site_sequence(&site, "s", sequence);
	site_open(&site);
	site_signup(&site, EVA, NULL, "", "");
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static void test_wait_until_a_time_of_day(void **state)
{
	begin(ENTER "steps:\n  - {wait_until: \"14:30\"}\n  - {send: a}\n  - {wait_until: thu 09:00}\n  - {send: b}\n"
		"  - {wait_until: business day 16:00}\n  - {send: c}\n");
	assert_string_equal(mails_until(START + 7 * US_DAY), "mon 23 14:30 a\nthu 26 09:00 b\nthu 26 16:00 c\n");
}

static void test_wait_business_days(void **state)
{
	site_write(&site, "nurture.yaml", site_nurture);
	begin(ENTER "steps:\n  - {wait: 3 business days}\n  - {send: a}\n  - {wait: 2 business days}\n  - {send: b}\n");
	assert_string_equal(mails_until(START + 14 * US_DAY), "thu 26 10:00 a\nmon 30 10:00 b\n");
}

static void test_holidays(void **state)
{
	char *nurture = xasprintf("%sholidays:\n  - \"11-24\"\n  - {on: 2026-11-25, when: country == \"DE\"}\n", site_nurture);

	site_write(&site, "nurture.yaml", nurture);
	site_sequence(&site, "s", ENTER "steps:\n  - {wait: 1 day}\n  - {send: a}\n  - {wait: 1 business day}\n  - {send: b}\n");
	site_open(&site);
	site_signup(&site, EVA, "DE", "", "");
	run_until(START + 9 * US_DAY);
	assert_string_equal(look_at(EVA, "hold")->journal.data, "hold send-1: holiday\n");
	buf_reset(&sent);
	site_signup(&site, "jo@work.example", "FR", "", "Europe/Paris");
	free(nurture);
}

static void test_wait_until_a_field(void **state)
{
	begin("enter: {on: signup}\nsteps:\n"
		"  - reminder: {wait_until: webinar_at, before: 1 day, otherwise: late}\n  - {send: a}\n"
		"  - {wait_until: webinar_at, after: 2 hours}\n  - {send: b}\n  - {end: done}\n  - late: {send: c}\n");
	/* nothing is known of the webinar: too late for it */
	assert_string_equal(mails_until(START + US_HOUR), "mon 23 10:00 c\n");
	assert_string_equal(look_at(EVA, "branch")->journal.data, "branch reminder: is empty: late\n");
}

struct set_field {
	const char *email, *value;
};

/* As identify will: a field of somebody who is under way. */
static int set_webinar(struct site *s, struct db *db, void *arg, struct err *err);

static void test_wait_until_a_field_that_moves(void **state)
{
	struct set_field when = { EVA, "2026-11-27T13:00:00Z" };

	begin("enter: {on: booked}\nsteps:\n  - {wait_until: webinar_at, before: 1 day}\n  - {send: a}\n"
		"  - {wait_until: webinar_at, after: 2 hours}\n  - {send: b}\n");
	site_run(&site, set_webinar, &when);
	site_track(&site, EVA, "booked", "{}");
	run_until(START + US_HOUR);
	when.value = "2026-11-26T13:00:00Z";	/* a day earlier: Wednesday 14:00, Thursday 16:00 */
	site_run(&site, set_webinar, &when);
	assert_string_equal(mails_until(START + 9 * US_DAY), "wed 25 14:00 a\nthu 26 16:00 b\n");
}

/* --- branches ----------------------------------------------------------------------------------------------------- */

static void test_branches_are_noted(void **state)
{
	begin(ENTER "steps:\n  - german: {if: country == \"DE\", then: yes-way, else: no-way}\n  - yes-way: {send: a}\n  - {end: done}\n"
		"  - no-way: {send: b}\n  - hoped:\n      wait_for: did(\"visit\")\n      at_most: 2 days\n      otherwise: gave-up\n  - {send: c}\n"
		"  - {end: done}\n  - gave-up: {send: d}\n");
	assert_string_equal(mails_until(START + 5 * US_DAY), "mon 23 10:00 b\nwed 25 10:00 d\n");
	assert_string_equal(look_at(EVA, "branch")->journal.data,
		"branch german: country == \"DE\" does not hold: no-way\n"
		"branch hoped: did(\"visit\") did not come to hold in time: gave-up\n");
}

static void test_a_split_is_even_and_stable(void **state)
{
	int a = 0, i;
	const char *line;
	char email[40];

	site_sequence(&site, "s", ENTER "again: always\nsteps:\n  - half: {split: {left: 30, right: 70}}\n  - left: {send: a, even_in: quiet}\n  - {end: done}\n"
		"  - right: {send: b, even_in: quiet}\n");
	site_open(&site);
	for (i = 0; i < 400; i++) {
		snprintf(email, sizeof(email), "p%d@work.example", i);
		site_signup(&site, email, NULL, "", "");
	}
	run_until(START + US_HOUR);
	for (line = buf_cstr(&sent); *line; line = strchr(line, '\n') + 1)
		a += strchr(line, '\n')[-1] == 'a';
	assert_in_range(a, 95, 145);
	assert_non_null(strstr(buf_cstr(&look_at("p7@work.example", "branch")->journal), "branch half: by share: "));
}

/* --- what steps do ------------------------------------------------------------------------------------------------ */

static void test_tags(void **state)
{
	begin(ENTER "steps:\n  - {tag: [vip, cold]}\n  - {tag: [-cold, -never]}\n  - {if: tags contains \"vip\", then: yes-way, else: no-way}\n"
		"  - yes-way: {send: a}\n  - {end: done}\n  - no-way: {send: b}\n");
	site_sequence(&site, "t", "enter: {on: nothing}\nsteps:\n  - {send: c}\n");
	assert_string_equal(mails_until(START + US_HOUR), "mon 23 10:00 a\n");
	assert_string_equal(look_at(EVA, "tag untag")->row.tags, "vip");
	assert_string_equal(look_at(EVA, "tag untag")->journal.data, "tag vip: s: tag-1\ntag cold: s: tag-1\nuntag cold: s: tag-2\n");
}

static void test_a_tag_lets_into_another_sequence(void **state)
{
	site_sequence(&site, "t", "enter: {on: tagged, when: event.subject == \"vip\"}\nbeside: any\nsteps:\n  - {wait: 1 hour}\n  - {send: c}\n");
	begin(ENTER "steps:\n  - {tag: vip}\n  - {send: a}\n");
	assert_string_equal(mails_until(START + US_DAY + 2 * US_HOUR), "mon 23 10:00 a\nmon 23 11:00 c\n");
}

static void test_move_holds_until_its_time(void **state)
{
	begin(ENTER "steps:\n  - {move: ready, for: 2 days}\n  - {wait: 1 hour}\n  - {send: a}\n");
	assert_string_equal(look_at(EVA, "list move")->row.list, "ready");
	run_until(START + US_DAY);
	assert_string_equal(look_at(EVA, "list move")->row.list, "ready");
	run_until(START + 2 * US_DAY + US_MINUTE);
	assert_string_equal(look_at(EVA, "list move")->row.list, "all");
	assert_string_equal(look_at(EVA, "list move")->journal.data, "move ready: s: move-1\nlist ready: signup form\nlist all: time\n");
}

static void test_move_ends_with_the_stage(void **state)
{
	int i;

	begin(ENTER "steps:\n  - {move: ready}\n  - {send: a}\n");
	for (i = 0; i < 6; i++)
		site_track(&site, EVA, "visit", "{}");
	assert_string_equal(look_at(EVA, "")->row.stage, "second");
	assert_string_equal(look_at(EVA, "")->row.moved_list, "");
	run_until(START + 60 * US_DAY);		/* interest decays: back to where the rules say */
	assert_string_equal(look_at(EVA, "")->row.list, "all");
}

static int alerts_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct alert_batch *batch;
	struct buf *out = arg;
	size_t i;

	if (on_claim_alerts(s->d, db, 10, &batch, err))
		return -1;
	for (i = 0; i < batch->count; i++)
		buf_printf(out, "%s %s", batch->alerts[i].url, batch->alerts[i].body);
	alert_batch_free(&batch);
	return 0;
}

static void test_alert_and_webhook(void **state)
{
	struct buf out = BUF_INIT;

	site_write(&site, "secrets/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
	site_write(&site, "sales.yaml", "alerts:\n  - {to: \"https://crm.example.com/x\", as: note}\n");
	begin(ENTER "steps:\n  - {alert: \"Read it and went quiet\"}\n  - webhook: https://hooks.example.com/y\n    as: note\n  - {send: a}\n");
	site_run(&site, alerts_fn, &out);
	assert_string_equal(buf_cstr(&out),
		"https://crm.example.com/x {\"type\": \"sequence.alert\", \"reason\": \"Read it and went quiet\", \"email\": \"eva@work.example\"}\n"
		"https://hooks.example.com/y {\"type\": \"sequence.webhook\", \"reason\": \"webhook-1\", \"email\": \"eva@work.example\"}\n");
	assert_string_equal(mails_until(START + US_HOUR), "mon 23 10:00 a\n");
	assert_string_equal(look_at(EVA, "alert webhook")->journal.data, "alert Read it and went quiet: s\nwebhook webhook-1: s\n");
	buf_clear(&out);
}

/* --- mails -------------------------------------------------------------------------------------------------------- */

static void test_owner_and_thread(void **state)
{
	site_write(&site, "sales.yaml", "owners:\n  - {name: ana, full_name: Ana Ruiz, email: ana@example.com, when: country == \"DE\"}\n");
	site_sequence(&site, "s", ENTER "steps:\n  - {send: a}\n  - {wait: 1 day}\n  - {send: d, as: owner, thread: same}\n");
	site_open(&site);
	site_signup(&site, EVA, "DE", "", "");
	assert_string_equal(mails_until(START + 2 * US_DAY), "mon 23 10:00 a\ntue 24 10:00 d from Ana Ruiz in thread\n");
	buf_reset(&sent);
	site_signup(&site, "jo@work.example", "FR", "", "");	/* nobody's: the sender */
	assert_string_equal(mails_until(START + 4 * US_DAY), "wed 25 10:00 a\nthu 26 10:00 d in thread\n");
}

static void test_the_mail_of_their_language(void **state)
{
	site_mail(&site, "a.de", "Brief a", "Hallo.");
	site_mail(&site, "a.de-AT", "Brief a", "Servus.");
	site_sequence(&site, "s", ENTER "steps:\n  - {send: a}\n  - {wait: 1 day}\n  - {if: sent(\"a\"), then: yes-way, else: no-way}\n  - yes-way: {send: b}\n"
		"  - {end: done}\n  - no-way: {send: c}\n");
	site_open(&site);
	site_signup(&site, "de@work.example", NULL, "de", "");
	run_until(START + US_MINUTE);
	site_signup(&site, "at@work.example", NULL, "de-AT", "");
	run_until(START + 2 * US_MINUTE);
	site_signup(&site, "ch@work.example", NULL, "de-CH", "");
	run_until(START + 3 * US_MINUTE);
	site_signup(&site, "fr@work.example", NULL, "fr", "");
	/* history calls them all a */
	assert_string_equal(mails_until(START + 2 * US_DAY), "mon 23 10:00 a.de\nmon 23 10:01 a.de-AT\nmon 23 10:02 a.de\nmon 23 10:03 a\n"
		"tue 24 10:00 b\ntue 24 10:01 b\ntue 24 10:02 b\ntue 24 10:03 b\n");
}

static void test_the_confirmation_of_their_language(void **state)
{
	site_mail(&site, "confirm.de", "Bitte bestätigen", "<a href=\"{{ confirm_url }}\">ja</a>");
	site_write(&site, "forms/form.yaml", "form: form\nfields: [email, first_name, country]\nconsent: {purpose: newsletter, words: \"Yes.\"}\n"
		"confirm: double\n");
	site_sequence(&site, "s", ENTER "steps:\n  - {send: a}\n");
	site_open(&site);
	site_signup(&site, "at@work.example", NULL, "de-AT", "");
	run_until(START + US_MINUTE);
	site_signup(&site, "fr@work.example", NULL, "fr", "");
	assert_string_equal(mails_until(START + US_HOUR), "mon 23 10:00 confirm.de\nmon 23 10:01 confirm\n");
}

static void test_a_late_mail_is_dropped(void **state)
{
	begin(ENTER "steps:\n  - {send: a, valid_for: 3 hours}\n  - {wait: 1 hour}\n  - {send: b}\n");
	/* the relay puts it off for four hours: meanwhile it is worth nothing */
	send_all(OUTCOME_DEFERRED, START + 4 * US_HOUR);
	assert_string_equal(mails_until(START + US_DAY), "mon 23 15:00 b\n");
	assert_string_equal(look_at(EVA, "late")->journal.data, "late send-1: late: it was valid for 3 hours\n");
}

static void test_quiet_hours_do_not_make_late(void **state)
{
	begin("enter: {on: booked}\nsteps:\n  - {send: a, valid_for: 3 hours}\n");
	clock_set(START + 10 * US_HOUR);	/* at eight in the evening */
	site_track(&site, EVA, "booked", "{}");
	run_until(START + US_DAY);
	assert_int_equal(strncmp(buf_cstr(&sent), "tue 24 08:0", 11), 0);
}

/* Nobody asked the gate while the daemon was down; the hours count all the same. */
static void test_downtime_makes_late(void **state)
{
	begin(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a, valid_for: 3 hours}\n  - {send: b}\n");
	clock_set(START + 6 * US_HOUR);
	assert_string_equal(mails_until(START + 7 * US_HOUR), "mon 23 16:00 b\n");
}

/* --- tests of mails ----------------------------------------------------------------------------------------------- */

static int click_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct delivery *all;
	struct hit_result result;
	struct prospect row;
	struct address address;
	struct arena *arena = arena_new(0);
	size_t count;
	int rc = -1;

	if (!address_parse(arg, &address, err) && prospects_find_address(db, address.key, arena, &row, err) == 1 &&
			!deliveries_of(db, row.id, 1, arena, &all, &count, err) && count == 1)
		rc = on_hit(s->d, db, &(struct hit_fact){ .delivery = all[0].id, .kind = 'c', .traits = HIT_ACCEPT | HIT_LANGUAGE, .ip = "192.0.2.1", .agent = "Mozilla/5.0", .at = clock_now() },
			&result, err);
	arena_free(&arena);
	return rc;
}

/* Mail b is clicked by half of those who get it, mail a by nobody: in the end all get b. */
static void a_test_finds_the_better_arm(const char *how)
{
	char *text = xasprintf(ENTER "steps:\n  - opener:\n      test: [a, b]\n      within: 1 day\n      even_in: quiet\n%s", how), email[40];
	int i, n = 0, last_a = 0;

	site_sequence(&site, "s", text);
	site_open(&site);
	for (i = 0; i < 60; i++) {
		int k;

		for (k = 0; k < 10; k++, n++) {
			snprintf(email, sizeof(email), "p%d@work.example", n);
			site_signup(&site, email, NULL, "", "");
			buf_reset(&sent);
			run_until(clock_now() + US_MINUTE);
			if (strstr(buf_cstr(&sent), " b\n") && n % 2)
				site_run(&site, click_fn, email);
			if (strstr(buf_cstr(&sent), " a\n"))
				last_a = n;
		}
		run_until(START + (i + 1) * US_DAY);
	}
	assert_in_range(last_a, 60, 450);
	free(text);
}

static void test_thompson(void **state)
{
	a_test_finds_the_better_arm("      method: thompson\n      size: 30\n");
}

static void test_fixed_size(void **state)
{
	a_test_finds_the_better_arm("      method: fixed\n      size: 60\n");
}

static void test_an_arm_of_another_subject(void **state)
{
	char email[40];
	int i;

	site_sequence(&site, "s", ENTER "steps:\n  - test:\n      - a\n      - {mail: a, subject: \"Was it {{ first_name }}?\"}\n    even_in: quiet\n");
	site_open(&site);
	for (i = 0; i < 20; i++) {
		snprintf(email, sizeof(email), "p%d@work.example", i);
		site_signup(&site, email, NULL, "", "");
	}
	run_until(START + US_HOUR);
	assert_non_null(strstr(buf_cstr(&sent), "a\n"));
	assert_non_null(strstr(buf_cstr(&sent), "a other subject\n"));
}

/* --- who is in what ----------------------------------------------------------------------------------------------- */

static void test_beside(void **state)
{
	site_sequence(&site, "low", "enter: {on: signup}\npriority: 1\nsteps:\n  - {wait: 1 day}\n  - {send: a}\n");
	site_sequence(&site, "high", "enter: {on: booked}\npriority: 5\nsteps:\n  - {wait: 3 days}\n  - {send: b}\n");
	site_sequence(&site, "aside", "enter: {on: booked}\nbeside: [high]\npriority: 9\nsteps:\n  - {wait: 2 days}\n  - {send: c}\n");
	site_open(&site);
	site_signup(&site, EVA, NULL, "", "");
	site_track(&site, EVA, "booked", "{}");
	/* high runs beside aside; low waits for whichever ends last */
	assert_string_equal(mails_until(START + 9 * US_DAY), "wed 25 10:00 c\nthu 26 10:00 b\nthu 26 10:00 a\n");
}

static void test_a_holdout_gets_nothing_and_is_watched(void **state)
{
	int held = 0, goals = 0, i;
	char email[40];

	site_sequence(&site, "s", ENTER "goal: did(\"purchase\")\nholdout: 25%\nholdout_for: 10 days\nsteps:\n  - {send: a, even_in: quiet}\n  - {wait: 30 days}\n  - {send: b}\n");
	site_open(&site);
	for (i = 0; i < 200; i++) {
		snprintf(email, sizeof(email), "p%d@work.example", i);
		site_signup(&site, email, NULL, "", "");
	}
	run_until(START + US_DAY);
	for (i = 0; i < 200; i++) {
		const struct look *l;

		snprintf(email, sizeof(email), "p%d@work.example", i);
		l = look_at(email, "holdout");
		assert_int_equal(l->count, 1);
		if (!l->all[0].heldout)
			continue;
		held++;
		assert_int_equal(l->all[0].state, ENROLMENT_WATCHED);
		if (held % 2)
			site_track(&site, email, "purchase", "{}");
	}
	assert_in_range(held, 32, 68);
	run_until(START + 11 * US_DAY);
	for (i = 0; i < 200; i++) {
		const struct look *l;

		snprintf(email, sizeof(email), "p%d@work.example", i);
		l = look_at(email, "holdout");
		if (!l->all[0].heldout)
			continue;
		assert_int_equal(l->all[0].state, ENROLMENT_ENDED);
		goals += strcmp(l->all[0].why, "goal") == 0;
	}
	assert_int_equal(goals, (held + 1) / 2);
}

struct hand {
	const char *email, *sequence, *why_not;
	bool entered;
};

static int enroll_fn(struct site *s, struct db *db, void *arg, struct err *err);

static void test_by_hand(void **state)
{
	struct hand h = { .email = EVA, .sequence = "s" };

	begin("enter: by hand\nsteps:\n  - {send: a}\n");
	assert_string_equal(mails_until(START + US_HOUR), "");
	site_run(&site, enroll_fn, &h);
	assert_true(h.entered);
	site_run(&site, enroll_fn, &h);
	assert_false(h.entered);
	assert_string_equal(h.why_not, "is or was in it");
	assert_string_equal(mails_until(START + 2 * US_HOUR), "mon 23 11:00 a\n");
}

/* --- a changed file ----------------------------------------------------------------------------------------------- */

static void change(const char *sequence)
{
	site_sequence(&site, "s", sequence);
	site_reload(&site);
}

#define LONG_WAY ENTER "steps:\n  - first: {send: a}\n  - {wait: 2 days}\n  - second: {send: b}\n  - {wait: 2 days}\n  - third: {send: c}\n"

static void test_change_move(void **state)
{
	begin(LONG_WAY);
	run_until(START + US_HOUR);
	change(ENTER "on_change: move\nsteps:\n  - first: {send: a}\n  - {wait: 2 days}\n  - second: {send: d}\n  - {wait: 1 day}\n  - fourth: {send: c}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\nwed 25 10:00 d\nthu 26 10:00 c\n");
}

static void test_change_finish(void **state)
{
	begin(LONG_WAY);
	run_until(START + US_HOUR);
	change(ENTER "on_change: finish\nsteps:\n  - first: {send: d}\n  - {wait: 1 day}\n  - fourth: {send: c}\n");
	site_signup(&site, "jo@work.example", NULL, "", "");
	assert_string_equal(mails_until(START + 9 * US_DAY),
		"mon 23 10:00 a\nmon 23 11:00 d\ntue 24 11:00 c\nwed 25 10:00 b\nfri 27 10:00 c\n");
}

/* The version that they finish asks for what the plan in force does not name any more. */
static void test_change_finish_keeps_its_goal(void **state)
{
	begin(ENTER "goal: did(\"visit\")\nsteps:\n  - first: {send: a}\n  - {wait: 2 days}\n  - second: {send: b}\n");
	run_until(START + US_HOUR);
	change(ENTER "on_change: finish\nsteps:\n  - first: {send: d}\n");
	site_track(&site, EVA, "visit", "{}");
	assert_string_equal(look_at(EVA, "")->all[0].why, "goal");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\n");
}

static void test_change_restart(void **state)
{
	begin(LONG_WAY);
	run_until(START + US_HOUR);
	change(ENTER "on_change: restart\nsteps:\n  - {wait: 1 hour}\n  - first: {send: d}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\nmon 23 12:00 d\n");
	assert_string_equal(look_at(EVA, "restart")->journal.data, "restart s: the sequence has changed: from the first step\n");
}

/* Steps without a name are numbered: one more before them must not make another of them. */
static void test_change_numbers_the_unnamed_anew(void **state)
{
	begin(ENTER "steps:\n  - {send: a}\n  - {wait: 1 day}\n  - {send: b}\n  - wait_for: did(\"visit\")\n    at_most: 2 days\n  - {send: c}\n");
	run_until(START + US_DAY + US_HOUR);	/* stands at wait_for-1, behind b */
	change(ENTER "steps:\n  - {send: d}\n  - {send: a}\n  - wait_for: did(\"visit\")\n    at_most: 3 days\n  - {wait: 1 day}\n  - {send: b}\n"
		"  - wait_for: did(\"visit\")\n    at_most: 2 days\n  - {send: c}\n");
	assert_string_equal(look_at(EVA, "branch")->all[0].step, "wait_for-2");
	assert_string_equal(look_at(EVA, "branch")->all[0].why, "wait_for-2");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\ntue 24 10:00 b\nthu 26 10:00 c\n");
}

/* The landmark before it is gone as well: it is found behind the one before that, or nowhere; never at the beginning. */
static void test_change_takes_the_landmark_too(void **state)
{
	begin(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {wait: 1 day}\n  - extra: {send: b}\n  - {wait: 3 days}\n  - {send: c}\n");
	assert_string_equal(mails_until(START + US_DAY + 2 * US_HOUR), "mon 23 11:00 a\ntue 24 11:00 b\n");
	change(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {wait: 3 days}\n  - {send: c}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 11:00 a\ntue 24 11:00 b\nfri 27 11:00 c\n");
}

static void test_change_takes_all_landmarks(void **state)
{
	begin(ENTER "steps:\n  - {wait: 1 hour}\n  - extra: {send: b}\n  - {wait: 3 days}\n  - wait_for: did(\"visit\")\n    at_most: 2 days\n  - {send: c}\n");
	assert_string_equal(mails_until(START + 3 * US_DAY + 2 * US_HOUR), "mon 23 11:00 b\n");
	change(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a}\n  - wait_for: did(\"visit\")\n    at_most: 1 day\n  - {send: d}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 11:00 b\n");
}

/* The same while the mail of such a step is put off, or on its way. */
static void test_change_numbers_a_mail_anew(void **state)
{
	begin(ENTER "steps:\n  - {send: b}\n  - {wait: 1 day}\n  - {send: c}\n");
	send_all(OUTCOME_DEFERRED, START + US_HOUR);
	change(ENTER "steps:\n  - {send: a}\n  - {send: b}\n  - {wait: 1 day}\n  - {send: c}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 11:00 b\ntue 24 11:00 c\n");
}

static void test_change_of_comments_is_none(void **state)
{
	begin(LONG_WAY);
	run_until(START + US_HOUR);
	change("# better words\n" LONG_WAY "on_change: restart\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\nwed 25 10:00 b\nfri 27 10:00 c\n");
}

static void test_a_step_that_is_gone_has_a_fate(void **state)
{
	begin(LONG_WAY);
	run_until(START + US_HOUR);
	change(ENTER "gone: {second: third}\nsteps:\n  - first: {send: a}\n  - {wait: 2 days}\n  - third: {send: c}\n");
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\nwed 25 10:00 c\n");
	assert_string_equal(look_at(EVA, "branch")->journal.data, "branch second: the step is gone from the sequence: third\n");
}

/* A rule that changes shows at once, not at the next event. */
static void test_a_sweep_applies_changed_rules(void **state)
{
	char *nurture = xasprintf("%s", site_nurture), *at;

	begin(ENTER "steps:\n  - {send: a}\n  - {wait: 20 days}\n  - {send: b}\n");
	site_track(&site, EVA, "visit", "{}");
	assert_string_equal(look_at(EVA, "")->row.stage, "first");
	at = strstr(nurture, "interest >= 50");
	memcpy(at, "interest >= 05", strlen("interest >= 05"));
	at = strstr(nurture, "interest < 40");
	memcpy(at, "interest < 02", strlen("interest < 02"));
	site_write(&site, "nurture.yaml", nurture);
	site_reload(&site);
	assert_string_equal(look_at(EVA, "stage")->row.stage, "second");
	assert_string_equal(look_at(EVA, "stage")->journal.data, "stage second: the config has changed\n");
	free(nurture);
}

/* --- what meets what ---------------------------------------------------------------------------------------------- */

#define WEBINAR "enter: {on: booked}\nsteps:\n  - {wait_until: webinar_at, before: 1 day, otherwise: late}\n  - {send: a}\n  - {end: done}\n" \
	"  - late: {send: b}\n"

static void book(const char *webinar_at)
{
	struct set_field when = { EVA, webinar_at };

	begin(WEBINAR);
	site_run(&site, set_webinar, &when);
	site_track(&site, EVA, "booked", "{}");
}

/* The mail was begun: that its time moves does not make it come twice. */
static void test_a_field_that_moves_while_its_mail_is_deferred(void **state)
{
	static const char *const moved[] = { "2026-11-25T12:00:00Z", "2026-11-24T09:00:00Z" };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct set_field when = { EVA, moved[i] };

		if (i) {
			site_clear(&site);
			open_site(NULL);
			buf_reset(&sent);
		}
		book("2026-11-25T10:00:00Z");
		clock_set(START + US_DAY + US_HOUR);
		site_run(&site, time_fn, NULL);
		send_all(OUTCOME_DEFERRED, clock_now() + 2 * US_HOUR);
		site_run(&site, set_webinar, &when);
		assert_string_equal(mails_until(START + 9 * US_DAY), "tue 24 13:00 a\n");
	}
}

/* Another sequence came between, and the webinar is over by now. */
static void test_a_pause_over_what_was_waited_for(void **state)
{
	site_sequence(&site, "high", "enter: {on: vip}\npriority: 50\nsteps:\n  - {wait: 4 days}\n  - {send: c}\n");
	book("2026-11-25T10:00:00Z");
	site_track(&site, EVA, "vip", "{}");
	assert_string_equal(mails_until(START + 9 * US_DAY), "fri 27 10:00 c\nfri 27 10:00 b\n");
}

static int won_fn(struct site *s, struct db *db, void *arg, struct err *err);

/* Its last mail is out, the sequence has ended, and only then they buy. */
static void test_a_goal_after_the_end_decides_a_test(void **state)
{
	int64_t won = 0;

	begin(ENTER "goal: did(\"purchase\")\nsteps:\n  - test: [a, b]\n    by: goal\n    within: 3 days\n");
	run_until(START + US_HOUR);
	site_track(&site, EVA, "purchase", "{}");
	run_until(START + 9 * US_DAY);
	site_run(&site, won_fn, &won);
	assert_int_equal(won, 1);
}

static void test_an_enrolment_ends_once(void **state)
{
	begin(ENTER "steps:\n  - stay: {wait_for: did(\"never\"), at_most: 30 days}\n  - {send: a}\n");
	site_track(&site, EVA, "visit", "{}");
	change(ENTER "goal: did(\"visit\")\ngone: {stay: fin}\nsteps:\n  - first: {send: a}\n  - fin: {tag: old}\n  - {end: file changed}\n");
	assert_string_equal(look_at(EVA, "end")->journal.data, "end s: file changed\n");
}

/* Who is kept out by another sequence is none of those who would have entered. */
static void test_a_holdout_is_drawn_from_those_who_would_enter(void **state)
{
	char email[40];
	int i;

	site_sequence(&site, "high", "enter: {on: signup}\npriority: 50\nsteps:\n  - {wait: 40 days}\n  - {send: c}\n");
	site_sequence(&site, "s", "enter: {on: booked}\ngoal: did(\"purchase\")\nholdout: 50%\nsteps:\n  - {send: a}\n");
	site_open(&site);
	for (i = 0; i < 20; i++) {
		snprintf(email, sizeof(email), "p%d@work.example", i);
		site_signup(&site, email, NULL, "", "");
		site_track(&site, email, "booked", "{}");
		assert_int_equal(look_at(email, "")->count, 1);
	}
}

/* The others are looked at as long as those who get nothing, however early their mails have ended. */
static void test_the_treated_are_watched_as_long(void **state)
{
	const struct look *l;

	begin(ENTER "goal: did(\"purchase\")\nholdout: 1%\nholdout_for: 30 days\nsteps:\n  - {send: a}\n");
	run_until(START + US_HOUR);
	l = look_at(EVA, "end");
	assert_int_equal(l->all[0].state, ENROLMENT_WATCHED);
	assert_false(l->all[0].heldout);
	assert_string_equal(l->journal.data, "end s: done\n");
	site_track(&site, EVA, "purchase", "{}");
	l = look_at(EVA, "end");
	assert_int_equal(l->all[0].state, ENROLMENT_ENDED);
	assert_string_equal(l->all[0].why, "goal");
	site_signup(&site, "jo@work.example", NULL, "", "");
	run_until(START + 40 * US_DAY);
	l = look_at("jo@work.example", "end");
	assert_int_equal(l->all[0].state, ENROLMENT_ENDED);
	assert_string_equal(l->journal.data, "end s: done\n");
}

/* A field that only the older version asks for. */
static void test_change_finish_wakes_by_fields(void **state)
{
	begin(ENTER "steps:\n  - {wait_for: webinar_at != nil, at_most: 30 days}\n  - {send: b}\n");
	change(ENTER "on_change: finish\nsteps:\n  - {send: d}\n");
	site_run(&site, set_webinar, &(struct set_field){ EVA, "2026-11-27T13:00:00Z" });
	assert_string_equal(mails_until(START + US_DAY), "mon 23 10:00 b\n");
}

/* What an older version posts to is still signed, although no file names it any more. */
static void test_change_finish_keeps_its_webhook(void **state)
{
	site_write(&site, "secrets/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
	begin(ENTER "steps:\n  - {wait: 1 day}\n  - webhook: https://old.example.com/x\n    as: note\n    secret: hook\n  - {send: b}\n");
	change(ENTER "on_change: finish\nsteps:\n  - {send: d}\n");
	run_until(START + 2 * US_DAY);
	assert_non_null(plan_target(site.plan, "https://old.example.com/x"));
	assert_string_equal(plan_target(site.plan, "https://old.example.com/x")->secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_null(plan_target(site.plan, "https://elsewhere.example.com/x"));
}

/* Resuming one that gives way again leaves alone whoever runs lawfully beside both. */
static void test_who_gives_way_again_holds_up_nobody(void **state)
{
	site_sequence(&site, "first", "enter: {on: one}\npriority: 9\nsteps:\n  - {wait: 1 day}\n  - {send: a}\n");
	site_sequence(&site, "second", "enter: {on: two}\npriority: 5\nbeside: [low]\nsteps:\n  - {wait: 5 days}\n  - {send: b}\n");
	site_sequence(&site, "low", "enter: {on: three}\npriority: 1\nbeside: [first]\nsteps:\n  - {wait: 2 days}\n  - {send: c}\n");
	begin("enter: {on: zero}\npriority: 3\nsteps:\n  - {wait: 3 days}\n  - {send: d}\n");
	site_track(&site, EVA, "zero", "{}");
	site_track(&site, EVA, "one", "{}");	/* zero waits for first */
	site_track(&site, EVA, "three", "{}");	/* beside first */
	run_until(START + US_HOUR);
	site_track(&site, EVA, "two", "{}");	/* first is as high: does not enter */
	run_until(START + US_DAY + US_HOUR);	/* first ends, zero goes on: low gives way to it */
	assert_string_equal(mails_until(START + 12 * US_DAY), "tue 24 10:00 a\nthu 26 10:00 d\nthu 26 10:00 c\n");
}

/* The file changes while they are paused, with a mail put off, or in a long wait: restart means from the first step, at once. */
static void test_change_restart_of_the_paused(void **state)
{
	static const char restarted[] = ENTER "on_change: restart\npriority: 1\nsteps:\n  - {send: c}\n  - {wait: 1 day}\n  - {send: d}\n";

	site_sequence(&site, "high", "enter: {on: vip}\npriority: 50\nsteps:\n  - {wait: 2 days}\n  - {set: {first_name: Eva}}\n");
	begin(ENTER "priority: 1\nsteps:\n  - first: {send: a}\n  - {wait: 30 days}\n  - second: {send: b}\n");
	run_until(START + US_HOUR);
	site_track(&site, EVA, "vip", "{}");
	change(restarted);
	assert_string_equal(mails_until(START + 9 * US_DAY), "mon 23 10:00 a\nwed 25 11:00 c\nthu 26 11:00 d\n");
	buf_reset(&sent);
	site_sequence(&site, "s", ENTER "priority: 1\nsteps:\n  - first: {send: a}\n  - {wait: 30 days}\n  - second: {send: b}\n");
	site_reload(&site);
	site_signup(&site, "jo@work.example", NULL, "", "");
	send_all(OUTCOME_DEFERRED, clock_now() + 3 * US_DAY);
	site_track(&site, "jo@work.example", "vip", "{}");
	change(restarted);
	run_until(START + 20 * US_DAY);
	assert_non_null(strstr(buf_cstr(&sent), " c\n"));
	assert_non_null(strstr(buf_cstr(&sent), " d\n"));
	assert_string_equal(look_at("jo@work.example", "")->all[0].why, "done");
}

static void test_the_owner_in_a_subject(void **state)
{
	site_write(&site, "sales.yaml", "owners:\n  - {name: ana, full_name: Ana Ruiz, email: ana@example.com, when: country == \"DE\"}\n");
	site_sequence(&site, "s", ENTER "steps:\n  - test:\n      - {mail: a, subject: \"{{ owner.name | default: 'we' }} asks\"}\n      - {mail: a, subject: \"{{ owner.name | default: 'we' }} asks again\"}\n");
	site_open(&site);
	site_signup(&site, EVA, "DE", "", "");
	site_run(&site, claim_fn, &kept);
	assert_int_equal(kept->count, 1);
	assert_int_equal(kept->mails[0].values[vocabulary_find(site.plan->mail_names, slice_of("owner"))].type, VALUE_OBJECT);
	mail_batch_free(&kept);
}

static void test_a_long_thread_keeps_its_subject(void **state)
{
	struct buf text = BUF_INIT;
	int i;

	buf_str(&text, ENTER "steps:\n  - {send: c, even_in: always}\n");
	for (i = 0; i < 12; i++)
		buf_str(&text, "  - {wait: 1 day}\n  - {send: b, thread: same, even_in: always}\n");
	begin(buf_cstr(&text));
	run_until(START + 11 * US_DAY);
	clock_set(START + 12 * US_DAY);
	site_run(&site, time_fn, NULL);
	site_run(&site, claim_fn, &kept);
	assert_int_equal(kept->count, 1);
	assert_int_equal(kept->mails[0].before_count, 10);
	assert_ptr_equal(kept->mails[0].first_subject, plan_mail(site.plan, "c")->subject);
	mail_batch_free(&kept);
	buf_clear(&text);
}

/* A version of a language that is gone by the time of the next try: the mail itself goes out. */
static void test_a_mail_whose_language_is_gone(void **state)
{
	char *path;

	site_mail(&site, "a.de", "Brief a", "Hallo.");
	site_sequence(&site, "s", ENTER "steps:\n  - {send: a}\n");
	site_open(&site);
	site_signup(&site, EVA, NULL, "de", "");
	send_all(OUTCOME_DEFERRED, START + US_HOUR);
	path = xasprintf("%s/templates/emails/a.de.liquid", site.folder);
	assert_int_equal(unlink(path), 0);
	site_reload(&site);
	assert_string_equal(mails_until(START + US_DAY), "mon 23 11:00 a\n");
	free(path);
}

/* --- grades ------------------------------------------------------------------------------------------------------- */

static void test_grades_fall_by_themselves(void **state)
{
	char *nurture = xasprintf("%s", site_nurture), *whole;
	char *at = strstr(nurture, "score:\n");
	int i;

	whole = xasprintf("%.*sscore:\n  half_life: 10 days\n  grades: {fit: [40, 20, 0], interest: [40, 20, 10]}\n%s", (int)(at - nurture), nurture, at + strlen("score:\n"));
	site_write(&site, "nurture.yaml", whole);
	begin("enter: {on: signup}\nsteps:\n  - hot:\n      wait_for: grade == \"C1\"\n      at_most: 30 days\n      otherwise: never\n  - {send: a, even_in: quiet}\n"
		"  - cooled:\n      wait_for: grade == \"C2\"\n      at_most: 30 days\n      otherwise: never\n  - {send: b, even_in: quiet}\n  - {end: done}\n  - never: {send: c}\n");
	for (i = 0; i < 5; i++)
		site_track(&site, EVA, "visit", "{}");
	/* 50 points halve in ten days: 40 after 3.2 */
	assert_string_equal(mails_until(START + 20 * US_DAY), "mon 23 10:00 a\nthu 26 15:15 b\n");
	free(nurture);
	free(whole);
}

/* --- helpers that look inside ------------------------------------------------------------------------------------- */

#include "../../daemon/decide/decide.h"
#include "../../daemon/decide/person.h"

static int person_by(struct site *s, struct db *db, const char *email, struct person *p, struct err *err)
{
	struct address address;

	decide_arena(s->d);
	return address_parse(email, &address, err) || person_find(s->d, db, address.key, clock_now(), p, err) != 1 ? -1 : 0;
}

static int set_webinar(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct set_field *f = arg;
	struct person p;
	int field = 0;

	while (strcmp(s->plan->fields[field].name, "webinar_at") != 0)
		field++;
	return person_by(s, db, f->email, &p, err) || person_set_field(&p, field, f->value, true, err) || person_settle(&p, err) ? -1 : 0;
}

static int enroll_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct hand *h = arg;
	struct person p;
	int rc;

	if (person_by(s, db, h->email, &p, err))
		return -1;
	p.cause = "by hand";
	rc = sequence_enter(&p, plan_sequence(s->plan, h->sequence), &h->why_not, err);
	if (rc < 0 || person_settle(&p, err))
		return -1;
	h->entered = rc == 1;
	return 0;
}

static int won_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	const struct step *step = plan_sequence(s->plan, "s")->steps;
	struct arm_sum sums[TRIAL_ARMS];
	int64_t *won = arg;
	size_t i;

	if (trial_sums(db, step, clock_now(), decide_arena(s->d), sums, err))
		return -1;
	for (i = 0; i < step->arm_count; i++)
		*won += sums[i].won;
	return 0;
}

/* --- what they chose ---------------------------------------------------------------------------------------------- */

static int choose_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct preferences *fact = arg;
	struct preferences_result result;
	struct address address;
	struct prospect row;

	if (address_parse(EVA, &address, err) || prospects_find_address(db, address.key, decide_arena(s->d), &row, err) != 1)
		return -1;
	fact->prospect = row.id;
	fact->at = clock_now();
	fact->by = "prospect";
	fact->ip = fact->agent = "";
	if (on_preferences(s->d, db, fact, &result, err))
		return -1;
	assert_true(result.found);
	return consents_verify(db, id_bucket(row.id), (int64_t[CONSENT_KINDS]){ 0 }, err);
}

static void topical_site(void)
{
	char *nurture = xasprintf("%stopics:\n  - {name: news, title: News}\n  - {name: tips, title: Tips}\n", site_nurture);

	site_write(&site, "nurture.yaml", nurture);
	free(nurture);
	site_write(&site, "templates/emails/tip.liquid",
		"---\nsubject: A tip\ntopic: tips\n---\n<p>A tip for you. <a href=\"{{ unsubscribe_url }}\">stop</a></p>\n");
}

static void test_a_left_topic_is_passed_over(void **state)
{
	static const char *const news[] = { "news", NULL };
	struct preferences fact = { .has_topics = true, .topics = news };

	topical_site();
	begin(ENTER "topic: news\nsteps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {send: tip}\n  - {send: b}\n");
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + US_DAY), "mon 23 11:00 a\nmon 23 11:00 b\n");
	assert_string_equal(look_at(EVA, "skip leave")->journal.data, "leave tips: preferences, by prospect\nskip send-2: topic tips was left\n");
}

static void test_who_leaves_the_topic_leaves_the_sequence(void **state)
{
	static const char *const tips[] = { "tips", NULL };
	struct preferences fact = { .has_topics = true, .topics = tips };
	const struct look *l;

	topical_site();
	begin(ENTER "topic: news\nagain: always\nsteps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {send: tip}\n");
	run_until(START + US_MINUTE);
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + US_DAY), "");
	l = look_at(EVA, "leave");
	assert_int_equal(l->all[0].state, ENROLMENT_ENDED);
	assert_string_equal(l->all[0].why, "topic news was left");
	/* and does not get in again */
	site_signup(&site, EVA, NULL, "", "");
	assert_string_equal(mails_until(START + 2 * US_DAY), "");
}

static void test_a_pause_is_waited_for(void **state)
{
	struct preferences fact = { .has_pause = true, .paused_until = START + 2 * US_DAY }, over = { .has_pause = true };

	begin(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {wait: 1 hour}\n  - {send: b}\n");
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + US_DAY), "");
	assert_string_equal(look_at(EVA, "hold")->journal.data, "hold send-1: paused until 2026-11-25\n");
	assert_string_equal(mails_until(START + 2 * US_DAY + US_MINUTE), "wed 25 10:00 a\n");
	fact.paused_until = START + 20 * US_DAY;
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + 3 * US_DAY), "wed 25 10:00 a\n");
	/* what waits is written to its time: an end of the pause comes with the next look at it */
	site_run(&site, choose_fn, &over);
	assert_int_equal(look_at(EVA, "")->row.paused_until, 0);
}

static void test_a_limit_of_their_own(void **state)
{
	struct preferences fact = { .has_limit = true, .limit_count = 1, .limit_within = 7 * US_DAY };

	begin(ENTER "steps:\n  - {wait: 1 hour}\n  - {send: a}\n  - {send: b}\n  - {send: a, even_in: cap}\n");
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + 2 * US_DAY), "mon 23 11:00 a\n");
	assert_string_equal(look_at(EVA, "hold")->journal.data, "hold send-2: own limit of 1 a week\n");
	/* what they asked for themselves goes over it */
	assert_string_equal(mails_until(START + 8 * US_DAY), "mon 23 11:00 a\nmon 30 11:00 b\nmon 30 11:00 a\n");
}

static void test_a_claimed_mail_is_taken_back(void **state)
{
	struct preferences fact = { .has_pause = true, .paused_until = START + 2 * US_DAY };
	struct mail_batch *batch = NULL;

	begin(ENTER "steps:\n  - {send: a}\n");
	site_run(&site, claim_fn, &batch);
	assert_int_equal(batch->count, 1);
	mail_batch_free(&batch);
	site_run(&site, choose_fn, &fact);
	assert_string_equal(mails_until(START + US_DAY), "");
	assert_string_equal(mails_until(START + 3 * US_DAY), "wed 25 10:00 a\n");
}

static void test_an_implied_consent_ends(void **state)
{
	const struct look *l;

	site_write(&site, "forms/form.yaml", "form: form\nfields: [email, first_name, country]\n"
		"consent: {purpose: newsletter, words: \"You asked us.\", basis: implied-inquiry}\nconfirm: single\n");
	begin(ENTER "steps:\n  - {wait: 179 days}\n  - {send: a}\n  - {wait: 2 days}\n  - {send: b}\n");
	l = look_at(EVA, "");
	assert_int_equal(l->row.consent_until, START + 180 * US_DAY);
	assert_string_equal(mails_until(START + 200 * US_DAY), "fri 21 11:00 a\n");
	assert_string_equal(look_at(EVA, "")->all[0].why, "the implied consent has ended");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_wait_until_a_time_of_day), CASE(test_wait_business_days), CASE(test_holidays), CASE(test_wait_until_a_field),
		CASE(test_wait_until_a_field_that_moves), CASE(test_branches_are_noted), CASE(test_a_split_is_even_and_stable), CASE(test_tags),
		CASE(test_a_tag_lets_into_another_sequence), CASE(test_move_holds_until_its_time), CASE(test_move_ends_with_the_stage),
		CASE(test_alert_and_webhook), CASE(test_owner_and_thread), CASE(test_the_mail_of_their_language), CASE(test_the_confirmation_of_their_language), CASE(test_a_late_mail_is_dropped),
		CASE(test_quiet_hours_do_not_make_late), CASE(test_downtime_makes_late), CASE(test_thompson), CASE(test_fixed_size),
		CASE(test_an_arm_of_another_subject), CASE(test_beside), CASE(test_a_holdout_gets_nothing_and_is_watched), CASE(test_by_hand),
		CASE(test_change_move), CASE(test_change_finish), CASE(test_change_finish_keeps_its_goal), CASE(test_change_restart),
		CASE(test_change_of_comments_is_none), CASE(test_change_numbers_the_unnamed_anew), CASE(test_change_numbers_a_mail_anew),
		CASE(test_change_takes_the_landmark_too), CASE(test_change_takes_all_landmarks), CASE(test_a_step_that_is_gone_has_a_fate), CASE(test_a_sweep_applies_changed_rules),
		CASE(test_a_field_that_moves_while_its_mail_is_deferred), CASE(test_a_pause_over_what_was_waited_for),
		CASE(test_a_goal_after_the_end_decides_a_test), CASE(test_an_enrolment_ends_once),
		CASE(test_a_holdout_is_drawn_from_those_who_would_enter), CASE(test_the_treated_are_watched_as_long),
		CASE(test_change_finish_wakes_by_fields), CASE(test_change_finish_keeps_its_webhook), CASE(test_who_gives_way_again_holds_up_nobody),
		CASE(test_change_restart_of_the_paused), CASE(test_the_owner_in_a_subject), CASE(test_a_long_thread_keeps_its_subject),
		CASE(test_a_left_topic_is_passed_over), CASE(test_who_leaves_the_topic_leaves_the_sequence), CASE(test_a_pause_is_waited_for),
		CASE(test_a_limit_of_their_own), CASE(test_a_claimed_mail_is_taken_back), CASE(test_an_implied_consent_ends),
		CASE(test_a_mail_whose_language_is_gone), CASE(test_grades_fall_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
