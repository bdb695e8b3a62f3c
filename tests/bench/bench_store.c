/*
 * bench_store.c: durable sign-ups a second: one by one, and grouped as the store thread groups what waits; then what a claim costs.
 *
 * usage: bench_store [folder [sign-ups]]; the folder (default: a new one in /tmp) says which disk is measured.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/rows.h"
#include "store/store.h"

#define SECONDS 3
#define FLIGHT_MAX 512

struct bench;

struct signup_job {
	struct store_job job;
	struct bench *bench;
	int64_t number, submitted;
};

struct bench {
	struct loop *loop;
	struct store *store;
	int64_t next, last;		/* numbers of sign-ups */
	int64_t end;			/* clock_steady() */
	size_t in_flight;
	uint32_t *latencies;
	size_t count, cap;
};

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	exit(1);
}

/* Eight rows, as a real one leaves. */
static int signup_run(struct store_job *job, struct db *db, struct err *err)
{
	const struct signup_job *j = (const struct signup_job *)job;
	int64_t now = clock_now();
	struct address a;
	const char *answer;
	char text[60];

	snprintf(text, sizeof(text), "person.%" PRId64 "@example%" PRId64 ".com", j->number, j->number % 97);
	if (address_parse(text, &a, err) < 0)
		return -1;
	struct prospect p = { .id = id_new(a.bucket, now), .address = a.text, .key = a.key, .fields = "{\"first_name\":\"Eve\",\"company\":\"Example Ltd\"}",
		.stage = "awareness", .list = "just-looking", .form = "free-ebook", .language = "en", .timezone = "Europe/Berlin",
		.consent = CONSENT_GIVEN, .interest = 10, .interest_at = now, .created = now, .changed = now };
	struct consent c = { .id = id_new(a.bucket, now), .prospect = p.id, .what = "granted", .purpose = "newsletter",
		.words = "Yes, send me the eBook and a few mails about choosing a vendor. I can stop at any time.", .form = "free-ebook",
		.page = "https://www.example.com/ebook", .ip = "192.0.2.7", .agent = "Mozilla/5.0", .data = "{}", .at = now };
	struct event_row e = { .id = id_new(a.bucket, now), .prospect = p.id, .at = now, .name = "signup", .subject = "free-ebook", .points = 10 };
	struct score_term t = { .prospect = p.id, .rule = "signup", .at = now, .event = e.id, .points = 10 };
	struct enrolment n = { .id = id_new(a.bucket, now), .prospect = p.id, .sequence = "ebook", .step = "deliver", .entered = now,
		.due = now, .lane = LANE_SEND };
	struct queue_row r = { .id = id_new(a.bucket, now), .lane = LANE_SEND, .due = now, .kind = QUEUE_STEP, .prospect = p.id,
		.ref = n.id, .name = "deliver" };

	n.queue_id = r.id;
	if (once_take(db, a.bucket, a.key, now, "con_0", NULL, &answer, err) != 1 || prospects_insert(db, &p, err) < 0 ||
			consents_add(db, &c, err) < 0 || events_insert(db, &e, err) < 0 || terms_insert(db, &t, err) < 0 ||
			enrolments_insert(db, &n, err) < 0 || queue_add(db, &r, err) < 0)
		return -1;
	return journal_add(db, p.id, now, "list", "just-looking", "first list whose rule holds", err);
}

static void submit(struct signup_job *j)
{
	j->number = j->bench->next++;
	j->submitted = clock_steady();
	j->bench->in_flight++;
	if (store_submit(j->bench->store, &j->job, STORE_FIRST) < 0) {
		fprintf(stderr, "the store refuses\n");
		exit(1);
	}
}

