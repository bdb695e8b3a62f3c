/*
 * networks.h: a set of IP networks, to look addresses up in: thousands of ranges, a binary search. Any thread once it is loaded; pure but for
 * networks_load(), which reads a file.
 */
#ifndef BASE_NETWORKS_H
#define BASE_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct networks;

/*
 * One network or address a line (192.0.2.0/24, 2001:db8::/32, 192.0.2.1), what stands behind a comma, white space or # is not read: Apple's
 * egress-ip-ranges.csv is such a file. -1: it cannot be read, or "line 3: ..." is no network. At most 64 MiB.
 */
int networks_load(const char *file, struct networks **out, struct err *err) MUSTCHECK;
/* The same from text. */
int networks_parse(const char *text, size_t len, struct networks **out, struct err *err) MUSTCHECK;
void networks_free(struct networks **networks);

/* Is the address ("192.0.2.1", "2001:db8::1") in one of them? networks NULL: in none. What is no address is in none. */
bool networks_have(const struct networks *networks, const char *ip);

#endif
