/*
 * outlook.c: see outlook.h.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/answer.h"
#include "base/clock.h"
#include "config/difference.h"
#include "config/words.h"
#include "decide/outlook.h"

#include "decide.h"
#include "person.h"

#define PAGE 200

/* Enrolments that share all that decides what becomes of them. */
struct group {
	const char *sequence, *version, *step;
	enum enrolment_state state;
	int64_t count;
};

/* People who would go from one place to another. */
struct move {
	const char *kind, *from, *to;
	int64_t count;
};

struct outlook {
	struct plan *now, *next;
	struct arena *arena;		/* of what is found */
	struct arena *scratch;		/* of one person */
	const struct difference *differences;
	size_t difference_count;
	bool rules_differ;		/* those that decide where people are */

	int64_t most;			/* people who are evaluated, at most */
	int64_t all;			/* people in the database; -1: not yet counted */
	int every;			/* one bucket in so many is looked at */
	int bucket;			/* the next; BUCKETS: complete */
	int64_t after;			/* the last person of it */
	int64_t looked_at;

	struct group *groups;
	size_t group_count, group_cap;
	struct move *moves;
	size_t move_count, move_cap;
};

/* Points for interest are granted when something happens, and stay: what a rule will give from now on moves nobody. */
static bool places_people(const struct difference *d)
{
	static const char *const kinds[] = { "field", "stage", "list", "score", "fit rule", "sales" };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(d->kind, kinds[i]) == 0)
			return true;
	return false;
}

struct outlook *outlook_new(struct plan *now, struct plan *next, int64_t most)
{
	struct outlook *o = xcalloc(1, sizeof(*o));
	size_t i;

	o->now = plan_ref(now);
	o->next = plan_ref(next);
	o->arena = arena_new(0);
	o->scratch = arena_new(0);
	o->most = most;
	o->all = -1;
	o->every = 1;
	o->difference_count = plan_compare(now, next, o->arena, &o->differences);
	for (i = 0; i < o->difference_count; i++)
		o->rules_differ = o->rules_differ || places_people(&o->differences[i]);
	return o;
}

void outlook_free(struct outlook **outlook)
{
	struct outlook *o = *outlook;

	if (!o)
		return;
	plan_unref(&o->now);
	plan_unref(&o->next);
	arena_free(&o->arena);
	arena_free(&o->scratch);
	free(o->groups);
	free(o->moves);
	free(o);
	*outlook = NULL;
}

/* --- counting enrolments ------------------------------------------------------------------------------------------- */

static bool is_like(const struct group *g, const struct enrolment *e)
{
	return g->state == e->state && strcmp(g->sequence, e->sequence) == 0 && strcmp(g->version, e->version) == 0 && strcmp(g->step, e->step) == 0;
}

static void count_enrolments(void *ctx, const struct enrolment *like, int64_t count)
{
	struct outlook *o = ctx;
	size_t i;

	for (i = 0; i < o->group_count; i++) {
		if (is_like(&o->groups[i], like)) {
			o->groups[i].count += count;
			return;
		}
	}
	o->groups = xgrow(o->groups, &o->group_cap, o->group_count + 1, sizeof(*o->groups));
	o->groups[o->group_count++] = (struct group){
		.sequence = arena_strdup(o->arena, like->sequence), .version = arena_strdup(o->arena, like->version),
		.step = arena_strdup(o->arena, like->step), .state = like->state, .count = count,
	};
}

/* --- evaluating people --------------------------------------------------------------------------------------------- */

static void count_move(struct outlook *o, const char *kind, const char *from, const char *to)
{
	size_t i;

	if (strcmp(from, to) == 0)
		return;
	for (i = 0; i < o->move_count; i++) {
		struct move *m = &o->moves[i];

		if (strcmp(m->kind, kind) == 0 && strcmp(m->from, from) == 0 && strcmp(m->to, to) == 0) {
			m->count++;
			return;
		}
	}
	o->moves = xgrow(o->moves, &o->move_cap, o->move_count + 1, sizeof(*o->moves));
	o->moves[o->move_count++] = (struct move){ .kind = kind, .from = arena_strdup(o->arena, from), .to = arena_strdup(o->arena, to), .count = 1 };
}

