/*
 * test_transfer.c: libcurl on the loop, against a real HTTP server and a scripted SMTP peer on the same loop: had
 * anything here blocked, the peers could not answer.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/transfer.h"

/* What each test has: a loop, a pool, an HTTP server. */
struct world {
	struct loop *loop;
	struct transfer_pool *pool;
	struct evhttp *http;
	int port;
	struct evhttp_request *held;	/* of /hold, to be answered later */
	int requests;
	int ended;	/* how many requests called back */
	int expected;	/* at which the loop stops */
};

static struct world w;

/* One request and what became of it. */
struct request {
	CURL *easy;
	struct transfer *transfer;
	struct buf body;
	int calls;
	CURLcode code;
	void (*then)(struct request *request);
};

static int port_of(evutil_socket_t fd)
{
	struct sockaddr_in sin = { 0 };
	socklen_t len = sizeof(sin);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

static void serve_cb(struct evhttp_request *req, void *arg)
{
	const char *path = evhttp_request_get_uri(req);
	struct evbuffer *body;

	w.requests++;
	if (!strcmp(path, "/hold")) {
		w.held = req;
		return;
	}
	body = evbuffer_new();
	evbuffer_add_printf(body, "you asked for %s", path);
	evhttp_send_reply(req, strcmp(path, "/503") ? 200 : 503, "Status", body);
	evbuffer_free(body);
}

static int make_world(void **state)
{
	struct evhttp_bound_socket *bound;

	memset(&w, 0, sizeof(w));
	w.loop = loop_new();
	w.pool = transfer_pool_new(w.loop, 0);
	w.http = evhttp_new(loop_base(w.loop));
	bound = evhttp_bind_socket_with_handle(w.http, "127.0.0.1", 0);
	assert_non_null(bound);
	w.port = port_of(evhttp_bound_socket_get_fd(bound));
	evhttp_set_gencb(w.http, serve_cb, NULL);
	return 0;
}

static int free_world(void **state)
{
	transfer_pool_free(&w.pool);
	assert_null(w.pool);
	transfer_pool_free(&w.pool);
	evhttp_free(w.http);
	loop_free(&w.loop);
	return 0;
}

static size_t body_cb(char *data, size_t size, size_t n, void *arg)
{
	struct request *request = arg;

	buf_add(&request->body, data, size * n);
	return size * n;
}

static void done_cb(void *arg, CURLcode code)
{
	struct request *request = arg;

	request->calls++;
	request->code = code;
	if (request->then)
		request->then(request);
	if (++w.ended == w.expected)
		loop_stop(w.loop);
}

static struct request *request_new(const char *host, const char *path)
{
	struct request *request = xcalloc(1, sizeof(*request));
	char *url = xasprintf("http://%s:%d%s", host, w.port, path);

	request->easy = curl_easy_init();
	curl_easy_setopt(request->easy, CURLOPT_URL, url);
	curl_easy_setopt(request->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, body_cb);
	curl_easy_setopt(request->easy, CURLOPT_WRITEDATA, request);
	free(url);
	return request;
}

static void request_start(struct request *request)
{
	request->transfer = transfer_start(w.pool, request->easy, 0, done_cb, request);
	assert_non_null(request->transfer);
}

static void request_free(struct request *request)
{
	transfer_cancel(&request->transfer);
	assert_null(request->transfer);
	curl_easy_cleanup(request->easy);
	buf_clear(&request->body);
	free(request);
}

static void run_until(int ended)
{
	w.expected = ended;
	assert_int_equal(loop_run(w.loop), 0);
	assert_int_equal(w.ended, ended);
}

static void test_a_request_and_its_answer(void **state)
{
	struct request *r = request_new("127.0.0.1", "/a");
	long status = 0;

	request_start(r);
	assert_int_equal(r->calls, 0);
	run_until(1);
	assert_int_equal(r->calls, 1);
	assert_int_equal(r->code, CURLE_OK);
	assert_string_equal(r->body.data, "you asked for /a");
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	assert_int_equal(status, 200);
	request_free(r);
}

static void test_a_name_is_looked_up(void **state)
{
	struct request *r = request_new("localhost", "/b");

	curl_easy_setopt(r->easy, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
	request_start(r);
	run_until(1);
	assert_int_equal(r->code, CURLE_OK);
	assert_string_equal(r->body.data, "you asked for /b");
	request_free(r);
}

static void test_a_handle_serves_again(void **state)
{
	struct request *r = request_new("127.0.0.1", "/503");
	long status = 0, connects = 9;

	request_start(r);
	run_until(1);
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	assert_int_equal(status, 503);
	transfer_cancel(&r->transfer);
	request_start(r);
	run_until(2);
	/* on the connection of the first, which the pool kept */
	curl_easy_getinfo(r->easy, CURLINFO_NUM_CONNECTS, &connects);
	assert_int_equal(connects, 0);
	assert_int_equal(r->calls, 2);
	request_free(r);
}

static void test_many_share_few_connections(void **state)
{
	struct request *r[40];
	long connects, sum = 0;
	int i;

	transfer_pool_free(&w.pool);
	w.pool = transfer_pool_new(w.loop, 3);
	for (i = 0; i < 40; i++) {
		r[i] = request_new("127.0.0.1", "/x");
		request_start(r[i]);
	}
	run_until(40);
	for (i = 0; i < 40; i++) {
		assert_int_equal(r[i]->calls, 1);
		assert_int_equal(r[i]->code, CURLE_OK);
		curl_easy_getinfo(r[i]->easy, CURLINFO_NUM_CONNECTS, &connects);
		sum += connects;
		request_free(r[i]);
	}
	assert_int_equal(w.requests, 40);
	assert_in_range(sum, 1, 3);
}

/* A port on which nobody listens. */
static int dead_port(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), port;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	port = port_of(fd);
	close(fd);
	return port;
}

static void test_failures_come_as_codes(void **state)
{
	static const struct {
		const char *url;	/* NULL: a dead port */
		CURLcode code;
	} rows[] = {
		{ NULL, CURLE_COULDNT_CONNECT },
		{ "nonsense://127.0.0.1/", CURLE_UNSUPPORTED_PROTOCOL },
		{ "http://", CURLE_URL_MALFORMAT },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request *r = request_new("127.0.0.1", "/");
		char *url = rows[i].url ? xstrdup(rows[i].url) : xasprintf("http://127.0.0.1:%d/", dead_port());

		curl_easy_setopt(r->easy, CURLOPT_URL, url);
		free(url);
		request_start(r);
		/* even what fails at once does so from the loop */
		assert_int_equal(r->calls, 0);
		run_until((int)i + 1);
		assert_int_equal(r->code, rows[i].code);
		request_free(r);
	}
}

static void test_time_runs_out(void **state)
{
	struct request *r = request_new("127.0.0.1", "/hold");

	curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, 50L);
	request_start(r);
	run_until(1);
	assert_int_equal(r->code, CURLE_OPERATION_TIMEDOUT);
	request_free(r);
}

