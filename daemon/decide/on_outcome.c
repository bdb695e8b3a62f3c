/*
 * on_outcome.c: what became of a mail that was claimed, and how its sequence goes on.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include "decide.h"
#include "hand.h"
#include "person.h"
#include "shape.h"

METRIC(sent, COUNTER, "nurtured_deliveries_total", "result=\"sent\"", "Deliveries by result.");
METRIC(deferred, COUNTER, "nurtured_deliveries_total", "result=\"deferred\"", "Deliveries by result.");
METRIC(failed, COUNTER, "nurtured_deliveries_total", "result=\"failed\"", "Deliveries by result.");
METRIC(unknown, COUNTER, "nurtured_deliveries_total", "result=\"unknown\"", "Deliveries by result.");

const char *const fault_names[] = { "", "relay", "operator", "quota", "sender", "message", "prospect" };

#define HOLD US_DAY

/* An opt-in confirmation in doubt comes again after 1, 4, 16, ... minutes, for so long since it was first planned. */
#define CONFIRM_AGAIN (2 * US_DAY)

/* The event `sent` counts for caps and history. Rarely does a rule name it: then the person is loaded and settled. */
static int happen_sent(struct decide *d, struct db *db, const struct delivery *mail, int64_t at, struct err *err)
{
	struct person p;
	int found;

	if (plan_rules_of(d->working, "sent").count == 0 && !d->finishing)
		return events_insert(db, &(struct event_row){ .id = id_new(id_bucket(mail->id), at), .prospect = mail->prospect, .at = at,
				.name = "sent", .subject = mail_base(d->arena, mail->template), .data = "{}" }, err);
	found = person_load(d, db, mail->prospect, at, &p, err);
	if (found <= 0)
		return found;
	return person_happen(&p, "sent", mail_base(d->arena, mail->template), "{}", NULL, err) || person_settle(&p, err) ? -1 : 0;
}

/* The enrolment whose mail it is; not read again where nobody has touched it since the claim. 1, 0 it is gone, -1. */
static int enrolment_of(struct decide *d, struct db *db, const struct delivery *mail, struct enrolment *out, struct err *err)
{
	const struct in_hand *in = hand_find(d, mail->id);

	if (!in || !hand_holds(db, in))
		return enrolments_find(db, mail->prospect, mail->enrolment, d->arena, out, err);
	*out = in->enrolment;
	return 1;
}

/* Which arm of a test went out, to be counted. */
static int begin_trial(struct decide *d, struct db *db, const struct delivery *mail, int64_t at, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	int found = enrolment_of(d, db, mail, &e, err), step;

	if (found <= 0)
		return found;
	if (version_of(d, db, &e, &s, err))
		return -1;
	step = s ? plan_step(s, mail->step) : -1;
	return step >= 0 && s->steps[step].kind == STEP_TEST ? trial_begin(d, db, &s->steps[step], mail, at, err) : 0;
}

/* The enrolment walks on from the step that was sent (or skipped). */
static int go_on(struct decide *d, struct db *db, const struct delivery *mail, int64_t at, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	int found = enrolment_of(d, db, mail, &e, err), step;
	bool paused;

	if (found <= 0 || enrolment_is_over(&e))
		return found < 0 ? -1 : 0;
	paused = e.state == ENROLMENT_PAUSED;
	if (!paused)
		e.due = 0;
	found = version_step(d, db, &e, mail->step, at, &s, &step, err);
	if (found <= 0)
		return found;
	e.allowed = 0;
	/* of a version that begins anew, or where the step is gone, it is the step to come */
	if (found == 1)
		step = s->steps[step].next;
	if (!paused)
		return sequence_go(d, db, NULL, s, &e, step, at, err);
	/* it went out before the pause was committed: goes on behind it */
	if (step >= s->step_count)
		return sequence_end(d, db, &e, "done", at, err);
	e.step = s->steps[step].name;
	return enrolments_update(db, &e, err);
}

/* A template that fails is mended, or the field that it lacks gets filled: the step is tried again, with a mail of its own. */
static int hold_enrolment(struct decide *d, struct db *db, const struct delivery *mail, const char *why, int64_t at, struct err *err)
{
	struct enrolment e;
	int found = enrolments_find(db, mail->prospect, mail->enrolment, d->arena, &e, err);

	if (found <= 0 || e.state != ENROLMENT_ACTIVE)
		return found < 0 ? -1 : 0;
	if (sequence_hold(d, db, &e, mail->step, at + HOLD, why, err))
		return -1;
	return journal_add(db, mail->prospect, at, "hold", mail->step, why, err);
}

static int bounced(struct decide *d, struct db *db, const struct delivery *mail, int64_t at, struct err *err)
{
	struct person p;
	char id[ID_TEXT];
	int found = person_load(d, db, mail->prospect, at, &p, err);

	if (found <= 0)
		return found;
	return person_suppress(&p, "hard_bounce", id_text("del", mail->id, id), err) ||
			person_happen(&p, "bounce", mail_base(d->arena, mail->template), "{\"kind\":\"hard\"}", NULL, err) || person_settle(&p, err) ? -1 : 0;
}

static int refused(struct decide *d, struct db *db, struct delivery *mail, const struct mail_outcome *fact, struct err *err)
{
	struct person p;
	int found = person_load(d, db, mail->prospect, fact->at, &p, err);

	return found == 1 ? person_refused(&p, fact, mail, err) : found;
}

static int retry(struct db *db, struct delivery *mail, enum delivery_state state, int64_t at, struct err *err)
{
	mail->state = state;
	mail->done = 0;
	return mail_plan(db, mail, at, err);
}

