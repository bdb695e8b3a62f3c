/*
 * http_request.c: a request: what a route's handler asks of it.
 *
 * The head is copied into the arena and its fields become strings there: what a handler sees does not depend on the connection.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#include "http_parts.h"

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
