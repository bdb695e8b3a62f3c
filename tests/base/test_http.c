/*
 * test_http.c: the listener over real sockets: each bound, routing, replies, addresses of clients, clients that are slow, and replies
 * to those that have gone. The loop runs in a thread of its own; the test is the client, with blocking sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"

struct server {
	struct loop *loop;
	struct http *http;
	pthread_t thread;
	int port;
	_Atomic int calls;
	struct http_request *held;	/* /hold waits here */
	sem_t holding, done;
};

/* --- sockets --------------------------------------------------------------------------------- */

/* What send(2) says of "100 Continue" is made up: so many bytes of it fit; -1: as it is. */
static _Atomic int continue_fits = -1;

/* Stands in for libc's. */
ssize_t send(int fd, const void *data, size_t n, int flags)
{
	if (continue_fits < 0 || n < 12 || memcmp(data, "HTTP/1.1 100", 12) != 0)
		return sendto(fd, data, n, flags, NULL, 0);
	if (continue_fits > 0)
		return sendto(fd, data, (size_t)continue_fits, flags, NULL, 0);
	errno = EAGAIN;
	return -1;
}

/* --- routes ---------------------------------------------------------------------------------- */

static void echo(void *ctx, struct http_request *r)
{
	struct server *s = ctx;
	struct slice body = http_body(r);
	struct buf out = BUF_INIT;

	s->calls++;
	buf_printf(&out, "%d %s|%s|%s|%zu|", (int)http_method(r), http_path(r), http_rest(r), http_ip(r), body.len);
	buf_add(&out, body.data, body.len < 100 ? body.len : 100);
	http_reply(r, 200, "text/plain", out.data, out.len);
	buf_clear(&out);
}

static void query(void *ctx, struct http_request *r)
{
	const char *a = http_query(r, "a"), *b = http_query(r, "b");
	char text[100];

	(void)ctx;
	snprintf(text, sizeof(text), "%s|%s|%d", a ? a : "-", b ? b : "-", http_wants_html(r));
	http_reply(r, 200, "text/plain", text, strlen(text));
}

static void hold(void *ctx, struct http_request *r)
{
	struct server *s = ctx;

	s->held = r;
	sem_post(&s->holding);
}

static void file(void *ctx, struct http_request *r)
{
	char path[] = "/tmp/test-http-XXXXXX";
	int fd = mkstemp(path);

	(void)ctx;
	assert_true(fd >= 0 && write(fd, "0123456789", 10) == 10);
	unlink(path);
	http_reply_file(r, 206, "application/pdf", fd, 2, 5);
}

static void big(void *ctx, struct http_request *r)
{
	size_t n = 8 * 1024 * 1024;
	char *zeros = calloc(1, n);

	http_reply(r, 200, "application/octet-stream", zeros, n);
	free(zeros);
}

#define LONG (3 * 1024 * 1024)

static void long_file(void *ctx, struct http_request *r)
{
	char path[] = "/tmp/test-http-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && ftruncate(fd, LONG + 1) == 0 && pwrite(fd, "end", 3, LONG - 3) == 3);
	unlink(path);
	http_reply_file(r, 200, "application/octet-stream", fd, 1, LONG - 1);
}

static void short_file(void *ctx, struct http_request *r)
{
	char path[] = "/tmp/test-http-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, "0123456789", 10) == 10);
	unlink(path);
	http_reply_file(r, 200, "text/plain", fd, 0, 20);
}

/* Answers the one that waits, and then its own. */
static void release(void *ctx, struct http_request *r)
{
	struct server *s = ctx;

	http_reply(s->held, 200, "text/plain", "held", 4);
	s->held = NULL;
	echo(ctx, r);
}

static void unheard(void *ctx, struct http_request *r)
{
	http_reply(r, 204, NULL, NULL, 0);
}

static const struct http_route routes[] = {
	{ HTTP_GET | HTTP_POST | HTTP_OPTIONS, "/", echo },
	{ HTTP_GET, "/exact", echo },
	{ HTTP_POST, "/under/", echo },
	{ HTTP_GET, "/under/more/", echo },
	{ HTTP_GET, "/query", query },
	{ HTTP_GET, "/hold", hold },
	{ HTTP_GET, "/file", file },
	{ HTTP_GET, "/big", big },
	{ HTTP_GET, "/long", long_file },
	{ HTTP_GET, "/short", short_file },
	{ HTTP_POST, "/release", release },
	{ HTTP_GET, "/unheard", unheard },
	{ HTTP_POST | HTTP_LARGE, "/large", echo },
	{ 0, NULL, NULL },
};

/* --- the server's thread --------------------------------------------------------------------- */

static void *run(void *arg)
{
	struct server *s = arg;

	assert_int_equal(loop_run(s->loop), 0);
	return NULL;
}

static void stop_cb(void *arg)
{
	loop_stop(((struct server *)arg)->loop);
}

