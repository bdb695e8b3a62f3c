/*
 * digest.c: see digest.h.
 *
 * SHA256_CTX, not EVP: with OpenSSL 3 the look-up and the allocations of a call cost more than a short digest. HMAC is
 * RFC 2104's two digests, spelled out: the library's HMAC() takes four times as long for the 13 bytes of a token, and a
 * mail has ten of them.
 */
#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <string.h>

#define OPENSSL_SUPPRESS_DEPRECATED	/* SHA256_CTX: the one state that can be kept and copied without an allocation */
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/digest.h"

void digest_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, data, n);
	SHA256_Final(out, &ctx);
}

#define HMAC_BLOCK 64	/* of SHA-256 */

static void pad_state(SHA256_CTX *ctx, const uint8_t block[HMAC_BLOCK], uint8_t change)
{
	uint8_t pad[HMAC_BLOCK];
	size_t i;

	for (i = 0; i < HMAC_BLOCK; i++)
		pad[i] = block[i] ^ change;
	SHA256_Init(ctx);
	SHA256_Update(ctx, pad, sizeof(pad));
	OPENSSL_cleanse(pad, sizeof(pad));
}

void digest_key_init(struct digest_key *k, const void *key, size_t key_len)
{
	uint8_t block[HMAC_BLOCK] = { 0 };
	SHA256_CTX ctx;

	_Static_assert(sizeof(ctx) <= sizeof(k->inner), "room for the state");
	assert(key_len <= HMAC_BLOCK);
	if (key_len)
		memcpy(block, key, key_len);
	pad_state(&ctx, block, 0x36);
	memcpy(k->inner, &ctx, sizeof(ctx));
	pad_state(&ctx, block, 0x5c);
	memcpy(k->outer, &ctx, sizeof(ctx));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&ctx, sizeof(ctx));
}

#define SHORT_MAX (HMAC_BLOCK - 9)	/* fits into a block with the mark behind it and the length of all */

/*
 * The digest of a pad's block and the n bytes that stand at the beginning of `block`, zeros behind them: one block more, without what the
 * library does for texts that come in pieces.
 */
static void digest_short(const uint8_t *state, uint8_t block[HMAC_BLOCK], size_t n, uint8_t out[SHA256_SIZE])
{
	size_t bits = (HMAC_BLOCK + n) * 8, i;
	SHA256_CTX ctx;
	uint32_t word;

	memcpy(ctx.h, state + offsetof(SHA256_CTX, h), sizeof(ctx.h));	/* all of it that is asked for and told */
	block[n] = 0x80;
	block[HMAC_BLOCK - 2] = (uint8_t)(bits >> 8);
	block[HMAC_BLOCK - 1] = (uint8_t)bits;
	SHA256_Transform(&ctx, block);
#pragma GCC unroll 8
	for (i = 0; i < SHA256_SIZE / sizeof(word); i++) {
		word = htobe32(ctx.h[i]);
		memcpy(out + i * sizeof(word), &word, sizeof(word));
	}
}

void digest_hmac_with(const struct digest_key *k, const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	uint8_t first[HMAC_BLOCK] = { 0 }, second[HMAC_BLOCK] = { 0 };
	SHA256_CTX ctx;

	if (n <= SHORT_MAX) {
		if (n)
			memcpy(first, data, n);
		digest_short(k->inner, first, n, second);
	} else {
		memcpy(&ctx, k->inner, sizeof(ctx));
		SHA256_Update(&ctx, data, n);
		SHA256_Final(second, &ctx);
	}
	digest_short(k->outer, second, SHA256_SIZE, out);
}

void digest_hmac(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	uint8_t hashed[SHA256_SIZE];
	struct digest_key k;

	if (key_len > HMAC_BLOCK) {
		digest_sha256(key, key_len, hashed);
		digest_key_init(&k, hashed, sizeof(hashed));
		OPENSSL_cleanse(hashed, sizeof(hashed));
	} else {
		digest_key_init(&k, key, key_len);
	}
	digest_hmac_with(&k, data, n, out);
	OPENSSL_cleanse(&k, sizeof(k));
}

bool digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
