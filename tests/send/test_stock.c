/*
 * test_stock.c: the order in which mails leave the stock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../daemon/send/stock.h"

#define COUNT 8

static struct mail mails[COUNT];
static struct work works[COUNT];

static void put(struct stock *s, size_t i, bool awaited)
{
	mails[i] = (struct mail){ .delivery = (int64_t)i, .awaited = awaited };
	works[i] = (struct work){ .mail = &mails[i], .delivery = (int64_t)i };
	stock_put(s, &works[i]);
}

static void leaves(struct stock *s, const int *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct work *w = stock_get(s);

		assert_non_null(w);
		assert_int_equal(w->delivery, order[i]);
	}
	assert_null(stock_get(s));
	assert_int_equal(s->count, 0);
}

static void who_is_waited_for_goes_first(void **state)
{
	struct stock s;

	stock_init(&s);
	put(&s, 0, false);
	put(&s, 1, true);
	put(&s, 2, false);
	put(&s, 3, true);
	assert_int_equal(stock_awaited(&s), 2);
	leaves(&s, (const int[]){ 1, 3, 0, 2 }, 4);
}

static void the_end_is_known_after_each_removal(void **state)
{
	struct stock s;

	stock_init(&s);
	put(&s, 0, true);
	put(&s, 1, true);
	stock_remove(&s, &works[1]);
	put(&s, 2, false);
	stock_remove(&s, &works[2]);
	put(&s, 3, true);
	put(&s, 4, false);
	stock_remove(&s, &works[0]);
	assert_int_equal(stock_awaited(&s), 1);
	leaves(&s, (const int[]){ 3, 4 }, 2);
	put(&s, 5, false);
	leaves(&s, (const int[]){ 5 }, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_waited_for_goes_first),
		cmocka_unit_test(the_end_is_known_after_each_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
