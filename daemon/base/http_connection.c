/*
 * http_connection.c: a connection: bytes in, requests in order, one at a time, replies out.
 *
 * What came is read into the listener's buffer, which all share; only what has its turn later is kept with the connection. While a request waits for
 * its reply, and while a reply is written, nothing is read: a client that sends on or does not take what it asked for waits itself. Time is told by
 * the listener's sweep, once a second or so, and costs a request nothing.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"

#include "http_parts.h"

#define KEEP_OUT ((size_t)64 << 10)	/* a larger buffer of replies is not kept for the next */
#define FILE_STEP ((int64_t)1 << 20)	/* of a file in one turn of the loop */
#define LINGER_US (5 * US_SECOND)
#define LINGER_BYTES ((size_t)16 << 20)
#define LEAST_RATE 1024			/* bytes a second that a client must take */

METRIC(cut, COUNTER, "nurtured_http_connections_cut_total", "reason=\"deadline\"",
	"HTTP connections that were closed against the client's will.");
METRIC(refused, COUNTER, "nurtured_http_connections_cut_total", "reason=\"malformed\"",
	"HTTP connections that were closed against the client's will.");
METRIC(crowded, COUNTER, "nurtured_http_connections_cut_total", "reason=\"full\"",
	"HTTP connections that were closed against the client's will.");
METRIC(open, GAUGE, "nurtured_http_connections", "", "Open HTTP connections.");

static void become(struct http_connection *c, enum http_state state)
{
	static const unsigned may_follow[] = {
		[HTTP_IDLE] = 1u << HTTP_READING,
		[HTTP_READING] = 1u << HTTP_WAITING | 1u << HTTP_WRITING,
		[HTTP_WAITING] = 1u << HTTP_WRITING,
		[HTTP_WRITING] = 1u << HTTP_IDLE | 1u << HTTP_LINGERING,
		[HTTP_LINGERING] = 0,
		[HTTP_CLOSED] = 0,
	};

	assert(state == HTTP_CLOSED || may_follow[c->state] & 1u << state);
	c->state = state;
	c->since = c->http->now;
}

static void listen_to(struct http_connection *c, bool yes)
{
	if (c->listening == yes)
		return;
	c->listening = yes;
	if ((yes ? event_add(c->readable, NULL) : event_del(c->readable)) < 0)
		abort();
}

/* What follows from the state that it is in now: never in the middle of a turn. */
static void settle(struct http_connection *c)
{
	switch (c->state) {
	case HTTP_IDLE:
		listen_to(c, true);
		if (c->in.len)
			event_active(c->readable, EV_READ, 0);	/* the next request is here already */
		break;
	case HTTP_READING:
	case HTTP_WAITING:
		break;
	case HTTP_WRITING:
		if (event_add(c->writable, NULL) < 0)
			abort();
		break;
	case HTTP_LINGERING:
		listen_to(c, true);
		break;
	case HTTP_CLOSED:
		http_connection_free(&c);
		break;
	}
}

/* --- writing --------------------------------------------------------------------------------- */

/* n is what send(2) or sendfile(2) said. */
static void moved(struct http_connection *c, ssize_t n)
{
	if (n > 0)
		c->since = c->http->now;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		become(c, HTTP_CLOSED);		/* the client is gone, or the file is shorter than it was */
}

static void write_text(struct http_connection *c)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | (c->left ? MSG_MORE : 0));

	moved(c, n);
	if (n > 0)
		c->sent += (size_t)n;
}

static void write_file(struct http_connection *c)
{
	int64_t before = c->left;
	off_t at = c->offset;
	ssize_t n;

	do {
		n = sendfile(c->fd, c->file, &at, (size_t)(c->left < FILE_STEP ? c->left : FILE_STEP));
		moved(c, n);
		c->left -= n > 0 ? n : 0;
	} while (n > 0 && c->left > 0 && before - c->left < FILE_STEP);
	c->offset = at;
}

/* Did the client send more than was read? To close it then would be a reset, which can overtake the reply (RFC 9112 section 9.6). */
static bool has_unread(const struct http_connection *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK) > 0;
}

/* All of the reply is with the kernel. */
static void on_written(struct http_connection *c)
{
	struct buf *spare = &c->http->out;

	if (!spare->data && c->out.cap <= KEEP_OUT) {
		*spare = c->out;
		c->out = (struct buf)BUF_INIT;
		buf_reset(spare);
	} else {
		buf_clear(&c->out);
	}
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	if (!c->ends) {
		become(c, HTTP_IDLE);
	} else if (!c->lingers && !has_unread(c)) {
		become(c, HTTP_CLOSED);
	} else {
		become(c, HTTP_LINGERING);
		shutdown(c->fd, SHUT_WR);
	}
}

