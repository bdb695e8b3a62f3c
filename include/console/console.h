/*
 * console.h: the control socket: HTTP/1.1 with JSON on a Unix socket (mode 0660), for nurturectl, curl
 * and scrapers. Loop thread.
 *
 *	GET  /healthz /readyz			the loop turns; a commit can be made (503 with why)
 *	GET  /metrics				Prometheus text format 0.0.4
 *	GET  /status				version, plan, lanes, relays, mailboxes, store
 *	GET  /mailboxes				each mailbox in full: whether it is read, and what to do if not
 *	GET  /relays[?relay=NAME]		each relay in full: breaker, connections, rate, what it offers and said
 *	POST /deliveries/{id}/again|sent	of a mail in doubt: it is sent again, or taken as sent; 409 if it is in no doubt
 *	GET  /queue?due|unknown|deferred|dead	what waits, and what holds mails; mails in doubt; mails put off; alerts given up
 *	GET  /prospects/{id-or-address}[/why]	everything about one person, and why
 *	GET  /prospects/{id-or-address}/score[?explain]	their score by rule
 *	GET  /eval?expr=E&prospect=P[&explain]	an expression's value for them; 422 with the column of what is wrong
 *	GET  /leads				the latest, with what sales said
 *	GET  /consents/verify			walks the chain of every bucket; 400 names the first consent that breaks one
 *	GET  /suppressions?address=A		is it on the list (404 if not)
 *	POST /suppressions /suppressions/remove	{"address": A, "reason": R}
 *	POST /alerts/{id}/replay		a dead alert goes out again; 409 if it is not dead
 *	GET  /sequences /sequences/{name}	how many are in each; one in full: steps, ends, tests, holdout
 *	POST /sequences/{name}/enroll		{"where": EXPR, "dry": true}: who would enter; without `dry` 202, and
 *	GET  /sequences/{name}/enroll		how far it has come
 *	POST /templates/{name}/send-test	{"to": A, "prospect": P, "data": {...}}: a mail to look at, by the real relay
 *	GET  /mails /mails/{id}[/raw]		the latest mails that came in; one, and why it is what it is; its bytes
 *	GET  /kept-mails?since=T&class=C	ids of those whose bytes are kept, oldest first
 *	POST /mails/{id}/reading[?dry=1]	what the mail is by a reading of today: {differs, was, is, prospect, does, stays}
 *	POST /mail?size=N&sender=S&recipient=R	a mail that is brought, as the body: 200 when it is committed, 503: bring it again
 *	GET  /plan				what a reload would change, and for how many; 422 with all errors
 *	POST /reload				200, or 422 with all errors and nothing changed
 *	POST /snapshot				{"path": P}: a copy of the database, for ten minutes
 *	POST /snapshot/remove			and it goes
 *
 * Whoever may write to the socket may do all of it. Reads run on the reader thread, writes as jobs of the
 * store.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct console;
struct decide;
struct loop;

/* A mail that is brought through the socket; all is borrowed for the call. */
struct console_mail {
	const char *sender;	/* "": the null sender; NULL: not known */
	const char *recipient;	/* NULL: not known */
	const char *data;	/* its first bytes, all that is read */
	size_t len;
	int64_t size;		/* of the whole */
};

/* Committed, or `why` not now. */
typedef void console_taken(void *arg, bool committed, const char *why);

/* What a reading changed; NULL, and why it could not. */
struct mail_change;
struct json_t;
typedef void console_reread_done(void *arg, const struct mail_change *change, const char *why);

struct console_options {
	const char *socket;	/* path; its folder must be there */
	const char *config;	/* the operator's file, for /plan; copied */
	/*
	 * Loop thread: loads the config anew. 0: the new one is in force and `text` may say what changed;
	 * -1: refused, `text` has the errors, one a line.
	 */
	int (*reload)(void *arg, struct buf *text);
	void *reload_arg;
	/* Loop thread: reads a mail and commits what follows from it; `done` is told, later and once. -1: too many wait, and it is not. */
	int (*take)(void *arg, const struct console_mail *mail, console_taken *done, void *done_arg);
	void *take_arg;
	/* Loop thread: takes a reading of a kept mail, as listen_reread() does; -1: not now, and `done` is not told. */
	int (*reread)(void *arg, int64_t mail, struct json_t *said, bool dry, console_reread_done *done, void *done_arg);
	void *reread_arg;
	/* Loop thread: how each relay does, as a JSON list for /status and as lines for /metrics. NULL: there are none to tell of. */
	void (*relays)(void *arg, struct buf *json, struct buf *metrics);
	/* Loop thread: one of them in full, as a list of one; "": all. 1, 0 there is none of that name, -1. */
	int (*relay)(void *arg, const char *name, struct buf *json);
	void *relays_arg;
	/* Loop thread: how each mailbox does, likewise; and in full: 1, -1. */
	void (*mailboxes)(void *arg, struct buf *json, struct buf *metrics);
	int (*mailboxes_full)(void *arg, struct buf *json);
	void *mailboxes_arg;
};

/* decide must outlive it. */
int console_start(struct loop *loop, struct decide *decide, const struct console_options *options,
	struct console **out, struct err *err) MUSTCHECK;
/* Before store_stop(). Requests that wait for the store are answered by its last completions. */
void console_stop(struct console **console);

/*
 * What became of a reload, by SIGHUP too: nurtured_config_last_reload_successful. At the start once with
 * true.
 */
void console_note_reload(bool successful);

#endif
