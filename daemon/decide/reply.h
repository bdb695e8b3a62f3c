/*
 * reply.h: what follows from replies: holds (hold.c), and the parts of on_mail() that are about them (on_reply.c). Store thread.
 */
#ifndef DECIDE_REPLY_H
#define DECIDE_REPLY_H

#include "decide/facts.h"
#include "store/holds.h"

struct db;
struct decide;
struct delivery;
struct person;

/* --- hold.c: no mails of sequences before that */

int hold_person(struct person *p, int64_t until, const char *why, struct err *err) MUSTCHECK;
/* The colleagues, by the domain of the address; not those with free mail, nor p. */
int hold_company(struct person *p, struct err *err) MUSTCHECK;
/* Of a person, by one of their addresses. 1: one is in force, theirs or of their company; 0; -1. */
int hold_find(const struct plan *plan, struct db *db, int64_t prospect, const char *address, int64_t now, struct arena *arena, struct hold *out,
	struct err *err) MUSTCHECK;

/* --- on_mail.c: whom a mail is about. 1 with the person loaded, and the mail of ours (its id is 0 where only an address says it); 0 nobody; -1. */

int mail_find(struct decide *d, struct db *db, const struct mail_fact *fact, struct person *p, struct delivery *about, struct err *err) MUSTCHECK;

/* --- on_reply.c: parts of on_mail() */

/* `about` without an id: known by the sender's address alone. */
int reply_of_person(struct person *p, const struct mail_fact *fact, const struct delivery *about, struct err *err) MUSTCHECK;
int reply_of_machine(struct person *p, const struct mail_fact *fact, const struct delivery *about, struct err *err) MUSTCHECK;
int reply_of_stranger(struct decide *d, struct db *db, const struct mail_fact *fact, struct err *err) MUSTCHECK;

#endif
