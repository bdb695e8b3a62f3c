/*
 * sales.c: what sales says of a lead: by an answer link of an alert (/s/T: GET shows a page with a button,
 * POST acts) or by a program (POST /v1/outcomes with the API key).
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "parts.h"

#define REASON_MAX 500
#define AMOUNT_MAX 1e12

struct sales_call {
	struct call call;
	struct sales_outcome fact;
	struct sales_result result;
};

static const struct {
	const char *name, *other, *question, *done;
} answers[] = {
	[ANSWER_ACCEPT] = {"accept", "accepted", "You take this lead.", "Thank you. The lead is yours."},
	[ANSWER_REJECT] = {"reject", "rejected",
		"This lead is not a fit. Please say why: it teaches the scores.",
		"Thank you. We go on nurturing."},
	[ANSWER_WON] = {"won", "won", "You won. How much is it worth?", "Congratulations, and thank you."},
	[ANSWER_LOST] = {"lost", "lost", "This lead is lost. Please say why: it teaches the scores.",
		"Thank you. It is noted."},
};

static bool is_answer(int n)
{
	return n >= ANSWER_ACCEPT && n <= ANSWER_LOST;
}

/* --- answer links ---------------------------------------------------------------------------- */

static void sales_page(
	const struct sales_call *c, const char *name, int status, const char *title, const char *message)
{
	struct http_request *r = c->call.r;
	struct arena *arena = http_arena(r);
	struct page *page = page_new(r, c->call.plan, name, title);
	struct value_builder *lead = value_build_object(arena);
	char id[ID_TEXT];

	value_put(lead, "id", value_text(arena_strdup(arena, id_text("led", c->fact.lead, id))));
	value_put(lead, "name", value_text(*c->result.name ? c->result.name : c->result.address));
	value_put(lead, "email", value_text(c->result.address));
	value_put(lead, "state", value_text(c->result.state));
	page_set(page, "lead", value_built(lead));
	page_set(page, "email", value_text(c->result.address));
	page_set(page, "answer", value_text(answers[c->fact.answer].name));
	page_set(page, "message", value_text(message));
	page_set(page, "action", value_text(http_path(r)));
	page_set(page, "token", value_text(http_rest(r)));
	page_send(page, status);
}

static void no_lead(struct http_request *r, const struct plan *plan)
{
	page_problem(r, plan, 404, "No such lead",
		"This lead is not known here. The link may have been cut off on its way.");
}

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct sales_call *c = (struct sales_call *)job;

	return look_lead(db, c->fact.lead, &c->result, err);
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct sales_call *c = (struct sales_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	if (c->result.found)
		sales_page(c, "sales-answer", 200, "Your answer", answers[c->fact.answer].question);
	else
		no_lead(call.r, call.plan);
	call_end(&call);
}

