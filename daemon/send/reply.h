/*
 * reply.h: bytes from a relay as SMTP replies (RFC 5321 4.2): several lines, enhanced codes (RFC 3463), limits.
 *
 * Pure. The relay is not trusted: lines of any length and a reply of any number of lines cost no memory and end in REPLY_BYTES.
 */
#ifndef SEND_REPLY_H
#define SEND_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#define REPLY_TEXT 2048		/* of the text, all lines; what is longer is cut */
#define REPLY_BYTES 65536	/* of one reply on the wire; what is longer is no reply */

struct reply {
	int code;		/* of the last line */
	char enhanced[12];	/* of the first line that has one; "" */
	char text[REPLY_TEXT];	/* the lines' texts joined by a space; unprintable bytes are '?' */
};

struct reply_parser {
	struct reply reply;
	size_t text_len;
	size_t bytes;		/* of this reply so far */
	char head[4];		/* code and separator of the line */
	size_t line;		/* bytes of this line so far, CR included */
	size_t line_text;	/* where the text of this line begins in reply.text */
	bool done;		/* the reply was given out: the next byte begins another */
	bool code_checked;
	bool cr;		/* the byte before was a CR */
};

/* Of the text only as much as there is. */
void reply_copy(struct reply *to, const struct reply *from);

void reply_init(struct reply_parser *p);

/*
 * Takes bytes up to the end of one reply and moves *data and *n behind them. 1: p->reply is complete, valid until the next call;
 * 0: all bytes were taken, more are needed; -1: this is not SMTP (nothing more may be fed).
 */
int reply_feed(struct reply_parser *p, const char **data, size_t *n);

#endif
