/*
 * fuzz_text.c: the codecs and parsers of text.h over any bytes: what is taken comes back the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void must_be(const struct buf *b, const void *data, size_t size)
{
	must(b->len == size && (!size || !memcmp(b->data, data, size)));
}

/* Encoded and decoded again, and the other way round where the input is a code. */
static void codecs(const char *s, size_t n)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	uint8_t *raw = xmalloc(n);
	size_t got;

	text_base64(&text, s, n);
	must(text_base64_decode(text.data, text.len, &back) == 0);
	must_be(&back, s, n);
	buf_reset(&back);
	buf_reset(&text);
	if (text_base64_decode(s, n, &back) == 0) {
		text_base64(&text, back.data, back.len);
		must_be(&text, s, n);
	}
	buf_reset(&text);
	if (text_base32_decode(s, n, raw, n, &got) == 0) {
		text_base32(&text, raw, got);
		must(text.len == n);
	}
	buf_reset(&text);
	buf_reset(&back);
	if (text_hex_decode(s, n, &back) == 0) {
		text_hex(&text, back.data, back.len);
		must(text.len == n);
	}
	buf_clear(&text);
	buf_clear(&back);
	free(raw);
}

static void escapes(const char *s, size_t n)
{
	struct buf text = BUF_INIT, back = BUF_INIT;

	text_percent(&text, s, n);
	if (memchr(s, '\0', n))
		must(text_percent_decode(buf_cstr(&text), text.len, false, &back) < 0 && back.len == 0);
	else
		must(text_percent_decode(buf_cstr(&text), text.len, true, &back) == 0);
	if (!memchr(s, '\0', n))
		must_be(&back, s, n);
	buf_reset(&back);
	if (text_percent_decode(s, n, true, &back) == 0)
		must(back.len <= n && !memchr(buf_cstr(&back), '\0', back.len));
	buf_reset(&text);
	text_json(&text, s, n);
	must(text_utf8_valid(text.data, text.len) && text.data[0] == '"' && text.data[text.len - 1] == '"');
	must(!text_has_control(text.data, text.len) && !strchr(text.data, '\n') && !strchr(text.data, '\t'));
	buf_reset(&text);
	text_html(&text, s, n);
	must(!strpbrk(buf_cstr(&text), "<>\"'"));
	must(text_utf8_length(s, n) <= n);
	buf_clear(&text);
	buf_clear(&back);
}

static void values(const char *s)
{
	struct buf text = BUF_INIT;
	int64_t n, again;
	double x;

	if (text_duration(s, &n, NULL) == 0 && n >= 1000) {
		text_duration_print(&text, n);
		must(text_duration(text.data, &again, NULL) == 0);
		/* below a second it prints milliseconds, above it whole seconds */
		must(again <= n && n - again < 1000000);
	}
	buf_reset(&text);
	if (text_time_parse(s, &n) == 0) {
		text_time(&text, n);
		must(text_time_parse(text.data, &again) == 0 && again == n - n % 1000000);
	}
	if (text_int(s, &n) == 0)
		must(text_double(s, &x) == 0);
	buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const candidates[] = { "sequence", "list", "enter", "exit", NULL };
	char *s = xstrndup((const char *)data, size);
	size_t half = strlen(s) / 2;
	char *pattern = xstrndup(s, half < 200 ? half : 200);

	codecs((const char *)data, size);
	escapes((const char *)data, size);
	values(s);
	must(text_glob("*", s) && (strpbrk(s, "*?") || text_glob(s, s)));
	text_glob(pattern, s + half);
	text_nearest(s, candidates);
	free(pattern);
	free(s);
	return 0;
}
