/*
 * digest.h: SHA-256, HMAC-SHA256 and comparison in constant time, by libcrypto. Pure; any thread.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void digest_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE]);
void digest_hmac(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[SHA256_SIZE]);
/* A key that signs often: the state behind each of its two pads, so that a short text costs two blocks and no allocation. */
struct digest_key {
	uint8_t inner[128], outer[128];		/* libcrypto's SHA256_CTX */
};

void digest_key_init(struct digest_key *k, const void *key, size_t key_len);	/* key_len at most 64 */
void digest_hmac_with(const struct digest_key *k, const void *data, size_t n, uint8_t out[SHA256_SIZE]);

bool digest_equal(const void *a, const void *b, size_t n);

#endif
