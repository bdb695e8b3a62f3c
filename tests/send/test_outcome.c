/*
 * The policy as a table: what a relay said, and what must come of it. And when again, the relay's ids, the breaker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#include "../../daemon/send/breaker.h"
#include "../../daemon/send/outcome.h"
#include "../../daemon/send/reply.h"

struct row {
	enum smtp_stage stage;
	const char *reply;	/* as the relay writes it, '|' between lines */
	enum outcome outcome;
	enum fault fault;
	bool hard, counted;
	const char *reason;	/* sisimai's */
	struct slow slow;
};

#define SENT OUTCOME_SENT, FAULT_NONE, false, false
#define DEFERRED(f) OUTCOME_DEFERRED, FAULT_##f, false, false
#define COUNTED OUTCOME_DEFERRED, FAULT_NONE, false, true
#define FAILED(f) OUTCOME_FAILED, FAULT_##f, false, false
#define HARD OUTCOME_FAILED, FAULT_PROSPECT, true, false
#define NO_ADVICE { SLOW_NOTHING, SLOW_HALVE, 0 }
#define LESS(scope, way, span) { SLOW_##scope, SLOW_##way, span }

static const struct row rows[] = {
	{ STAGE_DOT, "250 2.0.0 Ok: queued as 4XYZ", SENT, "", NO_ADVICE },
	{ STAGE_DOT, "250-ok|250 done", SENT, "", NO_ADVICE },

	/* the relay's: costs the message nothing */
	{ STAGE_GREET, "554 no service here", DEFERRED(RELAY), "undefined", NO_ADVICE },
	{ STAGE_GREET, "421 4.7.0 too many connections", DEFERRED(RELAY), "toomanyconn", LESS(RELAY, HALVE, 10 * US_MINUTE) },
	{ STAGE_GREET, "450 4.3.2 try again", DEFERRED(RELAY), "notaccept", NO_ADVICE },
	{ STAGE_EHLO, "550 bad helo", DEFERRED(RELAY), "blocked", NO_ADVICE },
	{ STAGE_EHLO, "451 later", DEFERRED(RELAY), "undefined", NO_ADVICE },
	{ STAGE_TLS, "454 4.7.0 TLS not available due to local problem", DEFERRED(RELAY), "securityerror", NO_ADVICE },
	{ STAGE_MAIL, "421 4.3.2 shutting down", DEFERRED(RELAY), "notaccept", NO_ADVICE },
	{ STAGE_RCPT, "421 4.7.0 go away", DEFERRED(RELAY), "blocked", NO_ADVICE },
	{ STAGE_DATA, "421 4.4.2 too slow", DEFERRED(RELAY), "networkerror", NO_ADVICE },
	{ STAGE_DOT, "421 4.3.2 shutting down", DEFERRED(RELAY), "notaccept", NO_ADVICE },
	{ STAGE_MAIL, "452 4.3.1 Insufficient system storage", DEFERRED(RELAY), "systemfull", LESS(RELAY, HALVE, 10 * US_MINUTE) },
	{ STAGE_DOT, "452 4.3.1 no room", DEFERRED(RELAY), "systemfull", LESS(RELAY, HALVE, 10 * US_MINUTE) },
	{ STAGE_RCPT, "452 4.5.3 too many recipients", DEFERRED(RELAY), "toomanyconn", LESS(RELAY, HALVE, 10 * US_MINUTE) },

	/* the operator's */
	{ STAGE_AUTH, "535 5.7.8 authentication failed", DEFERRED(OPERATOR), "securityerror", NO_ADVICE },
	{ STAGE_AUTH, "534 5.7.9 mechanism is too weak", DEFERRED(OPERATOR), "securityerror", NO_ADVICE },
	{ STAGE_AUTH, "538 5.7.11 encryption required for this mechanism", DEFERRED(OPERATOR), "failedstarttls", NO_ADVICE },
	{ STAGE_AUTH, "454 4.7.0 temporary authentication failure", DEFERRED(OPERATOR), "securityerror", NO_ADVICE },
	{ STAGE_AUTH, "432 4.7.12 password transition", DEFERRED(RELAY), "securityerror", NO_ADVICE },
	{ STAGE_MAIL, "530 5.7.0 must issue a STARTTLS command first", DEFERRED(OPERATOR), "failedstarttls", NO_ADVICE },
	{ STAGE_RCPT, "530 5.7.0 Authentication required", DEFERRED(OPERATOR), "securityerror", NO_ADVICE },

	/* the relay's limits for us */
	{ STAGE_DOT, "454 Throttling failure: Maximum sending rate exceeded.", DEFERRED(QUOTA), "speeding", LESS(RELAY, HALVE, 10 * US_MINUTE) },
	{ STAGE_DOT, "454 Throttling failure: Daily message quota exceeded.", DEFERRED(QUOTA), "speeding", LESS(RELAY, PAUSE, US_HOUR) },
	{ STAGE_DATA, "550 5.4.5 Daily user sending quota exceeded.", DEFERRED(QUOTA), "speeding", LESS(RELAY, PAUSE, US_HOUR) },

	/* who it is from: its mails are held */
	{ STAGE_MAIL, "553 5.7.1 sender address rejected: not owned by user", DEFERRED(SENDER), "rejected", NO_ADVICE },
	{ STAGE_MAIL, "550 no", DEFERRED(SENDER), "undefined", NO_ADVICE },
	{ STAGE_MAIL, "501 5.1.7 bad sender address syntax", DEFERRED(SENDER), "rejected", NO_ADVICE },
	{ STAGE_RCPT, "553 5.7.1 <ana@example.com>: Sender address rejected: not owned by user nurtured", DEFERRED(SENDER), "rejected", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.8 <ana@example.com>: Sender address rejected: Domain not found", DEFERRED(SENDER), "rejected", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.8 bad sender's system address", DEFERRED(SENDER), "rejected", NO_ADVICE },

	/* transient: one try of the schedule */
	{ STAGE_MAIL, "451 4.7.1 greylisted", COUNTED, "blocked", NO_ADVICE },
	{ STAGE_RCPT, "450 4.2.1 mailbox busy", COUNTED, "blocked", NO_ADVICE },
	{ STAGE_RCPT, "450 4.1.1 user unknown", COUNTED, "userunknown", NO_ADVICE },
	{ STAGE_DATA, "451 4.3.0 later", COUNTED, "undefined", NO_ADVICE },
	{ STAGE_DOT, "452 4.2.2 over quota", COUNTED, "mailboxfull", NO_ADVICE },
	{ STAGE_RCPT, "450 5.1.1 the digit says again", COUNTED, "userunknown", NO_ADVICE },

	/* the prospect's address, for good */
	{ STAGE_RCPT, "550 5.1.1 <x@y>: Recipient address rejected: User unknown", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.2 bad destination system", HARD, "hostunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.3 bad address syntax", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "551 5.1.6 has moved", HARD, "hasmoved", NO_ADVICE },
	{ STAGE_RCPT, "556 5.1.10 null MX", HARD, "notaccept", NO_ADVICE },
	{ STAGE_DOT, "550-5.1.1 The email account that you tried to reach does not exist|550 5.1.1 see support", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.4.4 unable to route", HARD, "hostunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.17 mailbox owner has changed", HARD, "hasmoved", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.18 domain owner has changed", HARD, "hasmoved", NO_ADVICE },
	{ STAGE_RCPT, "550 5.2.1 account has been disabled", HARD, "suspend", NO_ADVICE },
	{ STAGE_RCPT, "550 5.2.1 no such user", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 No such user here", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 4.1.1 the digit says never: unknown user", HARD, "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.0.0 user unknown", HARD, "userunknown", NO_ADVICE },
	/* the prospect's mailbox, not for good */
	{ STAGE_RCPT, "552 5.2.2 mailbox full", FAILED(PROSPECT), "mailboxfull", NO_ADVICE },
	{ STAGE_RCPT, "552 user is over quota", FAILED(PROSPECT), "mailboxfull", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.1 mailbox is full", FAILED(PROSPECT), "mailboxfull", NO_ADVICE },
	{ STAGE_RCPT, "550 account disabled", FAILED(PROSPECT), "suspend", NO_ADVICE },

	/* policy, content, size: nobody is suppressed for it */
	{ STAGE_DOT, "554 5.7.1 message looks like spam", FAILED(MESSAGE), "spamdetected", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.1 mail from 192.0.2.1 is blocked by our block-list", FAILED(MESSAGE), "blocked", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.1 relaying denied", FAILED(MESSAGE), "norelaying", NO_ADVICE },
	{ STAGE_RCPT, "550 5.2.1 delivery blocked", FAILED(MESSAGE), "filtered", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.27 your domain has a null MX", FAILED(MESSAGE), "notaccept", NO_ADVICE },
	{ STAGE_RCPT, "550 sender domain does not exist, user unknown or not", FAILED(MESSAGE), "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 requested action not taken: mailbox unavailable, invalid DNS MX or A resource record", FAILED(MESSAGE), "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 blocked", FAILED(MESSAGE), "undefined", NO_ADVICE },
	{ STAGE_RCPT, "550 5.1.17 no such code: user unknown", FAILED(MESSAGE), "userunknown", NO_ADVICE },
	{ STAGE_RCPT, "550 5.3.2 system not accepting messages", FAILED(MESSAGE), "notaccept", NO_ADVICE },
	{ STAGE_RCPT, "550 5.5.0 mailbox unavailable", FAILED(MESSAGE), "userunknown", NO_ADVICE },
	{ STAGE_DOT, "550 5.6.0 cannot convert", FAILED(MESSAGE), "contenterror", NO_ADVICE },
	{ STAGE_DATA, "554 5.5.1 no valid recipients", FAILED(MESSAGE), "userunknown", NO_ADVICE },
	{ STAGE_MAIL, "552 5.3.4 message too big", FAILED(MESSAGE), "mesgtoobig", NO_ADVICE },
	{ STAGE_DOT, "552 5.2.3 message too long for the mailbox", FAILED(MESSAGE), "mesgtoobig", NO_ADVICE },
	{ STAGE_DOT, "554 5.3.4 no", FAILED(MESSAGE), "mesgtoobig", NO_ADVICE },

	/* the sender's domain is not authenticated: an alarm, nobody is suppressed */
	{ STAGE_DOT, "550 5.7.515 Access denied, sending domain does not meet the required authentication level", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_DOT, "550-5.7.26 Your email has been blocked because the sender is unauthenticated.|550 5.7.26 see support", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_DOT, "550 5.7.1 Unauthenticated email from example.com is not accepted", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.20 no passing DKIM signature found", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.23 SPF validation failed", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_RCPT, "550 5.7.24 SPF validation error", FAILED(MESSAGE), "authfailure", NO_ADVICE },
	{ STAGE_DOT, "451 4.7.26 rate limited because the sender is unauthenticated", COUNTED, "authfailure",
		LESS(GROUP, HALVE, 10 * US_MINUTE) },

	/* what receivers want less of */
	{ STAGE_DOT, "451 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints", COUNTED, "blocked",
		LESS(GROUP, PAUSE, 2 * US_HOUR) },
	{ STAGE_DOT, "451 4.7.0 [TS04] too much", COUNTED, "securityerror", LESS(GROUP, PAUSE, 2 * US_HOUR) },
	{ STAGE_DOT, "451 4.7.0 Messages from 192.0.2.1 temporarily deferred", COUNTED, "securityerror", LESS(GROUP, TRICKLE, 90 * US_MINUTE) },
	{ STAGE_DOT, "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", COUNTED, "badreputation",
		LESS(GROUP, TRICKLE, 90 * US_MINUTE) },
	{ STAGE_RCPT, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent.", FAILED(MESSAGE), "blocked",
		LESS(GROUP, TRICKLE, 90 * US_MINUTE) },
	{ STAGE_RCPT, "451 4.7.500 Server busy. Please try again later from [192.0.2.1].", COUNTED, "systemerror", LESS(GROUP, TRICKLE, 90 * US_MINUTE) },
	{ STAGE_DOT, "450-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating|450 4.7.28 from your IP address.", COUNTED,
		"blocked", LESS(GROUP, HALVE, US_HOUR) },
	{ STAGE_RCPT, "450 4.2.1 The user you are trying to contact is receiving mail at a rate that is too high", COUNTED, "speeding",
		LESS(GROUP, HALVE, 10 * US_MINUTE) },
};

static struct dialogue_end end_of(const struct row *row)
{
	struct dialogue_end end = { .stage = row->stage };
	struct reply_parser p;
	const char *s = row->reply, *bar;
	size_t n;
	int rc = 0;

	reply_init(&p);
	for (; rc == 0 && *s; s = *bar ? bar + 1 : bar) {
		const char *crlf = "\r\n";
		size_t two = 2;

		bar = strchrnul(s, '|');
		n = (size_t)(bar - s);
		assert_int_equal(reply_feed(&p, &s, &n), 0);
		rc = reply_feed(&p, &crlf, &two);
	}
	assert_int_equal(rc, 1);
	end.reply = p.reply;
	return end;
}

static void replies_are_judged(void **state)
{
	size_t i, wrong = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dialogue_end end = end_of(&rows[i]);
		struct judgement j = outcome_judge(&end);

		if (j.outcome == rows[i].outcome && j.fault == rows[i].fault && j.hard_bounce == rows[i].hard && j.counted == rows[i].counted &&
		    strcmp(j.reason, rows[i].reason) == 0 && j.slow.scope == rows[i].slow.scope && j.slow.way == rows[i].slow.way &&
		    j.slow.span == rows[i].slow.span)
			continue;
		print_error("%s: %s: outcome %d fault %s hard %d counted %d reason %s slow %s %s %lld\n", stage_names[rows[i].stage], rows[i].reply,
			(int)j.outcome, fault_names[j.fault], j.hard_bounce, j.counted, j.reason, slow_scope_names[j.slow.scope],
			slow_way_names[j.slow.way], (long long)j.slow.span);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void codes_that_disagree_are_told(void **state)
{
	static const struct {
		const char *reply;
		bool disagrees;
	} cases[] = {
		{ "450 5.1.1 again", true }, { "550 4.2.2 never", true }, { "550 5.1.1 never", false }, { "550 no code", false },
		{ "550-no code here|550-4.1.1 but here|550 5.1.1 and another", true },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row row = { .stage = STAGE_RCPT, .reply = cases[i].reply };
		struct dialogue_end end = end_of(&row);

		assert_int_equal(outcome_judge(&end).disagrees, cases[i].disagrees);
	}
}

static void connections_that_end_are_judged(void **state)
{
	static const struct {
		struct dialogue_end end;
		struct judgement want;
	} cases[] = {
		{ { .stage = STAGE_DOT, .trouble = TROUBLE_LOST, .in_doubt = true }, { .outcome = OUTCOME_UNKNOWN, .fault = FAULT_RELAY } },
		{ { .stage = STAGE_DOT, .trouble = TROUBLE_TIMEOUT, .in_doubt = true }, { .outcome = OUTCOME_UNKNOWN, .fault = FAULT_RELAY } },
		{ { .stage = STAGE_DOT, .trouble = TROUBLE_STOPPED, .in_doubt = true }, { .outcome = OUTCOME_UNKNOWN, .fault = FAULT_RELAY } },
		{ { .stage = STAGE_DATA, .trouble = TROUBLE_LOST }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY, .counted = true } },
		{ { .stage = STAGE_RCPT, .trouble = TROUBLE_TIMEOUT }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY, .counted = true } },
		{ { .stage = STAGE_MAIL, .trouble = TROUBLE_LOST, .untouched = true }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY } },
		{ { .stage = STAGE_MAIL, .trouble = TROUBLE_LOST, .untouched = true, .reused = true }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_NONE } },
		{ { .stage = STAGE_MAIL, .untouched = true, .reused = true, .reply = { .code = 421 } }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_NONE } },
		{ { .stage = STAGE_MAIL, .trouble = TROUBLE_CLOSED, .untouched = true }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_NONE } },
		{ { .stage = STAGE_DATA, .trouble = TROUBLE_STOPPED }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_NONE } },
		{ { .stage = STAGE_DATA, .trouble = TROUBLE_WITHDRAWN }, { .outcome = OUTCOME_WITHDRAWN, .fault = FAULT_NONE } },
		{ { .stage = STAGE_CONNECT, .trouble = TROUBLE_REFUSED, .untouched = true }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_RELAY } },
		{ { .stage = STAGE_TLS, .trouble = TROUBLE_UNVERIFIED, .untouched = true }, { .outcome = OUTCOME_DEFERRED, .fault = FAULT_OPERATOR } },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judgement j = outcome_judge(&cases[i].end);

		if (j.outcome != cases[i].want.outcome || j.fault != cases[i].want.fault || j.counted != cases[i].want.counted || j.hard_bounce)
			fail_msg("case %zu: outcome %d fault %s counted %d", i, (int)j.outcome, fault_names[j.fault], j.counted);
	}
}

