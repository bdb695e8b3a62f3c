/*
 * on_bounce.c: a mail came back, or the relay refused it for good. A dead address is suppressed at once. A full or sleeping mailbox is counted:
 * suppressed when it has refused often, over different mails and many days, and nothing in between showed that mail arrives. What is our own
 * fault (a block list, authentication, spam) is never counted against anybody: it is an alarm.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/reason.h"

#include "decide.h"
#include "person.h"
#include "shape.h"

#define LADDER_SOFT 4			/* bounces, */
#define LADDER_MAILS 3			/* of different mails, */
#define LADDER_SPAN (10 * US_DAY)	/* from the first to the last */
#define LADDER_DISABLED 2		/* mails, where the provider says that the account is disabled */
#define LOOK_BACK 40			/* events */

METRIC(hard, COUNTER, "nurtured_bounces_total", "kind=\"hard\"", "Mails that came back or were refused for good, by kind; sender: our own fault.");
METRIC(soft, COUNTER, "nurtured_bounces_total", "kind=\"soft\"", "Mails that came back or were refused for good, by kind; sender: our own fault.");
METRIC(sender, COUNTER, "nurtured_bounces_total", "kind=\"sender\"", "Mails that came back or were refused for good, by kind; sender: our own fault.");

/* --- in doubt ------------------------------------------------------------------------------------------------------ */

int delivery_prove(struct person *p, struct delivery *about, enum delivery_state proven, const char *by, struct err *err)
{
	if (!about->id || about->state != DELIVERY_UNKNOWN)
		return 0;
	about->state = proven;
	about->reply = arena_printf(p->arena, "in doubt until %s told", by);
	return deliveries_put(p->db, about, err) || person_journal(p, "mail", delivery_state_names[proven], about->reply, err) ? -1 : 0;
}

/* --- the ladder ---------------------------------------------------------------------------------------------------- */

struct ladder {
	int soft, mails, disabled;
	int64_t newest, oldest;
	const char *seen[LOOK_BACK];
};

static bool is_disabled(const char *reason, const char *status)
{
	return strcmp(reason, "suspend") == 0 && strlen(status) == 6 && strcmp(status + 1, ".7.13") == 0;
}

static void count_mail(struct ladder *l, const char *delivery)
{
	int i;

	for (i = 0; i < l->mails; i++)
		if (strcmp(l->seen[i], delivery) == 0)
			return;
	l->seen[l->mails++] = delivery;
}

static void step_up(struct ladder *l, const struct event_row *e, struct arena *arena)
{
	json_t *data = json_loads(e->data, 0, NULL);
	const char *delivery = json_string_value(json_object_get(data, "delivery"));
	const char *reason = json_string_value(json_object_get(data, "reason")), *status = json_string_value(json_object_get(data, "status"));

	if (!l->soft++)
		l->newest = e->at;
	l->oldest = e->at;
	count_mail(l, arena_strdup(arena, delivery ? delivery : ""));
	l->disabled += reason && status && is_disabled(reason, status);
	json_decref(data);
}

/* Newest first, up to what last showed that mail arrives. */
static int climb(struct person *p, struct ladder *l, struct err *err)
{
	static const char *const names[] = { "soft_bounce", "open", "click", "reply", "auto_reply", "receipt", NULL };
	struct event_row *events;
	size_t count, i;

	*l = (struct ladder){ 0 };
	if (events_latest(p->db, p->row.id, names, LOOK_BACK, p->arena, &events, &count, err))
		return -1;
	for (i = 0; i < count && strcmp(events[i].name, "soft_bounce") == 0; i++)
		step_up(l, &events[i], p->arena);
	return 0;
}

static bool is_enough(const struct ladder *l)
{
	if (l->disabled >= LADDER_DISABLED && l->mails >= LADDER_DISABLED)
		return true;
	return l->soft >= LADDER_SOFT && l->mails >= LADDER_MAILS && l->newest - l->oldest >= LADDER_SPAN;
}

static const char *data_of(struct person *p, const struct mail_bounce_said *said, const struct delivery *about)
{
	char id[ID_TEXT];
	json_t *json = json_object();
	const char *out;
	char *text;

	json_object_set_new(json, "kind", json_string(said->kind));
	json_object_set_new(json, "reason", json_string(said->reason));
	json_object_set_new(json, "status", json_string(said->status));
	json_object_set_new(json, "diagnostic", json_string(said->diagnostic));
	if (about->id)
		json_object_set_new(json, "delivery", json_string(id_text("del", about->id, id)));
	text = json_dumps(json, JSON_COMPACT);
	out = arena_strdup(p->arena, text ? text : "{}");
	free(text);
	json_decref(json);
	return out;
}