static void start_with(struct server *s, struct http_options o)
{
	struct err err;

	signal(SIGPIPE, SIG_IGN);	/* as the daemon does; cmocka puts it back */
	memset(s, 0, sizeof(*s));
	o.routes = routes;
	o.ctx = s;
	sem_init(&s->holding, 0, 0);
	sem_init(&s->done, 0, 0);
	s->loop = loop_new();
	if (http_listen_tcp(s->loop, &o, "127.0.0.1", 0, &s->http, &err) < 0)
		fail_msg("%s", err.text);
	s->port = http_port(s->http);
	assert_true(s->port > 0);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

static void finish(struct server *s)
{
	loop_post(s->loop, stop_cb, s);
	pthread_join(s->thread, NULL);
	http_close(&s->http);
	assert_null(s->http);
	loop_drain(s->loop);
	loop_free(&s->loop);
	sem_destroy(&s->holding);
	sem_destroy(&s->done);
}

static int connect_to(const struct server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void put(int fd, const char *data, size_t n)
{
	assert_int_equal(send(fd, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void say(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

/* Everything until the server closes; a reset counts as that. */
static char *read_all(int fd)
{
	struct buf out = BUF_INIT;
	char piece[4096];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		buf_add(&out, piece, (size_t)n);
	close(fd);
	return buf_take(&out);
}

/* One answer with a Content-Length; the connection stays. */
static char *read_one(int fd, bool body)
{
	struct buf out = BUF_INIT;
	const char *end = NULL, *length;
	char c;

	while (!(end = out.len >= 4 ? strstr(buf_cstr(&out), "\r\n\r\n") : NULL) && recv(fd, &c, 1, 0) == 1)
		buf_char(&out, c);
	assert_non_null(end);
	length = strcasestr(out.data, "\r\nContent-Length: ");
	if (body && length) {
		size_t left = (size_t)atol(length + 18);

		while (left-- && recv(fd, &c, 1, 0) == 1)
			buf_char(&out, c);
	}
	return buf_take(&out);
}

static char *ask(const struct server *s, const char *request, size_t n)
{
	int fd = connect_to(s);

	put(fd, request, n ? n : strlen(request));
	return read_all(fd);
}

#define GET(path, more) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" more "\r\n"

static void has(const char *answer, const char *what)
{
	if (!strstr(answer, what))
		fail_msg("no \"%s\" in:\n%s", what, answer);
}

static void asks(const struct server *s, const char *request, const char *what)
{
	char *answer = ask(s, request, 0);

	has(answer, what);
	free(answer);
}

static void drop(int fd, bool reset)
{
	struct linger hard = { .l_onoff = 1 };

	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

static void reply_held(void *arg)
{
	struct server *s = arg;

	http_reply(s->held, 200, "text/plain", "held", 4);
	s->held = NULL;
	sem_post(&s->done);
}

/* --- cases ----------------------------------------------------------------------------------- */

static void hostile_requests_get_400_and_a_closed_connection(void **state)
{
	static const struct { const char *bytes; size_t len; } rows[] = {
#define R(s) { s, sizeof(s) - 1 }
		R("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
		R("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		R("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
		R("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"),
		R("GET / HTTP/1.1\nHost: a\n\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nA: b\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
		R("GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n"),
		R("GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		R("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
		R("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
#undef R
	};
	struct server s;
	size_t i;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *answer = ask(&s, rows[i].bytes, rows[i].len);

		if (strncmp(answer, "HTTP/1.1 400 ", 13) != 0 || strstr(answer + 13, "HTTP/1.1 "))
			fail_msg("row %zu: %s", i, answer);
		free(answer);
	}
	assert_int_equal(s.calls, 0);
	finish(&s);
}

static void a_request_before_the_hostile_one_is_answered(void **state)
{
	struct server s;
	char *answer;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	answer = ask(&s, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	has(answer, "HTTP/1.1 200 OK");
	has(answer, "HTTP/1.1 400 Bad Request");
	has(strstr(answer, "HTTP/1.1 400 "), "Connection: close");
	assert_null(strstr(strstr(answer, "HTTP/1.1 400 ") + 1, "HTTP/1.1 "));
	assert_int_equal(s.calls, 1);
	free(answer);
	finish(&s);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct server s;
	char *answer, *a, *b, *c;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	answer = ask(&s, "\r\nGET /exact HTTP/1.1\r\nHost: a\r\n\r\nPOST /under/b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\nGET /under/more/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0);
	a = strstr(answer, "1 /exact||");
	b = strstr(answer, "4 /under/b|b|127.0.0.1|2|hi");
	c = strstr(answer, "1 /under/more/c|c|");
	assert_true(a && b && c && a < b && b < c);
	free(answer);
	finish(&s);
}

/* What comes while a request waits is kept, also when the connection is not the only one. */
static void a_closed_connection_takes_no_bytes_of_the_next(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	asks(&s, GET("/exact", ""), "200 OK");
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	/* what comes now waits for the reply to the first */
	say(fd, GET("/under/more/next", ""));
	asks(&s, GET("/exact", ""), "200 OK");
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	answer = read_all(fd);
	has(answer, "held");
	has(answer, "/under/more/next|next|");
	free(answer);
	finish(&s);
}

/* More than is read at one time, and more than is kept. */
static void many_requests_may_wait_behind_one(void **state)
{
	static const char one[] = "GET /unheard HTTP/1.1\r\nHost: a\r\n\r\n";
	struct buf all = BUF_INIT;
	struct server s;
	int fd, i, count = 0;
	char *answer, *at;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	for (i = 0; i < 1500; i++)
		buf_str(&all, one);
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	put(fd, all.data, all.len);
	say(fd, GET("/exact", ""));
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	answer = read_all(fd);
	for (at = answer; (at = strstr(at, "HTTP/1.1 204 No Content\r\n")) != NULL; at++)
		count++;
	assert_int_equal(count, 1500);
	has(answer, "1 /exact|");
	assert_null(strstr(answer, "HTTP/1.1 4"));
	free(answer);
	buf_clear(&all);
	finish(&s);
}

static void sizes_are_bounded(void **state)
{
	struct server s;
	struct buf big = BUF_INIT;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .max_body = 1000 });
	buf_str(&big, "POST /under/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nConnection: close\r\n\r\n");
	while (big.len < 1200)
		buf_char(&big, 'x');
	answer = ask(&s, big.data, big.len);
	has(answer, "HTTP/1.1 413 ");
	free(answer);
	buf_reset(&big);
	/* chunks do not say how much will come */
	buf_str(&big, "POST /under/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n7d0\r\n");
	while (big.len < 2400)
		buf_char(&big, 'x');
	fd = connect_to(&s);
	put(fd, big.data, big.len);
	shutdown(fd, SHUT_WR);
	answer = read_all(fd);
	has(answer, "HTTP/1.1 413 ");
	free(answer);
	buf_reset(&big);
	/* a length that no body needs to follow */
	answer = ask(&s, "POST /under/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n", 0);
	has(answer, "HTTP/1.1 413 ");
	free(answer);
	buf_str(&big, "GET / HTTP/1.1\r\nHost: a\r\nA: ");
	while (big.len < 9000)
		buf_char(&big, 'x');
	buf_str(&big, "\r\n\r\n");
	answer = ask(&s, big.data, big.len);
	has(answer, "HTTP/1.1 400 ");
	free(answer);
	assert_int_equal(s.calls, 0);
	buf_clear(&big);
	finish(&s);
}

static void some_routes_take_larger_bodies(void **state)
{
	struct buf big = BUF_INIT;
	struct server s;
	char *answer;
	int i;

	(void)state;
	start_with(&s, (struct http_options){ .max_body = 1000, .max_large_body = 100000 });
	buf_str(&big, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n");
	for (i = 0; i < 100000; i++)
		buf_char(&big, 'x');
	answer = ask(&s, big.data, big.len);
	has(answer, "|100000|xxx");
	free(answer);
	asks(&s, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", "413 ");
	buf_clear(&big);
	finish(&s);
}

/* The client sends on while the answer is under way: a reset would take that from it. */
static void who_still_sends_sees_why_it_was_refused(void **state)
{
	static char body[400000];
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .max_body = 1000 });
	fd = connect_to(&s);
	say(fd, "POST /under/a HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n");
	put(fd, body, sizeof(body));
	answer = read_all(fd);
	has(answer, "HTTP/1.1 413 ");
	has(answer, "Connection: close\r\n");
	free(answer);
	finish(&s);
}

/* So does one that said that this is its last request, and sent more than is read at one time. */
static void who_said_close_and_sends_on_gets_its_reply(void **state)
{
	static char more[100000];
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	sem_wait(&s.holding);
	put(fd, more, sizeof(more));
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	answer = read_one(fd, true);
	has(answer, "held");
	free(answer);
	assert_int_equal(recv(fd, more, 1, 0), 0);	/* the end, and no reset */
	close(fd);
	finish(&s);
}

static const char waits_to_be_asked[] = "POST /under/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";

static void a_client_that_waits_to_be_asked_is_asked(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .max_body = 1000 });
	fd = connect_to(&s);
	say(fd, waits_to_be_asked);
	answer = read_one(fd, false);
	assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
	free(answer);
	say(fd, "abc");
	answer = read_all(fd);
	assert_memory_equal(answer, "HTTP/1.1 200 OK", 15);
	has(answer, "|3|abc");
	free(answer);
	/* not when it did not wait, nor when its body is not wanted */
	answer = ask(&s, "POST /under/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", 0);
	assert_memory_equal(answer, "HTTP/1.1 200 OK", 15);
	free(answer);
	answer = ask(&s, "POST /under/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 0);
	assert_memory_equal(answer, "HTTP/1.1 413 ", 13);
	free(answer);
	asks(&s, "POST /under/a HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 3\r\n\r\n", "417 ");
	finish(&s);
}

/* To be asked is a courtesy: a socket that has no room for it does not end the request. */
static void a_client_that_cannot_be_asked_is_waited_for(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .request_timeout = 3600 * US_SECOND });
	continue_fits = 0;
	fd = connect_to(&s);
	say(fd, waits_to_be_asked);
	asks(&s, GET("/exact", ""), "200 OK");	/* the head was read */
	say(fd, "abc");
	answer = read_all(fd);
	assert_memory_equal(answer, "HTTP/1.1 200 OK", 15);
	has(answer, "|3|abc");
	free(answer);
	/* a part of it would stand in front of the reply */
	continue_fits = 10;
	answer = ask(&s, waits_to_be_asked, 0);
	assert_string_equal(answer, "HTTP/1.1 1");
	free(answer);
	continue_fits = -1;
	finish(&s);
}

static void bytes_may_come_one_by_one(void **state)
{
	static const char request[] = "POST /under/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
		"POST /under/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n";
	struct server s;
	char *answer;
	size_t i;
	int fd, one = 1;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (i = 0; i < sizeof(request) - 1; i++) {
		put(fd, request + i, 1);
		sched_yield();
	}
	answer = read_all(fd);
	has(answer, "/under/a|a|127.0.0.1|3|abc");
	has(strstr(answer, "|abc"), "/under/b|b|127.0.0.1|4|defg");
	free(answer);
	finish(&s);
}

/* One byte after the other keeps an idle time-out from ever firing; the deadline does not care. */
static void a_trickling_request_is_cut_at_its_deadline(void **state)
{
	struct server s;
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
	size_t i = 0;
	int fd;
	char c;

	(void)state;
	start_with(&s, (struct http_options){ .request_timeout = 200 * 1000, .idle_timeout = 3600 * US_SECOND });
	fd = connect_to(&s);
	for (;;) {
		ssize_t n = send(fd, i < sizeof(request) - 1 ? &request[i++] : "x", 1, MSG_NOSIGNAL);
		struct timeval wait = { .tv_usec = 20 * 1000 };

		if (n < 0)
			break;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		n = recv(fd, &c, 1, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		assert_true(n < 0);	/* and no answer */
	}
	close(fd);
	assert_int_equal(s.calls, 0);
	finish(&s);
}

/* Sends half a request and nothing more: no byte arrives that could trip the deadline, the sweep finds it. */
static void a_stalled_request_is_cut_too(void **state)
{
	struct server s;
	char *answer;

	(void)state;
	start_with(&s, (struct http_options){ .request_timeout = 1, .idle_timeout = 3600 * US_SECOND });
	answer = ask(&s, "GET / HTTP/1.1\r\nHost: a\r\n", 0);
	assert_string_equal(answer, "");
	free(answer);
	finish(&s);
}

/* It asks for much and takes nothing: neither memory nor the connection is kept for it. */
static void who_does_not_read_is_cut(void **state)
{
	static const char *const paths[] = { "/big", "/long" };
	char request[100];
	struct server s;
	size_t i;

	(void)state;
	start_with(&s, (struct http_options){ .max_connections = 1, .idle_timeout = 1000 });
	for (i = 0; i < 2; i++) {
		int n = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]), fd = connect_to(&s);

		put(fd, request, (size_t)n);
		asks(&s, GET("/exact", ""), "200 OK");	/* there is room for this one only when that one is gone */
		close(fd);
	}
	finish(&s);
}

static void idle_connections_are_closed(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .idle_timeout = 50 * 1000 });
	answer = read_all(connect_to(&s));
	assert_string_equal(answer, "");
	free(answer);
	fd = connect_to(&s);
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = read_all(fd);
	has(answer, "HTTP/1.1 200 OK");
	free(answer);
	finish(&s);
}

/* A reply that waits for its commit is bounded by neither time-out. */
static void a_waiting_reply_outlives_both_time_outs(void **state)
{
	struct server s;
	char *first, *second;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .request_timeout = 1, .idle_timeout = 100 * 1000 });
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	/* another connection that says nothing is closed by the idle time-out: that much time has passed then */
	first = read_all(connect_to(&s));
	free(first);
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	second = read_one(fd, true);
	has(second, "\r\n\r\nheld");
	free(second);
	close(fd);
	finish(&s);
}

static void a_client_may_leave_before_its_reply(void **state)
{
	struct server s;
	int fd, i;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	for (i = 0; i < 3; i++) {
		fd = connect_to(&s);
		say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
		sem_wait(&s.holding);
		drop(fd, i);
		asks(&s, GET("/exact", ""), "200 OK");
		loop_post(s.loop, reply_held, &s);
		sem_wait(&s.done);
		asks(&s, GET("/exact", ""), "200 OK");
	}
	finish(&s);
}

/* Also one that sent the next request already, behind which its end is not seen at once. */
static void a_client_that_left_gives_up_its_place(void **state)
{
	struct server s;
	int fd, i;

	(void)state;
	start_with(&s, (struct http_options){ .max_connections = 1, .request_timeout = 100 * 1000, .idle_timeout = 3600 * US_SECOND });
	for (i = 0; i < 4; i++) {
		fd = connect_to(&s);
		say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
		sem_wait(&s.holding);
		if (i & 2)
			say(fd, GET("/exact", ""));
		drop(fd, i & 1);
		asks(&s, GET("/exact", ""), "200 OK");	/* there is room for this one only when that one is gone */
		assert_string_equal(http_path(s.held), "/hold");
		loop_post(s.loop, reply_held, &s);
		sem_wait(&s.done);
	}
	assert_int_equal(s.calls, 4);
	finish(&s);
}

static void a_client_that_sends_no_more_gets_its_reply(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .max_connections = 2, .request_timeout = 100 * 1000, .idle_timeout = 3600 * US_SECOND });
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	shutdown(fd, SHUT_WR);
	sem_wait(&s.holding);
	asks(&s, GET("/exact", ""), "200 OK");
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	answer = read_all(fd);
	has(answer, "\r\n\r\nheld");
	free(answer);
	finish(&s);
}

static void it_is_not_waited_for_longer_than_for_an_idle_one(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ .idle_timeout = 50 * 1000 });
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	shutdown(fd, SHUT_WR);
	sem_wait(&s.holding);
	answer = read_all(fd);
	assert_string_equal(answer, "");
	free(answer);
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	finish(&s);
}

