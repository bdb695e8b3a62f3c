/*
 * budget.c: see budget.h.
 *
 * The numbers of a warm-up: at most twice what the day before was allowed, and that only if it was used by half; as it was when more than 2 % of
 * the last mails bounced or more than one in a thousand brought a complaint; half, at once, at 5 % and three in a thousand.
 */
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"

#include "budget.h"

#define HALF_WINDOW 250
#define TALLY_LEAST 50
#define DOUBLINGS 24
#define NOTES 50		/* how often a day what has gone is noted */

/* --- tally -------------------------------------------------------------------------------------------------------- */

void tally_add(struct tally *t, int64_t sent, int64_t hard, int64_t complaints)
{
	if (t->sent[0] >= HALF_WINDOW) {
		t->sent[1] = t->sent[0];
		t->hard[1] = t->hard[0];
		t->complaints[1] = t->complaints[0];
		t->sent[0] = t->hard[0] = t->complaints[0] = 0;
	}
	t->sent[0] += sent + (hard > 0);
	t->hard[0] += hard;
	t->complaints[0] += complaints;
}

int64_t tally_sent(const struct tally *t)
{
	return t->sent[0] + t->sent[1];
}

int64_t tally_hard(const struct tally *t)
{
	return t->hard[0] + t->hard[1];
}

int64_t tally_complaints(const struct tally *t)
{
	return t->complaints[0] + t->complaints[1];
}

/* More than so many in a thousand? */
static bool above(int64_t part, int64_t all, int64_t thousandths)
{
	return part * 1000 > all * thousandths;
}

static bool goes_badly(const struct tally *t, int64_t hard, int64_t complaints)
{
	int64_t n = tally_sent(t);

	return n >= TALLY_LEAST && (above(tally_hard(t), n, hard) || above(tally_complaints(t), n < 2 * HALF_WINDOW ? 2 * HALF_WINDOW : n, complaints));
}

/* --- days --------------------------------------------------------------------------------------------------------- */

static const struct zone *zone_of(const struct quiet *quiet)
{
	return quiet->zone ? quiet->zone : zone_find("UTC");
}

static int64_t day_of(const struct quiet *quiet, int64_t at)
{
	struct zone_time t;

	zone_local(zone_of(quiet), at, &t);
	return (at + t.offset * US_SECOND) / US_DAY;
}

static int64_t minute_of_day(const struct quiet *quiet, int64_t day, int minute)
{
	return zone_instant(zone_of(quiet), 1970, 1, 1 + (int)day, 0, minute, 0);
}

void budget_set(struct budget *b, const struct shape_sender *config)
{
	b->on = true;
	b->per_day = config->per_day;
	b->warm_up = config->warm_up;
	b->since = config->since;
	b->first = config->first;
}

int64_t budget_limit(const struct budget *b, int64_t day)
{
	int64_t limit = b->per_day ? b->per_day : INT64_MAX, ahead = day - b->day, allowed;

	if (!b->warm_up || day < b->since)
		return limit;
	if (!b->allowance)		/* it begins */
		ahead = day - (b->since > b->day ? b->since : b->day);
	if (ahead > DOUBLINGS)
		return limit;
	allowed = (b->allowance ? b->allowance : b->first) << (ahead > 0 ? ahead : 0);
	return allowed < limit ? allowed : limit;
}

static void next_day(struct budget *b, const struct tally *tally)
{
	int row;

	if (b->warm_up && b->allowance && !b->stepped && !goes_badly(tally, 20, 1) && 2 * b->passed >= b->allowance &&
			b->allowance < INT64_C(1) << 40)
		b->allowance *= 2;
	b->day++;
	if (b->warm_up && !b->allowance && b->day >= b->since)
		b->allowance = b->first;
	b->passed = b->noted = 0;
	b->stepped = false;
	for (row = 0; row < PACE_ROWS; row++) {
		memmove(b->used[row], b->used[row] + 1, (BUDGET_DAYS - 1) * sizeof(b->used[row][0]));
		b->used[row][BUDGET_DAYS - 1] = 0;
	}
}

bool budget_roll(struct budget *b, const struct quiet *quiet, const struct tally *tally, int64_t now)
{
	int64_t today = day_of(quiet, now);
	bool changed = false;

	if (!b->day) {
		b->day = today;
		changed = true;
	}
	if (b->warm_up && !b->allowance && b->day >= b->since)
		b->allowance = b->first;
	for (; b->day < today; changed = true) {
		if (today - b->day > BUDGET_DAYS) {
			memset(b->used, 0, sizeof(b->used));
			b->passed = 0;
			b->day = today - 1;
		}
		next_day(b, tally);
	}
	if (b->warm_up && b->allowance && !b->stepped && goes_badly(tally, 50, 3)) {
		b->allowance = b->allowance / 2 > b->first ? b->allowance / 2 : b->first;
		b->stepped = changed = true;
	}
	return changed;
}

/* --- places ------------------------------------------------------------------------------------------------------- */

bool budget_may(const struct budget *b, enum pace_row row, bool placed)
{
	int64_t limit = budget_limit(b, b->day);

	if (b->passed >= limit)
		return false;
	/* who did nothing lately leaves the other half of a warm-up's day to those who did, until it is theirs by a place */
	if (!placed && b->warm_up && row == PACE_OTHERS && b->used[row][0] * 2 >= limit && b->day >= b->since)
		return false;
	return placed || b->used[row][0] < limit;
}

bool budget_spend(struct budget *b, enum pace_row row, bool placed)
{
	int64_t limit = budget_limit(b, b->day);

	b->passed++;
	if (!placed)
		b->used[row][0]++;
	if (b->passed <= b->noted)
		return false;
	b->noted = b->passed + (limit < INT64_MAX ? limit / NOTES : 1000);
	return true;
}

/* Over the hours in which mail goes out, those who did something lately in the first half. */
static int64_t place_in_day(const struct budget *b, const struct quiet *quiet, enum pace_row row, int64_t day, int64_t limit)
{
	int from = quiet->before, until = quiet->after > quiet->before ? quiet->after : 1440;
	int64_t n = b->used[row][day - b->day], open = (until - from) * US_MINUTE;

	if (b->warm_up)
		open /= 2;
	return minute_of_day(quiet, day, from) + (b->warm_up && row == PACE_OTHERS ? open : 0) + (int64_t)((double)open * (double)n / (double)limit);
}

int64_t budget_find(const struct budget *b, const struct quiet *quiet, enum pace_row row, int64_t from)
{
	int64_t day = day_of(quiet, from), limit, at;

	if (day < b->day)
		day = b->day;
	for (; day < b->day + BUDGET_DAYS; day++) {
		limit = budget_limit(b, day);
		if (b->used[row][day - b->day] >= limit || (day == b->day && b->passed >= limit))
			continue;
		if (limit == INT64_MAX)
			return from > minute_of_day(quiet, day, 0) ? from : minute_of_day(quiet, day, 0);
		at = place_in_day(b, quiet, row, day, limit);
		/* of today, what has passed of the day is no place any more; the first half of the others passes at once */
		if (day == b->day && budget_may(b, row, false))
			at = from;
		return at > from ? at : from;
	}
	return -1;
}

int64_t budget_take(struct budget *b, const struct quiet *quiet, enum pace_row row, int64_t at)
{
	int64_t day = day_of(quiet, at), ahead = day - b->day;

	if (ahead < 0 || ahead >= BUDGET_DAYS)
		return -1;
	b->used[row][ahead]++;
	return day;
}
