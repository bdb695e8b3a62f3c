/*
 * test_deliveries.c: messages from claim to end, what an earlier process left behind, and where links lead.
 */
#include <jansson.h>
#include <sqlite3.h>

#include "store/export.h"

#include "with_store.h"

#define NOW (INT64_C(1800000000) * US_SECOND)
#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)
#define ID(n) (EVE + 10 + (n))

static struct delivery make(int n, enum delivery_state state)
{
	return (struct delivery){
		.id = ID(n), .prospect = EVE, .kind = DELIVERY_STEP, .state = state, .enrolment = 3, .sequence = "ebook", .step = "deliver",
		.template = "ebook-delivery", .address = "Eve@example.com", .download = "choosing-a-vendor.pdf", .ref = 4, .attempt = 2,
		.planned = 5, .done = 6, .code = 250, .reply = "2.0.0 Ok", .relay_id = "4Xk",
	};
}

static void assert_same(const struct delivery *a, const struct delivery *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->prospect, b->prospect);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->enrolment, b->enrolment);
	assert_string_equal(a->sequence, b->sequence);
	assert_string_equal(a->step, b->step);
	assert_string_equal(a->template, b->template);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->download, b->download);
	assert_int_equal(a->ref, b->ref);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->planned, b->planned);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->code, b->code);
	assert_string_equal(a->reply, b->reply);
	assert_string_equal(a->relay_id, b->relay_id);
}

static int put(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, arg, err);
}

static int claim(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return sending_insert(db, arg, err);
}

static int expect(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;
	struct delivery found;

	assert_int_equal(deliveries_find(db, d->id, w->arena, &found, err), 1);
	assert_same(&found, d);
	return 0;
}

static void what_is_put_is_found_and_put_again(void **state)
{
	struct delivery d = make(1, DELIVERY_PLANNED);

	do_job(*state, put, &d);
	do_job(*state, expect, &d);
	d = make(1, DELIVERY_SENT);
	d.kind = DELIVERY_CONFIRM;
	d.sequence = d.step = d.download = "";
	d.enrolment = 0;
	d.template = "confirm";
	d.address = "other@example.com";
	d.ref = 9;
	d.attempt = 3;
	d.planned = 8;
	d.done = 7;
	d.code = 251;
	d.reply = "2.1.0";
	d.relay_id = "5Yl";
	do_job(*state, put, &d);
	do_job(*state, expect, &d);
	assert_int_equal(read_job(*state, expect, &d, NULL), STORE_COMMITTED);
}

static void a_claimed_one_is_found_too(void **state)
{
	struct delivery d = make(1, DELIVERY_SENDING);

	do_job(*state, claim, &d);
	do_job(*state, expect, &d);
}

static int cut(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery d = make(1, DELIVERY_FAILED), found;
	char reply[600];

	/* a character of two bytes lies across the limit */
	memset(reply, 'a', sizeof(reply));
	memcpy(reply + 499, "\xc3\xa4", 2);
	reply[599] = '\0';
	d.reply = reply;
	if (deliveries_put(db, &d, err) < 0)
		return -1;
	assert_int_equal(deliveries_find(db, d.id, w->arena, &found, err), 1);
	assert_int_equal(strlen(found.reply), 499);
	return 0;
}

static void a_long_reply_is_cut_between_characters(void **state)
{
	do_job(*state, cut, NULL);
}

