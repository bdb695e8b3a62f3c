/*
 * request: what a receiver sees of one attempt, and what the attempt makes of each answer. The receiver
 * is evhttp on loopback.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/transfer.h"

#include "../../daemon/handoff/request.h"
#include "base/signature.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define BODY "{\"type\":\"lead.hot\",\"words\":\"Gr\xc3\xbc\xc3\x9f Gott\"}"

static const char *const loopback[] = { "127.0.0.0/8", "::1", NULL };

struct peer {
	struct loop *loop;
	struct transfer_pool *pool;
	struct evhttp *http;
	int port;
	int hits;		/* requests that came, on any path */
	char id[64], timestamp[32], signature[80], type[64], expect[16], agent[32];
	char body[256];
	const char *after;	/* Retry-After to answer with, or NULL */
	int answers;
	struct request *request;
	struct request_answer answer;
};

static void note(struct evhttp_request *r, const char *name, char *out, size_t size)
{
	const char *value = evhttp_find_header(evhttp_request_get_input_headers(r), name);

	snprintf(out, size, "%s", value ? value : "");
}

static void take(struct peer *p, struct evhttp_request *r)
{
	int n;

	p->hits++;
	note(r, "webhook-id", p->id, sizeof(p->id));
	note(r, "webhook-timestamp", p->timestamp, sizeof(p->timestamp));
	note(r, "webhook-signature", p->signature, sizeof(p->signature));
	note(r, "Content-Type", p->type, sizeof(p->type));
	note(r, "Expect", p->expect, sizeof(p->expect));
	note(r, "User-Agent", p->agent, sizeof(p->agent));
	n = evbuffer_remove(evhttp_request_get_input_buffer(r), p->body, sizeof(p->body) - 1);
	p->body[n < 0 ? 0 : n] = '\0';
}

/* The path says what is answered: /500, /200long, /close, /hang */
static void receive_cb(struct evhttp_request *r, void *arg)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(r);
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(r));
	struct evbuffer *out = evbuffer_new();
	struct peer *p = arg;
	int code = (int)strtol(path + 1, NULL, 10), i;
	char there[64];

	take(p, r);
	if (strcmp(path, "/hang") == 0) {
		evbuffer_free(out);
		return;
	}
	if (strcmp(path, "/close") == 0) {
		evbuffer_free(out);
		bufferevent_disable(evhttp_connection_get_bufferevent(evhttp_request_get_connection(r)),
			EV_READ | EV_WRITE);
		evhttp_connection_free(evhttp_request_get_connection(r));
		return;
	}
	if (p->after)
		evhttp_add_header(headers, "Retry-After", p->after);
	snprintf(there, sizeof(there), "http://127.0.0.1:%d/200", p->port);
	if (code >= 300 && code <= 399)
		evhttp_add_header(headers, "Location", there);
	if (strcmp(path, "/200long") == 0)
		for (i = 0; i < 1024; i++)
			evbuffer_add_printf(out, "%01023d\n", i);
	else if (code >= 300)
		evbuffer_add_printf(out, "  out of\r\n\033[31m order ");
	evhttp_send_reply(r, code, "Whatever", out);
	evbuffer_free(out);
}

static void done_cb(void *arg, const struct request_answer *answer)
{
	struct peer *p = arg;

	p->answers++;
	p->answer = *answer;
	request_free(&p->request);
	loop_stop(p->loop);
}

static int set_up(void **state)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	struct evhttp_bound_socket *bound;
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	curl_global_init(CURL_GLOBAL_ALL);
	p->loop = loop_new();
	p->pool = transfer_pool_new(p->loop, 8);
	p->http = evhttp_new(loop_base(p->loop));
	evhttp_set_gencb(p->http, receive_cb, p);
	bound = evhttp_bind_socket_with_handle(p->http, "127.0.0.1", 0);
	if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&in, &n) < 0)
		return -1;
	p->port = ntohs(in.sin_port);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct peer *p = *state;

	transfer_pool_free(&p->pool);
	evhttp_free(p->http);
	loop_free(&p->loop);
	free(p);
	curl_global_cleanup();
	return 0;
}

static void post(struct peer *p, const char *host, const char *path, const char *secret,
		const char *const *allow)
{
	char url[160];
	struct request_wish wish = {
		.url = url, .id = "alr_0c8s000000000", .body = BODY, .secret = secret,
		.at = INT64_C(1614265330) * US_SECOND + 999999, .allow_private = allow,
	};
	struct err err;

	snprintf(url, sizeof(url), strstr(host, "://") ? "%s" : "http://%s:%d%s", host, p->port, path);
	assert_int_equal(request_start(p->pool, &wish, done_cb, p, &p->request, &err), 0);
	assert_int_equal(loop_run(p->loop), 0);
	assert_null(p->request);
}

