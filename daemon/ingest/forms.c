/*
 * forms.c: POST /v1/forms/FORM: somebody signs up.
 *
 * In this order: the origin, the body, its fields (all errors at once), the trap for robots, the rates, the
 * store. The answer goes out after the commit. Beside what the form declares a post may carry `email`,
 * `language`, `timezone`, `anonymousId`, `page` and the trap.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/zone.h"

#include "parts.h"

#define ANONYMOUS_MAX 64
#define PAGE_MAX 500

METRIC(trapped, COUNTER, "nurtured_signups_total", "result=\"trapped\"", "Sign-ups by result.");
METRIC(limited, COUNTER, "nurtured_signups_total", "result=\"limited\"", "Sign-ups by result.");
METRIC(invalid, COUNTER, "nurtured_signups_total", "result=\"invalid\"", "Sign-ups by result.");

struct signup_call {
	struct call call;
	const struct form *form;
	struct body body;
	struct body errors;		/* field and message */
	struct address address;
	struct signup fact;
	struct signup_result result;
	struct pair fields[BODY_PAIRS];
	const char *network;
	bool trapped;
};

static void wrong(struct signup_call *c, const char *field, const char *message)
{
	struct arena *arena = http_arena(c->call.r);
	size_t i;

	for (i = 0; i < c->errors.count; i++)
		if (strcmp(c->errors.pairs[i].name, field) == 0)
			return;		/* one message a field is enough */
	if (!c->errors.pairs)
		c->errors.pairs = arena_calloc(arena, 3 * BODY_PAIRS, sizeof(*c->errors.pairs));
	if (c->errors.count < 3 * BODY_PAIRS)
		c->errors.pairs[c->errors.count++] = (struct pair){ field, message };
}

/* --- fields ---------------------------------------------------------------------------------- */

static const struct field *declared(
	const struct plan *plan, const struct form *form, const char *name, size_t *at_out)
{
	size_t i;

	for (i = 0; i < form->field_count; i++) {
		const struct field *f = &plan->fields[form->fields[i]];

		if (strcmp(f->name, name) == 0) {
			*at_out = i;
			return f;
		}
	}
	return NULL;
}

static void take_field(struct signup_call *c, const struct field *field, const struct pair *pair)
{
	const char *problem, *value;
	size_t i;

	if (!pair->value) {
		wrong(c, pair->name, "must be text, a number, or true or false");
		return;
	}
	for (i = 0; i < c->fact.field_count; i++)
		if (strcmp(c->fields[i].name, field->name) == 0)
			wrong(c, pair->name, "was given twice");
	value = field_value(http_arena(c->call.r), field->type, pair->value, &problem);
	if (!value)
		wrong(c, pair->name, problem);
	else if (*value)
		c->fields[c->fact.field_count++] = (struct pair){ field->name, value };
}

static void take_email(struct signup_call *c, const struct pair *pair)
{
	struct err err;

	if (c->address.key[0])
		wrong(c, "email", "was given twice");
	else if (!pair->value || !*pair->value)
		wrong(c, "email", "is needed");
	else if (address_parse(pair->value, &c->address, &err) < 0)
		wrong(c, "email", arena_strdup(http_arena(c->call.r), err.text));
}

