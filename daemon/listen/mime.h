/*
 * mime.h: the leaves of a MIME tree, decoded. libetpan parses; a linear scan before it refuses what would
 * exhaust its recursion. Pure; all memory is the arena's.
 */
#ifndef LISTEN_MIME_H
#define LISTEN_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "headers.h"

#define MIME_MAX_PARTS 200
#define MIME_MAX_DEPTH 20
#define MIME_MAX_CONTAINERS 60 /* multipart and message/rfc822 fields seen by the scan before parsing */
#define MIME_MAX_BYTES (5 * 1024 * 1024)

struct mime_part {
	const char *type;		/* "text/plain", lower case */
	const char *charset;		/* as declared, or NULL */
	const char *filename;		/* or NULL */
	bool attachment;		/* Content-Disposition says so */
	int depth;
	struct slice data;		/* transfer encoding undone; of message/rfc822 the whole message */
};

struct mime {
	struct mime_part parts[MIME_MAX_PARTS];
	size_t count;
	bool flat; /* refused by the scan or by the parser: one part, the body as it came */
};

/*
 * A whole message (headers and body, without an mbox line, lines ending LF or CR LF). Never fails: what
 * cannot be parsed is one flat part. Multiparts are not listed; a message/rfc822 is one part and is not
 * entered.
 */
void mime_parse(struct mime *out, struct arena *arena, const char *data, size_t n);

/* The first part of that type, or NULL. */
const struct mime_part *mime_find(const struct mime *m, const char *type);

/* The part's bytes as UTF-8 text. */
char *mime_part_text(struct arena *arena, const struct mime_part *part);

#endif
