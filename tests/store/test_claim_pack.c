/*
 * test_claim_pack.c: claims come back from a row as they were put into it, and whatever else lies there is told from claims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#include "../../daemon/store/claim_pack.h"

#define CLAIMS 4

/* The second is of the same step as the first, the third is another kind of mail, the last has everything that there is. */
static const struct packed_claim claims[CLAIMS] = {
	{ { .id = 5, .prospect = 70, .kind = DELIVERY_STEP, .state = DELIVERY_SENDING, .enrolment = 71, .sequence = "ebook", .step = "deliver",
		.template = "ebook.de", .arm = "", .address = "eve@example.com", .download = "a.pdf", .planned = 1000, .reply = "", .relay_id = "",
		.claimed = 2000 }, 3, false },
	{ { .id = 6, .prospect = 80, .kind = DELIVERY_STEP, .state = DELIVERY_SENDING, .enrolment = 81, .sequence = "ebook", .step = "deliver",
		.template = "ebook.de", .arm = "", .address = "bob@example.com", .download = "a.pdf", .planned = 1000, .reply = "", .relay_id = "",
		.claimed = 2000 }, 3, false },
	{ { .id = 7, .prospect = 0, .kind = DELIVERY_TEST, .state = DELIVERY_DOT, .sequence = "", .step = "", .template = "t", .arm = "", .address = "",
		.download = "", .reply = "", .relay_id = "", .claimed = 2001 }, 3, true },
	{ { .id = INT64_MAX, .prospect = -1, .kind = DELIVERY_AGAIN, .state = DELIVERY_SENDING, .enrolment = INT64_MIN, .sequence = "s", .step = "s",
		.template = "t\xc3\xa4", .arm = "b", .address = "x", .download = "d", .ref = 9, .attempt = 12, .planned = -5, .done = 8, .code = 451,
		.reply = "4.7.1 later", .relay_id = "4Xk", .claimed = INT64_MAX }, INT64_MAX, false },
};

static void pack(struct buf *body)
{
	struct claim_packer packer;
	size_t i;

	claim_pack_begin(&packer, body, CLAIMS);
	for (i = 0; i < CLAIMS; i++)
		claim_pack_add(&packer, &claims[i]);
}

static void assert_same(struct packed_claim *a, struct packed_claim b)
{
	const char **one[CLAIM_TEXTS], **other[CLAIM_TEXTS];
	size_t i;

	claim_pack_texts(&a->mail, one);
	claim_pack_texts(&b.mail, other);
	for (i = 0; i < CLAIM_TEXTS; i++) {
		assert_string_equal(*one[i], *other[i]);
		*one[i] = *other[i] = NULL;
	}
	assert_memory_equal(&a->mail, &b.mail, sizeof(b.mail));
	assert_int_equal(a->epoch, b.epoch);
	assert_int_equal(a->apart, b.apart);
}

static void claims_come_back(void **state)
{
	struct buf body = BUF_INIT;
	struct claim_reading r;
	struct packed_claim got;
	size_t i;

	pack(&body);
	claim_pack_open(&r, (struct slice){ body.data, body.len });
	for (i = 0; i < CLAIMS; i++) {
		assert_int_equal(claim_pack_next(&r, &got), 1);
		assert_same(&got, claims[i]);
	}
	assert_int_equal(claim_pack_next(&r, &got), 0);
	buf_clear(&body);
}

/* How it ends: 0, or -1 and why. All of its texts are read. */
static int read_all(const char *data, size_t len, const char **why)
{
	struct claim_reading r;
	struct packed_claim got;
	const char **texts[CLAIM_TEXTS];
	size_t i, bytes = 0;
	int rc;

	claim_pack_open(&r, (struct slice){ data, len });
	while ((rc = claim_pack_next(&r, &got)) == 1) {
		claim_pack_texts(&got.mail, texts);
		for (i = 0; i < CLAIM_TEXTS; i++)
			bytes += strlen(*texts[i]);
	}
	assert_true(bytes <= len * CLAIMS);
	*why = r.why;
	return rc;
}

static void what_is_cut_off_is_told(void **state)
{
	struct buf body = BUF_INIT;
	const char *why;
	size_t len;

	pack(&body);
	for (len = 0; len <= body.len; len++) {
		char *copy = xmalloc(len + 1);		/* of just that length, for what watches over memory */

		memcpy(copy, body.data, len);
		copy = realloc(copy, len ? len : 1);
		assert_int_equal(read_all(copy, len, &why), len < body.len ? -1 : 0);
		assert_true(len == body.len || strcmp(why, "it ends too soon") == 0);
		free(copy);
	}
	buf_clear(&body);
}

static void what_is_spoilt_is_read_to_its_end_at_most(void **state)
{
	struct buf body = BUF_INIT;
	size_t i, told = 0;
	const char *why;
	int bit;

	pack(&body);
	for (i = 0; i < body.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			body.data[i] ^= (char)(1 << bit);
			told += read_all(body.data, body.len, &why) < 0;
			body.data[i] ^= (char)(1 << bit);
		}
	}
	/* in an address or a time nobody can tell */
	assert_true(told > body.len);
	assert_int_equal(read_all(body.data, body.len, &why), 0);
	buf_clear(&body);
}

static void other_things_are_told(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{ "", 0, "it ends too soon" },
		{ "\2\1\0\0\0", 5, "this program does not know its form" },
		{ "\1\0\0\0\0", 5, "there is nothing in it" },
		{ "\1\1\0\0\0\0\0\0\0", 9, "what is in it are no mails" },
		{ "\1\xff\xff\xff\xff\0\0\0\0", 9, "what is in it are no mails" },
		{ "\1\1\0\0\0\0\0\0\x80", 9, "what is in it are no mails" },
		/* id 1, sending; then a text that goes on behind the end, one without its end, and one that ends before it */
		{ "\1\1\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\xff\xffx", 28, "it ends too soon" },
		{ "\1\1\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0xy", 29, "a text in it is none" },
		{ "\1\1\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0x\0\0", 30, "a text in it is none" },
		{ "\1\1\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0x\0z", 30, "there is more in it than it says" },
		{ "\1\2\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0x\0\0\0\0\0", 33, "what is in it are no mails" },	/* the same once more */
	};
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_all(cases[i].bytes, cases[i].len, &why), -1);
		assert_string_equal(why, cases[i].why);
	}
	assert_int_equal(read_all("\1\1\0\0\0\x09\x20\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0x\0", 29, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_come_back),
		cmocka_unit_test(what_is_cut_off_is_told),
		cmocka_unit_test(what_is_spoilt_is_read_to_its_end_at_most),
		cmocka_unit_test(other_things_are_told),
	};

	return cmocka_run_group_tests_name("claim_pack", tests, NULL, NULL);
}
