/*
 * test_pace.c: over random rates, bursts, crowds and back-offs on a virtual clock: the rate holds in every window, no place is given twice,
 * everybody gets through, and no later than the rate asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#include "../../daemon/decide/pace.h"

#define START (INT64_C(1795424400) * US_SECOND)
#define NS 1000

/* --- a queue on a virtual clock ----------------------------------------------------------------------------------- */

struct waiting {
	int64_t due;
	enum pace_row row;
	bool placed;
	int writes;
};

struct crowd {
	struct pace pace;
	struct waiting *heap;		/* the earliest first */
	size_t count, cap;
	int64_t *passed;		/* when */
	size_t passed_count, passed_cap;
	int most_writes;
	size_t writes;
	uint64_t dice;
};

static void swap(struct waiting *a, struct waiting *b)
{
	struct waiting t = *a;

	*a = *b;
	*b = t;
}

static void put(struct crowd *c, struct waiting w)
{
	size_t i = c->count++;

	c->heap = xgrow(c->heap, &c->cap, c->count, sizeof(*c->heap));
	c->heap[i] = w;
	for (; i && c->heap[i].due < c->heap[(i - 1) / 2].due; i = (i - 1) / 2)
		swap(&c->heap[i], &c->heap[(i - 1) / 2]);
}

static struct waiting take(struct crowd *c)
{
	struct waiting first = c->heap[0];
	size_t i = 0, child;

	c->heap[0] = c->heap[--c->count];
	while ((child = 2 * i + 1) < c->count) {
		if (child + 1 < c->count && c->heap[child + 1].due < c->heap[child].due)
			child++;
		if (c->heap[i].due <= c->heap[child].due)
			break;
		swap(&c->heap[i], &c->heap[child]);
		i = child;
	}
	return first;
}

/* As the gate does it. */
static void ask(struct crowd *c, struct waiting w, int64_t now)
{
	struct pace *p = &c->pace;
	int64_t at;

	if (pace_may(p, now, w.placed) && (w.placed || !pace_waits(p, w.row, now + US_SECOND))) {
		pace_spend(p, now);
		c->passed = xgrow(c->passed, &c->passed_cap, c->passed_count + 1, sizeof(*c->passed));
		c->passed[c->passed_count++] = now;
		if (w.writes > c->most_writes)
			c->most_writes = w.writes;
		return;
	}
	at = pace_find(p, w.row, now, now);
	w.placed = at >= 0;
	if (w.placed) {
		assert_true(at >= now);
		pace_take(p, w.row, at, now);
	}
	w.due = w.placed ? at : now + PACE_AHEAD;
	w.writes++;
	c->writes++;
	put(c, w);
}

/* Claims come up to `late` after they are due. */
static void run(struct crowd *c, int64_t until, int64_t late)
{
	int64_t now = 0;

	while (c->count && c->heap[0].due <= until) {
		struct waiting w = take(c);
		int64_t at = w.due + (late ? (int64_t)(random_mix(&c->dice) % (uint64_t)late) : 0);

		now = at > now ? at : now;
		ask(c, w, now);
	}
}

static void arrive(struct crowd *c, size_t count, int64_t at, int64_t over, enum pace_row row)
{
	size_t i;

	for (i = 0; i < count; i++)
		put(c, (struct waiting){ .due = at + (over ? (int64_t)(random_mix(&c->dice) % (uint64_t)over) : 0), .row = row });
}

static void clear(struct crowd *c)
{
	pace_clear(&c->pace);
	free(c->heap);
	free(c->passed);
}

