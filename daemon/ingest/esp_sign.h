/*
 * esp_sign.h: is a report from the service that it names? Over the bytes as they came. Pure; by libcrypto, in constant time where a secret is
 * compared.
 */
#ifndef INGEST_ESP_SIGN_H
#define INGEST_ESP_SIGN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Equal in a time that tells nothing of where they differ. */
bool sign_same(const char *given, const char *secret);
/* `Authorization: Basic` with this user and password (RFC 7617), or `Bearer` with this token (RFC 6750). */
bool sign_basic(const char *header, const char *user, const char *password);
bool sign_bearer(const char *header, const char *token);

/* X-Twilio-Email-Event-Webhook-Signature: base64 of ECDSA with SHA-256 over the timestamp and the body. */
bool sign_sendgrid(const char *key, const char *timestamp, struct slice body, const char *signature);

/* `signature` of a body of Mailgun: hex HMAC-SHA256 over timestamp and token. */
bool sign_mailgun(const char *key, const json_t *signature);

/*
 * Amazon SNS (docs.aws.amazon.com, "Verifying the signatures of Amazon SNS messages"): what is signed of a message, and whether the
 * certificate's key signed it. `pem` is the certificate; it must be valid at `now`.
 */
void sign_sns_string(const json_t *message, struct buf *out);
bool sign_sns(const json_t *message, struct slice pem, int64_t now, struct err *err);
/* May a certificate come from there, or a confirmation be asked there: https, a host of SNS, in the region of the topic. */
bool sign_sns_url(const char *url, const char *topic, bool certificate);

#endif
