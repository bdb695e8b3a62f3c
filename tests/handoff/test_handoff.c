/*
 * handoff: from the row in the outbox to the row that says what came of it, with a real store and a real
 * receiver on loopback.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <cmocka.h>

#include "with_decide.h"

#include "handoff/handoff.h"

#include "base/signature.h"

#define ANSWERS_MAX 64
#define OPERATOR "allow_private: [127.0.0.0/8]\n"

struct hook {
	struct world world;
	struct handoff *handoff;
	struct evhttp *http;
	char url[64], alerts[160];
	int answers[ANSWERS_MAX];	/* status to give to the n-th request; 0: none, it is held */
	int hits, badly_signed;
	char ids[ANSWERS_MAX][ID_TEXT];
	struct evhttp_request *held[ANSWERS_MAX];
	int held_count;
	int wait_hits;			/* hits at which the loop ends */
};

static void check_signature(struct hook *h, struct evhttp_request *r, const char *body, size_t n)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(r);
	const char *seconds = evhttp_find_header(in, "webhook-timestamp"),
		   *given = evhttp_find_header(in, "webhook-signature");
	const char *id = evhttp_find_header(in, "webhook-id");
	struct buf key = BUF_INIT, want = BUF_INIT;
	struct err err;

	assert_int_equal(signature_key(WORLD_SECRET, &key, &err), 0);
	signature_make((struct slice){ key.data, key.len }, id, strtoll(seconds, NULL, 10),
		(struct slice){ body, n }, &want);
	h->badly_signed += strcmp(given, buf_cstr(&want)) != 0;
	snprintf(h->ids[h->hits], ID_TEXT, "%s", id);
	buf_clear(&key);
	buf_clear(&want);
}

static void receive_cb(struct evhttp_request *r, void *arg)
{
	struct hook *h = arg;
	struct evbuffer *in = evhttp_request_get_input_buffer(r);
	int status = h->answers[h->hits];

	assert_true(h->hits < ANSWERS_MAX);
	check_signature(h, r, (const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
	h->hits++;
	if (status)
		evhttp_send_reply(r, status, "Whatever", NULL);
	else
		h->held[h->held_count++] = r;
	if (h->hits == h->wait_hits)
		loop_stop(h->world.loop);
}

static void receiver_start(struct hook *h, int port)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	h->http = evhttp_new(loop_base(h->world.loop));
	evhttp_set_gencb(h->http, receive_cb, h);
	bound = evhttp_bind_socket_with_handle(h->http, "127.0.0.1", (ev_uint16_t)port);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&in, &n), 0);
	snprintf(h->url, sizeof(h->url), "http://127.0.0.1:%d/lead", ntohs(in.sin_port));
	snprintf(h->alerts, sizeof(h->alerts), "[{to: \"%s\", as: standard, secret: hook}]", h->url);
}

static void start(struct hook *h)
{
	struct err err;

	assert_int_equal(handoff_start(h->world.loop, h->world.decide, &h->handoff, &err), 0);
}

/* The receiver's port must be known before the plan: a first world finds it. */
static int set_up(void **state)
{
	struct hook *h = xcalloc(1, sizeof(*h));
	struct plan *plan;
	struct err err;

	curl_global_init(CURL_GLOBAL_ALL);
	world_init(&h->world);
	h->world.queue_limit = 4;
	world_up(&h->world, "[]", OPERATOR);
	receiver_start(h, 0);
	plan = world_plan(&h->world, h->alerts, OPERATOR);
	assert_int_equal(decide_reload(h->world.decide, plan, &err), 0);
	plan_unref(&plan);
	start(h);
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	struct hook *h = *state;

	handoff_stop(&h->handoff);
	evhttp_free(h->http);
	world_down(&h->world);
	world_clear(&h->world);
	free(h);
	curl_global_cleanup();
	clock_set(0);
	return 0;
}

static int64_t put(struct hook *h, const char *url)
{
	struct world_alert a = { .url = url, .body = "{\"type\":\"lead.hot\"}" };

	world_run(&h->world, world_put_alert, &a);
	return a.id;
}

static void until_hits(struct hook *h, int hits)
{
	h->wait_hits = hits;
	if (h->hits < hits)
		assert_int_equal(loop_run(h->world.loop), 0);
	h->wait_hits = 0;
}

