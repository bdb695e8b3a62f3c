/*
 * deliveries.c: one row a message: what is planned ahead or has ended; what has been claimed and not ended claims.c knows.
 * `link` says where tracked links lead.
 */
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/id.h"

#include "claim_pack.h"
#include "inside.h"

#define COLUMNS \
	"id, prospect, kind, state, enrolment, sequence, step, template, address, download, ref, attempt," \
	"  planned, done," \
	" code, reply, relay_id, arm"
#define REPLY_MAX 500

const char *const delivery_state_names[] = {
	[DELIVERY_PLANNED] = "planned",
	[DELIVERY_SENDING] = "sending",
	[DELIVERY_DOT] = "dot",
	[DELIVERY_SENT] = "sent",
	[DELIVERY_DEFERRED] = "deferred",
	[DELIVERY_FAILED] = "failed",
	[DELIVERY_UNKNOWN] = "unknown",
	[DELIVERY_SUPPRESSED] = "suppressed",
};

static void read_delivery(struct query *q, struct arena *arena, void *row)
{
	struct delivery *d = row;

	d->id = query_get_int(q, 0);
	d->prospect = query_get_int(q, 1);
	d->kind = (enum delivery_kind)query_get_int(q, 2);
	d->state = (enum delivery_state)query_get_int(q, 3);
	d->enrolment = query_get_int(q, 4);
	d->sequence = rows_text(q, 5, arena);
	d->step = rows_text(q, 6, arena);
	d->template = rows_text(q, 7, arena);
	d->address = rows_text(q, 8, arena);
	d->download = rows_text(q, 9, arena);
	d->ref = query_get_int(q, 10);
	d->attempt = (int)query_get_int(q, 11);
	d->planned = query_get_int(q, 12);
	d->done = query_get_int(q, 13);
	d->code = (int)query_get_int(q, 14);
	d->reply = rows_text(q, 15, arena);
	d->relay_id = rows_text(q, 16, arena);
	d->arm = rows_text(q, 17, arena);
	d->claimed = 0;
}

