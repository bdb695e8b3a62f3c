/*
 * keys.h: the keys that tokens are signed with, as the store keeps them. Store thread.
 *
 * A new key signs from its time on; those before it go on to verify, because links to unsubscribe and addresses of replies never expire.
 * So a key is never taken away, and there are at most TOKEN_KEYS.
 */
#ifndef DECIDE_KEYS_H
#define DECIDE_KEYS_H

#include <stdbool.h>

#include "base/token.h"

struct db;

struct token_keys {
	uint8_t secrets[TOKEN_KEYS][TOKEN_SECRET];	/* the newest first; wipe it when done */
	uint8_t ids[TOKEN_KEYS];
	int64_t since[TOKEN_KEYS];			/* 0: from the beginning */
	size_t count;
};

/* All of them; makes the first one. */
int keys_load(struct db *db, struct token_keys *out, struct err *err) MUSTCHECK;
/* Adds one that signs from `at` on; *out has all. *full: there is no place for another, nothing was done. */
int on_key_rotate(struct db *db, int64_t at, struct token_keys *out, bool *full, struct err *err) MUSTCHECK;

/* The ring of them; the caller frees it. */
struct token_ring *keys_ring(const struct token_keys *keys);

#endif
