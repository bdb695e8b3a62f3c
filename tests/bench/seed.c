/*
 * seed.c: fills a database for the benches: prospects who consented, all in a sequence; for the first DUE of them its step is due, for the others
 * in a month.
 *
 * They go in by bucket, so that neighbours are written together and ten million take minutes. The rows and their order in each table are
 * those of people who came one by one.
 *
 * usage: seed STATE PROSPECTS DUE SEQUENCE STEP
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/rows.h"
#include "store/store.h"

#define CHUNK 5000
#define BUCKETS 1024

static struct seed {
	struct store_job job;
	struct loop *loop;
	struct store *store;
	const char *sequence, *step;
	long prospects, due, done;
	uint32_t *order;		/* of the prospects, by bucket */
	int status;
} seed;

static int address_of(long n, struct address *out, struct err *err)
{
	char text[64];

	snprintf(text, sizeof(text), "person%ld@people%ld.example", n, n % 97);
	return address_parse(text, out, err);
}

static int put(struct db *db, long n, struct err *err)
{
	int64_t now = clock_now();
	char fields[256];
	struct address address;
	struct prospect p = { .stage = "awareness", .list = "just-looking", .form = "bench", .language = "", .timezone = "", .intent = "",
		.consent = CONSENT_GIVEN, .interest = 10, .interest_at = now, .created = now, .changed = now };
	struct enrolment e = { .sequence = seed.sequence, .step = seed.step, .entered = now, .why = "",
		.due = n < seed.due ? now : now + 30 * US_DAY, .lane = LANE_SEND };

	snprintf(fields, sizeof(fields), "{\"first_name\":\"Person%ld\",\"company\":\"Company %ld & Sons\",\"role\":\"Head of Department %ld\",\"country\":\"DE\"}",
			n, n % 1000, n % 50);
	if (address_of(n, &address, err))
		return -1;
	p.id = id_new(address.bucket, now);
	p.address = address.text;
	p.key = address.key;
	p.fields = fields;
	if (prospects_insert(db, &p, err))
		return -1;
	e.id = id_new(address.bucket, now);
	e.prospect = p.id;
	e.queue_id = id_new(address.bucket, now);
	return enrolments_insert(db, &e, err) || queue_add(db, &(struct queue_row){ .id = e.queue_id, .lane = LANE_SEND, .due = e.due,
			.kind = QUEUE_STEP, .prospect = p.id, .ref = e.id, .name = seed.step }, err) ? -1 : 0;
}

static int run(struct store_job *job, struct db *db, struct err *err)
{
	long n;

	for (n = seed.done; n < seed.done + CHUNK && n < seed.prospects; n++)
		if (put(db, seed.order[n], err))
			return -1;
	return 0;
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	seed.done += CHUNK;
	if (result != STORE_COMMITTED) {
		fprintf(stderr, "seed: %s\n", err->text);
		seed.status = 1;
	} else if (seed.done < seed.prospects && store_submit(seed.store, &seed.job, STORE_NORMAL) == 0) {
		return;
	}
	loop_stop(seed.loop);
}

static int sort_by_bucket(struct err *err)
{
	size_t starts[BUCKETS + 1] = { 0 };
	uint16_t *buckets = xcalloc((size_t)seed.prospects + 1, sizeof(*buckets));
	struct address address;
	size_t i;
	long n;

	seed.order = xcalloc((size_t)seed.prospects + 1, sizeof(*seed.order));
	for (n = 0; n < seed.prospects; n++) {
		if (address_of(n, &address, err))
			return -1;
		buckets[n] = address.bucket;
		starts[address.bucket + 1]++;
	}
	for (i = 1; i < BUCKETS; i++)
		starts[i] += starts[i - 1];
	for (n = 0; n < seed.prospects; n++)
		seed.order[starts[buckets[n]]++] = (uint32_t)n;
	free(buckets);
	return 0;
}

int main(int argc, char **argv)
{
	struct store_options options = { .owner = "seed" };
	struct err err = { "" };

	if (argc != 6)
		return fprintf(stderr, "usage: seed STATE PROSPECTS DUE SEQUENCE STEP\n"), 64;
	options.state = argv[1];
	seed.prospects = strtol(argv[2], NULL, 10);
	seed.due = strtol(argv[3], NULL, 10);
	seed.sequence = argv[4];
	seed.step = argv[5];
	seed.job.run = run;
	seed.job.done = done;
	seed.loop = loop_new();
	if (sort_by_bucket(&err) || store_start(seed.loop, &options, &seed.store, &err))
		return fprintf(stderr, "seed: %s\n", err.text), 1;
	if (store_submit(seed.store, &seed.job, STORE_NORMAL) || loop_run(seed.loop))
		return 1;
	store_stop(&seed.store);
	loop_free(&seed.loop);
	free(seed.order);
	return seed.status;
}
