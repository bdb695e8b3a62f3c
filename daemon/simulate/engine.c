/*
 * engine.c: see simulate.h: a simulation's life, and time going from instant to instant.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"

#include "inside.h"

#define TIME_BATCH 256
#define LEADS_BATCH 100
/* Things that may be done within a second, and for each person: what goes on beyond that goes round. */
#define IN_A_SECOND 10000
#define IN_A_SECOND_EACH 100

/* --- jobs ----------------------------------------------------------------------------------------------------------------- */

struct job {
	struct store_job job;		/* first: cast back */
	struct simulation *s;
	int (*fn)(struct simulation *s, struct db *db, void *arg, struct err *err);
	void *arg;
};

void engine_tell(struct simulation *s, const struct thing *thing)
{
	struct thing t = *thing;

	t.at = s->now;
	if (s->options.tell)
		s->options.tell(s->options.ctx, &t);
}

static size_t indentation(const char *line)
{
	return strspn(line, " ");
}

/* Of what explains the hot rule, part by part, the innermost: the names and what they were. On one line. */
static const char *innermost(struct arena *arena, const char *explained)
{
	static const char later[] = " (at the earliest";	/* when that could change by itself */
	struct buf out = BUF_INIT;
	const char *line, *next, *kept;

	for (line = explained; *line; line = next) {
		size_t n = strcspn(line, "\n"), cut;
		const char *end = memmem(line, n, later, strlen(later));

		next = line[n] ? line + n + 1 : line + n;
		if (*next && indentation(next) > indentation(line))
			continue;
		cut = end ? (size_t)(end - line) : n;
		buf_str(&out, out.len ? ", " : "");
		buf_add(&out, line + indentation(line), cut - indentation(line));
	}
	kept = arena_strdup(arena, buf_cstr(&out));
	buf_clear(&out);
	return kept;
}

static void tell_lead(struct simulation *s, const struct lead *lead)
{
	uint32_t person = people_find(s, lead->prospect);

	engine_tell(s, &(struct thing){ .kind = THING_HOT, .person = person, .prospect = lead->prospect, .to = lead->owner,
			.why = innermost(s->arena, lead->reason) });
	habits_lead(s, person, lead->id);
	s->lead_at = lead->at;
	s->lead_id = lead->id;
}

