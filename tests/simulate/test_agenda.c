/* test_agenda.c: earliest first, at one instant in the order of planning; what is dropped is gone. */
#include "with_plan.h"

#include "base/random.h"

#include "../../daemon/simulate/inside.h"

#define MANY 5000

static void fill(struct agenda *a)
{
	random_seed(3);
	for (uint32_t i = 0; i < MANY; i++)
		agenda_add(a, &(struct entry){ .at = (int64_t)(random_u64() % 500), .person = i, .act = random_u64() % 3 ? ACT_OPEN : ACT_POST });
}

static size_t take_all(struct agenda *a)
{
	int64_t at = -1;
	uint32_t person = 0;
	size_t count = 0;

	while (agenda_next(a) != TIME_NEVER) {
		struct entry e = agenda_take(a);

		assert_true(e.at > at || (e.at == at && e.person > person));
		at = e.at;
		person = e.person;
		count++;
	}
	return count;
}

static void test_in_order(void **state)
{
	struct agenda a = { 0 };

	assert_true(agenda_next(&a) == TIME_NEVER);
	fill(&a);
	assert_int_equal(take_all(&a), MANY);
	agenda_clear(&a);
}

static size_t dropped;

static void drop_cb(struct entry *e)
{
	assert_int_equal(e->act, ACT_POST);
	dropped++;
}

static void test_dropping(void **state)
{
	struct agenda a = { 0 };

	fill(&a);
	dropped = 0;
	agenda_drop(&a, ACT_POST, drop_cb);
	assert_true(dropped > MANY / 5);
	assert_int_equal(take_all(&a), MANY - dropped);
	agenda_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_dropping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
