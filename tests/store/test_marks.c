/*
 * test_marks.c: what counts as touched: whatever a mail that was looked at may depend on, and nothing before that look.
 */
#include "base/address.h"
#include "base/digest.h"
#include "store/db.h"
#include "store/holds.h"

#include "with_store.h"

#define BUCKET 77
#define PERSON (((int64_t)BUCKET << 53) | 1000)
#define OTHER (((int64_t)BUCKET << 53) | 2000)
#define ADDRESSES 5

struct look {
	uint64_t moment;
	bool touched;
};

static int look(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct look *l = arg;

	l->moment = db_moment(db);
	return 0;
}

static int look_again(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct look *l = arg;

	l->touched = db_touched(db, l->moment, PERSON, ADDRESSES);
	return 0;
}

static const struct enrolment of_person = { .id = PERSON + 1, .prospect = PERSON, .sequence = "s", .step = "a" };
static const struct enrolment of_other = { .id = OTHER + 1, .prospect = OTHER, .sequence = "s", .step = "a" };

static int enrol(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_insert(db, arg, err);
}

static int move(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_update(db, arg, err);
}

static int move_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_update(db, arg, err) ? -1 : err_set(err, "no");
}

static int hold_person(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return holds_put(db, &(struct hold){ .prospect = PERSON, .until = 1, .why = "x" }, err);
}

static int hold_company(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return holds_put_company(db, "example.com", &(struct hold){ .prospect = OTHER, .until = 1, .why = "x" }, err);
}

static int suppress(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	uint8_t hash[SHA256_SIZE] = { 1 };

	return suppressions_add(db, &(struct suppression){ .bucket = *(uint16_t *)arg, .hash = hash, .reason = "manual", .at = 1, .source = "" }, err);
}

static bool touched_by(struct with_store *w, job_fn fn, const void *arg)
{
	union { const void *in; void *out; } any = { .in = arg };
	struct look l = { 0 };

	do_job(w, look, &l);
	(void)run_job(w, fn, any.out, NULL);
	do_job(w, look_again, &l);
	return l.touched;
}

static void what_a_mail_depends_on_is_marked(void **state)
{
	struct with_store *w = *state;
	uint16_t here = ADDRESSES, elsewhere = ADDRESSES + 1;

	assert_true(touched_by(w, enrol, &of_person));
	assert_false(touched_by(w, enrol, &of_other));
	assert_true(touched_by(w, move, &of_person));
	assert_false(touched_by(w, move, &of_other));
	assert_true(touched_by(w, move_and_fail, &of_person));	/* looked at once more for nothing */
	assert_true(touched_by(w, hold_person, NULL));
	assert_true(touched_by(w, hold_company, NULL));
	assert_true(touched_by(w, suppress, &here));
	assert_false(touched_by(w, suppress, &elsewhere));
}

static void what_was_before_does_not_count(void **state)
{
	struct with_store *w = *state;
	struct look l = { 0 };

	do_job(w, enrol, (struct enrolment[]){ of_person });
	do_job(w, look, &l);
	do_job(w, look_again, &l);
	assert_false(l.touched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_mail_depends_on_is_marked, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_was_before_does_not_count, setup_store, teardown_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
