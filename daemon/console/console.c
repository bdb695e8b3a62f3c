/*
 * console.c: see console.h. The routes, and the reads; what changes something is in act.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "config/plan.h"
#include "console/console.h"
#include "decide/facts.h"
#include "language/expression.h"
#include "store/store.h"

#include "act.h"
#include "key_ring.h"
#include "enroll.h"
#include "hits.h"
#include "lines.h"
#include "listing.h"
#include "mail_in.h"
#include "reread.h"
#include "plans.h"
#include "problems.h"
#include "send_test.h"
#include "sequences.h"
#include "shape.h"
#include "snapshot.h"
#include "view.h"

#define SOCKET_MODE 0660
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

METRIC(reload_ok, GAUGE, "nurtured_config_last_reload_successful", "",
	"1 when the last reload was taken over.");
METRIC(reload_time, GAUGE, "nurtured_config_last_reload_success_timestamp_seconds", "",
	"When a config was last taken over.");

struct console {
	struct http *http;
	struct decide *decide;
	struct snapshot *snapshot;
	struct enroll *enroll;
	struct send_tests *send_tests;
	struct console_options options;
	char *config;
	int64_t started;
};

void console_note_reload(bool successful)
{
	metric_set(&metric_reload_ok, successful);
	if (successful)
		metric_set(&metric_reload_time, clock_now() / US_SECOND);
}

/* --- reads ------------------------------------------------------------------------------------------ */

typedef int view_fn(const struct view_at *at, struct db *db, struct buf *out, struct err *err);

/* A request whose answer is read on the reader thread. */
struct look {
	struct store_job job;
	struct http_request *request;
	view_fn *view;
	const char *type;
	struct view_at at;
	struct plan *plan;
	struct expression *expression;	/* of `at`, or NULL */
	struct buf out, relays, mailboxes, part_metrics;
	int found;
};

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct look *l = (struct look *)job;

	buf_reset(&l->out);
	l->found = l->view(&l->at, db, &l->out, err);
	return l->found < 0 ? -1 : 0;
}

static void look_free(struct look *l)
{
	expression_free(&l->expression);
	plan_unref(&l->plan);
	buf_clear(&l->out);
	buf_clear(&l->relays);
	buf_clear(&l->mailboxes);
	buf_clear(&l->part_metrics);
	free(l);
}

static const char *not_found(const struct look *l)
{
	if (l->view == view_suppression)
		return "that address is not on the list";
	if (l->view == view_mail)
		return "no mail that came in has that id; see `nurturectl mail list`";
	if (l->view == view_mail_raw)
		return "no mail that came in has that id, or it is not kept any more (`keep.raw_mail`)";
	return "nobody here has that address or id";
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct look *l = (struct look *)job;

	if (result == STORE_FAILED)
		http_problem(l->request, 503, err->text, NULL);
	else if (result == STORE_REFUSED)
		http_problem(l->request, 400, err->text, NULL);
	else if (!l->found)
		http_problem(l->request, 404, not_found(l), NULL);
	else
		http_reply(l->request, 200, l->type, buf_cstr(&l->out), l->out.len);
	look_free(l);
}

/* argument: valid until the reply. */
static struct look *look_new(struct console *c, struct http_request *r, view_fn *view, const char *type, const char *argument)
{
	struct look *l = xcalloc(1, sizeof(*l));

	l->job = (struct store_job){ .run = look_run, .done = look_done };
	l->request = r;
	l->view = view;
	l->type = type;
	l->plan = plan_ref(decide_plan(c->decide));
	l->at = (struct view_at){
		.store = decide_store(c->decide),
		.plan = l->plan,
		.argument = argument,
		.explain = http_query(r, "explain") != NULL,
		.now = clock_now(),
		.started = c->started,
	};
	return l;
}

/* Takes it. */
static void look_submit(struct look *l)
{
	if (store_read(l->at.store, &l->job) == 0)
		return;
	http_problem(l->request, 503, "too many look-ups wait; try again in a moment", NULL);
	look_free(l);
}

static void look(struct console *c, struct http_request *r, view_fn *view, const char *type,
		const char *argument)
{
	look_submit(look_new(c, r, view, type, argument));
}

