/* test_records.c: what SPF, DKIM and DMARC records say, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/doctor/names.h"
#include "../../daemon/doctor/records.h"

/* --- SPF ---------------------------------------------------------------------------------------------------------- */

static void test_spf_records_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		char all;
	} rows[] = {
		{ "v=spf1", 0, 0 }, { "v=spf1 -all", 1, '-' }, { "V=SPF1 ~ALL", 1, '~' }, { "v=spf1  a  mx   all ", 3, '+' },
		{ "v=spf1 include:_spf.example.com ?all", 2, '?' }, { "v=spf1 redirect=_spf.example.com", 1, 0 },
		{ "v=spf1 a:mail.example.com/24//64 mx//64 a/24 -all", 4, '-' }, { "v=spf1 exists:%{i}._spf.%{d} -all", 2, '-' },
		{ "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ptr -all exp=why.%{d}", 4, '-' }, { "v=spf1 later=whatever -all", 1, '-' },
		{ "v=spf1 -all a", 2, '-' }, { "v=spf1 ptr:example.com -all", 2, '-' },
	};
	struct spf_record r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(spf_is(rows[i].text));
		if (spf_parse(rows[i].text, &r, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		if (r.count != rows[i].count || r.all != rows[i].all)
			fail_msg("%s: %zu terms, all %c", rows[i].text, r.count, r.all ? r.all : '0');
	}
	assert_int_equal(spf_parse("v=spf1 -all a", &r, &err), 0);
	assert_true(r.after_all);
	assert_int_equal(spf_parse("v=spf1 a mx:example.com/20//100 exists:%{i}.example.com -all", &r, &err), 0);
	assert_false(r.after_all);
	assert_string_equal(r.terms[0].domain, "");
	assert_string_equal(r.terms[1].domain, "example.com");
	assert_int_equal(r.terms[1].bits4, 20);
	assert_int_equal(r.terms[1].bits6, 100);
	assert_true(r.terms[2].macro);
	assert_false(spf_is("v=spf10 -all") || spf_is("spf1 -all") || spf_is("") || spf_is("v=spf"));
}

static void test_wrong_spf_records_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "v=spf1 ip4:192.0.2.300 -all", "no IPv4 address" }, { "v=spf1 ip4:192.0.2.0/33 -all", "0 to 32" }, { "v=spf1 ip6:192.0.2.1", "no IPv6 address" },
		{ "v=spf1 ip4 -all", "names no address" }, { "v=spf1 include -all", "names no domain" }, { "v=spf1 include: -all", "no name" },
		{ "v=spf1 ipv4:192.0.2.1 -all", "`ipv4` is no mechanism" }, { "v=spf1 inc!ude:x", "is no mechanism" }, { "v=spf1 all:x", "takes nothing" },
		{ "v=spf1 redirect=a.example redirect=b.example", "twice" }, { "v=spf1 a/", "prefix" }, { "v=spf1 a/24/64", "prefix" },
		{ "v=spf1 a//129", "0 to 128" }, { "v=spf1 -", "no mechanism" }, { "v=spf1 redirect=", "no name" }, { "v=spf1 a:", "no name" },
		{ "v=spf2", "v=spf1" }, { "v=spf1 1=x", "begins with a letter" },
	};
	struct spf_record r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (spf_parse(rows[i].text, &r, &err) == 0)
			fail_msg("%s was taken", rows[i].text);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void test_terms_cover_addresses(void **state)
{
	static const struct {
		const char *term, *ip;
		bool covers;
	} rows[] = {
		{ "ip4:192.0.2.0/24", "192.0.2.255", true }, { "ip4:192.0.2.0/24", "192.0.3.0", false }, { "ip4:192.0.2.1", "192.0.2.1", true },
		{ "ip4:192.0.2.1", "192.0.2.2", false }, { "ip4:0.0.0.0/0", "203.0.113.9", true }, { "ip4:192.0.2.128/25", "192.0.2.127", false },
		{ "ip4:192.0.2.1", "2001:db8::1", false }, { "ip6:2001:db8::/33", "2001:db8:7fff::1", true }, { "ip6:2001:db8::/33", "2001:db8:8000::1", false },
		{ "ip6:2001:db8::1", "192.0.2.1", false }, { "a", "192.0.2.1", false },
	};
	char text[100];
	struct spf_record r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "v=spf1 %s", rows[i].term);
		assert_int_equal(spf_parse(text, &r, &err), 0);
		if (spf_term_covers(&r.terms[0], rows[i].ip) != rows[i].covers)
			fail_msg("%s %s", rows[i].term, rows[i].ip);
	}
	assert_true(spf_covers("192.0.2.9", "192.0.2.14", 28, 128));
	assert_false(spf_covers("192.0.2.9", "192.0.2.16", 28, 128));
	assert_true(spf_covers("2001:db8::1", "2001:db8::2", 0, 64));
	assert_false(spf_covers("2001:db8::1", "192.0.2.1", 0, 0));
}

/* --- DKIM ----------------------------------------------------------------------------------------------------------- */

