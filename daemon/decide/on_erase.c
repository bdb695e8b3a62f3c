/*
 * on_erase.c: a person is forgotten. First they are suppressed and leave everything, so that no mail of theirs is begun any more; then, when none is
 * under way, all that is kept about them goes, and the ledger gets a row that says so. Whatever was interrupted, the same again goes on.
 */
#include <stdio.h>

#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/erase.h"

#include "decide.h"
#include "person.h"

METRIC(erasures, COUNTER, "nurtured_erasures_total", "", "People who were erased.");

int on_forget_person(struct decide *d, struct db *db, const struct erasure *fact, struct erasure_result *out, struct err *err)
{
	struct person p;
	int found;

	*out = (struct erasure_result){ .found = false };
	decide_arena(d);
	found = fact->address ? person_find(d, db, fact->address->key, fact->at, &p, err) : person_load(d, db, fact->prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	out->found = true;
	out->prospect = p.row.id;
	if (person_suppress(&p, "erased", fact->by, err) || person_settle(&p, err))
		return -1;
	CRASH_POINT("erase.suppressed");
	return 0;
}

int on_erase(struct decide *d, struct db *db, const struct erasure *fact, struct erasure_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery *sending;
	struct prospect row;
	size_t count;
	int found = prospects_find(db, fact->prospect, arena, &row, err);

	*out = (struct erasure_result){ .found = found == 1, .prospect = fact->prospect };
	if (found <= 0)
		return found;
	if (sending_of(db, row.id, arena, &sending, &count, err))
		return -1;
	out->under_way = count;
	if (count)
		return 0;
	if (erase_person(db, &row, err) || consents_add(db, &(struct consent){ .id = id_new(id_bucket(row.id), fact->at), .prospect = row.id,
			.what = "erased", .data = "{}", .at = fact->at, .actor = fact->by }, err))
		return -1;
	db_count(db, &metric_erasures, 1);
	log_info("erased", L_ID("prospect", "pro", row.id));
	CRASH_POINT("erase.before_commit");
	return 0;
}
