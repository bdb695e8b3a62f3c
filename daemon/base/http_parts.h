/*
 * http_parts.h: what http.c (listening, routing), http_connection.c (reading and writing), http_request.c (what a
 * handler sees) and http_reply.c (what it answers) share. Loop thread.
 */
#ifndef BASE_HTTP_PARTS_H
#define BASE_HTTP_PARTS_H

#include "base/http.h"

#include "http_parse.h"

#define HTTP_READ_MAX 16384	/* of one read(2), and of what waits behind a request */
#define HTTP_SPARE_ARENAS 64
#define HTTP_PROXIES_MAX 64

struct event;
struct evconnlistener;

/* An address or network, as IPv6 (IPv4 mapped). */
struct http_network {
	uint8_t bytes[16];
	int bits;
};

/* A route, the longest path first. */
struct http_place {
	const struct http_route *route;
	const char *path;
	size_t len;
};

struct http {
	struct loop *loop;
	struct http_place *places;
	size_t place_count;
	void *ctx;
	int64_t request_timeout, idle_timeout;
	int max_connections;
	int64_t max_body, max_large_body;
	struct http_network proxies[HTTP_PROXIES_MAX];
	size_t proxy_count;
	struct evconnlistener *listener;
	struct timer *sweep, *pause;
	int64_t sweep_us;		/* from one to the next */
	int64_t now;			/* steady time of the last sweep */
	int64_t warned_at;		/* that accepting fails, by `now`; 0: never */
	struct http_connection *connections;
	int connection_count;
	char in[HTTP_READ_MAX];		/* what was just read */
	struct buf out;			/* the reply that is being made */
	struct arena *spare[HTTP_SPARE_ARENAS];
	size_t spare_count;
	int64_t date_at;		/* the second of which `date` is */
	char date[32];
	char *socket_path;
	bool draining;
};

/* What it does. http_connection.c says what may follow what. */
enum http_state { HTTP_IDLE, HTTP_READING, HTTP_WAITING, HTTP_WRITING, HTTP_LINGERING, HTTP_CLOSED };

struct http_connection {
	struct http *http;
	struct http_connection *prev, *next;
	struct event *readable;
	struct event *writable;		/* NULL until a reply had to wait */
	int fd;
	enum http_state state;
	bool listening;			/* `readable` is added */
	bool in_turn;			/* what came is being taken */
	bool half_closed;		/* the client sends no more: it may be gone, or wait for its reply still */
	bool ends;			/* with this reply */
	bool lingers;			/* ... and the client does not know it and may still be sending */
	/* the state began; WRITING: bytes went; WAITING: it was seen that the client left; by http->now */
	int64_t since;
	struct http_request *request;	/* READING and WAITING */
	struct buf in;			/* what came and has its turn later; mostly empty */
	/* what is being written */
	struct buf out;
	size_t sent;			/* of out */
	int file;			/* -1: none */
	int64_t offset, left;		/* of the file */
	int64_t until;			/* then the client should have taken all, by http->now */
	size_t thrown_away;		/* LINGERING */
	char peer[48];			/* its address; "": of a Unix socket */
};

/* A line of a reply. */
struct http_line {
	struct http_line *next;
	size_t len;
	char text[];
};

struct http_request {
	struct http_connection *connection;	/* NULL: closed meanwhile */
	struct arena *arena;
	bool whole;			/* the head is */
	bool refused;			/* the connection ends with it */
	bool cached;			/* the handler set Cache-Control */
	const struct http_place *place;	/* NULL: no route */
	const char *text;		/* the head; names and values of its fields are strings */
	const char *path;
	const char *query;		/* "" if none */
	const char *rest;
	struct http_framing framing;
	struct buf body;
	struct http_line *lines, **last;	/* of the reply, that the handler set */
	size_t lines_len;
	char ip[48];
	struct http_head head;		/* at the end, so that its fields need not be zeroed */
};

/* --- http.c ---------------------------------------------------------------------------------- */

/* The head is there. False: it was refused. */
bool http_admit(struct http_request *r);
/* How large may its body be? */
int64_t http_body_limit(const struct http_request *r);
/* All of it is there: it owes a reply from now on. */
void http_dispatch(struct http_request *r);
/* There may be room for another connection, or one that can make room. May free any. */
void http_make_room(struct http *http);

/* --- http_connection.c ----------------------------------------------------------------------- */

/* Takes the socket. */
void http_connection_new(struct http *http, int fd, const char *peer);
void http_connection_free(struct http_connection **c);
/* Frees it if it takes too long, by http->now, or if its client is gone. */
void http_connection_check(struct http_connection *c);
/* Frees the one that has been idle longest; false: none has been for a second or so. */
bool http_connection_make_way(struct http *http);
/*
 * The reply, which ends its request: http->out and, unless it is -1, `left` bytes of the descriptor `file`, which it takes. The connection may be
 * gone when it returns.
 */
void http_connection_send(struct http_connection *c, int file, int64_t offset, int64_t left);

/* --- http_request.c -------------------------------------------------------------------------- */

struct http_request *http_request_new(struct http_connection *c);
/* Forgets it without a reply. */
void http_request_free(struct http_request **r);
/* The head is whole and stands there: copies it. */
void http_request_begin(struct http_request *r, const char *head);

/* "192.0.2.1", "::ffff:192.0.2.1" (as IPv4), "[2001:db8::1]:443": as inet_ntop() writes it; "" if it is none of these. */
void http_canonical_ip(const char *text, char out[48]);
/* Fills ip from the peer (as http_canonical_ip() gave it) and, if trusted(arg, ip) says so, from X-Forwarded-For; trusted NULL: nobody is. */
void http_request_find_ip(
	struct http_request *r, const char *peer, bool (*trusted)(void *arg, const char *ip), void *arg);

/* --- http_reply.c ---------------------------------------------------------------------------- */

/* Answers with a problem; the connection ends with it. */
void http_reply_refuse(struct http_request *r, int status, const char *why);

#endif
