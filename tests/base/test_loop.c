/*
 * test_loop.c: posts from many threads, in order and none lost; timers; stopping.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"

#define THREADS 4
#define EACH 20000

static struct loop *loop;
static pthread_t loop_thread;
static int order[64], count;

static int make_loop(void **state)
{
	loop = loop_new();
	loop_thread = pthread_self();
	count = 0;
	return 0;
}

static int free_loop(void **state)
{
	loop_free(&loop);
	assert_null(loop);
	loop_free(&loop);
	return 0;
}

static void stop(void *arg)
{
	loop_stop(loop);
}

static int numbers[64];

static void note(void *arg)
{
	assert_true(pthread_equal(pthread_self(), loop_thread));
	order[count++] = *(int *)arg;
}

static void test_posts_run_in_order(void **state)
{
	int i;

	for (i = 0; i < 50; i++) {
		numbers[i] = i;
		loop_post(loop, note, &numbers[i]);
	}
	loop_post(loop, stop, NULL);
	assert_int_equal(count, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, 50);
	for (i = 0; i < 50; i++)
		assert_int_equal(order[i], i);
}

struct poster {
	int64_t next;
};

static struct poster posters[THREADS];
static int posted_all;

struct item {
	struct poster *poster;
	int64_t n;
};

static struct item items[THREADS][EACH];

static void take(void *arg)
{
	struct item *item = arg;

	assert_true(item->n == item->poster->next++);
	if (++posted_all == THREADS * EACH)
		loop_stop(loop);
}

static void *post_many(void *arg)
{
	int64_t which = (int64_t)(intptr_t)arg, i;

	for (i = 0; i < EACH; i++) {
		items[which][i] = (struct item){ .poster = &posters[which], .n = i };
		loop_post(loop, take, &items[which][i]);
	}
	return NULL;
}

static void test_posts_of_many_threads_all_arrive(void **state)
{
	pthread_t threads[THREADS];
	intptr_t i;

	posted_all = 0;
	for (i = 0; i < THREADS; i++) {
		posters[i] = (struct poster){ 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
	}
	assert_int_equal(loop_run(loop), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(posters[i].next == EACH);
	}
}

static int turns;

static void post_again(void *arg)
{
	turns++;
	loop_post(loop, post_again, NULL);
}

/* Somebody who posts for ever must not keep a socket or a timer from its turn. */
static void test_a_post_that_posts_does_not_starve_timers(void **state)
{
	struct timer *timer = timer_new(loop, stop, NULL);

	turns = 0;
	timer_set(timer, 5000);
	loop_post(loop, post_again, NULL);
	assert_int_equal(loop_run(loop), 0);
	assert_true(turns > 1);
	timer_free(&timer);
	assert_null(timer);
}

static void test_timers_fire_once_in_the_order_of_their_times(void **state)
{
	struct timer *a, *b, *c, *last;
	int i;

	for (i = 0; i < 4; i++)
		numbers[i] = i;
	a = timer_new(loop, note, &numbers[1]);
	b = timer_new(loop, note, &numbers[2]);
	c = timer_new(loop, note, &numbers[3]);
	last = timer_new(loop, stop, NULL);
	timer_set(b, 20000);
	timer_set(a, 1000);
	timer_set(c, 1000);
	timer_stop(c);
	timer_set(last, 2 * US_DAY);
	timer_set(last, 40000);		/* moved, not doubled */
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 2);
	timer_free(&a);
	timer_free(&b);
	timer_free(&c);
	timer_free(&last);
}

static void test_a_timer_never_fires_early(void **state)
{
	struct timer *timer = timer_new(loop, stop, NULL);
	int64_t began;
	int i;

	for (i = 1; i <= 20; i++) {
		began = clock_steady();
		timer_set(timer, i * 700);
		assert_int_equal(loop_run(loop), 0);
		assert_true(clock_steady() - began >= i * 700);
	}
	timer_free(&timer);
}

static void test_odd_times_are_taken(void **state)
{
	struct timer *never = timer_new(loop, note, &numbers[0]), *past = timer_new(loop, stop, NULL);

	timer_set(never, TIME_NEVER);
	timer_set(past, -5);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, 0);
	timer_set(past, 0);
	assert_int_equal(loop_run(loop), 0);
	timer_free(&never);
	timer_free(&past);
	timer_free(&past);
}

static struct timer *self;

static void free_self(void *arg)
{
	timer_free(&self);
	loop_stop(loop);
}

static void test_a_timer_may_free_itself(void **state)
{
	self = timer_new(loop, free_self, NULL);
	timer_set(self, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_null(self);
}

static void test_a_stop_before_the_run_counts(void **state)
{
	loop_stop(loop);
	assert_int_equal(loop_run(loop), 0);
	/* and only once */
	loop_post(loop, note, &numbers[0]);
	loop_post(loop, stop, NULL);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, 1);
}

static void note_and_post(void *arg)
{
	note(arg);
	if (count < 10)
		loop_post(loop, note_and_post, arg);
}

static void test_draining_leaves_nothing(void **state)
{
	loop_post(loop, note_and_post, &numbers[0]);
	loop_drain(loop);
	assert_int_equal(count, 10);
	loop_drain(loop);
	/* the wake-up that is still in the eventfd does no harm */
	loop_post(loop, stop, NULL);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_posts_run_in_order, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_posts_of_many_threads_all_arrive, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_a_post_that_posts_does_not_starve_timers, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_timers_fire_once_in_the_order_of_their_times, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_a_timer_never_fires_early, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_odd_times_are_taken, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_a_timer_may_free_itself, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_a_stop_before_the_run_counts, make_loop, free_loop),
		cmocka_unit_test_setup_teardown(test_draining_leaves_nothing, make_loop, free_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
