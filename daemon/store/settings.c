/*
 * settings.c: secrets and marks of the site.
 */
#include <string.h>

#include "inside.h"

STATEMENT(get, SITE,
	"SELECT value FROM setting"
	" WHERE name = ?1");

static void read_value(struct query *q, struct arena *arena, void *row)
{
	struct slice s = query_get_blob(q, 0);
	char *copy = arena_alloc(arena, s.len + 1);

	if (s.len)
		memcpy(copy, s.data, s.len);
	copy[s.len] = '\0';
	*(struct slice *)row = (struct slice){ .data = copy, .len = s.len };
}

int settings_get(struct db *db, const char *name, struct arena *arena, struct slice *out, struct err *err)
{
	struct query *q = db_query(db, &sql_get);

	query_text(q, 1, name);
	return rows_one(q, read_value, arena, out, err);
}

STATEMENT(set, SITE,
	"INSERT INTO setting (name, value)"
	" VALUES (?1, ?2)"
	" ON CONFLICT (name) DO UPDATE"
	"  SET value = excluded.value");

int settings_set(struct db *db, const char *name, const void *value, size_t len, struct err *err)
{
	struct query *q = db_query(db, &sql_set);

	query_text(q, 1, name);
	query_blob(q, 2, value, len);
	return query_run(q, err) < 0 ? -1 : 0;
}