/* In every window of those that passed: at most its share, the burst, and what lateness may bring together. */
static void check_rate(const struct crowd *c, size_t from, size_t to, int64_t interval, int64_t burst)
{
	int64_t slack = burst + 2 + US_SECOND * NS / interval;
	size_t i, k;

	for (i = from; i < to; i++)
		for (k = i; k < to && k < i + 3000; k++)
			if ((int64_t)(k - i) + 1 > (c->passed[k] - c->passed[i]) * NS / interval + slack)
				fail_msg("%zu mails in %f s at one in %f s, burst %d", k - i + 1, (double)(c->passed[k] - c->passed[i]) / 1e6,
					(double)interval / 1e9, (int)burst);
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void test_a_crowd_goes_at_its_rate(void **state)
{
	static const struct { int64_t count, within; } rates[] = {
		{ 1, US_MINUTE }, { 7, US_MINUTE }, { 1, US_SECOND }, { 2, US_SECOND }, { 3, 2 * US_SECOND }, { 7, US_SECOND }, { 100, US_SECOND },
		{ 1000, 7 * US_SECOND }, { 50, US_HOUR },
	};
	uint64_t dice = 7;
	int turn;

	for (turn = 0; turn < 60; turn++) {
		struct crowd c = { .dice = dice + (uint64_t)turn };
		size_t rate = random_mix(&c.dice) % (sizeof(rates) / sizeof(*rates)), people = 1 + random_mix(&c.dice) % 1500;
		int64_t interval = rates[rate].within * NS / rates[rate].count, burst = 1 + (int64_t)(random_mix(&c.dice) % 20), need;
		int64_t over = random_mix(&c.dice) % 2 ? (int64_t)(random_mix(&c.dice) % (uint64_t)US_MINUTE) + 1 : 0;

		pace_init(&c.pace, rates[rate].count, rates[rate].within, burst);
		if ((int64_t)people * interval / NS > 2 * US_DAY)
			people = (size_t)(2 * US_DAY / (interval / NS));
		arrive(&c, people, START, over, PACE_OTHERS);
		run(&c, START + 10 * US_DAY, 100 * 1000);
		assert_int_equal(c.passed_count, people);
		assert_int_equal(c.count, 0);
		check_rate(&c, 0, people, interval, burst);
		/* once written, once passed; few are moved by who came late */
		assert_true(c.most_writes <= 4);
		assert_true(c.writes <= people + people / 5 + 10);
		need = (int64_t)people * interval / NS;
		assert_true(c.passed[people - 1] <= START + over + need + need / 5 + 2 * interval / NS + 3 * US_SECOND);
		clear(&c);
	}
}

static void test_no_place_is_given_twice(void **state)
{
	struct pace p;
	int64_t last = 0, at;
	int i;

	pace_init(&p, 3, US_SECOND, 1);
	for (i = 0; i < 10000; i++) {
		at = pace_find(&p, PACE_OTHERS, START, START);
		assert_true(at > last);
		last = at;
		pace_take(&p, PACE_OTHERS, at, START);
	}
	assert_in_range(last, START + INT64_C(3333) * US_SECOND, START + INT64_C(3335) * US_SECOND);
	pace_clear(&p);
}

/* One that may come only later leaves what lies before its place to the others. */
static void test_a_late_place_blocks_nobody(void **state)
{
	struct pace p;
	int64_t late, soon;

	pace_init(&p, 2, US_SECOND, 1);
	late = pace_find(&p, PACE_OTHERS, START + US_HOUR, START);
	pace_take(&p, PACE_OTHERS, late, START);
	assert_in_range(late, START + US_HOUR, START + US_HOUR + US_SECOND);
	soon = pace_find(&p, PACE_OTHERS, START, START);
	assert_in_range(soon, START, START + US_SECOND);
	pace_clear(&p);
}

static void test_what_is_awaited_does_not_queue_behind_a_crowd(void **state)
{
	struct crowd c = { .dice = 3 };
	size_t i;

	pace_init(&c.pace, 2, US_SECOND, 5);
	arrive(&c, 5000, START, 0, PACE_OTHERS);
	arrive(&c, 50, START + US_MINUTE, 10 * US_MINUTE, PACE_FIRST);
	run(&c, START + US_DAY, 50 * 1000);
	assert_int_equal(c.passed_count, 5050);
	check_rate(&c, 0, c.passed_count, US_SECOND * NS / 2, 5);
	/* and whom it cost their place comes at the end, once */
	assert_true(c.writes < 5000 + 50 * 3);
	for (i = 0; i < c.passed_count; i++)
		assert_true(c.passed[i] < START + 2560 * US_SECOND);
	clear(&c);
}

static void test_a_back_off_holds_and_ends_by_doubling(void **state)
{
	struct crowd c = { .dice = 5 };
	size_t slow = 0, i;
	int64_t until = START + 10 * US_MINUTE + 90 * US_MINUTE;

	pace_init(&c.pace, 2, US_SECOND, 5);
	arrive(&c, 20000, START, 0, PACE_OTHERS);
	run(&c, START + 10 * US_MINUTE, 50 * 1000);
	pace_slow(&c.pace, INT64_C(60) * US_SECOND * NS, until);
	i = c.passed_count;
	run(&c, until, 50 * 1000);
	slow = c.passed_count - i;
	assert_in_range(slow, 85, 93);
	check_rate(&c, i, c.passed_count, INT64_C(60) * US_SECOND * NS, 1);
	i = c.passed_count;
	run(&c, until + US_HOUR, 50 * 1000);
	assert_in_range(c.passed_count - i, 115, 123);
	i = c.passed_count;
	run(&c, until + 2 * US_HOUR, 50 * 1000);
	assert_in_range(c.passed_count - i, 230, 243);
	run(&c, START + 10 * US_DAY, 50 * 1000);
	assert_int_equal(c.passed_count, 20000);
	check_rate(&c, c.passed_count - 3000, c.passed_count, US_SECOND * NS / 2, 5);
	clear(&c);
}

static void test_a_pause_lets_nobody_through(void **state)
{
	struct crowd c = { .dice = 9 };

	pace_init(&c.pace, 100, US_SECOND, 100);
	pace_slow(&c.pace, 0, START + 2 * US_HOUR);
	arrive(&c, 1000, START, US_MINUTE, PACE_OTHERS);
	run(&c, START + 2 * US_HOUR - 1, 0);
	assert_int_equal(c.passed_count, 0);
	assert_int_equal(c.writes, 1000);
	run(&c, START + 3 * US_HOUR, 1000);
	assert_int_equal(c.passed_count, 1000);
	check_rate(&c, 0, 1000, 4 * US_SECOND * NS / 100, 1);
	clear(&c);
}

static void test_without_a_limit_everybody_passes(void **state)
{
	struct pace p;

	pace_init(&p, 0, 0, 0);
	assert_true(pace_may(&p, START, false));
	assert_int_equal(pace_find(&p, PACE_OTHERS, START, START), START);
	pace_slow(&p, 0, START + US_HOUR);
	assert_false(pace_may(&p, START, false));
	assert_true(pace_find(&p, PACE_OTHERS, START, START) >= START + US_HOUR);
	pace_restore(&p);
	assert_true(pace_may(&p, START, false));
	pace_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_crowd_goes_at_its_rate), cmocka_unit_test(test_no_place_is_given_twice),
		cmocka_unit_test(test_a_late_place_blocks_nobody), cmocka_unit_test(test_what_is_awaited_does_not_queue_behind_a_crowd),
		cmocka_unit_test(test_a_back_off_holds_and_ends_by_doubling), cmocka_unit_test(test_a_pause_lets_nobody_through),
		cmocka_unit_test(test_without_a_limit_everybody_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
