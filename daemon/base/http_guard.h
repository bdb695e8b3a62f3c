/*
 * http_guard.h: reads the bytes of a connection before evhttp does and finds what evhttp lets pass:
 * everything by which two HTTP parsers could disagree about where a request ends (request smuggling), and
 * bytes that have no business in a header. Pure.
 *
 * It is stricter than evhttp and counts lengths as evhttp does, so both agree on the bounds of every
 * request it finds no fault with.
 */
#ifndef BASE_HTTP_GUARD_H
#define BASE_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_GUARD_WORD 24
#define HTTP_GUARD_HEADERS 100

struct http_guard {
	int state;
	uint64_t begun;			/* requests whose first byte was seen */
	uint64_t bad_at;		/* number, from 1, of the request with the first fault; 0: none */
	const char *fault;		/* what is wrong with it: static text */
	/* of the request at hand */
	char word[HTTP_GUARD_WORD];	/* method, version, header name, or the beginning of a value */
	size_t word_len;		/* counts on beyond the array */
	int header;			/* enum of the header whose value is being read */
	int headers, lengths, encodings, hosts;
	int zeros;			/* how much of "%00" was seen in the target */
	size_t target_len;
	bool post, http10, space;
	uint64_t left;			/* bytes of body or chunk still to come */
};

/* Zeroed is ready. Once a fault is found the rest is not looked at. */
void http_guard_feed(struct http_guard *g, const uint8_t *data, size_t n);

#endif
