/*
 * http_parts.h: what http.c (listening, connections, routing) and http_request.c (reading a request,
 * replying) share. Loop thread.
 */
#ifndef BASE_HTTP_PARTS_H
#define BASE_HTTP_PARTS_H

#include "base/http.h"

#include "http_guard.h"

struct bufferevent;
struct evhttp_request;
struct evkeyvalq;

struct http_connection {
	struct http *http;
	struct bufferevent *bev;	/* we hold a reference: evhttp frees its own without telling */
	struct http_connection *prev, *next;
	int fd;				/* -1 until its first byte */
	struct http_guard guard;
	uint64_t handled;		/* requests that evhttp handed over */
	int64_t started;		/* steady time of the first byte of the request being read; 0: none */
	bool refused;			/* its fault was answered */
	bool pending;			/* a request waits for its reply; evhttp does not read meanwhile */
	bool peer_known;
	char peer[48];			/* its address; "": of a Unix socket */
};

struct http_request {
	struct http *http;		/* NULL: closed meanwhile */
	struct evhttp_request *ev;
	struct http_connection *connection;
	struct http_request *prev, *next;
	struct arena *arena;
	enum http_method method;
	char *path;
	const char *query;		/* "" if none */
	const char *rest;
	char ip[48];
	bool cached;			/* the handler set Cache-Control */
};

/* The request is answered: forgets it, and frees it. Its evhttp request must have been sent. */
void http_request_done(struct http_request *r);
bool http_draining(const struct http *http);
/* This second, as the header Date says it. */
const char *http_date(struct http *http);

/* "192.0.2.1", "::ffff:192.0.2.1" (as IPv4), "[2001:db8::1]:443": as inet_ntop() writes it; "" if it is none of these. */
void http_canonical_ip(const char *text, char out[48]);
/* Fills ip from the peer (as http_canonical_ip() gave it) and, if trusted(arg, ip) says so, from X-Forwarded-For; trusted NULL: nobody is. */
void http_request_find_ip(
	struct http_request *r, const char *peer, bool (*trusted)(void *arg, const char *ip), void *arg);

#endif
