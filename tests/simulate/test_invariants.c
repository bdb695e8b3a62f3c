/*
 * test_invariants.c: what must never happen, looked for in thousands of months of random people, while mails are put off, lost and in doubt, the
 * clock jumps, the process dies with mails in hand, and in some rounds the config changes to and fro, with people on steps that come, go and
 * wait otherwise:
 *
 *	no step is mailed twice, no mail goes out twice; nothing goes out without consent, nor after an unsubscription, a complaint or a hard
 *	bounce; after a reply only what was entered since; the caps of lists and of points hold; no step comes early, none in quiet hours or on a
 *	holiday; the stored interest is what the events add up to; nobody under way is forgotten.
 *
 * For some 20 s; SIMULATE_SECONDS says otherwise, SIMULATE_SEED where to begin.
 */
#include "with_plan.h"

#include <math.h>

#include "random_persona.h"

#include "../../daemon/simulate/inside.h"

#define PEOPLE 100
#define DAYS 60
#define SECONDS 20
#define PER_PERSON 200
#define RESTARTED "letters"	/* begins anew when the config has changed */

/* A mail of a sequence that went out, as far as anybody can tell. */
struct out {
	int64_t delivery, at;
	int64_t order;			/* see order_of() */
};

struct record {
	struct out outs[PER_PERSON];
	size_t count;
	bool consented, stopped;
	int64_t replied;		/* order of the latest reply */
};

struct round {
	struct plan *plan, *other;	/* other: what the config changes to, and back; NULL: it stays */
	bool changed;			/* the other is in force */
	struct simulation *s;
	struct persona *personas[PEOPLE];
	struct record records[PEOPLE];
	uint64_t seed, rng;
	bool faults;
	int64_t back;			/* how far the clock has jumped back, all in all */
	int64_t restarts, lost, mails;
	char file[64];
};

static void broken(const struct round *r, size_t person, const char *fmt, ...) PRINTF(3, 4);

static void broken(const struct round *r, size_t person, const char *fmt, ...)
{
	struct buf text = BUF_INIT, when = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	thing_time(simulation_now(r->s), zone_find("UTC"), &when);
	fail_msg("SIMULATE_SEED=%llu person %zu, %s UTC: %s", (unsigned long long)r->seed, person, buf_cstr(&when), buf_cstr(&text));
}

/* Ids grow whatever the clock does, but for the bucket in their midst. */
static int64_t order_of(int64_t id)
{
	return (id >> 22 << 12) | (id & 0xfff);
}

/* --- while it runs --------------------------------------------------------------------------------------------------------------------- */

static bool stops(const char *intent)
{
	static const char *const go_on[] = { "not_now", "ooo", "review", "thanks", NULL };
	size_t i;

	for (i = 0; go_on[i] && strcmp(go_on[i], intent) != 0; i++)
		;
	return !go_on[i];
}

static void tell_cb(void *ctx, const struct thing *thing)
{
	struct round *r = ctx;
	struct record *rec = &r->records[thing->person];

	switch (thing->kind) {
	case THING_KNOWN:
	case THING_CONFIRMS:
		rec->consented = true;
		return;
	case THING_SIGNS_UP:
		rec->consented |= strcmp(thing->text, "demo") == 0;
		return;
	case THING_UNSUBSCRIBES:
	case THING_COMPLAINS:
		rec->stopped = true;
		return;
	case THING_REPLIES:
		rec->stopped |= strcmp(thing->why, "unsubscribe") == 0;
		/* what pauses, and thanks, let a sequence go on */
		if (stops(thing->why))
			rec->replied = order_of(id_new(0, thing->at));
		return;
	default:
		return;
	}
}

static void went_out(struct round *r, const struct mail *mail)
{
	size_t person = people_find(r->s, mail->prospect), i;
	struct record *rec = &r->records[person];

	r->mails++;
	if (mail->kind != DELIVERY_STEP)
		return;
	if (!rec->consented)
		broken(r, person, "%s/%s went out without consent", mail->sequence, mail->step);
	if (rec->stopped)
		broken(r, person, "%s/%s went out although everything had stopped", mail->sequence, mail->step);
	for (i = 0; i < rec->count; i++)
		if (rec->outs[i].delivery == mail->delivery)
			broken(r, person, "%s/%s: one mail went out twice", mail->sequence, mail->step);
	assert_true(rec->count < PER_PERSON);
	rec->outs[rec->count++] = (struct out){ mail->delivery, simulation_now(r->s), order_of(id_new(0, simulation_now(r->s))) };
}

