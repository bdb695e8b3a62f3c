/*
 * reading.c: what every handler reads of a request: token, key, bearer, body, and headers that end up in
 * rows.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/signature.h"
#include "base/text.h"

#include "parts.h"

#define SIGNED_WITHIN 300	/* seconds: Standard Webhooks */

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

/* Of a request of Standard Webhooks 1.0. The header is there. */
static enum caller read_signature(struct http_request *r, const char *secret)
{
	const char *id = http_header(r, "webhook-id"), *timestamp = http_header(r, "webhook-timestamp");
	struct buf key = BUF_INIT;
	int64_t seconds;
	bool good;

	if (!secret || !id || !*id || strlen(id) > KEY_MAX || !timestamp || text_int(timestamp, &seconds) < 0 ||
			llabs(seconds - clock_now() / US_SECOND) > SIGNED_WITHIN || signature_key(secret, &key, NULL) < 0)
		return CALLER_WRONG;
	good = signature_check((struct slice){ key.data, key.len }, id, seconds, http_body(r), http_header(r, "webhook-signature"));
	explicit_bzero(key.data, key.len);
	buf_clear(&key);
	return good ? CALLER_KNOWN : CALLER_WRONG;
}

static bool same_secret(const char *a, const char *b)
{
	uint8_t x[SHA256_SIZE], y[SHA256_SIZE];

	/* digests have one length: the time tells nothing of the key's */
	digest_sha256(a, strlen(a), x);
	digest_sha256(b, strlen(b), y);
	return digest_equal(x, y, sizeof(x));
}

/* Segment's libraries send their write key as the user of basic authentication, with no password. */
static enum caller read_authorization(const char *given, const char *key)
{
	struct buf user = BUF_INIT;
	enum caller caller = CALLER_WRONG;

	if (!key)
		return CALLER_WRONG;
	if (strncasecmp(given, "Bearer ", 7) == 0)
		return same_secret(given + 7, key) ? CALLER_KNOWN : CALLER_WRONG;
	if (strncasecmp(given, "Basic ", 6) != 0 || text_base64_decode(given + 6, strlen(given + 6), &user) < 0)
		return CALLER_WRONG;
	if (user.len > 0 && user.data[user.len - 1] == ':' && strlen(buf_cstr(&user)) == user.len) {
		buf_cut(&user, user.len - 1);
		caller = same_secret(buf_cstr(&user), key) ? CALLER_KNOWN : CALLER_WRONG;
	}
	buf_clear(&user);
	return caller;
}

enum caller read_caller(struct http_request *r, const struct plan *plan)
{
	const char *given = http_header(r, "Authorization");

	if (given)
		return read_authorization(given, plan->operator.listen.api_key);
	if (http_header(r, "webhook-signature"))
		return read_signature(r, plan->operator.listen.api_secret);
	return CALLER_NONE;
}

void refuse_caller(struct http_request *r, const struct plan *plan)
{
	const struct listen_config *listen = &plan->operator.listen;

	if (!listen->api_key && !listen->api_secret) {
		http_problem(r, 403, "Neither api_key nor api_secret is set in the operator's file.", NULL);
		return;
	}
	if (listen->api_key)
		http_set_header(r, "WWW-Authenticate", "Bearer");
	http_problem(r, 401, listen->api_key ? "Send the API key: `Authorization: Bearer KEY`; or sign the request (Standard Webhooks)." :
			"Sign the request: webhook-id, webhook-timestamp (within five minutes) and webhook-signature (Standard Webhooks).", NULL);
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
