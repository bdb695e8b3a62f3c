/*
 * send_test.c: see send_test.h. A job of the store plans the mail; then its row is looked at now and then, until the relay has answered.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/id.h"
#include "base/loop.h"
#include "base/mem.h"
#include "decide/facts.h"
#include "store/rows.h"
#include "store/store.h"

#include "send_test.h"

#define DATA_MAX (64 * 1024)
#define LOOK_EACH (US_SECOND / 10)
#define LOOK_FOR (30 * US_SECOND)

struct send_test {
	struct store_job job;
	struct send_tests *tests;	/* NULL: the console is gone, the request answered */
	struct send_test *next;
	struct decide *decide;
	struct http_request *request;
	struct timer *timer;
	bool with_store;
	char *template, *who, *owner, *data;	/* who: "" if nobody's; owner: "" if the sender's */
	bool probe;			/* to our own reply address */
	struct address to;
	struct test_mail_result result;
	int64_t until;			/* clock_steady() */
	/* as it stands */
	enum delivery_state state;
	int code;
	char reply[512];
};

struct send_tests {
	struct loop *loop;
	struct decide *decide;
	struct send_test *first;	/* those that wait */
};

struct send_tests *send_tests_new(struct loop *loop, struct decide *decide)
{
	struct send_tests *tests = xcalloc(1, sizeof(*tests));

	tests->loop = loop;
	tests->decide = decide;
	return tests;
}

static void test_free(struct send_test *t)
{
	timer_free(&t->timer);
	free(t->template);
	free(t->who);
	free(t->owner);
	free(t->data);
	free(t);
}

/* Answered: it waits no more. */
static void leave(struct send_test *t)
{
	struct send_test **at = &t->tests->first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	test_free(t);
}

void send_tests_free(struct send_tests **tests)
{
	struct send_test *t, *next;

	if (!*tests)
		return;
	for (t = (*tests)->first; t; t = next) {
		next = t->next;
		http_problem(t->request, 503, "the daemon stops; the mail may still go out", NULL);
		t->tests = NULL;
		timer_free(&t->timer);
		if (!t->with_store)
			test_free(t);
	}
	free(*tests);
	*tests = NULL;
}

/* Its job is back. True: nobody waits for it any more. */
static bool is_left(struct send_test *t)
{
	t->with_store = false;
	if (t->tests)
		return false;
	test_free(t);
	return true;
}

/* --- how it stands ---------------------------------------------------------------------------------- */

static bool has_ended(const struct send_test *t)
{
	return t->state != DELIVERY_PLANNED && t->state != DELIVERY_SENDING && t->state != DELIVERY_DOT;
}

static void answer(struct send_test *t)
{
	struct buf out = BUF_INIT;
	json_t *json = json_pack("{s:o, s:o, s:o, s:s, s:i, s:o}",
		"delivery", answer_id("del", t->result.delivery),
		"template", answer_text(t->template),
		"to", answer_text(t->result.to.text),
		"state", delivery_state_names[t->state],
		"code", t->code,
		"reply", answer_text(t->reply));

	if (answer_give(&out, json, NULL) < 0)
		http_problem(t->request, 500, "the answer cannot be written", NULL);
	else
		http_reply(t->request, 200, "application/json", out.data, out.len);
	buf_clear(&out);
	leave(t);
}

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct send_test *t = (struct send_test *)job;
	struct arena *arena = arena_new(0);
	struct delivery row;
	int found = deliveries_find(db, t->result.delivery, arena, &row, err);

	if (found == 1) {
		t->state = row.state;
		t->code = row.code;
		snprintf(t->reply, sizeof(t->reply), "%s", row.reply);
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct send_test *t = (struct send_test *)job;

	if (is_left(t))
		return;
	if (result == STORE_COMMITTED && !has_ended(t) && clock_steady() < t->until)
		timer_set(t->timer, LOOK_EACH);
	else
		answer(t);
}

static void look(void *arg)
{
	struct send_test *t = arg;

	t->job = (struct store_job){ .run = look_run, .done = look_done };
	t->with_store = store_read(decide_store(t->decide), &t->job) == 0;
	if (!t->with_store)
		timer_set(t->timer, LOOK_EACH);
}

