/*
 * http_parse.c: see http_parse.h. Lines are found by memchr(3) and read by a table, or eight bytes at a time.
 *
 * Grammar: RFC 9112 as its strict reading has it. Bodies: of the methods that are known, only POST has one.
 */
#include <string.h>
#include <strings.h>

#include "http_parse.h"

#define METHOD_MAX 23

/* What a byte may be part of. PLAIN: a target, with no need to look at it. */
enum { TOKEN = 1, PLAIN = 2, BOTH = 3 };

static const uint8_t kinds[256] = {
	['!'] = BOTH, ['"'] = PLAIN, ['#'] = TOKEN, ['$'] = BOTH, ['%'] = TOKEN, ['&' ... '\''] = BOTH, ['(' ... ')'] = PLAIN, ['*' ... '+'] = BOTH,
	[','] = PLAIN, ['-' ... '.'] = BOTH, ['/'] = PLAIN, ['0' ... '9'] = BOTH, [':' ... '>'] = PLAIN, ['@'] = PLAIN, ['A' ... 'Z'] = BOTH,
	['[' ... ']'] = PLAIN, ['^' ... 'z'] = BOTH, ['{'] = PLAIN, ['|'] = BOTH, ['}'] = PLAIN, ['~'] = BOTH,
};

static uint8_t kind(char c)
{
	return kinds[(uint8_t)c];
}

static enum http_parsed bad(struct http_head *h, const char *fault)
{
	h->fault = fault;
	return HTTP_BAD;
}

/* --- the request line ------------------------------------------------------------------------ */

static const char malformed[] = "malformed request line";

static enum http_method method_of(const char *s, size_t n)
{
	static const struct { const char *name; enum http_method method; } rows[] = {
		{ "GET", HTTP_GET }, { "HEAD", HTTP_HEAD }, { "POST", HTTP_POST }, { "OPTIONS", HTTP_OPTIONS },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == n && memcmp(rows[i].name, s, n) == 0)
			return rows[i].method;
	return 0;
}

/* Finds the method and where the target begins, if that much is there; false: it is none. */
static bool find_method(struct http_head *h, const char *data, size_t n)
{
	const char *method = data + h->start;
	size_t i;

	for (i = 0; i < n - h->start && i <= METHOD_MAX; i++) {
		if (kind(method[i]) & TOKEN)
			continue;
		if (method[i] != ' ' || i == 0)
			return false;
		h->method = method_of(method, i);
		h->post = h->method == HTTP_POST;
		h->target = (uint16_t)(h->start + i + 1);
		return true;
	}
	return i <= METHOD_MAX;
}

/* The line ends in CRLF. NULL, or what is wrong. */
static const char *read_target(struct http_head *h, const char *data)
{
	size_t at = h->target;

	if (data[at] != '/')
		return "malformed request target";
	for (;;) {
		while (kind(data[at]) & PLAIN)
			at++;
		if (data[at] == '?') {
			if (!h->query)
				h->query = (uint16_t)(at + 1);
		} else if (data[at] != '%') {
			break;
		} else if (data[at + 1] == '0' && data[at + 2] == '0') {
			return "%00 in the request target";
		}
		at++;
	}
	h->target_end = (uint16_t)at;
	return data[at] == ' ' ? NULL : "malformed request target";
}

/* `end` is where its CRLF stands. */
static const char *read_request_line(struct http_head *h, const char *data, size_t end)
{
	const char *fault = read_target(h, data), *version = data + h->target_end;

	if (fault)
		return fault;
	if (end - h->target_end != 9)
		return malformed;
	if (memcmp(version, " HTTP/1.1", 9) != 0 && memcmp(version, " HTTP/1.0", 9) != 0)
		return "not HTTP/1.0 or 1.1";
	h->http10 = data[end - 1] == '0';
	return NULL;
}

/* --- fields ---------------------------------------------------------------------------------- */

static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

