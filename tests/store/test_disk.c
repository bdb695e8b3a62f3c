/*
 * test_disk.c: room. What statvfs says is made up here, and so is "no space left": the file system of the test stays as it is.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include <sqlite3.h>

#include "with_store.h"

#define MIB (INT64_C(1) << 20)

static _Atomic int64_t free_bytes = INT64_C(1) << 40;
static _Atomic bool full;
static const char *full_with;	/* only while that file is there; NULL: always */
static bool index_fits;		/* of the log, which is laid byte by byte */
static ssize_t (*real_pwrite)(int fd, const void *data, size_t n, off_t at);

/* Stands in for libc's. */
int statvfs(const char *restrict path, struct statvfs *restrict out)
{
	*out = (struct statvfs){ .f_frsize = 4096, .f_bavail = (fsblkcnt_t)(free_bytes / 4096) };
	return access(path, F_OK);
}

static ssize_t test_pwrite(int fd, const void *data, size_t n, off_t at)
{
	if (full && (!full_with || (!(index_fits && n == 1) && access(full_with, F_OK) == 0))) {
		errno = ENOSPC;
		return -1;
	}
	return real_pwrite(fd, data, n, at);
}

static void catch_writes(void)
{
	sqlite3_vfs *vfs;
	const char *name;

	sqlite3_initialize();
	vfs = sqlite3_vfs_find("unix");
	name = vfs->xGetSystemCall(vfs, "pwrite64") ? "pwrite64" : "pwrite";
	real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))vfs->xGetSystemCall(vfs, name);
	vfs->xSetSystemCall(vfs, name, (sqlite3_syscall_ptr)test_pwrite);
}

static int64_t ballast(struct with_store *w)
{
	struct stat st;

	return stat(arena_printf(w->arena, "%s/ballast", w->folder), &st) == 0 ? st.st_size : 0;
}

static int set_value(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return settings_set(db, arg, "x", 1, err);
}

static int reset_world(void **state)
{
	full = false;
	full_with = NULL;
	index_fits = false;
	free_bytes = INT64_C(1) << 40;
	return setup_store(state);
}

/* The store looks once a second. */
static void wait_ready(struct with_store *w, bool ready)
{
	while (store_ready(w->store, NULL) != ready)
		usleep(1000);
}

static void there_is_a_ballast_where_there_is_room(void **state)
{
	struct with_store *w = *state;

	assert_int_equal(ballast(w), 16 * MIB);
}

static void no_ballast_is_laid_where_room_is_scarce(void **state)
{
	struct with_store *w = *state;

	close_store(w);
	assert_int_equal(unlink(arena_printf(w->arena, "%s/ballast", w->folder)), 0);
	free_bytes = 20 * MIB;
	open_store(w);
	assert_int_equal(ballast(w), 0);
	do_job(w, set_value, "a");
}

static void a_disk_that_fills_up_refuses_and_accepts_again_by_itself(void **state)
{
	struct with_store *w = *state;
	struct store_job job = { 0 };
	struct err why = { "" };

	close_store(w);
	w->options.min_free = 0;	/* the default: 64 MiB */
	free_bytes = 65 * MIB;
	open_store(w);
	do_job(w, set_value, "a");
	free_bytes = 63 * MIB;
	wait_ready(w, false);
	assert_int_equal(store_submit(w->store, &job, STORE_FIRST), -1);
	assert_false(store_ready(w->store, &why));
	assert_non_null(strstr(why.text, "63 MiB"));
	free_bytes = 65 * MIB;
	wait_ready(w, true);
	do_job(w, set_value, "b");
}

static void the_ballast_goes_when_there_is_no_room_and_comes_back(void **state)
{
	struct with_store *w = *state;

	assert_int_equal(ballast(w), 16 * MIB);
	full = true;
	free_bytes = 0;
	assert_int_equal(run_job(w, set_value, "a", NULL), STORE_FAILED);
	assert_int_equal(ballast(w), 0);
	full = false;
	free_bytes = 17 * MIB;
	wait_ready(w, true);
	assert_int_equal(ballast(w), 0);
	do_job(w, set_value, "a");
	free_bytes = INT64_C(1) << 30;
	while (ballast(w) != 16 * MIB)
		usleep(1000);
}

static void a_daemon_starts_on_a_full_disk_out_of_its_ballast(void **state)
{
	struct with_store *w = *state;
	struct store_job job = { 0 };

	do_job(w, set_value, "a");
	close_store(w);
	w->options.min_free = 64 * MIB;
	free_bytes = 0;
	open_store(w);
	assert_int_equal(store_submit(w->store, &job, STORE_FIRST), -1);
	free_bytes = 65 * MIB;
	wait_ready(w, true);
	do_job(w, set_value, "b");
}

static void not_even_the_index_of_the_log_fits(void **state)
{
	struct with_store *w = *state;

	do_job(w, set_value, "a");
	close_store(w);
	full_with = arena_printf(w->arena, "%s/ballast", w->folder);
	full = true;
	free_bytes = 0;
	open_store(w);
	assert_int_equal(ballast(w), 0);
	full = false;
	free_bytes = INT64_C(1) << 30;
	wait_ready(w, true);
	do_job(w, set_value, "b");
}

#define HITS 4

static int add_hits(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit hits[HITS];
	size_t i;

	for (i = 0; i < HITS; i++)
		hits[i] = (struct hit){ .delivery = 100 + (int64_t)i, .kind = 'o', .at = 1, .times = 1 };
	return packs_add(db, hits, HITS, err);
}

STATEMENT(spoil, SITE,
	"UPDATE hit_pack SET body = x'00' WHERE id = 1");

static int spoil_first(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return query_run(db_query(db, &sql_spoil), err) < 0 ? -1 : 0;
}

static int take_hits(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct hit *hits;

	return packs_take(db, 100, w->arena, &hits, arg, err);
}

static int count_damaged(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	return packs_damaged(db, arg, err);
}

/* What a start reads that fails for want of room, and is tried again, is read once. */
static void a_start_in_two_tries_finds_what_waits_once(void **state)
{
	struct with_store *w = *state;
	int64_t damaged;
	size_t taken;

	do_job(w, add_hits, NULL);
	do_job(w, add_hits, NULL);
	do_job(w, spoil_first, NULL);
	close_store(w);
	full_with = arena_printf(w->arena, "%s/ballast", w->folder);
	index_fits = true;
	full = true;
	open_store(w);
	assert_int_equal(ballast(w), 0);
	full = false;
	assert_int_equal(packs_waiting(w->store), HITS);
	do_job(w, take_hits, &taken);
	assert_int_equal(taken, HITS);
	assert_int_equal(packs_waiting(w->store), 0);
	do_job(w, count_damaged, &damaged);
	assert_int_equal(damaged, HITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_is_a_ballast_where_there_is_room, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(no_ballast_is_laid_where_room_is_scarce, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(a_disk_that_fills_up_refuses_and_accepts_again_by_itself, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(the_ballast_goes_when_there_is_no_room_and_comes_back, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(a_start_in_two_tries_finds_what_waits_once, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(not_even_the_index_of_the_log_fits, reset_world, teardown_store),
		cmocka_unit_test_setup_teardown(a_daemon_starts_on_a_full_disk_out_of_its_ballast, reset_world, teardown_store),
	};

	catch_writes();
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
