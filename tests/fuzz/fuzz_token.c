/*
 * fuzz_token.c: token_check() over any bytes. Nothing that was not signed may pass, and what is changed may not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/token.h"

#define NOW (INT64_C(1795317695) * US_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_ring *make_ring(void)
{
	uint8_t keys[2][TOKEN_SECRET];
	const uint8_t ids[2] = { 1, 2 };

	memset(keys[0], 1, TOKEN_SECRET);
	memset(keys[1], 2, TOKEN_SECRET);
	return token_ring_new((const uint8_t(*)[TOKEN_SECRET])keys, ids, 2);
}

/* A true token with the input laid over it must be the token, but for its case, or be refused. */
static void lay_over(const struct token_ring *ring, const uint8_t *data, size_t size)
{
	char text[TOKEN_TEXT], forged[TOKEN_TEXT];
	struct token token;
	size_t i;

	token_make(ring, TOKEN_CLICK, 0x0123456789abcdef, 3, NOW, text);
	memcpy(forged, text, sizeof(text));
	for (i = 0; i < size && i < TOKEN_TEXT - 1; i++)
		forged[i] = (char)(forged[i] ^ data[i]);
	if (token_check(ring, TOKEN_CLICK, forged, TOKEN_TEXT - 1, NOW, &token, NULL) < 0)
		return;
	for (i = 0; i < TOKEN_TEXT - 1; i++)
		if (forged[i] != text[i] && (forged[i] ^ text[i]) != 0x20)
			abort();
	if (token.id != 0x0123456789abcdef || token.link != 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char kinds[] = "bruocdmyps";
	static struct token_ring *ring;
	struct token token;
	struct err err;
	size_t i;

	if (!ring)
		ring = make_ring();
	for (i = 0; kinds[i]; i++)
		if (token_check(ring, (enum token_kind)kinds[i], (const char *)data, size, NOW, &token, &err) == 0)
			abort();
	lay_over(ring, data, size);
	return 0;
}
