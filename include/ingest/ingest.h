/*
 * ingest.h: HTTP in, the public side: sign-ups, events, opens, clicks, downloads, unsubscribing,
 * confirming, what sales answers. Turns bytes into one fact of decide/facts.h, hands it to the store, and
 * answers after the commit. Loop thread.
 *
 *	POST /v1/forms/FORM	a sign-up: JSON, urlencoded, multipart; 202, or 303 or a page for browsers
 *	POST /v1/track		Segment's track call; so /v1/page, /v1/identify, /v1/batch
 *	POST /v1/outcomes	what became of a lead, by a program (bearer)
 *	POST /v1/esp/S/PATH	what mail service S reports of its mail
 *	GET /o/T.gif		an open: always the picture
 *	GET /c/T		a click: 302 to where the mail's link went
 *	GET /d/T		a download
 *	GET|POST /u/T		unsubscribe (RFC 8058); GET is a page and changes nothing, as with
 *	GET|POST /y/T		the confirmation of double opt-in, and
 *	GET|POST /s/T		sales' answer to an alert
 *	GET / /signup/FORM	the sign-up page; /nurture.js for websites; /healthz /readyz
 *
 * Nothing that a request carries is shown again unescaped, nothing is redirected to that did not come from
 * the plan or our own rows.
 */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "base/err.h"

struct decide;
struct ingest;
struct loop;

/*
 * Listens where the plan's `listen` says; address, sizes and time-outs hold until the next start, the rest
 * of the plan is taken from decide_plan() with each request.
 */
int ingest_start(struct loop *loop, struct decide *decide, struct ingest **out, struct err *err) MUSTCHECK;
int ingest_port(const struct ingest *ingest);
/* Accepts no more connections; what is under way is answered. */
void ingest_drain(struct ingest *ingest);
/* Before decide_stop(). Facts that the store has are still committed; their clients hear nothing. */
void ingest_stop(struct ingest **ingest);

#endif
