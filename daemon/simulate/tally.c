/*
 * tally.c: see tally.h. What people do and get is told as it happens; what decide did is read from the journal, when all is over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "tally.h"

#define DOMAINS_SHOWN 10
#define REASONS_SHOWN 20
/* More names than that of one kind are counted as one: sequences, reasons and domains of a real programme are fewer. */
#define NAMES_MAX 200000
static const char other_names[] = "(others)";

static const char cap[] = "cap of list ";

/* --- counts by name ------------------------------------------------------------------------------------------------------------- */

struct named {
	char *name;
	int64_t count;
	int64_t *by_day;		/* NULL unless the bag keeps days */
};

struct bag {
	struct named *all;
	size_t count, cap;
	uint32_t *slots;		/* place in `all` + 1; 0: free */
	size_t size;			/* of slots, a power of two */
	int days;			/* that are kept of each; 0: none */
};

static uint64_t hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);	/* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h ^ h >> 29;
}

static size_t find_slot(const struct bag *b, const char *name)
{
	size_t i = hash(name) & (b->size - 1);

	while (b->slots[i] && strcmp(b->all[b->slots[i] - 1].name, name) != 0)
		i = (i + 1) & (b->size - 1);
	return i;
}

static void grow(struct bag *b)
{
	size_t i;

	free(b->slots);
	b->size = b->size ? 2 * b->size : 64;
	b->slots = xcalloc(b->size, sizeof(*b->slots));
	for (i = 0; i < b->count; i++)
		b->slots[find_slot(b, b->all[i].name)] = (uint32_t)i + 1;
}

static struct named *bag_find(struct bag *b, const char *name)
{
	size_t slot;

	if (2 * (b->count + 1) > b->size)
		grow(b);
	slot = find_slot(b, name);
	if (b->slots[slot])
		return &b->all[b->slots[slot] - 1];
	if (b->count == NAMES_MAX && strcmp(name, other_names) != 0)
		return bag_find(b, other_names);
	b->all = xgrow(b->all, &b->cap, b->count + 1, sizeof(*b->all));
	b->all[b->count] = (struct named){ .name = xstrdup(name), .by_day = b->days ? xcalloc((size_t)b->days, sizeof(int64_t)) : NULL };
	b->slots[slot] = (uint32_t)++b->count;
	return &b->all[b->count - 1];
}

static void bag_clear(struct bag *b)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		free(b->all[i].name);
		free(b->all[i].by_day);
	}
	free(b->all);
	free(b->slots);
	*b = (struct bag){ 0 };
}

static int most_first(const void *a, const void *b)
{
	const struct named *x = *(const struct named *const *)a, *y = *(const struct named *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The order in which they are shown; free() it. */
static const struct named **bag_sorted(const struct bag *b)
{
	const struct named **out = xcalloc(b->count + 1, sizeof(*out));
	size_t i;

	for (i = 0; i < b->count; i++)
		out[i] = &b->all[i];
	qsort(out, b->count, sizeof(*out), most_first);
	return out;
}

/* --- counting -------------------------------------------------------------------------------------------------------------------- */

struct by_sequence {
	char *name;
	int64_t entered, held_out, states[ENROLMENT_WATCHED + 1];
	struct bag ends;		/* by why */
};

struct tally {
	const struct zone *zone;
	int64_t start, midnight;	/* of the first day */
	int days;
	int64_t (*sums)[SUMS];		/* by day */
	int64_t all[SUMS];
	int64_t day_from, day_to;	/* of the day that was asked for last */
	int day;
	struct bag mails, domains, held;
	struct by_sequence *sequences;
	size_t sequence_count, sequence_cap;
};

static int64_t midnight_of(const struct tally *t, int day)
{
	struct zone_time first;

	zone_local(t->zone, t->start, &first);
	return zone_instant(t->zone, first.year, first.month, first.day + day, 0, 0, 0);
}

struct tally *tally_new(const struct zone *zone, int64_t start, int days)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	t->zone = zone;
	t->start = start;
	t->days = days + 1;		/* the last one is only begun */
	t->sums = xcalloc((size_t)t->days, sizeof(*t->sums));
	t->domains.days = t->days;
	return t;
}

void tally_free(struct tally **tally)
{
	struct tally *t = *tally;
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->sequence_count; i++) {
		free(t->sequences[i].name);
		bag_clear(&t->sequences[i].ends);
	}
	free(t->sequences);
	bag_clear(&t->mails);
	bag_clear(&t->domains);
	bag_clear(&t->held);
	free(t->sums);
	free(t);
	*tally = NULL;
}