static int ticks;
static struct timer *ticker;

static void tick(void *arg)
{
	struct evbuffer *body;

	if (!w.held || ++ticks < 5) {
		timer_set(ticker, 1000);
		return;
	}
	body = evbuffer_new();
	evbuffer_add_printf(body, "at last");
	evhttp_send_reply(w.held, 200, "OK", body);
	evbuffer_free(body);
}

static void test_timers_go_on_while_an_answer_is_awaited(void **state)
{
	struct request *r = request_new("127.0.0.1", "/hold");

	ticks = 0;
	ticker = timer_new(w.loop, tick, NULL);
	timer_set(ticker, 0);
	request_start(r);
	run_until(1);
	assert_int_equal(ticks, 5);
	assert_string_equal(r->body.data, "at last");
	request_free(r);
	timer_free(&ticker);
}

/* --- what a done callback may do ------------------------------------------------------------------------------ */

static struct request *other;

static void give_back_own(struct request *request)
{
	transfer_cancel(&request->transfer);
	curl_easy_cleanup(request->easy);
	request->easy = NULL;
}

static void cancel_other(struct request *request)
{
	transfer_cancel(&other->transfer);
}

static void start_again(struct request *request)
{
	transfer_cancel(&request->transfer);
	request->then = NULL;
	request_start(request);
	assert_int_equal(request->calls, 1);
}

static void start_other(struct request *request)
{
	request_start(other);
	assert_int_equal(other->calls, 0);
}

static void free_pool(struct request *request)
{
	transfer_pool_free(&w.pool);
}

static void test_done_may_give_its_handle_back(void **state)
{
	struct request *r = request_new("127.0.0.1", "/a");

	r->then = give_back_own;
	request_start(r);
	run_until(1);
	assert_null(r->transfer);
	assert_null(r->easy);
	request_free(r);
}

static void test_done_may_cancel_one_under_way(void **state)
{
	struct request *r = request_new("127.0.0.1", "/a");

	other = request_new("127.0.0.1", "/hold");
	r->then = cancel_other;
	request_start(other);
	request_start(r);
	run_until(1);
	assert_int_equal(other->calls, 0);
	request_free(r);
	request_free(other);
}

static void stop(void *arg)
{
	loop_stop(w.loop);
}

