/*
 * lmtp.h: the mailbox that other mail servers put mail into, by LMTP (RFC 2033) on a Unix socket or a TCP port. Loop thread.
 *
 * Each recipient has an answer of its own: 250 when the mail is on disk, 451 when it shall come again. A mail for several recipients is one for
 * each: what stands in its envelope says whom it is about, and is kept in front of it (reception_envelope()). The same bytes for the same recipient
 * again are known, and answered with 250.
 */
#ifndef LISTEN_LMTP_H
#define LISTEN_LMTP_H

#include <stdbool.h>

#include "base/err.h"
#include "config/plan.h"

struct lmtp;
struct loop;
struct reception;

/* Takes a reference to the plan that the config lies in. The reception must outlive it. -1: it cannot be listened there. */
int lmtp_start(struct loop *loop, struct reception *reception, struct plan *plan, const struct mailbox_config *config, struct lmtp **out,
	struct err *err) MUSTCHECK;
/* After a reload: the same place, by another plan. */
void lmtp_set_plan(struct lmtp *l, struct plan *plan, const struct mailbox_config *config);
bool lmtp_is_at(const struct lmtp *l, const struct mailbox_config *config);
/* Cuts the connections. Mails that the reception has come to their end there. */
void lmtp_stop(struct lmtp **l);

#endif
