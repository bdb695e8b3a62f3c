/*
 * peer.h: one connection to a server as libcurl makes it: the name by the doctor's resolver, TLS verified, what is wrong with it in words. Blocks.
 */
#ifndef DOCTOR_PEER_H
#define DOCTOR_PEER_H

#include <curl/curl.h>

#include "base/buf.h"

#include "inside.h"

struct place {
	char *host;		/* without the brackets of IPv6 */
	int port;
};

/* Of a URL; -1: it is none. */
int place_of(const char *url, struct place *out) MUSTCHECK;
void place_clear(struct place *place);

struct peer {
	struct doctor *doctor;
	const char *check, *about;	/* of findings */
	CURL *easy;
	struct curl_slist *resolve;
	struct place place;
	char error[CURL_ERROR_SIZE];
	struct buf said;		/* all that the server said in headers or replies, 64 KiB at most */
	bool tls;
};

/* -1: the URL is none, or the given resolver does not know the host; a finding says it. All are to be cleared. */
int peer_init(struct peer *p, struct doctor *d, const char *check, const char *about, const char *url, const char *ca_file) MUSTCHECK;
void peer_clear(struct peer *p);
/* A finding for what it came to, and how it is mended. */
void peer_failed(struct peer *p, CURLcode code);
/* A finding where the certificate ends soon; how many days are left, or -1. */
int peer_certificate(struct peer *p);
/* Does a line of what was said have that word? */
bool peer_says(const struct peer *p, const char *word);

#endif
