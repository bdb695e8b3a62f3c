/*
 * test_queue.c: what is due: order, fairness, next due times in memory, and that they survive rollbacks.
 */
#include "with_store.h"

#define NOW (INT64_C(1800000000) * US_SECOND)

static int64_t id_in(uint16_t bucket, int n)
{
	return (INT64_C(1) + n / 4096) << 22 | (int64_t)bucket << 12 | n % 4096;
}

struct row {
	uint16_t bucket;
	int n;
	int64_t due;
};

static struct queue_row make(const struct row *r)
{
	return (struct queue_row){ .id = id_in(r->bucket, r->n), .lane = LANE_SEND, .due = r->due, .kind = QUEUE_STEP,
			.prospect = id_in(r->bucket, 0), .ref = r->n, .name = "step" };
}

struct rows {
	const struct row *rows;
	size_t count;
	bool fail;
};

static int add_rows(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct rows *rows = arg;

	for (size_t i = 0; i < rows->count; i++) {
		struct queue_row row = make(&rows->rows[i]);

		if (queue_add(db, &row, err) < 0)
			return -1;
	}
	return rows->fail ? err_set(err, "as told") : 0;
}

struct take {
	int64_t now;
	size_t max;
	bool fail;
	struct queue_row *rows;
	size_t count;
};

static int take(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct take *t = arg;

	if (queue_take(db, LANE_SEND, t->now, t->max, w->arena, &t->rows, &t->count, err) < 0)
		return -1;
	return t->fail ? err_set(err, "as told") : 0;
}

static void add(struct with_store *w, const struct row *rows, size_t count)
{
	struct rows arg = { .rows = rows, .count = count };

	do_job(w, add_rows, &arg);
}

static void rows_come_in_order_of_due_time(void **state)
{
	static const struct row rows[] = { { 7, 3, NOW - 1 }, { 7, 1, NOW - 5 }, { 7, 4, NOW + 1 }, { 7, 2, NOW - 1 }, { 7, 5, NOW } };
	struct take t = { .now = NOW, .max = 100 };

	add(*state, rows, 5);
	do_job(*state, take, &t);
	assert_int_equal(t.count, 4);
	assert_int_equal(t.rows[0].ref, 1);
	assert_int_equal(t.rows[1].ref, 2);
	assert_int_equal(t.rows[2].ref, 3);
	assert_int_equal(t.rows[3].ref, 5);
	assert_int_equal(t.rows[0].kind, QUEUE_STEP);
	assert_int_equal(t.rows[0].prospect, id_in(7, 0));
	assert_string_equal(t.rows[0].name, "step");
	assert_int_equal(queue_next_due(((struct with_store *)*state)->store, LANE_SEND), NOW + 1);
}

static void a_row_is_taken_once(void **state)
{
	static const struct row rows[] = { { 1, 1, NOW }, { 1, 2, NOW }, { 1, 3, NOW } };
	struct take t = { .now = NOW, .max = 2 };

	add(*state, rows, 3);
	do_job(*state, take, &t);
	assert_int_equal(t.count, 2);
	do_job(*state, take, &t);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.rows[0].ref, 3);
	do_job(*state, take, &t);
	assert_int_equal(t.count, 0);
	assert_int_equal(queue_next_due(((struct with_store *)*state)->store, LANE_SEND), TIME_NEVER);
}

static void a_full_bucket_does_not_starve_the_others(void **state)
{
	struct with_store *w = *state;
	struct row rows[300];
	struct take t = { .now = NOW, .max = 50 };
	size_t takes = 0;
	bool seen = false;

	for (int i = 0; i < 299; i++)
		rows[i] = (struct row){ 3, i + 1, NOW - 1000 };
	rows[299] = (struct row){ 900, 1, NOW };
	add(w, rows, 300);
	while (!seen) {
		do_job(w, take, &t);
		assert_true(t.count > 0);
		takes++;
		for (size_t i = 0; i < t.count; i++)
			seen |= id_bucket(t.rows[i].id) == 900;
	}
	assert_int_equal(takes, 2);
}

