/*
 * on_dot.c: a claimed mail is about to go out for good: the last look whether it still may.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "hand.h"
#include "person.h"
#include "reply.h"

METRIC(stopped, COUNTER, "nurtured_deliveries_total", "result=\"suppressed\"", "Deliveries by result.");

void mail_count_stopped(struct db *db)
{
	db_count(db, &metric_stopped, 1);
}

const char mail_nothing_to_confirm[] = "nothing is to be confirmed any more";

/* Why a claimed mail must not go out any more; NULL if it may. */
static const char *forbidden(struct decide *d, struct db *db, const struct delivery *mail, struct err *err, bool *failed)
{
	struct address address;
	struct suppression s;
	struct enrolment e;
	struct prospect row;
	int found;

	*failed = false;
	if (mail->kind == DELIVERY_FORWARD)
		return NULL;
	if (address_parse(mail->address, &address, err)) {
		*failed = true;
		return NULL;
	}
	found = suppressions_find(db, address.key, d->arena, &s, err);
	if (found == 1 && !(mail->kind == DELIVERY_CONFIRM && strcmp(s.reason, "unsubscribe") == 0))
		return arena_printf(d->arena, "suppressed: %s", s.reason);
	if (found >= 0 && mail->kind == DELIVERY_STEP) {
		found = enrolments_find(db, mail->prospect, mail->enrolment, d->arena, &e, err);
		if (found == 1 && e.state != ENROLMENT_ACTIVE)
			return e.why;
		if (!found)
			return "the enrolment is gone";
	}
	if (found >= 0 && mail->kind == DELIVERY_CONFIRM) {
		found = prospects_find(db, mail->prospect, d->arena, &row, err);
		if (found >= 0 && (!found || row.consent != CONSENT_PENDING))
			return mail_nothing_to_confirm;
	}
	*failed = found < 0;
	return NULL;
}

/* What was suppressed without its sequences being stopped (by another daemon): no row would ever move this one on. */
static int end_withheld(struct decide *d, struct db *db, const struct delivery *mail, struct err *err)
{
	struct enrolment e;
	int found;

	if (mail->kind != DELIVERY_STEP)
		return 0;
	found = enrolments_find(db, mail->prospect, mail->enrolment, d->arena, &e, err);
	if (found <= 0 || e.state != ENROLMENT_ACTIVE)
		return found < 0 ? -1 : 0;
	e.due = 0;
	return sequence_end(d, db, &e, mail->reply, mail->done, err);
}

/* Does the step go out whatever they were mailed, and so through holds, as the gate has it? 1, 0, -1. */
static int even_in_hold(struct decide *d, struct db *db, const struct delivery *mail, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	int found = enrolments_find(db, mail->prospect, mail->enrolment, d->arena, &e, err), step;

	if (found <= 0 || version_of(d, db, &e, &s, err))
		return found <= 0 ? found : -1;
	step = s ? plan_step(s, mail->step) : -1;
	return step >= 0 && s->steps[step].even_in_cap;
}

/* They, or a colleague, answered after it was claimed: it is tried again when the hold is over. 1 it is. */
static int put_off(struct decide *d, struct db *db, struct delivery *mail, struct err *err)
{
	struct hold held;
	int found = hold_find(d->working, db, mail->prospect, mail->address, clock_now(), d->arena, &held, err), even;

	if (found <= 0)
		return found;
	even = even_in_hold(d, db, mail, err);
	if (even)
		return even < 0 ? -1 : 0;
	log_info("mail.withheld", L_ID("delivery", "del", mail->id), L_STR("why", held.why));
	if (sending_take(db, mail->id, d->arena, mail, err) < 0)
		return -1;
	mail->state = DELIVERY_DEFERRED;
	mail->reply = held.why;
	return mail_plan(db, mail, held.until, err) ? -1 : 1;
}

int on_dot(struct decide *d, struct db *db, int64_t delivery, bool *may_out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	const struct in_hand *in = hand_find(d, delivery);
	struct delivery mail;
	const char *why;
	bool failed;
	int found = sending_dot(db, delivery, err);

	*may_out = found == 1 && in && hand_holds(db, in);
	if (found <= 0 || *may_out)
		return found < 0 ? -1 : 0;
	found = sending_find(db, delivery, arena, &mail, err);
	if (found <= 0)
		return found;
	if (mail.kind == DELIVERY_STEP && (found = put_off(d, db, &mail, err)) != 0)
		return found < 0 ? -1 : 0;
	why = forbidden(d, db, &mail, err, &failed);
	if (failed)
		return -1;
	*may_out = !why;
	if (!why)
		return 0;
	db_count(db, &metric_stopped, 1);
	log_info("mail.withheld", L_ID("delivery", "del", delivery), L_STR("why", why));
	if (sending_take(db, delivery, arena, &mail, err) < 0)
		return -1;
	mail.state = DELIVERY_SUPPRESSED;
	mail.done = clock_now();
	mail.reply = why;
	return deliveries_put(db, &mail, err) || end_withheld(d, db, &mail, err) ? -1 : 0;
}
