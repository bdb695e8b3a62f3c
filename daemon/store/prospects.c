/*
 * prospects.c: people, and the addresses that name them. See rows.h.
 */
#include "base/id.h"

#include "inside.h"

#define COLUMNS \
	"id, address, address_key, fields, stage, list, form, language, timezone, consent, fit, interest," \
	"  interest_at," \
	" intent, intent_at, hot, hot_at, recheck, recheck_rule, recheck_id, created, changed, tags, moved_list, moved_until," \
	"  consent_at, consent_until, topics, paused_until, own_count, own_within"

static void read_prospect(struct query *q, struct arena *arena, void *row)
{
	struct prospect *p = row;

	p->id = query_get_int(q, 0);
	p->address = rows_text(q, 1, arena);
	p->key = rows_text(q, 2, arena);
	p->fields = rows_text(q, 3, arena);
	p->stage = rows_text(q, 4, arena);
	p->list = rows_text(q, 5, arena);
	p->form = rows_text(q, 6, arena);
	p->language = rows_text(q, 7, arena);
	p->timezone = rows_text(q, 8, arena);
	p->consent = (enum consent_state)query_get_int(q, 9);
	p->fit = query_get_real(q, 10);
	p->interest = query_get_real(q, 11);
	p->interest_at = query_get_int(q, 12);
	p->intent = rows_text(q, 13, arena);
	p->intent_at = query_get_int(q, 14);
	p->hot = query_get_int(q, 15) != 0;
	p->hot_at = query_get_int(q, 16);
	p->recheck = query_get_int(q, 17);
	p->recheck_rule = (int)query_get_int(q, 18);
	p->recheck_id = query_get_int(q, 19);
	p->created = query_get_int(q, 20);
	p->changed = query_get_int(q, 21);
	p->tags = rows_text(q, 22, arena);
	p->moved_list = rows_text(q, 23, arena);
	p->moved_until = query_get_int(q, 24);
	p->consent_at = query_get_int(q, 25);
	p->consent_until = query_get_int(q, 26);
	p->topics = rows_text(q, 27, arena);
	p->paused_until = query_get_int(q, 28);
	p->own_limit.count = query_get_int(q, 29);
	p->own_limit.within = query_get_int(q, 30);
}

/* Parameters 3 to 29 of both statements that write. */
static void bind_changing(struct query *q, const struct prospect *p)
{
	query_text(q, 3, rows_or_empty(p->fields));
	query_text(q, 4, rows_or_empty(p->stage));
	query_text(q, 5, rows_or_empty(p->list));
	query_text(q, 6, rows_or_empty(p->form));
	query_text(q, 7, rows_or_empty(p->language));
	query_text(q, 8, rows_or_empty(p->timezone));
	query_int(q, 9, p->consent);
	query_real(q, 10, p->fit);
	query_real(q, 11, p->interest);
	query_int(q, 12, p->interest_at);
	query_text(q, 13, rows_or_empty(p->intent));
	query_int(q, 14, p->intent_at);
	query_int(q, 15, p->hot);
	query_int(q, 16, p->hot_at);
	query_int(q, 17, p->recheck);
	query_int(q, 18, p->recheck_rule);
	query_int(q, 19, p->recheck_id);
	query_int(q, 20, p->changed);
	query_text(q, 21, rows_or_empty(p->tags));
	query_text(q, 22, rows_or_empty(p->moved_list));
	query_int(q, 23, p->moved_until);
	query_int(q, 24, p->consent_at);
	query_int(q, 25, p->consent_until);
	query_text(q, 26, rows_or_empty(p->topics));
	query_int(q, 27, p->paused_until);
	query_int(q, 28, p->own_limit.count);
	query_int(q, 29, p->own_limit.within);
}

STATEMENT(insert, BUCKETED,
	"INSERT INTO prospect (bucket, id,"
	"  fields, stage, list, form, language, timezone, consent, fit, interest, interest_at,"
	"  intent, intent_at, hot, hot_at, recheck, recheck_rule, recheck_id, changed,"
	"  tags, moved_list, moved_until, consent_at, consent_until, topics, paused_until, own_count, own_within,"
	"  address, address_key, created)"
	" VALUES (?1, ?2,"
	"  ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
	"  ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,"
	"  ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29,"
	"  ?30, ?31, ?32)");

