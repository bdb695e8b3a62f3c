/*
 * source.h: where the mails of one mailbox are fetched from: imap_source.h, pop3_source.h or maildir_source.h behind one face. The intake process,
 * one thread; blocks while it talks to a server, never longer than TLS_STREAM_DEADLINE_MS without a byte.
 *
 * A mail is given out by its key, and stays where it is until source_done(). What is to become of it then (`after`) may fail; the daemon remembers
 * the keys of mails whose fate is open, hands them in with source_known() and forgets them when told that they are gone.
 */
#ifndef LISTEN_SOURCE_H
#define LISTEN_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "incoming.h"

struct source;

/* Why a mailbox cannot be read: each has a back-off of its own. TROUBLE_TOKEN: it was refused, and another might do. */
enum source_trouble { TROUBLE_NETWORK, TROUBLE_LOGIN, TROUBLE_TOKEN };

enum source_after { AFTER_KEEP, AFTER_SEEN, AFTER_MOVE, AFTER_DELETE };

struct source_calls {
	void (*gone)(void *ctx, const char *key);	/* nothing is left to be done with that mail: it need not be remembered */
	void (*note)(void *ctx, const char *what);	/* a trouble that does not keep mails from being read */
	void *ctx;
};

/* By the `configure` frame, which is kept, and the calls, which are borrowed; nothing is connected yet. The process gives up what that kind of
 * mailbox does not need (sandbox.h). -1: that is nothing to read from. */
int source_open(json_t *config, int control_fd, const struct source_calls *calls, struct source **out, struct err *err) MUSTCHECK;
void source_free(struct source **source);

/* Before the first look: a mail that was taken. leave: it stays where it is, whatever `after` says. */
void source_known(struct source *source, const char *key, bool leave);

/* It is about to log in, and needs a token for that, which it uses once. */
bool source_wants_token(const struct source *source);
void source_token(struct source *source, const char *token);

/* Finds out what is there. On -1 the connection is closed and *trouble says which back-off fits. */
int source_refresh(struct source *source, enum source_trouble *trouble, struct err *err) MUSTCHECK;

/* The key of the mail that source_next() would give; false if there is none. */
bool source_peek(const struct source *source, char *key, size_t size);

/* That mail: 1; 0: it is there no longer; -1: it cannot be had now, and comes again after source_refresh(). */
int source_next(struct source *source, struct incoming *out, struct err *err) MUSTCHECK;

/* What follows from that mail is on disk. leave: nothing is done to it. -1: a trouble to tell of; nothing is lost by it. */
int source_done(struct source *source, const char *key, bool leave, struct err *err) MUSTCHECK;

/* All that was found has been dealt with: to wait for more, or to hang up. 1: there is more already; -1: the connection is lost. */
int source_rest(struct source *source, struct err *err) MUSTCHECK;

/* While it rests: becomes readable when there may be news; -1: nothing does. Then source_woken(): 1: look; 0: it was nothing; -1: lost. */
int source_fd(const struct source *source);
int source_woken(struct source *source, struct err *err) MUSTCHECK;

/* How long it may rest without a look, if it is to be looked at every `poll`; and how it learns of mail meanwhile: "told", or "asks". */
int64_t source_interval(const struct source *source, int64_t poll);
const char *source_learns(const struct source *source);

/* A mailbox that is read from afar: what fails there fails as a whole, and not for one file. */
bool source_is_remote(const struct source *source);
uint32_t source_uidvalidity(const struct source *source);	/* 0: it has none */

#endif