static const char *hot_word(const struct person *p)
{
	return p->row.hot ? "hot" : "not hot";
}

/* Under both plans, so that what is late to be noticed under the one in force is not counted as a change. */
static int evaluate(struct outlook *o, struct db *db, int64_t id, struct err *err)
{
	struct prospect row;
	struct person was, is;
	int64_t now = clock_now();
	int found;

	arena_reset(o->scratch);
	found = prospects_find(db, id, o->scratch, &row, err);
	if (found <= 0)
		return found;
	person_look(o->now, db, o->scratch, &row, now, &was);
	person_look(o->next, db, o->scratch, &row, now, &is);
	if (person_foresee(&was, err) || person_foresee(&is, err))
		return -1;
	count_move(o, "stage", was.row.stage, is.row.stage);
	count_move(o, "list", was.row.list, is.row.list);
	count_move(o, "hot", hot_word(&was), hot_word(&is));
	o->looked_at++;
	return 0;
}

/* The next some people of the bucket; *more: there may be others in it. */
static int evaluate_page(struct outlook *o, struct db *db, bool *more, struct err *err)
{
	struct arena *arena = arena_new(0);
	int64_t *ids;
	size_t count = 0, i;
	int rc = prospects_page(db, (uint16_t)o->bucket, o->after, PAGE, arena, &ids, &count, err);

	for (i = 0; rc == 0 && i < count; i++) {
		o->after = ids[i];
		rc = evaluate(o, db, ids[i], err);
	}
	arena_free(&arena);
	*more = count == PAGE;
	return rc;
}

/* --- going on ------------------------------------------------------------------------------------------------------ */

static int begin(struct outlook *o, struct db *db, struct err *err)
{
	if (prospects_count(db, &o->all, err))
		return -1;
	o->every = o->all <= o->most ? 1 : (int)((o->all + o->most - 1) / o->most);
	if (o->every > BUCKETS)
		o->every = BUCKETS;
	return 0;
}

/* One bucket, or some of its people. */
static int one_part(struct outlook *o, struct db *db, struct err *err)
{
	bool more = false;

	if (!o->after && enrolments_at_steps(db, (uint16_t)o->bucket, count_enrolments, o, err))
		return -1;
	if (o->rules_differ && o->bucket % o->every == 0 && evaluate_page(o, db, &more, err))
		return -1;
	if (more)
		return 0;
	o->after = 0;
	o->bucket++;
	return 0;
}

int outlook_go_on(struct outlook *o, struct db *db, int64_t us, struct err *err)
{
	int64_t end = clock_steady() + us;

	if (o->all < 0 && begin(o, db, err))
		return -1;
	while (o->bucket < BUCKETS && clock_steady() < end)
		if (one_part(o, db, err))
			return -1;
	return o->bucket < BUCKETS;
}

/* --- as JSON: differences ------------------------------------------------------------------------------------------ */

static json_t *text_or_null(const char *s)
{
	return s ? answer_text(s) : json_null();
}

static json_t *aspect_json(const void *row)
{
	const struct difference_aspect *a = row;

	return json_pack("{s:o, s:o, s:o}", "what", answer_text(a->name), "was", text_or_null(a->was), "is", text_or_null(a->is));
}

static json_t *difference_json(const void *row)
{
	const struct difference *d = row;

	return json_pack("{s:o, s:o, s:s, s:o}",
		"kind", answer_text(d->kind),
		"name", answer_text(d->name),
		"change", difference_words[d->change],
		"details", answer_rows(d->aspects, d->count, sizeof(*d->aspects), aspect_json));
}

/* --- as JSON: people under way ------------------------------------------------------------------------------------- */

static bool is_at(const struct group *g, const char *version)
{
	return strcmp(g->version, version) == 0;
}

/*
 * What becomes of a group when the next plan comes into force; *to: at which step they go on. NULL: nothing changes for it. Who entered before versions were
 * kept goes by the names of steps.
 */
