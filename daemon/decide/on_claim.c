/*
 * on_claim.c: mails that are due go through the gate and are handed to send; what was not tried comes back.
 *
 * A claim takes rows out of the send lane and keeps the mails in one row of `sending`: it updates no scattered row unless the gate holds something back.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include "calendar.h"
#include "decide.h"
#include "hand.h"
#include "person.h"
#include "shape.h"

METRIC(held, COUNTER, "nurtured_deliveries_total", "result=\"held\"", "Deliveries by result.");
METRIC(skipped, COUNTER, "nurtured_deliveries_total", "result=\"left\"", "Deliveries by result.");
METRIC(late, COUNTER, "nurtured_deliveries_total", "result=\"late\"", "Deliveries by result.");

struct claim {
	struct decide *d;
	struct db *db;
	struct mail_batch *batch;
	int64_t now;
};

void mail_batch_free(struct mail_batch **batch)
{
	if (!*batch)
		return;
	plan_unref(&(*batch)->plan);
	arena_free(&(*batch)->arena);
	free(*batch);
	*batch = NULL;
}

/* --- the mail as send gets it ------------------------------------------------------------------------------------- */

/* p: whose mail it is, NULL: nobody's. */
static const struct address *address_of_row(struct arena *arena, const struct delivery *row, struct person *p, struct err *err)
{
	struct address *a = arena_alloc(arena, sizeof(*a));
	bool known = p && strcmp(row->address, p->row.address) == 0;	/* else tried before, and they have another address since */
	int rc = known ? address_parse_known(row->address, person_bucket(p), a, err) : address_parse(row->address, a, err);

	return rc ? NULL : a;
}

static const struct sender_config *sender_of(const struct claim *c, const struct mail_template *template)
{
	return &c->d->working->operator.senders[template ? template->sender : 0];
}

/* The download itself, if the form that offers it says so. */
static const struct attachment *attachment_of(const struct claim *c, const char *download)
{
	const struct plan *plan = c->d->working;

	for (size_t i = 0; *download && i < plan->form_count; i++) {
		if (plan->forms[i].attachment && strcmp(plan->forms[i].download, download) == 0)
			return plan->forms[i].attachment;
	}
	return NULL;
}

/* What tells least counts. */
static enum tracking track_of(const struct claim *c, const struct person *p, const struct delivery *row, const struct mail_template *template)
{
	const struct plan *plan = c->d->working;
	const struct sequence *sequence = *row->sequence ? plan_sequence(plan, row->sequence) : NULL;
	const struct form *form = p && *p->row.form ? plan_form(plan, p->row.form) : NULL;
	enum tracking track = plan->track;

	if (sequence && sequence->track > track)
		track = sequence->track;
	if (template && template->track > track)
		track = template->track;
	return form && !form->may_track ? TRACK_NONE : track;
}

static int add_mail(struct claim *c, struct person *p, const struct delivery *row, const struct mail_template *template, struct value *values,
		const char *reply_to, struct err *err)
{
	struct arena *arena = c->batch->arena;
	struct mail *m = &c->batch->mails[c->batch->count];
	const struct address *address = address_of_row(arena, row, p, err);

	if (!address)
		return -1;
	*m = (struct mail){
		.batch = c->batch, .delivery = row->id, .prospect = row->prospect, .kind = row->kind == DELIVERY_AGAIN ? DELIVERY_STEP : row->kind, .template = template, .address = address, .sender = sender_of(c, template),
		.to_name = row->kind == DELIVERY_FORWARD || !p ? "" : values_display_name(p, arena), .values = values, .reply_to = reply_to,
		.sequence = arena_strdup(arena, row->sequence), .step = arena_strdup(arena, row->step),
		.track = track_of(c, p, row, template), .download = arena_strdup(arena, row->download), .attachment = attachment_of(c, row->download), .consent = row->kind == DELIVERY_CONFIRM ? row->ref : 0,
		.planned = row->planned, .attempt = row->attempt,
	};
	c->batch->count++;
	c->batch->open++;
	return 0;
}

