/*
 * keys.c: see keys.h. In the store stand two settings: the keys, each its number and its secret, and the times, in the same order. The first key has
 * no time: databases of before there were two do not know it.
 */
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "decide/keys.h"
#include "store/rows.h"

#define RECORD (1 + TOKEN_SECRET)

static void put_time(uint8_t out[8], int64_t us)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)us >> (56 - 8 * i));
}

static int64_t get_time(const char *s)
{
	uint64_t us = 0;

	for (int i = 0; i < 8; i++)
		us = us << 8 | (uint8_t)s[i];
	return (int64_t)us;
}

static int save(struct db *db, const struct token_keys *keys, struct err *err)
{
	uint8_t secrets[TOKEN_KEYS * RECORD], times[TOKEN_KEYS * 8];
	int rc;

	for (size_t i = 0; i < keys->count; i++) {
		secrets[i * RECORD] = keys->ids[i];
		memcpy(secrets + i * RECORD + 1, keys->secrets[i], TOKEN_SECRET);
		put_time(times + i * 8, keys->since[i]);
	}
	rc = settings_set(db, "token_keys", secrets, keys->count * RECORD, err) ||
		settings_set(db, "token_keys_since", times, keys->count * 8, err) ? -1 : 0;
	explicit_bzero(secrets, sizeof(secrets));
	return rc;
}

static int read_all(struct db *db, struct arena *arena, struct token_keys *out, struct err *err)
{
	struct slice secrets = { 0 }, times = { 0 };
	int found = settings_get(db, "token_keys", arena, &secrets, err);

	if (found <= 0)
		return found;
	if (settings_get(db, "token_keys_since", arena, &times, err) < 0)
		return -1;
	out->count = secrets.len / RECORD;
	if (!out->count || out->count > TOKEN_KEYS)
		return err_set(err, "the keys of the tokens are damaged");
	for (size_t i = 0; i < out->count; i++) {
		out->ids[i] = (uint8_t)secrets.data[i * RECORD] % TOKEN_KEYS;
		memcpy(out->secrets[i], secrets.data + i * RECORD + 1, TOKEN_SECRET);
		if (times.len == out->count * 8)
			out->since[i] = get_time(times.data + i * 8);
	}
	return 1;
}

int keys_load(struct db *db, struct token_keys *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	int found;

	*out = (struct token_keys){ 0 };
	found = read_all(db, arena, out, err);
	arena_free(&arena);
	if (found)
		return found < 0 ? -1 : 0;
	random_secret(out->secrets[0], TOKEN_SECRET);
	out->count = 1;
	return save(db, out, err);
}

static uint8_t free_id(const struct token_keys *keys)
{
	bool used[TOKEN_KEYS] = { false };
	uint8_t id = 0;

	for (size_t i = 0; i < keys->count; i++)
		used[keys->ids[i]] = true;
	while (used[id])
		id++;
	return id;
}

int on_key_rotate(struct db *db, int64_t at, struct token_keys *out, bool *full, struct err *err)
{
	uint8_t id;

	if (keys_load(db, out, err) < 0)
		return -1;
	*full = out->count == TOKEN_KEYS;
	if (*full)
		return 0;
	id = free_id(out);
	memmove(out->secrets[1], out->secrets[0], out->count * TOKEN_SECRET);
	memmove(out->ids + 1, out->ids, out->count);
	memmove(out->since + 1, out->since, out->count * sizeof(out->since[0]));
	random_secret(out->secrets[0], TOKEN_SECRET);
	out->ids[0] = id;
	out->since[0] = at;
	out->count++;
	return save(db, out, err);
}

struct token_ring *keys_ring(const struct token_keys *keys)
{
	size_t i = keys->count - 1;
	struct token_ring *ring = token_ring_new((const uint8_t (*)[TOKEN_SECRET])&keys->secrets[i], &keys->ids[i], 1);

	while (i-- > 0)
		token_ring_add(ring, keys->secrets[i], keys->ids[i], keys->since[i]);
	return ring;
}
