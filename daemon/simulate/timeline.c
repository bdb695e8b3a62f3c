/*
 * timeline.c: see timeline.h.
 */
#include <string.h>

#include "base/text.h"

#include "inside.h"
#include "simulate/timeline.h"

struct timeline {
	const struct timeline_options *options;
	int64_t start;
	struct buf *out;
	size_t lines;
	size_t counts[THINGS];
};

int64_t timeline_start(const struct timeline_options *o)
{
	const struct persona *p = o->persona;
	const struct persona_date *d = o->dated ? &o->from : &p->starts;
	int minute = o->dated && o->from_minute >= 0 ? o->from_minute : p->starts_minute;
	struct zone_time today;

	if (o->dated || p->dated)
		return zone_instant(p->zone, d->year, d->month, d->day, minute / 60, minute % 60, 0);
	zone_local(p->zone, clock_now(), &today);
	return zone_instant(p->zone, today.year, today.month, today.day, minute / 60, minute % 60, 0);
}

static int days_of(const struct timeline_options *o)
{
	return o->days ? o->days : o->persona->days;
}

static void tell_cb(void *ctx, const struct thing *thing)
{
	struct timeline *t = ctx;

	t->counts[thing->kind]++;
	if (t->options->json) {
		if (t->lines++)
			buf_char(t->out, ',');
		buf_str(t->out, "\n    ");
		thing_json(thing, t->options->persona->zone, t->start, t->out);
		return;
	}
	thing_line(thing, t->options->persona->zone, t->start, t->out);
	buf_char(t->out, '\n');
}

/* --- the beginning and the end ------------------------------------------------------------------------------------------------- */

static void put_heading(struct timeline *t)
{
	const struct persona *p = t->options->persona;

	if (t->options->json) {
		buf_str(t->out, "{\n  \"persona\": ");
		text_json(t->out, p->name, strlen(p->name));
		buf_printf(t->out, ",\n  \"email\": \"%s\",\n  \"timezone\": \"%s\",\n  \"days\": %d,\n  \"seed\": %llu,\n  \"things\": [", p->address.text,
				zone_name(p->zone), days_of(t->options), (unsigned long long)t->options->seed);
		return;
	}
	buf_printf(t->out, "%s\n%s, %s, %d days from ", p->name, p->address.text, zone_name(p->zone), days_of(t->options));
	thing_time(t->start, p->zone, t->out);
	buf_printf(t->out, ", seed %llu\n\nday\n", (unsigned long long)t->options->seed);
}

static const char *consent_word(enum consent_state consent)
{
	static const char *const words[] = { "has not consented", "has not confirmed", "has consented", "has withdrawn consent" };

	return words[consent];
}

struct end {
	struct timeline *t;
	const char *key;
	struct arena *arena;
	struct prospect row;
	struct suppression suppressed;
	struct enrolment *enrolments;
	size_t count;
	int found, is_suppressed;
	int64_t opens[VERDICTS], clicks[VERDICTS];
};

static void hit_cb(void *ctx, const struct hit *h)
{
	struct end *e = ctx;

	(h->kind == 'c' ? e->clicks : e->opens)[h->verdict] += h->times;
}

static int read_end(struct db *db, void *arg, struct err *err)
{
	struct end *e = arg;

	if (hits_each(db, 0, hit_cb, e, err))
		return -1;
	e->found = prospects_find_address(db, e->key, e->arena, &e->row, err);
	if (e->found <= 0)
		return e->found;
	e->is_suppressed = suppressions_find(db, e->row.key, e->arena, &e->suppressed, err);
	if (e->is_suppressed < 0)
		return -1;
	return enrolments_all(db, e->row.id, e->arena, &e->enrolments, &e->count, err);
}

static void put_enrolment(struct timeline *t, const struct enrolment *e)
{
	static const char *const words[] = { "under way, at", "paused, at", "ended, at", "held out, at" };
	enum enrolment_state state = enrolment_is_over(e) && !(e->heldout && e->state == ENROLMENT_WATCHED) ? ENROLMENT_ENDED : e->state;

	if (t->options->json) {
		buf_printf(t->out, "{\"sequence\":\"%s\",\"state\":\"%.*s\",\"step\":\"%s\",\"why\":", e->sequence, (int)strcspn(words[state], ","),
				words[state], e->step);
		text_json(t->out, e->why, strlen(e->why));
		buf_char(t->out, '}');
		return;
	}
	buf_printf(t->out, "%-12s %s %s", e->sequence, words[state], e->step);
	if (state == ENROLMENT_ENDED || state == ENROLMENT_PAUSED)
		buf_printf(t->out, ": %s", e->why);
	buf_char(t->out, '\n');
}

