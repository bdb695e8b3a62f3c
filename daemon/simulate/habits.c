/*
 * habits.c: what the phrases of a persona come to when a mail reaches them, when they become a lead, when they come.
 */
#include <math.h>
#include <string.h>

#include "inside.h"

/* Without `after`: how long it takes them. */
#define OPENS_AFTER (2 * US_HOUR)
#define CLICKS_AFTER (2 * US_HOUR + 10 * US_MINUTE)
#define REPLIES_AFTER US_DAY
#define UNSUBSCRIBES_AFTER (3 * US_HOUR)
#define VISITS_AFTER (3 * US_HOUR)
#define SALES_AFTER (2 * US_HOUR)
#define CONFIRMS_AFTER (5 * US_MINUTE)
/* Of a chance for each mail: spread from the one to the other, half of them within some two and a half hours. */
#define CHANCE_FIRST (5 * US_MINUTE)
#define CHANCE_LAST (3 * US_DAY)

#define AUTO_REPLY_AFTER US_MINUTE
#define SOFT_BOUNCE_AFTER US_MINUTE
#define BACK_AT (9 * 60)		/* minute of the day on which they are back */

/* What a chance is drawn for; opens and clicks share one, so that who clicks has opened. */
enum draw { DRAW_READ, DRAW_PACE, DRAW_OTHER };

/* --- time ------------------------------------------------------------------------------------------------------------------ */

int64_t habits_date(const struct simulation *s, const struct someone *who, const struct persona_date *date, int minute)
{
	const struct zone *zone = who->persona->zone;
	struct zone_time came;
	int64_t at;

	zone_local(zone, who->came, &came);
	if (minute < 0)
		minute = came.hour * 60 + came.minute;
	at = zone_instant(zone, date->year ? date->year : came.year, date->month, date->day, minute / 60, minute % 60, 0);
	if (!date->year && at < who->came)
		at = zone_instant(zone, came.year + 1, date->month, date->day, minute / 60, minute % 60, 0);
	return at;
}

static int64_t on_day(const struct someone *who, int day, int minute)
{
	struct zone_time came;

	zone_local(who->persona->zone, who->came, &came);
	if (minute < 0)
		return zone_instant(who->persona->zone, came.year, came.month, came.day + day, came.hour, came.minute, came.second);
	return zone_instant(who->persona->zone, came.year, came.month, came.day + day, minute / 60, minute % 60, 0);
}

/* Are they away at that instant? Back at *back_out then. */
static bool away(const struct simulation *s, const struct someone *who, int64_t at, int64_t *back_out)
{
	size_t i;

	for (i = 0; i < who->persona->habit_count; i++) {
		const struct habit *h = &who->persona->habits[i];
		int64_t from, till;

		if (h->verb != HABIT_AWAY)
			continue;
		till = habits_date(s, who, &h->date, 0);
		from = h->from.month ? habits_date(s, who, &h->from, 0) : INT64_MIN;
		if (from > till)	/* "from 20 December till 5 January", and both were sought from the day they came */
			from = INT64_MIN;
		if (at >= from && at < till) {
			*back_out = habits_date(s, who, &h->date, BACK_AT);
			return true;
		}
	}
	return false;
}

/* Nobody reads mail before they are back; then in the order in which they would have. */
static int64_t when_back(const struct simulation *s, const struct someone *who, int64_t at)
{
	int64_t back;

	return away(s, who, at, &back) ? back : at;
}

/* --- a mail ---------------------------------------------------------------------------------------------------------------- */

static int64_t usual_delay(enum habit_verb verb)
{
	switch (verb) {
	case HABIT_OPENS:
		return OPENS_AFTER;
	case HABIT_CLICKS:
		return CLICKS_AFTER;
	case HABIT_REPLIES:
		return REPLIES_AFTER;
	case HABIT_UNSUBSCRIBES:
	case HABIT_COMPLAINS:
		return UNSUBSCRIBES_AFTER;
	case HABIT_VISITS:
	case HABIT_DOES:
	case HABIT_PREFERS:
		return VISITS_AFTER;
	case HABIT_BOUNCES:
		return SOFT_BOUNCE_AFTER;
	case HABIT_AWAY:
	case HABIT_SALES_ACCEPTS:
	case HABIT_SALES_REJECTS:
	case HABIT_SALES_WINS:
	case HABIT_SALES_LOSES:
		break;
	}
	return SALES_AFTER;
}

/* How long behind the open they do the rest, where chance decides. */
static int64_t chance_lag(enum habit_verb verb)
{
	return verb == HABIT_OPENS ? 0 : verb == HABIT_REPLIES ? US_HOUR : verb == HABIT_CLICKS ? 2 * US_MINUTE : 3 * US_MINUTE;
}

/* One pace a mail: who opens late clicks late. */
static int64_t chance_delay(const struct simulation *s, uint32_t person, const struct habit *h)
{
	double pace = people_chance(s, person, s->people[person].any_mails, DRAW_PACE);

	return (int64_t)((double)CHANCE_FIRST * pow((double)CHANCE_LAST / (double)CHANCE_FIRST, pace)) + chance_lag(h->verb);
}

static bool names_mail(const struct habit *h, const struct someone *who, const char *mail, bool of_sequence)
{
	if (h->mails.number)
		return of_sequence && (uint32_t)h->mails.number == who->mails;
	return h->mails.name && strcmp(h->mails.name, mail) == 0;
}

