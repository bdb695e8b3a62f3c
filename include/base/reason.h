/*
 * reason.h: why a mail was refused, from the words and numbers of the one who refused it, and what that means for the
 * address: for a relay's replies (send) and for notices that come back (listen). Pure; patterns.h says which thread.
 *
 * Reasons are sisimai's names (userunknown, mailboxfull, ...). Neither words nor the status code (RFC 3463) decide
 * alone: 5.7.1 and 5.0.0 stand for anything, and "5.1.1" over a full mailbox is common.
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

/* What the sending side had said when the server refused. */
enum refused_at { REFUSED_UNKNOWN, REFUSED_CONNECT, REFUSED_MAIL, REFUSED_RCPT, REFUSED_DATA };

struct refusal {
	const char *words;	/* the server's, or a whole notice; "" */
	const char *status;	/* "5.1.1", or "" */
	int code;		/* 550, or 0 */
	enum refused_at stage;
	const char *hint;	/* what the program that reports takes it for, or NULL */
	const char *hosts;	/* lower case, single spaces: who refused, and the domain of the address; or "" */
	bool program;		/* not a server speaks, but a program on the way (Diagnostic-Code: x-unix; ...) */
};

/* By words and numbers, or NULL if they say nothing; then reason_of_status() is the rest. */
const char *reason_of_refusal(const struct refusal *r);

/* By the words alone, taken as an answer to RCPT, or NULL if they say nothing. */
const char *reason_of_text(const char *text);

/* By enhanced status ("5.1.1") and reply code (550, or 0); "undefined" if neither says anything. */
const char *reason_of_status(const char *status, int code);

/*
 * Parts of reason_of_refusal(): by a label of one provider in the words (AUP#CXBL, LPN000_630, RESOLVER.ADR...), by words
 * that only one program writes, and by what words mean that one provider says (of `r` its hosts and the stage). `text` is one line,
 * lower case, with the code and the status before it; NULL: nothing.
 */
const char *reason_of_label(const char *text);
const char *reason_of_form(const char *text, enum refused_at stage);
const char *reason_of_host(const struct refusal *r, const char *text);

/*
 * What follows from it. `status`: "" if it is not known, or not about the address. `permanent`: the status or the reply
 * code begins with a 5, or neither is known.
 */
enum bounce_kind reason_kind(const char *reason, const char *status, bool permanent);

#endif