/* Bytes below the space but for the tab, and DEL. */
static bool is_control(char c)
{
	return ((uint8_t)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool any_control(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_control(s[i]))
			return true;
	return false;
}

/* Is one of eight bytes a control or a tab? */
static bool maybe_control(const char *s)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t x, del;

	memcpy(&x, s, sizeof(x));
	del = x ^ ones * 0x7f;
	return ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & ones << 7) != 0;
}

static bool has_control(const char *s, size_t n)
{
	for (; n >= 8; s += 8, n -= 8)
		if (maybe_control(s) && any_control(s, 8))
			return true;
	return any_control(s, n);
}

static bool has_word(const char *value, size_t n, const char *word)
{
	const char *end = value + n, *comma;
	struct slice one;

	for (; value < end; value = comma + 1) {
		comma = memchr(value, ',', (size_t)(end - value));
		if (!comma)
			comma = end;
		one = slice_trim((struct slice){ value, (size_t)(comma - value) });
		if (is_word(one.data, one.len, word))
			return true;
	}
	return false;
}

static const char *read_length(struct http_head *h, const char *s, size_t n)
{
	size_t i;

	if (h->lengths++)
		return "more than one Content-Length";
	for (i = 0; i < n && i < 16 && s[i] >= '0' && s[i] <= '9'; i++)
		h->length = h->length * 10 + (uint64_t)(s[i] - '0');
	return i == 0 || i != n ? "malformed Content-Length" : NULL;
}

/* What says where the request ends and what becomes of the connection. */
static const char *read_meaning(struct http_head *h, const char *name, size_t len, const char *s, size_t n)
{
	switch (len) {
	case 4:
		if (is_word(name, len, "host") && (h->hosts++ || n == 0))
			return "more than one Host, or an empty one";
		break;
	case 6:
		if (is_word(name, len, "expect")) {
			h->expects = is_word(s, n, "100-continue");
			h->expects_more |= !h->expects;
		}
		break;
	case 10:
		if (is_word(name, len, "connection")) {
			h->close |= has_word(s, n, "close");
			h->keep_alive |= has_word(s, n, "keep-alive");
		}
		break;
	case 14:
		if (is_word(name, len, "content-length"))
			return read_length(h, s, n);
		break;
	case 17:
		if (is_word(name, len, "transfer-encoding") && (h->encodings++ || !is_word(s, n, "chunked")))
			return "Transfer-Encoding other than chunked";
		break;
	}
	return NULL;
}

static const char *read_field(struct http_head *h, const char *data, size_t at, size_t end)
{
	size_t colon = at, value;

	while (kind(data[colon]) & TOKEN)
		colon++;
	if (data[colon] != ':' || colon == at)
		return data[colon] == ' ' || data[colon] == '\t' ? "white space in or before a header name" : "malformed header name";
	if (h->count == HTTP_FIELDS_MAX)
		return "too many headers";
	value = colon + 1;
	if (has_control(data + value, end - value))
		return memchr(data + value, '\r', end - value) ? "bare CR" : "control character in a header";
	while (value < end && (data[value] == ' ' || data[value] == '\t'))
		value++;
	while (value < end && (data[end - 1] == ' ' || data[end - 1] == '\t'))
		end--;
	h->fields[h->count++] = (struct http_field){ (uint16_t)at, (uint16_t)(colon - at), (uint16_t)value, (uint16_t)(end - value) };
	return read_meaning(h, data + at, colon - at, data + value, end - value);
}

/* --- the head -------------------------------------------------------------------------------- */

static const char *judge(const struct http_head *h)
{
	if (h->lengths && h->encodings)
		return "both Content-Length and Transfer-Encoding";
	if (h->encodings && h->http10)
		return "Transfer-Encoding in HTTP/1.0";
	if (h->hosts == 0 && !h->http10)
		return "no Host";
	if ((h->encodings || h->length) && h->method && !h->post)
		return "a body on a method that has none";
	return NULL;
}