/* What is asked of the loop's parts is asked here, before the reader thread looks at the rest. */
static void look_at_parts(struct console *c, struct http_request *r, view_fn *view, const char *type)
{
	struct look *l = look_new(c, r, view, type, "");

	if (c->options.relays)
		c->options.relays(c->options.relays_arg, &l->relays, &l->part_metrics);
	else
		buf_str(&l->relays, "[]");
	if (c->options.mailboxes)
		c->options.mailboxes(c->options.mailboxes_arg, &l->mailboxes, &l->part_metrics);
	else
		buf_str(&l->mailboxes, "[]");
	l->at.relays = buf_cstr(&l->relays);
	l->at.mailboxes = buf_cstr(&l->mailboxes);
	l->at.part_metrics = buf_cstr(&l->part_metrics);
	look_submit(l);
}

static void get_status(void *ctx, struct http_request *r)
{
	look_at_parts(ctx, r, view_status, "application/json");
}

static void get_relays(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *name = http_query(r, "relay");
	struct buf out = BUF_INIT;
	int found = c->options.relay ? c->options.relay(c->options.relays_arg, name ? name : "", &out) : 0;

	if (found == 1)
		http_reply(r, 200, "application/json", buf_cstr(&out), out.len);
	else if (found == 0)
		http_problem(r, 404, "no relay has that name; `nurturectl relay` shows them all", NULL);
	else
		http_problem(r, 500, "the answer cannot be written", NULL);
	buf_clear(&out);
}

static void get_mailboxes(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	struct buf out = BUF_INIT;

	if (c->options.mailboxes_full && c->options.mailboxes_full(c->options.mailboxes_arg, &out) == 1)
		http_reply(r, 200, "application/json", buf_cstr(&out), out.len);
	else
		http_problem(r, 500, "the answer cannot be written", NULL);
	buf_clear(&out);
}

static void get_metrics(void *ctx, struct http_request *r)
{
	look_at_parts(ctx, r, view_metrics, METRICS_TYPE);
}

static void get_leads(void *ctx, struct http_request *r)
{
	look(ctx, r, view_leads, "application/json", "");
}

static void get_hits(void *ctx, struct http_request *r)
{
	struct buf what = BUF_INIT;

	if (text_percent_decode(http_rest(r), strlen(http_rest(r)), false, &what) < 0)
		http_problem(r, 404, "ask for /hits/{delivery, or id or address of a person}", NULL);
	else
		look(ctx, r, view_hits, "application/json", arena_strdup(http_arena(r), buf_cstr(&what)));
	buf_clear(&what);
}

static void post_rescore(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	hits_rescore(c->decide, r);
}

static void get_queue(void *ctx, struct http_request *r)
{
	static const char *const queues[] = { "due", "unknown", "deferred", "dead" };
	size_t i;

	for (i = 1; i < sizeof(queues) / sizeof(queues[0]); i++) {
		if (http_query(r, queues[i])) {
			look(ctx, r, view_queue, "application/json", queues[i]);
			return;
		}
	}
	look(ctx, r, view_queue, "application/json", queues[0]);
}

/* {id-or-address}, and what of them behind it */
static void get_prospect(void *ctx, struct http_request *r)
{
	static const struct {
		const char *rest;
		view_fn *view;
	} views[] = { { "", view_person }, { "/why", view_reasons }, { "/score", view_score }, { "/export", view_export } };
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/"), i;
	struct buf who = BUF_INIT;
	view_fn *view = NULL;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (strcmp(rest + n, views[i].rest) == 0)
			view = views[i].view;
	if (!view || !n || text_percent_decode(rest, n, false, &who) < 0)
		http_problem(r, 404, "ask for /prospects/{id-or-address}, or for its /why, /score or /export", NULL);
	else
		look(ctx, r, view, "application/json", arena_strdup(http_arena(r), buf_cstr(&who)));
	buf_clear(&who);
}

/* {id-or-address}/erase */
static void post_prospect(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	struct buf who = BUF_INIT;

	if (!n || strcmp(rest + n, "/erase") != 0 || text_percent_decode(rest, n, false, &who) < 0)
		http_problem(r, 404, "what may be posted is /prospects/{id-or-address}/erase", NULL);
	else
		act_erase(c->decide, r, buf_cstr(&who));
	buf_clear(&who);
}

static void prospect(void *ctx, struct http_request *r)
{
	if (http_method(r) == HTTP_POST)
		post_prospect(ctx, r);
	else
		get_prospect(ctx, r);
}

