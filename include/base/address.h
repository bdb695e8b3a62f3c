/*
 * address.h: email addresses as we accept them, and the bucket that an address falls into. Pure; any thread.
 *
 * Accepted: dot-atom local part (RFC 5322 3.2.3) of at most 64 octets, with letters beyond ASCII (RFC 6532) as NFC; a
 * domain of LDH labels (RFC 1035, 1..63 octets, at least two labels, at most 253) or U-labels, which become A-labels by
 * IDNA2008 non-transitional (libidn2). No quoted local parts, comments or literals, nothing that cannot be seen; at most
 * 254 octets in all. This check is also what keeps CR, LF and ">" out of the SMTP envelope.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDRESS_MAX 254
#define BUCKETS 1024

struct address {
	char text[ADDRESS_MAX + 1];	/* local part as given, but NFC; domain as lower-case A-labels */
	char key[ADDRESS_MAX + 1];	/* all lower case: what addresses are compared and hashed by */
	const char *domain;		/* in text, behind the @ */
	uint16_t bucket;		/* first 10 bits of SHA-256(key) */
};

/* Surrounding white space is dropped. The error says what is wrong with it in words for the person who typed it. */
int address_parse(const char *s, struct address *out, struct err *err) MUSTCHECK;
/* The same of one whose bucket is known: to find that takes longer than all else. */
int address_parse_known(const char *s, uint16_t bucket, struct address *out, struct err *err) MUSTCHECK;

/* Its local part is not ASCII: it can be mailed to with SMTPUTF8 (RFC 6531) alone. */
bool address_has_letters(const struct address *a);

/* An RFC 5322 mailbox, `Name <a@b>`, `"Name" <a@b>` or `a@b`; name_out (name_size bytes) gets the name or "". */
int address_parse_mailbox(const char *s, struct address *out, char *name_out, size_t name_size,
			  struct err *err) MUSTCHECK;

/* "free" (gmail.com and its like), "role" (info@, sales@, ...) or "work". Static text. */
const char *address_kind(const struct address *a);

/* The registrable domain (libpsl), in `domain`; the domain itself if the list knows none. */
const char *address_registrable(const char *domain);

uint16_t address_bucket(const char *key);

#endif
