/*
 * turns.c: how many leads each owner got by turns.
 */
#include "inside.h"

STATEMENT(count, SITE,
	"SELECT taken FROM turn"
	" WHERE owner = ?1");

int turns_count(struct db *db, const char *owner, int64_t *out, struct err *err)
{
	struct query *q = db_query(db, &sql_count);
	int got;

	query_text(q, 1, owner);
	got = query_row(q, err);
	if (got >= 0)
		*out = got == 1 ? query_get_int(q, 0) : 0;
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(take, SITE,
	"INSERT INTO turn (owner, taken)"
	" VALUES (?1, 1)"
	" ON CONFLICT (owner) DO UPDATE"
	"  SET taken = turn.taken + 1");

int turns_take(struct db *db, const char *owner, struct err *err)
{
	struct query *q = db_query(db, &sql_take);

	query_text(q, 1, owner);
	return query_run(q, err) < 0 ? -1 : 0;
}
