/*
 * shape_keep.c: what a restart must know of the shape: whom we mail slower and until when, what is paused, how much of a day's budget has gone
 * (rounded up, so that it is written some fifty times a day), and up to when a group's places in time, and how many of a spread's, are given away
 * (rounded up, too): who has one finds it free. Counts by domain are summed in memory and written once a second. What a rollback undid is to be written again.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/mem.h"

#include "shape_parts.h"

#define MARK "shape"
#define FLUSH_MANY 256

/* --- counts ------------------------------------------------------------------------------------------------------- */

/* What was written, until that is committed. */
struct flushed {
	struct shape *shape;
	size_t count;
	struct {
		struct shape_count *at;
		struct domain_day sum;
	} rows[];
};

static void unflush(void *arg)
{
	struct flushed *f = arg;
	size_t i;

	for (i = 0; i < f->count; i++)
		shape_add_count(f->shape, f->rows[i].at, &f->rows[i].sum);
	f->shape->flush_at = clock_now();
	free(f);
}

static int flush(struct shape *s, struct db *db, struct err *err)
{
	struct flushed *f = xcalloc(1, sizeof(*f) + s->flush_count * sizeof(f->rows[0]));
	struct shape_count *c;

	f->shape = s;
	for (c = s->to_flush; c; c = c->next) {
		if (domain_days_add(db, &c->sum, err)) {
			free(f);
			return -1;
		}
		f->rows[f->count].at = c;
		f->rows[f->count++].sum = c->sum;
	}
	while ((c = s->to_flush)) {
		s->to_flush = c->next;
		c->queued = false;
	}
	s->flush_count = 0;
	s->flush_at = 0;
	db_on_undo(db, unflush, f);
	db_after_commit(db, free, f);
	return 0;
}

/* --- state -------------------------------------------------------------------------------------------------------- */

/* Takes more. */
static void add_members(json_t *json, json_t *more)
{
	json_object_update(json, more);
	json_decref(more);
}

static void put_group(struct shape_named *n, void *arg)
{
	const struct shape_group_state *g = (const struct shape_group_state *)n;
	const struct pace *p = &g->pace;
	json_t *json = json_object();

	if (p->slow_until && pace_interval(p, clock_now()) != p->interval)
		add_members(json, json_pack("{s:I, s:I, s:I}", "interval", (json_int_t)p->slow_interval, "until", (json_int_t)p->slow_until,
				"again", (json_int_t)p->again));
	if (g->noted[PACE_FIRST] > clock_now() || g->noted[PACE_OTHERS] > clock_now())
		add_members(json, json_pack("{s:[I, I]}", "given", (json_int_t)g->noted[PACE_FIRST], (json_int_t)g->noted[PACE_OTHERS]));
	if (json_object_size(json))
		json_object_set(arg, n->name, json);
	json_decref(json);
}

static json_t *rest_json(const struct shape_rest *r)
{
	return r->since ? json_pack("{s:b, s:I, s:I, s:I, s:o}", "refused", (int)r->refused, "since", (json_int_t)r->since, "until", (json_int_t)r->until, "span", (json_int_t)r->span,
			"why", answer_text(r->why)) : json_null();
}

static json_t *tally_json(const struct tally *t)
{
	return json_pack("[I, I, I, I, I, I]", (json_int_t)t->sent[0], (json_int_t)t->hard[0], (json_int_t)t->complaints[0], (json_int_t)t->sent[1],
			(json_int_t)t->hard[1], (json_int_t)t->complaints[1]);
}

static void put_flow(struct shape_named *n, void *arg)
{
	const struct shape_watched *w = (const struct shape_watched *)n;
	const struct shape_batch *b = &w->batch;
	json_t *json = json_object();

	if (w->rest.since)
		json_object_set_new(json, "rest", rest_json(&w->rest));
	if (b->noted && !shape_batch_is_over(b, clock_now()))
		json_object_set_new(json, "batch", json_pack("{s:I, s:I, s:I}", "at", (json_int_t)b->at, "span", (json_int_t)b->span,
				"given", (json_int_t)b->noted));
	if (json_object_size(json))
		json_object_set(arg, n->name, json);
	json_decref(json);
}

static void put_sender(struct shape_named *n, void *arg)
{
	const struct shape_sender_state *sender = (const struct shape_sender_state *)n;
	const struct budget *b = &sender->budget;

	if (!b->on && !sender->watched.rest.since)
		return;
	json_object_set_new(arg, n->name, json_pack("{s:o, s:o, s:I, s:I, s:I, s:b}", "rest", rest_json(&sender->watched.rest),
			"tally", tally_json(&sender->watched.tally), "day", (json_int_t)b->day, "passed", (json_int_t)(b->noted > b->passed ? b->noted : b->passed),
			"allowance", (json_int_t)b->allowance, "stepped", (int)b->stepped));
}

