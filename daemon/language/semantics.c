/*
 * semantics.c: what Liquid means by true, equal, greater, empty, first and so on. Checked against Shopify's
 * engine by the public test suites; where those disagree with taste, they win.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

static bool is_number(struct value v)
{
	return v.type == VALUE_INT || v.type == VALUE_REAL;
}

static double as_real(struct value v)
{
	return v.type == VALUE_INT ? (double)v.integer : v.real;
}

static bool is_empty(struct value v)
{
	return (v.type == VALUE_TEXT && v.text.len == 0) || (v.type == VALUE_LIST && v.list->count == 0)
		|| (v.type == VALUE_OBJECT && v.object->count == 0);
}

static bool is_blank(struct value v)
{
	return v.type == VALUE_NIL || (v.type == VALUE_BOOL && !v.boolean) || is_empty(v)
		|| (v.type == VALUE_TEXT && slice_trim(v.text).len == 0);
}

bool liquid_truth(struct value v)
{
	return v.type == VALUE_BOOL ? v.boolean : v.type != VALUE_NIL;
}

static bool slices_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool has_key(struct value v, struct slice key)
{
	for (size_t i = 0; i < v.object->count; i++)
		if (slices_equal(v.object->pairs[i].key, key))
			return true;
	return false;
}

static bool equal(struct value a, struct value b, bool same);

static bool lists_equal(const struct value_list *a, const struct value_list *b, bool same)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!equal(a->items[i], b->items[i], same))
			return false;
	return true;
}

static bool objects_equal(struct value a, struct value b, bool same)
{
	if (a.object->count != b.object->count)
		return false;
	for (size_t i = 0; i < a.object->count; i++)
		if (!has_key(b, a.object->pairs[i].key) ||
			!equal(a.object->pairs[i].value, value_get(b, a.object->pairs[i].key), same))
			return false;
	return true;
}

/* `same`: 1 and 1.0 are two. */
static bool equal(struct value a, struct value b, bool same)
{
	if (is_number(a) && is_number(b) && (a.type == b.type || !same))
		return a.type == VALUE_INT && b.type == VALUE_INT ? a.integer == b.integer
								  : as_real(a) == as_real(b);
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case VALUE_NIL:
		return true;
	case VALUE_BOOL:
		return a.boolean == b.boolean;
	case VALUE_TEXT:
		return slices_equal(a.text, b.text);
	case VALUE_LIST:
		return lists_equal(a.list, b.list, same);
	case VALUE_OBJECT:
		return objects_equal(a, b, same);
	case VALUE_RANGE:
		return a.integer == b.integer && a.last == b.last;
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_SPECIAL:
		return a.integer == b.integer;
	}
	return false;
}

bool liquid_equal(struct value a, struct value b)
{
	struct value other = a.type == VALUE_SPECIAL ? b : a;

	if (a.type != VALUE_SPECIAL && b.type != VALUE_SPECIAL)
		return equal(a, b, false);
	if (a.type == b.type)
		return false;
	return (a.type == VALUE_SPECIAL ? a : b).integer ? is_blank(other) : is_empty(other);
}

bool liquid_same(struct value a, struct value b)
{
	return equal(a, b, true);
}

static bool contains(struct render *r, struct value a, struct value b)
{
	struct slice needle;

	if (!liquid_truth(a) || !liquid_truth(b) || (b.type == VALUE_SPECIAL && a.type != VALUE_TEXT))
		return false;
	if (a.type == VALUE_TEXT) {
		needle = liquid_text(r, b);
		return needle.len == 0 ||
		       (a.text.len && memmem(a.text.data, a.text.len, needle.data, needle.len));
	}
	if (a.type == VALUE_OBJECT && b.type == VALUE_TEXT) {
		for (size_t i = 0; i < a.object->count; i++)
			if (slices_equal(a.object->pairs[i].key, b.text))
				return true;
		return false;
	}
	if (a.type == VALUE_RANGE)
		return is_number(b) && as_real(b) >= (double)a.integer && as_real(b) <= (double)a.last;
	for (size_t i = 0; a.type == VALUE_LIST && i < a.list->count; i++)
		if (liquid_equal(a.list->items[i], b))
			return true;
	return false;
}