/* As much as the socket takes now. */
static void write_on(struct http_connection *c)
{
	if (c->sent < c->out.len)
		write_text(c);
	if (c->state == HTTP_WRITING && c->sent == c->out.len && c->left > 0)
		write_file(c);
	if (c->state == HTTP_WRITING && c->sent == c->out.len && c->left == 0)
		on_written(c);
}

static void writable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	write_on(c);
	if (c->state == HTTP_WRITING)
		return;
	event_del(c->writable);
	settle(c);
}

void http_connection_send(struct http_connection *c, int file, int64_t offset, int64_t left)
{
	struct http *http = c->http;

	become(c, HTTP_WRITING);
	c->out = http->out;
	http->out = (struct buf)BUF_INIT;
	c->sent = 0;
	c->file = file;
	c->offset = offset;
	c->left = left;
	c->until = http->now + http->idle_timeout + ((int64_t)c->out.len + left) / LEAST_RATE * US_SECOND;
	write_on(c);
	if (c->state == HTTP_WRITING && !c->writable) {
		c->writable = event_new(loop_base(http->loop), c->fd, EV_WRITE | EV_PERSIST, writable_cb, c);
		if (!c->writable)
			abort();
	}
	if (!c->in_turn)
		settle(c);
}

/* --- reading --------------------------------------------------------------------------------- */

static void refuse_fault(struct http_request *r, const char *fault)
{
	log_debug("http.refused", L_STR("fault", fault));
	metric_add(&metric_refused, 1);
	http_reply_refuse(r, 400, fault);
}

static void answer(struct http_connection *c)
{
	become(c, HTTP_WAITING);
	http_dispatch(c->request);
}

/* Asks for the body, if the client waits to be asked (RFC 9110 section 10.1.1). */
static void ask_for_body(struct http_connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	ssize_t n = send(c->fd, text, sizeof(text) - 1, MSG_NOSIGNAL);

	/* no room: it goes on without, for a client must not wait for ever (same section) */
	if (n != sizeof(text) - 1 && (n >= 0 || (errno != EAGAIN && errno != EINTR)))
		become(c, HTTP_CLOSED);
}

/* These take bytes of a request and say how many; 0: there must be more. */

static size_t take_head(struct http_connection *c, const char *data, size_t n)
{
	struct http_request *r = c->request;
	size_t size;

	switch (http_parse_head(&r->head, data, n)) {
	case HTTP_MORE:
		return 0;
	case HTTP_BAD:
		refuse_fault(r, r->head.fault);
		return n;
	case HTTP_WHOLE:
		break;
	}
	size = r->head.size;	/* with the reply it is gone */
	http_request_begin(r, data);
	if (!http_admit(r))
		return n;
	if (!http_parse_body_begin(&r->framing, &r->head))
		answer(c);
	else if (r->head.expects && !r->head.http10 && n == size)
		ask_for_body(c);
	return size;
}

static size_t take_body(struct http_connection *c, const char *data, size_t n)
{
	struct http_request *r = c->request;
	struct slice piece;
	size_t used;
	enum http_parsed parsed = http_parse_body(&r->framing, data, n, &used, &piece);

	if (parsed == HTTP_BAD) {
		refuse_fault(r, r->framing.fault);
	} else if ((int64_t)(r->body.len + piece.len) > http_body_limit(r)) {
		http_reply_refuse(r, 413, "The body is larger than this address takes.");
	} else {
		if (piece.len)
			buf_add(&r->body, piece.data, piece.len);
		if (parsed == HTTP_WHOLE)
			answer(c);
	}
	return used;
}

static bool is_reading(const struct http_connection *c)
{
	return c->state == HTTP_IDLE || c->state == HTTP_READING;
}

static size_t take_some(struct http_connection *c, const char *data, size_t n)
{
	if (c->state == HTTP_IDLE) {
		become(c, HTTP_READING);
		c->request = http_request_new(c);
	}
	return c->request->whole ? take_body(c, data, n) : take_head(c, data, n);
}

/* Requests out of `data`, until one has to wait. */
static void take(struct http_connection *c, const char *data, size_t n)
{
	size_t used = 0, step = 1;

	c->in_turn = true;
	while (step > 0 && used < n && is_reading(c)) {
		step = take_some(c, data + used, n - used);
		used += step;
	}
	c->in_turn = false;
	if (used == n || c->ends) {
		buf_clear(&c->in);
	} else {
		buf_reset(&c->in);
		buf_add(&c->in, data + used, n - used);
	}
	settle(c);
}

