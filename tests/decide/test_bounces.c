/*
 * test_bounces.c: what comes back: a dead address, a mailbox that stays full, our own fault; whom a bounce of several recipients is about; and who
 * is heard without a token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "../../daemon/decide/decide.h"
#include "../../daemon/decide/shape_parts.h"

#include "base/id.h"

/* Monday 2026-11-23 10:00 in Berlin */
#define START (INT64_C(1795424400) * US_SECOND)

static struct site site;
static int64_t eva;
static int mails;

/* --- deeds --------------------------------------------------------------------------------------------------------- */

static int find_eva(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct prospect row;
	int found = prospects_find_address(db, "eva@example.com", arena, &row, err);

	eva = found == 1 ? row.id : 0;
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static int open_site(void **state)
{
	clock_set(START);
	site_init(&site);
	site_open(&site);
	site_signup(&site, "eva@example.com", "DE", "en", "");
	site_run(&site, find_eva, NULL);
	assert_true(eva != 0);
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

static int put_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, arg, err);
}

/* A mail that went to her just now. */
static int64_t mailed(enum delivery_state state, const char *relay_id)
{
	struct delivery d = {
		.id = id_new(id_bucket(eva), clock_now()), .prospect = eva, .kind = DELIVERY_STEP, .state = state, .sequence = "", .step = "",
		.template = "a", .arm = "", .address = "eva@example.com", .download = "", .planned = clock_now(), .done = clock_now(), .reply = "",
		.relay_id = relay_id,
	};

	site_run(&site, put_fn, &d);
	return d.id;
}

struct call {
	struct mail_fact fact;
	struct mail_result result;
};

static int mail_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct call *c = arg;

	return on_mail(s->d, db, &c->fact, &c->result, err);
}

static struct call mail_of(enum mail_class class, int64_t delivery)
{
	struct call c = { .fact = { .mailbox = "replies", .received = clock_now(), .at = clock_now(), .class = class, .delivery = delivery,
		.from = "eva@example.com", .from_name = "Eva", .subject = "Re: a", .message_id = "<x@y>", .text = "hello", .intent = "other",
		.intents = "[]", .bounce_kind = "", .bounce_reason = "", .bounce_status = "", .bounce_diagnostic = "", .summary = "{}", .size = 1 } };

	mails++;
	memcpy(c.fact.sha256, &mails, sizeof(mails));
	return c;
}

static struct mail_result take(struct call *c)
{
	site_run(&site, mail_fn, c);
	return c->result;
}

static void bounce(int64_t delivery, const char *kind, const char *reason, const char *status)
{
	struct call c = mail_of(MAIL_BOUNCE, delivery);

	c.fact.bounce_kind = kind;
	c.fact.bounce_reason = reason;
	c.fact.bounce_status = status;
	c.fact.bounce_diagnostic = "550 so they say";
	take(&c);
}

/* --- looks --------------------------------------------------------------------------------------------------------- */

struct seen {
	bool suppressed;
	char reason[40], last_event[40], data[400];
	int64_t delivery;
	enum delivery_state state;
	int64_t alarms;
	char alarm[60];
};