static int order_slices(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.data, b.data, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* 1 and *sign_out, or 0 if they have no order, or -1 if asking is a mistake (a text and a number). */
static int order(struct value a, struct value b, int *sign_out)
{
	if (is_number(a) && is_number(b)) {
		double x = as_real(a), y = as_real(b);

		*sign_out = a.type == VALUE_INT && b.type == VALUE_INT
				    ? (a.integer > b.integer) - (a.integer < b.integer)
				    : (x > y) - (x < y);
		return !isnan(x) && !isnan(y);
	}
	if (a.type == VALUE_TEXT && b.type == VALUE_TEXT) {
		*sign_out = order_slices(a.text, b.text);
		return 1;
	}
	if (a.type == b.type && (a.type == VALUE_TIME || a.type == VALUE_DURATION)) {
		*sign_out = (a.integer > b.integer) - (a.integer < b.integer);
		return 1;
	}
	if ((a.type == VALUE_TEXT && is_number(b)) || (b.type == VALUE_TEXT && is_number(a)))
		return -1;
	return 0;
}

bool liquid_compare(struct render *r, enum comparison how, struct value a, struct value b)
{
	int sign = 0, known;

	switch (how) {
	case COMPARE_EQ:
		return liquid_equal(a, b);
	case COMPARE_NE:
		return !liquid_equal(a, b);
	case COMPARE_CONTAINS:
		return contains(r, a, b);
	case COMPARE_LT:
	case COMPARE_LE:
	case COMPARE_GT:
	case COMPARE_GE:
		break;
	}
	known = order(a, b, &sign);
	if (known < 0)
		render_fail(
			r, "a %s and a %s have no order", value_type_name(a.type), value_type_name(b.type));
	if (known <= 0)
		return false;
	if (how == COMPARE_LT)
		return sign < 0;
	if (how == COMPARE_LE)
		return sign <= 0;
	return how == COMPARE_GT ? sign > 0 : sign >= 0;
}

/* --- parts ---------------------------------------------------------------------------------------------- */

static struct value pair_of(struct render *r, const struct value_pair *p)
{
	struct value two[2] = { value_slice(p->key), p->value };

	return liquid_list(r, two, 2);
}

static struct value named_part(struct render *r, struct value v, struct slice key)
{
	bool first = slice_is(key, "first"), last = slice_is(key, "last"), size = slice_is(key, "size");

	switch (v.type) {
	case VALUE_LIST:
		if (size)
			return value_int((int64_t)v.list->count);
		return v.list->count && (first || last) ? v.list->items[first ? 0 : v.list->count - 1]
							: value_nil;
	case VALUE_OBJECT:
		if (size)
			return value_int((int64_t)v.object->count);
		return v.object->count && first ? pair_of(r, &v.object->pairs[0]) : value_nil;
	case VALUE_TEXT:
		return size ? value_int((int64_t)text_utf8_length(v.text.data ? v.text.data : "", v.text.len))
			    : value_nil;
	case VALUE_RANGE:
		if (size)
			return value_int(v.last >= v.integer ? v.last - v.integer + 1 : 0);
		return first ? value_int(v.integer) : last ? value_int(v.last) : value_nil;
	case VALUE_NIL:
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_SPECIAL:
		return value_nil;
	}
	return value_nil;
}

struct value liquid_part(struct render *r, struct value v, struct value key, bool dotted)
{
	if (v.type == VALUE_OBJECT) {
		struct slice k = liquid_text(r, key);
		struct value found;

		if (key.type != VALUE_TEXT)
			return value_nil;
		found = value_get(v, k);
		if (found.type != VALUE_NIL || !dotted || has_key(v, k))
			return found;
		return named_part(r, v, k);
	}
	if (v.type == VALUE_LIST && key.type == VALUE_INT) {
		int64_t i = key.integer < 0 ? key.integer + (int64_t)v.list->count : key.integer;

		return i >= 0 && i < (int64_t)v.list->count ? v.list->items[i] : value_nil;
	}
	return dotted && key.type == VALUE_TEXT ? named_part(r, v, key.text) : value_nil;
}

/* --- turning one into another --------------------------------------------------------------------------- */

struct slice liquid_text(struct render *r, struct value v)
{
	if (v.type == VALUE_TEXT)
		return v.text;
	buf_reset(&r->scratch);
	if (v.type == VALUE_LIST)
		value_inspect(&r->scratch, v);
	else
		value_to_text(&r->scratch, v);
	return render_scratch(r).text;
}

/* Digits as Ruby's to_i takes them, behind a sign, with single underscores between them; how many bytes they take. */
static size_t read_integer(struct slice s, int64_t *out)
{
	bool negative = s.len && s.data[0] == '-';
	size_t i = negative || (s.len && s.data[0] == '+'), begin = i;

	*out = 0;
	for (; i < s.len; i++) {
		if (s.data[i] == '_' && i > begin && s.data[i - 1] != '_')
			continue;
		if (s.data[i] < '0' || s.data[i] > '9')
			break;
		if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, s.data[i] - '0', out)) {
			*out = INT64_MAX;
			break;
		}
	}
	*out = negative ? -*out : *out;
	return i > begin && s.data[i - 1] != '_' ? i : 0;
}

