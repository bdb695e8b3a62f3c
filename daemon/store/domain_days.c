/*
 * domain_days.c: what became of the mail to each domain, by day. Sums, sharded as those of tests are: many add to one row.
 */
#include "inside.h"

STATEMENT(add_domain_day, SITE,
	"INSERT INTO domain_day (domain, day, shard, sent, deferred, hard, soft, complaint, open_human, open_machine, open_unknown,"
	"  click_human, click_machine, click_unknown)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	"  ?12, ?13, ?14)"
	" ON CONFLICT (domain, day, shard) DO UPDATE"
	"  SET sent = domain_day.sent + excluded.sent, deferred = domain_day.deferred + excluded.deferred,"
	"  hard = domain_day.hard + excluded.hard, soft = domain_day.soft + excluded.soft,"
	"  complaint = domain_day.complaint + excluded.complaint,"
	"  open_human = domain_day.open_human + excluded.open_human, open_machine = domain_day.open_machine + excluded.open_machine,"
	"  open_unknown = domain_day.open_unknown + excluded.open_unknown,"
	"  click_human = domain_day.click_human + excluded.click_human, click_machine = domain_day.click_machine + excluded.click_machine,"
	"  click_unknown = domain_day.click_unknown + excluded.click_unknown");

int domain_days_add(struct db *db, const struct domain_day *d, struct err *err)
{
	struct query *q = db_query(db, &sql_add_domain_day);

	query_text(q, 1, d->domain);
	query_int(q, 2, d->day);
	query_int(q, 3, d->shard);
	query_int(q, 4, d->sent);
	query_int(q, 5, d->deferred);
	query_int(q, 6, d->hard);
	query_int(q, 7, d->soft);
	query_int(q, 8, d->complaint);
	query_int(q, 9, d->opens[VERDICT_HUMAN]);
	query_int(q, 10, d->opens[VERDICT_MACHINE]);
	query_int(q, 11, d->opens[VERDICT_UNKNOWN]);
	query_int(q, 12, d->clicks[VERDICT_HUMAN]);
	query_int(q, 13, d->clicks[VERDICT_MACHINE]);
	query_int(q, 14, d->clicks[VERDICT_UNKNOWN]);
	return query_run(q, err) < 0 ? -1 : 0;
}

#define SUMS "SUM(sent), SUM(deferred), SUM(hard), SUM(soft), SUM(complaint), SUM(open_human), SUM(open_machine), SUM(open_unknown)," \
	" SUM(click_human), SUM(click_machine), SUM(click_unknown)"

STATEMENT(domains_since, SITE,
	"SELECT domain, 0, " SUMS " FROM domain_day"
	" WHERE day >= ?1"
	" GROUP BY domain"
	" ORDER BY SUM(sent) DESC, domain"
	" LIMIT ?2");

STATEMENT(days_of_domain, SITE,
	"SELECT domain, day, " SUMS " FROM domain_day"
	" WHERE domain = ?1 AND day >= ?2"
	" GROUP BY domain, day"
	" ORDER BY day");

static void read_day(struct query *q, struct arena *arena, void *row)
{
	struct domain_day *d = row;

	*d = (struct domain_day){ .domain = rows_text(q, 0, arena), .day = query_get_int(q, 1), .sent = query_get_int(q, 2),
		.deferred = query_get_int(q, 3), .hard = query_get_int(q, 4), .soft = query_get_int(q, 5), .complaint = query_get_int(q, 6),
		.opens = { [VERDICT_HUMAN] = query_get_int(q, 7), [VERDICT_MACHINE] = query_get_int(q, 8), [VERDICT_UNKNOWN] = query_get_int(q, 9) },
		.clicks = { [VERDICT_HUMAN] = query_get_int(q, 10), [VERDICT_MACHINE] = query_get_int(q, 11), [VERDICT_UNKNOWN] = query_get_int(q, 12) } };
}

static int collect(struct query *q, struct arena *arena, struct domain_day **out, size_t *count_out, struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct domain_day), read_day, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

int domain_days_top(struct db *db, int64_t since, size_t max, struct arena *arena, struct domain_day **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_domains_since);

	query_int(q, 1, since);
	query_int(q, 2, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}

int domain_days_of(struct db *db, const char *domain, int64_t since, struct arena *arena, struct domain_day **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_days_of_domain);

	query_text(q, 1, domain);
	query_int(q, 2, since);
	return collect(q, arena, out, count_out, err);
}
