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
bool digest_equal(const void *a, const void *b, size_t n);

#endif
