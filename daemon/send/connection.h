/*
 * connection.h: one connection to a relay: libcurl's part, then the dialogue on its socket. Loop thread; only relay.c uses it.
 */
#ifndef SEND_CONNECTION_H
#define SEND_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/loop.h"
#include "base/transfer.h"

#include "dialogue.h"
#include "relay.h"

enum connection_state { CONNECTION_OPENING, CONNECTION_READY, CONNECTION_DEAD };

struct connection_hooks;

struct connection {
	struct relay *relay;
	struct connection *prev, *next;	/* the relay's */
	bool blamed;			/* the relay's: its end was reported to the breaker */
	const struct connection_hooks *hooks;
	const struct relay_times *times;
	enum connection_state state;
	CURL *easy;
	struct transfer *transfer;
	struct event_base *base;
	evutil_socket_t fd;
	struct event *readable, *writable;
	struct timer *timer;
	int64_t armed;			/* when the timer fires, 0 if it does not */
	int64_t active;			/* last byte read or written */
	int64_t ready_since;
	bool in_pump, again;		/* connection_pump() is under way; was called meanwhile */
	unsigned messages;		/* taken so far, */
	unsigned messages_most;		/* and until another is opened */
	bool tls;
	bool login;			/* the configuration has a user */
	char *record;			/* TLS: what is being written; OpenSSL wants the same bytes at the same place again */
	size_t record_len;
	struct dialogue dialogue;

	/* while it opens: what EHLO offered and the last reply, for errors */
	unsigned can;
	int64_t size_limit;
	struct reply_parser parser;
	int replies;			/* so far; the last one is in the parser */
	bool in_reply;			/* between the lines of one */
	bool odd_starttls;		/* offered, but not in capitals */
	char error[CURL_ERROR_SIZE];
};

/* What a connection asks of its relay. */
struct connection_hooks {
	/* The next message, or NULL. */
	struct envelope *(*take)(struct connection *c);
	void (*dot)(struct connection *c, struct envelope *envelope);
	void (*ended)(struct connection *c, const struct dialogue_end *end);
	void (*ready)(struct connection *c);
	/* It never came to be: stage, trouble and reply say why. The connection is dead. */
	void (*failed)(struct connection *c, const struct dialogue_end *why);
	void (*dead)(struct connection *c);
};

struct connection *connection_new(struct relay *relay, struct loop *loop, struct transfer_pool *pool, const struct relay_config *config,
		const struct relay_times *times, const struct connection_hooks *hooks);
/* Not from inside one of its hooks. Messages under way are forgotten: end them by connection_cut() first. */
void connection_free(struct connection **connection);

/* Takes messages, writes, reports: everything that can be done now. */
void connection_pump(struct connection *c);
/* Says goodbye if nothing is under way. */
void connection_quit_if_idle(struct connection *c);
/* Ends it now, and what is under way with TROUBLE_STOPPED. */
void connection_cut(struct connection *c);

#endif
