/*
 * value.c: what expressions and templates compute with: making, building, looking into, and writing out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "language/value.h"

#define INDEX_ABOVE 8	/* objects with more pairs get a sorted index */

const struct value value_nil = { .type = VALUE_NIL };

struct value value_bool(bool b)
{
	return (struct value){ .type = VALUE_BOOL, .boolean = b };
}

struct value value_int(int64_t i)
{
	return (struct value){ .type = VALUE_INT, .integer = i };
}

struct value value_real(double r)
{
	return (struct value){ .type = VALUE_REAL, .real = r };
}

struct value value_text(const char *s)
{
	if (!s)
		return value_nil;
	return value_slice((struct slice){ s, strlen(s) });
}

struct value value_slice(struct slice s)
{
	return (struct value){ .type = VALUE_TEXT, .text = s };
}

struct value value_time(int64_t us)
{
	return (struct value){ .type = VALUE_TIME, .integer = us };
}

struct value value_duration(int64_t us)
{
	return (struct value){ .type = VALUE_DURATION, .integer = us };
}

const char *value_type_name(enum value_type type)
{
	switch (type) {
	case VALUE_NIL:
		return "nothing";
	case VALUE_BOOL:
		return "yes or no";
	case VALUE_INT:
	case VALUE_REAL:
		return "number";
	case VALUE_TEXT:
		return "text";
	case VALUE_TIME:
		return "time";
	case VALUE_DURATION:
		return "duration";
	case VALUE_LIST:
		return "list";
	case VALUE_OBJECT:
		return "object";
	case VALUE_RANGE:
		return "range";
	case VALUE_SPECIAL:
		return "empty or blank";
	}
	return "nothing";
}

/* --- objects -------------------------------------------------------------------------------------------- */

static int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.data, b.data, n) : 0;

	if (c)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

struct value value_get(struct value v, struct slice key)
{
	const struct value_object *o;
	size_t low = 0, high;

	if (v.type != VALUE_OBJECT)
		return value_nil;
	o = v.object;
	if (!o->by_key) {
		for (size_t i = 0; i < o->count; i++)
			if (slice_compare(o->pairs[i].key, key) == 0)
				return o->pairs[i].value;
		return value_nil;
	}
	high = o->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(o->pairs[o->by_key[middle]].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < o->count && slice_compare(o->pairs[o->by_key[low]].key, key) == 0)
		return o->pairs[o->by_key[low]].value;
	return value_nil;
}

/* --- building ------------------------------------------------------------------------------------------- */

struct value_builder {
	struct arena *arena;
	bool object;
	size_t count, cap;
	struct value *items;
	struct value_pair *pairs;
};

static struct value_builder *builder_new(struct arena *arena, bool object)
{
	struct value_builder *b = arena_calloc(arena, 1, sizeof(*b));

	b->arena = arena;
	b->object = object;
	return b;
}

struct value_builder *value_build_list(struct arena *arena)
{
	return builder_new(arena, false);
}

struct value_builder *value_build_object(struct arena *arena)
{
	return builder_new(arena, true);
}

static void *grown(struct value_builder *b, void *old, size_t size)
{
	size_t cap = b->cap ? b->cap * 2 : 8;
	void *wider = arena_alloc(b->arena, cap * size);

	if (b->count)
		memcpy(wider, old, b->count * size);
	b->cap = cap;
	return wider;
}

void value_add(struct value_builder *b, struct value v)
{
	if (b->count == b->cap)
		b->items = grown(b, b->items, sizeof(*b->items));
	b->items[b->count++] = v;
}

void value_put(struct value_builder *b, const char *key, struct value v)
{
	value_put_slice(b, slice_of(key), v);
}

void value_put_slice(struct value_builder *b, struct slice key, struct value v)
{
	if (b->count == b->cap)
		b->pairs = grown(b, b->pairs, sizeof(*b->pairs));
	b->pairs[b->count++] = (struct value_pair){ key, v };
}

static int by_key_compare(const void *a, const void *b, void *pairs)
{
	const struct value_pair *p = pairs;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = slice_compare(p[x].key, p[y].key);

	return c ? c : (x > y) - (x < y);
}

static const uint32_t *index_of(struct value_builder *b)
{
	uint32_t *index;

	if (b->count <= INDEX_ABOVE)
		return NULL;
	index = arena_alloc(b->arena, b->count * sizeof(*index));
	for (size_t i = 0; i < b->count; i++)
		index[i] = (uint32_t)i;
	qsort_r(index, b->count, sizeof(*index), by_key_compare, b->pairs);
	return index;
}

