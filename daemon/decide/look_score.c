/*
 * look_score.c: a person's score taken apart: each rule, what time alone will change, and whether the events that are kept give the same. Reader
 * thread.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"

#include "look.h"

/* How far ahead time is looked at, and at how many instants. */
#define AHEAD (365 * US_DAY)
#define INSTANTS 100

/* What rounding may make of a sum of many terms. */
#define SAME 1e-6

/* --- fit ----------------------------------------------------------------------------------------------------------- */

static json_t *fit_json(struct look *l, const struct score_rule *rule, bool explain, double *fit)
{
	struct expression_env env = person_env(&l->person);
	bool holds = expression_holds(rule->when, &env, NULL);
	json_t *json = json_pack("{s:o, s:o, s:b, s:o}",
		"rule", answer_text(rule->name),
		"points", answer_points(rule->points),
		"holds", holds,
		"when", look_source(rule->when));

	if (holds)
		*fit += rule->points;
	if (explain)
		json_object_set_new(json, "parts", look_explain(l, rule->when));
	return json;
}

static json_t *fit_rules(struct look *l, bool explain, double *fit)
{
	const struct plan *plan = l->person.plan;
	json_t *list = json_array();
	size_t i;

	*fit = 0;
	for (i = 0; i < plan->fit_count; i++)
		json_array_append_new(list, fit_json(l, &plan->fit[i], explain, fit));
	return list;
}

/* --- interest ------------------------------------------------------------------------------------------------------ */

static const struct score_rule *rule_named(const struct plan *plan, const char *name)
{
	size_t i;

	for (i = 0; i < plan->interest_count; i++)
		if (strcmp(plan->interest[i].name, name) == 0)
			return &plan->interest[i];
	return NULL;
}

static const struct term_sum *term_named(const struct term_sum *terms, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(terms[i].rule, name) == 0)
			return &terms[i];
	return NULL;
}

static json_t *term_json(const char *name, const struct term_sum *term)
{
	static const struct term_sum none = { 0 };

	term = term ? term : &none;
	return json_pack("{s:o, s:o, s:o, s:I}",
		"rule", answer_text(name),
		"now", answer_points(term->points),
		"given", answer_points(term->given),
		"count", (json_int_t)term->count);
}

/* What its cap has given within its window: all of it, and nothing more comes until some has fallen out. */
static int add_cap(struct look *l, const struct score_rule *rule, json_t *json, struct err *err)
{
	struct person *p = &l->person;
	double used;

	if (!rule->at_most.within)
		return 0;
	if (terms_sum(p->db, p->row.id, rule->name, p->now - rule->at_most.within + 1, &used, err))
		return -1;
	json_object_set_new(json, "cap", json_pack("{s:I, s:f, s:o, s:b}",
		"points", (json_int_t)rule->at_most.count,
		"within_seconds", (double)rule->at_most.within / 1e6,
		"used", answer_points(used),
		"reached", score_grant(rule, used) == 0));
	return 0;
}

/* The check of one rule: what is recorded of it, and what the events give. */
struct sums {
	double recorded, again;
	json_t *differ;		/* rules of which they are not the same */
	json_t *unknown;	/* rules that cannot be asked again */
};

static int compare_rule(struct look *l, const struct score_rule *rule, double recorded, struct sums *sums, struct err *err)
{
	double again = recorded;
	int known = score_replay(&l->person, rule, &again, err);

	if (known < 0)
		return -1;
	if (!known)
		json_array_append_new(sums->unknown, answer_text(rule->name));
	else if (fabs(again - recorded) > SAME)
		json_array_append_new(sums->differ, json_pack("{s:o, s:o, s:o}",
			"rule", answer_text(rule->name),
			"recorded", answer_points(recorded),
			"recomputed", answer_points(again)));
	sums->recorded += recorded;
	sums->again += again;
	return 0;
}

static int rule_json(struct look *l, const struct score_rule *rule, const struct term_sum *term, bool explain, struct sums *sums, json_t *list,
		struct err *err)
{
	json_t *json = term_json(rule->name, term);

	json_array_append_new(list, json);
	json_object_set_new(json, "on", answer_text(rule->on));
	json_object_set_new(json, "points", answer_points(rule->points));
	if (explain)
		json_object_set_new(json, "when", look_source(rule->when));
	return add_cap(l, rule, json, err) || compare_rule(l, rule, term ? term->points : 0, sums, err) ? -1 : 0;
}

