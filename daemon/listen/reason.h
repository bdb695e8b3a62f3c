/*
 * reason.h: why a mail was refused, from the words of the one who refused it, and what that means for the
 * address. Pure.
 *
 * Reasons are sisimai's names (userunknown, mailboxfull, ...). Words come first, the status code (RFC 3463)
 * second: 5.7.1 and 5.0.0 stand for anything, and "5.1.1" over a full mailbox is common.
 */
#ifndef LISTEN_REASON_H
#define LISTEN_REASON_H

#include "listen/reading.h"

/* By the words, or NULL if they say nothing. `text` may be a whole notice. */
const char *reason_of_text(const char *text);

/* By enhanced status ("5.1.1") and reply code (550, or 0); "undefined" if neither says anything. */
const char *reason_of_status(const char *status, int code);

/* What follows from it. `permanent`: the status or the reply code begins with a 5, or neither is known. */
enum bounce_kind reason_kind(const char *reason, bool permanent);

#endif