static int sales_run(struct store_job *job, struct db *db, struct err *err)
{
	struct sales_call *c = (struct sales_call *)job;

	return on_sales(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void sales_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct sales_call *c = (struct sales_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	if (c->result.found)
		sales_page(c, "sales-answered", 200, "Thank you", answers[c->fact.answer].done);
	else
		no_lead(call.r, call.plan);
	call_end(&call);
}

/* "12.500" is twelve thousand to half of Europe and twelve and a half to the rest: nobody should guess. */
static bool thousands(struct slice amount)
{
	const char *point = memchr(amount.data, '.', amount.len);

	return point && amount.len - (size_t)(point - amount.data) == 4;
}

/* -1: answered. */
static int read_answer(struct sales_call *c)
{
	struct http_request *r = c->call.r;
	struct slice amount;
	struct body body = { 0 };

	if (http_body(r).len && read_body(r, c->call.plan, &body) < 0)
		return -1;
	c->fact.reason = read_text(http_arena(r), body_get(&body, "reason"), REASON_MAX);
	amount = slice_trim(slice_of(body_get(&body, "amount")));
	if (c->fact.answer == ANSWER_WON && amount.len &&
		(thousands(amount) || text_double(arena_strndup(http_arena(r), amount.data, amount.len), &c->fact.amount) < 0 ||
			c->fact.amount < 0 || c->fact.amount > AMOUNT_MAX)) {
		page_problem(r, c->call.plan, 422, "Not an amount",
			"The amount is not a number such as 12500 or 12500.50. Please go back and correct "
			"it.");
		return -1;
	}
	return 0;
}

void sales_any(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct token token;
	struct sales_call *c;
	struct call call;
	struct err err;

	if (read_token(in, r, TOKEN_SALES, "", now, &token, &err) < 0 || !is_answer(token.link)) {
		if (strcmp(err.text, "expired") == 0)
			page_problem(r, ingest_plan(in), 410, "This link has expired",
				"Please record the outcome in your CRM.");
		else
			no_lead(r, ingest_plan(in));
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact = (struct sales_outcome){.lead = token.id,
		.answer = (enum lead_answer)token.link,
		.reason = "",
		.by = "link",
		.at = now};
	call = c->call;
	if (http_method(r) != HTTP_POST) {
		c->call.job.run = look_run;
		c->call.job.done = look_done;
		call_read(&c->call);
		return;
	}
	c->call.job.run = sales_run;
	c->call.job.done = sales_done;
	if (read_answer(c) < 0)
		call_end(&call);
	else
		call_write(&c->call, STORE_FIRST);
}

/* --- POST /v1/outcomes ----------------------------------------------------------------------- */

static void outcome_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct sales_call *c = (struct sales_call *)job;
	struct call call = c->call;
	char text[120], id[ID_TEXT];

	if (!call_done(&c->call, result, err))
		return;
	if (c->result.found) {
		snprintf(text, sizeof(text), "{\"lead\":\"%s\",\"state\":\"%s\"}\n",
			id_text("led", c->fact.lead, id), c->result.state);
		http_reply(call.r, 200, "application/json", text, strlen(text));
	} else {
		http_problem(call.r, 404, "There is no lead of that id.", NULL);
	}
	call_end(&call);
}

static int answer_of(const char *name)
{
	int i;

	for (i = ANSWER_ACCEPT; i <= ANSWER_LOST; i++)
		if (strcmp(name, answers[i].name) == 0 || strcmp(name, answers[i].other) == 0)
			return i;
	return 0;
}

/* Of a won lead the currency is kept with the reason, as "EUR" or "EUR, reason": amounts are numbers. */
static const char *with_currency(struct arena *arena, const char *currency, const char *reason)
{
	if (!currency)
		return reason;
	return *reason ? arena_printf(arena, "%s, %s", currency, reason) : arena_strdup(arena, currency);
}

static bool is_currency(const char *s)
{
	return strlen(s) == 3 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* The first thing that is wrong is said by field. */
static bool read_outcome(struct sales_call *c, json_t *json, struct buf *errors)
{
	struct arena *arena = http_arena(c->call.r);
	const char *lead = json_string_value(json_object_get(json, "lead")),
		   *outcome = json_string_value(json_object_get(json, "outcome"));
	const json_t *reason = json_object_get(json, "reason"), *amount = json_object_get(json, "amount"),
		     *currency = json_object_get(json, "currency");
	const char *key;
	json_t *v;

	json_object_foreach(json, key, v) {
		if (strcmp(key, "lead") && strcmp(key, "outcome") && strcmp(key, "reason") &&
			strcmp(key, "amount") && strcmp(key, "currency"))
			add_field_error(
				errors, key, "is not known; lead, outcome, reason, amount and currency are");
	}
	if (!lead || id_parse("led", lead, &c->fact.lead) < 0)
		add_field_error(errors, "lead", "must be the id of a lead: led_...");
	c->fact.answer = (enum lead_answer)(outcome ? answer_of(outcome) : 0);
	if (!c->fact.answer)
		add_field_error(errors, "outcome", "must be accepted, rejected, won or lost");
	if (reason && !json_is_string(reason) && !json_is_null(reason))
		add_field_error(errors, "reason", "must be text");
	if (amount && !json_is_null(amount) &&
		(!json_is_number(amount) || json_number_value(amount) < 0 ||
			json_number_value(amount) > AMOUNT_MAX))
		add_field_error(errors, "amount", "must be a number from 0");
	if (currency && !json_is_null(currency) &&
		(!json_is_string(currency) || !is_currency(json_string_value(currency))))
		add_field_error(errors, "currency", "must be three letters such as EUR");
	if (errors->len)
		return false;
	c->fact.amount = json_number_value(amount);
	c->fact.reason = read_text(arena, json_string_value(reason), REASON_MAX);
	c->fact.reason = with_currency(
		arena, c->fact.answer == ANSWER_WON ? json_string_value(currency) : NULL, c->fact.reason);
	return true;
}

static bool judge(struct sales_call *c)
{
	struct http_request *r = c->call.r;
	struct buf errors = BUF_INIT;
	const char *key = NULL;
	int given = read_key(r, &key);
	struct err err;
	json_t *json;
	bool good;

	if (given < 0)
		return false;
	json = body_json(http_body(r), &err);
	if (!json) {
		http_problem(r, 400, err.text, NULL);
		return false;
	}
	good = read_outcome(c, json, &errors);
	json_decref(json);
	if (good) {
		c->fact.key = given ? arena_printf(http_arena(r), "outcome/%s", key) : NULL;
	} else {
		buf_char(&errors, ']');
		http_problem(r, 422, "Some members are not as they must be; `errors` says which.",
			buf_cstr(&errors));
	}
	buf_clear(&errors);
	return good;
}

void outcome_post(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct plan *plan = ingest_plan(in);
	struct sales_call *c;
	struct call call;

	if (read_caller(r, plan) != CALLER_KNOWN) {
		refuse_caller(r, plan);
		return;
	}
	if (strcmp(http_content_type(r), "application/json") != 0) {
		http_problem(r, 415, "Send application/json.", NULL);
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact.by = "api";
	c->fact.at = clock_now();
	c->call.job.run = sales_run;
	c->call.job.done = outcome_done;
	call = c->call;
	if (judge(c))
		call_write(&c->call, STORE_FIRST);
	else
		call_end(&call);
}