static bool was_entered(const struct end *e, const char *sequence)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		if (strcmp(e->enrolments[i].sequence, sequence) == 0)
			return true;
	return false;
}

static void put_by_whom(struct buf *out, const char *what, const int64_t counts[VERDICTS])
{
	buf_printf(out, "%-12s human %lld, unknown %lld, machine %lld\n", what, (long long)counts[VERDICT_HUMAN], (long long)counts[VERDICT_UNKNOWN],
			(long long)counts[VERDICT_MACHINE]);
}

static void put_by_whom_json(struct buf *out, const char *what, const int64_t counts[VERDICTS])
{
	buf_printf(out, "  \"%s\": {\"human\": %lld, \"unknown\": %lld, \"machine\": %lld},\n", what, (long long)counts[VERDICT_HUMAN],
			(long long)counts[VERDICT_UNKNOWN], (long long)counts[VERDICT_MACHINE]);
}

static void put_end_text(struct timeline *t, const struct end *e)
{
	size_t i;

	buf_printf(t->out, "\nafter %d days: %zu mails, %zu answered\n", days_of(t->options), t->counts[THING_MAIL], t->counts[THING_REPLIES]);
	put_by_whom(t->out, "opens", e->opens);
	put_by_whom(t->out, "clicks", e->clicks);
	if (e->found)
		buf_printf(t->out, "%-12s stage %s, list %s, %s%s%s%s\n", "stands at", *e->row.stage ? e->row.stage : "none",
				*e->row.list ? e->row.list : "none", consent_word(e->row.consent), e->is_suppressed ? ", suppressed: " : "", e->is_suppressed ? e->suppressed.reason : "",
				e->row.hot ? ", hot" : "");
	for (i = 0; i < e->count; i++)
		put_enrolment(t, &e->enrolments[i]);
	if (t->options->sequence && !was_entered(e, t->options->sequence))
		buf_printf(t->out, "%-12s never entered\n", t->options->sequence);
}

static void put_end_json(struct timeline *t, const struct end *e)
{
	size_t i;

	buf_printf(t->out, "\n  ],\n  \"mails\": %zu,\n  \"answered\": %zu,\n", t->counts[THING_MAIL], t->counts[THING_REPLIES]);
	put_by_whom_json(t->out, "opens", e->opens);
	put_by_whom_json(t->out, "clicks", e->clicks);
	if (e->found)
		buf_printf(t->out, "  \"stage\": \"%s\",\n  \"list\": \"%s\",\n  \"consent\": \"%s\",\n  \"suppressed\": \"%s\",\n  \"hot\": %s,\n", e->row.stage, e->row.list,
				consent_word(e->row.consent), e->is_suppressed ? e->suppressed.reason : "", e->row.hot ? "true" : "false");
	buf_str(t->out, "  \"enrolments\": [");
	for (i = 0; i < e->count; i++) {
		buf_str(t->out, i ? ",\n    " : "\n    ");
		put_enrolment(t, &e->enrolments[i]);
	}
	buf_printf(t->out, "%s]\n}\n", e->count ? "\n  " : "");
}

static int put_end(struct timeline *t, struct simulation *s, struct err *err)
{
	struct end e = { .t = t, .key = t->options->persona->address.key, .arena = arena_new(0) };
	int rc = simulation_do(s, read_end, &e, err);

	if (!rc && t->options->json)
		put_end_json(t, &e);
	else if (!rc)
		put_end_text(t, &e);
	arena_free(&e.arena);
	return rc;
}

static bool is_by_hand(const struct timeline_options *o)
{
	const struct sequence *sequence = o->sequence ? plan_sequence(o->plan, o->sequence) : NULL;

	return sequence && !*sequence->enter_on;
}

int timeline_make(const struct timeline_options *o, struct buf *out, struct err *err)
{
	struct timeline t = { .options = o, .start = timeline_start(o), .out = out };
	struct simulation_options options = {
		.plan = o->plan, .seed = o->seed, .start = t.start, .read_reply = o->read_reply, .tell = tell_cb, .ctx = &t, .watch = true,
	};
	struct simulation *s;
	int rc;

	if (simulation_new(&options, &s, err))
		return -1;
	put_heading(&t);
	simulation_add(s, o->persona, NULL, t.start, is_by_hand(o) ? o->sequence : NULL);
	rc = simulation_run(s, t.start + days_of(o) * US_DAY, err) || put_end(&t, s, err) ? -1 : 0;
	simulation_free(&s);
	return rc;
}
