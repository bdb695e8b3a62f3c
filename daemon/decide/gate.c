/*
 * gate.c: may this mail go out now? Asked when it is claimed, in the order of design section 7: consent, suppression, goal or exit, list
 * still valid, cap, quiet hours and holidays. What it holds back comes with the instant to ask again, what it ends with the reason.
 */
#include <string.h>

#include "base/clock.h"

#include "calendar.h"
#include "decide.h"
#include "person.h"

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
	int64_t count, on_way, newest = 0, oldest = 0;

	if (!list || !list->at_most.within)
		return 1;
	if (events_tally(p->db, p->row.id, "sent", NULL, false, p->now - list->at_most.within + 1, 0, &count, &newest, &oldest, err) ||
			sending_count(p->db, p->row.id, DELIVERY_STEP, &on_way, err))
		return -1;
	count += on_way;
	if (count < list->at_most.count)
		return 1;
	*until_out = oldest ? oldest + list->at_most.within : p->now + US_MINUTE;
	if (*until_out <= p->now)
		*until_out = p->now + US_MINUTE;
	return 0;
}

/* Never behind the hour at which the day's mail ends: they would wait for ever. */
static int64_t place_in_spread(const struct quiet *quiet, int64_t prospect)
{
	int64_t open = (quiet->after - quiet->before) * US_MINUTE, spread = SPREAD < open ? SPREAD : open;

	return spread > 0 ? (int64_t)((uint64_t)prospect * 2654435761u % (uint64_t)spread) : 0;
}

int gate_check(struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, struct gate_answer *out, struct err *err)
{
	struct suppression suppressed;
	struct calendar calendar;
	int64_t until = p->now;
	const char *why;
	int rc, list;

	*out = (struct gate_answer){ .verdict = GATE_PASS };
	if (s && p->row.consent != CONSENT_GIVEN)
		return end(out, p->row.consent == CONSENT_WITHDRAWN ? "consent was withdrawn" : "no consent");
	rc = suppressions_find(p->db, p->row.key, p->arena, &suppressed, err);
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
	list = step && step->even_in_cap ? -1 : plan_list(p->plan, p->row.list);
	rc = under_cap(p, list < 0 ? NULL : &p->plan->lists[list], &until, err);
	if (rc < 0)
		return -1;
	if (!rc)
		return hold(out, until, arena_printf(p->arena, "cap of list %s", p->row.list));
	if (step && step->even_in_quiet)
		return 0;
	calendar = calendar_of_person(p);
	until = calendar_open(&calendar, p->now);
	why = until > p->now ? calendar_why(&calendar, p->now) : NULL;
	if (p->failed)
		return err_set(err, "%s", p->err.text);
	return why ? hold(out, until + place_in_spread(&p->plan->quiet, p->row.id), why) : 0;
}
