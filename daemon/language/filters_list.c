/*
 * filters_list.c: filters on lists: first last join reverse sort sort_natural uniq compact concat map where
 * reject find find_index has.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

enum reach {
	PART_FOUND,	/* or nil */
	PART_NEVER,	/* nil, yes and no, and decimals have no parts */
	PART_WRONG,	/* not by a key like that */
};

static struct value character_of(struct slice s, int64_t place)
{
	int64_t n = (int64_t)text_utf8_length(s.len ? s.data : "", s.len);
	size_t from = 0, to;

	place = place < 0 ? place + n : place;
	if (place < 0 || place >= n)
		return value_nil;
	while (place-- > 0)
		for (from++; from < s.len && ((unsigned char)s.data[from] & 0xc0) == 0x80; from++)
			;
	for (to = from + 1; to < s.len && ((unsigned char)s.data[to] & 0xc0) == 0x80; to++)
		;
	return value_slice((struct slice){ s.data + from, to - from });
}

/* As Ruby's item[key]: of a text the key itself, if it is in it, or a character; of a whole number a bit. */
static enum reach part_of(struct filter_call *c, struct value item, struct value key, struct value *out)
{
	int64_t place = key.type == VALUE_INT ? key.integer : key.type == VALUE_REAL ? liquid_integer(key) : 0;
	bool by_place = key.type == VALUE_INT || key.type == VALUE_REAL;

	*out = value_nil;
	switch (item.type) {
	case VALUE_OBJECT:
		*out = liquid_part(c->r, item, key, false);
		return PART_FOUND;
	case VALUE_TEXT:
		if (by_place)
			*out = character_of(item.text, place);
		else if (key.type != VALUE_TEXT)
			return PART_WRONG;
		else if (key.text.len == 0 || (item.text.len &&
						      memmem(item.text.data, item.text.len, key.text.data, key.text.len)))
			*out = key;
		return PART_FOUND;
	case VALUE_INT:
		if (!by_place)
			return PART_WRONG;
		*out = value_int(place < 0 ? 0 : item.integer >> (place < 63 ? place : 63) & 1);
		return PART_FOUND;
	case VALUE_NIL:
	case VALUE_BOOL:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_LIST:
	case VALUE_RANGE:
	case VALUE_SPECIAL:
		return PART_NEVER;
	}
	return PART_NEVER;
}

static struct value fail_part(struct filter_call *c, struct value item)
{
	return render_fail(c->r, "an item is a %s and has no part of that name", value_type_name(item.type));
}

static bool has_key(const struct filter_call *c)
{
	return c->count && c->args[0].type != VALUE_NIL;
}

static struct value do_first(struct filter_call *c)
{
	if (c->in.type == VALUE_OBJECT && c->in.object->count)
		return liquid_list(c->r,
			(struct value[]){ value_slice(c->in.object->pairs[0].key), c->in.object->pairs[0].value }, 2);
	if (c->in.type != VALUE_LIST && c->in.type != VALUE_RANGE)
		return value_nil;
	return liquid_part(c->r, c->in, value_text("first"), true);
}

static struct value do_last(struct filter_call *c)
{
	if (c->in.type != VALUE_LIST && c->in.type != VALUE_RANGE)
		return value_nil;
	return liquid_part(c->r, c->in, value_text("last"), true);
}

static struct value do_join(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct slice by = c->count ? liquid_text(c->r, c->args[0]) : (struct slice){ " ", 1 };
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < l.count && out.len < (1 << 20); i++) {
		if (i && by.len)
			buf_add(&out, by.data, by.len);
		value_to_text(&out, l.items[i]);
	}
	buf_reset(&c->r->scratch);
	buf_add(&c->r->scratch, buf_cstr(&out), out.len);
	buf_clear(&out);
	return render_scratch(c->r);
}

static struct value do_reverse(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value v = liquid_list(c->r, l.items, l.count);
	struct value *items = (struct value *)(uintptr_t)v.list->items;

	for (size_t i = 0; i < l.count; i++)
		items[i] = l.items[l.count - 1 - i];
	return v;
}

/* --- sorting -------------------------------------------------------------------------------------------- */

struct sorting {
	struct filter_call *c;
	bool natural;
	bool mixed;	/* things without an order met */
};

struct keyed {
	struct value key, item;
	size_t place;
};

static int compare_natural(struct sorting *s, struct value a, struct value b)
{
	struct slice x = liquid_text(s->c->r, a), y = liquid_text(s->c->r, b);
	size_t n = x.len < y.len ? x.len : y.len;
	int sign = n ? strncasecmp(x.data, y.data, n) : 0;

	return sign ? sign : (x.len > y.len) - (x.len < y.len);
}

