/*
 * test_http_parse.c: what requests mean and what is no request, each row also byte by byte and cut at each place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/base/http_parse.h"

#define H "Host: a\r\n"

struct row {
	const char *what;
	const char *bytes;
	size_t len;		/* 0: strlen */
	uint64_t begun;
	uint64_t bad_at;	/* 0: no fault */
};

static const struct row rows[] = {
	{ "a GET", "GET / HTTP/1.1\r\n" H "\r\n", 0, 1, 0 },
	{ "a GET in 1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0, 1, 0 },
	{ "three in a row", "GET / HTTP/1.1\r\n" H "\r\nGET /a HTTP/1.1\r\n" H "\r\nGET /b?c=%20 HTTP/1.1\r\n" H "\r\n", 0, 3, 0 },
	{ "a POST and the next request behind its body", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" H "\r\n", 0, 2, 0 },
	{ "a POST without a body", "POST / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n", 0, 2, 0 },
	{ "a chunked POST", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n", 0, 2, 0 },
	{ "chunked in capitals, with white space around it", "POST / HTTP/1.1\r\n" H "transfer-encoding: \t Chunked \r\n\r\n0\r\n\r\n", 0, 1, 0 },
	{ "headers without a value, and one with bytes above ASCII", "GET / HTTP/1.1\r\n" H "A:\r\nB: \xc3\xa4\r\n\r\n", 0, 1, 0 },
	{ "a body that looks like a request", "POST / HTTP/1.1\r\n" H "Content-Length: 16\r\n\r\nGET / HTTP/1.1\n\n", 0, 1, 0 },
	{ "an empty line before the first request, and one behind a body", "\r\nPOST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 2, 0 },
	{ "a body on a method that is not known", "PUT / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" H "\r\n", 0, 2, 0 },
	{ "chunks on such a method", "PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0, 1, 0 },
	{ "what browsers and mail programs leave as it is in a target", "GET /a{b}|c^d[e]`\\\"<>?{f}|^`\\\"<> HTTP/1.1\r\n" H "\r\n", 0, 1, 0 },
	{ "a GET that says it has no body", "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0, 1, 0 },

	{ "two Content-Lengths that differ", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 0, 1, 1 },
	{ "two that agree", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 0, 1, 1 },
	{ "a list of lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\n", 0, 1, 1 },
	{ "a signed length", "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 0, 1, 1 },
	{ "a negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 0, 1, 1 },
	{ "a hexadecimal length", "POST / HTTP/1.1\r\n" H "Content-Length: 0x10\r\n\r\n", 0, 1, 1 },
	{ "an empty length", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 0, 1, 1 },
	{ "a length that overflows", "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", 0, 1, 1 },
	{ "a length and chunks", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 1, 1 },
	{ "gzip, chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, 1, 1 },
	{ "identity", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 0, 1, 1 },
	{ "chunked twice", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 1, 1 },
	{ "xchunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 0, 1, 1 },
	{ "chunks in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 1, 1 },
	{ "a chunk extension", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n", 0, 1, 1 },
	{ "a chunk longer than it says", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n", 0, 1, 1 },
	{ "a chunk without a size", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\n", 0, 1, 1 },
	{ "a chunk of nine digits", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n000000005\r\n", 0, 1, 1 },
	{ "trailers", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", 0, 1, 1 },
	{ "two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 0, 1, 1 },
	{ "an empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 0, 1, 1 },
	{ "no Host in 1.1", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 0, 1, 1 },
	{ "a folded line", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 0, 1, 1 },
	{ "a folded first header", "GET / HTTP/1.1\r\n\tA: b\r\n" H "\r\n", 0, 1, 1 },
	{ "a bare LF behind the request line", "GET / HTTP/1.1\n" H "\r\n", 0, 1, 1 },
	{ "a bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", 0, 1, 1 },
	{ "a bare LF at the end", "GET / HTTP/1.1\r\n" H "\n", 0, 1, 1 },
	{ "a bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 0, 1, 1 },
	{ "a NUL in a value", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29, 1, 1 },
	{ "a control character in a value", "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", 0, 1, 1 },
	{ "white space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 0, 1, 1 },
	{ "a header without a name", "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 0, 1, 1 },
	{ "a header without a colon", "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 0, 1, 1 },
	{ "%00 in the path", "GET /a%00b HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a byte above ASCII in the path", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "an absolute target", "GET http://a/ HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a target that is an authority", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "the target *", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a tab in the target", "GET /a\tb HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "DEL in the target", "GET /a\x7f HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a fragment in the target", "GET /#a HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "two spaces behind the method", "GET  / HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a third word too many", "GET / b HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "HTTP/0.9", "GET /\r\n", 0, 1, 1 },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 0, 1, 1 },
	{ "a body on a GET", "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 0, 1, 1 },
	{ "chunks on a GET", "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 1, 1 },
	{ "a TLS hello", "\x16\x03\x01\x02", 4, 1, 1 },
	{ "a good request and a bad one behind it", "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n\r\n", 0, 2, 2 },
	{ "two empty lines before a request", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a bare CR before a request", "\rGET / HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a bare LF before a request", "\nGET / HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "rubbish behind a body", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx\n\rGET / HTTP/1.1\r\n", 0, 2, 2 },
};

/* What a connection does with its bytes. */
struct reader {
	enum { BETWEEN, IN_HEAD, IN_BODY } where;
	struct http_head head;
	struct http_framing framing;
	size_t at;		/* of the request or of the rest of its body */
	uint64_t begun, bad_at;
	const char *fault;
	struct buf body;	/* of all of them */
};

static enum http_parsed read_head(struct reader *r, const char *data, size_t n)
{
	enum http_parsed parsed;

	if (r->where == BETWEEN) {
		memset(&r->head, 0, sizeof(r->head));
		r->where = IN_HEAD;
		r->begun++;
	}
	parsed = http_parse_head(&r->head, data, n);
	if (parsed == HTTP_WHOLE) {
		r->at += r->head.size;
		r->where = http_parse_body_begin(&r->framing, &r->head) ? IN_BODY : BETWEEN;
	}
	r->fault = r->head.fault;
	return parsed;
}

static enum http_parsed read_body(struct reader *r, const char *data, size_t n)
{
	struct slice piece;
	size_t used;
	enum http_parsed parsed = http_parse_body(&r->framing, data, n, &used, &piece);

	buf_add(&r->body, piece.data, piece.len);
	r->at += used;
	if (parsed == HTTP_WHOLE)
		r->where = BETWEEN;
	r->fault = r->framing.fault;
	return parsed == HTTP_MORE ? HTTP_WHOLE : parsed;	/* it may go on with what is there */
}

/* `n` bytes are there. */
static void read_on(struct reader *r, const char *data, size_t n)
{
	enum http_parsed parsed = HTTP_WHOLE;

	while (!r->bad_at && r->at < n && parsed == HTTP_WHOLE) {
		if (r->where == IN_BODY)
			parsed = read_body(r, data + r->at, n - r->at);
		else
			parsed = read_head(r, data + r->at, n - r->at);
		assert_int_equal(parsed == HTTP_BAD, r->fault != NULL);
		if (r->fault)
			r->bad_at = r->begun;
	}
}

static void check(const struct row *row, struct reader *r, const char *how, size_t at)
{
	if (r->bad_at != row->bad_at || row->begun != r->begun)
		fail_msg("%s (%s %zu): begun %llu, bad at %llu: %s", row->what, how, at, (unsigned long long)r->begun,
			(unsigned long long)r->bad_at, r->fault ? r->fault : "no fault");
	buf_clear(&r->body);
}

static void each_row_is_judged_the_same_however_it_is_cut(void **state)
{
	size_t i, n, at;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *bytes = rows[i].bytes;
		struct reader whole = { 0 }, single = { 0 };

		n = rows[i].len ? rows[i].len : strlen(bytes);
		read_on(&whole, bytes, n);
		check(&rows[i], &whole, "whole", 0);
		for (at = 1; at <= n; at++)
			read_on(&single, bytes, at);
		check(&rows[i], &single, "single bytes", 0);
		for (at = 1; at < n; at++) {
			struct reader cut = { 0 };

			read_on(&cut, bytes, at);
			read_on(&cut, bytes, n);
			check(&rows[i], &cut, "cut at", at);
		}
	}
}

static void bodies_are_what_the_lengths_say(void **state)
{
	static const char bytes[] = "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"
		"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5\r\n worl\r\n00001\r\nd\r\nC\r\n\r\n0\r\n\r\nand m\r\n0\r\n\r\n"
		"POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nore";
	size_t step, n;

	(void)state;
	for (step = 1; step < sizeof(bytes); step++) {
		struct reader r = { 0 };

		for (n = step; n < sizeof(bytes) - 1; n += step)
			read_on(&r, bytes, n);
		read_on(&r, bytes, sizeof(bytes) - 1);
		assert_int_equal(r.where, BETWEEN);
		assert_string_equal(buf_cstr(&r.body), "hello world\r\n0\r\n\r\nand more");
		buf_clear(&r.body);
	}
}

static void is_at(const char *data, size_t at, size_t n, const char *wanted)
{
	if (strlen(wanted) != n || memcmp(data + at, wanted, n) != 0)
		fail_msg("%.*s, not %s", (int)n, data + at, wanted);
}

static void what_is_found_is_where_it_stands(void **state)
{
	static const char data[] = "POST /a%20b?c?d HTTP/1.0\r\nConnection: a ,Keep-Alive\r\nEmpty:\r\nContent-Length:\t7 \r\nExpect: 100-Continue\r\n"
		"Long: 0123456 89\t0123456789 \xc3\xa4 \t \r\n\r\n";
	struct http_head h = { 0 };

	(void)state;
	assert_int_equal(http_parse_head(&h, data, sizeof(data) - 1), HTTP_WHOLE);
	assert_int_equal(h.size, sizeof(data) - 1);
	assert_int_equal(h.method, HTTP_POST);
	is_at(data, h.target, (size_t)h.target_end - h.target, "/a%20b?c?d");
	is_at(data, h.query, (size_t)h.target_end - h.query, "c?d");
	assert_int_equal(h.count, 5);
	is_at(data, h.fields[0].name, h.fields[0].name_len, "Connection");
	is_at(data, h.fields[0].value, h.fields[0].value_len, "a ,Keep-Alive");
	is_at(data, h.fields[1].value, h.fields[1].value_len, "");
	is_at(data, h.fields[2].value, h.fields[2].value_len, "7");
	is_at(data, h.fields[4].name, h.fields[4].name_len, "Long");
	is_at(data, h.fields[4].value, h.fields[4].value_len, "0123456 89\t0123456789 \xc3\xa4");
	assert_true(h.http10 && h.keep_alive && !h.close && h.expects && !h.expects_more);
	assert_int_equal(h.length, 7);
}

static void methods_that_are_not_known_are_none(void **state)
{
	static const struct { const char *line; enum http_method method; } lines[] = {
		{ "GET / HTTP/1.1\r\n", HTTP_GET }, { "HEAD / HTTP/1.1\r\n", HTTP_HEAD }, { "OPTIONS / HTTP/1.1\r\n", HTTP_OPTIONS },
		{ "GETS / HTTP/1.1\r\n", 0 }, { "get / HTTP/1.1\r\n", 0 }, { "DELETE / HTTP/1.1\r\n", 0 }, { "X12345678901234567890-! / HTTP/1.1\r\n", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct http_head h = { 0 };

		assert_int_equal(http_parse_head(&h, lines[i].line, strlen(lines[i].line)), HTTP_MORE);
		assert_int_equal(h.method, lines[i].method);
	}
}

/* Each byte at each place of a word of eight, and in what is left over behind the last. */
static void each_control_is_found_wherever_it_stands(void **state)
{
	char data[64];
	size_t at;
	int c;

	(void)state;
	for (at = 0; at < 20; at++) {
		for (c = 1; c < 256; c++) {
			struct http_head h = { 0 };
			int n = snprintf(data, sizeof(data), "GET / HTTP/1.0\r\nA:aaaaaaaaaaaaaaaaaaaa\r\n\r\n");
			bool good = (c >= 0x20 || c == '\t') && c != 0x7f;

			data[18 + at] = (char)c;
			assert_int_equal(http_parse_head(&h, data, (size_t)n), good ? HTTP_WHOLE : HTTP_BAD);
		}
	}
}

static void a_hundred_headers_pass_and_one_more_does_not(void **state)
{
	struct http_head h = { 0 };
	struct buf data = BUF_INIT;
	int i;

	(void)state;
	buf_str(&data, "GET / HTTP/1.1\r\n" H);
	for (i = 1; i < HTTP_FIELDS_MAX; i++)
		buf_str(&data, "A: b\r\n");
	assert_int_equal(http_parse_head(&h, data.data, data.len), HTTP_MORE);
	buf_str(&data, "A: b\r\n");
	assert_int_equal(http_parse_head(&h, data.data, data.len), HTTP_BAD);
	assert_string_equal(h.fault, "too many headers");
	buf_clear(&data);
}

static void a_head_of_eight_kib_passes_and_one_byte_more_does_not(void **state)
{
	size_t more;

	(void)state;
	for (more = 0; more < 2; more++) {
		struct http_head h = { 0 };
		struct buf data = BUF_INIT;

		buf_str(&data, "GET / HTTP/1.1\r\n" H "A: ");
		while (data.len < HTTP_HEAD_MAX - 4 + more)
			buf_char(&data, 'x');
		buf_str(&data, "\r\n\r\n");
		assert_int_equal(http_parse_head(&h, data.data, HTTP_HEAD_MAX - 1), HTTP_MORE);
		assert_int_equal(http_parse_head(&h, data.data, data.len), more ? HTTP_BAD : HTTP_WHOLE);
		buf_clear(&data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_judged_the_same_however_it_is_cut),
		cmocka_unit_test(bodies_are_what_the_lengths_say),
		cmocka_unit_test(what_is_found_is_where_it_stands),
		cmocka_unit_test(methods_that_are_not_known_are_none),
		cmocka_unit_test(each_control_is_found_wherever_it_stands),
		cmocka_unit_test(a_hundred_headers_pass_and_one_more_does_not),
		cmocka_unit_test(a_head_of_eight_kib_passes_and_one_byte_more_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
