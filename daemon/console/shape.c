/*
 * shape.c: see shape.h.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "decide/facts.h"
#include "store/store.h"

#include "shape.h"

struct shape_question {
	struct store_job job;
	struct decide *decide;
	struct http_request *request;
	char *name;
	bool resume, found;
	struct buf out;
};

static int run(struct store_job *job, struct db *db, struct err *err)
{
	struct shape_question *q = (struct shape_question *)job;

	buf_reset(&q->out);
	if (q->resume)
		return on_resume(q->decide, db, q->name, clock_now(), &q->found, err);
	return look_shape(q->decide, db, q->name, clock_now(), &q->out, err) < 0 ? -1 : 0;
}

static void question_free(struct shape_question *q)
{
	buf_clear(&q->out);
	free(q->name);
	free(q);
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct shape_question *q = (struct shape_question *)job;

	if (result != STORE_COMMITTED) {
		http_problem(q->request, result == STORE_FAILED ? 503 : 500, err->text, NULL);
		log_error("console.failed", L_STR("error", err->text));
	} else if (!q->resume) {
		http_reply(q->request, 200, "application/json", buf_cstr(&q->out), q->out.len);
	} else if (!q->found) {
		http_problem(q->request, 404, "nothing of that name is paused or slowed down; see `nurturectl domain`", NULL);
	} else {
		buf_str(&q->out, "{\"resumed\":");
		text_json(&q->out, q->name, strlen(q->name));
		buf_char(&q->out, '}');
		http_reply(q->request, 200, "application/json", buf_cstr(&q->out), q->out.len);
	}
	question_free(q);
}

static void ask(struct decide *decide, struct http_request *r, const char *name, bool resume)
{
	struct shape_question *q = xcalloc(1, sizeof(*q));

	*q = (struct shape_question){ .job = { .run = run, .done = done }, .decide = decide, .request = r, .name = xstrdup(name), .resume = resume };
	if (store_submit(decide_store(decide), &q->job, STORE_NORMAL) == 0)
		return;
	http_problem(r, 503, "nothing can be asked now; see `nurturectl status`", NULL);
	question_free(q);
}

void shape_show(struct decide *decide, struct http_request *r, const char *domain)
{
	ask(decide, r, domain, false);
}

void shape_post_resume(struct decide *decide, struct http_request *r)
{
	struct slice body = http_body(r);
	json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(json, "name"));

	if (name && *name)
		ask(decide, r, name, true);
	else
		http_problem(r, 400, "the body must be {\"name\": \"...\"}: a group, a sequence or a sender's domain", NULL);
	json_decref(json);
}
