/*
 * test_suppressions.c: who must not be mailed: the hash is keyed, the key stays, the first reason stays.
 */
#include "with_store.h"

#define EVE "eve@example.com"

static int add(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	uint8_t hash[32];
	struct suppression s = { .bucket = address_bucket(EVE), .hash = hash, .reason = arg, .at = 1000, .source = "del_1" };

	suppressions_hash(db, EVE, hash);
	return suppressions_add(db, &s, err);
}

static int expect(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct suppression s;

	if (!arg) {
		assert_int_equal(suppressions_find(db, EVE, w->arena, &s, err), 0);
		return 0;
	}
	assert_int_equal(suppressions_find(db, EVE, w->arena, &s, err), 1);
	assert_string_equal(s.reason, arg);
	assert_string_equal(s.source, "del_1");
	assert_int_equal(s.at, 1000);
	assert_int_equal(s.bucket, address_bucket(EVE));
	assert_int_equal(suppressions_find(db, "eva@example.com", w->arena, &s, err), 0);
	return 0;
}

static int remove_it(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	assert_int_equal(suppressions_remove(db, EVE, err), *(int *)arg);
	return 0;
}

static int hash(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	suppressions_hash(db, EVE, arg);
	return 0;
}

static void the_first_reason_stays(void **state)
{
	do_job(*state, expect, NULL);
	do_job(*state, add, "complaint");
	do_job(*state, add, "manual");
	do_job(*state, expect, "complaint");
}

static void it_is_there_for_the_reader_and_after_a_start(void **state)
{
	struct with_store *w = *state;

	do_job(w, add, "unsubscribe");
	assert_int_equal(read_job(w, expect, "unsubscribe", NULL), STORE_COMMITTED);
	close_store(w);
	open_store(w);
	assert_int_equal(read_job(w, expect, "unsubscribe", NULL), STORE_COMMITTED);
	do_job(w, expect, "unsubscribe");
}

static void it_can_be_taken_back(void **state)
{
	int one = 1, zero = 0;

	do_job(*state, add, "manual");
	do_job(*state, remove_it, &one);
	do_job(*state, remove_it, &zero);
	do_job(*state, expect, NULL);
}

static void each_site_has_a_key_of_its_own(void **state)
{
	struct with_store *other = with_store_new();
	uint8_t a[32], b[32], again[32], plain[32];

	open_store(other);
	do_job(*state, hash, a);
	do_job(other, hash, b);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(read_job(*state, hash, again, NULL), STORE_COMMITTED);
	assert_memory_equal(a, again, 32);
	memset(plain, 0, sizeof(plain));
	assert_memory_not_equal(a, plain, 32);
	with_store_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_reason_stays, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(it_is_there_for_the_reader_and_after_a_start, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(it_can_be_taken_back, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(each_site_has_a_key_of_its_own, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("suppressions", tests, NULL, NULL);
}
