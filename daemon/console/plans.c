/*
 * plans.c: see plans.h. The files are loaded on the reader thread, and people evaluated there in slices between which others have their turn;
 * the loop only passes it on.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "decide/outlook.h"

#include "lines.h"
#include "plans.h"

#define SLICE (50 * INT64_C(1000))

struct comparison {
	struct store_job job;
	struct store *store;
	struct http_request *request;
	const char *config;		/* in the request's arena */
	struct plan *now;
	struct plan_errors errors;
	struct outlook *outlook;	/* NULL: not yet begun, or the config has errors */
	int more;
};

static void comparison_free(struct comparison *c)
{
	outlook_free(&c->outlook);
	plan_unref(&c->now);
	buf_clear(&c->errors.text);
	free(c);
}

/* Reader thread. */
static void load(struct comparison *c)
{
	struct plan *next = plan_load(c->config, &c->errors);

	if (next)
		c->outlook = outlook_new(c->now, next, OUTLOOK_PEOPLE);
	plan_unref(&next);
}

static int run(struct store_job *job, struct db *db, struct err *err)
{
	struct comparison *c = (struct comparison *)job;

	if (!c->outlook)
		load(c);
	c->more = c->outlook ? outlook_go_on(c->outlook, db, SLICE, err) : 0;
	return c->more < 0 ? -1 : 0;
}

static void answer(struct comparison *c)
{
	struct buf out = BUF_INIT;
	struct err err;

	if (!c->outlook) {
		lines_member(&out, "errors", buf_cstr(&c->errors.text));
		http_problem(c->request, 422, "the config has errors; a reload would be refused", buf_cstr(&out));
	} else if (answer_give(&out, outlook_json(c->outlook), &err) < 0) {
		http_problem(c->request, 500, err.text, NULL);
	} else {
		http_reply(c->request, 200, "application/json", out.data, out.len);
	}
	buf_clear(&out);
	comparison_free(c);
}

static void pass_on(struct comparison *c)
{
	if (store_read(c->store, &c->job) == 0)
		return;
	http_problem(c->request, 503, "too many look-ups wait; try again in a moment", NULL);
	comparison_free(c);
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct comparison *c = (struct comparison *)job;

	if (result != STORE_COMMITTED) {
		http_problem(c->request, 503, err->text, NULL);
		comparison_free(c);
	} else if (c->more) {
		pass_on(c);
	} else {
		answer(c);
	}
}

void plans_compare(struct decide *decide, const char *config, struct http_request *r)
{
	struct comparison *c = xcalloc(1, sizeof(*c));

	c->job = (struct store_job){ .run = run, .done = done };
	c->store = decide_store(decide);
	c->request = r;
	c->config = arena_strdup(http_arena(r), config);
	c->now = plan_ref(decide_plan(decide));
	pass_on(c);
}
