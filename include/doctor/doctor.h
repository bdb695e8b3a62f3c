/*
 * doctor.h: looks at everything that mail needs and nurtured does not make itself: DNS, relay, mailbox, certificates, clock, disk. For nurturectl:
 * blocks, one thread, touches neither database nor daemon: what a mail went through on its way it is told.
 *
 * What it checks, and by which rules: SPF RFC 7208, DKIM RFC 6376, DMARC RFC 7489, one-click unsubscribe RFC 8058, and what Gmail, Yahoo and Microsoft
 * ask of who sends much.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

struct doctor;
struct mail_template;
struct plan;

/* How bad: ok; a note needs nothing done, or only a person can tell; a warning costs mail or will; an error loses mail now. */
enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_ERROR };
extern const char *const doctor_level_names[];	/* ok note warning error; ends with NULL */

struct doctor_wish {
	const struct plan *plan;
	const char *config;	/* the operator's file, for the modes of what lies beside it */
	const char *resolver;	/* 127.0.0.1:5353, for all names; NULL: the system's */
	const char *ca_file;	/* who vouches for public_url; NULL: the system's */
};

/* What is pointed to must outlive it. */
int doctor_new(const struct doctor_wish *wish, struct doctor **out, struct err *err) MUSTCHECK;
void doctor_free(struct doctor **doctor);

/* Everything, in the order of the way of a mail. */
void doctor_look(struct doctor *doctor);

/*
 * What a sequence sends first by that sender, or whatever else goes out by it: confirmations, versions of a language; as_owner: only what goes as from
 * somebody in sales. NULL: nothing does.
 */
const struct mail_template *doctor_mail_of(const struct plan *plan, size_t sender, bool as_owner);

/* A mail of a sender that was sent to its own reply address, over the daemon and its relay, and what became of it. */
struct doctor_probe {
	size_t sender;		/* index in the plan's senders */
	const char *owner;	/* the address of the one in sales as whom it went; NULL: the sender's own */
	bool unused;		/* no mail is from it: there is nothing to send */
	const char *to;		/* NULL: it was not sent, see reply */
	const char *state;	/* of its delivery: sent, deferred, ... */
	const char *reply;	/* what the relay said, or why it was not sent */
	const char *bounce;	/* what the notice said that came back instead; NULL: none came */
	const char *mailbox;	/* that it was read from; NULL: it did not come while it was waited for */
	const char *raw;	/* as it came; NULL: it is not kept */
	size_t len;
	int64_t took;		/* from its hand-over until it was read, or for which it was waited; microseconds */
};

/* What it tells; asks DNS for the key of its signature. Before doctor_worst() and the like. */
void doctor_probe(struct doctor *doctor, const struct doctor_probe *probe);

enum doctor_level doctor_worst(const struct doctor *doctor);
/* {"worst": L, "findings": [{"check", "about", "level", "what", "next"}], "rules": [{"rule", "met", "gmail", "yahoo", "microsoft"}]} A new reference. */
json_t *doctor_json(const struct doctor *doctor);
/* The same for people. */
void doctor_print(struct buf *out, const json_t *json);

#endif