static void signup_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct signup_job *j = (struct signup_job *)job;
	struct bench *b = j->bench;
	int64_t now = clock_steady();

	if (result != STORE_COMMITTED)
		die("sign-up", err);
	b->latencies = xgrow(b->latencies, &b->cap, b->count + 1, sizeof(*b->latencies));
	b->latencies[b->count++] = (uint32_t)(now - j->submitted);
	b->in_flight--;
	if (now < b->end && b->next < b->last)
		submit(j);
	else if (!b->in_flight)
		loop_stop(b->loop);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double run_signups(struct bench *b, size_t flight, int64_t max)
{
	static struct signup_job jobs[FLIGHT_MAX];
	struct store_counts before, after;
	int64_t start = clock_steady();
	double seconds, rate;

	b->count = 0;
	b->end = start + SECONDS * US_SECOND;
	b->last = max ? b->next + max : INT64_MAX;
	store_counts(b->store, &before);
	for (size_t i = 0; i < flight; i++) {
		jobs[i] = (struct signup_job){ .job = { .run = signup_run, .done = signup_done }, .bench = b };
		submit(&jobs[i]);
	}
	loop_run(b->loop);
	seconds = (double)(clock_steady() - start) / US_SECOND;
	store_counts(b->store, &after);
	qsort(b->latencies, b->count, sizeof(*b->latencies), compare);
	rate = (double)b->count / seconds;
	printf("%4zu at once: %8.0f sign-ups/s, %5.1f a commit, p50 %6.2f ms, p99 %6.2f ms, %3.0f%% of the time in COMMIT\n", flight, rate,
			(double)b->count / (double)(after.commits - before.commits), b->latencies[b->count / 2] / 1000.0,
			b->latencies[b->count * 99 / 100] / 1000.0,
			100 * (double)(after.commit_us - before.commit_us) / US_SECOND / seconds);
	return rate;
}

/* --- claims ------------------------------------------------------------------------------------------------------ */

struct claim_job {
	struct store_job job;
	struct bench *bench;
	struct arena *arena;
	size_t count;
};

static int claim_run(struct store_job *job, struct db *db, struct err *err)
{
	struct claim_job *j = (struct claim_job *)job;
	int64_t now = clock_now();
	struct queue_row *rows;

	arena_reset(j->arena);
	if (queue_take(db, LANE_SEND, now, 500, j->arena, &rows, &j->count, err) < 0)
		return -1;
	for (size_t i = 0; i < j->count; i++) {
		struct delivery d = { .id = id_new(id_bucket(rows[i].id), now), .prospect = rows[i].prospect, .state = DELIVERY_SENDING,
			.enrolment = rows[i].ref, .sequence = "ebook", .step = "deliver", .template = "ebook-delivery",
			.address = "person@example.com", .planned = rows[i].due };

		if (sending_insert(db, &d, err) < 0)
			return -1;
	}
	return 0;
}

static void claim_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct claim_job *j = (struct claim_job *)job;

	if (result != STORE_COMMITTED)
		die("claim", err);
	j->bench->count += j->count;
	if (j->count == 0 || clock_steady() > j->bench->end)
		loop_stop(j->bench->loop);
	else if (store_submit(j->bench->store, job, STORE_NORMAL) < 0)
		exit(1);
}

static void run_claims(struct bench *b)
{
	struct claim_job job = { .job = { .run = claim_run, .done = claim_done }, .bench = b, .arena = arena_new(0) };
	int64_t start = clock_steady();

	b->count = 0;
	b->end = start + SECONDS * US_SECOND;
	if (store_submit(b->store, &job.job, STORE_NORMAL) < 0)
		exit(1);
	loop_run(b->loop);
	printf("claims of 500: %8.0f rows/s\n", (double)b->count * US_SECOND / (double)(clock_steady() - start));
	arena_free(&job.arena);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/bench-store-XXXXXX";
	struct store_options options = { .state = argc > 1 ? argv[1] : mkdtemp(folder), .owner = "bench" };
	int64_t max = argc > 2 ? strtoll(argv[2], NULL, 10) : 0;
	struct bench b = { .loop = loop_new() };
	double single, grouped = 0, rate;
	struct store_counts counts;
	struct rusage usage;
	struct err err;

	log_setup(LOG_WARN, false);
	/* numbers that no earlier run in the same folder had */
	b.next = clock_now() / 1000 % INT64_C(100000000000) * 10;
	if (!options.state || store_start(b.loop, &options, &b.store, &err) < 0)
		die("store", &err);
	single = run_signups(&b, 1, max);
	for (size_t flight = 8; flight <= FLIGHT_MAX; flight *= 8) {
		rate = run_signups(&b, flight, max);
		if (flight == 64)
			grouped = rate;
	}
	printf("64 at once against one by one: %.1f\n", grouped / single);
	run_claims(&b);
	store_counts(b.store, &counts);
	store_stop(&b.store);
	loop_drain(b.loop);
	loop_free(&b.loop);
	free(b.latencies);
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " jobs, %.0f bytes of file each, longest commit %.1f ms, peak memory %ld MiB\n", counts.jobs,
			(double)counts.db_bytes / (double)counts.jobs, (double)counts.commit_us_max / 1000, usage.ru_maxrss >> 10);
	return 0;
}
