/*
 * yaml.h: a YAML file as a tree that knows where each key and value stands. Built from libyaml's events; all scalars
 * stay text until a key's type says what they are, so `no`, `0123` and `09:30` are what was written.
 *
 * Refused, because config needs none of it and each surprises: anchors and aliases, tags, several documents, the same key twice,
 * keys that are no scalars, more than 16 levels, files over 1 MiB, and bytes that are no UTF-8. Pure.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>

#include "source.h"

#define YAML_DEPTH 16

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };
enum yaml_quoting { YAML_BARE, YAML_SINGLE, YAML_DOUBLE, YAML_BLOCK };

struct yaml_node {
	enum yaml_kind kind;
	const struct source *source;
	int line, column;		/* of its first character, from 1 */
	size_t start, end;		/* bytes of the source */
	bool inside;			/* of a { } or [ ] */
	/* YAML_TEXT */
	enum yaml_quoting quoting;
	const char *text;
	size_t len;
	/* YAML_LIST and YAML_MAP: items; a map's keys go with them */
	struct yaml_node **items, **keys;
	size_t count;
};

/* The root, in the arena of the complaints; NULL if there is none, with the reason complained about. */
struct yaml_node *yaml_parse(struct complaints *c, const struct source *source);

/* The value of a key, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
struct yaml_node *yaml_key(const struct yaml_node *map, const char *key);	/* the key itself */

/* A bare scalar of no characters: `key:` with nothing behind it. */
bool yaml_empty(const struct yaml_node *node);

/*
 * Where byte `offset` of a scalar's text stands in the file: escapes, doubled quotes, folded lines and indentation are
 * walked back over.
 */
void yaml_place(const struct yaml_node *node, size_t offset, int *line, int *column);

/* "a text", "a list", "a mapping" */
const char *yaml_kind_name(const struct yaml_node *node);

/*
 * True for a bare scalar inside { } or [ ] with a bracket or quote left open: YAML ended it at a comma or a
 * bracket that was meant to be part of it.
 */
bool yaml_cut(const struct yaml_node *node);

#endif
