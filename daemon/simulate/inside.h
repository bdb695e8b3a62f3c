/*
 * inside.h: what the files of simulate know of each other: the simulation, its people and what they mean to do.
 */
#ifndef SIMULATE_INSIDE_H
#define SIMULATE_INSIDE_H

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "simulate/simulate.h"
#include "store/rows.h"

#define MAIL_TAKES US_SECOND	/* from the claim to the relay's answer */

/* --- agenda.c: what is to happen at its time, earliest first; at one instant in the order of planning ------------------ */

enum act {
	ACT_COME, ACT_BEGIN, ACT_ENROLL, ACT_CONFIRM, ACT_POST, ACT_OPEN, ACT_CLICK, ACT_REPLY, ACT_AWAY, ACT_UNSUBSCRIBE, ACT_COMPLAIN, ACT_SOFT_BOUNCE,
	ACT_VISIT, ACT_DO, ACT_PREFER, ACT_SALES
};

struct entry {
	int64_t at;
	uint64_t order;
	enum act act;
	uint32_t person;
	int64_t ref;			/* delivery, consent or lead */
	const struct habit *habit;
	const char *mail;		/* what steps call it; the plan's */
	struct mail_batch *batch;	/* ACT_POST */
};

struct agenda {
	struct entry *heap;
	size_t count, cap;
	uint64_t order;
};

void agenda_clear(struct agenda *a);
void agenda_add(struct agenda *a, const struct entry *entry);	/* its order is set here */
int64_t agenda_next(const struct agenda *a);			/* TIME_NEVER: nothing */
struct entry agenda_take(struct agenda *a);
/* Takes out those of one kind; `fn` (may be NULL) gets each. */
void agenda_drop(struct agenda *a, enum act act, void (*fn)(struct entry *entry));

/* --- the simulation ----------------------------------------------------------------------------------------------------- */

struct someone {
	const struct persona *persona;	/* NULL: does nothing */
	char *address;			/* NULL: the persona's, or they were there before */
	const char *sequence;		/* to be entered by hand */
	int64_t prospect;		/* 0: not there yet */
	int64_t came;
	uint32_t mails;			/* of sequences, that reached them */
	uint32_t any_mails;
	bool begun;			/* the event of the start has been planned */
};

struct simulation {
	struct simulation_options options;
	struct plan *plan;
	struct plan **plans;		/* that were in force before */
	size_t plan_count, plan_cap;
	struct token_ring *ring;
	struct store *own_store;	/* in memory; else the place's */
	struct store *store;
	struct decide *decide;
	int64_t now;
	bool begun;			/* a job has been run */
	struct agenda agenda;
	struct someone *people;
	size_t count, cap;
	struct by_prospect *index;	/* of people */
	int64_t shares;			/* of options.personas, all together */
	struct arena *arena;		/* of the job at hand */
	struct render *render;
	struct watch *watch;		/* NULL: nobody looks */
	int64_t lead_at, lead_id;	/* the newest lead that has been seen */
	uint64_t replies;		/* so far, to tell mails apart */
};

/* Runs fn in one transaction; then, still in it, what that led to is looked at. */
int engine_do(struct simulation *s, int (*fn)(struct simulation *s, struct db *db, void *arg, struct err *err), void *arg, struct err *err) MUSTCHECK;
void engine_tell(struct simulation *s, const struct thing *thing);	/* `at` is set here */

/* --- people.c ------------------------------------------------------------------------------------------------------------ */

/* The person's number; one who was there before gets theirs when first met. */
uint32_t people_find(struct simulation *s, int64_t prospect);
void people_known(struct simulation *s, uint32_t person, int64_t prospect);
void people_clear(struct simulation *s);

/* [0, 1): always the same for the seed, the person, the n-th mail and what it is for. */
double people_chance(const struct simulation *s, uint32_t person, uint32_t nth, unsigned what);

/* --- habits.c: what a persona means to do, when something happens ---------------------------------------------------------- */

void habits_come(struct simulation *s, uint32_t person);
void habits_mail(struct simulation *s, uint32_t person, const char *mail, int64_t delivery, bool of_sequence);
void habits_lead(struct simulation *s, uint32_t person, int64_t lead);
void habits_confirm(struct simulation *s, uint32_t person, int64_t consent);
/* Will this mail, their next, be refused for good? */
bool habits_bounces(const struct simulation *s, uint32_t person, const char *mail);
int64_t habits_date(const struct simulation *s, const struct someone *who, const struct persona_date *date, int minute);

/* --- deeds.c: doing it: entries of the agenda as facts --------------------------------------------------------------------- */

int deeds_do(struct simulation *s, const struct entry *entry, struct err *err) MUSTCHECK;

/* --- post.c: claims and what becomes of them ------------------------------------------------------------------------------- */

int post_claim(struct simulation *s, struct err *err) MUSTCHECK;
int post_alerts(struct simulation *s, struct err *err) MUSTCHECK;
int post_deliver(struct simulation *s, const struct entry *entry, struct err *err) MUSTCHECK;
void post_drop(struct entry *entry);

/* --- render.c: a mail as send would make it -------------------------------------------------------------------------------- */

struct render *render_new(struct plan *plan);
void render_free(struct render **render);
/* The subject is valid until the next call. DONE, or why not in err. */
enum template_result render_mail(struct render *r, const struct mail *mail, int64_t now, const char **subject, struct err *err);

/* --- watch.c: what decide did with the people ------------------------------------------------------------------------------- */

struct watch *watch_new(void);
void watch_free(struct watch **watch);
/* Reads the rows of everybody who is there, and tells what is new. In the transaction that made it so. */
int watch_look(struct simulation *s, struct db *db, struct err *err) MUSTCHECK;

#endif
