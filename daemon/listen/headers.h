/*
 * headers.h: the fields of a message (RFC 5322 2.2), found by name, duplicates kept in order. Pure; all
 * memory is the arena's.
 */
#ifndef LISTEN_HEADERS_H
#define LISTEN_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define HEADERS_MAX_FIELDS 1000
#define HEADERS_MAX_BYTES (256 * 1024)
#define HEADERS_MAX_FIELD (64 * 1024)

struct header {
	const char *name;	/* lower case */
	const char *value;	/* unfolded, trimmed, as it came: not decoded */
};

struct headers {
	struct header *list;
	size_t count;
};

/*
 * Lines end with LF or CR LF; the block ends at the first empty line. Lines without a colon (and mbox "From
 * " lines) are passed over. Returns where the body begins. What lies beyond the limits is not looked at.
 */
size_t headers_parse(struct headers *out, struct arena *arena, const char *data, size_t n);

/* The i-th field of that (lower-case) name, or NULL. */
const char *headers_nth(const struct headers *h, const char *name, size_t i);
const char *headers_get(const struct headers *h, const char *name);	/* the first, or NULL */

/*
 * RFC 2047 words decoded, raw 8-bit read by charset_to_utf8(); without control characters; NULL gives NULL.
 */
char *headers_decode(struct arena *arena, const char *value);

/* A parameter of a structured field, decoded: quoted strings, RFC 2231 continuations and charsets, and RFC 2047 in
 * quotes, which is forbidden and common. NULL if it is not there. */
char *headers_param(struct arena *arena, const char *value, const char *name);

/* What stands before the first ';' or white space, lower case: "text/plain". "" for NULL. */
const char *headers_token(struct arena *arena, const char *value);

/*
 * Calls fn for every addr-spec in the field, lower-cased domain or not, as written; comments and names are
 * passed over.
 */
void headers_addresses(const char *value, void (*fn)(void *ctx, const char *address, size_t n), void *ctx);

/* The first addr-spec, lower case, or "". */
char *headers_address(struct arena *arena, const char *value);

/* The display name of the first mailbox, decoded, or "". */
char *headers_name(struct arena *arena, const char *value);

/* An RFC 5322 or near enough date as microseconds UTC; 0 if there is none. */
long long headers_date(const char *value);

#endif
