/*
 * on_time.c: what falls due by itself: a wait is over, a held hit takes effect, a score or a window has run down.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

/* It stood at this wait_for, and its time is up. */
static int give_up(struct person *p, const struct sequence *s, const struct enrolment *e, int *step, struct err *err)
{
	const struct step *at = &s->steps[*step];

	if (at->kind != STEP_WAIT_FOR || strcmp(e->why, e->step) != 0 || strcmp(e->why, at->name) != 0)
		return 0;
	p->cause = "waited long enough";
	*step = at->else_step;
	return sequence_waited(p, s, at, false, err);
}

static int step_due(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	struct person p;
	int step, found, left;

	found = enrolments_find(db, row->prospect, row->ref, d->arena, &e, err);
	/* a fact earlier in this batch may have moved it on, to a row of its own */
	if (found <= 0 || e.queue_id != row->id || (e.state != ENROLMENT_ACTIVE && e.state != ENROLMENT_WATCHED))
		return found < 0 ? -1 : 0;
	e.due = 0;
	if (e.state == ENROLMENT_WATCHED)
		return sequence_end(d, db, &e, e.heldout ? "watched long enough" : e.why, now, err);
	found = person_load(d, db, row->prospect, now, &p, err);
	if (found <= 0)
		return found;
	found = version_step(d, db, &e, row->name, now, &s, &step, err);
	if (found <= 0)
		return found;
	left = sequence_check_leave(&p, s, &e, err);
	if (left < 0)
		return -1;
	if (!left) {
		p.cause = "the wait is over";
		if (give_up(&p, s, &e, &step, err) || sequence_go(d, db, &p, s, &e, step, now, err))
			return -1;
	}
	return person_settle(&p, err);
}

/* One open a mail is enough to know; each click counts. */
static int hit_counts(struct person *p, const struct hit *h, const struct delivery *mail, bool *out, struct err *err)
{
	int64_t count, newest, oldest;

	*out = true;
	if (h->kind != 'o')
		return 0;
	if (events_tally(p->db, p->row.id, "open", mail_base(p->arena, mail->template), false, mail->done, 1, &count, &newest, &oldest, err))
		return -1;
	*out = count == 0;
	return 0;
}

static int hit_happens(struct person *p, const struct hit *h, const struct delivery *mail, enum verdict verdict, struct err *err)
{
	const char *url = "";
	struct buf data = BUF_INIT;
	const char *text;
	bool counts;
	int found;

	if (verdict == VERDICT_MACHINE)
		counts = true;
	else if (hit_counts(p, h, mail, &counts, err))
		return -1;
	if (!counts)
		return 0;
	if (h->kind == 'c') {
		found = links_find(p->db, mail->template, h->link, mail->done ? mail->done : h->at, p->arena, &url, err);
		if (found < 0)
			return -1;
		if (!found)
			url = "";
	}
	buf_str(&data, "{\"url\":");
	text_json(&data, url, strlen(url));
	buf_str(&data, ",\"verdict\":");
	buf_str(&data, verdict == VERDICT_MACHINE ? "\"machine\"}" : verdict == VERDICT_HUMAN ? "\"human\"}" : "\"unknown\"}");
	text = arena_strdup(p->arena, buf_cstr(&data));
	buf_clear(&data);
	p->happened = h->at;
	if (verdict == VERDICT_MACHINE)
		return person_happen(p, h->kind == 'c' ? "click_machine" : "open_machine", mail_base(p->arena, mail->template), text, NULL, err);
	return person_happen(p, h->kind == 'c' ? "click" : "open", mail_base(p->arena, mail->template), text, NULL, err);
}

static int hit_settles(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	struct hit h, *all;
	struct delivery mail;
	struct person p;
	size_t count;
	int found;

	found = hits_find(db, row->ref, d->arena, &h, err);
	if (found == 1)
		found = deliveries_find(db, h.delivery, d->arena, &mail, err);
	if (found == 1)
		found = person_load(d, db, h.prospect, now, &p, err);
	if (found <= 0)
		return found;
	if (hits_of_delivery(db, h.delivery, h.at - 5 * US_SECOND, d->arena, &all, &count, err))
		return -1;
	if (h.verdict == VERDICT_UNKNOWN && h.kind == 'c' && verdict_is_burst(all, count, h.at)) {
		h.verdict = VERDICT_MACHINE;
		h.reasons |= VERDICT_BURST;
		if (hits_set_verdict(db, h.id, h.verdict, h.reasons, err))
			return -1;
	}
	if (hit_happens(&p, &h, &mail, h.verdict, err))
		return -1;
	return person_settle(&p, err);
}

static int recheck(struct decide *d, struct db *db, const struct queue_row *row, int64_t now, struct err *err)
{
	struct person p;
	int found = person_load(d, db, row->ref, now, &p, err);

	if (found <= 0)
		return found;
	p.cause = "time";
	return person_settle(&p, err);	/* its recheck is due, so it asks everything that time changes */
}

int on_time(struct decide *d, struct db *db, size_t max, size_t *done_out, struct err *err)
{
	struct arena *rows_arena = arena_new(0);
	struct queue_row *rows;
	int64_t now = clock_now();
	size_t i;
	int rc = queue_take(db, LANE_TIME, now, max, rows_arena, &rows, done_out, err);

	for (i = 0; !rc && i < *done_out; i++) {
		decide_arena(d);
		switch (rows[i].kind) {
		case QUEUE_STEP:
			rc = step_due(d, db, &rows[i], now, err);
			break;
		case QUEUE_SETTLE:
			rc = hit_settles(d, db, &rows[i], now, err);
			break;
		case QUEUE_RECHECK:
			rc = recheck(d, db, &rows[i], now, err);
			break;
		case QUEUE_MAIL:
		case QUEUE_ALERT:	/* of other lanes */
			break;
		}
	}
	arena_free(&rows_arena);
	return rc;
}
