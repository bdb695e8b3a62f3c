/*
 * test_text.c: UTF-8, globs and nearest names by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_utf8(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		bool valid;
		size_t length;
	} rows[] = {
		{ "", 0, true, 0 },
		{ "abc", 3, true, 3 },
		{ "a\0b", 3, false, 3 },
		{ "\xc3\xa9t\xc3\xa9", 5, true, 3 },
		{ "\xe2\x82\xac", 3, true, 1 },
		{ "\xf0\x9f\x98\x80", 4, true, 1 },
		{ "\xf4\x8f\xbf\xbf", 4, true, 1 },
		{ "\xed\x9f\xbf\xee\x80\x80", 6, true, 2 },
		{ "\xc0\x80", 2, false, 2 },			/* overlong */
		{ "\xc1\xbf", 2, false, 2 },
		{ "\xe0\x9f\xbf", 3, false, 3 },
		{ "\xf0\x8f\xbf\xbf", 4, false, 4 },
		{ "\xed\xa0\x80", 3, false, 3 },		/* surrogate */
		{ "\xf4\x90\x80\x80", 4, false, 4 },		/* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", 4, false, 4 },
		{ "\x80", 1, false, 1 },
		{ "\xc3", 1, false, 1 },
		{ "\xe2\x82", 2, false, 2 },
		{ "\xe2\x82\xac\xe2\x82", 5, false, 3 },
		{ "\xc3\xa9", 1, false, 1 },			/* cut by its length */
		{ "\xf0\x9f\x98" "a", 4, false, 4 },
		{ "\xff\xfe", 2, false, 2 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_utf8_valid(rows[i].s, rows[i].n), rows[i].valid);
		assert_int_equal(text_utf8_length(rows[i].s, rows[i].n), rows[i].length);
	}
}

