/*
 * holds.c: until when a person, or the people of a company, get no mails of sequences, and why: somebody said "not now", or is away, or a
 * colleague talks with sales.
 */
#include "base/id.h"
#include "store/holds.h"

#include "inside.h"

static void read_hold(struct query *q, struct arena *arena, void *row)
{
	struct hold *h = row;

	h->prospect = query_get_int(q, 0);
	h->until = query_get_int(q, 1);
	h->why = rows_text(q, 2, arena);
}

STATEMENT(put, BUCKETED,
	"INSERT INTO hold (bucket, prospect, until_us, why)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (bucket, prospect) DO UPDATE SET until_us = excluded.until_us, why = excluded.why");

int holds_put(struct db *db, const struct hold *h, struct err *err)
{
	struct query *q = db_query(db, &sql_put);

	marks_person(db, h->prospect);
	query_int(q, 1, id_bucket(h->prospect));
	query_int(q, 2, h->prospect);
	query_int(q, 3, h->until);
	query_text(q, 4, h->why);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find, BUCKETED,
	"SELECT prospect, until_us, why FROM hold"
	" WHERE bucket = ?1 AND prospect = ?2");

int holds_find(struct db *db, int64_t prospect, struct arena *arena, struct hold *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	return rows_one(q, read_hold, arena, out, err);
}

STATEMENT(put_company, SITE,
	"INSERT INTO company_hold (domain, prospect, until_us, why)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (domain) DO UPDATE SET prospect = excluded.prospect, until_us = excluded.until_us, why = excluded.why");

int holds_put_company(struct db *db, const char *domain, const struct hold *h, struct err *err)
{
	struct query *q = db_query(db, &sql_put_company);

	marks_all(db);
	query_text(q, 1, domain);
	query_int(q, 2, h->prospect);
	query_int(q, 3, h->until);
	query_text(q, 4, h->why);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find_company, SITE,
	"SELECT prospect, until_us, why FROM company_hold"
	" WHERE domain = ?1");

int holds_find_company(struct db *db, const char *domain, struct arena *arena, struct hold *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find_company);

	query_text(q, 1, domain);
	return rows_one(q, read_hold, arena, out, err);
}
