/*
 * test_open.c: decide without a loop, on a store in memory: a person signs up and is mailed; what a run before had claimed is recovered; the same
 * clock and random numbers give the same ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "decide/facts.h"
#include "store/store.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

struct world {
	struct plan *plan;
	struct token_ring *ring;
	struct store *store;
	struct decide *d;
};

static void world_open(struct world *w, const char *copy_of)
{
	static const uint8_t key[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	struct plan_errors errors = { 0 };
	struct err err = { "" };

	clock_set(START);
	random_seed(7);
	id_restart();
	w->plan = plan_load_to_look("tests/config/good/nurtured.yaml", &errors);
	if (!w->plan)
		fail_msg("%s", buf_cstr(&errors.text));
	w->ring = token_ring_new(key, ids, 1);
	if (store_open_memory(copy_of, &w->store, &err) || decide_open(w->store, w->plan, w->ring, &w->d, &err))
		fail_msg("%s", err.text);
}

static void world_close(struct world *w)
{
	store_stop(&w->store);
	decide_stop(&w->d);
	token_ring_free(&w->ring);
	plan_unref(&w->plan);
	clock_set(0);
}

struct call {
	struct store_job job;		/* first: cast back */
	struct decide *d;
	int (*fn)(struct decide *d, struct db *db, void *arg, struct err *err);
	void *arg;
};

static int call_run(struct store_job *job, struct db *db, struct err *err)
{
	struct call *c = (struct call *)job;

	return c->fn(c->d, db, c->arg, err);
}

static void run(struct world *w, int (*fn)(struct decide *d, struct db *db, void *arg, struct err *err), void *arg)
{
	struct call c = { .job = { .run = call_run }, .d = w->d, .fn = fn, .arg = arg };
	struct err err = { "" };

	if (store_run(w->store, &c.job, &err) != STORE_COMMITTED)
		fail_msg("%s", err.text);
}

static int sign_up(struct decide *d, struct db *db, void *arg, struct err *err)
{
	static const struct pair fields[] = { { "company", "Nordlicht" } };
	struct signup_result result;
	struct address address;
	struct signup fact = { .form = "book", .address = &address, .fields = fields, .field_count = 1, .ip = "", .agent = "", .page = "",
			.language = "", .timezone = "", .at = clock_now() };

	return address_parse("eva@nordlicht.example", &address, err) || on_signup(d, db, &fact, &result, err) ||
		on_confirm(d, db, &(struct confirmation){ .consent = result.id, .ip = "", .agent = "", .at = clock_now() },
			arg, err) ? -1 : 0;
}

static int claim(struct decide *d, struct db *db, void *arg, struct err *err)
{
	return on_claim(d, db, 10, arg, err);
}

static int dot(struct decide *d, struct db *db, void *arg, struct err *err)
{
	bool may_out;
	int rc = on_dot(d, db, *(int64_t *)arg, &may_out, err);

	assert_true(rc || may_out);
	return rc;
}

static int save(struct decide *d, struct db *db, void *arg, struct err *err)
{
	return db_save(db, arg, err);
}

static int unknown(struct decide *d, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct delivery *rows;
	size_t count;
	int rc = deliveries_in_state(db, DELIVERY_UNKNOWN, 10, arena, &rows, &count, err);

	assert_true(rc || count == 1);
	*(int64_t *)arg = rc ? 0 : rows[0].id;
	arena_free(&arena);
	return rc;
}

/* Signs up, and a mail is on its way. */
static int64_t claimed(struct world *w)
{
	struct confirmation_result confirmed;
	struct mail_batch *batch;
	int64_t delivery;

	run(w, sign_up, &confirmed);
	assert_true(confirmed.found);
	assert_true(queue_next_mail(w->store) <= START);
	run(w, claim, &batch);
	assert_true(batch->count > 0);
	delivery = batch->mails[batch->count - 1].delivery;
	mail_batch_free(&batch);
	return delivery;
}

static void test_facts_and_claims_run_at_once(void **state)
{
	struct world w;

	world_open(&w, NULL);
	claimed(&w);
	world_close(&w);
}

static void test_same_seed_same_ids(void **state)
{
	struct world w;
	int64_t first;

	world_open(&w, NULL);
	first = claimed(&w);
	world_close(&w);
	id_new(5, START + US_DAY);
	world_open(&w, NULL);
	assert_true(claimed(&w) == first);
	world_close(&w);
}

static void test_claims_are_recovered_before_it_is_open(void **state)
{
	char folder[] = "/tmp/test_open.XXXXXX", file[64];
	int64_t delivery, found;
	struct world w;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/copy.db", folder);
	world_open(&w, NULL);
	delivery = claimed(&w);
	run(&w, dot, &delivery);
	run(&w, save, file);
	world_close(&w);
	world_open(&w, file);
	run(&w, unknown, &found);
	assert_true(found == delivery);
	world_close(&w);
	unlink(file);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts_and_claims_run_at_once),
		cmocka_unit_test(test_same_seed_same_ids),
		cmocka_unit_test(test_claims_are_recovered_before_it_is_open),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