/* RFC 3629 by numbers: what the first characters of n bytes are, if they are whole and the shortest way to write them. */
static bool valid_by_numbers(const unsigned char *s, size_t n)
{
	static const unsigned least[] = { 0, 1, 0x80, 0x800, 0x10000 };

	for (size_t i = 0, len, k; i < n; i += len) {
		unsigned c = s[i];

		len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
		if (!len || n - i < len)
			return false;
		if (len > 1)
			c &= 0x7fu >> len;
		for (k = 1; k < len; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3f);
		}
		if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

/* Texts of all scripts, of which every other one has a wrong byte. */
static void test_utf8_of_many_scripts(void **state)
{
	static const char *const some[] = {
		"a", " ", "sixteen-in-a-row", "\xc3\xbc", "\xd0\xb6\xd0\xb8", "\xe2\x80\x93", "\xe0\xa4\x95", "\xed\x95\x9c", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80",
		"\xef\xbf\xbd", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\xa2\xd7\x95\xd7\x9c\xd7\x9d",
	};
	static const unsigned char bad[] = { 0, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	size_t round, i, wrong = 0;
	struct buf b = BUF_INIT;
	unsigned char *exact;

	random_seed(9);
	for (round = 0; round < 100000; round++) {
		size_t from = random_u64() % COUNT(some), count = 1 + random_u64() % (COUNT(some) - from);

		buf_reset(&b);
		for (i = random_u64() % 30; i > 0; i--)
			buf_str(&b, some[from + random_u64() % count]);
		if (b.len && random_u64() % 2)
			b.data[random_u64() % b.len] = (char)bad[random_u64() % COUNT(bad)];
		exact = malloc(b.len ? b.len : 1);
		assert_non_null(exact);
		if (b.len)
			memcpy(exact, b.data, b.len);
		assert_int_equal(text_utf8_valid((char *)exact, b.len), valid_by_numbers(exact, b.len));
		wrong += !valid_by_numbers(exact, b.len);
		free(exact);
	}
	assert_in_range(wrong, 20000, 50000);
	buf_clear(&b);
}

/* What is looked at many bytes at once: each character at each place of a text of each length. */
static void test_every_place_is_looked_at(void **state)
{
	static const struct {
		const char *s;
		bool valid;
	} rows[] = {
		{ "", false }, { "\xc3\xa9", true }, { "\xe2\x82\xac", true }, { "\xf0\x9f\x98\x80", true }, { "\x1f", true }, { "\x7f", true }, { "\t", true },
		{ "\xc3", false }, { "\xa9", false }, { "\xe2\x82", false }, { "\xff", false }, { "\xc1\xbf", false },
	};
	size_t i, at, len, odd;
	char *exact;

	for (len = 1; len < 64; len++) {
		exact = malloc(len);
		assert_non_null(exact);
		for (i = 0; i < COUNT(rows); i++) {
			odd = *rows[i].s ? strlen(rows[i].s) : 1;	/* the first is a NUL */
			for (at = 0; at + odd <= len; at++) {
				memset(exact, at % 2 ? ' ' : '~', len);
				memcpy(exact + at, rows[i].s, odd);
				assert_int_equal(text_utf8_valid(exact, len), rows[i].valid);
				assert_int_equal(text_printable(exact, len), at);
				assert_int_equal(text_printable(exact, at), at);
				assert_int_equal(text_ascii(exact, len), (unsigned char)rows[i].s[0] < 0x80);
				assert_true(text_ascii(exact, at));
			}
		}
		free(exact);
	}
}

static void test_controls(void **state)
{
	int c;

	for (c = 0; c < 256; c++) {
		char s[3] = { 'a', (char)c, 'b' };
		bool want = (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;

		assert_int_equal(text_has_control(s, 3), want);
	}
	assert_false(text_has_control("", 0));
}

static void test_case_and_ends(void **state)
{
	char s[] = "AbZ[\xc3\x84";

	text_lower(s);
	assert_string_equal(s, "abz[\xc3\x84");
	assert_true(text_ends_with("a.yaml", ".yaml"));
	assert_true(text_ends_with("a", ""));
	assert_false(text_ends_with("yaml", ".yaml"));
	assert_true(text_starts_with("/pricing", "/p"));
	assert_true(text_starts_with("x", ""));
	assert_false(text_starts_with("/", "/p"));
}

static void test_globs(void **state)
{
	static const struct {
		const char *pattern, *s;
		bool match;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "/a/b", true },
		{ "**", "a", true },
		{ "?", "", false },
		{ "?", "a", true },
		{ "?", "\xe2\x82\xac", true },
		{ "??", "\xe2\x82\xac", false },
		{ "a?c", "abc", true },
		{ "/compare*", "/compare", true },
		{ "/compare*", "/compare/us", true },
		{ "/compare*", "/x/compare", false },
		{ "*/pricing", "/en/pricing", true },
		{ "*/pricing", "/en/pricing/", false },
		{ "*a*b*c*", "xxaxxbxxcxx", true },
		{ "*a*b*c*", "xxaxxcxxbxx", false },
		{ "a*b", "ab", true },
		{ "a*b", "aXbXb", true },
		{ "a*bc", "abcbcb", false },
		{ "a*b?", "abbbbc", true },
		{ "[a]", "a", false },
		{ "\\*", "\\anything", true },
		{ "A", "a", false },
		{ "*.pdf", "a.pdf", true },
		{ "*?", "", false },
		{ "*?*", "a", true },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (text_glob(rows[i].pattern, rows[i].s) != rows[i].match)
			fail_msg("\"%s\" on \"%s\" is not %d", rows[i].pattern, rows[i].s, rows[i].match);
}

/* A pattern that makes a recursive matcher work for longer than anybody waits. */
static void test_a_hostile_glob_ends(void **state)
{
	char pattern[201], s[5001];
	size_t i;

	for (i = 0; i < 200; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[199] = 'b';
	pattern[200] = '\0';
	memset(s, 'a', 5000);
	s[5000] = '\0';
	assert_false(text_glob(pattern, s));
}

static void test_nearest(void **state)
{
	static const char *const keys[] = { "sequence", "list", "enter", "again", "goal", "exit", "priority", "steps", NULL };
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "sequnce", "sequence" },
		{ "sequecne", "sequence" },	/* two neighbours exchanged are one mistake */
		{ "lsit", "list" },
		{ "lists", "list" },
		{ "lst", "list" },
		{ "goals", "goal" },
		{ "step", "steps" },
		{ "prioritaet", "priority" },
		{ "prio", NULL },
		{ "banana", NULL },
		{ "exit", "exit" },
		{ "x", NULL },
		{ "", NULL },
	};
	static const char *const none[] = { NULL };
	char *huge = xcalloc(100001, 1);
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const char *found = text_nearest(rows[i].name, keys);

		if (!rows[i].want)
			assert_null(found);
		else if (!found || strcmp(found, rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].name, found ? found : "nothing", rows[i].want);
	}
	assert_null(text_nearest("list", none));
	memset(huge, 'l', 100000);
	assert_null(text_nearest(huge, keys));
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_of_many_scripts),
		cmocka_unit_test(test_every_place_is_looked_at),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_case_and_ends),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_a_hostile_glob_ends),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
