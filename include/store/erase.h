/*
 * erase.h: all that is kept about a person, and how it goes. Store thread.
 */
#ifndef STORE_ERASE_H
#define STORE_ERASE_H

#include <stddef.h>
#include <stdint.h>

#include "store/rows.h"

/*
 * In the transaction at hand: their rows of every table go, but for those of deliveries, which keep what counts need and nothing of the person,
 * and those of the ledger, which keep the digest of what they were. What was deleted is overwritten, and when the transaction is on disk the log
 * is moved into the tables and cut. Idempotent. There must be no mail of theirs under way.
 */
int erase_person(struct db *db, const struct prospect *row, struct err *err) MUSTCHECK;

/* What the transaction at hand deletes was about somebody who has been erased: the log is cut behind it, too. */
void erase_scrub(struct db *db);

/*
 * Every table about people but hit_pack and sending, whose rows are about many and lose those of one, and hit_damaged, which is emptied; and one line on
 * what becomes of it; a test compares it with the schema. NULL behind the last.
 */
struct erase_rule { const char *table, *how; };
const struct erase_rule *erase_rules(void);

#endif
