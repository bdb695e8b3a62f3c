/*
 * mailbox_jobs.h: what a mailbox asks and tells the store besides its mails. Loop thread.
 */
#ifndef LISTEN_MAILBOX_JOBS_H
#define LISTEN_MAILBOX_JOBS_H

#include "store/rows.h"
#include "store/store.h"

/* How far it was read, and which of its mails are not done with. */
struct mailbox_memory {
	struct watermark watermark;
	struct mailbox_mail *mails;
	size_t count;
};

/* The memory, borrowed for the call; or NULL, and why. The name is borrowed until then. -1: the store takes nothing now, and `done` is not told. */
int mailbox_look_up(struct store *store, const char *name, void (*done)(void *ctx, const struct mailbox_memory *memory, const char *why), void *ctx)
	MUSTCHECK;

/* That mail is done with. What the store cannot take is forgotten at the next start: it is gone then too. */
void mailbox_forget(struct store *store, const char *name, const char *key);

/* For whoever runs the site. */
void mailbox_alarm(struct store *store, const char *name, const char *what);

#endif