/* Things come in order of time, nearly: the day before is most often the day again. */
static int day_of(struct tally *t, int64_t at)
{
	int64_t day;

	if (at >= t->day_from && at < t->day_to)
		return t->day;
	day = thing_day(at, t->zone, t->start);
	t->day = day < 0 ? 0 : day >= t->days ? t->days - 1 : (int)day;
	t->day_from = midnight_of(t, t->day);
	t->day_to = midnight_of(t, t->day + 1);
	return t->day;
}

static void add(struct tally *t, enum sum sum, int64_t at)
{
	t->sums[day_of(t, at)][sum]++;
	t->all[sum]++;
}

static void add_mail(struct tally *t, const struct thing *thing)
{
	const char *domain = thing->to ? strrchr(thing->to, '@') : NULL;
	struct named *load = bag_find(&t->domains, domain ? domain + 1 : "");

	add(t, thing->sequence ? SUM_MAILS : SUM_CONFIRMATIONS, thing->at);
	load->count++;
	load->by_day[day_of(t, thing->at)]++;
	bag_find(&t->mails, thing->mail)->count++;
}

void tally_thing(struct tally *t, const struct thing *thing)
{
	static const struct {
		enum thing_kind kind;
		enum sum sum;
	} sums[] = {
		{ THING_SIGNS_UP, SUM_CAME }, { THING_KNOWN, SUM_CAME }, { THING_REPLIES, SUM_REPLIED }, { THING_UNSUBSCRIBES, SUM_UNSUBSCRIBED }, { THING_COMPLAINS, SUM_COMPLAINED },
		{ THING_BOUNCES, SUM_BOUNCED }, { THING_HOT, SUM_HOT },
	};
	size_t i;

	if (thing->kind == THING_MAIL || thing->kind == THING_DOUBT)
		add_mail(t, thing);
	for (i = 0; i < sizeof(sums) / sizeof(*sums); i++)
		if (sums[i].kind == thing->kind)
			add(t, sums[i].sum, thing->at);
}

void tally_hit(struct tally *t, const struct hit *h)
{
	enum sum sum = (enum sum)((h->kind == 'c' ? SUM_CLICKED : SUM_OPENED) + h->verdict);

	t->sums[day_of(t, h->at)][sum] += h->times;
	t->all[sum] += h->times;
}

static struct by_sequence *sequence_of(struct tally *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->sequence_count; i++)
		if (strcmp(t->sequences[i].name, name) == 0)
			return &t->sequences[i];
	t->sequences = xgrow(t->sequences, &t->sequence_cap, t->sequence_count + 1, sizeof(*t->sequences));
	t->sequences[t->sequence_count] = (struct by_sequence){ .name = xstrdup(name) };
	return &t->sequences[t->sequence_count++];
}

static void add_hold(struct tally *t, const struct journal_row *row)
{
	enum sum sum = text_starts_with(row->why, cap) ? SUM_HELD_CAP : strcmp(row->why, "quiet hours") == 0 ? SUM_HELD_QUIET : SUM_HELD_OTHER;

	add(t, sum, row->at);
	bag_find(&t->held, row->why)->count++;
}

void tally_journal(struct tally *t, const struct journal_row *row)
{
	if (strcmp(row->kind, "hold") == 0)
		add_hold(t, row);
	else if (strcmp(row->kind, "enrol") == 0)
		sequence_of(t, row->what)->entered++;
	else if (strcmp(row->kind, "holdout") == 0)
		sequence_of(t, row->what)->held_out++;
	else if (strcmp(row->kind, "end") == 0)
		bag_find(&sequence_of(t, row->what)->ends, row->why)->count++;
}

void tally_enrolments(struct tally *t, const char *sequence, enum enrolment_state state, int64_t count)
{
	sequence_of(t, sequence)->states[state] += count;
}

/* --- as a text --------------------------------------------------------------------------------------------------------------------- */

