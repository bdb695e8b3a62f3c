/*
 * post.c: what is claimed, and what becomes of it: mails are rendered and reach people a second later; alerts are delivered at once.
 */
#include <string.h>

#include "inside.h"

#define CLAIM_MAX 100

/* --- claiming --------------------------------------------------------------------------------------------------------------- */

static int claim_cb(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	struct mail_batch **batch = arg;

	mail_batch_free(batch);		/* of a run before */
	return on_claim(s->decide, db, CLAIM_MAX, batch, err);
}

int post_claim(struct simulation *s, struct err *err)
{
	struct mail_batch *batch = NULL;

	if (engine_do(s, claim_cb, &batch, err)) {
		mail_batch_free(&batch);
		return -1;
	}
	if (batch->count)
		agenda_add(&s->agenda, &(struct entry){ .at = s->now + MAIL_TAKES, .act = ACT_POST, .batch = batch });
	else
		mail_batch_free(&batch);
	return 0;
}

void post_drop(struct entry *entry)
{
	mail_batch_free(&entry->batch);
}

/* --- one mail ---------------------------------------------------------------------------------------------------------------- */

static const char *mail_name(const struct mail *mail)
{
	return mail->template ? mail->template->base : "forward";
}

static void tell(struct simulation *s, const struct mail *mail, uint32_t person, struct thing thing)
{
	thing.person = person;
	thing.prospect = mail->prospect;
	thing.mail = mail_name(mail);
	thing.sequence = *mail->sequence ? mail->sequence : NULL;
	thing.step = *mail->step ? mail->step : NULL;
	thing.to = mail->address->text;
	engine_tell(s, &thing);
}

static int skip(struct simulation *s, struct db *db, const struct mail *mail, uint32_t person, bool aborted, const char *why, struct err *err)
{
	struct mail_outcome outcome = { .delivery = mail->delivery, .outcome = OUTCOME_SKIPPED, .abort_step = aborted, .reply = why, .relay_id = "",
			.at = s->now };

	tell(s, mail, person, (struct thing){ .kind = THING_SKIPPED, .why = why });
	return on_outcome(s->decide, db, &outcome, err);
}

/* Why it was not allowed out, as its row says. */
static int withheld(struct simulation *s, struct db *db, const struct mail *mail, uint32_t person, struct err *err)
{
	struct delivery row;
	int found = deliveries_find(db, mail->delivery, s->arena, &row, err);

	if (found < 0)
		return -1;
	tell(s, mail, person, (struct thing){ .kind = THING_SKIPPED, .why = found ? row.reply : "" });
	return 0;
}

static void arrives(struct simulation *s, const struct mail *mail, uint32_t person)
{
	struct someone *who = &s->people[person];

	habits_mail(s, person, mail_name(mail), mail->delivery, mail->kind == DELIVERY_STEP);
	if (mail->kind == DELIVERY_CONFIRM && who->persona && who->persona->confirms)
		habits_confirm(s, person, mail->consent);
}

static void tell_outcome(struct simulation *s, const struct mail *mail, uint32_t person, const struct mail_outcome *outcome, const char *subject,
		const char *arm)
{
	switch (outcome->outcome) {
	case OUTCOME_SENT:
		tell(s, mail, person, (struct thing){ .kind = mail->kind == DELIVERY_FORWARD ? THING_FORWARD : THING_MAIL, .subject = subject, .text = arm,
				.from = mail->owner ? mail->owner->name : NULL });
		break;
	case OUTCOME_UNKNOWN:
		tell(s, mail, person, (struct thing){ .kind = THING_DOUBT, .why = outcome->reply });
		break;
	case OUTCOME_DEFERRED:
		tell(s, mail, person, (struct thing){ .kind = THING_DEFERRED, .until = outcome->retry_at });
		break;
	case OUTCOME_FAILED:
		tell(s, mail, person, (struct thing){ .kind = THING_BOUNCES, .why = outcome->reply });
		break;
	case OUTCOME_SKIPPED:
	case OUTCOME_WITHDRAWN:
		break;
	}
}

