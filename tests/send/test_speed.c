/*
 * How many messages go out in a time, as configured, after the relay said that it is too much, and when that is over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/send/speed.h"

/* Takes whatever may go between two times; at most `ask` a second are asked for. */
static int go(struct speed *p, int64_t from, int64_t to, int ask)
{
	int n = 0;

	for (; from < to; from += US_SECOND / ask)
		n += speed_take(p, from) == 0;
	return n;
}

static void a_rate_is_kept(void **state)
{
	static const struct {
		struct rate rate;
		int64_t time;
		int least, most;
	} rows[] = {
		{ { 10, US_SECOND }, 10 * US_SECOND, 100, 103 },
		{ { 1, US_SECOND }, 10 * US_SECOND, 10, 11 },
		{ { 120, US_HOUR }, 10 * US_MINUTE, 20, 21 },
		{ { 100, US_SECOND }, US_SECOND, 100, 121 },
		{ { 0, 0 }, US_SECOND, 1000, 1000 },
	};
	struct speed p;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		speed_init(&p, rows[i].rate, US_DAY);
		assert_in_range(go(&p, US_DAY, US_DAY + rows[i].time, 1000), rows[i].least, rows[i].most);
	}
}

static void what_was_not_used_is_not_saved(void **state)
{
	struct speed p;

	speed_init(&p, (struct rate){ 10, US_SECOND }, 0);
	assert_in_range(go(&p, US_HOUR, US_HOUR + US_SECOND, 1000), 10, 12);
}

static void the_wait_is_as_long_as_it_takes(void **state)
{
	struct speed p;
	int64_t wait;

	speed_init(&p, (struct rate){ 1, US_MINUTE }, 0);
	assert_int_equal(speed_take(&p, 0), 0);
	wait = speed_take(&p, 0);
	assert_in_range(wait, US_MINUTE - 10, US_MINUTE + 10);
	assert_int_not_equal(speed_take(&p, wait - 1000), 0);
	assert_int_equal(speed_take(&p, wait), 0);
}

static void half_of_it_and_then_twice_as_much_each_while(void **state)
{
	struct speed p;

	speed_init(&p, (struct rate){ 40, US_SECOND }, 0);
	go(&p, 0, US_MINUTE, 100);
	assert_int_equal(speed_halve(&p, 10 * US_MINUTE, US_MINUTE), 1);
	assert_int_equal(speed_halve(&p, 10 * US_MINUTE, US_MINUTE + US_SECOND), 0);	/* the same moment */
	assert_in_range((int)speed_rate(&p, US_MINUTE), 19, 20);
	assert_int_equal(speed_halve(&p, 10 * US_MINUTE, 2 * US_MINUTE), 1);
	assert_in_range((int)speed_rate(&p, 2 * US_MINUTE), 9, 10);
	assert_in_range((int)speed_rate(&p, 12 * US_MINUTE - 1), 9, 10);
	assert_in_range((int)speed_rate(&p, 12 * US_MINUTE), 19, 20);
	assert_in_range((int)speed_rate(&p, 23 * US_MINUTE), 39, 40);
	assert_int_equal((int)speed_rate(&p, US_DAY), 40);
}

static void without_a_rate_it_is_half_of_what_went_out(void **state)
{
	struct speed p;

	speed_init(&p, (struct rate){ 0, 0 }, 0);
	assert_int_equal(go(&p, 0, 2 * US_MINUTE, 50), 6000);
	assert_int_equal(speed_halve(&p, 10 * US_MINUTE, 2 * US_MINUTE), 1);
	assert_in_range(go(&p, 2 * US_MINUTE, 3 * US_MINUTE, 1000), 1400, 1600);
	/* from half of it to all, and no limit any more */
	assert_int_equal((int)speed_rate(&p, 12 * US_MINUTE), 0);
}

static void it_never_stops(void **state)
{
	struct speed p;
	int64_t now;

	speed_init(&p, (struct rate){ 1, US_SECOND }, 0);
	for (now = 0; now < US_HOUR; now += US_MINUTE)
		speed_halve(&p, US_HOUR, now);
	assert_in_range(go(&p, US_HOUR, US_HOUR + 10 * US_MINUTE, 10), 9, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_kept),
		cmocka_unit_test(what_was_not_used_is_not_saved),
		cmocka_unit_test(the_wait_is_as_long_as_it_takes),
		cmocka_unit_test(half_of_it_and_then_twice_as_much_each_while),
		cmocka_unit_test(without_a_rate_it_is_half_of_what_went_out),
		cmocka_unit_test(it_never_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