/* --- planning --------------------------------------------------------------------------------------- */

/* Whose it would be, by id or address. 1 0 -1 */
static int find_person(struct db *db, const char *who, int64_t *out, struct err *err)
{
	struct prospect row = { 0 };
	struct address address;
	struct arena *arena;
	int found;

	if (id_parse("pro", who, out) == 0)
		return 1;
	if (address_parse(who, &address, err) < 0)
		return -1;
	arena = arena_new(0);
	found = prospects_find_address(db, address.key, arena, &row, err);
	*out = row.id;
	arena_free(&arena);
	return found;
}

static int plan_run(struct store_job *job, struct db *db, struct err *err)
{
	struct send_test *t = (struct send_test *)job;
	struct test_mail fact = { .template = t->template, .to = t->probe ? NULL : &t->to, .owner = t->owner, .data = t->data, .at = clock_now() };
	int found = *t->who ? find_person(db, t->who, &fact.prospect, err) : 1;

	if (found < 0)
		return -1;
	if (!found) {
		snprintf(t->result.why_not, sizeof(t->result.why_not), "nobody here has that address or id");
		return 0;
	}
	return on_test_mail(t->decide, db, &fact, &t->result, err);
}

static void plan_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct send_test *t = (struct send_test *)job;

	if (is_left(t))
		return;
	if (result == STORE_COMMITTED && !*t->result.why_not) {
		t->until = clock_steady() + LOOK_FOR;
		timer_set(t->timer, LOOK_EACH);
		return;
	}
	if (result == STORE_COMMITTED)
		http_problem(t->request, 422, t->result.why_not, NULL);
	else
		http_problem(t->request, result == STORE_FAILED ? 503 : 400, err->text, NULL);
	leave(t);
}

/* A text, or nothing at all: whatever else it is, it was not meant to be nobody. */
static bool is_name(const json_t *value)
{
	return !value || json_is_string(value);
}

static char *name_of(const json_t *value)
{
	return xstrdup(value ? json_string_value(value) : "");
}

/* The body, into t. -1 has answered. */
static int read_wish(struct http_request *r, struct send_test *t)
{
	struct slice body = http_body(r);
	json_t *json = json_loadb(body.data ? body.data : "", body.len, JSON_REJECT_DUPLICATES, NULL), *data = json_object_get(json, "data");
	json_t *who = json_object_get(json, "prospect"), *owner = json_object_get(json, "owner");
	const char *to = json_string_value(json_object_get(json, "to"));
	char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;
	struct err err;
	int rc = -1;

	t->probe = json_is_true(json_object_get(json, "probe"));
	if (!is_name(who) || !is_name(owner) || !to == !t->probe || (data && !json_is_object(data)))
		http_problem(r, 400, "the body must be {\"to\": \"...\", \"prospect\": \"...\", \"owner\": \"...\", \"data\": {...}}; all but the first may be left out, and"
			" \"probe\": true stands in place of \"to\"", NULL);
	else if (to && address_parse(to, &t->to, &err) < 0)
		http_problem(r, 422, err.text, NULL);
	else if (text && strlen(text) > DATA_MAX)
		http_problem(r, 422, "the data is longer than 64 KiB", NULL);
	else
		rc = 0;
	if (rc == 0) {
		t->who = name_of(who);
		t->owner = name_of(owner);
		t->data = xstrdup(text ? text : "");
	}
	free(text);
	json_decref(json);
	return rc;
}

void send_tests_post(struct send_tests *tests, const char *template, struct http_request *r)
{
	struct send_test *t = xcalloc(1, sizeof(*t));

	t->decide = tests->decide;
	t->request = r;
	t->template = xstrdup(template);
	if (read_wish(r, t) < 0) {
		test_free(t);
		return;
	}
	t->job = (struct store_job){ .run = plan_run, .done = plan_done };
	if (store_submit(decide_store(t->decide), &t->job, STORE_NORMAL)) {
		http_problem(r, 503, "nothing can be written now; see `nurturectl status`", NULL);
		test_free(t);
		return;
	}
	t->with_store = true;
	t->timer = timer_new(tests->loop, look, t);
	t->tests = tests;
	t->next = tests->first;
	tests->first = t;
}
