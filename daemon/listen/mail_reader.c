/*
 * mail_reader.c: the other end of nurtured-intake's socket, one question at a time. What ends the intake costs
 * that mail alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "listen/frame.h"
#include "listen/mail_reader.h"

#include "intake_program.h"

struct mail_reader {
	json_t *configure;
	char *program;
	pid_t pid;	/* 0: none */
	int fd;
	struct buf in;
};

struct mail_reader *mail_reader_new(const struct plan *plan)
{
	return mail_reader_by(intake_setting(plan));
}

struct mail_reader *mail_reader_by(json_t *setting)
{
	struct mail_reader *r = xcalloc(1, sizeof(*r));

	r->configure = setting;
	json_object_set_new(r->configure, "type", json_string("configure"));
	r->program = intake_program_find();
	r->fd = -1;
	return r;
}

static void end(struct mail_reader *r)
{
	int status;

	if (!r->pid)
		return;
	close(r->fd);	/* which ends it; it may not be ours to kill (sandbox.h) */
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	r->fd = -1;
	buf_reset(&r->in);
}

void mail_reader_free(struct mail_reader **r)
{
	if (!*r)
		return;
	end(*r);
	json_decref((*r)->configure);
	free((*r)->program);
	buf_clear(&(*r)->in);
	free(*r);
	*r = NULL;
}

static bool put(struct mail_reader *r, const char *data, size_t n)
{
	while (n) {
		ssize_t sent = send(r->fd, data, n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return false;
		data += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static bool put_frame(struct mail_reader *r, const json_t *message, struct err *err)
{
	struct buf b = BUF_INIT;
	bool done = frame_encode(&b, message, err) == 0 && put(r, b.data, b.len);

	buf_clear(&b);
	return done;
}

int mail_reader_start(struct mail_reader *r, struct err *err)
{
	int pair[2], rc;

	if (r->pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, "no socket: %s", strerror(errno));
	rc = intake_program_start(r->program, pair[1], &r->pid);
	close(pair[1]);
	if (rc) {
		close(pair[0]);
		r->pid = 0;
		return err_set(err, "%s cannot be started: %s; mails cannot be read without it", r->program, strerror(rc));
	}
	r->fd = pair[0];
	if (put_frame(r, r->configure, err))
		return 0;
	end(r);
	return err_set(err, "%s ended at once", r->program);
}

static bool get(struct mail_reader *r, json_t **out)
{
	for (;;) {
		ssize_t n;
		int rc = frame_decode(&r->in, out, NULL);

		if (rc < 0)
			return false;
		if (rc && !strcmp(frame_type(*out), "mail"))
			return true;
		if (rc) {	/* that it begins to read */
			json_decref(*out);
			continue;
		}
		buf_reserve(&r->in, 65536);
		n = recv(r->fd, r->in.data + r->in.len, 65536, 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		r->in.len += n > 0 ? (size_t)n : 0;
	}
}

int mail_reader_read(struct mail_reader *r, const char *raw, size_t n, int64_t received, json_t **out, struct err *err)
{
	json_t *question;
	bool answered;

	if (n > FRAME_MAIL_MAX)
		n = FRAME_MAIL_MAX;
	if (mail_reader_start(r, err) < 0)
		return -1;
	question = json_pack("{ss sI sI}", "type", "read", "size", (json_int_t)n, "received", (json_int_t)received);
	answered = put_frame(r, question, NULL) && put(r, raw, n) && get(r, out);
	json_decref(question);
	if (!answered)
		end(r);
	return answered;
}
