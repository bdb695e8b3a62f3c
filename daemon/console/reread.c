/* reread.c: see reread.h. */
#include <stdlib.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "console/console.h"
#include "decide/facts.h"
#include "store/rows.h"
#include "store/store.h"

#include "reread.h"

static void give(struct http_request *r, json_t *json)
{
	struct buf out = BUF_INIT;

	if (answer_give(&out, json, NULL) < 0)
		http_problem(r, 500, "the answer cannot be written", NULL);
	else
		http_reply(r, 200, "application/json", out.data, out.len);
	buf_clear(&out);
}

/* --- which there are -------------------------------------------------------------------------------------- */

struct listing {
	struct store_job job;
	struct http_request *request;
	int64_t since;
	const char *class;
	int64_t *ids;
	size_t count;
};

static int list_run(struct store_job *job, struct db *db, struct err *err)
{
	struct listing *l = (struct listing *)job;

	free(l->ids);
	l->ids = NULL;
	return inbound_kept(db, l->since, l->class, &l->ids, &l->count, err);
}

static void list_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct listing *l = (struct listing *)job;
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++)
		json_array_append_new(list, answer_id("inb", l->ids[i]));
	if (result == STORE_COMMITTED) {
		give(l->request, list);
	} else {
		json_decref(list);
		http_problem(l->request, 503, err->text, NULL);
	}
	free(l->ids);
	free(l);
}

/* "2026-11-22T03:21:35Z", or so long ago: "30 days". */
static int read_since(const char *text, int64_t *out)
{
	int64_t ago;

	if (!text || text_time_parse(text, out) == 0)
		return 0;
	if (text_duration(text, &ago, NULL) < 0)
		return -1;
	*out = clock_now() - ago;
	return 0;
}

void reread_list(struct decide *decide, struct http_request *r)
{
	const char *class = http_query(r, "class");
	struct listing *l = xcalloc(1, sizeof(*l));

	l->job = (struct store_job){ .run = list_run, .done = list_done };
	l->request = r;
	l->class = class ? class : "";
	if (read_since(http_query(r, "since"), &l->since) < 0) {
		http_problem(r, 422, "`since` is no time; write it like 2026-11-22T03:21:35Z, or 30 days", NULL);
		free(l);
	} else if (store_submit(decide_store(decide), &l->job, STORE_NORMAL) < 0) {
		http_problem(r, 503, "the store takes nothing now", NULL);
		free(l);
	}
}

/* --- one of them ------------------------------------------------------------------------------------------ */

static void done(void *arg, const struct mail_change *c, const char *why)
{
	struct http_request *r = arg;

	if (!c)
		http_problem(r, 503, why, NULL);
	else if (!c->known)
		http_problem(r, 404, "no mail that came in has that id", NULL);
	else
		give(r, json_pack("{s:b, s:s, s:s, s:o, s:s, s:s}", "differs", c->differs, "was", c->was, "is", c->is, "prospect",
			answer_id("pro", c->prospect), "does", c->does, "stays", c->stays));
}

void reread_post(const struct console_options *options, struct http_request *r, const char *id)
{
	struct slice body = http_body(r);
	json_t *said = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	int64_t mail;

	if (id_parse("inb", id, &mail) < 0)
		http_problem(r, 404, "no mail that came in has that id; see `nurturectl mail list`", NULL);
	else if (!json_is_object(said))
		http_problem(r, 422, "a reading is an object", NULL);
	else if (options->reread(options->reread_arg, mail, said, http_query(r, "dry") != NULL, done, r) < 0)
		http_problem(r, 503, "it cannot be taken now", NULL);
	json_decref(said);
}
