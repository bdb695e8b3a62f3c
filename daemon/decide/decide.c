/*
 * decide.c: the part as a whole: which plan is in force, when each lane is next due, and what a crashed process left behind.
 *
 * Timers follow queue_next_due(), which is memory: an idle daemon runs no statement. The wall clock may jump, so a timer
 * is never set further ahead than a minute.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#include "decide.h"
#include "hand.h"
#include "person.h"
#include "shape.h"

#define LOOK_AGAIN US_MINUTE
#define TIME_BATCH 256
#define RECOVER_BATCH 500

struct arena *decide_arena(struct decide *d)
{
	arena_reset(d->arena);
	return d->arena;
}

struct plan *decide_plan(struct decide *d)
{
	return d->plan;
}

struct store *decide_store(struct decide *d)
{
	return d->store;
}

const struct token_ring *decide_ring(struct decide *d)
{
	return d->ring;
}

void decide_add_key(struct decide *d, const uint8_t secret[TOKEN_SECRET], uint8_t id, int64_t since)
{
	token_ring_add(d->ring, secret, id, since);
}

/* --- what is due -------------------------------------------------------------------------------------------------- */

/* Both lanes of mails have one timer and one listener. */
static int64_t next_due(struct decide *d, enum lane lane)
{
	return lane == LANE_SEND ? queue_next_mail(d->store) : queue_next_due(d->store, lane);
}

static void arm(struct decide *d, enum lane lane)
{
	int64_t due = next_due(d, lane), now = clock_now(), after;

	if (d->stopping)
		return;
	after = due <= now ? 0 : due - now;
	timer_set(d->timer[lane], after < LOOK_AGAIN ? after : LOOK_AGAIN);
}

struct time_job {
	struct store_job job;
	struct decide *d;
	size_t done;
};

static int run_time(struct store_job *job, struct db *db, struct err *err)
{
	struct time_job *t = (struct time_job *)job;

	return on_time(t->d, db, TIME_BATCH, &t->done, err);
}

static void time_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct time_job *t = (struct time_job *)job;
	struct decide *d = t->d;

	d->running = false;
	if (result != STORE_COMMITTED) {
		log_error("time.failed", L_STR("why", err->text));
		if (!d->stopping)
			timer_set(d->timer[LANE_TIME], US_SECOND);
	} else {
		arm(d, LANE_TIME);
	}
	free(t);
}

