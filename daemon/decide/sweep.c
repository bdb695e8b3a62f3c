/*
 * sweep.c: after a change of the rules everybody is looked at once: stages, lists, hot, and the versions of sequences show at once and not at
 * each person's next event. Some people a job, with a pause after each, so that it holds up nobody; a million take some minutes.
 *
 * What the rules were when everybody had last been looked at is kept in the database: a config that changed while the daemon was down is
 * seen at the start, and a sweep that was cut short begins again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

#include "decide.h"
#include "person.h"

#define PEOPLE 50
#define PAUSE (US_SECOND / 200)
#define MARK "rules"

/* --- what the rules are ------------------------------------------------------------------------------------------- */

static void add_rule(struct buf *out, const char *name, double points, const struct expression *when, const struct expression *until)
{
	buf_printf(out, "%s %.17g ", name, points);
	if (when)
		expression_print(when, out);
	buf_str(out, " / ");
	if (until)
		expression_print(until, out);
	buf_char(out, '\n');
}

static void add_sequence(struct buf *out, const struct sequence *s)
{
	size_t i;

	buf_printf(out, "%s %s %d\n", s->name, s->version, s->on_change);
	for (i = 0; i < s->gone_count; i++)
		buf_printf(out, "%s %d\n", s->gone[i].step, s->gone[i].to);
}

/* Of all that decides where people are; points for interest are granted when something happens, and stay. */
static void digest_rules(const struct plan *plan, uint8_t out[SHA256_SIZE])
{
	struct buf text = BUF_INIT;
	size_t i;

	buf_printf(&text, "%lld %d\n", (long long)plan->half_life, plan->graded);
	for (i = 0; plan->graded && i < 3; i++)
		buf_printf(&text, "%.17g %.17g\n", plan->grade_fit[i], plan->grade_interest[i]);
	for (i = 0; i < plan->fit_count; i++)
		add_rule(&text, "fit", plan->fit[i].points, plan->fit[i].when, NULL);
	for (i = 0; i < plan->stage_count; i++)
		add_rule(&text, plan->stages[i].name, 0, plan->stages[i].when, plan->stages[i].until);
	for (i = 0; i < plan->list_count; i++)
		add_rule(&text, plan->lists[i].name, 0, plan->lists[i].when, NULL);
	add_rule(&text, "hot", 0, plan->sales.hot, NULL);
	for (i = 0; i < plan->sequence_count; i++)
		add_sequence(&text, &plan->sequences[i]);
	digest_sha256(buf_cstr(&text), text.len, out);
	buf_clear(&text);
}

/* --- the jobs ----------------------------------------------------------------------------------------------------- */

struct sweep_job {
	struct store_job job;
	struct decide *d;
	bool begin;			/* is there anything to do? */
	bool end;			/* it has been done */
	bool needed;
	uint8_t rules[SHA256_SIZE];	/* begin: gives; end: takes what they were then, or a change meanwhile would pass for seen */
	int64_t after;			/* the last person that was looked at in the bucket */
	size_t people;
};

static int mark_rules(struct db *db, const uint8_t digest[SHA256_SIZE], struct err *err)
{
	return settings_set(db, MARK, digest, SHA256_SIZE, err);
}

static int run_begin(struct sweep_job *j, struct db *db, struct err *err)
{
	struct slice before = { 0 };
	int found = settings_get(db, MARK, decide_arena(j->d), &before, err);

	if (found < 0)
		return -1;
	digest_rules(j->d->working, j->rules);
	j->needed = found && (before.len != SHA256_SIZE || memcmp(before.data, j->rules, SHA256_SIZE) != 0);
	return found ? 0 : mark_rules(db, j->rules, err);
}

int on_sweep(struct decide *d, struct db *db, uint16_t bucket, int64_t *after, size_t max, size_t *count_out, struct err *err)
{
	struct arena *ids = arena_new(0);
	struct person p;
	int64_t *people;
	size_t i;
	int found = prospects_page(db, bucket, *after, max, ids, &people, count_out, err) ? -1 : 0;

	for (i = 0; found >= 0 && i < *count_out; i++) {
		decide_arena(d);
		found = person_load(d, db, people[i], clock_now(), &p, err);
		p.by = BY_TIME;
		*after = people[i];
		if (found != 1)
			continue;
		p.cause = "the config has changed";
		person_mark_all(&p);
		if (person_settle(&p, err))
			found = -1;
	}
	arena_free(&ids);
	return found < 0 ? -1 : 0;
}

