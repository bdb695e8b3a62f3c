/*
 * simulate.h: the plan at work on invented people, in virtual time: the real decide on a store in memory. No SMTP, no HTTP, no threads; a month of a
 * person takes milliseconds. The same plan, seed, start and people give the same things, on any machine.
 *
 * Time goes from instant to instant: to the earliest of what is due in the lanes of the queue and of what the people mean to do. A mail that
 * the gate lets pass is rendered as send would, and reaches them a second later.
 *
 * One thread; it sets base/clock's wall clock, seeds this thread's random numbers and lets ids begin anew: one simulation at a time in a process.
 */
#ifndef SIMULATE_SIMULATE_H
#define SIMULATE_SIMULATE_H

#include "config/persona.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "simulate/thing.h"
#include "store/store.h"

struct simulation;

/* What a reply wants, as listen understands it. */
struct reply_reading {
	const char *intent;		/* until the next call */
	char intents[2048];		/* JSON array */
	int64_t until;			/* the date that they named; 0 */
};

/* Where facts are told to decide. */
struct simulation_place {
	struct store *store;
	struct decide *decide;
	/* Runs the job and waits for it. */
	enum store_result (*run)(void *ctx, struct store_job *job, struct err *err);
	void *ctx;
};

/* What becomes of a mail that may go out: fills the outcome, which says SENT. false: the process dies behind the dot, nobody ever says. */
typedef bool simulation_outcome(void *ctx, const struct mail *mail, struct mail_outcome *outcome);

struct simulation_options {
	struct plan *plan;		/* a reference is kept */
	uint64_t seed;
	int64_t start;			/* virtual time begins here */
	const char *database;		/* file of which a copy is the beginning; NULL: nobody there */
	const struct personas *personas;/* of people who are there already, by share; NULL: they do nothing. Borrowed for life */
	void (*read_reply)(const char *words, int64_t at, struct reply_reading *out);	/* NULL: the intent is `other` */
	void (*tell)(void *ctx, const struct thing *thing);	/* each thing, as it happens */
	void *ctx;
	bool watch;			/* tell what decide does with the people, too: for few of them */
	/* for tests */
	const struct simulation_place *place;	/* instead of a store in memory; it outlives the simulation */
	simulation_outcome *outcome;	/* NULL: sent */
	void *outcome_ctx;
};

int simulation_new(const struct simulation_options *options, struct simulation **out, struct err *err) MUSTCHECK;
void simulation_free(struct simulation **simulation);	/* the wall clock runs again */

/*
 * Somebody will come at `at` and live as the persona, which is borrowed for life; address NULL: its own. Their number, from 0, as things have it.
 * sequence: one that they are entered into by hand when they have come; NULL.
 */
size_t simulation_add(struct simulation *s, const struct persona *persona, const char *address, int64_t at, const char *sequence);

/* Up to and including that instant; the clock stands there then. -1: the store or decide failed, and nothing more can be said. */
int simulation_run(struct simulation *s, int64_t until, struct err *err) MUSTCHECK;
int64_t simulation_now(const struct simulation *s);

/* Runs a job of one's own at this instant: reports at the end, checks of tests. */
int simulation_do(struct simulation *s, int (*fn)(struct db *db, void *arg, struct err *err), void *arg, struct err *err) MUSTCHECK;

/* --- faults, for tests ---------------------------------------------------------------------------------------------- */

/* The wall clock jumps. */
void simulation_jump(struct simulation *s, int64_t by);
/* The process dies and starts again on what is on disk, `file` (removed first, and afterwards): claimed mails are recovered. Not with a place. */
int simulation_restart(struct simulation *s, const char *file, struct err *err) MUSTCHECK;
/* Another config, as after a reload; it has the same fields. A reference is kept, to the first one too. Not with a place. */
int simulation_reload(struct simulation *s, struct plan *plan, struct err *err) MUSTCHECK;

#endif