/* Only as many as are needed, and none that has a request. */
static void silent_connections_make_way(void **state)
{
	struct server s;
	int fd[4], i;
	char *answer, c;

	(void)state;
	start_with(&s, (struct http_options){ .max_connections = 4, .request_timeout = 100 * 1000, .idle_timeout = 3600 * US_SECOND });
	fd[0] = connect_to(&s);
	say(fd[0], "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	for (i = 1; i < 4; i++)
		fd[i] = connect_to(&s);
	asks(&s, GET("/exact", ""), "200 OK");
	assert_int_equal(recv(fd[1], &c, 1, 0), 0);
	close(fd[1]);
	for (i = 2; i < 4; i++) {
		say(fd[i], GET("/exact", ""));
		answer = read_all(fd[i]);
		has(answer, "200 OK");
		free(answer);
	}
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	free(read_one(fd[0], true));
	close(fd[0]);
	finish(&s);
}

static void a_request_outlives_its_listener(void **state)
{
	struct server s;
	int fd;
	char *answer;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	say(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	loop_post(s.loop, stop_cb, &s);
	pthread_join(s.thread, NULL);
	http_close(&s.http);
	answer = read_all(fd);
	assert_string_equal(answer, "");
	free(answer);
	assert_string_equal(http_path(s.held), "/hold");
	assert_string_equal(http_header(s.held, "hOST"), "a");
	http_set_header(s.held, "A", "b");
	http_reply(s.held, 200, "text/plain", "x", 1);
	loop_free(&s.loop);
}

static void close_cb(void *arg)
{
	struct server *s = arg;

	http_close(&s->http);
	sem_post(&s->done);
}

static void closing_cuts_whatever_a_connection_does(void **state)
{
	static const char hold[] = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char *const half[] = { "GET /exact HTTP/1.1\r\n", "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc" };
	static const char *const answered[] = {
		"GET /exact HTTP/1.1\r\nHost: a\r\n\r\n", "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", "GET /long HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /under/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
	};
	struct server s;
	int fd[7], i;

	(void)state;
	start_with(&s, (struct http_options){ .request_timeout = 3600 * US_SECOND, .idle_timeout = 3600 * US_SECOND });
	for (i = 0; i < 7; i++)
		fd[i] = connect_to(&s);
	for (i = 0; i < 2; i++)
		say(fd[i], half[i]);
	for (i = 0; i < 4; i++) {
		say(fd[2 + i], answered[i]);
		free(read_one(fd[2 + i], false));
	}
	say(fd[6], hold);
	sem_wait(&s.holding);
	say(fd[6], GET("/exact", ""));
	asks(&s, GET("/exact", ""), "200 OK");
	loop_post(s.loop, close_cb, &s);
	sem_wait(&s.done);
	for (i = 0; i < 7; i++)
		free(read_all(fd[i]));
	assert_string_equal(http_path(s.held), "/hold");
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	assert_int_equal(s.calls, 2);
	finish(&s);
}

static void drain_cb(void *arg)
{
	struct server *s = arg;

	http_drain(s->http);
	sem_post(&s->done);
}

static void draining_closes_with_the_next_reply(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = read_one(fd, true);
	assert_null(strstr(answer, "Connection: close"));
	free(answer);
	loop_post(s.loop, drain_cb, &s);
	sem_wait(&s.done);
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = read_all(fd);
	has(answer, "Connection: close");
	free(answer);
	finish(&s);
}

/* At the cap the next connection waits in the backlog until another ends; none is refused. */
static void connections_are_capped(void **state)
{
	struct server s;
	int one, two, three;
	char *answer;

	(void)state;
	start_with(&s, (struct http_options){ .max_connections = 2 });
	one = connect_to(&s);
	two = connect_to(&s);
	say(one, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	sem_wait(&s.holding);
	say(two, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = read_one(two, true);
	free(answer);
	three = connect_to(&s);
	say(three, "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	/* it is not served while two are open: those two still are */
	say(two, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	answer = read_one(two, true);
	free(answer);
	assert_int_equal(s.calls, 2);
	close(two);
	answer = read_all(three);
	has(answer, "200 OK");
	free(answer);
	assert_int_equal(s.calls, 3);
	loop_post(s.loop, reply_held, &s);
	sem_wait(&s.done);
	close(one);
	finish(&s);
}

/* Without descriptors accept(2) fails; the listener says so once, pauses instead of spinning, and takes up again. */
static void running_out_of_descriptors_pauses_accepting(void **state)
{
	struct rlimit old, low;
	struct rusage before, after;
	struct server s;
	char *answer;
	int64_t cpu;
	int fd, other, log = memfd_create("log", MFD_CLOEXEC), errors = dup(STDERR_FILENO);
	char said[4096] = "", *first;

	(void)state;
	log_setup(LOG_WARN, false);
	dup2(log, STDERR_FILENO);
	start_with(&s, (struct http_options){ 0 });
	asks(&s, GET("/exact", ""), "200 OK");
	fd = connect_to(&s);		/* accepted */
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");
	free(read_one(fd, true));
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 3;		/* below what is open: accept gives EMFILE */
	setrlimit(RLIMIT_NOFILE, &low);
	{
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct timeval wait = { .tv_usec = 300 * 1000 };
		char c;

		assert_int_equal(connect(other, (struct sockaddr *)&at, sizeof(at)), 0);
		say(other, "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
		setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		getrusage(RUSAGE_SELF, &before);
		assert_int_equal(recv(other, &c, 1, 0), -1);
		getrusage(RUSAGE_SELF, &after);
		wait.tv_usec = 0;
		setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	}
	cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) * US_SECOND +
		after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	assert_true(cpu < 150 * 1000);	/* CPU, not wall time: a spinning accept would have burnt all of the 300 ms */
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n");	/* those who are in are served meanwhile */
	free(read_one(fd, true));
	setrlimit(RLIMIT_NOFILE, &old);
	dup2(errors, STDERR_FILENO);
	log_setup(LOG_ERROR, false);
	assert_true(pread(log, said, sizeof(said) - 1, 0) > 0);
	first = strstr(said, "http.accept_failed");
	assert_true(first && !strstr(first + 1, "http.accept_failed"));
	close(log);
	close(errors);
	answer = read_all(other);
	has(answer, "200 OK");
	free(answer);
	close(fd);
	finish(&s);
}

/* A reply that the socket does not take at once is written as it does, and others have their turns meanwhile. */
static void a_slow_reader_gets_all_of_it(void **state)
{
	struct server s;
	char *answer, piece[65536];
	size_t got = 0;
	ssize_t n;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	free(read_one(fd, false));
	asks(&s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "400 ");
	while (got < 8 * 1024 * 1024 && (n = recv(fd, piece, sizeof(piece), 0)) > 0)
		got += (size_t)n;
	assert_int_equal(got, 8 * 1024 * 1024);
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	answer = read_all(fd);
	has(answer, "200 OK");
	free(answer);
	finish(&s);
}

static void so_does_one_of_a_file(void **state)
{
	char *answer, *file = calloc(1, LONG);
	struct server s;
	size_t got = 0;
	ssize_t n;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	fd = connect_to(&s);
	say(fd, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
	free(read_one(fd, false));
	asks(&s, GET("/exact", ""), "200 OK");
	while (got < LONG - 1 && (n = recv(fd, file + got, LONG - 1 - got, 0)) > 0)
		got += (size_t)n;
	assert_int_equal(got, LONG - 1);
	assert_memory_equal(file + LONG - 4, "end", 3);
	say(fd, "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	answer = read_all(fd);
	has(answer, "200 OK");
	free(answer);
	free(file);
	finish(&s);
}

/* What was promised cannot be sent: the end of the connection says so. */
static void a_file_that_is_too_short_ends_the_connection(void **state)
{
	struct server s;
	char *answer;

	(void)state;
	start_with(&s, (struct http_options){ .idle_timeout = 3600 * US_SECOND });
	answer = ask(&s, "GET /short HTTP/1.1\r\nHost: a\r\n\r\nGET /exact HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	has(answer, "Content-Length: 20\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n0123456789");
	free(answer);
	assert_int_equal(s.calls, 0);
	asks(&s, GET("/exact", ""), "200 OK");
	finish(&s);
}

/* Between the bytes of a request and its reply stands the reply to another connection, which stays, ends or is gone. */
static void a_handler_may_answer_another_connection(void **state)
{
	static const char *const held[] = {
		"GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /under/more/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET /hold HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
	};
	struct server s;
	char *answer;
	size_t i;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	for (i = 0; i < 3; i++) {
		fd = connect_to(&s);
		say(fd, held[i]);
		sem_wait(&s.holding);
		if (i == 2)
			drop(fd, true);
		answer = ask(&s, "POST /release HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /under/more/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0);
		has(answer, "4 /release||127.0.0.1|3|abc");
		has(answer, "1 /under/more/b|b|");
		assert_null(strstr(answer, "held"));
		free(answer);
		if (i == 2)
			continue;
		answer = read_all(fd);
		has(answer, "\r\n\r\nheld");
		assert_int_equal(strstr(answer, "1 /under/more/next|next|") != NULL, i == 0);
		free(answer);
	}
	finish(&s);
}

static void routes_and_methods(void **state)
{
	struct server s;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	asks(&s, GET("/", ""), "1 /||127.0.0.1|0|");
	asks(&s, GET("/exact", ""), "200 OK");
	asks(&s, GET("/exact/", ""), "404 Not Found");
	asks(&s, GET("/exactly", ""), "404 Not Found");
	asks(&s, GET("/nothing", ""), "application/problem+json");
	asks(&s, GET("/under/x", ""), "405 Method Not Allowed");
	asks(&s, GET("/under/x", ""), "Allow: POST\r\n");
	asks(&s, GET("/under/more/x/y?z=1", ""), "1 /under/more/x/y|x/y|");
	asks(&s, "OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "8 /|");
	asks(&s, "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501 ");
	asks(&s, "BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501 ");
	asks(&s, "PUT /exact HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "501 ");
	asks(&s, "PUT /exact HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "501 ");
	asks(&s, "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501 ");
	asks(&s, GET("/query?a=x%20y+z&b", "Accept: text/html,*/*\r\n"), "x y z||1");
	asks(&s, GET("/query?aa=1&b=%zz", "Accept: application/json\r\n"), "-|-|0");
	asks(&s, "POST /under/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "|5|abcde");
	asks(&s, "GET /exact HTTP/1.0\r\n\r\n", "200 OK");
	finish(&s);
}

static void every_reply_carries_its_headers(void **state)
{
	struct server s;
	char *answer;
	int fd;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	answer = ask(&s, GET("/exact", ""), 0);
	has(answer, "Content-Type: text/plain; charset=utf-8\r\n");
	has(answer, "X-Content-Type-Options: nosniff\r\n");
	has(answer, "Cache-Control: no-store\r\n");
	has(answer, "Content-Length: 22\r\n");
	has(answer, " GMT\r\n");
	assert_null(strstr(strstr(answer, "\r\nDate: ") + 1, "\r\nDate: "));
	free(answer);
	answer = ask(&s, GET("/nothing", ""), 0);
	has(answer, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"There is nothing at this address.\"}");
	free(answer);
	fd = connect_to(&s);
	say(fd, "HEAD /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	answer = read_all(fd);
	has(answer, "Content-Length: 22\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	free(answer);
	answer = ask(&s, GET("/file", ""), 0);
	has(answer, "HTTP/1.1 206 Partial Content");
	has(answer, "\r\n\r\n23456");
	free(answer);
	answer = ask(&s, "HEAD /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0);
	has(answer, "Content-Length: 5\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	free(answer);
	finish(&s);
}

static void connections_last_as_the_client_says(void **state)
{
	static const struct { const char *request; bool stays; } rows[] = {
		{ "GET /exact HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false },
		{ "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\n\r\n", false },
		{ "GET /exact HTTP/1.0\r\n\r\n", false },
		{ "GET /exact HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
		{ "HEAD /exact HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", true },
	};
	struct server s;
	size_t i;

	(void)state;
	start_with(&s, (struct http_options){ 0 });
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = connect_to(&s);
		char *answer;

		say(fd, rows[i].request);
		answer = read_one(fd, *rows[i].request == 'G');
		assert_int_equal(strstr(answer, "Connection: close") == NULL, rows[i].stays);
		assert_int_equal(strstr(answer, "Connection: keep-alive") != NULL, rows[i].stays && strstr(rows[i].request, "HTTP/1.0"));
		free(answer);
		if (rows[i].stays)
			say(fd, GET("/exact", ""));
		answer = read_all(fd);
		assert_int_equal(strstr(answer, "200 OK") != NULL, rows[i].stays);
		free(answer);
	}
	finish(&s);
}

static void the_clients_address_is_what_trusted_proxies_say(void **state)
{
	static const char *const proxies[] = { "127.0.0.1", "10.0.0.0/8", "2001:db8::/33", NULL };
	static const struct { const char *header, *ip; } rows[] = {
		{ "", "|127.0.0.1|" },
		{ "X-Forwarded-For: 192.0.2.7\r\n", "|192.0.2.7|" },
		{ "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n", "|192.0.2.7|" },		/* what the client wrote itself counts nothing */
		{ "X-Forwarded-For: 192.0.2.7, 10.1.2.3\r\n", "|192.0.2.7|" },
		{ "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.1.2.3\r\n", "|192.0.2.7|" },
		{ "X-Forwarded-For: 10.1.2.3\r\n", "|10.1.2.3|" },
		{ "X-Forwarded-For: unknown\r\n", "|127.0.0.1|" },
		{ "X-Forwarded-For: 192.0.2.7, \"><script>\r\n", "|127.0.0.1|" },
		{ "X-Forwarded-For: 192.0.2.7:4711\r\n", "|192.0.2.7|" },
		{ "X-Forwarded-For: ::ffff:192.0.2.7\r\n", "|192.0.2.7|" },
		{ "X-Forwarded-For: [2001:DB8:8000::1]:443\r\n", "|2001:db8:8000::1|" },
		{ "X-Forwarded-For: 192.0.2.7, 2001:db8:7fff::1\r\n", "|192.0.2.7|" },
	};
	struct server s;
	char request[300];
	size_t i;

	(void)state;
	start_with(&s, (struct http_options){ .trusted_proxies = proxies });
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(request, sizeof(request), "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", rows[i].header);
		asks(&s, request, rows[i].ip);
	}
	finish(&s);
	start_with(&s, (struct http_options){ 0 });
	asks(&s, GET("/exact", "X-Forwarded-For: 192.0.2.7\r\n"), "|127.0.0.1|");
	finish(&s);
}

static void what_cannot_be_listened_on_is_said(void **state)
{
	static const char *const wrong[] = { "10.0.0.0/33", NULL };
	struct http_options o = { .routes = routes, .trusted_proxies = wrong };
	struct loop *loop = loop_new();
	struct http *http = NULL;
	struct err err;

	(void)state;
	assert_int_equal(http_listen_tcp(loop, &o, "127.0.0.1", 0, &http, &err), -1);
	assert_string_equal(err.text, "trusted_proxies: no address or network: 10.0.0.0/33");
	o.trusted_proxies = NULL;
	assert_int_equal(http_listen_tcp(loop, &o, "localhost", 0, &http, &err), -1);
	assert_string_equal(err.text, "not an IP address: localhost");
	assert_int_equal(http_listen_tcp(loop, &o, "192.0.2.1", 0, &http, &err), -1);
	assert_int_equal(http_listen_unix(loop, &o, "/nowhere/at/all", 0600, &http, &err), -1);
	assert_null(http);
	loop_free(&loop);
}

static void a_unix_socket_serves_too(void **state)
{
	char dir[] = "/tmp/test-http-XXXXXX", path[64];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct http_options o = { .routes = routes };
	struct server s = { .calls = 0 };
	struct http *second = NULL;
	struct stat st;
	struct err err;
	char *answer;
	int fd, i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	close(open(path, O_CREAT | O_WRONLY, 0600));	/* what a killed daemon left behind */
	s.loop = loop_new();
	o.ctx = &s;
	assert_int_equal(http_listen_unix(s.loop, &o, path, 0660, &s.http, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	/* who comes second does not take it over */
	assert_int_equal(http_listen_unix(s.loop, &o, path, 0660, &second, &err), -1);
	assert_non_null(strstr(err.text, "another daemon listens on"));
	assert_int_equal(pthread_create(&s.thread, NULL, run, &s), 0);
	for (i = 0; i < 2; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
		say(fd, GET("/exact", "X-Forwarded-For: 192.0.2.7\r\n"));
		answer = read_all(fd);
		has(answer, "1 /exact|||0|");
		free(answer);
	}
	finish(&s);
	assert_int_equal(stat(path, &st), -1);
	rmdir(dir);
}

static void parameters_of_headers(void **state)
{
	static const struct { const char *value, *name, *wanted; } rows[] = {
		{ "multipart/form-data; boundary=abc", "boundary", "abc" },
		{ "multipart/form-data;boundary=\"a b\\\"c\"; x=y", "boundary", "a b\"c" },
		{ "multipart/form-data;boundary=\"a;b\"; x=y", "x", "y" },
		{ "form-data; name=a; filename=b", "NAME", "a" },
		{ "form-data; filename=b", "name", NULL },
		{ "form-data; name", "name", NULL },
		{ "form-data; name=", "name", "" },
		{ "form-data; name=\"open", "name", "open" },
		{ "form-data", "name", NULL },
		{ NULL, "name", NULL },
	};
	struct arena *arena = arena_new(0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = http_parameter(arena, rows[i].value, rows[i].name);

		if (!got != !rows[i].wanted || (got && strcmp(got, rows[i].wanted) != 0))
			fail_msg("row %zu: %s", i, got ? got : "NULL");
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_requests_get_400_and_a_closed_connection),
		cmocka_unit_test(a_request_before_the_hostile_one_is_answered),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(a_closed_connection_takes_no_bytes_of_the_next),
		cmocka_unit_test(many_requests_may_wait_behind_one),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(some_routes_take_larger_bodies),
		cmocka_unit_test(who_still_sends_sees_why_it_was_refused),
		cmocka_unit_test(who_said_close_and_sends_on_gets_its_reply),
		cmocka_unit_test(a_client_that_waits_to_be_asked_is_asked),
		cmocka_unit_test(a_client_that_cannot_be_asked_is_waited_for),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(a_trickling_request_is_cut_at_its_deadline),
		cmocka_unit_test(a_stalled_request_is_cut_too),
		cmocka_unit_test(who_does_not_read_is_cut),
		cmocka_unit_test(idle_connections_are_closed),
		cmocka_unit_test(a_waiting_reply_outlives_both_time_outs),
		cmocka_unit_test(a_client_may_leave_before_its_reply),
		cmocka_unit_test(a_client_that_left_gives_up_its_place),
		cmocka_unit_test(a_client_that_sends_no_more_gets_its_reply),
		cmocka_unit_test(it_is_not_waited_for_longer_than_for_an_idle_one),
		cmocka_unit_test(silent_connections_make_way),
		cmocka_unit_test(a_request_outlives_its_listener),
		cmocka_unit_test(closing_cuts_whatever_a_connection_does),
		cmocka_unit_test(draining_closes_with_the_next_reply),
		cmocka_unit_test(connections_are_capped),
		cmocka_unit_test(running_out_of_descriptors_pauses_accepting),
		cmocka_unit_test(a_slow_reader_gets_all_of_it),
		cmocka_unit_test(so_does_one_of_a_file),
		cmocka_unit_test(a_file_that_is_too_short_ends_the_connection),
		cmocka_unit_test(a_handler_may_answer_another_connection),
		cmocka_unit_test(routes_and_methods),
		cmocka_unit_test(every_reply_carries_its_headers),
		cmocka_unit_test(connections_last_as_the_client_says),
		cmocka_unit_test(the_clients_address_is_what_trusted_proxies_say),
		cmocka_unit_test(what_cannot_be_listened_on_is_said),
		cmocka_unit_test(a_unix_socket_serves_too),
		cmocka_unit_test(parameters_of_headers),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
