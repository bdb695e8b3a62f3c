/*
 * http_guard.c: see http_guard.h. A state machine over bytes, because a request may come in pieces of any
 * size.
 *
 * Grammar: RFC 9112 as its strict reading has it. Bodies: only POST has one. evhttp's own limits on sizes
 * stand behind this.
 */
#include <string.h>
#include <strings.h>

#include "http_guard.h"

enum state {
	START, METHOD, TARGET, PROTOCOL, REQUEST_LF, LINE, NAME, VALUE, VALUE_LF, END_LF, BODY,
	CHUNK_SIZE, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_CR, CHUNK_LF, LAST_CR, LAST_LF, BAD
};

enum header { OTHER, LENGTH, ENCODING, HOST };

static bool is_token(uint8_t c)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr(marks, c) != NULL);
}

static void bad(struct http_guard *g, const char *fault)
{
	g->state = BAD;
	g->bad_at = g->begun;
	g->fault = fault;
}

static void put(struct http_guard *g, uint8_t c)
{
	if (g->word_len < sizeof(g->word))
		g->word[g->word_len] = (char)c;
	g->word_len++;
}

static bool word_is(const struct http_guard *g, const char *s)
{
	size_t n = strlen(s);

	return g->word_len == n && strncasecmp(g->word, s, n) == 0;
}

static void begin(struct http_guard *g)
{
	g->begun++;
	g->word_len = 0;
	g->headers = g->lengths = g->encodings = g->hosts = 0;
	g->zeros = 0;
	g->target_len = 0;
	g->post = g->http10 = false;
	g->left = 0;
	g->state = METHOD;
}

static void on_method(struct http_guard *g, uint8_t c)
{
	if (c == ' ' && g->word_len > 0 && g->word_len < sizeof(g->word)) {
		g->post = g->word_len == 4 && memcmp(g->word, "POST", 4) == 0;
		g->state = TARGET;
	} else if (is_token(c)) {
		put(g, c);
	} else {
		bad(g, "malformed request line");
	}
}

static void on_target(struct http_guard *g, uint8_t c)
{
	if (c == ' ' && g->target_len > 0) {
		g->word_len = 0;
		g->state = PROTOCOL;
		return;
	}
	if (c <= 0x20 || c >= 0x7f || c == '#' || (g->target_len == 0 && c != '/')) {
		bad(g, "malformed request target");
		return;
	}
	g->target_len++;
	if (c == '%')
		g->zeros = 1;
	else if (c == '0' && g->zeros > 0)
		g->zeros++;
	else
		g->zeros = 0;
	if (g->zeros == 3)
		bad(g, "%00 in the request target");
}

static void on_version(struct http_guard *g, uint8_t c)
{
	if (c != '\r') {
		put(g, c);
		if (g->word_len > 8)
			bad(g, "malformed request line");
		return;
	}
	if (g->word_len != 8 ||
		(memcmp(g->word, "HTTP/1.1", 8) != 0 && memcmp(g->word, "HTTP/1.0", 8) != 0)) {
		bad(g, "not HTTP/1.0 or 1.1");
		return;
	}
	g->http10 = g->word[7] == '0';
	g->state = REQUEST_LF;
}

static void on_name(struct http_guard *g, uint8_t c)
{
	if (is_token(c)) {
		put(g, c);
		return;
	}
	if (c != ':' || g->word_len == 0) {
		bad(g, c == ' ' || c == '\t' ? "white space in or before a header name"
					     : "malformed header name");
		return;
	}
	if (++g->headers > HTTP_GUARD_HEADERS) {
		bad(g, "too many headers");
		return;
	}
	g->header = word_is(g, "content-length") ? LENGTH : word_is(g, "transfer-encoding") ? ENCODING :
		word_is(g, "host") ? HOST : OTHER;
	g->word_len = 0;
	g->space = false;
	g->state = VALUE;
}

static void on_length(struct http_guard *g)
{
	size_t i;

	if (++g->lengths > 1) {
		bad(g, "more than one Content-Length");
		return;
	}
	g->left = 0;
	for (i = 0; i < g->word_len && i < 16; i++) {
		if (g->word[i] < '0' || g->word[i] > '9')
			break;
		g->left = g->left * 10 + (uint64_t)(g->word[i] - '0');
	}
	if (i == 0 || i != g->word_len)
		bad(g, "malformed Content-Length");
}

