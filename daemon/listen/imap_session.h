/*
 * imap_session.h: what the parts of an IMAP source share: imap_session.c connects and logs in, imap_idle.c waits, imap_after.c does what is due to
 * mails that were read, imap_source.c finds and fetches them. The intake process.
 */
#ifndef LISTEN_IMAP_SESSION_H
#define LISTEN_IMAP_SESSION_H

#include <libetpan/libetpan.h>

#include "base/clock.h"

#include "imap_source.h"

#define IMAP_ANSWER (1024 * 1024)		/* bytes that a command without a list may bring */
#define IMAP_LIST (16 * 1024 * 1024)
#define IMAP_PATIENCE (60 * US_SECOND)
#define IMAP_PATIENCE_MAIL (5 * US_MINUTE)	/* shorter than the daemon's, which would blame the mail */

struct imap_source {
	struct imap_config config;
	mailimap *session;	/* NULL: not connected */
	char *token;		/* to be used once */
	bool can_idle, can_move, can_expunge;
	bool idling, news;
	bool folder_made;	/* we tried to, in this session */

	uint32_t uidvalidity;
	uint32_t last_uid;	/* given out last */
	uint32_t *uids;		/* above it, in order */
	size_t count, cap, next;
	uint32_t tried_uid;	/* that failed, and how often */
	int tries;

	uint32_t *owed;		/* taken, and `after` not done yet; of owed_validity */
	size_t owed_count, owed_cap;
	size_t owed_doubt;	/* so many of the first were begun before, and may be in the folder already */
	uint32_t owed_validity;
	int64_t settle_at;	/* clock_steady(): it was refused, so not before */
};

/* --- imap_session.c */

/* err with what the server said, or why the connection is lost. Always -1. */
int imap_failed(struct imap_source *s, const char *what, int rc, struct err *err);
/* Before each command: what its answer may come to. */
void imap_allow(struct imap_source *s, size_t bytes, int64_t within);
/* Connected, with what the server can do known, logged in; nothing selected. */
int imap_log_in(struct imap_source *s, enum source_trouble *trouble, struct err *err);
void imap_disconnect(struct imap_source *s);
/* A line of ours, CR LF added; -1: lost. */
int imap_say(struct imap_source *s, const char *line);
/* The next line of the server without CR LF, until the next call; NULL: lost. */
const char *imap_hear(struct imap_source *s);

/* --- imap_source.c */

/* An item of a FETCH's answer; NULL: flags. */
const struct mailimap_msg_att_static *imap_static_item(const clistiter *it);

/* --- imap_idle.c */

int imap_idle_end(struct imap_source *s, struct err *err);

/* --- imap_after.c */

void imap_owe(struct imap_source *s, uint32_t uidvalidity, uint32_t uid);
/* The same before the first look, of a mail that a run before may have begun with. */
void imap_owe_again(struct imap_source *s, uint32_t uidvalidity, uint32_t uid);
/* All that is owed of another UIDVALIDITY can never be done. */
void imap_forget_others(struct imap_source *s);
/* -1: the connection is lost. What the server refuses is noted and tried again later. */
int imap_settle(struct imap_source *s, struct err *err);
/* after: keep. Whether the server keeps the keyword is no matter to us. -1: lost. */
int imap_mark(struct imap_source *s, uint32_t uid, struct err *err);

/* --- imap_copied.c */

/*
 * Adds to `left` those of `set`, which is `uids`, that the folder of `after: move` does not have. Selects that folder and then the mailbox again. What
 * libetpan says; but for a lost connection, what could not be found out is as if it were not there.
 */
int imap_uncopied(struct imap_source *s, struct mailimap_set *set, const uint32_t *uids, size_t count, struct mailimap_set *left);

#endif
