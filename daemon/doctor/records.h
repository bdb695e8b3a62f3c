/*
 * records.h: the TXT records that say who may send for a domain: SPF (RFC 7208), DKIM keys (RFC 6376 3.6.1), DMARC (RFC 7489 6.3). Pure; any
 * thread. What strangers wrote: every length is bounded.
 */
#ifndef DOCTOR_RECORDS_H
#define DOCTOR_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define RECORD_NAME 256
#define SPF_TERMS_MAX 100

/* "v=DKIM1; k=rsa; p=..." (RFC 6376 3.2): the next tag of *text; false: there is none. `value` is trimmed. *bad: one was no tag. */
bool records_next_tag(const char **text, struct slice *name, struct slice *value, bool *bad);
/* Base64 with white space anywhere in it. */
int records_base64(struct slice value, struct buf *out) MUSTCHECK;

enum spf_kind { SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS, SPF_REDIRECT };

struct spf_term {
	enum spf_kind kind;
	char qualifier;			/* + - ~ ? */
	char domain[RECORD_NAME];	/* "": the domain that the record is of */
	bool macro;			/* the domain depends on who sends: cannot be looked up here */
	uint8_t address[16];		/* ip4: 4 bytes, ip6: 16 */
	int bits4, bits6;		/* prefixes; 32 and 128 unless given */
};

struct spf_record {
	struct spf_term terms[SPF_TERMS_MAX];
	size_t count;
	char all;			/* the qualifier of `all`; 0: there is none */
	bool redirect;
	bool after_all;			/* mechanisms behind `all`, which nobody reads */
};

/* Is it one, whatever stands in it? */
bool spf_is(const char *text);
/* -1 is a permerror: receivers count it as no SPF at all. */
int spf_parse(const char *text, struct spf_record *out, struct err *err) MUSTCHECK;
/* Is the address ("192.0.2.1", "2001:db8::1") that, under the first `bits4` or `bits6` bits? */
bool spf_covers(const char *address, const char *ip, int bits4, int bits6);
/* Does the term name that address? ip4 and ip6 only. */
bool spf_term_covers(const struct spf_term *term, const char *ip);

struct dkim_key {
	bool ed25519;			/* else RSA */
	int bits;			/* 0: the key was revoked (p is empty) */
	bool testing;			/* t=y: receivers treat the mail as unsigned */
	uint8_t bytes[2048];		/* p, decoded */
	size_t len;
};

bool dkim_is(const char *text);
int dkim_parse(const char *text, struct dkim_key *out, struct err *err) MUSTCHECK;
/* The key itself, for EVP_PKEY_free(); NULL: it was revoked. */
struct evp_pkey_st *dkim_key_open(const struct dkim_key *key);

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
extern const char *const dmarc_policy_names[];

struct dmarc_record {
	enum dmarc_policy policy, subdomains;
	bool strict_dkim, strict_spf;	/* adkim=s, aspf=s: the same domain, not only the same organisation */
	int percent;
	char reports[RECORD_NAME];	/* the first rua; "": none */
};

bool dmarc_is(const char *text);
int dmarc_parse(const char *text, struct dmarc_record *out, struct err *err) MUSTCHECK;

#endif
