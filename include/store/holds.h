/*
 * holds.h: until when a person, or the people of a company, get no mails of sequences. Store thread.
 */
#ifndef STORE_HOLDS_H
#define STORE_HOLDS_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct db;

/* No mails of sequences before that; the last one counts. */
struct hold {
	int64_t prospect;		/* of a company's: who talks with sales */
	int64_t until;
	const char *why;		/* "paused until 2026-05-01: they named that day" */
};

int holds_put(struct db *db, const struct hold *h, struct err *err) MUSTCHECK;
int holds_put_company(struct db *db, const char *domain, const struct hold *h, struct err *err) MUSTCHECK;
/* 1, 0 none, -1. Over or not. */
int holds_find(struct db *db, int64_t prospect, struct arena *arena, struct hold *out, struct err *err) MUSTCHECK;
int holds_find_company(struct db *db, const char *domain, struct arena *arena, struct hold *out, struct err *err) MUSTCHECK;

#endif
