/*
 * reading.h: what the intake understood of one mail. Made by reading_make() from bytes alone: no clock, no
 * network, no keys. All strings are UTF-8 and live in the reading's arena; "" where nothing was found,
 * never NULL unless it says so.
 */
#ifndef LISTEN_READING_H
#define LISTEN_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/reason.h"

struct arena;
struct intent_rules;

#define READING_MAX_LIST 100		/* recipients, tokens */
#define READING_MAX_TEXT (16 * 1024)	/* of the new text */
#define READING_MAX_INTENTS 32
#define READING_MAX_EVIDENCE 16
#define READING_MAX_CUTS 8
#define READING_MAX_ATTACHMENTS 16
#define READING_MAX_BOUNCES 20	/* recipients of one delivery status */

/* In the order in which they are tested (mail.md 3.6); the first that holds. */
enum reading_class {
	READING_COMPLAINT,		/* an abuse report (RFC 5965) */
	READING_BOUNCE,		/* a delivery status, or a notice in words */
	READING_MDN,		/* "was displayed" (RFC 8098) */
	READING_CHALLENGE,		/* "confirm that you are human" */
	READING_UNSUBSCRIBE,	/* came to an unsubscribe address; whoever sent it */
	READING_CALENDAR,		/* an invitation or an answer to one */
	READING_AUTO,		/* an automatic reply */
	READING_HUMAN,
	READING_UNREADABLE,	/* what a mail becomes that ended the intake twice: kept, not read */
};

struct mail_token {
	char text[35];		/* 34 characters that look like one, lower case; the daemon verifies */
	char kind;		/* what its place says that it is: b r u m c, or '?' */
	const char *where;	/* "delivered-to", "in-reply-to", "original message-id", "link", ... */
};

struct mail_intent {
	const char *name;	/* "unsubscribe", "meeting", ... */
	double confidence;
	const char *said, *pattern;	/* the words that hit, and what they hit */
};

struct mail_bounce {
	enum bounce_kind kind;
	const char *action;	/* RFC 3464 2.3.3, lower case */
	const char *reason;
	const char *status;	/* "5.1.1" */
	int code;		/* 550, or 0 */
	const char *recipient;	/* lower case */
	const char *original_recipient;	/* as it was written to, where that was forwarded; lower case */
	const char *diagnostic;	/* at most 500 bytes */
	const char *original_envelope_id;
};

#define READING_MAX_RELAY_IDS 4

#define MAIL_BOUNCE_NONE { BOUNCE_NONE, "", "", "", 0, "", "", "", "" }

struct mail_reading {
	struct arena *arena;
	enum reading_class class;
	const char *auto_kind;		/* ooo, left_company, auto_ack, own_loop, auto; "" if none */
	const char *evidence[READING_MAX_EVIDENCE];	/* why that class */
	size_t evidence_count;
	const char *recipients[READING_MAX_LIST];	/* lower case, each once */
	size_t recipient_count;
	struct mail_token tokens[READING_MAX_LIST];	/* strongest first, each text once */
	size_t token_count;
	const char *from, *from_name, *subject, *message_id, *in_reply_to;
	int64_t date;			/* of the Date field, microseconds UTC; 0: none */
	const char *text;		/* the new text of the reply */
	bool uncut;			/* nothing new was found; text is the start of it all */
	const char *cut[READING_MAX_CUTS];	/* which rules left out something of the text */
	size_t cut_count;
	const char *attachments[READING_MAX_ATTACHMENTS];	/* their names; not read */
	size_t attachment_count;
	struct mail_intent intents[READING_MAX_INTENTS];
	size_t intent_count;
	const char *intent;		/* to act on: one of intents[], "review", "other"; "" if no human */
	double intent_confidence;
	const char *likeness;		/* to wishes to get no more mails, and the words that told: "0.31: send +0.20, more +0.14"; "" if no human */
	int64_t return_date;		/* automatic reply: back on; not_now: ask again on; 0: not said */
	struct mail_bounce bounce;	/* of the first recipient that failed */
	struct mail_bounce bounces[READING_MAX_BOUNCES];	/* of each, if there are several */
	size_t bounce_count;
	const char *complaint;		/* feedback type (RFC 5965 3.1), lower case */
	const char *about;		/* whom a bounce or a complaint is about, as far as it says; lower case */
	const char *disposition;	/* of a receipt (RFC 8098 3.2.6.2): displayed, deleted, ...; lower case */
	const char *relay_ids[READING_MAX_RELAY_IDS];	/* of Message-IDs that a relay wrote in place of ours */
	size_t relay_id_count;
};

/* What the operator says of how mails are read; NULL for it, and each member, may be NULL. */
struct reading_setting {
	const char *const *own_domains;	/* of our reply and return addresses, NULL at the end: mail from such an address is our own */
	const struct intent_rules *rules;	/* intents.h; NULL: no intent is found */
};

/*
 * `raw` as it came, any length (5 MB are looked at). `received` is when the mailbox got it: the year of
 * "back on 3 May" where the mail's own date is none, or cannot be.
 */
void reading_make(struct mail_reading *out, const char *raw, size_t n, int64_t received,
	const struct reading_setting *setting);
void reading_clear(struct mail_reading *r);

/* The `mail` frame's part that says what was read (frame.h). A new reference. */
json_t *reading_json(const struct mail_reading *r);

const char *reading_class_name(enum reading_class c);
const char *bounce_kind_name(enum bounce_kind k);

#endif