static int collect(struct query *q, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err)
{
	void *rows;

	if (rows_collect(q, sizeof(struct delivery), read_delivery, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

/* At most 500 bytes of it, and no half character at the end. */
static struct slice cut_reply(const char *reply)
{
	struct slice s = slice_of(reply);

	if (s.len > REPLY_MAX) {
		s.len = REPLY_MAX;
		while (s.len > 0 && ((unsigned char)s.data[s.len] & 0xc0) == 0x80)
			s.len--;
	}
	return s;
}

static void bind(struct query *q, const struct delivery *d)
{
	query_int(q, 1, id_bucket(d->id));
	query_int(q, 2, d->id);
	query_int(q, 3, d->prospect);
	query_int(q, 4, d->kind);
	query_int(q, 5, d->state);
	query_int(q, 6, d->enrolment);
	query_text(q, 7, rows_or_empty(d->sequence));
	query_text(q, 8, rows_or_empty(d->step));
	query_text(q, 9, rows_or_empty(d->template));
	query_text(q, 10, rows_or_empty(d->address));
	query_text(q, 11, rows_or_empty(d->download));
	query_int(q, 12, d->ref);
	query_int(q, 13, d->attempt);
	query_int(q, 14, d->planned);
	query_int(q, 15, d->done);
	query_int(q, 16, d->code);
	query_slice(q, 17, cut_reply(d->reply));
	query_text(q, 18, rows_or_empty(d->relay_id));
	query_text(q, 19, rows_or_empty(d->arm));
}

/* --- delivery ------------------------------------------------------------------------------------------- */

STATEMENT(put, BUCKETED,
	"INSERT INTO delivery (bucket, id, prospect, kind, state, enrolment, sequence, step, template,"
	"  address, download,"
	"  ref, attempt, planned, done, code, reply, relay_id, arm)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	"  ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
	" ON CONFLICT (bucket, id) DO UPDATE"
	"  SET prospect = excluded.prospect, kind = excluded.kind, state = excluded.state,"
	"  enrolment = excluded.enrolment,"
	"   sequence = excluded.sequence, step = excluded.step, template = excluded.template,"
	"   address = excluded.address,"
	"   download = excluded.download, ref = excluded.ref, attempt = excluded.attempt,"
	"   planned = excluded.planned,"
	"   done = excluded.done, code = excluded.code, reply = excluded.reply,"
	"   relay_id = excluded.relay_id, arm = excluded.arm");

int deliveries_put(struct db *db, const struct delivery *d, struct err *err)
{
	struct query *q = db_query(db, &sql_put);

	bind(q, d);
	if (query_run(q, err) < 0)
		return -1;
	claims_put(db, d);
	return 0;
}

STATEMENT(find, BUCKETED,
	"SELECT " COLUMNS " FROM delivery"
	" WHERE bucket = ?1 AND id = ?2");

static int find_row(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);

	query_int(q, 1, id_bucket(id));
	query_int(q, 2, id);
	return rows_one(q, read_delivery, arena, out, err);
}

/* A reader looks through all claims for one: not for what has ended, as nearly all that is asked for has. */
static int find_as_reader(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	struct delivery claimed;
	int found = find_row(db, id, arena, out, err), got;

	if (found < 0 || (found && out->state != DELIVERY_PLANNED && out->state != DELIVERY_DEFERRED))
		return found;
	got = claims_find(db, id, arena, &claimed, err);
	if (got == 1)
		*out = claimed;
	return got == 0 ? found : got;
}

int deliveries_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	int got;

	if (!db->claims)
		return find_as_reader(db, id, arena, out, err);
	got = claims_find(db, id, arena, out, err);
	return got == 0 ? find_row(db, id, arena, out, err) : got;
}

STATEMENT(ids, BUCKETED,
	"SELECT id FROM delivery"
	" WHERE bucket = ?1 AND prospect = ?2");

static void read_id(struct query *q, struct arena *arena, void *row)
{
	*(int64_t *)row = query_get_int(q, 0);
}

int deliveries_ids(struct db *db, int64_t prospect, struct arena *arena, int64_t **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_ids);
	void *rows;

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	if (rows_collect(q, sizeof(int64_t), read_id, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	return 0;
}

STATEMENT(of, BUCKETED,
	"SELECT " COLUMNS " FROM delivery"
	" WHERE bucket = ?1 AND prospect = ?2"
	" ORDER BY id DESC"
	" LIMIT ?3");

int deliveries_of(struct db *db, int64_t prospect, size_t max, struct arena *arena, struct delivery **out,
		size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_of);

	query_int(q, 1, id_bucket(prospect));
	query_int(q, 2, prospect);
	query_int(q, 3, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}

STATEMENT(in_state, SITE,
	"SELECT " COLUMNS " FROM delivery"
	" WHERE state = ?1 AND state <> 3"
	" ORDER BY id DESC"
	" LIMIT ?2");

/* Nearly all rows, and no index: a report, not for a hot path. */
STATEMENT(sent, SITE,
	"SELECT " COLUMNS " FROM delivery"
	" WHERE state = ?1"
	" ORDER BY id DESC"
	" LIMIT ?2");

static int claims_in_state(struct db *db, enum delivery_state state, size_t max, struct arena *arena, struct delivery **out, size_t *count_out,
		struct err *err)
{
	struct delivery *all;
	size_t count, i;

	if (claims_look(db, &(struct claims_sought){ 0 }, arena, &all, &count, err) < 0)
		return -1;
	*out = arena_calloc(arena, count + 1, sizeof(**out));
	*count_out = 0;
	for (i = count; i > 0 && *count_out < max; i--)
		if (all[i - 1].state == state)
			(*out)[(*count_out)++] = all[i - 1];
	return 0;
}

int deliveries_in_state(struct db *db, enum delivery_state state, size_t max, struct arena *arena,
		struct delivery **out,
		size_t *count_out, struct err *err)
{
	struct statement *statement = &sql_in_state;
	struct query *q;

	if (state == DELIVERY_SENDING || state == DELIVERY_DOT)
		return claims_in_state(db, state, max, arena, out, count_out, err);
	if (state == DELIVERY_SENT)
		statement = &sql_sent;
	q = db_query(db, statement);
	query_int(q, 1, state);
	query_int(q, 2, (int64_t)max);
	return collect(q, arena, out, count_out, err);
}

/* --- sending -------------------------------------------------------------------------------------------- */

/* As it is kept: every text is there, and none is too long for it. */
static int complete(struct delivery *mail, char reply[REPLY_MAX + 1], struct err *err)
{
	struct slice cut = cut_reply(mail->reply);
	const char **texts[CLAIM_TEXTS];
	size_t i;

	if (cut.len)
		memcpy(reply, cut.data, cut.len);
	reply[cut.len] = '\0';
	mail->reply = reply;
	claim_pack_texts(mail, texts);
	for (i = 0; i < CLAIM_TEXTS; i++) {
		*texts[i] = rows_or_empty(*texts[i]);
		if (strlen(*texts[i]) > CLAIM_TEXT_MOST)
			return err_set(err, "a mail has a name of more than %d bytes", CLAIM_TEXT_MOST);
	}
	return 0;
}

int sending_insert(struct db *db, const struct delivery *d, struct err *err)
{
	int64_t epoch = db_epoch(db, id_bucket(d->id), err);
	struct delivery mail = *d;
	char reply[REPLY_MAX + 1];

	if (epoch < 0 || complete(&mail, reply, err) < 0)
		return -1;
	mail.state = DELIVERY_SENDING;
	mail.claimed = clock_now();
	return claims_add(db, &mail, epoch, err);
}

int sending_dot(struct db *db, int64_t id, struct err *err)
{
	int64_t epoch = db_epoch(db, id_bucket(id), err);

	return epoch < 0 ? -1 : claims_dot(db, id, epoch);
}

int sending_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	return claims_find(db, id, arena, out, err);
}

int sending_end(struct db *db, int64_t id, struct err *err)
{
	return db_epoch(db, id_bucket(id), err) < 0 ? -1 : claims_end(db, id, err);
}

int sending_take(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err)
{
	int found = sending_find(db, id, arena, out, err);

	return found == 1 ? sending_end(db, id, err) : found;
}

int64_t sending_count(struct db *db, int64_t prospect, enum delivery_kind kind)
{
	return claims_count(db, prospect, kind);
}

int sending_of(struct db *db, int64_t prospect, struct arena *arena, struct delivery **out, size_t *count_out,
		struct err *err)
{
	return claims_look(db, &(struct claims_sought){ .prospect = prospect }, arena, out, count_out, err);
}

int sending_left(struct db *db, int64_t before, size_t max, struct arena *arena, struct delivery **out,
		size_t *count_out, struct err *err)
{
	if (claims_left(db, before, arena, out, count_out, err) < 0)
		return -1;
	if (*count_out > max)
		*count_out = max;
	return 0;
}

/* --- mail_data ------------------------------------------------------------------------------------------ */

STATEMENT(put_data, BUCKETED,
	"INSERT INTO mail_data (bucket, delivery, data)"
	" VALUES (?1, ?2, ?3)");

int mail_data_put(struct db *db, int64_t delivery, const char *data, struct err *err)
{
	struct query *q = db_query(db, &sql_put_data);

	query_int(q, 1, id_bucket(delivery));
	query_int(q, 2, delivery);
	query_text(q, 3, data);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(find_data, BUCKETED,
	"SELECT data FROM mail_data"
	" WHERE bucket = ?1 AND delivery = ?2");

static void read_text(struct query *q, struct arena *arena, void *row)
{
	const char **text = row;

	*text = rows_text(q, 0, arena);
}

int mail_data_find(struct db *db, int64_t delivery, struct arena *arena, const char **out, struct err *err)
{
	struct query *q = db_query(db, &sql_find_data);

	query_int(q, 1, id_bucket(delivery));
	query_int(q, 2, delivery);
	return rows_one(q, read_text, arena, out, err);
}

STATEMENT(remove_data, BUCKETED,
	"DELETE FROM mail_data"
	" WHERE bucket = ?1 AND delivery = ?2");

int mail_data_remove(struct db *db, int64_t delivery, struct err *err)
{
	struct query *q = db_query(db, &sql_remove_data);

	query_int(q, 1, id_bucket(delivery));
	query_int(q, 2, delivery);
	return query_run(q, err) < 0 ? -1 : 0;
}

/* --- link ----------------------------------------------------------------------------------------------- */

STATEMENT(newest_links, SITE,
	"SELECT since, digest FROM link"
	" WHERE template = ?1"
	" ORDER BY since DESC"
	" LIMIT 1");

STATEMENT(add_link, SITE,
	"INSERT INTO link (template, since, place, digest, url)"
	" VALUES (?1, ?2, ?3, ?4, ?5)");

static int add_link(struct db *db, const char *template, int64_t since, int64_t place,
		const uint8_t digest[32], const char *url, struct err *err)
{
	struct query *q = db_query(db, &sql_add_link);

	query_text(q, 1, template);
	query_int(q, 2, since);
	query_int(q, 3, place);
	query_blob(q, 4, digest, SHA256_SIZE);
	query_text(q, 5, url);
	return query_run(q, err) < 0 ? -1 : 0;
}

int links_put(struct db *db, const char *template, const uint8_t digest[32], const char *const *urls,
		size_t count, struct err *err)
{
	struct query *q = db_query(db, &sql_newest_links);
	int64_t since = clock_now();
	bool known = false;
	int got;

	query_text(q, 1, template);
	got = query_row(q, err);
	if (got == 1) {
		struct slice s = query_get_blob(q, 1);

		known = s.len == SHA256_SIZE && digest_equal(s.data, digest, SHA256_SIZE);
		/* the clock may have stepped back: a newer version is newer */
		if (since <= query_get_int(q, 0))
			since = query_get_int(q, 0) + 1;
	}
	query_done(q);
	if (got < 0)
		return -1;
	if (known)
		return 0;
	/* place -1: a version is known by its digest also when it has no links */
	if (add_link(db, template, since, -1, digest, "", err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (add_link(db, template, since, (int64_t)i, digest, urls[i], err) < 0)
			return -1;
	}
	return 0;
}

/* The version in force then; of a mail that is older than all of them, the first. */
STATEMENT(find_link, SITE,
	"SELECT url FROM link"
	" WHERE template = ?1 AND place = ?2 AND since = COALESCE("
	"  (SELECT since FROM link WHERE template = ?1 AND since <= ?3 ORDER BY since DESC LIMIT 1),"
	"  (SELECT since FROM link WHERE template = ?1 ORDER BY since LIMIT 1))");

int links_find(struct db *db, const char *template, int link, int64_t sent_at, struct arena *arena,
		const char **url_out, struct err *err)
{
	struct query *q = db_query(db, &sql_find_link);

	query_text(q, 1, template);
	query_int(q, 2, link);
	query_int(q, 3, sent_at);
	return rows_one(q, read_text, arena, url_out, err);
}
