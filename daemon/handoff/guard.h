/*
 * guard.h: which addresses a webhook may be sent to. Pure; any thread.
 *
 * Looks at the address that is connected to, after name resolution, so that no spelling of a URL
 * (2130706433, 0x7f.1, a name that resolves to 127.0.0.1, one that does so only the second time) gets
 * past it.
 */
#ifndef HANDOFF_GUARD_H
#define HANDOFF_GUARD_H

#include <stdbool.h>

struct sockaddr;

/*
 * Is it a public unicast address (IANA's special-purpose registries of RFC 6890), or within one of the
 * CIDRs ("10.1.0.0/16", "fd00::/8"; a bare address is itself) that end with NULL (NULL: none)? IPv6 forms
 * that carry an IPv4 address (mapped, compatible, NAT64, 6to4) are judged by that one too. Other families
 * than these two: no.
 */
bool guard_allows(const struct sockaddr *address, const char *const *allow_private);

#endif
