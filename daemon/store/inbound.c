/*
 * inbound.c: mails that came in. A mail is known again by the hash of its bytes, kept in the hash's own
 * bucket: it is taken before anybody knows whose it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/mem.h"

#include "inside.h"

STATEMENT(know, BUCKETED,
	"INSERT INTO inbound_hash (bucket, hash, inbound)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (bucket, hash) DO NOTHING");

STATEMENT(insert, BUCKETED,
	"INSERT INTO inbound (bucket, id, mailbox, received, class, prospect, delivery, summary, bytes)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

STATEMENT(keep_raw, BUCKETED,
	"INSERT INTO inbound_raw (bucket, received, inbound, raw)"
	" VALUES (?1, ?2, ?3, ?4)");

static int insert(struct db *db, const struct inbound *in, struct err *err)
{
	struct query *q = db_query(db, &sql_insert);

	query_int(q, 1, id_bucket(in->id));
	query_int(q, 2, in->id);
	query_text(q, 3, rows_or_empty(in->mailbox));
	query_int(q, 4, in->received);
	query_text(q, 5, rows_or_empty(in->class));
	query_int(q, 6, in->prospect);
	query_int(q, 7, in->delivery);
	query_text(q, 8, in->summary && *in->summary ? in->summary : "{}");
	query_int(q, 9, (int64_t)in->size);
	if (query_run(q, err) < 0)
		return -1;
	if (!in->raw)
		return 0;
	q = db_query(db, &sql_keep_raw);
	query_int(q, 1, id_bucket(in->id));
	query_int(q, 2, in->received);
	query_int(q, 3, in->id);
	query_blob(q, 4, in->raw, in->raw_len);
	return query_run(q, err) < 0 ? -1 : 0;
}

int inbound_take(struct db *db, const struct inbound *in, struct err *err)
{
	struct query *q = db_query(db, &sql_know);
	int fresh;

	/* its first ten bits, as with addresses */
	query_int(q, 1, in->sha256[0] << 2 | in->sha256[1] >> 6);
	query_blob(q, 2, in->sha256, SHA256_SIZE);
	query_int(q, 3, in->id);
	fresh = query_run(q, err);
	if (fresh != 1)
		return fresh;
	return insert(db, in, err) < 0 ? -1 : 1;
}

STATEMENT(prune, BUCKETED,
	"DELETE FROM inbound_raw"
	" WHERE bucket = ?1 AND received < ?2");

STATEMENT(weigh, BUCKETED,
	"SELECT received, LENGTH(raw) FROM inbound_raw"
	" WHERE bucket = ?1 AND received >= ?2");

struct kept {
	int64_t received, bytes;
};

static int oldest_first(const void *a, const void *b)
{
	int64_t x = ((const struct kept *)a)->received, y = ((const struct kept *)b)->received;

	return x < y ? -1 : x > y;
}

static int weigh(struct db *db, int64_t since, struct kept **out, size_t *count_out, struct err *err)
{
	size_t cap = 0;
	int got = 0;

	for (int bucket = 0; bucket < BUCKETS && got >= 0; bucket++) {
		struct query *q = db_query(db, &sql_weigh);

		query_int(q, 1, bucket);
		query_int(q, 2, since);
		while ((got = query_row(q, err)) == 1) {
			*out = xgrow(*out, &cap, *count_out + 1, sizeof(**out));
			(*out)[(*count_out)++] = (struct kept){ query_get_int(q, 0), query_get_int(q, 1) };
		}
		query_done(q);
	}
	return got < 0 ? -1 : 0;
}

/* Moves `before` forward until what is left weighs no more than that. */
static int fit(struct db *db, int64_t *before, int64_t most, struct err *err)
{
	struct kept *all = NULL;
	size_t count = 0;
	int64_t sum = 0;
	int rc = weigh(db, *before, &all, &count, err);

	if (count)
		qsort(all, count, sizeof(*all), oldest_first);
	for (size_t i = 0; i < count; i++)
		sum += all[i].bytes;
	for (size_t i = 0; i < count && sum > most; i++) {
		sum -= all[i].bytes;
		*before = all[i].received + 1;
	}
	free(all);
	return rc;
}

int inbound_prune(struct db *db, int64_t before, int64_t most, struct err *err)
{
	if (fit(db, &before, most, err) < 0)
		return -1;
	for (int bucket = 0; bucket < BUCKETS; bucket++) {
		struct query *q = db_query(db, &sql_prune);

		query_int(q, 1, bucket);
		query_int(q, 2, before);
		if (query_run(q, err) < 0)
			return -1;
	}
	return 0;
}

/* --- looked at ------------------------------------------------------------------------------------------ */

STATEMENT(newest, BUCKETED,
	"SELECT id FROM inbound"
	" WHERE bucket = ?1 ORDER BY id DESC LIMIT ?2");

STATEMENT(find, BUCKETED,
	"SELECT mailbox, received, class, prospect, delivery, summary, bytes FROM inbound"
	" WHERE bucket = ?1 AND id = ?2");

