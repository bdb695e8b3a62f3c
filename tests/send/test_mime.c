/*
 * Headers and bodies: what comes out decodes to what went in, keeps its limits, and cannot be made to say anything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"

#include "../../daemon/send/mime.h"

/* --- a decoder of its own ------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2045 6.7; CRLF becomes LF. Fails on what a strict reader would. */
static void decode_qp(const char *s, size_t n, struct buf *out)
{
	size_t i;

	buf_reset(out);
	for (i = 0; i < n; i++) {
		if (s[i] == '=' && i + 2 < n && s[i + 1] == '\r' && s[i + 2] == '\n') {
			i += 2;
		} else if (s[i] == '=') {
			assert_true(i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0);
			buf_char(out, (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2])));
			i += 2;
		} else if (s[i] == '\r') {
			assert_true(i + 1 < n && s[i + 1] == '\n');
		} else {
			buf_char(out, s[i]);
		}
	}
}

/* One encoded-word at s; its length. Its text is valid UTF-8 by itself: no character is split (RFC 2047 5). */
static size_t decode_word(const char *s, struct buf *out)
{
	const char *end = strstr(s + 10, "?=");
	struct buf text = BUF_INIT;
	size_t i;

	assert_non_null(end);
	assert_true(end + 2 - s <= 75);
	if (s[8] == 'B') {
		assert_int_equal(text_base64_decode(s + 10, (size_t)(end - s - 10), &text), 0);
	} else {
		for (i = 10; s + i < end; i++) {
			if (s[i] == '_')
				buf_char(&text, ' ');
			else if (s[i] == '=') {
				buf_char(&text, (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2])));
				i += 2;
			} else
				buf_char(&text, s[i]);
		}
	}
	assert_true(text_utf8_valid(text.data, text.len));
	buf_add(out, text.data, text.len);
	buf_clear(&text);
	return (size_t)(end + 2 - s);
}

/* A field's value: unfolded (RFC 5322 2.2.3), encoded-words decoded, blanks between two of them dropped (RFC 2047 6.2). */
static void decode_field(const char *field, struct buf *out)
{
	const char *s = strchr(field, ':') + 2;
	struct buf flat = BUF_INIT;
	bool word = false;

	buf_reset(out);
	buf_reserve(out, 1);
	for (; strcmp(s, "\r\n") != 0; s++) {
		assert_true(*s != '\0');
		if (s[0] == '\r' && s[1] == '\n') {
			assert_true(s[2] == ' ' || s[2] == '\t');
			s++;
			continue;
		}
		buf_char(&flat, *s);
	}
	for (s = buf_cstr(&flat); *s;) {
		if (strncmp(s, "=?UTF-8?", 8) == 0) {
			s += decode_word(s, out);
			word = true;
			continue;
		}
		if (word && strncmp(s + strspn(s, " "), "=?UTF-8?", 8) == 0) {
			s += strspn(s, " ");
			continue;
		}
		word = false;
		buf_char(out, *s++);
	}
	buf_clear(&flat);
}

static void check_lines(const char *s, size_t n, size_t limit)
{
	size_t i, from = 0;

	for (i = 0; i < n; i++) {
		assert_true((unsigned char)s[i] < 0x80 && s[i] != '\0');
		if (s[i] != '\n')
			continue;
		assert_true(i > 0 && s[i - 1] == '\r');
		assert_true(i - 1 - from <= limit);
		from = i + 1;
	}
	assert_int_equal(from, n);
}

/* --- headers ---------------------------------------------------------------------------------------------------------- */

static void texts_come_back(void **state)
{
	static const char *const texts[] = {
		"Three mistakes when choosing a vendor",
		"A subject of many words that has to be folded because it is longer than any line should be, and then again once more",
		"Grüße aus Köln", "Größe, Maße und Füße: ein überlanger Betreff mit vielen Umlauten über äußerst mühsame Übersetzungen",
		"日本語の件名はとても長いので折り返さなければなりません。そうしないと行が長すぎます。",
		"😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
		"looks like =?UTF-8?Q?an_encoded_word?= but is none", "words  and  two  blanks", "_underscores_ = equals ? marks", "x", "",
		"a-word-that-is-much-longer-than-any-line-may-be-without-a-single-blank-in-it-so-that-nothing-can-be-folded-at-all",
	};
	struct buf out = BUF_INIT, back = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_reset(&out);
		assert_int_equal(mime_text(&out, "Subject", slice_of(texts[i]), NULL), 0);
		check_lines(out.data, out.len, strchr(texts[i], ' ') ? 78 : 150);
		decode_field(out.data, &back);
		assert_string_equal(buf_cstr(&back), texts[i]);
	}
	buf_clear(&out);
	buf_clear(&back);
}

