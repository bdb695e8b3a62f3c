/*
 * signature.h: the signature of Standard Webhooks 1.0 ("Signature scheme", symmetric). Pure; any thread.
 */
#ifndef BASE_SIGNATURE_H
#define BASE_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The bytes of a secret as it is written: base64, with or without "whsec_" before it; 1 to 64 bytes. */
int signature_key(const char *secret, struct buf *key, struct err *err) MUSTCHECK;

/* Appends "v1," and the base64 of HMAC-SHA256(key, id "." seconds "." body). */
void signature_make(struct slice key, const char *id, int64_t seconds, struct slice body, struct buf *out);

/*
 * Is one of the signatures in `given` ("v1,... v1,...", as webhook-signature has them) made so? Compared in constant time. Whether `seconds` is
 * near enough is the caller's to say.
 */
bool signature_check(struct slice key, const char *id, int64_t seconds, struct slice body, const char *given);

#endif