static void on_value_end(struct http_guard *g)
{
	g->state = VALUE_LF;
	switch ((enum header)g->header) {
	case LENGTH:
		on_length(g);
		break;
	case ENCODING:
		if (++g->encodings > 1 || !word_is(g, "chunked"))
			bad(g, "Transfer-Encoding other than chunked");
		break;
	case HOST:
		if (++g->hosts > 1 || g->word_len == 0)
			bad(g, "more than one Host, or an empty one");
		break;
	case OTHER:
		break;
	}
}

static void on_value(struct http_guard *g, uint8_t c)
{
	if (c == '\r') {
		on_value_end(g);
	} else if (c == ' ' || c == '\t') {
		g->space = g->word_len > 0;
	} else if (c < 0x20 || c == 0x7f) {
		bad(g, c == '\n' ? "bare LF" : "control character in a header");
	} else {
		/*
		 * white space inside a value matters only to the three that are looked at, and none of them
		 * may have any
		 */
		if (g->space)
			put(g, ' ');
		g->space = false;
		put(g, c);
	}
}

static void on_headers_end(struct http_guard *g)
{
	bool body = g->encodings || g->left > 0;

	if (g->lengths && g->encodings)
		bad(g, "both Content-Length and Transfer-Encoding");
	else if (g->encodings && g->http10)
		bad(g, "Transfer-Encoding in HTTP/1.0");
	else if (g->hosts == 0 && !g->http10)
		bad(g, "no Host");
	else if (body && !g->post)
		bad(g, "a body on a method that has none");
	else if (g->encodings) {
		g->word_len = 0;
		g->left = 0;
		g->state = CHUNK_SIZE;
	} else {
		g->state = g->left ? BODY : START;
	}
}

static void on_chunk_size(struct http_guard *g, uint8_t c)
{
	int digit = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : -1;

	if (digit >= 0 && g->word_len < 8) {
		g->left = g->left * 16 + (uint64_t)digit;
		g->word_len++;
	} else if (c == '\r' && g->word_len > 0) {
		g->state = CHUNK_SIZE_LF;
	} else {
		bad(g, "malformed chunk size");
	}
}

/* A byte that only one value may have; anything else is a fault. */
static void expect(struct http_guard *g, uint8_t c, uint8_t wanted, int next, const char *fault)
{
	if (c == wanted)
		g->state = next;
	else
		bad(g, fault);
}

static void on_byte(struct http_guard *g, uint8_t c)
{
	switch ((enum state)g->state) {
	case START:
		begin(g);
		on_method(g, c);
		break;
	case METHOD:
		on_method(g, c);
		break;
	case TARGET:
		on_target(g, c);
		break;
	case PROTOCOL:
		on_version(g, c);
		break;
	case REQUEST_LF:
		expect(g, c, '\n', LINE, "bare CR");
		break;
	case LINE:
		if (c == '\r') {
			g->state = END_LF;
			break;
		}
		g->word_len = 0;
		g->state = NAME;
		on_name(g, c);
		break;
	case NAME:
		on_name(g, c);
		break;
	case VALUE:
		on_value(g, c);
		break;
	case VALUE_LF:
		expect(g, c, '\n', LINE, "bare CR");
		break;
	case END_LF:
		if (c == '\n')
			on_headers_end(g);
		else
			bad(g, "bare CR");
		break;
	case CHUNK_SIZE:
		on_chunk_size(g, c);
		break;
	case CHUNK_SIZE_LF:
		expect(g, c, '\n', g->left ? CHUNK_DATA : LAST_CR, "malformed chunk size");
		break;
	case CHUNK_CR:
		expect(g, c, '\r', CHUNK_LF, "malformed chunk");
		break;
	case CHUNK_LF:
		g->word_len = 0;
		g->left = 0;
		expect(g, c, '\n', CHUNK_SIZE, "malformed chunk");
		break;
	case LAST_CR:
		expect(g, c, '\r', LAST_LF, "trailers");
		break;
	case LAST_LF:
		expect(g, c, '\n', START, "malformed end of chunks");
		break;
	case BODY:
	case CHUNK_DATA:
	case BAD:
		break;
	}
}

void http_guard_feed(struct http_guard *g, const uint8_t *data, size_t n)
{
	size_t i = 0, take;

	while (i < n && g->state != BAD) {
		if (g->state == BODY || g->state == CHUNK_DATA) {
			take = n - i < g->left ? n - i : (size_t)g->left;
			g->left -= take;
			i += take;
			if (g->left == 0)
				g->state = g->state == BODY ? START : CHUNK_CR;
		} else {
			on_byte(g, data[i++]);
		}
	}
}
