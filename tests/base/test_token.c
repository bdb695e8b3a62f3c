/*
 * test_token.c: tokens come back, and no change of a bit, a kind, a key or a date passes.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/token.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOV_2026 (INT64_C(1795317695) * US_SECOND)

static const struct {
	enum token_kind kind;
	int days;
} kinds[] = {
	{ TOKEN_BOUNCE, 60 },	{ TOKEN_REPLY, 0 },    { TOKEN_UNSUBSCRIBE, 0 }, { TOKEN_OPEN, 180 },
	{ TOKEN_CLICK, 180 },	{ TOKEN_DOWNLOAD, 14 }, { TOKEN_MESSAGE, 0 },	 { TOKEN_CONFIRM, 30 },
	{ TOKEN_PREFERENCES, 0 }, { TOKEN_SALES, 60 },
};

static struct token_ring *ring_of(uint8_t secret, uint8_t id)
{
	uint8_t keys[1][TOKEN_SECRET];

	memset(keys, secret, sizeof(keys));
	return token_ring_new((const uint8_t(*)[TOKEN_SECRET])keys, &id, 1);
}

static int check(const struct token_ring *ring, enum token_kind kind, const char *s, int64_t now, struct token *out,
		 const char *says)
{
	struct err err = { "" };
	int rc = token_check(ring, kind, s, strlen(s), now, out, &err);

	assert_string_equal(err.text, says);
	return rc;
}

static void test_they_come_back(void **state)
{
	static const int64_t ids[] = { 0, 1, 0x123456789abcdef0, INT64_MAX };
	struct token_ring *ring = ring_of(1, 3);
	char text[TOKEN_TEXT];
	struct token token;
	size_t k, i, c;

	for (k = 0; k < COUNT(kinds); k++)
		for (i = 0; i < COUNT(ids); i++) {
			token_make(ring, kinds[k].kind, ids[i], (uint8_t)(i * 85), NOV_2026, text);
			assert_int_equal(strlen(text), TOKEN_TEXT - 1);
			if (i % 2)
				for (c = 0; text[c]; c++)
					text[c] = (char)toupper(text[c]);
			assert_int_equal(check(ring, kinds[k].kind, text, NOV_2026, &token, ""), 0);
			assert_int_equal(token.kind, kinds[k].kind);
			assert_true(token.id == ids[i]);
			assert_int_equal(token.link, i * 85);
			assert_int_equal(token.day, (NOV_2026 / US_DAY) - 19723);
		}
	token_ring_free(&ring);
	assert_null(ring);
	token_ring_free(&ring);
}

/* The form is fixed for ever: links are in mailboxes. Built here by hand from the description in the header. */
static void test_the_bytes_are_as_described(void **state)
{
	uint8_t secret[TOKEN_SECRET], key[SHA256_SIZE], mac[SHA256_SIZE];
	uint8_t raw[21] = { 0x15, 'c', 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x04, 0x20, 9 };
	struct token_ring *ring = ring_of(7, 5);
	struct buf want = BUF_INIT;
	char text[TOKEN_TEXT];

	memset(secret, 7, sizeof(secret));
	digest_hmac(secret, sizeof(secret), "nurtured token c", 16, key);
	digest_hmac(key, sizeof(key), raw, 13, mac);
	memcpy(raw + 13, mac, 8);
	text_base32(&want, raw, sizeof(raw));
	token_make(ring, TOKEN_CLICK, 0x0102030405060708, 9, (INT64_C(19723) + 0x0420) * US_DAY + US_HOUR, text);
	assert_string_equal(text, want.data);
	buf_clear(&want);
	token_ring_free(&ring);
}

static void test_no_change_of_a_bit_passes(void **state)
{
	struct token_ring *ring = ring_of(1, 0);
	struct token token = { .id = 42 };
	char text[TOKEN_TEXT], forged[TOKEN_TEXT];
	size_t at;
	int c;

	token_make(ring, TOKEN_UNSUBSCRIBE, 77, 0, NOV_2026, text);
	for (at = 0; at < TOKEN_TEXT - 1; at++)
		for (c = 1; c < 256; c++) {
			memcpy(forged, text, sizeof(text));
			forged[at] = (char)c;
			if (tolower(c) == text[at])
				continue;
			assert_int_equal(check(ring, TOKEN_UNSUBSCRIBE, forged, NOV_2026, &token, "not ours"), -1);
		}
	assert_true(token.id == 42);
	token_ring_free(&ring);
}

