/*
 * held.c: the mails that wait for a time to come, by what holds them. A report, and bounded: it walks the lanes of mail, and asks for the
 * enrolment or the mail of each row.
 */
#include <string.h>

#include "base/id.h"

#include "inside.h"

/* A step waits for what its enrolment says; of a mail that was tried the reply is the receiver's words, and each has its own: its code says enough. */
STATEMENT(held, SITE,
	"SELECT q.id, q.due, COALESCE(e.why, ''), COALESCE(d.state, -1), COALESCE(d.code, 0),"
	"  CASE WHEN d.state = ?7 THEN '' ELSE COALESCE(d.reply, '') END"
	" FROM (SELECT bucket, kind, id, due, prospect, ref FROM queue"
	"  WHERE lane IN (?1, ?2) AND due > ?3"
	"  LIMIT ?4) AS q"
	"  LEFT JOIN enrolment AS e ON q.kind = ?5 AND e.bucket = q.bucket AND e.prospect = q.prospect AND e.id = q.ref"
	"  LEFT JOIN delivery AS d ON q.kind = ?6 AND d.bucket = q.bucket AND d.id = q.ref");

struct reasons {
	struct held *rows;
	size_t count, max;
};

static bool same(const struct held *h, const struct held *row)
{
	return h->state == row->state && h->code == row->code && strcmp(h->why, row->why) == 0;
}

/* Adds one row to its reason; the last place takes all reasons that have none. */
static void add(struct reasons *r, const struct held *row, struct arena *arena)
{
	struct held *h;
	size_t i;

	for (i = 0; i < r->count && !same(&r->rows[i], row); i++)
		;
	if (i == r->max)
		i--;
	h = &r->rows[i];
	if (i == r->count) {
		*h = *row;
		h->why = arena_strdup(arena, row->why);
		r->count++;
	}
	h->mails++;
	h->oldest = row->oldest < h->oldest ? row->oldest : h->oldest;
	h->next = row->next < h->next ? row->next : h->next;
}

static struct held read_held(struct query *q)
{
	const char *why = query_get_text(q, 2);

	return (struct held){ .oldest = id_time(query_get_int(q, 0)), .next = query_get_int(q, 1), .why = *why ? why : query_get_text(q, 5),
		.state = (int)query_get_int(q, 3), .code = (int)query_get_int(q, 4) };
}

int held_by_reason(struct db *db, int64_t now, size_t most, size_t reasons, struct arena *arena, struct held **out, size_t *count_out, struct err *err)
{
	struct query *q = db_query(db, &sql_held);
	struct reasons r = { .rows = arena_calloc(arena, reasons, sizeof(*r.rows)), .max = reasons };
	int got;

	query_int(q, 1, LANE_SEND);
	query_int(q, 2, LANE_SEND_FIRST);
	query_int(q, 3, now);
	query_int(q, 4, (int64_t)most);
	query_int(q, 5, QUEUE_STEP);
	query_int(q, 6, QUEUE_MAIL);
	query_int(q, 7, DELIVERY_DEFERRED);
	while ((got = query_row(q, err)) == 1) {
		struct held row = read_held(q);

		add(&r, &row, arena);
	}
	query_done(q);
	*out = r.rows;
	*count_out = r.count;
	return got;
}
