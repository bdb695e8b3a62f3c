/*
 * listen.h: mail in. Starts one nurtured-intake for each mailbox of the plan, and turns what they read into
 * facts. Loop thread.
 *
 * A mail is told to decide (on_mail) in the transaction that also moves the mailbox's watermark, one after
 * the other for a mailbox; only then is the intake told that it is committed. What the store cannot take is
 * tried again; nothing is passed over. Tokens are verified here: the intake has no keys. An intake that
 * ends is started again, after a second, then two, up to five minutes; a mail that ended it twice is kept
 * unread (class auto in the inbound table, "unreadable" in its summary) and an error is logged.
 */
#ifndef LISTEN_LISTEN_H
#define LISTEN_LISTEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct decide;
struct listen;
struct loop;

/*
 * nurtured-intake is found beside the program that runs. -1: it is not there although mailboxes are
 * configured.
 */
int listen_start(struct loop *loop, struct decide *decide, struct listen **out, struct err *err) MUSTCHECK;

/*
 * After decide_reload(): mailboxes that changed are started anew, the others go on and look at once. -1:
 * all stay as they were.
 */
int listen_reload(struct listen *l, struct err *err) MUSTCHECK;

/* Committed, or `why` not now: whoever brought it brings it again. */
typedef void listen_taken(void *arg, bool committed, const char *why);

/*
 * Reads a mail that is brought and tells decide, as with one in a mailbox; `done` is told once, not within the call. sender: "" for the null
 * sender, NULL if it is not known; recipient: NULL if it is not known; neither has a control character. data: what there is of it, of which 25 MB are kept and
 * the first 5 MB read; size: of the whole. All is borrowed for the call. -1: too many wait, and done is not told.
 */
int listen_take(struct listen *l, const char *sender, const char *recipient, const char *data, size_t n, int64_t size, listen_taken *done,
	void *arg) MUSTCHECK;

/*
 * How each mailbox does, as a JSON list: its state (starts, reads, waits: is told of mail; polls, listens: mail is brought; fails), when all was
 * last read, how many mails were taken since the start, what is wrong; `full`: and what to do about it. 1, or -1.
 */
int listen_report(const struct listen *l, bool full, struct buf *out) MUSTCHECK;
void listen_metrics(const struct listen *l, struct buf *out);	/* the same as lines */

/*
 * What a kept mail is by a reading of today: `said` is a `mail` frame (frame.h) with `received`, borrowed; what follows is done unless `dry`
 * (on_reread()). `done` is told once, not within the call: NULL, and why not, where it could not be.
 */
struct mail_change;
typedef void listen_reread_done(void *arg, const struct mail_change *change, const char *why);
int listen_reread(struct listen *l, int64_t mail, json_t *said, bool dry, listen_reread_done *done, void *arg) MUSTCHECK;

/*
 * Ends the intakes. Before store_stop(): mails that are in the store still come to their end there, and are
 * not told again.
 */
void listen_stop(struct listen **l);

#endif
