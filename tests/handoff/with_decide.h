/*
 * with_decide.h: a plan, a store and decide in a temporary folder, for tests of what stands on them
 * (handoff, console).
 *
 * Pages, mails and lists are those of tests/decide; sales.yaml and more of the operator's file are the
 * test's own.
 */
#ifndef TESTS_WITH_DECIDE_H
#define TESTS_WITH_DECIDE_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/loop.h"
#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "store/rows.h"
#include "store/store.h"

#define WORLD static __attribute__((unused))
#define WORLD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct world {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;
	struct decide *decide;
	size_t queue_limit;	/* of the store; 0: its own */
};

WORLD void world_write(const struct world *w, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", w->folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

WORLD void world_link(const struct world *w, const char *from, const char *name)
{
	char *to = realpath(from, NULL), *path = xasprintf("%s/%s", w->folder, name);

	assert_non_null(to);
	assert_int_equal(symlink(to, path), 0);
	free(to);
	free(path);
}

/* `alerts`: the value of that key of sales.yaml; `operator`: more lines of nurtured.yaml. */
WORLD struct plan *world_plan(const struct world *w, const char *alerts, const char *operator)
{
	char *path = xasprintf("%s/nurtured.yaml", w->folder), *sales, *conf;
	struct plan_errors errors = { 0 };
	struct plan *plan;

	conf = xasprintf("state: state\ntemplates: templates\ncontrol: control.sock\n"
		"listen: {port: 0, public_url: \"https://mail.example.com\"}\n"
		"sender:\n  from: \"Ana <ana@example.com>\"\n  company: Example Ltd\n  postal_address: \"1 High Street\"\n"
		"  bounce_domain: bounce.example.com\n  reply_domain: reply.example.com\n"
		"relays:\n  - {name: main, url: \"smtp://127.0.0.1:2525\", tls: none}\n"
		"mailboxes:\n  - {name: replies, url: \"maildir:%s/replies\"}\n%s\n", w->folder, operator);
	sales = xasprintf("hot: intent == \"pricing\"\ncooldown: 14 days\non_hot: pause\n"
		"replies_to: sales@example.com\n"
		"owners:\n  - {name: ana, email: ana@example.com, share: 1}\nalerts: %s\n", alerts);
	world_write(w, "nurtured.yaml", conf);
	world_write(w, "sales.yaml", sales);
	plan = plan_load(path, &errors);
	if (!plan)
		print_error("%s", buf_cstr(&errors.text));
	assert_non_null(plan);
	buf_clear(&errors.text);
	free(conf);
	free(sales);
	free(path);
	return plan;
}

/* The parts; also after world_down(), with the database as it was. */
WORLD void world_up(struct world *w, const char *alerts, const char *operator)
{
	static const uint8_t key[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	char *state = xasprintf("%s/state", w->folder);
	struct store_options options = { .state = state, .owner = "test", .queue_limit = w->queue_limit };
	struct plan *plan = world_plan(w, alerts, operator);
	struct err err = { "" };

	w->loop = loop_new();
	if (store_start(w->loop, &options, &w->store, &err) < 0)
		fail_msg("%s", err.text);
	w->ring = token_ring_new(key, ids, 1);
	if (decide_start(w->loop, w->store, plan, w->ring, &w->decide, &err) < 0)
		fail_msg("%s", err.text);
	plan_unref(&plan);
	free(state);
}

WORLD void world_down(struct world *w)
{
	decide_quiesce(w->decide);
	store_stop(&w->store);
	decide_stop(&w->decide);
	loop_drain(w->loop);
	token_ring_free(&w->ring);
	loop_free(&w->loop);
}

WORLD void world_init(struct world *w)
{
	char *secrets;

	snprintf(w->folder, sizeof(w->folder), "/tmp/nurtured.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	secrets = xasprintf("%s/secrets", w->folder);
	assert_int_equal(mkdir(secrets, 0700), 0);
	free(secrets);
	world_write(w, "secrets/hook", WORLD_SECRET "\n");
	world_link(w, "tests/decide/templates", "templates");
	world_link(w, "tests/decide/conf/nurture.yaml", "nurture.yaml");
	world_link(w, "tests/decide/conf/forms", "forms");
	world_link(w, "tests/decide/conf/sequences", "sequences");
}

WORLD void world_clear(struct world *w)
{
	char *command = xasprintf("rm -rf %s", w->folder);

	assert_int_equal(system(command), 0);
	free(command);
}

/* --- a job of the store, and its end ---------------------------------------------------------------- */

typedef int world_fn(struct world *w, struct db *db, void *arg, struct err *err);

struct world_job {
	struct store_job job;
	struct world *world;
	world_fn *fn;
	void *arg;
	enum store_result result;
	struct err err;
};

WORLD int world_job_run(struct store_job *job, struct db *db, struct err *err)
{
	struct world_job *j = (struct world_job *)job;

	return j->fn(j->world, db, j->arg, err) < 0 ? -1 : 0;
}

WORLD void world_job_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct world_job *j = (struct world_job *)job;

	j->result = result;
	j->err = *err;
	loop_stop(j->world->loop);
}

/* Runs the loop until fn has run in the store thread and is committed. */
WORLD void world_run(struct world *w, world_fn *fn, void *arg)
{
	struct world_job j = {
		.job = { .run = world_job_run, .done = world_job_done },
		.world = w,
		.fn = fn,
		.arg = arg,
		.result = STORE_FAILED,
	};

	/* jobs of decide's own may fill a short queue for a moment */
	while (store_submit(w->store, &j.job, STORE_NORMAL))
		sched_yield();
	assert_int_equal(loop_run(w->loop), 0);
	if (j.result != STORE_COMMITTED)
		fail_msg("%s", j.err.text);
}

/* The same in the reader thread. */
WORLD void world_read(struct world *w, world_fn *fn, void *arg)
{
	struct world_job j = {
		.job = { .run = world_job_run, .done = world_job_done },
		.world = w,
		.fn = fn,
		.arg = arg,
		.result = STORE_FAILED,
	};

	assert_int_equal(store_read(w->store, &j.job), 0);
	assert_int_equal(loop_run(w->loop), 0);
	if (j.result != STORE_COMMITTED)
		fail_msg("%s", j.err.text);
}

/* --- an alert in the outbox ------------------------------------------------------------------------- */

struct world_alert {
	int64_t id;
	const char *url, *body;
};

/* In the store thread: as if a person had just become hot. */
WORLD int world_put_alert(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct world_alert *a = arg;
	int64_t now = clock_now();
	struct alert row;
	struct queue_row due;

	a->id = id_new(7, now);
	row = (struct alert){
		.id = a->id,
		.prospect = id_new(7, now),
		.lead = id_new(7, now),
		.url = a->url,
		.as = "standard",
		.body = a->body,
		.created = now,
		.due = now,
		.error = "",
	};
	due = (struct queue_row){
		.id = id_new(7, now),
		.lane = LANE_ALERT,
		.due = now,
		.kind = QUEUE_ALERT,
		.prospect = row.prospect,
		.ref = a->id,
		.name = "",
	};
	return alerts_insert(db, &row, err) < 0 || queue_add(db, &due, err) < 0 ? -1 : 0;
}

struct world_look {
	int64_t id;
	enum alert_state state;
	int attempt, code;
	int64_t due;
	char error[ERR_TEXT];
};

WORLD int world_find_alert(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct world_look *l = arg;
	struct arena *arena = arena_new(0);
	struct alert row;
	int rc = alerts_find(db, l->id, arena, &row, err);

	if (rc == 1) {
		l->state = row.state;
		l->attempt = row.attempt;
		l->code = row.code;
		l->due = row.due;
		snprintf(l->error, sizeof(l->error), "%s", row.error);
	}
	arena_free(&arena);
	return rc == 1 ? 0 : -1;
}

WORLD struct world_look world_alert(struct world *w, int64_t id)
{
	struct world_look look = { .id = id };

	world_read(w, world_find_alert, &look);
	return look;
}

#endif
