/*
 * http_reply.c: replies: the http_* functions by which a handler ends a request.
 *
 * Head and body are made in one buffer of the listener, so that a reply is one write.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"

#include "http_parts.h"

#define HELP "HTTP requests by class of answer."
METRIC(http_2xx, COUNTER, "nurtured_http_requests_total", "code=\"2xx\"", HELP);
METRIC(http_3xx, COUNTER, "nurtured_http_requests_total", "code=\"3xx\"", HELP);
METRIC(http_4xx, COUNTER, "nurtured_http_requests_total", "code=\"4xx\"", HELP);
METRIC(http_5xx, COUNTER, "nurtured_http_requests_total", "code=\"5xx\"", HELP);

/* What replies begin with, up to the value of Date. */
struct status {
	int status;
	const char *reason, *line;
	size_t len;	/* of the line */
};

static const struct status *find_status(int status)
{
#define LINE(n, words) "HTTP/1.1 " #n " " words "\r\nDate: "
#define ROW(n, words) { n, words, LINE(n, words), sizeof(LINE(n, words)) - 1 }
	static const struct status rows[] = {
		ROW(200, "OK"),
		ROW(302, "Found"),
		ROW(202, "Accepted"),
		ROW(204, "No Content"),
		ROW(206, "Partial Content"),
		ROW(303, "See Other"),
		ROW(304, "Not Modified"),
		ROW(400, "Bad Request"),
		ROW(401, "Unauthorized"),
		ROW(403, "Forbidden"),
		ROW(404, "Not Found"),
		ROW(405, "Method Not Allowed"),
		ROW(409, "Conflict"),
		ROW(410, "Gone"),
		ROW(413, "Content Too Large"),
		ROW(415, "Unsupported Media Type"),
		ROW(416, "Range Not Satisfiable"),
		ROW(417, "Expectation Failed"),
		ROW(422, "Unprocessable Content"),
		ROW(429, "Too Many Requests"),
		ROW(500, "Internal Server Error"),
		ROW(501, "Not Implemented"),
		ROW(503, "Service Unavailable"),
		ROW(507, "Insufficient Storage"),
	};
#undef ROW
#undef LINE
	size_t i;

	for (i = 0; rows[i].status != status; i++)
		assert(i + 1 < sizeof(rows) / sizeof(rows[0]));
	return &rows[i];
}

const char *http_reason(int status)
{
	return find_status(status)->reason;
}

void http_set_header(struct http_request *r, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);
	struct http_line *h = arena_alloc(r->arena, sizeof(*h) + n + m + 4);

	assert(!memchr(value, '\r', m) && !memchr(value, '\n', m));
	if (n == 13 && strcasecmp(name, "Cache-Control") == 0)
		r->cached = true;
	h->next = NULL;
	h->len = n + m + 4;
	memcpy(h->text, name, n);
	memcpy(h->text + n, ": ", 2);
	memcpy(h->text + n + 2, value, m);
	memcpy(h->text + n + 2 + m, "\r\n", 2);
	*r->last = h;
	r->last = &h->next;
	r->lines_len += h->len;
}

static void count(int status)
{
	metric_add(status < 300	  ? &metric_http_2xx
		   : status < 400 ? &metric_http_3xx
		   : status < 500 ? &metric_http_4xx
				  : &metric_http_5xx,
		1);
}

#define DATE_LEN 29

