/*
 * seed.c: fills a database for the benches: prospects who consented, the first of them in a sequence with a step that is due.
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

static struct seed {
	struct store_job job;
	struct loop *loop;
	struct store *store;
	const char *sequence, *step;
	long prospects, due, done;
	int status;
} seed;

static int put(struct db *db, long n, struct err *err)
{
	int64_t now = clock_now();
	char text[64], fields[256];
	struct address address;
	struct prospect p = { .stage = "awareness", .list = "just-looking", .form = "bench", .language = "", .timezone = "", .intent = "",
		.consent = CONSENT_GIVEN, .interest = 10, .interest_at = now, .created = now, .changed = now };
	struct enrolment e = { .sequence = seed.sequence, .step = seed.step, .entered = now, .why = "", .due = now, .lane = LANE_SEND };

	snprintf(text, sizeof(text), "person%ld@people%ld.example", n, n % 97);
	snprintf(fields, sizeof(fields), "{\"first_name\":\"Person%ld\",\"company\":\"Company %ld & Sons\",\"role\":\"Head of Department %ld\",\"country\":\"DE\"}",
			n, n % 1000, n % 50);
	if (address_parse(text, &address, err))
		return -1;
	p.id = id_new(address.bucket, now);
	p.address = address.text;
	p.key = address.key;
	p.fields = fields;
	if (prospects_insert(db, &p, err))
		return -1;
	if (n >= seed.due)
		return 0;
	e.id = id_new(address.bucket, now);
	e.prospect = p.id;
	e.queue_id = id_new(address.bucket, now);
	return enrolments_insert(db, &e, err) || queue_add(db, &(struct queue_row){ .id = e.queue_id, .lane = LANE_SEND, .due = now,
			.kind = QUEUE_STEP, .prospect = p.id, .ref = e.id, .name = seed.step }, err) ? -1 : 0;
}

static int run(struct store_job *job, struct db *db, struct err *err)
{
	long n;

	for (n = seed.done; n < seed.done + CHUNK && n < seed.prospects; n++)
		if (put(db, n, err))
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
	if (store_start(seed.loop, &options, &seed.store, &err))
		return fprintf(stderr, "seed: %s\n", err.text), 1;
	if (store_submit(seed.store, &seed.job, STORE_NORMAL) || loop_run(seed.loop))
		return 1;
	store_stop(&seed.store);
	loop_free(&seed.loop);
	return seed.status;
}
