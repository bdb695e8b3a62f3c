/*
 * hits.c: see hits.h.
 *
 * A job of the store judges some mails, then the next: sign-ups go in between. The daemon's end ends it; the same command begins anew, and finds what was
 * judged as it should be.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "decide/facts.h"

#include "hits.h"

#define BATCH 100

struct run {
	struct store_job job;
	struct decide *decide;
	struct http_request *request;
	struct rescore fact;
	struct rescored now;
	int64_t mails, hits, changed, scores, moves[VERDICTS][VERDICTS];
};

static json_t *moves_json(const struct run *run)
{
	static const char *const names[VERDICTS] = { [VERDICT_HUMAN] = "human", [VERDICT_MACHINE] = "machine", [VERDICT_UNKNOWN] = "unknown" };
	json_t *list = json_array();
	int from, to;

	for (from = 0; from < VERDICTS; from++)
		for (to = 0; to < VERDICTS; to++)
			if (run->moves[from][to])
				json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "from", names[from], "to", names[to], "hits",
					(json_int_t)run->moves[from][to]));
	return list;
}

static void answer(const struct run *run)
{
	struct buf out = BUF_INIT;
	json_t *json = json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}",
		"since", answer_time(run->fact.since),
		"mails", (json_int_t)run->mails,
		"hits", (json_int_t)run->hits,
		"changed", (json_int_t)run->changed,
		"scores_changed", (json_int_t)run->scores,
		"verdicts", moves_json(run));

	log_info("hits.rescored", L_INT("mails", run->mails), L_INT("hits", run->hits), L_INT("changed", run->changed));
	if (answer_give(&out, json, NULL) < 0)
		http_problem(run->request, 500, "the answer cannot be written", NULL);
	else
		http_reply(run->request, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

static void add(struct run *run)
{
	int from, to;

	run->mails += (int64_t)run->now.mails;
	run->hits += (int64_t)run->now.hits;
	run->changed += (int64_t)run->now.changed;
	run->scores += (int64_t)run->now.scores;
	for (from = 0; from < VERDICTS; from++)
		for (to = 0; to < VERDICTS; to++)
			run->moves[from][to] += (int64_t)run->now.moves[from][to];
}

static void submit(struct run *run);

static int rescore_run(struct store_job *job, struct db *db, struct err *err)
{
	struct run *run = (struct run *)job;

	return on_rescore(run->decide, db, &run->fact, &run->now, err);
}

static void rescore_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct run *run = (struct run *)job;

	if (result != STORE_COMMITTED) {
		http_problem(run->request, result == STORE_FAILED ? 503 : 500, err->text, NULL);
		free(run);
		return;
	}
	add(run);
	run->fact.after = run->now.after;
	if (run->now.mails < run->fact.max) {
		run->fact.after = 0;
		run->fact.bucket++;
	}
	if (run->fact.bucket == BUCKETS) {
		answer(run);
		free(run);
		return;
	}
	submit(run);
}

static void submit(struct run *run)
{
	run->job = (struct store_job){ .run = rescore_run, .done = rescore_done };
	if (store_submit(decide_store(run->decide), &run->job, STORE_NORMAL) == 0)
		return;
	http_problem(run->request, 503, "nothing can be written now; see `nurturectl status`, then give the same command again", NULL);
	free(run);
}

/* "2026-11-22T03:21:35Z", "2026-11-22", or so long ago: "30 days". */
static int read_since(const char *text, int64_t now, int64_t *out)
{
	int64_t ago;

	if (text_time_parse(text, out) == 0)
		return 0;
	if (text_duration(text, &ago, NULL) < 0)
		return -1;
	*out = now - ago;
	return 0;
}

void hits_rescore(struct decide *decide, struct http_request *r)
{
	struct slice body = http_body(r);
	json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *since = json_string_value(json_object_get(json, "since"));
	struct run *run = xcalloc(1, sizeof(*run));

	run->decide = decide;
	run->request = r;
	run->fact = (struct rescore){ .max = BATCH, .at = clock_now() };
	if (since && read_since(since, run->fact.at, &run->fact.since) < 0) {
		http_problem(r, 422, "`since` is no time; write it like 2026-11-22T03:21:35Z, or 30 days", NULL);
		free(run);
	} else {
		submit(run);
	}
	json_decref(json);
}