static bool outcome_cb(void *ctx, const struct mail *mail, struct mail_outcome *outcome)
{
	struct round *r = ctx;
	unsigned luck = r->faults ? dice(&r->rng, 100) : 99;

	if (luck < 8) {
		outcome->outcome = OUTCOME_DEFERRED;
		outcome->counted = luck < 4;
		outcome->retry_at = simulation_now(r->s) + US_MINUTE * (1 + dice(&r->rng, 600));
		outcome->reply = "451 later";
		return true;
	}
	if (luck < 10) {
		outcome->outcome = OUTCOME_FAILED;
		outcome->reply = "554 no";
		return true;
	}
	if (outcome->outcome == OUTCOME_FAILED) {	/* the persona's own hard bounce: nothing was taken by anybody */
		if (mail->kind == DELIVERY_STEP)
			r->records[people_find(r->s, mail->prospect)].stopped = true;
		return true;
	}
	went_out(r, mail);
	if (luck < 14) {
		outcome->outcome = OUTCOME_UNKNOWN;
		outcome->reply = "the connection broke";
	}
	r->lost += luck == 14;
	return luck != 14;
}

/* --- what the rows say at the end ------------------------------------------------------------------------------------------------------- */

struct look {
	struct round *r;
	size_t person;
	struct arena *arena;
	struct prospect row;
	struct event_row *events;
	size_t event_count;
	struct enrolment *enrolments;
	size_t enrolment_count;
	struct delivery *deliveries;
	size_t delivery_count;
};

static const struct delivery *delivery_of(const struct look *l, int64_t id)
{
	size_t i;

	for (i = 0; i < l->delivery_count; i++)
		if (l->deliveries[i].id == id)
			return &l->deliveries[i];
	return NULL;
}

static const struct enrolment *enrolment_of(const struct look *l, int64_t id)
{
	size_t i;

	for (i = 0; i < l->enrolment_count; i++)
		if (l->enrolments[i].id == id)
			return &l->enrolments[i];
	return NULL;
}

static int64_t wait_of(const struct step *step)
{
	/* a business day is a day at least, but for the hour that summer time takes */
	return step->kind != STEP_WAIT ? 0 : step->business_days ? step->business_days * US_DAY - US_HOUR : step->wait;
}

static void ways_from(const struct sequence *s, int step, int64_t waited, int64_t *least)
{
	const struct step *at = &s->steps[step];
	size_t i;

	if (step >= s->step_count || least[step] <= waited)
		return;
	least[step] = waited;
	waited += wait_of(at);
	switch (at->kind) {
	case STEP_END:
		return;
	case STEP_GO:
		ways_from(s, at->then_step, waited, least);
		return;
	case STEP_IF:
	case STEP_WAIT_FOR:
		ways_from(s, at->then_step, waited, least);
		ways_from(s, at->else_step, waited, least);
		return;
	case STEP_WAIT_UNTIL:
		ways_from(s, at->next, waited, least);
		ways_from(s, at->else_step, waited, least);
		return;
	case STEP_SPLIT:
		for (i = 0; i < at->branch_count; i++)
			ways_from(s, at->branches[i], waited, least);
		return;
	default:
		ways_from(s, at->next, waited, least);
	}
}

/* The least time that the waits between two steps take. from -1: the beginning. */
static int64_t least_wait(const struct sequence *s, int from, int to)
{
	int64_t *least = xcalloc((size_t)s->step_count, sizeof(*least)), wait;
	int i;

	for (i = 0; i < s->step_count; i++)
		least[i] = INT64_MAX;
	ways_from(s, from < 0 ? 0 : s->steps[from].next, 0, least);
	wait = least[to];
	free(least);
	return wait;
}