/* `e`: of a step's mail, whose gate has just passed; else NULL. */
static int put_into_sending(struct claim *c, struct delivery *row, struct person *p, const struct enrolment *e, struct err *err)
{
	bool same = e && strcmp(row->address, p->row.address) == 0;	/* tried before, and they have another address since */

	row->state = DELIVERY_SENDING;
	hand_put(c->d, c->db, row, same ? e : NULL, same ? person_bucket(p) : 0);
	return sending_insert(c->db, row, err);
}

/* Claims the row; *mail_out (may be NULL) for what only steps have, NULL if there is nothing to send. */
static int claim_row(struct claim *c, struct person *p, const struct enrolment *e, struct delivery *row, struct mail **mail_out, struct err *err)
{
	const struct mail_template *template = plan_mail(c->d->working, row->template);

	if (!template)		/* the version of their language is gone; the mail itself is there, perhaps */
		template = plan_mail(c->d->working, mail_base(c->d->arena, row->template));
	if (template)
		row->template = template->name;
	if (mail_out)
		*mail_out = NULL;
	if (!template) {
		row->state = DELIVERY_FAILED;
		row->done = c->now;
		row->reply = "the template is gone";
		return deliveries_put(c->db, row, err);
	}
	if (put_into_sending(c, row, p, e, err))
		return -1;
	if (add_mail(c, p, row, template, values_of_mail(c->d, p, sender_of(c, template), c->batch->arena), NULL, err))
		return -1;
	if (mail_out)
		*mail_out = &c->batch->mails[c->batch->count - 1];
	return 0;
}

/* --- steps --------------------------------------------------------------------------------------------------------- */

static int hold_step(struct claim *c, struct person *p, struct enrolment *e, const struct step *step, const struct gate_answer *gate, struct err *err)
{
	bool told = strcmp(e->why, gate->reason) == 0;

	db_count(c->db, &metric_held, 1);
	if (sequence_rest(c->db, e, step, gate->until, gate->reason, err))
		return -1;
	return told ? 0 : person_journal(p, "hold", step->name, gate->reason, err);
}

/* Whose stage or list has gone from the config finds their new place first. 1 found, 0 none, -1. */
static int load_settled(struct claim *c, int64_t prospect, struct person *p, struct err *err)
{
	int found = person_load(c->d, c->db, prospect, c->now, p, err);

	return found == 1 && p->stage && person_settle(p, err) ? -1 : found;
}

/* What a step sends to this person. */
struct choice {
	const struct mail_template *mail;
	const struct arm *arm;		/* of a test; NULL */
};

static int choose_mail(struct person *p, const struct step *step, const struct enrolment *e, struct choice *out, struct err *err)
{
	*out = (struct choice){ .mail = step->mail };
	if (step->kind == STEP_TEST) {
		if (trial_choose(p, step, e, &out->arm, err))
			return -1;
		out->mail = out->arm->mail;
	}
	out->mail = plan_mail_in(p->plan, out->mail, p->row.language);
	return 0;
}

static const struct arm *arm_of(const struct step *step, const char *name)
{
	size_t i;

	for (i = 0; step->kind == STEP_TEST && i < step->arm_count; i++)
		if (strcmp(step->arms[i].name, name) == 0)
			return &step->arms[i];
	return NULL;
}

static const struct template *subject_of(const struct plan *plan, const struct sequence *s, const struct delivery *mail)
{
	const struct mail_template *template = plan_mail(plan, mail->template);
	int step = plan_step(s, mail->step);
	const struct arm *arm = step < 0 ? NULL : arm_of(&s->steps[step], mail->arm);

	return arm && arm->subject ? arm->subject : template ? template->subject : NULL;
}

#define THREAD_MOST 10

