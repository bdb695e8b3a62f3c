/*
 * on_identify.c: the website's server says who somebody is. Whom a browser only claims to be is no matter of this: see ingest/message.c.
 */
#include <string.h>

#include "base/id.h"
#include "store/visitors.h"

#include "decide.h"
#include "person.h"

static int set_traits(struct person *p, const struct identify *fact, struct err *err)
{
	size_t i, k;

	for (i = 0; i < fact->trait_count; i++)
		for (k = 0; k < p->plan->field_count; k++)
			if (strcmp(p->plan->fields[k].name, fact->traits[i].name) == 0 &&
					person_set_field(p, (int)k, fact->traits[i].value, true, err))
				return -1;
	if (*fact->language && strcmp(fact->language, p->row.language) != 0) {
		p->row.language = fact->language;
		p->changed = true;
		person_mark_symbol(p, p->plan->symbol_language);
	}
	if (*fact->timezone && strcmp(fact->timezone, p->row.timezone) != 0) {
		p->row.timezone = fact->timezone;
		p->changed = true;
	}
	return 0;
}

int on_identify(struct decide *d, struct db *db, const struct identify *fact, struct track_result *out, struct err *err)
{
	struct person p;
	int found = who_meet(d, db, &fact->who, fact->message_id, fact->at, &p, out, err);

	if (found < 0 || out->repeated)
		return found;
	if (!found && !fact->who.address)
		return 0;
	if (!found)
		person_create(d, db, fact->who.address, fact->at, &p);
	out->known = true;
	if (set_traits(&p, fact, err) || who_join(&p, &fact->who, err) ||
			(fact->touch && touches_put(db, p.row.id, fact->at, fact->touch, err)))
		return -1;
	return person_settle(&p, err);
}