static void test_other_texts(void **state)
{
	static const char *const rows[] = {
		"", "a", "unsubscribe", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "77777777777777777777777777777777777777777",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct token_ring *ring = ring_of(1, 0);
	char text[TOKEN_TEXT + 4];
	struct token token;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		assert_int_equal(check(ring, TOKEN_OPEN, rows[i], NOV_2026, &token, "not ours"), -1);
	token_make(ring, TOKEN_OPEN, 5, 0, NOV_2026, text);
	memcpy(text + TOKEN_TEXT - 1, ".gif", 5);
	assert_int_equal(check(ring, TOKEN_OPEN, text, NOV_2026, &token, "not ours"), -1);
	/* the length rules, not a NUL */
	assert_int_equal(token_check(ring, TOKEN_OPEN, text, TOKEN_TEXT - 1, NOV_2026, &token, NULL), 0);
	assert_int_equal(token_check(ring, TOKEN_OPEN, text, TOKEN_TEXT - 2, NOV_2026, &token, NULL), -1);
	token_ring_free(&ring);
}

static void test_a_kind_never_passes_for_another(void **state)
{
	struct token_ring *ring = ring_of(1, 0);
	uint8_t raw[21];
	char text[TOKEN_TEXT];
	struct token token;
	size_t a, b, n;

	for (a = 0; a < COUNT(kinds); a++)
		for (b = 0; b < COUNT(kinds); b++) {
			struct buf forged = BUF_INIT;

			if (a == b)
				continue;
			token_make(ring, kinds[a].kind, 5, 0, NOV_2026, text);
			assert_int_equal(check(ring, kinds[b].kind, text, NOV_2026, &token, "of another kind"), -1);
			/* with the kind's letter changed, the MAC is of another key */
			assert_int_equal(text_base32_decode(text, 34, raw, sizeof(raw), &n), 0);
			raw[1] = (uint8_t)kinds[b].kind;
			text_base32(&forged, raw, n);
			assert_int_equal(check(ring, kinds[b].kind, forged.data, NOV_2026, &token, "not ours"), -1);
			buf_clear(&forged);
		}
	token_ring_free(&ring);
}

static void test_ages(void **state)
{
	struct token_ring *ring = ring_of(1, 0);
	char text[TOKEN_TEXT];
	struct token token;
	size_t k;

	for (k = 0; k < COUNT(kinds); k++) {
		int64_t last = NOV_2026 + (kinds[k].days ? kinds[k].days : 36500) * US_DAY;

		token_make(ring, kinds[k].kind, 5, 0, NOV_2026, text);
		assert_int_equal(check(ring, kinds[k].kind, text, last, &token, ""), 0);
		if (kinds[k].days)
			assert_int_equal(check(ring, kinds[k].kind, text, last + US_DAY, &token, "expired"), -1);
		/* the clock of another machine may be behind */
		assert_int_equal(check(ring, kinds[k].kind, text, NOV_2026 - 2 * US_DAY, &token, ""), 0);
	}
	token_ring_free(&ring);
}

static void test_keys_rotate(void **state)
{
	uint8_t keys[2][TOKEN_SECRET], ids[2] = { 4, 9 };
	struct token_ring *old = ring_of(1, 9), *both, *fresh = ring_of(2, 4), *stranger = ring_of(3, 9);
	char by_old[TOKEN_TEXT], by_both[TOKEN_TEXT];
	struct token token;

	memset(keys[0], 2, TOKEN_SECRET);
	memset(keys[1], 1, TOKEN_SECRET);
	both = token_ring_new((const uint8_t(*)[TOKEN_SECRET])keys, ids, 2);
	token_make(old, TOKEN_REPLY, 5, 0, NOV_2026, by_old);
	token_make(both, TOKEN_REPLY, 6, 0, NOV_2026, by_both);
	assert_int_equal(check(both, TOKEN_REPLY, by_old, NOV_2026, &token, ""), 0);
	assert_true(token.id == 5);
	assert_int_equal(check(both, TOKEN_REPLY, by_both, NOV_2026, &token, ""), 0);
	assert_int_equal(check(fresh, TOKEN_REPLY, by_both, NOV_2026, &token, ""), 0);
	assert_int_equal(check(fresh, TOKEN_REPLY, by_old, NOV_2026, &token, "not ours"), -1);
	assert_int_equal(check(stranger, TOKEN_REPLY, by_old, NOV_2026, &token, "not ours"), -1);
	token_ring_free(&old);
	token_ring_free(&both);
	token_ring_free(&fresh);
	token_ring_free(&stranger);
}

/* Added while the ring is in use. What is made again for a time before is signed as it was then: a retry has the same Message-ID. */
static void test_keys_are_added(void **state)
{
	uint8_t second[TOKEN_SECRET] = { 2 }, third[TOKEN_SECRET] = { 3 };
	struct token_ring *ring = ring_of(1, 0), *first = ring_of(1, 0);
	char before[3][TOKEN_TEXT], again[TOKEN_TEXT];
	struct token token;
	size_t i;

	token_make(ring, TOKEN_MESSAGE, 1, 0, NOV_2026, before[0]);
	token_ring_add(ring, second, 7, NOV_2026 + US_HOUR);
	token_make(ring, TOKEN_MESSAGE, 1, 0, NOV_2026 + US_HOUR, before[1]);
	token_ring_add(ring, third, 3, NOV_2026 + 2 * US_HOUR);
	token_make(ring, TOKEN_MESSAGE, 1, 0, NOV_2026 + 2 * US_HOUR, before[2]);
	for (i = 0; i < 3; i++) {
		assert_int_equal(check(ring, TOKEN_MESSAGE, before[i], NOV_2026 + 400 * US_DAY, &token, ""), 0);
		token_make(ring, TOKEN_MESSAGE, 1, 0, NOV_2026 + (int64_t)i * US_HOUR, again);
		assert_string_equal(again, before[i]);
	}
	assert_int_equal(check(first, TOKEN_MESSAGE, before[0], NOV_2026, &token, ""), 0);
	assert_int_equal(check(first, TOKEN_MESSAGE, before[1], NOV_2026, &token, "not ours"), -1);
	assert_int_equal(check(first, TOKEN_MESSAGE, before[2], NOV_2026, &token, "not ours"), -1);
	token_ring_free(&ring);
	token_ring_free(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_come_back),
		cmocka_unit_test(test_the_bytes_are_as_described),
		cmocka_unit_test(test_no_change_of_a_bit_passes),
		cmocka_unit_test(test_other_texts),
		cmocka_unit_test(test_a_kind_never_passes_for_another),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_keys_rotate),
		cmocka_unit_test(test_keys_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
