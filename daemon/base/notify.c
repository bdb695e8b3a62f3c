/*
 * notify.c: see notify.h. A datagram to a Unix socket is all there is to it, so libsystemd is not linked
 * for it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/notify.h"
#include "base/text.h"

struct notify_watchdog {
	struct timer *timer;
	int64_t every;		/* half of what the manager grants */
	bool (*alive)(void *arg, int64_t within);
	void *arg;
	bool silent;		/* alive() said no: said so once */
};

/* The address as bind(2) wants it; its length, or 0 if `name` is none. */
static socklen_t socket_address(const char *name, struct sockaddr_un *out)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(out->sun_path))
		return 0;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path, name, n);
	if (name[0] != '@')
		n++;
	else
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

int notify_send(const char *text, struct err *err)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t length;
	ssize_t sent;
	int fd;

	if (!name || !*name)
		return 0;
	length = socket_address(name, &address);
	if (!length)
		return err_set(err, "NOTIFY_SOCKET is neither a path nor an abstract name: %s", name);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, "cannot make a socket: %s", strerror(errno));
	sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
		length);
	if (sent < 0)
		err_set(err, "cannot write to %s: %s", name, strerror(errno));
	close(fd);
	return sent < 0 ? -1 : 0;
}

static void tell(const char *state, const char *status)
{
	struct buf text = BUF_INIT;
	struct err err;

	buf_str(&text, state);
	if (status)
		buf_printf(&text, "\nSTATUS=%s", status);
	if (notify_send(buf_cstr(&text), &err) < 0)
		log_warn("notify.failed", L_STR("error", err.text));
	buf_clear(&text);
}

void notify_ready(const char *status)
{
	tell("READY=1", status);
}

void notify_reloading(void)
{
	struct buf text = BUF_INIT;

	buf_printf(&text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady());
	tell(buf_cstr(&text), NULL);
	buf_clear(&text);
}

void notify_stopping(const char *status)
{
	tell("STOPPING=1", status);
}

/* --- watchdog --------------------------------------------------------------------------------------- */

static void ping_cb(void *arg)
{
	struct notify_watchdog *w = arg;
	bool alive = w->alive(w->arg, w->every);

	if (alive)
		tell("WATCHDOG=1", NULL);
	else if (!w->silent)
		log_error("watchdog.silent",
			L_STR("why", "what must turn does not: the manager will end this process"));
	w->silent = !alive;
	timer_set(w->timer, w->every);
}

/* The manager's time, 0 if it granted none or meant another process. */
static int64_t granted(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us, id;

	if (!usec || text_int(usec, &us) < 0 || us <= 0)
		return 0;
	if (pid && (text_int(pid, &id) < 0 || id != getpid()))
		return 0;
	return us;
}

struct notify_watchdog *notify_watchdog_start(struct loop *loop, bool (*alive)(void *arg, int64_t within),
		void *arg)
{
	int64_t us = granted();
	struct notify_watchdog *w;

	if (!us)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->every = us / 2;
	w->alive = alive;
	w->arg = arg;
	w->timer = timer_new(loop, ping_cb, w);
	timer_set(w->timer, 0);
	return w;
}

void notify_watchdog_stop(struct notify_watchdog **watchdog)
{
	struct notify_watchdog *w = *watchdog;

	if (!w)
		return;
	timer_free(&w->timer);
	free(w);
	*watchdog = NULL;
}
