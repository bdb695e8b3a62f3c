/*
 * digest.c: see digest.h.
 *
 * The algorithm is fetched once: with OpenSSL 3 a look-up by EVP_sha256() at each call costs more than a short digest.
 */
#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/digest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort();
}

void digest_sha256(const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	pthread_once(&once, fetch);
	if (!EVP_Digest(data, n, out, NULL, sha256, NULL))
		abort();
}

void digest_hmac(const void *key, size_t key_len, const void *data, size_t n, uint8_t out[SHA256_SIZE])
{
	assert(key_len <= INT_MAX);
	pthread_once(&once, fetch);
	if (!HMAC(sha256, key, (int)key_len, data, n, out, NULL))
		abort();
}

bool digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