static void time_due(void *arg)
{
	struct decide *d = arg;
	struct time_job *t;

	if (d->running || d->stopping)
		return;
	if (queue_next_due(d->store, LANE_TIME) > clock_now()) {
		arm(d, LANE_TIME);
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->d = d;
	t->job.run = run_time;
	t->job.done = time_done;
	if (store_submit(d->store, &t->job, STORE_NORMAL)) {
		free(t);
		timer_set(d->timer[LANE_TIME], US_SECOND);
		return;
	}
	d->running = true;
}

static void lane_due(struct decide *d, enum lane lane)
{
	if (d->stopping)
		return;
	if (next_due(d, lane) <= clock_now() && d->due[lane].fn)
		d->due[lane].fn(d->due[lane].arg);
	/* the listener asks again by itself while it has room; the timer is for what falls due later */
	if (next_due(d, lane) > clock_now())
		arm(d, lane);
	else
		timer_set(d->timer[lane], US_SECOND);
}

static void send_due(void *arg)
{
	lane_due(arg, LANE_SEND);
}

static void alert_due(void *arg)
{
	lane_due(arg, LANE_ALERT);
}

static void hinted(void *arg, unsigned hints)
{
	struct decide *d = arg;

	if (d->stopping)
		return;
	if (hints & HINT_TIME)
		time_due(d);
	if (hints & HINT_SEND)
		send_due(d);
	if (hints & HINT_ALERT)
		alert_due(d);
	if (hints & HINT_HITS)
		digest_due(d);
}

void decide_on_due(struct decide *d, enum lane lane, void (*fn)(void *arg), void *arg)
{
	d->due[lane].fn = fn;
	d->due[lane].arg = arg;
	if (fn && !d->stopping)
		timer_set(d->timer[lane], 0);
}

/* --- withdrawing -------------------------------------------------------------------------------------------------- */

struct withdrawal {
	struct decide *d;
	int64_t delivery;
};

void decide_on_withdraw(struct decide *d, void (*fn)(void *arg, int64_t delivery), void *arg)
{
	d->withdraw = fn;
	d->withdraw_arg = arg;
}

static void withdraw_now(void *arg)
{
	struct withdrawal *w = arg;

	if (w->d->withdraw)
		w->d->withdraw(w->d->withdraw_arg, w->delivery);
	free(w);
}

void decide_withdraw_after_commit(struct decide *d, struct db *db, int64_t delivery)
{
	struct withdrawal *w = xmalloc(sizeof(*w));

	*w = (struct withdrawal){ .d = d, .delivery = delivery };
	db_after_commit(db, withdraw_now, w);
	db_on_undo(db, free, w);
}

/* --- recovery ------------------------------------------------------------------------------------------------------ */

struct recover_job {
	struct store_job job;
	struct decide *d;
	int64_t at;
	size_t again, unknown;
	bool more;
};

/* Rows without a dot were not accepted by anybody: due again. Rows with it: unknown, for ever or until evidence comes. */
static int run_recover(struct store_job *job, struct db *db, struct err *err)
{
	struct recover_job *r = (struct recover_job *)job;
	struct arena *arena = arena_new(0);
	struct delivery *left;
	size_t count, i;
	int rc;

	r->again = r->unknown = 0;
	rc = sending_left(db, TIME_NEVER, RECOVER_BATCH, arena, &left, &count, err);
	for (i = 0; !rc && i < count; i++) {
		if (left[i].state == DELIVERY_DOT) {
			r->unknown++;
			rc = on_outcome(r->d, db, &(struct mail_outcome){ .delivery = left[i].id, .outcome = OUTCOME_UNKNOWN,
					.reply = "the daemon stopped before the relay's reply came", .relay_id = "", .at = r->at }, err);
		} else {
			r->again++;
			rc = on_release(r->d, db, &left[i].id, 1, r->at, err);
		}
	}
	r->more = !rc && count == RECOVER_BATCH;
	arena_free(&arena);
	return rc;
}

static void recover_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct recover_job *r = (struct recover_job *)job;

	r->d->recovering = false;
	if (result != STORE_COMMITTED)
		log_error("recover.failed", L_STR("why", err->text));
	else if (r->again || r->unknown)
		log_warn("recovered", L_INT("due_again", (int64_t)r->again), L_INT("unknown", (int64_t)r->unknown));
	if (result == STORE_COMMITTED && !r->more)
		r->d->to_recover = false;
	free(r);
}

/* Until all that an earlier process had claimed has been dealt with, also when the disk is full at the start and has room later. */
static void recover(struct decide *d)
{
	struct recover_job *r;

	if (!d->to_recover || d->recovering || d->stopping)
		return;
	r = xcalloc(1, sizeof(*r));
	r->d = d;
	r->at = clock_now();
	r->job.run = run_recover;
	r->job.done = recover_done;
	d->recovering = store_submit(d->store, &r->job, STORE_NORMAL) == 0;
	if (!d->recovering)
		free(r);
}

/* --- the plan in force -------------------------------------------------------------------------------------------- */

struct plan_job {
	struct store_job job;
	struct decide *d;
	struct plan *plan, *old;	/* old: the reference that is to be dropped */
	bool swapped;			/* in an earlier run of this job, whose transaction failed */
};

/* Older versions that are to be finished are known before anything happens to those in them: while there are any, whatever happens asks. */
#define OLD_MOST 20

static int know_versions(struct decide *d, struct db *db, const struct plan *plan, struct err *err)
{
	struct sequence_version *kept;
	const struct sequence *as;
	size_t i, k, count;

	for (i = 0; i < plan->sequence_count; i++) {
		if (plan->sequences[i].on_change != CHANGE_FINISH)
			continue;
		if (versions_of(db, plan->sequences[i].name, OLD_MOST, d->arena, &kept, &count, err))
			return -1;
		for (k = 0; k < count; k++)
			if (version_of(d, db, &(struct enrolment){ .sequence = kept[k].sequence, .version = kept[k].version }, &as, err))
				return -1;
	}
	return 0;
}

