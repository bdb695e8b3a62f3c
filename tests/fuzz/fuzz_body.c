/*
 * fuzz_body.c: request bodies of each form, the boundary and the Range header. The first byte chooses. What is parsed must be
 * UTF-8 without NUL, and what came out as urlencoded parses to the same pairs again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/ingest/body.h"
#include "../../daemon/ingest/range.h"
#include "base/http.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct body *body)
{
	size_t i;

	if (body->count > BODY_PAIRS)
		abort();
	for (i = 0; i < body->count; i++) {
		const struct pair *p = &body->pairs[i];

		if (!text_utf8_valid(p->name, strlen(p->name)) || (p->value && !text_utf8_valid(p->value, strlen(p->value))))
			abort();
	}
}

static void check_again(struct arena *arena, const struct body *body)
{
	struct buf b = BUF_INIT;
	struct body again;
	size_t i;

	for (i = 0; i < body->count; i++) {
		if (!body->pairs[i].value || !*body->pairs[i].name) {
			buf_clear(&b);
			return;
		}
		buf_str(&b, i ? "&" : "");
		text_percent(&b, body->pairs[i].name, strlen(body->pairs[i].name));
		buf_char(&b, '=');
		text_percent(&b, body->pairs[i].value, strlen(body->pairs[i].value));
	}
	if (body_parse_urlencoded(arena, (struct slice){ buf_cstr(&b), b.len }, &again, NULL) < 0 || again.count != body->count)
		abort();
	if (strcmp(body_digest(arena, &again), body_digest(arena, body)) != 0)
		abort();
	buf_clear(&b);
}

static void fuzz_range(struct arena *arena, const char *text, size_t size)
{
	int64_t from = -1, length = -1;

	if (range_parse(arena_strndup(arena, text, size), 1000, &from, &length) == RANGE_PART && (from < 0 || length < 1 || from + length > 1000))
		abort();
	(void)http_parameter(arena, arena_strndup(arena, text, size), "boundary");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "application/json", "application/x-www-form-urlencoded", "multipart/form-data" };
	struct arena *arena;
	struct body body;
	struct slice in;

	if (size == 0)
		return 0;
	arena = arena_new(0);
	in = (struct slice){ (const char *)data + 1, size - 1 };
	if (data[0] % 4 == 3) {
		fuzz_range(arena, in.data, in.len);
	} else if (body_parse(arena, in, types[data[0] % 4], "xx", &body, NULL) == 0) {
		check(&body);
		check_again(arena, &body);
	}
	arena_free(&arena);
	return 0;
}
