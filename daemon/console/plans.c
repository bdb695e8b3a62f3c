/*
 * plans.c: see plans.h. The files are loaded on the reader thread, and people evaluated there in slices; the loop only passes it on.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/http.h"
#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "decide/outlook.h"

#include "lines.h"
#include "plans.h"
#include "slices.h"

struct comparison {
	char *config;
	struct plan *now;
	struct plan_errors errors;
	struct outlook *outlook;	/* NULL: not yet begun, or the config has errors */
};

static int go_on(void *work, struct db *db, int64_t us, struct err *err)
{
	struct comparison *c = work;
	struct plan *next;

	if (!c->outlook) {
		next = plan_load(c->config, &c->errors);
		if (!next)
			return 0;
		c->outlook = outlook_new(c->now, next, OUTLOOK_PEOPLE);
		plan_unref(&next);
	}
	return outlook_go_on(c->outlook, db, us, err);
}

static void answer(void *work, struct http_request *r)
{
	struct comparison *c = work;
	struct buf out = BUF_INIT;
	struct err err;

	if (!c->outlook) {
		lines_member(&out, "errors", buf_cstr(&c->errors.text));
		http_problem(r, 422, "the config has errors; a reload would be refused", buf_cstr(&out));
	} else if (answer_give(&out, outlook_json(c->outlook), &err) < 0) {
		http_problem(r, 500, err.text, NULL);
	} else {
		http_reply(r, 200, "application/json", out.data, out.len);
	}
	buf_clear(&out);
}

static void comparison_free(void *work)
{
	struct comparison *c = work;

	outlook_free(&c->outlook);
	plan_unref(&c->now);
	buf_clear(&c->errors.text);
	free(c->config);
	free(c);
}

void plans_compare(struct decide *decide, const char *config, struct http_request *r)
{
	static const struct slices how = { .go_on = go_on, .answer = answer, .free = comparison_free };
	struct comparison *c = xcalloc(1, sizeof(*c));

	c->config = xstrdup(config);
	c->now = plan_ref(decide_plan(decide));
	slices_run(decide_store(decide), &how, c, r);
}