/* As they are written now: for those who will want to finish them. */
static int keep_versions(struct db *db, const struct plan *plan, struct err *err)
{
	size_t i;

	for (i = 0; i < plan->sequence_count; i++) {
		const struct sequence *s = &plan->sequences[i];

		if (versions_put(db, &(struct sequence_version){ .sequence = s->name, .version = s->version, .since = clock_now(), .source = s->source },
				err))
			return -1;
	}
	return 0;
}

/* Destinations of links are kept by template version, so that a link in an old mail goes on working. */
static int keep_links(struct db *db, const struct plan *plan, struct err *err)
{
	const char *const *urls;
	size_t i, count;

	for (i = 0; i < plan->mail_count; i++) {
		count = template_links(plan->mails[i].html, &urls);
		if (count && links_put(db, plan->mails[i].name, template_digest(plan->mails[i].html), urls, count, err))
			return -1;
	}
	return 0;
}

static int run_plan(struct store_job *job, struct db *db, struct err *err)
{
	struct plan_job *j = (struct plan_job *)job;

	if (j->d->working != j->plan) {
		j->old = j->d->working;
		j->d->working = j->plan;
		values_places(&j->d->places, j->plan);
		version_forget(j->d);
		trial_forget(j->d);
		shape_use(j->d->shape, j->plan);
		j->d->goal_tests = trials_by_goal(j->plan);
		j->swapped = true;
	} else if (!j->swapped) {
		j->old = j->plan;	/* in force since the start */
	}
	if (!j->d->recalled && shape_recall(j->d->shape, db, err))
		return -1;
	j->d->recalled = true;
	return keep_links(db, j->plan, err) || keep_versions(db, j->plan, err) || know_versions(j->d, db, j->plan, err) ? -1 : 0;
}

static void plan_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct plan_job *j = (struct plan_job *)job;

	if (result != STORE_COMMITTED) {
		log_error("plan.links", L_STR("why", err->text));
		j->d->to_keep_links = true;	/* or links in mails to come would lead nowhere */
		if (!j->d->stopping)
			timer_set(j->d->start, US_SECOND);
	}
	plan_unref(&j->old);
	if (j->d->sweep.timer)
		sweep_again(j->d);
	free(j);
}

static int put_in_force(struct decide *d, struct plan *plan)
{
	struct plan_job *j = xcalloc(1, sizeof(*j));

	j->d = d;
	j->plan = plan_ref(plan);	/* the store thread's own reference */
	j->job.run = run_plan;
	j->job.done = plan_done;
	if (store_submit(d->store, &j->job, STORE_FIRST)) {
		plan_unref(&j->plan);
		free(j);
		return -1;
	}
	return 0;
}

/* What the start owes the store, again each second until it has been taken. */
static void start_owes(void *arg)
{
	struct decide *d = arg;

	if (d->stopping)
		return;
	if (d->to_keep_links && put_in_force(d, d->plan) == 0)
		d->to_keep_links = false;
	recover(d);
	if (d->to_keep_links || d->to_recover)
		timer_set(d->start, d->recovering ? US_SECOND / 20 : US_SECOND);
}

/* No job runs before this: the store thread's side may be set from here. */
static struct decide *decide_new(struct store *store, struct plan *plan, struct token_ring *ring)
{
	struct decide *d = xcalloc(1, sizeof(*d));

	d->store = store;
	d->ring = ring;
	d->arena = arena_new(64 * 1024);
	d->crowd = crowd_new();
	d->plan = plan_ref(plan);
	d->working = plan_ref(plan);
	values_places(&d->places, plan);
	d->shape = shape_new();
	d->hand = hand_new();
	shape_use(d->shape, plan);
	d->goal_tests = trials_by_goal(plan);
	return d;
}

/* --- without a loop ----------------------------------------------------------------------------------------------- */

static int run_here(struct decide *d, struct store_job *job, struct err *err)
{
	return store_run(d->store, job, err) == STORE_COMMITTED ? 0 : -1;
}

/* What the start owes the store, before anything else: nobody would come back for it. */
static int owe_nothing(struct decide *d, struct err *err)
{
	struct plan_job links = { .job = { .run = run_plan }, .d = d, .plan = d->working };
	struct recover_job recovery = { .job = { .run = run_recover }, .d = d, .at = clock_now() };

	if (run_here(d, &links.job, err))
		return -1;
	do {
		if (run_here(d, &recovery.job, err))
			return -1;
	} while (recovery.more);
	return digest_here(d, err) || sweep_here(d, err) ? -1 : 0;
}

