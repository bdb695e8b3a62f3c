/*
 * keys.h: the keys of config as rows of tables: name, type, default, bounds and a line of help. One table per mapping; it
 * drives the reading, the complaints about what is unknown, missing or out of bounds, and docs/config.md.
 *
 * keys_read() fills a struct by the rows' offsets. What names another thing, and every expression, is kept as its
 * node, so that whoever looks it up later can still say where it stands.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stddef.h>

#include "load.h"
#include "yaml.h"

#define EVENT_MAX 64	/* characters of an event's name */

enum key_type {
	KEY_TEXT,		/* const char * */
	KEY_NAME,		/* const char *: a letter, then letters, digits, - and _; at most 64 */
	KEY_INT,		/* int, least..most */
	KEY_REAL,		/* double, least..most */
	KEY_SIZE,		/* int64_t: bytes, "256 KiB", least..most */
	KEY_DURATION,		/* int64_t: microseconds, least..most */
	KEY_RATE,		/* struct rate: "3 per hour" */
	KEY_PERCENT,		/* double, a part of 1: "10%", least..most in percent */
	KEY_MINUTE,		/* int: minutes of a day, "08:00" */
	KEY_CHOICE,		/* int: place in `choices` */
	KEY_HOST,		/* const char *: a domain name, as A-labels */
	KEY_PATH,		/* const char *: relative ones start at the folder of the operator's file */
	KEY_URL,		/* const char *: of one of the schemes in `choices`, no user in it */
	KEY_SECRET,		/* const char *: credential:NAME or file:/path, read */
	KEY_TEXTS,		/* const char *const *: ends with NULL; `choices`, if there are any, are all there are */
	KEY_NODE,		/* const struct yaml_node *: one text, checked by who reads it */
	KEY_EXPRESSION,		/* const struct yaml_node * */
	KEY_MAP,		/* const struct yaml_node *: read with `table` */
	KEY_LIST,		/* const struct yaml_node *: each item read with `table`, or a text if there is none */
	KEY_OTHERS,		/* const struct yaml_node *: a mapping of any names */
	KEY_TEXT_OR_LIST,	/* const struct yaml_node *: one text or a list, checked by who reads it */
	KEY_TEXT_OR_MAP,	/* const struct yaml_node *: one text, or a mapping read with `table` */
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset;
	bool required;
	const char *fallback;		/* as it would be written; NULL: empty, 0 */
	int64_t least, most;		/* both 0: any */
	const char *const *choices;
	const struct key_table *table;	/* of KEY_MAP, KEY_TEXT_OR_MAP and KEY_LIST */
	const char *fallback_help;	/* what to say of the default where it is no constant */
	const char *help;
};

struct key_table {
	const char *name;		/* "a relay", for messages and headings */
	const char *help;
	const struct key *keys;		/* ends with a NULL name */
};

/* The first members of a row: a key that is called like its member of `struct s`, or otherwise. */
#define ROW(key_type, s, member) ROW_AS(#member, key_type, s, member)
#define ROW_AS(key_name, key_type, s, member) .name = key_name, .type = key_type, .offset = offsetof(struct s, member)
#define NO_KEY { .name = NULL }

/*
 * `map` may be NULL: all defaults. Complains about all that is wrong and goes on with the default; 0 if nothing was. A
 * mapping whose expression YAML has cut gets no complaint about the pieces.
 */
int keys_read(struct load *l, const struct yaml_node *map, const struct key_table *table, void *out);

/* Complains unless the node is of that kind; false then. `what` for the message: "`relays`". */
bool keys_expect(struct load *l, const struct yaml_node *node, enum yaml_kind kind, const char *what);

/* "; did you mean `x`?", or "; there are `a`, `b` and `c`", or "" if there is nothing: in the scratch arena. */
const char *keys_hint(struct load *l, const char *name, const char *const *known);

/* Is it a name as KEY_NAME wants it? Complains if not. */
bool keys_name(struct load *l, const struct yaml_node *node);

/* In words, for the reference page: "duration", "number", ... */
const char *key_type_name(enum key_type type);

/* All top level tables, by the file they describe; ends with a NULL table. */
struct key_file {
	const char *file;
	const struct key_table *table;
};
extern const struct key_file key_files[];

#endif
