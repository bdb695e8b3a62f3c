/*
 * test_leases.c: fencing. A second store takes the file over while the first still runs; from then on the first changes nothing.
 */
#include <sys/file.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "store/visitors.h"
#include "with_store.h"

#define ID(n) (INT64_C(1) << 22 | (int64_t)5 << 12 | (n))
#define HASH "0123456789abcdef0123456789abcdef"

/* --- every function that writes ---------------------------------------------------------------------------------- */

static const char *const no_urls[] = { "https://www.example.com/" };

static int insert_prospect(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct prospect p = { .id = ID(1), .address = "a@example.com", .key = "a@example.com", .fields = "{}" };

	return prospects_insert(db, &p, err);
}

static int update_prospect(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct prospect p = { .id = ID(0), .fields = "{\"first_name\":\"Eve\"}" };

	return prospects_update(db, &p, err);
}

static int insert_event(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return events_insert(db, &(struct event_row){ .id = ID(2), .prospect = ID(0), .at = 1, .name = "click" }, err);
}

static int insert_term(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return terms_insert(db, &(struct score_term){ .prospect = ID(0), .rule = "r", .at = 1, .event = ID(2), .points = 5 }, err);
}

static int add_packed_hit(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return packs_add(db, &(struct hit){ .delivery = ID(4), .kind = 'c', .at = 1, .times = 1 }, 1, err);
}

static int insert_hit(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return hits_insert(db, &(struct hit){ .id = ID(3), .prospect = ID(0), .delivery = ID(4), .kind = 'c', .at = 1 }, err);
}

static int update_hit(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return hits_update(db, &(struct hit){ .id = ID(3), .delivery = ID(4), .at = 1, .verdict = VERDICT_MACHINE, .reasons = 7 }, err);
}

static int add_hit_day(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return hit_days_add(db, &(struct hit_sum){ .sequence = "s", .step = "a", .template = "t", .kind = 'o', .mails = 1, .delivery = ID(4) }, err);
}

static int remove_event(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return events_remove(db, &(struct event_row){ .id = ID(2), .prospect = ID(0), .at = 1, .name = "click", .subject = "" }, err);
}

static int set_event_points(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return events_set_points(db, &(struct event_row){ .id = ID(2), .prospect = ID(0), .at = 1, .name = "click", .points = 2 }, err);
}

static int remove_term(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	double points;

	return terms_remove_one(db, ID(0), "r", 1, ID(2), 1, 1, &points, err);
}

static int insert_enrolment(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_insert(db, &(struct enrolment){ .id = ID(5), .prospect = ID(0), .sequence = "s", .step = "a" }, err);
}

static int update_enrolment(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return enrolments_update(db, &(struct enrolment){ .id = ID(0), .prospect = ID(0), .step = "b", .state = ENROLMENT_ENDED }, err);
}

static int add_to_queue(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return queue_add(db, &(struct queue_row){ .id = ID(6), .lane = LANE_TIME, .due = 5 }, err);
}

static int remove_from_queue(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return queue_remove(db, LANE_SEND, 1, ID(0), err) < 0 ? -1 : 0;
}

static int take_from_queue(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct queue_row *rows;
	size_t count;

	if (queue_take(db, LANE_SEND, 100, 10, w->arena, &rows, &count, err) < 0)
		return -1;
	return count ? 0 : err_set(err, "nothing to take");
}

static int put_delivery(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return deliveries_put(db, &(struct delivery){ .id = ID(0), .prospect = ID(0), .state = DELIVERY_FAILED }, err);
}

static int insert_sending(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return sending_insert(db, &(struct delivery){ .id = ID(7), .prospect = ID(0), .state = DELIVERY_SENDING }, err);
}

static int dot(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int done = sending_dot(db, ID(0), err);

	return done < 0 ? -1 : done == 1 ? 0 : err_set(err, "no such row");
}

static int remove_sending(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct delivery row;
	int done = sending_take(db, ID(0), w->arena, &row, err);

	return done < 0 ? -1 : done == 1 ? 0 : err_set(err, "no such row");
}

static int put_links(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return links_put(db, "ebook", (const uint8_t *)HASH, no_urls, 1, err);
}

static int add_suppression(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return suppressions_add(db, &(struct suppression){ .bucket = 9, .hash = (const uint8_t *)HASH, .reason = "manual" }, err);
}

