/*
 * mailboxes.c: how far each mailbox has been read, and which of its mails are not done with. Set in the transaction of the fact that the mail
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

STATEMENT(remember, SITE,
	"INSERT INTO mailbox_mail (mailbox, mail_key, stays)"
	" VALUES (?1, ?2, ?3)"
	" ON CONFLICT (mailbox, mail_key) DO UPDATE"
	"  SET stays = excluded.stays");

int mailboxes_remember(struct db *db, const char *mailbox, const struct mailbox_mail *mail, struct err *err)
{
	struct query *q = db_query(db, &sql_remember);

	query_text(q, 1, mailbox);
	query_text(q, 2, mail->key);
	query_int(q, 3, mail->stays);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(forget, SITE,
	"DELETE FROM mailbox_mail"
	" WHERE mailbox = ?1 AND mail_key = ?2");

int mailboxes_forget(struct db *db, const char *mailbox, const char *key, struct err *err)
{
	struct query *q = db_query(db, &sql_forget);

	query_text(q, 1, mailbox);
	query_text(q, 2, key);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(remembered, SITE,
	"SELECT mail_key, stays FROM mailbox_mail"
	" WHERE mailbox = ?1"
	" ORDER BY mail_key");

static void read_mail(struct query *q, struct arena *arena, void *row)
{
	struct mailbox_mail *mail = row;

	mail->key = rows_text(q, 0, arena);
	mail->stays = query_get_int(q, 1) != 0;
}

int mailboxes_remembered(struct db *db, const char *mailbox, struct arena *arena, struct mailbox_mail **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_remembered);
	void *rows;

	query_text(q, 1, mailbox);
	if (rows_collect(q, sizeof(struct mailbox_mail), read_mail, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}
