/*
 * claim_rows.c: see claim_rows.h.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

#include "claim_rows.h"

/* --- rows of `sending` ---------------------------------------------------------------------------------- */

STATEMENT(all_packs, SITE,
	"SELECT bucket, id, claims FROM sending");

struct query *claim_rows_all(struct db *db)
{
	return db_query(db, &sql_all_packs);
}

STATEMENT(add_pack, BUCKETED,
	"INSERT INTO sending (bucket, id, claims)"
	" VALUES (?1, ?2, ?3)");

STATEMENT(change_pack, BUCKETED,
	"UPDATE sending SET claims = ?3"
	" WHERE bucket = ?1 AND id = ?2");

int claim_rows_write(struct db *db, bool stored, uint16_t bucket, int64_t id, const struct buf *body, struct err *err)
{
	struct query *q = db_query(db, stored ? &sql_change_pack : &sql_add_pack);

	query_int(q, 1, bucket);
	query_int(q, 2, id);
	query_blob(q, 3, body->data, body->len);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(remove_pack, BUCKETED,
	"DELETE FROM sending"
	" WHERE bucket = ?1 AND id = ?2");

int claim_rows_remove(struct db *db, uint16_t bucket, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_remove_pack);

	query_int(q, 1, bucket);
	query_int(q, 2, id);
	return query_run(q, err) < 0 ? -1 : 0;
}

bool claim_rows_is_whole(struct slice body, const char **why)
{
	struct claim_reading reading;
	struct packed_claim row;
	int got;

	claim_pack_open(&reading, body);
	while ((got = claim_pack_next(&reading, &row)) == 1)
		;
	*why = reading.why;
	return got == 0;
}

STATEMENT(state, BUCKETED,
	"SELECT state FROM delivery"
	" WHERE bucket = ?1 AND id = ?2");

int claim_rows_ended(struct db *db, const struct packed_claim *row, struct err *err)
{
	struct query *q;
	int64_t state;
	int got;

	if (row->apart)
		return 0;
	q = db_query(db, &sql_state);
	query_int(q, 1, id_bucket(row->mail.id));
	query_int(q, 2, row->mail.id);
	got = query_row(q, err);
	state = got == 1 ? query_get_int(q, 0) : DELIVERY_PLANNED;
	query_done(q);
	return got < 0 ? -1 : state != DELIVERY_PLANNED && state != DELIVERY_DEFERRED;
}

/* --- rows of `dot` -------------------------------------------------------------------------------------- */

STATEMENT(all_dots, SITE,
	"SELECT id, deliveries FROM dot");

struct query *claim_rows_all_dots(struct db *db)
{
	return db_query(db, &sql_all_dots);
}

STATEMENT(add_dots, SITE,
	"INSERT INTO dot (id, deliveries)"
	" VALUES (?1, ?2)");

