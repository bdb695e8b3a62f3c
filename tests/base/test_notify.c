/*
 * notify: the datagrams that a manager gets, by path and by abstract name, and when the watchdog pings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/notify.h"

struct manager {
	char folder[64], name[100];
	int fd;
};

/* Listens as the manager does and says so in the environment. */
static void manager_init(struct manager *m, bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n;

	snprintf(m->folder, sizeof(m->folder), "/tmp/notify.XXXXXX");
	assert_non_null(mkdtemp(m->folder));
	n = (size_t)snprintf(m->name, sizeof(m->name), "%s%s/s", abstract ? "@" : "", m->folder);
	memcpy(address.sun_path, m->name, n);
	if (abstract)
		address.sun_path[0] = '\0';
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(m->fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract)), 0);
	setenv("NOTIFY_SOCKET", m->name, 1);
}

static void manager_clear(struct manager *m)
{
	close(m->fd);
	unlink(m->name);
	rmdir(m->folder);
	unsetenv("NOTIFY_SOCKET");
}

static const char *received(struct manager *m, char out[256])
{
	ssize_t n = recv(m->fd, out, 255, 0);

	assert_true(n > 0);
	out[n] = '\0';
	return out;
}

static void states_reach_path_and_abstract_sockets(void **state)
{
	struct manager m;
	char text[256];
	int abstract;

	for (abstract = 0; abstract < 2; abstract++) {
		manager_init(&m, abstract);
		notify_ready("4 sequences");
		assert_string_equal(received(&m, text), "READY=1\nSTATUS=4 sequences");
		notify_stopping(NULL);
		assert_string_equal(received(&m, text), "STOPPING=1");
		manager_clear(&m);
	}
}

static void reloading_carries_the_monotonic_time(void **state)
{
	int64_t before = clock_steady();
	struct manager m;
	long long us;
	char text[256];

	manager_init(&m, false);
	notify_reloading();
	assert_int_equal(sscanf(received(&m, text), "RELOADING=1\nMONOTONIC_USEC=%lld", &us), 1);
	assert_true(us >= before && us <= clock_steady());
	manager_clear(&m);
}

static void without_a_manager_nothing_happens_and_a_wrong_name_is_an_error(void **state)
{
	static const struct {
		const char *name;
		int want;
	} rows[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "relative/path", -1 },
		{ "@", -1 },
		{ "/nowhere/at/all", -1 },
		{ "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;

		if (rows[i].name)
			setenv("NOTIFY_SOCKET", rows[i].name, 1);
		assert_int_equal(notify_send("READY=1", &err), rows[i].want);
	}
	unsetenv("NOTIFY_SOCKET");
}

/* --- watchdog --------------------------------------------------------------------------------------- */

struct turns {
	struct loop *loop;
	int asked, stop_at;
	int64_t within;
};

/* Alive at the odd calls; ends the loop at the last one. */
static bool alive(void *arg, int64_t within)
{
	struct turns *t = arg;

	t->within = within;
	if (++t->asked == t->stop_at)
		loop_stop(t->loop);
	return t->asked % 2 == 1;
}

static void watchdog_pings_only_while_alive(void **state)
{
	struct notify_watchdog *w;
	struct turns t = { .stop_at = 4 };
	struct manager m;
	char text[256];

	manager_init(&m, false);
	setenv("WATCHDOG_USEC", "2000", 1);
	t.loop = loop_new();
	w = notify_watchdog_start(t.loop, alive, &t);
	assert_non_null(w);
	assert_int_equal(loop_run(t.loop), 0);
	assert_int_equal(t.within, 1000);
	assert_string_equal(received(&m, text), "WATCHDOG=1");
	assert_string_equal(received(&m, text), "WATCHDOG=1");
	assert_int_equal(recv(m.fd, text, sizeof(text), MSG_DONTWAIT), -1);
	notify_watchdog_stop(&w);
	assert_null(w);
	loop_free(&t.loop);
	unsetenv("WATCHDOG_USEC");
	manager_clear(&m);
}

static void watchdog_is_not_started_unasked_or_for_another_process(void **state)
{
	static const struct {
		const char *usec, *pid;
	} rows[] = {
		{ NULL, NULL },
		{ "0", NULL },
		{ "soon", NULL },
		{ "1000000", "1" },
		{ "1000000", "x" },
	};
	struct turns t = { 0 };
	size_t i;

	t.loop = loop_new();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		assert_null(notify_watchdog_start(t.loop, alive, &t));
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	loop_free(&t.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_reach_path_and_abstract_sockets),
		cmocka_unit_test(reloading_carries_the_monotonic_time),
		cmocka_unit_test(without_a_manager_nothing_happens_and_a_wrong_name_is_an_error),
		cmocka_unit_test(watchdog_pings_only_while_alive),
		cmocka_unit_test(watchdog_is_not_started_unasked_or_for_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
