/*
 * imap_source.h: one mailbox over IMAP (RFC 3501), read by UID from a watermark on, TLS verified. The intake process; blocks. What its functions
 * mean stands in source.h.
 */
#ifndef LISTEN_IMAP_SOURCE_H
#define LISTEN_IMAP_SOURCE_H

#include "source.h"
#include "tls_stream.h"

struct imap_source;

struct imap_config {
	struct tls_stream_config stream;
	bool starttls;			/* refused when the server does not offer it */
	const char *mailbox, *user, *password;
	bool by_token;			/* OAuth 2.0: no password */
	enum source_after after;
	const char *move_to;
	uint32_t uidvalidity, last_uid;	/* watermark; 0, 0: a mailbox never read */
	const struct source_calls *calls;
};

/* The config's strings are borrowed for life. */
struct imap_source *imap_new(const struct imap_config *config);
void imap_free(struct imap_source **source);

void imap_known(struct imap_source *source, const char *key, bool leave);
bool imap_wants_token(const struct imap_source *source);
void imap_token(struct imap_source *source, const char *token);

/*
 * Connects, logs in and selects where that is due, then asks for new mails: those above the watermark, or of the last 30 days when UIDVALIDITY is
 * not the watermark's (RFC 3501 2.3.1.1). Mails whose `after` is still owed get it.
 */
int imap_refresh(struct imap_source *source, enum source_trouble *trouble, struct err *err) MUSTCHECK;
uint32_t imap_uidvalidity(const struct imap_source *source);	/* 0 before the first imap_refresh() */

bool imap_peek(const struct imap_source *source, char *key, size_t size);
/* In order of UIDs. One that the server cannot give in several attempts comes with an empty raw. */
int imap_next(struct imap_source *source, struct incoming *out, struct err *err) MUSTCHECK;
int imap_done(struct imap_source *source, const char *key, bool leave, struct err *err) MUSTCHECK;

/* IDLE (RFC 2177), where the server has it. 1: it told of more already. */
int imap_rest(struct imap_source *source, struct err *err) MUSTCHECK;
bool imap_idles(const struct imap_source *source);
int imap_fd(const struct imap_source *source);		/* -1 unless it idles */
int imap_woken(struct imap_source *source, struct err *err) MUSTCHECK;

#endif