static void the_schedule_runs_for_48_hours(void **state)
{
	static const int minutes[] = { 1, 5, 15, 30, 60, 120, 240, 240, 480, 480, 720 };
	int64_t sum = 0;
	int i;

	for (i = 0; i < 11; i++) {
		int64_t low = outcome_retry(i, US_MINUTE, 0), high = outcome_retry(i, US_MINUTE, 0.999999);

		assert_true(low >= minutes[i] * US_MINUTE * 79 / 100 && low < minutes[i] * US_MINUTE);
		assert_true(high > minutes[i] * US_MINUTE && high <= minutes[i] * US_MINUTE * 121 / 100);
		sum += outcome_retry(i, US_MINUTE, 0.5);
	}
	assert_true(sum > 39 * US_HOUR && sum < 48 * US_HOUR);
	assert_int_equal(outcome_retry(11, US_MINUTE, 0.5), -1);
	assert_int_equal(outcome_retry(0, US_SECOND, 0.5), US_SECOND);
}

static void relay_ids_are_found(void **state)
{
	static const struct {
		const char *text, *id;
	} cases[] = {
		{ "2.0.0 Ok: queued as 4XYZ12", "4XYZ12" },
		{ "Ok 010201804f5c1f2e-aaaa-bbbb-000000", "010201804f5c1f2e-aaaa-bbbb-000000" },
		{ "OK id=1rABcD-0001Zz-2x", "1rABcD-0001Zz-2x" },
		{ "2.6.0 <n1.abc@example.com> [InternalId=77] Queued mail for delivery", "77" },
		{ "Ok", "" },
		{ "queued as ", "" },
		{ "", "" },
	};
	char id[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		outcome_relay_id(cases[i].text, id, sizeof(id));
		assert_string_equal(id, cases[i].id);
	}
}

