/*
 * test_alerts.c: the outbox: one that was claimed by a process that died is back in its lane at the next start.
 */
#include "with_store.h"

#define NOW (INT64_C(1800000000) * US_SECOND)
#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)

static struct alert make(int n, enum alert_state state)
{
	return (struct alert){
		.id = EVE + n, .prospect = EVE, .lead = EVE + 90, .url = "https://crm.example.com/hooks/lead", .as = "standard",
		.body = "{\"type\":\"lead.hot\"}", .state = state, .attempt = n, .created = NOW + n, .due = NOW + 10 * n, .error = "",
	};
}

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return alerts_insert(db, arg, err);
}

static int queue_it(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct alert *a = arg;

	return queue_add(db, &(struct queue_row){ .id = a->id + 40, .lane = LANE_ALERT, .due = a->due, .kind = QUEUE_ALERT,
			.prospect = a->prospect, .ref = a->id }, err);
}

struct taken {
	struct queue_row *rows;
	size_t count;
};

static int take(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct taken *t = arg;

	return queue_take(db, LANE_ALERT, TIME_NEVER - 1, 100, w->arena, &t->rows, &t->count, err);
}

static int look(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct alert *expected = arg;
	struct alert a;

	assert_int_equal(alerts_find(db, expected->id, w->arena, &a, err), 1);
	assert_int_equal(a.prospect, expected->prospect);
	assert_int_equal(a.lead, expected->lead);
	assert_string_equal(a.url, expected->url);
	assert_string_equal(a.as, expected->as);
	assert_string_equal(a.body, expected->body);
	assert_int_equal(a.state, expected->state);
	assert_int_equal(a.attempt, expected->attempt);
	assert_int_equal(a.created, expected->created);
	assert_int_equal(a.due, expected->due);
	assert_int_equal(a.done, expected->done);
	assert_int_equal(a.code, expected->code);
	assert_string_equal(a.error, expected->error);
	return 0;
}

static int update(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return alerts_update(db, arg, err);
}

static int in_state(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct alert *alerts;
	size_t count;

	assert_int_equal(alerts_in_state(db, ALERT_DEAD, 10, w->arena, &alerts, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(alerts[0].id, EVE + 3);
	assert_string_equal(alerts[0].body, "");
	assert_int_equal(alerts_in_state(db, ALERT_DEAD, 1, w->arena, &alerts, &count, err), 0);
	assert_int_equal(count, 1);
	return 0;
}

static void alerts_come_back_as_they_were(void **state)
{
	struct alert a = make(1, ALERT_WAITING);

	do_job(*state, insert, &a);
	do_job(*state, look, &a);
	a.state = ALERT_DEAD;
	a.attempt = 9;
	a.due = 1;
	a.done = 2;
	a.code = 410;
	a.error = "gone";
	do_job(*state, update, &a);
	do_job(*state, look, &a);
	a.id = EVE + 77;
	assert_int_equal(run_job(*state, update, &a, NULL), STORE_REFUSED);
}

static void dead_letters_are_listed(void **state)
{
	struct alert rows[] = { make(1, ALERT_DEAD), make(2, ALERT_WAITING), make(3, ALERT_DEAD), make(4, ALERT_DELIVERED) };

	for (int i = 0; i < 4; i++)
		do_job(*state, insert, &rows[i]);
	assert_int_equal(read_job(*state, in_state, NULL, NULL), STORE_COMMITTED);
}

static void a_start_puts_back_what_was_claimed(void **state)
{
	struct with_store *w = *state;
	struct alert waiting = make(1, ALERT_WAITING), queued = make(2, ALERT_WAITING), done = make(3, ALERT_DELIVERED);
	struct taken t;

	clock_set(NOW);
	do_job(w, insert, &waiting);
	do_job(w, insert, &queued);
	do_job(w, insert, &done);
	do_job(w, queue_it, &queued);
	close_store(w);
	clock_set(NOW + 15);
	open_store(w);
	assert_int_equal(queue_next_due(w->store, LANE_ALERT), NOW + 15);
	do_job(w, take, &t);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.rows[0].ref, waiting.id);
	assert_int_equal(t.rows[0].kind, QUEUE_ALERT);
	assert_int_equal(t.rows[0].prospect, EVE);
	assert_int_equal(t.rows[0].due, NOW + 15);
	assert_int_equal(t.rows[1].ref, queued.id);
	assert_int_equal(t.rows[1].due, queued.due);
	clock_set(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alerts_come_back_as_they_were, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(dead_letters_are_listed, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_start_puts_back_what_was_claimed, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