static size_t random_character(char *to)
{
	static const char *const some[] = { "a", "Z", " ", "=", "?", "_", "ü", "é", "€", "日", "😀", ".", "<", "\"", "5", "b", "c", "d", "e" };
	const char *s = some[random_u64() % (sizeof(some) / sizeof(some[0]))];

	memcpy(to, s, strlen(s));
	return strlen(s);
}

static void random_texts_come_back(void **state)
{
	struct buf out = BUF_INIT, back = BUF_INIT;
	char text[1600];
	size_t n, i, round;

	random_seed(4);
	for (round = 0; round < 3000; round++) {
		for (n = 0, i = random_u64() % 300; i > 0; i--)
			n += random_character(text + n);
		while (n > 0 && text[n - 1] == ' ')
			n--;
		text[n] = '\0';
		buf_reset(&out);
		assert_int_equal(mime_text(&out, "Subject", slice_of(text + strspn(text, " ")), NULL), 0);
		check_lines(out.data, out.len, 400);
		decode_field(out.data, &back);
		assert_string_equal(buf_cstr(&back), text + strspn(text, " "));
	}
	buf_clear(&out);
	buf_clear(&back);
}

static void mailboxes(void **state)
{
	static const struct {
		const char *display, *want;
	} cases[] = {
		{ "", "To: <a@b.example>\r\n" },
		{ "Ana", "To: Ana <a@b.example>\r\n" },
		{ "Ana at Example", "To: Ana at Example <a@b.example>\r\n" },
		{ "Köhler", "To: =?UTF-8?Q?K=C3=B6hler?= <a@b.example>\r\n" },
		{ "Dr. Who", "To: \"Dr. Who\" <a@b.example>\r\n" },
		{ "a \"b\" \\ c", "To: \"a \\\"b\\\" \\\\ c\" <a@b.example>\r\n" },
		{ "evil@x.example, <c@d.example>", "To: \"evil@x.example, <c@d.example>\" <a@b.example>\r\n" },
		{ "=?UTF-8?Q?x?=", "To: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?= <a@b.example>\r\n" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		assert_int_equal(mime_mailbox(&out, "To", slice_of(cases[i].display), "a@b.example", NULL), 0);
		assert_string_equal(buf_cstr(&out), cases[i].want);
	}
	buf_clear(&out);
}

static void injections_are_refused(void **state)
{
	static const char *const evil[] = {
		"x\r\nBcc: y@z.example", "x\nBcc: y", "x\ry", "\n", "a\x01""b", "a\x7f""b", "a\x1b[31m", "a\xe2\x80\xa8""b", "a\xe2\x80\xa9""b",
		"a\xc2\x85""b", "a\tb", "\xff\xfe", "a\xc0\xaf",
	};
	struct buf out = BUF_INIT;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		assert_int_equal(mime_text(&out, "Subject", slice_of(evil[i]), &err), -1);
		assert_non_null(strstr(err.text, "header_injection"));
		assert_int_equal(mime_mailbox(&out, "To", slice_of(evil[i]), "a@b.example", &err), -1);
		assert_int_equal(out.len, 0);
	}
	assert_int_equal(mime_text(&out, "Subject", (struct slice){ "a\0b", 3 }, &err), -1);
	buf_clear(&out);
}

static void a_word_longer_than_a_line_may_be_is_an_error(void **state)
{
	struct buf out = BUF_INIT;
	struct err err;
	char word[1000];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(mime_text(&out, "Subject", slice_of(word), &err), -1);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
}

static void dates_do_not_ask_the_locale(void **state)
{
	struct buf out = BUF_INIT;

	mime_date(&out, INT64_C(1763975700) * US_SECOND);
	assert_string_equal(out.data, "Date: Mon, 24 Nov 2025 09:15:00 +0000\r\n");
	buf_clear(&out);
}