static void all_buckets_are_emptied(void **state)
{
	struct with_store *w = *state;
	struct row *rows = xcalloc(3 * BUCKETS, sizeof(*rows));
	struct take t = { .now = NOW, .max = 100 };
	size_t sum = 0;

	for (int i = 0; i < 3 * BUCKETS; i++)
		rows[i] = (struct row){ (uint16_t)(i % BUCKETS), i, NOW - i };
	add(w, rows, 3 * BUCKETS);
	do {
		do_job(w, take, &t);
		sum += t.count;
	} while (t.count);
	assert_int_equal(sum, 3 * BUCKETS);
	free(rows);
}

static uint64_t statements(struct with_store *w)
{
	struct store_counts counts;

	store_counts(w->store, &counts);
	return counts.statements;
}

/* Statements that a job of its own costs: the fence. */
static int nothing(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return 0;
}

static void an_idle_bucket_costs_no_statement(void **state)
{
	struct with_store *w = *state;
	static const struct row rows[] = { { 5, 1, NOW + 1 }, { 600, 1, NOW + US_DAY } };
	struct take t = { .now = NOW, .max = 100 };
	uint64_t before, fence;

	add(w, rows, 2);
	before = statements(w);
	do_job(w, nothing, NULL);
	fence = statements(w) - before;
	before = statements(w);
	do_job(w, take, &t);
	assert_int_equal(t.count, 0);
	assert_int_equal(statements(w) - before, fence);
	t.now = NOW + 1;
	before = statements(w);
	do_job(w, take, &t);
	assert_int_equal(t.count, 1);
	/* one to look, one range delete */
	assert_int_equal(statements(w) - before, fence + 2);
}

static void a_take_that_is_rolled_back_gives_the_rows_back(void **state)
{
	struct with_store *w = *state;
	static const struct row rows[] = { { 5, 1, NOW - 7 }, { 6, 1, NOW - 8 } };
	struct take t = { .now = NOW, .max = 100, .fail = true };

	add(w, rows, 2);
	assert_int_equal(run_job(w, take, &t, NULL), STORE_REFUSED);
	assert_int_equal(t.count, 2);
	assert_true(queue_next_due(w->store, LANE_SEND) <= NOW - 8);
	t.fail = false;
	do_job(w, take, &t);
	assert_int_equal(t.count, 2);
	assert_int_equal(queue_next_due(w->store, LANE_SEND), TIME_NEVER);
}

static void an_addition_that_is_rolled_back_is_not_there(void **state)
{
	struct with_store *w = *state;
	static const struct row rows[] = { { 5, 1, NOW - 7 } };
	struct rows arg = { .rows = rows, .count = 1, .fail = true };
	struct take t = { .now = NOW, .max = 100 };

	assert_int_equal(run_job(w, add_rows, &arg, NULL), STORE_REFUSED);
	do_job(w, take, &t);
	assert_int_equal(t.count, 0);
	assert_int_equal(queue_next_due(w->store, LANE_SEND), TIME_NEVER);
}

static int remove_row(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct row *r = arg;
	int removed = queue_remove(db, LANE_SEND, r->due, id_in(r->bucket, r->n), err);

	return removed < 0 ? -1 : removed == 1 ? 0 : err_set(err, "it was not there");
}

static void a_removed_row_is_gone(void **state)
{
	struct with_store *w = *state;
	static const struct row rows[] = { { 5, 1, NOW - 7 }, { 5, 2, NOW - 6 } };
	struct row first = rows[0];
	struct take t = { .now = NOW, .max = 100 };

	add(w, rows, 2);
	do_job(w, remove_row, &first);
	assert_int_equal(run_job(w, remove_row, &first, NULL), STORE_REFUSED);
	do_job(w, take, &t);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.rows[0].ref, 2);
}

