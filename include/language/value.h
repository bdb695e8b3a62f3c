/*
 * value.h: what expressions and templates compute with. Pure; a value borrows what it points to (from an arena, a row or a
 * compiled program that outlives the evaluation).
 */
#ifndef LANGUAGE_VALUE_H
#define LANGUAGE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"

enum value_type {
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,	/* UTF-8 */
	VALUE_TIME,	/* integer: microseconds UTC */
	VALUE_DURATION,	/* integer: microseconds */
	VALUE_LIST,
	VALUE_OBJECT,
	VALUE_RANGE,	/* integer .. last, in templates only */
	VALUE_SPECIAL,	/* Liquid's `empty` and `blank`, in templates only */
};

struct value_list;
struct value_object;

struct value {
	enum value_type type;
	union {
		bool boolean;
		double real;
		struct slice text;
		const struct value_list *list;
		const struct value_object *object;
		struct {
			int64_t integer;
			int64_t last;
		};
	};
};

struct value_list {
	size_t count;
	const struct value *items;
};

struct value_pair {
	struct slice key;
	struct value value;
};

/* Pairs in the order they were written; look-up is linear up to 8 pairs and by a sorted index above. */
struct value_object {
	size_t count;
	const struct value_pair *pairs;
	const uint32_t *by_key;		/* indexes of pairs in byte order of their keys, or NULL */
};

extern const struct value value_nil;
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_real(double r);
struct value value_text(const char *s);		/* NULL gives nil; borrows */
struct value value_slice(struct slice s);
struct value value_time(int64_t us);
struct value value_duration(int64_t us);

/* NIL when there is no such key, or `v` is no object. */
struct value value_get(struct value v, struct slice key);

/* The types' names in messages: "text", "number", "yes or no", "time", "duration", "list", "object", "nothing". */
const char *value_type_name(enum value_type type);

/* Building, in an arena. Keys and texts are borrowed unless copied by the caller. */
struct value_builder;	/* for lists and objects */
struct value_builder *value_build_list(struct arena *arena);
struct value_builder *value_build_object(struct arena *arena);
void value_add(struct value_builder *b, struct value v);				/* lists */
void value_put(struct value_builder *b, const char *key, struct value v);		/* objects; key borrowed */
void value_put_slice(struct value_builder *b, struct slice key, struct value v);
struct value value_built(struct value_builder *b);

/* From jansson, everything copied into the arena. Reals and integers keep their kind. */
struct json_t;
struct value value_from_json(struct arena *arena, const struct json_t *json);
/* As compact JSON. Times as RFC 3339, durations as words. */
void value_to_json(struct buf *out, struct value v);
/*
 * As a template prints it: nil as nothing, lists joined without a separator, numbers as short as they come back the same,
 * objects as value_inspect() does.
 */
void value_to_text(struct buf *out, struct value v);
/* As Liquid shows a list or an object where a text is wanted: ["a", 1], {"k"=>"v"}. For JSON there is value_to_json(). */
void value_inspect(struct buf *out, struct value v);
/* As an expression would write it: texts in quotes, durations as "14 days". For messages and `explain`. */
void value_to_source(struct buf *out, struct value v);

#endif