struct value value_built(struct value_builder *b)
{
	struct value_object *o;
	struct value_list *l;

	if (!b->object) {
		l = arena_alloc(b->arena, sizeof(*l));
		*l = (struct value_list){ b->count, b->items };
		return (struct value){ .type = VALUE_LIST, .list = l };
	}
	o = arena_alloc(b->arena, sizeof(*o));
	*o = (struct value_object){ b->count, b->pairs, index_of(b) };
	return (struct value){ .type = VALUE_OBJECT, .object = o };
}

static struct slice slice_copy(struct arena *arena, const char *s, size_t n)
{
	return (struct slice){ arena_strndup(arena, s, n), n };
}

struct value value_from_json(struct arena *arena, const struct json_t *json)
{
	json_t *j = (json_t *)(uintptr_t)json, *item;	/* jansson's iterators take no const */
	struct value_builder *b;
	const char *key;
	size_t i;

	switch (json_typeof(j)) {
	case JSON_NULL:
		return value_nil;
	case JSON_TRUE:
	case JSON_FALSE:
		return value_bool(json_is_true(j));
	case JSON_INTEGER:
		return value_int(json_integer_value(j));
	case JSON_REAL:
		return value_real(json_real_value(j));
	case JSON_STRING:
		return value_slice(slice_copy(arena, json_string_value(j), json_string_length(j)));
	case JSON_ARRAY:
		b = value_build_list(arena);
		json_array_foreach(j, i, item)
			value_add(b, value_from_json(arena, item));
		return value_built(b);
	case JSON_OBJECT:
		b = value_build_object(arena);
		json_object_foreach(j, key, item)
			value_put_slice(b, slice_copy(arena, key, strlen(key)), value_from_json(arena, item));
		return value_built(b);
	}
	return value_nil;
}

/* --- writing out ---------------------------------------------------------------------------------------- */

/*
 * Moves the point of "d.ddde+XX" so that the number stands without an exponent: as far as 16 digits
 * before it.
 */
static void print_plain(struct buf *out, const char *digits, int exponent, bool negative)
{
	int n = (int)strlen(digits);

	if (negative)
		buf_char(out, '-');
	if (exponent < 0) {
		buf_str(out, "0.");
		for (int i = -1; i > exponent; i--)
			buf_char(out, '0');
		buf_str(out, digits);
		return;
	}
	for (int i = 0; i <= exponent; i++)
		buf_char(out, i < n ? digits[i] : '0');
	buf_char(out, '.');
	buf_str(out, n > exponent + 1 ? digits + exponent + 1 : "0");
}

/*
 * Shortest digits that come back the same, always with a point, as Liquid prints them: 1.0, 0.5, 1.0e+20
 * (never so if `plain`).
 */
static void print_real(struct buf *out, double r, bool plain)
{
	char text[40], digits[32];
	int n = 0, exponent;
	const char *e;

	if (!isfinite(r)) {
		buf_str(out, isnan(r) ? "NaN" : r > 0 ? "Infinity" : "-Infinity");
		return;
	}
	for (int precision = 14; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, r);
		if (strtod(text, NULL) == r)
			break;
	}
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	for (const char *p = text; p < e; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	/* sixteen digits before the point only if one follows behind it */
	if (plain || (exponent >= -4 && exponent < 15 + (n > 16)))
		print_plain(out, digits, exponent, signbit(r));
	else
		buf_printf(out, "%s%c.%se%c%02d", r < 0 ? "-" : "", digits[0], n > 1 ? digits + 1 : "0",
			exponent < 0 ? '-' : '+', abs(exponent));
}

static void print_integer(struct buf *out, int64_t i)
{
	char text[24], *p = text + sizeof(text);
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;

	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (i < 0)
		*--p = '-';
	buf_add(out, p, (size_t)(text + sizeof(text) - p));
}

static void json_object_out(struct buf *out, const struct value_object *o)
{
	buf_char(out, '{');
	for (size_t i = 0; i < o->count; i++) {
		if (i)
			buf_char(out, ',');
		text_json(out, o->pairs[i].key.data, o->pairs[i].key.len);
		buf_char(out, ':');
		value_to_json(out, o->pairs[i].value);
	}
	buf_char(out, '}');
}

static void json_list_out(struct buf *out, const struct value_list *l)
{
	buf_char(out, '[');
	for (size_t i = 0; i < l->count; i++) {
		if (i)
			buf_char(out, ',');
		value_to_json(out, l->items[i]);
	}
	buf_char(out, ']');
}

