/*
 * on_enroll.c: somebody is put into a sequence by hand.
 */
#include <stdio.h>

#include "base/clock.h"

#include "decide.h"
#include "person.h"

int on_enroll(struct decide *d, struct db *db, const struct enrolling *fact, struct enrolling_result *out, struct err *err)
{
	const struct sequence *s = plan_sequence(d->working, fact->sequence);
	const char *why_not = NULL;
	struct person p;
	bool holds = true;
	int rc;

	*out = (struct enrolling_result){ 0 };
	if (!s)
		return err_set(err, "no sequence named %s", fact->sequence);
	decide_arena(d);
	rc = person_load(d, db, fact->prospect, fact->at, &p, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		snprintf(out->why_not, sizeof(out->why_not), "nobody has that id");
		return 0;
	}
	p.cause = fact->by ? fact->by : "by hand";
	if (fact->where && person_holds(&p, fact->where, UNIT_NONE, &holds, err))
		return -1;
	if (!holds)
		why_not = "does not match";
	rc = holds ? sequence_enter(&p, s, &why_not, err) : 0;
	if (rc < 0)
		return -1;
	out->entered = rc == 1;
	snprintf(out->why_not, sizeof(out->why_not), "%s", why_not ? why_not : "");
	return person_settle(&p, err);
}
