/*
 * test_settings.c: the small tables: settings, mailboxes, turns, and the journal.
 */
#include "with_store.h"

#define EVE (INT64_C(1) << 22 | INT64_C(5) << 12)

static int settings(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct slice value;

	assert_int_equal(settings_get(db, "key", w->arena, &value, err), 0);
	assert_int_equal(settings_set(db, "key", "a\0b", 3, err), 0);
	assert_int_equal(settings_get(db, "key", w->arena, &value, err), 1);
	assert_int_equal(value.len, 3);
	assert_memory_equal(value.data, "a\0b", 4);
	assert_int_equal(settings_set(db, "key", "", 0, err), 0);
	assert_int_equal(settings_get(db, "key", w->arena, &value, err), 1);
	assert_int_equal(value.len, 0);
	return 0;
}

static int mailboxes(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct watermark mark = { 1, 1 };

	assert_int_equal(mailboxes_get(db, "replies", &mark, err), 0);
	assert_true(mark.uidvalidity == 0 && mark.last_uid == 0);
	assert_int_equal(mailboxes_set(db, "replies", &(struct watermark){ UINT32_MAX, 5 }, err), 0);
	assert_int_equal(mailboxes_set(db, "replies", &(struct watermark){ UINT32_MAX, UINT32_MAX - 1 }, err), 0);
	assert_int_equal(mailboxes_set(db, "other", &(struct watermark){ 1, 2 }, err), 0);
	assert_int_equal(mailboxes_get(db, "replies", &mark, err), 0);
	assert_true(mark.uidvalidity == UINT32_MAX && mark.last_uid == UINT32_MAX - 1);
	return 0;
}

static int mails_that_are_not_done_with(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct mailbox_mail *mails;
	size_t count;

	assert_int_equal(mailboxes_remembered(db, "replies", w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(mailboxes_remember(db, "replies", &(struct mailbox_mail){ "7:2", false }, err), 0);
	assert_int_equal(mailboxes_remember(db, "replies", &(struct mailbox_mail){ "7:1", true }, err), 0);
	assert_int_equal(mailboxes_remember(db, "replies", &(struct mailbox_mail){ "7:1", true }, err), 0);
	assert_int_equal(mailboxes_remember(db, "other", &(struct mailbox_mail){ "7:3", false }, err), 0);
	assert_int_equal(mailboxes_remembered(db, "replies", w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 2);
	assert_true(strcmp(mails[0].key, "7:1") == 0 && mails[0].stays && strcmp(mails[1].key, "7:2") == 0 && !mails[1].stays);
	assert_int_equal(mailboxes_forget(db, "replies", "7:1", err), 0);
	assert_int_equal(mailboxes_forget(db, "replies", "7:3", err), 0);
	assert_int_equal(mailboxes_remembered(db, "replies", w->arena, &mails, &count, err), 0);
	assert_int_equal(count, 1);
	return 0;
}

static int turns(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	int64_t n = 7;

	assert_int_equal(turns_count(db, "ana", &n, err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(turns_take(db, "ana", err), 0);
	assert_int_equal(turns_take(db, "ana", err), 0);
	assert_int_equal(turns_take(db, "ben", err), 0);
	assert_int_equal(turns_count(db, "ana", &n, err), 0);
	assert_int_equal(n, 2);
	return 0;
}

static int journal(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct journal_row *rows;
	size_t count;

	/* two in the same microsecond, and a clock that steps back */
	assert_int_equal(journal_add(db, EVE, 100, "stage", "awareness", "signup", err), 0);
	assert_int_equal(journal_add(db, EVE, 100, "list", "just-looking", "stage", err), 0);
	assert_int_equal(journal_add(db, EVE, 90, "hot", "yes", "score 82", err), 0);
	assert_int_equal(journal_add(db, EVE + 1, 100, "stage", "x", "y", err), 0);
	assert_int_equal(journal_of(db, EVE, 10, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(rows[0].kind, "hot");
	assert_string_equal(rows[0].what, "yes");
	assert_string_equal(rows[0].why, "score 82");
	assert_int_equal(rows[0].at, 90);
	assert_int_equal(rows[0].prospect, EVE);
	assert_string_equal(rows[1].kind, "list");
	assert_string_equal(rows[2].kind, "stage");
	assert_int_equal(journal_of(db, EVE, 1, w->arena, &rows, &count, err), 0);
	assert_int_equal(count, 1);
	return 0;
}

static void settings_are_bytes(void **state)
{
	do_job(*state, settings, NULL);
}

static void watermarks_are_per_mailbox(void **state)
{
	do_job(*state, mailboxes, NULL);
	do_job(*state, mails_that_are_not_done_with, NULL);
}

static void turns_are_counted(void **state)
{
	do_job(*state, turns, NULL);
}

static void the_journal_keeps_the_order_of_writing(void **state)
{
	do_job(*state, journal, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings_are_bytes, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(watermarks_are_per_mailbox, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(turns_are_counted, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(the_journal_keeps_the_order_of_writing, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
