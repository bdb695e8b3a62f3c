/*
 * test_restart.c: kill -9 at any moment: what was acknowledged is there, what is there is whole, and the start needs no command.
 *
 * The test program runs itself again as the daemon that is killed; that writes the number of each job to standard output when its
 * completion has come.
 */
#include <signal.h>
#include <sys/wait.h>

#include "base/random.h"
#include "with_store.h"

#define ROUNDS 20
#define IN_FLIGHT 64
#define BUCKET 9

struct daemon_job {
	struct store_job job;
	struct loop *loop;
	struct store *store;
	int number;
};

static int next_number;

static int work(struct db *db, int number, struct err *err)
{
	char name[30];
	struct consent c = { .id = INT64_C(1) << 22 | (int64_t)BUCKET << 12, .prospect = 1, .what = "granted", .words = "Yes." };
	struct queue_row row = { .lane = LANE_SEND, .due = number, .kind = QUEUE_STEP };

	c.id += (int64_t)(number / 4096) << 22 | number % 4096;
	row.id = c.id;
	snprintf(name, sizeof(name), "job %d", number);
	if (settings_set(db, name, name, strlen(name), err) < 0 || consents_add(db, &c, err) < 0)
		return -1;
	return queue_add(db, &row, err);
}

static int daemon_run(struct store_job *job, struct db *db, struct err *err)
{
	return work(db, ((struct daemon_job *)job)->number, err);
}

static void daemon_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct daemon_job *j = (struct daemon_job *)job;

	if (result != STORE_COMMITTED || write(STDOUT_FILENO, &j->number, sizeof(j->number)) != sizeof(j->number))
		_exit(1);
	j->number = next_number++;
	if (store_submit(j->store, job, j->number % 2 ? STORE_FIRST : STORE_NORMAL) < 0)
		_exit(1);
}

static int run_daemon(const char *folder, int first)
{
	struct store_options options = { .state = folder, .owner = "killed", .min_free = 1 };
	struct daemon_job jobs[IN_FLIGHT];
	struct loop *loop = loop_new();
	struct store *store;
	struct err err;

	if (store_start(loop, &options, &store, &err) < 0)
		return 1;
	next_number = first + IN_FLIGHT;
	for (int i = 0; i < IN_FLIGHT; i++) {
		jobs[i] = (struct daemon_job){ .job = { .run = daemon_run, .done = daemon_done }, .loop = loop, .store = store,
				.number = first + i };
		if (store_submit(store, &jobs[i].job, STORE_NORMAL) < 0)
			return 1;
	}
	return loop_run(loop);
}

/* Starts one, kills it after some acknowledgements, and notes all that it gave. */
static void run_and_kill(struct with_store *w, int first, int after, bool *acknowledged, int max)
{
	char number[20];
	int out[2], n, got = 0, status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", first);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		execl("/proc/self/exe", "test_restart", w->folder, number, NULL);
		_exit(1);
	}
	close(out[1]);
	while (read(out[0], &n, sizeof(n)) == sizeof(n)) {
		assert_in_range(n, first, max - 1);
		acknowledged[n] = true;
		if (++got == after)
			kill(pid, SIGKILL);
	}
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(got >= after);
}

struct check {
	const bool *acknowledged;
	int max;
	int stored, lost;
};

static int check(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct check *c = arg;
	struct estimate due, all;

	for (int i = 0; i < c->max; i++) {
		struct slice value;
		char name[30];
		int got;

		snprintf(name, sizeof(name), "job %d", i);
		got = settings_get(db, name, w->arena, &value, err);
		if (got < 0)
			return -1;
		c->stored += got;
		c->lost += c->acknowledged[i] && got == 0;
	}
	if (consents_verify(db, BUCKET, (int64_t[CONSENT_KINDS]){ 0 }, err) < 0 || queue_depth(db, LANE_SEND, TIME_NEVER, &due, &all, err) < 0)
		return -1;
	/* jobs are there as a whole or not at all */
	return all.count == c->stored ? 0 : err_set(err, "%d settings, %d rows in the queue", c->stored, (int)all.count);
}

static void what_was_acknowledged_survives_kill_9(void **state)
{
	struct with_store *w = with_store_new();
	enum { STEP = 20000 };
	bool *acknowledged = xcalloc((size_t)ROUNDS * STEP, sizeof(*acknowledged));
	int total = 0, stored = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct check c = { .acknowledged = acknowledged, .max = (round + 1) * STEP };
		struct err err = { "" };

		run_and_kill(w, round * STEP, 1 + (int)(random_u64() % 600), acknowledged, c.max);
		/* each fourth time the next daemon finds what the kill left; else we look */
		if (round % 4 != 3)
			continue;
		arena_reset(w->arena);
		open_store(w);
		if (read_job(w, check, &c, &err) != STORE_COMMITTED)
			fail_msg("%s", err.text);
		close_store(w);
		assert_int_equal(c.lost, 0);
		stored = c.stored;
	}
	for (int i = 0; i < ROUNDS * STEP; i++)
		total += acknowledged[i];
	print_message("%d kills: %d jobs acknowledged, %d stored, none lost\n", ROUNDS, total, stored);
	assert_true(total >= ROUNDS && stored >= total);
	free(acknowledged);
	with_store_free(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_survives_kill_9),
	};

	if (argc > 2)
		return run_daemon(argv[1], (int)strtol(argv[2], NULL, 10));
	return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