static void sends_the_headers_of_the_standard(void **state)
{
	struct peer *p = *state;
	struct buf key = BUF_INIT, want = BUF_INIT;
	struct err err;

	post(p, "127.0.0.1", "/200", SECRET, loopback);
	assert_int_equal(p->answer.code, 200);
	assert_string_equal(p->answer.error, "");
	assert_string_equal(p->id, "alr_0c8s000000000");
	assert_string_equal(p->timestamp, "1614265330");
	assert_string_equal(p->type, "application/json");
	assert_string_equal(p->expect, "");
	assert_memory_equal(p->agent, "nurtured/", 9);
	assert_string_equal(p->body, BODY);
	assert_int_equal(signature_key(SECRET, &key, &err), 0);
	signature_make((struct slice){ key.data, key.len }, p->id, 1614265330, slice_of(p->body), &want);
	assert_string_equal(p->signature, buf_cstr(&want));
	buf_clear(&key);
	buf_clear(&want);

	post(p, "127.0.0.1", "/204", NULL, loopback);
	assert_int_equal(p->answer.code, 204);
	assert_string_equal(p->signature, "");
	assert_int_equal(p->hits, 2);
	assert_int_equal(p->answers, 2);
}

static void each_answer_is_reported(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *error;	/* NULL: any but "" */
	} rows[] = {
		{ "/500", 500, "HTTP 500: out of   [31m order" },
		{ "/410", 410, "HTTP 410: out of   [31m order" },
		{ "/404", 404, "HTTP 404: out of   [31m order" },
		{ "/302", 302, "HTTP 302: out of   [31m order" },	/* and there it ends */
		{ "/200long", 200, "" },
		{ "/close", 0, NULL },
	};
	struct peer *p = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p->hits = 0;
		post(p, "127.0.0.1", rows[i].path, SECRET, loopback);
		assert_int_equal(p->answer.code, rows[i].code);
		assert_int_equal(p->hits, 1);
		if (rows[i].error)
			assert_string_equal(p->answer.error, rows[i].error);
		else
			assert_string_not_equal(p->answer.error, "");
	}
}

static void retry_after_is_read_as_seconds_and_as_a_date(void **state)
{
	struct peer *p = *state;
	time_t then = time(NULL) + 3600;
	char date[64];

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&then));
	p->after = date;
	post(p, "127.0.0.1", "/503", NULL, loopback);
	/* the test may have been stopped for a while meanwhile */
	assert_in_range(p->answer.retry_after, 1, 3600 * US_SECOND);
	p->after = "120";
	post(p, "127.0.0.1", "/503", NULL, loopback);
	assert_int_equal(p->answer.retry_after, 120 * US_SECOND);
	p->after = "soon";
	post(p, "127.0.0.1", "/503", NULL, loopback);
	assert_int_equal(p->answer.retry_after, 0);
	p->after = "Thu, 01 Jan 1998 00:00:00 GMT";
	post(p, "127.0.0.1", "/503", NULL, loopback);
	assert_int_equal(p->answer.retry_after, 0);
}

static void no_spelling_of_a_private_address_is_connected_to(void **state)
{
	static const char *const hosts[] = {
		"127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "user:pw@127.0.0.1",
	};
	static const char *const others[] = { "10.0.0.0/8", "fd00::/8", NULL };
	struct peer *p = *state;
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		post(p, hosts[i], "/200", SECRET, i % 2 ? others : NULL);
		assert_int_equal(p->answer.code, 0);
		assert_non_null(strstr(p->answer.error, "is no public address"));
	}
	assert_int_equal(p->hits, 0);
}

static void only_http_and_https_are_spoken(void **state)
{
	static const char *const urls[] = {
		"file:///etc/passwd", "gopher://127.0.0.1:25/x", "ftp://127.0.0.1/", "smtp://127.0.0.1/", "dict://127.0.0.1:11211/stat",
	};
	struct peer *p = *state;
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		post(p, urls[i], "", NULL, loopback);
		assert_int_equal(p->answer.code, 0);
		assert_string_not_equal(p->answer.error, "");
	}
}

static void a_proxy_of_the_environment_is_not_used(void **state)
{
	struct peer *p = *state;

	/* port 9 of loopback: nobody is there */
	setenv("http_proxy", "http://127.0.0.1:9/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:9/", 1);
	post(p, "127.0.0.1", "/200", NULL, loopback);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(p->answer.code, 200);
}

static void a_bad_secret_is_an_error_at_once(void **state)
{
	struct peer *p = *state;
	struct request_wish wish = {
		.url = "http://127.0.0.1/", .id = "alr_1", .body = "{}", .secret = "whsec_?",
	};
	struct err err;

	assert_int_equal(request_start(p->pool, &wish, done_cb, p, &p->request, &err), -1);
	assert_null(strstr(err.text, "whsec_?"));
	assert_null(p->request);
}

static void look_cb(void *arg)
{
	struct peer *p = arg;

	/* the request has reached a receiver that says nothing */
	if (p->hits)
		loop_stop(p->loop);
	else
		loop_post(p->loop, look_cb, p);
}

static void a_cancelled_one_is_not_reported(void **state)
{
	struct peer *p = *state;
	char url[64];
	struct request_wish wish = { .url = url, .id = "alr_1", .body = "{}", .allow_private = loopback };
	struct err err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/hang", p->port);
	assert_int_equal(request_start(p->pool, &wish, done_cb, p, &p->request, &err), 0);
	loop_post(p->loop, look_cb, p);
	assert_int_equal(loop_run(p->loop), 0);
	request_free(&p->request);
	post(p, "127.0.0.1", "/200", NULL, loopback);
	assert_int_equal(p->answers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sends_the_headers_of_the_standard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_answer_is_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(retry_after_is_read_as_seconds_and_as_a_date,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_spelling_of_a_private_address_is_connected_to,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_http_and_https_are_spoken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_proxy_of_the_environment_is_not_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_secret_is_an_error_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cancelled_one_is_not_reported, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
