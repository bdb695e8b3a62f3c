/*
 * http.c: listening, connections and their bounds, routing. What evhttp lacks stands here: see http.h.
 *
 * A connection is known from its bufferevent. evhttp frees that without a word, so a reference of ours
 * keeps it, and a sweep once a second finds those whose callbacks evhttp took away; the client has seen
 * the end before, as evhttp shuts the socket down. While a request waits
 * for its reply evhttp does not read and starts no time-out, so the request cannot vanish under a job that
 * is with the store.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/text.h"

#include "http_parts.h"

#define HEADERS_MAX 8192
#define SWEEP_US US_SECOND
#define PAUSE_US (100 * 1000)
#define SPARE_ARENAS 64
#define PROXIES_MAX 64

METRIC(http_cut, COUNTER, "nurtured_http_connections_cut_total", "reason=\"deadline\"",
	"HTTP connections that were closed against the client's will.");
METRIC(http_refused, COUNTER, "nurtured_http_connections_cut_total", "reason=\"malformed\"",
	"HTTP connections that were closed against the client's will.");
METRIC(http_paused, COUNTER, "nurtured_http_accept_pauses_total", "",
	"How often accepting was paused: too many connections or no descriptors.");
METRIC(http_open, GAUGE, "nurtured_http_connections", "", "Open HTTP connections.");

/* An address or network, as IPv6 (IPv4 mapped). */
struct network {
	uint8_t bytes[16];
	int bits;
};

struct http {
	struct http *next;			/* of all listeners of the process */
	struct loop *loop;
	const struct http_route *routes;
	void *ctx;
	int64_t request_timeout;
	int max_connections;
	int64_t max_body;		/* but of routes that are HTTP_LARGE */
	struct network proxies[PROXIES_MAX];
	size_t proxy_count;
	struct evhttp *evhttp;
	struct evconnlistener *listener;
	struct timer *sweep, *pause;
	struct http_connection *connections;
	int connection_count;
	struct http_connection **by_fd;		/* the connection that last read from a descriptor */
	size_t by_fd_cap;
	struct http_request *requests;		/* waiting for their reply */
	struct arena *spare[SPARE_ARENAS];
	size_t spare_count;
	int64_t date_at;			/* the second of which `date` is */
	char date[32];
	char *socket_path;
	bool draining;
};

/* evhttp owns the listener's callback argument, so the error callback finds us here. */
static struct http *listeners;

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

static int parse_network(const char *text, struct network *out, struct err *err)
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

static bool in_network(const struct network *network, const uint8_t bytes[16])
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

static bool is_dead(const struct http_connection *c)
{
	bufferevent_event_cb event = NULL;

	/* the read callback is away while evhttp writes; this one goes only with the connection */
	bufferevent_getcb(c->bev, NULL, NULL, &event, NULL);
	return event == NULL;
}

static void connection_free(struct http_connection *c)
{
	struct http *http = c->http;

	if (c->fd >= 0 && http->by_fd[c->fd] == c)	/* else a newer one has the descriptor */
		http->by_fd[c->fd] = NULL;
	if (c->prev)
		c->prev->next = c->next;
	else
		http->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	http->connection_count--;
	metric_add(&metric_http_open, -1);
	bufferevent_decref(c->bev);
	free(c);
}

/*
 * Past the deadline the socket is shut down, and evhttp finds the end of file by itself: nothing is freed
 * under its feet.
 */
static void cut_if_late(struct http_connection *c, int64_t now)
{
	evutil_socket_t fd;

	if (c->pending || c->started == 0 || now - c->started <= c->http->request_timeout)
		return;
	fd = bufferevent_getfd(c->bev);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	c->started = now;	/* once */
	metric_add(&metric_http_cut, 1);
}

/*
 * The guard found a fault, but evhttp still waits for more of that request (for a body that it understands
 * in another way, say): it would never come to request_cb(). Answers past evhttp, and shuts the socket
 * down.
 */
static void refuse_if_stuck(struct http_connection *c)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	if (!c->guard.bad_at || c->pending || c->refused || fd < 0 ||
		evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
		return;
	c->refused = true;
	log_debug("http.refused", L_STR("fault", c->guard.fault));
	metric_add(&metric_http_refused, 1);
	(void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_RDWR);
}

static void sweep(struct http *http)
{
	struct http_connection *c, *next;
	int64_t now = clock_steady();

	for (c = http->connections; c; c = next) {
		next = c->next;
		if (is_dead(c)) {
			connection_free(c);
			continue;
		}
		refuse_if_stuck(c);
		cut_if_late(c, now);
	}
}