int claim_rows_write_dots(struct db *db, int64_t id, const struct buf *marks, struct err *err)
{
	struct query *q = db_query(db, &sql_add_dots);

	query_int(q, 1, id);
	query_blob(q, 2, marks->data, marks->len);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(remove_dots, SITE,
	"DELETE FROM dot"
	" WHERE id = ?1");

int claim_rows_remove_dots(struct db *db, int64_t id, struct err *err)
{
	struct query *q = db_query(db, &sql_remove_dots);

	query_int(q, 1, id);
	return query_run(q, err) < 0 ? -1 : 0;
}

/* Their numbers are little endian. */
void claim_rows_add_mark(struct buf *marks, const struct dot_mark *mark)
{
	struct dot_mark le = { (int64_t)htole64((uint64_t)mark->delivery), (int64_t)htole64((uint64_t)mark->claimed) };

	buf_add(marks, &le, sizeof(le));
}

bool claim_rows_next_mark(struct slice marks, size_t *at, struct dot_mark *out)
{
	if (*at + sizeof(*out) > marks.len)
		return false;
	memcpy(out, marks.data + *at, sizeof(*out));
	*out = (struct dot_mark){ (int64_t)le64toh((uint64_t)out->delivery), (int64_t)le64toh((uint64_t)out->claimed) };
	*at += sizeof(*out);
	return true;
}

/* --- for who has the tables alone ----------------------------------------------------------------------- */

void claim_list_add(struct claim_list *list, const struct packed_claim *row, bool dotted)
{
	struct packed_claim copy = *row;
	size_t len = claim_pack_copy(&copy.mail, NULL);

	claim_pack_copy(&copy.mail, arena_alloc(list->arena, len));
	if (dotted)
		copy.mail.state = DELIVERY_DOT;
	list->rows = xgrow(list->rows, &list->cap, list->count + 1, sizeof(*list->rows));
	list->rows[list->count++] = copy;
}

bool claim_rows_is_sought(const struct delivery *mail, const struct claims_sought *sought)
{
	return (!sought->id || mail->id == sought->id) && (!sought->prospect || mail->prospect == sought->prospect);
}

static bool names(struct slice marks, const struct delivery *d)
{
	struct dot_mark mark;
	size_t at = 0;

	while (claim_rows_next_mark(marks, &at, &mark))
		if (mark.delivery == d->id && mark.claimed == d->claimed)
			return true;
	return false;
}

static int look_for_dots(struct db *db, struct claim_list *out, struct err *err)
{
	struct query *q = db_query(db, &sql_all_dots);
	int got;

	while ((got = query_row(q, err)) == 1) {
		struct slice marks = query_get_blob(q, 1);

		for (size_t i = 0; i < out->count; i++)
			if (out->rows[i].mail.state == DELIVERY_SENDING && names(marks, &out->rows[i].mail))
				out->rows[i].mail.state = DELIVERY_DOT;
	}
	query_done(q);
	return got;
}

/* What cannot be read is the writer's to tell. */
static int look_in_rows(struct db *db, const struct claims_sought *sought, struct claim_list *out, struct err *err)
{
	struct query *q = db_query(db, &sql_all_packs);
	struct claim_reading reading;
	struct packed_claim row;
	const char *why;
	int got;

	while ((got = query_row(q, err)) == 1) {
		if (!claim_rows_is_whole(query_get_blob(q, 2), &why))
			continue;
		claim_pack_open(&reading, query_get_blob(q, 2));
		while (claim_pack_next(&reading, &row) == 1)
			if (claim_rows_is_sought(&row.mail, sought))
				claim_list_add(out, &row, false);
	}
	query_done(q);
	return got;
}

int claim_rows_look(struct db *db, const struct claims_sought *sought, struct claim_list *out, struct err *err)
{
	size_t kept = 0, i;
	int ended;

	if (look_in_rows(db, sought, out, err) < 0)
		return -1;
	for (i = 0; i < out->count; i++) {
		ended = claim_rows_ended(db, &out->rows[i], err);
		if (ended < 0)
			return -1;
		if (!ended)
			out->rows[kept++] = out->rows[i];
	}
	out->count = kept;
	return kept ? look_for_dots(db, out, err) : 0;
}

/* --- from the schema before ------------------------------------------------------------------------------------------- */

static const char sql_move_all[] =
	"SELECT id, prospect, kind, state, enrolment, ref, attempt, planned, done, code, claimed, epoch, sequence, step, template, arm, address, download,"
	"  reply, relay_id"
	" FROM sending_before"
	" ORDER BY bucket, id";

/* Those of one bucket, or of all. */
static int move_pack(struct db *db, const struct packed_claim *rows, size_t count, struct err *err)
{
	struct prepared *into = db->driver->prepare(db->connection, sql_add_pack.sql, err);
	uint16_t bucket = id_bucket(rows->mail.id);
	struct claim_packer packer;
	struct buf body = BUF_INIT;
	int rc;
	size_t i;

	if (!into)
		return -1;
	claim_pack_begin(&packer, &body, count);
	for (i = 0; i < count; i++)
		claim_pack_add(&packer, &rows[i]);
	db->driver->bind_int(into, 1, bucket);
	db->driver->bind_int(into, 2, id_new(bucket, clock_now()));
	db->driver->bind_blob(into, 3, body.data, body.len);
	rc = db->driver->step(db->connection, into, err);
	db->driver->finalize(into);
	buf_clear(&body);
	return rc;
}

/* Whatever its row in `delivery` says: that it was in the table was what counted. */
static void read_before(struct db *db, struct prepared *from, struct packed_claim *out)
{
	int64_t n[12];
	const char **texts[CLAIM_TEXTS];
	int i;

	for (i = 0; i < 12; i++)
		n[i] = db->driver->get_int(from, i);
	*out = (struct packed_claim){
		.mail = { .id = n[0], .prospect = n[1], .kind = (enum delivery_kind)n[2], .state = (enum delivery_state)n[3], .enrolment = n[4], .ref = n[5],
			.attempt = (int)n[6], .planned = n[7], .done = n[8], .code = (int)n[9], .claimed = n[10] },
		.epoch = n[11], .apart = true,
	};
	claim_pack_texts(&out->mail, texts);
	for (i = 0; i < CLAIM_TEXTS; i++)
		*texts[i] = db->driver->get_text(from, 12 + i);
}

static int move_all(struct db *db, struct prepared *from, struct claim_list *list, struct err *err)
{
	struct packed_claim row;
	int got;

	while ((got = db->driver->step(db->connection, from, err)) == 1) {
		read_before(db, from, &row);
		if (list->count && db->driver->shares && id_bucket(list->rows->mail.id) != id_bucket(row.mail.id)) {
			if (move_pack(db, list->rows, list->count, err) < 0)
				return -1;
			list->count = 0;
		}
		claim_list_add(list, &row, row.mail.state == DELIVERY_DOT);
	}
	return got < 0 || (list->count && move_pack(db, list->rows, list->count, err) < 0) ? -1 : 0;
}

/* Not with STATEMENTs: there is no such table any more. */
int claim_rows_move(struct db *db, struct err *err)
{
	struct prepared *from = db->driver->prepare(db->connection, sql_move_all, err);
	struct claim_list list = { .arena = arena_new(0) };
	int rc = from ? move_all(db, from, &list, err) : -1;

	if (from)
		db->driver->finalize(from);
	free(list.rows);
	arena_free(&list.arena);
	return rc;
}