/* The mails of this enrolment that went out before: the new one answers them. */
static int find_thread(struct claim *c, struct person *p, const struct sequence *s, const struct enrolment *e, struct mail *m, struct err *err)
{
	struct mail_before *before = arena_calloc(c->batch->arena, THREAD_MOST, sizeof(*before));
	struct delivery *all;
	size_t count, n = 0, i;

	if (deliveries_of(c->db, p->row.id, 20 * THREAD_MOST, p->arena, &all, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (all[i].enrolment != e->id || (all[i].state != DELIVERY_SENT && all[i].state != DELIVERY_UNKNOWN))
			continue;
		/* the subject is that of the first of all; References need not name each */
		m->first_subject = subject_of(p->plan, s, &all[i]);
		if (n < THREAD_MOST) {
			n++;
			before[THREAD_MOST - n] = (struct mail_before){ .delivery = all[i].id, .planned = all[i].planned,
				.domain = sender_of(c, plan_mail(p->plan, all[i].template))->message_domain };
		}
	}
	m->before = before + THREAD_MOST - n;
	m->before_count = m->first_subject ? n : 0;
	return 0;
}

static bool uses(const struct template *t, int place)
{
	return t && place >= 0 && template_uses(t, place);
}

/* What only the mail of a step can have. */
static int dress_step(struct claim *c, struct person *p, const struct sequence *s, const struct step *step, const struct enrolment *e,
		const struct delivery *row, struct mail *m, struct err *err)
{
	const struct arm *arm = arm_of(step, row->arm);
	int place = c->d->places.owner;
	const struct owner *owner = NULL;
	bool shown;

	m->subject = arm ? arm->subject : NULL;
	m->one_to_one = s->one_to_one || m->template->one_to_one;
	m->mailing = !*s->enter_on;
	if ((step->same_thread || m->one_to_one) && find_thread(c, p, s, e, m, err))
		return -1;
	shown = uses(m->template->html, place) || uses(m->template->text, place) || uses(m->subject, place) || uses(m->first_subject, place);
	if ((step->as_owner || m->one_to_one || shown) && owner_of(p, &owner, err))
		return -1;
	if (step->as_owner || m->one_to_one)
		m->owner = owner;
	if (shown) {
		struct value *values = arena_alloc(c->batch->arena, (vocabulary_count(p->plan->mail_names) + 1) * sizeof(*values));

		memcpy(values, m->values, (vocabulary_count(p->plan->mail_names) + 1) * sizeof(*values));
		values[place] = owner_value(owner, c->batch->arena);
		m->values = values;
	}
	return 0;
}

static int claim_step_mail(struct claim *c, struct person *p, const struct sequence *s, const struct step *step, const struct enrolment *e,
		struct delivery *row, struct err *err)
{
	struct mail *m;

	if (claim_row(c, p, e, row, &m, err))
		return -1;
	return m ? dress_step(c, p, s, step, e, row, m, err) : 0;
}

/*
 * When the gate first allowed the step: the time for which its row waited, and that is not quiet. A daemon that was down for a
 * day has not given the mail a day more.
 */
static int note_allowed(struct claim *c, struct person *p, const struct step *step, struct enrolment *e, int64_t due, struct err *err)
{
	struct calendar calendar;

	if (!step->valid_for || e->allowed)
		return 0;
	calendar = calendar_of_person(p);
	e->allowed = step->even_in_quiet ? due : calendar_open(&calendar, due);
	if (e->allowed > c->now)
		e->allowed = c->now;
	return p->failed ? err_set(err, "%s", p->err.text) : enrolments_update(c->db, e, err);
}

/* What its mail waited for was a time that a field says: now that it is begun, it follows the field no more, or it would come twice. */
static int note_begun(struct claim *c, const struct sequence *s, struct enrolment *e, struct err *err)
{
	int waited = plan_step(s, e->why);

	if (waited < 0 || s->steps[waited].kind != STEP_WAIT_UNTIL || s->steps[waited].until.field < 0)
		return 0;
	e->why = "";
	return enrolments_update(c->db, e, err);
}

/* Too late for it: the sequence goes on without. */
static int drop_late(struct claim *c, struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, struct err *err)
{
	struct buf why = BUF_INIT;
	int rc;

	buf_str(&why, "late: it was valid for ");
	text_duration_print(&why, step->valid_for);
	rc = person_journal(p, "late", step->name, buf_cstr(&why), err);
	buf_clear(&why);
	db_count(c->db, &metric_late, 1);
	e->allowed = 0;
	return rc || sequence_go(c->d, c->db, p, s, e, step->next, c->now, err) || person_settle(p, err) ? -1 : 0;
}

/* A mail that they do not want, of a topic that they left: the sequence goes on without it. */
static int skip_step(struct claim *c, struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, const char *why,
		struct err *err)
{
	db_count(c->db, &metric_skipped, 1);
	e->allowed = 0;
	return person_journal(p, "skip", step->name, why, err) || sequence_go(c->d, c->db, p, s, e, step->next, c->now, err) ||
			person_settle(p, err) ? -1 : 0;
}

static bool is_late(const struct claim *c, const struct step *step, const struct enrolment *e)
{
	return step->valid_for && e->allowed && c->now > e->allowed + step->valid_for;
}

/* The gate lets it pass: now it is chosen, unless it is too late. */
static int pass_step(struct claim *c, struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, int64_t due,
		struct err *err)
{
	const struct form *form;
	struct choice choice;
	struct delivery mail;

	if (note_allowed(c, p, step, e, due, err))
		return -1;
	if (is_late(c, step, e))
		return drop_late(c, p, s, step, e, err);
	if (note_begun(c, s, e, err) || choose_mail(p, step, e, &choice, err))
		return -1;
	form = choice.mail->uses_download ? plan_form(c->d->working, p->row.form) : NULL;
	mail = (struct delivery){
		.id = id_new(id_bucket(e->prospect), c->now), .prospect = e->prospect, .kind = DELIVERY_STEP, .enrolment = e->id,
		.sequence = e->sequence, .step = step->name, .template = choice.mail->name, .arm = choice.arm ? choice.arm->name : "",
		.address = p->row.address, .download = form && form->download ? form->download : "", .planned = c->now, .reply = "", .relay_id = "",
	};
	return claim_step_mail(c, p, s, step, e, &mail, err);
}

/* The enrolment has taken over another version, where its step may go by another name. */
static int rename_step(struct db *db, const struct step *step, struct enrolment *e, struct err *err)
{
	e->step = step->name;
	return enrolments_update(db, e, err);
}

static int claim_step(struct claim *c, const struct queue_row *row, struct err *err)
{
	const char *version;
	struct enrolment e;
	struct person p;
	struct gate_answer gate;
	const struct sequence *s;
	int step, found;

	found = load_settled(c, row->prospect, &p, err);
	if (found <= 0)
		return found;
	found = enrolments_find(c->db, row->prospect, row->ref, c->d->arena, &e, err);
	/* what was settled, or came earlier in this batch, may have moved it on, to a row of its own */
	if (found <= 0 || e.state != ENROLMENT_ACTIVE || e.queue_id != row->id)
		return found < 0 ? -1 : 0;
	e.due = 0;	/* its row has just been taken */
	version = e.version;
	found = version_step(c->d, c->db, &e, row->name, c->now, &s, &step, err);
	if (found <= 0)
		return found;
	/* what comes of its mail is for this version */
	if (strcmp(version, e.version) != 0 && rename_step(c->db, &s->steps[step], &e, err))
		return -1;
	if (!sequence_sends(&s->steps[step]) || found == 2)	/* the plan changed under it */
		return sequence_go(c->d, c->db, &p, s, &e, step, c->now, err) || person_settle(&p, err) ? -1 : 0;
	if (gate_check(&p, s, &s->steps[step], &e, e.why, &gate, err))
		return -1;
	switch (gate.verdict) {
	case GATE_HOLD:
		return hold_step(c, &p, &e, &s->steps[step], &gate, err);
	case GATE_SKIP:
		return skip_step(c, &p, s, &s->steps[step], &e, gate.reason, err);
	case GATE_END:
		mail_count_stopped(c->db);
		return enrolment_is_over(&e) ? 0 : sequence_end(c->d, c->db, &e, gate.reason, c->now, err);
	case GATE_PASS:
		break;
	}
	return pass_step(c, &p, s, &s->steps[step], &e, row->due, err);
}

/* --- mails that were planned ahead, or are tried again ------------------------------------------------------------- */

static int close_mail(struct claim *c, struct delivery *mail, const char *reason, struct err *err)
{
	mail_count_stopped(c->db);
	mail->state = DELIVERY_SUPPRESSED;
	mail->done = c->now;
	mail->reply = reason;
	return deliveries_put(c->db, mail, err);
}

/* The reply's words, as the event keeps them. */
static struct value *forward_values(struct claim *c, struct person *p, int64_t event, const char **from_out, struct err *err)
{
	static const char *const reply[] = { "reply", NULL };
	const struct name_places *at = &c->d->places;
	struct arena *arena = c->batch->arena;
	struct value *values = arena_calloc(arena, vocabulary_count(c->d->working->alert_names) + 1, sizeof(*values)), data = value_nil;
	struct event_row *events;
	size_t count, i;
	json_t *json;

	*from_out = p->row.address;
	if (events_latest(c->db, p->row.id, reply, 20, c->d->arena, &events, &count, err))
		return NULL;
	for (i = 0; i < count && events[i].id != event; i++)
		;
	json = i < count ? json_loads(events[i].data, 0, NULL) : NULL;
	if (json)
		data = value_from_json(arena, json);
	json_decref(json);
	if (at->prospect >= 0)
		values[at->prospect] = values_of_prospect(p, arena);
	if (at->words >= 0)
		values[at->words] = value_get(data, slice_of("words"));
	if (at->subject >= 0)
		values[at->subject] = value_get(data, slice_of("subject"));
	if (at->from_name >= 0)
		values[at->from_name] = value_get(data, slice_of("from_name"));
	if (at->from_email >= 0)
		values[at->from_email] = value_get(data, slice_of("from"));
	if (at->company >= 0)
		values[at->company] = value_text(c->d->working->operator.senders[0].company);
	if (value_get(data, slice_of("from")).type == VALUE_TEXT) {
		struct slice from = value_get(data, slice_of("from")).text;

		*from_out = arena_strndup(arena, from.data, from.len);
	}
	return values;
}

static int claim_forward(struct claim *c, struct person *p, struct delivery *mail, struct err *err)
{
	const char *from;
	struct value *values = forward_values(c, p, mail->ref, &from, err);

	if (!values)
		return -1;
	if (put_into_sending(c, mail, p, NULL, err))
		return -1;
	return add_mail(c, p, mail, NULL, values, arena_strdup(c->batch->arena, from), err);
}

/* A confirmation goes to people who did not consent yet, and to those who once unsubscribed, or were erased, and now ask again; to nobody else who is suppressed. */
static int claim_confirm(struct claim *c, struct person *p, struct delivery *mail, struct err *err)
{
	struct gate_answer gate;
	struct suppression s;
	int found = suppressions_find(c->db, p->row.key, c->d->arena, &s, err);

	if (found < 0)
		return -1;
	if (found && !suppression_yields(s.reason))
		return close_mail(c, mail, arena_printf(c->d->arena, "suppressed: %s", s.reason), err);
	if (p->row.consent != CONSENT_PENDING)	/* confirmed, or withdrawn, while it waited to be tried again */
		return close_mail(c, mail, mail_nothing_to_confirm, err);
	gate_check_awaited(p, plan_mail(c->d->working, mail->template), mail->reply, &gate);
	if (gate.verdict == GATE_HOLD) {
		mail->reply = gate.reason;
		return mail_plan(c->db, mail, gate.until, err);
	}
	return claim_row(c, p, NULL, mail, NULL, err);
}

/* Its template is gone from the config: nobody has the mail yet, so that the step is done as the config has it now. */
static int without_template(struct claim *c, struct person *p, struct delivery *mail, const struct sequence *s, struct enrolment *e, int step,
		struct err *err)
{
	if (close_mail(c, mail, "the template is gone", err) || sequence_go(c->d, c->db, p, s, e, step, c->now, err))
		return -1;
	return person_settle(p, err);
}

static int retry_late(struct claim *c, struct person *p, struct delivery *mail, const struct sequence *s, struct enrolment *e, int step, struct err *err)
{
	return close_mail(c, mail, "late", err) || drop_late(c, p, s, &s->steps[step], e, err) ? -1 : 0;
}

static int retry_step(struct claim *c, struct person *p, struct delivery *mail, struct err *err)
{
	const struct sequence *s;
	const char *version;
	int step, found;
	struct gate_answer gate;
	struct enrolment e;

	found = enrolments_find(c->db, mail->prospect, mail->enrolment, c->d->arena, &e, err);
	if (found < 0)
		return -1;
	if (!found || enrolment_is_over(&e))
		return close_mail(c, mail, found ? e.why : "the enrolment is gone", err);
	if (e.state == ENROLMENT_PAUSED)	/* goes on, with a mail of its own, when the enrolment does */
		return close_mail(c, mail, e.why, err);
	e.due = 0;
	version = e.version;
	found = version_step(c->d, c->db, &e, mail->step, c->now, &s, &step, err);
	if (found < 0 || (!found && close_mail(c, mail, e.why, err)))
		return -1;
	if (!found)
		return 0;
	/* the mail or its step is not there any more: the step is done as the config has it now */
	if (strcmp(version, e.version) != 0 && rename_step(c->db, &s->steps[step], &e, err))
		return -1;
	if (found == 1)
		mail->step = s->steps[step].name;
	if (!plan_mail(c->d->working, mail->template) || found == 2)
		return without_template(c, p, mail, s, &e, step, err);
	if (gate_check(p, s, &s->steps[step], &e, mail->reply, &gate, err))
		return -1;
	switch (gate.verdict) {
	case GATE_HOLD:
		if (strcmp(mail->reply, gate.reason) != 0 && person_journal(p, "hold", mail->step, gate.reason, err))
			return -1;
		mail->reply = gate.reason;
		return mail_plan(c->db, mail, gate.until, err);
	case GATE_SKIP:
		return close_mail(c, mail, gate.reason, err) || skip_step(c, p, s, &s->steps[step], &e, gate.reason, err) ? -1 : 0;
	case GATE_END:
		if (!enrolment_is_over(&e) && sequence_end(c->d, c->db, &e, gate.reason, c->now, err))
			return -1;
		return close_mail(c, mail, gate.reason, err);
	case GATE_PASS:
		break;
	}
	if (is_late(c, &s->steps[step], &e))
		return retry_late(c, p, mail, s, &e, step, err);
	return claim_step_mail(c, p, s, &s->steps[step], &e, mail, err);
}

static int close_again(struct claim *c, struct delivery *mail, const char *why, struct err *err)
{
	mail->kind = DELIVERY_STEP;
	return close_mail(c, mail, why, err);
}

/* What its sequence did since is no matter; what they said since is. */
static int claim_again(struct claim *c, struct person *p, struct delivery *mail, struct err *err)
{
	const struct sequence *s = plan_sequence(c->d->working, mail->sequence);
	int step = s ? plan_step(s, mail->step) : -1, found;
	struct gate_answer gate;
	struct enrolment e;
	const char *why;
	struct mail *m;

	if (!person_consents(p, &why))
		return close_again(c, mail, why, err);
	if (gate_check(p, NULL, NULL, NULL, mail->reply, &gate, err))
		return -1;
	if (gate.verdict == GATE_END)
		return close_again(c, mail, gate.reason, err);
	gate_check_awaited(p, plan_mail(c->d->working, mail->template), mail->reply, &gate);
	if (gate.verdict == GATE_HOLD) {
		mail->reply = gate.reason;
		return mail_plan(c->db, mail, gate.until, err);
	}
	found = enrolments_find(c->db, mail->prospect, mail->enrolment, c->d->arena, &e, err);
	if (found < 0 || claim_row(c, p, NULL, mail, &m, err))
		return -1;
	return m && found && step >= 0 ? dress_step(c, p, s, &s->steps[step], &e, mail, m, err) : 0;
}

/* To somebody who wants to see it; `ref` says whose it would be. It is answered to the sender: nobody's reply comes of it. */
static int claim_test(struct claim *c, struct delivery *mail, struct err *err)
{
	struct person p, *whose = NULL;
	struct mail *m;
	int found;

	if (mail->ref) {
		found = person_load(c->d, c->db, mail->ref, c->now, &p, err);
		if (found <= 0)
			return found < 0 ? -1 : close_mail(c, mail, "the prospect is gone", err);
		whose = &p;
	}
	if (claim_row(c, whose, NULL, mail, &m, err))
		return -1;
	if (!m)
		return 0;
	m->reply_to = m->sender->from.text;
	m->owner = test_mail_owner(c->d, mail->arm);
	m->values = test_mail_values(c->d, c->db, whose, m->sender, mail->id, c->batch->arena, err);
	return m->values ? 0 : -1;
}

/* A mail of somebody whom nobody here knows: what was kept of it, with a word of why. */
static int claim_stranger(struct claim *c, struct delivery *mail, struct err *err)
{
	static const char note[] = "(It came without a token of ours, and nobody here has this address: nothing followed from it but this mail.)";
	const struct name_places *at = &c->d->places;
	struct arena *arena = c->batch->arena;
	struct value *values = arena_calloc(arena, vocabulary_count(c->d->working->alert_names) + 1, sizeof(*values));
	struct value_builder *who = value_build_object(arena);
	const char *text, *from, *name, *words, *subject;
	int found = mail_data_find(c->db, mail->id, c->d->arena, &text, err);
	json_t *json = found == 1 ? json_loads(text, 0, NULL) : NULL;

	if (found < 0)
		return -1;
	from = json ? json_string_value(json_object_get(json, "from")) : "";
	name = json ? json_string_value(json_object_get(json, "from_name")) : "";
	words = json ? json_string_value(json_object_get(json, "words")) : "";
	subject = json ? json_string_value(json_object_get(json, "subject")) : "";
	value_put(who, "email", value_text(arena_strdup(arena, from ? from : "")));
	value_put(who, "name", name && *name ? value_text(arena_strdup(arena, name)) : value_nil);
	if (at->prospect >= 0)
		values[at->prospect] = value_built(who);
	if (at->words >= 0)
		values[at->words] = value_text(arena_printf(arena, "%s\n\n%s", words ? words : "", note));
	if (at->subject >= 0)
		values[at->subject] = value_text(arena_strdup(arena, subject ? subject : ""));
	if (at->from_email >= 0)
		values[at->from_email] = value_text(arena_strdup(arena, from ? from : ""));
	if (at->from_name >= 0 && name && *name)
		values[at->from_name] = value_text(arena_strdup(arena, name));
	if (at->company >= 0)
		values[at->company] = value_text(c->d->working->operator.senders[0].company);
	from = arena_strdup(arena, from ? from : "");
	json_decref(json);
	return put_into_sending(c, mail, NULL, NULL, err) || add_mail(c, NULL, mail, NULL, values, from, err) ? -1 : 0;
}

static int claim_mail(struct claim *c, const struct queue_row *row, struct err *err)
{
	struct delivery mail;
	struct person p;
	int found = deliveries_find(c->db, row->ref, c->d->arena, &mail, err);

	if (found <= 0 || (mail.state != DELIVERY_PLANNED && mail.state != DELIVERY_DEFERRED))
		return found < 0 ? -1 : 0;
	if (mail.kind == DELIVERY_TEST)
		return claim_test(c, &mail, err);
	if (mail.kind == DELIVERY_FORWARD && !mail.prospect)
		return claim_stranger(c, &mail, err);
	found = load_settled(c, mail.prospect, &p, err);
	if (found <= 0)
		return found < 0 ? -1 : close_mail(c, &mail, "the prospect is gone", err);
	switch (mail.kind) {
	case DELIVERY_CONFIRM:
		return claim_confirm(c, &p, &mail, err);
	case DELIVERY_FORWARD:
		return claim_forward(c, &p, &mail, err);
	case DELIVERY_STEP:
		return retry_step(c, &p, &mail, err);
	case DELIVERY_AGAIN:
		return claim_again(c, &p, &mail, err);
	case DELIVERY_TEST:
		break;
	}
	return 0;
}

/* Mails that somebody waits for, then, unless it is these alone, the others as far as there is room. */
static int take_due(struct claim *c, size_t max, bool awaited, struct queue_row **out, size_t *count_out, struct err *err)
{
	struct queue_row *rows = NULL, *others = NULL, *all;
	size_t count = 0, more = 0;

	if (queue_take(c->db, LANE_SEND_FIRST, c->now, max, c->d->arena, &rows, &count, err))
		return -1;
	if (!awaited && count < max && queue_take(c->db, LANE_SEND, c->now, max - count, c->d->arena, &others, &more, err))
		return -1;
	if (count && more) {
		all = arena_alloc(c->d->arena, (count + more) * sizeof(*all));
		memcpy(all, rows, count * sizeof(*all));
		memcpy(all + count, others, more * sizeof(*all));
		rows = all;
	}
	*out = count ? rows : others;
	*count_out = count + more;
	return 0;
}

static int claim_row_of(struct claim *c, const struct queue_row *row, struct err *err)
{
	size_t before = c->batch->count;
	int rc = row->kind == QUEUE_STEP ? claim_step(c, row, err) : claim_mail(c, row, err);

	for (; !rc && before < c->batch->count; before++)
		c->batch->mails[before].awaited = row->lane == LANE_SEND_FIRST;
	return rc;
}

static int claim_some(struct decide *d, struct db *db, size_t max, bool awaited, struct mail_batch **out, struct err *err)
{
	struct claim c = { .d = d, .db = db, .now = clock_now() };
	struct queue_row *rows;
	size_t count, i;
	int rc = 0;

	decide_arena(d);
	if (take_due(&c, max, awaited, &rows, &count, err))
		return -1;
	c.batch = xcalloc(1, sizeof(*c.batch));
	c.batch->arena = arena_new(16 * 1024);
	c.batch->plan = plan_ref(d->working);
	c.batch->mails = arena_calloc(c.batch->arena, count + 1, sizeof(*c.batch->mails));
	for (i = 0; !rc && i < count; i++)
		rc = claim_row_of(&c, &rows[i], err);
	if (rc || shape_keep(d->shape, db, false, err)) {
		mail_batch_free(&c.batch);
		return -1;
	}
	c.batch->more = count > c.batch->count;
	*out = c.batch;
	return 0;
}

int on_claim(struct decide *d, struct db *db, size_t max, struct mail_batch **out, struct err *err)
{
	return claim_some(d, db, max, false, out, err);
}

int on_claim_awaited(struct decide *d, struct db *db, size_t max, struct mail_batch **out, struct err *err)
{
	return claim_some(d, db, max, true, out, err);
}

int on_release(struct decide *d, struct db *db, const int64_t *deliveries, size_t count, int64_t at, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	size_t i;
	int found;

	for (i = 0; i < count; i++) {
		found = sending_take(db, deliveries[i], arena, &mail, err);
		if (found < 0)
			return -1;
		if (!found)
			continue;
		mail.state = mail.attempt ? DELIVERY_DEFERRED : DELIVERY_PLANNED;
		if (mail_plan(db, &mail, at, err))
			return -1;
	}
	return 0;
}
