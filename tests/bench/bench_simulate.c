/*
 * bench_simulate.c: how fast invented people live: the programme and the personas of tests/simulate, a month of them.
 *
 *	bench_simulate [PEOPLE [DAYS]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/zone.h"
#include "config/persona.h"
#include "simulate/population.h"
#include "simulate/timeline.h"

#define CONF "tests/simulate/conf/nurtured.yaml"
#define PERSONAS "tests/simulate/personas"
#define TIMELINES 100

static void die(const char *what)
{
	fprintf(stderr, "bench_simulate: %s\n", what);
	exit(1);
}

static double seconds_since(int64_t from)
{
	return (double)(clock_steady() - from) / 1e6;
}

static void bench_population(struct plan *plan, const struct personas *personas, int64_t people, int days)
{
	struct population_options options = { .plan = plan, .personas = personas, .people = people, .over = US_DAY, .days = days, .seed = 1,
			.start = zone_instant(zone_find("Europe/Berlin"), 2026, 3, 2, 0, 0, 0) };
	int64_t from = clock_steady();
	struct buf out = BUF_INIT;
	struct err err;
	double took;

	if (population_make(&options, &out, &err))
		die(err.text);
	took = seconds_since(from);
	printf("population    %lld people, %d days: %.2f s, %.0f people x days/s\n", (long long)people, days, took, (double)people * days / took);
	buf_clear(&out);
}

static void bench_timeline(struct plan *plan, const struct persona *persona)
{
	struct timeline_options options = { .plan = plan, .persona = persona, .seed = 1 };
	int64_t from = clock_steady();
	struct buf out = BUF_INIT;
	struct err err;
	int i;

	for (i = 0; i < TIMELINES; i++) {
		buf_reset(&out);
		if (timeline_make(&options, &out, &err))
			die(err.text);
	}
	printf("one person    %s, %d days: %.2f ms, a store of their own included\n", persona->name, persona->days, seconds_since(from) * 1e3 / TIMELINES);
	buf_clear(&out);
}

int main(int argc, char **argv)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	struct personas personas;

	log_setup(LOG_ERROR, false);
	plan = plan_load_to_look(CONF, &errors);
	if (!plan || personas_load(PERSONAS, plan, &personas, &errors))
		die(buf_cstr(&errors.text));
	bench_timeline(plan, personas.all[personas.count - 1]);
	bench_population(plan, &personas, argc > 1 ? atoll(argv[1]) : 10000, argc > 2 ? atoi(argv[2]) : 30);
	personas_clear(&personas);
	plan_unref(&plan);
	return 0;
}
