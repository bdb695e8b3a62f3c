/*
 * shape_parts.h: what shape.c and shape_keep.c share: the state as it lies in memory.
 */
#ifndef DECIDE_SHAPE_PARTS_H
#define DECIDE_SHAPE_PARTS_H

#include "budget.h"
#include "pace.h"
#include "shape.h"

#define SHAPE_SLOTS 4096
#define GROUPS_MOST 50000		/* then those of which nothing is known are dropped */
#define RING 50
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
void shape_each(const struct shape_table *t, void (*fn)(struct shape_named *n, void *arg), void *arg);

struct shape_domain {
	struct shape_named named;
	const char *group;
};

struct shape_group_state {
	struct shape_named named;
	bool provider;			/* a large one, or configured */
	struct pace pace;
};

struct shape_rest {
	int64_t since, until;		/* 0: it is not paused */
	int64_t span;
	int64_t probe;			/* since when one mail tries it */
	char why[160];
};

/* A sequence, or the head of a sender's domain. */
struct shape_watched {
	struct shape_named named;
	struct shape_rest rest;
	uint32_t ring[RING], last;	/* reasons of the latest mails; 0: it went out */
	int streak;
	uint32_t ring_count;
	struct tally tally;
	int64_t batch_at;		/* of a spread */
	uint32_t batch_count;
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

struct shape {
	struct shape_config config;
	struct quiet quiet;
	struct arena *arena;		/* of the config */
	struct shape_table groups, domains, senders, flows, counts;
	struct shape_count *to_flush;
	size_t flush_count;
	int64_t flush_at;
	bool dirty;
};

/* NULL: a domain of nobody's, without a limit. */
struct shape_group_state *shape_group_of(struct shape *s, const char *domain);
struct shape_group_state *shape_group_named(struct shape *s, const char *name);
/* What a domain, as it is registered, belongs to: a provider's group, or its own. */
const char *shape_group_name(struct shape *s, const char *domain, bool *provider);
const struct shape_group *shape_configured(const struct shape *s, const char *name);

#endif
