/*
 * candidates.h: what in a mail may be one of our tokens. The intake has no keys: it looks for the shape
 * (token.h), the daemon verifies. Pure.
 */
#ifndef LISTEN_CANDIDATES_H
#define LISTEN_CANDIDATES_H

#include "listen/reading.h"
#include "mail.h"

/* Fills recipients and tokens, strongest first (mail.md 3.5). */
void candidates_read(const struct opened_mail *m, struct mail_reading *r);

/* Has the address the form of one that we make: a letter, a separator, a token? */
bool candidates_is_ours(const char *address);

/* Did it come to an address of ours of that kind ('b', 'r', 'u')? */
bool candidates_to_kind(const struct mail_reading *r, char kind);

#endif
