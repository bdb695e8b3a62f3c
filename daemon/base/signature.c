/*
 * signature.c: see signature.h.
 */
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/signature.h"
#include "base/text.h"

#define PREFIX "whsec_"
#define KEY_MAX 64

int signature_key(const char *secret, struct buf *key, struct err *err)
{
	struct buf bytes = BUF_INIT;
	int rc = -1;

	if (text_starts_with(secret, PREFIX))
		secret += strlen(PREFIX);
	/* the text itself never gets into a message */
	if (text_base64_decode(secret, strlen(secret), &bytes) < 0)
		err_set(err, "the secret is not base64; write it as the receiver shows it: whsec_...");
	else if (bytes.len == 0 || bytes.len > KEY_MAX)
		err_set(err, "the secret has %zu bytes; 24 to 64 are usual", bytes.len);
	else
		rc = 0;
	if (rc == 0)
		buf_add(key, bytes.data, bytes.len);
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.len);
	buf_clear(&bytes);
	return rc;
}

void signature_make(struct slice key, const char *id, int64_t seconds, struct slice body, struct buf *out)
{
	struct buf content = BUF_INIT;
	uint8_t mac[SHA256_SIZE];

	buf_printf(&content, "%s.%" PRId64 ".", id, seconds);
	buf_add(&content, body.data, body.len);
	digest_hmac(key.data, key.len, content.data, content.len, mac);
	buf_str(out, "v1,");
	text_base64(out, mac, sizeof(mac));
	buf_clear(&content);
}

bool signature_check(struct slice key, const char *id, int64_t seconds, struct slice body, const char *given)
{
	struct buf want = BUF_INIT;
	bool good = false;
	size_t n;

	signature_make(key, id, seconds, body, &want);
	for (; *given; given += n + strspn(given + n, " ")) {
		n = strcspn(given, " ");
		if (n == want.len && digest_equal(given, want.data, n))
			good = true;
	}
	buf_clear(&want);
	return good;
}
