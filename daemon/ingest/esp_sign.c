/*
 * esp_sign.c: see esp_sign.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

#include "esp_sign.h"

bool sign_same(const char *given, const char *secret)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	/* digests have one length: the time tells nothing of the secret's */
	digest_sha256(given, strlen(given), a);
	digest_sha256(secret, strlen(secret), b);
	return digest_equal(a, b, sizeof(a));
}

bool sign_basic(const char *header, const char *user, const char *password)
{
	struct buf want = BUF_INIT, given = BUF_INIT;
	bool same;

	if (!header || strncasecmp(header, "Basic ", 6) != 0 || text_base64_decode(header + 6, strlen(header + 6), &given) < 0) {
		buf_clear(&given);
		return false;
	}
	buf_printf(&want, "%s:%s", user, password);
	same = strlen(buf_cstr(&given)) == given.len && sign_same(buf_cstr(&given), buf_cstr(&want));
	OPENSSL_cleanse(want.data, want.len);
	OPENSSL_cleanse(given.data, given.len);
	buf_clear(&want);
	buf_clear(&given);
	return same;
}

bool sign_bearer(const char *header, const char *token)
{
	return header && strncasecmp(header, "Bearer ", 7) == 0 && sign_same(header + 7, token);
}

/* Of the parts in turn. */
static bool verify(EVP_PKEY *key, const EVP_MD *md, const struct slice *parts, size_t count, struct slice signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1;

	for (size_t i = 0; good && i < count; i++)
		good = EVP_DigestVerifyUpdate(ctx, parts[i].data, parts[i].len) == 1;
	good = good && EVP_DigestVerifyFinal(ctx, (const unsigned char *)signature.data, signature.len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static EVP_PKEY *read_key(const char *key)
{
	struct buf der = BUF_INIT;
	EVP_PKEY *out = NULL;
	const unsigned char *at;

	if (text_base64_decode(key, strlen(key), &der) == 0 && der.len) {
		at = (const unsigned char *)der.data;
		out = d2i_PUBKEY(NULL, &at, (long)der.len);
	}
	buf_clear(&der);
	if (out && EVP_PKEY_base_id(out) != EVP_PKEY_EC) {
		EVP_PKEY_free(out);
		out = NULL;
	}
	return out;
}

bool sign_sendgrid(const char *key, const char *timestamp, struct slice body, const char *signature)
{
	struct buf raw = BUF_INIT;
	EVP_PKEY *k = read_key(key);
	bool good = k && text_base64_decode(signature, strlen(signature), &raw) == 0 &&
		verify(k, EVP_sha256(), (const struct slice[]){ slice_of(timestamp), body }, 2, (struct slice){ raw.data, raw.len });

	EVP_PKEY_free(k);
	buf_clear(&raw);
	return good;
}

bool sign_mailgun(const char *key, const json_t *signature)
{
	const char *timestamp = json_string_value(json_object_get(signature, "timestamp")),
		   *token = json_string_value(json_object_get(signature, "token")),
		   *given = json_string_value(json_object_get(signature, "signature"));
	struct buf text = BUF_INIT, hex = BUF_INIT;
	uint8_t mac[SHA256_SIZE];
	bool good;

	if (!timestamp || !token || !given)
		return false;
	buf_printf(&text, "%s%s", timestamp, token);
	digest_hmac(key, strlen(key), text.data, text.len, mac);
	text_hex(&hex, mac, sizeof(mac));
	good = strlen(given) == hex.len && digest_equal(given, hex.data, hex.len);
	buf_clear(&text);
	buf_clear(&hex);
	return good;
}

/* --- SNS ------------------------------------------------------------------------------------- */

void sign_sns_string(const json_t *message, struct buf *out)
{
	static const char *const notification[] = { "Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", NULL };
	static const char *const confirmation[] = { "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type", NULL };
	const char *type = json_string_value(json_object_get(message, "Type"));
	const char *const *names = type && strcmp(type, "Notification") == 0 ? notification : confirmation;

	for (; *names; names++) {
		const json_t *v = json_object_get(message, *names);

		if (!json_is_string(v))		/* a Subject that is not there, or null */
			continue;
		buf_printf(out, "%s\n", *names);
		buf_add(out, json_string_value(v), json_string_length(v));
		buf_char(out, '\n');
	}
}

static X509 *read_certificate(struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *out = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return out;
}

/* SHA-1 is what version 1 signs with; nothing else here does. */
static const EVP_MD *digest_of(const json_t *message)
{
	const char *version = json_string_value(json_object_get(message, "SignatureVersion"));

	if (version && strcmp(version, "2") == 0)
		return EVP_sha256();
	return version && strcmp(version, "1") == 0 ? EVP_sha1() : NULL;
}

static int check_sns(const json_t *message, X509 *certificate, int64_t now, struct err *err)
{
	const char *given = json_string_value(json_object_get(message, "Signature"));
	const EVP_MD *md = digest_of(message);
	struct buf text = BUF_INIT, raw = BUF_INIT;
	time_t when = (time_t)(now / US_SECOND);
	int rc = 0;

	if (!md)
		return err_set(err, "SignatureVersion is neither 1 nor 2");
	if (!given || text_base64_decode(given, strlen(given), &raw) < 0) {
		buf_clear(&raw);
		return err_set(err, "Signature is no base64");
	}
	sign_sns_string(message, &text);
	if (X509_cmp_time(X509_get0_notBefore(certificate), &when) >= 0 || X509_cmp_time(X509_get0_notAfter(certificate), &when) <= 0)
		rc = err_set(err, "the certificate is not valid now");
	else if (EVP_PKEY_base_id(X509_get0_pubkey(certificate)) != EVP_PKEY_RSA ||
			!verify(X509_get0_pubkey(certificate), md, &(const struct slice){ text.data, text.len }, 1, (struct slice){ raw.data, raw.len }))
		rc = err_set(err, "the signature is wrong");
	buf_clear(&text);
	buf_clear(&raw);
	return rc;
}

bool sign_sns(const json_t *message, struct slice pem, int64_t now, struct err *err)
{
	X509 *certificate = read_certificate(pem);
	int rc = certificate ? check_sns(message, certificate, now, err) : err_set(err, "the certificate cannot be read");

	X509_free(certificate);
	return rc == 0;
}

static bool is_region(const char *s, size_t n)
{
	return n > 0 && n <= 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

/* Of arn:aws:sns:REGION:ACCOUNT:NAME. */
static struct slice region_of(const char *topic)
{
	const char *at = strstr(topic, ":sns:"), *end = at ? strchr(at + 5, ':') : NULL;

	return end ? (struct slice){ at + 5, (size_t)(end - at - 5) } : (struct slice){ "", 0 };
}

bool sign_sns_url(const char *url, const char *topic, bool certificate)
{
	static const char begin[] = "https://sns.";
	struct slice region = region_of(topic), rest;
	const char *path;

	if (!is_region(region.data, region.len) || !text_starts_with(url, begin) || strncmp(url + sizeof(begin) - 1, region.data, region.len) != 0)
		return false;
	rest = slice_of(url + sizeof(begin) - 1 + region.len);
	if (text_starts_with(rest.data, ".amazonaws.com.cn/"))
		path = rest.data + strlen(".amazonaws.com.cn");
	else if (text_starts_with(rest.data, ".amazonaws.com/"))
		path = rest.data + strlen(".amazonaws.com");
	else
		return false;
	for (const char *c = path; *c; c++)
		if (*c <= 0x20 || *c >= 0x7f)
			return false;
	/* the certificate is a file of theirs: no query, no step up */
	return !certificate || (text_ends_with(path, ".pem") && !strpbrk(path, "?#%\\") && !strstr(path, ".."));
}
