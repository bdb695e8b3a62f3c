/*
 * dkim.h: the signature of a mail checked as a receiver checks it: RFC 6376 (rsa-sha256) and RFC 8463 (ed25519-sha256). Pure: the key's record
 * is given; any thread. What strangers wrote: every length is bounded.
 */
#ifndef DOCTOR_DKIM_H
#define DOCTOR_DKIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "letter.h"
#include "records.h"

struct dkim_signature {
	bool ed25519;			/* else RSA */
	bool relaxed_header, relaxed_body;
	char domain[RECORD_NAME];	/* d=, lower case */
	char selector[RECORD_NAME];	/* s= */
	struct buf fields;		/* h=: lower case, ':' before and behind each: ":from:to:" */
	struct buf body_hash, signature;	/* bh= and b=, decoded */
	int64_t length;			/* l=: so many bytes of the body are signed; -1: all */
	int64_t expires;		/* x=, seconds; 0: never */
};

/* Of a DKIM-Signature field's value. To be cleared in any case. */
int dkim_signature_read(const char *value, struct dkim_signature *out, struct err *err) MUSTCHECK;
void dkim_signature_clear(struct dkim_signature *s);
/* Is that field (lower case) among those that are signed? */
bool dkim_signature_covers(const struct dkim_signature *s, const char *name);

/* The field's signature over the letter by that key: 0 it holds, -1 and why not. `now` in microseconds. */
int dkim_verify(const struct letter *letter, const struct letter_field *field, const struct dkim_signature *s, const struct dkim_key *key, int64_t now,
	struct err *err) MUSTCHECK;

#endif
