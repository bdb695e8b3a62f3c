/*
 * pop3_source.h: a maildrop over POP3 (RFC 1939, CAPA and STLS of RFC 2449 and 2595), TLS verified. The intake process; blocks. What its functions
 * mean stands in source.h.
 *
 * The server numbers mails anew in each session; the name that stays is the one that UIDL gives, and that is the key. Which of them were taken only
 * we know: they are remembered as long as the server lists them. A server without UIDL cannot be read.
 */
#ifndef LISTEN_POP3_SOURCE_H
#define LISTEN_POP3_SOURCE_H

#include "source.h"
#include "tls_stream.h"

struct pop3_source;

struct pop3_config {
	struct tls_stream_config stream;
	bool starttls;
	const char *user, *password;
	bool by_token;		/* XOAUTH2 or OAUTHBEARER, as CAPA says */
	bool delete;		/* mails that were taken; else they are left there */
	const struct source_calls *calls;
};

/* The config's strings are borrowed for life. */
struct pop3_source *pop3_new(const struct pop3_config *config);
void pop3_free(struct pop3_source **source);

void pop3_known(struct pop3_source *source, const char *key, bool leave);
bool pop3_wants_token(const struct pop3_source *source);
void pop3_token(struct pop3_source *source, const char *token);

int pop3_refresh(struct pop3_source *source, enum source_trouble *trouble, struct err *err) MUSTCHECK;
bool pop3_peek(const struct pop3_source *source, char *key, size_t size);
int pop3_next(struct pop3_source *source, struct incoming *out, struct err *err) MUSTCHECK;
int pop3_done(struct pop3_source *source, const char *key, bool leave, struct err *err) MUSTCHECK;
/* Ends the session: only then does the server delete. */
int pop3_rest(struct pop3_source *source, struct err *err) MUSTCHECK;

#endif
