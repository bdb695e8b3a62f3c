/*
 * on_track.c: the website says that somebody did something.
 */
#include <string.h>

#include "base/address.h"
#include "base/id.h"
#include "store/visitors.h"

#include "decide.h"
#include "person.h"

/* Whom it is about: 1 found, 0 nobody, -1. */
static int find_who(struct decide *d, struct db *db, const struct track *fact, struct person *p, struct err *err)
{
	struct delivery clicked;
	int64_t joined;
	int found;

	if (fact->prospect)
		return person_load(d, db, fact->prospect, fact->at, p, err);
	if (fact->address)
		return person_find(d, db, fact->address->key, fact->at, p, err);
	if (fact->click_delivery) {
		found = deliveries_find(db, fact->click_delivery, d->arena, &clicked, err);
		if (found < 0)
			return -1;
		if (found && clicked.prospect)
			return person_load(d, db, clicked.prospect, fact->at, p, err);
	}
	if (!fact->anonymous_id)
		return 0;
	found = visitors_find(db, fact->anonymous_id, &joined, err);
	return found == 1 ? person_load(d, db, joined, fact->at, p, err) : found;
}

static uint16_t bucket_of(const struct track *fact)
{
	if (fact->prospect)
		return id_bucket(fact->prospect);
	if (fact->address)
		return fact->address->bucket;
	return address_bucket(fact->anonymous_id ? fact->anonymous_id : fact->message_id);
}

int on_track(struct decide *d, struct db *db, const struct track *fact, struct track_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	const char *answer;
	struct person p;
	int found;

	*out = (struct track_result){ 0 };
	if (fact->message_id && *fact->message_id) {
		found = once_take(db, bucket_of(fact), arena_printf(arena, "track/%s", fact->message_id), fact->at, "", arena, &answer, err);
		if (found < 0)
			return -1;
		if (!found) {
			out->repeated = out->known = true;
			return 0;
		}
	}
	found = find_who(d, db, fact, &p, err);
	if (found < 0)
		return -1;
	if (!found) {
		struct event_row e = { .at = fact->at, .name = fact->event, .subject = fact->subject, .data = fact->properties };

		return fact->anonymous_id ? visitors_add_event(db, fact->anonymous_id, &e, err) : 0;
	}
	out->known = true;
	hot_ask(&p);
	if (fact->click_delivery && judge_came_back(&p, fact->click_delivery, fact->click_link, err))
		return -1;
	if (visitor_join(&p, fact->anonymous_id, err) ||
			person_happen(&p, fact->event, fact->subject, fact->properties, NULL, err))
		return -1;
	return person_settle(&p, err);
}