/* Of an older version, or the same one? NULL: neither plan has it any more. */
static const struct step *step_of(const struct look *l, const struct delivery *d)
{
	const struct plan *plans[] = { l->r->plan, l->r->other };
	size_t i;

	for (i = 0; i < 2 && plans[i]; i++) {
		const struct sequence *s = plan_sequence(plans[i], d->sequence);
		int step = s ? plan_step(s, d->step) : -1;

		if (step >= 0)
			return &s->steps[step];
	}
	return NULL;
}

/* With a change of the config in between, waits may be of the one or the other. */
static void check_pace(const struct look *l, const struct out *out, const struct delivery *d, const struct enrolment *e)
{
	const struct record *rec = &l->r->records[l->person];
	const struct sequence *s = plan_sequence(l->r->plan, d->sequence);
	int64_t since = e->entered, least;
	int from = -1;
	size_t i;

	for (i = 0; &rec->outs[i] != out; i++) {
		const struct delivery *before = delivery_of(l, rec->outs[i].delivery);

		if (before->enrolment != e->id)
			continue;
		if (strcmp(before->step, d->step) == 0 && (!l->r->other || strcmp(d->sequence, RESTARTED) != 0))
			broken(l->r, l->person, "%s/%s was mailed twice", d->sequence, d->step);
		from = s ? plan_step(s, before->step) : -1;
		since = rec->outs[i].at;
	}
	if (l->r->other)
		return;
	least = least_wait(s, from, plan_step(s, d->step));
	if (least == INT64_MAX)
		broken(l->r, l->person, "%s/%s cannot come behind %s", d->sequence, d->step, from < 0 ? "the beginning" : s->steps[from].name);
	if (out->at < since + least - l->r->back)
		broken(l->r, l->person, "%s/%s came %lld s early", d->sequence, d->step, (long long)(since + least - out->at) / US_SECOND);
}

static bool is_holiday(const struct look *l, const struct zone_time *t)
{
	size_t i;

	for (i = 0; i < l->r->plan->holiday_count; i++) {
		const struct holiday *h = &l->r->plan->holidays[i];

		if (!h->when && (!h->year || h->year == t->year) && h->month == t->month && h->day == t->day)
			return true;
	}
	return false;
}

static void check_hours(const struct look *l, const struct out *out, const struct delivery *d)
{
	const struct step *step = step_of(l, d);
	const struct quiet *quiet = &l->r->plan->quiet;
	const struct zone *zone = *l->row.timezone ? zone_find(l->row.timezone) : quiet->zone;
	struct zone_time t;
	int minute;

	if (step && step->even_in_quiet)
		return;
	zone_local(zone, out->at - MAIL_TAKES, &t);	/* when the gate was asked */
	minute = t.hour * 60 + t.minute;
	if (quiet->day[t.weekday] || minute < quiet->before || minute >= quiet->after)
		broken(l->r, l->person, "%s/%s went out in quiet hours", d->sequence, d->step);
	if (is_holiday(l, &t))
		broken(l->r, l->person, "%s/%s went out on a holiday", d->sequence, d->step);
}

static void check_mails(const struct look *l)
{
	const struct record *rec = &l->r->records[l->person];
	size_t i;

	for (i = 0; i < rec->count; i++) {
		const struct delivery *d = delivery_of(l, rec->outs[i].delivery);
		const struct enrolment *e = d ? enrolment_of(l, d->enrolment) : NULL;

		if (!e) {
			broken(l->r, l->person, "a mail went out that is in no row");
			return;
		}
		if (rec->replied && rec->outs[i].order > rec->replied && order_of(e->id) < rec->replied)
			broken(l->r, l->person, "%s/%s went out after a reply", d->sequence, d->step);
		check_pace(l, &rec->outs[i], d, e);
		check_hours(l, &rec->outs[i], d);
	}
}

/* On which list were they at that time? "" where it changed just then. */
static const char *list_at(const struct look *l, int64_t at)
{
	const char *list = NULL, *first = l->row.list;
	bool moved = false;
	size_t i;

	for (i = 0; i < l->event_count; i++) {
		const struct event_row *e = &l->events[i];

		if (strcmp(e->name, "list_changed") != 0)
			continue;
		if (!moved) {	/* {"from":"looking","to":... */
			const char *from = strstr(e->data, "\"from\":\"") + strlen("\"from\":\"");

			first = arena_strndup(l->arena, from, strcspn(from, "\""));
			moved = true;
		}
		if (e->at > at - 2 * MAIL_TAKES && e->at <= at)
			return "";
		if (e->at <= at)
			list = e->subject;
	}
	return list ? list : first;
}