static int look_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct seen *out = arg;
	struct arena *arena = arena_new(0);
	struct suppression row;
	struct event_row *events;
	struct alarm *alarms;
	struct delivery d;
	size_t count;
	int found = suppressions_find(db, "eva@example.com", arena, &row, err);

	out->suppressed = found == 1;
	snprintf(out->reason, sizeof(out->reason), "%s", found == 1 ? row.reason : "");
	if (events_latest(db, eva, NULL, 1, arena, &events, &count, err) == 0 && count) {
		snprintf(out->last_event, sizeof(out->last_event), "%s", events[0].name);
		snprintf(out->data, sizeof(out->data), "%s", events[0].data);
	}
	if (out->delivery && deliveries_find(db, out->delivery, arena, &d, err) == 1)
		out->state = d.state;
	if (alarms_since(db, 0, 10, arena, &alarms, &count, err) == 0 && count) {
		out->alarms = alarms[0].times;
		snprintf(out->alarm, sizeof(out->alarm), "%s: %s", alarms[0].kind, alarms[0].what);
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static struct seen look(int64_t delivery)
{
	struct seen seen = { .delivery = delivery };

	site_run(&site, look_fn, &seen);
	return seen;
}

/* --- cases --------------------------------------------------------------------------------------------------------- */

static void a_dead_address_is_suppressed_at_once(void **state)
{
	int64_t mail = mailed(DELIVERY_SENT, "");

	bounce(mail, "hard", "userunknown", "5.1.1");
	assert_string_equal(look(mail).reason, "hard_bounce");
	assert_int_equal(look(mail).state, DELIVERY_FAILED);
}

static void a_mailbox_that_stays_full_is_given_up_in_the_end(void **state)
{
	for (int i = 0; i < 4; i++) {
		assert_false(look(0).suppressed);
		bounce(mailed(DELIVERY_SENT, ""), "soft", "mailboxfull", "5.2.2");
		clock_set(clock_now() + 4 * US_DAY);
	}
	assert_string_equal(look(0).reason, "soft_bounces");
}

static void of_few_mails_or_few_days_it_is_not(void **state)
{
	int64_t first = mailed(DELIVERY_SENT, ""), second = mailed(DELIVERY_SENT, "");

	for (int i = 0; i < 6; i++) {
		bounce(i % 2 ? first : second, "soft", "mailboxfull", "5.2.2");
		clock_set(clock_now() + 4 * US_DAY);
	}
	assert_false(look(0).suppressed);	/* two mails */
}

static void four_in_a_day_are_one_trouble(void **state)
{
	for (int i = 0; i < 6; i++) {
		bounce(mailed(DELIVERY_SENT, ""), "soft", "mailboxfull", "5.2.2");
		clock_set(clock_now() + US_HOUR);
	}
	assert_false(look(0).suppressed);
}

static void what_shows_that_mail_arrives_begins_the_count_anew(void **state)
{
	for (int i = 0; i < 6; i++) {
		struct call away = mail_of(MAIL_AUTO, mailed(DELIVERY_SENT, ""));

		bounce(mailed(DELIVERY_SENT, ""), "soft", "mailboxfull", "5.2.2");
		clock_set(clock_now() + 4 * US_DAY);
		away.fact.at = clock_now();
		if (i == 2)
			take(&away);
	}
	assert_false(look(0).suppressed);
}

static void a_disabled_account_is_given_up_at_the_second_mail(void **state)
{
	bounce(mailed(DELIVERY_SENT, ""), "soft", "suspend", "5.7.13");
	assert_false(look(0).suppressed);
	clock_set(clock_now() + US_DAY);
	bounce(mailed(DELIVERY_SENT, ""), "soft", "suspend", "5.7.13");
	assert_string_equal(look(0).reason, "soft_bounces");
}

static void our_own_fault_is_an_alarm_and_nobodys_else(void **state)
{
	for (int i = 0; i < 6; i++) {
		bounce(mailed(DELIVERY_SENT, ""), "sender", "blocked", "5.7.1");
		clock_set(clock_now() + 4 * US_DAY);
	}
	assert_false(look(0).suppressed);
	assert_string_not_equal(look(0).last_event, "soft_bounce");
	assert_string_equal(look(0).alarm, "bounce: blocked");
	assert_int_equal(look(0).alarms, 6);
}

static void of_several_recipients_ours_counts(void **state)
{
	static const struct mail_bounce_said both[] = {
		{ .recipient = "list@example.org", .original_recipient = "", .kind = "hard", .reason = "userunknown", .status = "5.1.1", .diagnostic = "550 no" },
		{ .recipient = "eva@new.example", .original_recipient = "eva@example.com", .kind = "delayed", .reason = "expired", .status = "4.4.1", .diagnostic = "" },
	};
	int64_t mail = mailed(DELIVERY_SENT, "");
	struct call c = mail_of(MAIL_BOUNCE, mail);

	c.fact.bounce_kind = "hard";
	c.fact.bounce_reason = "userunknown";
	c.fact.bounces = both;
	c.fact.bounce_count = 2;
	take(&c);
	assert_false(look(mail).suppressed);
	assert_int_equal(look(mail).state, DELIVERY_SENT);
	/* none is ours: it was forwarded, and what failed first counts */
	c = mail_of(MAIL_BOUNCE, mail);
	c.fact.bounce_kind = "hard";
	c.fact.bounce_reason = "userunknown";
	c.fact.bounces = both;
	c.fact.bounce_count = 1;
	take(&c);
	assert_true(look(mail).suppressed);
}

static void what_was_in_doubt_is_proven_by_what_comes_back(void **state)
{
	int64_t replied = mailed(DELIVERY_UNKNOWN, ""), bounced = mailed(DELIVERY_UNKNOWN, ""), late = mailed(DELIVERY_UNKNOWN, "");
	struct call away = mail_of(MAIL_AUTO, replied);

	take(&away);
	bounce(late, "delayed", "expired", "4.4.1");
	bounce(bounced, "soft", "mailboxfull", "5.2.2");
	assert_int_equal(look(replied).state, DELIVERY_SENT);
	assert_int_equal(look(late).state, DELIVERY_SENT);
	assert_int_equal(look(bounced).state, DELIVERY_FAILED);
}

static void a_receipt_is_an_event_if_it_was_displayed(void **state)
{
	int64_t mail = mailed(DELIVERY_UNKNOWN, "");
	struct call c = mail_of(MAIL_MDN, mail);

	take(&c);
	assert_string_not_equal(look(mail).last_event, "receipt");
	c = mail_of(MAIL_MDN, mail);
	c.fact.displayed = true;
	take(&c);
	assert_string_equal(look(mail).last_event, "receipt");
	assert_int_equal(look(mail).state, DELIVERY_SENT);
}

static void a_person_is_heard_by_their_address(void **state)
{
	struct call c = mail_of(MAIL_HUMAN, 0);

	assert_int_equal(take(&c).prospect, 0);	/* nothing was mailed to her */
	mailed(DELIVERY_SENT, "");
	c = mail_of(MAIL_HUMAN, 0);
	c.fact.forged = true;
	assert_int_equal(take(&c).prospect, 0);
	c = mail_of(MAIL_HUMAN, 0);
	assert_int_equal(take(&c).prospect, eva);
	assert_string_equal(look(0).last_event, "reply");
	clock_set(clock_now() + 61 * US_DAY);
	c = mail_of(MAIL_HUMAN, 0);
	assert_int_equal(take(&c).prospect, 0);
}

static void a_machine_is_not(void **state)
{
	struct call c = mail_of(MAIL_BOUNCE, 0);

	mailed(DELIVERY_SENT, "");
	c.fact.bounce_kind = "hard";
	c.fact.bounce_reason = "userunknown";
	c.fact.about = "eva@example.com";
	assert_int_equal(take(&c).prospect, 0);
	c = mail_of(MAIL_COMPLAINT, 0);
	c.fact.about = "eva@example.com";
	assert_int_equal(take(&c).prospect, 0);
	assert_false(look(0).suppressed);
	assert_string_equal(look(0).alarm, "complaint: about nobody we know");
}

static void the_relays_own_id_is_as_good_as_a_token(void **state)
{
	static const char *const ids[] = { "0100018f2b3c4d5e-6f708192-a3b4-4c5d-8e9f-001122334455-000000" };
	int64_t mail = mailed(DELIVERY_SENT, ids[0]);
	struct call c = mail_of(MAIL_BOUNCE, 0);

	c.fact.bounce_kind = "hard";
	c.fact.bounce_reason = "userunknown";
	c.fact.about = "eva@example.com";
	c.fact.relay_ids = ids;
	c.fact.relay_id_count = 1;
	assert_int_equal(take(&c).prospect, eva);
	assert_int_equal(look(mail).state, DELIVERY_FAILED);
	assert_true(look(mail).suppressed);
}

static void a_colleague_who_answers_is_kept_as_such(void **state)
{
	struct call c = mail_of(MAIL_HUMAN, mailed(DELIVERY_SENT, ""));

	c.fact.from = "bob@example.com";
	assert_int_equal(take(&c).prospect, eva);
	assert_non_null(strstr(look(0).data, "\"reply_by_other\":\"bob@example.com\""));
	c = mail_of(MAIL_HUMAN, mailed(DELIVERY_SENT, ""));
	c.fact.from = "Eva@Example.com";
	take(&c);
	assert_null(strstr(look(0).data, "reply_by_other"));
}

struct bounced_text {
	const char *kind, *reason, *text;
	int64_t late;			/* how long it lay in the mailbox */
	bool slows;
};

static void a_bounce_that_asks_for_less_slows_its_group(void **state)
{
	static const struct bounced_text rows[] = {
		{ "soft", "mailboxfull", "452 4.2.2 mailbox full", 0, false },
		{ "delayed", "", "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail", 0, true },
		{ "soft", "speeding", "450 4.2.1 The user you are trying to contact is receiving mail too quickly", 0, true },
		{ "soft", "blocked", "421 RP-001 The mail server IP connecting to Outlook.com has exceeded the rate limit", 0, true },
		{ "sender", "toomanyconn", "554 too many messages from your network", 0, true },
		{ "soft", "speeding", "450 4.2.1 receiving mail too quickly", 2 * US_DAY, false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct delivery d = { .id = id_new(id_bucket(eva), clock_now()), .prospect = eva, .kind = DELIVERY_STEP, .state = DELIVERY_SENT,
			.sequence = "", .step = "", .template = "a", .arm = "", .address = "eva@gmail.com", .download = "", .reply = "", .relay_id = "" };
		struct call c = mail_of(MAIL_BOUNCE, d.id);
		struct shape_group_state *g = shape_group_named(site.d->shape, "gmail");

		pace_restore(&g->pace);
		site_run(&site, put_fn, &d);
		c.fact.bounce_kind = rows[i].kind;
		c.fact.bounce_reason = rows[i].reason;
		c.fact.bounce_status = "";
		c.fact.bounce_diagnostic = rows[i].text;
		c.fact.received = c.fact.at - rows[i].late;
		take(&c);
		if ((g->pace.slow_until > clock_now()) != rows[i].slows)
			fail_msg("%s: slowed until %lld", rows[i].text, (long long)g->pace.slow_until);
	}
}

static void a_mail_that_cannot_be_read_is_shown(void **state)
{
	struct call c = mail_of(MAIL_UNREADABLE, 0);

	assert_int_equal(take(&c).prospect, 0);
	assert_string_equal(look(0).alarm, "mail: cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dead_address_is_suppressed_at_once, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_mailbox_that_stays_full_is_given_up_in_the_end, open_site, close_site),
		cmocka_unit_test_setup_teardown(of_few_mails_or_few_days_it_is_not, open_site, close_site),
		cmocka_unit_test_setup_teardown(four_in_a_day_are_one_trouble, open_site, close_site),
		cmocka_unit_test_setup_teardown(what_shows_that_mail_arrives_begins_the_count_anew, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_disabled_account_is_given_up_at_the_second_mail, open_site, close_site),
		cmocka_unit_test_setup_teardown(our_own_fault_is_an_alarm_and_nobodys_else, open_site, close_site),
		cmocka_unit_test_setup_teardown(of_several_recipients_ours_counts, open_site, close_site),
		cmocka_unit_test_setup_teardown(what_was_in_doubt_is_proven_by_what_comes_back, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_receipt_is_an_event_if_it_was_displayed, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_person_is_heard_by_their_address, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_machine_is_not, open_site, close_site),
		cmocka_unit_test_setup_teardown(the_relays_own_id_is_as_good_as_a_token, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_colleague_who_answers_is_kept_as_such, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_bounce_that_asks_for_less_slows_its_group, open_site, close_site),
		cmocka_unit_test_setup_teardown(a_mail_that_cannot_be_read_is_shown, open_site, close_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
