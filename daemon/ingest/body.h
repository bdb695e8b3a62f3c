/*
 * body.h: request bodies as names and values, whatever form they came in. Pure: bytes in, pairs out, all
 * memory the arena's.
 *
 * At most BODY_PAIRS pairs. Names and values are valid UTF-8 without NUL. A value that is neither text nor
 * number nor true or false (JSON), or a file (multipart), is NULL: present, but of no use. JSON's null is
 * left out. Errors are in words for whoever posts.
 */
#ifndef INGEST_BODY_H
#define INGEST_BODY_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "decide/facts.h"

#define BODY_PAIRS 64
#define BODY_DEPTH 8

struct arena;
struct json_t;

struct body {
	struct pair *pairs;
	size_t count;
};

/* application/x-www-form-urlencoded (WHATWG URL 5.1). */
int body_parse_urlencoded(struct arena *arena, struct slice in, struct body *out, struct err *err) MUSTCHECK;
/* multipart/form-data (RFC 7578); boundary NULL is an error. */
int body_parse_multipart(struct arena *arena, struct slice in, const char *boundary, struct body *out,
	struct err *err) MUSTCHECK;
/* A flat JSON object (RFC 8259): numbers as they print, true and false as words. Names may not repeat. */
int body_parse_json(struct arena *arena, struct slice in, struct body *out, struct err *err) MUSTCHECK;
/* Any JSON object at most BODY_DEPTH deep, to be json_decref()ed; NULL with err. */
struct json_t *body_json(struct slice in, struct err *err);
/* The same, which may be an array. */
struct json_t *body_json_any(struct slice in, struct err *err);

/*
 * By media type (lower case) and boundary. 0, 400 (malformed) or 415 (another type): the status to answer
 * with.
 */
int body_parse(struct arena *arena, struct slice in, const char *type, const char *boundary, struct body *out,
	struct err *err) MUSTCHECK;

/* The value of the first pair of that name, NULL if there is none. */
const char *body_get(const struct body *body, const char *name);
/* SHA-256 over names and values, as hex: the same for the same pairs in whatever form they came. */
const char *body_digest(struct arena *arena, const struct body *body);

#endif
