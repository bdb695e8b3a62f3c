/*
 * test_address.c: what is an address, what is not, and what keeps the SMTP envelope in one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTABLE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~@."
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOO_LONG A64 "@" A63 "." A63 "." A61 "a"	/* 255, and each part short enough */

static void test_accepted(void **state)
{
	static const struct {
		const char *in, *text, *key;
	} rows[] = {
		{ "ana@example.com", "ana@example.com", "ana@example.com" },
		{ "  Ana.Maria+news@Example.COM \r\n", "Ana.Maria+news@example.com", "ana.maria+news@example.com" },
		{ "o'neil@example.co.uk", "o'neil@example.co.uk", "o'neil@example.co.uk" },
		{ "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com" },
		{ "a@m\xc3\xbcller.example", "a@xn--mller-kva.example", "a@xn--mller-kva.example" },
		{ "a@M\xc3\x9cLLER.example", "a@xn--mller-kva.example", "a@xn--mller-kva.example" },
		{ "a@stra\xc3\x9f" "e.de", "a@xn--strae-oqa.de", "a@xn--strae-oqa.de" },	/* not strasse: non-transitional */
		{ "a@\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "a@xn--r8jz45g.xn--zckzah",
		  "a@xn--r8jz45g.xn--zckzah" },
		{ "a@xn--mller-kva.example", "a@xn--mller-kva.example", "a@xn--mller-kva.example" },
		{ "a@1.2.3.example", "a@1.2.3.example", "a@1.2.3.example" },
		{ "a@r3---sn.example", "a@r3---sn.example", "a@r3---sn.example" },
		{ "\xc3\xa9milie@example.com", "\xc3\xa9milie@example.com", "\xc3\xa9milie@example.com" },
		{ "\xc3\x89milie@M\xc3\xbcller.example", "\xc3\x89milie@xn--mller-kva.example", "\xc3\xa9milie@xn--mller-kva.example" },
		{ "e\xcc\x81milie@example.com", "\xc3\xa9milie@example.com", "\xc3\xa9milie@example.com" },	/* two letters that are one: NFC */
		{ "\xe2\x84\xaa@example.com", "K@example.com", "k@example.com" },				/* the Kelvin sign is a K */
		{ "\xc4\xb0@example.com", "\xc4\xb0@example.com", "i\xcc\x87@example.com" },		/* not the i of others */
		{ "stra\xc3\x9f" "e@example.com", "stra\xc3\x9f" "e@example.com", "stra\xc3\x9f" "e@example.com" },
		{ "\xe6\xb8\xac\xe8\xa9\xa6@example.com", "\xe6\xb8\xac\xe8\xa9\xa6@example.com", "\xe6\xb8\xac\xe8\xa9\xa6@example.com" },
		{ "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d@example.com", "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d@example.com",
		  "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d@example.com" },				/* a joiner behind a virama */
		{ A64 "@" A63 ".com", A64 "@" A63 ".com", A64 "@" A63 ".com" },
		{ A64 "@" A63 "." A63 "." A61, A64 "@" A63 "." A63 "." A61, A64 "@" A63 "." A63 "." A61 },	/* 254 */
	};
	struct address a;
	struct err err;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		if (address_parse(rows[i].in, &a, &err) < 0)
			fail_msg("%s: %s", rows[i].in, err.text);
		assert_string_equal(a.text, rows[i].text);
		assert_string_equal(a.key, rows[i].key);
		assert_ptr_equal(a.domain, strchr(a.text, '@') + 1);
		assert_int_equal(a.bucket, address_bucket(a.key));
		assert_int_equal(address_has_letters(&a), strspn(rows[i].text, PRINTABLE) != strlen(rows[i].text));
		/* what came out goes in again, the same */
		assert_int_equal(address_parse(rows[i].text, &a, &err), 0);
		assert_string_equal(a.text, rows[i].text);
		assert_int_equal(address_parse(rows[i].key, &a, &err), 0);
		assert_string_equal(a.key, rows[i].key);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *in, *says;
	} rows[] = {
		{ "", "is needed" },
		{ " \t ", "is needed" },
		{ "ana", "no @" },
		{ "@example.com", "nothing before" },
		{ "ana@", "nothing behind" },
		{ "ana@@example.com", "more than one @" },
		{ "ana@b@example.com", "more than one @" },
		{ "ana@example", "no ending" },
		{ ".ana@example.com", "dot" },
		{ "ana.@example.com", "dot" },
		{ "a..b@example.com", "dot" },
		{ "a@example..com", "dot too many" },
		{ "a@.example.com", "dot too many" },
		{ "a@example.com.", "dot too many" },
		{ "a@-example.com", "hyphen" },
		{ "a@example-.com", "hyphen" },
		{ "a@exa_mple.com", "must not be there" },
		{ "a b@example.com", "must not be there" },
		{ "\"a b\"@example.com", "must not be there" },
		{ "a(x)@example.com", "must not be there" },
		{ "a@example.com>\r\nRCPT TO:<evil@example.com", "more than one @" },
		{ "a@example.com>\r\nRSET", "must not be there" },
		{ "a\r\nRSET@example.com", "must not be there" },
		{ "a>@example.com", "must not be there" },
		{ "a\x7f@example.com", "must not be there" },
		{ "a@[127.0.0.1]", "must not be there" },
		{ "a@127.0.0.1", "not a number" },
		{ "\xff@example.com", "must not be there" },
		{ "a\xc2\x85@example.com", "must not be there" },			/* C1 control */
		{ "a\xc2\xa0" "b@example.com", "must not be there" },			/* no-break space */
		{ "\xc3\xa9\xe2\x80\xae" "b@example.com", "must not be there" },	/* turns the direction */
		{ "\xc3\xa9\xe2\x80\x8d" "b@example.com", "must not be there" },	/* a joiner that joins nothing */
		{ "a\xe2\x80\xa8" "b@example.com", "must not be there" },		/* line separator */
		{ "\xcc\x81" "a@example.com", "must not be there" },			/* an accent on nothing */
		{ "a\xcd\xbe" "b@example.com", "must not be there" },			/* becomes a semicolon */
		{ "\xef\xbf\xbf@example.com", "must not be there" },
		{ "\xee\x80\x80@example.com", "must not be there" },			/* private use */
		{ "\xc3\xa9..b@example.com", "dot" },
		{ "\xc3\xa9>@example.com", "must not be there" },
		{ "\xc3\xa9\r\nRSET@example.com", "must not be there" },
		{ "\xc3\xa9" A63 "@example.com", "64" },
		{ "a@\xff.example.com", "international" },
		{ "a@\xc3\xa9\r\n.example.com", "international" },
		{ "a@ex\xe2\x80\x8d" "ample.com", "international" },		/* zero width joiner */
		{ "a@\xef\xbc\x9e.com", "" },					/* fullwidth > maps to > */
		{ "a@\xe2\x84\x80.com", "" },					/* "a/c" in one character */
		{ "a@xn--mller-kva.example\xc2\xa0RSET.com", "" },		/* no-break space */
		{ A64 "a@example.com", "64" },
		{ "a@" A64 ".com", "63" },
		{ "a@" A63 "." A63 "." A63 "." A63 ".com", "253" },
		{ TOO_LONG, "254" },
	};
	struct address a;
	struct err err;
	size_t i;

	memset(&a, 'x', sizeof(a));
	for (i = 0; i < COUNT(rows); i++) {
		if (address_parse(rows[i].in, &a, &err) == 0)
			fail_msg("takes %s", rows[i].in);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: says \"%s\", not \"%s\"", rows[i].in, err.text, rows[i].says);
	}
	assert_int_equal(a.text[0], 'x');
}

