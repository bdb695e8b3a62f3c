/*
 * loop.h: the event loop thread (libevent), and the way to it from other threads.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;

struct loop *loop_new(void);
void loop_free(struct loop **loop);	/* what is still posted never runs: see loop_drain() */
struct event_base *loop_base(struct loop *loop);

/* Any thread: fn(arg) runs on the loop thread, in order of posting. Never fails; one eventfd write a wake-up. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Runs until loop_stop(); -1 if libevent failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);	/* loop thread; before loop_run() it makes that return at once */

/* Loop thread, when loop_run() has returned: runs what is posted until nothing is, so that every post had its turn. */
void loop_drain(struct loop *loop);

/* Loop thread. A timer that fires once, `after_us` from now, never before (0: at the next turn); set again to move it. */
struct timer;
struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
void timer_free(struct timer **timer);
void timer_set(struct timer *timer, int64_t after_us);
bool timer_is_set(const struct timer *timer);
void timer_stop(struct timer *timer);

#endif