static bool wants(const struct simulation *s, uint32_t person, const struct habit *h, const char *mail, bool of_sequence)
{
	const struct someone *who = &s->people[person];
	unsigned draw = h->verb == HABIT_OPENS || h->verb == HABIT_CLICKS ? DRAW_READ : DRAW_OTHER + (unsigned)(h - who->persona->habits);

	if (h->mails.all)
		return of_sequence;
	if (h->mails.chance > 0)
		return of_sequence && people_chance(s, person, who->any_mails, draw) < h->mails.chance;
	return names_mail(h, who, mail, of_sequence);
}

/* Of opens, clicks and replies, one that names the mail comes before those for all. */
static bool named_otherwise(const struct someone *who, const struct habit *h, const char *mail, bool of_sequence)
{
	size_t i;

	if (h->verb > HABIT_REPLIES || (!h->mails.all && h->mails.chance <= 0))
		return false;
	for (i = 0; i < who->persona->habit_count; i++)
		if (who->persona->habits[i].verb == h->verb && names_mail(&who->persona->habits[i], who, mail, of_sequence))
			return true;
	return false;
}

static enum act act_of(enum habit_verb verb)
{
	switch (verb) {
	case HABIT_OPENS:
		return ACT_OPEN;
	case HABIT_CLICKS:
		return ACT_CLICK;
	case HABIT_REPLIES:
		return ACT_REPLY;
	case HABIT_UNSUBSCRIBES:
		return ACT_UNSUBSCRIBE;
	case HABIT_COMPLAINS:
		return ACT_COMPLAIN;
	case HABIT_BOUNCES:
		return ACT_SOFT_BOUNCE;
	case HABIT_VISITS:
		return ACT_VISIT;
	case HABIT_DOES:
		return ACT_DO;
	case HABIT_PREFERS:
		return ACT_PREFER;
	case HABIT_AWAY:
		return ACT_AWAY;
	case HABIT_SALES_ACCEPTS:
	case HABIT_SALES_REJECTS:
	case HABIT_SALES_WINS:
	case HABIT_SALES_LOSES:
		break;
	}
	return ACT_SALES;
}

static void plan_reaction(struct simulation *s, uint32_t person, const struct habit *h, const char *mail, int64_t delivery)
{
	int64_t delay = h->delay >= 0 ? h->delay : h->mails.chance > 0 ? chance_delay(s, person, h) : usual_delay(h->verb), at = s->now + delay;

	if (h->verb != HABIT_BOUNCES)
		at = when_back(s, &s->people[person], at);
	agenda_add(&s->agenda, &(struct entry){ .at = at, .act = act_of(h->verb), .person = person, .ref = delivery, .habit = h, .mail = mail });
}

static bool reacts(const struct habit *h)
{
	return h->when == WHEN_MAIL && h->verb != HABIT_AWAY && h->verb < HABIT_SALES_ACCEPTS && (h->verb != HABIT_BOUNCES || h->soft);
}

void habits_mail(struct simulation *s, uint32_t person, const char *mail, int64_t delivery, bool of_sequence)
{
	struct someone *who = &s->people[person];
	int64_t back;
	size_t i;

	who->any_mails++;
	who->mails += of_sequence;
	for (i = 0; who->persona && i < who->persona->habit_count; i++) {
		const struct habit *h = &who->persona->habits[i];

		if (reacts(h) && !named_otherwise(who, h, mail, of_sequence) && wants(s, person, h, mail, of_sequence))
			plan_reaction(s, person, h, mail, delivery);
	}
	if (who->persona && of_sequence && away(s, who, s->now, &back))
		agenda_add(&s->agenda, &(struct entry){ .at = s->now + AUTO_REPLY_AFTER, .act = ACT_AWAY, .person = person, .ref = delivery, .mail = mail });
}

bool habits_bounces(const struct simulation *s, uint32_t person, const char *mail)
{
	struct someone next = s->people[person];
	size_t i;

	if (!next.persona)
		return false;
	next.mails++;
	for (i = 0; i < next.persona->habit_count; i++) {
		const struct habit *h = &next.persona->habits[i];

		if (h->verb != HABIT_BOUNCES || h->soft)
			continue;
		if (h->mails.all || names_mail(h, &next, mail, true) ||
				(h->mails.chance > 0 && people_chance(s, person, next.any_mails + 1, DRAW_OTHER + (unsigned)i) < h->mails.chance))
			return true;
	}
	return false;
}

/* --- coming, and being a lead ------------------------------------------------------------------------------------------------ */

void habits_come(struct simulation *s, uint32_t person)
{
	struct someone *who = &s->people[person];
	size_t i;

	for (i = 0; i < who->persona->habit_count; i++) {
		const struct habit *h = &who->persona->habits[i];

		if (h->when == WHEN_MAIL)
			continue;
		agenda_add(&s->agenda, &(struct entry){ .act = act_of(h->verb), .person = person, .habit = h,
				.at = h->when == WHEN_DAY ? on_day(who, h->day, h->minute) : habits_date(s, who, &h->date, h->minute) });
	}
}

void habits_lead(struct simulation *s, uint32_t person, int64_t lead)
{
	const struct persona *p = s->people[person].persona;
	size_t i;

	for (i = 0; p && i < p->habit_count; i++)
		if (p->habits[i].verb >= HABIT_SALES_ACCEPTS)
			agenda_add(&s->agenda, &(struct entry){ .at = s->now + (p->habits[i].delay >= 0 ? p->habits[i].delay : SALES_AFTER),
					.act = ACT_SALES, .person = person, .ref = lead, .habit = &p->habits[i] });
}

void habits_confirm(struct simulation *s, uint32_t person, int64_t consent)
{
	const struct persona *p = s->people[person].persona;

	agenda_add(&s->agenda, &(struct entry){ .at = s->now + (p->confirm_delay >= 0 ? p->confirm_delay : CONFIRMS_AFTER), .act = ACT_CONFIRM,
			.person = person, .ref = consent });
}