static const struct {
	enum sum sum;
	const char *heading, *name;
} columns[] = {
	{ SUM_CAME, "came", "came" }, { SUM_CONFIRMATIONS, "confirm", "confirmations" }, { SUM_MAILS, "mails", "mails" },
	{ SUM_HELD_CAP, "cap", "held_by_cap" }, { SUM_HELD_QUIET, "quiet", "held_by_quiet_hours" }, { SUM_HELD_OTHER, "held", "held_otherwise" },
	{ SUM_OPENED, "opened h/u/m", "opened" }, { SUM_CLICKED, "clicked h/u/m", "clicked" }, { SUM_REPLIED, "replied", "replied" },
	{ SUM_UNSUBSCRIBED, "unsub", "unsubscribed" }, { SUM_COMPLAINED, "spam", "complained" }, { SUM_BOUNCED, "bounced", "bounced" },
	{ SUM_HOT, "hot", "hot_leads" },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define WIDTH 8
#define WIDTH_BY_WHOM 16

static const struct {
	enum verdict verdict;
	const char *name;
} by_whom[VERDICTS] = { { VERDICT_HUMAN, "human" }, { VERDICT_UNKNOWN, "unknown" }, { VERDICT_MACHINE, "machine" } };

/* Three of them. */
static bool is_by_whom(enum sum sum)
{
	return sum >= SUM_OPENED;
}

/* "Mon 2026-03-02" */
static void put_day(const struct tally *t, int day, struct buf *out)
{
	size_t before = out->len;

	thing_time(midnight_of(t, day) + US_DAY / 2, t->zone, out);
	buf_cut(out, before + strlen("Mon 2026-03-02"));
}

static void put_sums(const int64_t *sums, struct buf *out)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++) {
		const int64_t *sum = &sums[columns[i].sum];
		char three[80];

		if (!is_by_whom(columns[i].sum)) {
			buf_printf(out, " %*lld", WIDTH, (long long)*sum);
			continue;
		}
		snprintf(three, sizeof(three), "%lld/%lld/%lld", (long long)sum[VERDICT_HUMAN], (long long)sum[VERDICT_UNKNOWN], (long long)sum[VERDICT_MACHINE]);
		buf_printf(out, " %*s", WIDTH_BY_WHOM, three);
	}
	buf_char(out, '\n');
}

static bool is_empty(const int64_t *sums)
{
	size_t i;

	for (i = 0; i < SUMS; i++)
		if (sums[i])
			return false;
	return true;
}

static void put_days(const struct tally *t, struct buf *out)
{
	int day, last = t->days - 1;
	size_t i;

	while (last > 0 && is_empty(t->sums[last]))
		last--;
	buf_printf(out, "%-14s", "day");
	for (i = 0; i < COLUMNS; i++)
		buf_printf(out, " %*s", is_by_whom(columns[i].sum) ? WIDTH_BY_WHOM : WIDTH, columns[i].heading);
	buf_char(out, '\n');
	for (day = 0; day <= last; day++) {
		put_day(t, day, out);
		put_sums(t->sums[day], out);
	}
	buf_printf(out, "%-14s", "all");
	put_sums(t->all, out);
}

static void put_bag(const struct bag *b, const char *heading, size_t most, struct buf *out)
{
	const struct named **sorted = bag_sorted(b);
	size_t i;

	if (b->count)
		buf_printf(out, "\n%s\n", heading);
	for (i = 0; i < b->count && i < most; i++)
		buf_printf(out, "%9lld  %s\n", (long long)sorted[i]->count, sorted[i]->name);
	if (b->count > most)
		buf_printf(out, "           ... and %zu more\n", b->count - most);
	free(sorted);
}

static int busiest_day(const struct tally *t, const struct named *domain)
{
	int busiest = 0, day;

	for (day = 1; day < t->days; day++)
		if (domain->by_day[day] > domain->by_day[busiest])
			busiest = day;
	return busiest;
}

static void put_domains(const struct tally *t, struct buf *out)
{
	const struct named **sorted = bag_sorted(&t->domains);
	size_t i;

	buf_str(out, "\nmails by recipient domain, and on its busiest day\n");
	for (i = 0; i < t->domains.count && i < DOMAINS_SHOWN; i++) {
		int day = busiest_day(t, sorted[i]);

		buf_printf(out, "%9lld %9lld on ", (long long)sorted[i]->count, (long long)sorted[i]->by_day[day]);
		put_day(t, day, out);
		buf_printf(out, "  %s\n", sorted[i]->name);
	}
	if (t->domains.count > DOMAINS_SHOWN)
		buf_printf(out, "           ... and %zu more\n", t->domains.count - DOMAINS_SHOWN);
	free(sorted);
}

static void put_sequence(const struct by_sequence *s, struct buf *out)
{
	const struct named **ends = bag_sorted(&s->ends);
	size_t i;

	buf_printf(out, "\n%s\n%9lld  entered\n", s->name, (long long)s->entered);
	if (s->held_out)
		buf_printf(out, "%9lld  held out\n", (long long)s->held_out);
	for (i = 0; i < s->ends.count; i++)
		buf_printf(out, "%9lld  ended: %s\n", (long long)ends[i]->count, ends[i]->name);
	if (s->states[ENROLMENT_ACTIVE])
		buf_printf(out, "%9lld  under way\n", (long long)s->states[ENROLMENT_ACTIVE]);
	if (s->states[ENROLMENT_PAUSED])
		buf_printf(out, "%9lld  paused\n", (long long)s->states[ENROLMENT_PAUSED]);
	if (s->states[ENROLMENT_WATCHED])
		buf_printf(out, "%9lld  watched for the holdout\n", (long long)s->states[ENROLMENT_WATCHED]);
	free(ends);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct by_sequence *const *)a)->name, (*(const struct by_sequence *const *)b)->name);
}