/* A visitor's id as nurture.js or Segment makes them; NULL if it is none. */
static const char *visitor(const char *s)
{
	size_t n = s ? strlen(s) : 0, i;

	for (i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			return NULL;
	return n >= 8 && n <= ANONYMOUS_MAX ? s : NULL;
}

/* Not of the form, but ours: false if it is neither. */
static bool take_own(struct signup_call *c, const struct pair *pair)
{
	struct arena *arena = http_arena(c->call.r);
	const char *value = pair->value ? pair->value : "";

	if (strcmp(pair->name, "language") == 0)
		c->fact.language = field_language(arena, value);
	else if (strcmp(pair->name, "timezone") == 0)
		c->fact.timezone = zone_find(value) ? value : "";
	else if (strcmp(pair->name, "anonymousId") == 0)
		c->fact.anonymous_id = visitor(value);
	else if (strcmp(pair->name, "page") == 0)
		c->fact.page = value;
	else
		return false;
	return true;
}

static void take_pair(struct signup_call *c, const struct pair *pair)
{
	const struct field *field;
	size_t at;

	if (strcmp(pair->name, "email") == 0) {
		take_email(c, pair);
		return;
	}
	field = declared(c->call.plan, c->form, pair->name, &at);
	if (field)
		take_field(c, field, pair);
	if (c->form->honeypot && strcmp(pair->name, c->form->honeypot) == 0 && !field)
		c->trapped = c->trapped || !pair->value || *pair->value;
	else if (!take_own(c, pair) && !field)
		wrong(c, pair->name, "is not a field of this form");
}

static void check_required(struct signup_call *c)
{
	size_t i, k;

	if (!c->address.key[0])
		wrong(c, "email", "is needed");
	for (i = 0; i < c->form->field_count; i++) {
		const char *name = c->call.plan->fields[c->form->fields[i]].name;

		for (k = 0; k < c->fact.field_count && strcmp(c->fields[k].name, name) != 0; k++)
			;
		if (c->form->required[i] && k == c->fact.field_count)
			wrong(c, name, "is needed");
	}
}

/* An http or https URL without its query and fragment, which may carry what is no business of ours. */
static const char *page_of(struct arena *arena, const char *url)
{
	if (!url || (!text_starts_with(url, "http://") && !text_starts_with(url, "https://")))
		return "";
	return read_text(arena, arena_strndup(arena, url, strcspn(url, "?#")), PAGE_MAX);
}

static void read_fact(struct signup_call *c)
{
	struct http_request *r = c->call.r;
	struct arena *arena = http_arena(r);
	size_t i;

	c->fact = (struct signup){.form = c->form->name,
		.address = &c->address,
		.fields = c->fields,
		.ip = http_ip(r),
		.language = "",
		.timezone = "",
		.at = clock_now()};
	c->fact.agent = read_header(r, "User-Agent", AGENT_MAX);
	for (i = 0; i < c->body.count; i++)
		take_pair(c, &c->body.pairs[i]);
	check_required(c);
	if (!*c->fact.language)
		c->fact.language = field_language(arena, http_header(r, "Accept-Language"));
	c->fact.page = page_of(arena, c->fact.page ? c->fact.page : http_header(r, "Referer"));
}

/* --- answers --------------------------------------------------------------------------------- */

static void accept(struct http_request *r, const struct plan *plan, const struct form *form, int64_t id)
{
	char text[100], consent[ID_TEXT];
	struct page *page;

	if (!http_wants_html(r)) {
		snprintf(text, sizeof(text), "{\"id\":\"%s\",\"status\":\"accepted\"}\n",
			id_text("con", id, consent));
		http_reply(r, 202, "application/json", text, strlen(text));
	} else if (form->thanks && origin_redirect_allowed(plan, form->thanks)) {
		http_redirect(r, 303, form->thanks);
	} else {
		page = page_new(r, plan, "thanks", "Thank you");
		page_set(page, "message",
			value_text(
				form->confirm_double	/* the same for everybody: who is known to us is nobody's business */
					? "Please look into your mailbox. If your address is new to us, there is a mail "
					  "that asks you to confirm it; else what you asked for is on its way."
					: "We have received your details. A mail is on its way to you."));
		page_send(page, 200);
	}
}

static void refuse_fields(struct signup_call *c)
{
	struct buf errors = BUF_INIT;
	size_t i;

	metric_add(&metric_invalid, 1);
	if (http_wants_html(c->call.r)) {
		signup_page_send(c->call.r, c->call.plan, c->form, 422, "Please look at what is marked.",
			&c->body, &c->errors);
		return;
	}
	for (i = 0; i < c->errors.count; i++)
		add_field_error(&errors, c->errors.pairs[i].name, c->errors.pairs[i].value);
	buf_char(&errors, ']');
	http_problem(c->call.r, 422, "Some fields are not as they must be; `errors` says which.",
		buf_cstr(&errors));
	buf_clear(&errors);
}

static void refuse_rate(struct signup_call *c, int64_t wait)
{
	char seconds[24];

	metric_add(&metric_limited, 1);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait / US_SECOND + 1));
	http_set_header(c->call.r, "Retry-After", seconds);
	page_problem(c->call.r, c->call.plan, 429, "Too many sign-ups",
		"Too many sign-ups came from you or for this address. Please try again later.");
}

