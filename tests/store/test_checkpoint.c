/*
 * test_checkpoint.c: a checkpoint that does not wait for the disk: what the log still has to be good for until it is settled.
 */
#include <signal.h>
#include <sys/resource.h>

#include "with_store.h"

#include "../../daemon/store/driver.h"

#define ROWS 200

struct side {
	const struct driver *driver;
	struct connection *c;
	int rows;
};

static void copy(const char *from, const char *to)
{
	char block[65536];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* Each in a transaction of its own, scattered over the table's pages. */
static void write_rows(struct side *s, int count)
{
	struct err err;
	struct prepared *p = s->driver->prepare(s->c, "INSERT INTO t (k, v) VALUES (?1, zeroblob(500))", &err);

	assert_non_null(p);
	for (int i = 0; i < count; i++) {
		assert_int_equal(s->driver->control(s->c, CONTROL_BEGIN, &err), 0);
		s->driver->bind_int(p, 1, (int64_t)s->rows++ * 7919 % 100003);
		assert_int_equal(s->driver->step(s->c, p, &err), 0);
		s->driver->reset(p);
		assert_int_equal(s->driver->control(s->c, CONTROL_COMMIT, &err), 0);
	}
	s->driver->finalize(p);
}

static int64_t number(struct side *s, const char *sql)
{
	struct err err;
	struct prepared *p = s->driver->prepare(s->c, sql, &err);
	int64_t n;

	assert_non_null(p);
	assert_int_equal(s->driver->step(s->c, p, &err), 1);
	n = s->driver->get_int(p, 0);
	s->driver->finalize(p);
	return n;
}

static uint64_t log_bytes(struct side *s)
{
	uint64_t unmoved;

	return s->driver->log_bytes(s->c, &unmoved);
}

static uint64_t unmoved(struct side *s)
{
	uint64_t n;

	s->driver->log_bytes(s->c, &n);
	return n;
}

static void open_side(struct side *s, const char *file)
{
	struct err err;

	s->driver = &driver_sqlite;
	assert_int_equal(s->driver->open(file, DB_WRITER, &s->c, &err), 0);
}

/* A table of its own beside the store's, with ROWS rows that are in the log alone; its file, to `file`. */
static void set_out(struct with_store *w, struct side *s, char file[300])
{
	struct err err;

	close_store(w);
	snprintf(file, 300, "%s.test", file_of(w));
	open_side(s, file);
	assert_int_equal(s->driver->define(s->c, "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT", &err), 0);
	write_rows(s, ROWS);
}

/* A disk that lost every page it had not been asked to keep: the tables as they were, and the log. */
static void the_log_is_good_for_all_until_it_is_settled(void **state)
{
	struct with_store *w = *state;
	char file[300], log[320], old_file[320], old_log[340];
	struct side s = { 0 }, after = { 0 };
	struct err err;

	set_out(w, &s, file);
	snprintf(log, sizeof(log), "%s-wal", file);
	snprintf(old_file, sizeof(old_file), "%s.old", file);
	snprintf(old_log, sizeof(old_log), "%s-wal", old_file);
	copy(file, old_file);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), 1);
	assert_int_equal(unmoved(&s), 0);
	/* all is moved, and still none of it is overwritten: a few rows would leave most pages to what was there */
	write_rows(&s, 3);
	assert_int_equal(s.driver->sync(s.c, &err), 0);
	copy(log, old_log);
	open_side(&after, old_file);
	assert_int_equal(number(&after, "SELECT COUNT(*) FROM t"), ROWS + 3);
	assert_int_equal(number(&after, "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	after.driver->close(&after.c);
	s.driver->close(&s.c);
}

static void once_settled_it_begins_anew(void **state)
{
	struct with_store *w = *state;
	struct side s = { 0 };
	char file[300];
	uint64_t before;
	struct err err;

	set_out(w, &s, file);
	before = log_bytes(&s);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), 1);
	write_rows(&s, 1);
	assert_true(log_bytes(&s) > before);
	assert_true(unmoved(&s) > 0 && unmoved(&s) < before);
	assert_int_equal(s.driver->settle(s.c, &err), 0);
	s.driver->settled(s.c);
	/* what came meanwhile */
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_SETTLE, &err), 0);
	assert_int_equal(unmoved(&s), 0);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), 0);
	write_rows(&s, 1);
	assert_true(log_bytes(&s) < before / 4);
	assert_int_equal(number(&s, "SELECT COUNT(*) FROM t"), ROWS + 2);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_CUT, &err), 0);
	assert_int_equal(log_bytes(&s), 0);
	s.driver->close(&s.c);
}

/* The file may not grow: a disk that is full, until there is room. */
static void what_fails_is_done_the_next_time(void **state)
{
	struct with_store *w = *state;
	struct rlimit were, full;
	struct side s = { 0 };
	char file[300];
	struct err err;

	set_out(w, &s, file);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &were), 0);
	full = (struct rlimit){ .rlim_cur = 3 * 4096, .rlim_max = were.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), -1);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &were), 0);
	assert_true(unmoved(&s) > 0);
	assert_int_equal(s.driver->checkpoint(s.c, CHECKPOINT_MOVE, &err), 1);
	assert_int_equal(s.driver->settle(s.c, &err), 0);
	s.driver->settled(s.c);
	assert_int_equal(unmoved(&s), 0);
	assert_int_equal(number(&s, "SELECT COUNT(*) FROM t"), ROWS);
	s.driver->close(&s.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_log_is_good_for_all_until_it_is_settled, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(once_settled_it_begins_anew, setup_store, teardown_store),
		cmocka_unit_test_setup_teardown(what_fails_is_done_the_next_time, setup_store, teardown_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
