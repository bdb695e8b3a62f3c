/*
 * token.h: the one signed token of addresses and links. Pure but for the key ring; any thread once the ring is set.
 *
 * 21 bytes: version << 4 | key id (1), kind (1), id (8, big endian), day (2: days since 2024-01-01), link (1),
 * first 8 bytes of HMAC-SHA256(key of that kind, the 13 bytes before) (8); as 34 characters of lower-case base32.
 * The key of a kind is HMAC(ring key, "nurtured token " kind), so that a token of one kind never passes for another.
 */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TOKEN_TEXT 35		/* 34 characters and the NUL */
#define TOKEN_SECRET 32
#define TOKEN_KEYS 16

enum token_kind {
	TOKEN_BOUNCE = 'b',	/* id: delivery; in the return path */
	TOKEN_REPLY = 'r',	/* id: delivery; in Reply-To; never expires */
	TOKEN_UNSUBSCRIBE = 'u',/* id: delivery; never expires */
	TOKEN_OPEN = 'o',	/* id: delivery */
	TOKEN_CLICK = 'c',	/* id: delivery, link: which link of its template */
	TOKEN_DOWNLOAD = 'd',	/* id: delivery */
	TOKEN_MESSAGE = 'm',	/* id: delivery; in Message-ID; never expires */
	TOKEN_CONFIRM = 'y',	/* id: consent */
	TOKEN_PREFERENCES = 'p',/* id: prospect */
	TOKEN_SALES = 's',	/* id: lead, link: enum of answers */
};

struct token {
	enum token_kind kind;
	int64_t id;
	uint16_t day;
	uint8_t link;
};

struct token_ring;

/* keys[0] signs, all verify; the key's number is its place in `ids`, below TOKEN_KEYS. */
struct token_ring *token_ring_new(const uint8_t (*keys)[TOKEN_SECRET], const uint8_t *ids, size_t count);
void token_ring_free(struct token_ring **ring);

/* One more, whose number is free: it signs what is made for `since` or later. Other threads may use the ring meanwhile; one adds at a time. */
void token_ring_add(struct token_ring *ring, const uint8_t secret[TOKEN_SECRET], uint8_t id, int64_t since);

/*
 * The day is taken from now_us, and so is the key: that which signed at that time. So what is made again for the time of the first is the
 * same, whatever keys came since.
 */
void token_make(const struct token_ring *ring, enum token_kind kind, int64_t id, uint8_t link, int64_t now_us,
		char out[TOKEN_TEXT]);

/*
 * Verifies the MAC (constant time), the kind, and the age: bounce 60 days, open and click 180, download 14, confirm
 * 30, sales 60, others for ever. Case is ignored (mail systems change it). The error says "not ours", "of another
 * kind" or "expired"; of one that expired *out is set nevertheless.
 */
int token_check(const struct token_ring *ring, enum token_kind kind, const char *s, size_t n, int64_t now_us,
		struct token *out, struct err *err) MUSTCHECK;

#endif