static int remove_suppression(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int done = suppressions_remove(db, "eve@example.com", err);

	return done < 0 ? -1 : done == 1 ? 0 : err_set(err, "no such row");
}

static int add_consent(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return consents_add(db, &(struct consent){ .id = ID(8), .prospect = ID(0), .what = "granted" }, err);
}

static int insert_lead(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return leads_insert(db, &(struct lead){ .id = ID(9), .prospect = ID(0), .state = "new" }, err);
}

static int answer_lead(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return leads_answer(db, &(struct lead){ .id = ID(0), .state = "won", .amount = 12 }, err);
}

static int insert_alert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return alerts_insert(db, &(struct alert){ .id = ID(10), .prospect = ID(0), .url = "https://x.example/" }, err);
}

static int update_alert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return alerts_update(db, &(struct alert){ .id = ID(0), .state = ALERT_DEAD }, err);
}

static int recover_alerts(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return alerts_recover(db, 77, err);
}

static int take_once(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const char *answer;
	int got = once_take(db, 5, "another key", 10, "a", w->arena, &answer, err);

	return got < 0 ? -1 : 0;
}

static int take_inbound(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct inbound in = { .id = ID(11), .mailbox = "replies", .class = "human", .raw = "x", .raw_len = 1, .size = 1 };

	return inbound_take(db, &in, err) < 0 ? -1 : 0;
}

static int prune_events(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return events_prune(db, id_bucket(ID(0)), 1000, err);
}

static int prune_terms(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return terms_prune(db, id_bucket(ID(0)), 1000, err);
}

static int prune_hits(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return hits_prune(db, id_bucket(ID(0)), 1000, err);
}

static int prune_inbound(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return inbound_prune(db, 1000, INT64_MAX, err);
}

static int set_mailbox(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return mailboxes_set(db, "replies", &(struct watermark){ 1, 99 }, err);
}

static int add_journal(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return journal_add(db, ID(0), 1, "stage", "decision", "score", err);
}

static int take_turn(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return turns_take(db, "ana", err);
}

static int set_setting(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return settings_set(db, "x", "y", 1, err);
}

static int join_visitor(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return visitors_join(db, "anon", ID(0), 1, err);
}

static int add_visitor_event(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return visitors_add_event(db, "anon", &(struct event_row){ .at = 1, .name = "page_view" }, err);
}

static int take_visitor_events(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct event_row *rows;
	size_t count;

	if (visitors_take_events(db, "other", w->arena, &rows, &count, err) < 0)
		return -1;
	return count ? 0 : err_set(err, "nothing to take");
}

static const struct {
	const char *name;
	job_fn fn;
} writers[] = {
	{ "prospects_insert", insert_prospect }, { "prospects_update", update_prospect }, { "events_insert", insert_event },
	{ "terms_insert", insert_term }, { "packs_add", add_packed_hit }, { "hits_insert", insert_hit }, { "hits_update", update_hit }, { "hit_days_add", add_hit_day },
	{ "events_set_points", set_event_points }, { "events_remove", remove_event }, { "terms_remove_one", remove_term },
	{ "enrolments_insert", insert_enrolment }, { "enrolments_update", update_enrolment }, { "queue_add", add_to_queue },
	{ "queue_remove", remove_from_queue }, { "queue_take", take_from_queue }, { "deliveries_put", put_delivery },
	{ "sending_insert", insert_sending }, { "sending_dot", dot }, { "sending_take", remove_sending }, { "links_put", put_links },
	{ "suppressions_add", add_suppression }, { "suppressions_remove", remove_suppression }, { "consents_add", add_consent },
	{ "leads_insert", insert_lead }, { "leads_answer", answer_lead }, { "alerts_insert", insert_alert },
	{ "alerts_update", update_alert }, { "alerts_recover", recover_alerts }, { "once_take", take_once },
	{ "inbound_take", take_inbound }, { "inbound_prune", prune_inbound }, { "events_prune", prune_events },
	{ "terms_prune", prune_terms }, { "hits_prune", prune_hits }, { "mailboxes_set", set_mailbox },
	{ "journal_add", add_journal }, { "turns_take", take_turn }, { "settings_set", set_setting },
	{ "visitors_join", join_visitor }, { "visitors_add_event", add_visitor_event }, { "visitors_take_events", take_visitor_events },
};