int64_t liquid_integer(struct value v)
{
	int64_t n;

	if (v.type == VALUE_INT)
		return v.integer;
	if (v.type == VALUE_REAL)
		return fabs(v.real) < 9e18 ? (int64_t)v.real : 0;
	if (v.type != VALUE_TEXT)
		return 0;
	read_integer(slice_trim(v.text), &n);
	return n;
}

bool liquid_whole(struct render *r, struct value v, int64_t *out)
{
	struct slice s = v.type == VALUE_TEXT ? slice_trim(v.text) : (struct slice){ "", 0 };

	if (v.type == VALUE_INT) {
		*out = v.integer;
		return true;
	}
	if (s.len && read_integer(s, out) == s.len)
		return true;
	render_fail(r, "a whole number is wanted, not a %s", value_type_name(v.type));
	return false;
}

struct value liquid_list(struct render *r, const struct value *items, size_t count)
{
	struct value_list *l = arena_alloc(r->env->arena, sizeof(*l));
	struct value *copy = arena_alloc(r->env->arena, (count ? count : 1) * sizeof(*copy));

	if (count)
		memcpy(copy, items, count * sizeof(*copy));
	*l = (struct value_list){ count, copy };
	return (struct value){ .type = VALUE_LIST, .list = l };
}

#define RANGE_MAX 10000

static struct value_list range_items(struct render *r, struct value v)
{
	size_t n = v.last >= v.integer ? (size_t)((uint64_t)v.last - (uint64_t)v.integer) + 1 : 0;
	struct value *items;

	if (n > RANGE_MAX) {
		render_fail(r, "a range of more than %d numbers", RANGE_MAX);
		n = 0;
	}
	items = arena_alloc(r->env->arena, (n ? n : 1) * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = value_int(v.integer + (int64_t)i);
	return (struct value_list){ n, items };
}

static void flatten_into(struct value_builder *b, const struct value_list *l, int depth)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].type == VALUE_LIST && depth < 100)
			flatten_into(b, l->items[i].list, depth + 1);
		else
			value_add(b, l->items[i]);
	}
}

struct value_list liquid_items(struct render *r, struct value v, bool flatten)
{
	struct value_builder *b;
	bool nested = false;

	if (v.type == VALUE_NIL || v.type == VALUE_SPECIAL)
		return (struct value_list){ 0, NULL };
	if (v.type == VALUE_RANGE)
		return range_items(r, v);
	if (v.type != VALUE_LIST)
		return *liquid_list(r, &v, 1).list;
	for (size_t i = 0; flatten && i < v.list->count; i++)
		nested = nested || v.list->items[i].type == VALUE_LIST;
	if (!nested)
		return *v.list;
	b = value_build_list(r->env->arena);
	flatten_into(b, v.list, 0);
	return *value_built(b).list;
}
