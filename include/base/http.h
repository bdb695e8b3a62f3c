/*
 * http.h: the hardened HTTP/1.1 server that the public side (ingest) and the control socket (console) share. Loop
 * thread only. Relies on SIGPIPE being ignored: clients go away.
 *
 * Bounds: header and body size, connections, time from the first byte of a request to its last, idle time, time to
 * take a reply. Refused with 400 and `Connection: close`: two Content-Length or Host headers, a Transfer-Encoding
 * that is not exactly `chunked`, both kinds of length, a body on GET, HEAD or OPTIONS, trailers and chunk extensions,
 * folded header lines, bare LF or CR, NUL and other controls, white space before a colon, no Host in HTTP/1.1, a target
 * that does not begin with a slash (`*`, absolute and authority forms) or has a control, `#`, "%00" or a byte above
 * ASCII in it (RFC 9112 sections 2.2, 3.2, 5, 6). Other bytes that a target should escape (`{ } | ^ \ " < >` and the
 * backtick) pass as they came: browsers and mail programs send them. One empty line before a request is passed over.
 * Methods: GET HEAD POST OPTIONS; others get 501, and the connection ends.
 * A body that is too large gets 413, before it comes if its length is told. Requests of a connection are answered in
 * order, one at a time; while one waits for its reply no more is read from there. When all connections are taken and
 * somebody waits for one, the one that has been idle longest makes way, or whose client sends no more.
 *
 * A route's handler gets the request and owes it exactly one http_reply*(), at once or later from the loop.
 * Until then the request, its arena and all that was read from it stay valid, also when the client has gone
 * away or the listener was closed; with the reply they are gone. A client that reset its connection takes no place
 * meanwhile; one that only ended it does for idle_timeout, for it may still wait.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

struct loop;
struct http;
struct http_request;

enum http_method { HTTP_GET = 1, HTTP_HEAD = 2, HTTP_POST = 4, HTTP_OPTIONS = 8 };
#define HTTP_LARGE 16	/* no method: the route takes bodies of max_large_body */

/* A table of these ends with path NULL. The longest path that fits wins. */
struct http_route {
	/* enum http_method, or'ed, and HTTP_LARGE; GET brings HEAD with it; others are answered 405 with Allow */
	unsigned methods;
	const char *path;	/* exact, or the beginning if it ends in '/': what follows is http_rest() */
	void (*handle)(void *ctx, struct http_request *r);
};

struct http_options {
	const struct http_route *routes;	/* borrowed for life */
	void *ctx;				/* for handle */
	int64_t max_body;			/* 0: 256 KiB */
	int64_t max_large_body;			/* of routes that are HTTP_LARGE; less than max_body: as max_body */
	int max_connections;			/* 0: 1024 */
	int64_t request_timeout;		/* 0: 10 s */
	int64_t idle_timeout;			/* 0: 15 s */
	/* addresses or CIDRs whose X-Forwarded-For is believed; copied; may be NULL */
	const char *const *trusted_proxies;
};

/* Port 0: any free one, see http_port(). */
int http_listen_tcp(struct loop *loop, const struct http_options *options, const char *address, int port,
	struct http **out, struct err *err) MUSTCHECK;
/* Replaces a stale socket file, not one that somebody listens on; it gets `mode` and is removed by http_close(). */
int http_listen_unix(struct loop *loop, const struct http_options *options, const char *path, unsigned mode,
	struct http **out, struct err *err) MUSTCHECK;
int http_port(const struct http *http);
/* Accepts no more and closes each connection with its next reply. */
void http_drain(struct http *http);
/*
 * Connections are cut; requests that still wait for their reply stay valid, and replying to them frees
 * them.
 */
void http_close(struct http **http);

/* --- the request ----------------------------------------------------------------------------- */

enum http_method http_method(const struct http_request *r);
const char *http_path(const struct http_request *r);		/* as it came, without the query */
const char *http_rest(const struct http_request *r);		/* the path behind the route's */
/* A value of the query string, decoded, in the arena; NULL if it is not there. */
const char *http_query(struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);	/* NULL if it is not there */
struct slice http_body(const struct http_request *r);
/* Of the client: the peer, or what trusted proxies said ("192.0.2.1", "2001:db8::1"); "" on a Unix socket. */
const char *http_ip(const struct http_request *r);
struct arena *http_arena(struct http_request *r);
/* Does `Accept` name text/html: a browser that shows what comes back, not a program? */
bool http_wants_html(const struct http_request *r);
/* The media type of the body without parameters, lower case, in the arena; "" if none was given. */
const char *http_content_type(struct http_request *r);
/*
 * A parameter of a header value such as `multipart/form-data; boundary=x`, unquoted, in the arena; NULL if
 * it is not there.
 */
const char *http_parameter(struct arena *arena, const char *value, const char *name);

/* --- the reply ------------------------------------------------------------------------------- */

/*
 * Adds a header to the reply that will come. Values with CR, LF or NUL are a bug. Nothing here overrides
 * what http_reply() sets.
 */
void http_set_header(struct http_request *r, const char *name, const char *value);

/*
 * Copies the body. Adds Content-Type (with charset=utf-8 for text/), X-Content-Type-Options, and
 * Cache-Control: no-store unless one was set. For HEAD the headers alone go out. Ends the request.
 */
void http_reply(struct http_request *r, int status, const char *type, const void *body, size_t len);
/* The same with `length` bytes of a file from `offset`; takes the descriptor. `status` 200 or 206. */
void http_reply_file(
	struct http_request *r, int status, const char *type, int fd, int64_t offset, int64_t length);
/* 303 or 302 with Location; `url` must have been checked. */
void http_redirect(struct http_request *r, int status, const char *url);
/*
 * application/problem+json (RFC 9457). `members`: more members of the object as JSON text without braces,
 * or NULL.
 */
void http_problem(struct http_request *r, int status, const char *detail, const char *members);
/* The words of a status: "Not Found". */
const char *http_reason(int status);

#endif