#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* Rows with the number 0, for those that change or remove something to find. */
static int seed(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct prospect p = { .id = ID(0), .address = "eve@example.com", .key = "eve@example.com", .fields = "{}" };
	struct inbound in = { .id = ID(0), .sha256 = { 1 }, .mailbox = "replies", .received = 1, .raw = "y", .raw_len = 1, .size = 1 };
	struct suppression s = { .bucket = address_bucket(p.key), .reason = "manual" };
	uint8_t hash[32];

	suppressions_hash(db, p.key, hash);
	s.hash = hash;
	if (prospects_insert(db, &p, err) < 0 || inbound_take(db, &in, err) != 1 || suppressions_add(db, &s, err) < 0)
		return -1;
	if (hits_insert(db, &(struct hit){ .id = ID(0), .delivery = ID(4), .kind = 'o' }, err) < 0 ||
			events_insert(db, &(struct event_row){ .id = ID(5), .prospect = ID(0), .at = 1, .name = "old" }, err) < 0 ||
			terms_insert(db, &(struct score_term){ .prospect = ID(0), .rule = "old", .at = 1, .event = ID(5), .points = 1 }, err) < 0 ||
			enrolments_insert(db, &(struct enrolment){ .id = ID(0), .prospect = ID(0), .sequence = "s" }, err) < 0 ||
			queue_add(db, &(struct queue_row){ .id = ID(0), .lane = LANE_SEND, .due = 1 }, err) < 0 ||
			queue_add(db, &(struct queue_row){ .id = ID(1), .lane = LANE_SEND, .due = 1 }, err) < 0 ||
			sending_insert(db, &(struct delivery){ .id = ID(0), .prospect = ID(0), .state = DELIVERY_SENDING }, err) < 0 ||
			leads_insert(db, &(struct lead){ .id = ID(0), .prospect = ID(0), .state = "new" }, err) < 0 ||
			alerts_insert(db, &(struct alert){ .id = ID(0), .prospect = ID(0), .due = 3 }, err) < 0 ||
			visitors_add_event(db, "other", &(struct event_row){ .at = 1, .name = "page_view" }, err) < 0)
		return -1;
	return 0;
}

/* --- the whole file as text, but for the leases themselves ------------------------------------------------------- */

static void dump_table(sqlite3 *db, const char *table, struct buf *out)
{
	char *sql = xasprintf("SELECT * FROM \"%s\" ORDER BY 1, 2", table);
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		buf_str(out, table);
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			buf_char(out, '|');
			buf_add(out, sqlite3_column_blob(s, i), (size_t)sqlite3_column_bytes(s, i));
		}
		buf_char(out, '\n');
	}
	sqlite3_finalize(s);
	free(sql);
}

static void dump(const char *file, struct buf *out)
{
	sqlite3_stmt *s;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'lease'", -1, &s, NULL),
			SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		dump_table(db, (const char *)sqlite3_column_text(s, 0), out);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

/* --- cases ------------------------------------------------------------------------------------------------------- */

/* Each of them does change something where the lease holds: else the other case would prove nothing. */
static void every_writer_writes_while_the_lease_is_ours(void **state)
{
	struct with_store *w = *state;
	struct buf before = BUF_INIT, after = BUF_INIT;

	do_job(w, seed, NULL);
	for (size_t i = 0; i < WRITERS; i++) {
		struct err err = { "" };

		buf_reset(&before);
		buf_reset(&after);
		dump(file_of(w), &before);
		if (run_job(w, writers[i].fn, NULL, &err) != STORE_COMMITTED)
			fail_msg("%s: %s", writers[i].name, err.text);
		dump(file_of(w), &after);
		/* the alert inserted before it has no row in its lane: that is what recovery finds */
		if (before.len == after.len && memcmp(before.data, after.data, before.len) == 0)
			fail_msg("%s changed nothing", writers[i].name);
	}
	buf_clear(&before);
	buf_clear(&after);
}

/*
 * In a process of its own, as a second daemon would: takes over, says so on standard output, and holds on until standard input ends.
 * The test program runs itself again for that: a fork alone would inherit half of a store.
 */
static int run_second_daemon(const char *folder)
{
	struct store_options options = { .state = folder, .owner = "second", .min_free = 1 };
	struct loop *loop = loop_new();
	struct store *store = NULL;
	char byte = 'y';
	struct err err;

	if (store_start(loop, &options, &store, &err) < 0)
		byte = 'n';
	if (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) < 0)
		return 1;
	/* not stopped but gone, as after kill -9 */
	_exit(0);
}

