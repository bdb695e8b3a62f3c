/* test_dkim.c: signatures are checked as receivers check them: those of RFC 8463's appendix, and what becomes of them when something is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/doctor/dkim.h"

#define ED25519 \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n" \
	" d=football.example.com; i=@football.example.com;\r\n" \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n" \
	" subject : date : message-id : from : subject : date;\r\n" \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n" \
	" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
#define RSA \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n" \
	" d=football.example.com; i=@football.example.com;\r\n" \
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n" \
	" date : message-id : from : subject : date;\r\n" \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n" \
	" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n" \
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n" \
	" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
#define FIELDS(from, subject) \
	"From: " from "\r\n" \
	"To: Suzie Q <suzie@shopping.example.net>\r\n" \
	"Subject:" subject "\r\n" \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n" \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"
#define JOE "Joe SixPack <joe@football.example.com>"
#define BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"

static const char ed25519_key[] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char rsa_key[] = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/"
	"byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

static const struct letter_field *field_of(const struct letter *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (strcmp(l->fields[i].name, "dkim-signature") == 0)
			return &l->fields[i];
	fail_msg("it is not signed");
	return NULL;
}

/* "" where the first signature holds. */
static const char *why_not(const char *mail, size_t n, const char *record, int64_t now)
{
	static struct err err;
	struct dkim_signature s;
	struct dkim_key key;
	struct letter l;
	int rc;

	err.text[0] = '\0';
	letter_open(&l, mail, n);
	rc = dkim_signature_read(field_of(&l)->value, &s, &err);
	if (rc == 0) {
		assert_int_equal(dkim_parse(record, &key, &err), 0);
		rc = dkim_verify(&l, field_of(&l), &s, &key, now, &err);
	}
	dkim_signature_clear(&s);
	letter_clear(&l);
	return rc < 0 ? err.text : "";
}

static void test_the_signatures_of_the_rfc_hold(void **state)
{
	static const char ed[] = ED25519 FIELDS(JOE, " Is dinner ready?") BODY, rsa[] = RSA FIELDS(JOE, " Is dinner ready?") BODY;

	assert_string_equal(why_not(ed, strlen(ed), ed25519_key, 0), "");
	assert_string_equal(why_not(rsa, strlen(rsa), rsa_key, 0), "");
}

/* Relaxed: white space and the case of names do not count, nor do bare LFs of a Maildir, or empty lines at the end. */
static void test_what_does_not_count(void **state)
{
	static const char *const mails[] = {
		RSA FIELDS(JOE, "   Is  dinner\r\n ready?  ") BODY,
		RSA "X-Other: added\r\n" FIELDS(JOE, " Is dinner ready?") BODY "\r\n\r\n",
		"Received: from a by b; now\r\n" RSA FIELDS(JOE, " Is dinner ready?") "Hi. \r\n\r\nWe lost the game. Are you\thungry yet?\r\n\r\nJoe.",
		"From someone Sat Jan  1 00:00:00 2000\n" RSA FIELDS(JOE, " Is dinner ready?") BODY,
	};
	size_t i, k, n;

	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		char *unix_lines = strdup(mails[i]);

		assert_string_equal(why_not(mails[i], strlen(mails[i]), rsa_key, 0), "");
		for (k = n = 0; mails[i][k]; k++)
			if (mails[i][k] != '\r')
				unix_lines[n++] = mails[i][k];
		assert_string_equal(why_not(unix_lines, n, rsa_key, 0), "");
		free(unix_lines);
	}
}

static void test_what_was_changed_is_told(void **state)
{
	static const struct {
		const char *mail, *record, *why;
	} rows[] = {
		{ RSA FIELDS(JOE, " [EXT] Is dinner ready?") BODY, rsa_key, "a signed header was changed" },
		{ RSA FIELDS("Eve <eve@football.example.com>", " Is dinner ready?") BODY, rsa_key, "a signed header was changed" },
		/* it is signed twice in h=, so that a second one may not be added */
		{ RSA "Subject: Another\r\n" FIELDS(JOE, " Is dinner ready?") BODY, rsa_key, "a signed header was changed" },
		{ RSA FIELDS(JOE, " Is dinner ready?") BODY "A footer\r\n", rsa_key, "the body was changed" },
		{ RSA FIELDS(JOE, " Is dinner ready?") BODY, ed25519_key, "of another kind" },
		{ RSA FIELDS(JOE, " Is dinner ready?") BODY, "v=DKIM1; p=", "revoked" },
		{ "DKIM-Signature: v=1; a=rsa-sha1; d=a.test; s=s; h=from; bh=AA==; b=AA==\r\n\r\n", rsa_key, "receivers do not take any more" },
		{ "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=to; bh=AA==; b=AA==\r\n\r\n", rsa_key, "does not sign From" },
		{ "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; h=from; bh=AA==; b=AA==\r\n\r\n", rsa_key, "is not there" },
		{ "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=A*; b=AA==\r\n\r\n", rsa_key, "bh is no base64" },
		{ "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=AA==; b=AA==; x=1000\r\n\r\n", rsa_key, "expired" },
		{ "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=AA==; b=AA==; l=-1\r\n\r\n", rsa_key, "a number" },
		{ "DKIM-Signature:\r\n\r\n", rsa_key, "is not there" },
		{ "DKIM-Signature: v=1; a; b\r\n\r\n", rsa_key, "" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = why_not(rows[i].mail, strlen(rows[i].mail), rows[i].record, INT64_C(2000) * US_SECOND);

		if (!*why || !strstr(why, rows[i].why))
			fail_msg("row %zu: %s", i, why);
	}
}

static void test_a_signature_says_what_it_covers(void **state)
{
	struct dkim_signature s;
	struct err err;

	assert_int_equal(dkim_signature_read("a=rsa-sha256; d=A.Test; s=S1; h=From : List-Unsubscribe\t:To; bh=AA==; b=AA==; l=12; c=simple", &s, &err), 0);
	assert_true(dkim_signature_covers(&s, "list-unsubscribe") && dkim_signature_covers(&s, "to"));
	assert_false(dkim_signature_covers(&s, "list-unsubscribe-post") || dkim_signature_covers(&s, "unsubscribe"));
	assert_string_equal(s.domain, "a.test");
	assert_int_equal(s.length, 12);
	assert_false(s.relaxed_header || s.relaxed_body);
	dkim_signature_clear(&s);
}

static void test_letters_of_all_kinds_are_opened(void **state)
{
	static const char *const mails[] = { "", "\r\n", "\n", "a", "a:", "From ", "From x", ": b\r\n", "A: b\r\n c", "A: b\r\nno colon\r\n\r\nbody", "\r", "A: \0b" };
	struct letter l;
	size_t i;

	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		letter_open(&l, mails[i], strlen(mails[i]));
		assert_true(!l.body.len || l.body.data + l.body.len == l.text.data + l.text.len);
		letter_clear(&l);
	}
	letter_open(&l, "A: b\r\n c\r\nB:d\r\nA: e\r\n\r\nbody", 27);
	assert_string_equal(letter_nth(&l, "a", 0), "b c");
	assert_string_equal(letter_nth(&l, "a", 1), "e");
	assert_null(letter_nth(&l, "a", 2));
	assert_int_equal(letter_count(&l, "a"), 2);
	assert_int_equal(l.body.len, 4);
	letter_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_signatures_of_the_rfc_hold),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_what_was_changed_is_told),
		cmocka_unit_test(test_a_signature_says_what_it_covers),
		cmocka_unit_test(test_letters_of_all_kinds_are_opened),
	};

	return cmocka_run_group_tests_name("dkim", tests, NULL, NULL);
}
