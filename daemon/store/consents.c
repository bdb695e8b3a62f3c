/*
 * consents.c: who agreed to what, in which words. Append-only; in each bucket the rows form a chain.
 *
 * A row's digest is SHA-256 over its salt and its columns; its chain value is SHA-256 over the chain
 * value of the row before and that digest; consent_tip has the last. Erasure blanks a row and its salt
 * and keeps digest and chain: the rest still verifies, and without the salt nobody can guess what the
 * row said. A change, a swap, a gap and a missing end are found; a chain that was forged as a whole
 * shows only against a copy.
 */
#include <assert.h>
#include <string.h>

#include "base/id.h"
#include "base/random.h"

#include "inside.h"

#define SALT_SIZE 16
#define COLUMNS "id, prospect, what, purpose, words, form, page, ip, agent, data, at, ref, basis, version, until_us, actor"

const char *const consent_kinds[CONSENT_KINDS + 1] = {
	"requested", "granted", "confirmed", "implied", "withdrawn", "objected", "complained", "changed", "asked", "erased", NULL
};

/* CONSENT_KINDS: none. */
static size_t kind_of(const char *what)
{
	size_t i = 0;

	while (consent_kinds[i] && (!what || strcmp(consent_kinds[i], what) != 0))
		i++;
	return i;
}

static void read_consent(struct query *q, struct arena *arena, void *row)
{
	struct consent *c = row;

	c->id = query_get_int(q, 0);
	c->prospect = query_get_int(q, 1);
	c->what = rows_text(q, 2, arena);
	c->purpose = rows_text(q, 3, arena);
	c->words = rows_text(q, 4, arena);
	c->form = rows_text(q, 5, arena);
	c->page = rows_text(q, 6, arena);
	c->ip = rows_text(q, 7, arena);
	c->agent = rows_text(q, 8, arena);
	c->data = rows_text(q, 9, arena);
	c->at = query_get_int(q, 10);
	c->ref = query_get_int(q, 11);
	c->basis = rows_text(q, 12, arena);
	c->version = rows_text(q, 13, arena);
	c->until = query_get_int(q, 14);
	c->actor = rows_text(q, 15, arena);
}

/* --- digests -------------------------------------------------------------------------------------------- */

static void add_number(struct buf *b, int64_t v)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_char(b, (char)((uint64_t)v >> shift & 0xff));
}

/* With its length, so that "ab","c" and "a","bc" differ. */
static void add_bytes(struct buf *b, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	add_number(b, (int64_t)len);
	buf_add(b, s ? s : "", len);
}

static bool has_grounds(const struct consent *c)
{
	return (c->basis && *c->basis) || (c->version && *c->version) || c->until || (c->actor && *c->actor);
}

static void row_digest(const struct consent *c, const uint8_t *salt, size_t salt_len,
		uint8_t out[SHA256_SIZE])
{
	struct buf b = BUF_INIT;

	buf_add(&b, salt, salt_len);
	add_number(&b, c->id);
	add_number(&b, c->prospect);
	add_bytes(&b, c->what);
	add_bytes(&b, c->purpose);
	add_bytes(&b, c->words);
	add_bytes(&b, c->form);
	add_bytes(&b, c->page);
	add_bytes(&b, c->ip);
	add_bytes(&b, c->agent);
	add_bytes(&b, c->data);
	add_number(&b, c->at);
	add_number(&b, c->ref);
	/* rows from before there were these have none of them, and digests without them */
	if (has_grounds(c)) {
		add_bytes(&b, c->basis);
		add_bytes(&b, c->version);
		add_number(&b, c->until);
		add_bytes(&b, c->actor);
	}
	digest_sha256(b.data, b.len, out);
	buf_clear(&b);
}

/* chain: in, that of the row before; out, that of the row with this digest. */
static void extend_chain(uint8_t chain[SHA256_SIZE], const uint8_t digest[SHA256_SIZE])
{
	uint8_t both[2 * SHA256_SIZE];

	memcpy(both, chain, SHA256_SIZE);
	memcpy(both + SHA256_SIZE, digest, SHA256_SIZE);
	digest_sha256(both, sizeof(both), chain);
}

/* --- adding --------------------------------------------------------------------------------------------- */

STATEMENT(tip, BUCKETED,
	"SELECT place, chain FROM consent_tip"
	" WHERE bucket = ?1");

/* The end of the chain; place 0 and zeros when there is none. */
static int find_tip(struct db *db, uint16_t bucket, int64_t *place_out, uint8_t chain[SHA256_SIZE],
		struct err *err)
{
	struct query *q = db_query(db, &sql_tip);
	int got;

	*place_out = 0;
	memset(chain, 0, SHA256_SIZE);
	query_int(q, 1, bucket);
	got = query_row(q, err);
	if (got == 1) {
		struct slice s = query_get_blob(q, 1);

		*place_out = query_get_int(q, 0);
		memcpy(chain, s.data, s.len < SHA256_SIZE ? s.len : SHA256_SIZE);
	}
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(move_tip, BUCKETED,
	"INSERT INTO consent_tip (bucket, place, chain)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (bucket) DO UPDATE"
	"  SET place = excluded.place, chain = excluded.chain");

static int move_tip(struct db *db, uint16_t bucket, int64_t place, const uint8_t chain[SHA256_SIZE],
		struct err *err)
{
	struct query *q = db_query(db, &sql_move_tip);