STATEMENT(insert_address, BUCKETED,
	"INSERT INTO address (bucket, address_key, prospect)"
	" VALUES (?1, ?2, ?3)");

int prospects_insert(struct db *db, const struct prospect *p, struct err *err)
{
	struct query *q = db_query(db, &sql_insert_address);

	/* the address first: it is what may be there already */
	query_int(q, 1, address_bucket(p->key));
	query_text(q, 2, p->key);
	query_int(q, 3, p->id);
	if (query_run(q, err) < 0)
		return -1;
	q = db_query(db, &sql_insert);
	query_int(q, 1, id_bucket(p->id));
	query_int(q, 2, p->id);
	bind_changing(q, p);
	query_text(q, 30, p->address);
	query_text(q, 31, p->key);
	query_int(q, 32, p->created);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(update, BUCKETED,
	"UPDATE prospect"
	" SET fields = ?3, stage = ?4, list = ?5, form = ?6, language = ?7, timezone = ?8, consent = ?9,"
	"  fit = ?10, interest = ?11, interest_at = ?12, intent = ?13, intent_at = ?14, hot = ?15,"
	"  hot_at = ?16,"
	"  recheck = ?17, recheck_rule = ?18, recheck_id = ?19, changed = ?20,"
	"  tags = ?21, moved_list = ?22, moved_until = ?23, consent_at = ?24, consent_until = ?25,"
	"  topics = ?26, paused_until = ?27, own_count = ?28, own_within = ?29"
	" WHERE bucket = ?1 AND id = ?2");

int prospects_update(struct db *db, const struct prospect *p, struct err *err)
{
	struct query *q = db_query(db, &sql_update);
	int changed;

	query_int(q, 1, id_bucket(p->id));
	query_int(q, 2, p->id);
	bind_changing(q, p);
	changed = query_run(q, err);
	if (changed == 0)
		return err_set(err, "there is no such prospect");
	return changed < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM prospect"
	" WHERE bucket = ?1 AND id = ?2");

int prospects_find(struct db *db, int64_t id, struct arena *arena, struct prospect *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_prospect, arena, out, err);
}

STATEMENT(find_address, BUCKETED,
	"SELECT prospect FROM address"
	" WHERE bucket = ?1 AND address_key = ?2");

int prospects_find_address(struct db *db, const char *key, struct arena *arena, struct prospect *out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_find_address);
	int64_t id = 0;
	int got;

	query_int(q, 1, address_bucket(key));
	query_text(q, 2, key);
	got = query_row(q, err);
	if (got == 1)
		id = query_get_int(q, 0);
	query_done(q);
	return got == 1 ? prospects_find(db, id, arena, out, err) : got;
}

STATEMENT(page, BUCKETED,
	"SELECT id FROM prospect"
	" WHERE bucket = ?1 AND id > ?2"
	" ORDER BY id"
	" LIMIT ?3");

static void read_id(struct query *q, struct arena *arena, void *row)
{
	int64_t *id = row;

	*id = query_get_int(q, 0);
}

int prospects_page(struct db *db, uint16_t bucket, int64_t after, size_t max, struct arena *arena, int64_t **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_page);
	void *rows;

	query_int(q, 1, bucket);
	query_int(q, 2, after);
	query_int(q, 3, (int64_t)max);
	if (rows_collect(q, sizeof(int64_t), read_id, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(estimate, BUCKETED,
	"SELECT COUNT(*) FROM prospect"
	" WHERE bucket = ?1");

int prospects_estimate(struct db *db, struct estimate *out, struct err *err)
{
	return rows_estimate(db, &sql_estimate, NULL, 0, out, err);
}

STATEMENT(count, SITE,
	"SELECT COUNT(*) FROM prospect");

int prospects_count(struct db *db, int64_t *out, struct err *err)
{
	struct query *q = db_query(db, &sql_count);
	int got = query_row(q, err);

	if (got == 1)
		*out = query_get_int(q, 0);
	query_done(q);
	return got == 1 ? 0 : -1;
}
