/*
 * enroll.c: see enroll.h.
 *
 * A run goes back and forth: the reader thread looks for the next who would enter, a job of the store lets them, a pause, and again; so that
 * neither look-ups nor sign-ups wait for it. It is forgotten with the daemon: the same command goes on where it stood.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "decide/enroll.h"
#include "decide/facts.h"

#include "enroll.h"
#include "problems.h"
#include "slices.h"

#define WHERE_MAX 4000
#define BATCH 200
#define SLICE (50 * INT64_C(1000))
#define PAUSE (US_SECOND / 200)
#define TELL_EACH (US_SECOND / 5)

struct run {
	struct store_job job;
	struct enroll *enroll;		/* NULL: gone meanwhile */
	struct decide *decide;
	struct enroll_scan *scan;
	char *sequence, *where, *by;
	bool with_store;		/* its job, whose completion is still to come */
	const int64_t *people;		/* of the scan, that enter now */
	size_t count;
	int more;			/* of the scan */
	struct enrollment_result batch;
	int64_t entered, left_out;
	int64_t begun, ended;		/* ended 0: under way */
	struct http_request *waiter;	/* wants to hear how far it has come, since: */
	int64_t waits_since;
	char error[ERR_TEXT];
};

struct enroll {
	struct decide *decide;
	struct timer *timer;
	struct run *run;		/* the latest; NULL */
};

static void run_free(struct run *run)
{
	enroll_scan_free(&run->scan);
	free(run->sequence);
	free(run->where);
	free(run->by);
	free(run);
}

/* --- answers ---------------------------------------------------------------------------------------- */

static void answer_run(const struct run *run, int status, struct http_request *r)
{
	struct buf out = BUF_INIT;
	json_t *json = json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
		"sequence", answer_text(run->sequence),
		"where", answer_text(run->where),
		"running", run->ended == 0,
		"looked_at", (json_int_t)enroll_scan_looked_at(run->scan),
		"people", (json_int_t)enroll_scan_all(run->scan),
		"entered", (json_int_t)run->entered,
		"left_out", (json_int_t)run->left_out,
		"begun", answer_time(run->begun),
		"ended", answer_time(run->ended),
		"error", *run->error ? answer_text(run->error) : json_null());

	if (answer_give(&out, json, NULL) < 0)
		http_problem(r, 500, "the answer cannot be written", NULL);
	else
		http_reply(r, status, "application/json", out.data, out.len);
	buf_clear(&out);
}

/* Whoever waits hears of it now and then, and of the end at once. */
static void tell_waiter(struct run *run)
{
	struct http_request *r = run->waiter;

	if (!r || (!run->ended && clock_steady() < run->waits_since + TELL_EACH))
		return;
	run->waiter = NULL;
	answer_run(run, 200, r);
}

/* --- a run ------------------------------------------------------------------------------------------ */

static void run_end(struct run *run, const char *error)
{
	run->ended = clock_now();
	snprintf(run->error, sizeof(run->error), "%s", error);
	log_info("enrolled", L_STR("sequence", run->sequence), L_INT("entered", run->entered), L_INT("left_out", run->left_out), L_STR("error", error));
	tell_waiter(run);
}

/* Its job is back. True: the console is gone, and nobody asks for it any more. */
static bool is_left(struct run *run)
{
	run->with_store = false;
	if (run->enroll)
		return false;
	run_free(run);
	return true;
}

static int enter_run(struct store_job *job, struct db *db, struct err *err)
{
	struct run *run = (struct run *)job;
	struct enrollment fact = {
		.sequence = run->sequence, .where = run->where, .people = run->people, .count = run->count, .by = run->by, .at = clock_now(),
	};

	return on_enroll_some(run->decide, db, &fact, &run->batch, err);
}

static void enter_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct run *run = (struct run *)job;

	if (is_left(run))
		return;
	if (result != STORE_COMMITTED) {
		run_end(run, err->text);
		return;
	}
	run->entered += (int64_t)run->batch.entered;
	run->left_out += (int64_t)run->batch.left_out;
	if (run->more)
		timer_set(run->enroll->timer, PAUSE);
	else
		run_end(run, "");
}

static int scan_run(struct store_job *job, struct db *db, struct err *err)
{
	struct run *run = (struct run *)job;

	run->more = enroll_scan_go_on(run->scan, db, SLICE, BATCH, err);
	return run->more < 0 ? -1 : 0;
}

static void scan_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct run *run = (struct run *)job;

	if (is_left(run))
		return;
	if (result != STORE_COMMITTED) {
		run_end(run, err->text);
		return;
	}
	run->count = enroll_scan_take(run->scan, &run->people);
	if (!run->count && run->more) {
		timer_set(run->enroll->timer, 0);
		return;
	}
	run->job = (struct store_job){ .run = enter_run, .done = enter_done };
	if (run->count == 0)
		run_end(run, "");
	else if (store_submit(decide_store(run->decide), &run->job, STORE_NORMAL) == 0)
		run->with_store = true;
	else
		run_end(run, "nothing can be written now; see `nurturectl status`, then give the same command again");
}

