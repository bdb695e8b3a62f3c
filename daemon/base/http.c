/*
 * http.c: the listener: whom it lets in, how long they may stay, and which handler a request gets. See http.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/text.h"

#include "http_parts.h"

#define BACKLOG 1024
#define SWEEP_MOST US_SECOND
#define SWEEP_LEAST (US_SECOND / 100)
#define PAUSE_US (100 * 1000)
#define WARN_EVERY US_MINUTE

METRIC(http_paused, COUNTER, "nurtured_http_accept_pauses_total", "",
	"How often accepting was paused: too many connections or no descriptors.");

/* --- addresses ------------------------------------------------------------------------------- */

static int to_bytes(const char *ip, uint8_t out[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (inet_pton(AF_INET6, ip, out) == 1)
		return 6;
	if (inet_pton(AF_INET, ip, out + 12) != 1)
		return -1;
	memcpy(out, mapped, sizeof(mapped));
	return 4;
}

static int parse_network(const char *text, struct http_network *out, struct err *err)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	int64_t bits;
	int family;

	if (n >= sizeof(ip))
		return err_set(err, "no address or network: %s", text);
	memcpy(ip, text, n);
	ip[n] = '\0';
	if ((family = to_bytes(ip, out->bytes)) < 0)
		return err_set(err, "no address or network: %s", text);
	out->bits = 128;
	if (slash) {
		if (text_int(slash + 1, &bits) < 0 || bits < 0 || bits > (family == 4 ? 32 : 128))
			return err_set(err, "no address or network: %s", text);
		out->bits = (int)bits + (family == 4 ? 96 : 0);
	}
	return 0;
}