/* The row after its n-th outcome. */
static struct world_look until_attempt(struct hook *h, int64_t id, int attempt)
{
	struct world_look look;

	do
		look = world_alert(&h->world, id);
	while (look.attempt < attempt);
	return look;
}

static void an_alert_is_delivered_once_and_signed(void **state)
{
	struct hook *h = *state;
	struct world_look look;
	char want[ID_TEXT];
	int64_t id;

	h->answers[0] = 204;
	id = put(h, h->url);
	look = until_attempt(h, id, 1);
	assert_int_equal(look.state, ALERT_DELIVERED);
	assert_int_equal(look.code, 204);
	assert_string_equal(look.error, "");
	assert_int_equal(h->hits, 1);
	assert_int_equal(h->badly_signed, 0);
	assert_string_equal(h->ids[0], id_text("alr", id, want));
	while (handoff_busy(h->handoff))
		world_alert(&h->world, id);
}

static void what_failed_goes_again_under_its_id_when_it_is_due(void **state)
{
	struct hook *h = *state;
	int64_t now = INT64_C(1795424400) * US_SECOND, id;
	struct world_look look;

	clock_set(now);
	h->answers[0] = 500;
	h->answers[1] = 200;
	id = put(h, h->url);
	look = until_attempt(h, id, 1);
	assert_int_equal(look.state, ALERT_WAITING);
	assert_int_equal(look.code, 500);
	assert_string_equal(look.error, "HTTP 500");
	assert_in_range(look.due, now + 5 * US_SECOND, now + 5 * US_SECOND + 500000);
	assert_int_equal(h->hits, 1);

	clock_set(look.due);
	/* the listener is asked anew when it starts, as after a restart */
	handoff_stop(&h->handoff);
	start(h);
	look = until_attempt(h, id, 2);
	assert_int_equal(look.state, ALERT_DELIVERED);
	assert_int_equal(h->hits, 2);
	assert_string_equal(h->ids[0], h->ids[1]);
	assert_int_equal(h->badly_signed, 0);
}

static void gone_is_dead_at_once(void **state)
{
	struct hook *h = *state;
	struct world_look look;

	h->answers[0] = 410;
	look = until_attempt(h, put(h, h->url), 1);
	assert_int_equal(look.state, ALERT_DEAD);
	assert_int_equal(look.code, 410);
}

static void a_target_that_left_the_config_gets_nothing(void **state)
{
	struct hook *h = *state;
	struct world_look look;
	char url[80];

	h->answers[0] = 200;
	snprintf(url, sizeof(url), "%s/other", h->url);
	look = until_attempt(h, put(h, url), 1);
	assert_int_equal(look.state, ALERT_DEAD);
	assert_non_null(strstr(look.error, "sales.yaml"));
	assert_int_equal(h->hits, 0);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
	struct hook *h = *state;
	struct plan *plan = world_plan(&h->world, h->alerts, "allow_private: [10.0.0.0/8]\n");
	struct world_look look;
	struct err err;

	assert_int_equal(decide_reload(h->world.decide, plan, &err), 0);
	plan_unref(&plan);
	look = until_attempt(h, put(h, h->url), 1);
	assert_int_equal(look.state, ALERT_WAITING);
	assert_int_equal(look.code, 0);
	assert_non_null(strstr(look.error, "127.0.0.1 is no public address"));
	assert_int_equal(h->hits, 0);
}

static void at_most_eight_are_under_way(void **state)
{
	struct hook *h = *state;
	int64_t ids[20];
	int i;

	for (i = 0; i < ANSWERS_MAX; i++)
		h->answers[i] = i < 8 ? 0 : 200;
	for (i = 0; i < 20; i++)
		ids[i] = put(h, h->url);
	until_hits(h, 8);
	/* a ninth would have come by now: each look is a turn of the loop with all that is ready in it */
	for (i = 0; i < 20; i++)
		assert_int_equal(world_alert(&h->world, ids[i]).attempt, 0);
	assert_int_equal(h->hits, 8);
	assert_int_equal(handoff_busy(h->handoff), 8);
	for (i = 0; i < 8; i++)
		evhttp_send_reply(h->held[i], 200, "OK", NULL);
	for (i = 0; i < 20; i++)
		assert_int_equal(until_attempt(h, ids[i], 1).state, ALERT_DELIVERED);
	assert_int_equal(h->hits, 20);
}