static void sweep_cb(void *arg)
{
	struct http *http = arg;

	sweep(http);
	timer_set(http->sweep, SWEEP_US);
}

static void pause_accepting(struct http *http)
{
	evconnlistener_disable(http->listener);
	timer_set(http->pause, PAUSE_US);
	metric_add(&metric_http_paused, 1);
}

static void pause_cb(void *arg)
{
	struct http *http = arg;

	sweep(http);
	if (http->draining)
		return;
	if (http->connection_count < http->max_connections)
		evconnlistener_enable(http->listener);
	else
		timer_set(http->pause, PAUSE_US);
}

/*
 * accept(2) failed: out of descriptors, mostly. Without a pause libevent would try again at once, for ever.
 */
static void accept_error_cb(struct evconnlistener *listener, void *arg)
{
	struct http *http;

	for (http = listeners; http && http->listener != listener; http = http->next)
		;
	if (!http)
		return;
	log_warn("http.accept_failed", L_STR("error", strerror(EVUTIL_SOCKET_ERROR())),
		L_INT("connections", http->connection_count));
	pause_accepting(http);
}

static void remember_fd(struct http_connection *c)
{
	struct http *http = c->http;
	evutil_socket_t fd = bufferevent_getfd(c->bev);
	size_t old = http->by_fd_cap;

	assert(fd >= 0);
	if ((size_t)fd >= http->by_fd_cap) {
		http->by_fd = xgrow(http->by_fd, &http->by_fd_cap, (size_t)fd + 1, sizeof(*http->by_fd));
		memset(http->by_fd + old, 0, (http->by_fd_cap - old) * sizeof(*http->by_fd));
	}
	c->fd = fd;
	http->by_fd[fd] = c;
}

static void feed_guard(struct http_connection *c, struct evbuffer *input, size_t added)
{
	struct evbuffer_iovec pieces[8];
	size_t skip = evbuffer_get_length(input) - added;
	struct evbuffer_ptr from;
	int count, i;

	if (evbuffer_ptr_set(input, &from, skip, EVBUFFER_PTR_SET) < 0)
		return;
	count = evbuffer_peek(input, -1, &from, pieces, 8);
	assert(count <= 8);	/* one read(2) fills at most 4 pieces */
	for (i = 0; i < count && i < 8; i++)
		http_guard_feed(&c->guard, pieces[i].iov_base, pieces[i].iov_len);
}

/* Bytes have come: evhttp has not seen them yet. */
static void input_cb(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *c = arg;
	int64_t now;

	if (info->n_added == 0)
		return;
	if (c->guard.begun == 0)
		remember_fd(c);
	feed_guard(c, input, info->n_added);
	if (c->guard.bad_at)
		timer_set(c->http->sweep, 0);	/* behind evhttp's turn with these bytes */
	now = clock_steady();
	if (!c->pending && c->started == 0 && c->guard.begun > c->handled)
		c->started = now;
	cut_if_late(c, now);
}

static struct bufferevent *connection_cb(struct event_base *base, void *arg)
{
	struct http *http = arg;
	struct http_connection *c = xcalloc(1, sizeof(*c));

	if (http->connection_count + 1 >= http->max_connections)
		/* before the new one is there: without evhttp's callbacks it would pass for dead */
		sweep(http);
	c->http = http;
	c->fd = -1;
	/* the descriptor lives as long as the events on it: else a new connection gets both of them */
	c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(c->bev);
	bufferevent_incref(c->bev);
	evbuffer_add_cb(bufferevent_get_input(c->bev), input_cb, c);
	c->next = http->connections;
	if (c->next)
		c->next->prev = c;
	http->connections = c;
	http->connection_count++;
	metric_add(&metric_http_open, 1);
	if (http->connection_count >= http->max_connections)
		pause_accepting(http);
	return c->bev;
}

/* --- requests -------------------------------------------------------------------------------- */

static struct http_request *request_new(
	struct http *http, struct evhttp_request *ev, struct http_connection *c)
{
	struct arena *arena = http->spare_count ? http->spare[--http->spare_count] : arena_new(0);
	struct http_request *r = arena_calloc(arena, 1, sizeof(*r));
	const char *uri = evhttp_request_get_uri(ev), *query;

