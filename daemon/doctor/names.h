/*
 * names.h: what DNS says, asked of the system's resolver or of one that is given. Blocks, for seconds where nobody answers; one thread.
 */
#ifndef DOCTOR_NAMES_H
#define DOCTOR_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct names;

struct names_list {
	char **items;
	size_t count;
};

/* resolver: "192.0.2.53" or "127.0.0.1:5353"; NULL: as /etc/resolv.conf says. */
int names_new(const char *resolver, struct names **out, struct err *err) MUSTCHECK;
void names_free(struct names **names);
bool names_given(const struct names *names);	/* is it one that was given? */

/*
 * 1 and what there is, to be cleared; 0: there is none, which is certain; -1: nobody could tell. TXT: the strings of each record joined. MX: hosts,
 * the best first; "." where the domain takes no mail (RFC 7505). Addresses: of IPv4 and IPv6; of what is an address, and of "localhost", itself.
 */
int names_txt(struct names *names, const char *domain, struct names_list *out, struct err *err) MUSTCHECK;
int names_mx(struct names *names, const char *domain, struct names_list *out, struct err *err) MUSTCHECK;
int names_addresses(struct names *names, const char *host, struct names_list *out, struct err *err) MUSTCHECK;
int names_ptr(struct names *names, const char *ip, struct names_list *out, struct err *err) MUSTCHECK;

void names_list_clear(struct names_list *list);

/* Of this machine or of a private network: the world sees another address, or none (RFC 1918, 4193, 6598, 5735). */
bool names_private(const char *ip);

#endif
