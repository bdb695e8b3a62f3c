/*
 * http_request.c: reading a request and answering it: the http_* functions of a route's handler.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "base/metrics.h"
#include "base/text.h"

#include "http_parts.h"

#define HELP "HTTP requests by class of answer."
METRIC(http_2xx, COUNTER, "nurtured_http_requests_total", "code=\"2xx\"", HELP);
METRIC(http_3xx, COUNTER, "nurtured_http_requests_total", "code=\"3xx\"", HELP);
METRIC(http_4xx, COUNTER, "nurtured_http_requests_total", "code=\"4xx\"", HELP);
METRIC(http_5xx, COUNTER, "nurtured_http_requests_total", "code=\"5xx\"", HELP);

enum http_method http_method(const struct http_request *r)
{
	return r->method;
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

const char *http_header(const struct http_request *r, const char *name)
{
	return r->ev ? evhttp_find_header(evhttp_request_get_input_headers(r->ev), name) : NULL;
}

struct slice http_body(const struct http_request *r)
{
	struct evbuffer *in = r->ev ? evhttp_request_get_input_buffer(r->ev) : NULL;
	size_t n = in ? evbuffer_get_length(in) : 0;

	if (n == 0)
		return (struct slice){ "", 0 };
	return (struct slice){ (const char *)evbuffer_pullup(in, -1), n };
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
	struct evkeyval *h;
	char *all = NULL;

	TAILQ_FOREACH(h, evhttp_request_get_input_headers(r->ev), next)
		if (strcasecmp(h->key, "X-Forwarded-For") == 0)
			all = all ? arena_printf(r->arena, "%s,%s", all, h->value)
				  : arena_strdup(r->arena, h->value);
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

void http_set_header(struct http_request *r, const char *name, const char *value)
{
	assert(strpbrk(value, "\r\n") == NULL);
	if (!r->ev)
		return;
	if (strcasecmp(name, "Cache-Control") == 0)
		r->cached = true;
	evhttp_add_header(evhttp_request_get_output_headers(r->ev), name, value);
}

static void count(int status)
{
	metric_add(status < 300	  ? &metric_http_2xx
		   : status < 400 ? &metric_http_3xx
		   : status < 500 ? &metric_http_4xx
				  : &metric_http_5xx,
		1);
}

/* What every reply carries. evhttp adds, with a body, Content-Length; it would make a Date anew for each. */
static void add_headers(struct http_request *r, int status, const char *type, int64_t len)
{
	char text[96];
	struct evkeyvalq *out = evhttp_request_get_output_headers(r->ev);

	if (type) {
		snprintf(text, sizeof(text), "%s%s", type,
			strncmp(type, "text/", 5) == 0 && !strchr(type, ';') ? "; charset=utf-8" : "");
		evhttp_add_header(out, "Content-Type", text);
	}
	if (r->method == HTTP_HEAD) {
		snprintf(text, sizeof(text), "%lld", (long long)len);
		evhttp_add_header(out, "Content-Length", text);
	}
	evhttp_add_header(out, "Date", http_date(r->http));
	evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
	if (!r->cached)
		evhttp_add_header(out, "Cache-Control", "no-store");
	if (http_draining(r->http))
		evhttp_add_header(out, "Connection", "close");
	count(status);
}

/*
 * The socket has room for nearly every reply: it is written here, and not at the loop's next turn when the kernel says so. What it does not take,
 * and an error, are left to the loop.
 */
static void send_now(struct http_connection *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	if (fd < 0)
		return;
	evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, fd);
	evbuffer_freeze(out, 1);
	/* evhttp's own callback: it forgets the request and waits for the next */
	if (evbuffer_get_length(out) == 0)
		bufferevent_trigger(c->bev, EV_WRITE, 0);
}

void http_reply(struct http_request *r, int status, const char *type, const void *body, size_t len)
{
	if (r->ev) {
		add_headers(r, status, type, (int64_t)len);
		if (len && r->method != HTTP_HEAD)
			evbuffer_add(evhttp_request_get_output_buffer(r->ev), body, len);
		evhttp_send_reply(r->ev, status, http_reason(status), NULL);
		send_now(r->connection);
	}
	http_request_done(r);
}

void http_reply_file(
	struct http_request *r, int status, const char *type, int fd, int64_t offset, int64_t length)
{
	struct evbuffer_file_segment *segment = NULL;

	if (r->ev && r->method != HTTP_HEAD && length > 0) {
		segment = evbuffer_file_segment_new(fd, offset, length, EVBUF_FS_CLOSE_ON_FREE);
		if (!segment) {
			close(fd);
			http_problem(r, 500, "The file could not be read.", NULL);
			return;
		}
		evbuffer_add_file_segment(evhttp_request_get_output_buffer(r->ev), segment, 0, length);
		evbuffer_file_segment_free(segment);	/* the buffer has its own reference */
	} else {
		close(fd);
	}
	if (r->ev) {
		add_headers(r, status, type, length);
		evhttp_send_reply(r->ev, status, http_reason(status), NULL);
	}
	http_request_done(r);
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

const char *http_reason(int status)
{
	static const struct { int status; const char *reason;
	} reasons[] = {
		{200, "OK"},
		{202, "Accepted"},
		{204, "No Content"},
		{206, "Partial Content"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{410, "Gone"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}
