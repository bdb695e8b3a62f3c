/*
 * gate.c: may this mail go out now? Asked when it is claimed, in the order of design section 7: consent, suppression, goal or exit, list
 * still valid, what they chose (topics, pause, a limit of their own), cap, quiet hours and holidays, and what limits how much goes out. What it holds back comes with the instant to ask again, what it ends with the reason.
 */
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"

#include "calendar.h"
#include "decide.h"
#include "person.h"
#include "reply.h"
#include "shape.h"

/* After quiet hours a night's mail does not go out at one stroke: each person has their own place in the first minutes. */
#define SPREAD (10 * US_MINUTE)

static int hold(struct gate_answer *out, int64_t until, const char *reason)
{
	*out = (struct gate_answer){ .verdict = GATE_HOLD, .until = until, .reason = reason };
	return 0;
}

static int end(struct gate_answer *out, const char *reason)
{
	*out = (struct gate_answer){ .verdict = GATE_END, .reason = reason };
	return 0;
}

/* Mails within the window of the list's cap, and those on their way. 1 there is room. */
static int under_cap(struct person *p, const struct list *list, int64_t *until_out, struct err *err)
{
	int64_t count, newest = 0, oldest = 0;

	if (!list || !list->at_most.within)
		return 1;
	if (events_tally(p->db, p->row.id, "sent", NULL, false, p->now - list->at_most.within + 1, 0, &count, &newest, &oldest, err))
		return -1;
	count += sending_count(p->db, p->row.id, DELIVERY_STEP);
	if (count < list->at_most.count)
		return 1;
	*until_out = oldest ? oldest + list->at_most.within : p->now + US_MINUTE;
	if (*until_out <= p->now)
		*until_out = p->now + US_MINUTE;
	return 0;
}

/* Their own wish, whatever the list allows. 1 there is room. */
static int under_own_limit(struct person *p, int64_t *until_out, struct err *err)
{
	int64_t count, newest = 0, oldest = 0, within = p->row.own_limit.within;

	if (!within)
		return 1;
	if (events_tally(p->db, p->row.id, "sent", NULL, false, p->now - within + 1, 0, &count, &newest, &oldest, err))
		return -1;
	if (count + sending_count(p->db, p->row.id, DELIVERY_STEP) < p->row.own_limit.count)
		return 1;
	*until_out = oldest && oldest + within > p->now ? oldest + within : p->now + US_MINUTE;
	return 0;
}

static const char *own_limit_text(const struct person *p)
{
	int64_t days = p->row.own_limit.within / US_DAY, n = p->row.own_limit.count;

	if (days == 7 || days == 30)
		return arena_printf(p->arena, "own limit of %lld a %s", (long long)n, days == 7 ? "week" : "month");
	return arena_printf(p->arena, "own limit of %lld in %lld days", (long long)n, (long long)days);
}

static const char *pause_text(struct person *p)
{
	struct calendar calendar = calendar_of_person(p);
	struct zone_time day;

	zone_local(calendar.zone, p->row.paused_until, &day);
	return arena_printf(p->arena, "paused until %04d-%02d-%02d", day.year, day.month, day.day);
}

/*
 * What they chose in the preference centre. 1 it says no, in *out. Who left the topic of a sequence is through with it; a single mail of a
 * topic that they left is passed over.
 */
static int check_choices(struct person *p, const struct sequence *s, const struct step *step, struct gate_answer *out, struct err *err)
{
	const char *topic = step ? step_topic(s, step) : NULL;
	int64_t until = 0;
	int rc;

	if (!person_gets_topic(p, s->topic)) {
		end(out, arena_printf(p->arena, "topic %s was left", s->topic));
		return 1;
	}
	if (!person_gets_topic(p, topic)) {
		*out = (struct gate_answer){ .verdict = GATE_SKIP, .reason = arena_printf(p->arena, "topic %s was left", topic) };
		return 1;
	}
	if (p->row.paused_until > p->now) {
		hold(out, p->row.paused_until, pause_text(p));
		return 1;
	}
	/* what they asked for themselves goes over it, as over the cap of the list */
	rc = step && step->even_in_cap ? 1 : under_own_limit(p, &until, err);
	if (rc == 0)
		hold(out, until, own_limit_text(p));
	return rc < 0 ? -1 : !rc;
}