#define RSA_1024 "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5N3lnvvrYgPCRSoqn+awTpE+iGYcKBPpo8HHbcFfCIIV10Hwo4PhCoGZSaKVHOjDm4yefKXhQjM7iKzEPuBatE7O47hAx1CJpNuIdLxhILSbEmbMxJrJAG0HZVn8z6EAoOHZNaPHmK2h4UUrjOG8zA5BHfzJf7tGwI+K619fFUwIDAQAB"
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void test_dkim_keys_are_read(void **state)
{
	static const struct {
		const char *text;
		int bits;
		bool ed25519, testing;
	} rows[] = {
		{ "v=DKIM1; k=rsa; p=" RSA_1024, 1024, false, false }, { "p=" RSA_1024, 1024, false, false }, { "v=DKIM1;t=y:s;p=" RSA_1024 ";", 1024, false, true },
		{ "v=DKIM1; h=sha1:sha256; s=email; p=" RSA_1024, 1024, false, false }, { "v=DKIM1; k=ed25519; p=" ED25519, 256, true, false },
		{ "v=DKIM1; p=", 0, false, false }, { "v=DKIM1; n=a note; p=  ; t=s", 0, false, false },
	};
	struct dkim_key key;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(dkim_is(rows[i].text));
		if (dkim_parse(rows[i].text, &key, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		if (key.bits != rows[i].bits || key.ed25519 != rows[i].ed25519 || key.testing != rows[i].testing)
			fail_msg("%s: %d bits", rows[i].text, key.bits);
	}
	assert_false(dkim_is("v=spf1 -all") || dkim_is("hello") || dkim_is("v=DMARC1; p=none"));
}

static void test_wrong_dkim_keys_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "v=DKIM1; k=rsa", "no p" }, { "v=DKIM1; k=dsa; p=" RSA_1024, "neither rsa nor ed25519" }, { "v=DKIM1; p=MIGf!!", "no base64" },
		{ "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN", "no RSA key" }, { "v=DKIM1; h=sha1; p=" RSA_1024, "sha256" }, { "v=DKIM1; s=web; p=" RSA_1024, "not for email" },
		{ "v=DKIM1; k=ed25519; p=AAAA", "32 bytes" }, { "v=DKIM1; p; k=rsa", "no tag=value" }, { "v=DKIM1; oops; p=" RSA_1024, "no tag=value" }, { "v=DKIM2; p=" RSA_1024, "not DKIM1" },
	};
	struct dkim_key key;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (dkim_parse(rows[i].text, &key, &err) == 0)
			fail_msg("%s was taken", rows[i].text);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

/* --- DMARC ---------------------------------------------------------------------------------------------------------- */

static void test_dmarc_records_are_read(void **state)
{
	static const struct {
		const char *text;
		enum dmarc_policy policy, subdomains;
		int percent;
		const char *reports;
	} rows[] = {
		{ "v=DMARC1; p=none", DMARC_NONE, DMARC_NONE, 100, "" }, { "v=DMARC1;p=reject;sp=quarantine;pct=20", DMARC_REJECT, DMARC_QUARANTINE, 20, "" },
		{ "v=DMARC1; p=Quarantine; rua=mailto:a@example.com, mailto:b@example.com; adkim=r", DMARC_QUARANTINE, DMARC_QUARANTINE, 100, "mailto:a@example.com" },
	};
	struct dmarc_record r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(dmarc_is(rows[i].text));
		if (dmarc_parse(rows[i].text, &r, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		if (r.policy != rows[i].policy || r.subdomains != rows[i].subdomains || r.percent != rows[i].percent || strcmp(r.reports, rows[i].reports))
			fail_msg("%s: p=%d sp=%d pct=%d %s", rows[i].text, r.policy, r.subdomains, r.percent, r.reports);
	}
	assert_int_equal(dmarc_parse("v=DMARC1; p=none; aspf=s; adkim=s", &r, &err), 0);
	assert_true(r.strict_spf && r.strict_dkim);
	assert_false(dmarc_is("p=none; v=DMARC1") || dmarc_is("v=DMARC2; p=none") || dmarc_is(""));
}

static void test_wrong_dmarc_records_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "v=DMARC1", "no policy" }, { "v=DMARC1; p=maybe", "not `maybe`" }, { "v=DMARC1; p=none; pct=200", "0 to 100" }, { "v=DMARC1; p=none; pct=", "0 to 100" },
		{ "v=DMARC1; p=none; aspf=x", "alignment" }, { "v=DMARC1; p=none; rua", "no tag=value" }, { "x", "v=DMARC1" },
	};
	struct dmarc_record r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (dmarc_parse(rows[i].text, &r, &err) == 0)
			fail_msg("%s was taken", rows[i].text);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void test_addresses_that_nobody_outside_sees(void **state)
{
	static const struct {
		const char *ip;
		bool private;
	} rows[] = {
		{ "127.0.0.1", true }, { "10.1.2.3", true }, { "172.16.0.1", true }, { "172.32.0.1", false }, { "192.168.1.1", true }, { "169.254.0.1", true },
		{ "100.64.0.1", true }, { "100.128.0.1", false }, { "192.0.2.1", false }, { "::1", true }, { "fd00::1", true }, { "fe80::1", true }, { "2001:db8::1", false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (names_private(rows[i].ip) != rows[i].private)
			fail_msg("%s", rows[i].ip);
}

static void test_resolvers(void **state)
{
	static const char *const bad[] = { "", "dns.example.com", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:70000", "::1" };
	struct names *names;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(names_new(bad[i], &names, &err), -1);
	assert_int_equal(names_new("127.0.0.1:5353", &names, &err), 0);
	assert_true(names_given(names));
	names_free(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spf_records_are_read),
		cmocka_unit_test(test_wrong_spf_records_are_refused),
		cmocka_unit_test(test_terms_cover_addresses),
		cmocka_unit_test(test_dkim_keys_are_read),
		cmocka_unit_test(test_wrong_dkim_keys_are_refused),
		cmocka_unit_test(test_dmarc_records_are_read),
		cmocka_unit_test(test_wrong_dmarc_records_are_refused),
		cmocka_unit_test(test_addresses_that_nobody_outside_sees),
		cmocka_unit_test(test_resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
