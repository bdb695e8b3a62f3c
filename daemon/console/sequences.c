/*
 * sequences.c: see sequences.h.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "decide/sequences.h"

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

/* "there is no sequence `x`; did you mean `y`?" */
static void answer_none(const struct plan *plan, const char *name, struct http_request *r)
{
	const char **names = arena_calloc(http_arena(r), plan->sequence_count + 1, sizeof(*names)), *near;
	size_t i;

	for (i = 0; i < plan->sequence_count; i++)
		names[i] = plan->sequences[i].name;
	near = text_nearest(name, names);
	http_problem(r, 404, arena_printf(http_arena(r), "there is no sequence `%s`%s%s%s", name, near ? "; did you mean `" : "", near ? near : "",
			near ? "`?" : ""), NULL);
}

void sequences_show(struct decide *decide, const char *name, struct http_request *r)
{
	static const struct slices how = { .go_on = go_on, .answer = answer, .free = free_look };
	struct sequence_look *look = sequence_look_new(decide_plan(decide), name);

	if (look)
		slices_run(decide_store(decide), &how, look, r);
	else
		answer_none(decide_plan(decide), name, r);
}