static void check_cap(const struct look *l, int64_t at)
{
	const struct record *rec = &l->r->records[l->person];
	int place = plan_list(l->r->plan, list_at(l, at));
	const struct rate *cap = place < 0 ? NULL : &l->r->plan->lists[place].at_most;
	int64_t count = 0;
	size_t i;

	for (i = 0; cap && cap->within && i < rec->count; i++)
		count += rec->outs[i].at > at - cap->within && rec->outs[i].at <= at;
	if (cap && cap->within && count > cap->count)
		broken(l->r, l->person, "%lld mails within the window of list %s", (long long)count, l->r->plan->lists[place].name);
}

static void check_points(const struct look *l)
{
	double sum = 0, half_life = (double)l->r->plan->half_life;
	size_t i, k;

	for (i = 0; i < l->event_count; i++) {
		const struct event_row *e = &l->events[i];
		double window = 0;

		sum += e->points * exp2(-(double)(l->row.interest_at - e->at) / half_life);
		for (k = 0; k <= i; k++)
			if (strcmp(l->events[k].name, e->name) == 0 && l->events[k].at > e->at - 7 * US_DAY)
				window += l->events[k].points;
		if ((strcmp(e->name, "open") == 0 && window > 3 + 1e-9) || (strcmp(e->name, "click") == 0 && window > 15 + 1e-9) ||
				(strcmp(e->name, "page_view") == 0 && window > 30 + 1e-9))
			broken(l->r, l->person, "%g points for %s in a week", window, e->name);
	}
	if (fabs(sum - l->row.interest) > 1e-6)
		broken(l->r, l->person, "interest is %.9g, and its events add up to %.9g", l->row.interest, sum);
}

/* Whoever is under way has something that is due, and not in the past; or a mail on its way. */
static void check_enrolments(const struct look *l)
{
	size_t i, k;

	for (i = 0; i < l->enrolment_count; i++) {
		const struct enrolment *e = &l->enrolments[i];

		if (e->state != ENROLMENT_ACTIVE)
			continue;
		for (k = 0; k < l->delivery_count; k++)
			if (l->deliveries[k].enrolment == e->id && l->deliveries[k].state != DELIVERY_SENT && l->deliveries[k].state != DELIVERY_FAILED &&
					l->deliveries[k].state != DELIVERY_UNKNOWN && l->deliveries[k].state != DELIVERY_SUPPRESSED)
				break;
		if (k == l->delivery_count && e->due <= simulation_now(l->r->s))
			broken(l->r, l->person, "%s stands still at %s", e->sequence, e->step);
	}
}

static bool has_mail_in_hand(const struct round *r)
{
	size_t i;

	for (i = 0; i < r->s->agenda.count; i++)
		if (r->s->agenda.heap[i].act == ACT_POST)
			return true;
	return false;
}

/* `deliveries_of` has those that have ended or wait; of those that are in hand there is a claim. */
static int add_claims(struct db *db, struct look *l, struct err *err)
{
	struct delivery *claims, *all;
	size_t count;

	if (deliveries_of(db, l->row.id, PER_PERSON * 4, l->arena, &l->deliveries, &l->delivery_count, err) ||
			sending_of(db, l->row.id, l->arena, &claims, &count, err))
		return -1;
	if (count && !has_mail_in_hand(l->r))
		broken(l->r, l->person, "a mail is claimed, and in nobody's hand");
	all = arena_calloc(l->arena, l->delivery_count + count + 1, sizeof(*all));
	if (count)
		memcpy(all, claims, count * sizeof(*all));
	if (l->delivery_count)
		memcpy(all + count, l->deliveries, l->delivery_count * sizeof(*all));
	l->deliveries = all;
	l->delivery_count += count;
	return 0;
}

