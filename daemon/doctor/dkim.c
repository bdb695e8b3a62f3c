/*
 * dkim.c: see dkim.h. The names of the steps are those of RFC 6376 3.4 (canonicalisation) and 3.7 (the two hashes).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#include "dkim.h"

/* --- what the field says -------------------------------------------------------------------------------------------- */

static void take_name(struct slice value, char out[RECORD_NAME])
{
	snprintf(out, RECORD_NAME, "%.*s", (int)(value.len < RECORD_NAME ? value.len : 0), value.data);
	text_lower(out);
}

static void take_fields(struct slice value, struct buf *out)
{
	size_t i;

	buf_char(out, ':');
	for (i = 0; i < value.len; i++)
		if (!isspace((unsigned char)value.data[i]))
			buf_char(out, (char)tolower((unsigned char)value.data[i]));
	buf_char(out, ':');
}

static int take_algorithm(struct slice value, struct dkim_signature *out, struct err *err)
{
	out->ed25519 = slice_is_nocase(value, "ed25519-sha256");
	if (out->ed25519 || slice_is_nocase(value, "rsa-sha256"))
		return 0;
	return err_set(err, "its algorithm is %.*s, which receivers do not take any more; rsa-sha256 is meant", (int)(value.len < 40 ? value.len : 40), value.data);
}

/* "relaxed/simple"; the second is simple where it is left out. */
static void take_canonicalisation(struct slice value, struct dkim_signature *out)
{
	const char *slash = memchr(value.data, '/', value.len);
	size_t head = slash ? (size_t)(slash - value.data) : value.len;

	out->relaxed_header = slice_is_nocase((struct slice){ value.data, head }, "relaxed");
	out->relaxed_body = slash && slice_is_nocase((struct slice){ slash + 1, value.len - head - 1 }, "relaxed");
}

static int take_number(struct slice value, int64_t *out, struct err *err)
{
	char text[24] = "";

	if (value.len < sizeof(text))
		memcpy(text, value.data, value.len);
	return text_int(text, out) < 0 || *out < 0 ? err_set(err, "a number in it is none") : 0;
}

static int take_tag(struct slice name, struct slice value, struct dkim_signature *out, struct err *err)
{
	if (slice_is(name, "a"))
		return take_algorithm(value, out, err);
	if (slice_is(name, "c"))
		take_canonicalisation(value, out);
	else if (slice_is(name, "d"))
		take_name(value, out->domain);
	else if (slice_is(name, "s"))
		take_name(value, out->selector);
	else if (slice_is(name, "h"))
		take_fields(value, &out->fields);
	else if (slice_is(name, "bh"))
		return records_base64(value, &out->body_hash) < 0 ? err_set(err, "bh is no base64") : 0;
	else if (slice_is(name, "b"))
		return records_base64(value, &out->signature) < 0 ? err_set(err, "b is no base64") : 0;
	else if (slice_is(name, "l"))
		return take_number(value, &out->length, err);
	else if (slice_is(name, "x"))
		return take_number(value, &out->expires, err);
	return 0;
}

int dkim_signature_read(const char *text, struct dkim_signature *out, struct err *err)
{
	struct slice name, value;
	bool bad = false;
	int rc = 0;

	*out = (struct dkim_signature){ .length = -1 };
	while (rc == 0 && records_next_tag(&text, &name, &value, &bad))
		rc = take_tag(name, value, out, err);
	if (rc < 0)
		return -1;
	if (bad)
		return err_set(err, "a part of it is no tag=value");
	if (!*out->domain || !*out->selector || !out->fields.len || !out->body_hash.len || !out->signature.len)
		return err_set(err, "one of d, s, h, bh and b is not there");
	return dkim_signature_covers(out, "from") ? 0 : err_set(err, "it does not sign From, so that receivers do not count it");
}

void dkim_signature_clear(struct dkim_signature *s)
{
	buf_clear(&s->fields);
	buf_clear(&s->body_hash);
	buf_clear(&s->signature);
}

bool dkim_signature_covers(const struct dkim_signature *s, const char *name)
{
	char *wanted = xasprintf(":%s:", name);
	bool found = strstr(buf_cstr(&s->fields), wanted) != NULL;

	free(wanted);
	return found;
}

/* --- canonicalisation ----------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Runs of white space as one space each, none at the end. */
static void relax_line(struct buf *out, const char *s, size_t n)
{
	size_t i;

	while (n && is_blank(s[n - 1]))
		n--;
	for (i = 0; i < n; i++)
		if (!is_blank(s[i]))
			buf_char(out, s[i]);
		else if (i == 0 || !is_blank(s[i - 1]))
			buf_char(out, ' ');
}

static void put_relaxed_field(struct buf *out, struct slice raw)
{
	const char *colon = memchr(raw.data, ':', raw.len);
	struct slice name = slice_trim((struct slice){ raw.data, (size_t)(colon - raw.data) }), value;
	struct buf flat = BUF_INIT;
	size_t i;

	for (i = 0; i < name.len; i++)
		buf_char(out, (char)tolower((unsigned char)name.data[i]));
	buf_char(out, ':');
	for (i = (size_t)(colon - raw.data) + 1; i < raw.len; i++)
		if (raw.data[i] != '\r' && raw.data[i] != '\n')
			buf_char(&flat, raw.data[i]);
	value = slice_trim((struct slice){ buf_cstr(&flat), flat.len });
	relax_line(out, value.data, value.len);
	buf_clear(&flat);
}

