/*
 * filters.c: filters by name and number, and those that are neither of text, numbers nor lists: default,
 * json, date, size.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "dates.h"
#include "program.h"

static const struct filter *const tables[] = { filters_text, filters_number, filters_list, filters_other };

#define TABLES ((int)(sizeof(tables) / sizeof(tables[0])))
#define TABLE_SIZE 64	/* a filter's number is table * this + place */

int filter_find(struct slice name)
{
	for (int t = 0; t < TABLES; t++)
		for (int i = 0; tables[t][i].name; i++)
			if (slice_is(name, tables[t][i].name))
				return t * TABLE_SIZE + i;
	return -1;
}

const struct filter *filter_at(int index)
{
	return &tables[index / TABLE_SIZE][index % TABLE_SIZE];
}

const char *filter_nearest(const char *name)
{
	const char *names[TABLES * TABLE_SIZE + 1];
	int n = 0;

	for (int t = 0; t < TABLES; t++)
		for (int i = 0; tables[t][i].name; i++)
			names[n++] = tables[t][i].name;
	names[n] = NULL;
	return text_nearest(name, names);
}

/* --- default, json, size -------------------------------------------------------------------------------- */

static struct value do_default(struct filter_call *c)
{
	struct value allow = value_get(c->keywords, slice_of("allow_false"));
	bool missing;

	switch (c->in.type) {
	case VALUE_NIL:
		missing = true;
		break;
	case VALUE_BOOL:
		missing = !c->in.boolean && !liquid_truth(allow);
		break;
	case VALUE_TEXT:
		missing = c->in.text.len == 0;
		break;
	case VALUE_LIST:
		missing = c->in.list->count == 0;
		break;
	case VALUE_OBJECT:
		missing = c->in.object->count == 0;
		break;
	case VALUE_SPECIAL:
		missing = true;
		break;
	case VALUE_INT:
	case VALUE_REAL:
	case VALUE_TIME:
	case VALUE_DURATION:
	case VALUE_RANGE:
		missing = false;
		break;
	default:
		missing = false;
	}
	if (!missing)
		return c->in;
	return c->count ? c->args[0] : value_slice((struct slice){ "", 0 });
}

static struct value do_json(struct filter_call *c)
{
	buf_reset(&c->r->scratch);
	value_to_json(&c->r->scratch, c->in);
	return render_scratch(c->r);
}

static struct value do_size(struct filter_call *c)
{
	if (c->in.type != VALUE_TEXT && c->in.type != VALUE_LIST && c->in.type != VALUE_OBJECT &&
		c->in.type != VALUE_RANGE)
		return value_int(0);
	if (c->in.type == VALUE_OBJECT)
		return value_int((int64_t)c->in.object->count);
	return liquid_part(c->r, c->in, value_text("size"), true);
}

/* --- date ----------------------------------------------------------------------------------------------- */

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	return s.len > 0;
}

static struct date at_microsecond(int64_t us)
{
	int64_t seconds = us / US_SECOND - (us % US_SECOND < 0);

	return (struct date){ .seconds = seconds, .nanoseconds = (int)(us - seconds * US_SECOND) * 1000 };
}

static bool date_of(struct filter_call *c, struct date *out)
{
	struct slice s = c->in.text;

	if (c->in.type == VALUE_TIME) {
		*out = at_microsecond(c->in.integer);
		return true;
	}
	if (c->in.type == VALUE_INT || (c->in.type == VALUE_TEXT && all_digits(s))) {
		*out = (struct date){ .seconds = liquid_integer(c->in) };
		return true;
	}
	if (c->in.type != VALUE_TEXT)
		return false;
	if (slice_is_nocase(s, "now") || slice_is_nocase(s, "today")) {
		*out = at_microsecond(c->r->env->now);
		return true;
	}
	return date_read(s, out);
}

static struct value do_date(struct filter_call *c)
{
	struct slice format = liquid_text(c->r, c->args[0]);
	struct date d;

	if (c->in.type == VALUE_NIL || format.len == 0 || !date_of(c, &d))
		return c->in;
	buf_reset(&c->r->scratch);
	if (date_print(&c->r->scratch, format, &d) < 0)
		return render_fail(c->r, "date: this format does not work");
	return render_scratch(c->r);
}

const struct filter filters_other[] = {
	{ "default", 0, 2, do_default, true },
	{ "json", 0, 0, do_json, false },
	{ "size", 0, 0, do_size, false },
	{ "date", 1, 1, do_date, false },
	{ NULL, 0, 0, NULL, false },
};
