/*
 * signature.h: the signature of Standard Webhooks 1.0 ("Signature scheme", symmetric). Pure; any thread.
 */
#ifndef HANDOFF_SIGNATURE_H
#define HANDOFF_SIGNATURE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The bytes of a secret as it is written: base64, with or without "whsec_" before it; 1 to 64 bytes. */
int signature_key(const char *secret, struct buf *key, struct err *err) MUSTCHECK;

/* Appends "v1," and the base64 of HMAC-SHA256(key, id "." seconds "." body). */
void signature_make(struct slice key, const char *id, int64_t seconds, struct slice body, struct buf *out);

#endif
