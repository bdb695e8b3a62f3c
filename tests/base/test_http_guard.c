/*
 * test_http_guard.c: what the guard lets pass and what it finds, each row also byte by byte and cut at each place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/base/http_guard.h"

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
	{ "a fragment in the target", "GET /#a HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "two spaces behind the method", "GET  / HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "a third word too many", "GET / b HTTP/1.1\r\n" H "\r\n", 0, 1, 1 },
	{ "HTTP/0.9", "GET /\r\n", 0, 1, 1 },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 0, 1, 1 },
	{ "a body on a GET", "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 0, 1, 1 },
	{ "chunks on a GET", "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 1, 1 },
	{ "a TLS hello", "\x16\x03\x01\x02", 4, 1, 1 },
	{ "a good request and a bad one behind it", "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n\r\n", 0, 2, 2 },
	{ "rubbish behind a body", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx\r\nGET / HTTP/1.1\r\n", 0, 2, 2 },
};

static void check(const struct row *row, const struct http_guard *g, const char *how, size_t at)
{
	if (g->bad_at != row->bad_at || (row->begun != g->begun) || !g->bad_at != !g->fault)
		fail_msg("%s (%s %zu): begun %llu, bad at %llu: %s", row->what, how, at, (unsigned long long)g->begun,
			(unsigned long long)g->bad_at, g->fault ? g->fault : "no fault");
}

static void each_row_is_judged_the_same_however_it_is_cut(void **state)
{
	size_t i, n, at;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *bytes = (const uint8_t *)rows[i].bytes;
		struct http_guard whole = { 0 }, single = { 0 };

		n = rows[i].len ? rows[i].len : strlen(rows[i].bytes);
		http_guard_feed(&whole, bytes, n);
		check(&rows[i], &whole, "whole", 0);
		for (at = 0; at < n; at++)
			http_guard_feed(&single, bytes + at, 1);
		check(&rows[i], &single, "single bytes", 0);
		for (at = 1; at < n; at++) {
			struct http_guard cut = { 0 };

			http_guard_feed(&cut, bytes, at);
			http_guard_feed(&cut, bytes + at, n - at);
			check(&rows[i], &cut, "cut at", at);
		}
	}
}

static void a_hundred_headers_pass_and_one_more_does_not(void **state)
{
	struct http_guard g = { 0 };
	int i;

	(void)state;
	http_guard_feed(&g, (const uint8_t *)"GET / HTTP/1.1\r\n" H, 16 + 9);
	for (i = 1; i < HTTP_GUARD_HEADERS; i++)
		http_guard_feed(&g, (const uint8_t *)"A: b\r\n", 6);
	assert_null(g.fault);
	http_guard_feed(&g, (const uint8_t *)"A: b\r\n", 6);
	assert_string_equal(g.fault, "too many headers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_judged_the_same_however_it_is_cut),
		cmocka_unit_test(a_hundred_headers_pass_and_one_more_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
