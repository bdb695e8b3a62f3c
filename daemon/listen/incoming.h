/*
 * incoming.h: one mail as it lies in a mailbox, and the mailbox that it came from: what imap_source.h and
 * maildir_source.h give. The intake process.
 */
#ifndef LISTEN_INCOMING_H
#define LISTEN_INCOMING_H

#include <stdint.h>

#include "base/buf.h"

#define INCOMING_MAX_RAW (25 * 1024 * 1024)	/* is kept; of it FRAME_MAIL_MAX is read */

struct incoming {
	char *key;		/* a file's name, or "uidvalidity:uid" */
	uint32_t uid, uidvalidity;
	struct buf raw;		/* at most INCOMING_MAX_RAW; empty if it could not be had */
	int64_t size;		/* of the whole */
	int64_t received;	/* microseconds UTC */
};

void incoming_clear(struct incoming *in);

#endif
