/*
 * token.c: see token.h. The keys of the kinds are derived once, when a key is added.
 */
#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/token.h"

#define TOKEN_VERSION 1
#define TOKEN_BYTES 21
#define SIGNED_BYTES 13
#define MAC_BYTES 8
#define EPOCH_US (INT64_C(1704067200) * US_SECOND)	/* 2024-01-01 UTC */

static const struct kind {
	enum token_kind kind;
	int days;	/* 0: for ever */
} kinds[] = {
	{ TOKEN_BOUNCE, 60 },
	{ TOKEN_REPLY, 0 },
	{ TOKEN_UNSUBSCRIBE, 0 },
	{ TOKEN_OPEN, 180 },
	{ TOKEN_CLICK, 180 },
	{ TOKEN_DOWNLOAD, 14 },
	{ TOKEN_MESSAGE, 0 },
	{ TOKEN_CONFIRM, 30 },
	{ TOKEN_PREFERENCES, 0 },
	{ TOKEN_SALES, 60 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct key {
	bool set;		/* written last, read first: another thread may be adding it */
	int64_t since;
	struct digest_key of_kind[KINDS];
};

struct token_ring {
	size_t count;		/* of `order`, likewise */
	uint8_t order[TOKEN_KEYS];	/* numbers of the keys, the oldest first */
	struct key keys[TOKEN_KEYS];
};

/* The place of a kind in the table, or KINDS. */
static size_t kind_at(uint8_t kind)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if ((uint8_t)kinds[i].kind == kind)
			break;
	return i;
}

void token_ring_add(struct token_ring *ring, const uint8_t secret[TOKEN_SECRET], uint8_t id, int64_t since)
{
	struct key *key = &ring->keys[id % TOKEN_KEYS];
	uint8_t derived[SHA256_SIZE];
	char purpose[32];

	assert(id < TOKEN_KEYS && !key->set);
	for (size_t k = 0; k < KINDS; k++) {
		snprintf(purpose, sizeof(purpose), "nurtured token %c", (char)kinds[k].kind);
		digest_hmac(secret, TOKEN_SECRET, purpose, strlen(purpose), derived);
		digest_key_init(&key->of_kind[k], derived, sizeof(derived));
	}
	OPENSSL_cleanse(derived, sizeof(derived));
	key->since = since;
	ring->order[ring->count] = id;
	__atomic_store_n(&key->set, true, __ATOMIC_RELEASE);
	__atomic_store_n(&ring->count, ring->count + 1, __ATOMIC_RELEASE);
}

struct token_ring *token_ring_new(const uint8_t (*keys)[TOKEN_SECRET], const uint8_t *ids, size_t count)
{
	struct token_ring *ring = xcalloc(1, sizeof(*ring));

	assert(count > 0 && count <= TOKEN_KEYS);
	while (count-- > 0)
		token_ring_add(ring, keys[count], ids[count], INT64_MIN);
	return ring;
}

void token_ring_free(struct token_ring **ring)
{
	if (!*ring)
		return;
	OPENSSL_cleanse(*ring, sizeof(**ring));
	free(*ring);
	*ring = NULL;
}

static uint16_t day_of(int64_t us)
{
	int64_t day = us > EPOCH_US ? (us - EPOCH_US) / US_DAY : 0;

	return (uint16_t)(day > UINT16_MAX ? UINT16_MAX : day);
}

static void sign(const struct key *key, size_t kind, uint8_t raw[TOKEN_BYTES])
{
	uint8_t mac[SHA256_SIZE];

	digest_hmac_with(&key->of_kind[kind], raw, SIGNED_BYTES, mac);
	memcpy(raw + SIGNED_BYTES, mac, MAC_BYTES);
}

#define ONES UINT64_C(0x0101010101010101)

/* 40 bits as eight digits, all eight at once: five bits into each byte, then 'a' to 'z' and '2' to '7'. */
static void write_digits(uint64_t bits, char out[8])
{
	uint64_t from_26;

	bits = (bits & UINT64_C(0xfffff00000)) << 12 | (bits & 0xfffff);
	bits = (bits & UINT64_C(0xffc00000ffc00)) << 6 | (bits & UINT64_C(0x3ff000003ff));
	bits = (bits & UINT64_C(0x3e003e003e003e0)) << 3 | (bits & UINT64_C(0x1f001f001f001f));
	from_26 = (bits + ONES * (128 - 26)) >> 7 & ONES;
	bits = htobe64(bits + ONES * 'a' - from_26 * ('a' + 26 - '2'));
	memcpy(out, &bits, sizeof(bits));
}

/* 21 bytes as 34 characters, without the buffer that text_base32() would want: a mail has a dozen of them. */
static void write_base32(const uint8_t raw[TOKEN_BYTES], char out[TOKEN_TEXT])
{
	char last[8];
	int i;

	_Static_assert(TOKEN_BYTES == 4 * 5 + 1 && TOKEN_TEXT == 4 * 8 + 3, "as it is written here");
	for (i = 0; i < 4; i++, raw += 5)
		write_digits((uint64_t)raw[0] << 32 | (uint64_t)raw[1] << 24 | (uint64_t)raw[2] << 16 | (uint64_t)raw[3] << 8 | raw[4], out + 8 * i);
	write_digits((uint64_t)raw[0] << 32, last);
	memcpy(out + 32, last, 2);
	out[34] = '\0';
}

static uint8_t signing_at(const struct token_ring *ring, int64_t now)
{
	size_t i = __atomic_load_n(&ring->count, __ATOMIC_ACQUIRE) - 1;

	while (i > 0 && ring->keys[ring->order[i]].since > now)
		i--;
	return ring->order[i];
}

void token_make(const struct token_ring *ring, enum token_kind kind, int64_t id, uint8_t link, int64_t now_us,
		char out[TOKEN_TEXT])
{
	uint8_t signing = signing_at(ring, now_us);
	uint16_t day = day_of(now_us);
	uint64_t big = htobe64((uint64_t)id);
	uint8_t raw[TOKEN_BYTES];

	raw[0] = (uint8_t)(TOKEN_VERSION << 4 | signing);
	raw[1] = (uint8_t)kind;
	memcpy(raw + 2, &big, sizeof(big));
	raw[10] = (uint8_t)(day >> 8);
	raw[11] = (uint8_t)day;
	raw[12] = link;
	sign(&ring->keys[signing], kind_at((uint8_t)kind), raw);
	write_base32(raw, out);
}

/* Whether one of our keys made it; *kind_out is the place of its kind. */
static bool is_ours(const struct token_ring *ring, const uint8_t raw[TOKEN_BYTES], size_t *kind_out)
{
	const struct key *key = &ring->keys[raw[0] & (TOKEN_KEYS - 1)];
	uint8_t copy[TOKEN_BYTES];

	*kind_out = kind_at(raw[1]);
	if (raw[0] >> 4 != TOKEN_VERSION || !__atomic_load_n(&key->set, __ATOMIC_ACQUIRE) || *kind_out == KINDS)
		return false;
	memcpy(copy, raw, sizeof(copy));
	sign(key, *kind_out, copy);
	return digest_equal(copy + SIGNED_BYTES, raw + SIGNED_BYTES, MAC_BYTES);
}

int token_check(const struct token_ring *ring, enum token_kind kind, const char *s, size_t n, int64_t now_us,
		struct token *out, struct err *err)
{
	uint8_t raw[TOKEN_BYTES];
	uint64_t id = 0;
	size_t at, size, i;
	uint16_t day;

	if (n != TOKEN_TEXT - 1 || text_base32_decode(s, n, raw, sizeof(raw), &size) < 0 || !is_ours(ring, raw, &at))
		return err_set(err, "not ours");
	if (kinds[at].kind != kind)
		return err_set(err, "of another kind");
	day = (uint16_t)(raw[10] << 8 | raw[11]);
	for (i = 0; i < 8; i++)
		id = id << 8 | raw[2 + i];
	*out = (struct token){ .kind = kind, .id = (int64_t)id, .day = day, .link = raw[12] };
	return kinds[at].days && day_of(now_us) > day + kinds[at].days ? err_set(err, "expired") : 0;
}
