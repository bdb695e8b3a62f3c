/*
 * mx_hosts.c: which host takes a domain's mail, as DNS said, and until when that is to be believed.
 */
#include "inside.h"

static void read_host(struct query *q, struct arena *arena, void *row)
{
	struct mx_host *h = row;

	h->domain = rows_text(q, 0, arena);
	h->host = rows_text(q, 1, arena);
	h->until = query_get_int(q, 2);
}

STATEMENT(find_mx, SITE,
	"SELECT domain, host, until_us FROM mx_host"
	" WHERE domain = ?1");

int mx_hosts_find(struct db *db, const char *domain, struct arena *arena, struct mx_host *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find_mx);

	query_text(q, 1, domain);
	return rows_one(q, read_host, arena, out, err);
}

STATEMENT(prune_mx, SITE,
	"DELETE FROM mx_host"
	" WHERE domain IN"
	"  (SELECT domain FROM mx_host WHERE until_us < ?1 ORDER BY until_us LIMIT ?2)");

int mx_hosts_prune(struct db *db, int64_t before, size_t most, struct err *err)
{
	struct query *q = db_query(db, &sql_prune_mx);

	query_int(q, 1, before);
	query_int(q, 2, (int64_t)most);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(put_mx, SITE,
	"INSERT INTO mx_host (domain, host, until_us)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (domain) DO UPDATE SET host = excluded.host, until_us = excluded.until_us");

int mx_hosts_put(struct db *db, const struct mx_host *h, struct err *err)
{
	struct query *q = db_query(db, &sql_put_mx);

	query_text(q, 1, h->domain);
	query_text(q, 2, h->host);
	query_int(q, 3, h->until);
	return query_run(q, err) < 0 ? -1 : 0;
}
