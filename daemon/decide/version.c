/*
 * version.c: a sequence's file changes while people are under way: who goes on where.
 *
 * An enrolment carries the version that it entered. While it is the one in force there is nothing to do. When it is another, the sequence in
 * force says what happens (`on_change`): `move`, the step of the same name under the new version; `finish`, the version as it was kept in the
 * database, compiled once against the plan in force; `restart`, the new version from its first step. A step that is gone has its fate (`gone`).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#include "decide.h"
#include "person.h"

static bool is_current(const struct enrolment *e, const struct sequence *s)
{
	return !*e->version || strcmp(e->version, s->version) == 0;
}

/* An older version, from the database when it is first asked for; *out NULL: it cannot be finished any more. */
static int find_old(struct decide *d, struct db *db, const struct enrolment *e, const struct sequence **out, struct err *err)
{
	struct plan_errors why = { 0 };
	struct sequence_version kept;
	size_t i;
	int found;

	for (i = 0; i < d->old_count; i++) {
		if (strcmp(d->olds[i].sequence, e->sequence) == 0 && strcmp(d->olds[i].version, e->version) == 0)
			return *out = d->olds[i].as, 0;
	}
	found = versions_find(db, e->sequence, e->version, d->arena, &kept, err);
	if (found < 0)
		return -1;
	*out = found ? plan_old_sequence(d->working, kept.source, &why) : NULL;
	if (!*out)
		log_warn("version.unfinishable", L_STR("sequence", e->sequence), L_STR("version", e->version),
				L_STR("why", found ? buf_cstr(&why.text) : "it was not kept"));
	buf_clear(&why.text);
	d->olds = xgrow(d->olds, &d->old_cap, d->old_count + 1, sizeof(*d->olds));
	d->olds[d->old_count++] = (struct old_version){ .sequence = xstrdup(e->sequence), .version = xstrdup(e->version), .as = *out };
	return 0;
}

void version_forget(struct decide *d)
{
	size_t i;

	for (i = 0; i < d->old_count; i++) {
		free(d->olds[i].sequence);
		free(d->olds[i].version);
	}
	free(d->olds);
	d->olds = NULL;
	d->old_count = d->old_cap = 0;
	d->finishing = false;
}

/* --- steps without a name ------------------------------------------------------------------------------------------- */

/*
 * They are called by their number among those of their verb, which a step that is put before them changes. So in another version they
 * are found again by what does not change: a mail by what it sends; others as the first of their kind behind the last step with a name,
 * or mail, before them.
 */
static bool is_landmark(const struct step *step)
{
	return step->named || sequence_sends(step);
}

static bool is_same_landmark(const struct step *a, const struct step *b)
{
	if (a->named || b->named)
		return a->named && b->named && strcmp(a->name, b->name) == 0;
	if (a->kind != b->kind || !sequence_sends(a))
		return false;
	return a->kind == STEP_SEND ? a->mail == b->mail : strcmp(a->test_id, b->test_id) == 0;
}

static int find_landmark(const struct sequence *s, const struct step *wanted)
{
	int i;

	for (i = 0; i < s->step_count; i++)
		if (is_same_landmark(&s->steps[i], wanted))
			return i;
	return -1;
}

/* Where the unnamed step of the older version is in the new one; *same: it is that step. step_count: at the end. */
static int find_again(const struct sequence *old, int step, const struct sequence *s, bool *same)
{
	int before = step - 1, from = 0, i;
	bool lost = false;	/* the landmark before it is gone too */

	*same = true;
	i = is_landmark(&old->steps[step]) ? find_landmark(s, &old->steps[step]) : -1;
	if (i >= 0)
		return i;
	for (; before >= 0; before--) {
		if (!is_landmark(&old->steps[before]))
			continue;
		from = find_landmark(s, &old->steps[before]) + 1;
		if (from)
			break;
		lost = true;
	}
	if (!from && lost) {	/* nothing says where: not at the beginning, or all of it would be mailed again */
		*same = false;
		return s->step_count;
	}
	for (i = from; i < s->step_count && !is_landmark(&s->steps[i]); i++)
		if (s->steps[i].kind == old->steps[step].kind)
			return i;
	*same = false;
	return from;
}