static bool is_number(struct value v)
{
	return v.type == VALUE_INT || v.type == VALUE_REAL;
}

static int compare_lists(struct sorting *s, const struct value_list *a, const struct value_list *b);

/* As Ruby's <=>, and nil comes last. */
static int compare_plain(struct sorting *s, struct value a, struct value b)
{
	if (a.type == VALUE_NIL || b.type == VALUE_NIL)
		return (a.type == VALUE_NIL) - (b.type == VALUE_NIL);
	if (a.type == VALUE_LIST && b.type == VALUE_LIST)
		return compare_lists(s, a.list, b.list);
	if ((is_number(a) && is_number(b)) || (a.type == b.type && (a.type == VALUE_TEXT || a.type == VALUE_TIME ||
									   a.type == VALUE_DURATION)))
		return liquid_compare(s->c->r, COMPARE_LT, a, b)   ? -1
		       : liquid_compare(s->c->r, COMPARE_GT, a, b) ? 1
								   : 0;
	s->mixed = s->mixed || !liquid_equal(a, b);
	return 0;
}

static int compare_lists(struct sorting *s, const struct value_list *a, const struct value_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		int sign;

		if ((a->items[i].type == VALUE_NIL) != (b->items[i].type == VALUE_NIL)) {
			s->mixed = true;
			return 0;
		}
		sign = compare_plain(s, a->items[i], b->items[i]);
		if (sign || s->mixed)
			return sign;
	}
	return (a->count > b->count) - (a->count < b->count);
}

static int compare_keyed(const void *pa, const void *pb, void *ctx)
{
	const struct keyed *a = pa, *b = pb;
	struct sorting *s = ctx;
	int sign;

	if (s->natural && a->key.type != VALUE_NIL && b->key.type != VALUE_NIL)
		sign = compare_natural(s, a->key, b->key);
	else
		sign = compare_plain(s, a->key, b->key);
	return sign ? sign : (a->place > b->place) - (a->place < b->place);
}

/* False if there is nothing to sort by, or a failure. */
static bool key_all(struct filter_call *c, struct value_list l, struct keyed *keyed)
{
	bool wrong = false;

	for (size_t i = 0; i < l.count; i++) {
		keyed[i] = (struct keyed){ l.items[i], l.items[i], i };
		if (!has_key(c))
			continue;
		switch (part_of(c, l.items[i], c->args[0], &keyed[i].key)) {
		case PART_FOUND:
			break;
		case PART_NEVER:
			return false;
		case PART_WRONG:
			wrong = true;
			break;
		}
	}
	if (wrong && l.count > 1)
		render_fail(c->r, "sort: an item has no part of that name");
	return true;
}

static struct value sorted(struct filter_call *c, bool natural)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct keyed *keyed = arena_alloc(c->r->env->arena, (l.count + 1) * sizeof(*keyed));
	struct sorting s = { c, natural, false };
	struct value v = liquid_list(c->r, l.items, l.count);

	if (!key_all(c, l, keyed))
		return value_nil;
	qsort_r(keyed, l.count, sizeof(*keyed), compare_keyed, &s);
	if (s.mixed)
		return render_fail(c->r, "sort: these things have no order");
	for (size_t i = 0; i < l.count; i++)
		((struct value *)(uintptr_t)v.list->items)[i] = keyed[i].item;
	return v;
}

static struct value do_sort(struct filter_call *c)
{
	return sorted(c, false);
}

static struct value do_sort_natural(struct filter_call *c)
{
	return sorted(c, true);
}

/* --- choosing ------------------------------------------------------------------------------------------- */

/* The items, or of each the part that the filter's argument names; false where there is nothing to give. */
static bool parts_of(struct filter_call *c, struct value_list l, struct value **out)
{
	*out = arena_alloc(c->r->env->arena, (l.count + 1) * sizeof(**out));
	for (size_t i = 0; i < l.count; i++) {
		(*out)[i] = l.items[i];
		if (!has_key(c))
			continue;
		switch (part_of(c, l.items[i], c->args[0], &(*out)[i])) {
		case PART_FOUND:
			break;
		case PART_NEVER:
			return false;
		case PART_WRONG:
			fail_part(c, l.items[i]);
			return false;
		}
	}
	return true;
}

static struct value do_uniq(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);
	struct value *parts;

	if (l.count < 2)	/* Ruby does not look at the one */
		return liquid_list(c->r, l.items, l.count);
	if (!parts_of(c, l, &parts))
		return value_nil;
	for (size_t i = 0; i < l.count; i++) {
		bool there = false;

		for (size_t k = 0; k < i && !there; k++) {
			c->r->steps++;
			there = liquid_same(parts[k], parts[i]);
		}
		if (!there)
			value_add(b, l.items[i]);
		if (c->r->steps > 1000000)
			return render_fail(c->r, "uniq: the list is too long");
	}
	return value_built(b);
}

