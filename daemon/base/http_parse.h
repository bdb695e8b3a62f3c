/*
 * http_parse.h: the bytes of a request (RFC 9112) as what they mean. Pure, and it allocates nothing: what it finds are places in the bytes that
 * it was given.
 *
 * Strict: everything by which two HTTP parsers could disagree about where a request ends (request smuggling), and bytes that have no business in a
 * header, is a fault. The verdict does not depend on how the bytes came. Lines are looked at when they are whole; only the method is before, so that
 * who speaks something else than HTTP need not be waited for.
 */
#ifndef BASE_HTTP_PARSE_H
#define BASE_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/http.h"

#define HTTP_HEAD_MAX 8192	/* bytes, to the empty line that ends it */
#define HTTP_FIELDS_MAX 100

/* Offsets into the head. The byte behind each of both is a colon or white space. */
struct http_field {
	uint16_t name, name_len, value, value_len;
};

/* Zeroed up to `fields` is ready. */
struct http_head {
	const char *fault;		/* what is wrong with it: static text */
	uint64_t length;		/* Content-Length */
	enum http_method method;	/* 0: one that we do not know */
	uint16_t start;			/* of the request line: behind an empty line, if one came before it */
	uint16_t size;			/* of the lines that were looked at, from the first byte; in the end, of the head */
	uint16_t target, target_end;	/* behind it is a space */
	uint16_t query;			/* behind the first question mark; 0: there is none */
	uint8_t count;			/* of fields */
	uint8_t lengths, encodings, hosts;
	bool http10, post;
	bool close, keep_alive;		/* Connection says so */
	bool expects;			/* 100-continue */
	bool expects_more;		/* something else */
	struct http_field fields[HTTP_FIELDS_MAX];
};

enum http_parsed { HTTP_MORE, HTTP_WHOLE, HTTP_BAD };

/*
 * `data` are all bytes of the request that came, from its first; those that were there at the call before must be again. MORE: it wants more of them;
 * WHOLE: what lies behind h->size is body or the next request.
 */
enum http_parsed http_parse_head(struct http_head *h, const char *data, size_t n);

/* A body that is being read. */
struct http_framing {
	const char *fault;
	uint64_t left;		/* bytes of the body or chunk still to come */
	uint8_t state;
	uint8_t digits;		/* of the chunk's size */
};

/* False: the request has none. */
bool http_parse_body_begin(struct http_framing *f, const struct http_head *h);
/*
 * Looks at some bytes at least, *used_out of them; *piece_out are those that belong to the body, maybe none. MORE: the body goes on, with the rest of
 * `data` or with what comes; n is not 0.
 */
enum http_parsed http_parse_body(struct http_framing *f, const char *data, size_t n, size_t *used_out, struct slice *piece_out);

#endif
