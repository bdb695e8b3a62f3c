/*
 * claim_pack.h: claims of mails as the bytes of a row of `sending`. Pure.
 */
#ifndef STORE_CLAIM_PACK_H
#define STORE_CLAIM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/rows.h"

struct packed_claim {
	struct delivery mail;		/* no text of it is NULL */
	int64_t epoch;
	bool apart;			/* its row in `delivery` does not tell whether it has ended */
};

#define CLAIM_NUMBERS 13
#define CLAIM_TEXTS 8
#define CLAIM_TEXT_MOST 65535		/* bytes */

/* The texts of a mail, always in the same order. */
void claim_pack_texts(struct delivery *mail, const char **out[CLAIM_TEXTS]);
/* Copies them behind each other; `to` NULL: nothing. What they take. */
size_t claim_pack_copy(struct delivery *mail, char *to);

/* --- writing -------------------------------------------------------------------------------------------- */

struct claim_packer {
	struct buf *body;
	int64_t numbers[CLAIM_NUMBERS];		/* of the claim before */
	const char *texts[CLAIM_TEXTS];
};

/* So many will be added. What is added must stay until the next is. */
void claim_pack_begin(struct claim_packer *p, struct buf *body, size_t count);
void claim_pack_add(struct claim_packer *p, const struct packed_claim *claim);

/* --- reading -------------------------------------------------------------------------------------------- */

struct claim_reading {
	const char *at, *end;
	size_t left;
	const char *why;			/* it is damaged */
	int64_t numbers[CLAIM_NUMBERS];
	const char *texts[CLAIM_TEXTS];
};

void claim_pack_open(struct claim_reading *r, struct slice body);
/* 1 and the next, whose texts lie in the body; 0 that was all; -1 it is damaged, r->why. */
int claim_pack_next(struct claim_reading *r, struct packed_claim *out);

#endif
