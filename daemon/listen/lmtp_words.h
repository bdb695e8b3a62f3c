/*
 * lmtp_words.h: what an LMTP client says (RFC 2033): command lines, and the message behind DATA. Pure; any thread.
 */
#ifndef LISTEN_LMTP_WORDS_H
#define LISTEN_LMTP_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LMTP_PATH_MAX 512	/* RFC 5321 4.5.3.1.3 says 256; UTF-8 takes more */

enum lmtp_verb {
	LMTP_LHLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, LMTP_RSET, LMTP_NOOP, LMTP_VRFY, LMTP_QUIT,
	LMTP_SMTP,		/* HELO and EHLO, which RFC 2033 4.1 forbids here */
	LMTP_UNKNOWN,
};

struct lmtp_command {
	enum lmtp_verb verb;
	char path[LMTP_PATH_MAX + 1];	/* of MAIL and RCPT: without < >, source route and control characters; "" for <> */
	int64_t size;			/* MAIL SIZE= (RFC 1870); 0: not said */
	const char *wrong;		/* the reply, code and all, if it cannot be followed; static; NULL */
};

/* A line without its CRLF. */
void lmtp_command_read(struct lmtp_command *out, const char *line, size_t n);

/* The message, its dots taken out (RFC 5321 4.5.2). Only CRLF ends a line: a bare LF before a dot is text. */
struct lmtp_data {
	int state;		/* 0 at the start */
	struct buf bytes;	/* of it at most `most` */
	size_t most;
	int64_t size;		/* of the whole */
};

/* How many of the bytes were taken; all of them unless *ended_out, which is set when the final dot came. */
size_t lmtp_data_feed(struct lmtp_data *d, const char *s, size_t n, bool *ended_out);

#endif
