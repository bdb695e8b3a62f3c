/*
 * test_inbound.c: a mail is taken once, whoever it turns out to be from; its raw bytes go when their time is over.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)

struct take {
	struct inbound in;
	int expect;
};

static int take(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const struct take *t = arg;
	int got = inbound_take(db, &t->in, err);

	if (got < 0)
		return -1;
	assert_int_equal(got, t->expect);
	return 0;
}

static int prune(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	const int64_t *wanted = arg;

	return inbound_prune(db, wanted[0], wanted[1], err);
}

static struct take mail(int n, uint8_t hash, int64_t received, int expect)
{
	return (struct take){
		.in = { .id = EVE + n, .sha256 = { hash, 0xc0 }, .mailbox = "replies", .received = received, .class = "human",
			.prospect = EVE, .delivery = EVE + 9, .summary = "{\"intent\":\"pricing\"}", .raw = "From: eve", .raw_len = 9,
			.size = 9 },
		.expect = expect,
	};
}

static void a_mail_is_taken_once(void **state)
{
	struct take first = mail(1, 7, 100, 1), again = mail(2, 7, 200, 0), other = mail(3, 8, 300, 1);

	do_job(*state, take, &first);
	do_job(*state, take, &again);
	do_job(*state, take, &other);
	/* the second time it may look like somebody else's */
	again.in.id = INT64_C(1) << 22 | INT64_C(600) << 12;
	do_job(*state, take, &again);
	close_store(*state);
	assert_int_equal(ask_file(*state, "SELECT COUNT(*) FROM inbound"), 2);
	assert_int_equal(ask_file(*state, "SELECT COUNT(*) FROM inbound_raw WHERE raw = CAST('From: eve' AS BLOB)"), 2);
	/* the hash lies in its own bucket: the first ten bits of 07 c0 */
	assert_int_equal(ask_file(*state, "SELECT bucket FROM inbound_hash WHERE hash >= x'07' AND hash < x'08'"), 31);
	open_store(*state);
}

static void raw_bytes_go_when_their_time_is_over(void **state)
{
	struct take first = mail(1, 7, 100, 1), second = mail(2, 8, 200, 1), bare = mail(3, 9, 50, 1);
	int64_t wanted[] = { 200, 1000 };

	bare.in.raw = NULL;
	bare.in.raw_len = 0;
	do_job(*state, take, &first);
	do_job(*state, take, &second);
	do_job(*state, take, &bare);
	do_job(*state, prune, wanted);
	close_store(*state);
	assert_int_equal(ask_file(*state, "SELECT COUNT(*) FROM inbound"), 3);
	assert_int_equal(ask_file(*state, "SELECT COUNT(*) FROM inbound_raw"), 1);
	assert_int_equal(ask_file(*state, "SELECT received FROM inbound_raw"), 200);
	open_store(*state);
}

/* Nine bytes each. */
static void the_oldest_bytes_go_when_there_are_too_many(void **state)
{
	struct take mails[] = { mail(1, 7, 300, 1), mail(2, 8, 100, 1), mail(3, 9, 200, 1), mail(4, 10, 400, 1) };
	int64_t wanted[] = { 0, 20 };

	for (size_t i = 0; i < 4; i++)
		do_job(*state, take, &mails[i]);
	do_job(*state, prune, wanted);
	close_store(*state);
	assert_int_equal(ask_file(*state, "SELECT COUNT(*) FROM inbound_raw"), 2);
	assert_int_equal(ask_file(*state, "SELECT MIN(received) FROM inbound_raw"), 300);
	open_store(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mail_is_taken_once, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_oldest_bytes_go_when_there_are_too_many, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(raw_bytes_go_when_their_time_is_over, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