/* Which of the mails of a test it is; "" if it is of none. */
static int arm_of(struct simulation *s, struct db *db, const struct mail *mail, const char **out, struct err *err)
{
	struct delivery row;
	int found = deliveries_find(db, mail->delivery, s->arena, &row, err);

	if (found == 1)
		*out = row.arm;
	return found < 0 ? -1 : 0;
}

static int send(struct simulation *s, struct db *db, const struct mail *mail, uint32_t person, const char *subject, struct err *err)
{
	struct mail_outcome outcome = { .delivery = mail->delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "250 2.0.0 Ok", .relay_id = "",
			.at = s->now };
	const char *arm = NULL;

	if (mail->kind != DELIVERY_FORWARD && habits_bounces(s, person, mail_name(mail))) {
		outcome.outcome = OUTCOME_FAILED;
		outcome.hard_bounce = true;
		outcome.code = 550;
		outcome.reply = "550 5.1.1 no such user";
	}
	if (s->options.outcome && !s->options.outcome(s->options.outcome_ctx, mail, &outcome))
		return 0;
	if (s->watch && arm_of(s, db, mail, &arm, err))
		return -1;
	tell_outcome(s, mail, person, &outcome, subject, arm);
	if (on_outcome(s->decide, db, &outcome, err))
		return -1;
	if (mail->kind != DELIVERY_FORWARD && (outcome.outcome == OUTCOME_SENT || outcome.outcome == OUTCOME_UNKNOWN))
		arrives(s, mail, person);
	return 0;
}

static int deliver(struct simulation *s, struct db *db, const struct mail *mail, struct err *err)
{
	uint32_t person = people_find(s, mail->prospect);
	struct err why = { "" };
	const char *subject;
	enum template_result result = render_mail(s->render, mail, s->now, &subject, &why);
	bool may_out;

	if (result != TEMPLATE_DONE)
		return skip(s, db, mail, person, result == TEMPLATE_ABORTED, why.text, err);
	if (on_dot(s->decide, db, mail->delivery, &may_out, err))
		return -1;
	return may_out ? send(s, db, mail, person, subject, err) : withheld(s, db, mail, person, err);
}

static int deliver_cb(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	const struct mail_batch *batch = arg;
	size_t i;

	for (i = 0; i < batch->count; i++)
		if (deliver(s, db, &batch->mails[i], err))
			return -1;
	return 0;
}

int post_deliver(struct simulation *s, const struct entry *entry, struct err *err)
{
	struct mail_batch *batch = entry->batch;
	int rc = engine_do(s, deliver_cb, batch, err);

	mail_batch_free(&batch);
	return rc;
}

/* --- alerts ------------------------------------------------------------------------------------------------------------------ */

/* The rest of the URL is a secret in many chat services. */
static const char *host_of(struct simulation *s, const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	return arena_strndup(s->arena, host, strcspn(host, "/?#"));
}

static int deliver_alert(struct simulation *s, struct db *db, int64_t id, struct err *err)
{
	struct alert_outcome outcome = { .alert = id, .delivered = true, .code = 200, .error = "", .at = s->now };
	struct alert row;
	int found = alerts_find(db, id, s->arena, &row, err);

	if (found <= 0)
		return found;
	engine_tell(s, &(struct thing){ .kind = THING_ALERT, .person = people_find(s, row.prospect), .prospect = row.prospect,
			.to = host_of(s, row.url), .text = row.as });
	return on_alert_outcome(s->decide, db, &outcome, err);
}

static int alerts_cb(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	struct alert_batch *batch;
	size_t i;
	int rc = on_claim_alerts(s->decide, db, CLAIM_MAX, &batch, err);

	if (rc)
		return -1;
	for (i = 0; !rc && i < batch->count; i++)
		rc = deliver_alert(s, db, batch->alerts[i].alert, err);
	alert_batch_free(&batch);
	return rc;
}

int post_alerts(struct simulation *s, struct err *err)
{
	return engine_do(s, alerts_cb, NULL, err);
}