static void a_drained_one_ends_what_it_has_and_takes_no_more(void **state)
{
	struct hook *h = *state;
	int64_t first, second;

	h->answers[1] = 200;
	first = put(h, h->url);
	until_hits(h, 1);
	handoff_drain(h->handoff);
	second = put(h, h->url);
	evhttp_send_reply(h->held[0], 200, "OK", NULL);
	assert_int_equal(until_attempt(h, first, 1).state, ALERT_DELIVERED);
	while (handoff_busy(h->handoff))
		world_alert(&h->world, first);
	assert_int_equal(world_alert(&h->world, second).attempt, 0);
	assert_int_equal(h->hits, 1);
}

static void what_was_cut_goes_out_again_after_the_next_start(void **state)
{
	struct hook *h = *state;
	int64_t id = put(h, h->url);
	int port = (int)strtol(strrchr(h->url, ':') + 1, NULL, 10);

	h->answers[1] = 200;
	until_hits(h, 1);
	handoff_stop(&h->handoff);
	evhttp_free(h->http);
	world_down(&h->world);
	world_up(&h->world, h->alerts, OPERATOR);
	receiver_start(h, port);
	start(h);
	assert_int_equal(until_attempt(h, id, 1).state, ALERT_DELIVERED);
	assert_int_equal(h->hits, 2);
	assert_string_equal(h->ids[0], h->ids[1]);
}

/* --- a store that takes nothing --------------------------------------------------------------------- */

struct plug {
	struct store_job job;
	int fds[2];
	bool *gone;
};

static int plug_run(struct store_job *job, struct db *db, struct err *err)
{
	struct plug *p = (struct plug *)job;
	char byte;

	/* stands until the other end is closed */
	return p->fds[0] >= 0 && read(p->fds[0], &byte, 1) < 0 ? -1 : 0;
}

static void plug_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct plug *p = (struct plug *)job;

	if (p->gone)
		*p->gone = true;
}

static void an_outcome_is_kept_while_the_store_takes_none(void **state)
{
	struct hook *h = *state;
	struct plug plugs[32] = { 0 };
	int64_t id = put(h, h->url);
	bool gone = false;
	size_t i;

	until_hits(h, 1);
	assert_int_equal(pipe(plugs[0].fds), 0);
	/* one job stands in the store thread, behind it the queue fills up */
	for (i = 0; i < 32; i++) {
		plugs[i].job = (struct store_job){ .run = plug_run, .done = plug_done };
		if (i)
			plugs[i].fds[0] = -1;
		else
			plugs[i].gone = &gone;
		if (store_submit(h->world.store, &plugs[i].job, STORE_NORMAL) < 0)
			break;
	}
	assert_true(i < 32);
	evhttp_send_reply(h->held[0], 200, "OK", NULL);
	/* the answer is in, the store is full: the reader still shows the row as it was */
	for (i = 0; i < 50; i++)
		assert_int_equal(world_alert(&h->world, id).attempt, 0);
	assert_int_equal(handoff_busy(h->handoff), 1);
	close(plugs[0].fds[1]);
	assert_int_equal(until_attempt(h, id, 1).state, ALERT_DELIVERED);
	/* a reader shows what is committed, the thread's jobs are told of it once it is synced */
	while (!gone)
		world_alert(&h->world, id);
	close(plugs[0].fds[0]);
	assert_int_equal(h->hits, 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(an_alert_is_delivered_once_and_signed),
		CASE(what_failed_goes_again_under_its_id_when_it_is_due),
		CASE(gone_is_dead_at_once),
		CASE(a_target_that_left_the_config_gets_nothing),
		CASE(a_private_address_is_refused_unless_allowed),
		CASE(at_most_eight_are_under_way),
		CASE(a_drained_one_ends_what_it_has_and_takes_no_more),
		CASE(what_was_cut_goes_out_again_after_the_next_start),
		CASE(an_outcome_is_kept_while_the_store_takes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