static void boundaries_are_unlike_quoted_printable(void **state)
{
	char a[MIME_BOUNDARY], b[MIME_BOUNDARY];

	mime_boundary(a);
	mime_boundary(b);
	assert_int_equal(strlen(a), MIME_BOUNDARY - 1);
	assert_int_equal(strncmp(a, "=_n_", 4), 0);
	assert_string_not_equal(a, b);
}

/* --- bodies ----------------------------------------------------------------------------------------------------------- */

static void check_transparent(const char *s, size_t n)
{
	assert_true(n >= 2 && memcmp(s + n - 2, "\r\n", 2) == 0);
	assert_true(s[0] != '.');
	assert_null(memmem(s, n, "\r\n.", 3));
	assert_true(n < 5 || memcmp(s, "From ", 5) != 0);
	assert_null(memmem(s, n, "\r\nFrom ", 7));
	assert_null(memmem(s, n, " \r\n", 3));
	assert_null(memmem(s, n, "\t\r\n", 3));
}

static void quoted_printable_by_example(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "plain\n", "plain\r\n" },
		{ "no end", "no end\r\n" },
		{ "a\r\nb\r\n", "a\r\nb\r\n" },
		{ "a=b\n", "a=3Db\r\n" },
		{ ".\n..\n.x\n", "=2E\r\n=2E.\r\n=2Ex\r\n" },
		{ "From here\nFrom: not\n", "=46rom here\r\nFrom: not\r\n" },
		{ "blank \ntab\t\nmid\tdle\n", "blank=20\r\ntab=09\r\nmid\tdle\r\n" },
		{ "blanks  \n \n\n", "blanks =20\r\n=20\r\n\r\n" },
		{ "ü\n", "=C3=BC\r\n" },
		{ "", "" },
	};
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		assert_int_equal(mime_quoted_printable(&out, slice_of(cases[i].text), NULL), 0);
		assert_string_equal(buf_cstr(&out), cases[i].want);
	}
	buf_clear(&out);
}

/* A dot, "From " or a blank may come to stand at a line's edge through a soft break alone. */
static void soft_breaks_keep_lines_safe(void **state)
{
	static const char *const tails[] = { ".x", "From x", ". From .", " ", "\t", "=", "ü", " .", "..", "\tFrom " };
	struct buf out = BUF_INIT, back = BUF_INIT, text = BUF_INIT;
	size_t fill, i;

	for (fill = 60; fill < 90; fill++) {
		for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
			size_t k;

			buf_reset(&text);
			for (k = 0; k < fill; k++)
				buf_char(&text, 'x');
			buf_str(&text, tails[i]);
			buf_reset(&out);
			assert_int_equal(mime_quoted_printable(&out, (struct slice){ text.data, text.len }, NULL), 0);
			check_lines(out.data, out.len, 76);
			check_transparent(out.data, out.len);
			decode_qp(out.data, out.len, &back);
			buf_char(&text, '\n');
			assert_string_equal(back.data, text.data);
		}
	}
	buf_clear(&out);
	buf_clear(&back);
	buf_clear(&text);
}

static void random_bodies_come_back(void **state)
{
	static const char *const some[] = {
		"a", "word ", " ", "\t", "=", ".", "\n", "\n.", "\nFrom ", "ü", "€", "😀", "https://example.com/a?b=c&d=e ", "<td style=\"x\">", "~", "\n\n",
		"longer-than-a-line-longer-than-a-line-longer-than-a-line-longer-than-a-line-longer-than-a-line",
	};
	struct buf text = BUF_INIT, out = BUF_INIT, back = BUF_INIT;
	size_t round, i;

	random_seed(5);
	for (round = 0; round < 3000; round++) {
		buf_reset(&text);
		buf_reserve(&text, 1);
		for (i = random_u64() % 120; i > 0; i--)
			buf_str(&text, some[random_u64() % (sizeof(some) / sizeof(some[0]))]);
		buf_char(&text, '\n');
		buf_reset(&out);
		assert_int_equal(mime_quoted_printable(&out, (struct slice){ text.data, text.len }, NULL), 0);
		check_lines(out.data, out.len, 76);
		check_transparent(out.data, out.len);
		decode_qp(out.data, out.len, &back);
		assert_string_equal(back.data, text.data);
	}
	buf_clear(&text);
	buf_clear(&out);
	buf_clear(&back);
}

