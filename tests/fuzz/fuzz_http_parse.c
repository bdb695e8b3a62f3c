/*
 * fuzz_http_parse.c: requests out of any bytes, cut at any place: the verdict does not depend on how the bytes came, and what is found lies within the
 * head and is what it should be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/base/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a connection does with its bytes. */
struct reader {
	struct http_head head;
	struct http_framing framing;
	bool in_body;
	size_t at;		/* of the request or of the rest of its body */
	size_t requests, body;
	const char *fault;
};

static void require(bool what)
{
	if (!what)
		abort();
}

static void check_head(const struct http_head *h, const char *text)
{
	size_t i, behind = h->target_end;

	require(h->size <= HTTP_HEAD_MAX && h->target && text[h->target] == '/' && text[h->target_end] == ' ' && h->query <= h->target_end);
	require(!h->query || text[h->query - 1] == '?');
	for (i = 0; i < h->count; i++) {
		const struct http_field *f = &h->fields[i];

		require(f->name > behind && f->name_len > 0 && text[f->name + f->name_len] == ':' && f->value > f->name + f->name_len);
		behind = (size_t)f->value + f->value_len;
		require(behind < h->size && strchr("\r \t", text[behind]) && !memchr(text + f->value, '\n', f->value_len));
	}
}

/* `n` bytes are there. */
static void read_on(struct reader *r, const char *data, size_t n)
{
	struct slice piece;
	size_t used;

	while (!r->fault && r->at < n) {
		enum http_parsed parsed;

		if (r->in_body) {
			parsed = http_parse_body(&r->framing, data + r->at, n - r->at, &used, &piece);
			require(used > 0 && used <= n - r->at && piece.len <= used);
			r->at += used;
			r->body += piece.len;
			r->fault = r->framing.fault;
			if (parsed == HTTP_WHOLE)
				r->in_body = false;
			continue;
		}
		if (r->head.size == 0)
			memset(&r->head, 0, sizeof(r->head));
		parsed = http_parse_head(&r->head, data + r->at, n - r->at);
		r->fault = r->head.fault;
		require((parsed == HTTP_BAD) == (r->fault != NULL));
		if (parsed != HTTP_WHOLE)
			return;
		check_head(&r->head, data + r->at);
		r->requests++;
		r->at += r->head.size;
		r->in_body = http_parse_body_begin(&r->framing, &r->head);
		r->head.size = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader whole = { 0 }, cut = { 0 };
	size_t step = size ? data[size - 1] % 7 + 1 : 1, n;

	read_on(&whole, (const char *)data, size);
	for (n = 0; n < size;) {
		char *there;

		n = n + step < size ? n + step : size;
		there = malloc(n);	/* so that a byte read behind those that are there is seen */
		memcpy(there, data, n);
		read_on(&cut, there, n);
		free(there);
	}
	require(whole.requests == cut.requests && whole.body == cut.body && whole.fault == cut.fault && whole.at == cut.at);
	return 0;
}