/* The answer is out, and the client is to see it before the end. */
static void throw_away(struct http_connection *c)
{
	ssize_t n = recv(c->fd, c->http->in, sizeof(c->http->in), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->thrown_away += n > 0 ? (size_t)n : 0;
	if (n <= 0 || c->thrown_away > LINGER_BYTES)
		http_connection_free(&c);
}

static void read_more(struct http_connection *c)
{
	struct http *http = c->http;
	size_t held = c->in.len;
	ssize_t n = 0;

	if (held)
		memcpy(http->in, c->in.data, held);
	/* idle with bytes: a request that came behind another, and has its turn now */
	if (c->state == HTTP_READING || !held) {
		n = recv(c->fd, http->in + held, sizeof(http->in) - held, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			http_connection_free(&c);
			return;
		}
	}
	take(c, http->in, held + (size_t)n);
}

/*
 * Something came while a request waits: the next one, which has to wait too, or the end. A client may send no more and still wait for its reply
 * (RFC 9112 section 9.6); it may as well be gone, which the socket does not tell. After a reset nobody waits.
 */
static void see_who_waits(struct http_connection *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	listen_to(c, false);	/* only now: most clients say nothing while they wait */
	(void)poll(&p, 1, 0);
	if (p.revents & (POLLERR | POLLHUP)) {
		http_connection_free(&c);
	} else if (p.revents && !c->half_closed) {
		c->half_closed = true;
		c->since = c->http->now;
	}
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct http_connection *c = arg;

	if (c->state == HTTP_LINGERING)
		throw_away(c);
	else if (is_reading(c))
		read_more(c);
	else
		see_who_waits(c);
}

/* --- life ------------------------------------------------------------------------------------ */

void http_connection_new(struct http *http, int fd, const char *peer)
{
	struct http_connection *c = xcalloc(1, sizeof(*c));

	c->http = http;
	c->fd = fd;
	c->file = -1;
	c->since = http->now;
	memcpy(c->peer, peer, strlen(peer) + 1);
	c->readable = event_new(loop_base(http->loop), fd, EV_READ | EV_PERSIST, readable_cb, c);
	if (!c->readable)
		abort();
	listen_to(c, true);
	c->next = http->connections;
	if (c->next)
		c->next->prev = c;
	http->connections = c;
	http->connection_count++;
	metric_add(&metric_open, 1);
}

void http_connection_free(struct http_connection **c_)
{
	struct http_connection *c = *c_;
	struct http *http = c->http;

	*c_ = NULL;
	if (c->state == HTTP_WAITING)
		c->request->connection = NULL;	/* its reply is still owed */
	else
		http_request_free(&c->request);
	if (c->prev)
		c->prev->next = c->next;
	else
		http->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	close(c->fd);
	if (c->file >= 0)
		close(c->file);
	buf_clear(&c->in);
	buf_clear(&c->out);
	free(c);
	http->connection_count--;
	metric_add(&metric_open, -1);
	http_make_room(http);
}

/* Nobody misses it who is still there. A second at least, so that who has just come, or has just got a reply, can ask. */
static bool is_idle(const struct http_connection *c)
{
	return (c->state == HTTP_IDLE || c->state == HTTP_LINGERING || (c->state == HTTP_WAITING && c->half_closed)) &&
		c->http->now - c->since >= 2 * c->http->sweep_us;
}

static struct http_connection *longest_idle(const struct http *http)
{
	struct http_connection *c, *found = NULL;

	/* who came last stands first */
	for (c = http->connections; c; c = c->next)
		if (is_idle(c) && (!found || c->since <= found->since))
			found = c;
	return found;
}

bool http_connection_make_way(struct http *http)
{
	struct http_connection *c;

	while ((c = longest_idle(http)) != NULL && c->state == HTTP_IDLE && has_unread(c))
		c->since = http->now;	/* its request is here, and will be read */
	if (!c)
		return false;
	metric_add(&metric_crowded, 1);
	http_connection_free(&c);
	return true;
}

/* Times are of the sweep before, so each may last one sweep longer: never less than was promised. */
void http_connection_check(struct http_connection *c)
{
	const struct http *http = c->http;
	int64_t now = http->now - http->sweep_us, lasts = now - c->since;
	bool late = false, cut = false;

	switch (c->state) {
	case HTTP_IDLE:
		late = lasts > http->idle_timeout;
		break;
	case HTTP_READING:
		cut = lasts > http->request_timeout;
		break;
	case HTTP_WRITING:
		/* a client that takes a byte now and then holds what it asked for in our memory */
		cut = lasts > http->idle_timeout || now > c->until;
		break;
	case HTTP_LINGERING:
		late = lasts > LINGER_US;
		break;
	case HTTP_WAITING:
		if (c->half_closed && lasts > http->idle_timeout)
			late = true;
		else if (!c->listening)
			see_who_waits(c);	/* behind what was not read may be the end */
		break;
	case HTTP_CLOSED:
		break;
	}
	if (cut)
		metric_add(&metric_cut, 1);
	if (cut || late)
		http_connection_free(&c);
}