	query_int(q, 1, bucket);
	query_int(q, 2, place);
	query_blob(q, 3, chain, SHA256_SIZE);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(add, BUCKETED,
	"INSERT INTO consent (bucket, place, id, prospect, what, purpose, words, form, page, ip, agent, data,"
	"  at, ref, salt, digest, chain,"
	"  basis, version, until_us, actor)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
	"  ?13, ?14, ?15, ?16, ?17,"
	"  ?18, ?19, ?20, ?21)");

int consents_add(struct db *db, const struct consent *c, struct err *err)
{
	uint8_t salt[SALT_SIZE], digest[SHA256_SIZE], chain[SHA256_SIZE];
	uint16_t bucket = id_bucket(c->id);
	struct query *q;
	int64_t place;

	assert(kind_of(c->what) < CONSENT_KINDS);
	if (find_tip(db, bucket, &place, chain, err) < 0)
		return -1;
	random_secret(salt, sizeof(salt));
	row_digest(c, salt, sizeof(salt), digest);
	extend_chain(chain, digest);
	q = db_query(db, &sql_add);
	query_int(q, 1, bucket);
	query_int(q, 2, place + 1);
	query_int(q, 3, c->id);
	query_int(q, 4, c->prospect);
	query_text(q, 5, rows_or_empty(c->what));
	query_text(q, 6, rows_or_empty(c->purpose));
	query_text(q, 7, rows_or_empty(c->words));
	query_text(q, 8, rows_or_empty(c->form));
	query_text(q, 9, rows_or_empty(c->page));
	query_text(q, 10, rows_or_empty(c->ip));
	query_text(q, 11, rows_or_empty(c->agent));
	query_text(q, 12, rows_or_empty(c->data));
	query_int(q, 13, c->at);
	query_int(q, 14, c->ref);
	query_blob(q, 15, salt, sizeof(salt));
	query_blob(q, 16, digest, sizeof(digest));
	query_blob(q, 17, chain, sizeof(chain));
	query_text(q, 18, rows_or_empty(c->basis));
	query_text(q, 19, rows_or_empty(c->version));
	query_int(q, 20, c->until);
	query_text(q, 21, rows_or_empty(c->actor));
	return query_run(q, err) < 0 ? -1 : move_tip(db, bucket, place + 1, chain, err);
}

/* --- finding -------------------------------------------------------------------------------------------- */

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM consent"
	" WHERE bucket = ?1 AND id = ?2");

int consents_find(struct db *db, int64_t id, struct arena *arena, struct consent *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_consent, arena, out, err);
}

STATEMENT(of, BUCKETED,
	"SELECT " COLUMNS " FROM consent"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY place");

int consents_of(struct db *db, int64_t prospect, struct arena *arena, struct consent **out, size_t *count_out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_of);
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	if (rows_collect(q, sizeof(struct consent), read_consent, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

/* --- verifying ------------------------------------------------------------------------------------------ */

STATEMENT(chain, BUCKETED,
	"SELECT " COLUMNS ", place, salt, digest, chain FROM consent"
	" WHERE bucket = ?1"
	" ORDER BY place");

static bool holds(struct slice s, const uint8_t digest[SHA256_SIZE])
{
	return s.len == SHA256_SIZE && memcmp(s.data, digest, SHA256_SIZE) == 0;
}

/* One row against the place and the chain value that the one before leads to. */
static int verify_row(struct query *q, struct arena *arena, int64_t place, uint8_t chain[SHA256_SIZE],
		int64_t counts[CONSENT_KINDS], struct err *err)
{
	struct slice salt = query_get_blob(q, 17), digest;
	uint8_t computed[SHA256_SIZE];
	struct consent c;
	char id[ID_TEXT];

	read_consent(q, arena, &c);
	id_text("con", c.id, id);
	if (query_get_int(q, 16) != place)
		return err_set(err, "%s: rows are missing before it", id);
	/* an erased row has neither salt nor words; its digest stands for what it was */
	row_digest(&c, (const uint8_t *)salt.data, salt.len, computed);
	digest = query_get_blob(q, 18);
	if (digest.len != SHA256_SIZE || (salt.len && !holds(digest, computed)))
		return err_set(err, "%s: the row was changed", id);
	memcpy(computed, digest.data, SHA256_SIZE);
	extend_chain(chain, computed);
	if (!holds(query_get_blob(q, 19), chain))
		return err_set(err, "%s: the chain is broken here", id);
	if (kind_of(c.what) == CONSENT_KINDS)
		return err_set(err, "%s: there is no such thing as `%.40s` in the ledger", id, c.what);
	counts[kind_of(c.what)]++;
	return 0;
}

static int verify_rows(struct db *db, uint16_t bucket, int64_t *place_out, uint8_t chain[SHA256_SIZE],
		int64_t counts[CONSENT_KINDS], struct err *err)
{
	struct query *q = db_query(db, &sql_chain);
	struct arena *arena = arena_new(0);
	int64_t place = 0;
	int got;

	query_int(q, 1, bucket);
	while ((got = query_row(q, err)) == 1) {
		arena_reset(arena);
		if (verify_row(q, arena, ++place, chain, counts, err) < 0) {
			got = -1;
			break;
		}
	}
	query_done(q);
	arena_free(&arena);
	*place_out = place;
	return got;
}

int consents_verify(struct db *db, uint16_t bucket, int64_t counts[CONSENT_KINDS], struct err *err)
{
	uint8_t chain[SHA256_SIZE] = { 0 }, tip[SHA256_SIZE];
	int64_t place, last;

	if (verify_rows(db, bucket, &place, chain, counts, err) < 0 || find_tip(db, bucket, &last, tip, err) < 0)
		return -1;
	if (place < last)
		return err_set(err, "bucket %u: the last %lld consents are missing", bucket,
				(long long)(last - place));
	if (place > last || memcmp(chain, tip, SHA256_SIZE) != 0)
		return err_set(err, "bucket %u: the end of the chain was changed", bucket);
	return 0;
}
