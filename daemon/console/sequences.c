/*
 * sequences.c: see sequences.h.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/http.h"
#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "decide/sequences.h"

#include "problems.h"
#include "sequences.h"
#include "slices.h"

static int go_on(void *work, struct db *db, int64_t us, struct err *err)
{
	return sequence_look_go_on(work, db, us, err);
}

static void answer(void *work, struct http_request *r)
{
	struct buf out = BUF_INIT;
	struct err err;

	if (answer_give(&out, sequence_look_json(work), &err) < 0)
		http_problem(r, 500, err.text, NULL);
	else
		http_reply(r, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void free_look(void *work)
{
	struct sequence_look *look = work;

	sequence_look_free(&look);
}

void sequences_show(struct decide *decide, const char *name, struct http_request *r)
{
	static const struct slices how = { .go_on = go_on, .answer = answer, .free = free_look };
	struct sequence_look *look = sequence_look_new(decide_plan(decide), name);

	if (look)
		slices_run(decide_store(decide), &how, look, r);
	else
		problem_no_sequence(decide_plan(decide), name, r);
}