/* --- the breaker ---------------------------------------------------------------------------------------------------- */

static void five_faults_in_a_row_open_it(void **state)
{
	struct breaker b;
	int64_t now = 1000 * US_SECOND;
	static const int seconds[] = { 30, 60, 120, 300, 600, 600 };
	size_t i;

	breaker_init(&b, US_MINUTE);
	for (i = 0; i < 4; i++)
		breaker_report(&b, FAULT_RELAY, 0, now);
	assert_int_equal(breaker_look(&b, now), BREAKER_CLOSED);
	breaker_report(&b, FAULT_PROSPECT, 0, now);	/* a refusal shows that it works */
	for (i = 0; i < 4; i++)
		breaker_report(&b, FAULT_RELAY, 0, now);
	assert_int_equal(breaker_look(&b, now), BREAKER_CLOSED);
	breaker_report(&b, FAULT_RELAY, 0, now);
	for (i = 0; i < 6; i++) {
		assert_int_equal(breaker_look(&b, now), BREAKER_OPEN);
		now += seconds[i] * US_SECOND - 1;
		assert_int_equal(breaker_look(&b, now), BREAKER_OPEN);
		now++;
		assert_int_equal(breaker_look(&b, now), BREAKER_HALF_OPEN);
		breaker_report(&b, FAULT_RELAY, 0, now);
	}
	now = b.until;
	assert_int_equal(breaker_look(&b, now), BREAKER_HALF_OPEN);
	breaker_report(&b, FAULT_NONE, 0, now);
	assert_int_equal(breaker_look(&b, now), BREAKER_CLOSED);
	assert_int_equal(b.level, 0);
}

