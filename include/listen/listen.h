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

#include <stddef.h>

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

/*
 * Ends the intakes. Before store_stop(): mails that are in the store still come to their end there, and are
 * not told again.
 */
void listen_stop(struct listen **l);

#endif
