/*
 * consent.c: /u/T unsubscribes (RFC 8058), /y/T confirms a sign-up (double opt-in). GET shows a page with a
 * button and changes nothing, because scanners follow every link; POST acts.
 *
 * A mail provider's one-click POST carries List-Unsubscribe=One-Click and gets a short 200: no page, no
 * redirect, no cookie. Any other POST to the link unsubscribes too: who goes to that length means it.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crash.h"

#include "parts.h"

struct unsubscribe_call {
	struct call call;
	struct unsubscribe fact;
	struct unsubscribe_result result;
	bool one_click;
};

struct confirm_call {
	struct call call;
	struct confirmation fact;
	struct confirmation_result result;
};

static const char confirmed_before[] = "This sign-up was confirmed before. If you have unsubscribed since and want our mails again, please sign "
	"up again.";

static void unknown_link(struct http_request *r, const struct plan *plan, const char *how_else)
{
	page_problem(r, plan, 404, "No such link", how_else);
}

/* --- unsubscribe ----------------------------------------------------------------------------- */

#define CUT_OFF                                                                                              \
	"This link is not known here. It may have been cut off on its way. Please answer the mail with the " \
	"word unsubscribe instead."

const char *masked_address(struct arena *arena, const char *address)
{
	const char *at = strrchr(address, '@');

	return at && at > address ? arena_printf(arena, "%c***%s", address[0], at) : "";
}

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct unsubscribe_call *c = (struct unsubscribe_call *)job;

	return look_delivery(db, c->fact.delivery, &c->result, err);
}

/* Less instead of nothing, for who would rather have that. */
static const char *preferences_url(const struct unsubscribe_call *c)
{
	char token[TOKEN_TEXT];

	token_make(c->call.in->ring, TOKEN_PREFERENCES, c->result.prospect, 0, clock_now(), token);
	return arena_printf(http_arena(c->call.r), "/p/%s", token);
}