static struct value do_compact(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);
	struct value *parts;

	if (!parts_of(c, l, &parts))
		return value_nil;
	for (size_t i = 0; i < l.count; i++)
		if (parts[i].type != VALUE_NIL)
			value_add(b, l.items[i]);
	return value_built(b);
}

static struct value do_concat(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true), more;
	struct value_builder *b = value_build_list(c->r->env->arena);

	if (c->args[0].type != VALUE_LIST)
		return render_fail(
			c->r, "concat: a list is wanted, not a %s", value_type_name(c->args[0].type));
	more = liquid_items(c->r, c->args[0], false);
	for (size_t i = 0; i < l.count; i++)
		value_add(b, l.items[i]);
	for (size_t i = 0; i < more.count; i++)
		value_add(b, more.items[i]);
	return value_built(b);
}

static struct value do_map(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);

	for (size_t i = 0; i < l.count; i++) {
		struct value found;

		if (part_of(c, l.items[i], c->args[0], &found) == PART_WRONG)
			return fail_part(c, l.items[i]);
		value_add(b, found);
	}
	return value_built(b);
}

enum match { MATCH_NO, MATCH_YES, MATCH_NEVER };

/* Does the item match KEY, or KEY with VALUE? On an item that can have no parts the whole filter gives nothing. */
static enum match match_of(struct filter_call *c, struct value item)
{
	bool with_value = c->count > 1 && c->args[1].type != VALUE_NIL;
	struct value found;

	switch (part_of(c, item, c->args[0], &found)) {
	case PART_FOUND:
		return (with_value ? liquid_equal(found, c->args[1]) : liquid_truth(found)) ? MATCH_YES : MATCH_NO;
	case PART_WRONG:
		fail_part(c, item);
		return MATCH_NEVER;
	case PART_NEVER:
		return MATCH_NEVER;
	}
	return MATCH_NEVER;
}

static struct value chosen(struct filter_call *c, enum match want)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);

	for (size_t i = 0; i < l.count; i++) {
		enum match m = match_of(c, l.items[i]);

		if (m == MATCH_NEVER)
			return value_nil;
		if (m == want)
			value_add(b, l.items[i]);
	}
	return value_built(b);
}

static struct value do_where(struct filter_call *c)
{
	return chosen(c, MATCH_YES);
}

static struct value do_reject(struct filter_call *c)
{
	return chosen(c, MATCH_NO);
}

/* The place of the first that matches, -1 if none does; false if there can be no answer. */
static bool found_at(struct filter_call *c, struct value_list *l, int64_t *place)
{
	*l = liquid_items(c->r, c->in, true);
	*place = -1;
	for (size_t i = 0; i < l->count; i++) {
		enum match m = match_of(c, l->items[i]);

		if (m == MATCH_NEVER)
			return false;
		if (m == MATCH_YES) {
			*place = (int64_t)i;
			return true;
		}
	}
	return true;
}

static struct value do_find(struct filter_call *c)
{
	struct value_list l;
	int64_t place;

	return found_at(c, &l, &place) && place >= 0 ? l.items[place] : value_nil;
}

static struct value do_find_index(struct filter_call *c)
{
	struct value_list l;
	int64_t place;

	return found_at(c, &l, &place) && place >= 0 ? value_int(place) : value_nil;
}

static struct value do_has(struct filter_call *c)
{
	struct value_list l;
	int64_t place;

	return found_at(c, &l, &place) ? value_bool(place >= 0) : value_nil;
}

const struct filter filters_list[] = {
	{ "first", 0, 0, do_first, false },
	{ "last", 0, 0, do_last, false },
	{ "join", 0, 1, do_join, false },
	{ "reverse", 0, 0, do_reverse, false },
	{ "sort", 0, 1, do_sort, false },
	{ "sort_natural", 0, 1, do_sort_natural, false },
	{ "uniq", 0, 1, do_uniq, false },
	{ "compact", 0, 1, do_compact, false },
	{ "concat", 1, 1, do_concat, false },
	{ "map", 1, 1, do_map, false },
	{ "where", 1, 2, do_where, false },
	{ "reject", 1, 2, do_reject, false },
	{ "find", 1, 2, do_find, false },
	{ "find_index", 1, 2, do_find_index, false },
	{ "has", 1, 2, do_has, false },
	{ NULL, 0, 0, NULL, false },
};
