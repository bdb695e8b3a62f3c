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
	int step;

	if (version_of(d, db, e, &s, err))
		return -1;
	if (!s)
		return sequence_end(d, db, e, "the sequence is gone", now, err);
	*s_out = s;
	if (!is_current(e, s)) {
		bool restart = s->on_change == CHANGE_RESTART;

		e->version = s->version;
		if (restart) {
			e->allowed = 0;
			*step_out = 0;
			return journal_add(db, e->prospect, now, "restart", e->sequence, "the sequence has changed: from the first step", err) ? -1 : 1;
		}
	}
	step = version_place(s, name);
	if (step < 0 || step >= s->step_count)
		return sequence_end(d, db, e, arena_printf(d->arena, "its step %s is gone from the sequence", name), now, err);
	if (strcmp(s->steps[step].name, name) != 0 &&
			journal_add(db, e->prospect, now, "branch", name, arena_printf(d->arena, "the step is gone from the sequence: %s", s->steps[step].name),
				err))
		return -1;
	*step_out = step;
	return 1;
}

int version_adopt(struct person *p, struct enrolment *e, const struct sequence **out, struct err *err)
{
	const char *before = e->step;
	bool again;
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
	again = (*out)->on_change == CHANGE_RESTART;
	if (!again && strcmp((*out)->steps[step].name, before) == 0)
		return enrolments_update(p->db, e, err) ? -1 : 1;
	/* a wait that has begun keeps its end; who stood at a wait_for that is gone waits for nothing any more */
	if (!again && e->due > p->now && strcmp(e->why, before) != 0)
		return sequence_rest(p->db, e, &(*out)->steps[step], e->due, e->why, err) ? -1 : 1;
	return sequence_go(p->d, p->db, p, *out, e, step, p->now, err) ? -1 : e->state != ENROLMENT_ENDED;
}