static int dots(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery found, row, *of;
	size_t count;

	assert_int_equal(sending_dot(db, ID(1), err), 1);
	assert_int_equal(sending_find(db, ID(1), w->arena, &row, err), 1);
	assert_int_equal(row.state, DELIVERY_DOT);
	assert_int_equal(sending_dot(db, ID(1), err), 0);	/* once */
	assert_int_equal(sending_dot(db, ID(2), err), 0);	/* not there */
	assert_int_equal(deliveries_find(db, ID(1), w->arena, &found, err), 1);
	assert_int_equal(found.state, DELIVERY_DOT);
	assert_int_equal(sending_of(db, EVE, w->arena, &of, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(of[0].id, ID(1));
	assert_int_equal(sending_take(db, ID(1), w->arena, &row, err), 1);
	assert_int_equal(sending_take(db, ID(1), w->arena, &row, err), 0);
	assert_int_equal(sending_end(db, ID(1), err), 0);
	assert_int_equal(sending_of(db, EVE, w->arena, &of, &count, err), 0);
	assert_int_equal(count, 0);
	return 0;
}

static void the_dot_is_set_once(void **state)
{
	struct delivery d = make(1, DELIVERY_SENDING);

	do_job(*state, claim, &d);
	do_job(*state, dots, NULL);
}

struct left {
	int64_t before;
	size_t max, count;
	struct delivery *rows;
};

static int left(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct left *l = arg;

	return sending_left(db, l->before, l->max, w->arena, &l->rows, &l->count, err);
}

static int dot(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;
	int rc = sending_dot(db, d->id, err);

	return rc < 0 ? -1 : rc == 1 ? 0 : err_set(err, "no dot");
}

static int dot_and_fail(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return dot(w, db, arg, err) < 0 ? -1 : err_set(err, "and something else fails");
}

static int end(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct delivery *d = arg;

	return sending_end(db, d->id, err) < 0 ? -1 : 0;
}

static int claim_dot_end(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return claim(w, db, arg, err) < 0 || dot(w, db, arg, err) < 0 || end(w, db, arg, err) < 0 ? -1 : 0;
}

static int count_dots(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	size_t *count = arg;
	struct delivery *rows;

	return deliveries_in_state(db, DELIVERY_DOT, 10, w->arena, &rows, count, err);
}

/* As the store thread knows it, and as a reader finds it in the tables. */
static void assert_dots(struct with_store *w, size_t expected)
{
	size_t known, found;

	do_job(w, count_dots, &known);
	assert_int_equal(read_job(w, count_dots, &found, NULL), STORE_COMMITTED);
	assert_int_equal(known, expected);
	assert_int_equal(found, expected);
}

static void assert_dot_rows(struct with_store *w, int64_t expected)
{
	sqlite3_stmt *s;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file_of(w), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT COUNT(*) FROM dot", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int64(s, 0), expected);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

static void dots_are_written_together_and_go_with_the_last_of_their_mails(void **state)
{
	struct with_store *w = *state;
	struct delivery d[4] = { make(1, DELIVERY_SENDING), make(2, DELIVERY_SENDING), make(3, DELIVERY_SENDING), make(4, DELIVERY_SENDING) };
	struct waited_job jobs[3] = { { .fn = dot, .arg = &d[0] }, { .fn = dot_and_fail, .arg = &d[1] }, { .fn = dot, .arg = &d[2] } };
	size_t i;

	for (i = 0; i < 3; i++)
		do_job(w, claim, &d[i]);
	run_jobs(w, jobs, 3, STORE_NORMAL);
	assert_int_equal(jobs[0].result, STORE_COMMITTED);
	assert_int_equal(jobs[1].result, STORE_REFUSED);
	assert_int_equal(jobs[2].result, STORE_COMMITTED);
	assert_dots(w, 2);
	/* what failed can have its dot */
	do_job(w, dot, &d[1]);
	assert_dots(w, 3);
	/* nothing of it is left, although its own row was never written */
	do_job(w, claim_dot_end, &d[3]);
	assert_dots(w, 3);
	assert_int_equal(run_job(w, dot_and_fail, &d[0], NULL), STORE_REFUSED);	/* it has one */
	assert_dots(w, 3);
	for (i = 0; i < 3; i++)
		do_job(w, end, &d[i]);
	assert_dots(w, 0);
	close_store(w);
	assert_dot_rows(w, 0);
}

/* Deferred behind its dot and claimed once more, while another mail of that row is still on its way. */
static void a_dot_counts_for_one_claim(void **state)
{
	struct with_store *w = *state;
	struct delivery d[2] = { make(1, DELIVERY_SENDING), make(2, DELIVERY_SENDING) };
	struct waited_job jobs[2] = { { .fn = dot, .arg = &d[0] }, { .fn = dot, .arg = &d[1] } };
	struct left l = { .before = TIME_NEVER, .max = 10 };

	clock_set(NOW);
	do_job(w, claim, &d[0]);
	do_job(w, claim, &d[1]);
	run_jobs(w, jobs, 2, STORE_NORMAL);
	assert_dots(w, 2);
	do_job(w, end, &d[0]);
	clock_set(NOW + 1);
	do_job(w, claim, &d[0]);
	assert_dots(w, 1);
	close_store(w);
	open_store(w);
	assert_dots(w, 1);
	do_job(w, left, &l);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.rows[0].id, ID(2));
	assert_int_equal(l.rows[0].state, DELIVERY_DOT);
	assert_int_equal(l.rows[1].state, DELIVERY_SENDING);
	clock_set(0);
}

static void dots_outlive_the_process(void **state)
{
	struct with_store *w = *state;
	struct delivery d[3] = { make(1, DELIVERY_SENDING), make(2, DELIVERY_SENDING), make(3, DELIVERY_SENDING) };
	struct left l = { .before = TIME_NEVER, .max = 10 };
	size_t i;

	clock_set(NOW);
	for (i = 0; i < 3; i++)
		do_job(w, claim, &d[i]);
	do_job(w, dot, &d[0]);
	do_job(w, dot, &d[2]);
	close_store(w);
	open_store(w);
	assert_dots(w, 2);
	do_job(w, left, &l);
	assert_int_equal(l.count, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(l.rows[i].state, i == 1 ? DELIVERY_SENDING : DELIVERY_DOT);
	do_job(w, end, &d[0]);
	assert_dots(w, 1);
	do_job(w, end, &d[2]);
	do_job(w, end, &d[1]);
	close_store(w);
	assert_dot_rows(w, 0);
	clock_set(0);
}

static int dot_is_refused(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	assert_int_equal(sending_dot(db, ID(1), err), 0);
	return 0;
}

static void what_an_earlier_process_left_is_told_apart(void **state)
{
	struct with_store *w = *state;
	struct delivery first = make(1, DELIVERY_SENDING), second = make(2, DELIVERY_SENDING), third = make(3, DELIVERY_SENDING);
	struct left l = { .before = TIME_NEVER, .max = 10 };

	clock_set(NOW + 5);
	do_job(w, claim, &first);
	clock_set(NOW);
	do_job(w, claim, &second);
	do_job(w, left, &l);
	assert_int_equal(l.count, 0);
	close_store(w);
	open_store(w);
	do_job(w, claim, &third);
	do_job(w, left, &l);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.rows[0].id, ID(2));
	assert_int_equal(l.rows[1].id, ID(1));
	l.before = NOW + 5;
	do_job(w, left, &l);
	assert_int_equal(l.count, 1);
	l = (struct left){ .before = TIME_NEVER, .max = 1 };
	do_job(w, left, &l);
	assert_int_equal(l.count, 1);
	/* and it cannot get a dot in this process */
	do_job(w, dot_is_refused, NULL);
	clock_set(0);
}

static int lists(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery *rows;
	size_t count;

	assert_int_equal(deliveries_of(db, EVE, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 4);
	assert_int_equal(rows[0].id, ID(4));
	assert_int_equal(deliveries_of(db, EVE, 2, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(deliveries_in_state(db, DELIVERY_UNKNOWN, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].id, ID(3));
	assert_int_equal(rows[1].id, ID(1));
	assert_int_equal(deliveries_in_state(db, DELIVERY_SENT, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].id, ID(2));
	assert_int_equal(deliveries_in_state(db, DELIVERY_SENDING, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].id, ID(5));
	return 0;
}

static void reports_list_the_newest_first(void **state)
{
	static const enum delivery_state states[] = { DELIVERY_UNKNOWN, DELIVERY_SENT, DELIVERY_UNKNOWN, DELIVERY_FAILED };
	struct delivery d;

	for (int i = 0; i < 4; i++) {
		d = make(i + 1, states[i]);
		do_job(*state, put, &d);
	}
	d = make(5, DELIVERY_SENDING);
	do_job(*state, claim, &d);
	assert_int_equal(read_job(*state, lists, NULL, NULL), STORE_COMMITTED);
}

/* --- links ------------------------------------------------------------------------------------------------------- */

struct version {
	char digest;
	const char *urls[3];
	size_t count;
};

static int put_links(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct version *v = arg;
	uint8_t digest[32];

	memset(digest, v->digest, sizeof(digest));
	return links_put(db, "ebook", digest, v->urls, v->count, err);
}

static int expect_links(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	static const struct {
		int link;
		int64_t sent_at;
		const char *url;
	} cases[] = {
		{ 0, NOW + 1, "https://a/" }, { 1, NOW + 1, "https://b/" }, { 2, NOW + 1, NULL },
		{ 0, NOW + 10, "https://c/" }, { 1, NOW + 10, NULL }, { 0, NOW + 15, "https://c/" },
		{ 0, NOW + 20, "https://a/" }, { 1, NOW + 99, "https://b/" },
		{ 0, NOW - 5, "https://a/" },	/* older than all: the first version */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *url = NULL;
		int got = links_find(db, "ebook", cases[i].link, cases[i].sent_at, w->arena, &url, err);

		assert_int_equal(got, cases[i].url ? 1 : 0);
		if (cases[i].url)
			assert_string_equal(url, cases[i].url);
	}
	return 0;
}

static void a_link_leads_where_it_led_when_the_mail_was_sent(void **state)
{
	struct version first = { 'a', { "https://a/", "https://b/" }, 2 }, second = { 'b', { "https://c/" }, 1 };

	clock_set(NOW);
	do_job(*state, put_links, &first);
	clock_set(NOW + 5);
	do_job(*state, put_links, &first);	/* a restart: nothing new */
	clock_set(NOW + 10);
	do_job(*state, put_links, &second);
	clock_set(NOW + 20);
	do_job(*state, put_links, &first);	/* the marketer took the change back */
	do_job(*state, expect_links, NULL);
	clock_set(0);
}


/* "KIND STATE, ..." of what is exported of Eve's mails that are under way. */
static int export(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct prospect eve = { .id = EVE, .key = "eve@example.com" };
	struct buf *said = arg;
	json_t *tables, *mail;
	size_t i;

	if (export_person(db, &eve, &tables, err) < 0)
		return -1;
	json_array_foreach(json_object_get(tables, "sending"), i, mail) {
		buf_printf(said, "%s %s, ", json_string_value(json_object_get(mail, "kind")), json_string_value(json_object_get(mail, "state")));
		assert_string_equal(json_string_value(json_object_get(mail, "address")), "Eve@example.com");
		assert_string_equal(json_string_value(json_object_get(mail, "reply")), "2.0.0 Ok");
		assert_int_equal(json_object_size(mail), 19);
	}
	json_decref(tables);
	return 0;
}

static void the_export_says_which_may_have_gone_out(void **state)
{
	struct with_store *w = *state;
	struct delivery d[3] = { make(1, DELIVERY_SENDING), make(2, DELIVERY_SENDING), make(3, DELIVERY_SENDING) };
	struct buf written = BUF_INIT, read = BUF_INIT;
	size_t i;

	d[0].kind = DELIVERY_AGAIN;
	for (i = 0; i < 3; i++)
		do_job(w, claim, &d[i]);
	do_job(w, dot, &d[0]);
	do_job(w, dot, &d[2]);
	do_job(w, export, &written);
	assert_int_equal(read_job(w, export, &read, NULL), STORE_COMMITTED);
	assert_string_equal(buf_cstr(&written), "again dot, step sending, step dot, ");
	assert_string_equal(buf_cstr(&read), buf_cstr(&written));
	buf_clear(&written);
	buf_clear(&read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_put_is_found_and_put_again, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_claimed_one_is_found_too, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_long_reply_is_cut_between_characters, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_dot_is_set_once, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(dots_are_written_together_and_go_with_the_last_of_their_mails, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_dot_counts_for_one_claim, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(dots_outlive_the_process, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_export_says_which_may_have_gone_out, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_an_earlier_process_left_is_told_apart, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(reports_list_the_newest_first, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_link_leads_where_it_led_when_the_mail_was_sent, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("deliveries", tests, NULL, NULL);
}