static void test_length_alone_cannot_hurt(void **state)
{
	char *s = xcalloc(1000003, 1);
	struct address a;

	memset(s, 'a', 1000000);
	assert_int_equal(address_parse(s, &a, NULL), -1);
	s[1] = '@';
	assert_int_equal(address_parse(s, &a, NULL), -1);
	memset(s + 2, '.', 999998);
	assert_int_equal(address_parse(s, &a, NULL), -1);
	free(s);
}

/* Whatever bytes come in: what is accepted has only the characters that an envelope can carry. */
static void test_no_bytes_reach_the_envelope(void **state)
{
	static const char seeds[][40] = { "ana@example.com", "\xc3\xa9milie@example.com", "e\xcc\x81l\xe8\xa9\xa6@example.com", "a.b@m\xc3\xbcller.example", "x+y@k\xc3\xb6ln.example" };
	int round, accepted = 0;
	struct address a;
	char s[40];

	random_seed(11);
	for (round = 0; round < 50000; round++) {
		const char *seed = seeds[random_u64() % COUNT(seeds)];
		size_t n = strlen(seed), changes = 1 + random_u64() % 3;

		memcpy(s, seed, sizeof(s));
		while (changes--)
			s[random_u64() % n] = (char)(1 + random_u64() % 255);
		if (address_parse(s, &a, NULL) < 0)
			continue;
		accepted++;
		assert_true(strlen(a.text) <= ADDRESS_MAX);
		assert_null(strpbrk(a.text, "<>\r\n \t\"\\,;:()"));
		assert_true(text_utf8_valid(a.text, strlen(a.text)) && text_utf8_valid(a.key, strlen(a.key)));
		for (n = 0; a.text[n]; n++)
			assert_true((unsigned char)a.text[n] > ' ' && a.text[n] != 0x7f);
		for (n = 0; a.domain[n]; n++)
			assert_true((unsigned char)a.domain[n] < 0x7f);
	}
	assert_true(accepted > 1000);
}

