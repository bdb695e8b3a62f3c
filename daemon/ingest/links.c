/*
 * links.c: opens and clicks. The picture of an open goes out first, whatever the token is. A click is
 * recorded, and goes where our own rows say that the link of that mail led: never to anything that the
 * request names.
 *
 * When the store takes no more (full disk), and for tokens that have expired, a click still leads on, by
 * the reader's rows alone.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/rows.h"

#include "parts.h"

METRIC(opens, COUNTER, "nurtured_hits_total", "kind=\"open\"", "Opens and clicks that came in.");
METRIC(clicks, COUNTER, "nurtured_hits_total", "kind=\"click\"", "Opens and clicks that came in.");

/* Alone on the heap for opens (their request is answered), in the request's arena for clicks. */
struct hit_call {
	struct call call;
	struct hit_fact fact;
	struct hit_result result;
	char token[TOKEN_TEXT];
	char ip[48];
	char agent[AGENT_MAX + 1];
};

static void read_hit(
	struct hit_call *c, struct http_request *r, const struct token *token, char kind, int64_t now)
{
	const char *agent = read_header(r, "User-Agent", AGENT_MAX);

	memcpy(c->agent, agent, strlen(agent) + 1);
	memcpy(c->ip, http_ip(r), strlen(http_ip(r)) + 1);
	c->fact = (struct hit_fact){.delivery = token->id,
		.kind = kind,
		.link = token->link,
		.ip = c->ip,
		.agent = c->agent,
		.traits = (http_method(r) == HTTP_HEAD ? HIT_HEAD : 0) | (http_header(r, "Accept") ? HIT_ACCEPT : 0) |
			  (http_header(r, "Accept-Language") ? HIT_LANGUAGE : 0),
		.at = now};
}

static int hit_run(struct store_job *job, struct db *db, struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;

	return on_hit(c->call.in->decide, db, &c->fact, &c->result, err);
}

/* --- opens ----------------------------------------------------------------------------------- */

static void open_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;

	if (result != STORE_COMMITTED)
		log_warn("open.lost", L_ID("delivery", "del", c->fact.delivery), L_STR("error", err->text));
	call_end(&c->call);
	free(c);
}

void open_get(void *ctx, struct http_request *r)
{
	/* 1 x 1, transparent */
	static const uint8_t gif[43] = {
		'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4,
		1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
	};
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct token token;
	struct hit_call *c = NULL;

	if (read_token(in, r, TOKEN_OPEN, ".gif", now, &token, NULL) == 0) {
		c = call_new_alone(in, sizeof(*c));
		c->call.job.run = hit_run;
		c->call.job.done = open_done;
		read_hit(c, r, &token, 'o', now);
	}
	http_set_header(r, "Cache-Control", "no-store, private");
	http_reply(r, 200, "image/gif", gif, sizeof(gif));
	if (!c)
		return;
	metric_add(&metric_opens, 1);
	if (store_submit(in->store, &c->call.job, STORE_NORMAL) < 0) {
		call_end(&c->call);
		free(c);
	}
}

/* --- clicks ---------------------------------------------------------------------------------- */

/*
 * Where nurture.js runs, the page learns of whose mail it was opened from: `nurtured=TOKEN` joins the
 * query.
 */
static void with_token(struct buf *out, const struct plan *plan, const char *url, const char *token)
{
	size_t n = strcspn(url, "#");

	buf_add(out, url, n);
	if (*token && origin_is_site(plan, url))
		buf_printf(out, "%cnurtured=%s", memchr(url, '?', n) ? '&' : '?', token);
	buf_str(out, url + n);
}

static bool is_web(const char *url)
{
	return (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0) &&
	       !strpbrk(url, " \r\n\t");
}

static void lead_on(struct http_request *r, const struct plan *plan, const char *url, const char *token)
{
	struct buf to = BUF_INIT;

	if (!is_web(url)) {
		page_problem(r, plan, 404, "No such link",
			"This link is not known here. It may have been cut off on its way.");
		return;
	}
	with_token(&to, plan, url, token);
	http_set_header(r, "Referrer-Policy", "no-referrer");
	http_set_header(r, "X-Robots-Tag", "noindex, nofollow");
	http_redirect(r, 302, buf_cstr(&to));
	buf_clear(&to);
}

/* Read only: where did link `fact.link` of that mail lead? */
static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct arena *arena = arena_new(0);
	struct delivery mail;
	const char *url;
	int found = deliveries_find(db, c->fact.delivery, arena, &mail, err);

	if (found == 1)
		found = links_find(db, mail.template, c->fact.link, mail.done ? mail.done : c->fact.at, arena,
			&url, err);
	if (found == 1 && strlen(url) < sizeof(c->result.url)) {
		memcpy(c->result.url, url, strlen(url) + 1);
		c->result.found = true;
	}
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct call call = c->call;

	if (!call_done(&call, result, err))
		return;
	lead_on(call.r, call.plan, c->result.found ? c->result.url : "", "");
	call_end(&call);
}

static void look_only(struct hit_call *c)
{
	memset(&c->call.job, 0, sizeof(c->call.job));
	memset(&c->result, 0, sizeof(c->result));
	c->call.job.run = look_run;
	c->call.job.done = look_done;
	call_read(&c->call);
}

static void click_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct call call = c->call;

	if (result != STORE_COMMITTED) {
		log_warn("click.lost", L_ID("delivery", "del", c->fact.delivery), L_STR("error", err->text));
		look_only(c);
		return;
	}
	lead_on(call.r, call.plan, c->result.found ? c->result.url : "", c->token);
	call_end(&call);
}

void click_get(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct token token;
	struct hit_call *c;
	bool fresh = read_token(in, r, TOKEN_CLICK, "", now, &token, NULL) == 0;

	/* at time 0 no token has expired */
	if (!fresh && read_token(in, r, TOKEN_CLICK, "", 0, &token, NULL) < 0) {
		lead_on(r, ingest_plan(in), "", "");
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->call.job.run = hit_run;
	c->call.job.done = click_done;
	read_hit(c, r, &token, 'c', now);
	memcpy(c->token, http_rest(r), TOKEN_TEXT);
	text_lower(c->token);
	metric_add(&metric_clicks, 1);
	if (!fresh || store_submit(in->store, &c->call.job, STORE_NORMAL) < 0)
		look_only(c);
}
