/*
 * links.c: opens and clicks: answered first, recorded with the next commit (book.h). The picture of an open goes out whatever the token is. A click goes
 * where our own rows say that the link of that mail led: never to anything that the request names.
 *
 * When too many hits wait for the store, a click is answered when the store has taken it, and an open 503. When the store takes nothing (full disk), and
 * for tokens that have expired, a click still leads on.
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
#include "utm.h"

METRIC(opens, COUNTER, "nurtured_hits_total", "kind=\"open\"", "Opens and clicks that came in.");
METRIC(clicks, COUNTER, "nurtured_hits_total", "kind=\"click\"", "Opens and clicks that came in.");

struct hit_call {
	struct call call;
	struct hit_fact fact;
	struct hit_result result;
	bool fresh;		/* else its token has expired: it leads on, and is not recorded */
	char token[TOKEN_TEXT];
	char url[sizeof(((struct hit_result *)NULL)->url)];
};

/* What it says is borrowed of the request. */
static struct hit_fact read_hit(struct http_request *r, const struct token *token, char kind, int64_t now)
{
	return (struct hit_fact){
		.delivery = token->id,
		.kind = kind,
		.link = token->link,
		.traits = (http_method(r) == HTTP_HEAD ? HIT_HEAD : 0) | (http_header(r, "Accept") ? HIT_ACCEPT : 0) |
			  (http_header(r, "Accept-Language") ? HIT_LANGUAGE : 0),
		.ip = http_ip(r),
		.agent = read_header(r, "User-Agent", AGENT_MAX),
		.at = now,
	};
}

/* --- opens ----------------------------------------------------------------------------------- */

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

	if (read_token(in, r, TOKEN_OPEN, ".gif", now, &token, NULL) == 0) {
		struct hit_fact hit = read_hit(r, &token, 'o', now);

		if (!book_take(in->book, &hit)) {
			page_busy(r, ingest_plan(in));
			return;
		}
		metric_add(&metric_opens, 1);
	}
	http_set_header(r, "Cache-Control", "no-store, private");
	http_reply(r, 200, "image/gif", gif, sizeof(gif));
}

void unsubscribe_seen(struct ingest *in, struct http_request *r, const struct token *token, int64_t now)
{
	struct hit_fact hit = read_hit(r, token, 'u', now);

	/* it says something of other hits, and is nothing by itself: no room, no record */
	(void)book_take(in->book, &hit);
}

/* --- clicks ---------------------------------------------------------------------------------- */

/*
 * Where nurture.js runs, the page learns of whose mail it was opened from: `nurtured=TOKEN` joins the
 * query.
 */
static const char *with_token(struct arena *arena, const struct plan *plan, const char *url, const char *token)
{
	size_t n = strcspn(url, "#");
	char lower[TOKEN_TEXT];

	if (!*token || !origin_is_site(plan, url))
		return url;
	/* mail systems change the case of links */
	memcpy(lower, token, sizeof(lower));
	text_lower(lower);
	return arena_join(arena, arena_strndup(arena, url, n), memchr(url, '?', n) ? "&nurtured=" : "?nurtured=", lower, url + n);
}

static bool is_web(const char *url)
{
	return (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0) &&
	       !strpbrk(url, " \r\n\t");
}

static void lead_on(struct http_request *r, const struct plan *plan, const char *url, const char *token)
{
	if (!is_web(url)) {
		page_problem(r, plan, 404, "No such link",
			"This link is not known here. It may have been cut off on its way.");
		return;
	}
	url = with_token(http_arena(r), plan, url, token);
	http_set_header(r, "Referrer-Policy", "no-referrer");
	http_set_header(r, "X-Robots-Tag", "noindex, nofollow");
	http_redirect(r, 302, url);
}

static void click_lost(const struct hit_call *c, const char *why)
{
	log_warn("click.lost", L_ID("delivery", "del", c->fact.delivery), L_STR("error", why));
}

static int record_run(struct store_job *job, struct db *db, struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;

	return on_hit(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void record_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct call call = c->call;

	if (result != STORE_COMMITTED)
		click_lost(c, err->text);
	lead_on(call.r, call.plan, c->url, c->token);
	call_end(&call);
}

/* It is known where it leads. */
static void follow(struct hit_call *c)
{
	struct call call = c->call;

	if (*c->url && c->fresh && (!call.in->book || !book_take(call.in->book, &c->fact))) {
		memset(&c->call.job, 0, sizeof(c->call.job));
		c->call.job.run = record_run;
		c->call.job.done = record_done;
		if (store_submit(call.in->store, &c->call.job, STORE_NORMAL) == 0)
			return;
		click_lost(c, "too many wait to be recorded, and the store takes no more");
	}
	lead_on(call.r, call.plan, c->url, c->fresh ? c->token : "");
	call_end(&call);
}

/* Where our rows say that it led; the page that nobody should see leads home. */
static int find_url(struct hit_call *c, struct db *db, struct arena *arena, struct buf *out, struct err *err)
{
	const struct plan *plan = c->call.plan;
	const struct sequence *sequence;
	struct delivery mail;
	const char *url;
	int found = deliveries_find(db, c->fact.delivery, arena, &mail, err);

	if (found <= 0)
		return found;
	if (c->fact.link == HIT_HONEYPOT) {
		buf_str(out, plan->operator.listen.public_url);
		return 1;
	}
	found = links_find(db, mail.template, c->fact.link, mail.done ? mail.done : c->fact.at, arena, &url, err);
	if (found <= 0)
		return found;
	sequence = *mail.sequence ? plan_sequence(plan, mail.sequence) : NULL;
	utm_merge(out, url, sequence ? &sequence->utm : &plan->utm);
	return 1;
}

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct arena *arena = arena_new(0);
	struct buf url = BUF_INIT;
	int found = find_url(c, db, arena, &url, err);

	if (found == 1 && url.len < sizeof(c->url))
		memcpy(c->url, buf_cstr(&url), url.len + 1);
	buf_clear(&url);
	arena_free(&arena);
	return found < 0 ? -1 : 0;
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct hit_call *c = (struct hit_call *)job;
	struct call call = c->call;

	if (!call_done(&call, result, err))
		return;
	if (*c->url && call.in->book)
		book_note_url(call.in->book, c->fact.delivery, c->fact.link, c->url);
	follow(c);
}

void click_get(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct plan *plan = ingest_plan(in);
	const char *url;
	struct token token;
	struct hit_call *c;
	struct hit_fact hit;
	bool fresh = read_token(in, r, TOKEN_CLICK, "", now, &token, NULL) == 0;

	/* at time 0 no token has expired */
	if (!fresh && read_token(in, r, TOKEN_CLICK, "", 0, &token, NULL) < 0) {
		lead_on(r, plan, "", "");
		return;
	}
	metric_add(&metric_clicks, 1);
	hit = read_hit(r, &token, 'c', now);
	url = book_url(in->book, token.id, token.link);
	if (url && fresh && book_take(in->book, &hit)) {
		lead_on(r, plan, url, http_rest(r));
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact = hit;
	c->fresh = fresh;
	memcpy(c->token, http_rest(r), TOKEN_TEXT);
	c->call.job.run = look_run;
	c->call.job.done = look_done;
	call_read(&c->call);
}