/* They said not now, are away, or a colleague talks with sales. 1 it waits, in *out. What may go out even in a cap goes over it, too. */
static int check_hold(struct person *p, const struct step *step, struct gate_answer *out, struct err *err)
{
	struct hold held;
	int rc = step && step->even_in_cap ? 0 : hold_find(p->plan, p->db, p->row.id, p->row.address, p->now, p->arena, &held, err);

	if (rc == 1)
		hold(out, held.until, held.why);
	return rc;
}

/* Never behind the hour at which the day's mail ends: they would wait for ever. */
static int64_t place_in_spread(const struct quiet *quiet, int64_t prospect)
{
	int64_t open = (quiet->after - quiet->before) * US_MINUTE, spread = SPREAD < open ? SPREAD : open;

	return spread > 0 ? (int64_t)((uint64_t)prospect * 2654435761u % (uint64_t)spread) : 0;
}

#define LATELY (30 * US_DAY)

static const char *sender_domain(const struct plan *plan, const struct mail_template *mail)
{
	return plan->operator.senders[mail ? mail->sender : 0].message_domain;
}

static const char *recipient_domain(const struct person *p)
{
	const char *at = strrchr(p->row.address, '@');

	return at ? at + 1 : "";
}

static void shape(struct person *p, const struct shape_ask *ask, struct gate_answer *out)
{
	int64_t until;
	const char *why;

	*out = (struct gate_answer){ .verdict = GATE_PASS };
	if (!shape_pass(p->d->shape, p->db, ask, p->arena, &until, &why))
		hold(out, until, why);
}

static int shape_step(struct person *p, const struct sequence *s, const struct step *step, const struct calendar *calendar, const char *was,
		struct gate_answer *out, struct err *err)
{
	const struct mail_template *mail = step ? step->mail ? step->mail : step->arm_count ? step->arms[0].mail : NULL : NULL;
	int known = shape_know(p->d->shape, p->db, recipient_domain(p), p->now, err);

	if (known < 0)
		return -1;
	shape(p, &(struct shape_ask){ .domain = recipient_domain(p), .sender = sender_domain(p->plan, mail), .sequence = s->name, .spread = s->spread,
			.id = p->row.id, .awaited = step && step->awaited, .unplaced = !known, .engaged = p->row.interest > 0 && p->row.interest_at > p->now - LATELY,
			.was = was, .calendar = calendar, .now = p->now }, out);
	return p->failed ? err_set(err, "%s", p->err.text) : 0;
}

void gate_check_awaited(struct person *p, const struct mail_template *mail, const char *was, struct gate_answer *out)
{
	shape(p, &(struct shape_ask){ .domain = recipient_domain(p), .sender = sender_domain(p->plan, mail), .id = p->row.id, .awaited = true, .was = was,
			.now = p->now }, out);
}

int gate_check(struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, const char *was, struct gate_answer *out,
		struct err *err)
{
	struct suppression suppressed;
	struct calendar calendar;
	int64_t until = p->now;
	const char *why;
	int rc, list;

	*out = (struct gate_answer){ .verdict = GATE_PASS };
	if (s && !person_consents(p, &why))
		return end(out, why);
	rc = suppressions_find_in(p->db, person_bucket(p), p->row.key, p->arena, &suppressed, err);
	if (rc < 0)
		return -1;
	if (rc)
		return end(out, arena_printf(p->arena, "suppressed: %s", suppressed.reason));
	if (!s)
		return 0;
	rc = sequence_check_leave(p, s, e, err);
	if (rc < 0)
		return -1;
	if (rc)
		return end(out, e->why);
	rc = check_choices(p, s, step, out, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = check_hold(p, step, out, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	list = step && step->even_in_cap ? -1 : plan_list(p->plan, p->row.list);
	rc = under_cap(p, list < 0 ? NULL : &p->plan->lists[list], &until, err);
	if (rc < 0)
		return -1;
	if (!rc)
		return hold(out, until, arena_printf(p->arena, "cap of list %s", p->row.list));
	if (step && step->even_in_quiet)
		return shape_step(p, s, step, NULL, was, out, err);
	calendar = calendar_of_person(p);
	until = calendar_open(&calendar, p->now);
	why = until > p->now ? calendar_why(&calendar, p->now) : NULL;
	if (p->failed)
		return err_set(err, "%s", p->err.text);
	return why ? hold(out, until + place_in_spread(&p->plan->quiet, p->row.id), why) : shape_step(p, s, step, &calendar, was, out, err);
}
