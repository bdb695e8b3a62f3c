/* intake_process.c: see intake_process.h. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "listen/frame.h"

#include "intake_process.h"
#include "intake_program.h"

#define ENDS_WITHIN (10 * US_SECOND)	/* of closing its socket */

struct intake_process {
	const struct intake_calls *calls;
	void *ctx;
	pid_t pid;
	int pidfd;
	struct event *death;
	struct bufferevent *socket;	/* NULL: closed */
	struct buf in;			/* of a frame */
	json_t *message;		/* whose bytes come; NULL */
	struct buf bytes;
	size_t wanted;			/* so many in all */
	struct timer *over;
};

static void close_socket(struct intake_process *p)
{
	if (p->socket)
		bufferevent_free(p->socket);
	p->socket = NULL;
	buf_clear(&p->in);
	json_decref(p->message);
	p->message = NULL;
	buf_clear(&p->bytes);
}

/* The owner frees it in `ended`: nothing is done behind that. */
static void reap_if_over(struct intake_process *p)
{
	int status;
	bool killed;

	if (p->socket || waitpid(p->pid, &status, WNOHANG) != p->pid)
		return;
	p->pid = 0;
	killed = WIFSIGNALED(status);
	p->calls->ended(p->ctx, killed, killed ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void death_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reap_if_over(arg);
}

static void over_fired(void *arg)
{
	intake_process_kill(arg);
}

static void give(struct intake_process *p)
{
	json_t *message = p->message;

	p->message = NULL;
	p->calls->frame(p->ctx, message, &p->bytes);
	json_decref(message);
	buf_clear(&p->bytes);
}

/* What is to come behind it; 0: nothing. */
static int64_t bytes_behind(const json_t *message)
{
	return strcmp(frame_type(message), "mail") ? 0 : frame_integer(message, "bytes", 0);
}

/* -1: it is none. */
static int take_frame(struct intake_process *p, struct evbuffer *input, struct err *err)
{
	size_t n = evbuffer_get_length(input);
	int64_t more;
	int rc;

	buf_reserve(&p->in, n);
	evbuffer_remove(input, p->in.data + p->in.len, n);
	p->in.len += n;
	rc = frame_decode(&p->in, &p->message, err);
	if (rc <= 0)
		return rc;
	more = bytes_behind(p->message);
	if (more < 0 || more > FRAME_RAW_MAX)
		return err_set(err, "a mail of %lld bytes", (long long)more);
	p->wanted = (size_t)more;
	json_object_del(p->message, "bytes");
	evbuffer_prepend(input, p->in.data, p->in.len);	/* the mail, or the next frame */
	buf_clear(&p->in);
	buf_reserve(&p->bytes, p->wanted);
	return 1;
}

/* false: it is not all there. */
static bool take_bytes(struct intake_process *p, struct evbuffer *input)
{
	size_t there = evbuffer_get_length(input), left = p->wanted - p->bytes.len, n = there < left ? there : left;

	evbuffer_remove(input, p->bytes.data + p->bytes.len, n);
	p->bytes.len += n;
	return n == left;
}

static void read_cb(struct bufferevent *socket, void *arg)
{
	struct intake_process *p = arg;
	struct evbuffer *input = bufferevent_get_input(socket);
	struct err err;
	int rc = 1;

	while (rc > 0) {
		if (!p->message)
			rc = take_frame(p, input, &err);
		if (p->message && rc > 0) {
			rc = take_bytes(p, input);
			if (rc)
				give(p);
		}
	}
	if (rc < 0) {
		buf_reset(&p->in);
		evbuffer_drain(input, evbuffer_get_length(input));
		intake_process_kill(p);
		p->calls->broken(p->ctx, err.text);
	}
}

static void event_cb(struct bufferevent *socket, short what, void *arg)
{
	struct intake_process *p = arg;

	(void)socket;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	close_socket(p);
	timer_set(p->over, ENDS_WITHIN);
	reap_if_over(p);
}

int intake_process_start(struct loop *loop, const char *program, const struct intake_calls *calls, void *ctx, struct intake_process **out)
{
	struct intake_process *p;
	int pair[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	rc = intake_program_start(program, pair[1], &pid);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		return rc;
	}
	p = xcalloc(1, sizeof(*p));
	p->calls = calls;
	p->ctx = ctx;
	p->pid = pid;
	p->over = timer_new(loop, over_fired, p);
	p->pidfd = pidfd_open(pid, 0);
	p->death = event_new(loop_base(loop), p->pidfd, EV_READ | EV_PERSIST, death_cb, p);
	event_add(p->death, NULL);
	evutil_make_socket_nonblocking(pair[0]);
	p->socket = bufferevent_socket_new(loop_base(loop), pair[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(p->socket, read_cb, NULL, event_cb, p);
	bufferevent_enable(p->socket, EV_READ | EV_WRITE);
	*out = p;
	return 0;
}

int intake_process_say(struct intake_process *p, json_t *message)
{
	struct buf b = BUF_INIT;
	int rc = frame_encode(&b, message, NULL);

	if (rc == 0)
		intake_process_bytes(p, b.data, b.len);
	buf_clear(&b);
	json_decref(message);
	return rc;
}

void intake_process_bytes(struct intake_process *p, const void *data, size_t n)
{
	if (p->socket)
		bufferevent_write(p->socket, data, n);
}

void intake_process_kill(struct intake_process *p)
{
	if (p->pid > 0)
		kill(p->pid, SIGKILL);
}

void intake_process_free(struct intake_process **process)
{
	struct intake_process *p = *process;
	int status;

	if (!p)
		return;
	*process = NULL;
	close_socket(p);
	timer_free(&p->over);
	event_free(p->death);
	close(p->pidfd);
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	free(p);
}
