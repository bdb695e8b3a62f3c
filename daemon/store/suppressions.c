/*
 * suppressions.c: who must not be mailed, as keyed hashes of their addresses: they survive erasure and
 * tell nothing without the key.
 */
#include <string.h>

#include "base/random.h"

#include "inside.h"

#define KEY_NAME "suppression_key"

int suppressions_key(struct db *db, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct slice key;
	int got = settings_get(db, KEY_NAME, arena, &key, err);

	if (got == 1 && key.len != sizeof(db->suppression_key)) {
		got = err_set(err, "the suppression key is damaged");
	} else if (got == 1) {
		memcpy(db->suppression_key, key.data, key.len);
	} else if (got == 0 && db->reader) {
		got = err_set(err, "there is no suppression key");
	} else if (got == 0) {
		random_secret(db->suppression_key, sizeof(db->suppression_key));
		got = settings_set(db, KEY_NAME, db->suppression_key, sizeof(db->suppression_key), err);
	}
	arena_free(&arena);
	if (got >= 0)
		digest_key_init(&db->suppression_signer, db->suppression_key, sizeof(db->suppression_key));
	return got < 0 ? -1 : 0;
}

void suppressions_hash(struct db *db, const char *address_key, uint8_t out[32])
{
	digest_hmac_with(&db->suppression_signer, address_key, strlen(address_key), out);
}

STATEMENT(add, BUCKETED,
	"INSERT INTO suppression (bucket, hash, reason, at, source)"
	" VALUES (?1, ?2, ?3, ?4, ?5)"
	" ON CONFLICT (bucket, hash) DO NOTHING");

int suppressions_add(struct db *db, const struct suppression *s, struct err *err)
{
	struct query *q = db_query(db, &sql_add);

	query_int(q, 1, s->bucket);
	query_blob(q, 2, s->hash, SHA256_SIZE);
	query_text(q, 3, s->reason);
	query_int(q, 4, s->at);
	query_text(q, 5, rows_or_empty(s->source));
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT bucket, hash, reason, at, source FROM suppression"
	" WHERE bucket = ?1 AND hash = ?2");

static void read_suppression(struct query *q, struct arena *arena, void *row)
{
	struct suppression *s = row;
	struct slice hash = query_get_blob(q, 1);
	uint8_t *copy = arena_alloc(arena, SHA256_SIZE);

	memcpy(copy, hash.data, hash.len < SHA256_SIZE ? hash.len : SHA256_SIZE);
	s->bucket = (uint16_t)query_get_int(q, 0);
	s->hash = copy;
	s->reason = rows_text(q, 2, arena);
	s->at = query_get_int(q, 3);
	s->source = rows_text(q, 4, arena);
}

int suppressions_find(struct db *db, const char *address_key, struct arena *arena, struct suppression *out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_find);
	uint8_t hash[SHA256_SIZE];

	suppressions_hash(db, address_key, hash);
	query_int(q, 1, address_bucket(address_key));
	query_blob(q, 2, hash, sizeof(hash));
	return rows_one(q, read_suppression, arena, out, err);
}

STATEMENT(remove, BUCKETED,
	"DELETE FROM suppression"
	" WHERE bucket = ?1 AND hash = ?2");

int suppressions_remove(struct db *db, const char *address_key, struct err *err)
{
	struct query *q = db_query(db, &sql_remove);
	uint8_t hash[SHA256_SIZE];

	suppressions_hash(db, address_key, hash);
	query_int(q, 1, address_bucket(address_key));
	query_blob(q, 2, hash, sizeof(hash));
	return query_run(q, err);
}