	r->http = http;
	r->arena = arena;
	r->ev = ev;
	r->connection = c;
	r->next = http->requests;
	if (r->next)
		r->next->prev = r;
	http->requests = r;
	query = strchrnul(uri, '?');
	r->path = arena_strndup(arena, uri, (size_t)(query - uri));
	r->query = *query ? arena_strdup(arena, query + 1) : "";
	r->rest = "";
	switch (evhttp_request_get_command(ev)) {
	case EVHTTP_REQ_HEAD:
		r->method = HTTP_HEAD;
		break;
	case EVHTTP_REQ_POST:
		r->method = HTTP_POST;
		break;
	case EVHTTP_REQ_OPTIONS:
		r->method = HTTP_OPTIONS;
		break;
	default:
		r->method = HTTP_GET;	/* evhttp lets no others through */
		break;
	}
	return r;
}

void http_request_done(struct http_request *r)
{
	struct http *http = r->http;
	struct http_connection *c = r->connection;
	struct arena *arena = r->arena;

	if (!http) {
		arena_free(&arena);
		return;
	}
	if (r->prev)
		r->prev->next = r->next;
	else
		http->requests = r->next;
	if (r->next)
		r->next->prev = r->prev;
	c->pending = false;
	c->started = c->guard.begun > c->handled ? clock_steady() : 0;
	if (http->spare_count < SPARE_ARENAS) {
		arena_reset(arena);
		http->spare[http->spare_count++] = arena;
	} else {
		arena_free(&arena);
	}
}

bool http_draining(const struct http *http)
{
	return http->draining;
}

const char *http_date(struct http *http)
{
	int64_t now = clock_now() / US_SECOND;

	if (now != http->date_at || !*http->date) {
		time_t at = (time_t)now;
		struct tm tm;

		gmtime_r(&at, &tm);
		evutil_date_rfc1123(http->date, sizeof(http->date), &tm);
		http->date_at = now;
	}
	return http->date;
}