static bool in_network(const struct http_network *network, const uint8_t bytes[16])
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->bytes, bytes, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((network->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static bool trusted(void *arg, const char *ip)
{
	const struct http *http = arg;
	uint8_t bytes[16];
	size_t i;

	if (http->proxy_count == 0 || to_bytes(ip, bytes) < 0)
		return false;
	for (i = 0; i < http->proxy_count; i++)
		if (in_network(&http->proxies[i], bytes))
			return true;
	return false;
}

/* --- connections ----------------------------------------------------------------------------- */

static bool is_full(const struct http *http)
{
	return http->connection_count >= http->max_connections;
}

static void stop_accepting(struct http *http)
{
	evconnlistener_disable(http->listener);
	metric_add(&metric_http_paused, 1);
}

static bool somebody_waits(const struct http *http)
{
	struct pollfd p = { .fd = evconnlistener_get_fd(http->listener), .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void http_make_room(struct http *http)
{
	if (http->draining || timer_is_set(http->pause))
		return;
	if (!is_full(http))
		evconnlistener_enable(http->listener);
	else if (somebody_waits(http))
		(void)http_connection_make_way(http);	/* which comes back here */
}

static void sweep_cb(void *arg)
{
	struct http *http = arg;
	struct http_connection *c, *next;

	http->now = clock_steady();
	for (c = http->connections; c; c = next) {
		next = c->next;
		http_connection_check(c);
	}
	if (is_full(http))
		http_make_room(http);
	timer_set(http->sweep, http->sweep_us);
}

static void pause_cb(void *arg)
{
	http_make_room(arg);
}

/* accept(2) failed: out of descriptors, mostly. Without a pause it would be tried again at once, for ever. */
static void accept_error_cb(struct evconnlistener *listener, void *arg)
{
	struct http *http = arg;

	if (http->warned_at == 0 || http->now - http->warned_at >= WARN_EVERY) {
		log_warn("http.accept_failed", L_STR("error", strerror(EVUTIL_SOCKET_ERROR())),
			L_INT("connections", http->connection_count));
		http->warned_at = http->now;
	}
	stop_accepting(http);
	timer_set(http->pause, PAUSE_US);
}

/* "" of a Unix socket. */
static void peer_of(const struct sockaddr *address, char out[48])
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
	char text[INET6_ADDRSTRLEN] = "";

	if (address->sa_family == AF_INET)
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	else if (address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
	http_canonical_ip(text, out);
}

static void accept_cb(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len, void *arg)
{
	struct http *http = arg;
	char peer[48];

	peer_of(address, peer);
	http_connection_new(http, fd, peer);
	if (is_full(http))
		http_make_room(http);
	if (is_full(http))
		stop_accepting(http);
}

/* --- requests -------------------------------------------------------------------------------- */

static const struct http_place *find_place(const struct http *http, const char *path)
{
	size_t len = strlen(path), i;

	for (i = 0; i < http->place_count; i++) {
		const struct http_place *p = &http->places[i];

		/* the byte behind the first slash tells most of them apart */
		if (path[1] == p->path[1] && p->len <= len && memcmp(path, p->path, p->len) == 0 &&
			(p->len == len || (p->len > 1 && path[p->len - 1] == '/')))
			return p;
	}
	return NULL;
}

int64_t http_body_limit(const struct http_request *r)
{
	const struct http *http = r->connection->http;

	return r->place && r->place->route->methods & HTTP_LARGE ? http->max_large_body : http->max_body;
}

bool http_admit(struct http_request *r)
{
	struct http *http = r->connection->http;

	http_request_find_ip(r, r->connection->peer, http->proxy_count ? trusted : NULL, http);
	r->place = find_place(http, r->path);
	if (!r->head.method)
		http_reply_refuse(r, 501, "This method is not known here.");
	else if (r->head.expects_more && !r->head.http10)
		http_reply_refuse(r, 417, "Nothing but 100-continue can be expected here.");
	else if (r->head.length > (uint64_t)http_body_limit(r))
		http_reply_refuse(r, 413, "The body is larger than this address takes.");
	else
		return true;
	return false;
}

static void not_allowed(struct http_request *r, unsigned methods)
{
	struct buf allow = BUF_INIT;

	buf_str(&allow, methods & HTTP_GET ? "GET, HEAD, " : "");
	buf_str(&allow, methods & HTTP_POST ? "POST, " : "");
	buf_str(&allow, methods & HTTP_OPTIONS ? "OPTIONS, " : "");
	buf_cut(&allow, allow.len - 2);
	http_set_header(r, "Allow", buf_cstr(&allow));
	buf_clear(&allow);
	http_problem(r, 405, "This address does not take that method; Allow says which it takes.", NULL);
}

void http_dispatch(struct http_request *r)
{
	const struct http_route *route = r->place ? r->place->route : NULL;
	unsigned methods;

	if (!route) {
		http_problem(r, 404, "There is nothing at this address.", NULL);
		return;
	}
	methods = route->methods | (route->methods & HTTP_GET ? HTTP_HEAD : 0);
	if (!(methods & r->head.method)) {
		not_allowed(r, methods);
		return;
	}
	r->rest = r->path + r->place->len;
	route->handle(r->connection->http->ctx, r);
}

/* --- life ------------------------------------------------------------------------------------ */

static int read_proxies(struct http *http, const char *const *proxy, struct err *err)
{
	for (; proxy && *proxy; proxy++) {
		if (http->proxy_count == HTTP_PROXIES_MAX)
			return err_set(err, "more than %d trusted proxies", HTTP_PROXIES_MAX);
		if (parse_network(*proxy, &http->proxies[http->proxy_count], err) < 0) {
			err_prefix(err, "trusted_proxies");
			return -1;
		}
		http->proxy_count++;
	}
	return 0;
}

static int longer_first(const void *a, const void *b)
{
	size_t x = ((const struct http_place *)a)->len, y = ((const struct http_place *)b)->len;

	return (x < y) - (x > y);
}

static void read_routes(struct http *http, const struct http_route *routes)
{
	size_t n = 0, i;

	while (routes[n].path)
		n++;
	http->places = xcalloc(n, sizeof(*http->places));
	http->place_count = n;
	for (i = 0; i < n; i++)
		http->places[i] = (struct http_place){ &routes[i], routes[i].path, strlen(routes[i].path) };
	qsort(http->places, n, sizeof(*http->places), longer_first);
}

static int64_t or_else(int64_t given, int64_t otherwise)
{
	return given ? given : otherwise;
}

/* Often enough that a time-out lasts a quarter longer at most, or two seconds. */
static int64_t sweep_time(const struct http *http)
{
	int64_t us = (http->request_timeout < http->idle_timeout ? http->request_timeout : http->idle_timeout) / 8;

	return us < SWEEP_LEAST ? SWEEP_LEAST : us > SWEEP_MOST ? SWEEP_MOST : us;
}

/* Takes `fd`, which is bound, and listens with it. */
static int start(struct loop *loop, const struct http_options *o, int fd, struct http **out, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->loop = loop;
	http->ctx = o->ctx;
	http->request_timeout = or_else(o->request_timeout, 10 * US_SECOND);
	http->idle_timeout = or_else(o->idle_timeout, 15 * US_SECOND);
	http->max_connections = (int)or_else(o->max_connections, 1024);
	http->max_body = or_else(o->max_body, 256 * 1024);
	http->max_large_body = o->max_large_body > http->max_body ? o->max_large_body : http->max_body;
	http->sweep_us = sweep_time(http);
	http->now = clock_steady();
	read_routes(http, o->routes);
	http->sweep = timer_new(loop, sweep_cb, http);
	http->pause = timer_new(loop, pause_cb, http);
	if (read_proxies(http, o->trusted_proxies, err) < 0) {
		close(fd);
		http_close(&http);
		return -1;
	}
	http->listener = evconnlistener_new(loop_base(loop), accept_cb, http,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
	if (!http->listener) {
		err_set(err, "cannot listen: %s", strerror(errno));
		close(fd);
		http_close(&http);
		return -1;
	}
	evconnlistener_set_error_cb(http->listener, accept_error_cb);
	timer_set(http->sweep, http->sweep_us);
	*out = http;
	return 0;
}

int http_listen_tcp(struct loop *loop, const struct http_options *options, const char *address, int port,
	struct http **out, struct err *err)
{
	int fd = endpoint_tcp(address, port, err), one = 1;

	if (fd < 0)
		return -1;
	/* connections inherit it: a reply goes out with one write, and shall not wait for the client's ACK of the one before */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return start(loop, options, fd, out, err);
}

int http_listen_unix(struct loop *loop, const struct http_options *options, const char *path, unsigned mode,
	struct http **out, struct err *err)
{
	int fd = endpoint_unix(path, mode, err);

	if (fd < 0)
		return -1;
	if (start(loop, options, fd, out, err) < 0) {
		(void)unlink(path);
		return -1;
	}
	(*out)->socket_path = xstrdup(path);
	return 0;
}

int http_port(const struct http *http)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(evconnlistener_get_fd(http->listener), (struct sockaddr *)&at, &len) < 0)
		return -1;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					      : ((struct sockaddr_in *)&at)->sin_port);
}

void http_drain(struct http *http)
{
	http->draining = true;
	evconnlistener_disable(http->listener);
}

void http_close(struct http **http_)
{
	struct http *http = *http_;
	struct http_connection *c;

	if (!http)
		return;
	*http_ = NULL;
	http->draining = true;	/* nobody comes in place of those who go */
	while ((c = http->connections) != NULL)
		http_connection_free(&c);
	if (http->listener)
		evconnlistener_free(http->listener);
	while (http->spare_count)
		arena_free(&http->spare[--http->spare_count]);
	timer_free(&http->sweep);
	timer_free(&http->pause);
	if (http->socket_path)
		(void)unlink(http->socket_path);
	free(http->socket_path);
	free(http->places);
	buf_clear(&http->out);
	free(http);
}