static void put_field(struct buf *out, struct slice raw, bool relaxed)
{
	if (relaxed)
		put_relaxed_field(out, raw);
	else
		buf_add(out, raw.data, raw.len);
}

/* Empty lines at the end do not count; what is left ends with CRLF, but for a relaxed body of nothing. */
static void put_body(struct buf *out, struct slice body, bool relaxed)
{
	const char *p = body.data, *end = body.data + body.len;

	while (p < end) {
		const char *found = memmem(p, (size_t)(end - p), "\r\n", 2), *line = found ? found : end;

		if (relaxed)
			relax_line(out, p, (size_t)(line - p));
		else
			buf_add(out, p, (size_t)(line - p));
		buf_str(out, "\r\n");
		p = found ? found + 2 : end;
	}
	while (out->len >= 4 && memcmp(out->data + out->len - 4, "\r\n\r\n", 4) == 0)
		buf_cut(out, out->len - 2);
	if (out->len == 2)
		buf_cut(out, 0);
	if (!out->len && !relaxed)
		buf_str(out, "\r\n");
}

/* The field of the signature itself, its b= without a value (3.7). */
static void put_unsigned(struct buf *out, struct slice raw, bool relaxed)
{
	const char *p = (const char *)memchr(raw.data, ':', raw.len) + 1, *end = raw.data + raw.len;
	struct buf field = BUF_INIT;

	buf_add(&field, raw.data, (size_t)(p - raw.data));
	while (p < end) {
		const char *semi = memchr(p, ';', (size_t)(end - p)), *stop = semi ? semi : end, *equals = memchr(p, '=', (size_t)(stop - p));
		bool is_b = equals && slice_is(slice_trim((struct slice){ p, (size_t)(equals - p) }), "b");

		buf_add(&field, p, (size_t)((is_b ? equals + 1 : stop) - p));
		if (semi)
			buf_char(&field, ';');
		p = semi ? semi + 1 : end;
	}
	put_field(out, (struct slice){ buf_cstr(&field), field.len }, relaxed);
	buf_clear(&field);
}

/* Each name of h= takes the lowest field of it that was not taken yet; a name without one takes nothing (5.4.2). */
static void put_signed_fields(struct buf *out, const struct letter *l, const struct dkim_signature *s)
{
	bool *taken = xcalloc(l->count + 1, sizeof(*taken));
	const char *p = buf_cstr(&s->fields) + 1;
	size_t n, i;

	for (; (n = strcspn(p, ":")); p += n + 1) {
		for (i = l->count; i > 0; i--)
			if (!taken[i - 1] && strlen(l->fields[i - 1].name) == n && memcmp(l->fields[i - 1].name, p, n) == 0)
				break;
		if (i == 0)
			continue;
		taken[i - 1] = true;
		put_field(out, l->fields[i - 1].raw, s->relaxed_header);
		buf_str(out, "\r\n");
	}
	free(taken);
}

/* --- the two hashes ------------------------------------------------------------------------------------------------- */

static bool body_is_as_signed(const struct letter *l, const struct dkim_signature *s)
{
	struct buf body = BUF_INIT;
	uint8_t hash[SHA256_SIZE];

	put_body(&body, l->body, s->relaxed_body);
	if (s->length >= 0 && (uint64_t)s->length < body.len)
		buf_cut(&body, (size_t)s->length);
	digest_sha256(buf_cstr(&body), body.len, hash);
	buf_clear(&body);
	return s->body_hash.len == sizeof(hash) && digest_equal(hash, s->body_hash.data, sizeof(hash));
}

static bool holds(EVP_PKEY *key, const struct dkim_signature *s, const struct buf *signed_text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const unsigned char *data = (const unsigned char *)buf_cstr(signed_text);
	uint8_t hash[SHA256_SIZE];
	size_t n = signed_text->len;
	int rc;

	if (!ctx)
		abort();
	if (s->ed25519) {	/* RFC 8463 3: what is signed is the hash */
		digest_sha256(data, n, hash);
		data = hash;
		n = sizeof(hash);
	}
	rc = EVP_DigestVerifyInit(ctx, NULL, s->ed25519 ? NULL : EVP_sha256(), NULL, key);
	if (rc == 1)
		rc = EVP_DigestVerify(ctx, (const unsigned char *)s->signature.data, s->signature.len, data, n);
	EVP_MD_CTX_free(ctx);
	return rc == 1;
}

int dkim_verify(const struct letter *l, const struct letter_field *field, const struct dkim_signature *s, const struct dkim_key *key, int64_t now,
		struct err *err)
{
	struct buf text = BUF_INIT;
	EVP_PKEY *public;
	bool good;

	if (s->expires && s->expires < now / US_SECOND)
		return err_set(err, "it has expired");
	if (key->ed25519 != s->ed25519)
		return err_set(err, "the key in DNS is of another kind than the signature");
	if (!body_is_as_signed(l, s))
		return err_set(err, "the body was changed after it was signed");
	public = dkim_key_open(key);
	if (!public)
		return err_set(err, "the key was revoked: p is empty");
	put_signed_fields(&text, l, s);
	put_unsigned(&text, field->raw, s->relaxed_header);
	good = holds(public, s, &text);
	buf_clear(&text);
	EVP_PKEY_free(public);
	return good ? 0 : err_set(err, "a signed header was changed after it was signed, or the key in DNS is not the one that the relay signs with");
}
