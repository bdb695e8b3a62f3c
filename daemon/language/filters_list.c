/*
 * filters_list.c: filters on lists: first last join reverse sort sort_natural uniq compact concat map where
 * reject find find_index has.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include "program.h"

static struct value part(struct filter_call *c, struct value item, struct value key)
{
	return liquid_part(c->r, item, key, true);
}

static struct value do_first(struct filter_call *c)
{
	return c->in.type == VALUE_TEXT ? value_nil : part(c, c->in, value_text("first"));
}

static struct value do_last(struct filter_call *c)
{
	return c->in.type == VALUE_TEXT || c->in.type == VALUE_OBJECT ? value_nil
								      : part(c, c->in, value_text("last"));
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

static int compare_keyed(const void *pa, const void *pb, void *ctx)
{
	const struct keyed *a = pa, *b = pb;
	struct sorting *s = ctx;
	int sign;

	if (a->key.type == VALUE_NIL || b->key.type == VALUE_NIL) {
		sign = (a->key.type == VALUE_NIL) - (b->key.type == VALUE_NIL);	/* nil comes last */
	} else if (s->natural) {
		sign = compare_natural(s, a->key, b->key);
	} else if ((is_number(a->key) && is_number(b->key)) ||
		   (a->key.type == b->key.type && (a->key.type == VALUE_TEXT || a->key.type == VALUE_TIME ||
							  a->key.type == VALUE_DURATION))) {
		sign = liquid_compare(s->c->r, COMPARE_LT, a->key, b->key) ? -1
			: liquid_compare(s->c->r, COMPARE_GT, a->key, b->key) ? 1 : 0;
	} else {
		s->mixed = true;
		sign = 0;
	}
	return sign ? sign : (a->place > b->place) - (a->place < b->place);
}

static struct value sorted(struct filter_call *c, bool natural)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct keyed *keyed = arena_alloc(c->r->env->arena, (l.count + 1) * sizeof(*keyed));
	bool by_key = c->count && c->args[0].type != VALUE_NIL;
	struct sorting s = { c, natural, false };
	struct value v = liquid_list(c->r, l.items, l.count);

	for (size_t i = 0; i < l.count; i++) {
		keyed[i] = (struct keyed){ by_key ? part(c, l.items[i], c->args[0]) : l.items[i], l.items[i],
			i };
		if (!by_key && natural && l.items[i].type == VALUE_OBJECT) {
			buf_reset(&c->r->scratch);
			value_to_text(&c->r->scratch, l.items[i]);
			keyed[i].key = render_scratch(c->r);
		}
	}
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

static struct value do_uniq(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);
	bool by_key = c->count && c->args[0].type != VALUE_NIL;

	for (size_t i = 0; i < l.count; i++) {
		bool there = false;

		for (size_t k = 0; k < i && !there; k++) {
			c->r->steps++;
			there = by_key ? liquid_equal(part(c, l.items[k], c->args[0]),
						 part(c, l.items[i], c->args[0]))
				       : liquid_equal(l.items[k], l.items[i]);
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

	for (size_t i = 0; i < l.count; i++) {
		struct value v = c->count ? part(c, l.items[i], c->args[0]) : l.items[i];

		if (v.type != VALUE_NIL)
			value_add(b, l.items[i]);
	}
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

/* As Ruby's item[key]: of a text the key itself, if it is in it. */
static struct value item_part(struct value item, struct value key, struct render *r)
{
	if (item.type == VALUE_OBJECT)
		return liquid_part(r, item, key, false);
	if (item.type != VALUE_TEXT || key.type != VALUE_TEXT)
		return value_nil;
	if (key.text.len == 0 ||
		(item.text.len && memmem(item.text.data, item.text.len, key.text.data, key.text.len)))
		return key;
	return value_nil;
}

static struct value do_map(struct filter_call *c)
{
	struct value_list l = liquid_items(c->r, c->in, true);
	struct value_builder *b = value_build_list(c->r->env->arena);

	for (size_t i = 0; i < l.count; i++) {
		if (l.items[i].type != VALUE_OBJECT && l.items[i].type != VALUE_TEXT)
			return render_fail(c->r, "map: an item is a %s and has no part",
				value_type_name(l.items[i].type));
		value_add(b, item_part(l.items[i], c->args[0], c->r));
	}
	return value_built(b);
}

enum match { MATCH_NO, MATCH_YES, MATCH_NEVER };

/*
 * Does the item match KEY, or KEY with VALUE? Texts match by what they contain, as Ruby's String#[] does.
 * On an item that can have no parts (nil, true) the whole filter gives nothing; on a number, which has some
 * in Ruby, it fails.
 */
static enum match match_of(struct filter_call *c, struct value item)
{
	bool with_value = c->count > 1 && c->args[1].type != VALUE_NIL;
	struct value key = c->args[0], found = value_nil;

	if (item.type == VALUE_OBJECT || (item.type == VALUE_TEXT && key.type == VALUE_TEXT)) {
		found = item_part(item, key, c->r);
	} else if (item.type == VALUE_TEXT || item.type == VALUE_INT) {
		render_fail(c->r, "an item is a %s and has no part of that name", value_type_name(item.type));
		return MATCH_NEVER;
	} else {
		return MATCH_NEVER;
	}
	return (with_value ? liquid_equal(found, c->args[1]) : liquid_truth(found)) ? MATCH_YES : MATCH_NO;
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
	{ "first", 0, 0, do_first },
	{ "last", 0, 0, do_last },
	{ "join", 0, 1, do_join },
	{ "reverse", 0, 0, do_reverse },
	{ "sort", 0, 1, do_sort },
	{ "sort_natural", 0, 1, do_sort_natural },
	{ "uniq", 0, 1, do_uniq },
	{ "compact", 0, 1, do_compact },
	{ "concat", 1, 1, do_concat },
	{ "map", 1, 1, do_map },
	{ "where", 1, 2, do_where },
	{ "reject", 1, 2, do_reject },
	{ "find", 1, 2, do_find },
	{ "find_index", 1, 2, do_find_index },
	{ "has", 1, 2, do_has },
	{ NULL, 0, 0, NULL },
};