/* --- the store ------------------------------------------------------------------------------- */

static int signup_run(struct store_job *job, struct db *db, struct err *err)
{
	struct signup_call *c = (struct signup_call *)job;

	return on_signup(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void give_back(const struct signup_call *c)
{
	rates_give(c->call.in->rates, c->form->name, c->network, c->form->per_ip, c->fact.at);
	rates_give(c->call.in->rates, c->form->name, c->address.key, c->form->per_address, c->fact.at);
}

static void signup_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct signup_call *c = (struct signup_call *)job;
	struct call call = c->call;

	CRASH_POINT("signup.after_commit_before_reply");
	if (result != STORE_COMMITTED || c->result.repeated)
		give_back(c);	/* who tries again does no more than who succeeds at once */
	if (!call_done(&c->call, result, err))
		return;
	accept(call.r, call.plan, c->form, c->result.id);
	call_end(&call);
}

/* Both have a turn left, or none is taken. */
static bool take_turns(struct signup_call *c, int64_t *wait)
{
	struct rates *rates = c->call.in->rates;
	char network[48];

	c->network = arena_strdup(http_arena(c->call.r), rates_network(c->fact.ip, network));
	if (!rates_take(rates, c->form->name, c->network, c->form->per_ip, c->fact.at, wait))
		return false;
	if (rates_take(rates, c->form->name, c->address.key, c->form->per_address, c->fact.at, wait))
		return true;
	rates_give(rates, c->form->name, c->network, c->form->per_ip, c->fact.at);
	return false;
}

/* false: answered, the call is to be ended. */
static bool judge(struct signup_call *c)
{
	struct http_request *r = c->call.r;
	const char *key;
	int64_t wait;
	int given;

	if (read_body(r, c->call.plan, &c->body) < 0)
		return false;
	given = read_key(r, &key);
	if (given < 0)
		return false;
	read_fact(c);
	if (c->trapped) {
		metric_add(&metric_trapped, 1);
		accept(r, c->call.plan, c->form,
			id_new(c->address.key[0] ? c->address.bucket : 0, c->fact.at));
		return false;
	}
	if (c->errors.count) {
		refuse_fields(c);
		return false;
	}
	if (!take_turns(c, &wait)) {
		refuse_rate(c, wait);
		return false;
	}
	c->fact.key = arena_printf(http_arena(r), "form/%s/%s%s", c->form->name, given ? "" : "body:",
		given ? key : body_digest(http_arena(r), &c->body));
	return true;
}

void form_post(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct plan *plan = ingest_plan(in);
	const struct form *form = plan_form(plan, http_rest(r));
	struct signup_call *c;
	struct call call;

	if (!form) {
		page_problem(r, plan, 404, "No such form", "There is no form of that name.");
		return;
	}
	if (http_method(r) == HTTP_OPTIONS) {
		origin_preflight(r, plan, form);
		return;
	}
	if (!origin_allowed(r, plan, form)) {
		page_problem(r, plan, 403, "Not from there",
			"Pages of this origin may not post here; allow_origin of the form says which may.");
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->form = form;
	c->call.job.run = signup_run;
	c->call.job.done = signup_done;
	call = c->call;
	if (judge(c))
		call_write(&c->call, STORE_FIRST);
	else
		call_end(&call);
}