/* Both fail in one call of libcurl; whoever is told first takes the other's message away. */
static void test_done_may_cancel_one_that_has_ended_too(void **state)
{
	struct request *r = request_new("127.0.0.1", "/");

	other = request_new("127.0.0.1", "/");
	curl_easy_setopt(r->easy, CURLOPT_URL, "nonsense://a/");
	curl_easy_setopt(other->easy, CURLOPT_URL, "nonsense://b/");
	r->then = cancel_other;
	request_start(r);
	request_start(other);
	run_until(1);
	assert_int_equal(r->calls, 1);
	/* nothing of it is left for a later turn */
	loop_post(w.loop, stop, NULL);
	assert_int_equal(loop_run(w.loop), 0);
	assert_int_equal(other->calls, 0);
	request_free(r);
	request_free(other);
}

static void test_done_may_start(void **state)
{
	struct request *r = request_new("127.0.0.1", "/a");

	other = request_new("127.0.0.1", "/b");
	r->then = start_again;
	request_start(r);
	run_until(2);
	r->then = start_other;
	transfer_cancel(&r->transfer);
	request_start(r);
	run_until(4);
	assert_int_equal(r->calls, 3);
	assert_string_equal(other->body.data, "you asked for /b");
	request_free(r);
	request_free(other);
}

static void test_done_may_free_the_pool(void **state)
{
	struct request *r = request_new("127.0.0.1", "/"), *late;

	other = request_new("127.0.0.1", "/hold");
	late = request_new("127.0.0.1", "/");
	curl_easy_setopt(r->easy, CURLOPT_URL, "nonsense://a/");
	curl_easy_setopt(late->easy, CURLOPT_URL, "nonsense://b/");
	r->then = free_pool;
	request_start(other);
	request_start(r);
	request_start(late);
	run_until(1);
	assert_null(w.pool);
	assert_int_equal(other->calls, 0);
	assert_int_equal(late->calls, 0);
	request_free(r);
	request_free(other);
	request_free(late);
}

static void test_a_pool_goes_without_calling_back(void **state)
{
	struct request *r = request_new("127.0.0.1", "/hold"), *unstarted = request_new("127.0.0.1", "/");

	request_start(r);
	while (!w.held)
		assert_int_equal(event_base_loop(loop_base(w.loop), EVLOOP_ONCE), 0);
	request_start(unstarted);
	transfer_pool_free(&w.pool);
	assert_int_equal(w.ended, 0);
	request_free(r);
	request_free(unstarted);
}

/* --- a name server that does not answer ------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int asked, answered;
	bool held;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* Takes the place of glibc's in this program, libcurl's resolver thread included. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (name && !strcmp(name, "slow.example")) {
		pthread_mutex_lock(&names.lock);
		names.asked++;
		pthread_cond_broadcast(&names.changed);
		while (names.held)
			pthread_cond_wait(&names.changed, &names.lock);
		names.answered++;
		pthread_cond_broadcast(&names.changed);
		pthread_mutex_unlock(&names.lock);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(name, service, hints, out);
}

/* Lets the look-ups go, of which none had an answer yet. */
static void answer_names(void)
{
	pthread_mutex_lock(&names.lock);
	while (!names.asked)
		pthread_cond_wait(&names.changed, &names.lock);
	assert_int_equal(names.answered, 0);
	names.held = false;
	pthread_cond_broadcast(&names.changed);
	while (names.answered < names.asked)
		pthread_cond_wait(&names.changed, &names.lock);
	pthread_mutex_unlock(&names.lock);
}

/* If libcurl waited for its resolver, nothing would ever end here. */
static void test_a_name_server_that_hangs_holds_nobody_up(void **state)
{
	struct request *late = request_new("slow.example", "/"), *gone = request_new("slow.example", "/");

	alarm(60);
	names.held = true;
	curl_easy_setopt(late->easy, CURLOPT_CONNECTTIMEOUT_MS, 50L);
	request_start(late);
	request_start(gone);
	run_until(1);
	assert_int_equal(late->code, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(gone->calls, 0);
	transfer_cancel(&gone->transfer);
	request_free(late);
	request_free(gone);
	transfer_pool_free(&w.pool);
	answer_names();
	alarm(0);
}

/* --- a connection that libcurl opens and hands over ------------------------------------------------------------- */

struct peer {
	struct evconnlistener *listener;
	struct bufferevent *bev;
	struct buf heard;
	bool closed;
};

static void peer_read_cb(struct bufferevent *bev, void *arg)
{
	struct peer *peer = arg;
	char *line;

	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_CRLF_STRICT))) {
		buf_printf(&peer->heard, "%s|", line);
		if (!strncmp(line, "EHLO", 4))
			evbuffer_add_printf(bufferevent_get_output(bev), "250-peer\r\n250 PIPELINING\r\n");
		else
			evbuffer_add_printf(bufferevent_get_output(bev), "250 heard %s\r\n", line);
		free(line);
	}
}

