/*
 * on_rescore.c: hits that were judged once are judged again by the rules of today: lists of networks that came later, other rules of another version.
 * Events, points and sums become what they would be; what sequences did meanwhile, and alerts that went out, stay.
 */
#include <string.h>

#include "decide.h"
#include "person.h"

static int judge_again(struct decide *d, struct db *db, int64_t delivery, int64_t at, struct judged *judged, size_t *scores, struct err *err)
{
	struct delivery mail;
	struct person p;
	size_t changed = judged->changed;
	double score;
	int found = deliveries_find(db, delivery, decide_arena(d), &mail, err);

	if (found == 1)
		found = person_load(d, db, mail.prospect, at, &p, err);
	if (found <= 0)
		return found;
	p.by = BY_TIME;
	p.cause = "judged again";
	score = person_score(&p);
	if (judge_mail(&p, &mail, false, judged, err))
		return -1;
	*scores += person_score(&p) != score;
	return judged->changed == changed ? 0 : person_settle(&p, err);
}

int on_rescore(struct decide *d, struct db *db, const struct rescore *fact, struct rescored *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct judged judged = { 0 };
	int64_t *mails;
	size_t i;
	int rc;

	*out = (struct rescored){ .after = fact->after };
	rc = hits_deliveries(db, fact->bucket, fact->after, fact->since, fact->max, arena, &mails, &out->mails, err);
	for (i = 0; rc == 0 && i < out->mails; i++) {
		out->after = mails[i];
		rc = judge_again(d, db, mails[i], fact->at, &judged, &out->scores, err);
	}
	out->hits = judged.hits;
	out->changed = judged.changed;
	memcpy(out->moves, judged.moves, sizeof(out->moves));
	arena_free(&arena);
	return rc;
}