/* This second, as the header Date says it (RFC 9110 section 5.6.7). */
static const char *date(struct http *http)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t now = clock_now() / US_SECOND;
	time_t at = (time_t)now;
	struct tm tm;

	if (now == http->date_at)
		return http->date;
	gmtime_r(&at, &tm);
	snprintf(http->date, sizeof(http->date), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday % 100, months[tm.tm_mon],
		(tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
	http->date_at = now;
	return http->date;
}

static bool client_ends(const struct http_request *r)
{
	return r->head.close || (r->head.http10 && !r->head.keep_alive);
}

/* These write where there is room, and say where to go on. */

static char *add(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

#define ADD(at, literal) add((at), (literal), sizeof(literal) - 1)

static char *add_number(char *at, int64_t n)
{
	char digits[20], *from = digits + sizeof(digits);

	do
		*--from = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return add(at, from, (size_t)(digits + sizeof(digits) - from));
}

#define HEAD_MOST 512	/* of what replies begin with, but for the type and what the handler set */

static char *add_head(char *at, struct http_request *r, int status, const char *type, int64_t len)
{
	struct http_connection *c = r->connection;
	const struct status *row = find_status(status);
	const struct http_line *line;

	at = add(at, row->line, row->len);
	at = add(at, date(c->http), DATE_LEN);
	at = ADD(at, "\r\nX-Content-Type-Options: nosniff\r\n");
	if (!r->cached)
		at = ADD(at, "Cache-Control: no-store\r\n");
	if (c->ends)
		at = ADD(at, "Connection: close\r\n");
	else if (r->head.http10)
		at = ADD(at, "Connection: keep-alive\r\n");
	if (type) {
		at = ADD(at, "Content-Type: ");
		at = add(at, type, strlen(type));
		if (strncmp(type, "text/", 5) == 0 && !strchr(type, ';'))
			at = ADD(at, "; charset=utf-8");
		at = ADD(at, "\r\n");
	}
	if (status != 204 && status != 304) {
		at = ADD(at, "Content-Length: ");
		at = add_number(at, len);
		at = ADD(at, "\r\n");
	}
	for (line = r->lines; line; line = line->next)
		at = add(at, line->text, line->len);
	return ADD(at, "\r\n");
}

/* The head of the reply, in the listener's buffer. `len` is of the body. */
static void begin_reply(struct http_request *r, int status, const char *type, int64_t len)
{
	struct http_connection *c = r->connection;
	struct buf *out = &c->http->out;

	c->ends = r->refused || client_ends(r) || c->http->draining;
	c->lingers = c->ends && (r->refused || !client_ends(r));
	buf_reserve(out, HEAD_MOST + r->lines_len + (type ? strlen(type) : 0));
	out->len = (size_t)(add_head(out->data + out->len, r, status, type, len) - out->data);
	out->data[out->len] = '\0';
	count(status);
}

/* Everything is made: the request is over. */
static void send_reply(struct http_request *r, int file, int64_t offset, int64_t left)
{
	struct http_connection *c = r->connection;

	http_request_free(&r);
	http_connection_send(c, file, offset, left);
}

void http_reply(struct http_request *r, int status, const char *type, const void *body, size_t len)
{
	if (!r->connection) {
		http_request_free(&r);
		return;
	}
	begin_reply(r, status, type, (int64_t)len);
	if (len && r->head.method != HTTP_HEAD)
		buf_add(&r->connection->http->out, body, len);
	send_reply(r, -1, 0, 0);
}

void http_reply_file(
	struct http_request *r, int status, const char *type, int fd, int64_t offset, int64_t length)
{
	bool body = r->connection && r->head.method != HTTP_HEAD && length > 0;

	if (!body)
		close(fd);
	if (!r->connection) {
		http_request_free(&r);
		return;
	}
	begin_reply(r, status, type, length);
	send_reply(r, body ? fd : -1, offset, body ? length : 0);
}

void http_redirect(struct http_request *r, int status, const char *url)
{
	http_set_header(r, "Location", url);
	http_reply(r, status, NULL, NULL, 0);
}

void http_problem(struct http_request *r, int status, const char *detail, const char *members)
{
	struct buf body = BUF_INIT;

	buf_str(&body, "{\"type\":\"about:blank\",\"title\":");
	text_json(&body, http_reason(status), strlen(http_reason(status)));
	buf_printf(&body, ",\"status\":%d,\"detail\":", status);
	text_json(&body, detail, strlen(detail));
	if (members)
		buf_printf(&body, ",%s", members);
	buf_str(&body, "}\n");
	http_reply(r, status, "application/problem+json", body.data, body.len);
	buf_clear(&body);
}

void http_reply_refuse(struct http_request *r, int status, const char *why)
{
	r->refused = true;
	http_problem(r, status, why, NULL);
}
