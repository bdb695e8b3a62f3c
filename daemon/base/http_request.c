/*
 * http_request.c: a request and its reply: the http_* functions of a route's handler.
 *
 * The head is copied into the arena and its fields become strings there: what a handler sees does not depend on the connection.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
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
METRIC(refused, COUNTER, "nurtured_http_connections_cut_total", "reason=\"malformed\"",
	"HTTP connections that were closed against the client's will.");

/* --- the request ----------------------------------------------------------------------------- */

struct http_request *http_request_new(struct http_connection *c)
{
	struct http *http = c->http;
	struct arena *arena = http->spare_count ? http->spare[--http->spare_count] : arena_new(0);
	struct http_request *r = arena_alloc(arena, sizeof(*r));

	memset(r, 0, offsetof(struct http_request, head.fields));
	r->connection = c;
	r->arena = arena;
	r->text = r->path = r->query = r->rest = "";
	r->last = &r->lines;
	return r;
}

void http_request_free(struct http_request **r_)
{
	struct http_request *r = *r_;
	struct http_connection *c;
	struct arena *arena;

	if (!r)
		return;
	c = r->connection;
	arena = r->arena;
	*r_ = NULL;
	buf_clear(&r->body);
	if (c)
		c->request = NULL;
	if (c && c->http->spare_count < HTTP_SPARE_ARENAS) {
		arena_reset(arena);
		c->http->spare[c->http->spare_count++] = arena;
	} else {
		arena_free(&arena);
	}
}

void http_request_begin(struct http_request *r, const char *data)
{
	const struct http_head *h = &r->head;
	char *text = arena_alloc(r->arena, h->size);
	size_t i;

	memcpy(text, data, h->size);
	text[h->target_end] = '\0';
	if (h->query) {
		text[h->query - 1] = '\0';
		r->query = text + h->query;
	}
	r->path = text + h->target;
	for (i = 0; i < h->count; i++) {
		const struct http_field *f = &h->fields[i];

		text[f->name + f->name_len] = '\0';
		text[f->value + f->value_len] = '\0';
	}
	r->text = text;
	r->whole = true;
}