static void write_again(void *arg)
{
	((struct shape *)arg)->dirty = true;
}

int shape_keep(struct shape *s, struct db *db, bool all, struct err *err)
{
	json_t *groups, *flows, *senders;
	char *text;
	int rc;

	if (s->to_flush && (all || s->flush_count >= FLUSH_MANY || clock_now() >= s->flush_at) && flush(s, db, err))
		return -1;
	if (!s->dirty)
		return 0;
	groups = json_object();
	flows = json_object();
	senders = json_object();
	shape_each(&s->groups, put_group, groups);
	shape_each(&s->flows, put_flow, flows);
	shape_each(&s->senders, put_sender, senders);
	groups = json_pack("{s:o, s:o, s:o}", "groups", groups, "sequences", flows, "senders", senders);
	text = json_dumps(groups, JSON_COMPACT);
	json_decref(groups);
	if (!text)
		return err_set(err, "the state of the shape cannot be written");
	rc = settings_set(db, MARK, text, strlen(text), err);
	free(text);
	if (rc == 0) {
		s->dirty = false;
		db_on_undo(db, write_again, s);
	}
	return rc;
}

static int64_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void read_rest(const json_t *json, struct shape_rest *r)
{
	const char *why = json_string_value(json_object_get(json, "why"));

	if (!json_is_object(json))
		return;
	r->refused = json_is_true(json_object_get(json, "refused"));
	r->since = number(json, "since");
	r->until = number(json, "until");
	r->span = number(json, "span") > 0 ? number(json, "span") : US_MINUTE;
	snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
}

static void read_tally(const json_t *list, struct tally *t)
{
	int64_t *at[] = { &t->sent[0], &t->hard[0], &t->complaints[0], &t->sent[1], &t->hard[1], &t->complaints[1] };
	size_t i;

	for (i = 0; i < 6; i++)
		*at[i] = json_integer_value(json_array_get(list, i));
}

static void read_given(struct shape_group_state *g, const json_t *given)
{
	int row;

	for (row = 0; row < PACE_ROWS; row++) {
		g->noted[row] = json_integer_value(json_array_get(given, (size_t)row));
		pace_recall(&g->pace, (enum pace_row)row, g->noted[row]);
	}
}

/* Those of it that wait come now: it is not over while the daemon was down, unless all its places have passed. */
static void read_batch(const json_t *json, struct shape_batch *b)
{
	int64_t now = clock_now();

	*b = (struct shape_batch){ .at = number(json, "at"), .span = number(json, "span"), .last = now, .count = (uint32_t)number(json, "given") };
	b->noted = b->count;
	if (b->at > now || b->at + b->span <= now)
		*b = (struct shape_batch){ .at = 0 };
}

static void read_flow(const json_t *json, struct shape_watched *flow)
{
	read_rest(json_object_get(json, "rest"), &flow->rest);
	read_batch(json_object_get(json, "batch"), &flow->batch);
}

static void read_all(struct shape *s, json_t *json)
{
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(json, "groups"), name, v) {
		struct shape_group_state *g = shape_group_named(s, name);

		g->pace.slow_interval = number(v, "interval");
		g->pace.slow_until = number(v, "until");
		g->pace.again = number(v, "again");
		read_given(g, json_object_get(v, "given"));
	}
	json_object_foreach(json_object_get(json, "sequences"), name, v)
		read_flow(v, (struct shape_watched *)shape_named(&s->flows, name, sizeof(struct shape_watched)));
	json_object_foreach(json_object_get(json, "senders"), name, v) {
		struct shape_sender_state *sender = (struct shape_sender_state *)shape_named(&s->senders, name, sizeof(*sender));

		read_rest(json_object_get(v, "rest"), &sender->watched.rest);
		read_tally(json_object_get(v, "tally"), &sender->watched.tally);
		sender->budget.day = number(v, "day");
		sender->budget.passed = sender->budget.noted = number(v, "passed");
		sender->budget.used[PACE_OTHERS][0] = sender->budget.used[PACE_FIRST][0] = sender->budget.passed;
		sender->budget.allowance = number(v, "allowance");
		sender->budget.stepped = json_is_true(json_object_get(v, "stepped"));
	}
}

int shape_recall(struct shape *s, struct db *db, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct slice kept;
	int found = settings_get(db, MARK, arena, &kept, err);
	json_t *json = found == 1 ? json_loadb(kept.data, kept.len, 0, NULL) : NULL;

	read_all(s, json);
	json_decref(json);
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}