static int finish(struct db *db, struct delivery *mail, enum delivery_state state, int64_t at, struct err *err)
{
	struct delivery row;

	mail->state = state;
	mail->done = at;
	if ((mail->kind == DELIVERY_TEST || (mail->kind == DELIVERY_FORWARD && !mail->prospect)) && mail_data_remove(db, mail->id, err))
		return -1;
	row = *mail;
	if (row.kind == DELIVERY_AGAIN)		/* it is over, and what it was before */
		row.kind = DELIVERY_STEP;
	return deliveries_put(db, &row, err);
}

/* A test mail counts for nothing. */
static void count(struct db *db, struct metric *metric, const struct delivery *mail)
{
	if (mail->kind != DELIVERY_TEST)
		db_count(db, metric, 1);
}

static int64_t confirm_delay(int attempt)
{
	return US_MINUTE << 2 * (attempt < 6 ? attempt - 1 : 5);
}

static int sent_or_doubtful(struct decide *d, struct db *db, struct delivery *mail, const struct mail_outcome *fact, struct err *err)
{
	bool doubt = fact->outcome == OUTCOME_UNKNOWN;

	count(db, doubt ? &metric_unknown : &metric_sent, mail);
	/* a second confirmation does no harm, none at all does; it has the same Message-ID */
	if (doubt && mail->kind == DELIVERY_CONFIRM && fact->at < mail->planned + CONFIRM_AGAIN)
		return retry(db, mail, DELIVERY_DEFERRED, fact->at + confirm_delay(mail->attempt), err);
	if (doubt)
		log_warn("mail.unknown", L_ID("delivery", "del", mail->id), L_STR("why", fact->reply));
	if (finish(db, mail, doubt ? DELIVERY_UNKNOWN : DELIVERY_SENT, fact->at, err))
		return -1;
	if (mail->kind != DELIVERY_STEP)
		return 0;
	if (*mail->arm && begin_trial(d, db, mail, fact->at, err))
		return -1;
	return happen_sent(d, db, mail, fact->at, err) || go_on(d, db, mail, fact->at, err) ? -1 : 0;
}

static int failed(struct decide *d, struct db *db, struct delivery *mail, const struct mail_outcome *fact, struct err *err)
{
	count(db, &metric_failed, mail);
	log_warn("mail.failed", L_ID("delivery", "del", mail->id), L_STR("template", mail->template), L_INT("code", fact->code), L_INT("hard_bounce", fact->hard_bounce));
	if (finish(db, mail, DELIVERY_FAILED, fact->at, err))
		return -1;
	if (mail->kind == DELIVERY_FORWARD || !mail->prospect)
		return 0;
	if (fact->hard_bounce)
		return bounced(d, db, mail, fact->at, err);
	if (outcome_is_soft_bounce(fact) && refused(d, db, mail, fact, err))
		return -1;
	if (mail->kind != DELIVERY_STEP)
		return 0;
	if (journal_add(db, mail->prospect, fact->at, "mail", mail->template, fact->reply, err))
		return -1;
	return go_on(d, db, mail, fact->at, err);
}

static int skipped(struct decide *d, struct db *db, struct delivery *mail, const struct mail_outcome *fact, struct err *err)
{
	count(db, &metric_failed, mail);
	if (!fact->abort_step)
		log_error("mail.template", L_ID("delivery", "del", mail->id), L_STR("template", mail->template), L_STR("why", fact->reply));
	if (finish(db, mail, DELIVERY_FAILED, fact->at, err))
		return -1;
	if (mail->kind != DELIVERY_STEP)
		return 0;
	if (!fact->abort_step)
		return hold_enrolment(d, db, mail, fact->reply, fact->at, err);
	if (journal_add(db, mail->prospect, fact->at, "mail", mail->template, fact->reply, err))
		return -1;
	return go_on(d, db, mail, fact->at, err);
}

const char *mail_sender_domain(const struct decide *d, const struct delivery *mail)
{
	const struct mail_template *template = plan_mail(d->working, mail->template);

	return d->working->operator.senders[template ? template->sender : 0].message_domain;
}

int on_outcome(struct decide *d, struct db *db, const struct mail_outcome *fact, struct err *err)
{
	struct delivery mail;
	int found;

	decide_arena(d);
	found = sending_take(db, fact->delivery, d->arena, &mail, err);
	if (found <= 0)		/* closed already: withheld at the dot, or dealt with after a crash */
		return found;
	/* a person has to see to it, whatever waits meanwhile */
	if (fact->fault == FAULT_SENDER && alarms_raise(db, "sender", mail_sender_domain(d, &mail), fact->reply, fact->at, err))
		return -1;
	shape_heard(d->shape, db, &mail, mail_sender_domain(d, &mail), fact);
	if (shape_keep(d->shape, db, false, err))
		return -1;
	mail.code = fact->code;
	mail.reply = fact->reply ? fact->reply : "";
	mail.relay_id = fact->relay_id ? fact->relay_id : "";
	switch (fact->outcome) {
	case OUTCOME_SENT:
	case OUTCOME_UNKNOWN:
		mail.attempt++;
		return sent_or_doubtful(d, db, &mail, fact, err);
	case OUTCOME_DEFERRED:
		mail.attempt += fact->counted;
		count(db, &metric_deferred, &mail);
		return retry(db, &mail, DELIVERY_DEFERRED, fact->retry_at, err);
	case OUTCOME_FAILED:
		mail.attempt++;
		return failed(d, db, &mail, fact, err);
	case OUTCOME_SKIPPED:
		return skipped(d, db, &mail, fact, err);
	case OUTCOME_WITHDRAWN:
		return finish(db, &mail, DELIVERY_SUPPRESSED, fact->at, err);
	}
	return 0;
}
