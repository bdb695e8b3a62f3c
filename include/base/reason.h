/*
 * reason.h: why a mail was refused, from the words of the one who refused it, and what that means for the
 * address: for a relay's replies (send) and for notices that come back (listen). Pure; patterns.h says which thread.
 *
 * Reasons are sisimai's names (userunknown, mailboxfull, ...). Words come first, the status code (RFC 3463)
 * second: 5.7.1 and 5.0.0 stand for anything, and "5.1.1" over a full mailbox is common.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>

enum bounce_kind {
	BOUNCE_NONE,		/* delayed or delivered: an event, no more */
	BOUNCE_HARD,		/* the address is dead: suppress */
	BOUNCE_SOFT,		/* count */
	BOUNCE_SENDER,		/* our fault: tell the operator, never count */
};

/* By the words, or NULL if they say nothing. `text` may be a whole notice. */
const char *reason_of_text(const char *text);

/* By a label of one provider in the words (AUP#CXBL, LPN000_630, RESOLVER.ADR...), which says more than they; or NULL. */
const char *reason_of_label(const char *text);

/* By enhanced status ("5.1.1") and reply code (550, or 0); "undefined" if neither says anything. */
const char *reason_of_status(const char *status, int code);

/* What follows from it. `permanent`: the status or the reply code begins with a 5, or neither is known. */
enum bounce_kind reason_kind(const char *reason, bool permanent);

#endif
