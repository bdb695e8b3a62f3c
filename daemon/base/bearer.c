/*
 * bearer.c: what a command prints fits into its pipe, or is no token; so it is read when the command has ended.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bearer.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

#define TOKEN_MOST (16 * 1024)
#define COMMAND_WITHIN (30 * US_SECOND)

extern char **environ;

struct bearer {
	struct loop *loop;
	const char *file;
	const char *const *command;
	bearer_done *done;
	void *ctx;
	struct timer *timer;		/* begins it, then bounds it */
	struct event *death;
	int pidfd, output;		/* -1 */
	pid_t pid;			/* 0: none runs */
	bool late;
};

/* What was read, up to the end of its first line. */
static void give(struct bearer *b, char *text, ssize_t n)
{
	struct err err;
	size_t length;

	if (n < 0) {
		err_set(&err, "the token cannot be read: %s", strerror(errno));
		b->done(b->ctx, NULL, err.text);
		return;
	}
	text[n] = '\0';
	length = strcspn(text, "\r\n");
	text[length] = '\0';
	if (n > TOKEN_MOST || !length || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != length)
		b->done(b->ctx, NULL, n > TOKEN_MOST || length ? "what should be a token is none" : "where a token should be is nothing");
	else
		b->done(b->ctx, text, NULL);
}

static void read_token(struct bearer *b, int fd)
{
	char text[TOKEN_MOST + 2];
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, text + n, TOKEN_MOST + 1 - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	give(b, text, got < 0 && errno != EAGAIN ? -1 : (ssize_t)n);
	explicit_bzero(text, sizeof(text));
}

static void by_file(struct bearer *b)
{
	int fd = open(b->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct err err;

	if (fd < 0) {
		err_set(&err, "the token cannot be read: %s: %s", b->file, strerror(errno));
		b->done(b->ctx, NULL, err.text);
		return;
	}
	read_token(b, fd);
	close(fd);
}

/* --- a command ------------------------------------------------------------------------------------------ */

static void ended(struct bearer *b, int status)
{
	const char *program = b->command[0];
	struct err err;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		read_token(b, b->output);
		return;
	}
	if (b->late)
		err_set(&err, "%s printed no token within %d s", program, (int)(COMMAND_WITHIN / US_SECOND));
	else
		err_set(&err, "%s ended by %s %d; what it said is in the log", program, WIFEXITED(status) ? "status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	b->done(b->ctx, NULL, err.text);
}

static void death_cb(evutil_socket_t fd, short what, void *arg)
{
	struct bearer *b = arg;
	int status;

	(void)fd;
	(void)what;
	if (waitpid(b->pid, &status, WNOHANG) != b->pid)
		return;
	b->pid = 0;
	timer_stop(b->timer);
	ended(b, status);
}

static int spawn(struct bearer *b, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char **argv;
	size_t n = 0;
	int rc;

	while (b->command[n])
		n++;
	argv = xcalloc(n + 1, sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[i] = xstrdup(b->command[i]);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, 1);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);	/* sockets of libcurl, too */
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(&b->pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	free(argv);
	if (rc)
		b->pid = 0;
	return rc;
}

static void by_command(struct bearer *b)
{
	int ends[2], rc;
	struct err err;

	rc = pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? errno : 0;
	if (rc == 0) {
		b->output = ends[0];
		rc = spawn(b, ends[1]);
		close(ends[1]);
	}
	if (rc) {
		err_set(&err, "%s cannot be started: %s", b->command[0], strerror(rc));
		b->done(b->ctx, NULL, err.text);
		return;
	}
	b->pidfd = pidfd_open(b->pid, 0);
	b->death = event_new(loop_base(b->loop), b->pidfd, EV_READ | EV_PERSIST, death_cb, b);
	event_add(b->death, NULL);
	timer_set(b->timer, COMMAND_WITHIN);
}

/* --- both ----------------------------------------------------------------------------------------------- */

static void fired(void *arg)
{
	struct bearer *b = arg;

	if (b->pid) {
		b->late = true;
		kill(-b->pid, SIGKILL);
	} else if (b->file) {
		by_file(b);
	} else {
		by_command(b);
	}
}

struct bearer *bearer_fetch(struct loop *loop, const char *file, const char *const *command, bearer_done *done, void *ctx)
{
	struct bearer *b = xcalloc(1, sizeof(*b));

	b->loop = loop;
	b->file = file;
	b->command = command;
	b->done = done;
	b->ctx = ctx;
	b->pidfd = b->output = -1;
	b->timer = timer_new(loop, fired, b);
	timer_set(b->timer, 0);
	return b;
}

void bearer_free(struct bearer **bearer)
{
	struct bearer *b = *bearer;
	int status;

	if (!b)
		return;
	*bearer = NULL;
	timer_free(&b->timer);
	if (b->death)
		event_free(b->death);
	if (b->pid) {
		kill(-b->pid, SIGKILL);
		while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (b->pidfd >= 0)
		close(b->pidfd);
	if (b->output >= 0)
		close(b->output);
	free(b);
}