static const char *fate_of(const struct outlook *o, const struct group *g, const char **to)
{
	const struct sequence *was = plan_sequence(o->now, g->sequence), *s = plan_sequence(o->next, g->sequence);
	int place;

	*to = "";
	if (!s)
		return "end";
	if (is_at(g, s->version) || (!*g->version && was && strcmp(was->version, s->version) == 0))
		return NULL;
	if (g->state == ENROLMENT_WATCHED)
		return NULL;
	if (*g->version && s->on_change == CHANGE_FINISH)
		return "finish";
	if (*g->version && s->on_change == CHANGE_RESTART) {
		*to = s->steps[0].name;
		return "restart";
	}
	place = version_place(s, g->step);
	if (place < 0 || place >= s->step_count)
		return "end";
	*to = s->steps[place].name;
	return strcmp(*to, g->step) == 0 ? "go on" : "go to";
}

/* Of one sequence: each group that something becomes of. */
static json_t *people_json(const struct outlook *o, const char *sequence)
{
	static const char *const states[] = {
		[ENROLMENT_ACTIVE] = "active", [ENROLMENT_PAUSED] = "paused", [ENROLMENT_ENDED] = "ended", [ENROLMENT_WATCHED] = "watched",
	};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < o->group_count; i++) {
		const struct group *g = &o->groups[i];
		const char *to, *fate = strcmp(g->sequence, sequence) == 0 ? fate_of(o, g, &to) : NULL;

		if (fate)
			json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:I, s:s, s:o}",
				"step", answer_text(g->step),
				"state", states[g->state],
				"version", answer_text(g->version),
				"count", (json_int_t)g->count,
				"fate", fate,
				"to", answer_text(to)));
	}
	return list;
}

static json_t *sequence_json(const struct outlook *o, const char *name, const char *change)
{
	const struct sequence *was = plan_sequence(o->now, name), *is = plan_sequence(o->next, name);

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}",
		"sequence", answer_text(name),
		"change", change,
		"version_was", text_or_null(was ? was->version : NULL),
		"version_is", text_or_null(is ? is->version : NULL),
		"on_change", text_or_null(is ? words_on_change[is->on_change] : NULL),
		"people", people_json(o, name));
}

static bool named(json_t *list, const char *sequence)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "sequence")), sequence) == 0)
			return true;
	return false;
}

/* Those that have changed, and those in which somebody goes through a version that is not the next one. */
static json_t *sequences_json(const struct outlook *o)
{
	json_t *list = json_array();
	const char *to;
	size_t i;

	for (i = 0; i < o->difference_count; i++)
		if (strcmp(o->differences[i].kind, "sequence") == 0)
			json_array_append_new(list, sequence_json(o, o->differences[i].name, difference_words[o->differences[i].change]));
	for (i = 0; i < o->group_count; i++)
		if (fate_of(o, &o->groups[i], &to) && !named(list, o->groups[i].sequence))
			json_array_append_new(list, sequence_json(o, o->groups[i].sequence, "as it was"));
	return list;
}

/* --- as JSON: places ----------------------------------------------------------------------------------------------- */

/* As many as there would be if all had been looked at. */
static int64_t scaled(const struct outlook *o, int64_t count)
{
	return o->every == 1 || !o->looked_at ? count : (int64_t)((double)count * (double)o->all / (double)o->looked_at + 0.5);
}

static json_t *moves_json(const struct outlook *o, const char *kind)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < o->move_count; i++) {
		const struct move *m = &o->moves[i];

		if (strcmp(m->kind, kind) == 0)
			json_array_append_new(list, json_pack("{s:o, s:o, s:I}",
				"from", answer_text(m->from),
				"to", answer_text(m->to),
				"count", (json_int_t)scaled(o, m->count)));
	}
	return list;
}

json_t *outlook_json(const struct outlook *o)
{
	const char *restart = plan_needs_restart(o->now, o->next);

	return json_pack("{s:b, s:o, s:o, s:o, s:o}",
		"changed", o->difference_count > 0,
		"needs_restart", text_or_null(restart),
		"differences", answer_rows(o->differences, o->difference_count, sizeof(*o->differences), difference_json),
		"sequences", sequences_json(o),
		"people", json_pack("{s:I, s:I, s:b, s:o, s:o, s:o}",
			"all", (json_int_t)o->all,
			"looked_at", (json_int_t)(o->rules_differ ? o->looked_at : o->all),
			"sample", o->every > 1 && o->rules_differ,
			"stage", moves_json(o, "stage"),
			"list", moves_json(o, "list"),
			"hot", moves_json(o, "hot")));
}
