/*
 * auto_reply.h: did a machine write this answer? A score over many weak signs (mail.md 3.6); 3 and more is
 * a machine. Pure.
 */
#ifndef LISTEN_AUTO_REPLY_H
#define LISTEN_AUTO_REPLY_H

#include "listen/reading.h"
#include "mail.h"
#include "reply_text.h"

#define AUTO_REPLY_SCORE 3

/* Adds the signs to r's evidence. `to_bounce_address`: it came to a b+ address. */
int auto_reply_score(const struct opened_mail *m, const struct reply_text *reply, bool to_bounce_address,
	struct mail_reading *r);

/* ooo, left_company, auto_ack or auto; static. */
const char *auto_reply_kind(const struct opened_mail *m, const struct reply_text *reply);

#endif
