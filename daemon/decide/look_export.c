/*
 * look_export.c: all that is known of a person, as one JSON document that can be handed to them (GDPR article 15): where they stand and why, then
 * every row of every table that is about them. The counterpart of on_erase.c. Reader thread.
 */
#include "base/clock.h"
#include "store/export.h"

#include "look.h"

/* The bits of a verdict as what they mean. */
static json_t *reasons_of(json_int_t bits)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < VERDICT_WORDS; i++)
		if (bits & (json_int_t)1 << i)
			json_array_append_new(list, json_string(verdict_words[i].means));
	return list;
}

static void explain_hits(json_t *tables)
{
	json_t *hit;
	size_t i;

	json_array_foreach(json_object_get(tables, "hit"), i, hit)
		json_object_set_new(hit, "reasons", reasons_of(json_integer_value(json_object_get(hit, "reasons"))));
}

static int add_score(const struct plan *plan, struct db *db, const char *who, json_t *json, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = look_score(plan, db, who, false, &text, err);

	if (rc == 1)
		json_object_set_new(json, "score", json_loadb(buf_cstr(&text), text.len, 0, NULL));
	buf_clear(&text);
	return rc < 0 ? -1 : 0;
}

int look_export(const struct plan *plan, struct db *db, const char *who, struct buf *out, struct err *err)
{
	json_t *json = NULL, *tables = NULL;
	struct look l;
	int rc = look_begin(plan, db, who, &l, err);

	if (rc <= 0)
		return rc;
	json = json_pack("{s:o, s:o}", "exported", answer_time(clock_now()), "person", look_head(&l));
	rc = look_add_suppression(&l, json_object_get(json, "person"), err) || look_add_lead(&l, json_object_get(json, "person"), err) ||
		add_score(plan, db, who, json, err) || export_person(db, &l.person.row, &tables, err) ? -1 : 1;
	if (rc == 1) {
		explain_hits(tables);
		json_object_set_new(json, "tables", tables);
		rc = answer_give(out, json, err);
	} else {
		json_decref(json);
	}
	look_end(&l);
	return rc;
}
