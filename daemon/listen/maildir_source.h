/*
 * maildir_source.h: a Maildir (tmp/, new/, cur/) read file by file. Files stay in new/ until what follows
 * from them is recorded. The intake process.
 */
#ifndef LISTEN_MAILDIR_SOURCE_H
#define LISTEN_MAILDIR_SOURCE_H

#include <stdbool.h>

#include "base/err.h"
#include "incoming.h"

struct maildir_source;

/* -1: no Maildir there. */
int maildir_open(const char *path, struct maildir_source **out, struct err *err) MUSTCHECK;
void maildir_close(struct maildir_source **source);

/* Becomes readable when a file arrives; maildir_refresh() drains it. */
int maildir_fd(const struct maildir_source *source);

/* Looks into new/. */
int maildir_refresh(struct maildir_source *source, struct err *err) MUSTCHECK;

/*
 * The file that maildir_peek() names: 1; -1: it cannot be read, and is passed over until the next look.
 * Oldest name first.
 */
int maildir_next(struct maildir_source *source, struct incoming *out, struct err *err) MUSTCHECK;
/* The name of the file that maildir_next() would read, or NULL: so that it can be named before it is read. */
const char *maildir_peek(const struct maildir_source *source);

/* Recorded: new/KEY becomes cur/KEY:2,S. A file that is gone is no error. */
int maildir_done(struct maildir_source *source, const char *key, struct err *err) MUSTCHECK;

#endif