static void get_eval(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *text = http_query(r, "expr"), *who = http_query(r, "prospect");
	struct expression_error error;
	struct expression *e;
	struct look *l;

	if (!text || !who) {
		http_problem(r, 400, "which, and for whom? /eval?expr=...&prospect=...", NULL);
		return;
	}
	e = expression_compile(decide_plan(c->decide)->vocabulary, text, VALUE_NIL, 0, &error);
	if (!e) {
		problem_expression(text, &error, r);
		return;
	}
	l = look_new(c, r, view_eval, "application/json", who);
	l->expression = e;
	l->at.expression = e;
	look_submit(l);
}

static void suppressions(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *address = http_query(r, "address");

	if (http_method(r) == HTTP_POST)
		act_suppress(c->decide, r, false);
	else if (address)
		look(c, r, view_suppression, "application/json", address);
	else
		listing_page(c->decide, r);
}

static void post_import(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	listing_import(c->decide, r);
}

static void get_consents(void *ctx, struct http_request *r)
{
	look(ctx, r, view_consents, "application/json", "");
}

static void post_unsuppress(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	act_suppress(c->decide, r, true);
}

static void post_alert(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	act_replay(c->decide, r);
}

static void post_delivery(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	act_doubt(c->decide, r);
}

static void get_domains(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *domain = http_query(r, "domain");

	shape_show(c->decide, r, domain ? domain : "");
}

static void post_resume(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	shape_post_resume(c->decide, r);
}

/* --- health, reload --------------------------------------------------------------------------------- */

static void get_health(void *ctx, struct http_request *r)
{
	http_reply(r, 200, "application/json", "{\"ok\":true}", strlen("{\"ok\":true}"));
}

static void get_ready(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	struct err why = { .text = "" };

	if (store_ready(decide_store(c->decide), &why))
		get_health(ctx, r);
	else
		http_problem(r, 503, why.text, NULL);
}

static void get_sequences(void *ctx, struct http_request *r)
{
	look(ctx, r, view_sequences, "application/json", "");
}

/* {name} or {name}/enroll */
static void sequence(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	bool post = http_method(r) == HTTP_POST, enroll = strcmp(rest + n, "/enroll") == 0;
	struct buf name = BUF_INIT;

	if ((rest[n] && !enroll) || (post && !enroll) || text_percent_decode(rest, n, false, &name) < 0)
		http_problem(r, 404, "ask for /sequences/{name} or /sequences/{name}/enroll", NULL);
	else if (!enroll)
		sequences_show(c->decide, buf_cstr(&name), r);
	else if (post)
		enroll_post(c->enroll, buf_cstr(&name), r);
	else
		enroll_get(c->enroll, buf_cstr(&name), r);
	buf_clear(&name);
}

/* {name}/send-test */
static void post_template(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	struct buf name = BUF_INIT;

	if (!n || strcmp(rest + n, "/send-test") != 0 || text_percent_decode(rest, n, false, &name) < 0)
		http_problem(r, 404, "ask for /templates/{name}/send-test", NULL);
	else
		send_tests_post(c->send_tests, buf_cstr(&name), r);
	buf_clear(&name);
}

static void post_mail(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	mail_in_post(&c->options, r);
}

static void get_mails(void *ctx, struct http_request *r)
{
	look(ctx, r, view_mails, "application/json", "");
}

/* {id}/reading */
static void post_reading(struct console *c, struct http_request *r)
{
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");

	if (strcmp(rest + n, "/reading") != 0)
		http_problem(r, 404, "what may be posted is /mails/{id}/reading", NULL);
	else
		reread_post(&c->options, r, arena_strndup(http_arena(r), rest, n));
}

static void get_kept(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	reread_list(c->decide, r);
}

/* {id} or {id}/raw */
static void get_mail(void *ctx, struct http_request *r)
{
	const char *rest = http_rest(r);
	size_t n = strcspn(rest, "/");
	const char *id = arena_strndup(http_arena(r), rest, n);

	if (!rest[n])
		look(ctx, r, view_mail, "application/json", id);
	else if (strcmp(rest + n, "/raw") == 0)
		look(ctx, r, view_mail_raw, "application/octet-stream", id);
	else
		http_problem(r, 404, "ask for /mails/{id} or /mails/{id}/raw", NULL);
}

static void mail(void *ctx, struct http_request *r)
{
	if (http_method(r) == HTTP_POST)
		post_reading(ctx, r);
	else
		get_mail(ctx, r);
}

static void get_plan(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	plans_compare(c->decide, c->config, r);
}

