/*
 * on_track.c: the website says that somebody did something.
 */
#include <string.h>

#include "base/address.h"
#include "base/id.h"
#include "store/visitors.h"

#include "decide.h"
#include "person.h"

static int find_visitor(struct decide *d, struct db *db, const char *id, int64_t at, struct person *p, struct err *err)
{
	int64_t joined;
	int found = id ? visitors_find(db, id, &joined, err) : 0;

	return found == 1 ? person_load(d, db, joined, at, p, err) : found;
}

static int find_clicked(struct decide *d, struct db *db, int64_t delivery, int64_t at, struct person *p, struct err *err)
{
	struct delivery clicked;
	int found = delivery ? deliveries_find(db, delivery, d->arena, &clicked, err) : 0;

	return found == 1 ? clicked.prospect ? person_load(d, db, clicked.prospect, at, p, err) : 0 : found;
}

static int find_who(struct decide *d, struct db *db, const struct who *who, int64_t at, struct person *p, struct err *err)
{
	int found = 0;

	if (who->prospect)
		return person_load(d, db, who->prospect, at, p, err);
	if (who->address)
		return person_find(d, db, who->address->key, at, p, err);
	found = find_visitor(d, db, who->user, at, p, err);
	if (!found)
		found = find_clicked(d, db, who->click_delivery, at, p, err);
	return found ? found : find_visitor(d, db, who->anonymous_id, at, p, err);
}

int who_join(struct person *p, const struct who *who, struct err *err)
{
	return visitor_join(p, who->user, err) || visitor_join(p, who->anonymous_id, err) ? -1 : 0;
}

static uint16_t bucket_of(const struct who *who, const char *message_id)
{
	if (who->prospect)
		return id_bucket(who->prospect);
	if (who->address)
		return who->address->bucket;
	return address_bucket(who->user ? who->user : who->anonymous_id ? who->anonymous_id : message_id);
}

/* 1 this message is new, 0 it came before, -1. */
static int take_once(struct decide *d, struct db *db, const struct who *who, const char *message_id, int64_t at, struct err *err)
{
	const char *answer;

	if (!message_id || !*message_id)
		return 1;
	return once_take(db, bucket_of(who, message_id), arena_printf(d->arena, "track/%s", message_id), at, "", d->arena, &answer, err);
}

int who_meet(struct decide *d, struct db *db, const struct who *who, const char *message_id, int64_t at, struct person *p, struct track_result *out,
	struct err *err)
{
	int found;

	decide_arena(d);
	*out = (struct track_result){ 0 };
	found = take_once(d, db, who, message_id, at, err);
	if (found <= 0) {
		out->repeated = out->known = found == 0;
		return found;
	}
	found = find_who(d, db, who, at, p, err);
	out->known = found == 1;
	return found;
}

/* Nobody yet: kept until they say who they are. */
static int keep_for_later(struct db *db, const struct track *fact, struct err *err)
{
	struct event_row e = { .at = fact->at, .name = fact->event, .subject = fact->subject, .data = fact->properties };
	const char *id = fact->who.anonymous_id ? fact->who.anonymous_id : fact->who.user;

	return id ? visitors_add_event(db, id, &e, err) : 0;
}

int on_track(struct decide *d, struct db *db, const struct track *fact, struct track_result *out, struct err *err)
{
	struct person p;
	int found = who_meet(d, db, &fact->who, fact->message_id, fact->at, &p, out, err);

	if (found < 0 || out->repeated)
		return found;
	if (!found)
		return keep_for_later(db, fact, err);
	hot_ask(&p);
	if (fact->who.click_delivery && judge_came_back(&p, fact->who.click_delivery, fact->who.click_link, err))
		return -1;
	if (who_join(&p, &fact->who, err) || (fact->touch && touches_put(db, p.row.id, fact->at, fact->touch, err)) ||
			person_happen(&p, fact->event, fact->subject, fact->properties, NULL, err))
		return -1;
	return person_settle(&p, err);
}
