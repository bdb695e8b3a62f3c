/*
 * reading.c: what every handler reads of a request: token, key, bearer, body, and headers that end up in
 * rows.
 */
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/text.h"

#include "parts.h"

int read_token(struct ingest *in, struct http_request *r, enum token_kind kind, const char *suffix,
	int64_t now, struct token *out, struct err *err)
{
	const char *s = http_rest(r);
	size_t n = strlen(s), tail = strlen(suffix);

	if (n < tail || strcmp(s + n - tail, suffix) != 0)
		return err_set(err, "not ours");
	return token_check(in->ring, kind, s, n - tail, now, out, err);
}

const char *read_text(struct arena *arena, const char *s, size_t max)
{
	size_t n = s ? strnlen(s, max) : 0, i;
	char *out;

	if (n == 0)
		return "";
	/* not in the middle of a character */
	while (n > 0 && s[n] && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	out = arena_strndup(arena, s, n);
	if (!text_utf8_valid(out, n))
		for (i = 0; i < n; i++)
			if ((unsigned char)out[i] >= 0x80)
				out[i] = '?';
	for (i = 0; i < n; i++)
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = ' ';
	return out;
}

const char *read_header(struct http_request *r, const char *name, size_t max)
{
	return read_text(http_arena(r), http_header(r, name), max);
}

int read_body(struct http_request *r, const struct plan *plan, struct body *out)
{
	struct err err;
	const char *boundary = http_parameter(http_arena(r), http_header(r, "Content-Type"), "boundary");
	int status = body_parse(http_arena(r), http_body(r), http_content_type(r), boundary, out, &err);

	if (status == 0)
		return 0;
	page_problem(r, plan, status, "That could not be read", err.text);
	return -1;
}

int read_key(struct http_request *r, const char **out)
{
	const char *key = http_header(r, "Idempotency-Key"), *c;

	if (!key)
		return 0;
	for (c = key; *c > 0x20 && *c < 0x7f; c++)
		;
	if (*key && !*c && c - key <= KEY_MAX) {
		*out = key;
		return 1;
	}
	http_problem(r, 400, "An Idempotency-Key is 1 to 255 visible ASCII characters.", NULL);
	return -1;
}

enum bearer read_bearer(struct http_request *r, const struct plan *plan)
{
	const char *given = http_header(r, "Authorization"), *key = plan->operator.listen.api_key;
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	if (!given)
		return BEARER_NONE;
	if (!key || strncasecmp(given, "Bearer ", 7) != 0)
		return BEARER_WRONG;
	/* digests have one length: the time tells nothing of the key's */
	digest_sha256(given + 7, strlen(given + 7), a);
	digest_sha256(key, strlen(key), b);
	return digest_equal(a, b, sizeof(a)) ? BEARER_GOOD : BEARER_WRONG;
}

void refuse_bearer(struct http_request *r, const struct plan *plan)
{
	if (!plan->operator.listen.api_key) {
		http_problem(r, 403, "No api_key is set in the operator's file.", NULL);
		return;
	}
	http_set_header(r, "WWW-Authenticate", "Bearer");
	http_problem(r, 401, "Send the API key: `Authorization: Bearer KEY`.", NULL);
}

void add_field_error(struct buf *b, const char *field, const char *message)
{
	buf_str(b, b->len ? "," : "\"errors\":[");
	buf_str(b, "{\"field\":");
	text_json(b, field, strlen(field));
	buf_str(b, ",\"message\":");
	text_json(b, message, strlen(message));
	buf_char(b, '}');
}