static void peer_event_cb(struct bufferevent *bev, short what, void *arg)
{
	struct peer *peer = arg;

	peer->closed = true;
	loop_stop(w.loop);
}

static void peer_accept_cb(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct peer *peer = arg;

	peer->bev = bufferevent_socket_new(loop_base(w.loop), fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(peer->bev, peer_read_cb, NULL, peer_event_cb, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
	evbuffer_add_printf(bufferevent_get_output(peer->bev), "220 peer ESMTP\r\n");
}

static void reply_cb(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	char piece[200];
	size_t n = 0;
	CURLcode code = curl_easy_recv(request->easy, piece, sizeof(piece), &n);

	if (code == CURLE_AGAIN)
		return;
	assert_int_equal(code, CURLE_OK);
	buf_add(&request->body, piece, n);
	if (memchr(piece, '\n', n))
		loop_stop(w.loop);
}

static void test_a_connection_is_handed_over_and_kept(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct request *r = request_new("127.0.0.1", "/");
	struct peer peer = { 0 };
	struct event *readable;
	curl_socket_t fd;
	size_t sent = 0;
	char *url;

	peer.listener = evconnlistener_new_bind(loop_base(w.loop), peer_accept_cb, &peer, LEV_OPT_CLOSE_ON_FREE, -1,
						(struct sockaddr *)&sin, sizeof(sin));
	assert_non_null(peer.listener);
	url = xasprintf("smtp://127.0.0.1:%d/client.example.com", port_of(evconnlistener_get_fd(peer.listener)));
	curl_easy_setopt(r->easy, CURLOPT_URL, url);
	free(url);
	curl_easy_setopt(r->easy, CURLOPT_CONNECT_ONLY, 1L);
	r->transfer = transfer_start(w.pool, r->easy, 1, done_cb, r);
	run_until(1);
	assert_int_equal(r->code, CURLE_OK);
	assert_string_equal(buf_cstr(&peer.heard), "EHLO client.example.com|");

	/* now the dialogue is ours: libcurl does not watch this socket any more */
	assert_int_equal(curl_easy_getinfo(r->easy, CURLINFO_ACTIVESOCKET, &fd), CURLE_OK);
	assert_true(fd != CURL_SOCKET_BAD);
	readable = event_new(loop_base(w.loop), fd, EV_READ | EV_PERSIST, reply_cb, r);
	event_add(readable, NULL);
	assert_int_equal(curl_easy_send(r->easy, "NOOP\r\n", 6, &sent), CURLE_OK);
	assert_int_equal(sent, 6);
	assert_int_equal(loop_run(w.loop), 0);
	assert_string_equal(r->body.data, "250 heard NOOP\r\n");

	/* and others in the same pool live beside it */
	other = request_new("127.0.0.1", "/b");
	request_start(other);
	run_until(2);
	assert_int_equal(other->code, CURLE_OK);
	assert_false(peer.closed);
	request_free(other);

	event_free(readable);
	transfer_cancel(&r->transfer);
	curl_easy_cleanup(r->easy);
	r->easy = NULL;
	/* the peer hears of it */
	if (!peer.closed)
		assert_int_equal(loop_run(w.loop), 0);
	assert_true(peer.closed);
	request_free(r);
	bufferevent_free(peer.bev);
	evconnlistener_free(peer.listener);
	buf_clear(&peer.heard);
}

static int start_curl(void **state)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) ? -1 : 0;
}

static int stop_curl(void **state)
{
	curl_global_cleanup();
	return 0;
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_a_request_and_its_answer),
		WORLD(test_a_name_is_looked_up),
		WORLD(test_a_handle_serves_again),
		WORLD(test_many_share_few_connections),
		WORLD(test_failures_come_as_codes),
		WORLD(test_time_runs_out),
		WORLD(test_timers_go_on_while_an_answer_is_awaited),
		WORLD(test_done_may_give_its_handle_back),
		WORLD(test_done_may_cancel_one_under_way),
		WORLD(test_done_may_cancel_one_that_has_ended_too),
		WORLD(test_done_may_start),
		WORLD(test_done_may_free_the_pool),
		WORLD(test_a_pool_goes_without_calling_back),
		WORLD(test_a_name_server_that_hangs_holds_nobody_up),
		WORLD(test_a_connection_is_handed_over_and_kept),
	};

	return cmocka_run_group_tests(tests, start_curl, stop_curl);
}
