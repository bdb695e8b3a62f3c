/*
 * holidays.c: `holidays` of nurture.yaml: dates, once or every year, for everybody or for some.
 */
#include <string.h>

#include "holidays.h"
#include "scalar.h"

#define HOLIDAYS_MAX 1000

struct holiday_keys {
	const struct yaml_node *on, *when;
};

static const struct key holiday_keys[] = {
	{ ROW(KEY_NODE, holiday_keys, on), .required = true,
		.help = "the day: \"12-25\" every year, or 2026-04-03 once" },
	{ ROW(KEY_EXPRESSION, holiday_keys, when), .fallback_help = "everybody", .help = "for whom" },
	NO_KEY,
};
const struct key_table holiday_table = { "a holiday",
	"No mail goes out on it, and it is no business day; each in their own time zone. Or only the day.", holiday_keys };

static bool same_day(const struct holiday *a, const struct holiday *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day;
}

static void load_holiday(struct load *l, const struct yaml_node *item, struct holiday *h)
{
	struct holiday_keys keys = { 0 };
	struct err err;

	if (item->kind == YAML_TEXT) {
		if (!keys_expect(l, item, YAML_TEXT, "an item of `holidays`"))
			return;
		keys.on = item;
	} else {
		keys_read(l, item, &holiday_table, &keys);
	}
	if (keys.on && scalar_date(keys.on->text, true, &h->year, &h->month, &h->day, &err))
		complain(l, keys.on, "%s", err.text);
	load_expression(l, keys.when, 0, &h->when);
}

/* Twice for everybody is once too often. */
static void check_twins(struct load *l, const struct yaml_node *list, const struct holiday *all, size_t i)
{
	for (size_t k = 0; k < i && all[i].month; k++) {
		if (same_day(&all[k], &all[i]) && list->items[k]->kind == YAML_TEXT && list->items[i]->kind == YAML_TEXT) {
			complain(l, list->items[i], "`%s` is in `holidays` twice", list->items[i]->text);
			return;
		}
	}
}

void holidays_load(struct load *l, const struct yaml_node *list)
{
	size_t n = list ? list->count : 0;
	struct holiday *all = arena_calloc(l->arena, n + 1, sizeof(*all));

	if (n > HOLIDAYS_MAX) {
		complain(l, list, "there are %zu holidays; at most %d are read", n, HOLIDAYS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		load_holiday(l, list->items[i], &all[i]);
		check_twins(l, list, all, i);
	}
	l->plan->holidays = all;
	l->plan->holiday_count = n;
}