/* The rules, a byte at a time. */
static void encode_by_bytes(struct buf *out, const char *s, size_t n)
{
	size_t i, col = 0;

	for (i = 0; i < n; i++) {
		const char *c = s + i;
		size_t left = n - i;
		bool ends = left == 1 || c[1] == '\n' || (left > 2 && c[1] == '\r' && c[2] == '\n'), escaped;

		if (*c == '\n' || (left > 1 && *c == '\r' && c[1] == '\n')) {
			i += *c == '\r';
			buf_str(out, "\r\n");
			col = 0;
			continue;
		}
		if (col == 75) {
			buf_str(out, "=\r\n");
			col = 0;
		}
		escaped = *c == '=' || (unsigned char)*c > '~' || (ends && (*c == ' ' || *c == '\t')) ||
			(col == 0 && (*c == '.' || (left >= 5 && memcmp(c, "From ", 5) == 0)));
		if (escaped && col > 72) {
			buf_str(out, "=\r\n");
			col = 0;
		}
		buf_printf(out, escaped ? "=%02X" : "%c", (unsigned char)*c);
		col += escaped ? 3 : 1;
	}
	if (n > 0 && s[n - 1] != '\n')
		buf_str(out, "\r\n");
}

static void add_some(struct buf *text)
{
	static const char *const some[] = {
		"a", "word ", " ", "\t", "=", ".", "\n", "\r\n", "\nFrom ", "From ", "ü", "€", "<td style=\"x\">", "~", "\n\n", "sixteen-in-a-row",
		"as long as a line as long as a line as long as a line as long as a line..",
		"longer-than-a-line-longer-than-a-line-longer-than-a-line-longer-than-a-line-longer-than-a-line",
	};
	static const size_t count = sizeof(some) / sizeof(some[0]);
	size_t i, words = random_u64() % 60, from = random_u64() % 3 ? 0 : count - 5;	/* some texts are nearly all prose */

	for (i = 0; i < words; i++)
		buf_str(text, some[random_u64() % 8 ? from + random_u64() % (count - from) : random_u64() % count]);
}

/* However many bytes are looked at in one go, and wherever the text ends. */
static void encodings_are_those_of_the_bytes(void **state)
{
	struct buf text = BUF_INIT, out = BUF_INIT, want = BUF_INIT;
	size_t round;
	char *exact;

	random_seed(7);
	for (round = 0; round < 20000; round++) {
		buf_reset(&text);
		add_some(&text);
		exact = xmalloc(text.len);
		if (text.len)
			memcpy(exact, text.data, text.len);
		buf_reset(&want);
		encode_by_bytes(&want, exact, text.len);
		buf_clear(&out);
		assert_int_equal(mime_quoted_printable(&out, (struct slice){ exact, text.len }, NULL), 0);
		assert_string_equal(buf_cstr(&out), buf_cstr(&want));
		free(exact);
	}
	buf_clear(&text);
	buf_clear(&out);
	buf_clear(&want);
}

static void the_encoding_suits_the_text(void **state)
{
	struct buf out = BUF_INIT, back = BUF_INIT;
	char *body;

	assert_int_equal(mime_body(&out, slice_of("mostly ASCII, einmal ü\n"), NULL), 0);
	assert_non_null(strstr(out.data, "quoted-printable\r\n\r\nmostly ASCII, einmal =C3=BC\r\n"));
	buf_reset(&out);
	assert_int_equal(mime_body(&out, slice_of("これは日本語の本文です。\nとても長い。\n"), NULL), 0);
	body = strstr(out.data, "base64\r\n\r\n");
	assert_non_null(body);
	check_lines(out.data, out.len, 76);
	body += 10;
	body[strcspn(body, "\r")] = '\0';
	assert_int_equal(text_base64_decode(body, strlen(body), &back), 0);
	assert_true(text_starts_with(back.data, "これは日本語の本文です。\r\n"));
	buf_clear(&out);
	buf_clear(&back);
}

