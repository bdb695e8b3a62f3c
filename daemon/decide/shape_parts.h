/*
 * shape_parts.h: what the files of the shape share: the state as it lies in memory.
 */
#ifndef DECIDE_SHAPE_PARTS_H
#define DECIDE_SHAPE_PARTS_H

#include "budget.h"
#include "pace.h"
#include "shape.h"

#define SHAPE_SLOTS 4096
#define GROUPS_MOST 50000		/* then those of which nothing is known are dropped */
#define RING 50
#define MX_WANTED 256			/* domains that are still to be asked for */
#define SHAPE_PLACED "throttle "	/* how the reason begins of a mail that has its place */

/* Members of a hash table by name; first in what is kept there. */
struct shape_named {
	char *name;
	struct shape_named *next;
};

struct shape_table {
	struct shape_named *slots[SHAPE_SLOTS];
	size_t count;
};

struct shape_named *shape_find(const struct shape_table *t, const char *name);
struct shape_named *shape_named(struct shape_table *t, const char *name, size_t size);
void shape_each(const struct shape_table *t, void (*fn)(struct shape_named *n, void *arg), void *arg);	/* fn may free it */
void shape_take_out(struct shape_table *t, struct shape_named *n);	/* the caller's to free */
void shape_free_named(struct shape_named *n, void *arg);
void shape_clear_table(struct shape_table *t, void (*fn)(struct shape_named *n, void *arg));	/* fn frees each */

struct shape_domain {
	struct shape_named named;
	const char *group;
};

struct shape_group_state {
	struct shape_named named;
	bool provider;			/* a large one, or configured */
	struct pace pace;
	int64_t noted[PACE_ROWS];	/* places up to then are known to be given away, whatever happens */
};

struct shape_rest {
	int64_t since, until;		/* 0: it is not paused */
	int64_t span;
	bool refused;			/* a sender: by the relay, so that no config lets it go */
	int64_t probe;			/* since when one mail tries it */
	char why[160];
};

/* Mails of a sequence that fall due together. */
struct shape_batch {
	int64_t at, span;		/* its first, and over how long it is spread */
	int64_t last;			/* when one asked for a place */
	uint32_t count;			/* places that were given */
	uint32_t noted;			/* so many are known to be given away, whatever happens; 0: it is small */
};

/* Is it over? For that long nobody came. */
bool shape_batch_is_over(const struct shape_batch *b, int64_t now);

/* A sequence, or the head of a sender's domain. */
struct shape_watched {
	struct shape_named named;
	struct shape_rest rest;
	uint32_t ring[RING], last;	/* reasons of the latest mails; 0: it went out */
	int streak;
	uint32_t ring_count;
	struct tally tally;
	struct shape_batch batch;	/* of a spread */
};

struct shape_sender_state {
	struct shape_watched watched;
	struct budget budget;
};

struct shape_count {
	struct shape_named named;
	struct domain_day sum;
	bool queued;
	struct shape_count *next;
};

struct mx_rule {
	const char *suffix;		/* of a host */
	const char *group;
};

struct shape {
	struct shape_config config;
	struct quiet quiet;
	struct arena *arena;		/* of the config */
	struct shape_table groups, domains, senders, flows, counts;
	struct shape_count *to_flush;
	size_t flush_count;
	int64_t flush_at;
	bool dirty;

	/* shape_undo.c's */
	struct shape_change *changes;	/* of the latest transaction that made some */
	size_t change_count, change_cap;
	uint64_t transaction;

	/* shape_mx.c's */
	const struct mx_rule *mx_rules;	/* the arena's */
	size_t mx_rule_count;
	uint64_t mx_hash;		/* of the rules */
	struct mx_slot *mx_slots;
	char *wanted[MX_WANTED];
	size_t wanted_count;
	void (*on_wanted)(void *arg);	/* NULL: nobody asks DNS */
	void *on_wanted_arg;
};

/* Before each is changed, or with what was added: should it be rolled back. */
struct shape_spent {
	enum pace_row row;
	int64_t day, used, passed;
};

void shape_save_watched(struct shape *s, struct db *db, struct shape_watched *w);	/* all but its rest, and one mail's place in the ring */
void shape_save_rest(struct shape *s, struct db *db, struct shape_watched *w);
void shape_save_pace(struct shape *s, struct db *db, struct shape_group_state *g);
void shape_save_place(struct shape *s, struct db *db, struct shape_group_state *g, enum pace_row row, int64_t at);
void shape_save_batch(struct shape *s, struct db *db, struct shape_watched *flow);
void shape_note_spent(struct shape *s, struct db *db, struct shape_sender_state *sender, const struct shape_spent *by);
void shape_note_count(struct shape *s, struct db *db, struct shape_count *count, const struct domain_day *by);
bool shape_has_changes(const struct shape *s);
void shape_forget_changes(struct shape *s);
void shape_note_paused(struct shape *s);	/* something was, or goes on */

/* To what of that domain waits to be written. */
void shape_add_count(struct shape *s, struct shape_count *c, const struct domain_day *add);
/* Is it a domain of its own, which DNS has to tell where it belongs? */
bool shape_has_mx(struct shape *s, const char *domain);
/* By its MX; NULL: its own, or not known. */
const char *shape_mx_group(const struct shape *s, const char *domain);
void shape_learn(struct shape *s, const struct mx_host *h);
void shape_use_mx(struct shape *s);	/* the rules of the config at hand */
void shape_clear_mx(struct shape *s);
/* On the loop after a commit: there is something for shape_take_wanted(). Before the first job. */
void shape_on_wanted(struct shape *s, void (*fn)(void *arg), void *arg);
/* What DNS is to be asked; the caller's to free. */
size_t shape_take_wanted(struct shape *s, char *out[MX_WANTED]);

/* NULL: a domain of nobody's, without a limit. */
struct shape_group_state *shape_group_of(struct shape *s, const char *domain);
struct shape_group_state *shape_group_named(struct shape *s, const char *name);
/* What a domain, as it is registered, belongs to: a provider's group, or its own. */
const char *shape_group_name(struct shape *s, const char *domain, bool *provider);
void shape_use_groups(struct shape *s);		/* of the config at hand */
void shape_clear_groups(struct shape *s);
const struct shape_group *shape_configured(const struct shape *s, const char *name);

#endif