static int look_at(struct db *db, struct look *l, int64_t prospect, struct err *err)
{
	size_t i;

	if (prospects_find(db, prospect, l->arena, &l->row, err) != 1 || events_all(db, prospect, l->arena, &l->events, &l->event_count, err) ||
			enrolments_all(db, prospect, l->arena, &l->enrolments, &l->enrolment_count, err) || add_claims(db, l, err))
		return -1;
	check_mails(l);
	for (i = 0; i < l->r->records[l->person].count; i++)
		check_cap(l, l->r->records[l->person].outs[i].at);
	check_points(l);
	check_enrolments(l);
	return 0;
}

static int look_cb(struct db *db, void *arg, struct err *err)
{
	struct round *r = arg;
	struct look l = { .r = r, .arena = arena_new(0) };
	int rc = 0;

	for (l.person = 0; l.person < r->s->count && !rc; l.person++) {
		arena_reset(l.arena);
		if (r->s->people[l.person].prospect)
			rc = look_at(db, &l, r->s->people[l.person].prospect, err);
	}
	arena_free(&l.arena);
	return rc;
}

/* --- a round ------------------------------------------------------------------------------------------------------------------------------ */

static void must(const struct round *r, int rc, const struct err *err)
{
	if (rc)
		broken(r, 0, "%s", err->text);
}

/* Mails are claimed, and the process dies with them in hand. */
static void restart(struct round *r)
{
	int64_t due = queue_next_mail(r->s->store);
	struct err err = { "" };

	if (due < simulation_now(r->s) + 2 * US_DAY)
		must(r, simulation_run(r->s, due, &err), &err);
	must(r, simulation_restart(r->s, r->file, &err), &err);
	r->restarts++;
}

static void jump(struct round *r)
{
	static const int64_t jumps[] = { 3 * US_HOUR, 30 * US_DAY, -2 * US_HOUR, -20 * US_MINUTE, 7 * US_MINUTE };
	int64_t by = jumps[dice(&r->rng, dice(&r->rng, 4) ? 1 : 5)];

	if (has_mail_in_hand(r))	/* the gate has been asked: it goes out now */
		return;
	simulation_jump(r->s, by);
	r->back += by < 0 ? -by : 0;
}

/* The config is reloaded: the other one, or the first again. */
static void change(struct round *r)
{
	struct err err = { "" };

	r->changed = !r->changed;
	must(r, simulation_reload(r->s, r->changed ? r->other : r->plan, &err), &err);
}

static void live(struct round *r)
{
	int64_t end = simulation_now(r->s) + DAYS * US_DAY;
	struct err err = { "" };

	while (simulation_now(r->s) < end) {
		must(r, simulation_run(r->s, simulation_now(r->s) + (int64_t)dice(&r->rng, 96) * US_HOUR + US_MINUTE * dice(&r->rng, 60), &err), &err);
		if (r->faults && dice(&r->rng, 3) == 0)
			restart(r);
		if (r->faults && dice(&r->rng, 6) == 0)
			jump(r);
		if (r->other && dice(&r->rng, 4) == 0)
			change(r);
	}
	/* what hangs, since nobody said what became of it, is dealt with by a start */
	r->faults = false;
	restart(r);
	must(r, simulation_run(r->s, simulation_now(r->s) + US_MINUTE, &err), &err);
	must(r, simulation_do(r->s, look_cb, r, &err), &err);
}

static void play(uint64_t seed, struct plan *plan, struct plan *other, struct round *r)
{
	struct simulation_options options = {
		.plan = plan, .seed = seed, .start = zone_instant(zone_find("Europe/Berlin"), 2026, 1 + (int)(seed % 12), 2, 8, 0, 0), .read_reply = read_reply,
		.tell = tell_cb, .ctx = r, .outcome = outcome_cb, .outcome_ctx = r,
	};
	struct buf text = BUF_INIT;
	struct err err = { "" };
	size_t i;

	r->plan = plan;
	r->other = seed % 3 == 0 ? other : NULL;
	r->seed = r->rng = seed;
	r->faults = seed % 4 != 0;
	must(r, simulation_new(&options, &r->s, &err), &err);
	for (i = 0; i < PEOPLE; i++) {
		random_persona(&r->rng, (int)i, &text);
		r->personas[i] = load_persona(plan, text.data);
		simulation_add(r->s, r->personas[i], NULL, options.start + (int64_t)dice(&r->rng, 5 * 1440) * US_MINUTE,
				dice(&r->rng, 4) ? NULL : "letters");
	}
	live(r);
	simulation_free(&r->s);
	for (i = 0; i < PEOPLE; i++)
		persona_free(&r->personas[i]);
	buf_clear(&text);
}