/* Of texts that are mostly beyond ASCII: base64, with CRLF in it. */
static void base64_has_every_line(void **state)
{
	static const char *const some[] = { "日本語", "слово ", "a", " ", "\n", "\r\n", "\t", "これは日本語の本文です。", "sixteen-in-a-row" };
	struct buf text = BUF_INIT, want = BUF_INIT, out = BUF_INIT, lines = BUF_INIT, back = BUF_INIT;
	size_t round, i;
	char *exact;

	random_seed(11);
	for (round = 0; round < 3000; round++) {
		buf_reset(&text);
		buf_str(&text, "日本語");
		for (i = random_u64() % 40; i > 0; i--)
			buf_str(&text, some[random_u64() % 3 ? random_u64() % 2 : random_u64() % (sizeof(some) / sizeof(some[0]))]);
		buf_reset(&want);
		for (i = 0; i < text.len; i++)
			if (text.data[i] == '\n')
				buf_str(&want, "\r\n");
			else if (text.data[i] != '\r')
				buf_char(&want, text.data[i]);
		if (text.data[text.len - 1] != '\n')
			buf_str(&want, "\r\n");
		exact = xmalloc(text.len);
		memcpy(exact, text.data, text.len);
		buf_clear(&out);
		assert_int_equal(mime_body(&out, (struct slice){ exact, text.len }, NULL), 0);
		free(exact);
		if (!strstr(out.data, "base64\r\n\r\n"))
			continue;
		check_lines(out.data, out.len, 76);
		buf_reset(&lines);
		for (i = (size_t)(strstr(out.data, "\r\n\r\n") + 4 - out.data); i < out.len; i++)
			if (out.data[i] != '\r' && out.data[i] != '\n')
				buf_char(&lines, out.data[i]);
		buf_reset(&back);
		assert_int_equal(text_base64_decode(lines.data, lines.len, &back), 0);
		assert_string_equal(back.data, want.data);
	}
	buf_clear(&text);
	buf_clear(&want);
	buf_clear(&out);
	buf_clear(&lines);
	buf_clear(&back);
}

/* Wherever it stands, in either encoding. */
static void controls_are_found_everywhere(void **state)
{
	static const char *const fills[] = { "x", "\xc3\xa9x" };
	static const char bad[] = { '\0', '\r', 0x01, 0x1f, 0x7f };
	struct buf text = BUF_INIT, out = BUF_INIT;
	size_t f, len, at, i;

	for (f = 0; f < 2; f++) {
		for (len = 1; len < 200; len += 7) {
			buf_reset(&text);
			for (i = 0; i < len; i++)
				buf_str(&text, fills[f]);
			buf_reset(&out);
			assert_int_equal(mime_body(&out, (struct slice){ text.data, text.len }, NULL), 0);
			for (at = strlen(fills[f]) - 1; at < text.len; at += strlen(fills[f])) {
				char was = text.data[at];

				text.data[at] = bad[at % sizeof(bad)];
				assert_int_equal(mime_body(&out, (struct slice){ text.data, text.len }, NULL), -1);
				text.data[at] = was;
			}
		}
	}
	buf_clear(&text);
	buf_clear(&out);
}

static void texts_that_are_none_are_refused(void **state)
{
	static const struct slice bad[] = {
		{ "a\0b", 3 }, { "a\rb", 3 }, { "a\x01", 2 }, { "a\x7f", 2 }, { "\xff", 1 }, { "\xc3", 1 },
		{ "ä\xc3", 3 }, { "\x1b[0m", 4 }, { "日本語\x01", 10 }, { "日本語\r", 10 },
	};
	struct buf out = BUF_INIT;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mime_body(&out, bad[i], &err), -1);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(random_texts_come_back),
		cmocka_unit_test(mailboxes),
		cmocka_unit_test(injections_are_refused),
		cmocka_unit_test(a_word_longer_than_a_line_may_be_is_an_error),
		cmocka_unit_test(dates_do_not_ask_the_locale),
		cmocka_unit_test(boundaries_are_unlike_quoted_printable),
		cmocka_unit_test(quoted_printable_by_example),
		cmocka_unit_test(soft_breaks_keep_lines_safe),
		cmocka_unit_test(random_bodies_come_back),
		cmocka_unit_test(encodings_are_those_of_the_bytes),
		cmocka_unit_test(the_encoding_suits_the_text),
		cmocka_unit_test(base64_has_every_line),
		cmocka_unit_test(controls_are_found_everywhere),
		cmocka_unit_test(texts_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
