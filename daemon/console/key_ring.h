/*
 * key_ring.h: the keys of the tokens, over the console. Loop thread. Secrets are never shown.
 */
#ifndef CONSOLE_KEY_RING_H
#define CONSOLE_KEY_RING_H

struct decide;
struct http_request;

/* {"keys": [{"id": 1, "since": ..., "signs": true}, ...]}, the newest first. */
void key_ring_list(struct decide *decide, struct http_request *r);
/* A new key signs what is made from the commit on; the same answer. */
void key_ring_rotate(struct decide *decide, struct http_request *r);

#endif