static void get_keys(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	key_ring_list(c->decide, r);
}

static void post_keys(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	key_ring_rotate(c->decide, r);
}

static void post_reload(void *ctx, struct http_request *r)
{
	struct console *c = ctx;
	struct buf text = BUF_INIT, members = BUF_INIT;
	int rc = c->options.reload(c->options.reload_arg, &text);

	if (rc < 0) {
		lines_member(&members, "errors", buf_cstr(&text));
		http_problem(r, 422, "the config was refused; nothing has changed", buf_cstr(&members));
	} else {
		buf_str(&members, "{\"reloaded\":true,");
		lines_member(&members, "changes", buf_cstr(&text));
		buf_char(&members, '}');
		http_reply(r, 200, "application/json", members.data, members.len);
	}
	buf_clear(&text);
	buf_clear(&members);
}

static void post_snapshot(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	snapshot_make(c->snapshot, r);
}

static void post_remove_snapshot(void *ctx, struct http_request *r)
{
	struct console *c = ctx;

	snapshot_remove(c->snapshot, r);
}

/* --- the part --------------------------------------------------------------------------------------- */

static const struct http_route routes[] = {
	{ HTTP_GET, "/healthz", get_health },
	{ HTTP_GET, "/readyz", get_ready },
	{ HTTP_GET, "/metrics", get_metrics },
	{ HTTP_GET, "/status", get_status },
	{ HTTP_GET, "/relays", get_relays },
	{ HTTP_GET, "/mailboxes", get_mailboxes },
	{ HTTP_GET, "/queue", get_queue },
	{ HTTP_GET, "/leads", get_leads },
	{ HTTP_GET | HTTP_POST, "/prospects/", prospect },
	{ HTTP_GET, "/eval", get_eval },
	{ HTTP_GET, "/hits/", get_hits },
	{ HTTP_POST, "/hits/rescore", post_rescore },
	{ HTTP_GET, "/sequences", get_sequences },
	{ HTTP_GET | HTTP_POST, "/sequences/", sequence },
	{ HTTP_POST, "/templates/", post_template },
	{ HTTP_GET, "/domains", get_domains },
	{ HTTP_POST, "/resume", post_resume },
	{ HTTP_POST | HTTP_LARGE, "/mail", post_mail },
	{ HTTP_GET, "/mails", get_mails },
	{ HTTP_GET, "/kept-mails", get_kept },
	{ HTTP_GET | HTTP_POST, "/mails/", mail },
	{ HTTP_GET, "/plan", get_plan },
	{ HTTP_GET, "/consents/verify", get_consents },
	{ HTTP_GET | HTTP_POST, "/suppressions", suppressions },
	{ HTTP_POST, "/suppressions/remove", post_unsuppress },
	{ HTTP_POST | HTTP_LARGE, "/suppressions/import", post_import },
	{ HTTP_POST, "/alerts/", post_alert },
	{ HTTP_POST, "/deliveries/", post_delivery },
	{ HTTP_GET, "/keys", get_keys },
	{ HTTP_POST, "/keys/rotate", post_keys },
	{ HTTP_POST, "/reload", post_reload },
	{ HTTP_POST, "/snapshot", post_snapshot },
	{ HTTP_POST, "/snapshot/remove", post_remove_snapshot },
	{ 0, NULL, NULL },
};

int console_start(struct loop *loop, struct decide *decide, const struct console_options *options,
	struct console **out, struct err *err)
{
	struct console *c = xcalloc(1, sizeof(*c));
	struct http_options http = { .routes = routes, .ctx = c, .max_connections = 64, .max_large_body = MAIL_IN_MOST };

	c->decide = decide;
	c->options = *options;
	c->config = xstrdup(options->config ? options->config : "");
	c->started = clock_now();
	if (http_listen_unix(loop, &http, options->socket, SOCKET_MODE, &c->http, err) < 0) {
		free(c->config);
		free(c);
		return err_prefix(err, "control socket");
	}
	c->snapshot = snapshot_new(loop, decide);
	c->enroll = enroll_new(loop, decide);
	c->send_tests = send_tests_new(loop, decide);
	*out = c;
	return 0;
}

void console_stop(struct console **console)
{
	struct console *c = *console;

	if (!c)
		return;
	http_close(&c->http);
	snapshot_free(&c->snapshot);
	enroll_free(&c->enroll);
	send_tests_free(&c->send_tests);
	free(c->config);
	free(c);
	*console = NULL;
}
