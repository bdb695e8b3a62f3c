/*
 * test_esp.c: what reports of mail services mean, a row each, and who may have signed them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#include "../../daemon/ingest/esp.h"
#include "../../daemon/ingest/esp_sign.h"

static const char *const whats[] = { "bounce", "delayed", "complaint", "unsubscribed", "delivered" };

static int read_ses(struct esp_report *out, const json_t *body, struct err *err)
{
	return esp_read_ses(out, body, "sns-1", err);
}

/* `events`: "what kind reason address our_id relay_id", a line each. */
static const struct row {
	int (*read)(struct esp_report *out, const json_t *body, struct err *err);
	const char *body, *events;
} rows[] = {
	{ read_ses, "{\"notificationType\":\"Bounce\",\"mail\":{\"messageId\":\"r1\",\"headers\":[{\"name\":\"Message-ID\",\"value\":\"<n1.t@x>\"}]},"
		"\"bounce\":{\"bounceType\":\"Transient\",\"bounceSubType\":\"MailboxFull\",\"bouncedRecipients\":[{\"emailAddress\":\"a@b.test\"},{\"emailAddress\":\"c@b.test\"}]}}",
		"bounce soft mailboxfull a@b.test <n1.t@x> r1\nbounce soft mailboxfull c@b.test <n1.t@x> r1\n" },
	{ read_ses, "{\"eventType\":\"Bounce\",\"bounce\":{\"bounceType\":\"Undetermined\",\"bounceSubType\":\"Undetermined\",\"bouncedRecipients\":[{\"emailAddress\":\"a@b.test\"}]}}",
		"bounce soft  a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"Bounce\",\"bounce\":{\"bounceType\":\"Transient\",\"bounceSubType\":\"ContentRejected\",\"bouncedRecipients\":[{\"emailAddress\":\"a@b.test\"}]}}",
		"bounce sender contenterror a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"Complaint\",\"mail\":{\"headers\":[{\"name\":\"x-nurtured-id\",\"value\":\"tok\"}]},"
		"\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"a@b.test\"},{\"emailAddress\":\"c@b.test\"}]}}", "complaint    tok \n" },
	{ read_ses, "{\"eventType\":\"Complaint\",\"complaint\":{\"complaintSubType\":\"OnAccountSuppressionList\",\"complainedRecipients\":[{\"emailAddress\":\"a@b.test\"}]}}",
		"bounce hard suppressed a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"Reject\",\"mail\":{\"destination\":[\"a@b.test\"]},\"reject\":{\"reason\":\"Bad content\"}}", "bounce sender virusdetected a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"DeliveryDelay\",\"deliveryDelay\":{\"delayedRecipients\":[{\"emailAddress\":\"a@b.test\"}]}}", "delayed   a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"Delivery\",\"delivery\":{\"recipients\":[\"a@b.test\"]}}", "delivered   a@b.test  \n" },
	{ read_ses, "{\"eventType\":\"Subscription\"}", "" },
	{ read_ses, "{\"eventType\":\"Bounce\",\"bounce\":7,\"mail\":[]}", "" },
	{ esp_read_sendgrid, "[{\"event\":\"dropped\",\"reason\":\"Unsubscribed Address\",\"email\":\"a@b.test\"},{\"event\":\"dropped\",\"reason\":\"Spam Reporting Address\",\"email\":\"a@b.test\"},"
		"{\"event\":\"dropped\",\"reason\":\"Recipient List over Package Quota\",\"email\":\"a@b.test\"},{\"event\":\"deferred\",\"email\":\"a@b.test\"},7,{\"event\":\"new\"}]",
		"unsubscribed   a@b.test  \ncomplaint   a@b.test  \nbounce sender rejected a@b.test  \ndelayed   a@b.test  \n" },
	{ esp_read_postmark, "{\"RecordType\":\"Bounce\",\"Type\":\"DMARCPolicy\",\"Email\":\"a@b.test\",\"MessageID\":\"m\",\"Metadata\":{\"nurtured\":\"tok\"}}",
		"bounce sender authfailure a@b.test tok m\n" },
	{ esp_read_postmark, "{\"RecordType\":\"Bounce\",\"Type\":\"AutoResponder\",\"Email\":\"a@b.test\"}", "delivered   a@b.test  \n" },
	{ esp_read_postmark, "{\"RecordType\":\"Bounce\",\"Type\":\"Subscribe\",\"Email\":\"a@b.test\"}", "" },
	{ esp_read_postmark, "{\"RecordType\":\"SpamComplaint\",\"Email\":\"a@b.test\"}", "complaint   a@b.test  \n" },
	{ esp_read_postmark, "{\"RecordType\":\"SubscriptionChange\",\"Recipient\":\"a@b.test\",\"SuppressSending\":false}", "" },
	{ esp_read_postmark, "{\"RecordType\":\"SubscriptionChange\",\"Recipient\":\"a@b.test\",\"SuppressSending\":true,\"SuppressionReason\":\"HardBounce\"}",
		"bounce hard suppressed a@b.test  \n" },
	{ esp_read_mailgun, "{\"event-data\":{\"event\":\"failed\",\"severity\":\"permanent\",\"reason\":\"suppress-unsubscribe\",\"recipient\":\"a@b.test\","
		"\"message\":{\"headers\":{\"message-id\":\"n1.t@x\"}}}}", "unsubscribed hard  a@b.test n1.t@x n1.t@x\n" },
	{ esp_read_mailgun, "{\"event-data\":{\"event\":\"failed\",\"severity\":\"permanent\",\"reason\":\"old\",\"recipient\":\"a@b.test\"}}", "bounce soft expired a@b.test  \n" },
	{ esp_read_mailgun, "{\"event-data\":{\"event\":\"opened\",\"recipient\":\"a@b.test\"}}", "delivered   a@b.test  \n" },
	{ esp_read_mailjet, "{\"event\":\"bounce\",\"error\":\"greylisted\",\"email\":\"a@b.test\",\"MessageID\":1}", "delayed   a@b.test  1\n" },
	{ esp_read_mailjet, "[{\"event\":\"blocked\",\"error\":\"preblocked\",\"email\":\"a@b.test\",\"CustomID\":\"tok\"},{\"event\":\"bounce\",\"blocked\":true,\"error\":\"?\",\"email\":\"a@b.test\"}]",
		"bounce hard suppressed a@b.test tok \nbounce sender  a@b.test  \n" },
	{ esp_read_brevo, "{\"event\":\"soft_bounce\",\"email\":\"a@b.test\",\"message-id\":\"<n1.t@x>\"}", "bounce soft  a@b.test <n1.t@x> <n1.t@x>\n" },
	{ esp_read_brevo, "{\"event\":\"unique_proxy_open\",\"email\":\"a@b.test\"}", "delivered   a@b.test  \n" },
};

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct esp_report report = { .arena = arena_new(0) };
		json_t *body = json_loads(rows[i].body, 0, NULL);
		struct buf got = BUF_INIT;
		struct err err;

		if (!body)
			fail_msg("row %zu is no JSON", i);
		if (rows[i].read(&report, body, &err))
			fail_msg("row %zu: %s", i, err.text);
		json_decref(body);
		for (size_t k = 0; k < report.count; k++) {
			const struct esp_event *e = &report.events[k];

			buf_printf(&got, "%s %s %s %s %s %s\n", whats[e->what], e->kind, e->reason, e->address, e->our_id, e->relay_id);
		}
		if (strcmp(buf_cstr(&got), rows[i].events) != 0)
			fail_msg("row %zu:\n%snot\n%s", i, buf_cstr(&got), rows[i].events);
		buf_clear(&got);
		arena_free(&report.arena);
	}
}