static const struct by_sequence **sorted_sequences(const struct tally *t)
{
	const struct by_sequence **out = xcalloc(t->sequence_count + 1, sizeof(*out));
	size_t i;

	for (i = 0; i < t->sequence_count; i++)
		out[i] = &t->sequences[i];
	qsort(out, t->sequence_count, sizeof(*out), by_name);
	return out;
}

void tally_text(const struct tally *t, struct buf *out)
{
	const struct by_sequence **sequences = sorted_sequences(t);
	size_t i;

	put_days(t, out);
	put_bag(&t->mails, "mails by template", REASONS_SHOWN, out);
	put_bag(&t->held, "held back, by reason", REASONS_SHOWN, out);
	put_domains(t, out);
	for (i = 0; i < t->sequence_count; i++)
		put_sequence(sequences[i], out);
	free(sequences);
}

/* --- as JSON ------------------------------------------------------------------------------------------------------------------------ */

static void sums_json(const int64_t *sums, struct buf *out)
{
	size_t i, k;

	for (i = 0; i < COLUMNS; i++) {
		const int64_t *sum = &sums[columns[i].sum];

		buf_printf(out, "%s\"%s\":", i ? "," : "", columns[i].name);
		if (!is_by_whom(columns[i].sum)) {
			buf_printf(out, "%lld", (long long)*sum);
			continue;
		}
		for (k = 0; k < VERDICTS; k++)
			buf_printf(out, "%s\"%s\":%lld", k ? "," : "{", by_whom[k].name, (long long)sum[by_whom[k].verdict]);
		buf_char(out, '}');
	}
}

static void day_json(const struct tally *t, int day, struct buf *out)
{
	struct buf text = BUF_INIT;

	put_day(t, day, &text);
	buf_printf(out, "\"%s\"", buf_cstr(&text) + strlen("Mon "));
	buf_clear(&text);
}

static void bag_json(const struct bag *b, struct buf *out)
{
	const struct named **sorted = bag_sorted(b);
	size_t i;

	buf_char(out, '{');
	for (i = 0; i < b->count; i++) {
		if (i)
			buf_char(out, ',');
		text_json(out, sorted[i]->name, strlen(sorted[i]->name));
		buf_printf(out, ":%lld", (long long)sorted[i]->count);
	}
	buf_char(out, '}');
	free(sorted);
}

static void domains_json(const struct tally *t, struct buf *out)
{
	const struct named **sorted = bag_sorted(&t->domains);
	size_t i;

	buf_char(out, '[');
	for (i = 0; i < t->domains.count; i++) {
		int day = busiest_day(t, sorted[i]);

		buf_str(out, i ? ",\n    {\"domain\":" : "\n    {\"domain\":");
		text_json(out, sorted[i]->name, strlen(sorted[i]->name));
		buf_printf(out, ",\"mails\":%lld,\"busiest\":%lld,\"on\":", (long long)sorted[i]->count, (long long)sorted[i]->by_day[day]);
		day_json(t, day, out);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	free(sorted);
}

static void sequences_json(const struct tally *t, struct buf *out)
{
	const struct by_sequence **sequences = sorted_sequences(t);
	size_t i;

	buf_char(out, '[');
	for (i = 0; i < t->sequence_count; i++) {
		const struct by_sequence *s = sequences[i];

		buf_str(out, i ? ",\n    {\"sequence\":" : "\n    {\"sequence\":");
		text_json(out, s->name, strlen(s->name));
		buf_printf(out, ",\"entered\":%lld,\"held_out\":%lld,\"under_way\":%lld,\"paused\":%lld,\"watched\":%lld,\"ended\":",
				(long long)s->entered, (long long)s->held_out, (long long)s->states[ENROLMENT_ACTIVE],
				(long long)s->states[ENROLMENT_PAUSED], (long long)s->states[ENROLMENT_WATCHED]);
		bag_json(&s->ends, out);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	free(sequences);
}

void tally_json(const struct tally *t, struct buf *out)
{
	int day;

	buf_str(out, "  \"days\": [");
	for (day = 0; day < t->days; day++) {
		buf_str(out, day ? ",\n    {\"day\":" : "\n    {\"day\":");
		day_json(t, day, out);
		buf_char(out, ',');
		sums_json(t->sums[day], out);
		buf_char(out, '}');
	}
	buf_str(out, "],\n  \"all\": {");
	sums_json(t->all, out);
	buf_str(out, "},\n  \"mails\": ");
	bag_json(&t->mails, out);
	buf_str(out, ",\n  \"held\": ");
	bag_json(&t->held, out);
	buf_str(out, ",\n  \"domains\": ");
	domains_json(t, out);
	buf_str(out, ",\n  \"sequences\": ");
	sequences_json(t, out);
}
