/*
 * mailbox.h: one mailbox: its intake process, and what that says on its way into the store. Loop thread.
 */
#ifndef LISTEN_MAILBOX_H
#define LISTEN_MAILBOX_H

#include "config/plan.h"

struct decide;
struct loop;
struct mailbox;

/*
 * Takes a reference to the plan that the config lies in. `program`: path of nurtured-intake, borrowed for
 * life. Begins to work by itself.
 */
struct mailbox *mailbox_new(struct loop *loop, struct decide *decide, struct plan *plan,
	const struct mailbox_config *config, const char *program);

/* Looks for mail now, whatever the poll interval. */
void mailbox_look(struct mailbox *box);

/* Ends the process. Its memory goes when the store has given back what it has. */
void mailbox_free(struct mailbox **box);

/* Would a mailbox of that plan be set up the same way? */
bool mailbox_is_like(const struct mailbox *box, const struct plan *plan, const struct mailbox_config *config);

#endif