static int run_sweep(struct store_job *job, struct db *db, struct err *err)
{
	struct sweep_job *j = (struct sweep_job *)job;

	if (j->begin)
		return run_begin(j, db, err);
	if (j->end)
		return mark_rules(db, j->rules, err);
	j->after = j->d->sweep.after;
	return on_sweep(j->d, db, j->d->sweep.bucket, &j->after, PEOPLE, &j->people, err);
}

static void advance(struct decide *d, const struct sweep_job *j)
{
	d->sweep.people += (int64_t)j->people;
	d->sweep.after = j->after;
	if (j->people == PEOPLE)
		return;
	d->sweep.after = 0;
	d->sweep.bucket++;
}

static void sweep_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct sweep_job *j = (struct sweep_job *)job;
	struct decide *d = j->d;
	bool more = true;

	d->sweep.running = false;
	if (result != STORE_COMMITTED) {
		log_warn("sweep.failed", L_STR("why", err->text));
	} else if (d->sweep.asked) {	/* the rules changed meanwhile */
		d->sweep.begun = false;
	} else if (j->begin) {
		d->sweep.begun = true;
		memcpy(d->sweep.rules, j->rules, sizeof(j->rules));
		more = j->needed;
		if (more)
			log_info("sweep.begun", L_STR("why", "the rules have changed"));
	} else if (j->end) {
		log_info("sweep.done", L_INT("people", d->sweep.people));
		more = false;
	} else {
		advance(d, j);
	}
	free(j);
	if (more && !d->stopping)
		timer_set(d->sweep.timer, result == STORE_COMMITTED ? PAUSE : US_SECOND);
}

static void sweep_next(void *arg)
{
	struct decide *d = arg;
	struct sweep_job *j;

	if (d->stopping || d->sweep.running)
		return;
	if (d->sweep.asked || !d->sweep.begun) {
		d->sweep.asked = d->sweep.begun = false;
		d->sweep.bucket = 0;
		d->sweep.after = d->sweep.people = 0;
	}
	j = xcalloc(1, sizeof(*j));
	*j = (struct sweep_job){ .job = { .run = run_sweep, .done = sweep_done }, .d = d, .begin = !d->sweep.begun, .end = d->sweep.bucket == BUCKETS };
	memcpy(j->rules, d->sweep.rules, sizeof(j->rules));
	d->sweep.running = store_submit(d->store, &j->job, STORE_NORMAL) == 0;
	if (d->sweep.running)
		return;
	free(j);
	timer_set(d->sweep.timer, US_SECOND);
}

void sweep_start(struct decide *d)
{
	d->sweep.timer = timer_new(d->loop, sweep_next, d);
	sweep_again(d);
}

void sweep_again(struct decide *d)
{
	d->sweep.asked = true;
	if (!d->stopping && !d->sweep.running)
		timer_set(d->sweep.timer, PAUSE);
}

/* --- without a loop ------------------------------------------------------------------------------------------------ */

static int sweep_job_here(struct decide *d, struct sweep_job *j, struct err *err)
{
	j->job = (struct store_job){ .run = run_sweep };
	j->d = d;
	return store_run(d->store, &j->job, err) == STORE_COMMITTED ? 0 : -1;
}

int sweep_here(struct decide *d, struct err *err)
{
	struct sweep_job begin = { .begin = true }, end = { .end = true };

	if (sweep_job_here(d, &begin, err))
		return -1;
	if (!begin.needed)
		return 0;
	d->sweep.bucket = 0;
	d->sweep.after = d->sweep.people = 0;
	while (d->sweep.bucket < BUCKETS) {
		struct sweep_job some = { 0 };

		if (sweep_job_here(d, &some, err))
			return -1;
		advance(d, &some);
	}
	memcpy(end.rules, begin.rules, sizeof(end.rules));
	return sweep_job_here(d, &end, err);
}
