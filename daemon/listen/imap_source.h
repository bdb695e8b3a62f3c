/*
 * imap_source.h: one mailbox over IMAP (RFC 3501), read by UID from a watermark on, TLS verified. The
 * intake process; blocks.
 */
#ifndef LISTEN_IMAP_SOURCE_H
#define LISTEN_IMAP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "incoming.h"
#include "tls_stream.h"

struct imap_source;

struct imap_config {
	struct tls_stream_config stream;
	bool starttls;			/* refused when the server does not offer it */
	const char *mailbox, *user, *password;
	uint32_t uidvalidity, last_uid;	/* watermark; 0, 0: a mailbox never read */
};

enum imap_trouble { IMAP_NETWORK, IMAP_LOGIN };

/* Nothing happens before imap_refresh(). The config's strings are borrowed for life. */
struct imap_source *imap_new(const struct imap_config *config);
void imap_free(struct imap_source **source);

/*
 * Connects, logs in and selects where that is due, then asks for new mails: those above the watermark, or
 * of the last 30 days when UIDVALIDITY is not the watermark's (RFC 3501 2.3.1.1). On -1 the connection is
 * closed and *trouble says which back-off fits.
 */
int imap_refresh(struct imap_source *source, enum imap_trouble *trouble, struct err *err) MUSTCHECK;

uint32_t imap_uidvalidity(const struct imap_source *source);	/* 0 before the first imap_refresh() */

/* The key of the mail that imap_next() would fetch; false if there is none. */
bool imap_peek(const struct imap_source *source, char *key, size_t size);

/*
 * The mail that imap_peek() names, in order of UIDs: 1; 0: it is there no longer; -1: the connection is
 * gone, the mail comes again after imap_refresh(). One that the server cannot give in three attempts comes
 * with an empty raw.
 */
int imap_next(struct imap_source *source, struct incoming *out, struct err *err) MUSTCHECK;

/* Recorded: sets the keyword $Nurtured. Whether the server keeps it is no matter to us. */
void imap_done(struct imap_source *source, const char *key);

#endif