/* --- the config that it changes to -------------------------------------------------------------------------------------------------------- */

/* `old` must be there, so that an edit that has lost its place is noticed. */
static void edit(const char *file, const char *old, const char *new)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	char bytes[4096];
	const char *at;
	FILE *f = fopen(file, "r");
	size_t n;

	assert_non_null(f);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(&text, bytes, n);
	fclose(f);
	at = strstr(buf_cstr(&text), old);
	if (!at)
		fail_msg("no `%s` in %s", old, file);
	buf_add(&out, text.data, (size_t)(at - text.data));
	buf_str(&out, new);
	buf_str(&out, at + strlen(old));
	f = fopen(file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(out.data, 1, out.len, f), out.len);
	fclose(f);
	buf_clear(&text);
	buf_clear(&out);
}

static struct plan *load_other(void)
{
	static const struct {
		const char *sequence, *old, *new;
	} edits[] = {
		{ "guide", "priority: 10", "priority: 10\non_change: finish" },
		{ "guide", "{wait: 2 days}", "{wait: 4 days}" },
		{ "guide", "  - nudge: {send: nudge}\n", "" },
		{ "guide", "otherwise: nudge", "otherwise: story" },
		{ "guide", "else: nudge", "else: story" },
		{ "guide", "  - {wait: 5 days}\n  - {go: story}\n", "" },
		{ "trial", "priority: 20", "priority: 20\ngone: {go-1: tips}" },
		{ "trial", "  - last: {send: last}\n", "" },
		{ "trial", "{go: last}", "{end: not bought}" },
		{ "course", "  - {tag: long}\n", "  - extra: {send: story}\n  - {wait: 1 day}\n" },
		{ "course", "goal: did", "gone: {halves: both}\ngoal: did" },
		{ "course", "halves: {split", "parts: {split" },
		{ RESTARTED, "again: always", "again: always\non_change: restart" },
		{ RESTARTED, "{wait: 30 days}", "{wait: 20 days}" },
	};
	char folder[] = "/tmp/test_invariants.XXXXXX", *command, *file;
	struct plan_errors errors = { 0 };
	struct plan *plan;

	assert_non_null(mkdtemp(folder));
	command = xasprintf("cp -rL tests/simulate/conf tests/simulate/templates %s", folder);
	assert_int_equal(system(command), 0);
	free(command);
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		file = xasprintf("%s/conf/sequences/%s.yaml", folder, edits[i].sequence);
		edit(file, edits[i].old, edits[i].new);
		free(file);
	}
	file = xasprintf("%s/conf/nurtured.yaml", folder);
	plan = plan_load_to_look(file, &errors);
	if (!plan)
		fail_msg("%s", buf_cstr(&errors.text));
	free(file);
	command = xasprintf("rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	free(command);
	return plan;
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : fallback;
}

static void test_what_never_happens(void **state)
{
	int64_t end = clock_steady() + (int64_t)number_of("SIMULATE_SECONDS", SECONDS) * US_SECOND;
	uint64_t first = number_of("SIMULATE_SEED", 1), seed = first;
	int64_t restarts = 0, lost = 0, mails = 0;
	struct plan *plan = load_plan(), *other = load_other();

	do {
		struct round *r = xcalloc(1, sizeof(*r));

		snprintf(r->file, sizeof(r->file), "/tmp/test_invariants.%ld.db", (long)getpid());
		play(seed++, plan, other, r);
		restarts += r->restarts;
		lost += r->lost;
		mails += r->mails;
		free(r);
	} while (clock_steady() < end);
	printf("| %llu months of people, %lld mails, %lld restarts, %lld mails of which nobody ever said\n",
			(unsigned long long)((seed - first) * PEOPLE * DAYS / 30), (long long)mails, (long long)restarts, (long long)lost);
	plan_unref(&plan);
	plan_unref(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_never_happens) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