static int soften(struct person *p, const struct mail_bounce_said *said, const struct delivery *about, struct err *err)
{
	struct ladder l;
	char id[ID_TEXT];

	db_count(p->db, &metric_soft, 1);
	if (person_happen(p, "soft_bounce", mail_base(p->arena, about->template), data_of(p, said, about), NULL, err) || climb(p, &l, err))
		return -1;
	if (!is_enough(&l))
		return 0;
	return person_suppress(p, "soft_bounces", arena_printf(p->arena, "%s: %d soft bounces of %d mails in %lld days, %s the last",
			about->id ? id_text("del", about->id, id) : "report", l.soft, l.mails, (long long)((l.newest - l.oldest) / US_DAY), said->reason), err);
}

/* --- a bounce ------------------------------------------------------------------------------------------------------ */

/* Of several recipients the one whom we wrote to; without them, or if it was forwarded to one we do not know, what failed first. */
static struct mail_bounce_said said_of(const struct person *p, const struct mail_fact *fact)
{
	size_t i;

	for (i = 0; i < fact->bounce_count; i++)
		if (strcmp(fact->bounces[i].recipient, p->row.key) == 0 || strcmp(fact->bounces[i].original_recipient, p->row.key) == 0)
			return fact->bounces[i];
	return (struct mail_bounce_said){ .recipient = "", .original_recipient = "", .kind = fact->bounce_kind, .reason = fact->bounce_reason,
		.status = fact->bounce_status, .diagnostic = fact->bounce_diagnostic };
}

void person_bounce_slows(struct person *p, const struct mail_fact *fact, const struct delivery *about)
{
	struct mail_bounce_said said = said_of(p, fact);
	struct slow slow = advice_of_bounce(said.reason, said.diagnostic);

	/* what lay in the mailbox for longer is over */
	if (fact->received + slow.span > fact->at)
		shape_slow(p->d->shape, about->address, &slow, fact->at);
}

/* What is shown for long must not say who it was. */
static const char *without_people(struct arena *arena, const char *words)
{
	char *out = arena_strdup(arena, words), *at = out;

	while ((at = strchr(at, '@'))) {
		char *p = at;

		while (p > out && !strchr(" <>\"'(,;:=", p[-1]))
			*--p = '*';
		at++;
	}
	return out;
}

static int our_fault(struct person *p, const struct mail_bounce_said *said, const struct delivery *about, struct err *err)
{
	db_count(p->db, &metric_sender, 1);
	log_error("bounce.sender", L_ID("delivery", "del", about->id), L_STR("reason", said->reason), L_STR("status", said->status));
	return alarms_raise(p->db, "bounce", said->reason, without_people(p->arena, said->diagnostic), p->now, err) ||
			person_journal(p, "mail", "refused", arena_printf(p->arena, "our fault: %s %s", said->reason, said->diagnostic), err) ? -1 : 0;
}

int person_bounced(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	struct mail_bounce_said said = said_of(p, fact);
	char id[ID_TEXT];

	if (strcmp(said.kind, "delayed") == 0 || !*said.kind)
		return delivery_prove(p, about, DELIVERY_SENT, "a report of delay", err) || person_journal(p, "mail", "delayed", said.diagnostic, err) ? -1 : 0;
	if (about->id) {
		about->state = DELIVERY_FAILED;
		about->reply = arena_printf(p->arena, "bounced: %s %s", said.reason, said.diagnostic);
		if (deliveries_put(p->db, about, err))
			return -1;
	}
	if (strcmp(said.kind, "sender") == 0)
		return our_fault(p, &said, about, err);
	if (strcmp(said.kind, "hard") != 0)
		return soften(p, &said, about, err) || person_settle(p, err) ? -1 : 0;
	db_count(p->db, &metric_hard, 1);
	return person_happen(p, "bounce", mail_base(p->arena, about->template), data_of(p, &said, about), NULL, err) ||
			person_suppress(p, "hard_bounce", about->id ? id_text("del", about->id, id) : fact->mailbox, err) || person_settle(p, err) ? -1 : 0;
}

bool outcome_is_soft_bounce(const struct mail_outcome *fact)
{
	if (fact->hard_bounce || !fact->reason || !*fact->reason || (fact->fault != FAULT_PROSPECT && fact->fault != FAULT_NONE))
		return false;
	return reason_kind(fact->reason, "", fact->code >= 500) == BOUNCE_SOFT;
}

int person_refused(struct person *p, const struct mail_outcome *fact, struct delivery *mail, struct err *err)
{
	struct mail_bounce_said said = { .kind = "soft", .reason = fact->reason, .status = "", .diagnostic = fact->reply ? fact->reply : "" };

	return soften(p, &said, mail, err) || person_settle(p, err) ? -1 : 0;
}