/* 1 *step_out, *same as find_again(); 0 the older version is not known, or the step has a name; -1. */
static int unnamed_place(struct decide *d, struct db *db, const struct enrolment *e, const char *name, const struct sequence *s, int *step_out,
		bool *same, struct err *err)
{
	const struct sequence *old;
	int step;

	if (find_old(d, db, e, &old, err))
		return -1;
	step = old ? plan_step(old, name) : -1;
	if (step < 0 || old->steps[step].named)
		return 0;
	*step_out = find_again(old, step, s, same);
	return 1;
}

int version_of(struct decide *d, struct db *db, const struct enrolment *e, const struct sequence **out, struct err *err)
{
	const struct sequence *s = plan_sequence(d->working, e->sequence), *old;

	*out = s;
	if (!s || is_current(e, s) || s->on_change != CHANGE_FINISH)
		return 0;
	if (find_old(d, db, e, &old, err))
		return -1;
	if (old)
		*out = old;
	d->finishing = d->finishing || old;
	return 0;
}

int version_place(const struct sequence *s, const char *name)
{
	int step = plan_step(s, name);
	size_t i;

	for (i = 0; step < 0 && i < s->gone_count; i++)
		if (strcmp(s->gone[i].step, name) == 0)
			return s->gone[i].to;
	return step;
}

int version_step(struct decide *d, struct db *db, struct enrolment *e, const char *name, int64_t now, const struct sequence **s_out, int *step_out,
		struct err *err)
{
	const struct sequence *s;
	int step, found = 0;
	bool same = true;

	if (version_of(d, db, e, &s, err))
		return -1;
	if (!s)
		return sequence_end(d, db, e, "the sequence is gone", now, err);
	*s_out = s;
	if (!is_current(e, s) && s->on_change == CHANGE_RESTART) {
		e->version = s->version;
		e->allowed = 0;
		*step_out = 0;
		return journal_add(db, e->prospect, now, "restart", e->sequence, "the sequence has changed: from the first step", err) ? -1 : 2;
	}
	if (!is_current(e, s)) {
		found = unnamed_place(d, db, e, name, s, &step, &same, err);
		e->version = s->version;
	}
	if (found < 0)
		return -1;
	if (!found) {
		step = version_place(s, name);
		same = step >= 0 && step < s->step_count && strcmp(s->steps[step].name, name) == 0;
	}
	if (step < 0 || step >= s->step_count)
		return sequence_end(d, db, e, arena_printf(d->arena, "its step %s is gone from the sequence", name), now, err);
	*step_out = step;
	if (same)
		return 1;
	return journal_add(db, e->prospect, now, "branch", name, arena_printf(d->arena, "the step is gone from the sequence: %s", s->steps[step].name),
		err) ? -1 : 2;
}

int version_adopt(struct person *p, struct enrolment *e, const struct sequence **out, struct err *err)
{
	const char *before = e->step;
	bool stands;
	int step, rc;

	if (version_of(p->d, p->db, e, out, err))
		return -1;
	if (*out && (is_current(e, *out) || strcmp((*out)->version, e->version) == 0))
		return 1;
	/* the paused ones change when they go on, one with a mail under way when it is known what became of that */
	if (*out && e->state == ENROLMENT_PAUSED)
		return 1;
	if (*out && e->state == ENROLMENT_ACTIVE) {
		rc = sequence_mail_on_its_way(p->d, p->db, e, err);
		if (rc)
			return rc;
	}
	if (*out && e->state == ENROLMENT_WATCHED) {
		e->version = (*out)->version;
		return enrolments_update(p->db, e, err) ? -1 : 1;
	}
	rc = version_step(p->d, p->db, e, e->step, p->now, out, &step, err);
	if (rc <= 0)
		return rc;
	stands = strcmp(e->why, before) == 0;
	if (rc == 1 && strcmp((*out)->steps[step].name, before) == 0)
		return enrolments_update(p->db, e, err) ? -1 : 1;
	/* a wait that has begun keeps its end; who stood at a wait_for that is gone waits for nothing any more */
	if ((*out)->on_change != CHANGE_RESTART && e->due > p->now && (rc == 1 || !stands))
		return sequence_rest(p->db, e, &(*out)->steps[step], e->due, stands ? (*out)->steps[step].name : e->why, err) ? -1 : 1;
	return sequence_go(p->d, p->db, p, *out, e, step, p->now, err) ? -1 : e->state != ENROLMENT_ENDED;
}