int decide_open(struct store *store, struct plan *plan, struct token_ring *ring, struct decide **out, struct err *err)
{
	struct decide *d = decide_new(store, plan, ring);

	d->stopping = true;	/* nothing is ever begun by itself */
	if (owe_nothing(d, err)) {
		decide_stop(&d);
		return -1;
	}
	*out = d;
	return 0;
}

/* --- reloading ---------------------------------------------------------------------------------------------------- */

static int put_in_force_here(struct decide *d, struct plan *plan, struct err *err)
{
	struct plan_job j = { .job = { .run = run_plan }, .d = d, .plan = plan_ref(plan) };

	if (run_here(d, &j.job, err)) {
		plan_unref(j.swapped ? &j.old : &j.plan);
		return -1;
	}
	plan_unref(&j.old);
	return 0;
}

int decide_reload(struct decide *d, struct plan *plan, struct err *err)
{
	struct plan *old = d->plan;

	if (!d->loop && put_in_force_here(d, plan, err))
		return -1;
	if (d->loop && put_in_force(d, plan))
		return err_set(err, "the store takes no jobs at the moment; try again");
	d->plan = plan_ref(plan);
	plan_unref(&old);
	if (d->loop)
		ask_mx_reload(d);
	return d->loop ? 0 : sweep_here(d, err);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int decide_start(struct loop *loop, struct store *store, struct plan *plan, struct token_ring *ring, struct decide **out, struct err *err)
{
	struct decide *d = decide_new(store, plan, ring);

	d->loop = loop;
	d->timer[LANE_TIME] = timer_new(loop, time_due, d);
	d->timer[LANE_SEND] = timer_new(loop, send_due, d);
	d->timer[LANE_ALERT] = timer_new(loop, alert_due, d);
	d->to_keep_links = d->to_recover = true;
	d->start = timer_new(loop, start_owes, d);
	store_on_hints(store, hinted, d);
	ask_mx_start(d);
	start_owes(d);
	forget_start(d);
	sweep_start(d);
	digest_start(d);
	timer_set(d->timer[LANE_TIME], 0);
	*out = d;
	return 0;
}

static int run_keep(struct store_job *job, struct db *db, struct err *err)
{
	return shape_keep(((struct plan_job *)job)->d->shape, db, true, err);
}

static void keep_done(struct store_job *job, enum store_result result, const struct err *err)
{
	if (result != STORE_COMMITTED)
		log_warn("shape.not_kept", L_STR("why", err->text));
	free(job);
}

/* What is counted and not written yet. */
static void keep_the_last(struct decide *d)
{
	struct plan_job *j = xcalloc(1, sizeof(*j));

	j->d = d;
	j->job = (struct store_job){ .run = run_keep, .done = keep_done };
	if (store_submit(d->store, &j->job, STORE_NORMAL))
		free(j);
}

void decide_quiesce(struct decide *d)
{
	enum lane lane;

	if (d->loop && !d->stopping)
		keep_the_last(d);
	if (d->loop && !d->stopping)
		digest_stop(d);
	d->stopping = true;
	store_on_hints(d->store, NULL, NULL);
	timer_stop(d->start);
	timer_stop(d->forget);
	timer_stop(d->sweep.timer);
	for (lane = 0; lane < LANES; lane++)
		if (d->timer[lane])
			timer_stop(d->timer[lane]);
}

void decide_stop(struct decide **d)
{
	enum lane lane;

	if (!*d)
		return;
	ask_mx_stop(*d);
	timer_free(&(*d)->start);
	timer_free(&(*d)->forget);
	timer_free(&(*d)->sweep.timer);
	digest_free(*d);
	for (lane = 0; lane < LANES; lane++)
		timer_free(&(*d)->timer[lane]);
	plan_unref(&(*d)->plan);
	plan_unref(&(*d)->working);
	version_forget(*d);
	trial_forget(*d);
	shape_free(&(*d)->shape);
	hand_free(&(*d)->hand);
	arena_free(&(*d)->arena);
	crowd_free(&(*d)->crowd);
	hit_sums_free(&(*d)->hit_sums);
	free(*d);
	*d = NULL;
}