static void run_next(void *arg)
{
	struct enroll *e = arg;

	tell_waiter(e->run);
	e->run->job = (struct store_job){ .run = scan_run, .done = scan_done };
	e->run->with_store = store_read(decide_store(e->decide), &e->run->job) == 0;
	if (!e->run->with_store)
		run_end(e->run, "too many look-ups wait; give the same command again");
}

struct enroll *enroll_new(struct loop *loop, struct decide *decide)
{
	struct enroll *e = xcalloc(1, sizeof(*e));

	e->decide = decide;
	e->timer = timer_new(loop, run_next, e);
	return e;
}

void enroll_free(struct enroll **enroll)
{
	struct enroll *e = *enroll;

	if (!e)
		return;
	if (e->run && e->run->waiter)
		http_problem(e->run->waiter, 503, "the daemon stops; the same command again goes on where it stood", NULL);
	if (e->run && e->run->with_store)
		e->run->enroll = NULL;
	else if (e->run)
		run_free(e->run);
	timer_free(&e->timer);
	free(e);
	*enroll = NULL;
}

/* --- requests --------------------------------------------------------------------------------------- */

static int dry_go_on(void *work, struct db *db, int64_t us, struct err *err)
{
	return enroll_scan_go_on(work, db, us, 0, err);
}

static void dry_answer(void *work, struct http_request *r)
{
	struct buf out = BUF_INIT;
	struct err err;

	if (answer_give(&out, enroll_scan_json(work), &err) < 0)
		http_problem(r, 500, err.text, NULL);
	else
		http_reply(r, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void dry_free(void *work)
{
	struct enroll_scan *scan = work;

	enroll_scan_free(&scan);
}

/* Takes the scan. */
static void begin(struct enroll *e, struct enroll_scan *scan, const char *sequence, const char *where, struct http_request *r)
{
	struct run *run;

	if (e->run && !e->run->ended) {
		enroll_scan_free(&scan);
		http_problem(r, 409, "another one is under way; it answers at GET /sequences/{name}/enroll", NULL);
		return;
	}
	if (e->run)
		run_free(e->run);
	run = xcalloc(1, sizeof(*run));
	run->enroll = e;
	run->decide = e->decide;
	run->scan = scan;
	run->sequence = xstrdup(sequence);
	run->where = xstrdup(where);
	run->by = xasprintf("by hand: %.200s", where);
	run->begun = clock_now();
	e->run = run;
	timer_set(e->timer, 0);
	answer_run(run, 202, r);
}

/* The body; -1 has answered. `where` in the request's arena. */
static int read_wish(struct http_request *r, const char **where, bool *dry)
{
	struct slice body = http_body(r);
	json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(json, "where"));
	int rc = -1;

	*dry = json_is_true(json_object_get(json, "dry"));
	if (!text || !*text)
		http_problem(r, 400, "the body must be {\"where\": \"...\"}, and \"dry\": true to look first", NULL);
	else if (strlen(text) > WHERE_MAX)
		http_problem(r, 422, "the condition is longer than 4000 bytes", NULL);
	else
		rc = 0;
	if (rc == 0)
		*where = arena_strdup(http_arena(r), text);
	json_decref(json);
	return rc;
}

void enroll_post(struct enroll *e, const char *sequence, struct http_request *r)
{
	static const struct slices how = { .go_on = dry_go_on, .answer = dry_answer, .free = dry_free };
	struct plan *plan = decide_plan(e->decide);
	struct expression_error error;
	struct enroll_scan *scan;
	const char *where;
	bool dry;

	if (!plan_sequence(plan, sequence)) {
		problem_no_sequence(plan, sequence, r);
		return;
	}
	if (read_wish(r, &where, &dry) < 0)
		return;
	scan = enroll_scan_new(plan, sequence, where, &error);
	if (!scan)
		problem_expression(where, &error, r);
	else if (dry)
		slices_run(decide_store(e->decide), &how, scan, r);
	else
		begin(e, scan, sequence, where, r);
}

void enroll_get(struct enroll *e, const char *sequence, struct http_request *r)
{
	struct run *run = e->run;

	if (!run || strcmp(run->sequence, sequence) != 0) {
		http_problem(r, 404, "nobody was put into it by hand since the daemon started", NULL);
	} else if (run->ended || run->waiter || !http_query(r, "wait")) {
		answer_run(run, 200, r);
	} else {
		run->waiter = r;
		run->waits_since = clock_steady();
	}
}
