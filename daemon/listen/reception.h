/*
 * reception.h: mail that is brought to us, by LMTP or through the control socket: read by an intake process that has no mailbox, and told to
 * decide, one after the other. Loop thread.
 *
 * Whoever brings a mail is told when it is on disk, or that they shall bring it again. A mail that ended the intake twice, and one that the store
 * refused, is kept unread: class unreadable, and an error is logged.
 */
#ifndef LISTEN_RECEPTION_H
#define LISTEN_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct decide;
struct loop;
struct plan;
struct reception;

/* `program`: path of nurtured-intake, borrowed for life. The plan: a reference of its own. */
struct reception *reception_new(struct loop *loop, struct decide *decide, struct plan *plan, const char *program);
/* After a reload: what comes from now on is read by the new rules. */
void reception_set_plan(struct reception *r, struct plan *plan);
/* All who wait are told to come again; what is in the store comes to its end there, and is known when it is brought again. */
void reception_free(struct reception **r);

/*
 * Tells what became of a mail, once, never within reception_take(): committed, or `why` not now (a few words of ours).
 */
typedef void reception_done(void *arg, bool committed, const char *why);

/*
 * Takes the bytes (of which 25 MB are kept and the first 5 MB read) and leaves BUF_INIT. `size`: of the whole. source: the mailbox's name, copied.
 * -1: too many wait, or too large ones; the bytes stay the caller's, and done is not called.
 */
int reception_take(struct reception *r, const char *source, struct buf *raw, int64_t size, reception_done *done, void *arg);

/*
 * The envelope as the fields that a final delivery puts in front (RFC 5321 4.4): Return-Path and Delivered-To, so that it is read, and kept,
 * like any other field. sender: without < >, "" for the null sender, NULL: not known. recipient: NULL: not known. Neither has a control character.
 */
void reception_envelope(struct buf *out, const char *sender, const char *recipient);

#endif