static const struct http_route *find_route(const struct http *http, const char *path, size_t *len_out)
{
	const struct http_route *route, *best = NULL;
	size_t len;

	*len_out = 0;
	for (route = http->routes; route->path; route++) {
		len = strlen(route->path);
		if (strncmp(path, route->path, len) != 0 ||
			(path[len] && (route->path[len - 1] != '/' || len == 1)))
			continue;
		if (len > *len_out) {
			*len_out = len;
			best = route;
		}
	}
	return best;
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

static void dispatch(struct http *http, struct http_request *r)
{
	size_t len;
	const struct http_route *route = find_route(http, r->path, &len);
	unsigned methods;

	if (!route) {
		http_problem(r, 404, "There is nothing at this address.", NULL);
		return;
	}
	methods = route->methods | (route->methods & HTTP_GET ? HTTP_HEAD : 0);
	if (!(methods & r->method)) {
		not_allowed(r, methods);
		return;
	}
	if (!(route->methods & HTTP_LARGE) && (int64_t)http_body(r).len > http->max_body) {
		http_problem(r, 413, "The body is larger than this address takes.", NULL);
		return;
	}
	r->rest = r->path + len;
	route->handle(http->ctx, r);
}

static void request_cb(struct evhttp_request *ev, void *arg)
{
	struct http *http = arg;
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct http_connection *c = http->by_fd[bufferevent_getfd(bev)];
	struct http_request *r;
	char *peer = NULL;
	ev_uint16_t port;

	assert(c && c->bev == bev);
	c->pending = true;
	c->started = 0;
	c->handled++;
	r = request_new(http, ev, c);
	if (c->guard.bad_at && c->handled >= c->guard.bad_at) {
		c->refused = true;
		log_debug("http.refused", L_STR("fault", c->guard.fault));
		metric_add(&metric_http_refused, 1);
		http_set_header(r, "Connection", "close");
		http_problem(r, 400, c->guard.fault, NULL);
		return;
	}
	if (!c->peer_known && !http->socket_path) {
		evhttp_connection_get_peer(evcon, &peer, &port);
		http_canonical_ip(peer, c->peer);
	}
	c->peer_known = true;
	http_request_find_ip(r, c->peer, http->proxy_count ? trusted : NULL, http);
	dispatch(http, r);
}

/* --- life ------------------------------------------------------------------------------------ */

static struct http *http_new(struct loop *loop, const struct http_options *o, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	const char *const *proxy = o->trusted_proxies;

	http->loop = loop;
	http->routes = o->routes;
	http->ctx = o->ctx;
	http->request_timeout = o->request_timeout ? o->request_timeout : 10 * US_SECOND;
	http->max_connections = o->max_connections ? o->max_connections : 1024;
	for (; proxy && *proxy; proxy++) {
		if (http->proxy_count == PROXIES_MAX) {
			err_set(err, "more than %d trusted proxies", PROXIES_MAX);
			goto failed;
		}
		if (parse_network(*proxy, &http->proxies[http->proxy_count++], err) < 0) {
			err_prefix(err, "trusted_proxies");
			goto failed;
		}
	}
	return http;
failed:
	free(http);
	return NULL;
}

/* Takes the listening socket. */
static int serve(struct http *http, const struct http_options *o, int fd, struct err *err)
{
	struct event_base *base = loop_base(http->loop);
	int64_t idle = o->idle_timeout ? o->idle_timeout : 15 * US_SECOND;
	struct timeval tv = { .tv_sec = idle / US_SECOND, .tv_usec = idle % US_SECOND };

	http->evhttp = evhttp_new(base);
	http->listener =
		evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 1024, fd);
	if (!http->evhttp || !http->listener) {
		if (!http->listener)
			close(fd);
		return err_set(err, "cannot listen: %s", strerror(errno));
	}
	evhttp_set_max_headers_size(http->evhttp, HEADERS_MAX);
	http->max_body = o->max_body ? o->max_body : 256 * 1024;
	evhttp_set_max_body_size(http->evhttp, o->max_large_body > http->max_body ? o->max_large_body : http->max_body);
	evhttp_set_timeout_tv(http->evhttp, &tv);
	evhttp_set_allowed_methods(
		http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_OPTIONS);
	evhttp_set_default_content_type(http->evhttp, "text/plain; charset=utf-8");
	evhttp_set_flags(http->evhttp, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_bevcb(http->evhttp, connection_cb, http);
	evhttp_set_gencb(http->evhttp, request_cb, http);
	if (!evhttp_bind_listener(http->evhttp, http->listener))
		return err_set(err, "cannot listen");
	evconnlistener_set_error_cb(http->listener, accept_error_cb);
	http->sweep = timer_new(http->loop, sweep_cb, http);
	http->pause = timer_new(http->loop, pause_cb, http);
	timer_set(http->sweep, SWEEP_US);
	http->next = listeners;
	listeners = http;
	return 0;
}

/* Listens with `fd`, which is bound, or closes it. */
static int start(struct http *http, const struct http_options *o, int fd, struct http **out, struct err *err)
{
	if (serve(http, o, fd, err) < 0) {
		http_close(&http);
		return -1;
	}
	*out = http;
	return 0;
}

int http_listen_tcp(struct loop *loop, const struct http_options *options, const char *address, int port,
	struct http **out, struct err *err)
{
	struct http *http;
	int fd = endpoint_tcp(address, port, err);

	if (fd < 0)
		return -1;
	http = http_new(loop, options, err);
	if (!http) {
		close(fd);
		return -1;
	}
	return start(http, options, fd, out, err);
}

int http_listen_unix(struct loop *loop, const struct http_options *options, const char *path, unsigned mode,
	struct http **out, struct err *err)
{
	struct http *http;
	int fd = endpoint_unix(path, mode, err);

	if (fd < 0)
		return -1;
	http = http_new(loop, options, err);
	if (!http) {
		close(fd);
		(void)unlink(path);
		return -1;
	}
	http->socket_path = xstrdup(path);
	return start(http, options, fd, out, err);
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

static void forget(struct http *http)
{
	struct http **at;
	struct http_request *r;

	for (at = &listeners; *at; at = &(*at)->next) {
		if (*at == http) {
			*at = http->next;
			break;
		}
	}
	for (r = http->requests; r; r = r->next) {
		r->http = NULL;
		r->ev = NULL;
		r->connection = NULL;
	}
}

void http_close(struct http **http_)
{
	struct http *http = *http_;
	struct http_connection *c;

	if (!http)
		return;
	*http_ = NULL;
	forget(http);
	for (c = http->connections; c; c = c->next)
		bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	if (http->evhttp)
		evhttp_free(http->evhttp);	/* frees the listener with it */
	while (http->connections)
		connection_free(http->connections);
	while (http->spare_count)
		arena_free(&http->spare[--http->spare_count]);
	timer_free(&http->sweep);
	timer_free(&http->pause);
	if (http->socket_path)
		(void)unlink(http->socket_path);
	free(http->socket_path);
	free(http->by_fd);
	free(http);
}