static void test_mailboxes(void **state)
{
	static const struct {
		const char *in, *name, *text;
	} good[] = {
		{ "ana@example.com", "", "ana@example.com" },
		{ "<ana@example.com>", "", "ana@example.com" },
		{ "Ana at Example <ana@example.com>", "Ana at Example", "ana@example.com" },
		{ " \"K\xc3\xb6hler, Ana\" < ana@Example.com > ", "K\xc3\xb6hler, Ana", "ana@example.com" },
		{ "\"a \\\"b\\\" \\\\c\"<x@example.com>", "a \"b\" \\c", "x@example.com" },
		{ "\"<>\" <x@example.com>", "<>", "x@example.com" },
		{ "J. R. Smith <x@example.com>", "J. R. Smith", "x@example.com" },
		{ "\"\" <x@example.com>", "", "x@example.com" },
	};
	static const struct {
		const char *in, *says;
	} bad[] = {
		{ "", "is needed" },
		{ "Ana", "no @" },
		{ "Ana <ana@example.com", "no >" },
		{ "Ana <ana@example.com> x", "no >" },
		{ "Ana <>", "is needed" },
		{ "Ana, Ben <ana@example.com>", "quotation marks" },
		{ "a@b.example <ana@example.com>", "quotation marks" },
		{ "\"Ana <ana@example.com>", "too few" },
		{ "\"Ana\" Maria <ana@example.com>", "between" },
		{ "Ana\r\nBcc: x <ana@example.com>", "quotation marks" },
		{ "Ana\r\n <ana@example.com> Bcc <x@example.com>", "quotation marks" },
		{ "\"Ana\r\nBcc: x\" <ana@example.com>", "must not be there" },
		{ "\xff <ana@example.com>", "must not be there" },
		{ "A name that is longer than the room that there is <ana@example.com>", "longer than 31" },
	};
	struct address a;
	struct err err;
	char name[32];
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		if (address_parse_mailbox(good[i].in, &a, name, sizeof(name), &err) < 0)
			fail_msg("%s: %s", good[i].in, err.text);
		assert_string_equal(name, good[i].name);
		assert_string_equal(a.text, good[i].text);
		assert_string_equal(a.domain, strchr(good[i].text, '@') + 1);
		assert_true(a.domain > a.text && a.domain < a.text + sizeof(a.text));
	}
	for (i = 0; i < COUNT(bad); i++) {
		if (address_parse_mailbox(bad[i].in, &a, name, sizeof(name), &err) == 0)
			fail_msg("takes %s", bad[i].in);
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s: says \"%s\", not \"%s\"", bad[i].in, err.text, bad[i].says);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *in, *kind;
	} rows[] = {
		{ "ana@gmail.com", "free" },	    { "Ana@GMX.de", "free" },		{ "info@web.de", "free" },
		{ "a@126.com", "free" },	    { "a@zoho.com", "free" },		{ "a@protonmail.com", "free" },
		{ "info@example.com", "role" },	    { "Sales+x@example.com", "role" },	{ "abuse@example.com", "role" },
		{ "webmaster@example.com", "role" }, { "no-reply@example.com", "role" }, { "ana@example.com", "work" },
		{ "information@example.com", "work" }, { "a@notgmail.com", "work" },	{ "a@gmail.com.example.com", "work" },
	};
	struct address a;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(address_parse(rows[i].in, &a, NULL), 0);
		if (strcmp(address_kind(&a), rows[i].kind) != 0)
			fail_msg("%s is %s", rows[i].in, address_kind(&a));
	}
}

static void test_registrable_domains(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "mail.example.co.uk", "example.co.uk" },
		{ "example.com", "example.com" },
		{ "a.b.c.example.com", "example.com" },
		{ "a.b.github.io", "b.github.io" },
		{ "co.uk", "co.uk" },
		{ "localhost", "localhost" },
		{ "www.xn--mller-kva.de", "xn--mller-kva.de" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(address_registrable(rows[i].in), rows[i].want);
}

static void test_buckets(void **state)
{
	int seen[BUCKETS] = { 0 }, i, empty = 0;
	char key[40];

	/* SHA-256("abc") begins with ba 78: its first ten bits are 745 */
	assert_int_equal(address_bucket("abc"), 0xba << 2 | 0x78 >> 6);
	for (i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "person%d@example.com", i);
		seen[address_bucket(key)]++;
	}
	for (i = 0; i < BUCKETS; i++) {
		empty += !seen[i];
		assert_true(seen[i] < 60);
	}
	assert_int_equal(empty, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_length_alone_cannot_hurt),
		cmocka_unit_test(test_no_bytes_reach_the_envelope),
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_registrable_domains),
		cmocka_unit_test(test_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
