/*
 * test_digest.c: vectors of FIPS 180-4 and RFC 4231.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

static void assert_hex(const uint8_t hash[SHA256_SIZE], const char *want)
{
	struct buf hex = BUF_INIT;

	text_hex(&hex, hash, SHA256_SIZE);
	assert_string_equal(hex.data, want);
	buf_clear(&hex);
}

static void test_sha256(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t hash[SHA256_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		digest_sha256(rows[i].in, strlen(rows[i].in), hash);
		assert_hex(hash, rows[i].want);
	}
}

static void test_hmac(void **state)
{
	uint8_t hash[SHA256_SIZE], key[131];

	memset(key, 0x0b, 20);
	digest_hmac(key, 20, "Hi There", 8, hash);
	assert_hex(hash, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, hash);
	assert_hex(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, hash);
	assert_hex(hash, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_hmac_of_every_length_is_the_library_s(void **state)
{
	uint8_t key[131], ours[SHA256_SIZE], theirs[SHA256_SIZE];
	size_t n;

	for (n = 0; n < sizeof(key); n++)
		key[n] = (uint8_t)(n * 7);
	for (n = 0; n < sizeof(key); n++) {
		digest_hmac(key, n, key, sizeof(key) - n, ours);
		assert_non_null(HMAC(EVP_sha256(), key, (int)n, key, sizeof(key) - n, theirs, NULL));
		assert_memory_equal(ours, theirs, sizeof(ours));
		if (n <= 64) {
			struct digest_key prepared;

			digest_key_init(&prepared, key, n);
			digest_hmac_with(&prepared, key, sizeof(key) - n, ours);
			assert_memory_equal(ours, theirs, sizeof(ours));
			assert_non_null(HMAC(EVP_sha256(), key, (int)n, key, n, theirs, NULL));
			digest_hmac_with(&prepared, key, n, ours);
			assert_memory_equal(ours, theirs, sizeof(ours));
		}
	}
}

static void test_equal_looks_at_every_byte(void **state)
{
	uint8_t a[16], b[16];
	size_t i;

	memset(a, 7, sizeof(a));
	for (i = 0; i < sizeof(a); i++) {
		memcpy(b, a, sizeof(a));
		assert_true(digest_equal(a, b, sizeof(a)));
		b[i] ^= 0x80;
		assert_false(digest_equal(a, b, sizeof(a)));
		assert_true(digest_equal(a, b, i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hmac_of_every_length_is_the_library_s),
		cmocka_unit_test(test_equal_looks_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
