/*
 * mx.h: where the mail of a domain goes (its MX records, RFC 5321 section 5.1), asked of DNS without waiting: on the loop, a few at a time, by UDP,
 * and by TCP where the answer does not fit. Loop thread.
 *
 * Good enough to tell providers apart, and no more: nothing is signed.
 */
#ifndef BASE_MX_H
#define BASE_MX_H

#include "base/err.h"

struct loop;
struct mx;

/* The host that is asked first, in lower case, without a dot at its end; "": there is none. NULL: nobody could tell. Once for each mx_ask(). */
typedef void mx_answer(void *arg, const char *domain, const char *host);

/* resolver: "192.0.2.53" or "127.0.0.1:5353"; NULL: as /etc/resolv.conf says, which is read now. */
int mx_new(struct loop *loop, const char *resolver, mx_answer *answer, void *arg, struct err *err, struct mx **out) MUSTCHECK;
/* What is not answered yet never will be. Not from an answer. */
void mx_free(struct mx **mx);

/* Beyond some thousands that wait it is answered with NULL, at once. */
void mx_ask(struct mx *mx, const char *domain);

/* Is it an address, with a port or without, for mx_new()? */
int mx_check_resolver(const char *resolver, struct err *err) MUSTCHECK;

#endif
