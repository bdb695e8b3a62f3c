/*
 * shape_undo.c: what of the shape's counts goes when a job, or the transaction, is rolled back: it runs again, and would count its mails twice, and
 * find its places given away.
 * Changes lie in a row and are taken back from its end, as the store calls for each; what was committed is dropped with the next transaction.
 */
#include <stdlib.h>

#include "base/mem.h"

#include "shape_parts.h"

struct shape_change {
	enum { CHANGE_WATCHED, CHANGE_REST, CHANGE_PACE, CHANGE_PLACE, CHANGE_BATCH, CHANGE_BUDGET, CHANGE_COUNT } what;
	union {
		struct {
			struct shape_watched *at;
			struct tally tally;
			uint32_t ring, last, ring_count;
			int streak;
		} watched;
		struct {
			struct shape_watched *at;
			struct shape_rest *was;
		} rest;
		struct {
			struct shape_group_state *at;
			int64_t spent;
		} pace;
		struct {
			struct shape_group_state *at;
			enum pace_row row;
			struct pace_before before;
		} place;
		struct {
			struct shape_watched *at;
			struct shape_batch was;
		} batch;
		struct {
			struct shape_sender_state *at;
			struct shape_spent by;
		} budget;
		struct {
			struct shape_count *at;
			struct domain_day add;
		} count;
	};
};

static void back_watched(const struct shape_change *c)
{
	struct shape_watched *w = c->watched.at;

	w->tally = c->watched.tally;
	w->last = c->watched.last;
	w->streak = c->watched.streak;
	w->ring_count = c->watched.ring_count;
	w->ring[w->ring_count % RING] = c->watched.ring;
}

static void back_budget(const struct shape_change *c)
{
	const struct shape_spent *by = &c->budget.by;
	struct budget *b = &c->budget.at->budget;
	int64_t ahead = by->day - b->day;

	if (ahead >= 0 && ahead < BUDGET_DAYS)
		b->used[by->row][ahead] -= by->used;
	if (ahead == 0)
		b->passed -= by->passed;
}

static void back_count(struct shape *s, const struct shape_change *c)
{
	struct domain_day less = c->count.add;
	int v;

	less.sent = -less.sent;
	less.deferred = -less.deferred;
	less.hard = -less.hard;
	less.soft = -less.soft;
	less.complaint = -less.complaint;
	for (v = 0; v < VERDICTS; v++) {
		less.opens[v] = -less.opens[v];
		less.clicks[v] = -less.clicks[v];
	}
	shape_add_count(s, c->count.at, &less);
}

static void take_back(void *arg)
{
	struct shape *s = arg;
	struct shape_change *c = &s->changes[--s->change_count];

	switch (c->what) {
	case CHANGE_WATCHED:
		back_watched(c);
		break;
	case CHANGE_REST:
		c->rest.at->rest = *c->rest.was;
		free(c->rest.was);
		shape_note_paused(s);
		break;
	case CHANGE_PACE:
		c->pace.at->pace.spent = c->pace.spent;
		break;
	case CHANGE_PLACE:
		pace_give_back(&c->place.at->pace, c->place.row, &c->place.before);
		break;
	case CHANGE_BATCH:
		c->batch.at->batch = c->batch.was;
		break;
	case CHANGE_BUDGET:
		back_budget(c);
		break;
	case CHANGE_COUNT:
		back_count(s, c);
		break;
	}
}

void shape_forget_changes(struct shape *s)
{
	while (s->change_count) {
		struct shape_change *c = &s->changes[--s->change_count];

		if (c->what == CHANGE_REST)
			free(c->rest.was);
	}
}

static struct shape_change *add(struct shape *s, struct db *db, int what)
{
	if (s->transaction != db_transaction(db)) {
		shape_forget_changes(s);
		s->transaction = db_transaction(db);
	}
	s->changes = xgrow(s->changes, &s->change_cap, s->change_count + 1, sizeof(*s->changes));
	db_on_undo(db, take_back, s);
	s->changes[s->change_count].what = what;
	return &s->changes[s->change_count++];
}

void shape_save_watched(struct shape *s, struct db *db, struct shape_watched *w)
{
	struct shape_change *c = add(s, db, CHANGE_WATCHED);

	c->watched.at = w;
	c->watched.tally = w->tally;
	c->watched.last = w->last;
	c->watched.streak = w->streak;
	c->watched.ring_count = w->ring_count;
	c->watched.ring = w->ring[w->ring_count % RING];
}

void shape_save_rest(struct shape *s, struct db *db, struct shape_watched *w)
{
	struct shape_change *c = add(s, db, CHANGE_REST);

	c->rest.at = w;
	c->rest.was = xcalloc(1, sizeof(w->rest));
	*c->rest.was = w->rest;
}

void shape_save_pace(struct shape *s, struct db *db, struct shape_group_state *g)
{
	struct shape_change *c = add(s, db, CHANGE_PACE);

	c->pace.at = g;
	c->pace.spent = g->pace.spent;
}

void shape_save_place(struct shape *s, struct db *db, struct shape_group_state *g, enum pace_row row, int64_t at)
{
	struct shape_change *c = add(s, db, CHANGE_PLACE);

	c->place.at = g;
	c->place.row = row;
	c->place.before = pace_before(&g->pace, row, at);
}

void shape_save_batch(struct shape *s, struct db *db, struct shape_watched *flow)
{
	struct shape_change *c = add(s, db, CHANGE_BATCH);

	c->batch.at = flow;
	c->batch.was = flow->batch;
}

void shape_note_spent(struct shape *s, struct db *db, struct shape_sender_state *sender, const struct shape_spent *by)
{
	struct shape_change *c = add(s, db, CHANGE_BUDGET);

	c->budget.at = sender;
	c->budget.by = *by;
}

void shape_note_count(struct shape *s, struct db *db, struct shape_count *count, const struct domain_day *by)
{
	struct shape_change *c = add(s, db, CHANGE_COUNT);

	c->count.at = count;
	c->count.add = *by;
}

bool shape_has_changes(const struct shape *s)
{
	return s->change_count > 0;
}
