/*
 * shape.h: how much goes out, and when: the rate of each group of recipients, the budget of a sender's day, the spread of a sequence, and what
 * is paused because it goes wrong. Store thread; its state is memory, what a restart must know is kept by shape_keep().
 *
 * A mail that has to wait is given a place in time once, on which all that limits it agree, and comes back then. Should the transaction be
 * rolled back, the place is given back, and so is what was counted; what a restart must know is written again.
 */
#ifndef DECIDE_SHAPE_H
#define DECIDE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/facts.h"

#include "calendar.h"

struct shape;

struct shape *shape_new(void);
void shape_free(struct shape **s);
/* The limits of this plan are in force. What was slowed down or paused stays so. */
void shape_use(struct shape *s, const struct plan *plan);

/* Is it known whose mail servers take the mail of that domain (as A-labels)? 1 it is, or matters not; 0 DNS is being asked; -1. */
int shape_know(struct shape *s, struct db *db, const char *domain, int64_t now, struct err *err) MUSTCHECK;

struct shape_ask {
	const char *domain;		/* of the recipient, as A-labels */
	const char *sender;		/* domain of From */
	const char *sequence;		/* NULL: of none */
	int64_t spread;			/* of that sequence */
	int64_t id;			/* of the person: who waits for the same instant is spread by it */
	bool awaited;			/* somebody waits for it: before the others, and neither spread nor held by a budget */
	bool engaged;			/* did something lately: first in a budget that is short */
	bool unplaced;			/* shape_know() said 0 */
	const char *was;		/* why it was held the last time; "" */
	const struct calendar *calendar;/* NULL: at any hour */
	int64_t now;
};

/* 1: it passes, and has taken its share. 0: it is held until *until_out, *why_out (the arena's, or the shape's own) says by what. */
int shape_pass(struct shape *s, struct db *db, const struct shape_ask *ask, struct arena *arena, int64_t *until_out, const char **why_out);

/* What became of a mail, as on_outcome() hears of it. */
void shape_heard(struct shape *s, struct db *db, const struct delivery *mail, const char *sender, const struct mail_outcome *fact);
/* Its receiver asks for less, at once or later in a bounce: all of its group gets it. */
void shape_slow(struct shape *s, const char *address, const struct slow *slow, int64_t at);
/* It came back later: a hard bounce, or a complaint. */
void shape_came_back(struct shape *s, struct db *db, const struct delivery *mail, const char *sender, bool complaint, int64_t at);
/* It was opened or clicked, by whom; with -1 `mails` that verdict is taken back. */
void shape_hit(struct shape *s, struct db *db, const char *address, int64_t delivery, bool click, enum verdict verdict, int64_t mails, int64_t at);

/* What is slowed down or paused by that name goes on, by hand; false: nothing is. */
bool shape_resume(struct shape *s, struct db *db, const char *name, int64_t now);

/* Writes what has changed, if something has; `all`: the counts of domains, too, however few. */
int shape_keep(struct shape *s, struct db *db, bool all, struct err *err) MUSTCHECK;
int shape_recall(struct shape *s, struct db *db, struct err *err) MUSTCHECK;

#endif
