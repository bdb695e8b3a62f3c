/*
 * loop.c: see loop.h.
 *
 * Posted functions wait in an array; only the post that finds it empty writes to the eventfd. The loop takes the whole
 * array at once, so that what is posted meanwhile runs at the next turn and sockets get theirs in between.
 *
 * A timer that came late says how long the loop was away. Few run while much is sent, so posts set one of a millisecond: it beats while
 * there is work, and an idle loop sleeps.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metrics.h"

#define BEAT (US_SECOND / 1000)

HISTOGRAM(late, "nurtured_loop_late_seconds", "How late timers of the loop came; one of 1 ms runs while there is work.");

struct post {
	void (*fn)(void *arg);
	void *arg;
};

struct posts {
	struct post *list;
	size_t count, cap;
};

struct loop {
	struct event_base *base;
	struct event *woken;
	struct event *flush;	/* of the log, at the end of the turn */
	struct timer *beat;
	bool beats;		/* the beat is set */
	int fd;
	bool stop;
	pthread_mutex_t lock;
	struct posts waiting;	/* under lock */
	struct posts running;	/* loop thread */
};

struct timer {
	struct event *event;
	int64_t due;	/* by clock_steady() */
	void (*fn)(void *arg);
	void *arg;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare_libevent(void)
{
	if (evthread_use_pthreads() < 0)
		abort();
}

/* Runs what was waiting when it was called; false if that was nothing. */
static bool run_posts(struct loop *loop)
{
	struct posts spare = loop->running;
	size_t i;

	pthread_mutex_lock(&loop->lock);
	loop->running = loop->waiting;
	spare.count = 0;
	loop->waiting = spare;
	pthread_mutex_unlock(&loop->lock);
	for (i = 0; i < loop->running.count; i++)
		loop->running.list[i].fn(loop->running.list[i].arg);
	return i > 0;
}

static void woken_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t count;

	/* EAGAIN: loop_drain() was faster */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		abort();
	if (!loop->beats) {
		timer_set(loop->beat, BEAT);
		loop->beats = true;
	}
	run_posts(loop);
}

static void flush_cb(evutil_socket_t fd, short what, void *arg)
{
	log_flush();
}

/* Active events run behind those that are active already: the lines of a turn are written together. */
static void flush_soon(void *arg)
{
	struct loop *loop = arg;

	event_active(loop->flush, EV_TIMEOUT, 0);
}

static void beat(void *arg)
{
	struct loop *loop = arg;

	loop->beats = false;
}

/*
 * The coarse clock of libevent's default makes each timer up to 4 ms late. Only the loop thread touches the base (loop_post() has a lock of its own),
 * so it needs none. What sockets are waited for is told to the kernel once a turn, not at each change: of those to and fro many come to nothing.
 * That asks of everybody who hands a descriptor to the loop not to have made it with dup(2).
 */
static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config || event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK |
			EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) < 0)
		abort();
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	pthread_once(&once, prepare_libevent);
	pthread_mutex_init(&loop->lock, NULL);
	loop->base = base_new();
	loop->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!loop->base || loop->fd < 0)
		abort();
	loop->woken = event_new(loop->base, loop->fd, EV_READ | EV_PERSIST, woken_cb, loop);
	if (!loop->woken || event_add(loop->woken, NULL) < 0)
		abort();
	loop->flush = event_new(loop->base, -1, 0, flush_cb, NULL);
	if (!loop->flush)
		abort();
	loop->beat = timer_new(loop, beat, loop);
	return loop;
}

void loop_free(struct loop **loop)
{
	struct loop *l = *loop;

	if (!l)
		return;
	timer_free(&l->beat);
	event_free(l->woken);
	event_free(l->flush);
	event_base_free(l->base);
	close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l->waiting.list);
	free(l->running.list);
	free(l);
	*loop = NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct posts *w = &loop->waiting;
	static const uint64_t one = 1;
	bool wake;

	pthread_mutex_lock(&loop->lock);
	wake = w->count == 0;
	w->list = xgrow(w->list, &w->cap, w->count + 1, sizeof(*w->list));
	w->list[w->count++] = (struct post){ .fn = fn, .arg = arg };
	pthread_mutex_unlock(&loop->lock);
	/* the counter cannot overflow: it is read before the list is empty again */
	if (wake && write(loop->fd, &one, sizeof(one)) < 0)
		abort();
}

void loop_drain(struct loop *loop)
{
	while (run_posts(loop))
		;
}

int loop_run(struct loop *loop)
{
	int rc = 0;

	log_gather(flush_soon, loop);
	while (!loop->stop && rc == 0)
		rc = event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	log_gather(NULL, NULL);
	loop->stop = false;
	return rc < 0 ? -1 : 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
	event_base_loopbreak(loop->base);
}

/* --- timers ------------------------------------------------------------------------------------------------- */

static void add_event(struct timer *timer, int64_t after_us)
{
	struct timeval tv = { .tv_sec = after_us / US_SECOND, .tv_usec = after_us % US_SECOND };

	if (evtimer_add(timer->event, &tv) < 0)
		abort();
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;
	int64_t left = timer->due - clock_steady();

	/* libevent's clock is a coarse one and runs some milliseconds behind when the timer is set */
	if (left > 0) {
		add_event(timer, left);
		return;
	}
	if (timer->due)		/* else it was for the next turn, whenever that is */
		histogram_add(&histogram_late, -left);
	timer->fn(timer->arg);
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	timer->fn = fn;
	timer->arg = arg;
	timer->event = evtimer_new(loop->base, timer_cb, timer);
	if (!timer->event)
		abort();
	return timer;
}

void timer_free(struct timer **timer)
{
	if (!*timer)
		return;
	event_free((*timer)->event);
	free(*timer);
	*timer = NULL;
}

void timer_set(struct timer *timer, int64_t after_us)
{
	/* TIME_NEVER and its like would overflow inside libevent */
	if (after_us > 3650 * US_DAY)
		after_us = 3650 * US_DAY;
	if (after_us < 0)
		after_us = 0;
	timer->due = after_us ? clock_steady() + after_us : 0;
	add_event(timer, after_us);
}

bool timer_is_set(const struct timer *timer)
{
	return evtimer_pending(timer->event, NULL) != 0;
}

void timer_stop(struct timer *timer)
{
	evtimer_del(timer->event);
}