static void half_of_twenty_open_it(void **state)
{
	struct breaker b;
	int i;

	breaker_init(&b, US_MINUTE);
	for (i = 0; i < 18; i++)
		breaker_report(&b, i % 2 ? FAULT_RELAY : FAULT_NONE, 0, 0);
	assert_int_equal(breaker_look(&b, 0), BREAKER_CLOSED);
	breaker_report(&b, FAULT_NONE, 0, 0);
	breaker_report(&b, FAULT_RELAY, 0, 0);
	assert_int_equal(breaker_look(&b, 0), BREAKER_OPEN);
}

static void what_the_operator_must_mend_opens_it_at_once(void **state)
{
	struct breaker b;

	breaker_init(&b, US_MINUTE);
	breaker_report(&b, FAULT_OPERATOR, 0, 7);
	assert_int_equal(breaker_look(&b, 7), BREAKER_OPEN);
	assert_int_equal(b.until, 7 + 5 * US_MINUTE);
	breaker_init(&b, US_MINUTE);
	breaker_report(&b, FAULT_QUOTA, 0, 7);
	assert_int_equal(b.until, 7 + US_MINUTE);
	breaker_report(&b, FAULT_NONE, 0, 8);	/* of what was under way: does not close it */
	assert_int_equal(breaker_look(&b, 8), BREAKER_OPEN);
	breaker_init(&b, US_MINUTE);
	breaker_report(&b, FAULT_QUOTA, US_HOUR, 7);
	assert_int_equal(b.until, 7 + US_HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_judged),
		cmocka_unit_test(codes_that_disagree_are_told),
		cmocka_unit_test(connections_that_end_are_judged),
		cmocka_unit_test(the_schedule_runs_for_48_hours),
		cmocka_unit_test(relay_ids_are_found),
		cmocka_unit_test(five_faults_in_a_row_open_it),
		cmocka_unit_test(half_of_twenty_open_it),
		cmocka_unit_test(what_the_operator_must_mend_opens_it_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