enum http_method http_method(const struct http_request *r)
{
	return r->head.method;
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_rest(const struct http_request *r)
{
	return r->rest;
}

const char *http_ip(const struct http_request *r)
{
	return r->ip;
}

struct arena *http_arena(struct http_request *r)
{
	return r->arena;
}

/* The first from the i-th on; its number, or that of fields. */
static size_t find_field(const struct http_request *r, const char *name, size_t i)
{
	size_t len = strlen(name);

	for (; i < r->head.count; i++)
		if (r->head.fields[i].name_len == len && strcasecmp(r->text + r->head.fields[i].name, name) == 0)
			break;
	return i;
}

const char *http_header(const struct http_request *r, const char *name)
{
	size_t i = find_field(r, name, 0);

	return i < r->head.count ? r->text + r->head.fields[i].value : NULL;
}

struct slice http_body(const struct http_request *r)
{
	return (struct slice){ buf_cstr(&r->body), r->body.len };
}

static const char *decode(struct arena *arena, const char *s, size_t n)
{
	struct buf out = BUF_INIT;
	const char *copy = NULL;

	if (text_percent_decode(s, n, true, &out) == 0)
		copy = arena_strndup(arena, buf_cstr(&out), out.len);
	buf_clear(&out);
	return copy;
}

const char *http_query(struct http_request *r, const char *name)
{
	const char *s = r->query, *end, *equals;
	size_t len = strlen(name);

	for (; *s; s = *end ? end + 1 : end) {
		end = strchrnul(s, '&');
		equals = memchr(s, '=', (size_t)(end - s));
		if (!equals)
			equals = end;
		if ((size_t)(equals - s) == len && memcmp(s, name, len) == 0)
			return equals < end ? decode(r->arena, equals + 1, (size_t)(end - equals - 1)) : "";
	}
	return NULL;
}

bool http_wants_html(const struct http_request *r)
{
	const char *accept = http_header(r, "Accept");

	return accept && strcasestr(accept, "text/html") != NULL;
}

const char *http_content_type(struct http_request *r)
{
	const char *value = http_header(r, "Content-Type");
	struct slice type;
	char *out;

	if (!value)
		return "";
	type = slice_trim((struct slice){ value, strcspn(value, ";") });
	out = arena_strndup(r->arena, type.data, type.len);
	text_lower(out);
	return out;
}

/* The value at *s, quoted or not; moves *s behind it. */
static char *parameter_value(struct arena *arena, const char **s)
{
	const char *from = *s;
	char *out, *to;

	if (*from != '"') {
		*s += strcspn(from, "; \t");
		return arena_strndup(arena, from, (size_t)(*s - from));
	}
	out = to = arena_alloc(arena, strlen(from) + 1);
	for (from++; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	*s = *from ? from + 1 : from;
	return out;
}

const char *http_parameter(struct arena *arena, const char *value, const char *name)
{
	const char *s = value ? value + strcspn(value, ";") : "", *found;
	size_t len = strlen(name), n;
	bool hit;

	while (*s == ';') {
		s++;
		s += strspn(s, " \t");
		n = strcspn(s, "=; \t");
		hit = n == len && strncasecmp(s, name, len) == 0;
		s += n;
		if (*s == '=') {
			s++;
			found = parameter_value(arena, &s);
			if (hit)
				return found;
		}
		s += strcspn(s, ";");
	}
	return NULL;
}

/* --- who it is ------------------------------------------------------------------------------- */

/* As http_canonical_ip(); false: it is no address. */
static bool canonical(struct slice s, char out[48])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	const char *end;

	s = slice_trim(s);
	if (s.len && s.data[0] == '[' && (end = memchr(s.data, ']', s.len)) != NULL)
		s = (struct slice){ s.data + 1, (size_t)(end - s.data - 1) };
	else if ((end = memchr(s.data, ':', s.len)) != NULL &&
		 memchr(s.data, '.', (size_t)(end - s.data)) != NULL)
		s.len = (size_t)(end - s.data);		/* 192.0.2.1:80 */
	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	if (inet_pton(AF_INET, text, &four) == 1)
		return inet_ntop(AF_INET, &four, out, 48) != NULL;
	if (inet_pton(AF_INET6, text, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, &six.s6_addr[12], out, 48) != NULL;
	return inet_ntop(AF_INET6, &six, out, 48) != NULL;
}

void http_canonical_ip(const char *text, char out[48])
{
	if (!canonical(slice_of(text), out))
		out[0] = '\0';
}

/* All X-Forwarded-For headers as the one list that they mean. */
static char *forwarded(struct http_request *r)
{
	static const char name[] = "X-Forwarded-For";
	char *all = NULL;
	size_t i = 0;

	for (; (i = find_field(r, name, i)) < r->head.count; i++) {
		const char *value = r->text + r->head.fields[i].value;

		all = all ? arena_join(r->arena, all, ",", value) : arena_strdup(r->arena, value);
	}
	return all;
}

void http_request_find_ip(
	struct http_request *r, const char *peer, bool (*trusted)(void *arg, const char *ip), void *arg)
{
	char *list, *comma;
	char ip[48];

	memcpy(r->ip, peer, strlen(peer) + 1);
	if (!*peer || !trusted || !trusted(arg, r->ip) || !(list = forwarded(r)))
		return;
	/* from the right: each trusted proxy vouches for the one before it */
	do {
		comma = strrchr(list, ',');
		if (!canonical(slice_of(comma ? comma + 1 : list), ip))
			return;
		memcpy(r->ip, ip, sizeof(ip));
		if (comma)
			*comma = '\0';
	} while (comma && trusted(arg, r->ip));
}

/* --- the reply ------------------------------------------------------------------------------- */

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

void http_request_refuse(struct http_request *r, int status, const char *why)
{
	r->refused = true;
	metric_add(&metric_refused, 1);
	http_problem(r, status, why, NULL);
}