static void unsubscribe_page(
	const struct unsubscribe_call *c, const char *name, const char *title, const char *message)
{
	struct http_request *r = c->call.r;
	struct page *page = page_new(r, c->call.plan, name, title);

	page_set(page, "message", value_text(message));
	page_set(page, "action", value_text(http_path(r)));
	page_set(page, "token", value_text(http_rest(r)));
	page_in(page, c->result.language);
	if (c->result.found && c->result.prospect)
		page_set(page, "preferences_url", value_text(preferences_url(c)));
	if (c->result.found)
		page_set(page, "email", value_text(masked_address(http_arena(r), c->result.address)));
	page_send(page, 200);
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct unsubscribe_call *c = (struct unsubscribe_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	unsubscribe_page(c, "unsubscribe", "Unsubscribe", "One click, and you get no more mail from us.");
	call_end(&call);
}

static int unsubscribe_run(struct store_job *job, struct db *db, struct err *err)
{
	struct unsubscribe_call *c = (struct unsubscribe_call *)job;

	return on_unsubscribe(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void unsubscribe_done(struct store_job *job, enum store_result result, const struct err *err)
{
	static const char done[] = "You are unsubscribed.\n";
	struct unsubscribe_call *c = (struct unsubscribe_call *)job;
	struct call call = c->call;

	CRASH_POINT("unsubscribe.after_commit_before_reply");
	if (!call_done(&c->call, result, err))
		return;
	/* of somebody who was erased nothing is left to unsubscribe: that is what they want to hear, too */
	if (c->one_click)
		http_reply(call.r, 200, "text/plain", done, sizeof(done) - 1);
	else
		unsubscribe_page(c, "unsubscribed", "You are unsubscribed", "You get no more mail from us.");
	call_end(&call);
}

/* Broken bodies act as well: the token says enough. */
static bool is_one_click(struct http_request *r)
{
	const char *boundary = http_parameter(http_arena(r), http_header(r, "Content-Type"), "boundary"),
		   *value;
	struct body body;

	if (body_parse(http_arena(r), http_body(r), http_content_type(r), boundary, &body, NULL) != 0)
		return false;
	value = body_get(&body, "List-Unsubscribe");
	return value && strcasecmp(value, "One-Click") == 0;
}

void unsubscribe_any(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct token token;
	struct unsubscribe_call *c;

	if (read_token(in, r, TOKEN_UNSUBSCRIBE, "", now, &token, NULL) < 0) {
		unknown_link(r, ingest_plan(in), CUT_OFF);
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact.delivery = token.id;
	c->fact.at = now;
	if (http_method(r) != HTTP_POST) {
		unsubscribe_seen(in, r, &token, now);
		c->call.job.run = look_run;
		c->call.job.done = look_done;
		call_read(&c->call);
		return;
	}
	c->one_click = is_one_click(r);
	c->fact.how = c->one_click ? "one-click" : "page";
	c->fact.ip = http_ip(r);
	c->fact.agent = read_header(r, "User-Agent", AGENT_MAX);
	c->call.job.run = unsubscribe_run;
	c->call.job.done = unsubscribe_done;
	call_write(&c->call, STORE_FIRST);
}

/* --- confirm --------------------------------------------------------------------------------- */

static int confirm_run(struct store_job *job, struct db *db, struct err *err)
{
	struct confirm_call *c = (struct confirm_call *)job;

	return on_confirm(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void confirmed_page(const struct confirm_call *c)
{
	const struct plan *plan = c->call.plan;
	const struct form *form = plan_form(plan, c->result.form);
	struct page *page = page_new(c->call.r, plan, "confirmed", "Thank you");

	page_in(page, c->result.language);
	page_set(page, "answer", value_text(c->result.repeated ? "repeated" : form && form->download ? "download" : "done"));
	page_set(page, "message",
		value_text(c->result.repeated ? confirmed_before
			: form && form->download ? "Your address is confirmed. What you asked for is on its way to your "
						   "mailbox."
						 : "Your address is confirmed."));
	if (form && form->thanks && origin_redirect_allowed(plan, form->thanks))
		page_set(page, "next_url", value_text(form->thanks));
	page_send(page, 200);
}

static const char gone[] = "We do not know this sign-up any more. Please sign up again.";

static void confirm_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct confirm_call *c = (struct confirm_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	if (c->result.found)
		confirmed_page(c);
	else
		unknown_link(call.r, call.plan, gone);
	call_end(&call);
}

static int confirm_look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct confirm_call *c = (struct confirm_call *)job;

	return look_confirmation(db, c->fact.consent, &c->result, err);
}

/* The page with the button; nothing has changed. */
static void confirm_look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct confirm_call *c = (struct confirm_call *)job;
	struct call call = c->call;
	struct page *page;

	if (!call_done(&c->call, result, err))
		return;
	if (!c->result.found) {
		unknown_link(call.r, call.plan, gone);
	} else if (c->result.repeated) {
		confirmed_page(c);
	} else {
		page = page_new(call.r, call.plan, "confirm", "Please confirm");
		page_in(page, c->result.language);
		page_set(page, "message", value_text("One click confirms your address."));
		page_set(page, "action", value_text(http_path(call.r)));
		page_set(page, "token", value_text(http_rest(call.r)));
		page_send(page, 200);
	}
	call_end(&call);
}

void confirm_any(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct plan *plan = ingest_plan(in);
	int64_t now = clock_now();
	struct token token;
	struct confirm_call *c;
	struct err err;

	if (read_token(in, r, TOKEN_CONFIRM, "", now, &token, &err) < 0) {
		if (strcmp(err.text, "expired") == 0)
			page_problem(r, plan, 410, "This link has expired", "Please sign up again.");
		else
			unknown_link(
				r, plan, "This link is not known here. It may have been cut off on its way.");
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact = (struct confirmation){.consent = token.id,
		.ip = http_ip(r),
		.agent = read_header(r, "User-Agent", AGENT_MAX),
		.at = now};
	if (http_method(r) != HTTP_POST) {
		c->call.job.run = confirm_look_run;
		c->call.job.done = confirm_look_done;
		call_read(&c->call);
		return;
	}
	c->call.job.run = confirm_run;
	c->call.job.done = confirm_done;
	call_write(&c->call, STORE_FIRST);
}
