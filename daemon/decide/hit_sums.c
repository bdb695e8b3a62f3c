/*
 * hit_sums.c: how many mails were opened and clicked, added up over a job.
 *
 * A campaign's hits are of few mails, by kind and verdict; a row of hit_day a hit was a seventh of what a hit costs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "decide.h"

struct hit_sums {
	bool open;
	struct arena *arena;		/* of their texts */
	struct hit_sum *list;
	size_t count, cap;
};

void hit_sums_begin(struct decide *d)
{
	if (!d->hit_sums) {
		d->hit_sums = xcalloc(1, sizeof(*d->hit_sums));
		d->hit_sums->arena = arena_new(0);
	}
	d->hit_sums->open = true;
	d->hit_sums->count = 0;
	arena_reset(d->hit_sums->arena);
}

static bool is_same(const struct hit_sum *a, const struct hit_sum *b)
{
	return a->kind == b->kind && a->verdict == b->verdict && a->day == b->day && strcmp(a->sequence, b->sequence) == 0 && strcmp(a->step, b->step) == 0 &&
	       strcmp(a->template, b->template) == 0;
}

int hit_sums_add(struct decide *d, struct db *db, const struct hit_sum *sum, struct err *err)
{
	struct hit_sums *s = d ? d->hit_sums : NULL;
	struct hit_sum *new;
	size_t i;

	if (!s || !s->open)
		return hit_days_add(db, sum, err);
	for (i = 0; i < s->count; i++) {
		if (!is_same(&s->list[i], sum))
			continue;
		s->list[i].mails += sum->mails;
		return 0;
	}
	s->list = xgrow(s->list, &s->cap, s->count + 1, sizeof(*s->list));
	new = &s->list[s->count++];
	*new = *sum;
	new->sequence = arena_strdup(s->arena, sum->sequence);
	new->step = arena_strdup(s->arena, sum->step);
	new->template = arena_strdup(s->arena, sum->template);
	return 0;
}

int hit_sums_end(struct decide *d, struct db *db, int rc, struct err *err)
{
	struct hit_sums *s = d->hit_sums;
	size_t i;

	s->open = false;
	for (i = 0; rc == 0 && i < s->count; i++)
		if (s->list[i].mails)
			rc = hit_days_add(db, &s->list[i], err);
	return rc;
}

void hit_sums_free(struct hit_sums **sums)
{
	if (!*sums)
		return;
	arena_free(&(*sums)->arena);
	free((*sums)->list);
	free(*sums);
	*sums = NULL;
}
