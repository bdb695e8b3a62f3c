/*
 * sasl.h: what proves to a server who we are. Pure.
 */
#ifndef LISTEN_SASL_H
#define LISTEN_SASL_H

#include "base/buf.h"

/*
 * The first words of PLAIN (RFC 4616; `secret` is a password), XOAUTH2 or OAUTHBEARER (RFC 7628; a token, for `host` and `port`), not encoded yet.
 * The caller wipes `out`.
 */
void sasl_first_words(struct buf *out, const char *mechanism, const char *user, const char *secret, const char *host, int port);
/* What is said to a server that refuses a token and has told why, in base64. */
const char *sasl_heard(const char *mechanism);
/* Forgets what it holds. */
void sasl_wipe(struct buf *words);

#endif
