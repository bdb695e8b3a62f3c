/*
 * bench_rules.c: what one event costs in a plan with few rules and in one with many.
 *
 * Each plan has ten rules that name the event `ping`; the others ask for events and fields that have nothing to do with it. What the event costs
 * should follow the ten. The real decide, on a store in memory, in rounds that take turns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"

#include "../decide/small_site.h"

#define START (INT64_C(1795424400) * US_SECOND)
#define EVENTS 4000
#define ROUNDS 5

static const int sizes[] = { 10, 100, 1000 };
#define PLANS (sizeof(sizes) / sizeof(*sizes))

struct bench {
	struct site site;
	struct address address;
	int64_t sent, us[ROUNDS];
};

/* Of each hundred rules: 40 for interest, 30 entries, 15 goals, 15 exits; ten name the event. */
static void write_rules(const struct site *site, int rules)
{
	struct buf text = BUF_INIT;
	char name[20];
	int i;

	buf_str(&text, "fields:\n  other: {type: text}\n  first_name: {type: text}\n  country: {type: text}\nstages:\n  - name: first\n  - name: second\n    when: interest >= 1000\n"
		"lists:\n  - {name: all}\nscore:\n  interest:\n");
	for (i = 0; i < 7; i++)
		buf_printf(&text, "    - {on: ping, points: 0.001, at_most: 1 per 7 days, name: ping-%d}\n", i);
	for (i = 7; i < rules * 40 / 100; i++)
		buf_printf(&text, "    - {on: other_%d, points: 1, name: other-%d}\n", i, i);
	site_write(site, "nurture.yaml", buf_cstr(&text));
	for (i = 0; i < rules * 30 / 100 || i < 3; i++) {
		const char *event = i < 3 ? "ping" : "elsewhere";

		buf_reset(&text);
		buf_printf(&text, "enter:\n  on: %s\n  when: times(\"%s\", 1 day) > 100000\n", event, event);
		if (i % 2 && i >= 3)
			buf_printf(&text, "goal: did(\"bought_%d\")\nexit: other == \"%d\"\n", i, i);
		buf_str(&text, "steps:\n  - {send: a}\n");
		snprintf(name, sizeof(name), "s%04d", i);
		site_sequence(site, name, buf_cstr(&text));
	}
	buf_clear(&text);
}

/* Somebody who is there and has agreed to mail, so that entries are asked in full. */
static int put_person(struct site *site, struct db *db, void *arg, struct err *err)
{
	const struct address *a = arg;

	return prospects_insert(db, &(struct prospect){ .id = id_new(a->bucket, clock_now()), .address = a->text, .key = a->key, .fields = "{}",
		.stage = "first", .list = "all", .form = "", .language = "", .timezone = "", .intent = "", .tags = "", .moved_list = "",
		.consent = CONSENT_GIVEN, .interest_at = clock_now(), .created = clock_now(), .changed = clock_now() }, err);
}

static void round_of(struct bench *b, int round)
{
	int64_t begin = clock_steady();
	char person[60];
	int i;

	for (i = 0; i < EVENTS; i++) {
		/* a person has few events: what is measured is the rules, not the history */
		if (i % 20 == 0) {
			snprintf(person, sizeof(person), "p%" PRId64 "@example.com", b->sent);
			if (address_parse(person, &b->address, NULL))
				abort();
			site_run(&b->site, put_person, &b->address);
		}
		b->sent++;
		clock_set(START + b->sent * US_SECOND);
		site_track(&b->site, person, "ping", "{}");
	}
	b->us[round] = clock_steady() - begin;
}

static int by_size(const void *a, const void *b)
{
	return *(const int64_t *)a < *(const int64_t *)b ? -1 : 1;
}

int main(void)
{
	struct bench benches[PLANS] = { 0 };
	size_t i;
	int round;

	log_setup(LOG_ERROR, false);
	random_seed(1);
	clock_set(START);
	for (i = 0; i < PLANS; i++) {
		site_init(&benches[i].site);
		write_rules(&benches[i].site, sizes[i]);
		site_open(&benches[i].site);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < PLANS; i++)
			round_of(&benches[i], round);
	printf("one event, ten rules name it:\n");
	for (i = 0; i < PLANS; i++) {
		qsort(benches[i].us, ROUNDS, sizeof(int64_t), by_size);
		printf("  a plan of %5zu rules: %6.1f us an event (%.1f to %.1f), %.2f times that of the first\n", benches[i].site.plan->rule_count,
			(double)benches[i].us[ROUNDS / 2] / EVENTS, (double)benches[i].us[0] / EVENTS, (double)benches[i].us[ROUNDS - 1] / EVENTS,
			(double)benches[i].us[ROUNDS / 2] / (double)benches[0].us[ROUNDS / 2]);
		site_clear(&benches[i].site);
	}
	clock_set(0);
	return 0;
}
