/*
 * mailbox.h: one mailbox: its intake process, and what that says on its way into the store. Loop thread.
 */
#ifndef LISTEN_MAILBOX_H
#define LISTEN_MAILBOX_H

#include "config/plan.h"

struct decide;
struct listen;
struct loop;
struct mailbox;

/*
 * Takes a reference to the plan that the config lies in. `program`: path of nurtured-intake, borrowed for
 * life. Begins to work by itself.
 */
struct mailbox *mailbox_new(struct loop *loop, struct decide *decide, struct plan *plan,
	const struct mailbox_config *config, const char *program);

/* Looks for mail now, whatever the poll interval, and whatever was wrong. */
void mailbox_look(struct mailbox *box);

/*
 * How it does. STARTS: its process begins. READS: connects, looks or fetches. WAITS: is told of new mail; POLLS: looks now and then. FAILS: cannot
 * be read, and is tried again at `retry`. LISTENS: it is one that mail is brought to.
 */
enum mailbox_state { MAILBOX_STARTS, MAILBOX_READS, MAILBOX_WAITS, MAILBOX_POLLS, MAILBOX_LISTENS, MAILBOX_FAILS };
extern const char *const mailbox_state_names[];	/* starts reads waits polls listens fails */

struct mailbox_condition {
	const struct mailbox_config *config;
	enum mailbox_state state;
	int64_t looked, taken_at;	/* when all was last known to be read, and the last mail committed; 0: not since the start */
	uint64_t taken, restarts, problems;
	const char *kind, *problem;	/* network login config mail after, and in words, of the last one; "": none since it was last read well */
	int64_t problem_at, retry;	/* 0: it goes on as it is */
};

/* The strings live until the next turn of the loop. */
void mailbox_tell(const struct mailbox *box, struct mailbox_condition *out);

/* Ends the process. Its memory goes when the store has given back what it has. */
void mailbox_free(struct mailbox **box);

/* Of all that are read and of those that mail is brought to, in the order of the config; free() the list. In listen.c. */
size_t listen_conditions(const struct listen *l, struct mailbox_condition **out);

/* Would a mailbox of that plan be set up the same way? */
bool mailbox_is_like(const struct mailbox *box, const struct plan *plan, const struct mailbox_config *config);

#endif
