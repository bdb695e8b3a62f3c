/*
 * mailboxes.c: how far each mailbox has been read. Set in the transaction of the fact that the mail
 * was.
 */
#include "inside.h"

STATEMENT(get, SITE,
	"SELECT uidvalidity, last_uid FROM mailbox"
	" WHERE name = ?1");

int mailboxes_get(struct db *db, const char *mailbox, struct watermark *out, struct err *err)
{
	struct query *q = db_query(db, &sql_get);
	int got;

	query_text(q, 1, mailbox);
	got = query_row(q, err);
	if (got >= 0)
		*out = (struct watermark){ 0 };
	if (got == 1) {
		out->uidvalidity = (uint32_t)query_get_int(q, 0);
		out->last_uid = (uint32_t)query_get_int(q, 1);
	}
	query_done(q);
	return got < 0 ? -1 : 0;
}

STATEMENT(set, SITE,
	"INSERT INTO mailbox (name, uidvalidity, last_uid)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (name) DO UPDATE"
	"  SET uidvalidity = excluded.uidvalidity, last_uid = excluded.last_uid");

int mailboxes_set(struct db *db, const char *mailbox, const struct watermark *w, struct err *err)
{
	struct query *q = db_query(db, &sql_set);

	query_text(q, 1, mailbox);
	query_int(q, 2, w->uidvalidity);
	query_int(q, 3, w->last_uid);
	return query_run(q, err) < 0 ? -1 : 0;
}
