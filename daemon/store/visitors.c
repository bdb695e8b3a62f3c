/*
 * visitors.c: visitors and what they did before anybody knew who they are. A visitor's bucket is that of the hash of their id.
 */
#include <string.h>

#include "base/id.h"
#include "store/visitors.h"

#include "inside.h"

STATEMENT(find, BUCKETED,
	"SELECT prospect FROM visitor"
	" WHERE bucket = ?1 AND anonymous_id = ?2");

int visitors_find(struct db *db, const char *anonymous_id, int64_t *prospect_out, struct err *err)
{
	struct query *q = db_query(db, &sql_find);
	int found;

	query_int(q, 1, address_bucket(anonymous_id));
	query_text(q, 2, anonymous_id);
	found = query_row(q, err);
	if (found == 1)
		*prospect_out = query_get_int(q, 0);
	query_done(q);
	return found;
}

STATEMENT(join, BUCKETED,
	"INSERT INTO visitor (bucket, anonymous_id, prospect, since)"
	" VALUES (?1, ?2, ?3, ?4)"
	" ON CONFLICT (bucket, anonymous_id) DO UPDATE SET prospect = excluded.prospect, since = excluded.since");

int visitors_join(struct db *db, const char *anonymous_id, int64_t prospect, int64_t now, struct err *err)
{
	struct query *q = db_query(db, &sql_join);

	query_int(q, 1, address_bucket(anonymous_id));
	query_text(q, 2, anonymous_id);
	query_int(q, 3, prospect);
	query_int(q, 4, now);
	return query_run(q, err) < 0 ? -1 : 0;
}

STATEMENT(count_events, BUCKETED,
	"SELECT count(*) FROM visitor_event"
	" WHERE bucket = ?1 AND anonymous_id = ?2");

static int count_events(struct db *db, uint16_t bucket, const char *anonymous_id, int64_t *out, struct err *err)
{
	struct query *q = db_query(db, &sql_count_events);
	int found;

	query_int(q, 1, bucket);
	query_text(q, 2, anonymous_id);
	found = query_row(q, err);
	if (found == 1)
		*out = query_get_int(q, 0);
	query_done(q);
	return found == 1 ? 0 : -1;
}

STATEMENT(add_event, BUCKETED,
	"INSERT INTO visitor_event (bucket, anonymous_id, at, id, name, subject, data)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

int visitors_add_event(struct db *db, const char *anonymous_id, const struct event_row *e, struct err *err)
{
	uint16_t bucket = address_bucket(anonymous_id);
	struct query *q;
	int64_t count;

	if (count_events(db, bucket, anonymous_id, &count, err))
		return -1;
	if (count >= VISITOR_EVENTS)
		return 0;
	q = db_query(db, &sql_add_event);
	query_int(q, 1, bucket);
	query_text(q, 2, anonymous_id);
	query_int(q, 3, e->at);
	query_int(q, 4, id_new(bucket, e->at));
	query_text(q, 5, e->name);
	query_text(q, 6, rows_or_empty(e->subject));
	query_text(q, 7, e->data && *e->data ? e->data : "{}");
	return query_run(q, err) < 0 ? -1 : 0;
}

static void read_event(struct query *q, struct arena *arena, void *row)
{
	struct event_row *e = row;

	*e = (struct event_row){
		.at = query_get_int(q, 0), .name = rows_text(q, 1, arena), .subject = rows_text(q, 2, arena), .data = rows_text(q, 3, arena),
	};
}

STATEMENT(events, BUCKETED,
	"SELECT at, name, subject, data FROM visitor_event"
	" WHERE bucket = ?1 AND anonymous_id = ?2"
	" ORDER BY at, id");

STATEMENT(forget_events, BUCKETED,
	"DELETE FROM visitor_event"
	" WHERE bucket = ?1 AND anonymous_id = ?2");

int visitors_take_events(struct db *db, const char *anonymous_id, struct arena *arena, struct event_row **out, size_t *count_out,
		struct err *err)
{
	struct query *q = db_query(db, &sql_events);
	void *rows;

	query_int(q, 1, address_bucket(anonymous_id));
	query_text(q, 2, anonymous_id);
	if (rows_collect(q, sizeof(struct event_row), read_event, arena, &rows, count_out, err) < 0)
		return -1;
	*out = rows;
	if (!*count_out)
		return 0;
	q = db_query(db, &sql_forget_events);
	query_int(q, 1, address_bucket(anonymous_id));
	query_text(q, 2, anonymous_id);
	return query_run(q, err) < 0 ? -1 : 0;
}