/* The rules of the config, and those that once were in it and gave points. */
static int interest_rules(struct look *l, bool explain, struct sums *sums, json_t *list, struct err *err)
{
	struct person *p = &l->person;
	struct term_sum *terms;
	size_t count, i;

	if (terms_by_rule(p->db, p->row.id, p->now, p->plan->half_life, l->arena, &terms, &count, err))
		return -1;
	for (i = 0; i < p->plan->interest_count; i++) {
		const struct score_rule *rule = &p->plan->interest[i];

		if (rule_json(l, rule, term_named(terms, count, rule->name), explain, sums, list, err))
			return -1;
	}
	for (i = 0; i < count; i++) {
		if (rule_named(p->plan, terms[i].rule))
			continue;
		json_array_append_new(list, term_json(terms[i].rule, &terms[i]));
		sums->recorded += terms[i].points;
		sums->again += terms[i].points;
	}
	return 0;
}

/* --- what time alone changes --------------------------------------------------------------------------------------- */

static void note(json_t *list, int64_t at, const char *what, const char *from, const char *to)
{
	if (strcmp(from, to) != 0)
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}",
			"at", answer_time(at),
			"what", what,
			"from", answer_text(from),
			"to", answer_text(to)));
}

static const char *hot_word(bool hot)
{
	return hot ? "hot" : "not hot";
}

/* From one instant at which something may change to the next. The row of the person is left as it will be then. */
static int foresee(struct look *l, json_t *list, struct err *err)
{
	struct person *p = &l->person;
	int64_t end = p->now + AHEAD, due;
	int i, unit;

	if (person_foresee(p, err))
		return -1;
	for (i = 0; i < INSTANTS && (due = person_wakes(p, &unit)) <= end; i++) {
		struct prospect was = p->row;

		p->now = due;
		if (person_foresee(p, err))
			return -1;
		note(list, due, "stage", was.stage, p->row.stage);
		note(list, due, "list", was.list, p->row.list);
		note(list, due, "hot", hot_word(was.hot), hot_word(p->row.hot));
	}
	return 0;
}

json_t *look_time(struct look *l, struct err *err)
{
	struct person was = l->person;
	json_t *list = json_array();
	int rc = foresee(l, list, err);

	l->person = was;
	if (!rc)
		return list;
	json_decref(list);
	return NULL;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static json_t *check_json(struct look *l, double fit, const struct sums *sums)
{
	struct person *p = &l->person;
	double stored = person_interest(p), off = stored - sums->again;

	return json_pack("{s:b, s:f, s:f, s:f, s:f, s:f, s:f, s:O, s:O}",
		"agrees", fabs(off) <= SAME && fit == p->row.fit,
		"stored", stored,
		"recomputed", sums->again,
		"differs_by", fabs(off) <= SAME ? 0.0 : off,
		"granted", sums->recorded,
		"fit_stored", p->row.fit,
		"fit_recomputed", fit,
		"rules", sums->differ,
		"not_asked_again", sums->unknown);
}

static int score_json(struct look *l, bool explain, json_t *json, struct err *err)
{
	struct person *p = &l->person;
	struct sums sums = { .differ = json_array(), .unknown = json_array() };
	struct expression_env env = person_env(p);
	json_t *rules = json_array(), *fits, *changes = NULL;
	double fit;
	int rc;

	fits = fit_rules(l, explain, &fit);
	json_object_set_new(json, "half_life_seconds", json_real((double)p->plan->half_life / 1e6));
	if (p->plan->graded) {
		struct value grade = env.symbol(env.ctx, p->plan->symbol_grade);

		json_object_set_new(json, "grade", grade.type == VALUE_TEXT ? json_stringn(grade.text.data, grade.text.len) : json_null());
	}
	json_object_set_new(json, "fit_rules", fits);
	json_object_set_new(json, "interest_rules", rules);
	rc = interest_rules(l, explain, &sums, rules, err);
	if (!rc && !(changes = look_time(l, err)))
		rc = -1;
	json_object_set_new(json, "changes", changes);
	json_object_set_new(json, "check", check_json(l, fit, &sums));
	json_decref(sums.differ);
	json_decref(sums.unknown);
	return rc || !p->failed ? rc : err_set(err, "%s", p->err.text);
}

int look_score(const struct plan *plan, struct db *db, const char *id_or_address, bool explain, struct buf *out, struct err *err)
{
	struct look l;
	json_t *json;
	int rc = look_begin(plan, db, id_or_address, &l, err);

	if (rc <= 0)
		return rc;
	json = look_head(&l);
	rc = score_json(&l, explain, json, err) ? -1 : answer_give(out, json_incref(json), err);
	json_decref(json);
	look_end(&l);
	return rc;
}
