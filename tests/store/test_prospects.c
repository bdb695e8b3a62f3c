/*
 * test_prospects.c: people come back as they were written; an address names one person.
 */
#include "with_store.h"

static struct prospect eve(void)
{
	uint16_t bucket = address_bucket("eve@example.com");

	return (struct prospect){
		.id = INT64_C(1) << 22 | (int64_t)bucket << 12 | 7, .address = "Eve@example.com", .key = "eve@example.com",
		.fields = "{\"first_name\":\"Eve\"}", .stage = "awareness", .list = "just-looking", .form = "free-ebook", .language = "de",
		.timezone = "Europe/Berlin", .consent = CONSENT_PENDING, .fit = -10.5, .interest = 0.1, .interest_at = 11,
		.intent = "pricing", .intent_at = 12, .hot = true, .hot_at = 13, .recheck = 14, .recheck_rule = 15, .recheck_id = 16,
		.created = 17, .changed = 18,
	};
}

static void assert_same(const struct prospect *a, const struct prospect *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->fields, b->fields);
	assert_string_equal(a->stage, b->stage);
	assert_string_equal(a->list, b->list);
	assert_string_equal(a->form, b->form);
	assert_string_equal(a->language, b->language);
	assert_string_equal(a->timezone, b->timezone);
	assert_int_equal(a->consent, b->consent);
	assert_true(a->fit == b->fit && a->interest == b->interest);
	assert_int_equal(a->interest_at, b->interest_at);
	assert_string_equal(a->intent, b->intent);
	assert_int_equal(a->intent_at, b->intent_at);
	assert_int_equal(a->hot, b->hot);
	assert_int_equal(a->hot_at, b->hot_at);
	assert_int_equal(a->recheck, b->recheck);
	assert_int_equal(a->recheck_rule, b->recheck_rule);
	assert_int_equal(a->recheck_id, b->recheck_id);
	assert_int_equal(a->created, b->created);
	assert_int_equal(a->changed, b->changed);
}

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return prospects_insert(db, arg, err);
}

static int update(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return prospects_update(db, arg, err);
}

/* By id and by address, the same. */
static int expect(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct prospect *p = arg;
	struct prospect found;

	assert_int_equal(prospects_find(db, p->id, w->arena, &found, err), 1);
	assert_same(&found, p);
	assert_int_equal(prospects_find_address(db, p->key, w->arena, &found, err), 1);
	assert_same(&found, p);
	assert_int_equal(prospects_find(db, p->id + 1, w->arena, &found, err), 0);
	assert_int_equal(prospects_find_address(db, "eva@example.com", w->arena, &found, err), 0);
	return 0;
}

static int count(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return prospects_count(db, arg, err);
}

static int about(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return prospects_estimate(db, arg, err);
}

static void what_is_written_is_read(void **state)
{
	struct prospect p = eve();
	struct estimate roughly = { .estimated = true };
	int64_t n = 0;

	do_job(*state, insert, &p);
	do_job(*state, expect, &p);
	assert_int_equal(read_job(*state, expect, &p, NULL), STORE_COMMITTED);
	assert_int_equal(read_job(*state, count, &n, NULL), STORE_COMMITTED);
	assert_int_equal(n, 1);
	assert_int_equal(read_job(*state, about, &roughly, NULL), STORE_COMMITTED);
	assert_int_equal(roughly.count, 1);
	assert_false(roughly.estimated);
}

static void an_update_writes_everything_but_who_they_are(void **state)
{
	struct prospect p = eve(), changed;

	do_job(*state, insert, &p);
	changed = (struct prospect){
		.id = p.id, .address = "other@example.com", .key = "other@example.com", .fields = "{}", .stage = "decision",
		.list = "ready", .form = "other", .language = "en", .timezone = "UTC", .consent = CONSENT_GIVEN, .fit = 1, .interest = 2.5,
		.interest_at = 21, .intent = "", .intent_at = 0, .hot = false, .hot_at = 23, .recheck = 24, .recheck_rule = 25,
		.recheck_id = 26, .created = 27, .changed = 28,
	};
	do_job(*state, update, &changed);
	changed.address = p.address;
	changed.key = p.key;
	changed.created = p.created;
	do_job(*state, expect, &changed);
}

static void an_address_names_one_person(void **state)
{
	struct prospect p = eve(), second = eve();
	struct err err;

	do_job(*state, insert, &p);
	second.id++;
	assert_int_equal(run_job(*state, insert, &second, &err), STORE_REFUSED);
	do_job(*state, expect, &p);
}

static void nobody_cannot_be_updated(void **state)
{
	struct prospect p = eve();
	struct err err;

	assert_int_equal(run_job(*state, update, &p, &err), STORE_REFUSED);
	assert_non_null(strstr(err.text, "no such prospect"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_update_writes_everything_but_who_they_are, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(an_address_names_one_person, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(nobody_cannot_be_updated, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("prospects", tests, NULL, NULL);
}