static int look_for_leads(struct simulation *s, struct db *db, struct err *err)
{
	struct lead *leads;
	size_t count, i;

	if (leads_since(db, s->lead_at, s->lead_id, LEADS_BATCH, s->arena, &leads, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		tell_lead(s, &leads[i]);
	return 0;
}

/* In the first job: choices and ids are made by the thread that runs jobs. With a store of our own, ids began anew before it was opened. */
static void begin(struct simulation *s)
{
	random_seed(s->options.seed);
	if (!s->own_store)
		id_restart();
	s->begun = true;
}

/* Tells as it goes: a simulation whose job fails is over, so none is told twice. */
static int run_cb(struct store_job *job, struct db *db, struct err *err)
{
	struct job *j = (struct job *)job;

	if (!j->s->begun)
		begin(j->s);
	arena_reset(j->s->arena);
	if (j->fn(j->s, db, j->arg, err))
		return -1;
	if (j->s->watch && watch_look(j->s, db, err))
		return -1;
	return look_for_leads(j->s, db, err);
}

int engine_do(struct simulation *s, int (*fn)(struct simulation *s, struct db *db, void *arg, struct err *err), void *arg, struct err *err)
{
	struct job j = { .job = { .run = run_cb }, .s = s, .fn = fn, .arg = arg };
	enum store_result result = s->options.place ? s->options.place->run(s->options.place->ctx, &j.job, err) : store_run(s->store, &j.job, err);

	return result == STORE_COMMITTED ? 0 : -1;
}

struct own_job {
	int (*fn)(struct db *db, void *arg, struct err *err);
	void *arg;
};

static int run_own(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	struct own_job *j = arg;

	return j->fn(db, j->arg, err);
}

int simulation_do(struct simulation *s, int (*fn)(struct db *db, void *arg, struct err *err), void *arg, struct err *err)
{
	clock_set(s->now);
	return engine_do(s, run_own, &(struct own_job){ fn, arg }, err);
}

/* --- time ------------------------------------------------------------------------------------------------------------------ */

static int time_cb(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	return on_time(s->decide, db, TIME_BATCH, arg, err);
}

static int64_t next_instant(const struct simulation *s)
{
	int64_t next = agenda_next(&s->agenda), due;
	enum lane lane;

	for (lane = 0; lane < LANES; lane++) {
		due = queue_next_due(s->store, lane);
		if (due < next)
			next = due;
	}
	return next;
}

/* One thing that is due. */
static int step(struct simulation *s, struct err *err)
{
	struct entry entry;
	size_t done;

	if (queue_next_due(s->store, LANE_TIME) <= s->now)
		return engine_do(s, time_cb, &done, err);
	if (queue_next_mail(s->store) <= s->now)
		return post_claim(s, err);
	if (queue_next_due(s->store, LANE_ALERT) <= s->now)
		return post_alerts(s, err);
	entry = agenda_take(&s->agenda);
	return entry.act == ACT_POST ? post_deliver(s, &entry, err) : deeds_do(s, &entry, err);
}

static int goes_round(const struct simulation *s, struct err *err)
{
	struct buf when = BUF_INIT;

	text_time(&when, s->now);
	err_set(err, "at %s it goes round: something is due again and again, and time does not pass", buf_cstr(&when));
	buf_clear(&when);
	return -1;
}

int simulation_run(struct simulation *s, int64_t until, struct err *err)
{
	int64_t next, second = s->now;
	uint64_t steps = 0;

	clock_set(s->now);
	while ((next = next_instant(s)) <= until) {
		if (next > s->now) {
			s->now = next;
			clock_set(next);
		}
		if (next >= second + US_SECOND) {
			second = next;
			steps = 0;
		}
		if (++steps > IN_A_SECOND + IN_A_SECOND_EACH * (uint64_t)s->count)
			return goes_round(s, err);
		if (step(s, err))
			return -1;
	}
	if (until > s->now)
		s->now = until;
	clock_set(s->now);
	return 0;
}

int64_t simulation_now(const struct simulation *s)
{
	return s->now;
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int open_own(struct simulation *s, const char *copy_of, struct err *err)
{
	/* links lead nowhere: any key will do */
	static const uint8_t key[1][TOKEN_SECRET] = { { 0 } }, number[1] = { 0 };

	if (!s->ring)
		s->ring = token_ring_new(key, number, 1);
	if (store_open_memory(copy_of, &s->own_store, err))
		return -1;
	s->store = s->own_store;
	return decide_open(s->store, s->plan, s->ring, &s->decide, err);
}

static void close_own(struct simulation *s)
{
	if (!s->own_store)
		return;
	store_stop(&s->own_store);
	decide_stop(&s->decide);
	s->store = NULL;
}

int simulation_new(const struct simulation_options *options, struct simulation **out, struct err *err)
{
	struct simulation *s = xcalloc(1, sizeof(*s));
	size_t i;

	s->options = *options;
	s->plan = plan_ref(options->plan);
	s->now = options->start;
	s->lead_at = options->start - 1;
	s->arena = arena_new(64 * 1024);
	s->render = render_new(s->plan);
	s->watch = options->watch ? watch_new() : NULL;
	for (i = 0; options->personas && i < options->personas->count; i++)
		s->shares += options->personas->all[i]->share;
	clock_set(s->now);
	random_seed(options->seed);
	id_restart();
	if (options->place) {
		s->store = options->place->store;
		s->decide = options->place->decide;
	} else if (open_own(s, options->database, err)) {
		simulation_free(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void simulation_free(struct simulation **simulation)
{
	struct simulation *s = *simulation;
	size_t i;

	if (!s)
		return;
	agenda_drop(&s->agenda, ACT_POST, post_drop);
	close_own(s);
	watch_free(&s->watch);
	render_free(&s->render);
	agenda_clear(&s->agenda);
	people_clear(s);
	arena_free(&s->arena);
	token_ring_free(&s->ring);
	plan_unref(&s->plan);
	for (i = 0; i < s->plan_count; i++)
		plan_unref(&s->plans[i]);
	free(s->plans);
	free(s);
	*simulation = NULL;
	clock_set(0);
}

/* --- faults ---------------------------------------------------------------------------------------------------------------- */

void simulation_jump(struct simulation *s, int64_t by)
{
	s->now += by;
	clock_set(s->now);
}

static int save_cb(struct db *db, void *arg, struct err *err)
{
	return db_save(db, arg, err);
}

int simulation_restart(struct simulation *s, const char *file, struct err *err)
{
	int rc;

	unlink(file);
	if (simulation_do(s, save_cb, (void *)(uintptr_t)file, err))
		return -1;
	/* what the process had in hand dies with it */
	agenda_drop(&s->agenda, ACT_POST, post_drop);
	close_own(s);
	rc = open_own(s, file, err);
	unlink(file);
	return rc;
}

int simulation_reload(struct simulation *s, struct plan *plan, struct err *err)
{
	clock_set(s->now);
	if (decide_reload(s->decide, plan, err))
		return -1;
	/* names of mails in the agenda are of the plans that sent them */
	s->plans = xgrow(s->plans, &s->plan_cap, s->plan_count + 1, sizeof(*s->plans));
	s->plans[s->plan_count++] = s->plan;
	s->plan = plan_ref(plan);
	render_free(&s->render);
	s->render = render_new(plan);
	return 0;
}
