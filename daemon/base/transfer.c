/*
 * transfer.c: see transfer.h.
 *
 * libcurl says through two callbacks which sockets and which time it waits for; libevent's events answer with
 * curl_multi_socket_action(). Whatever has ended is first collected, then reported, when no call of libcurl is
 * on the stack any more: so a done callback may start, cancel and free what it likes, the pool too.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/transfer.h"

struct transfer {
	struct transfer_pool *pool;	/* NULL: the pool is gone */
	struct transfer *prev, *next;	/* in one of the pool's two lists */
	CURL *easy;
	bool keep;
	bool in_multi;
	bool waiting;			/* in the list `ended` */
	CURLcode code;
	void (*done)(void *arg, CURLcode code);
	void *arg;
};

struct list {
	struct transfer *first, *last;
};

struct transfer_pool {
	struct event_base *base;
	CURLM *multi;
	struct event *timeout;
	struct list idle;	/* under way, or ended and reported */
	struct list ended;	/* to be reported, in the order in which they ended */
	bool in_curl;
	bool reporting;		/* done callbacks run */
	bool dead;		/* freed by one of them: report() frees the rest */
};

static void list_add(struct list *list, struct transfer *t)
{
	t->next = NULL;
	t->prev = list->last;
	if (list->last)
		list->last->next = t;
	else
		list->first = t;
	list->last = t;
}

static void list_remove(struct list *list, struct transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		list->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		list->last = t->prev;
	t->prev = t->next = NULL;
}

static void leave_multi(struct transfer *t)
{
	if (!t->in_multi)
		return;
	t->in_multi = false;
	curl_multi_remove_handle(t->pool->multi, t->easy);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, NULL);
}

static void collect(struct transfer_pool *pool)
{
	struct transfer *t;
	CURLMsg *msg;
	CURLcode code;
	int left;

	while ((msg = curl_multi_info_read(pool->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		code = msg->data.result;
		/* removing the handle frees the message */
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		t->code = code;
		t->waiting = true;
		if (!t->keep)
			leave_multi(t);
		list_remove(&pool->idle, t);
		list_add(&pool->ended, t);
	}
}

static void report(struct transfer_pool *pool)
{
	struct transfer *t;

	pool->reporting = true;
	while ((t = pool->ended.first)) {
		list_remove(&pool->ended, t);
		t->waiting = false;
		list_add(&pool->idle, t);
		t->done(t->arg, t->code);
	}
	pool->reporting = false;
	if (pool->dead)
		free(pool);
}

static void act(struct transfer_pool *pool, curl_socket_t fd, int what)
{
	int running;

	pool->in_curl = true;
	curl_multi_socket_action(pool->multi, fd, what, &running);
	pool->in_curl = false;
	collect(pool);
	report(pool);
}

static void ready_cb(evutil_socket_t fd, short what, void *arg)
{
	act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void timeout_cb(evutil_socket_t fd, short what, void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl: which events of a socket it waits for from now on. */
static int socket_cb(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct transfer_pool *pool = arg;
	struct event *event = socket_arg;
	short flags = EV_PERSIST;

	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			flags |= EV_READ;
		if (what & CURL_POLL_OUT)
			flags |= EV_WRITE;
		event = event_new(pool->base, fd, flags, ready_cb, pool);
		if (!event || event_add(event, NULL) < 0)
			log_error("transfer.no_event", L_INT("socket", fd));
	}
	curl_multi_assign(pool->multi, fd, event);
	return 0;
}

/* libcurl: when it wants to be called at the latest. */
static int timer_cb(CURLM *multi, long ms, void *arg)
{
	struct transfer_pool *pool = arg;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (ms < 0)
		return evtimer_del(pool->timeout);
	return evtimer_add(pool->timeout, &tv);
}

struct transfer_pool *transfer_pool_new(struct loop *loop, long max_connections)
{
	struct transfer_pool *pool = xcalloc(1, sizeof(*pool));

	pool->base = loop_base(loop);
	pool->timeout = evtimer_new(pool->base, timeout_cb, pool);
	pool->multi = curl_multi_init();
	if (!pool->timeout || !pool->multi)
		abort();
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
	curl_multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max_connections);
	return pool;
}

static void forsake(struct list *list)
{
	struct transfer *t;

	while ((t = list->first)) {
		leave_multi(t);
		list_remove(list, t);
		t->pool = NULL;
	}
}

void transfer_pool_free(struct transfer_pool **pool)
{
	struct transfer_pool *p = *pool;

	if (!p)
		return;
	assert(!p->in_curl);
	forsake(&p->idle);
	forsake(&p->ended);
	curl_multi_cleanup(p->multi);
	event_free(p->timeout);
	p->dead = p->reporting;
	if (!p->dead)
		free(p);
	*pool = NULL;
}

struct transfer *transfer_start(struct transfer_pool *pool, CURL *easy, int keep,
				void (*done)(void *arg, CURLcode code), void *arg)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	assert(!pool->in_curl);
	t->pool = pool;
	t->easy = easy;
	t->keep = keep != 0;
	t->done = done;
	t->arg = arg;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* or giving up a look-up waits for its thread: a name server that hangs would hold up the whole loop */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	list_add(&pool->idle, t);
	/* asks timer_cb() for an immediate time-out: everything happens there */
	t->in_multi = curl_multi_add_handle(pool->multi, easy) == CURLM_OK;
	assert(t->in_multi);
	return t;
}

void transfer_cancel(struct transfer **transfer)
{
	struct transfer *t = *transfer;

	if (!t)
		return;
	if (t->pool) {
		assert(!t->pool->in_curl);
		leave_multi(t);
		list_remove(t->waiting ? &t->pool->ended : &t->pool->idle, t);
	}
	free(t);
	*transfer = NULL;
}