struct second {
	pid_t pid;
	int tell;
};

/* The lock is broken as an operator would who deletes the lock file of a daemon that hangs. */
static struct second start_second_daemon(struct with_store *w)
{
	struct second second;
	int up[2], down[2];
	char byte = 0;

	assert_int_equal(unlink(arena_printf(w->arena, "%s/nurtured.lock", w->folder)), 0);
	assert_int_equal(pipe(up) | pipe(down), 0);
	second.pid = fork();
	if (second.pid == 0) {
		close(down[1]);
		dup2(down[0], STDIN_FILENO);
		dup2(up[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test_leases", w->folder, NULL);
		_exit(1);
	}
	close(up[1]);
	close(down[0]);
	assert_int_equal(read(up[0], &byte, 1), 1);
	close(up[0]);
	assert_int_equal(byte, 'y');
	second.tell = down[1];
	return second;
}

static void end_second_daemon(struct second *second)
{
	int status;

	close(second->tell);
	assert_int_equal(waitpid(second->pid, &status, 0), second->pid);
	assert_int_equal(status, 0);
}

static void a_daemon_that_lost_its_lease_changes_nothing(void **state)
{
	struct with_store *w = *state;
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct waited_job jobs[WRITERS];
	struct second second;
	size_t pending = WRITERS;
	struct err why = { "" };

	do_job(w, seed, NULL);
	second = start_second_daemon(w);
	dump(file_of(w), &before);
	for (size_t i = 0; i < WRITERS; i++) {
		jobs[i] = (struct waited_job){ .job = { .run = waited_run, .done = waited_done }, .w = w, .fn = writers[i].fn,
				.pending = &pending };
		/* the first finds out; after that the door is shut */
		if (store_submit(w->store, &jobs[i].job, STORE_NORMAL) < 0) {
			jobs[i].result = STORE_FAILED;
			pending--;
		}
	}
	if (pending)
		loop_run(w->loop);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(jobs[i].result, STORE_FAILED);
	assert_non_null(strstr(jobs[0].err.text, "another daemon"));
	dump(file_of(w), &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_false(store_ready(w->store, &why));
	assert_non_null(strstr(why.text, "another daemon"));
	end_second_daemon(&second);
	buf_clear(&before);
	buf_clear(&after);
}

/* Each writer by itself, tried on a store that has not noticed yet. */
static void each_writer_alone_is_fenced(void **state)
{
	for (size_t i = 0; i < WRITERS; i++) {
		struct with_store *w = with_store_new();
		struct buf before = BUF_INIT, after = BUF_INIT;
		struct second second;
		struct err err = { "" };

		open_store(w);
		do_job(w, seed, NULL);
		second = start_second_daemon(w);
		dump(file_of(w), &before);
		if (run_job(w, writers[i].fn, NULL, &err) != STORE_FAILED || !strstr(err.text, "another daemon"))
			fail_msg("%s was not fenced", writers[i].name);
		dump(file_of(w), &after);
		assert_int_equal(before.len, after.len);
		assert_memory_equal(before.data, after.data, before.len);
		end_second_daemon(&second);
		buf_clear(&before);
		buf_clear(&after);
		with_store_free(&w);
	}
}

static int read_epoch(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t *epoch = arg;

	for (int bucket = 0; bucket < BUCKETS; bucket++) {
		if (!db_owns(db, (uint16_t)bucket))
			return err_set(err, "bucket %d is not ours", bucket);
		*epoch = db_epoch(db, (uint16_t)bucket, err);
		if (*epoch < 0)
			return -1;
	}
	return 0;
}

static void each_process_has_an_epoch_of_its_own(void **state)
{
	struct with_store *w = *state;
	int64_t first = 0, second = 0;

	do_job(w, read_epoch, &first);
	close_store(w);
	open_store(w);
	do_job(w, read_epoch, &second);
	assert_int_equal(second, first + 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_writer_writes_while_the_lease_is_ours, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(a_daemon_that_lost_its_lease_changes_nothing, setup_store, teardown_store),
		cmocka_unit_test(each_writer_alone_is_fenced),
		cmocka_unit_test_setup_teardown(each_process_has_an_epoch_of_its_own, setup_store, teardown_store),
	};

	if (argc > 1)
		return run_second_daemon(argv[1]);
	return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
