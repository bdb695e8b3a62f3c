/*
 * test_terms.c: sums of what rules granted: in a window for the caps, decayed for the explanation.
 */
#include <math.h>

#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const struct score_term rows[] = {
		{ EVE, "click", 100, 1, 5 }, { EVE, "click", 200, 2, 5 }, { EVE, "click", 300, 3, 2.5 },
		{ EVE, "reply", 200, 4, 20 }, { EVE, "bounce", 200, 5, -40 }, { EVE + 1, "click", 200, 6, 100 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (terms_insert(db, &rows[i], err) < 0)
			return -1;
	}
	return 0;
}

static double sum_of(struct db *db, const char *rule, int64_t from)
{
	struct err err;
	double sum = NAN;

	assert_int_equal(terms_sum(db, EVE, rule, from, &sum, &err), 0);
	return sum;
}

static int sums(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	assert_true(sum_of(db, "click", 0) == 12.5);
	assert_true(sum_of(db, "click", 200) == 7.5);
	assert_true(sum_of(db, "click", 201) == 2.5);
	assert_true(sum_of(db, "click", 301) == 0);
	assert_true(sum_of(db, "signup", 0) == 0);
	return 0;
}

static int explained(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct term_sum *sums_;
	size_t count;

	/* one half-life after 200: reply 10, bounce -20, click 5 / 4 + 5 / 2 + 2.5 at its full */
	assert_int_equal(terms_by_rule(db, EVE, 300, 100, w->arena, &sums_, &count, err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(sums_[0].rule, "bounce");
	assert_true(sums_[0].points == -20 && sums_[0].count == 1);
	assert_string_equal(sums_[1].rule, "reply");
	assert_true(sums_[1].points == 10);
	assert_string_equal(sums_[2].rule, "click");
	assert_true(fabs(sums_[2].points - 6.25) < 1e-12 && sums_[2].count == 3);
	assert_int_equal(terms_by_rule(db, EVE + 2, 300, 100, w->arena, &sums_, &count, err), 0);
	assert_int_equal(count, 0);
	return 0;
}

static void a_cap_sums_its_window(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, sums, NULL);
}

static void an_explanation_decays_and_puts_the_largest_first(void **state)
{
	do_job(*state, insert, NULL);
	assert_int_equal(read_job(*state, explained, NULL, NULL), STORE_COMMITTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_cap_sums_its_window, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_explanation_decays_and_puts_the_largest_first, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