STATEMENT(find_raw, BUCKETED,
	"SELECT raw FROM inbound_raw"
	" WHERE bucket = ?1 AND received = ?2 AND inbound = ?3");

static int find_row(struct db *db, int64_t id, struct arena *arena, struct inbound *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);
	int got;

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	got = query_row(q, err);
	if (got == 1)
		*out = (struct inbound){
			.id = id,
			.mailbox = arena_strdup(arena, query_get_text(q, 0)),
			.received = query_get_int(q, 1),
			.class = arena_strdup(arena, query_get_text(q, 2)),
			.prospect = query_get_int(q, 3),
			.delivery = query_get_int(q, 4),
			.summary = arena_strdup(arena, query_get_text(q, 5)),
			.size = (size_t)query_get_int(q, 6),
		};
	query_done(q);
	return got;
}

int inbound_find(struct db *db, int64_t id, struct arena *arena, struct inbound *out, struct err *err)
{
	int got = find_row(db, id, arena, out, err);
	struct slice raw;
	struct query *q;

	if (got != 1)
		return got;
	q = db_query(db, &sql_find_raw);
	query_int(q, 1, id_bucket(id));
	query_int(q, 2, out->received);
	query_int(q, 3, id);
	got = query_row(q, err);
	if (got == 1) {
		raw = query_get_blob(q, 0);
		out->raw = memcpy(arena_alloc(arena, raw.len + 1), raw.data, raw.len);
		out->raw_len = raw.len;
	}
	query_done(q);
	return got < 0 ? -1 : 1;
}

static int newest_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The ids of each bucket's newest, in no order. */
static int collect_newest(struct db *db, size_t max, int64_t **ids, size_t *count, struct err *err)
{
	size_t cap = 0;
	int got = 0;

	for (int bucket = 0; bucket < BUCKETS && got >= 0; bucket++) {
		struct query *q = db_query(db, &sql_newest);

		query_int(q, 1, bucket);
		query_int(q, 2, (int64_t)max);
		while ((got = query_row(q, err)) == 1) {
			*ids = xgrow(*ids, &cap, *count + 1, sizeof(**ids));
			(*ids)[(*count)++] = query_get_int(q, 0);
		}
		query_done(q);
	}
	return got < 0 ? -1 : 0;
}

int inbound_latest(struct db *db, size_t max, struct arena *arena, struct inbound **out, size_t *count_out, struct err *err)
{
	int64_t *ids = NULL;
	size_t count = 0, found = 0;
	int rc = collect_newest(db, max, &ids, &count, err);

	if (count)
		qsort(ids, count, sizeof(*ids), newest_first);
	if (count > max)
		count = max;
	*out = arena_calloc(arena, count + 1, sizeof(**out));
	for (size_t i = 0; i < count && rc >= 0; i++) {
		rc = find_row(db, ids[i], arena, &(*out)[found], err);
		found += rc == 1;
	}
	free(ids);
	*count_out = found;
	return rc < 0 ? -1 : 0;
}

/* --- read again ------------------------------------------------------------------------------------------- */

STATEMENT(kept, BUCKETED,
	"SELECT inbound, received FROM inbound_raw"
	" WHERE bucket = ?1 AND received >= ?2"
	" AND (?3 = '' OR inbound IN (SELECT id FROM inbound WHERE bucket = ?1 AND class = ?3))");

STATEMENT(reread, BUCKETED,
	"UPDATE inbound SET class = ?3, prospect = ?4, delivery = ?5, summary = ?6"
	" WHERE bucket = ?1 AND id = ?2");

struct found {
	int64_t received, id;
};

static int older_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->received < y->received ? -1 : x->received > y->received;
}

int inbound_kept(struct db *db, int64_t since, const char *class, int64_t **ids, size_t *count_out, struct err *err)
{
	struct found *all = NULL;
	size_t count = 0, cap = 0;
	int got = 0;

	for (int bucket = 0; bucket < BUCKETS && got >= 0; bucket++) {
		struct query *q = db_query(db, &sql_kept);

		query_int(q, 1, bucket);
		query_int(q, 2, since);
		query_text(q, 3, class);
		while ((got = query_row(q, err)) == 1) {
			all = xgrow(all, &cap, count + 1, sizeof(*all));
			all[count++] = (struct found){ .id = query_get_int(q, 0), .received = query_get_int(q, 1) };
		}
		query_done(q);
	}
	if (count)
		qsort(all, count, sizeof(*all), older_first);
	*ids = xcalloc(count + 1, sizeof(**ids));
	for (size_t i = 0; i < count; i++)
		(*ids)[i] = all[i].id;
	*count_out = count;
	free(all);
	return got < 0 ? -1 : 0;
}

int inbound_reread(struct db *db, const struct inbound *in, struct err *err)
{
	struct query *q = db_query(db, &sql_reread);

	query_int(q, 1, id_bucket(in->id));
	query_int(q, 2, in->id);
	query_text(q, 3, in->class);
	query_int(q, 4, in->prospect);
	query_int(q, 5, in->delivery);
	query_text(q, 6, in->summary);
	return query_run(q, err) < 0 ? -1 : 0;
}