static void next_due_times_are_found_again_at_the_start(void **state)
{
	struct with_store *w = *state;
	static const struct row rows[] = { { 5, 1, NOW + 50 }, { 1023, 1, NOW + 40 } };
	struct take t = { .now = NOW + 50, .max = 100 };

	add(w, rows, 2);
	close_store(w);
	open_store(w);
	assert_int_equal(queue_next_due(w->store, LANE_SEND), NOW + 40);
	assert_int_equal(queue_next_due(w->store, LANE_TIME), TIME_NEVER);
	do_job(w, take, &t);
	assert_int_equal(t.count, 2);
}

static unsigned hints_seen;

static void on_hints(void *arg, unsigned hints)
{
	hints_seen |= hints;
}

static void a_row_that_is_due_sooner_hints_its_lane(void **state)
{
	struct with_store *w = *state;
	static const struct row late[] = { { 5, 1, NOW + 50 } }, later[] = { { 6, 1, NOW + 60 } }, sooner[] = { { 7, 1, NOW + 40 } };

	clock_set(NOW);
	store_on_hints(w->store, on_hints, NULL);
	hints_seen = 0;
	add(w, late, 1);
	loop_drain(w->loop);
	assert_int_equal(hints_seen, HINT_SEND);
	hints_seen = 0;
	add(w, later, 1);
	loop_drain(w->loop);
	assert_int_equal(hints_seen, 0);
	add(w, sooner, 1);
	loop_drain(w->loop);
	assert_int_equal(hints_seen, HINT_SEND);
	assert_int_equal(queue_next_due(w->store, LANE_SEND), NOW + 40);
	clock_set(0);
}

struct depth {
	struct estimate due, all;
};

static int depth(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct depth *d = arg;

	return queue_depth(db, LANE_SEND, NOW, &d->due, &d->all, err);
}

static void depth_is_counted_by_the_reader(void **state)
{
	static const struct row rows[] = { { 5, 1, NOW }, { 9, 1, NOW - 4 }, { 5, 2, NOW + 1 } };
	struct depth d = { 0 };

	add(*state, rows, 3);
	assert_int_equal(read_job(*state, depth, &d, NULL), STORE_COMMITTED);
	assert_int_equal(d.due.count, 2);
	assert_int_equal(d.all.count, 3);
	assert_false(d.due.estimated || d.all.estimated);
}

/* As many in each bucket; few are due: these are counted one by one. */
static int fill(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int bucket, i;

	(void)w;
	(void)arg;
	for (bucket = 0; bucket < BUCKETS; bucket++) {
		for (i = 0; i < 64; i++) {
			struct queue_row row = { .id = id_new((uint16_t)bucket, NOW + i), .lane = LANE_SEND, .due = NOW + 1 + i,
				.kind = QUEUE_STEP, .prospect = 1, .ref = 1, .name = "first" };

			if (bucket % 100 == 99 && i == 0)
				row.due = NOW;
			if (queue_add(db, &row, err) < 0)
				return -1;
		}
	}
	return 0;
}

static void depth_of_many_is_an_estimate(void **state)
{
	struct depth d = { 0 };

	do_job(*state, fill, NULL);
	assert_int_equal(read_job(*state, depth, &d, NULL), STORE_COMMITTED);
	assert_int_equal(d.due.count, 10);
	assert_false(d.due.estimated);
	assert_int_equal(d.all.count, 64 * BUCKETS);
	assert_true(d.all.estimated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_come_in_order_of_due_time, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_row_is_taken_once, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_full_bucket_does_not_starve_the_others, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(all_buckets_are_emptied, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_idle_bucket_costs_no_statement, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_take_that_is_rolled_back_gives_the_rows_back, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_addition_that_is_rolled_back_is_not_there, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_removed_row_is_gone, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(next_due_times_are_found_again_at_the_start, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_row_that_is_due_sooner_hints_its_lane, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(depth_is_counted_by_the_reader, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(depth_of_many_is_an_estimate, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
