/*
 * population.c: see population.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "simulate/population.h"
#include "tally.h"

#define FALLBACK_ZONE "UTC"

struct population {
	const struct population_options *options;
	struct tally *tally;
	int64_t shares;
	struct simulation *simulation;
};

static const struct zone *zone_of(const struct plan *plan)
{
	return plan->quiet.set && plan->quiet.zone ? plan->quiet.zone : zone_find(FALLBACK_ZONE);
}

static void tell_cb(void *ctx, const struct thing *thing)
{
	tally_thing(ctx, thing);
}

/* --- who comes -------------------------------------------------------------------------------------------------------------------- */

/* Evenly among the shares, in an order that has no pattern: the golden ratio's. */
static double place_of(int64_t i)
{
	double place = (double)(i + 1) * 0.6180339887498949;

	return place - (double)(int64_t)place;
}

static const struct persona *persona_of(const struct population *p, int64_t i)
{
	const struct personas *all = p->options->personas;
	double place = place_of(i) * (double)p->shares;
	size_t k;

	for (k = 0; k + 1 < all->count && place >= all->all[k]->share; k++)
		place -= all->all[k]->share;
	return all->all[k];
}

static const char *domain_of(const struct persona *persona, int64_t i)
{
	int64_t shares = 0;
	double place;
	size_t k;

	for (k = 0; k < persona->domain_count; k++)
		shares += persona->domains[k].share;
	if (!shares)
		return persona->address.domain;
	place = place_of(i * 7 + 3) * (double)shares;
	for (k = 0; k + 1 < persona->domain_count && place >= persona->domains[k].share; k++)
		place -= persona->domains[k].share;
	return persona->domains[k].domain;
}

static void come(struct population *p, int64_t i)
{
	const struct population_options *o = p->options;
	const struct persona *persona = persona_of(p, i);
	int local = (int)strcspn(persona->address.text, "@");
	char address[ADDRESS_MAX + 40];

	/* a local part has at most 64 octets */
	snprintf(address, sizeof(address), "%.*s-%lld@%s", local > 50 ? 50 : local, persona->address.text, (long long)i, domain_of(persona, i));
	simulation_add(p->simulation, persona, address, o->start + (int64_t)((double)o->over * (double)i / (double)o->people), NULL);
}

/* --- the report --------------------------------------------------------------------------------------------------------------------- */

static void journal_cb(void *ctx, const struct journal_row *row)
{
	tally_journal(ctx, row);
}

static void hit_cb(void *ctx, const struct hit *h)
{
	tally_hit(ctx, h);
}

static void enrolments_cb(void *ctx, const char *sequence, enum enrolment_state state, int64_t count)
{
	tally_enrolments(ctx, sequence, state, count);
}

static int read_rows(struct db *db, void *arg, struct err *err)
{
	struct population *p = arg;

	return journal_each(db, p->options->start, journal_cb, p->tally, err) || hits_each(db, p->options->start, hit_cb, p->tally, err) ||
		enrolments_census(db, enrolments_cb, p->tally, err) ? -1 : 0;
}

static void put(const struct population *p, struct buf *out)
{
	const struct population_options *o = p->options;

	if (o->json) {
		buf_printf(out, "{\n  \"people\": %lld,\n  \"seed\": %llu,\n", (long long)o->people, (unsigned long long)o->seed);
		tally_json(p->tally, out);
		buf_str(out, "\n}\n");
		return;
	}
	if (o->people)
		buf_printf(out, "%lld people who come", (long long)o->people);
	else
		buf_str(out, "the people of the database");
	buf_printf(out, ", %d days from ", o->days);
	thing_time(o->start, zone_of(o->plan), out);
	buf_printf(out, ", seed %llu\n\n", (unsigned long long)o->seed);
	tally_text(p->tally, out);
}

static int live(struct population *p, struct err *err)
{
	const struct population_options *o = p->options;
	struct simulation_options options = {
		.plan = o->plan, .seed = o->seed, .start = o->start, .database = o->database, .personas = o->personas, .read_reply = o->read_reply,
		.tell = tell_cb, .ctx = p->tally,
	};
	int64_t i;
	int rc;

	if (simulation_new(&options, &p->simulation, err))
		return -1;
	for (i = 0; i < o->people; i++)
		come(p, i);
	rc = simulation_run(p->simulation, o->start + o->days * US_DAY, err) || simulation_do(p->simulation, read_rows, p, err) ? -1 : 0;
	simulation_free(&p->simulation);
	return rc;
}

int population_make(const struct population_options *o, struct buf *out, struct err *err)
{
	struct population p = { .options = o, .tally = tally_new(zone_of(o->plan), o->start, o->days) };
	size_t i;
	int rc;

	for (i = 0; i < o->personas->count; i++)
		p.shares += o->personas->all[i]->share;
	rc = live(&p, err);
	if (!rc)
		put(&p, out);
	tally_free(&p.tally);
	return rc;
}