enum http_parsed http_parse_head(struct http_head *h, const char *data, size_t n)
{
	size_t at, end, most = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;
	const char *lf, *fault;

	if (h->size == 0 && data[0] == '\r') {
		/* some clients end a body with it; one is passed over (RFC 9112 section 2.2) */
		if (n == 1)
			return HTTP_MORE;
		h->start = h->size = data[1] == '\n' ? 2 : 0;
	}
	if (h->size == h->start && !find_method(h, data, most))
		return bad(h, malformed);
	while ((lf = memchr(data + h->size, '\n', most - h->size)) != NULL) {
		at = h->size;
		end = (size_t)(lf - data);
		if (end == at || data[--end] != '\r')
			return bad(h, "bare LF");
		h->size = (uint16_t)(end + 2);
		if (at == h->start)
			fault = read_request_line(h, data, end);
		else
			fault = at < end ? read_field(h, data, at, end) : judge(h);
		if (fault)
			return bad(h, fault);
		if (at == end)
			return HTTP_WHOLE;
	}
	return most == HTTP_HEAD_MAX ? bad(h, "headers larger than 8 KiB") : HTTP_MORE;
}

/* --- the body -------------------------------------------------------------------------------- */

enum state { LENGTH, SIZE, SIZE_LF, CHUNK, CHUNK_CR, CHUNK_LF, LAST_CR, LAST_LF, END };

bool http_parse_body_begin(struct http_framing *f, const struct http_head *h)
{
	*f = (struct http_framing){ .left = h->length, .state = h->encodings ? SIZE : LENGTH };
	return h->encodings || h->length;
}

static void on_size(struct http_framing *f, char c)
{
	int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

	if (digit >= 0 && f->digits < 8) {
		f->left = f->left * 16 + (uint64_t)digit;
		f->digits++;
	} else if (c == '\r' && f->digits > 0) {
		f->state = SIZE_LF;
	} else {
		f->fault = "malformed chunk size";
	}
}

/* A byte that only one value may have. */
static void expect(struct http_framing *f, char c, char wanted, enum state next, const char *fault)
{
	if (c == wanted)
		f->state = (uint8_t)next;
	else
		f->fault = fault;
}

/* A byte around chunks. */
static void on_byte(struct http_framing *f, char c)
{
	switch ((enum state)f->state) {
	case SIZE:
		on_size(f, c);
		break;
	case SIZE_LF:
		expect(f, c, '\n', f->left ? CHUNK : LAST_CR, "malformed chunk size");
		break;
	case CHUNK_CR:
		expect(f, c, '\r', CHUNK_LF, "malformed chunk");
		break;
	case CHUNK_LF:
		f->digits = 0;
		expect(f, c, '\n', SIZE, "malformed chunk");
		break;
	case LAST_CR:
		expect(f, c, '\r', LAST_LF, "trailers");
		break;
	case LAST_LF:
		expect(f, c, '\n', END, "malformed end of chunks");
		break;
	case LENGTH:
	case CHUNK:
	case END:
		break;
	}
}

enum http_parsed http_parse_body(struct http_framing *f, const char *data, size_t n, size_t *used_out, struct slice *piece_out)
{
	size_t i = 0, take;

	*piece_out = (struct slice){ data, 0 };
	while (i < n && f->state != LENGTH && f->state != CHUNK && f->state != END && !f->fault)
		on_byte(f, data[i++]);
	if (i < n && (f->state == LENGTH || f->state == CHUNK)) {
		take = n - i < f->left ? n - i : (size_t)f->left;
		*piece_out = (struct slice){ data + i, take };
		f->left -= take;
		i += take;
		if (f->left == 0)
			f->state = f->state == LENGTH ? END : CHUNK_CR;
	}
	*used_out = i;
	return f->fault ? HTTP_BAD : f->state == END ? HTTP_WHOLE : HTTP_MORE;
}