static void test_not_theirs(void **state)
{
	static const struct {
		int (*read)(struct esp_report *out, const json_t *body, struct err *err);
		const char *body, *error;
	} wrong[] = {
		{ read_ses, "{}", "there is neither eventType nor notificationType" },
		{ esp_read_sendgrid, "{}", "not an array of events" },
		{ esp_read_postmark, "[]", "there is no RecordType" },
		{ esp_read_mailgun, "{\"event-data\":{}}", "there is no event-data with an event" },
		{ esp_read_mailjet, "{}", "neither an event nor a list of them" },
		{ esp_read_brevo, "{\"x\":1}", "neither an event nor a list of them" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct esp_report report = { .arena = arena_new(0) };
		json_t *body = json_loads(wrong[i].body, 0, NULL);
		struct err err;

		assert_int_equal(wrong[i].read(&report, body, &err), -1);
		assert_string_equal(err.text, wrong[i].error);
		json_decref(body);
		arena_free(&report.arena);
	}
}

/* The same event again has the same key; another one has another. */
static void test_keys(void **state)
{
	struct arena *arena = arena_new(0);
	const char *a = esp_key(arena, "bounce", "1", "2", "a@b.test");

	assert_string_equal(a, esp_key(arena, "bounce", "1", "2", "a@b.test"));
	assert_string_not_equal(a, esp_key(arena, "bounce", "12", "", "a@b.test"));
	arena_free(&arena);
}

static void test_logins(void **state)
{
	/* dXNlcjpwYTpzcw== is user:pa:ss */
	assert_true(sign_basic("Basic dXNlcjpwYTpzcw==", "user", "pa:ss"));
	assert_true(sign_basic("basic dXNlcjpwYTpzcw==", "user", "pa:ss"));
	assert_false(sign_basic("Basic dXNlcjpwYTpzcw==", "user", "pa"));
	assert_false(sign_basic("Basic dXNlcjpwYTpzcw", "user", "pa:ss"));
	assert_false(sign_basic("Bearer x", "user", "pa:ss"));
	assert_false(sign_basic(NULL, "user", "pa:ss"));
	assert_true(sign_bearer("Bearer x", "x"));
	assert_false(sign_bearer("Bearer x ", "x"));
	assert_false(sign_bearer(NULL, "x"));
}

static void test_where_certificates_come_from(void **state)
{
	static const char topic[] = "arn:aws:sns:eu-west-1:1:mail", china[] = "arn:aws-cn:sns:cn-north-1:1:mail";

	assert_true(sign_sns_url("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem", topic, true));
	assert_true(sign_sns_url("https://sns.cn-north-1.amazonaws.com.cn/x.pem", china, true));
	assert_true(sign_sns_url("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x", topic, false));
	assert_false(sign_sns_url("http://sns.eu-west-1.amazonaws.com/x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.us-east-1.amazonaws.com/x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com.evil.test/x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com:444/x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com@evil.test/x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com/../x.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com/x?.pem", topic, true));
	assert_false(sign_sns_url("https://sns.eu-west-1.amazonaws.com/x.txt", topic, true));
	assert_false(sign_sns_url("https://sns..amazonaws.com/x.pem", "arn:aws:sns::1:mail", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_not_theirs),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_where_certificates_come_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
