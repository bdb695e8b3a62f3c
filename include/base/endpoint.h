/*
 * endpoint.h: sockets to listen on. Loop thread, at the start and on a reload: they do not block but for what the file system takes.
 *
 * Both give a descriptor that is bound, non-blocking and close-on-exec; listen(2) is the caller's. -1: not to be had, and err says why.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/err.h"

/* An IPv4 or IPv6 address; port 0: any free one. */
int endpoint_tcp(const char *address, int port, struct err *err) MUSTCHECK;

/* Replaces a stale socket file, not one that somebody listens on; it gets `mode`. Whoever closes the socket unlinks the path. */
int endpoint_unix(const char *path, unsigned mode, struct err *err) MUSTCHECK;

#endif