static void json_words_out(struct buf *out, struct value v)
{
	struct buf words = BUF_INIT;

	value_to_text(&words, v);
	text_json(out, buf_cstr(&words), words.len);
	buf_clear(&words);
}

void value_to_json(struct buf *out, struct value v)
{
	switch (v.type) {
	case VALUE_NIL:
		buf_str(out, "null");
		return;
	case VALUE_BOOL:
		buf_str(out, v.boolean ? "true" : "false");
		return;
	case VALUE_INT:
		print_integer(out, v.integer);
		return;
	case VALUE_REAL:
		if (isfinite(v.real))
			print_real(out, v.real, false);
		else
			buf_str(out, "null");
		return;
	case VALUE_TEXT:
		text_json(out, v.text.data, v.text.len);
		return;
	case VALUE_LIST:
		json_list_out(out, v.list);
		return;
	case VALUE_OBJECT:
		json_object_out(out, v.object);
		return;
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_RANGE:
	case VALUE_SPECIAL:
		json_words_out(out, v);
		return;
	}
}

static void inspect_text(struct buf *out, struct slice s)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];

		if (c == '"' || c == '\\' || (c == '#' && i + 1 < s.len && strchr("{$@", s.data[i + 1])))
			buf_char(out, '\\');
		if (c == '\n' || c == '\r' || c == '\t')
			buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else
			buf_char(out, c);
	}
	buf_char(out, '"');
}

static void inspect_object(struct buf *out, const struct value_object *o)
{
	buf_char(out, '{');
	for (size_t i = 0; i < o->count; i++) {
		buf_str(out, i ? ", " : "");
		inspect_text(out, o->pairs[i].key);
		buf_str(out, "=>");
		value_inspect(out, o->pairs[i].value);
	}
	buf_char(out, '}');
}

void value_inspect(struct buf *out, struct value v)
{
	switch (v.type) {
	case VALUE_NIL:
		buf_str(out, "nil");
		return;
	case VALUE_TEXT:
		inspect_text(out, v.text);
		return;
	case VALUE_LIST:
		buf_char(out, '[');
		for (size_t i = 0; i < v.list->count; i++) {
			buf_str(out, i ? ", " : "");
			value_inspect(out, v.list->items[i]);
		}
		buf_char(out, ']');
		return;
	case VALUE_OBJECT:
		inspect_object(out, v.object);
		return;
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_RANGE:
	case VALUE_SPECIAL:
		value_to_text(out, v);
		return;
	}
}

void value_to_text(struct buf *out, struct value v)
{
	switch (v.type) {
	case VALUE_NIL:
	case VALUE_SPECIAL:
		return;
	case VALUE_BOOL:
		buf_str(out, v.boolean ? "true" : "false");
		return;
	case VALUE_INT:
		print_integer(out, v.integer);
		return;
	case VALUE_REAL:
		print_real(out, v.real, false);
		return;
	case VALUE_TEXT:
		buf_add(out, v.text.data, v.text.len);
		return;
	case VALUE_TIME:
		text_time(out, v.integer);
		return;
	case VALUE_DURATION:
		text_duration_print(out, v.integer);
		return;
	case VALUE_LIST:
		for (size_t i = 0; i < v.list->count; i++)
			value_to_text(out, v.list->items[i]);
		return;
	case VALUE_OBJECT:
		inspect_object(out, v.object);
		return;
	case VALUE_RANGE:
		print_integer(out, v.integer);
		buf_str(out, "..");
		print_integer(out, v.last);
		return;
	}
}

void value_to_source(struct buf *out, struct value v)
{
	char quote;

	switch (v.type) {
	case VALUE_NIL:
		buf_str(out, "nil");
		return;
	case VALUE_TEXT:
		quote = v.text.len && memchr(v.text.data, '"', v.text.len) ? '\'' : '"';
		buf_char(out, quote);
		buf_add(out, v.text.data, v.text.len);
		buf_char(out, quote);
		return;
	case VALUE_LIST:
		buf_char(out, '[');
		for (size_t i = 0; i < v.list->count; i++) {
			if (i)
				buf_str(out, ", ");
			value_to_source(out, v.list->items[i]);
		}
		buf_char(out, ']');
		return;
	case VALUE_REAL:
		print_real(out, v.real, true);
		return;
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_OBJECT:
	case VALUE_RANGE:
	case VALUE_SPECIAL:
		value_to_text(out, v);
		return;
	}
}
