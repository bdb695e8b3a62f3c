/*
 * owner.c: which person in sales somebody belongs to: whoever got their lead; for those who are no lead yet, by the rules of sales.yaml.
 */
#include <string.h>

#include "decide.h"
#include "person.h"

int owner_choose(struct person *p, const struct owner **out, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	const struct owner *best = NULL;
	double least = 0;
	bool holds;
	size_t i;

	*out = NULL;
	for (i = 0; i < sales->owner_count; i++) {
		const struct owner *owner = &sales->owners[i];
		int64_t turns;

		if (owner->when) {
			if (person_holds(p, owner->when, UNIT_NONE, &holds, err))
				return -1;
			if (!holds)
				continue;
			*out = owner;
			return 0;
		}
		if (turns_count(p->db, owner->name, &turns, err))
			return -1;
		if (!best || (double)turns / owner->share < least) {
			best = owner;
			least = (double)turns / owner->share;
		}
	}
	*out = best;
	return best ? turns_take(p->db, best->name, err) : 0;
}

int owner_of_lead(struct person *p, const struct owner **out, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	struct lead lead;
	int found = leads_last(p->db, p->row.id, p->arena, &lead, err);
	size_t i;

	*out = NULL;
	if (found < 0)
		return -1;
	for (i = 0; found && i < sales->owner_count; i++)
		if (strcmp(sales->owners[i].name, lead.owner) == 0)
			*out = &sales->owners[i];
	return 0;
}

int owner_of(struct person *p, const struct owner **out, struct err *err)
{
	const struct sales *sales = &p->plan->sales;
	bool holds;
	size_t i;

	if (owner_of_lead(p, out, err))
		return -1;
	for (i = 0; !*out && i < sales->owner_count; i++) {
		if (!sales->owners[i].when)
			continue;
		if (person_holds(p, sales->owners[i].when, UNIT_NONE, &holds, err))
			return -1;
		if (holds)
			*out = &sales->owners[i];
	}
	return 0;
}

struct value owner_value(const struct owner *owner, struct arena *arena)
{
	struct value_builder *b;

	if (!owner)
		return value_nil;
	b = value_build_object(arena);
	value_put(b, "name", value_text(owner->full_name));
	value_put(b, "email", value_text(owner->email));
	return value_built(b);
}
