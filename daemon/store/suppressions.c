/*
 * suppressions.c: who must not be mailed, as keyed hashes of their addresses: they survive erasure and
 * tell nothing without the key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

#include "inside.h"

#define KEY_NAME "suppression_key"
#define PAGE_BUCKETS 16

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

	marks_address(db, s->bucket);
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
	s->address_key = NULL;
}

int suppressions_find_hash(struct db *db, uint16_t bucket, const uint8_t hash[SHA256_SIZE], struct arena *arena, struct suppression *out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, bucket);
	query_blob(q, 2, hash, SHA256_SIZE);
	return rows_one(q, read_suppression, arena, out, err);
}

int suppressions_find_in(struct db *db, uint16_t bucket, const char *address_key, struct arena *arena, struct suppression *out,
		struct err *err)
{
	uint8_t hash[SHA256_SIZE];

	suppressions_hash(db, address_key, hash);
	return suppressions_find_hash(db, bucket, hash, arena, out, err);
}

int suppressions_find(struct db *db, const char *address_key, struct arena *arena, struct suppression *out,
		struct err *err)
{
	return suppressions_find_in(db, address_bucket(address_key), address_key, arena, out, err);
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

/* --- as text -------------------------------------------------------------------------------------------- */

/* Which key: the beginning of what it makes of no address at all. */
static void print_key(struct db *db, char out[9])
{
	uint8_t hash[SHA256_SIZE];

	suppressions_hash(db, "", hash);
	snprintf(out, 9, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
}

const char *suppressions_text(struct db *db, const struct suppression *s, char out[SUPPRESSION_TEXT])
{
	char key[9];
	size_t i, at;

	print_key(db, key);
	at = (size_t)snprintf(out, SUPPRESSION_TEXT, "%s-%03x-", key, (unsigned)s->bucket & 0xfffu);
	for (i = 0; i < SHA256_SIZE; i++)
		snprintf(out + at + 2 * i, 3, "%02x", s->hash[i]);
	return out;
}

int suppressions_parse(struct db *db, const char *text, uint16_t *bucket_out, uint8_t hash_out[SHA256_SIZE], struct err *err)
{
	struct buf hash = BUF_INIT;
	char key[9];
	unsigned bucket = 0;
	int rc = -1;

	print_key(db, key);
	if (strlen(text) != SUPPRESSION_TEXT - 1 || text[8] != '-' || text[12] != '-' || strspn(text + 9, "0123456789abcdef") != 3 ||
			sscanf(text + 9, "%3x", &bucket) != 1 || bucket >= BUCKETS || text_hex_decode(text + 13, 2 * SHA256_SIZE, &hash) < 0)
		rc = err_set(err, "the hash is none that `suppression export` wrote");
	else if (strncmp(text, key, 8) != 0)
		rc = err_set(err, "the hash was made with another key: by another installation");
	else
		rc = 0;
	if (rc == 0) {
		memcpy(hash_out, hash.data, SHA256_SIZE);
		*bucket_out = (uint16_t)bucket;
	}
	buf_clear(&hash);
	return rc;
}

/* --- all of them ---------------------------------------------------------------------------------------- */

STATEMENT(page, BUCKETED,
	"SELECT bucket, hash, reason, at, source FROM suppression"
	" WHERE bucket = ?1 AND hash > ?2"
	" ORDER BY hash"
	" LIMIT ?3");

STATEMENT(addresses, BUCKETED,
	"SELECT address_key FROM address"
	" WHERE bucket = ?1");

static int compare_hash(const void *hash, const void *row)
{
	return memcmp(hash, ((const struct suppression *)row)->hash, SHA256_SIZE);
}

/* Whose they are: each address of the bucket is hashed and looked for among the rows. */
static int name_rows(struct db *db, uint16_t bucket, struct suppression *rows, size_t count, struct arena *arena, struct err *err)
{
	struct query *q = db_query(db, &sql_addresses);
	int got;

	query_int(q, 1, bucket);
	while ((got = query_row(q, err)) == 1) {
		uint8_t hash[SHA256_SIZE];
		struct suppression *row;

		suppressions_hash(db, query_get_text(q, 0), hash);
		row = bsearch(hash, rows, count, sizeof(*rows), compare_hash);
		if (row)
			row->address_key = arena_strdup(arena, query_get_text(q, 0));
	}
	query_done(q);
	return got;
}

int suppressions_page(struct db *db, uint16_t bucket, const uint8_t *hash, size_t max, struct arena *arena, struct suppression **out,
		size_t *count_out, int *next_out, struct err *err)
{
	struct suppression *all = arena_calloc(arena, max, sizeof(*all));
	size_t count = 0, got = 0;
	int buckets;

	for (buckets = 0; buckets < PAGE_BUCKETS && count < max && bucket < BUCKETS; buckets++, bucket++, hash = NULL) {
		struct query *q = db_query(db, &sql_page);
		void *rows;

		query_int(q, 1, bucket);
		query_blob(q, 2, hash ? hash : (const uint8_t *)"", hash ? SHA256_SIZE : 0);
		query_int(q, 3, (int64_t)(max - count));
		if (rows_collect(q, sizeof(*all), read_suppression, arena, &rows, &got, err) < 0 ||
				(got && name_rows(db, bucket, rows, got, arena, err) < 0))
			return -1;
		if (got)
			memcpy(all + count, rows, got * sizeof(*all));
		count += got;
	}
	*out = all;
	*count_out = count;
	*next_out = count == max ? bucket - 1 : bucket;
	return 0;
}
