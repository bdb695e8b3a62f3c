/*
 * thing.c: see thing.h. Each kind has its name and its way of saying itself; what people wrote is shown on one line.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "simulate/thing.h"

#define NAME_WIDTH 12

static const char *const weekdays[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

void thing_time(int64_t at, const struct zone *zone, struct buf *out)
{
	struct zone_time t;

	zone_local(zone, at, &t);
	buf_printf(out, "%s %04d-%02d-%02d %02d:%02d", weekdays[t.weekday], t.year, t.month, t.day, t.hour, t.minute);
}

int64_t thing_day(int64_t at, const struct zone *zone, int64_t start)
{
	const struct zone *utc = zone_find("UTC");
	struct zone_time a, b;

	zone_local(zone, at, &a);
	zone_local(zone, start, &b);
	return (zone_instant(utc, a.year, a.month, a.day, 0, 0, 0) - zone_instant(utc, b.year, b.month, b.day, 0, 0, 0)) / US_DAY;
}

/* --- pieces ----------------------------------------------------------------------------------------------------------- */

/* On one line; what mails and files may bring reaches no terminal. */
static void say(struct buf *out, const char *s)
{
	bool blank = false;

	for (; s && *s; s++) {
		if (*s == '\n' || *s == '\r' || *s == '\t' || *s == ' ') {
			blank = true;
			continue;
		}
		if (blank)
			buf_char(out, ' ');
		blank = false;
		buf_char(out, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	}
}

static void quote(struct buf *out, const char *s)
{
	buf_char(out, '"');
	say(out, s);
	buf_char(out, '"');
}

/* Up to two digits behind the point, as few as come back the same. */
static void number(struct buf *out, double v)
{
	buf_printf(out, "%.15g", round(v * 100) / 100 + 0.0);
}

static void because(struct buf *out, const char *why)
{
	if (!why || !*why)
		return;
	buf_str(out, ": ");
	say(out, why);
}

/* --- a line a kind ---------------------------------------------------------------------------------------------------- */

struct line {
	const struct thing *t;
	const struct zone *zone;
	struct buf *out;
};

static void until(struct line *l, const char *before)
{
	if (!l->t->until || l->t->until == TIME_NEVER)
		return;
	buf_str(l->out, before);
	thing_time(l->t->until, l->zone, l->out);
}

static void put(struct line *l, const char *before, const char *text, const char *behind)
{
	buf_str(l->out, before);
	say(l->out, text);
	buf_str(l->out, behind);
}

static void line_text(struct line *l)
{
	say(l->out, l->t->text);
	because(l->out, l->t->why);
}

static void line_known(struct line *l)
{
	buf_str(l->out, "known, and has consented");
}

static void line_mail(struct line *l)
{
	say(l->out, l->t->mail);
	because(l->out, l->t->text);
	because(l->out, l->t->why);
}

static void line_reply(struct line *l)
{
	quote(l->out, l->t->text);
	buf_str(l->out, " to ");
	say(l->out, l->t->mail);
	because(l->out, l->t->why);
	until(l, ", names ");
}

static void line_away(struct line *l)
{
	buf_str(l->out, "automatic reply to ");
	say(l->out, l->t->mail);
	until(l, ": out of office till ");
}

static void line_does(struct line *l)
{
	say(l->out, l->t->text);
	if (l->t->to && *l->t->to) {
		buf_char(l->out, ' ');
		say(l->out, l->t->to);
	}
	if (l->t->why && strcmp(l->t->why, "{}") != 0) {
		buf_char(l->out, ' ');
		say(l->out, l->t->why);
	}
}

static void line_sent(struct line *l)
{
	say(l->out, l->t->mail);
	buf_str(l->out, ": ");
	quote(l->out, l->t->subject);
	if (l->t->text && *l->t->text)
		put(l, " (test: ", l->t->text, ")");
	if (l->t->from)
		put(l, " from ", l->t->from, "");
}

static void line_forward(struct line *l)
{
	put(l, "to ", l->t->to, ": ");
	quote(l->out, l->t->subject);
}

static void line_deferred(struct line *l)
{
	say(l->out, l->t->mail);
	until(l, ", tried again ");
}

static void line_score(struct line *l)
{
	number(l->out, l->t->fit + l->t->interest);
	buf_str(l->out, " = fit ");
	number(l->out, l->t->fit);
	buf_str(l->out, " + interest ");
	number(l->out, l->t->interest);
	if (!l->t->text || !*l->t->text)
		return;
	buf_str(l->out, ": ");
	if (l->t->points > 0)
		buf_char(l->out, '+');
	number(l->out, l->t->points);
	buf_char(l->out, ' ');
	say(l->out, l->t->text);
}

static void line_change(struct line *l)
{
	if (l->t->from && *l->t->from)
		put(l, "", l->t->from, " -> ");
	say(l->out, l->t->to);
	because(l->out, l->t->why);
}

static void line_move(struct line *l)
{
	buf_str(l->out, "to list ");
	say(l->out, l->t->to);
	because(l->out, l->t->why);
}

static void line_sequence(struct line *l)
{
	say(l->out, l->t->sequence);
	because(l->out, l->t->why);
}

/* A step that has no name of its own goes by its mail. */
static const char *step_name(const struct thing *t)
{
	return t->mail && t->step && strncmp(t->step, "send-", 5) == 0 ? t->mail : t->step;
}

static void line_step(struct line *l)
{
	say(l->out, step_name(l->t));
	because(l->out, l->t->why);
}

static void line_waits(struct line *l)
{
	say(l->out, l->t->sequence);
	buf_char(l->out, ':');
	if (l->t->why) {
		buf_str(l->out, " for ");
		say(l->out, l->t->why);
		until(l, ", at most till ");
		if (l->t->to)
			put(l, ", else ", l->t->to, "");
		return;
	}
	until(l, " till ");
	if (l->t->step)
		put(l, ", then ", step_name(l->t), "");
}

static void line_held(struct line *l)
{
	line_step(l);
	until(l, ", till ");
}

static void line_suppressed(struct line *l)
{
	say(l->out, l->t->why);
}

static void line_hot(struct line *l)
{
	buf_str(l->out, "lead");
	if (l->t->to && *l->t->to)
		put(l, " for ", l->t->to, "");
	because(l->out, l->t->why);
}

static void line_alert(struct line *l)
{
	put(l, "to ", l->t->to, "");
	put(l, " (", l->t->text, ")");
}

static void line_note(struct line *l)
{
	say(l->out, l->t->to);
	because(l->out, l->t->why);
}

static const struct {
	const char *name;
	void (*line)(struct line *l);
} kinds[THINGS] = {
	[THING_SIGNS_UP] = { "signs up", line_text },
	[THING_KNOWN] = { "comes", line_known },
	[THING_CONFIRMS] = { "confirms", line_text },
	[THING_OPENS] = { "opens", line_mail },
	[THING_CLICKS] = { "clicks", line_mail },
	[THING_REPLIES] = { "replies", line_reply },
	[THING_AWAY] = { "away", line_away },
	[THING_VISITS] = { "visits", line_text },
	[THING_DOES] = { "does", line_does },
	[THING_PREFERS] = { "prefers", line_text },
	[THING_UNSUBSCRIBES] = { "unsubscribes", line_mail },
	[THING_COMPLAINS] = { "complains", line_mail },
	[THING_SALES] = { "sales", line_text },
	[THING_MAIL] = { "mail", line_sent },
	[THING_FORWARD] = { "forwarded", line_forward },
	[THING_BOUNCES] = { "bounces", line_mail },
	[THING_SKIPPED] = { "skipped", line_mail },
	[THING_DOUBT] = { "in doubt", line_mail },
	[THING_DEFERRED] = { "put off", line_deferred },
	[THING_SCORE] = { "score", line_score },
	[THING_STAGE] = { "stage", line_change },
	[THING_LIST] = { "list", line_change },
	[THING_TAG] = { "tag", line_text },
	[THING_UNTAG] = { "untag", line_text },
	[THING_MOVE] = { "move", line_move },
	[THING_ENTERS] = { "enters", line_sequence },
	[THING_BRANCH] = { "branch", line_step },
	[THING_WAITS] = { "waits", line_waits },
	[THING_HELD] = { "held", line_held },
	[THING_PAUSED] = { "pauses", line_sequence },
	[THING_GOES_ON] = { "goes on", line_sequence },
	[THING_ENDS] = { "ends", line_sequence },
	[THING_SUPPRESSED] = { "suppressed", line_suppressed },
	[THING_HOT] = { "hot", line_hot },
	[THING_ALERT] = { "alert", line_alert },
	[THING_NOTE] = { "note", line_note },
};

const char *thing_name(enum thing_kind kind)
{
	return kinds[kind].name;
}

void thing_line(const struct thing *thing, const struct zone *zone, int64_t start, struct buf *out)
{
	struct line l = { thing, zone, out };
	size_t name;

	buf_printf(out, "%3lld  ", (long long)thing_day(thing->at, zone, start));
	thing_time(thing->at, zone, out);
	buf_str(out, "  ");
	name = out->len;
	say(out, thing->kind == THING_NOTE ? thing->text : kinds[thing->kind].name);
	buf_printf(out, "%*s ", (int)(out->len - name < NAME_WIDTH ? NAME_WIDTH - (out->len - name) : 0), "");
	kinds[thing->kind].line(&l);
}

/* --- as JSON ---------------------------------------------------------------------------------------------------------- */

static void member(struct buf *out, const char *name, const char *text)
{
	if (!text)
		return;
	buf_printf(out, ",\"%s\":", name);
	text_json(out, text, strlen(text));
}

/* RFC 3339 with the zone's offset. */
static void time_json(struct buf *out, const char *name, int64_t at, const struct zone *zone)
{
	struct zone_time t;
	int minutes;

	zone_local(zone, at, &t);
	minutes = (t.offset < 0 ? -t.offset : t.offset) / 60;
	buf_printf(out, "\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d\"", name, t.year, t.month, t.day, t.hour, t.minute, t.second,
			t.offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void thing_json(const struct thing *thing, const struct zone *zone, int64_t start, struct buf *out)
{
	buf_char(out, '{');
	time_json(out, "at", thing->at, zone);
	buf_printf(out, ",\"day\":%lld", (long long)thing_day(thing->at, zone, start));
	member(out, "what", kinds[thing->kind].name);
	member(out, "sequence", thing->sequence);
	member(out, "step", thing->step);
	member(out, "mail", thing->mail);
	member(out, "subject", thing->subject);
	member(out, "from", thing->from);
	member(out, "to", thing->to);
	member(out, "text", thing->text);
	member(out, "why", thing->why);
	if (thing->until && thing->until != TIME_NEVER) {
		buf_char(out, ',');
		time_json(out, "until", thing->until, zone);
	}
	if (thing->kind == THING_SCORE)
		buf_printf(out, ",\"fit\":%.15g,\"interest\":%.15g,\"points\":%.15g", round(thing->fit * 100) / 100 + 0.0,
				round(thing->interest * 100) / 100 + 0.0, thing->points);
	buf_char(out, '}');
}
