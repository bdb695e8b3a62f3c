/*
 * notify.h: what a service tells its manager: the sd_notify(3) protocol by hand, and the watchdog. Loop
 * thread.
 *
 * Every call does nothing, successfully, when NOTIFY_SOCKET is not set: not started by systemd. The
 * socket is a path or, with a leading '@', an abstract name.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

/*
 * Sends `text` ("KEY=value" lines) as one datagram. -1: the manager could not be told; nobody needs to
 * stop for that.
 */
int notify_send(const char *text, struct err *err);

/* The start, or a reload, is complete. `status` (may be NULL) is one line for `systemctl status`. */
void notify_ready(const char *status);
/*
 * A reload begins: with MONOTONIC_USEC, as Type=notify-reload of newer managers wants it; notify_ready()
 * ends it.
 */
void notify_reloading(void);
void notify_stopping(const char *status);

/*
 * The watchdog of the unit (WATCHDOG_USEC, and WATCHDOG_PID if set): pings at half that time from a timer
 * on the loop, so that a loop that hangs is noticed, and only while alive(arg, within) says that whatever
 * else must turn has turned within the last `within` microseconds. NULL when the manager asked for no
 * watchdog.
 */
struct notify_watchdog;
struct notify_watchdog *notify_watchdog_start(struct loop *loop, bool (*alive)(void *arg, int64_t within),
		void *arg);
void notify_watchdog_stop(struct notify_watchdog **watchdog);

#endif
