/*
 * export.h: all that is kept about a person, as they may have it: the counterpart of erase.h. Store thread or reader thread.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "store/rows.h"

struct json_t;

/*
 * {"TABLE": [{"column": value}]}, each table that is about people, their rows of it, and what is packed in rows about many. Times as RFC 3339, ids with
 * their prefix, states by name, JSON as JSON. Left out: the buckets, and salts and digests, which say nothing of anybody. A new reference in *out.
 */
int export_person(struct db *db, const struct prospect *row, struct json_t **out, struct err *err) MUSTCHECK;

/* Each table, and its columns as they are exported: "id:evt at:time name"; a test compares it with the schema and with erase.h. NULL behind the last. */
struct export_rule { const char *table, *columns; };
const struct export_rule *export_rules(void);

#endif
