/*
 * test_real_run.c: a simulation and a real run with the same seed and clock give the same timeline: the same people, once on a store in memory,
 * once on a real one, with its threads, its file and its log, and decide as the daemon starts it.
 *
 * 40 rounds, or as many as the disk syncs in 15 s; SIMULATE_ROUNDS says otherwise.
 */
#include "with_plan.h"

#include "base/loop.h"
#include "random_persona.h"

#define PEOPLE 12
#define DAYS 35
#define ROUNDS 40
#define SECONDS 15

/* --- a real store and decide -------------------------------------------------------------------------------------------------------- */

struct real {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct decide *decide;
	struct token_ring *ring;
	struct simulation_place place;
};

/* The job of the simulation, waited for on the loop. */
struct waited {
	struct store_job job;		/* first: cast back */
	struct store_job *inner;
	struct real *real;
	enum store_result result;
	struct err err;
};

static int waited_run(struct store_job *job, struct db *db, struct err *err)
{
	struct waited *w = (struct waited *)job;

	return w->inner->run(w->inner, db, err);
}

static void waited_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct waited *w = (struct waited *)job;

	w->result = result;
	w->err = *err;
	loop_stop(w->real->loop);
}

static enum store_result run_cb(void *ctx, struct store_job *job, struct err *err)
{
	struct real *r = ctx;
	struct waited w = { .job = { .run = waited_run, .done = waited_done }, .inner = job, .real = r };

	assert_int_equal(store_submit(r->store, &w.job, STORE_NORMAL), 0);
	assert_int_equal(loop_run(r->loop), 0);
	*err = w.err;
	return w.result;
}

static int nothing(struct store_job *job, struct db *db, struct err *err)
{
	return 0;
}

static void real_open(struct real *r, struct plan *plan)
{
	static const uint8_t key[1][TOKEN_SECRET] = { { 0 } }, ids[1] = { 0 };
	struct store_options options = { .state = r->folder, .owner = "test", .min_free = 1 };
	struct store_job first = { .run = nothing };
	struct err err = { "" };

	memset(r, 0, sizeof(*r));
	snprintf(r->folder, sizeof(r->folder), "/tmp/test_real_run.XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	r->loop = loop_new();
	if (store_start(r->loop, &options, &r->store, &err))
		fail_msg("%s", err.text);
	r->ring = token_ring_new(key, ids, 1);
	assert_int_equal(decide_start(r->loop, r->store, plan, r->ring, &r->decide, &err), 0);
	/* behind what the start owes the store; then time is ours: its timers go by the clock on the wall */
	assert_int_equal(run_cb(r, &first, &err), STORE_COMMITTED);
	decide_quiesce(r->decide);
	r->place = (struct simulation_place){ .store = r->store, .decide = r->decide, .run = run_cb, .ctx = r };
}

static void real_close(struct real *r)
{
	char *command = xasprintf("rm -rf '%s'", r->folder);

	store_stop(&r->store);
	decide_stop(&r->decide);
	loop_drain(r->loop);
	loop_free(&r->loop);
	token_ring_free(&r->ring);
	assert_int_equal(system(command), 0);
	free(command);
}

/* --- a run ----------------------------------------------------------------------------------------------------------------------------- */

struct run {
	struct plan *plan;
	struct persona *personas[PEOPLE];
	int64_t start;
	struct buf out;
};

static void tell_cb(void *ctx, const struct thing *thing)
{
	struct run *r = ctx;

	buf_printf(&r->out, "%2zu %lld ", thing->person, (long long)thing->at);
	thing_line(thing, r->personas[thing->person]->zone, r->start, &r->out);
	buf_char(&r->out, '\n');
}

static void live(struct run *r, uint64_t seed, const struct simulation_place *place)
{
	struct simulation_options options = { .plan = r->plan, .seed = seed, .start = r->start, .read_reply = read_reply, .tell = tell_cb, .ctx = r,
			.watch = true, .place = place };
	struct simulation *s;
	struct err err = { "" };

	buf_reset(&r->out);
	if (simulation_new(&options, &s, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < PEOPLE; i++)
		simulation_add(s, r->personas[i], NULL, r->start + i * 7 * US_MINUTE, i % 4 ? NULL : "letters");
	if (simulation_run(s, r->start + DAYS * US_DAY, &err))
		fail_msg("%s", err.text);
	simulation_free(&s);
}

/* The first line that differs. */
static void compare(const char *a, const char *b, uint64_t seed)
{
	while (*a && *a == *b) {
		size_t n = strcspn(a, "\n") + 1;

		if (strncmp(a, b, n) != 0)
			break;
		a += n;
		b += n;
	}
	if (*a || *b)
		fail_msg("seed %llu: simulated\n%.*s\nreally\n%.*s", (unsigned long long)seed, (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
}

/* How long the timeline was, in bytes. */
static size_t same_lives(uint64_t seed, struct plan *plan)
{
	struct run r = { .plan = plan, .start = zone_instant(zone_find("Europe/Berlin"), 2026, 3, 1 + (int)(seed % 7), 9, 0, 0) };
	struct buf text = BUF_INIT, simulated = BUF_INIT;
	uint64_t rng = seed;
	struct real real;
	size_t bytes;

	for (int i = 0; i < PEOPLE; i++) {
		random_persona(&rng, i, &text);
		r.personas[i] = load_persona(plan, text.data);
	}
	live(&r, seed, NULL);
	buf_str(&simulated, buf_cstr(&r.out));
	clock_set(r.start);
	real_open(&real, plan);
	live(&r, seed, &real.place);
	real_close(&real);
	assert_true(simulated.len > 5000);
	compare(buf_cstr(&simulated), buf_cstr(&r.out), seed);
	bytes = simulated.len;
	for (int i = 0; i < PEOPLE; i++)
		persona_free(&r.personas[i]);
	buf_clear(&text);
	buf_clear(&simulated);
	buf_clear(&r.out);
	return bytes;
}

static void test_simulated_and_real_lives_are_the_same(void **state)
{
	const char *rounds = getenv("SIMULATE_ROUNDS");
	uint64_t seed = 0, most = rounds ? strtoull(rounds, NULL, 10) : ROUNDS;
	int64_t end = clock_steady() + SECONDS * US_SECOND;
	struct plan *plan = load_plan();
	size_t bytes = 0;

	do {
		bytes += same_lives(++seed, plan);
	} while (seed < most && (rounds || clock_steady() < end));
	printf("| %llu people, %d days: the same %zu bytes of timeline\n", (unsigned long long)seed * PEOPLE, DAYS, bytes);
	plan_unref(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_simulated_and_real_lives_are_the_same) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
